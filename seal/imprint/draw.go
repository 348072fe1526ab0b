package imprint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"

	"golang.org/x/image/vector"

	"github.com/courtseal/courtseal/internal/glyph"
)

// A drawing is two layers of outlines in mm, x to the right of the seal's centre and y below it, each filled by the
// non-zero rule. What either of them inks is inked.
type drawing struct{ path, second path }

type path []step

type step struct {
	op glyph.Op
	p  [3]point
}

type point struct{ x, y float64 }

func radians(degrees float64) float64 { return degrees * math.Pi / 180 }

// turn turns a point around the centre, clockwise as seen.
func turn(x, y, degrees float64) (float64, float64) {
	sin, cos := math.Sincos(radians(degrees))
	return x*cos - y*sin, x*sin + y*cos
}

func (d *drawing) move(x, y float64) {
	d.path = append(d.path, step{glyph.MoveTo, [3]point{{x, y}}})
}

func (d *drawing) line(x, y float64) {
	d.path = append(d.path, step{glyph.LineTo, [3]point{{x, y}}})
}

// circle adds a circle around the centre: ink, or a hole in the ink of a larger one.
func (d *drawing) circle(r float64, ink bool) {
	const quarters = 4
	dir := 1.0
	if !ink {
		dir = -1
	}
	// Each quarter as a cubic; the error is 0.03% of the radius, 0.006 mm on the largest seal.
	c := r * 4 / 3 * math.Tan(math.Pi/8)
	d.move(r, 0)
	for i := range quarters {
		a := dir * 90 * float64(i)
		s := step{op: glyph.CurveTo}
		s.p[0].x, s.p[0].y = turn(r, dir*c, a)
		s.p[1].x, s.p[1].y = turn(c, dir*r, a)
		s.p[2].x, s.p[2].y = turn(0, dir*r, a)
		d.path = append(d.path, s)
	}
}

// star adds a five-pointed star around the centre, one point up. The inner corners lie where the lines from point to
// point cross.
func (d *drawing) star(r float64) {
	inner := r * math.Sin(radians(18)) / math.Sin(radians(54))
	for i := range 10 {
		radius, add := r, d.line
		if i%2 == 1 {
			radius = inner
		}
		if i == 0 {
			add = d.move
		}
		add(turn(0, -radius, float64(36*i)))
	}
}

// bolder is half of what the level strokes gain, in thousandths of an em: narrow letters lose the weight of their upright
// strokes only, and a seal's type has less contrast than a book's. The outline is drawn twice, so much higher and lower;
// two layers, since edges that fall together in one would lose their smoothness.
const bolder = 10

// glyph adds a character, an em of it so wide and high, its square centred on the origin of place.
func (d *drawing) glyph(g *glyph.Glyph, width, height float64, place func(x, y float64) (float64, float64)) {
	for _, s := range g.Path {
		up, down := step{op: s.Op}, step{op: s.Op}
		for i, p := range s.P {
			x := (float64(p.X) - float64(g.Advance)/2) / glyph.Em * width
			y := float64(glyph.Ascent+glyph.Descent)/2 - float64(p.Y)
			up.p[i].x, up.p[i].y = place(x, (y-bolder)/glyph.Em*height)
			down.p[i].x, down.p[i].y = place(x, (y+bolder)/glyph.Em*height)
		}
		d.path, d.second = append(d.path, up), append(d.second, down)
	}
}

// picture renders a square of so many mm around the centre, in one ink: opacity 0 to 255 becomes index 0 to 15.
func (d *drawing) picture(size float64, dpi int, ink color.RGBA) *image.Paletted {
	pixels := int(math.Round(size / 25.4 * float64(dpi)))
	mask, second := d.path.mask(pixels, size), d.second.mask(pixels, size)
	for i, a := range mask.Pix {
		mask.Pix[i] = uint8((int(max(a, second.Pix[i]))*15 + 127) / 255)
	}
	palette := make(color.Palette, 16)
	for i := range palette {
		palette[i] = color.NRGBA{ink.R, ink.G, ink.B, uint8(17 * i)}
	}
	return &image.Paletted{Pix: mask.Pix, Stride: mask.Stride, Rect: mask.Rect, Palette: palette}
}

// encode writes a picture of so many mm. A seal is drawn once and carried in every document, so the best compression is
// worth its tenth of a second.
func encode(p *image.Paletted, size float64) ([]byte, error) {
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if err := e.Encode(&b, p); err != nil {
		return nil, fmt.Errorf("imprint: %w", err)
	}
	return withSize(b.Bytes(), float64(p.Rect.Dx())/size*1000), nil
}

// mask renders a square of so many mm around the centre.
func (p path) mask(pixels int, size float64) *image.Alpha {
	scale, middle := float64(pixels)/size, float64(pixels)/2
	at := func(p point) (float32, float32) {
		return float32(middle + p.x*scale), float32(middle + p.y*scale)
	}
	r := vector.NewRasterizer(pixels, pixels)
	for i, s := range p {
		x, y := at(s.p[0])
		switch s.op {
		case glyph.MoveTo:
			if i > 0 {
				r.ClosePath()
			}
			r.MoveTo(x, y)
		case glyph.LineTo:
			r.LineTo(x, y)
		case glyph.CurveTo:
			bx, by := at(s.p[1])
			cx, cy := at(s.p[2])
			r.CubeTo(x, y, bx, by, cx, cy)
		}
	}
	r.ClosePath()
	mask := image.NewAlpha(image.Rect(0, 0, pixels, pixels))
	r.Draw(mask, mask.Bounds(), image.Opaque, image.Point{})
	return mask
}

// withSize puts a pHYs chunk behind IHDR, which is the first chunk and 13 bytes long.
func withSize(b []byte, pixelsPerMetre float64) []byte {
	const ihdrEnd = 8 + 4 + 4 + 13 + 4
	c := []byte("\x00\x00\x00\x09pHYs")
	c = binary.BigEndian.AppendUint32(c, uint32(math.Round(pixelsPerMetre)))
	c = binary.BigEndian.AppendUint32(c, uint32(math.Round(pixelsPerMetre)))
	c = append(c, 1) // the unit is the metre
	c = binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	return bytes.Join([][]byte{b[:ihdrEnd], c, b[ihdrEnd:]}, nil)
}
