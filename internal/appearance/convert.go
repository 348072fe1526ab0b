package appearance

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	goimage "image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"strconv"

	"golang.org/x/image/bmp"

	"github.com/courtseal/courtseal/sign"
)

// maxPixels bounds a picture: a seal of 60 mm at 1200 dpi has 8.0 million. A colour of 16 bits a channel counts twice.
const maxPixels = 8 << 20

func convert(p *sign.Picture) (*Appearance, error) {
	if p.Width <= 0 || p.Height <= 0 || p.Width > 1000 || p.Height > 1000 {
		return nil, fmt.Errorf("%w: %d x %d mm is no size of a seal", ErrPicture, p.Width, p.Height)
	}
	a := &Appearance{Width: float64(p.Width) * MM, Height: float64(p.Height) * MM}
	kind, cfg, err := open(p.Data)
	if err != nil {
		return nil, err
	}
	if kind.name == "JPEG" && cfg.ColorModel != color.CMYKModel {
		a.base = jpegImage(p.Data, cfg)
		return a, nil
	}
	img, err := kind.image(p.Data, cfg)
	if err != nil {
		return nil, err
	}
	if pal, ok := img.(*goimage.Paletted); ok && kind.name == "PNG" {
		if ok, err := a.singleInk(p.Data, pal); ok || err != nil {
			return a, err
		}
	}
	return a, a.planes(img)
}

// Pixels is how many pixels a picture has that Decode decodes; an error says why it does not.
func Pixels(data []byte) (int64, error) {
	_, cfg, err := open(data)
	return int64(cfg.Width) * int64(cfg.Height), err
}

// Decode decodes a picture, PNG, JPEG, GIF or BMP, told by its bytes.
func Decode(data []byte) (goimage.Image, error) {
	kind, cfg, err := open(data)
	if err != nil {
		return nil, err
	}
	// A progressive JPEG takes twelve octets a pixel, and each of its scans as much time as all of a plain one.
	if kind.name == "JPEG" && (cfg.Width > maxPixels/2/cfg.Height || bytes.Count(data, []byte{0xff, 0xda}) > maxScans) {
		return nil, fmt.Errorf("%w: a JPEG of %d x %d pixels or of more than %d scans", ErrPicture, cfg.Width, cfg.Height, maxScans)
	}
	return kind.image(data, cfg)
}

// maxScans bounds the scans of a JPEG that is decoded: encoders make about ten.
const maxScans = 64

// open tells what kind of picture data is, and that its pixels are not too many.
func open(data []byte) (*kind, goimage.Config, error) {
	kind := kindOf(data)
	if kind == nil {
		return nil, goimage.Config{}, fmt.Errorf("%w: %.4q… is no picture of a kind that is known: PNG, JPEG, GIF and BMP are", ErrPicture, data)
	}
	cfg, err := kind.config(bytes.NewReader(data))
	if err != nil {
		return nil, cfg, fmt.Errorf("%w: %s: %w", ErrPicture, kind.name, err)
	}
	room := maxPixels
	if m := cfg.ColorModel; m == color.RGBA64Model || m == color.NRGBA64Model || m == color.Gray16Model {
		room /= 2
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > room/cfg.Height {
		return nil, cfg, fmt.Errorf("%w: %d x %d pixels; at most %d million", ErrPicture, cfg.Width, cfg.Height, room>>20)
	}
	return kind, cfg, nil
}

// image decodes a picture. A GIF is as large as its canvas.
func (k *kind) image(data []byte, cfg goimage.Config) (goimage.Image, error) {
	img, err := k.decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrPicture, k.name, err)
	}
	if k.name == "GIF" && img.Bounds() != goimage.Rect(0, 0, cfg.Width, cfg.Height) {
		canvas := goimage.NewNRGBA(goimage.Rect(0, 0, cfg.Width, cfg.Height))
		draw.Draw(canvas, img.Bounds(), img, img.Bounds().Min, draw.Src)
		img = canvas
	}
	return img, nil
}

// pixels is how many samples it takes to convert a picture, or to compare it.
func pixels(p *sign.Picture) int64 {
	if k := kindOf(p.Data); k != nil {
		if cfg, err := k.config(bytes.NewReader(p.Data)); err == nil && cfg.Width > 0 && cfg.Height > 0 && cfg.Width <= maxPixels/cfg.Height {
			return int64(cfg.Width) * int64(cfg.Height)
		}
	}
	return int64(len(p.Data))
}

