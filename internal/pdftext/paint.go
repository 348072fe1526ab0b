package pdftext

import (
	"context"
	"fmt"
	"math"

	"github.com/courtseal/courtseal/internal/pdf"
)

// An InkKind says what a thing is that a page paints.
type InkKind byte

const (
	Letter  InkKind = iota + 1 // a character that is not white space
	Picture                    // an image
	Area                       // a filled path
	Stroke                     // a path drawn as a line
	Shade                      // a shading, which fills all that clipping leaves
	Bare                       // an annotation that has no appearance: what a reader draws of it, if anything, is in Box
)

// Ink is one thing that a page paints.
type Ink struct {
	Kind    InkKind
	Text    string  // of a Letter
	Box     Rect    // around all that may be seen of it: clipping paths count as the rectangles around them
	Path    []Step  // of an Area or a Stroke, unclipped; valid until the function that was given it returns
	EvenOdd bool    // how an Area is filled
	Width   float64 // of a Stroke
	Tint    Tint    // of a Picture only where it is a mask, of a Shade never
	Darkens bool    // it is mixed with what the page has there, so that nothing gets lighter (blend modes Multiply and Darken)
	Annot   *Annot  // whose appearance paints it; nil: the page itself
	Image   *Image  // of a Picture
}

// A Tint is a colour as red, green and blue, from 0 to 1.
type Tint struct {
	RGB   [3]float64
	Known bool // otherwise it is of a space that needs more to be understood
}

// paper is how near white a colour is that nobody tells from it.
const paper = 0.03

// White says whether a colour cannot be told from white.
func (t Tint) White() bool { return t.Known && min(t.RGB[0], t.RGB[1], t.RGB[2]) >= 1-paper }

// A Step of a path goes straight to a point, or starts there. Curves come as short lines.
type Step struct {
	X, Y float64
	Move bool
}

// An Annot is an annotation as the page lists it.
type Annot struct {
	Ref  pdf.Ref // zero: it stands in the page's /Annots
	Dict *pdf.Dict
}

const maxSteps = 1 << 20 // of all paths of one page

// ink is what an interpreter needs to tell what is painted.
type ink struct {
	to    func(*Ink) error
	annot *Annot
	path  []Step
	at    Step // where the last step led, in the coordinates of the content
	first Step // of the subpath
	clip  bool // the path is to clip once it is painted
	steps int
	only  bool // pictures are wanted, and nothing else
}

// A brush is the part of the graphics state that says how things are painted. Of two, the first is for filling.
type brush struct {
	clip  Rect
	width float64
	mode  int // of text
	space [2]space
	tint  [2]Tint
	clear [2]bool // by constant alpha

	darkens bool // the blend mode in force
	within  bool // a group that darkens the page as a whole
	apart   bool // a group that does not see the page, so that blend modes in it do not reach that
}

// A space says how the components of a colour are meant.
type space byte

const (
	unknownSpace space = iota // none that we know of
	lightSpace                // more is lighter: grey, RGB
	inkSpace                  // more is darker: CMYK, and inks of other names
)

// Paint runs the content of a page and of its annotations, and gives what they paint in the order in which they do,
// except for what is invisible. It ends with the error of to. What cannot be read is left out, and damage says so. Optional content
// counts as shown.
func (r *Reader) Paint(ctx context.Context, p *pdf.Page, to func(*Ink) error) (damage, err error) {
	in := &interpreter{r: r, ctx: ctx, page: p, work: min(maxPageWork, r.work), ink: &ink{to: to}}
	given := in.work
	err = in.run()
	r.work -= given - in.work
	return in.damage, err
}

// PaintAnnotation does the same with one annotation as page p would show it.
func (r *Reader) PaintAnnotation(ctx context.Context, p *pdf.Page, a *Annot, to func(*Ink) error) (damage, err error) {
	in := &interpreter{r: r, ctx: ctx, page: p, work: min(maxPageWork, r.work), ink: &ink{to: to, annot: a}}
	given := in.work
	err = in.annotation(a.Dict)
	r.work -= given - in.work
	return in.damage, err
}

// unpainted notes what is painted in a way that we do not know.
func (in *interpreter) unpainted(what string) {
	if in.ink != nil && in.damage == nil {
		in.damage = fmt.Errorf("%w: %s", pdf.ErrSyntax, what)
	}
}

