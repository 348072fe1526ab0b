package appearance

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/courtseal/courtseal/internal/glyph"
)

// A Style says how text is set. The zero value: the embedded face, 9 points, black, broken at line feeds only.
type Style struct {
	Face  *glyph.Face // nil: the embedded one
	Size  float64     // of an em, in points, in steps of 0.1; 0: 9
	Ink   [3]uint8    // red, green, blue
	Width float64     // points that a line may have before it is broken; 0: any number
}

// A Block is text drawn as shapes: no font, nothing to embed, nothing that another machine shows otherwise. Its outlines stand in
// whole thousandths of an em, so that a character that comes again is the same bytes again, and compress well.
//
// The text itself goes along as /ActualText of the marked content (ISO 32000-1, 14.9.4), for software that reads aloud. pdftotext,
// mutool and Ghostscript do not extract it: they look for ActualText where there are letters.
type Block struct {
	Width, Height float64 // points
	Text          string
	Content       []byte // operators that draw it with its bottom left corner at the origin; see At
}

const (
	leading  = 1350 // from line to line, in thousandths of an em, where no accents ask for more
	apart    = 60   // the least between the ink of two lines
	maxBlock = 8 << 20
)

// SetText sets text in lines, those of a right-to-left paragraph at the right. Errors are glyph.ErrText, glyph.ErrFont and
// *glyph.MissingError.
func SetText(text string, s Style) (*Block, error) {
	if s.Face == nil {
		s.Face = glyph.Embedded()
	}
	if s.Size == 0 {
		s.Size = 9
	}
	if !(s.Size >= 1 && s.Size <= 200) || !(s.Width >= 0 && s.Width <= 14400) {
		return nil, fmt.Errorf("%w: %g points in a width of %g", glyph.ErrText, s.Size, s.Width)
	}
	tenths := math.Round(s.Size * 10)
	scale := tenths / (10 * glyph.Em) // points of a thousandth of an em
	lines, err := s.Face.Lines(text, s.Width/scale)
	if err != nil {
		return nil, err
	}
	at, width, height := layout(lines)
	b := &Block{Text: text, Width: up(width * scale), Height: up(height * scale)}
	if b.Width > 14400 || b.Height > 14400 { // the largest page of ISO 32000-1, annex C
		return nil, fmt.Errorf("%w: it would be %.0f by %.0f points", glyph.ErrText, b.Width, b.Height)
	}
	b.Content = fmt.Appendf(nil, "/Span << /ActualText <%s> >> BDC\n%s %s %s rg\n%s 0 0 %[5]s 0 0 cm\n", hex16(text),
		share(s.Ink[0]), share(s.Ink[1]), share(s.Ink[2]), Number(scale))
	glyphs := 0
	for _, l := range lines {
		glyphs += len(l.Glyphs)
	}
	b.Content = slices.Grow(b.Content, 700*glyphs) // what an ideograph takes
	drawn := map[*glyph.Glyph][]byte{}
	for i, l := range lines {
		for _, g := range l.Glyphs {
			path := drawn[g.Glyph]
			if path == nil {
				path = outline(g.Glyph)
				drawn[g.Glyph] = path
			}
			b.Content = fmt.Appendf(b.Content, "q 1 0 0 1 %d %d cm\n%sf\nQ\n", at[i].X+g.X, at[i].Y+g.Y, path)
			if len(b.Content) > maxBlock {
				return nil, fmt.Errorf("%w: its outlines take more than %d bytes", glyph.ErrText, maxBlock)
			}
		}
	}
	if glyphs == 0 {
		return nil, fmt.Errorf("%w: nothing in it is seen", glyph.ErrText)
	}
	b.Content = append(b.Content, "EMC\n"...)
	return b, nil
}

// layout places the origins of lines in a box of width x height thousandths of an em, which holds all their ink.
func layout(lines []*glyph.Line) (origins []glyph.Point, width, height float64) {
	widest := 0
	for _, l := range lines {
		widest = max(widest, int(math.Ceil(l.Advance)))
	}
	left, right, bottom, top := 0, widest, glyph.Descent, glyph.Ascent
	y := 0
	for i, l := range lines {
		if i > 0 {
			y -= max(leading, l.High.Y-lines[i-1].Low.Y+apart)
		}
		x := 0
		if l.RightToLeft {
			x = widest - int(math.Ceil(l.Advance))
		}
		left, right = min(left, x+l.Low.X), max(right, x+l.High.X)
		bottom, top = min(bottom, y+glyph.Descent, y+l.Low.Y), max(top, y+l.High.Y)
		origins = append(origins, glyph.Point{X: x, Y: y})
	}
	for i := range origins {
		origins[i].X -= left
		origins[i].Y -= bottom
	}
	return origins, float64(right - left), float64(top - bottom)
}

// up is the next hundredth.
func up(v float64) float64 { return math.Ceil(v*100-1e-6) / 100 }

// share is a part of 255 as a PDF colour.
func share(v uint8) string {
	return strconv.FormatFloat(math.Round(float64(v)/255*1000)/1000, 'f', -1, 64)
}

func hex16(text string) string {
	var b strings.Builder
	b.WriteString("FEFF")
	for _, u := range utf16.Encode([]rune(text)) {
		fmt.Fprintf(&b, "%04X", u)
	}
	return b.String()
}

