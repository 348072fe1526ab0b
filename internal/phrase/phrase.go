// Package phrase says when a text that is looked for stands in a document, and when a line of it is the date of a signature
// block, so that a PDF and a Word document of the same words have their seals in the same places.
package phrase

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Wanted gives a phrase the form in which it stands in a text that Normal made: NFKC, so that full and half width make no
// difference, and without white space. An empty one stands nowhere.
func Wanted(phrase string) string { return Squeeze(norm.NFKC.String(phrase)) }

// Normal makes the form of a text that is searched. Of each byte of all, from says where it comes from; of each byte of the
// text it says so in the result.
func Normal(all []byte, from []int32) (string, []int32) {
	if norm.NFKC.IsNormal(all) && !strings.ContainsFunc(string(all), ignored) {
		return string(all), from
	}
	text := make([]byte, 0, len(all)+8)
	origin := make([]int32, 0, len(all)+8)
	var it norm.Iter
	for it.Init(norm.NFKC, all); !it.Done(); {
		at := it.Pos()
		for part := it.Next(); len(part) > 0; {
			r, k := utf8.DecodeRune(part)
			part = part[k:]
			if ignored(r) {
				continue
			}
			text = utf8.AppendRune(text, r)
			for len(origin) < len(text) {
				origin = append(origin, from[at])
			}
		}
	}
	return string(text), origin
}

// ignored says whether a search passes over a character: white space, marks without width, soft hyphens, control codes.
func ignored(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// Squeeze takes out what a search passes over.
func Squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if ignored(r) {
			return -1
		}
		return r
	}, s)
}
