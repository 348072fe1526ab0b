package pageink

import (
	"math"

	"github.com/courtseal/courtseal/internal/pdftext"
)

// A point of an outline. Start: a new part of it begins.
type point struct {
	x, y  float32
	start bool
}

// maxBackground is how many steps the outline of a background may have, and wide how much of the page it takes each way. A page
// whose text is one large outline is no background.
const (
	maxBackground = 16
	wide          = 0.9
)

func (p *page) isBackground(b pdftext.Rect) bool {
	return b[2]-b[0] >= wide*(p.box[2]-p.box[0]) && b[3]-b[1] >= wide*(p.box[3]-p.box[1])
}

func (p *page) isThin(b pdftext.Rect) bool {
	return min(b[2]-b[0], b[3]-b[1]) <= thin*p.unit
}

// grid is how finely the page is divided to know where white would be seen.
const grid = 64

// cells are the first and the last cell that a box has a part in.
func (p *page) cells(b pdftext.Rect) (x0, y0, x1, y1 int) {
	cell := func(v, from, to float64) int {
		return int(max(0, min(grid-1, math.Floor((v-from)/(to-from)*grid))))
	}
	return cell(b[0], p.box[0], p.box[2]), cell(b[1], p.box[1], p.box[3]), cell(b[2], p.box[0], p.box[2]), cell(b[3], p.box[1], p.box[3])
}

// row is the bits of some cells of a row.
func row(from, to int) uint64 { return (^uint64(0) >> (grid - 1 - to)) & (^uint64(0) << from) }

func (p *page) ink(b pdftext.Rect) {
	x0, y0, x1, y1 := p.cells(b)
	for y := y0; y <= y1; y++ {
		p.inked[y] |= row(x0, x1)
	}
}

func (p *page) isInked(b pdftext.Rect) bool {
	x0, y0, x1, y1 := p.cells(b)
	for y := y0; y <= y1; y++ {
		if p.inked[y]&row(x0, x1) != 0 {
			return true
		}
	}
	return false
}

func shrink(r pdftext.Rect, by float64) pdftext.Rect {
	for i := range 2 {
		d := min(by, (r[2+i]-r[i])/4) // something is left of what is thin
		r[i], r[2+i] = r[i]+d, r[2+i]-d
	}
	return r
}

func meet(a, b pdftext.Rect) bool { return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3] }

// subpaths calls do for each part of a path, with the box around it.
func subpaths(path []pdftext.Step, do func([]pdftext.Step, pdftext.Rect) error) error {
	for len(path) > 0 {
		n := 1
		box := pdftext.Rect{path[0].X, path[0].Y, path[0].X, path[0].Y}
		for n < len(path) && !path[n].Move {
			s := path[n]
			box = pdftext.Rect{min(box[0], s.X), min(box[1], s.Y), max(box[2], s.X), max(box[3], s.Y)}
			n++
		}
		if err := do(path[:n], box); err != nil {
			return err
		}
		path = path[n:]
	}
	return nil
}

// area adds a filled path: what of it is small as boxes, the rest by its outline, and without what is a thin line.
func (p *page) area(it item, k *pdftext.Ink) error {
	seen := it.box
	it.evenOdd, it.from = k.EvenOdd, int32(len(p.points))
	err := subpaths(k.Path, func(part []pdftext.Step, box pdftext.Rect) error {
		switch box = both(box, seen); {
		case p.isThin(box):
			return nil
		case max(box[2]-box[0], box[3]-box[1]) <= small*p.unit:
			return p.put(item{kind: it.kind, annot: it.annot, thing: it.thing, box: box})
		}
		for i, s := range part {
			p.points = append(p.points, point{float32(s.X), float32(s.Y), i == 0})
		}
		return nil
	})
	if it.to = int32(len(p.points)); err != nil || it.to == it.from {
		return err
	}
	return p.put(it)
}

func both(a, b pdftext.Rect) pdftext.Rect {
	return pdftext.Rect{max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])}
}

// stroke adds a path that is drawn. A wide one covers what it goes over. Of a thin one, what runs along the page is a line to write on
// or a frame; what does not is handwriting or a drawing, unless it is the lesser part, as of a frame with round corners.
func (p *page) stroke(it item, k *pdftext.Ink) error {
	heavy := k.Width > thin*p.unit
	free := heavy || freehand(k.Path)
	mark := k.Annot != nil
	if !free && !mark {
		return nil
	}
	run := pieces{page: p, item: it, seen: it.box, pad: k.Width / 2}
	for i := 1; i < len(k.Path); i++ {
		a, b := k.Path[i-1], k.Path[i]
		if b.Move {
			continue
		}
		line := !heavy && (!free || along(a, b))
		if line && !mark {
			continue
		}
		if err := run.add(a, b, line, 0); err != nil {
			return err
		}
	}
	return run.flush()
}

