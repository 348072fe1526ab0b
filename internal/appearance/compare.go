package appearance

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/sign"
)

// An Outcome says how the appearance found in a file stands to the picture of a seal.
type Outcome int

const (
	Foreign   Outcome = iota // made by other software: it cannot be compared octet by octet
	Same                     // exactly what this package makes of the picture
	Different                // made like ours, but not of this picture
)

// A Sight is what a window shows of the picture of a seal.
type Sight struct {
	Outcome
	From, To      float64  // of Same: the part of the picture's width that is seen, in fractions; 0 and 1: all of it
	Scale         float64  // of the picture in the window; 1: its true size
	Width, Height float64  // of the window, points, upright
	Rotate        int      // of a page, degrees, on which it is upright
	Texts         []string // beside the picture, as the blocks say what they show
}

// content is what View writes: the width and height of the picture and the place of its lower left corner.
var content = regexp.MustCompile(`^q ([0-9.]+) 0 0 ([0-9.]+) (-?[0-9.]+) ([0-9.]+) cm /Im Do Q`)

// maxForm bounds the encoded form that is looked at: text beside a seal is a few kilobytes.
const maxForm = 4 << 20

// A Comparer compares appearances in one file with pictures of seals: the same form, image and picture once, and all together
// within one limit of work, since a few kilobytes can ask for millions of samples.
type Comparer struct {
	f        *pdf.File
	left     int64 // samples and octets of content that may still be looked at
	pictures map[[32]byte]*sign.Picture
	sights   map[drawn]Sight
	images   map[drawn]Outcome
}

// drawn is an object held against a picture.
type drawn struct {
	ref pdf.Ref
	p   *sign.Picture
}

// NewComparer compares what a file of size bytes shows.
func NewComparer(f *pdf.File, size int64) *Comparer {
	return &Comparer{f, 64<<20 + 16*size, map[[32]byte]*sign.Picture{}, map[drawn]Sight{}, map[drawn]Outcome{}}
}

func (c *Comparer) spend(n int64) error {
	if c.left -= n; c.left < 0 {
		return fmt.Errorf("appearance: %w: the pictures of seals take too much work to compare", pdf.ErrLimit)
	}
	return nil
}

// known is the picture as it was met before, so that it is converted once.
func (c *Comparer) known(p *sign.Picture) (*sign.Picture, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d %s", p.Type, p.Width, p.Height, p.Data))
	if q := c.pictures[sum]; q != nil {
		return q, nil
	}
	if err := c.spend(pixels(p)); err != nil {
		return nil, err
	}
	c.pictures[sum] = p
	return p, nil
}

// Compare says whether form, an appearance stream or a reference to one, is what this package makes of p: its content and
// every dictionary exactly, the image by its samples, so that another version of the compressor is no difference. The error
// says why the picture cannot be converted or the file not be read.
func (c *Comparer) Compare(form pdf.Object, p *sign.Picture) (Sight, error) {
	p, err := c.known(p)
	if err != nil {
		return Sight{}, err
	}
	ref, _ := form.(pdf.Ref)
	key := drawn{ref, p}
	if s, ok := c.sights[key]; ok && ref.Num != 0 {
		return s, nil
	}
	s, err := c.compare(form, p)
	if err == nil {
		c.sights[key] = s
	}
	return s, err
}

func (c *Comparer) compare(form pdf.Object, p *sign.Picture) (Sight, error) {
	st, err := stream(c.f, form)
	if err != nil || st == nil || st.Length > maxForm {
		return Sight{}, err
	}
	text, err := c.f.Data(st)
	if err := c.spend(int64(len(text))); err != nil {
		return Sight{}, err
	}
	m := content.FindSubmatch(text)
	if err != nil || m == nil {
		return Sight{}, err
	}
	beside, ok := blocks(text[len(m[0]):])
	if !ok {
		return Sight{}, nil
	}
	a, err := Of(p)
	if err != nil {
		return Sight{}, err
	}
	if !shaped(st.Dict, "Type", "Subtype", "BBox", "Matrix?", "Resources", "Filter?", "Length") {
		return Sight{}, nil
	}
	v, img, ok := window(st.Dict, m[1:])
	if !ok {
		return Sight{Outcome: Different}, nil
	}
	seen, ok := a.sight(v, beside)
	if !ok {
		return Sight{Outcome: Different}, nil
	}
	key := drawn{img, p}
	if o, ok := c.images[key]; ok {
		seen.Outcome = o
		return seen, nil
	}
	if seen.Outcome, err = a.shows(c, img); err == nil {
		c.images[key] = seen.Outcome
	}
	return seen, err
}

// shaped says whether a dictionary has the keys that are written here, in their order; those with a question mark may be missing. Another
// one was written by others, or by somebody who put something into it.
func shaped(d *pdf.Dict, keys ...string) bool {
	n := 0
	for _, k := range keys {
		name, optional := strings.CutSuffix(k, "?")
		switch {
		case n < len(d.Entries) && d.Entries[n].Key == pdf.Name(name):
			n++
		case !optional:
			return false
		}
	}
	return n == len(d.Entries)
}

// blocks reads what stands behind the picture: at most two texts.
func blocks(b []byte) (list []Placed, ok bool) {
	for len(b) > 0 {
		if b[0] != '\n' || len(list) == len(View{}.Text) {
			return nil, false
		}
		p, rest, ok := ReadBlock(b[1:])
		if !ok {
			return nil, false
		}
		list, b = append(list, p), rest
	}
	return list, true
}

