package pdfx

import (
	"fmt"
	"math"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
)

// A rect is left, bottom, right, top in the page's own units.
type rect [4]float64

func (r rect) String() string {
	return "[" + appearance.Number(r[0]) + " " + appearance.Number(r[1]) + " " + appearance.Number(r[2]) + " " + appearance.Number(r[3]) + "]"
}

// place turns a place on the page as it is seen into a rectangle of the page's own coordinates, for a picture of w x h points.
func place(p *pdf.Page, at At, w, h float64) (where rect, overhangs bool, err error) {
	for _, v := range []float64{at.X, at.Y} {
		if math.IsNaN(v) || math.Abs(v) > 1e6 {
			return where, false, fmt.Errorf("%w: (%g, %g) mm", ErrPlace, at.X, at.Y)
		}
	}
	unit := p.UserUnit
	if !(unit > 0) {
		unit = 1
	}
	x, y := at.X*appearance.MM/unit, at.Y*appearance.MM/unit
	w, h = w/unit, h/unit
	box := rect(p.CropBox)
	var cx, cy float64
	switch p.Rotate {
	case 90: // seen from the left: the page's bottom left corner is the top left one
		cx, cy = box[0]+y, box[1]+x
		w, h = h, w
	case 180:
		cx, cy = box[2]-x, box[1]+y
	case 270:
		cx, cy = box[2]-y, box[3]-x
		w, h = h, w
	default:
		cx, cy = box[0]+x, box[3]-y
	}
	where = rect{cx - w/2, cy - h/2, cx + w/2, cy + h/2}
	const hair = 0.01
	overhangs = where[0] < box[0]-hair || where[1] < box[1]-hair || where[2] > box[2]+hair || where[3] > box[3]+hair
	return where, overhangs, nil
}
