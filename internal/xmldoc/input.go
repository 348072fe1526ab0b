package xmldoc

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// load makes checked UTF-8 of b: what it gives is b itself unless that was UTF-16. Every character is one XML can have, so
// nobody needs to look at that again.
func load(b []byte, l Limits) ([]byte, error) {
	if len(b) > l.Size {
		return nil, fail(ErrLimit, l.Size, "the document has %d bytes, %d may be", len(b), l.Size)
	}
	var err error
	switch {
	case bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		b, err = fromUTF16(b[2:], binary.BigEndian)
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}):
		b, err = fromUTF16(b[2:], binary.LittleEndian)
	case bytes.HasPrefix(b, []byte{0, '<'}), bytes.HasPrefix(b, []byte{'<', 0}):
		err = fail(ErrEncoding, 0, "UTF-16 or UTF-32 without a byte order mark")
	}
	if err != nil {
		return nil, err
	}
	if len(b) > l.Size {
		return nil, fail(ErrLimit, l.Size, "the document has %d bytes in UTF-8, %d may be", len(b), l.Size)
	}
	return b, check(b)
}

const utf8BOM = "\uFEFF"

// check finds bytes that are no UTF-8, and characters XML 1.0 does not have.
func check(b []byte) error {
	if !utf8.Valid(b) {
		at := 0
		for {
			r, n := utf8.DecodeRune(b[at:])
			if r == utf8.RuneError && n == 1 {
				return fail(ErrEncoding, at, "no UTF-8")
			}
			at += n
		}
	}
	for at := 0; ; at++ {
		n := control(b[at:])
		if n < 0 {
			break
		}
		at += n
		if c := b[at]; c != '\t' && c != '\n' && c != '\r' {
			return fail(ErrSyntax, at, "XML has no character U+%04X", c)
		}
	}
	for _, r := range []string{"\uFFFE", "\uFFFF"} {
		if at := bytes.Index(b, []byte(r)); at >= 0 {
			return fail(ErrSyntax, at, "XML has no character %+q", r)
		}
	}
	return nil
}

// control is the index of the first byte below 0x20, or -1. It looks at eight bytes at a time: almost no document has many.
func control(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		v := binary.LittleEndian.Uint64(b[i:])
		if (v-0x2020202020202020)&^v&0x8080808080808080 != 0 {
			break
		}
	}
	for ; i < len(b); i++ {
		if b[i] < 0x20 {
			return i
		}
	}
	return -1
}

// fromUTF16 converts, and names the new encoding in the XML declaration, so that the result is a document by itself.
func fromUTF16(b []byte, order binary.ByteOrder) ([]byte, error) {
	if len(b)%2 != 0 {
		return nil, fail(ErrEncoding, len(b)+1, "UTF-16 with half a character at its end")
	}
	out := make([]byte, 0, len(b)/2+len(b)/8)
	for i := 0; i < len(b); i += 2 {
		r := rune(order.Uint16(b[i:]))
		if utf16.IsSurrogate(r) {
			low := rune(0)
			if i+4 <= len(b) {
				low = rune(order.Uint16(b[i+2:]))
			}
			if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
				return nil, fail(ErrEncoding, i+2, "half of a pair in UTF-16")
			}
			i += 2
		}
		out = utf8.AppendRune(out, r)
	}
	if bytes.HasPrefix(out, []byte(utf8BOM)) {
		return nil, fail(ErrEncoding, 2, "a second byte order mark")
	}
	return renamed(out)
}

// renamed changes the encoding in an XML declaration from UTF-16 to UTF-8.
func renamed(doc []byte) ([]byte, error) {
	end := bytes.Index(doc, []byte("?>"))
	if !bytes.HasPrefix(doc, []byte("<?xml")) || end < 0 {
		return doc, nil
	}
	const utf16, utf8 = "UTF-16", "UTF-8"
	head := string(doc[:end])
	at := 0
	for at+len(utf16) <= len(head) && !strings.EqualFold(head[at:at+len(utf16)], utf16) {
		at++
	}
	if at+len(utf16) <= len(head) {
		return append([]byte(head[:at]+utf8+head[at+len(utf16):]), doc[end:]...), nil
	}
	if strings.Contains(head, "encoding") {
		return nil, fail(ErrEncoding, 0, "UTF-16 that calls itself something else in its declaration")
	}
	return doc, nil
}

// legal says whether XML 1.0 has the character.
func legal(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r < 0xD800 || r >= 0xE000 && r < 0xFFFE || r >= 0x10000 && r <= 0x10FFFF
}
