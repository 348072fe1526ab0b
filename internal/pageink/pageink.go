// Package pageink says what stands in a rectangle of a page of a PDF file: letters, pictures, shapes, annotations.
//
// It answers whether something that is put there later covers what a reader of the page saw. Where it cannot know, it says that
// something stands there: clipping paths count as the rectangles around them, optional content as shown, pictures as full. What
// does not count is what covering takes nothing from: white space, lines to write on (underscores, dots, dashes, thin lines and
// the frames made of them), what is white on a white page, and the colour of the whole page.
package pageink

import (
	"context"
	"fmt"
	"strings"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftext"
)

const (
	maxInk    = 1 << 20  // things painted on one page
	maxItems  = 1 << 18  // of them those that count, or their parts
	maxPoints = 1 << 20  // of their outlines
	maxKept   = 24 << 20 // bytes, of all pages
	maxLooks  = 1 << 28  // at an item or a point, of all questions
	textKept  = 40       // letters of Found.Text
	itemSize  = 72       // bytes
	pointSize = 12
)

// Lengths in points.
const (
	hair  = 0.5 // what may overlap without covering
	thin  = 2   // how wide a line may be to be no more than a line
	small = 4   // the size of outlines that count as the rectangles around them
)

// Found is what stands in a rectangle.
type Found struct {
	Letters  int
	Text     string    // the first 40 of them, as the page paints them
	Pictures int       // images
	Shapes   int       // filled or drawn, neither white nor thin lines nor the background of the whole page
	Widgets  []pdf.Ref // form fields that show something there; a reference is zero where the page's /Annots holds the dictionary itself
	Annots   []pdf.Ref // other annotations that do
}

// Empty says that nothing stands there.
func (f *Found) Empty() bool {
	return f.Letters == 0 && f.Pictures == 0 && f.Shapes == 0 && len(f.Widgets) == 0 && len(f.Annots) == 0
}

// A Reader looks at pages of one file and keeps what they paint. It must not be used concurrently.
type Reader struct {
	f     *pdf.File
	text  *pdftext.Reader
	pages map[int]*page
	kept  int
	looks int // left
}

func New(f *pdf.File) *Reader {
	return &Reader{f: f, text: pdftext.New(f), pages: map[int]*page{}, looks: maxLooks}
}

// Under says what stands in box on page n, 1 the first. Box is left, bottom, right, top in the page's own coordinates (as /MediaBox
// has them). What annotations show counts too, but for those that except names. Where a part of the page cannot be read, an error says
// so and Found has the rest. Content that asks for too much is pdf.ErrLimit.
func (r *Reader) Under(ctx context.Context, n int, box [4]float64, except func(pdf.Ref) bool) (Found, error) {
	p, err := r.page(ctx, n)
	if err == nil {
		err = p.failed
	}
	if err != nil {
		return Found{}, err
	}
	if r.looks -= len(p.items) + len(p.points); r.looks < 0 {
		return Found{}, fmt.Errorf("%w: too much work to look at what page %d shows", pdf.ErrLimit, n)
	}
	return p.under(box, except), p.damage
}

// page reads a page, or remembers it.
func (r *Reader) page(ctx context.Context, n int) (*page, error) {
	if p := r.pages[n]; p != nil {
		return p, nil
	}
	at, err := r.f.Page(n)
	if err != nil {
		return nil, err
	}
	p := &page{f: r.f, box: at.CropBox, unit: 1 / at.UserUnit}
	damage, err := r.text.Paint(ctx, at, p.add)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		p = &page{failed: fmt.Errorf("what page %d shows: %w", n, err)}
	} else if damage != nil {
		p.damage = fmt.Errorf("what page %d shows: %w", n, damage)
	}
	size := itemSize*cap(p.items) + pointSize*cap(p.points)
	if r.kept += size; r.kept > maxKept {
		clear(r.pages)
		r.kept = size
	}
	r.pages[n] = p
	return p, nil
}

// A page is what it paints.
type page struct {
	f      *pdf.File
	box    pdftext.Rect // that is shown
	unit   float64      // a point in its units
	items  []item
	points []point
	annots []annot
	things int32
	inked  [grid]uint64 // where anything is that white would be seen on: rows of bits
	damage error        // of a part
	failed error        // of all
}

// An item is one thing painted.
type item struct {
	kind     pdftext.InkKind
	line     bool // a thin straight line: it counts only as a mark that an annotation makes
	evenOdd  bool
	annot    int32 // of page.annots, from 1 on; 0: the page itself
	thing    int32 // what it is a part of
	box      pdftext.Rect
	from, to int32 // the outline, of page.points; none: it fills its box
	text     string
}

type annot struct {
	*pdftext.Annot
	widget bool
}

