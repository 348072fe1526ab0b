package resemble

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/math/f64"

	"github.com/courtseal/courtseal/seal/imprint"
)

// courts are twenty, among them some whose names differ in one character.
var courts = []string{
	"北京市第一中级人民法院", "北京市第二中级人民法院", "北京市第三中级人民法院", "北京市第四中级人民法院",
	"北京市海淀区人民法院", "北京市朝阳区人民法院", "北京市东城区人民法院", "北京市西城区人民法院",
	"上海市高级人民法院", "天津市高级人民法院", "重庆市高级人民法院", "江苏省高级人民法院",
	"江苏省南京市中级人民法院", "江苏省苏州市中级人民法院", "浙江省杭州市中级人民法院", "广东省广州市中级人民法院",
	"示例省示例市示例区人民法院", "广西壮族自治区高级人民法院", "新疆维吾尔自治区高级人民法院", "内蒙古自治区呼和浩特市中级人民法院",
}

// seals are the pictures of their seals.
var seals = sync.OnceValue(func() (list []image.Image) {
	for _, name := range courts {
		p, err := imprint.Draw(imprint.Options{Name: name, DPI: 200})
		if err != nil {
			panic(err)
		}
		img, err := png.Decode(bytes.NewReader(p.Data))
		if err != nil {
			panic(err)
		}
		list = append(list, img)
	}
	return list
})

var prints = sync.OnceValue(func() (list []*Print) {
	for _, s := range seals() {
		list = append(list, OfImage(s))
	}
	return list
})

// on puts an image on paper, turned and scaled around its middle.
func on(paper color.Color, img image.Image, w, h int, scale, degrees float64) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	b := img.Bounds()
	cx, cy := float64(b.Dx())/2, float64(b.Dy())/2
	m := f64.Aff3{scale * cos, -scale * sin, 0, scale * sin, scale * cos, 0}
	m[2], m[5] = float64(w)/2-m[0]*cx-m[1]*cy, float64(h)/2-m[3]*cx-m[4]*cy
	xdraw.ApproxBiLinear.Transform(out, m, img, b, draw.Over, nil)
	return out
}

func onWhite(img image.Image) *image.RGBA {
	return on(color.White, img, img.Bounds().Dx(), img.Bounds().Dy(), 1, 0)
}

func jpegOf(img image.Image, quality int) image.Image {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	out, err := jpeg.Decode(&b)
	if err != nil {
		panic(err)
	}
	return out
}

func each(img *image.RGBA, do func(x, y int, p []byte)) *image.RGBA {
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			do(x, y, img.Pix[y*img.Stride+4*x:][:3])
		}
	}
	return img
}

func grey(img *image.RGBA) *image.RGBA {
	return each(img, func(_, _ int, p []byte) {
		v := byte((299*int(p[0]) + 587*int(p[1]) + 114*int(p[2])) / 1000)
		p[0], p[1], p[2] = v, v, v
	})
}

func noise(img *image.RGBA, deviation float64) *image.RGBA {
	r := rand.New(rand.NewPCG(1, 2))
	return each(img, func(_, _ int, p []byte) {
		for i := range p {
			p[i] = byte(min(255, max(0, float64(p[i])+r.NormFloat64()*deviation)))
		}
	})
}

// lines writes black text over the lower part, as strokes.
func lines(img *image.RGBA) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	return each(img, func(x, y int, p []byte) {
		if y > h*60/100 && y < h*66/100 && x > w/8 && x < w*7/8 && (x/(w/60))%2 == 0 {
			p[0], p[1], p[2] = 20, 20, 20
		}
	})
}

func sub(img image.Image, left, top, right, bottom float64) image.Image {
	b := img.Bounds()
	w, h := float64(b.Dx()), float64(b.Dy())
	return img.(*image.RGBA).SubImage(image.Rect(int(left*w), int(top*h), int((1-right)*w), int((1-bottom)*h)))
}

