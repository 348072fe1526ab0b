package wordml

import (
	"fmt"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// A Section is a part of a document with pages of one size. Lengths are in millimetres.
type Section struct {
	Width, Height            float64 // of its pages
	Left, Right, Top, Bottom float64 // margins
	Header, Footer           string  // relationship IDs of what its pages show, from an earlier section if need be; empty: none
	FirstDiffers             bool    // its first page has another header and footer
	EvenDiffers              bool    // there are headers or footers for even pages; the settings say whether they are used

	grid int // twips between lines of its text, 0: none
}

const twip = 25.4 / 1440 // mm

// a4 is the page where a document says nothing.
var a4 = Section{Width: 210, Height: 297, Left: 31.8, Right: 31.8, Top: 25.4, Bottom: 25.4}

// LastSection gives the section at the end of a main document.
func (d *Document) LastSection() Section {
	if n := len(d.sections); n > 0 {
		return d.sections[n-1]
	}
	return a4
}

// section of a paragraph.
func (d *Document) section(p *para) *Section {
	if len(d.sections) == 0 {
		return &a4
	}
	return &d.sections[min(int(p.section), len(d.sections)-1)]
}

const maxSections = 1 << 14

func (s *scan) startSection(t *xmldoc.Token) {
	s.sect = a4
	s.sect.FirstDiffers = false
	if n := len(s.d.sections); n > 0 {
		before := &s.d.sections[n-1]
		s.sect.Header, s.sect.Footer, s.sect.EvenDiffers = before.Header, before.Footer, before.EvenDiffers
	}
	if s.parent(0).role == story {
		s.d.body, s.d.lastSect = t.Start, t.End
		if t.Empty {
			s.d.lastSect, s.d.emptySect = -1, true
		}
	}
}

func (s *scan) sectionPart(t *xmldoc.Token) {
	mm := func(to *float64, attr string) {
		if v := s.twips(t, attr); v > 0 {
			*to = float64(v) * twip
		}
	}
	x := &s.sect
	switch t.Name.Local {
	case "headerReference", "footerReference":
		id, _ := t.Attr(s.d.ns.r, "id")
		kind, _ := t.Attr(s.d.ns.w, "type")
		switch {
		case kind == "even":
			x.EvenDiffers = true
		case kind == "first":
		case t.Name.Local == "headerReference":
			x.Header = strings.Clone(id)
		default:
			x.Footer = strings.Clone(id)
		}
	case "pgSz":
		mm(&x.Width, "w")
		mm(&x.Height, "h")
	case "pgMar":
		mm(&x.Left, "left")
		mm(&x.Right, "right")
		mm(&x.Top, "top")
		mm(&x.Bottom, "bottom")
	case "titlePg":
		x.FirstDiffers = s.on(t)
	case "docGrid":
		if kind, _ := t.Attr(s.d.ns.w, "type"); kind != "" && kind != "default" {
			x.grid = max(0, s.twips(t, "linePitch"))
		}
	}
}

func (s *scan) endSection(f frame) {
	if in := s.parent(0).role; in != paraPr && in != story || len(s.d.sections) == maxSections {
		return
	}
	s.d.sections = append(s.d.sections, s.sect)
	s.page++
}

// Margin is the place in a header, or in a footer, of a page of a section: near the edge of the page, at the right margin.
func (d *Document) Margin(page Section) Spot {
	spot := Spot{kind: inMargin, page: &page, at: -1}
	for _, p := range d.paras {
		if p.first >= 0 && !p.boxed && !p.inCell {
			spot.at = int(p.first)
			break
		}
	}
	if spot.at < 0 { // all there is are paragraphs of one tag, or tables
		spot.at, spot.fresh = d.body, true
	}
	return spot
}

// NewMargin makes a header or a footer that shows nothing, for a document whose last section has none.
func (d *Document) NewMargin(footer bool) []byte {
	name := "hdr"
	if footer {
		name = "ftr"
	}
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\n"+`<w:%s xmlns:w="%s"><w:p></w:p></w:%[1]s>`, name, d.ns.w)
}

// UseMargin makes the last section of a main document use a header or a footer that it has not.
func (d *Document) UseMargin(footer bool, relID string) ([]Splice, error) {
	name := "headerReference"
	if footer {
		name = "footerReference"
	}
	ref := fmt.Sprintf(`<w:%s xmlns:w="%s" xmlns:r="%s" w:type="default" r:id="%s"/>`, name, d.ns.w, d.ns.r, xmldoc.AppendAttr(nil, relID))
	switch {
	case d.lastSect >= 0:
		return []Splice{{d.lastSect, ref}}, nil
	case d.body >= 0 && !d.emptySect:
		return []Splice{{d.body, fmt.Sprintf(`<w:sectPr xmlns:w="%s">%s</w:sectPr>`, d.ns.w, ref)}}, nil
	}
	return nil, fmt.Errorf("%w: the document has no body, or a section without properties, that could take a header or footer", ErrPlace)
}
