package glyph

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-text/typesetting/harfbuzz"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/segmenter"
)

// MaxText is how many characters a text may have.
const MaxText = 1000

// ErrText: a text cannot be set, whatever the font: it is too long, or not of characters that are seen.
var ErrText = errors.New("glyph: text cannot be set")

// ErrMissing: the font has no glyph for a character. The error is a *MissingError.
var ErrMissing = errors.New("glyph: characters that the font does not have")

// A MissingError names the characters, each once, that a font has no glyph for.
type MissingError struct{ Runes []rune }

func (e *MissingError) Error() string {
	return fmt.Sprintf("%v: %q (%U)", ErrMissing, string(e.Runes), e.Runes)
}

func (e *MissingError) Unwrap() error { return ErrMissing }

// A Line is a line of text, set. Lengths are thousandths of an em.
type Line struct {
	Text        string  // its characters in the order in which they are read, without the space at its ends
	RightToLeft bool    // how its paragraph runs: such a line stands at the right
	Advance     float64 // from the first origin to behind the last glyph

	// Low and High are the box of all outlines, control points among them; of a line that is blank: zero. It is measured and
	// not what the font claims, so what is clipped to it loses nothing.
	Low, High Point

	Glyphs []Placed // from left to right; those without outline are left out
}

// Placed is a glyph and where its origin stands. Many may share one Glyph, which is not to be changed.
type Placed struct {
	X, Y int
	*Glyph
}

// Line sets a text in one line: letters join and stack, accents find their place, and right-to-left words run so. What the face
// lacks comes from the embedded one; what that lacks too is *MissingError. ErrText is for the text itself: MaxText, control
// characters (a line feed is one), and embeddings, overrides and isolates of direction, which can make a line read otherwise than it
// is written.
func (f *Face) Line(text string) (*Line, error) {
	if strings.Contains(text, "\n") {
		return nil, fmt.Errorf("%w: a line feed in a line", ErrText)
	}
	lines, err := f.Lines(text, 0)
	if err != nil {
		return nil, err
	}
	return lines[0], nil
}

// Lines is Line for a text that is broken at each line feed, and where it would be wider than width thousandths of an em (0: nowhere
// else). Breaks are those of UAX #14: at spaces, and in Chinese between any two characters but not before a full stop. A word
// that is too wide alone is broken where it must be.
func (f *Face) Lines(text string, width float64) (lines []*Line, err error) {
	defer foreign(&err)
	if err := check(text); err != nil {
		return nil, err
	}
	missing := &MissingError{}
	for part := range strings.SplitSeq(text, "\n") {
		p := f.paragraph([]rune(part))
		set, err := p.lines(width)
		if err != nil {
			return nil, err
		}
		lines = append(lines, set...)
		for _, i := range slices.Sorted(slices.Values(p.missing)) {
			if !slices.Contains(missing.Runes, p.text[i]) {
				missing.Runes = append(missing.Runes, p.text[i])
			}
		}
	}
	if missing.Runes != nil {
		return nil, missing
	}
	return lines, nil
}

func check(text string) error {
	if n := utf8.RuneCountInString(text); n > MaxText {
		return fmt.Errorf("%w: %d characters, more than %d", ErrText, n, MaxText)
	}
	if !utf8.ValidString(text) {
		return fmt.Errorf("%w: it is not UTF-8", ErrText)
	}
	for _, r := range text {
		switch {
		case r == '\n':
		case unicode.Is(unicode.Cc, r), r == '\u2028', r == '\u2029':
			return fmt.Errorf("%w: control character %U", ErrText, r)
		case refused(r):
			return fmt.Errorf("%w: change of direction %U", ErrText, r)
		}
	}
	return nil
}

// A paragraph is a text and, for each character, how it is to be shaped.
type paragraph struct {
	text    []rune
	rtl     bool
	of      []kind
	missing []int // characters that no face had
}

// Characters of one kind that follow each other are shaped together.
type kind struct {
	level  int
	script language.Script
	face   *Face
}

