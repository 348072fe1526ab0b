package pdftext

import (
	"fmt"
	"slices"
	"sort"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/courtseal/courtseal/internal/pdf"
)

const (
	maxCMap   = 8 << 20 // bytes of one CMap
	maxBlock  = 1 << 18 // tokens between begin… and end…; the standard has 300 at most, makers of PDF more
	maxRanges = 1 << 18 // of one CMap
	maxUse    = 4       // CMaps that use one another
)

// A cmap splits strings into codes and tells of each code the CID (an encoding) or the text (a ToUnicode CMap).
type cmap struct {
	vertical bool
	spaces   []codespace
	cids     []cidRange  // by lo once it is whole
	texts    []textRange // the same
	base     *cmap       // usecmap
	known    *predefined // a CMap that no file needs to carry
}

// A codespace is the codes of n bytes whose every byte is between that of low and that of high.
type codespace struct {
	n         int
	low, high [4]byte
}

type cidRange struct {
	n           int // bytes of the code
	lo, hi, cid uint32
}

// A textRange maps lo to text, and each further code to a text whose last character is one higher; or to the items of list.
type textRange struct {
	lo, hi uint32
	text   []rune
	list   [][]rune
}

// parseCMap reads a CMap written in a file. Use finds one by name.
func parseCMap(b []byte, use func(name string) *cmap) (*cmap, error) {
	if len(b) > maxCMap {
		return nil, fmt.Errorf("%w: a CMap of %d bytes, %d allowed", pdf.ErrLimit, len(b), maxCMap)
	}
	c := &cmap{}
	scan := pdf.NewScanner(b)
	var operands []pdf.Token
	for {
		t := scan.Next()
		if t.Kind == pdf.End {
			break
		}
		if t.Kind != pdf.Operator {
			if len(operands) == maxBlock {
				return nil, fmt.Errorf("%w: more than %d items in one block of a CMap", pdf.ErrLimit, maxBlock)
			}
			operands = append(operands, t)
			continue
		}
		switch string(t.Bytes) {
		case "usecmap":
			if name, ok := last(operands, pdf.NameToken); ok && use != nil {
				c.base = use(string(name))
			}
		case "def":
			if n := len(operands); n >= 2 && operands[n-2].Kind == pdf.NameToken && string(operands[n-2].Bytes) == "WMode" {
				c.vertical = operands[n-1].Number == 1
			}
		case "endcodespacerange":
			c.addSpaces(operands)
		case "endcidrange":
			c.addCIDs(operands, 3)
		case "endcidchar":
			c.addCIDs(operands, 2)
		case "endbfrange":
			c.addTexts(operands, true)
		case "endbfchar":
			c.addTexts(operands, false)
		}
		if len(c.cids)+len(c.texts)+len(c.spaces) > maxRanges {
			return nil, fmt.Errorf("%w: more than %d ranges in a CMap", pdf.ErrLimit, maxRanges)
		}
		operands = operands[:0]
	}
	slices.SortStableFunc(c.cids, func(a, b cidRange) int { return order(a.lo, b.lo) })
	slices.SortStableFunc(c.texts, func(a, b textRange) int { return order(a.lo, b.lo) })
	return c, nil
}

func order(a, b uint32) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// code is the number that the bytes of a code make.
func code(b []byte) (n uint32, ok bool) {
	for _, c := range b {
		n = n<<8 | uint32(c)
	}
	return n, len(b) > 0 && len(b) <= 4
}

func (c *cmap) addSpaces(operands []pdf.Token) {
	for ; len(operands) >= 2; operands = operands[2:] {
		lo, hi := operands[0].Bytes, operands[1].Bytes
		if len(lo) == len(hi) && len(lo) > 0 && len(lo) <= 4 && len(c.spaces) < 256 {
			s := codespace{n: len(lo)}
			copy(s.low[:], lo)
			copy(s.high[:], hi)
			c.spaces = append(c.spaces, s)
		}
	}
}

// addCIDs takes triples low, high, CID or pairs code, CID.
func (c *cmap) addCIDs(operands []pdf.Token, each int) {
	for ; len(operands) >= each; operands = operands[each:] {
		cid := operands[each-1]
		lo, ok1 := code(operands[0].Bytes)
		hi, ok2 := code(operands[each-2].Bytes)
		if ok1 && ok2 && hi >= lo && cid.Kind == pdf.Numeral && cid.Number >= 0 && cid.Number < 1<<24 {
			c.cids = append(c.cids, cidRange{len(operands[0].Bytes), lo, hi, uint32(cid.Number)})
		}
	}
}

