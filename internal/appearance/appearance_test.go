package appearance_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/image/bmp"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/sign"
)

const side = 60

// ring draws a ring with soft edges in one ink.
func ring() *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			dx, dy := float64(x)-29.5, float64(y)-29.5
			d := dx*dx + dy*dy
			a := uint8(0)
			switch {
			case d > 20*20 && d < 27*27:
				a = 255
			case d > 18*18 && d < 29*29:
				a = 128
			}
			m.SetNRGBA(x, y, color.NRGBA{200, 16, 32, a})
		}
	}
	return m
}

// singleInk is the ring with alpha = index.
func singleInk(levels int) *image.Paletted {
	pal := make(color.Palette, levels)
	step := 255 / (levels - 1)
	for i := range pal {
		pal[i] = color.NRGBA{200, 16, 32, uint8(i * step)}
	}
	r := ring()
	m := image.NewPaletted(r.Rect, pal)
	for i := range m.Pix {
		m.Pix[i] = r.Pix[4*i+3] / uint8(step)
	}
	return m
}

func noisy(alpha bool) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	for i := range m.Pix {
		m.Pix[i] = byte(i*i>>3 + i)
		if i%4 == 3 && !alpha {
			m.Pix[i] = 255
		}
	}
	return m
}

func encode(t testing.TB, f func(*bytes.Buffer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pictures(t testing.TB) map[string]*sign.Picture {
	asPNG := func(m image.Image) []byte { return encode(t, func(b *bytes.Buffer) error { return png.Encode(b, m) }) }
	gray := image.NewGray(image.Rect(0, 0, side, side))
	for i := range gray.Pix {
		gray.Pix[i] = byte(i / 20)
	}
	deep := image.NewNRGBA64(image.Rect(0, 0, side, side))
	for i := range deep.Pix {
		deep.Pix[i] = byte(i * 7)
	}
	inverted := noisy(false)
	for i := range inverted.Pix {
		if i%4 != 3 {
			inverted.Pix[i] ^= 255
		}
	}
	data := map[string][]byte{
		"ring.png":      asPNG(ring()),
		"singleink.png": asPNG(singleInk(256)),
		"ink16.png":     asPNG(singleInk(16)),
		"ink4.png":      asPNG(singleInk(4)),
		"ink2.png":      asPNG(singleInk(2)),
		"noise.png":     asPNG(noisy(false)),
		"soft.png":      asPNG(noisy(true)),
		"gray.png":      asPNG(gray),
		"deep.png":      asPNG(deep),
		"colour.jpg":    encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, noisy(false), nil) }),
		"gray.jpg":      encode(t, func(b *bytes.Buffer) error { return jpeg.Encode(b, gray, nil) }),
		"plan9.gif": encode(t, func(b *bytes.Buffer) error {
			m := image.NewPaletted(image.Rect(0, 0, side, side), palette.Plan9)
			for i := range m.Pix {
				m.Pix[i] = byte(i)
			}
			return gif.Encode(b, m, nil)
		}),
		"noise.bmp": encode(t, func(b *bytes.Buffer) error { return bmp.Encode(b, inverted) }),
	}
	out := map[string]*sign.Picture{}
	for name, b := range data {
		out[name] = &sign.Picture{Type: "PNG", Data: b, Width: 20, Height: 20}
	}
	return out
}

// page is a file of one page that shows the picture with its lower left corner at (100, 100).
func page(t testing.TB, p *sign.Picture, rotate int) ([]byte, pdf.Ref) {
	t.Helper()
	base := pdftest.File(pdftest.Table, pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>", 2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", 4: "null"})
	f := openFile(t, base)
	a, err := appearance.Of(p)
	if err != nil {
		t.Fatal(err)
	}
	u := f.NewUpdate()
	img, err := a.PutImage(f, u)
	if err != nil {
		t.Fatal(err)
	}
	form, err := a.PutForm(u, img, a.Whole(rotate))
	if err != nil {
		t.Fatal(err)
	}
	u.Put(pdf.Ref{Num: 3}, []byte("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R /Resources << /XObject << /S "+form.R()+" >> >> >>"))
	if err := u.PutStream(pdf.Ref{Num: 4}, "", []byte("q 1 0 0 1 100 100 cm /S Do Q")); err != nil {
		t.Fatal(err)
	}
	tail, err := u.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return append(base, tail.Bytes...), form
}

func openFile(t testing.TB, b []byte) *pdf.File {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A Comparer stops where pictures ask for much, and one that comes again asks for nothing.
func TestComparerStops(t *testing.T) {
	c := appearance.NewComparer(nil, 0)
	for i := range 20 {
		m := image.NewPaletted(image.Rect(0, 0, 2800, 2800), color.Palette{color.White, color.Black})
		m.SetColorIndex(i, 0, 1)
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			again := sign.Picture{Type: "PNG", Data: bytes.Clone(b.Bytes()), Width: 45, Height: 45}
			switch _, err := c.Compare(nil, &again); {
			case errors.Is(err, pdf.ErrLimit) && i > 4:
				return
			case err != nil:
				t.Fatalf("picture %d: %v", i, err)
			}
		}
	}
	t.Error("it did not stop")
}

