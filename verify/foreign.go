package verify

import (
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftext"
	"github.com/courtseal/courtseal/seal"
)

// most pictures of one appearance of other software that are compared, and the part of a picture that must be seen of it.
const (
	maxForeign = 4
	seenWhole  = 0.95
)

// A foreignLook is a look at an appearance that other software made.
type foreignLook struct {
	pictures []pdftext.Ink
	covered  []bool // by what is painted after it
	others   bool   // something else than pictures is painted
}

// foreign compares an appearance that other software made: a picture in it may look like the one in the seal. Where it paints one picture and
// nothing else, and that does not, it is another one.
func (d *document) foreign(v *view, page *pdf.Page, w *pdf.Dict, e *seal.Seal) error {
	x := d.gallery.hang(e)
	if ap, err := d.file.GetDict(w, "AP"); err != nil {
		return err
	} else if x == nil || len(ap.Entries) != 1 || d.gallery.ink(x) == nil { // with another look when touched it is not compared
		v.foreign = true
		return nil
	}
	var look foreignLook
	damage, err := d.painted.Appearance(d.ctx, page, w, look.see)
	switch {
	case err != nil && !isOfFile(err):
		return err
	case err != nil || damage != nil || len(look.pictures) > maxForeign:
		v.foreign = true
		return nil
	}
	best, unlike := 0.0, len(look.pictures) == 1 && !look.others
	for i, k := range look.pictures {
		if look.covered[i] || cut(&k) {
			unlike = false
			continue
		}
		shape, _, _ := seenOn(page, k.Image.Matrix)
		p, err := d.gallery.printOf(d.file, k.Image, shape)
		if err != nil && !isPictureError(err) {
			return err
		}
		if d.gallery.left--; err != nil || p == nil || d.gallery.left < 0 {
			unlike = false
			continue
		}
		likeness := d.gallery.ink(x).Likeness(p)
		best, unlike = max(best, likeness), unlike && likeness < unlikeTo
	}
	switch {
	case best >= alikeFrom && (v.alike == 0 || best < v.alike):
		v.alike = min(1, best)
	case best >= alikeFrom:
	case unlike:
		v.differs = true
	default:
		v.foreign = true
	}
	return nil
}

// see takes one thing that the appearance paints.
func (l *foreignLook) see(k *pdftext.Ink) error {
	for i, p := range l.pictures {
		if k.Kind != pdftext.Stroke && k.Kind != pdftext.Letter && share(p.Box, k.Box) > 1-seenWhole {
			l.covered[i] = true
		}
	}
	if k.Kind != pdftext.Picture {
		l.others = true
		return nil
	}
	if len(l.pictures) <= maxForeign {
		l.pictures, l.covered = append(l.pictures, *k), append(l.covered, k.Tint.White())
	}
	return nil
}

// cut says that clipping, or the edge of the page, leaves only a part of a picture.
func cut(k *pdftext.Ink) bool {
	m := k.Image.Matrix
	whole := pdftext.Rect{m[4] + min(0, m[0]) + min(0, m[2]), m[5] + min(0, m[1]) + min(0, m[3]),
		m[4] + max(0, m[0]) + max(0, m[2]), m[5] + max(0, m[1]) + max(0, m[3])}
	return share(whole, k.Box) < seenWhole
}

// share is the part of a that b covers.
func share(a, b pdftext.Rect) float64 {
	return area(max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])) / max(area(a[0], a[1], a[2], a[3]), 1e-9)
}
