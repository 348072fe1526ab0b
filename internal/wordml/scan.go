package wordml

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// A para is a paragraph.
type para struct {
	first   int32 // where its first run may stand, -1: <w:p/>
	section int32 // number of the section it belongs to
	page    int32 // as far as page breaks tell, 0 the first
	box     int32 // where it is boxed: number in Document.boxes, -1: in none that is known
	cell    int32 // width of the table cell it stands in, twips; 0: none or unknown
	boxed   bool
	inCell  bool
	own     *shape // what it says itself; many share one
	style   string // ID, empty: the usual one
}

// Limits beyond those of the XML, so that a part costs little memory whatever it has in it. A book of 1,000 pages has some 20,000
// paragraphs.
const (
	maxParas  = 1 << 19
	maxPieces = 1 << 20
)

// A line is the text of a paragraph between line breaks: pieces[first:end].
type line struct {
	first, end int32
	para       int32
	broken     bool // there is another one before it in the paragraph
}

// A frame is an open element.
type frame struct {
	role   role
	at     int // where its start tag begins
	pieces int // of the paragraph, when it began
	half   uint16
	hidden bool // of run: hidden text
	keep   bool // of text: xml:space="preserve"
	chosen bool // of alternate: a choice was seen
	fields int  // of box: how many fields were open outside
	width  int  // of cell, twips
	box    int  // of box: number in Document.boxes, -1: none
}

// A field is one that has not ended.
type field struct {
	at, para int  // where its first w:fldChar begins
	pieces   int  // of the paragraph, when it began
	result   bool // has begun
}

// An openPara is a paragraph that has not ended.
type openPara struct {
	para
	shape     shape
	number    int // in Document.paras
	pieces    []piece
	bookmarks []int // of Document.bookmarks, those that began in it
	begun     bool  // has text
	row       bool  // has seals or signature lines in the line of its text
}

type scan struct {
	s      *xmldoc.Scanner
	d      *Document
	stack  []frame
	paras  []openPara
	spare  [][]piece
	skip   int     // depth of the element whose content counts for nothing, 0: none
	fields []field // open complex fields
	page   int32
	shown  []Shown // open drawings
	every  bool    // drawings are kept that do not claim to be seals
	line   Line    // the one that is being read
	inPict bool
	sect   Section
	marks  map[string]int    // open bookmarks by their id
	names  map[string]string // of styles
	shapes map[shape]*shape
	err    error // that ends the scan
}

func (s *scan) run() error {
	s.marks, s.names, s.shapes = map[string]int{}, map[string]string{}, map[shape]*shape{}
	for s.err == nil {
		t, err := s.s.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch t.Kind {
		case xmldoc.Start:
			if err := s.start(&t); err != nil {
				return err
			}
		case xmldoc.End:
			s.end(&t)
		case xmldoc.Text, xmldoc.CData:
			s.text(&t)
		}
	}
	return s.err
}

func (s *scan) root(t *xmldoc.Token) error {
	switch t.Name.Space {
	case transitional.w:
		s.d.ns = &transitional
	case strict.w:
		s.d.ns = &strict
	default:
		return fmt.Errorf("%w: its root is not of WordprocessingML", ErrNotWord)
	}
	switch t.Name.Local {
	case "document", "hdr", "ftr":
		s.d.footer = t.Name.Local == "ftr"
		return nil
	}
	return fmt.Errorf("%w: its root is neither w:document nor w:hdr or w:ftr", ErrNotWord)
}

// parent is the frame around the element that is being started, or that is the last on the stack.
func (s *scan) parent(up int) *frame {
	if n := len(s.stack) - 1 - up; n >= 0 {
		return &s.stack[n]
	}
	return &frame{}
}

func (s *scan) para() *openPara {
	if len(s.paras) == 0 {
		return nil
	}
	return &s.paras[len(s.paras)-1]
}