// along says whether a step runs along the edges of the page.
func along(a, b pdftext.Step) bool {
	return min(math.Abs(a.X-b.X), math.Abs(a.Y-b.Y)) < 0.1
}

// freehand says whether more of a path runs across than along the edges of the page.
func freehand(path []pdftext.Step) bool {
	straight, free := 0.0, 0.0
	for i := 1; i < len(path); i++ {
		if a, b := path[i-1], path[i]; !b.Move {
			if d := math.Hypot(a.X-b.X, a.Y-b.Y); along(a, b) && d > 1 {
				straight += d
			} else {
				free += d
			}
		}
	}
	return free > straight
}

// pieces collects the steps of a stroke into boxes that lie close around it.
type pieces struct {
	*page
	item item
	seen pdftext.Rect
	pad  float64
	box  pdftext.Rect // of the piece that is collected
	any  bool
}

const piece = 12 // how large, in points, the box around a part of a stroke gets that is neither flat nor upright

// add takes a step, a long one across in halves.
func (s *pieces) add(a, b pdftext.Step, line bool, depth int) error {
	size := piece * s.unit
	if min(math.Abs(a.X-b.X), math.Abs(a.Y-b.Y)) > size && depth < 7 {
		m := pdftext.Step{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}
		if err := s.add(a, m, line, depth+1); err != nil {
			return err
		}
		return s.add(m, b, line, depth+1)
	}
	box := pdftext.Rect{min(a.X, b.X) - s.pad, min(a.Y, b.Y) - s.pad, max(a.X, b.X) + s.pad, max(a.Y, b.Y) + s.pad}
	if s.any && s.item.line == line {
		u := pdftext.Rect{min(box[0], s.box[0]), min(box[1], s.box[1]), max(box[2], s.box[2]), max(box[3], s.box[3])}
		if max(u[2]-u[0], u[3]-u[1]) <= size {
			s.box = u
			return nil
		}
	}
	if err := s.flush(); err != nil {
		return err
	}
	s.box, s.any, s.item.line = box, true, line
	return nil
}

func (s *pieces) flush() error {
	if !s.any {
		return nil
	}
	s.any = false
	s.item.box = both(s.box, s.seen)
	if s.item.box[0] > s.item.box[2] || s.item.box[1] > s.item.box[3] {
		return nil
	}
	return s.put(s.item)
}

// touches says whether an item paints anything in a box: where its outline goes through the box it does, and where the outline goes
// around it, as it is filled.
func (p *page) touches(it *item, box pdftext.Rect) bool {
	if !meet(it.box, box) {
		return false
	}
	if it.from == it.to {
		return true
	}
	box = both(box, it.box)
	x, y := (box[0]+box[2])/2, (box[1]+box[3])/2
	turns, crossings := 0, 0
	edge := func(a, b point) bool {
		if crosses(a, b, box) {
			return true
		}
		ax, ay, bx, by := float64(a.x), float64(a.y), float64(b.x), float64(b.y)
		if (ay > y) != (by > y) && x < ax+(y-ay)/(by-ay)*(bx-ax) {
			crossings++
			if by > ay {
				turns++
			} else {
				turns--
			}
		}
		return false
	}
	list := p.points[it.from:it.to]
	first := list[0]
	for i, b := range list {
		if i > 0 {
			a := list[i-1]
			if b.start {
				if edge(a, first) {
					return true
				}
				first = b
			} else if edge(a, b) {
				return true
			}
		}
	}
	if edge(list[len(list)-1], first) {
		return true
	}
	if it.evenOdd {
		return crossings%2 == 1
	}
	return turns != 0
}

// crosses says whether a line has a point in a box.
func crosses(a, b point, box pdftext.Rect) bool {
	_, _, ok := within(float64(a.x), float64(a.y), float64(b.x), float64(b.y), box)
	return ok
}

// within says which part of a line lies in a box, in fractions of its length.
func within(ax, ay, bx, by float64, box pdftext.Rect) (from, to float64, ok bool) {
	to = 1
	d, at := [2]float64{bx - ax, by - ay}, [2]float64{ax, ay}
	for i := range 2 {
		low, high := box[i]-at[i], box[2+i]-at[i]
		if d[i] == 0 {
			if low > 0 || high < 0 {
				return 0, 0, false
			}
			continue
		}
		low, high = low/d[i], high/d[i]
		from, to = max(from, min(low, high)), min(to, max(low, high))
	}
	return from, to, from <= to
}
