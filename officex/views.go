package officex

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	_ "image/gif"
	_ "image/jpeg"
	"image/png"
	"runtime"
	"sync"
	"weak"

	"github.com/courtseal/courtseal/sign"
)

// views are what a signature line shows: the seal while its signature holds, and the seal in grey and crossed out when it does not.
type views struct{ valid, invalid []byte }

// maxPixels bounds the picture of a seal that is drawn anew: 50 mm at 1,800 dots per inch are less.
const maxPixels = 16 << 20

var kept struct {
	sync.Mutex
	of map[weak.Pointer[sign.Picture]]*views
}

// lineViews makes the views of a picture, once as long as the picture lives.
func lineViews(p *sign.Picture) (*views, error) {
	key := weak.Make(p)
	kept.Lock()
	v := kept.of[key]
	kept.Unlock()
	if v != nil {
		return v, nil
	}
	v, err := makeViews(p)
	if err != nil {
		return nil, err
	}
	kept.Lock()
	defer kept.Unlock()
	if kept.of == nil {
		kept.of = map[weak.Pointer[sign.Picture]]*views{}
	}
	if kept.of[key] == nil {
		runtime.AddCleanup(p, func(key weak.Pointer[sign.Picture]) {
			kept.Lock()
			defer kept.Unlock()
			delete(kept.of, key)
		}, key)
	}
	kept.of[key] = v
	return v, nil
}

func makeViews(p *sign.Picture) (*views, error) {
	c, kind, err := image.DecodeConfig(bytes.NewReader(p.Data))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: on a signature line: %w; PNG, JPG and GIF are", ErrPicture, err)
	case c.Width*c.Height > maxPixels || c.Width <= 0 || c.Height <= 0:
		return nil, fmt.Errorf("%w: %d x %d pixels", ErrPicture, c.Width, c.Height)
	}
	img, _, err := image.Decode(bytes.NewReader(p.Data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPicture, err)
	}
	v := &views{valid: p.Data}
	if kind == "gif" { // Office takes PNG, JPEG and EMF
		if v.valid, err = encode(img); err != nil {
			return nil, err
		}
	}
	v.invalid, err = encode(crossed(img))
	return v, err
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// crossed is a picture in light grey, with a cross over it.
func crossed(src image.Image) image.Image {
	b := src.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Bounds(), src, b.Min, draw.Src)
	for i := 0; i < len(out.Pix); i += 4 {
		p := out.Pix[i : i+4]
		grey := (299*int(p[0]) + 587*int(p[1]) + 114*int(p[2])) / 1000
		light := byte(128 + grey/2)
		p[0], p[1], p[2] = light, light, light
	}
	w, h := b.Dx(), b.Dy()
	half := max(1, min(w, h)/40) // of the width of a stroke
	ink := color.NRGBA{0x40, 0x40, 0x40, 0xff}
	for y := range h {
		x := y * w / h
		for d := -half; d <= half; d++ {
			for _, at := range []int{x + d, w - 1 - x + d} {
				if at >= 0 && at < w {
					out.SetNRGBA(at, y, ink)
				}
			}
		}
	}
	return out
}

// emptyFrame is what an empty signature line shows: a dashed frame.
var emptyFrame = sync.OnceValue(func() []byte {
	const size, stroke, dash = 300, 2, 12
	img := image.NewPaletted(image.Rect(0, 0, size, size), color.Palette{color.Transparent, color.NRGBA{0x80, 0x80, 0x80, 0xff}})
	for i := range size {
		if i/dash%2 == 1 {
			continue
		}
		for s := range stroke {
			for _, at := range [][2]int{{i, s}, {i, size - 1 - s}, {s, i}, {size - 1 - s, i}} {
				img.SetColorIndex(at[0], at[1], 1)
			}
		}
	}
	b, err := encode(img)
	if err != nil {
		panic(err) // a picture in memory can be encoded
	}
	return b
})
