// Package pdfimage decodes images of PDF files (ISO 32000-2, 8.9), as far as it takes to see what they show: colours are as near as a
// reader without a profile gets. JPEG 2000, JBIG2 and fax images are not decoded.
package pdfimage

import (
	"errors"
	"fmt"
	"image"
	"image/draw"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
)

var (
	// ErrKind: the image is of a kind that is not decoded.
	ErrKind = errors.New("pdfimage: a kind of image that is not decoded")
	// ErrSize: the image has too many pixels, or none.
	ErrSize = errors.New("pdfimage: no size for a picture of a seal")
)

// MaxPixels bounds an image, and each of its masks: 60 mm at 1200 dpi are 8.0 million.
const MaxPixels = 8 << 20

// An Image is one that is open: its samples are decoded, their colours are not.
type Image struct {
	Width, Height int // of the image or of its mask, whatever is more
	base          plane
	alpha         *plane // nil: none
	line, mask    []byte
}

// A plane is an image without what masks it.
type plane struct {
	w, h    int
	row     func(y int, nrgba []byte)
	stencil bool // it paints in one colour, or nothing
}

// Row gives a row, 0 the topmost: four octets a pixel, red, green, blue and opacity. An image that is a stencil is black where it paints.
func (m *Image) Row(y int, nrgba []byte) {
	m.base.row(y*m.base.h/m.Height, m.line)
	for x := range m.Width {
		copy(nrgba[4*x:4*x+4], m.line[4*(x*m.base.w/m.Width):])
	}
	a := m.alpha
	if a == nil {
		return
	}
	a.row(y*a.h/m.Height, m.mask)
	for x := range m.Width {
		p := m.mask[4*(x*a.w/m.Width):]
		v := p[0]
		if a.stencil {
			v = p[3] // what the mask would paint is what is seen of the image
		}
		nrgba[4*x+3] = byte(int(nrgba[4*x+3]) * int(v) / 255)
	}
}

// Size is what an image says of its width and height. ErrSize: nothing of that size is decoded.
func Size(f *pdf.File, s *pdf.Stream) (width, height int, err error) {
	var n [2]int
	for i, k := range []pdf.Name{"Width", "Height"} {
		o, err := f.Resolve(s.Dict.Get(k))
		if err != nil {
			return 0, 0, err
		}
		v, _ := o.(int64)
		if v <= 0 || v > MaxPixels {
			return 0, 0, fmt.Errorf("%w: a side of %d pixels", ErrSize, v)
		}
		n[i] = int(v)
	}
	if n[0] > MaxPixels/n[1] {
		return 0, 0, fmt.Errorf("%w: %d x %d pixels", ErrSize, n[0], n[1])
	}
	return n[0], n[1], nil
}

// Open decodes the image s. inline is its data where it stands in a content stream, whose resources name colour spaces; else nil.
// Errors: ErrKind, ErrSize, pdf.ErrSyntax and those of package pdf.
func Open(f *pdf.File, s *pdf.Stream, inline []byte, spaces *pdf.Dict) (*Image, error) {
	src := &source{f, spaces}
	m := &Image{}
	if err := src.open(&m.base, s, inline); err != nil {
		return nil, err
	}
	m.Width, m.Height = m.base.w, m.base.h
	m.line = make([]byte, 4*m.base.w)
	if m.base.stencil {
		return m, nil
	}
	for _, k := range []pdf.Name{"SMask", "Mask"} { // the second has no effect beside the first
		mask, ok := src.get(s.Dict, k).(*pdf.Stream)
		if !ok {
			continue
		}
		m.alpha = &plane{}
		if err := src.open(m.alpha, mask, nil); err != nil {
			return nil, err
		}
		m.mask = make([]byte, 4*m.alpha.w)
		if w, h := max(m.Width, m.alpha.w), max(m.Height, m.alpha.h); w <= MaxPixels/h {
			m.Width, m.Height = w, h
		}
		break
	}
	return m, nil
}

// A source is what images are read from.
type source struct {
	f      *pdf.File
	spaces *pdf.Dict
}

func (src *source) get(d *pdf.Dict, k pdf.Name) pdf.Object {
	o, _ := src.f.Resolve(d.Get(k))
	return o
}