func (f *Face) paragraph(text []rune) *paragraph {
	p := &paragraph{text: text, rtl: rightToLeft(text), of: make([]kind, len(text))}
	base := 0
	if p.rtl {
		base = 1
	}
	for i, l := range levels(text, base) {
		p.of[i].level = l
	}
	// Digits, punctuation and marks have no script of their own: they go with what is before them, at the start with what follows.
	last := language.Common
	for i, r := range text {
		if s := language.LookupScript(r); s != language.Common && s != language.Inherited && s != language.Unknown {
			for k := i - 1; k >= 0 && last == language.Common; k-- {
				p.of[k].script = s
			}
			last = s
		}
		p.of[i].script = last
	}
	for i, r := range text {
		switch {
		case i > 0 && unicode.In(r, unicode.M, unicode.Cf): // in the font of what it belongs to
			p.of[i].face = p.of[i-1].face
		case f.next != nil && !f.has(r) && f.next.has(r):
			p.of[i].face = f.next
		default:
			p.of[i].face = f
		}
	}
	return p
}

// A run is a piece of a paragraph, of one kind, shaped.
type run struct {
	kind
	from, to int
	info     []harfbuzz.GlyphInfo
	pos      []harfbuzz.GlyphPosition
}

// shape shapes text[from:to], one run for each kind, in the order of the text.
func (p *paragraph) shape(from, to int) ([]run, error) {
	var runs []run
	for from < to {
		r := run{kind: p.of[from], from: from, to: from + 1}
		for r.to < to && p.of[r.to] == r.kind {
			r.to++
		}
		s := r.face.shapers.Get().(*shaper)
		s.buf.Clear()
		s.buf.AddRunes(p.text, r.from, r.to-r.from)
		s.buf.Props = harfbuzz.SegmentProperties{Script: r.script, Direction: harfbuzz.LeftToRight}
		if r.level%2 == 1 {
			s.buf.Props.Direction = harfbuzz.RightToLeft
		}
		if r.script == language.Han { // a font for all of East Asia shows the forms that are written in China
			s.buf.Props.Language = language.NewLanguage("zh-cn")
		}
		s.buf.Flags = 0
		if r.from == 0 {
			s.buf.Flags |= harfbuzz.Bot
		}
		if r.to == len(p.text) {
			s.buf.Flags |= harfbuzz.Eot
		}
		s.buf.Shape(s.font, nil)
		r.info, r.pos = slices.Clone(s.buf.Info), slices.Clone(s.buf.Pos)
		if err := p.blank(s, &r); err != nil {
			return nil, err
		}
		r.face.shapers.Put(s)
		runs = append(runs, r)
		from = r.to
	}
	return runs, nil
}

// blank finds the characters of a run that have no glyph, or only glyphs that draw nothing though the character is one that is seen.
func (p *paragraph) blank(s *shaper, r *run) error {
	drawn := make([]bool, r.to-r.from)  // the cluster that begins here has ink
	absent := make([]bool, r.to-r.from) // it has the glyph that stands for none
	starts := make([]bool, r.to-r.from)
	for _, g := range r.info {
		at := g.Cluster - r.from
		starts[at] = true
		o, err := r.face.outline(s, g.Glyph)
		if err != nil {
			return err
		}
		drawn[at] = drawn[at] || len(o.Path) > 0
		absent[at] = absent[at] || g.Glyph == 0
	}
	for at := 0; at < len(starts); {
		end := at + 1
		for end < len(starts) && !starts[end] {
			end++
		}
		found := false
		for i := r.from + at; i < r.from+end; i++ {
			c := p.text[i]
			if absent[at] && !r.face.has(c) && !unicode.Is(unicode.Cf, c) || !drawn[at] && inked(c) {
				p.missing, found = append(p.missing, i), true
			}
		}
		if absent[at] && !found {
			p.missing = append(p.missing, r.from+at)
		}
		at = end
	}
	return nil
}

// inked tells whether a character is one that is seen. Some letters are fillers, and one Braille sign has no dots.
func inked(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !strings.ContainsRune("\u115f\u1160\u3164\uffa0\u2800", r)
}