// emit gives a thing to whoever asked, if any of it can be seen.
func (in *interpreter) emit(k Ink) error {
	for _, v := range k.Box {
		if math.IsNaN(v) {
			in.unpainted("coordinates that are no numbers")
			return nil
		}
	}
	k.Box = k.Box.and(in.gs.brush.clip)
	if k.Box[0] > k.Box[2] || k.Box[1] > k.Box[3] {
		return nil
	}
	if err := in.spend(8); err != nil {
		return err
	}
	k.Annot = in.ink.annot
	b := &in.gs.brush
	k.Darkens = b.within || b.darkens && !b.apart
	return in.ink.to(&k)
}

func (r Rect) and(o Rect) Rect {
	return Rect{max(r[0], o[0]), max(r[1], o[1]), min(r[2], o[2]), min(r[3], o[3])}
}

// letter emits a glyph. The modes of text: 0 to 2 fill, stroke, both; 3 is invisible; 4 to 7 are the same and clip.
func (in *interpreter) letter(g *Glyph) {
	b := &in.gs.brush
	mode := b.mode & 3
	if mode == 3 || in.failed != nil {
		return
	}
	fills, strokes := mode != 1 && !b.clear[0], mode != 0 && !b.clear[1]
	if fills || strokes {
		tint := b.tint[0]
		if !fills || strokes && tint.White() {
			tint = b.tint[1]
		}
		in.failed = in.emit(Ink{Kind: Letter, Text: g.Text, Box: g.Box, Tint: tint})
	}
}

// picture emits an image. A mask is painted in the colour for filling.
func (in *interpreter) picture(mask bool, image Image) error {
	b := &in.gs.brush
	if in.ink == nil || b.clear[0] {
		return nil
	}
	image.Matrix = in.gs.ctm
	k := Ink{Kind: Picture, Box: in.gs.ctm.box(Rect{0, 0, 1, 1}), Image: &image}
	if mask {
		k.Tint = b.tint[0]
	}
	return in.emit(k)
}

// bare emits an annotation without a normal appearance. One that has several, none of which is for its state, shows nothing.
func (in *interpreter) bare(ap *pdf.Dict, rect []float64) error {
	if in.ink == nil || len(rect) != 4 || ap.Get("N") != nil {
		return nil
	}
	in.gs = in.start(identity)
	return in.emit(Ink{Kind: Bare, Box: identity.box(Rect(rect))})
}

// clipForm clips to the box of a form.
func (in *interpreter) clipForm(s *pdf.Stream) error {
	if in.ink == nil {
		return nil
	}
	in.ink.path, in.ink.clip = in.ink.path[:0], false
	box, err := in.floats(s.Dict.Get("BBox"))
	if err != nil || len(box) != 4 {
		return err
	}
	in.gs.brush.clip = in.gs.brush.clip.and(in.gs.ctm.box(Rect(box)))
	return nil
}

// group begins a form that is a transparency group: it is mixed with the page as a whole, and what is in it, where it is isolated, only
// with what is in it.
func (in *interpreter) group(s *pdf.Stream) error {
	if in.ink == nil {
		return nil
	}
	d, err := in.dict(s.Dict.Get("Group"))
	if err != nil || d == nil {
		return err
	}
	isolated, err := in.resolve(d.Get("I"))
	b := &in.gs.brush
	b.within = b.within || b.darkens && !b.apart
	b.apart = b.apart || isolated == true
	b.darkens = false
	return err
}

// paintOperator runs the operators that have nothing to do with text.
func (in *interpreter) paintOperator(op []byte, operands []pdf.Token, res *resources) error {
	b := &in.gs.brush
	n, isNumber := number(operands)
	switch string(op) {
	case "m", "l", "c", "v", "y", "h", "re":
		if in.only() {
			return nil
		}
		return in.construct(string(op), operands)
	case "W", "W*":
		in.ink.clip = true
	case "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "n":
		return in.paintPath(string(op))
	case "sh":
		if !b.clear[0] {
			return in.emit(Ink{Kind: Shade, Box: b.clip})
		}
	case "w":
		if isNumber {
			b.width = math.Abs(n)
		}
	case "Tr":
		if isNumber && n >= 0 && n < 8 {
			b.mode = int(n)
		}
	case "gs":
		if name, ok := last(operands, pdf.NameToken); ok {
			return in.graphicsState(res, pdf.Name(name))
		}
	case "g", "rg":
		b.colour(0, lightSpace, operands)
	case "G", "RG":
		b.colour(1, lightSpace, operands)
	case "k":
		b.colour(0, inkSpace, operands)
	case "K":
		b.colour(1, inkSpace, operands)
	case "sc", "scn":
		b.colour(0, b.space[0], operands)
	case "SC", "SCN":
		b.colour(1, b.space[1], operands)
	case "cs", "CS":
		i := 0
		if op[0] == 'C' {
			i = 1
		}
		b.tint[i], b.space[i] = Tint{}, unknownSpace
		if name, ok := last(operands, pdf.NameToken); ok {
			s, err := in.space(res, string(name))
			b.space[i] = s
			return err
		}
	}
	return nil
}

