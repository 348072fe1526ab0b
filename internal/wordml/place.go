package wordml

import (
	"fmt"
	"math"
)

// gap is how far apart seals in a row stand, mm.
const gap = 1

const (
	pt    = 25.4 / 72 // mm
	edge  = 5         // how far from the edge of the page a seal in a header or footer stays, mm
	maxMM = 1000
)

// A position is where a picture stands, in millimetres.
type position struct {
	inline     bool
	horizontal string  // relative to what
	x          float64 // of its left edge
	vertical   string
	centred    bool // in the line; otherwise
	y          float64
	layout     int // 1: within the table cell; 0: over its edges as well

	// For programs that do not know the character: the same from the left edge of the page, or of the text, where the paragraph
	// itself says enough; both are empty otherwise.
	instead  string
	insteadX float64
}

// An extent is how large something is shown, in millimetres.
type extent struct{ w, h float64 }

func (e extent) check() error {
	for _, v := range []float64{e.w, e.h} {
		if !(v >= 0.1 && v <= maxMM) {
			return fmt.Errorf("%w: %g × %g mm", ErrPicture, e.w, e.h)
		}
	}
	return nil
}

// Place shows a picture at a place: its centre is dx to the right of and dy below the centre of the text there, in millimetres. Where
// seals of ours are already it goes to their left or right. In a paragraph of its own it stands at the right, and takes the room it
// needs; dx and dy count for nothing there.
//
// Notes: in-box (the text is in a text box, and the seal in the middle of that), in-row (a seal stands there already), overhang (it
// reaches over the edge of the page), in-line (the line of a long paragraph is known to Word alone; the picture is centred on that
// line as a program understands it), no-offset (there dy cannot be had).
func (d *Document) Place(s Spot, p Picture, dx, dy float64) ([]Splice, []Note, error) {
	e := extent{p.Width, p.Height}
	if err := e.check(); err != nil {
		return nil, nil, err
	}
	if err := p.check(); err != nil {
		return nil, nil, err
	}
	at, notes, err := d.locate(s, e, dx, dy)
	if err != nil {
		return nil, nil, err
	}
	return d.insert(s, at, d.drawing(p, at.position)), notes, nil
}

// A location is where something is inserted, and where it is shown.
type location struct {
	cut
	position
}

// locate finds where something of a size goes.
func (d *Document) locate(s Spot, e extent, dx, dy float64) (at location, notes []Note, err error) {
	for _, v := range []float64{dx, dy} {
		if math.IsNaN(v) || math.Abs(v) > maxMM {
			return at, nil, fmt.Errorf("%w: an offset of (%g, %g) mm", ErrPlace, dx, dy)
		}
	}
	switch s.kind {
	case inText, inPara:
		return d.onLine(s, e, dx, dy)
	case inRow, ownPara:
		return location{cut{at: s.at}, position{inline: true}}, nil, nil
	case inMargin:
		return d.inMargin(s, e, dx, dy)
	}
	return at, nil, fmt.Errorf("%w: the part has no body, or the place is of no part", ErrPlace)
}