// roleOf says what an element is, and whether its content counts for nothing.
func (s *scan) roleOf(t *xmldoc.Token) (r role, skip bool) {
	switch t.Name.Space {
	case s.d.ns.w:
		switch t.Name.Local {
		case "del", "moveFrom", "rt", "pPrChange", "rPrChange", "sectPrChange":
			return other, true
		case "body", "hdr", "ftr":
			if t.Depth > 2 || t.Depth == 2 && t.Name.Local != "body" {
				return other, false
			}
		}
		r = roles[t.Name.Local]
		switch in := s.parent(0).role; {
		case (r == inline || r == simple) && s.para() == nil, (r == text || r == runPr) && in != run, r == paraPr && in != block:
			return other, false
		}
		return r, false
	case s.d.ns.wp:
		switch t.Name.Local {
		case "anchor", "inline":
			return drawing, false
		case "positionH", "positionV":
			switch {
			case s.parent(0).role != drawing:
			case t.Name.Local == "positionH":
				return fromSide, false
			default:
				return fromTop, false
			}
		case "posOffset":
			if in := s.parent(0).role; in == fromSide || in == fromTop {
				return offset, false
			}
		}
	case mcNS:
		in := s.parent(0)
		switch {
		case t.Name.Local == "AlternateContent":
			return alternate, false
		case in.role != alternate:
		case in.chosen: // a reader shows one of them, the first that it knows; what is behind it says the same
			return other, true
		default:
			in.chosen = true
			// Runs in it stand where the AlternateContent stands.
			return other, false
		}
	}
	return other, false
}

func (s *scan) start(t *xmldoc.Token) error {
	if t.Depth == 1 {
		if err := s.root(t); err != nil {
			return err
		}
	}
	if s.skip > 0 {
		s.number(t)
		return nil
	}
	r, skip := s.roleOf(t)
	if skip {
		s.skip = t.Depth
		return nil
	}
	f := frame{role: r, at: t.Start}
	if p := s.para(); p != nil {
		f.pieces = len(p.pieces)
	}
	switch r {
	case block:
		s.startPara(t)
	case box:
		f.fields = len(s.fields)
		f.box = s.startBox()
	case text:
		v, _ := t.Attr(xml, "space")
		f.keep = v == "preserve"
	case sect:
		s.startSection(t)
	case drawing:
		s.startDrawing(t)
	case pict:
		s.inPict = true
	case fromSide, fromTop:
		x := &s.shown[len(s.shown)-1].placed[r-fromSide]
		v, _ := t.Attr("", "relativeFrom")
		*x = placed{from: strings.Clone(v)}
	case other:
		s.leaf(t)
	}
	s.stack = append(s.stack, f)
	return nil
}

// leaf looks at an element that says something of the one around it, or is a character of a run.
func (s *scan) leaf(t *xmldoc.Token) {
	s.number(t)
	switch t.Name.Space {
	case s.d.ns.w:
	case s.d.ns.wp, s.d.ns.a:
		s.drawingPart(t)
		return
	case vNS, oNS:
		s.vmlPart(t)
		return
	default:
		return
	}
	switch t.Name.Local {
	case "bookmarkStart":
		s.startBookmark(t)
		return
	case "bookmarkEnd":
		s.endBookmark(t)
		return
	}
	switch s.parent(0).role {
	case run:
		s.sign(t)
	case runPr:
		s.runProperty(t, s.parent(1))
	case paraPr:
		s.paraProperty(t, s.para())
	case sect:
		s.sectionPart(t)
	case cellPr:
		if t.Name.Local == "tcW" {
			if v, _ := t.Attr(s.d.ns.w, "type"); v == "" || v == "dxa" {
				s.parent(1).width = s.twips(t, "w")
			}
		}
	}
}

func (s *scan) startPara(t *xmldoc.Token) {
	p := openPara{para: para{first: int32(t.End), section: int32(len(s.d.sections))}, number: len(s.d.paras)}
	if t.Empty {
		p.first = -1
	}
	for i := len(s.stack) - 1; i >= 0 && !p.boxed; i-- {
		switch f := s.stack[i]; f.role {
		case box:
			p.boxed, p.box = true, int32(f.box)
		case cell:
			if !p.inCell {
				p.cell, p.inCell = int32(f.width), true
			}
		}
	}
	if len(s.paras) > 0 && !p.boxed {
		p.boxed, p.box = true, -1
	}
	if n := len(s.spare); n > 0 {
		p.pieces, s.spare = s.spare[n-1][:0], s.spare[:n-1]
	}
	if len(s.d.paras) == maxParas {
		s.err = fmt.Errorf("%w: more than %d paragraphs", ErrLimit, maxParas)
	}
	s.d.paras = append(s.d.paras, p.para)
	s.paras = append(s.paras, p)
}

