package pdftext

import (
	"math"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/phrase"
)

// unknown is what nothing says the meaning of.
const unknown = "\ufffd"

// The height of a line where the font does not tell it: the square of an ideograph in common fonts.
const (
	defaultAscent  = 0.88
	defaultDescent = -0.12
)

// A char is what a font knows about a code, in ems.
type char struct {
	text     string
	width    float64
	vx, down float64 // vertical writing: from the left edge to the origin, and to the next character (negative)
	blank    bool    // white space
}

// A font tells of a string which characters it has. It is kept by a Reader; what is asked is remembered.
type font struct {
	vertical        bool
	ascent, descent float64
	simple          [256]char  // where composite is nil
	composite       *composite //
	chars           map[uint64]char
}

// next gives the character that s begins with, and the length of its code.
func (f *font) next(in *interpreter, s []byte) (char, int) {
	if f.composite == nil {
		return f.simple[s[0]], 1
	}
	code, n := f.composite.encoding.next(s)
	key := uint64(n)<<32 | uint64(code)
	c, ok := f.chars[key]
	if !ok {
		c = f.composite.char(in, code, n)
		c.finish()
		if len(f.chars) < 1<<16 {
			f.chars[key] = c
		}
	}
	return c, n
}

// finish settles what a character is when all is said about it.
func (c *char) finish() {
	if c.text == "" {
		c.text = unknown
	}
	c.blank = phrase.Squeeze(c.text) == ""
	for _, v := range []*float64{&c.width, &c.vx, &c.down} {
		if math.IsNaN(*v) || math.Abs(*v) > 100 {
			*v = 0
		}
	}
}

// fontNamed finds a font of the resources, nil where there is none.
func (in *interpreter) fontNamed(res *resources, name string) (*font, error) {
	if f, ok := res.met[name]; ok {
		return f, nil
	}
	o := res.fonts.Get(pdf.Name(name))
	ref, isRef := o.(pdf.Ref)
	f := in.r.fonts[ref]
	if !isRef || f == nil {
		d, err := in.dict(o)
		if err != nil {
			return nil, err
		}
		if d != nil {
			if f, err = in.loadFont(d); err != nil {
				return nil, err
			}
		}
		if isRef && f != nil {
			if len(in.r.fonts) >= maxFonts {
				clear(in.r.fonts)
			}
			in.r.fonts[ref] = f
		}
	}
	res.met[name] = f
	return f, nil
}

func (in *interpreter) loadFont(d *pdf.Dict) (*font, error) {
	if err := in.spend(4096); err != nil {
		return nil, err
	}
	toUnicode, err := in.cmap(d.Get("ToUnicode"), maxUse)
	if err != nil {
		return nil, err
	}
	if d.Get("Subtype") == pdf.Name("Type0") {
		return in.loadComposite(d, toUnicode)
	}
	f := &font{}
	desc, err := in.dict(d.Get("FontDescriptor"))
	if err != nil {
		return nil, err
	}
	if err := in.height(f, desc); err != nil {
		return nil, err
	}
	names, err := in.encoding(d, desc, toUnicode == nil)
	if err != nil {
		return nil, err
	}
	for c := range f.simple {
		if text := toUnicode.text(uint32(c), 1); text != "" {
			f.simple[c].text = text
		} else {
			f.simple[c].text = names[c]
		}
	}
	if err := in.widths(f, d, desc, names); err != nil {
		return nil, err
	}
	for c := range f.simple {
		f.simple[c].finish()
	}
	return f, nil
}

// height takes ascent and descent from a font descriptor. Values that no font has are not believed.
func (in *interpreter) height(f *font, desc *pdf.Dict) error {
	f.ascent, f.descent = defaultAscent, defaultDescent
	o, err := in.resolve(desc.Get("Ascent"))
	if err != nil {
		return err
	}
	if v, _ := pdf.Number(o); math.Abs(v) > 300 && math.Abs(v) < 1500 {
		f.ascent = math.Abs(v) / 1000
	}
	if o, err = in.resolve(desc.Get("Descent")); err != nil {
		return err
	}
	if v, _ := pdf.Number(o); v != 0 && math.Abs(v) < 1000 {
		f.descent = -math.Abs(v) / 1000
	}
	return nil
}