// colour notes a colour.
func (b *brush) colour(i int, s space, operands []pdf.Token) {
	b.space[i], b.tint[i] = s, Tint{}
	var v [4]float64
	n := len(operands)
	if n == 0 || n > 4 || s == unknownSpace || !numbers(operands, v[:n]) {
		return
	}
	t := Tint{Known: true}
	switch {
	case s == lightSpace && n == 1:
		t.RGB = [3]float64{v[0], v[0], v[0]}
	case s == lightSpace && n == 3:
		t.RGB = [3]float64(v[:3])
	case s == inkSpace && n == 4:
		for c := range t.RGB {
			t.RGB[c] = max(0, 1-v[c]-v[3])
		}
	case max(v[0], v[1], v[2], v[3]) <= paper: // of whatever ink
		t.RGB = [3]float64{1, 1, 1}
	default:
		t = Tint{}
	}
	b.tint[i] = t
}

// space finds what kind a colour space is of.
func (in *interpreter) space(res *resources, name string) (space, error) {
	if s, ok := res.spaces[name]; ok {
		return s, nil
	}
	d, err := in.dict(res.all.Get("ColorSpace"))
	if err != nil {
		return unknownSpace, err
	}
	var o pdf.Object = pdf.Name(name)
	if named := d.Get(pdf.Name(name)); named != nil {
		if o, err = in.resolve(named); err != nil {
			return unknownSpace, err
		}
	}
	if a, ok := o.(*pdf.Array); ok && len(a.Items) > 0 {
		o = a.Items[0]
		if o == pdf.Name("ICCBased") && len(a.Items) > 1 {
			profile, err := in.dict(a.Items[1])
			if err != nil {
				return unknownSpace, err
			}
			o = pdf.Name("DeviceRGB")
			if profile.Get("N") == int64(4) {
				o = pdf.Name("DeviceCMYK")
			}
		}
	}
	s := map[pdf.Object]space{pdf.Name("DeviceGray"): lightSpace, pdf.Name("DeviceRGB"): lightSpace, pdf.Name("CalGray"): lightSpace,
		pdf.Name("CalRGB"): lightSpace, pdf.Name("DeviceCMYK"): inkSpace, pdf.Name("Separation"): inkSpace, pdf.Name("DeviceN"): inkSpace}[nameOnly(o)]
	if res.spaces == nil {
		res.spaces = map[string]space{}
	}
	res.spaces[name] = s
	return s, nil
}

// nameOnly keeps names: arrays and dictionaries are no keys of maps.
func nameOnly(o pdf.Object) pdf.Object {
	n, _ := o.(pdf.Name)
	return n
}

// A named state, as far as it matters here.
type named struct {
	value  [3]float64 // LW, ca, CA
	has    [3]bool
	blends bool // it has a blend mode
	dark   bool // which darkens
}

func (in *interpreter) graphicsState(res *resources, name pdf.Name) error {
	s, ok := res.states[name]
	if !ok {
		var err error
		if s, err = in.namedState(res, name); err != nil {
			return err
		}
		if res.states == nil {
			res.states = map[pdf.Name]named{}
		}
		res.states[name] = s
	}
	b := &in.gs.brush
	if s.blends {
		b.darkens = s.dark
	}
	if s.has[0] {
		b.width = math.Abs(s.value[0])
	}
	for i, v := range s.value[1:] {
		if s.has[1+i] {
			b.clear[i] = v < paper
		}
	}
	return nil
}

func (in *interpreter) namedState(res *resources, name pdf.Name) (s named, err error) {
	all, err := in.dict(res.all.Get("ExtGState"))
	if err != nil {
		return s, err
	}
	d, err := in.dict(all.Get(name))
	if err != nil {
		return s, err
	}
	for i, k := range []pdf.Name{"LW", "ca", "CA"} {
		o, err := in.resolve(d.Get(k))
		if err != nil {
			return s, err
		}
		s.value[i], s.has[i] = pdf.Number(o)
	}
	mode, err := in.resolve(d.Get("BM"))
	if a, ok := mode.(*pdf.Array); ok && len(a.Items) > 0 { // the first that a reader knows
		mode = a.Items[0]
	}
	s.blends, s.dark = mode != nil, nameOnly(mode) == pdf.Name("Multiply") || nameOnly(mode) == pdf.Name("Darken")
	if err == nil && d.Get("Font") != nil {
		in.unpainted("a font that a graphics state sets")
	}
	return s, err
}

