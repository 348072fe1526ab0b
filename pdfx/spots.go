package pdfx

import (
	"errors"
	"fmt"
	"math"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/sign"
)

// A spot is one widget: a window on a page.
type spot struct {
	page *pdf.Page
	n    int // number of the page
	box  box // of the window
	view appearance.View
	form pdf.Ref
	ref  pdf.Ref // of the widget
}

// centre is that of the picture, or of the part of it that the window shows.
func (s *spot) centre() At {
	left, right := max(0, s.view.X), min(s.view.Width, s.view.X+s.view.W)
	return At{s.n, s.box.X + (left+right)/2/appearance.MM, s.box.Y + s.box.H - (s.view.Y+s.view.H/2)/appearance.MM}
}

func (s *spot) widget() string {
	w := " /Type /Annot /Subtype /Widget /F 132 /P " + s.page.Ref.R()
	if s.form.Num == 0 {
		return w + " /Rect [0 0 0 0]"
	}
	return w + " /Rect " + onPage(s.page, s.box).String() + " /AP << /N " + s.form.R() + " >>"
}

// A wish is a place wanted for the whole seal.
type wish struct {
	page  *pdf.Page
	n     int
	at    At    // of the seal's centre
	found bool  // by a text, and not given in millimetres: it gives way to seals that are there
	clear []box // characters that the seal should not cover
}

// spots finds the pages and places, and adds the seal's image and a form for each view of it.
func (pl *planner) spots(p sign.Profile, o Options) ([]spot, error) {
	beside, err := pl.texts(p, o)
	if err != nil {
		return nil, err
	}
	if len(o.At) == 0 && o.Keyword == nil && !o.DateLine && o.Straddle == nil {
		if !beside.none() {
			return nil, fmt.Errorf("%w: a text beside a seal that is shown nowhere", ErrOptions)
		}
		page, err := pl.f.Page(1)
		if err != nil {
			return nil, fmt.Errorf("page 1: %w", err)
		}
		return []spot{{page: page}}, nil
	}
	if p.Picture == nil {
		return nil, fmt.Errorf("%w: the signer has no picture to show", ErrPlace)
	}
	a, err := appearance.Of(p.Picture)
	if err != nil {
		return nil, err
	}
	wishes, err := pl.wishes(a, o)
	if err != nil {
		return nil, err
	}
	var spots []spot
	for _, w := range wishes {
		s, err := pl.whole(a, beside, w, spots)
		if err != nil {
			return nil, err
		}
		spots = append(spots, s)
	}
	if o.Straddle != nil {
		strips, err := pl.straddle(a, *o.Straddle, spots)
		if err != nil {
			return nil, err
		}
		spots = append(spots, strips...)
	}
	return spots, pl.show(a, spots)
}

