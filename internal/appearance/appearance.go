// Package appearance makes what a page shows of a seal: a Form XObject that draws one image of the seal's true size. The
// same picture always gives the same objects, so that a verifier can make them again and compare.
//
// A JPEG in grey or YCbCr stands in the file as it is (DCTDecode). Any other picture becomes an image of at most 256 colours
// (Indexed) or of 24 bits, and its transparency an SMask. The PNG of a seal in one ink, paletted with alpha = index, gives its
// compressed samples to the SMask unchanged.
package appearance

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"weak"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/sign"
)

// ErrPicture: the picture of a seal cannot be shown.
var ErrPicture = errors.New("appearance: picture cannot be shown")

// An Appearance is a converted picture. It is not changed after it was made.
type Appearance struct {
	Width, Height float64 // points, as the page shows it where it is not turned
	base          image
	mask          *image // nil: opaque
}

// An image is one Image XObject. Strings (the palette) are apart, because an encrypted file encrypts them.
type image struct {
	entries []entry // but /Length and /SMask
	palette []byte  // RGB; of an Indexed image
	data    []byte  // encoded
	sum     [32]byte
	dct     bool // a JPEG: sum is of its bytes, not of samples
}

type entry struct {
	key   pdf.Name
	value string // as pdf.AppendObject writes it; empty: the Indexed colour space
}

// Of converts a picture, once as long as the picture lives: the result is kept beside it by a weak pointer. The bytes of
// p.Data must not change meanwhile. It is safe for concurrent use.
func Of(p *sign.Picture) (*Appearance, error) {
	if len(p.Data) == 0 {
		return nil, fmt.Errorf("%w: no data", ErrPicture)
	}
	now := shape{p.Type, &p.Data[0], len(p.Data), p.Width, p.Height}
	key := weak.Make(p)
	converted.Lock()
	k := converted.of[key]
	if k == nil || k.shape != now {
		if k == nil {
			runtime.AddCleanup(p, forget, key)
		}
		k = &kept{shape: now}
		converted.of[key] = k
	}
	converted.Unlock()
	k.once.Do(func() { k.a, k.err = convert(p) })
	return k.a, k.err
}

type shape struct {
	kind          string
	data          *byte
	size          int
	width, height int
}

type kept struct {
	shape
	once sync.Once
	a    *Appearance
	err  error
}

var converted = struct {
	sync.Mutex
	of map[weak.Pointer[sign.Picture]]*kept
}{of: map[weak.Pointer[sign.Picture]]*kept{}}

func forget(key weak.Pointer[sign.Picture]) {
	converted.Lock()
	delete(converted.of, key)
	converted.Unlock()
}

// PutImage adds the image and its mask to an update of f.
func (a *Appearance) PutImage(f *pdf.File, u *pdf.Update) (pdf.Ref, error) {
	img, err := u.Alloc()
	if err != nil {
		return img, err
	}
	extra := ""
	if a.mask != nil {
		mask, err := u.Alloc()
		if err != nil {
			return img, err
		}
		text, err := a.mask.text(f, mask)
		if err != nil {
			return img, err
		}
		if err := u.PutStream(mask, text, a.mask.data); err != nil {
			return img, err
		}
		extra = " /SMask " + mask.R()
	}
	text, err := a.base.text(f, img)
	if err != nil {
		return img, err
	}
	return img, u.PutStream(img, text+extra, a.base.data)
}

// A View is what one widget shows, upright as the page is seen: a window, and the picture in it. The window clips, so a window
// that is narrower than the picture shows a strip of it.
type View struct {
	Width, Height float64 // of the window, points
	X, Y          float64 // of the picture's lower left corner in it
	W, H          float64 // of the picture as drawn
	Rotate        int     // of the page, degrees
	Text          [2]Text // beside the picture, if any
}

// A Text is a block in a View, by its lower left corner; one without a Block is none.
type Text struct {
	X, Y float64
	*Block
}

