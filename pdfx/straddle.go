package pdfx

import (
	"fmt"
	"math"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
)

// leastStrip is how much of a straddle seal a page shows at least where Most leaves it open, mm.
const leastStrip = 3

// straddle cuts the seal into strips, one for each page, and lays them at the edge.
func (pl *planner) straddle(a *appearance.Appearance, o Straddle, before []spot) ([]spot, error) {
	pages, err := pl.straddled(o)
	if err != nil {
		return nil, err
	}
	width, height := a.Width/appearance.MM, a.Height/appearance.MM
	most := o.Most
	if most <= 0 {
		most = max(2, int(width/leastStrip))
	}
	seals := (len(pages) + most - 1) / most
	widest := width / float64(len(pages)/seals)
	y, err := pl.level(o, pages, before, widest, height)
	if err != nil {
		return nil, err
	}
	spots := make([]spot, 0, len(pages))
	for k := range seals {
		group := pages[k*len(pages)/seals : (k+1)*len(pages)/seals]
		for i, s := range group {
			part := i // of the seal, from the left
			if o.Edge == Left {
				part = len(group) - 1 - i
			}
			s.view = a.Strip(float64(part)/float64(len(group)), float64(part+1)/float64(len(group)), s.page.Rotate)
			s.box = box{0, y - height/2, s.view.Width / appearance.MM, height}
			if o.Edge == Right {
				s.box.X = sheet(s.page).W - s.box.W
			}
			if s.box.overhangs(sheet(s.page)) {
				pl.note("overhang", "the straddle seal reaches over the edge of page %d", s.n)
			}
			spots = append(spots, s)
		}
	}
	return spots, nil
}

// straddled lists the pages that a straddle seal takes.
func (pl *planner) straddled(o Straddle) ([]spot, error) {
	if o.Edge != Right && o.Edge != Left || o.Pages < AllPages || o.Pages > EvenPages || math.IsNaN(o.Y) || math.Abs(o.Y) > 1e6 || o.Most < 0 {
		return nil, fmt.Errorf("%w: Straddle %+v", ErrOptions, o)
	}
	var pages []spot
	err := pl.f.EachPage(func(n int, p *pdf.Page) error {
		if o.Pages == AllPages || o.Pages == OddPages && n%2 == 1 || o.Pages == EvenPages && n%2 == 0 {
			pages = append(pages, spot{page: p, n: n})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the pages: %w", err)
	}
	if len(pages) == 0 {
		return nil, fmt.Errorf("%w: the document has no such page for a straddle seal", ErrPlace)
	}
	return pages, nil
}

// level is the height of the seal's centre, mm from the top. One that is left open lies in the middle of the lowest page, or
// nearest to it where no page shows another seal at that edge.
func (pl *planner) level(o Straddle, pages, before []spot, width, height float64) (float64, error) {
	if o.Y != 0 {
		return o.Y, nil
	}
	low := math.Inf(1)
	var taken []box // as if all pages lay on one another, at their edge
	for _, s := range pages {
		full := sheet(s.page)
		low = min(low, full.H)
		others, err := pl.sealsOn(s.page)
		if err != nil {
			return 0, err
		}
		for _, w := range before {
			if w.page.Ref == s.page.Ref {
				others = append(others[:len(others):len(others)], w.box)
			}
		}
		for _, b := range others {
			if o.Edge == Right {
				b.X -= full.W - width
			}
			if b.touches(box{0, 0, width, full.H}, 0) {
				taken = append(taken, b)
			}
		}
	}
	for step := 0.0; step*(height+gap) < low/2; step++ {
		for _, side := range []float64{1, -1} {
			y := low/2 + side*step*(height+gap)
			b := box{0, y - height/2, width, height}
			if b.Y >= 0 && b.Y+b.H <= low && !touchesAny(b, taken, gap/2) {
				return y, nil
			}
		}
	}
	pl.note("overlap", "the straddle seal touches another seal at the edge of a page")
	return low / 2, nil
}