func TestCompare(t *testing.T) {
	all := pictures(t)
	for name, p := range all {
		b, form := page(t, p, 90)
		f := openFile(t, b)
		for other, q := range all {
			want := appearance.Different
			if name == other {
				want = appearance.Same
			}
			fresh := *q // converted anew
			if got, err := appearance.NewComparer(f, 0).Compare(form, &fresh); got.Outcome != want || err != nil {
				t.Errorf("%s shown, %s sealed: %v, %v", name, other, got, err)
			}
		}
		larger := *p
		larger.Width = 21
		if got, err := appearance.NewComparer(f, 0).Compare(form, &larger); got.Outcome != appearance.Different || err != nil {
			t.Errorf("%s in another size: %v, %v", name, got, err)
		}
		for _, o := range []pdf.Object{nil, int64(1), pdf.Ref{Num: 99}, pdf.Ref{Num: 4}} {
			if got, err := appearance.NewComparer(f, 0).Compare(o, p); got.Outcome != appearance.Foreign || err != nil {
				t.Errorf("%v as an appearance: %v, %v", o, got, err)
			}
		}
	}
}

func TestCompareSeesEveryChange(t *testing.T) {
	p := pictures(t)["ring.png"]
	b, form := page(t, p, 90)
	for _, c := range []struct {
		from, to string
		want     appearance.Outcome
	}{
		{"cm /Im Do Q", "cm /Im Do q", appearance.Foreign},
		{"q 56.6929 0 0 56", "q 56.6929 0 0 57", appearance.Different},
		{"/BBox [0 0 56", "/BBox [0 0 57", appearance.Different},
		{"/Matrix [0 1 -1 0 0 0]", "/Matrix [0 2 -1 0 0 0]", appearance.Different},
		{"/Matrix [0 1 -1 0 0 0]", "/Matrix [0 -1 1 0 0 0]", appearance.Same}, // upright on a page turned the other way
		{"/Type /XObject /Subtype /Form", "/OC 4 0 R      /Subtype /Form", appearance.Foreign},
		{"/Type /XObject /Subtype /Form", "/Subtype /Form /Type /XObject", appearance.Foreign},
		{"/Type /XObject /Subtype /Image", "/Subtype /Image /Type /XObject", appearance.Foreign},
		{"/BitsPerComponent 8 /ColorSpace /DeviceGray", "/BitsPerComponent 8 /ColorSpace /DeviceRGB ", appearance.Different},
		{"[/Indexed /DeviceRGB 0 <c81020>]", "[/Indexed /DeviceRGB 0 <c81021>]", appearance.Different},
		{"/Width 60 /Height 60 /BitsPerComponent 1", "/Width 60 /Height 61 /BitsPerComponent 1", appearance.Different},
	} {
		changed := bytes.Replace(b, []byte(c.from), []byte(c.to), 1)
		if bytes.Equal(changed, b) {
			t.Fatalf("%q is not written", c.from)
		}
		if got, _ := appearance.NewComparer(openFile(t, changed), 0).Compare(form, p); got.Outcome != c.want {
			t.Errorf("%q for %q: %v", c.to, c.from, got)
		}
	}
}

// Another program draws the page; the pixels are those of the picture over white.
func TestAnotherProgramShowsThePicture(t *testing.T) {
	tool, err := exec.LookPath("pdftoppm")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("pdftoppm is not installed")
		}
		t.Skip("pdftoppm is not installed")
	}
	for name, p := range pictures(t) {
		if strings.HasPrefix(name, "deep") { // a random picture in 16 bits: rounded one way here, another there
			continue
		}
		b, _ := page(t, p, 0)
		path := filepath.Join(t.TempDir(), "page")
		if err := os.WriteFile(path+".pdf", b, 0o600); err != nil {
			t.Fatal(err)
		}
		// 60 pixels on 20 mm are 76.2 to the inch.
		if out, err := exec.Command(tool, "-r", "76.2", "-png", "-singlefile", path+".pdf", path).CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		file, err := os.ReadFile(path + ".png")
		if err != nil {
			t.Fatal(err)
		}
		shown, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		want, _, err := image.Decode(bytes.NewReader(p.Data))
		if err != nil {
			t.Fatal(err)
		}
		// The mean of the page's middle against the mean of the picture's middle: resampling moves edges by a pixel.
		left, bottom := 100*76.2/72, float64(shown.Bounds().Dy())-100*76.2/72
		var got, due [3]float64
		for y := 5; y < side-5; y++ {
			for x := 5; x < side-5; x++ {
				r, g, b, _ := shown.At(int(left)+x, int(bottom)-side+y).RGBA()
				R, G, B, A := want.At(x, y).RGBA()
				for i, v := range [][2]uint32{{r, R}, {g, G}, {b, B}} {
					got[i] += float64(v[0]) / 65535
					due[i] += float64(v[1]+65535-A) / 65535
				}
			}
		}
		for i := range got {
			if d := (got[i] - due[i]) / (side - 10) / (side - 10); d < -0.03 || d > 0.03 {
				t.Errorf("%s: channel %d is off by %.3f", name, i, d)
			}
		}
	}
}

