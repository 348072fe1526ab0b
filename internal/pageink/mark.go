package pageink

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftext"
)

// What a mark may do to the text that it marks.
const (
	cell       = 8   // points: where lines lie close, it is judged in squares of this size
	dense      = 0.5 // how much of such a square lines may cover
	light      = 0.2 // how bright a colour must be that is laid over black text
	pieceOf    = 4   // points: how long the pieces are that lines are cut into
	maxPieces  = 1 << 17
	maxLayers  = 512 // areas that darken
	layersMeet = 0.2 // of the smaller one's area that two may share
)

var errHides = errors.New("pageink: it hides")

// Hides says whether an annotation may hide what stands under it on page p, white included. It does not where it draws thin lines
// that do not lie close, or fills with light colours in a blend mode that leaves black text black; nor where it shows nothing. Of one
// without an appearance that is what readers draw by themselves. An error says what of it could not be read.
func (r *Reader) Hides(ctx context.Context, p *pdf.Page, annotation *pdf.Dict) (bool, error) {
	h := &hiding{r: r, p: p, d: annotation}
	h.kind, _ = annotation.Get("Subtype").(pdf.Name)
	hides, err := h.judge(ctx)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("the appearance of an annotation: %w", err)
	}
	return hides || err != nil, err
}

// hiding is the question of whether one annotation hides anything.
type hiding struct {
	r    *Reader
	p    *pdf.Page
	d    *pdf.Dict
	kind pdf.Name
}

func (h *hiding) judge(ctx context.Context) (bool, error) {
	if hidden, err := h.hidden(); hidden || err != nil {
		return false, err
	}
	ap, err := h.r.f.GetDict(h.d, "AP")
	if err != nil {
		return true, err
	}
	if ap.Get("N") == nil {
		return h.drawn()
	}
	if h.kind == "Popup" { // it should have none
		return true, nil
	}
	for _, e := range ap.Entries { // what it shows when it is touched, too
		d := &pdf.Dict{Entries: []pdf.Entry{{Key: "AP", Value: &pdf.Dict{Entries: []pdf.Entry{{Key: "N", Value: e.Value}}}}}}
		for _, o := range h.d.Entries {
			if o.Key != "AP" && o.Key != "F" {
				d.Entries = append(d.Entries, o)
			}
		}
		m := &mark{page: page{unit: 1 / h.p.UserUnit}, cells: map[[2]int32]float64{}}
		damage, err := h.r.text.PaintAnnotation(ctx, h.p, &pdftext.Annot{Dict: d}, m.add)
		switch {
		case errors.Is(err, errHides):
			return true, nil
		case err != nil:
			return true, err
		case damage != nil:
			return true, damage
		}
	}
	return false, nil
}

// hidden says whether neither screen nor paper shows it.
func (h *hiding) hidden() (bool, error) {
	const hidden, printed, noView, toggle = 1 << 1, 1 << 2, 1 << 5, 1 << 8
	o, err := h.r.f.Resolve(h.d.Get("F"))
	flags, _ := o.(int64)
	return flags&hidden != 0 || flags&noView != 0 && flags&(printed|toggle) == 0, err
}

// maxCorners is how many corners a polygon may have that cannot be a scribble.
const maxCorners = 16

// drawn says whether what readers draw of an annotation without an appearance may hide what is under it: not icons and windows, which
// they draw beside or over the page as they like; not lines, unless they are wide, or many.
func (h *hiding) drawn() (bool, error) {
	switch h.kind {
	case "Underline", "Squiggly", "StrikeOut":
		return false, nil
	case "Highlight":
		colour, err := h.numbers("C")
		return dark(colour), err
	case "Line", "Square", "Circle", "Polygon":
		inside, err := h.r.f.Resolve(h.d.Get("IC"))
		if a, ok := inside.(*pdf.Array); err != nil || ok && len(a.Items) > 0 {
			return true, err
		}
		corners, err := h.numbers("Vertices")
		if err != nil || len(corners) > 2*maxCorners {
			return true, err
		}
		width, err := h.width()
		return width > thin, err
	}
	return (&page{f: h.r.f}).drawnByReaders(h.d)
}

// numbers reads a short array of numbers.
func (h *hiding) numbers(k pdf.Name) ([]float64, error) {
	o, err := h.r.f.Resolve(h.d.Get(k))
	a, ok := o.(*pdf.Array)
	if err != nil || !ok {
		return nil, err
	}
	list := make([]float64, min(len(a.Items), 2*maxCorners+1))
	for i := range list {
		if o, err = h.r.f.Resolve(a.Items[i]); err != nil {
			return nil, err
		}
		list[i], _ = pdf.Number(o)
	}
	return list, nil
}

