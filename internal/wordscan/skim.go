package wordscan

import (
	"bytes"
	"maps"
	"slices"
)

// Most parts have nothing to find, and that can be told much faster than by reading them as XML: whatever there may be
// begins with an element of one of some fifty names, and a name is written in letters, whatever its prefix. skim errs on one
// side only: comments and CDATA, where a name means nothing, make it say yes, and so does every encoding but UTF-8.

// telling are the names, with their lengths by first letter, since most elements have another.
var telling, tellingLengths = func() (map[string]bool, [256]uint64) {
	names := map[string]bool{}
	for _, name := range []string{"fldChar", "fldSimple", "instrText", "delInstrText", "webVideoPr", "macro", "mcd", "OLEObject",
		"imagedata", "fill", "stroke", "image", "dataBinding"} {
		names[name] = true
	}
	for _, list := range [][]string{slices.Collect(maps.Keys(changes)), slices.Collect(maps.Keys(conflicts)), slices.Collect(maps.Keys(markup))} {
		for _, name := range list {
			names[name] = true
		}
	}
	var lengths [256]uint64
	for name := range names {
		lengths[name[0]] |= 1 << len(name)
	}
	return names, lengths
}()

// skim tells whether there may be something to find in a part. What is no XML in UTF-8 is left to the reader of XML, too.
func skim(b []byte) bool {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if head, rest, ok := bytes.Cut(b, []byte("?>")); ok && bytes.HasPrefix(head, []byte("<?xml")) {
		if bytes.Contains(head, []byte("encoding")) && !bytes.Contains(bytes.ToUpper(head), []byte("UTF-8")) {
			return true
		}
		b = rest
	}
	if len(b) == 0 || bytes.IndexByte(b, 0) >= 0 {
		return true // UTF-16
	}
	for {
		i := bytes.IndexByte(b, '<')
		if i < 0 || i+1 == len(b) {
			return false
		}
		b = b[i+1:]
		switch b[0] {
		case '/', '?':
			continue
		case '!':
			return true // a document type makes elements of entities, the rest is rare
		}
		from, n := 0, 0
	name:
		for ; n < len(b); n++ {
			switch b[n] {
			case ':':
				from = n + 1
			case ' ', '>', '/', '\t', '\n', '\r':
				break name
			}
		}
		if from < n && n-from < 64 && tellingLengths[b[from]]>>(n-from)&1 != 0 && telling[string(b[from:n])] {
			return true
		}
		b = b[n:]
	}
}