func (s *scan) endPara() {
	p := &s.paras[len(s.paras)-1]
	if !p.begun {
		p.page = s.page
	}
	if p.row && !p.begun {
		s.d.rowPara = p.number
	}
	base := len(s.d.pieces)
	s.d.pieces = append(s.d.pieces, p.pieces...)
	l := line{first: int32(base), para: int32(p.number)}
	for i := range p.pieces {
		if p.pieces[i].kind == lineBreak {
			l.end = int32(base + i)
			s.d.lines = append(s.d.lines, l)
			l = line{first: l.end + 1, para: l.para, broken: true}
		}
	}
	l.end = int32(len(s.d.pieces))
	s.d.lines = append(s.d.lines, l)
	for _, i := range p.bookmarks {
		m := &s.d.bookmarks[i]
		m.first += base
		if m.end < 0 { // it ends in another paragraph, or nowhere
			m.end = len(p.pieces)
		}
		m.end += base
	}
	p.own = s.shapes[p.shape]
	if p.own == nil {
		own := p.shape
		p.own = &own
		s.shapes[own] = p.own
	}
	s.d.paras[p.number] = p.para
	s.spare = append(s.spare, p.pieces)
	s.paras = s.paras[:len(s.paras)-1]
}

func (s *scan) end(t *xmldoc.Token) {
	if s.skip > 0 {
		if t.Depth == s.skip {
			s.skip = 0
		}
		return
	}
	f := s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
	p := s.para()
	switch f.role {
	case block:
		s.endPara()
	case paraPr:
		p.first = int32(t.End)
	case text, ruby:
		if p != nil {
			for i := f.pieces; i < len(p.pieces); i++ {
				if p.pieces[i].field {
					continue
				}
				p.pieces[i].after = int32(t.End)
				if f.role == ruby {
					p.pieces[i].tag, p.pieces[i].head, p.pieces[i].solid = int32(f.at), i == f.pieces, true
				}
			}
		}
	case box:
		s.fields = s.fields[:f.fields]
	case story:
		if s.d.body < 0 && t.Start != t.End {
			s.d.body = t.Start
		}
	case sect:
		s.endSection(f)
	case drawing:
		s.endDrawing()
	case pict:
		s.endLine()
		s.inPict = false
	}
}

// inner gives the fields that are open in the text box around, or in the text outside of boxes.
func (s *scan) inner() []field {
	for i := len(s.stack) - 1; i >= 0; i-- {
		if s.stack[i].role == box {
			return s.fields[s.stack[i].fields:]
		}
	}
	return s.fields
}

// seen says whether what stands in a run is shown.
func (s *scan) seen(r *frame) bool {
	if r.hidden || s.para() == nil {
		return false
	}
	for _, f := range s.inner() {
		if !f.result {
			return false
		}
	}
	return true
}

// add gives the paragraph a piece. Programs write the result of a field anew, so that nothing is inserted there.
func (s *scan) add(p *openPara, x piece) {
	if !p.begun && x.kind != lineBreak {
		p.begun, p.page = true, s.page
	}
	if len(p.pieces)+len(s.d.pieces) >= maxPieces {
		s.err = fmt.Errorf("%w: more than %d pieces of text", ErrLimit, maxPieces)
		return
	}
	f, simple, ok := s.around(p)
	if ok && x.kind != lineBreak {
		x.tag, x.field, x.solid, x.simple, x.head = int32(f.at), true, true, simple, f.pieces == len(p.pieces)
	}
	p.pieces = append(p.pieces, x)
}

// around gives the outermost field that began in a paragraph.
func (s *scan) around(p *openPara) (f field, isSimple, ok bool) {
	for _, x := range s.inner() {
		if x.para == p.number {
			f, ok = x, true
			break
		}
	}
	for i := len(s.stack) - 1; i >= 0 && s.stack[i].role != block; i-- {
		if x := s.stack[i]; x.role == simple && (!ok || x.at < f.at) {
			f, isSimple, ok = field{at: x.at, pieces: x.pieces}, true, true
		}
	}
	return f, isSimple, ok
}

