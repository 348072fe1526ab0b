package wordml

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// A shape is what is said of a paragraph: in its own properties, or in a style. Lengths are in twips.
type shape struct {
	has               uint8 // what is said
	before, line      int
	rule, jc          string
	left, right, lead int    // indents, and that of the first line beyond left
	half              uint16 // size of its text, half points; a run's own goes before it
}

const (
	hasBefore = 1 << iota
	hasLine
	hasJC
	hasLeft
	hasRight
	hasLead
	hasHalf
)

// under gives what is said by x where s says nothing.
func (s shape) under(x shape) shape {
	missing := func(bit uint8) bool { return s.has&bit == 0 }
	if missing(hasBefore) {
		s.before = x.before
	}
	if missing(hasLine) {
		s.line, s.rule = x.line, x.rule
	}
	if missing(hasJC) {
		s.jc = x.jc
	}
	if missing(hasLeft) {
		s.left = x.left
	}
	if missing(hasRight) {
		s.right = x.right
	}
	if missing(hasLead) {
		s.lead = x.lead
	}
	if missing(hasHalf) {
		s.half = x.half
	}
	s.has |= x.has
	return s
}

// read takes a property of a paragraph.
func (s *shape) read(t *xmldoc.Token, ns string) {
	one := func(to *int, bit uint8, sign int, names ...string) {
		for _, name := range names {
			if v, ok := t.Attr(ns, name); ok {
				*to = sign * twips(v)
				s.has |= bit
			}
		}
	}
	switch t.Name.Local {
	case "spacing":
		one(&s.before, hasBefore, 1, "before")
		if v, ok := t.Attr(ns, "beforeLines"); ok && v != "0" { // goes before the other
			s.before = max(s.before, 1)
			s.has |= hasBefore
		}
		one(&s.line, hasLine, 1, "line")
		if v, ok := t.Attr(ns, "lineRule"); ok {
			s.rule = known(v, "auto", "exact", "atLeast")
		}
	case "jc":
		if v, ok := t.Attr(ns, "val"); ok {
			s.jc = known(v, "both", "left", "start", "center", "right", "end")
			s.has |= hasJC
		}
	case "ind":
		one(&s.left, hasLeft, 1, "left", "start")
		one(&s.right, hasRight, 1, "right", "end")
		one(&s.lead, hasLead, 1, "firstLine")
		one(&s.lead, hasLead, -1, "hanging")
	}
}

// known gives a value that matters, or the first.
func known(v string, list ...string) string {
	return list[max(0, slices.Index(list, v))]
}

// A style is one of paragraphs.
type style struct {
	shape
	basedOn string
}

// styles are what is said of all paragraphs, and of those with a style, by its ID.
type styles struct {
	defaults shape
	usual    string // of paragraphs that name none
	byID     map[string]style
}

const maxStyles = 1 << 14

// UseStyles tells a document of the styles part, so that it knows how large the text is of whose size it says nothing itself,
// and how its paragraphs are aligned.
func (d *Document) UseStyles(part []byte, limits xmldoc.Limits) error {
	s, err := xmldoc.NewScanner(part, limits)
	if err != nil {
		return err
	}
	all := styles{byID: map[string]style{}}
	var id string // of the style that is open
	var usual bool
	var now style
	path := make([]string, 0, 16) // local names of the open elements
	for {
		t, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		switch {
		case t.Kind == xmldoc.End:
			path = path[:len(path)-1]
			if t.Depth == 2 && id != "" && len(all.byID) < maxStyles {
				all.byID[id] = now
				if usual {
					all.usual = id
				}
			}
			if t.Depth == 2 {
				id = ""
			}
		case t.Kind != xmldoc.Start:
		default:
			path = append(path, t.Name.Local)
			if t.Name.Space != d.ns.w {
				path[len(path)-1] = ""
			}
			switch in := strings.Join(path[min(1, len(path)):max(1, len(path)-1)], "/"); {
			case t.Depth == 1 && path[0] != "styles":
				return fmt.Errorf("%w: the styles are not of the same class as the document, or no styles", ErrNotWord)
			case t.Depth == 2:
				now, id, usual = style{}, "", false
				if kind, _ := t.Attr(d.ns.w, "type"); t.Name.Local == "style" && kind == "paragraph" {
					v, _ := t.Attr(d.ns.w, "styleId")
					id = strings.Clone(v)
					v, _ = t.Attr(d.ns.w, "default")
					usual = v == "1" || v == "true" || v == "on"
				}
			case in == "style" && t.Name.Local == "basedOn":
				v, _ := t.Attr(d.ns.w, "val")
				now.basedOn = strings.Clone(v)
			case in == "style/pPr":
				now.read(&t, d.ns.w)
			case in == "style/rPr":
				now.size(&t, d.ns.w)
			case in == "docDefaults/pPrDefault/pPr":
				all.defaults.read(&t, d.ns.w)
			case in == "docDefaults/rPrDefault/rPr":
				all.defaults.size(&t, d.ns.w)
			}
		}
	}
	d.styles = &all
	return nil
}

// size takes the size of text.
func (s *shape) size(t *xmldoc.Token, ns string) {
	if t.Name.Local != "sz" {
		return
	}
	v, _ := t.Attr(ns, "val")
	if half, ok := halfPoints(v); ok {
		s.half = half
		s.has |= hasHalf
	}
}

// look is what is known of a paragraph.
func (d *Document) look(p *para) shape {
	s := *p.own
	if d.styles == nil {
		return s
	}
	id := p.style
	if id == "" {
		id = d.styles.usual
	}
	const deepest = 16 // Word has at most 11 styles based on each other
	for range deepest {
		x, ok := d.styles.byID[id]
		if !ok {
			break
		}
		s, id = s.under(x.shape), x.basedOn
	}
	return s.under(d.styles.defaults)
}

// halfPoints reads the size of a font.
func halfPoints(v string) (uint16, bool) {
	if pt, ok := strings.CutSuffix(v, "pt"); ok {
		n, err := strconv.ParseFloat(pt, 64)
		return uint16(2 * min(max(n, 0), 2000)), err == nil && n > 0 && n < 2000
	}
	n, err := strconv.Atoi(v)
	return uint16(n), err == nil && n > 0 && n < 4000
}

// twips reads a measure: a number of twips, or one with a unit. 0: it is none.
func twips(v string) int {
	unit := 1.0
	if n := len(v) - 2; n > 0 {
		if f, ok := units[v[n:]]; ok {
			unit, v = f, v[:n]
		}
	}
	x, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(x) || math.Abs(x*unit) > 1e6 {
		return 0
	}
	return int(x * unit)
}

// units of measures, in twips.
var units = map[string]float64{"pt": 20, "in": 1440, "mm": 1440 / 25.4, "cm": 1440 / 2.54, "pc": 240, "pi": 240}