// distortions are what may happen to a seal's picture on its way into another document.
var distortions = map[string]func(image.Image) image.Image{
	"as it is":         func(s image.Image) image.Image { return s },
	"on white":         func(s image.Image) image.Image { return onWhite(s) },
	"on white, margin": func(s image.Image) image.Image { return on(color.White, s, 600, 480, 1, 0) },
	"half as large":    func(s image.Image) image.Image { return on(color.White, s, 177, 177, 0.5, 0) },
	"120 pixels":       func(s image.Image) image.Image { return on(color.White, s, 120, 120, 120/354.0, 0) },
	"three times":      func(s image.Image) image.Image { return on(color.White, s, 1062, 1062, 3, 0) },
	"JPEG 30":          func(s image.Image) image.Image { return jpegOf(onWhite(s), 30) },
	"JPEG 10":          func(s image.Image) image.Image { return jpegOf(onWhite(s), 10) },
	"grey":             func(s image.Image) image.Image { return grey(onWhite(s)) },
	"another red": func(s image.Image) image.Image {
		return each(onWhite(s), func(_, _ int, p []byte) { p[0], p[1], p[2] = byte(int(p[0])*8/10+40), 60+p[1]/4*3, 70+p[2]/10*7 })
	},
	"turned by 3":   func(s image.Image) image.Image { return on(color.White, s, 380, 380, 1, 3) },
	"turned by 8":   func(s image.Image) image.Image { return on(color.White, s, 400, 400, 1, -8) },
	"stretched":     func(s image.Image) image.Image { return stretch(onWhite(s), 354, 320) },
	"cut left":      func(s image.Image) image.Image { return sub(onWhite(s), 0.15, 0, 0, 0) },
	"cut below":     func(s image.Image) image.Image { return sub(onWhite(s), 0, 0, 0, 0.25) },
	"cut around":    func(s image.Image) image.Image { return sub(onWhite(s), 0.04, 0.04, 0.04, 0.04) },
	"noise":         func(s image.Image) image.Image { return noise(onWhite(s), 40) },
	"noise in grey": func(s image.Image) image.Image { return noise(grey(onWhite(s)), 40) },
	"over text":     func(s image.Image) image.Image { return lines(onWhite(s)) },
	"threshold": func(s image.Image) image.Image {
		return each(grey(onWhite(s)), func(_, _ int, p []byte) {
			v := byte(255)
			if p[0] < 170 {
				v = 0
			}
			p[0], p[1], p[2] = v, v, v
		})
	},
	"scan": func(s image.Image) image.Image {
		return jpegOf(noise(on(color.RGBA{244, 240, 228, 255}, s, 360, 350, 0.8, 2.5), 12), 50)
	},
	"scan in grey": func(s image.Image) image.Image {
		return jpegOf(noise(grey(on(color.RGBA{238, 236, 230, 255}, s, 330, 340, 0.75, -4)), 12), 50)
	},
	"scan over text": func(s image.Image) image.Image {
		return jpegOf(noise(lines(on(color.RGBA{244, 240, 228, 255}, s, 360, 350, 0.8, 2.5)), 12), 50)
	},
}

func stretch(img image.Image, w, h int) image.Image {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	xdraw.ApproxBiLinear.Scale(out, out.Rect, img, img.Bounds(), draw.Src, nil)
	return out
}

// Threshold is what verify takes for a resemblance.
const threshold = 0.75

// others is the most that seals of two courts may look alike.
const others = 0.65

// All seals have the same rim and the same star; some names differ in one character. The log has the distribution that the threshold
// stands on.
func TestSealsOfTwentyCourts(t *testing.T) {
	var fits []float64
	for i, q := range prints() {
		for j, p := range prints()[:i] {
			if near := i/4 == j/4; !near && (i+j)%3 != 0 || testing.Short() && !near {
				continue
			}
			l := p.Likeness(q)
			fits = append(fits, l)
			if l > others {
				t.Errorf("%s and %s are alike: %.2f", courts[i], courts[j], l)
			}
		}
	}
	slices.Sort(fits)
	t.Logf("%d pairs: median %.2f, most %.2f", len(fits), fits[len(fits)/2], fits[len(fits)-5:])
}

// Each distortion of a seal is alike to it, and not to the one that differs least from it.
func TestDistortedSeals(t *testing.T) {
	for _, i := range []int{1, 19} {
		if testing.Short() && i != 1 {
			continue
		}
		near := prints()[i-1]
		for name, distort := range distortions {
			p := OfImage(distort(seals()[i]))
			if p == nil {
				t.Errorf("%s: no ink", name)
				continue
			}
			same, other := prints()[i].Likeness(p), near.Likeness(p)
			t.Logf("%-18s %.2f; another seal %.2f", name, same, other)
			if same < threshold || other > others {
				t.Errorf("%s of %s: %.2f, and %.2f with %s", name, courts[i], same, other, courts[i-1])
			}
		}
	}
}