// lines breaks the paragraph.
func (p *paragraph) lines(width float64) ([]*Line, error) {
	whole, err := p.shape(0, len(p.text))
	if err != nil {
		return nil, err
	}
	if !(width > 0) || len(p.text) == 0 {
		l, err := p.line(whole, 0, len(p.text))
		return []*Line{l}, err
	}
	// What the characters of a cluster take is told of its first.
	advance := make([]float64, len(p.text)+1)
	for _, r := range whole {
		for i, g := range r.info {
			advance[g.Cluster] += float64(r.pos[i].XAdvance) * r.face.unit()
		}
	}
	var lines []*Line
	for _, b := range p.breaks(advance, width) {
		runs := whole
		if b != [2]int{0, len(p.text)} {
			if runs, err = p.shape(b[0], b[1]); err != nil {
				return nil, err
			}
		}
		l, err := p.line(runs, b[0], b[1])
		if err != nil {
			return nil, err
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// breaks gives the lines, from and to, without the spaces at their ends.
func (p *paragraph) breaks(advance []float64, width float64) [][2]int {
	var seg segmenter.Segmenter
	seg.Init(p.text)
	const grapheme, line = 1, 2
	may := make([]int, len(p.text)+1)
	for it := seg.GraphemeIterator(); it.Next(); {
		g := it.Grapheme()
		may[g.Offset+len(g.Text)] = grapheme
	}
	for it := seg.LineIterator(); it.Next(); {
		l := it.Line()
		may[l.Offset+len(l.Text)] = line
	}
	var found [][2]int
	for from := 0; ; {
		for from < len(p.text) && unicode.IsSpace(p.text[from]) && len(found) > 0 {
			from++
		}
		if from == len(p.text) && len(found) > 0 {
			return found
		}
		to, sum := len(p.text), 0.0
		best := [3]int{} // the last place of each kind that fits
		for i := from; i < len(p.text); i++ {
			if sum += advance[i]; sum > width && !unicode.IsSpace(p.text[i]) {
				if to = best[line]; to == 0 {
					to = best[grapheme]
				}
				break
			}
			if i+1 < len(p.text) {
				best[may[i+1]] = i + 1
			}
		}
		if to == 0 { // not even one fits: it stands out, rather than being lost
			for to = from + 1; to < len(p.text) && may[to] == 0; to++ {
			}
		}
		end := to
		for end > from && unicode.IsSpace(p.text[end-1]) {
			end--
		}
		found = append(found, [2]int{from, end})
		if from = to; from == len(p.text) {
			return found
		}
	}
}

// line puts runs that were shaped into the order in which they are seen (rule L2 of UAX #9), and places their glyphs.
func (p *paragraph) line(runs []run, from, to int) (*Line, error) {
	l := &Line{Text: strings.TrimSpace(string(p.text[from:to])), RightToLeft: p.rtl}
	runs = slices.Clone(runs)
	if len(runs) > 0 {
		highest := slices.MaxFunc(runs, func(a, b run) int { return cmp.Compare(a.level, b.level) }).level
		for level := highest; level > 0; level-- {
			for i := 0; i < len(runs); i++ {
				first := i
				for i < len(runs) && runs[i].level >= level {
					i++
				}
				slices.Reverse(runs[first:i])
			}
		}
	}
	for _, r := range runs {
		if err := l.add(&r); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *Line) add(r *run) error {
	s := r.face.shapers.Get().(*shaper)
	k := r.face.unit()
	for i, g := range r.info {
		o, err := r.face.outline(s, g.Glyph)
		if err != nil {
			return err
		}
		at := &r.pos[i]
		placed := Placed{
			X:     int(math.Round(l.Advance + float64(at.XOffset)*k)),
			Y:     int(math.Round(float64(at.YOffset) * k)),
			Glyph: o,
		}
		l.Advance += float64(at.XAdvance) * k
		if len(o.Path) == 0 {
			continue
		}
		low, high := o.Bounds()
		low, high = Point{low.X + placed.X, low.Y + placed.Y}, Point{high.X + placed.X, high.Y + placed.Y}
		if len(l.Glyphs) > 0 {
			low = Point{min(low.X, l.Low.X), min(low.Y, l.Low.Y)}
			high = Point{max(high.X, l.High.X), max(high.Y, l.High.Y)}
		}
		l.Low, l.High = low, high
		l.Glyphs = append(l.Glyphs, placed)
	}
	r.face.shapers.Put(s)
	return nil
}
