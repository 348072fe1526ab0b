// Package glyph gives the outlines of characters, so that a seal is lettered the same on a machine without Chinese fonts, and
// sets lines of text in any script with a font that is given.
//
// A [Face] is a font. Its lines are shaped by go-text's port of HarfBuzz, so that letters join, stack and run from right to left as
// they are written; what comes back is outlines at their places, which need no font to be drawn. The port is v0.3.0: v0.3.5 skips
// lookups whose coverage has wide ranges (addRange of its set digest gives up all three masks when one is full), so that kerning and
// accents are lost; TestShapingAgreesWithHarfBuzz shows it.
//
// The embedded font is a subset of Noto Serif CJK SC Bold (SIL Open Font License 1.1, OFL.txt), embedded: GB 2312 level 1, the
// further characters of China's place names, ASCII and punctuation. subset.sh makes it and says why these. It lies in
// the program as it is, 1.4 MB: importing the package costs no time, the first outline some 3 milliseconds.
package glyph

import (
	_ "embed"
)

// Metrics of the em square that every ideograph fills, in thousandths of an em.
const (
	Em      = 1000
	Ascent  = 880  // top of the square, above the baseline
	Descent = -120 // its bottom
)

// A Point is in thousandths of an em: X to the right of the glyph's origin, Y above the baseline.
type Point struct{ X, Y int }

// An Op is one step of a path.
type Op uint8

const (
	MoveTo  Op = iota // starts a contour at P[0]; the contour before it is closed
	LineTo            // to P[0]
	CurveTo           // cubic Bézier with control points P[0] and P[1], to P[2]
)

// A Segment is one step of a path and its points; points that Op does not use are zero.
type Segment struct {
	Op Op
	P  [3]Point
}

// A Glyph is the outline of one character. Its contours are closed, and filled by the non-zero winding rule.
type Glyph struct {
	Advance int // to the origin of the next glyph, in thousandths of an em; ideographs: 1000
	Path    []Segment
}

// Bounds is the smallest box that holds all points of the path, control points among them; empty path: zero.
func (g *Glyph) Bounds() (low, high Point) {
	first := true
	for _, s := range g.Path {
		for _, p := range s.P[:s.points()] {
			if first {
				low, high, first = p, p, false
			}
			low = Point{min(low.X, p.X), min(low.Y, p.Y)}
			high = Point{max(high.X, p.X), max(high.Y, p.Y)}
		}
	}
	return low, high
}

func (s *Segment) points() int {
	if s.Op == CurveTo {
		return 3
	}
	return 1
}

//go:embed noto-serif-cjk-sc-bold.otf
var otf []byte

// Outline returns the glyph of one character of the embedded font, or *MissingError. It is safe for concurrent use.
func Outline(r rune) (g *Glyph, err error) {
	defer foreign(&err)
	f := Embedded()
	id, _ := f.font.NominalGlyph(r)
	if id == 0 {
		return nil, &MissingError{[]rune{r}}
	}
	s := f.shapers.Get().(*shaper)
	if g, err = f.outline(s, id); err == nil {
		f.shapers.Put(s)
	}
	return g, err
}