func (s *scan) text(t *xmldoc.Token) {
	switch {
	case s.skip > 0:
		return
	case s.parent(0).role == offset:
		if v, err := strconv.ParseInt(strings.TrimSpace(t.Text()), 10, 32); err == nil {
			x := &s.shown[len(s.shown)-1].placed[s.parent(1).role-fromSide]
			x.mm, x.known = float64(v)/emuPerMM, true
		}
		return
	case s.parent(0).role != text:
		return
	}
	f, r, p := s.parent(0), s.parent(1), s.para()
	if p == nil || !s.seen(r) {
		return
	}
	kind := pieceText
	if t.Kind == xmldoc.CData {
		kind = pieceData
	}
	s.add(p, piece{at: int32(t.Start), end: int32(t.End), tag: int32(f.at), kind: kind, solid: kind == pieceData,
		half: r.half, keep: f.keep, head: len(p.pieces) == f.pieces})
}

// sign looks at an element of a run that is a character, or a break, or part of a field.
func (s *scan) sign(t *xmldoc.Token) {
	r, p := s.parent(0), s.para()
	if p == nil {
		return
	}
	x := piece{at: int32(t.Start), tag: int32(t.Start), after: int32(t.End), half: r.half, kind: pieceSign, head: true}
	switch t.Name.Local {
	case "fldChar":
		s.field(t)
		return
	case "lastRenderedPageBreak":
		if !p.boxed {
			s.page++
		}
		return
	case "tab", "ptab":
		x.kind = pieceTab
	case "br", "cr":
		if v, _ := t.Attr(s.d.ns.w, "type"); v == "page" && !p.boxed {
			s.page++
		}
		x.kind = lineBreak
	case "noBreakHyphen":
		x.end = '-'
	case "sym":
		v, _ := t.Attr(s.d.ns.w, "char")
		n, err := strconv.ParseUint(v, 16, 32)
		if x.end = int32(n); err != nil || n < 0x20 || n >= 0xd800 {
			x.end = 0xfffd
		}
	default:
		return
	}
	if !t.Empty { // what is in it counts for nothing, and its end is not known yet
		x.after = -1
	}
	if s.seen(r) {
		s.add(p, x)
	}
}

// maxFields bounds fields in fields; Word knows 20.
const maxFields = 1 << 12

func (s *scan) field(t *xmldoc.Token) {
	v, _ := t.Attr(s.d.ns.w, "fldCharType")
	n, p := len(s.fields), s.para()
	inner := len(s.inner()) > 0
	switch {
	case v == "begin" && n < maxFields:
		s.fields = append(s.fields, field{at: t.Start, para: p.number, pieces: len(p.pieces)})
	case v == "separate" && inner:
		s.fields[n-1].result = true
	case v == "end" && inner:
		s.fields = s.fields[:n-1]
	}
}

// on says whether a property that is on or off is on.
func (s *scan) on(t *xmldoc.Token) bool {
	v, ok := t.Attr(s.d.ns.w, "val")
	return !ok || v != "0" && v != "false" && v != "off"
}

func (s *scan) runProperty(t *xmldoc.Token, r *frame) {
	switch t.Name.Local {
	case "vanish":
		r.hidden = s.on(t)
	case "sz":
		v, _ := t.Attr(s.d.ns.w, "val")
		if half, ok := halfPoints(v); ok {
			r.half = half
		}
	}
}

func (s *scan) paraProperty(t *xmldoc.Token, p *openPara) {
	switch t.Name.Local {
	case "pageBreakBefore":
		if s.on(t) && !p.boxed {
			s.page++
		}
	case "pStyle":
		v, _ := t.Attr(s.d.ns.w, "val")
		p.style = s.intern(v)
	default:
		p.shape.read(t, s.d.ns.w)
	}
}

// intern keeps one copy of each name of a style.
func (s *scan) intern(name string) string {
	if kept, ok := s.names[name]; ok {
		return kept
	}
	if len(name) > maxName || len(s.names) == maxStyles {
		return ""
	}
	name = strings.Clone(name)
	s.names[name] = name
	return name
}

func (s *scan) twips(t *xmldoc.Token, attr string) int {
	v, _ := t.Attr(s.d.ns.w, attr)
	return twips(v)
}