// outline writes the path of a glyph.
func outline(g *glyph.Glyph) []byte {
	b := make([]byte, 0, 16*len(g.Path))
	for i, s := range g.Path {
		n, op := 1, "m\n"
		switch s.Op {
		case glyph.MoveTo:
			if i > 0 {
				b = append(b, "h\n"...)
			}
		case glyph.LineTo:
			op = "l\n"
		case glyph.CurveTo:
			n, op = 3, "c\n"
		}
		for _, p := range s.P[:n] {
			b = append(strconv.AppendInt(b, int64(p.X), 10), ' ')
			b = append(strconv.AppendInt(b, int64(p.Y), 10), ' ')
		}
		b = append(b, op...)
	}
	return append(b, "h\n"...)
}

// At gives the operators that draw the block with its bottom left corner at x, y, and nothing outside its box.
func (b *Block) At(x, y float64) []byte {
	out := fmt.Appendf(nil, "q 1 0 0 1 %s %s cm\n0 0 %s %s re W n\n", Number(x), Number(y), Number(b.Width), Number(b.Height))
	return append(append(out, b.Content...), "Q\n"...)
}

// A Placed is a block that ReadBlock found: where it may draw, and what text it says that it is. Whether the shapes are this text
// only an eye can tell.
type Placed struct {
	X, Y, Width, Height float64
	Text                string
}

// ReadBlock takes a block, as At writes it, from the start of a content stream: filled shapes of one colour inside one box, and
// no operator, operand or byte besides. rest is what follows. ok is false where anything else begins.
func ReadBlock(content []byte) (p Placed, rest []byte, ok bool) {
	r := blockReader{content, true}
	r.word("q 1 0 0 1 ")
	p.X, p.Y = r.number(' '), r.number(' ')
	r.word("cm\n0 0 ")
	p.Width, p.Height = r.number(' '), r.number(' ')
	r.word("re W n\n/Span << /ActualText <")
	p.Text = r.text()
	r.word("> >> BDC\n")
	for range 3 {
		if v := r.number(' '); v < 0 || v > 1 {
			return p, nil, false
		}
	}
	r.word("rg\n")
	scale := r.number(' ')
	r.word("0 0 ")
	same := r.number(' ') == scale
	r.word("0 0 cm\n")
	for r.ok && r.has("q 1 0 0 1 ") {
		r.glyph()
	}
	r.word("EMC\nQ\n")
	if !r.ok || !same || !(scale > 0 && p.Width > 0 && p.Height > 0 && p.Width <= 14400 && p.Height <= 14400) {
		return p, nil, false
	}
	return p, r.rest, true
}

type blockReader struct {
	rest []byte
	ok   bool
}

// has takes a word if it is there.
func (r *blockReader) has(word string) bool {
	if len(r.rest) < len(word) || string(r.rest[:len(word)]) != word {
		return false
	}
	r.rest = r.rest[len(word):]
	return true
}

func (r *blockReader) word(word string) { r.ok = r.ok && r.has(word) }

// number takes a decimal of at most eight digits before and four after the point, and the byte that ends it.
func (r *blockReader) number(end byte) float64 {
	n := slices.Index(r.rest[:min(len(r.rest), 16)], end)
	if n < 0 {
		r.ok = false
		return 0
	}
	s := strings.TrimPrefix(string(r.rest[:n]), "-")
	whole, part, point := strings.Cut(s, ".")
	if !digits(whole, 8) || point && !digits(part, 4) {
		r.ok = false
		return 0
	}
	v, err := strconv.ParseFloat(string(r.rest[:n]), 64)
	r.ok = r.ok && err == nil
	r.rest = r.rest[n+1:]
	return v
}

func digits(s string, most int) bool {
	return len(s) > 0 && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

// text takes UTF-16 in hexadecimal up to what ends it.
func (r *blockReader) text() string {
	const most = 4 + 8*glyph.MaxText
	n := slices.Index(r.rest[:min(len(r.rest), most+1)], '>')
	if n < 4 || n%4 != 0 || string(r.rest[:4]) != "FEFF" {
		r.ok = false
		return ""
	}
	var units []uint16
	for i := 4; i < n; i += 4 {
		u, err := strconv.ParseUint(string(r.rest[i:i+4]), 16, 16)
		if err != nil {
			r.ok = false
			return ""
		}
		units = append(units, uint16(u))
	}
	text := string(utf16.Decode(units))
	r.ok = r.ok && hex16(text) == string(r.rest[:n])
	r.rest = r.rest[n:]
	return text
}

// glyph takes one glyph, behind its "q 1 0 0 1 ": closed contours, filled.
func (r *blockReader) glyph() {
	r.number(' ')
	r.number(' ')
	r.word("cm\n")
	for first := true; r.ok && (first || !r.has("f\nQ\n")); first = false {
		r.number(' ')
		r.number(' ')
		r.word("m\n")
		for r.ok && !r.has("h\n") {
			r.number(' ')
			r.number(' ')
			if r.has("l\n") {
				continue
			}
			for range 4 {
				r.number(' ')
			}
			r.word("c\n")
		}
	}
}
