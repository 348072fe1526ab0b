package pdftext

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// How glyphs become lines, in multiples of their size.
const (
	sameLine  = 0.25 // how far apart the baselines of one line may lie
	sameGlyph = 0.12 // how far apart the same character may be drawn twice to look bold
	newLine   = 8    // a gap that makes two lines of one, as between columns
	overlap   = 0.4  // how far characters of one line may overlap; more is another text drawn over it
)

// A line is a run of glyphs on one baseline in one direction: Text.Glyphs[first:end].
type line struct {
	first, end int
	text       string // NFKC, without what a search passes over
	from       []int  // of each byte of text the glyph it comes from; nil: text is not made yet
}

// placed is a glyph in the coordinates of its direction: u along the line, v across it, downwards.
type placed struct {
	Glyph
	u, end, v float64
}

// arrange puts the glyphs into lines and in reading order: the direction that has most of them first, and in it from above to
// below and from the beginning of the line to its end. As text of vertical writing runs downwards, its columns follow one
// another from right to left.
func (t *Text) arrange(glyphs []Glyph) {
	directions := map[int][]placed{}
	for _, g := range glyphs {
		angle := math.Atan2(g.to.y-g.at.y, g.to.x-g.at.x)
		if g.to == g.at { // no width
			angle = 0
		}
		degrees := (int(math.Round(angle*90/math.Pi)) * 2) % 360 // to two degrees
		directions[(degrees+360)%360] = append(directions[(degrees+360)%360], placed{Glyph: g})
	}
	var order []int
	for d := range directions {
		order = append(order, d)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(len(directions[b]), len(directions[a])), cmp.Compare(a, b))
	})
	t.Glyphs = make([]Glyph, 0, len(glyphs))
	for _, d := range order {
		t.addLines(directions[d], d)
	}
}

// addLines adds the lines of the glyphs that run in one direction.
func (t *Text) addLines(list []placed, degrees int) {
	sin, cos := math.Sincos(float64(degrees) * math.Pi / 180)
	for i := range list {
		g := &list[i]
		g.u, g.end = g.at.x*cos+g.at.y*sin, g.to.x*cos+g.to.y*sin
		g.v = g.at.x*sin - g.at.y*cos
	}
	slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(a.v, b.v) })
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].v-list[0].v <= sameLine*min(list[0].size, list[n].size) {
			n++
		}
		t.addLine(list[:n])
		list = list[n:]
	}
}

// addLine adds the glyphs of one baseline.
func (t *Text) addLine(list []placed) {
	slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(a.u, b.u) })
	for _, layer := range layers(list) {
		first, end := len(t.Glyphs), layer[0].u
		for _, g := range layer {
			if g.u-end > newLine*g.size {
				t.lines = append(t.lines, line{first: first, end: len(t.Glyphs)})
				first, end = len(t.Glyphs), g.u
			}
			end = max(end, g.end)
			t.Glyphs = append(t.Glyphs, g.Glyph)
		}
		t.lines = append(t.lines, line{first: first, end: len(t.Glyphs)})
	}
}

const maxLayers = 4

// layers parts texts that are drawn one over the other on one baseline, and leaves out what is drawn twice. A glyph goes on
// where it follows most closely, on text of its size where there is such.
func layers(list []placed) [][]placed {
	var all [][]placed
	for i, g := range list {
		if drawnBefore(list[:i], g) {
			continue
		}
		best, gap, alike := -1, 0.0, false
		for k, layer := range all {
			last := layer[len(layer)-1]
			d := g.u - last.end
			if d < -overlap*min(g.size, last.size) && len(all) < maxLayers {
				continue
			}
			same := math.Abs(last.size-g.size) < 0.1*g.size
			if best < 0 || same && !alike || same == alike && math.Abs(d) < math.Abs(gap) {
				best, gap, alike = k, d, same
			}
		}
		if best < 0 {
			best = len(all)
			all = append(all, nil)
		}
		all[best] = append(all[best], g)
	}
	return all
}

// drawnBefore says whether a character stands there already, as where it is drawn twice to look bold.
func drawnBefore(before []placed, g placed) bool {
	const look = 8
	for i := len(before) - 1; i >= max(0, len(before)-look); i-- {
		o := before[i]
		if g.u-o.u > sameGlyph*g.size {
			return false
		}
		if o.Text == g.Text && math.Abs(o.size-g.size) < 0.1*g.size {
			return true
		}
	}
	return false
}

// prepare makes the text of a line that is searched.
func (t *Text) prepare(l *line) {
	if l.from != nil {
		return
	}
	var all []byte
	var from []int
	for i := l.first; i < l.end; i++ {
		all = append(all, t.Glyphs[i].Text...)
		for len(from) < len(all) {
			from = append(from, i)
		}
	}
	var text strings.Builder
	l.from = []int{}
	var it norm.Iter
	for it.Init(norm.NFKC, all); !it.Done(); {
		at := it.Pos()
		for _, r := range string(it.Next()) {
			if !ignored(r) {
				n := text.Len()
				text.WriteRune(r)
				for ; n < text.Len(); n++ {
					l.from = append(l.from, from[at])
				}
			}
		}
	}
	l.text = text.String()
}

// Find gives the places where a phrase stands on one line, in reading order. White space and what Unicode calls compatibility
// forms (full and half width) make no difference.
func (t *Text) Find(phrase string) []Match {
	want := squeeze(norm.NFKC.String(phrase))
	if want == "" {
		return nil
	}
	var found []Match
	for i := range t.lines {
		l := &t.lines[i]
		t.prepare(l)
		for at := 0; ; {
			k := strings.Index(l.text[at:], want)
			if k < 0 {
				break
			}
			at += k
			found = append(found, t.match(l.from[at], l.from[at+len(want)-1]))
			at += len(want)
		}
	}
	return found
}

// match is what the glyphs from first to last are.
func (t *Text) match(first, last int) Match {
	m := Match{Page: t.Number, On: t.Page, Box: t.Glyphs[first].Box, First: first, Last: last}
	for _, g := range t.Glyphs[first : last+1] {
		m.Text += g.Text
		m.Box = m.Box.union(g.Box)
	}
	return m
}