// window reads the View back that a form and its content were written for.
func window(d *pdf.Dict, numbers [][]byte) (v View, img pdf.Ref, ok bool) {
	for i, to := range []*float64{&v.W, &v.H, &v.X, &v.Y} {
		if *to, ok = pdf.Number(pdf.Real(numbers[i])); !ok {
			return
		}
	}
	if f := d.Get("Filter"); f != nil && f != pdf.Name("FlateDecode") {
		return v, img, false
	}
	if m := d.Get("Matrix"); m != nil {
		ok = false
		for _, turn := range []int{90, 180, 270} {
			if written(m) == matrix(turn) {
				v.Rotate, ok = turn, true
			}
		}
	}
	box, _ := d.Get("BBox").(*pdf.Array)
	if !ok || box == nil || len(box.Items) != 4 || written(box.Items[0]) != "0" || written(box.Items[1]) != "0" {
		return v, img, false
	}
	var okW, okH bool
	v.Width, okW = pdf.Number(box.Items[2])
	v.Height, okH = pdf.Number(box.Items[3])
	res, _ := d.Get("Resources").(*pdf.Dict)
	if !okW || !okH || res == nil || len(res.Entries) != 1 {
		return v, img, false
	}
	objs, _ := res.Get("XObject").(*pdf.Dict)
	if objs == nil || len(objs.Entries) != 1 {
		return v, img, false
	}
	img, ok = objs.Get("Im").(pdf.Ref)
	return v, img, ok && written(d.Get("Type")) == "/XObject" && written(d.Get("Subtype")) == "/Form"
}

// near is how much two numbers of points may differ that were written with four decimals.
func near(a, b float64) bool { return math.Abs(a-b) < 0.001 }

// sight says which part of the picture a view shows; ok is false where it is none of the views that are made here.
func (a *Appearance) sight(v View, beside []Placed) (Sight, bool) {
	s := Sight{To: 1, Scale: v.W / a.Width, Width: v.Width, Height: v.Height, Rotate: v.Rotate}
	if !(v.Width > 0.001 && v.Height > 0.001 && v.W > 0.001 && v.H > 0.001) {
		return s, false
	}
	full := near(v.W, a.Width) && near(v.H, a.Height)
	switch {
	case len(beside) > 0:
		inside := v.X > -0.001 && v.Y > -0.001 && v.X+v.W < v.Width+0.001 && v.Y+v.H < v.Height+0.001
		for _, t := range beside {
			s.Texts = append(s.Texts, t.Text)
			inside = inside && (t.X > v.X+v.W-0.001 || t.X+t.Width < v.X+0.001 || t.Y > v.Y+v.H-0.001 || t.Y+t.Height < v.Y+0.001)
		}
		return s, full && inside
	case full && near(v.Y, 0) && near(v.Height, v.H) && v.X < 0.001 && v.Width-v.X < v.W+0.001:
		s.From, s.To = max(0, -v.X/v.W), min(1, (v.Width-v.X)/v.W)
		return s, true
	}
	fit := a.Fit(v.Width, v.Height, v.Rotate)
	return s, near(v.W, fit.W) && near(v.H, fit.H) && near(v.X, fit.X) && near(v.Y, fit.Y)
}

// shows compares the image that is drawn.
func (a *Appearance) shows(c *Comparer, img pdf.Ref) (Outcome, error) {
	found, err := stream(c.f, img)
	if err != nil || found == nil {
		return Different, err
	}
	mask, masked := found.Dict.Get("SMask").(pdf.Ref)
	o, err := a.base.is(c, found, a.mask != nil)
	if o != Same || !masked {
		return o, err
	}
	found, err = stream(c.f, mask)
	if err != nil || found == nil {
		return Different, err
	}
	return a.mask.is(c, found, false)
}

func stream(f *pdf.File, o pdf.Object) (*pdf.Stream, error) {
	o, err := f.Resolve(o)
	if err != nil {
		return nil, fmt.Errorf("appearance: %w", err)
	}
	st, _ := o.(*pdf.Stream)
	return st, nil
}

func written(o pdf.Object) string { return string(pdf.AppendObject(nil, o)) }

// is compares an image with one found in a file.
func (m *image) is(c *Comparer, st *pdf.Stream, masked bool) (Outcome, error) {
	if !shaped(st.Dict, "Type", "Subtype", "Width", "Height", "BitsPerComponent", "ColorSpace", "Filter", "DecodeParms?", "SMask?", "Length") {
		return Foreign, nil
	}
	n := len(m.entries) + 1 // /Length
	if masked {
		n++
	}
	if _, ok := st.Dict.Get("SMask").(pdf.Ref); ok != masked || n != len(st.Dict.Entries) {
		return Different, nil
	}
	for _, e := range m.entries {
		want := e.value
		if want == "" {
			want = string(m.indexed(nil, m.palette))
		}
		if written(st.Dict.Get(e.key)) != want {
			return Different, nil
		}
	}
	if m.dct { // compared as it stands
		st = &pdf.Stream{Dict: &pdf.Dict{}, Offset: st.Offset, Length: st.Length, Ref: st.Ref}
	}
	samples, err := c.f.Data(st)
	if err := errors.Join(err, c.spend(int64(len(samples)))); err != nil {
		return Different, err
	}
	if sha256.Sum256(samples) != m.sum {
		return Different, nil
	}
	return Same, nil
}
