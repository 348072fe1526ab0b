package pdftext

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/phrase"
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
	text       string  // NFKC, without what a search passes over
	from       []int32 // of each byte of text the glyph it comes from; nil: text is not made yet
}

// A placed glyph is in the coordinates of its direction: u along the line, v across it, downwards.
type placed struct {
	*Glyph
	direction int // in degrees, counterclockwise
	u, end, v float64
}

// place finds the direction of a glyph, to two degrees, so that the lines of a page that was scanned askew stay whole.
func place(g *Glyph) placed {
	p := placed{Glyph: g}
	dx, dy := g.to.x-g.at.x, g.to.y-g.at.y
	switch {
	case dy == 0 && dx >= 0:
		p.u, p.end, p.v = g.at.x, g.to.x, -g.at.y
		return p
	default:
		p.direction = (int(math.Round(math.Atan2(dy, dx)*90/math.Pi))*2 + 360) % 360
	}
	sin, cos := math.Sincos(float64(p.direction) * math.Pi / 180)
	p.u, p.end = g.at.x*cos+g.at.y*sin, g.to.x*cos+g.to.y*sin
	p.v = g.at.x*sin - g.at.y*cos
	return p
}

// arrange puts the glyphs into lines and in reading order: the direction that has most of them first, and in it from above to
// below and from the beginning of the line to its end. As text of vertical writing runs downwards, its columns follow one
// another from right to left. Scratch is room to work in.
func (t *Text) arrange(glyphs []Glyph, scratch []placed) []placed {
	list := scratch[:0]
	var count [360]int
	for i := range glyphs {
		p := place(&glyphs[i])
		count[p.direction]++
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b placed) int {
		if a.direction != b.direction {
			return cmp.Or(cmp.Compare(count[b.direction], count[a.direction]), cmp.Compare(a.direction, b.direction))
		}
		return cmp.Compare(a.v, b.v)
	})
	t.Glyphs = make([]Glyph, 0, len(glyphs))
	for rest := list; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].direction == rest[0].direction && rest[n].v-rest[0].v <= sameLine*min(rest[0].size, rest[n].size) {
			n++
		}
		t.addLine(rest[:n])
		rest = rest[n:]
	}
	return list
}

// addLine adds the glyphs of one baseline.
func (t *Text) addLine(list []placed) {
	slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(a.u, b.u) })
	if !overlaps(list) {
		t.addRun(list)
		return
	}
	for _, layer := range layers(list) {
		t.addRun(layer)
	}
}

// addRun adds glyphs that follow one another.
func (t *Text) addRun(list []placed) {
	first, end := len(t.Glyphs), list[0].u
	for _, g := range list {
		if g.u-end > newLine*g.size {
			t.lines = append(t.lines, line{first: first, end: len(t.Glyphs)})
			first, end = len(t.Glyphs), g.u
		}
		end = max(end, g.end)
		t.Glyphs = append(t.Glyphs, *g.Glyph)
	}
	t.lines = append(t.lines, line{first: first, end: len(t.Glyphs)})
}

// overlaps says whether a glyph may be drawn over another.
func overlaps(list []placed) bool {
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		if b.u-a.u <= sameGlyph*b.size || b.u-a.end < -overlap*min(a.size, b.size) {
			return true
		}
	}
	return false
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
	n := 0
	for _, g := range t.Glyphs[l.first:l.end] {
		n += len(g.Text)
	}
	all, from := make([]byte, 0, n), make([]int32, 0, n)
	for i := l.first; i < l.end; i++ {
		all = append(all, t.Glyphs[i].Text...)
		for len(from) < len(all) {
			from = append(from, int32(i))
		}
	}
	l.text, l.from = phrase.Normal(all, from)
}

// Find gives the places where a phrase stands on one line, in reading order. White space and what Unicode calls compatibility
// forms (full and half width) make no difference.
func (t *Text) Find(text string) []Match {
	want := phrase.Wanted(text)
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
			found = append(found, t.match(int(l.from[at]), int(l.from[at+len(want)-1])))
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