// far is where coordinates end: nothing is shown out there, and what is calculated with stays exact.
const far = 1e6

// step adds to the path. Coordinates are of the content.
func (in *interpreter) step(x, y float64, move bool) error {
	k := in.ink
	if k.steps++; k.steps > maxSteps {
		return fmt.Errorf("%w: more than %d steps in the paths of the page", pdf.ErrLimit, maxSteps)
	}
	k.at = Step{x, y, move}
	if move {
		k.first = k.at
	} else if len(k.path) == 0 {
		move = true // a line from nowhere: readers differ in what they make of it
	}
	p := in.gs.ctm.apply(x, y)
	if math.IsNaN(p.x) || math.IsNaN(p.y) {
		in.unpainted("coordinates that are no numbers")
		return nil
	}
	k.path = append(k.path, Step{max(-far, min(far, p.x)), max(-far, min(far, p.y)), move})
	return in.spend(8)
}

// curveSteps is how many lines stand for a curve. They lie inside of it, by less than a hundredth of its size.
const curveSteps = 8

func (in *interpreter) construct(op string, operands []pdf.Token) error {
	var v [6]float64
	n := 4
	switch op {
	case "m", "l":
		n = 2
	case "c":
		n = 6
	case "h":
		return in.close()
	}
	if !numbers(operands, v[:n]) {
		return nil
	}
	k := in.ink
	switch op {
	case "m":
		return in.step(v[0], v[1], true)
	case "l":
		return in.step(v[0], v[1], false)
	case "re":
		for i, p := range [5][2]float64{{v[0], v[1]}, {v[0] + v[2], v[1]}, {v[0] + v[2], v[1] + v[3]}, {v[0], v[1] + v[3]}, {v[0], v[1]}} {
			if err := in.step(p[0], p[1], i == 0); err != nil {
				return err
			}
		}
		return nil
	}
	x0, y0 := k.at.X, k.at.Y
	switch op {
	case "v":
		v = [6]float64{x0, y0, v[0], v[1], v[2], v[3]}
	case "y":
		v[4], v[5] = v[2], v[3]
	}
	for i := 1; i <= curveSteps; i++ {
		t := float64(i) / curveSteps
		u := 1 - t
		a, b, c, d := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
		if err := in.step(a*x0+b*v[0]+c*v[2]+d*v[4], a*y0+b*v[1]+c*v[3]+d*v[5], false); err != nil {
			return err
		}
	}
	return nil
}

func (in *interpreter) close() error {
	if k := in.ink; len(k.path) > 0 {
		return in.step(k.first.X, k.first.Y, false)
	}
	return nil
}

// paintPath ends a path: fills it, strokes it, clips to it.
func (in *interpreter) paintPath(op string) error {
	k, b := in.ink, &in.gs.brush
	if op == "s" || op == "b" || op == "b*" {
		if err := in.close(); err != nil {
			return err
		}
	}
	clip := k.clip
	k.clip = false
	if len(k.path) == 0 {
		return nil
	}
	box := Rect{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range k.path {
		box = Rect{min(box[0], p.X), min(box[1], p.Y), max(box[2], p.X), max(box[3], p.Y)}
	}
	fills := op != "S" && op != "s" && op != "n" && !b.clear[0]
	strokes := op != "n" && op[0] != 'f' && op[0] != 'F' && !b.clear[1]
	var err error
	if fills {
		err = in.emit(Ink{Kind: Area, Box: box, Path: k.path, EvenOdd: op[len(op)-1] == '*', Tint: b.tint[0]})
	}
	if strokes && err == nil {
		m := in.gs.ctm
		width := b.width * max(math.Hypot(m[0], m[1]), math.Hypot(m[2], m[3]))
		wide := Rect{box[0] - width/2, box[1] - width/2, box[2] + width/2, box[3] + width/2}
		err = in.emit(Ink{Kind: Stroke, Box: wide, Path: k.path, Width: width, Tint: b.tint[1]})
	}
	if clip {
		b.clip = b.clip.and(box)
	}
	k.path = k.path[:0]
	return err
}
