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
	i, last := 0, 0
	for i < len(all) { // most texts are in this form
		r, k := utf8.DecodeRune(all[i:])
		if n, ok := plain(r); !ok || n != r {
			i = last // its segment may begin with the one before
			break
		}
		i, last = i+k, i
	}
	if i == len(all) {
		return string(all), from
	}
	text := append(make([]byte, 0, len(all)+8), all[:i]...)
	origin := append(make([]int32, 0, len(all)+8), from[:i]...)
	add := func(r rune, at int32) {
		text = utf8.AppendRune(text, r)
		for len(origin) < len(text) {
			origin = append(origin, at)
		}
	}
	var segment []byte
	for i < len(all) {
		r, k := utf8.DecodeRune(all[i:])
		if n, ok := plain(r); ok && alone(all[i+k:]) {
			if n != none {
				add(n, from[i])
			}
			i += k
			continue
		}
		k = norm.NFKC.NextBoundary(all[i:], true)
		segment = norm.NFKC.Append(segment[:0], all[i:i+k]...)
		for part := segment; len(part) > 0; {
			r, n := utf8.DecodeRune(part)
			if part = part[n:]; !ignored(r) {
				add(r, from[i])
			}
		}
		i += k
	}
	return string(text), origin
}

// none is what becomes of a character that a search passes over.
const none rune = -1

// plain says what becomes of a character of those that Chinese text consists of, where none that combines with it follows.
func plain(r rune) (rune, bool) {
	switch {
	case r > ' ' && r < 0x7f, r >= 0x4e00 && r <= 0x9fff, r >= 0x3001 && r <= 0x3002, r == '〇', r == '“', r == '”':
		return r, true
	case r >= 0xff01 && r <= 0xff5e:
		return r - 0xff01 + '!', true
	case r == ' ', r == '\t', r == '\n', r == '\r', r == 0x3000:
		return none, true
	}
	return 0, false
}

// alone says whether what follows cannot combine with what is before it.
func alone(rest []byte) bool {
	if len(rest) == 0 {
		return true
	}
	r, _ := utf8.DecodeRune(rest)
	_, ok := plain(r)
	return ok
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
