package pdfx

import (
	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
)

// A rect is left, bottom, right, top in the page's own units.
type rect [4]float64

func (r rect) String() string {
	return "[" + appearance.Number(r[0]) + " " + appearance.Number(r[1]) + " " + appearance.Number(r[2]) + " " + appearance.Number(r[3]) + "]"
}

// A box is a rectangle on the page as it is seen: millimetres from its top left corner.
type box struct{ X, Y, W, H float64 }

func (b box) touches(c box, gap float64) bool {
	return b.X < c.X+c.W+gap && c.X < b.X+b.W+gap && b.Y < c.Y+c.H+gap && c.Y < b.Y+b.H+gap
}

// unit is how many points a unit of the page's coordinates has.
func unit(p *pdf.Page) float64 {
	if p.UserUnit > 0 {
		return p.UserUnit
	}
	return 1
}

// sheet is the page as it is seen.
func sheet(p *pdf.Page) box {
	b := seen(p, rect(p.CropBox))
	return box{0, 0, b.W, b.H}
}

// seen turns a rectangle of the page's own coordinates into one of the page as it is seen.
func seen(p *pdf.Page, r rect) box {
	c := p.CropBox
	mm := unit(p) / appearance.MM
	left, bottom, right, top := (r[0]-c[0])*mm, (r[1]-c[1])*mm, (r[2]-c[0])*mm, (r[3]-c[1])*mm
	w, h := (c[2]-c[0])*mm, (c[3]-c[1])*mm
	switch p.Rotate {
	case 90: // the page's bottom left corner is the top left one
		return box{bottom, left, top - bottom, right - left}
	case 180:
		return box{w - right, bottom, right - left, top - bottom}
	case 270:
		return box{h - top, w - right, top - bottom, right - left}
	}
	return box{left, h - top, right - left, top - bottom}
}

// onPage turns a rectangle of the page as it is seen into one of the page's own coordinates.
func onPage(p *pdf.Page, b box) rect {
	c := p.CropBox
	pt := appearance.MM / unit(p)
	x, y, w, h := b.X*pt, b.Y*pt, b.W*pt, b.H*pt
	switch p.Rotate {
	case 90:
		return rect{c[0] + y, c[1] + x, c[0] + y + h, c[1] + x + w}
	case 180:
		return rect{c[2] - x - w, c[1] + y, c[2] - x, c[1] + y + h}
	case 270:
		return rect{c[2] - y - h, c[3] - x - w, c[2] - y, c[3] - x}
	}
	return rect{c[0] + x, c[3] - y - h, c[0] + x + w, c[3] - y}
}

// overhangs reports whether part of a box lies outside the sheet.
func (b box) overhangs(sheet box) bool {
	const hair = 0.005
	return b.X < -hair || b.Y < -hair || b.X+b.W > sheet.W+hair || b.Y+b.H > sheet.H+hair
}