// add takes what the page paints.
func (p *page) add(k *pdftext.Ink) error {
	if p.things++; p.things > maxInk {
		return errTooMany
	}
	it := item{kind: k.Kind, thing: p.things, box: k.Box, text: k.Text}
	if k.Annot != nil {
		if n := len(p.annots); n == 0 || p.annots[n-1].Annot != k.Annot {
			p.annots = append(p.annots, annot{k.Annot, k.Annot.Dict.Get("Subtype") == pdf.Name("Widget")})
		}
		it.annot = int32(len(p.annots))
	}
	if k.Tint.White() && (k.Kind != pdftext.Letter || !p.isInked(k.Box)) {
		return nil
	}
	switch k.Kind {
	case pdftext.Letter:
		if isLine(k.Text) {
			return nil
		}
		return p.put(it)
	case pdftext.Picture:
		p.ink(k.Box)
		if p.isThin(k.Box) {
			return nil
		}
		return p.put(it)
	case pdftext.Shade, pdftext.Area:
		p.ink(k.Box)
		if len(k.Path) <= maxBackground && p.isBackground(k.Box) && k.Annot == nil {
			return nil
		}
		if k.Kind == pdftext.Area {
			return p.area(it, k)
		}
		return p.put(it)
	case pdftext.Stroke:
		return p.stroke(it, k)
	case pdftext.Bare:
		shown, err := p.drawnByReaders(k.Annot.Dict)
		if err == nil && shown {
			return p.put(it)
		}
		return err
	}
	return nil
}

var errTooMany = fmt.Errorf("%w: too many things are painted", pdf.ErrLimit)

func (p *page) put(it item) error {
	if len(p.items) >= maxItems || len(p.points) > maxPoints {
		return errTooMany
	}
	p.items = append(p.items, it)
	return nil
}

// under looks what of the page is in a box.
func (p *page) under(box [4]float64, except func(pdf.Ref) bool) Found {
	var out Found
	whole := pdftext.Rect{min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])}
	inner := shrink(whole, hair*p.unit)
	skip, hit := make([]bool, len(p.annots)+1), make([]bool, len(p.annots)+1)
	for i, a := range p.annots {
		skip[i+1] = except != nil && except(a.Ref)
	}
	var text strings.Builder
	last := int32(0)
	for i := range p.items {
		it := &p.items[i]
		if skip[it.annot] || !p.touches(it, inner) {
			continue
		}
		hit[it.annot] = hit[it.annot] || !it.line || !p.widget(it)
		switch {
		case it.kind == pdftext.Letter:
			if !middle(it.box, whole) && !middle(whole, it.box) {
				continue
			}
			if out.Letters++; out.Letters <= textKept {
				text.WriteString(it.text)
			}
		case it.kind == pdftext.Picture:
			out.Pictures++
		case it.kind != pdftext.Bare && !it.line && it.thing != last:
			out.Shapes++
			last = it.thing
		}
	}
	out.Text = text.String()
	for i, a := range p.annots {
		switch {
		case !hit[i+1]:
		case a.widget:
			out.Widgets = append(out.Widgets, a.Ref)
		default:
			out.Annots = append(out.Annots, a.Ref)
		}
	}
	return out
}

func (p *page) widget(it *item) bool { return it.annot > 0 && p.annots[it.annot-1].widget }

// middle says whether the middle of a lies in b.
func middle(a, b pdftext.Rect) bool {
	x, y := (a[0]+a[2])/2, (a[1]+a[3])/2
	return x >= b[0] && x <= b[2] && y >= b[1] && y <= b[3]
}

// isLine says whether characters are only there to be written on.
func isLine(s string) bool {
	for _, r := range s {
		if !strings.ContainsRune("_.-·…‥‧‐‑‒–—―─━┄┅┈┉╌╍﹍﹎﹏＿．－￣¯ˍ⋯", r) {
			return false
		}
	}
	return true
}

// drawnByReaders says whether readers draw an annotation that has no appearance: most marks, and fields that have a value.
func (p *page) drawnByReaders(d *pdf.Dict) (bool, error) {
	switch d.Get("Subtype") {
	case pdf.Name("FreeText"), pdf.Name("Line"), pdf.Name("Square"), pdf.Name("Circle"), pdf.Name("Polygon"), pdf.Name("PolyLine"), pdf.Name("Highlight"),
		pdf.Name("Underline"), pdf.Name("Squiggly"), pdf.Name("StrikeOut"), pdf.Name("Ink"), pdf.Name("Stamp"), pdf.Name("Redact"):
		return true, nil
	case pdf.Name("Widget"):
		return p.hasValue(d)
	}
	return false, nil
}

// hasValue says whether a field has a value that readers write into it: not buttons, not signatures.
func (p *page) hasValue(d *pdf.Dict) (bool, error) {
	var kind pdf.Name
	value := false
	for range 16 {
		if kind == "" {
			kind, _ = d.Get("FT").(pdf.Name)
		}
		o, err := p.f.Resolve(d.Get("V"))
		if err != nil {
			return true, nil // whatever it is
		}
		switch v := o.(type) {
		case *pdf.String:
			value = value || len(v.Value) > 0
		case *pdf.Array, *pdf.Stream:
			value = true
		}
		if o, err = p.f.Resolve(d.Get("Parent")); err != nil {
			return true, nil
		}
		up, ok := o.(*pdf.Dict)
		if !ok {
			break
		}
		d = up
	}
	return value && kind != "Btn" && kind != "Sig", nil
}