func (src *source) open(m *plane, s *pdf.Stream, inline []byte) (err error) {
	if m.w, m.h, err = Size(src.f, s); err != nil {
		return err
	}
	m.stencil = src.get(s.Dict, "ImageMask") == true
	b, codec, err := src.f.Samples(s, inline, 8*MaxPixels)
	switch {
	case codec == "DCTDecode" && !m.stencil && err == nil:
		return m.jpeg(b)
	case codec != "":
		return fmt.Errorf("%w: %s", ErrKind, codec)
	case err != nil && len(b) == 0:
		return err
	}
	depth, _ := src.get(s.Dict, "BitsPerComponent").(int64)
	if m.stencil {
		depth = 1
	}
	return m.samples(src, s, b, int(depth))
}

// jpeg decodes a JPEG, whose own header says its size and colours.
func (m *plane) jpeg(b []byte) error {
	img, err := appearance.Decode(b)
	if err != nil {
		return fmt.Errorf("%w: %w", pdf.ErrSyntax, err)
	}
	r := img.Bounds()
	m.w, m.h = r.Dx(), r.Dy()
	line := image.NewRGBA(image.Rect(0, 0, m.w, 1)) // a JPEG is opaque
	m.row = func(y int, to []byte) {
		draw.Draw(line, line.Rect, img, image.Pt(r.Min.X, r.Min.Y+y), draw.Src)
		copy(to, line.Pix)
	}
	return nil
}

// samples decodes rows of samples of so many bits.
func (m *plane) samples(src *source, s *pdf.Stream, b []byte, bits int) error {
	if bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 {
		return fmt.Errorf("%w: an image of %d bits a sample", pdf.ErrSyntax, bits)
	}
	space := deviceGray
	if !m.stencil {
		var err error
		if space, err = src.space(src.get(s.Dict, "ColorSpace"), 0); err != nil {
			return err
		}
	}
	n := space.n
	width := (m.w*n*bits + 7) / 8
	if b = b[:min(len(b), width*m.h)]; len(b) < width*m.h/2 {
		return fmt.Errorf("%w: an image of %d bytes that should have %d", pdf.ErrSyntax, len(b), width*m.h)
	}
	scale := src.decode(s, space, bits)
	key := src.key(s, n)
	values, raw := make([]float64, n), make([]int, n)
	m.row = func(y int, to []byte) {
		from := min(len(b), y*width)
		line := b[from:min(len(b), from+width)]
		for x := range m.w {
			masked := key != nil
			for i := range n {
				raw[i] = sample(line, x*n+i, bits)
				values[i] = scale[2*i] + float64(raw[i])*scale[2*i+1]
				masked = masked && raw[i] >= key[2*i] && raw[i] <= key[2*i+1]
			}
			p := to[4*x : 4*x+4]
			p[3] = 255
			switch {
			case m.stencil:
				p[0], p[1], p[2] = 0, 0, 0
				if values[0] >= 0.5 {
					p[3] = 0
				}
			case masked:
				p[3] = 0
			default:
				space.colour(values, p)
			}
		}
	}
	return nil
}

// sample is the value of sample i of a row; 0 where the data ends too early.
func sample(line []byte, i, bits int) int {
	at := i * bits / 8
	switch {
	case at >= len(line):
		return 0
	case bits == 8:
		return int(line[at])
	case bits == 16:
		v := int(line[at]) << 8
		if at+1 < len(line) {
			v |= int(line[at+1])
		}
		return v
	}
	return int(line[at]) >> (8 - bits - i*bits%8) & (1<<bits - 1)
}

// decode is /Decode, for each component the value of the sample 0 and what a step adds.
func (src *source) decode(s *pdf.Stream, space *space, bits int) []float64 {
	most := float64(int(1)<<bits - 1)
	scale := make([]float64, 2*space.n)
	a, _ := src.get(s.Dict, "Decode").(*pdf.Array)
	for i := range space.n {
		low, high := space.limits(i, most)
		if a != nil && len(a.Items) == 2*space.n {
			for j, to := range []*float64{&low, &high} {
				if o, err := src.f.Resolve(a.Items[2*i+j]); err == nil {
					if v, ok := pdf.Number(o); ok {
						*to = v
					}
				}
			}
		}
		scale[2*i], scale[2*i+1] = low, (high-low)/most
	}
	return scale
}

// key is the range of samples that are masked out, for each component; nil: none.
func (src *source) key(s *pdf.Stream, n int) []int {
	a, _ := src.get(s.Dict, "Mask").(*pdf.Array)
	if a == nil || len(a.Items) != 2*n {
		return nil
	}
	key := make([]int, 2*n)
	for i, o := range a.Items {
		o, _ = src.f.Resolve(o)
		v, ok := o.(int64)
		if !ok {
			return nil
		}
		key[i] = int(v)
	}
	return key
}