// Whole is the window that shows the picture and nothing else, in its true size.
func (a *Appearance) Whole(rotate int) View {
	return View{Width: a.Width, Height: a.Height, W: a.Width, H: a.Height, Rotate: rotate}
}

// Strip is the part of the picture from one fraction of its width to another.
func (a *Appearance) Strip(from, to float64, rotate int) View {
	return View{Width: (to - from) * a.Width, Height: a.Height, X: -from * a.Width, W: a.Width, H: a.Height, Rotate: rotate}
}

// Fit is a window of a size that is given: the picture in its middle, in its true size where there is room, else smaller.
func (a *Appearance) Fit(width, height float64, rotate int) View {
	scale := min(1, width/a.Width, height/a.Height)
	v := View{Width: width, Height: height, W: scale * a.Width, H: scale * a.Height, Rotate: rotate}
	v.X, v.Y = (width-v.W)/2, (height-v.H)/2
	return v
}

// PutForm adds the form that draws a view of the image.
func (a *Appearance) PutForm(u *pdf.Update, img pdf.Ref, v View) (pdf.Ref, error) {
	form, err := u.Alloc()
	if err != nil {
		return form, err
	}
	text, data := v.form(img), v.content()
	if v.Text != [2]Text{} {
		text += " /Filter /FlateDecode"
		if data, err = deflate(data); err != nil {
			return form, err
		}
	}
	return form, u.PutStream(form, text, data)
}

// content is what the form draws.
func (v *View) content() []byte {
	b := []byte("q " + Number(v.W) + " 0 0 " + Number(v.H) + " " + Number(v.X) + " " + Number(v.Y) + " cm /Im Do Q")
	for _, t := range v.Text {
		if t.Block != nil {
			b = append(append(b, '\n'), t.At(t.X, t.Y)...)
		}
	}
	return b
}

func (v *View) form(img pdf.Ref) string {
	s := "/Type /XObject /Subtype /Form /BBox [0 0 " + Number(v.Width) + " " + Number(v.Height) + "]"
	if m := matrix(v.Rotate); m != "" {
		s += " /Matrix " + m
	}
	return s + " /Resources << /XObject << /Im " + img.R() + " >> >>"
}

// matrix turns the form against the page.
func matrix(rotate int) string {
	switch rotate {
	case 90:
		return "[0 1 -1 0 0 0]"
	case 180:
		return "[-1 0 0 -1 0 0]"
	case 270:
		return "[0 -1 1 0 0 0]"
	}
	return ""
}

func (m *image) text(f *pdf.File, r pdf.Ref) (string, error) {
	var b []byte
	for i, e := range m.entries {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(pdf.AppendName(b, e.key), ' ')
		if e.value != "" {
			b = append(b, e.value...)
			continue
		}
		enc, err := f.EncryptString(r, m.palette)
		if err != nil {
			return "", err
		}
		b = m.indexed(b, enc)
	}
	return string(b), nil
}

func (m *image) indexed(b, palette []byte) []byte {
	b = fmt.Appendf(b, "[/Indexed /DeviceRGB %d ", len(m.palette)/3-1)
	return append(pdf.AppendHex(b, palette), ']')
}

// Number writes a coordinate: four decimals, no more digits than needed.
func Number(v float64) string {
	b := strconv.AppendFloat(nil, v, 'f', 4, 64)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	if b[len(b)-1] == '.' {
		b = b[:len(b)-1]
	}
	if string(b) == "-0" {
		return "0"
	}
	return string(b)
}

// MM is a millimetre in points.
const MM = 72 / 25.4

func flateImage(w, h, bits int, space string, palette, samples []byte) (image, error) {
	data, err := deflate(samples)
	return image{
		entries: []entry{
			{"Type", "/XObject"}, {"Subtype", "/Image"},
			{"Width", strconv.Itoa(w)}, {"Height", strconv.Itoa(h)},
			{"BitsPerComponent", strconv.Itoa(bits)}, {"ColorSpace", space},
			{"Filter", "/FlateDecode"},
		},
		palette: palette, data: data, sum: sha256.Sum256(samples),
	}, err
}