// encoding says what the codes of a simple font stand for by its /Encoding, by its font program where that is wanted, or by the
// standard encoding.
func (in *interpreter) encoding(d, desc *pdf.Dict, program bool) (*[256]string, error) {
	o, err := in.resolve(d.Get("Encoding"))
	if err != nil {
		return nil, err
	}
	named, _ := o.(pdf.Name)
	enc, _ := o.(*pdf.Dict)
	if enc != nil {
		base, err := in.resolve(enc.Get("BaseEncoding"))
		if err != nil {
			return nil, err
		}
		named, _ = base.(pdf.Name)
	}
	font, _ := d.Get("BaseFont").(pdf.Name)
	table := symbolEncoding(string(font))
	if table == nil {
		table = baseEncoding(string(named))
	}
	if table == nil && program {
		if table, err = in.builtIn(desc); err != nil {
			return nil, err
		}
	}
	if table == nil {
		table = baseEncoding("StandardEncoding")
	}
	o, err = in.resolve(enc.Get("Differences"))
	a, ok := o.(*pdf.Array)
	if err != nil || !ok {
		return table, err
	}
	c := int64(0)
	for _, o := range a.Items {
		if o, err = in.resolve(o); err != nil {
			return nil, err
		}
		switch v := o.(type) {
		case int64:
			c = v
		case pdf.Name:
			if c >= 0 && c < 256 {
				table[c] = nameText(string(v))
			}
			c++
		}
	}
	return table, nil
}

// widths sets the widths of a simple font.
func (in *interpreter) widths(f *font, d, desc *pdf.Dict, names *[256]string) error {
	scale := 0.001
	if d.Get("Subtype") == pdf.Name("Type3") {
		m, err := in.matrix(d.Get("FontMatrix"))
		if err != nil {
			return err
		}
		scale = m[0]
		if err := in.type3Height(f, d, m[3]); err != nil {
			return err
		}
	}
	list, err := in.floats(d.Get("Widths"))
	if err != nil {
		return err
	}
	first, err := in.resolve(d.Get("FirstChar"))
	if err != nil {
		return err
	}
	missing, err := in.resolve(desc.Get("MissingWidth"))
	if err != nil {
		return err
	}
	from, _ := first.(int64)
	otherwise, _ := pdf.Number(missing)
	font, _ := d.Get("BaseFont").(pdf.Name)
	metrics := standardMetrics(string(font))
	if desc == nil && d.Get("Subtype") != pdf.Name("Type3") {
		f.ascent, f.descent = metrics.ascent, metrics.descent
	}
	for c := range f.simple {
		switch i := int64(c) - from; {
		case i >= 0 && i < int64(len(list)):
			f.simple[c].width = list[i] * scale
		case list == nil:
			f.simple[c].width = metrics.of(names[c])
		default:
			f.simple[c].width = otherwise * scale
		}
	}
	return nil
}

// type3Height takes the height of a Type 3 font from its box. Some have their glyphs upside down, and text turned over.
func (in *interpreter) type3Height(f *font, d *pdf.Dict, scale float64) error {
	if scale < 0 {
		f.ascent, f.descent = -f.descent, -f.ascent
	}
	box, err := in.floats(d.Get("FontBBox"))
	if err != nil || len(box) != 4 {
		return err
	}
	low, high := min(box[1]*scale, box[3]*scale), max(box[1]*scale, box[3]*scale)
	if high-low > 0.1 && high < 3 && low > -3 {
		f.ascent, f.descent = high, low
	}
	return nil
}

// cmap reads a CMap that is a stream or named; nil: there is none that can be read.
func (in *interpreter) cmap(o pdf.Object, uses int) (*cmap, error) {
	o, err := in.resolve(o)
	if err != nil || uses == 0 {
		return nil, err
	}
	switch v := o.(type) {
	case pdf.Name:
		return namedCMap(string(v)), nil
	case *pdf.Stream:
		b, err := in.data(v, "a CMap")
		if err != nil {
			return nil, err
		}
		c, err := parseCMap(b, namedCMap)
		if err != nil {
			return nil, err
		}
		if w, ok := v.Dict.Get("WMode").(int64); ok {
			c.vertical = w == 1
		}
		if use := v.Dict.Get("UseCMap"); use != nil {
			if c.base, err = in.cmap(use, uses-1); err != nil {
				return nil, err
			}
		}
		return c, nil
	}
	return nil, nil
}