// onLine finds the place of what is centred on a text, or on a point.
func (d *Document) onLine(s Spot, e extent, dx, dy float64) (at location, notes []Note, err error) {
	l := d.lines[s.line]
	p := &d.paras[l.para]
	if p.boxed {
		return d.onBox(p, e, dx, dy)
	}
	m, look := d.measure(s), d.look(p)
	if m.at < 0 {
		return at, nil, fmt.Errorf("%w: the text has no point where a picture could be anchored", ErrPlace)
	}
	page := d.section(p)
	left, known := look.left0(page, &m)
	room := p.room(page, &look)
	first := !l.broken && m.length*pt < 2*room && (m.x*pt+float64(look.lead)*twip < 0.85*room || (look.jc == "right" || look.jc == "end") && m.length*pt < room)
	certain := p.style == "" || d.styles != nil // that nothing else is said of it
	known = known && !p.inCell && m.length*pt < room && (p.own.has&hasJC != 0 || certain)
	centre := m.x*pt + dx
	moved, ok := d.beside(int(l.para), s.line, left, centre, e, func(x float64) bool {
		x += left
		return !known || x-e.w/2 >= 0 && x+e.w/2 <= page.Width
	})
	if !ok {
		return at, nil, fmt.Errorf("%w: there is no room beside the seals that stand there", ErrPlace)
	}
	if moved != centre {
		notes = append(notes, Note{"in-row", fmt.Sprintf("a seal stands there already; the new one stands beside it, %.0f mm to the %s",
			math.Abs(moved-centre), side(moved-centre))})
	}
	if x := moved + left; known && (x-e.w/2 < -0.5 || x+e.w/2 > page.Width+0.5) {
		notes = append(notes, Note{"overhang", "the seal reaches over the edge of the page"})
	}
	at.cut, at.layout = m.cut, 1
	if p.inCell {
		at.layout = 0
	}
	at.horizontal, at.x = "character", moved-m.cutX*pt-e.w/2
	switch {
	case known:
		at.instead, at.insteadX = "page", left+moved-e.w/2
	case p.inCell && first && m.known && certain && look.jc != "right" && look.jc != "end" && look.jc != "center":
		at.instead, at.insteadX = "text", float64(look.left+look.lead)*twip+moved-e.w/2
	}
	if first && look.before == 0 {
		at.vertical, at.y = "paragraph", look.middle(m.size, page.grid)-e.h/2+dy
		return at, notes, nil
	}
	at.vertical, at.centred = "line", true
	notes = append(notes, Note{"in-line", "where the lines of the paragraph break is for the program that shows it to say; " +
		"the seal is centred on the line of the text"})
	if dy != 0 {
		notes = append(notes, Note{"no-offset", fmt.Sprintf("the seal is not moved by %g mm up or down, as it is centred on a line", dy)})
	}
	return at, notes, nil
}

// onBox finds the place of what is to be in a text box: Word shows no floating picture inside of it, but over it.
func (d *Document) onBox(p *para, e extent, dx, dy float64) (at location, notes []Note, err error) {
	if p.box < 0 {
		return at, nil, fmt.Errorf("%w: it is in a text box of which the document does not say where it stands; use a text outside of it", ErrPlace)
	}
	b := d.boxes[p.box]
	at.cut = cut{at: b.at, inRun: true}
	at.horizontal, at.x = b.placed[0].from, b.placed[0].mm+(b.w-e.w)/2+dx
	at.vertical, at.y = b.placed[1].from, b.placed[1].mm+(b.h-e.h)/2+dy
	at.layout = 1
	return at, []Note{{"in-box", "the text is in a text box; the seal is in the middle of the box"}}, nil
}

func side(x float64) string {
	if x < 0 {
		return "left"
	}
	return "right"
}

// left0 is where the line of a text begins, from the left edge of the page; known: as far as the paragraph says so itself.
func (p *shape) left0(page *Section, m *measure) (x float64, known bool) {
	left := page.Left + float64(p.left)*twip
	right := page.Width - page.Right - float64(p.right)*twip
	switch p.jc {
	case "right", "end":
		return right - m.length*pt, m.known
	case "center":
		return (left + right + float64(p.lead)*twip - m.length*pt) / 2, m.known
	}
	return left + float64(p.lead)*twip, m.known
}

// room is how wide the lines of a paragraph are, mm.
func (p *para) room(page *Section, look *shape) float64 {
	w := page.Width - page.Left - page.Right
	const inside = 216 // of a cell, what it leaves free at its sides, twips
	switch {
	case p.inCell && p.cell > inside:
		w = min(w, float64(p.cell-inside)*twip)
	case p.inCell:
		w /= 4
	}
	return w - float64(look.left+look.right)*twip
}

// middle is where the middle of the characters of the first line is, from its top, mm.
func (p *shape) middle(size float64, grid int) float64 {
	const natural = 1.3 // height of a line in common fonts
	h := natural * size
	set := float64(p.line) / 20 // points, where rule says so
	switch {
	case p.rule == "exact" && set > 0:
		return set / 2 * pt
	case p.rule == "atLeast":
		return (max(h, set) - h/2) * pt
	case grid > 0:
		g := float64(grid) / 20
		h = math.Ceil(h/g) * g
	}
	return h / 2 * pt // where the lines are to be higher than the text needs, the room is below it
}