// wishes are the places of the whole seal.
func (pl *planner) wishes(a *appearance.Appearance, o Options) ([]wish, error) {
	list := make([]wish, 0, len(o.At))
	for _, at := range o.At {
		page, n, err := pl.page(at.Page)
		if err != nil {
			return nil, err
		}
		list = append(list, wish{page: page, n: n, at: at})
	}
	if o.Keyword != nil {
		found, err := pl.atKeyword(*o.Keyword)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	if o.DateLine {
		w, err := pl.onDate(a)
		if err != nil {
			return nil, err
		}
		list = append(list, w)
	}
	return list, nil
}

// gap is how far apart seals in a row stand, mm.
const gap = 1

// whole places the whole seal and what stands beside it.
func (pl *planner) whole(a *appearance.Appearance, beside texts, w wish, before []spot) (spot, error) {
	for _, v := range []float64{w.at.X, w.at.Y} {
		if math.IsNaN(v) || math.Abs(v) > 1e6 {
			return spot{}, fmt.Errorf("%w: (%g, %g) mm", ErrPlace, w.at.X, w.at.Y)
		}
	}
	others, err := pl.sealsOn(w.page)
	if err != nil {
		return spot{}, err
	}
	for _, s := range before {
		if s.page.Ref == w.page.Ref {
			others = append(others[:len(others):len(others)], s.box)
		}
	}
	full := sheet(w.page)
	s := beside.frame(a, w, full)
	if !s.box.touches(full, 0) {
		return s, fmt.Errorf("%w: (%.1f, %.1f) mm lies outside of page %d, which has %.0f × %.0f mm", ErrPlace, w.at.X, w.at.Y, w.n, full.W, full.H)
	}
	if w.found {
		b, ok := inRow(s.box, others, full)
		if !ok {
			return s, fmt.Errorf("%w: page %d has no room beside the seals at (%.0f, %.0f) mm", ErrPlace, w.n, w.at.X, w.at.Y)
		}
		if b != s.box {
			pl.note("in-row", "a seal stands there already; the new one stands beside it, at %.0f mm from the left of page %d", b.X+b.W/2, w.n)
		}
		s.box = b
	} else if touchesAny(s.box, others, 0) {
		pl.note("overlap", "the seal at (%.1f, %.1f) mm touches another seal of page %d", w.at.X, w.at.Y, w.n)
	}
	if s.box.overhangs(full) {
		pl.note("overhang", "the seal at (%.1f, %.1f) mm reaches over the edge of page %d", s.centre().X, s.centre().Y, w.n)
	}
	if n := covered(w.clear, s.centre(), a); n > 0 {
		pl.note("over-text", "the seal on the date covers %d other characters of page %d", n, w.n)
	}
	return s, nil
}

func touchesAny(b box, others []box, gap float64) bool {
	for _, c := range others {
		if b.touches(c, gap) {
			return true
		}
	}
	return false
}

// inRow moves a seal along its row until it touches none that is there: to the left first, since the organ that signs last
// stands over the date, at the right.
func inRow(b box, others []box, sheet box) (box, bool) {
	if !touchesAny(b, others, gap/2) {
		return b, true
	}
	for step := 1.0; step*(b.W+gap) < sheet.W; step++ {
		for _, side := range []float64{-1, 1} {
			c := b
			c.X += side * step * (b.W + gap)
			if !c.overhangs(sheet) && !touchesAny(c, others, gap/2) {
				return c, true
			}
		}
	}
	return b, false
}

// maxAnnots bounds how many annotations of a page are looked at for seals.
const maxAnnots = 2000

// sealsOn gives the signature fields that a page shows, signed or not.
func (pl *planner) sealsOn(p *pdf.Page) ([]box, error) {
	if list, ok := pl.seals[p.Ref]; ok {
		return list, nil
	}
	list, err := pl.findSeals(p)
	if err != nil {
		return nil, fmt.Errorf("/Annots of a page: %w", err)
	}
	pl.seals[p.Ref] = list
	return list, nil
}

func (pl *planner) findSeals(p *pdf.Page) (list []box, err error) {
	if pl.catalog.Get("AcroForm") == nil {
		return nil, nil
	}
	annots, _, err := pl.f.ArrayIn(p.Indirect, p.Dict().Get("Annots"))
	if err != nil || annots == nil {
		return nil, err
	}
	for _, o := range annots.Items[:min(len(annots.Items), maxAnnots)] {
		o, err := pl.f.Resolve(o)
		if err != nil {
			return nil, err
		}
		d, ok := o.(*pdf.Dict)
		if !ok || d.Get("Subtype") != pdf.Name("Widget") {
			continue
		}
		kind := d.Get("FT")
		if kind == nil {
			parent, err := pl.f.GetDict(d, "Parent")
			if err != nil {
				return nil, err
			}
			kind = parent.Get("FT")
		}
		if kind != pdf.Name("Sig") {
			continue
		}
		r, ok, err := pl.f.Rectangle(d.Get("Rect"))
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, seen(p, rect(r)))
		}
	}
	return list, nil
}

// show adds the image and a form for each view.
func (pl *planner) show(a *appearance.Appearance, spots []spot) error {
	img, err := a.PutImage(pl.f, pl.u)
	if err != nil {
		return err
	}
	forms := map[appearance.View]pdf.Ref{}
	for i := range spots {
		s := &spots[i]
		form, ok := forms[s.view]
		if !ok {
			if form, err = a.PutForm(pl.u, img, s.view); err != nil {
				return err
			}
			forms[s.view] = form
		}
		s.form = form
		pl.shown = append(pl.shown, s.centre())
	}
	return nil
}

func (pl *planner) page(n int) (*pdf.Page, int, error) {
	want := n
	if n < 0 {
		all, err := pl.f.NumPages()
		if err != nil {
			return nil, n, fmt.Errorf("counting the pages: %w", err)
		}
		n += all + 1
	}
	if n < 1 {
		return nil, n, fmt.Errorf("%w: no page %d; 1 is the first, -1 the last", ErrPlace, want)
	}
	page, err := pl.f.Page(n)
	if errors.Is(err, pdf.ErrNoPage) {
		return nil, n, fmt.Errorf("%w: %w", ErrPlace, err)
	}
	if err != nil {
		return nil, n, fmt.Errorf("page %d: %w", n, err)
	}
	return page, n, nil
}
