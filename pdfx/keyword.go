package pdfx

import (
	"fmt"
	"math"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdftext"
)

// atKeyword finds the places of a text.
func (pl *planner) atKeyword(k Keyword) ([]wish, error) {
	if k.Text == "" || math.IsNaN(k.DX) || math.IsNaN(k.DY) {
		return nil, fmt.Errorf("%w: Keyword %+v", ErrOptions, k)
	}
	var found []pdftext.Match
	r := pdftext.New(pl.f)
	for t, err := range r.Pages(pl.ctx) {
		if err != nil {
			return nil, err
		}
		if found = append(found, t.Find(k.Text)...); k.Occurrence > 0 && len(found) >= k.Occurrence {
			break
		}
	}
	pl.unread(r)
	pick := found
	switch n, all := k.Occurrence, len(found); {
	case all == 0:
		return nil, nowhere(r, fmt.Errorf("%w: the text %q does not stand on any page", ErrPlace, k.Text))
	case n == Every:
	case n == 0 && all > 1:
		return nil, fmt.Errorf("%w: %q, %d times: %s; say which Occurrence", ErrSeveral, k.Text, all, places(found))
	case n == 0:
	case n > all || -n > all:
		return nil, fmt.Errorf("%w: the text %q stands %d times; there is no occurrence %d", ErrPlace, k.Text, all, n)
	case n > 0:
		pick = found[n-1 : n]
	default:
		pick = found[all+n : all+n+1]
	}
	wishes := make([]wish, len(pick))
	for i, m := range pick {
		b := seen(m.On, rect(m.Box))
		wishes[i] = wish{page: m.On, n: m.Page, at: At{m.Page, b.X + b.W/2 + k.DX, b.Y + b.H/2 + k.DY}, found: true}
	}
	return wishes, nil
}

// unread notes what of the pages could not be read.
func (pl *planner) unread(r *pdftext.Reader) {
	if err := r.Unread(); err != nil {
		pl.note("text-unread", "some text could not be read and was not searched: %v", err)
	}
}

// nowhere adds to an error that something may have been overlooked.
func nowhere(r *pdftext.Reader, err error) error {
	if u := unread(r); u != nil {
		return fmt.Errorf("%w; %w", err, u)
	}
	return err
}

// places names the first pages and places of what was found.
func places(found []pdftext.Match) string {
	s := ""
	for i, m := range found[:min(len(found), 8)] {
		if i > 0 {
			s += ", "
		}
		b := seen(m.On, rect(m.Box))
		s += fmt.Sprintf("page %d at (%.0f, %.0f) mm", m.Page, b.X, b.Y)
	}
	if len(found) > 8 {
		s += ", …"
	}
	return s
}

// How far above the middle of the date the seal's centre stands, in radii: the lower arc lies over the date (骑年盖月). Other
// heights are taken where this one would cover other text.
const (
	overDate    = 0.6
	overDateMin = 0.5
	overDateMax = 0.9
	overStep    = 0.02
)

// onDate is the place on the last date of a signature block.
func (pl *planner) onDate(a *appearance.Appearance) (wish, error) {
	r := pdftext.New(pl.f)
	page, dates, err := r.Dates(pl.ctx)
	if err != nil {
		return wish{}, err
	}
	pl.unread(r)
	if len(dates) == 0 {
		return wish{}, nowhere(r, fmt.Errorf("%w: no page has a line that is a date, such as 二〇二六年六月一日 or 2026年6月1日", ErrPlace))
	}
	date := dates[len(dates)-1]
	b := seen(date.On, rect(date.Box))
	at := At{date.Page, b.X + b.W/2, b.Y + b.H/2}
	if len(dates) > 1 {
		pl.note("dates", "page %d has %d lines that are dates; the seal is on the last of them, %s", date.Page, len(dates), date.Text)
	}
	w := wish{page: date.On, n: date.Page, at: at, found: true}
	for i, g := range page.Glyphs {
		if i < date.First || i > date.Last {
			w.clear = append(w.clear, seen(page.Page, rect(g.Box)))
		}
	}
	width, height, full := a.Width/appearance.MM, a.Height/appearance.MM, sheet(date.On)
	w.at.X = within(at.X, width, full.W)
	covers := math.MaxInt
	for k := 0; ; k++ { // overDate first, then further and further from it
		up := overDate + overStep*float64((k+1)/2)*float64(1-2*(k%2))
		if up > overDateMax+overStep {
			break
		}
		if up < overDateMin || up > overDateMax {
			continue
		}
		c := At{date.Page, w.at.X, within(at.Y-up*height/2, height, full.H)}
		if n := covered(w.clear, c, a); n < covers {
			w.at, covers = c, n
		}
	}
	return w, nil
}

// within moves the middle of what is so long to where no edge of the page cuts it off.
func within(middle, length, page float64) float64 {
	if length > page {
		return middle
	}
	return min(max(middle, length/2), page-length/2)
}

// covered counts the boxes that a seal reaches, which is round or oval.
func covered(list []box, at At, a *appearance.Appearance) (n int) {
	rx, ry := a.Width/appearance.MM/2, a.Height/appearance.MM/2
	for _, b := range list {
		dx := max(b.X-at.X, 0, at.X-b.X-b.W) / rx
		dy := max(b.Y-at.Y, 0, at.Y-b.Y-b.H) / ry
		if dx*dx+dy*dy < 1 {
			n++
		}
	}
	return n
}