// width is how wide its lines are, in points.
func (h *hiding) width() (float64, error) {
	style, err := h.r.f.GetDict(h.d, "BS")
	if err != nil {
		return 0, err
	}
	o, err := h.r.f.Resolve(style.Get("W"))
	if err != nil {
		return 0, err
	}
	width := 1.0
	if v, ok := pdf.Number(o); ok {
		width = v
	} else if border, err := h.numbers("Border"); err != nil {
		return 0, err
	} else if len(border) > 2 {
		width = border[2]
	}
	return math.Abs(width) * h.p.UserUnit, nil
}

// A mark is what an annotation has painted so far.
type mark struct {
	page
	cells  map[[2]int32]float64 // how much of them is covered
	pieces int
	layers []layer
}

// A layer darkens what is under it.
type layer struct {
	box   pdftext.Rect
	light float64 // that it lets through, together with those under it
}

func (m *mark) add(k *pdftext.Ink) error {
	switch k.Kind {
	case pdftext.Area:
		if k.Darkens {
			return m.darken(k)
		}
		return subpaths(k.Path, func(_ []pdftext.Step, box pdftext.Rect) error {
			box = both(box, k.Box)
			if box[0] > box[2] || box[1] > box[3] {
				return nil
			}
			if !m.isThin(box) {
				return errHides
			}
			x, y, wide, high := (box[0]+box[2])/2, (box[1]+box[3])/2, box[2]-box[0], box[3]-box[1]
			if wide > high {
				return m.line(pdftext.Step{X: box[0], Y: y}, pdftext.Step{X: box[2], Y: y}, high, box)
			}
			return m.line(pdftext.Step{X: x, Y: box[1]}, pdftext.Step{X: x, Y: box[3]}, wide, box)
		})
	case pdftext.Stroke:
		if k.Darkens {
			return m.darken(k)
		}
		if k.Width > thin*m.unit {
			return errHides
		}
		for i := 1; i < len(k.Path); i++ {
			if a, b := k.Path[i-1], k.Path[i]; !b.Move {
				if err := m.line(a, b, k.Width, k.Box); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return errHides
}

// line adds a line to the squares that it goes through.
func (m *mark) line(a, b pdftext.Step, width float64, seen pdftext.Rect) error {
	from, to, ok := within(a.X, a.Y, b.X, b.Y, seen)
	if !ok {
		return nil
	}
	dx, dy := b.X-a.X, b.Y-a.Y
	length := math.Hypot(dx, dy) * (to - from)
	n := max(1, math.Ceil(length/(pieceOf*m.unit)))
	width = max(width, 0.5*m.unit) // readers draw no thinner line
	size := cell * m.unit
	for i := 0.5; i < n; i++ {
		if m.pieces++; m.pieces > maxPieces {
			return errHides
		}
		t := from + (to-from)*i/n
		at := [2]int32{int32(math.Floor((a.X + t*dx) / size)), int32(math.Floor((a.Y + t*dy) / size))}
		if m.cells[at] += length / n * width; m.cells[at] > dense*size*size {
			return errHides
		}
	}
	return nil
}

// darken adds an area that darkens. Areas that share much of their room darken together.
func (m *mark) darken(k *pdftext.Ink) error {
	if !k.Tint.Known || len(m.layers) >= maxLayers {
		return errHides
	}
	l := layer{k.Box, brightness(k.Tint.RGB)}
	for _, o := range m.layers {
		if area(both(l.box, o.box)) > layersMeet*min(area(l.box), area(o.box)) {
			l.light = min(l.light, l.light*o.light)
		}
	}
	if l.light < light {
		return errHides
	}
	m.layers = append(m.layers, l)
	return nil
}

func area(r pdftext.Rect) float64 { return max(0, r[2]-r[0]) * max(0, r[3]-r[1]) }

// dark says whether a colour of an annotation (its /C: one number of grey, three of RGB, four of CMYK) is too dark to be laid over
// black text. No number at all means no colour.
func dark(colour []float64) bool {
	switch len(colour) {
	case 0:
		return false
	case 1:
		return brightness([3]float64{colour[0], colour[0], colour[0]}) < light
	case 3:
		return brightness([3]float64(colour)) < light
	case 4:
		k := 1 - colour[3]
		return brightness([3]float64{(1 - colour[0]) * k, (1 - colour[1]) * k, (1 - colour[2]) * k}) < light
	}
	return true
}

// brightness is the relative luminance of a colour.
func brightness(rgb [3]float64) float64 {
	sum := 0.0
	for i, weight := range [3]float64{0.2126, 0.7152, 0.0722} {
		sum += weight * math.Pow(max(0, min(1, rgb[i])), 2.2)
	}
	return sum
}
