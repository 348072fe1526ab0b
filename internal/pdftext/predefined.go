package pdftext

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// The predefined CMaps (ISO 32000-2, 9.7.5.2) map the codes of national character sets and of Unicode to CIDs. The files that
// list them have some hundred thousand lines and are not here: a code is turned into text by the character set itself. Its
// CID, which only its width is looked up by, is known for ASCII and for what GB 2312 has. All else has the default
// width, or half of an em where it is written in one byte. Fonts that widen or narrow other single ideographs are not known.

// A scheme is how strings are split into codes.
type scheme uint8

const (
	twoBytes scheme = iota
	utf16Codes
	utf32Codes
	utf8Codes
	eucCodes     // one byte below 81, else two
	gb18030Codes // the same, or four
	shiftJIS     // the same, and one byte from A0 to DF
	eucJP        // as euc, three bytes after 8F
	jisCodes     // two bytes without their high bits: EUC with them
)

type predefined struct {
	scheme   scheme
	charset  encoding.Encoding // nil: codes are Unicode, or CIDs
	identity bool              // codes are CIDs
	space    uint32            // CID of the space
	latin    uint32            // CID of "!", from where ASCII goes on
	gb       bool              // CIDs are those of Adobe-GB1
	mac      bool              // some high bytes are characters, see macByte
}

var (
	gbk  = simplifiedchinese.GBK
	big5 = traditionalchinese.Big5
	sjis = japanese.ShiftJIS
	uhc  = korean.EUCKR
)

// charsets are the CMaps of national character sets by name, -H or -V left out.
var charsets = map[string]predefined{
	"GB-EUC":       {scheme: eucCodes, charset: gbk, space: 7716, latin: 814, gb: true},
	"GBK-EUC":      {scheme: eucCodes, charset: gbk, space: 7716, latin: 814, gb: true},
	"GBKp-EUC":     {scheme: eucCodes, charset: gbk, space: 1, latin: 2, gb: true},
	"GBpc-EUC":     {scheme: eucCodes, charset: gbk, space: 1, latin: 2, gb: true, mac: true},
	"GBK2K":        {scheme: gb18030Codes, charset: simplifiedchinese.GB18030, space: 1, latin: 2, gb: true},
	"B5pc":         {scheme: eucCodes, charset: big5, space: 1, latin: 2, mac: true},
	"HKscs-B5":     {scheme: eucCodes, charset: big5, space: 1, latin: 2},
	"ETen-B5":      {scheme: eucCodes, charset: big5, space: 13648, latin: 13649},
	"ETenms-B5":    {scheme: eucCodes, charset: big5, space: 1, latin: 2},
	"83pv-RKSJ":    {scheme: shiftJIS, charset: sjis, space: 1, latin: 2, mac: true},
	"90ms-RKSJ":    {scheme: shiftJIS, charset: sjis, space: 231, latin: 232},
	"90msp-RKSJ":   {scheme: shiftJIS, charset: sjis, space: 1, latin: 2},
	"90pv-RKSJ":    {scheme: shiftJIS, charset: sjis, space: 1, latin: 2, mac: true},
	"Add-RKSJ":     {scheme: shiftJIS, charset: sjis, space: 231, latin: 232},
	"Ext-RKSJ":     {scheme: shiftJIS, charset: sjis, space: 231, latin: 232},
	"EUC":          {scheme: eucJP, charset: japanese.EUCJP, space: 231, latin: 232},
	"KSC-EUC":      {scheme: eucCodes, charset: uhc, space: 8094, latin: 8095},
	"KSCms-UHC":    {scheme: eucCodes, charset: uhc, space: 1, latin: 2},
	"KSCms-UHC-HW": {scheme: eucCodes, charset: uhc, space: 8094, latin: 8095},
	"KSCpc-EUC":    {scheme: eucCodes, charset: uhc, space: 1, latin: 2, mac: true},
}

// namedCMap finds a predefined CMap; nil: there is none of that name.
func namedCMap(name string) *cmap {
	switch name {
	case "H", "V":
		return &cmap{vertical: name == "V", known: &predefined{scheme: jisCodes, charset: japanese.EUCJP}}
	}
	stem, direction := name, ""
	if i := len(name) - 2; i > 0 {
		stem, direction = name[:i], name[i:]
	}
	if direction != "-H" && direction != "-V" {
		return nil
	}
	vertical := direction == "-V"
	if stem == "Identity" {
		return &cmap{vertical: vertical, known: &predefined{identity: true}}
	}
	if p, ok := charsets[stem]; ok {
		return &cmap{vertical: vertical, known: &p}
	}
	rest, ok := strings.CutPrefix(stem, "Uni")
	collection, form, _ := strings.Cut(rest, "-")
	if !ok {
		return nil
	}
	p := &predefined{space: 1, latin: 2, gb: collection == "GB"}
	switch form {
	case "UCS2":
		p.scheme = twoBytes
	case "UCS2-HW":
		p.scheme, p.space, p.latin = twoBytes, 231, 232
	case "UTF16":
		p.scheme = utf16Codes
	case "UTF32":
		p.scheme = utf32Codes
	case "UTF8":
		p.scheme = utf8Codes
	default:
		return nil
	}
	return &cmap{vertical: vertical, known: p}
}

