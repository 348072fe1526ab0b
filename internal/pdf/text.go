package pdf

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Text decodes a text string (ISO 32000-2, 7.9.2.2) to UTF-8: UTF-16 or UTF-8 by its byte order mark, otherwise
// PDFDocEncoding. Escapes that tell the language are left out; what no character stands for becomes U+FFFD.
func Text(b []byte) string {
	s := string(b)
	switch {
	case strings.HasPrefix(s, "\xfe\xff"):
		return decode16(s[2:], 0, 1)
	case strings.HasPrefix(s, "\xff\xfe"): // not in the standard, but in files
		return decode16(s[2:], 1, 0)
	case strings.HasPrefix(s, "\xef\xbb\xbf"):
		return withoutLanguage(strings.ToValidUTF8(s[3:], "\ufffd"))
	}
	var out strings.Builder
	out.Grow(len(s))
	for _, c := range b {
		out.WriteRune(docRune(c))
	}
	return out.String()
}

func decode16(s string, high, low int) string {
	units := make([]uint16, len(s)/2)
	for i := range units {
		units[i] = uint16(s[2*i+high])<<8 | uint16(s[2*i+low])
	}
	return withoutLanguage(string(utf16.Decode(units)))
}

// withoutLanguage drops ESC language country ESC.
func withoutLanguage(s string) string {
	for {
		from := strings.IndexByte(s, 0x1b)
		if from < 0 {
			return s
		}
		to := strings.IndexByte(s[from+1:], 0x1b)
		if to < 0 || to > 8 {
			return s
		}
		s = s[:from] + s[from+to+2:]
	}
}

// docRune is PDFDocEncoding (ISO 32000-2, D.2) where it is not Latin-1.
func docRune(c byte) rune {
	const at18 = "\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc"
	const at80 = "\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039\u203a\u2212\u2030\u201e\u201c\u201d\u2018" +
		"\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d\u0131\u0142\u0153\u0161\u017e\ufffd\u20ac"
	pick := func(s string, n byte) rune {
		for ; n > 0; n-- {
			_, k := utf8.DecodeRuneInString(s)
			s = s[k:]
		}
		r, _ := utf8.DecodeRuneInString(s)
		return r
	}
	switch {
	case c >= 0x18 && c < 0x20:
		return pick(at18, c-0x18)
	case c >= 0x80 && c <= 0xa0:
		return pick(at80, c-0x80)
	case c == 0x7f || c == 0xad:
		return utf8.RuneError
	}
	return rune(c)
}