// What is not alike by far: text, other figures, noise, nothing.
func TestOtherPictures(t *testing.T) {
	white := on(color.White, image.NewRGBA(image.Rect(0, 0, 300, 300)), 300, 300, 1, 0)
	if OfImage(white) != nil || OfImage(image.NewRGBA(image.Rect(0, 0, 39, 200))) != nil {
		t.Error("there is ink on white paper, or in too few pixels")
	}
	square := each(onWhite(white), func(x, y int, p []byte) {
		if x > 30 && x < 270 && y > 30 && y < 270 && (x < 45 || x > 255 || y < 45 || y > 255) {
			p[0], p[1], p[2] = 200, 0, 0
		}
	})
	disc := each(onWhite(white), func(x, y int, p []byte) {
		if (x-150)*(x-150)+(y-150)*(y-150) < 120*120 {
			p[0], p[1], p[2] = 200, 0, 0
		}
	})
	for name, img := range map[string]image.Image{
		"a square": square, "a disc": disc, "noise": noise(white, 90),
		"upside down": on(color.White, seals()[3], 360, 360, 1, 180),
		"a quarter":   sub(onWhite(seals()[3]), 0, 0, 0.5, 0.5),
	} {
		if p := OfImage(img); p != nil {
			if l := prints()[3].Likeness(p); l > 0.5 {
				t.Errorf("%s: %.2f", name, l)
			}
		}
	}
}

// A page may draw a picture turned, mirrored or stretched, so that it is seen upright.
func TestAsItIsSeen(t *testing.T) {
	s := onWhite(seals()[2])
	w, h := s.Rect.Dx(), s.Rect.Dy()
	at := func(f func(x, y int) (int, int)) func(int, []byte) {
		return func(y int, row []byte) {
			for x := range w {
				sx, sy := f(x, y)
				copy(row[4*x:4*x+4], s.Pix[s.PixOffset(sx, sy):])
			}
		}
	}
	for name, c := range map[string]struct {
		row   func(int, []byte)
		shape [4]float64
	}{
		"upright":       {at(func(x, y int) (int, int) { return x, y }), [4]float64{45, 0, 0, 45}},
		"turned left":   {at(func(x, y int) (int, int) { return w - 1 - y, x }), [4]float64{0, -45, 45, 0}},
		"turned round":  {at(func(x, y int) (int, int) { return w - 1 - x, h - 1 - y }), [4]float64{-45, 0, 0, -45}},
		"mirrored":      {at(func(x, y int) (int, int) { return w - 1 - x, y }), [4]float64{-45, 0, 0, 45}},
		"at a slant":    {at(func(x, y int) (int, int) { return x, y }), [4]float64{44, 4, -4, 44}},
		"in other dots": {at(func(x, y int) (int, int) { return x, y }), [4]float64{45, 0, 0, 43}},
	} {
		p := Of(w, h, c.row, c.shape)
		if p == nil {
			t.Errorf("%s: no ink", name)
			continue
		}
		if l := prints()[2].Likeness(p); l < 0.9 {
			t.Errorf("%s: %.2f", name, l)
		}
	}
	for _, shape := range [][4]float64{{45, 0, 0, 0}, {math.NaN(), 0, 0, 45}, {45, 45, 45, 45}, {math.Inf(1), 0, 0, 45}, {1, 0, 0, 1e9}} {
		if Of(w, h, at(func(x, y int) (int, int) { return x, y }), shape) != nil {
			t.Errorf("%v: a picture of no width", shape)
		}
	}
}

func FuzzLikeness(f *testing.F) {
	f.Add(60, 60, []byte{0, 200, 255, 7}, 45.0, 0.0, 0.0, 45.0)
	f.Add(41, 300, []byte{0, 0, 0, 255, 200, 0, 0, 255}, 3.0, -45.0, 45.0, 3.0)
	f.Fuzz(func(t *testing.T, w, h int, pix []byte, a, b, c, d float64) {
		if w < 1 || h < 1 || w > 1000 || h > 1000 || len(pix) == 0 {
			return
		}
		p := Of(w, h, func(y int, row []byte) {
			for i := range row {
				row[i] = pix[(i*7+y*13)%len(pix)]
			}
		}, [4]float64{a, b, c, d})
		if p == nil {
			return
		}
		if l := p.Likeness(p); !(l >= 0 && l <= 1.0001) {
			t.Fatalf("%v", l)
		}
	})
}

func BenchmarkLikeness(b *testing.B) {
	p, q, o := prints()[3], OfImage(distortions["scan"](seals()[3])), OfImage(distortions["scan"](seals()[4]))
	b.Run("print", func(b *testing.B) {
		for b.Loop() {
			OfImage(seals()[3])
		}
	})
	b.Run("same", func(b *testing.B) {
		for b.Loop() {
			p.Likeness(q)
		}
	})
	b.Run("other", func(b *testing.B) {
		for b.Loop() {
			p.Likeness(o)
		}
	})
}
