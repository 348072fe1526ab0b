package pdftext

import (
	"context"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/phrase"
)

// An interpreter runs the content of one page and collects its glyphs.
type interpreter struct {
	r      *Reader
	ctx    context.Context
	page   *pdf.Page
	glyphs []Glyph
	damage error // the first thing that could not be read
	failed error // while a font was asked for a character
	work   int64 // left
	forms  int   // how deep
	ink    *ink  // nil: only the text is wanted

	gs       state
	stack    []state
	tm, line matrix // text matrix and text line matrix
	spans    []span // marked content
}

// A state is the part of the graphics state that places text.
type state struct {
	ctm                 matrix
	font                *font
	size                float64
	char, word, leading float64
	scale, rise         float64
	brush               brush
}

// start is the state in which the page, or an appearance, begins.
func (in *interpreter) start(ctm matrix) state {
	s := state{ctm: ctm, scale: 1}
	s.brush.clip, s.brush.width = in.page.CropBox, 1
	s.brush.tint[0].Known, s.brush.tint[1].Known = true, true // black
	return s
}

// A span is marked content. Where it has ActualText, that replaces what its glyphs say.
type span struct {
	actual string
	has    bool
	from   int // its first glyph
}

func (in *interpreter) run() error {
	content, err := in.contents()
	if err != nil {
		return err
	}
	in.gs = in.start(identity)
	res, err := in.resources(in.page.Resources, nil)
	if err != nil {
		return err
	}
	if in.maybe(content, res) {
		if err := in.execute(content, res); err != nil {
			return err
		}
	}
	return in.annotations()
}

// spend counts work done.
func (in *interpreter) spend(n int) error {
	if in.work -= int64(n); in.work < 0 {
		return fmt.Errorf("%w: the text of the page takes too much work to read", pdf.ErrLimit)
	}
	return in.ctx.Err()
}