type kind struct {
	name, magic string
	config      func(*bytes.Reader) (goimage.Config, error)
	decode      func(*bytes.Reader) (goimage.Image, error)
}

// kindOf goes by the bytes: real seals name their pictures "PNG", "png", "jpg" and worse.
func kindOf(b []byte) *kind {
	for _, k := range []kind{
		{"PNG", "\x89PNG\r\n\x1a\n",
			func(r *bytes.Reader) (goimage.Config, error) { return png.DecodeConfig(r) },
			func(r *bytes.Reader) (goimage.Image, error) { return png.Decode(r) }},
		{"JPEG", "\xff\xd8\xff",
			func(r *bytes.Reader) (goimage.Config, error) { return jpeg.DecodeConfig(r) },
			func(r *bytes.Reader) (goimage.Image, error) { return jpeg.Decode(r) }},
		{"GIF", "GIF8",
			func(r *bytes.Reader) (goimage.Config, error) { return gif.DecodeConfig(r) },
			func(r *bytes.Reader) (goimage.Image, error) { return gif.Decode(r) }},
		{"BMP", "BM",
			func(r *bytes.Reader) (goimage.Config, error) { return bmp.DecodeConfig(r) },
			func(r *bytes.Reader) (goimage.Image, error) { return bmp.Decode(r) }},
	} {
		if bytes.HasPrefix(b, []byte(k.magic)) {
			return &k
		}
	}
	return nil
}

func jpegImage(data []byte, cfg goimage.Config) image {
	space := "/DeviceRGB"
	if cfg.ColorModel == color.GrayModel {
		space = "/DeviceGray"
	}
	return image{
		entries: []entry{
			{"Type", "/XObject"}, {"Subtype", "/Image"},
			{"Width", strconv.Itoa(cfg.Width)}, {"Height", strconv.Itoa(cfg.Height)},
			{"BitsPerComponent", "8"}, {"ColorSpace", space}, {"Filter", "/DCTDecode"},
		},
		data: data, sum: sha256.Sum256(data), dct: true,
	}
}

// singleInk takes a PNG whose palette holds one ink that grows with the index in even steps up to full (or, in 8 bits, up to
// where the palette ends): its IDAT is the mask. ok is false where the picture is no such PNG.
func (a *Appearance) singleInk(data []byte, img *goimage.Paletted) (ok bool, err error) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	idat, bits := pngData(data)
	if bits == 0 || img.Stride != w || len(img.Palette) < 2 {
		return false, nil
	}
	step := 255 / (1<<bits - 1) // 255, 85, 17, 1
	var ink color.NRGBA
	for i, c := range img.Palette {
		n, is := c.(color.NRGBA)
		if !is {
			r, isOpaque := c.(color.RGBA)
			n = color.NRGBA(r)
			if !isOpaque || r.A != 255 {
				return false, nil
			}
		}
		if int(n.A) != i*step || i > 1 && (n.R != ink.R || n.G != ink.G || n.B != ink.B) {
			return false, nil
		}
		ink = n
	}
	a.base, err = plain(w, h, ink)
	a.mask = &image{
		entries: []entry{
			{"Type", "/XObject"}, {"Subtype", "/Image"},
			{"Width", strconv.Itoa(w)}, {"Height", strconv.Itoa(h)},
			{"BitsPerComponent", strconv.Itoa(bits)}, {"ColorSpace", "/DeviceGray"}, {"Filter", "/FlateDecode"},
			{"DecodeParms", fmt.Sprintf("<< /Predictor 15 /Colors 1 /BitsPerComponent %d /Columns %d >>", bits, w)},
		},
		data: idat, sum: sha256.Sum256(pack(img, bits)),
	}
	return true, err
}

// pack gives the indices of a picture in rows of whole bytes, as PNG and PDF have them.
func pack(img *goimage.Paletted, bits int) []byte {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if bits == 8 {
		return img.Pix[:w*h]
	}
	row := (w*bits + 7) / 8
	out := make([]byte, row*h)
	for y := range h {
		for x, v := range img.Pix[y*w : (y+1)*w] {
			out[y*row+x*bits/8] |= v << (8 - bits - x*bits%8)
		}
	}
	return out
}

