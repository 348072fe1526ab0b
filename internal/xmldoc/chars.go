package xmldoc

import (
	"strings"
	"unicode/utf8"
)

// What a byte can be.
const (
	nameStart  = 1 << iota // begins a name, colon aside
	nameByte               // goes on in one
	textStop               // ends a run of text, or makes it unlike its value
	attrStop               // the same in an attribute's value
	escapeText             // written as a reference in canonical text
	escapeAttr             // the same in a canonical attribute
)

var class = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_':
			t[c] = nameStart | nameByte
		case c >= '0' && c <= '9', c == '-', c == '.':
			t[c] = nameByte
		}
	}
	set := func(s string, bit uint8) {
		for _, c := range []byte(s) {
			t[c] |= bit
		}
	}
	set("<&\r]", textStop)
	set("<&\r\n\t\"'", attrStop)
	set("<>&\r", escapeText)
	set("<&\r\n\t\"", escapeAttr)
	return t
}()

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// ncname gives the end of the name without colon that begins at i: i itself when none does.
func ncname(s string, i int) int {
	if i < len(s) && s[i] < utf8.RuneSelf && class[s[i]]&nameStart == 0 {
		return i
	}
	for start := i; i < len(s); {
		if class[s[i]]&nameByte != 0 {
			i++
			continue
		}
		if s[i] < utf8.RuneSelf {
			return i
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !nameRune(r, i == start) {
			return i
		}
		i += n
	}
	return i
}

// nameRune is the production NameChar, or NameStartChar, of XML 1.0 (fifth edition) beyond ASCII.
func nameRune(r rune, first bool) bool {
	switch {
	case r == 0xB7, r >= 0x300 && r <= 0x36F, r >= 0x203F && r <= 0x2040:
		return !first
	case r == 0xD7, r == 0xF7, r == 0x37E:
		return false
	}
	return r >= 0xC0 && r <= 0x1FFF || r >= 0x200C && r <= 0x200D || r >= 0x2070 && r <= 0x218F || r >= 0x2C00 && r <= 0x2FEF ||
		r >= 0x3001 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF || r >= 0xFDF0 && r <= 0xFFFD || r >= 0x10000 && r <= 0xEFFFF
}

// reference reads the reference at the start of s, which begins with &, and gives its length: 0 when it is none, or to a
// character XML cannot have, or to an entity that is not predefined.
func reference(s string) (r rune, n int) {
	if len(s) > 1 && s[1] == '#' {
		return charReference(s)
	}
	for _, e := range [...]struct {
		name string
		r    rune
	}{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}} {
		if strings.HasPrefix(s, e.name) {
			return e.r, len(e.name)
		}
	}
	return 0, 0
}

func charReference(s string) (rune, int) {
	i, base := 2, rune(10)
	if i < len(s) && s[i] == 'x' {
		i, base = 3, 16
	}
	first, v := i, rune(0)
	for ; i < len(s); i++ {
		c, d := s[i], rune(-1)
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f':
			d = rune(c|0x20-'a') + 10
		}
		if d < 0 {
			break
		}
		v = min(v*base+d, utf8.MaxRune+1)
	}
	if i == first || i >= len(s) || s[i] != ';' || !legal(v) {
		return 0, 0
	}
	return v, i + 1
}

// textValue is the value of character data that is not plain: lines end in LF, references are resolved. In a CDATA section
// there are none.
func textValue(raw string, cdata bool) string {
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == '\r':
			b.WriteByte('\n')
			if i++; i < len(raw) && raw[i] == '\n' {
				i++
			}
		case c == '&' && !cdata:
			r, n := reference(raw[i:])
			b.WriteRune(r)
			i += max(n, 1)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// attrValue is the value of an attribute that is not plain: each white space is a blank, unless it came by reference.
func attrValue(raw string) string {
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); {
		c := raw[i]
		switch c {
		case '\r', '\n', '\t':
			b.WriteByte(' ')
			if i++; c == '\r' && i < len(raw) && raw[i] == '\n' {
				i++
			}
		case '&':
			r, n := reference(raw[i:])
			b.WriteRune(r)
			i += max(n, 1)
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String()
}

// AppendText appends s as canonical XML writes text. A character XML cannot have, and a byte that is no UTF-8, becomes
// U+FFFD: who must not lose one asks Legal first.
func AppendText(b []byte, s string) []byte { return escape(b, replace(s), escapeText) }

// AppendAttr appends s as canonical XML writes the value of an attribute, between the quotes. What it does about characters
// XML cannot have is what AppendText does.
func AppendAttr(b []byte, s string) []byte { return escape(b, replace(s), escapeAttr) }

// Legal says whether XML has every character of s, so that s comes back from a document as it was.
func Legal(s string) bool {
	for i, r := range s {
		if !legal(r) || r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return false
		}
	}
	return true
}

func replace(s string) string {
	if Legal(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if !legal(r) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// escape appends s with the bytes of the given class written as references.
func escape(b []byte, s string, which uint8) []byte {
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if class[c]&which == 0 {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '&':
			b = append(b, "&amp;"...)
		case '<':
			b = append(b, "&lt;"...)
		case '>':
			b = append(b, "&gt;"...)
		case '"':
			b = append(b, "&quot;"...)
		case '\t':
			b = append(b, "&#x9;"...)
		case '\n':
			b = append(b, "&#xA;"...)
		case '\r':
			b = append(b, "&#xD;"...)
		}
	}
	return append(b, s[from:]...)
}