// tolerate notes what cannot be read and goes on without it, unless the reason is a limit, the reader of the file or the caller.
func (in *interpreter) tolerate(what string, err error) error {
	if !errors.Is(err, pdf.ErrSyntax) && !errors.Is(err, pdf.ErrDamaged) && !errors.Is(err, pdf.ErrFilter) {
		return err
	}
	if in.damage == nil {
		in.damage = fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// data decodes a stream; of a damaged one what can be read.
func (in *interpreter) data(s *pdf.Stream, what string) ([]byte, error) {
	b, err := in.r.f.Data(s)
	if err := in.spend(len(b) + int(min(s.Length, math.MaxInt32))); err != nil {
		return nil, err
	}
	if err != nil {
		err = in.tolerate(what, err)
	}
	return b, err
}

// resolve is File.Resolve that leaves out what is damaged.
func (in *interpreter) resolve(o pdf.Object) (pdf.Object, error) {
	if _, ok := o.(pdf.Ref); !ok {
		return o, nil
	}
	if err := in.spend(256); err != nil {
		return nil, err
	}
	o, err := in.r.f.Resolve(o)
	if err != nil {
		return nil, in.tolerate("an object", err)
	}
	return o, nil
}

func (in *interpreter) dict(o pdf.Object) (*pdf.Dict, error) {
	o, err := in.resolve(o)
	switch v := o.(type) {
	case *pdf.Dict:
		return v, err
	case *pdf.Stream:
		return v.Dict, err
	}
	return nil, err
}

// contents joins the content streams of the page.
func (in *interpreter) contents() ([]byte, error) {
	o, err := in.resolve(in.page.Dict().Get("Contents"))
	if err != nil {
		return nil, err
	}
	list := []pdf.Object{o}
	if a, ok := o.(*pdf.Array); ok {
		list = a.Items
	}
	var all []byte
	for _, o := range list {
		if o, err = in.resolve(o); err != nil {
			return nil, err
		}
		s, ok := o.(*pdf.Stream)
		if !ok {
			continue
		}
		b, err := in.data(s, "/Contents")
		if err != nil {
			return nil, err
		}
		if all == nil {
			all = b
			continue
		}
		all = append(append(all, '\n'), b...)
	}
	return all, nil
}

// resources of a page or a form, and what of them was met.
type resources struct {
	all                 *pdf.Dict
	fonts, forms, marks *pdf.Dict
	met                 map[string]*font
	spaces              map[string]space
	states              map[pdf.Name]named
}

// resources reads a resource dictionary; where there is none, a form has those of what draws it.
func (in *interpreter) resources(o pdf.Object, outer *resources) (*resources, error) {
	d, err := in.dict(o)
	if err != nil {
		return nil, err
	}
	if d == nil && outer != nil {
		return outer, nil
	}
	res := &resources{all: d, met: map[string]*font{}}
	for k, to := range map[pdf.Name]**pdf.Dict{"Font": &res.fonts, "XObject": &res.forms, "Properties": &res.marks} {
		if *to, err = in.dict(d.Get(k)); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// execute runs the operators of a content stream.
func (in *interpreter) execute(content []byte, res *resources) error {
	scan := pdf.NewScanner(content)
	var operands []pdf.Token
	depth := len(in.stack)
	for count := 1; ; count++ {
		if count%4096 == 0 {
			if err := in.ctx.Err(); err != nil {
				return err
			}
		}
		t := scan.Next()
		if t.Kind == pdf.End {
			break
		}
		if t.Kind != pdf.Operator || isConstant(t.Bytes) {
			if len(operands) == maxOperands {
				return fmt.Errorf("%w: more than %d operands of one operator", pdf.ErrLimit, maxOperands)
			}
			operands = append(operands, t)
			continue
		}
		if string(t.Bytes) == "ID" {
			data := scan.SkipImage(imageLength(operands))
			if err := in.inline(operands, data, res); err != nil {
				return err
			}
		} else if err := in.operator(t.Bytes, operands, res, depth); err != nil {
			return err
		}
		operands = operands[:0]
	}
	return nil
}

// isConstant says whether a word is an operand.
func isConstant(w []byte) bool {
	s := string(w)
	return s == "true" || s == "false" || s == "null"
}

// numbers are the last operands, as many as there are in to; false: they are not all numbers.
func numbers(operands []pdf.Token, to []float64) bool {
	from := len(operands) - len(to)
	if from < 0 {
		return false
	}
	for i, t := range operands[from:] {
		if t.Kind != pdf.Numeral {
			return false
		}
		to[i] = t.Number
	}
	return true
}

func number(operands []pdf.Token) (float64, bool) {
	var n [1]float64
	ok := numbers(operands, n[:])
	return n[0], ok
}

// last is the last operand if it is of this kind.
func last(operands []pdf.Token, k pdf.TokenKind) ([]byte, bool) {
	if len(operands) == 0 || operands[len(operands)-1].Kind != k {
		return nil, false
	}
	return operands[len(operands)-1].Bytes, true
}

// operator runs one operator. What lacks its operands is skipped. Q goes back no further than depth.
func (in *interpreter) operator(op []byte, operands []pdf.Token, res *resources, depth int) error {
	switch string(op) {
	case "q":
		if len(in.stack)-depth >= maxStates {
			return fmt.Errorf("%w: more than %d graphics states saved", pdf.ErrLimit, maxStates)
		}
		in.stack = append(in.stack, in.gs)
	case "Q":
		if len(in.stack) > depth {
			in.gs = in.stack[len(in.stack)-1]
			in.stack = in.stack[:len(in.stack)-1]
		}
	case "cm":
		var m matrix
		if numbers(operands, m[:]) {
			in.gs.ctm = m.mul(in.gs.ctm)
		}
	case "Do":
		if name, ok := last(operands, pdf.NameToken); ok {
			return in.draw(res, pdf.Name(name))
		}
	case "BT":
		in.tm, in.line = identity, identity
	case "Tf":
		if len(operands) >= 2 && operands[len(operands)-2].Kind == pdf.NameToken && !in.only() {
			f, err := in.fontNamed(res, string(operands[len(operands)-2].Bytes))
			if err != nil {
				return err
			}
			in.gs.font = f
			in.gs.size, _ = number(operands)
		}
	case "BMC", "BDC":
		if in.only() {
			return nil
		}
		return in.begin(string(op), operands, res)
	case "EMC":
		return in.end()
	default:
		return in.textOperator(op, operands, res)
	}
	return nil
}

// textOperator runs the operators that move and show text.
func (in *interpreter) textOperator(op []byte, operands []pdf.Token, res *resources) error {
	n, isNumber := number(operands)
	switch string(op) {
	case "Tc":
		in.gs.char = n
	case "Tw":
		in.gs.word = n
	case "Tz":
		if isNumber {
			in.gs.scale = n / 100
		}
	case "TL":
		in.gs.leading = n
	case "Ts":
		in.gs.rise = n
	case "Tm":
		var m matrix
		if numbers(operands, m[:]) {
			in.tm, in.line = m, m
		}
	case "Td", "TD":
		var d [2]float64
		if numbers(operands, d[:]) {
			if len(op) == 2 && op[1] == 'D' {
				in.gs.leading = -d[1]
			}
			in.move(d[0], d[1])
		}
	case "T*":
		in.move(0, -in.gs.leading)
	case "Tj":
		if s, ok := last(operands, pdf.StringToken); ok {
			return in.show(s)
		}
	case "TJ":
		return in.showAll(operands)
	case "'":
		in.move(0, -in.gs.leading)
		if s, ok := last(operands, pdf.StringToken); ok {
			return in.show(s)
		}
	case `"`:
		var d [2]float64
		if len(operands) > 2 && numbers(operands[:len(operands)-1], d[:]) {
			in.gs.word, in.gs.char = d[0], d[1]
		}
		in.move(0, -in.gs.leading)
		if s, ok := last(operands, pdf.StringToken); ok {
			return in.show(s)
		}
	default:
		if in.ink != nil {
			return in.paintOperator(op, operands, res)
		}
	}
	return nil
}

func (in *interpreter) move(x, y float64) {
	in.line = matrix{1, 0, 0, 1, x, y}.mul(in.line)
	in.tm = in.line
}

// showAll is TJ: strings, and numbers that move back by thousandths of the size.
func (in *interpreter) showAll(operands []pdf.Token) error {
	for _, t := range operands {
		switch t.Kind {
		case pdf.StringToken:
			if err := in.show(t.Bytes); err != nil {
				return err
			}
		case pdf.Numeral:
			d := -t.Number / 1000 * in.gs.size
			if in.gs.font != nil && in.gs.font.vertical {
				in.tm = matrix{1, 0, 0, 1, 0, d}.mul(in.tm)
			} else {
				in.tm = matrix{1, 0, 0, 1, d * in.gs.scale, 0}.mul(in.tm)
			}
		}
	}
	return nil
}

// show places the glyphs of a string.
func (in *interpreter) show(s []byte) error {
	f := in.gs.font
	if f == nil || len(s) == 0 {
		if len(s) > 0 && !in.only() {
			in.unpainted("text in a font that is not there")
		}
		return nil
	}
	if err := in.spend(glyphWork * len(s)); err != nil {
		return err
	}
	g := &in.gs
	em := matrix{g.size * g.scale, 0, 0, g.size, 0, g.rise}
	for len(s) > 0 {
		if len(in.glyphs) >= maxPageText {
			return fmt.Errorf("%w: more than %d characters on the page", pdf.ErrLimit, maxPageText)
		}
		c, n := f.next(in, s)
		if len(c.text) > utf8.UTFMax {
			if err := in.spend(longText * len(c.text)); err != nil {
				return err
			}
		}
		extra := g.char
		if n == 1 && s[0] == ' ' {
			extra += g.word
		}
		s = s[n:]
		m := em.mul(in.tm).mul(g.ctm)
		if f.vertical {
			in.place(c, m, Rect{-c.vx, c.down, c.width - c.vx, 0}, point{0, c.down})
			in.tm = matrix{1, 0, 0, 1, 0, c.down*g.size + extra}.mul(in.tm)
			continue
		}
		in.place(c, m, Rect{0, f.descent, c.width, f.ascent}, point{c.width, 0})
		in.tm = matrix{1, 0, 0, 1, (c.width*g.size + extra) * g.scale, 0}.mul(in.tm)
	}
	return in.failed
}

// place adds a glyph whose room, in ems, m puts on the page.
func (in *interpreter) place(c char, m matrix, room Rect, to point) {
	if c.blank {
		return
	}
	g := Glyph{Text: c.text, Box: m.box(room), at: point{m[4], m[5]}, to: m.apply(to.x, to.y), size: math.Hypot(m[2], m[3])}
	if in.gs.font.vertical {
		g.size = math.Hypot(m[0], m[1])
	}
	if in.ink != nil {
		in.letter(&g)
		return
	}
	if !g.Box.finite() || g.size < 1e-3 || !in.seen(g.Box) {
		return
	}
	in.glyphs = append(in.glyphs, g)
}

// seen says whether the page shows any of a box.
func (in *interpreter) seen(b Rect) bool {
	c := in.page.CropBox
	return b[0] < c[2] && b[2] > c[0] && b[1] < c[3] && b[3] > c[1]
}

// draw is Do: of XObjects only forms can hold text; images are painted.
func (in *interpreter) draw(res *resources, name pdf.Name) error {
	if err := in.spend(64); err != nil {
		return err
	}
	o, err := in.resolve(res.forms.Get(name))
	if err != nil {
		return err
	}
	s, ok := o.(*pdf.Stream)
	if !ok {
		return nil
	}
	switch s.Dict.Get("Subtype") {
	case pdf.Name("Form"):
		return in.form(s, res)
	case pdf.Name("Image"):
		return in.picture(s.Dict.Get("ImageMask") == true, Image{Stream: s})
	}
	return nil
}

// form runs the content of a Form XObject.
func (in *interpreter) form(s *pdf.Stream, outer *resources) error {
	if in.forms >= maxForms {
		return fmt.Errorf("%w: forms in forms deeper than %d", pdf.ErrLimit, maxForms)
	}
	m, err := in.matrix(s.Dict.Get("Matrix"))
	if err != nil {
		return err
	}
	res, err := in.resources(s.Dict.Get("Resources"), outer)
	if err != nil {
		return err
	}
	b, err := in.data(s, "a form")
	if err != nil {
		return err
	}
	gs, tm, line, depth := in.gs, in.tm, in.line, len(in.stack)
	in.gs.ctm = m.mul(in.gs.ctm)
	if err := in.clipForm(s); err != nil {
		return err
	}
	if err := in.group(s); err != nil {
		return err
	}
	in.forms++
	if in.maybe(b, res) {
		err = in.execute(b, res)
	}
	in.forms--
	in.gs, in.tm, in.line, in.stack = gs, tm, line, in.stack[:depth]
	return err
}

func (in *interpreter) matrix(o pdf.Object) (matrix, error) {
	list, err := in.floats(o)
	if err != nil || len(list) != 6 {
		return identity, err
	}
	return matrix(list), nil
}

// floats reads an array of numbers; nil: it is none.
func (in *interpreter) floats(o pdf.Object) ([]float64, error) {
	o, err := in.resolve(o)
	a, ok := o.(*pdf.Array)
	if err != nil || !ok {
		return nil, err
	}
	if err := in.spend(len(a.Items)); err != nil {
		return nil, err
	}
	list := make([]float64, len(a.Items))
	for i, v := range a.Items {
		if v, err = in.resolve(v); err != nil {
			return nil, err
		}
		list[i], _ = pdf.Number(v)
	}
	return list, nil
}

// begin opens marked content.
func (in *interpreter) begin(op string, operands []pdf.Token, res *resources) error {
	s := span{from: len(in.glyphs)}
	if op == "BDC" {
		if err := in.actualText(&s, operands, res); err != nil {
			return err
		}
	}
	if len(in.spans) >= maxStates {
		return fmt.Errorf("%w: marked content nested deeper than %d", pdf.ErrLimit, maxStates)
	}
	in.spans = append(in.spans, s)
	return nil
}

// actualText takes the ActualText of marked content from the property list that stands there or is named.
func (in *interpreter) actualText(s *span, operands []pdf.Token, res *resources) error {
	if name, ok := last(operands, pdf.NameToken); ok && len(operands) == 2 {
		d, err := in.dict(res.marks.Get(pdf.Name(name)))
		if err != nil {
			return err
		}
		o, err := in.resolve(d.Get("ActualText"))
		v, ok := o.(*pdf.String)
		if err != nil || !ok {
			return err
		}
		s.actual, s.has = pdf.Text(v.Value), true
		return in.spend(longText * len(v.Value))
	}
	for i, t := range operands {
		if t.Kind == pdf.NameToken && string(t.Bytes) == "ActualText" && i+1 < len(operands) && operands[i+1].Kind == pdf.StringToken {
			s.actual, s.has = pdf.Text(operands[i+1].Bytes), true
		}
	}
	return nil
}

// maxActual is how many glyphs another text may stand for. A longer text would be found, but not where in it.
const maxActual = 16

// end closes marked content. Its glyphs become one where another text stands for them.
func (in *interpreter) end() error {
	if len(in.spans) == 0 {
		return nil
	}
	s := in.spans[len(in.spans)-1]
	in.spans = in.spans[:len(in.spans)-1]
	if !s.has || s.from >= len(in.glyphs) || len(in.glyphs)-s.from > maxActual {
		return nil
	}
	list := in.glyphs[s.from:]
	said := ""
	for _, g := range list {
		said += g.Text
	}
	actual := phrase.Squeeze(s.actual)
	if err := in.spend(longText * (len(said) + len(s.actual))); err != nil || phrase.Squeeze(said) == actual {
		return err
	}
	one := list[0]
	one.Text, one.to = actual, list[len(list)-1].to
	for _, g := range list[1:] {
		one.Box = one.Box.union(g.Box)
	}
	in.glyphs = in.glyphs[:s.from]
	if actual != "" {
		in.glyphs = append(in.glyphs, one)
	}
	return nil
}