// pngData joins the IDAT chunks of a PNG that is not interlaced, and tells its bits a sample; 0: it is interlaced or cut short.
// The decoder has checked the chunks.
func pngData(b []byte) (idat []byte, bits int) {
	for b = b[8:]; len(b) >= 12; {
		n := int(binary.BigEndian.Uint32(b))
		if n < 0 || n > len(b)-12 {
			return nil, 0
		}
		body := b[8 : 8+n]
		switch string(b[4:8]) {
		case "IHDR":
			if n != 13 || body[12] != 0 {
				return nil, 0
			}
			bits = int(body[8])
		case "IDAT":
			idat = append(idat, body...)
		case "IEND":
			return idat, bits
		}
		b = b[12+n:]
	}
	return nil, 0
}

// plain is an image of one colour and the mask's size: some readers scale a mask to the size of what it masks.
func plain(w, h int, c color.NRGBA) (image, error) {
	return flateImage(w, h, 1, "", []byte{c.R, c.G, c.B}, make([]byte, (w+7)/8*h))
}

// planes parts a picture into colour and alpha.
func (a *Appearance) planes(img goimage.Image) (err error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	index, alpha := make([]byte, w*h), make([]byte, w*h)
	palette, few := newPalette(), true
	opaque := true
	for y := range h {
		eachPixel(img, y, func(x int, c color.NRGBA) {
			i := y*w + x
			alpha[i] = c.A
			opaque = opaque && c.A == 255
			if few && c.A != 0 {
				index[i], few = palette.index(c)
			}
		})
	}
	switch {
	case few && len(palette.rgb) <= 3:
		a.base, err = plain(w, h, palette.first())
	case few:
		a.base, err = flateImage(w, h, 8, "", palette.rgb, index)
	default:
		rgb := make([]byte, 0, 3*w*h)
		for y := range h {
			eachPixel(img, y, func(_ int, c color.NRGBA) {
				if c.A == 0 {
					c = color.NRGBA{255, 255, 255, 0}
				}
				rgb = append(rgb, c.R, c.G, c.B)
			})
		}
		a.base, err = flateImage(w, h, 8, "/DeviceRGB", nil, rgb)
	}
	if err != nil || opaque {
		return err
	}
	mask, err := flateImage(w, h, 8, "/DeviceGray", nil, alpha)
	a.mask = &mask
	return err
}

// eachPixel calls do for the pixels of row y, the first row and column 0.
func eachPixel(img goimage.Image, y int, do func(x int, c color.NRGBA)) {
	b := img.Bounds()
	w := b.Dx()
	switch m := img.(type) {
	case *goimage.NRGBA:
		row := m.Pix[y*m.Stride:]
		for x := range w {
			do(x, color.NRGBA{row[4*x], row[4*x+1], row[4*x+2], row[4*x+3]})
		}
	case *goimage.Gray:
		row := m.Pix[y*m.Stride:]
		for x := range w {
			do(x, color.NRGBA{row[x], row[x], row[x], 255})
		}
	case *goimage.Paletted:
		row := m.Pix[y*m.Stride:]
		colours := make([]color.NRGBA, 256)
		for i, c := range m.Palette {
			colours[i] = color.NRGBAModel.Convert(c).(color.NRGBA)
		}
		for x := range w {
			do(x, colours[row[x]])
		}
	default:
		for x := range w {
			do(x, color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA))
		}
	}
}

// A palette numbers up to 256 colours in the order in which they come.
type palette struct {
	rgb  []byte
	of   map[[3]byte]byte
	last [3]byte
	at   byte
}

func newPalette() *palette { return &palette{of: map[[3]byte]byte{}} }

func (p *palette) first() color.NRGBA {
	if len(p.rgb) == 0 {
		return color.NRGBA{}
	}
	return color.NRGBA{p.rgb[0], p.rgb[1], p.rgb[2], 255}
}

func (p *palette) index(c color.NRGBA) (i byte, ok bool) {
	k := [3]byte{c.R, c.G, c.B}
	if k == p.last && len(p.rgb) > 0 {
		return p.at, true
	}
	i, ok = p.of[k]
	if !ok {
		if len(p.of) > math.MaxUint8 {
			return 0, false
		}
		i = byte(len(p.of))
		p.of[k] = i
		p.rgb = append(p.rgb, k[:]...)
	}
	p.last, p.at = k, i
	return i, true
}

func deflate(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	err := z.Close()
	return out.Bytes(), err
}