// addTexts takes pairs code, text, or (ranges) triples low, high, text or array of texts.
func (c *cmap) addTexts(operands []pdf.Token, ranges bool) {
	for len(operands) >= 2 {
		lo, ok := code(operands[0].Bytes)
		r := textRange{lo: lo, hi: lo}
		operands = operands[1:]
		if ranges {
			var ok2 bool
			r.hi, ok2 = code(operands[0].Bytes)
			ok = ok && ok2 && r.hi >= r.lo
			operands = operands[1:]
		}
		if len(operands) == 0 {
			return
		}
		if operands[0].Kind == pdf.ArrayOpen {
			for operands = operands[1:]; len(operands) > 0 && operands[0].Kind != pdf.ArrayClose; operands = operands[1:] {
				r.list = append(r.list, targetText(operands[0]))
			}
			if len(operands) > 0 {
				operands = operands[1:]
			}
			ok = ok && len(r.list) > 0
		} else {
			r.text = targetText(operands[0])
			operands = operands[1:]
			ok = ok && len(r.text) > 0
		}
		if ok {
			c.texts = append(c.texts, r)
		}
	}
}

// targetText is what a code is mapped to: UTF-16BE, or a glyph name.
func targetText(t pdf.Token) []rune {
	b := t.Bytes
	switch {
	case t.Kind == pdf.NameToken:
		return []rune(nameText(string(b)))
	case t.Kind != pdf.StringToken || len(b) > 512:
		return nil
	case len(b) == 1: // not in the standard, but in files
		return []rune{rune(b[0])}
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return utf16.Decode(units)
}

// next gives the code that s begins with and its length, at least 1. Bytes that are no code are skipped as the shortest code.
func (c *cmap) next(s []byte) (code uint32, n int) {
	if c.known != nil {
		n = c.known.length(s)
	} else if n = c.length(s); n == 0 {
		if c.base != nil && len(c.spaces) == 0 {
			return c.base.next(s)
		}
		n = 2
		for _, sp := range c.spaces {
			n = min(n, sp.n)
		}
	}
	n = min(n, len(s))
	for _, b := range s[:n] {
		code = code<<8 | uint32(b)
	}
	return code, n
}

func (c *cmap) length(s []byte) int {
spaces:
	for _, sp := range c.spaces {
		if sp.n > len(s) {
			continue
		}
		for i := range sp.n {
			if s[i] < sp.low[i] || s[i] > sp.high[i] {
				continue spaces
			}
		}
		return sp.n
	}
	return 0
}

// maxOverlap is how many ranges may begin at or before a code without holding it, until it counts as unmapped.
const maxOverlap = 32

// cid gives the CID of a code of n bytes; false: the CMap does not tell.
func (c *cmap) cid(code uint32, n int) (uint32, bool) {
	if c.known != nil {
		return c.known.cid(code, n)
	}
	i := sort.Search(len(c.cids), func(i int) bool { return c.cids[i].lo > code }) - 1
	for stop := max(0, i-maxOverlap); i >= stop; i-- {
		if r := c.cids[i]; code <= r.hi && r.n == n {
			return r.cid + code - r.lo, true
		}
	}
	if c.base != nil {
		return c.base.cid(code, n)
	}
	return 0, false
}

// text gives what a code stands for; empty: the CMap does not tell.
func (c *cmap) text(code uint32, n int) string {
	if c == nil {
		return ""
	}
	if c.known != nil {
		return c.known.text(code, n)
	}
	i := sort.Search(len(c.texts), func(i int) bool { return c.texts[i].lo > code }) - 1
	for stop := max(0, i-maxOverlap); i >= stop; i-- {
		if r := c.texts[i]; code <= r.hi {
			return r.of(code)
		}
	}
	return c.base.text(code, n)
}

func (r *textRange) of(code uint32) string {
	text := r.text
	if r.list != nil {
		if code-r.lo >= uint32(len(r.list)) {
			return ""
		}
		text = r.list[code-r.lo]
	} else if d := code - r.lo; d > 0 {
		text = slices.Clone(text)
		if d > utf8.MaxRune {
			return ""
		}
		text[len(text)-1] += rune(d)
	}
	for _, c := range text {
		if c == 0 || c == utf8.RuneError || c > utf8.MaxRune {
			return ""
		}
	}
	return string(text)
}
