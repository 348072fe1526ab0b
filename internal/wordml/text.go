package wordml

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/courtseal/courtseal/internal/phrase"
)

const (
	pieceText uint8 = iota // character data of a w:t
	pieceData              // a CDATA section of a w:t
	pieceSign              // an element that stands for a character: end is the character
	pieceTab
	lineBreak
)

// A piece is a run of characters as they stand in the part.
type piece struct {
	at, end    int32 // its bytes
	tag, after int32 // where the element begins that it is the text of, and the byte behind it; -1: unknown
	half       uint16
	kind       uint8
	head       bool // the first of its element
	keep       bool // white space at its ends counts
	solid      bool // nothing can be inserted inside
	field      bool // the result of a field, or of a simple one, at tag; so is solid
	simple     bool
}

// last is where the last character stands.
func (p piece) last() int32 {
	if p.kind == pieceText || p.kind == pieceData {
		return p.end - 1
	}
	return p.at
}

// A Spot is a place in the part that gave it.
type Spot struct {
	Text string // what was found there, as it stands in the part; empty: the place is between characters

	kind       spotKind
	line       int      // of inText and inPara
	from, last int32    // of inText: where the first and the last character stand
	at         int      // of the others: where to insert
	page       *Section // of inMargin
	fresh      bool     // of inMargin: in a paragraph that is made for it, and takes no room
}

type spotKind uint8

const (
	nowhere  spotKind = iota
	inText            // centred on characters
	inPara            // at a point between runs
	inRow             // in a row with others in the last paragraph
	ownPara           // in a paragraph of its own
	inMargin          // in the margin of a page
)

// Find gives the places where a phrase stands in one line, in reading order. White space and what Unicode calls compatibility
// forms (full and half width) make no difference.
func (d *Document) Find(text string) ([]Spot, error) {
	want := phrase.Wanted(text)
	if want == "" {
		return nil, nil
	}
	var found []Spot
	var buf textBuffer
	for i := range d.lines {
		text, from := d.normal(i, &buf)
		for at := 0; ; {
			k := strings.Index(text[at:], want)
			if k < 0 {
				break
			}
			at += k
			if len(found) == maxFound {
				return nil, fmt.Errorf("%w: the text stands in more than %d places; look for more of it", ErrLimit, maxFound)
			}
			found = append(found, d.spot(i, &buf, from[at], from[at+len(want)-1]))
			at += len(want)
		}
	}
	return found, nil
}

// maxFound bounds the places of one text.
const maxFound = 1 << 16

// Dates gives the dates of signature blocks, as internal/pdftext does: those that have a line to themselves or stand far from
// the rest of their line, in reading order, of the last page that has any, and of the best kind that this page has. Pages end
// where the document says so, or where Word noted that they did. The last date is the one that courts seal.
func (d *Document) Dates() []Spot {
	const kinds = phrase.CourtDate + 1
	var found [kinds][]Spot
	page := int32(-1)
	var buf textBuffer
	add := func(i int, from, last int32, kind phrase.Kind) {
		if p := d.paras[d.lines[i].para].page; p != page {
			page, found = p, [kinds][]Spot{}
		}
		found[kind] = append(found[kind], d.spot(i, &buf, from, last))
	}
	for i := range d.lines {
		if d.paras[d.lines[i].para].boxed {
			continue
		}
		text, from := d.normal(i, &buf)
		if start, end, kind := phrase.Date(text); kind != phrase.NoDate {
			add(i, from[start], from[end-1], kind)
			continue
		}
		for _, part := range buf.parts() {
			text, from := phrase.Normal(buf.all[part[0]:part[1]], buf.from[part[0]:part[1]])
			if start, end, kind := phrase.Date(text); kind > phrase.DashedDate {
				add(i, from[start], from[end-1], kind)
			}
		}
	}
	for kind := phrase.CourtDate; kind > phrase.NoDate; kind-- {
		if found[kind] != nil {
			return found[kind]
		}
	}
	return nil
}

// A textBuffer is room for the text of one line, and of each byte where in the part it comes from.
type textBuffer struct {
	all  []byte
	from []int32
}

func (b *textBuffer) add(s string, at int32) {
	b.all = append(b.all, s...)
	for range len(s) {
		b.from = append(b.from, at)
	}
}

// parts cuts a line where its author left much room: at tabs and at white space of more than three ems.
func (b *textBuffer) parts() (list [][2]int) {
	const gap = 3
	first, blank := 0, 0.0
	for i := 0; i < len(b.all); {
		r, k := utf8.DecodeRune(b.all[i:])
		switch {
		case r == '\t':
			blank += gap + 1
		case strings.ContainsRune(" \u00a0\u2003\u3000", r):
			blank += em(r)
		default:
			if blank > gap {
				list = append(list, [2]int{first, i})
				first = i
			}
			blank = 0
		}
		i += k
	}
	if list == nil {
		return nil
	}
	return append(list, [2]int{first, len(b.all)})
}

// raw reads the text of a line.
func (d *Document) raw(i int, b *textBuffer) {
	b.all, b.from = b.all[:0], b.from[:0]
	l := d.lines[i]
	for _, p := range d.pieces[l.first:l.end] {
		switch p.kind {
		case pieceSign:
			b.add(string(rune(p.end)), p.at)
		case pieceTab:
			b.add("\t", p.at)
		case pieceData:
			const open, shut = "<![CDATA[", "]]>"
			for at := p.at + int32(len(open)); at < p.end-int32(len(shut)); at++ {
				b.add(string(d.part[at:at+1]), at)
			}
		case pieceText:
			d.characters(p, b)
		}
	}
}

func (d *Document) characters(p piece, b *textBuffer) {
	for at := p.at; at < p.end; {
		c := d.part[at]
		if c != '&' {
			b.all, b.from = append(b.all, c), append(b.from, at)
			at++
			continue
		}
		n := int32(1)
		for d.part[at+n-1] != ';' {
			n++
		}
		b.add(reference(string(d.part[at+1:at+n-1])), at)
		at += n
	}
}

// reference is what a reference stands for that the scanner let pass.
func reference(name string) string {
	switch name {
	case "amp":
		return "&"
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	base, digits := 10, strings.TrimPrefix(name, "#")
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		base, digits = 16, hex
	}
	n, _ := strconv.ParseUint(digits, base, 32)
	return string(rune(n))
}

// normal reads the text of a line in the form that is searched.
func (d *Document) normal(i int, b *textBuffer) (string, []int32) {
	d.raw(i, b)
	return phrase.Normal(b.all, b.from)
}

// spot is the text of a line, which is in b, from one character to another.
func (d *Document) spot(i int, b *textBuffer, from, last int32) Spot {
	lo, _ := slices.BinarySearch(b.from, from)
	hi, _ := slices.BinarySearch(b.from, last+1)
	for hi < len(b.all) && !utf8.RuneStart(b.all[hi]) {
		hi++
	}
	return Spot{kind: inText, line: i, from: from, last: last, Text: string(b.all[lo:hi])}
}

// em is how wide a character is in common fonts, in multiples of their size.
func em(r rune) float64 {
	switch {
	case r == '\t':
		return 2
	case r == ' ' || r == '\u00a0':
		return 0.3
	case r < 0x2e80 && r != 0x2003 && r != '…' && r != '—' && r != '●' && r != '○':
		return 0.5
	}
	return 1
}
