package wordml

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// A Shown is a picture that claims to be a seal: its name says so.
type Shown struct {
	ESID          string // of the seal, as the picture's name has it
	Descr         string // what the picture says of itself
	RelID         string // relationship of the part to the image; empty: it has none, or a linked one
	Width, Height float64
	Hidden        bool
	Boxed         bool // it stands in a text box
	Altered       bool // it is drawn otherwise than we draw: there may be another picture over it, or a part of it be shown

	name   string
	para   int
	at     int
	inline bool
	placed [2]placed // across and down
}

// placed is how far from what a drawing stands, if that is said so.
type placed struct {
	from  string
	mm    float64
	known bool
}

// A textBox is one that stands by itself in a paragraph of the text.
type textBox struct {
	at     int // where a child of the run may stand that has it
	placed [2]placed
	extent
}

// An obstacle is something of ours that is anchored where a seal may go.
type obstacle struct {
	para, at int
	from     string
	x, w     float64 // of its left edge from the character, the page or the text, mm
}

// Seals gives the pictures that claim to be seals, in the order in which they stand.
func (d *Document) Seals() []Shown { return d.seals }

const maxSeals = 1 << 12

func (s *scan) startDrawing(t *xmldoc.Token) {
	x := Shown{para: -1, at: t.Start, inline: t.Name.Local == "inline"}
	if p := s.para(); p != nil {
		x.para, x.Boxed = p.number, p.boxed
	}
	s.shown = append(s.shown, x)
}

// number notes the number of a drawing, wherever it stands.
func (s *scan) number(t *xmldoc.Token) {
	if t.Name.Local != "docPr" || t.Name.Space != s.d.ns.wp {
		return
	}
	v, _ := t.Attr("", "id")
	if n, err := strconv.ParseUint(v, 10, 32); err == nil && n < math.MaxInt32 {
		s.d.lastID = max(s.d.lastID, uint32(n))
	}
}

// drawingPart looks at an element inside a drawing.
func (s *scan) drawingPart(t *xmldoc.Token) {
	if len(s.shown) == 0 {
		return
	}
	x := &s.shown[len(s.shown)-1]
	x.Altered = x.Altered || !drawn(t) || t.Name.Local == "blip" && x.RelID != ""
	switch t.Name.Local {
	case "docPr":
		v, _ := t.Attr("", "name")
		x.name = strings.Clone(v)
		v, _ = t.Attr("", "descr")
		x.Descr = strings.Clone(v)
		v, _ = t.Attr("", "hidden")
		x.Hidden = v == "1" || v == "true"
	case "extent":
		x.Width, x.Height = emuAttr(t, "cx"), emuAttr(t, "cy")
	case "blip":
		if v, ok := t.Attr(s.d.ns.r, "embed"); ok && x.RelID == "" {
			x.RelID = strings.Clone(v)
		}
	}
}

// drawnAs are the elements of our drawings, with their attributes and the values of those where others change what is seen; nil: any.
var drawnAs = map[string]map[string][]string{
	"simplePos": nil, "positionH": nil, "positionV": nil, "posOffset": nil, "align": nil, "extent": nil, "wrapNone": nil, "docPr": nil,
	"cNvGraphicFramePr": nil, "graphicFrameLocks": nil, "graphic": nil, "pic": nil, "nvPicPr": nil, "cNvPr": nil, "cNvPicPr": nil,
	"blipFill": nil, "stretch": nil, "spPr": nil, "avLst": nil, "off": nil, "ext": {"cx": nil, "cy": nil},
	"effectExtent": {"l": {"0"}, "t": {"0"}, "r": {"0"}, "b": {"0"}},
	"graphicData":  {"uri": {transitional.pic, strict.pic}},
	"blip":         {"embed": nil},
	"fillRect":     {},
	"xfrm":         {},
	"prstGeom":     {"prst": {"rect"}},
}

// drawn tells whether an element stands in drawings of ours too, and has none but their attributes.
func drawn(t *xmldoc.Token) bool {
	attrs, ok := drawnAs[t.Name.Local]
	if !ok || attrs == nil {
		return ok
	}
	for i := range t.Attrs {
		values, ok := attrs[t.Attrs[i].Name.Local]
		if !ok || values != nil && !slices.Contains(values, t.Attrs[i].Value) {
			return false
		}
	}
	return true
}

func emuAttr(t *xmldoc.Token, name string) float64 {
	v, _ := t.Attr("", name)
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 || n > 1<<40 {
		return 0
	}
	return float64(n) / emuPerMM
}

func (s *scan) endDrawing() {
	x := s.shown[len(s.shown)-1]
	s.shown = s.shown[:len(s.shown)-1]
	id, ok := strings.CutPrefix(x.name, mark)
	if !ok && !s.every || len(s.d.seals) == maxSeals {
		return
	}
	if ok {
		x.ESID = id
	}
	s.d.seals = append(s.d.seals, x)
	switch {
	case !ok:
	case x.inline:
		if p := s.para(); p != nil {
			p.row = true
		}
	case x.placed[0].from == "character" || x.placed[0].from == "page":
		s.d.anchored = append(s.d.anchored, obstacle{para: x.para, at: x.at, from: x.placed[0].from, x: x.placed[0].mm, w: x.Width})
	}
}

const maxBoxes = 1 << 14

// startBox takes down where a text box stands, if its drawing says so and has nothing else.
func (s *scan) startBox() int {
	const graphic, graphicData, shape, txbx = 1, 2, 3, 4 // between wp:anchor and w:txbxContent
	n := len(s.stack) - 1 - txbx
	p := s.para()
	if n < 2 || s.stack[n].role != drawing || p == nil || p.boxed || len(s.d.boxes) == maxBoxes {
		return -1
	}
	x := s.shown[len(s.shown)-1]
	for n--; n > 0 && s.stack[n].role != run && s.stack[n].role != block; n-- {
	}
	if s.stack[n].role != run || x.inline || !x.placed[0].known || !x.placed[1].known {
		return -1
	}
	s.d.boxes = append(s.d.boxes, textBox{s.stack[n+1].at, x.placed, extent{x.Width, x.Height}})
	return len(s.d.boxes) - 1
}