func TestSingleInkIsNotCompressedAgain(t *testing.T) {
	for _, name := range []string{"singleink.png", "ink16.png", "ink4.png", "ink2.png"} {
		p := pictures(t)[name]
		b, _ := page(t, p, 0)
		i := bytes.Index(p.Data, []byte("IDAT"))
		j := bytes.LastIndex(p.Data, []byte("IEND"))
		if idat := p.Data[i+4 : j-8]; !bytes.Contains(b, idat) {
			t.Errorf("%s: the file does not hold the picture's own IDAT", name)
		}
	}
	q := pictures(t)["ring.png"]
	if b, _ := page(t, q, 0); bytes.Contains(b, q.Data[60:90]) {
		t.Error("the test would find any picture")
	}
}

func TestJPEGStandsAsItIs(t *testing.T) {
	p := pictures(t)["colour.jpg"]
	if b, _ := page(t, p, 0); !bytes.Contains(b, p.Data) {
		t.Error("the file does not hold the JPEG")
	}
}

func TestConvertedOnce(t *testing.T) {
	p := pictures(t)["soft.png"]
	got := make([]*appearance.Appearance, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i], _ = appearance.Of(p) })
	}
	wg.Wait()
	for _, a := range got {
		if a == nil || a != got[0] {
			t.Fatal("converted twice")
		}
	}
	p.Data = bytes.Clone(p.Data)
	if a, _ := appearance.Of(p); a == got[0] {
		t.Error("other data, same appearance")
	}
	runtime.KeepAlive(p)
}

func TestForgottenWithThePicture(t *testing.T) {
	made := make(chan struct{})
	func() {
		p := pictures(t)["soft.png"]
		a, err := appearance.Of(p)
		if err != nil {
			t.Fatal(err)
		}
		runtime.AddCleanup(a, func(c chan struct{}) { close(c) }, made)
	}()
	for range 20 {
		runtime.GC()
		select {
		case <-made:
			return
		default:
			runtime.Gosched()
		}
	}
	t.Error("the appearance outlives its picture")
}

func TestBadPictures(t *testing.T) {
	good := pictures(t)["ring.png"]
	huge := bytes.Clone(good.Data)
	copy(huge[16:], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // 65536 x 65536; the chunk's checksum is wrong too
	for name, p := range map[string]*sign.Picture{
		"nothing":   {Type: "PNG", Width: 20, Height: 20},
		"no size":   {Type: "PNG", Data: good.Data, Height: 20},
		"too large": {Type: "PNG", Data: good.Data, Width: 1001, Height: 20},
		"unknown":   {Type: "OFD", Data: []byte("PK\x03\x04"), Width: 20, Height: 20},
		"cut short": {Type: "PNG", Data: good.Data[:len(good.Data)/2], Width: 20, Height: 20},
		"pixels":    {Type: "PNG", Data: encode(t, func(b *bytes.Buffer) error { return png.Encode(b, image.NewGray(image.Rect(0, 0, 9000, 1000))) }), Width: 20, Height: 20},
		"header":    {Type: "PNG", Data: huge, Width: 20, Height: 20},
	} {
		if _, err := appearance.Of(p); !errors.Is(err, appearance.ErrPicture) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzOf(f *testing.F) {
	for _, p := range pictures(f) {
		f.Add(p.Data)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := &sign.Picture{Data: b, Width: 20, Height: 20}
		if _, err := appearance.Of(p); err != nil {
			if !errors.Is(err, appearance.ErrPicture) {
				t.Fatal(err)
			}
			return
		}
		file, form := page(t, p, 0)
		if got, err := appearance.NewComparer(openFile(t, file), 0).Compare(form, p); got.Outcome != appearance.Same && err == nil {
			t.Errorf("%v, %v", got, err)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	m := image.NewPaletted(image.Rect(0, 0, 992, 992), singleInk(256).Palette)
	n := image.NewNRGBA(m.Rect)
	for y := range 992 {
		for x := range 992 {
			a := byte(x*y>>8) & byte(x>>2)
			m.SetColorIndex(x, y, a)
			n.SetNRGBA(x, y, color.NRGBA{200, 16, 32, a})
		}
	}
	for name, m := range map[string]image.Image{"single ink": m, "RGBA": n} {
		data := encode(b, func(b *bytes.Buffer) error { return png.Encode(b, m) })
		b.Run(name+"/cold", func(b *testing.B) {
			for b.Loop() {
				if _, err := appearance.Of(&sign.Picture{Data: data, Width: 45, Height: 45}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/warm", func(b *testing.B) {
			p := &sign.Picture{Data: data, Width: 45, Height: 45}
			for b.Loop() {
				if _, err := appearance.Of(p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