// length of the code that s begins with; it may be more than there is.
func (p *predefined) length(s []byte) int {
	c := s[0]
	switch p.scheme {
	case utf16Codes:
		if c&0xfc == 0xd8 {
			return 4
		}
		return 2
	case utf32Codes:
		return 4
	case utf8Codes:
		_, n := utf8.DecodeRune(s)
		return n
	case twoBytes, jisCodes:
		return 2
	}
	switch {
	case c <= 0x80 || p.scheme == shiftJIS && c >= 0xa0 && c <= 0xdf, p.mac && p.macByte(c):
		return 1
	case p.scheme == gb18030Codes && len(s) > 1 && s[1] >= '0' && s[1] <= '9':
		return 4
	case p.scheme == eucJP && c == 0x8f:
		return 3
	}
	return 2
}

// macByte says whether a byte is a character where fonts of the old Mac OS have further ones.
func (p *predefined) macByte(c byte) bool {
	if p.charset == uhc {
		return c <= 0x84 || c >= 0xfe
	}
	return c >= 0xfd
}

func (p *predefined) text(code uint32, n int) string {
	if p.identity {
		return ""
	}
	var b [4]byte
	for i := range n {
		b[i] = byte(code >> (8 * (n - 1 - i)))
	}
	r := rune(code)
	switch {
	case p.charset != nil:
		if p.scheme == jisCodes {
			b[0] |= 0x80
			b[1] |= 0x80
		}
		out, err := p.charset.NewDecoder().Bytes(b[:n])
		if err != nil || !utf8.Valid(out) || strings.ContainsRune(string(out), utf8.RuneError) {
			return ""
		}
		return strings.Trim(string(out), "\x00")
	case p.scheme == utf8Codes:
		r, _ = utf8.DecodeRune(b[:n])
	case p.scheme == utf16Codes && n == 4:
		r = utf16.DecodeRune(rune(code>>16), rune(code&0xffff))
	}
	if r == 0 || r == utf8.RuneError || !utf8.ValidRune(r) {
		return ""
	}
	return string(r)
}

func (p *predefined) cid(code uint32, n int) (uint32, bool) {
	if p.identity {
		return code, n == 2
	}
	text := p.text(code, n)
	r, size := utf8.DecodeRuneInString(text)
	switch {
	case text == "" || size != len(text):
		return 0, false
	case r == ' ' && p.space > 0:
		return p.space, true
	case r > ' ' && r <= '~' && p.latin > 0:
		return p.latin + uint32(r) - '!', true
	case p.gb:
		return gbCID(r)
	}
	return 0, false
}

// A gbRow is a run of cells in a row of GB 2312 (written as in EUC) and the CID in Adobe-GB1 of its first.
type gbRow struct {
	row, from, to byte
	cid           uint32
}

// Rows 1 to 9, without a letter that Unicode has twice; row 10 is ASCII of half width. The ideographs, rows 16 to 87, follow one another from CID 940 on, but row 55
// has 89 of them.
var gbRows = []gbRow{
	{0xa1, 0xa1, 0xfe, 96}, {0xa2, 0xb1, 0xe2, 190}, {0xa2, 0xe5, 0xee, 240}, {0xa2, 0xf1, 0xfc, 250}, {0xa3, 0xa1, 0xfe, 262},
	{0xa4, 0xa1, 0xf3, 356}, {0xa5, 0xa1, 0xf6, 439}, {0xa6, 0xa1, 0xb8, 525}, {0xa6, 0xc1, 0xd8, 549}, {0xa7, 0xa1, 0xc1, 602},
	{0xa7, 0xd1, 0xf1, 635}, {0xa8, 0xa1, 0xba, 668}, {0xa8, 0xc5, 0xe6, 700}, {0xa8, 0xe8, 0xe9, 735}, {0xa9, 0xa4, 0xef, 738},
}

const (
	gbIdeographs = 940
	gbSecond     = gbIdeographs + 39*94 + 89 // of row 56
	gbEnd        = gbSecond + 32*94
)

// gbCID gives the CID in Adobe-GB1 of a character of GB 2312.
func gbCID(r rune) (uint32, bool) {
	b, err := gbk.NewEncoder().Bytes([]byte(string(r)))
	if err != nil || len(b) != 2 || b[1] < 0xa1 {
		return 0, false
	}
	cell := uint32(b[1] - 0xa1)
	switch row := b[0]; {
	case row >= 0xb0 && row <= 0xd7:
		return gbIdeographs + uint32(row-0xb0)*94 + cell, row < 0xd7 || cell < 89
	case row >= 0xd8 && row <= 0xf7:
		return gbSecond + uint32(row-0xd8)*94 + cell, true
	}
	for _, g := range gbRows {
		if g.row == b[0] && b[1] >= g.from && b[1] <= g.to {
			return g.cid + uint32(b[1]-g.from), true
		}
	}
	return 0, false
}

// gbText gives the character of a CID in Adobe-GB1, as far as GB 2312 and ASCII reach.
func gbText(cid uint32) string {
	var row, cell uint32
	switch {
	case cid >= 1 && cid <= 95:
		return string(rune(cid + ' ' - 1))
	case cid >= 814 && cid <= 907:
		return string(rune(cid - 814 + '!'))
	case cid == 7716:
		return " "
	case cid >= gbIdeographs && cid < gbSecond:
		row, cell = 0xb0+(cid-gbIdeographs)/94, (cid-gbIdeographs)%94
	case cid >= gbSecond && cid < gbEnd:
		row, cell = 0xd8+(cid-gbSecond)/94, (cid-gbSecond)%94
	default:
		for _, g := range gbRows {
			if cid >= g.cid && cid <= g.cid+uint32(g.to-g.from) {
				row, cell = uint32(g.row), uint32(g.from-0xa1)+cid-g.cid
			}
		}
	}
	if row == 0 {
		return ""
	}
	return (&predefined{charset: gbk}).text(row<<8|(cell+0xa1), 2)
}