// maxRow bounds the seals that one paragraph has.
const maxRow = 64

// beside moves what is centred at x of a line until it touches nothing of ours that is anchored there: to the left first, since the
// organ that signs last stands over the date, at the right.
func (d *Document) beside(para, line int, left, x float64, e extent, fits func(x float64) bool) (float64, bool) {
	type interval struct{ middle, w float64 }
	var taken []interval
	looked := 0
	for _, o := range d.anchored {
		if o.para != para {
			continue
		}
		if looked++; looked > maxRow {
			return x, false
		}
		if d.lineAt(para, o.at) != line {
			continue
		}
		x := o.x + o.w/2
		switch o.from {
		case "page":
			x -= left
		case "text":
			look := d.look(&d.paras[para])
			x -= float64(look.left+look.lead) * twip
		default:
			x += d.measure(Spot{kind: inPara, line: line, at: o.at}).x * pt
		}
		taken = append(taken, interval{x, o.w})
	}
	free := func(x float64) bool {
		for _, o := range taken {
			if math.Abs(x-o.middle) < (o.w+e.w)/2+gap/2.0 {
				return false
			}
		}
		return true
	}
	if free(x) {
		return x, true
	}
	for step := 1.0; step*(e.w+gap) < maxMM; step++ {
		for _, side := range []float64{-1, 1} {
			if c := x + side*step*(e.w+gap); fits(c) && free(c) {
				return c, true
			}
		}
	}
	return x, false
}

// lineAt is the line of a paragraph in which a byte stands.
func (d *Document) lineAt(para, at int) int {
	found := -1
	for i, l := range d.lines {
		if int(l.para) == para && (found < 0 || l.first < l.end && int(d.pieces[l.first].tag) <= at) {
			found = i
		}
	}
	return found
}

// inMargin finds the place in a header or footer: in the middle of the margin, or near the edge of the page where the margin is too
// narrow; at the right, or to the left of what is there.
func (d *Document) inMargin(s Spot, e extent, dx, dy float64) (at location, notes []Note, err error) {
	if s.at < 0 {
		return at, nil, fmt.Errorf("%w: the header or footer has no paragraph that could take it", ErrPlace)
	}
	page := s.page
	x := page.Width - page.Right - e.w + dx
	for _, o := range d.anchored {
		if o.from == "page" && math.Abs(x-o.x) < max(e.w, o.w) {
			x = min(x, o.x-gap-e.w)
		}
	}
	if x < 0 {
		return at, nil, fmt.Errorf("%w: there is no room beside the seals that stand there", ErrPlace)
	}
	y := max(edge, (page.Top-e.h)/2)
	if d.footer {
		y = page.Height - max(edge, (page.Bottom-e.h)/2) - e.h
	}
	at.cut = cut{at: s.at}
	at.horizontal, at.x, at.vertical, at.y = "page", x, "page", y+dy
	at.layout = 1
	return at, notes, nil
}

// insert puts a child of w:r where it belongs.
func (d *Document) insert(s Spot, at location, child string) []Splice {
	switch {
	case at.inRun:
		return []Splice{{at.at, at.before + child + at.after}}
	case s.kind == ownPara:
		left, right := "left", "right"
		if d.ns == &strict {
			left, right = "start", "end"
		}
		props := `<w:keepLines/><w:snapToGrid w:val="0"/>` +
			`<w:spacing w:before="0" w:beforeAutospacing="0" w:after="0" w:afterAutospacing="0" w:line="240" w:lineRule="auto"/>` +
			`<w:ind w:` + left + `="0" w:` + right + `="0" w:firstLine="0"/><w:jc w:val="` + right + `"/>`
		return []Splice{{at.at, `<w:p xmlns:w="` + d.ns.w + `"><w:pPr>` + props + `</w:pPr><w:r>` + child + `</w:r></w:p>`}}
	case s.fresh:
		return []Splice{{at.at, `<w:p xmlns:w="` + d.ns.w + `"><w:pPr><w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/></w:pPr><w:r>` + child + `</w:r></w:p>`}}
	}
	return []Splice{{at.at, `<w:r xmlns:w="` + d.ns.w + `">` + child + `</w:r>`}}
}
