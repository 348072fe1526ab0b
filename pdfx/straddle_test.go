package pdfx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// manyPages is a file of n pages with these entries; the page numbered odd[i] has others.
func manyPages(kind pdftest.Kind, n int, entries string, odd map[int]string) []byte {
	kids := ""
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", ""}
	for i := range n {
		kids += fmt.Sprintf("%d 0 R ", 3+i)
		e := entries
		if o, ok := odd[i+1]; ok {
			e = o
		}
		objects = append(objects, "<< /Type /Page /Parent 2 0 R "+e+" >>")
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids, n)
	return pdfFile(kind, objects...)
}

// wheel is a picture in which every column and row looks different: a disc of many colours on nothing.
func wheel() *sign.Picture {
	const side = 200
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			dx, dy := float64(x)-side/2+.5, float64(y)-side/2+.5
			if r := math.Hypot(dx, dy); r < side/2 {
				m.SetNRGBA(x, y, color.NRGBA{uint8(200 - x/2), uint8(x), uint8(y), 255})
			}
		}
	}
	return &sign.Picture{Type: "PNG", Data: encodePNG(m), Width: 40, Height: 40}
}

// renderers turn page n of a PDF into a PNG of dpi dots an inch.
var renderers = map[string]func(t testing.TB, path string, n, dpi int, out string){
	"pdftoppm": func(t testing.TB, path string, n, dpi int, out string) {
		run(t, "pdftoppm", "-png", "-singlefile", "-cropbox", "-r", strconv.Itoa(dpi), "-f", strconv.Itoa(n), path, strings.TrimSuffix(out, ".png"))
	},
	"mutool": func(t testing.TB, path string, n, dpi int, out string) {
		run(t, "mutool", "draw", "-q", "-r", strconv.Itoa(dpi), "-o", out, path, strconv.Itoa(n))
	},
	"gs": func(t testing.TB, path string, n, dpi int, out string) {
		run(t, "gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=png16m", "-dUseCropBox", "-dGraphicsAlphaBits=4", fmt.Sprintf("-r%d", dpi),
			fmt.Sprintf("-dFirstPage=%d", n), fmt.Sprintf("-dLastPage=%d", n), "-sOutputFile="+out, path)
	},
}

func rendered(t testing.TB, with, path string, n, dpi int) image.Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page.png")
	renderers[with](t, path, n, dpi, out)
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(with, err)
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(with, err)
	}
	return m
}

// Fanned out, the pages show the whole seal: three programs draw the strips, and laid side by side they are the picture.
func TestStraddleStripsMakeTheSeal(t *testing.T) {
	const dpi, n = 127, 5 // five pixels a mm, and a strip of 8 mm is 40 of them
	p := wheel()
	want, _, err := image.Decode(bytes.NewReader(p.Data)) // 200 pixels for 40 mm
	if err != nil {
		t.Fatal(err)
	}
	turned := map[int]string{2: a4 + " /Rotate 90", 3: "/MediaBox [-50 -60 545 782]", 4: a4 + " /CropBox [40 50 500 700] /Rotate 180", 5: a4 + " /Rotate 270"}
	for _, c := range []struct {
		name  string
		in    []byte
		o     pdfx.Straddle
		pages []int // in the order in which their strips make the seal
	}{
		{"right", manyPages(pdftest.Table, n, a4, nil), pdfx.Straddle{}, []int{1, 2, 3, 4, 5}},
		{"left", manyPages(pdftest.XRefStream, n, a4, nil), pdfx.Straddle{Edge: pdfx.Left}, []int{5, 4, 3, 2, 1}},
		{"odd", manyPages(pdftest.Table, 2*n, a4, nil), pdfx.Straddle{Pages: pdfx.OddPages}, []int{1, 3, 5, 7, 9}},
		{"even", manyPages(pdftest.Table, 2*n, a4, nil), pdfx.Straddle{Pages: pdfx.EvenPages, Edge: pdfx.Left}, []int{10, 8, 6, 4, 2}},
		{"turned", manyPages(pdftest.Table, n, a4, turned), pdfx.Straddle{Y: 70}, []int{1, 2, 3, 4, 5}},
		{"one page", manyPages(pdftest.Table, 1, a4, nil), pdfx.Straddle{}, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, res := sealed(t, c.in, shown{rsaSigner(), p}, pdfx.Options{Straddle: &c.o})
			if len(res.Shown) != len(c.pages) || len(res.Notes) > 0 {
				t.Errorf("shown at %v, notes %v", res.Shown, res.Notes)
			}
			path := write(t, "out.pdf", out)
			for with := range renderers {
				all := image.NewNRGBA(image.Rect(0, 0, 200, 200))
				strip := 200 / len(c.pages)
				for i, n := range c.pages {
					m := rendered(t, with, path, n, dpi)
					y := m.Bounds().Dy() / 2
					if c.o.Y != 0 {
						y = int(c.o.Y * dpi / 25.4)
					}
					x := 0
					if c.o.Edge == pdfx.Right {
						x = m.Bounds().Dx() - strip
					}
					draw.Draw(all, image.Rect(i*strip, 0, (i+1)*strip, 200), m, image.Pt(m.Bounds().Min.X+x, m.Bounds().Min.Y+y-100), draw.Src)
				}
				if d := distance(all, want); d > 0.03 {
					name := filepath.Join(os.TempDir(), "straddle-"+with+"-"+c.name+".png")
					os.WriteFile(name, encodePNG(all), 0o600)
					t.Errorf("%s: the strips are not the seal: mean difference %.3f; see %s", with, d, name)
				}
			}
		})
	}
}

// distance is the mean difference of two pictures over white, 0 to 1; pixels may be off by two in every direction.
func distance(a, b image.Image) float64 {
	best := math.Inf(1)
	for dy := -2; dy <= 2; dy++ {
		for dx := -2; dx <= 2; dx++ {
			sum := 0.0
			for y := 0; y < 200; y += 3 {
				for x := 0; x < 200; x += 3 {
					r, g, bl, al := a.At(x+dx, y+dy).RGBA()
					R, G, B, A := b.At(x, y).RGBA()
					for _, v := range [][4]uint32{{r, al, R, A}, {g, al, G, A}, {bl, al, B, A}} {
						sum += math.Abs(float64(v[0]+0xffff-v[1])-float64(v[2]+0xffff-v[3])) / 0xffff
					}
				}
			}
			best = min(best, sum/3/67/67)
		}
	}
	return best
}

// One signature over all pages, as first and as second signature.
func TestStraddleIsOneSignature(t *testing.T) {
	in := manyPages(pdftest.Table, 4, a4, nil)
	for name, before := range map[string]func(testing.TB) []byte{
		"first": func(testing.TB) []byte { return in },
		"second": func(t testing.TB) []byte {
			b, _ := sealed(t, in, rsaSigner(), pdfx.Options{At: []pdfx.At{{1, 60, 60}}})
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			out, res := sealed(t, before(t), newSigner("RSA"), pdfx.Options{Straddle: &pdfx.Straddle{}, At: []pdfx.At{{-1, 100, 200}}})
			found, err := pdfx.Signatures(bytes.NewReader(out), int64(len(out)), pdfx.Options{})
			if want := map[string]int{"first": 1, "second": 2}[name]; err != nil || len(found) != want {
				t.Errorf("%d signatures found, %v", len(found), err)
			}
			if len(res.Shown) != 5 || res.Shown[0] != (pdfx.At{Page: 4, X: 100, Y: 200}) {
				t.Errorf("shown at %v", res.Shown)
			}
			path := write(t, "out.pdf", out)
			if out, code := run(t, "qpdf", "--check", path); code != 0 {
				t.Errorf("qpdf --check: %d\n%s", code, out)
			}
			said, _ := run(t, "pdfsig", "-nocert", path)
			if n := strings.Count(said, "Signature Validation:"); n != strings.Count(said, "Signature is Valid.") || n < 2 {
				t.Errorf("pdfsig:\n%s", said)
			}
			said, _ = run(t, "mutool", "sign", "-v", path)
			if n := strings.Count(said, "no signed"); n > 0 || !strings.Contains(said, "document is unchanged since signing") && !strings.Contains(said, "The document is unchanged since signing") {
				t.Errorf("mutool:\n%s", said)
			}
		})
	}
}

// Many pages share several seals evenly, and every page keeps what can be seen.
func TestStraddleOfManyPages(t *testing.T) {
	for _, c := range []struct{ pages, most, seals int }{{13, 0, 1}, {14, 0, 2}, {40, 0, 4}, {7, 3, 3}, {3, 3, 1}, {2, 1, 2}} {
		_, res := sealed(t, manyPages(pdftest.Table, c.pages, a4, nil), shown{rsaSigner(), wheel()}, pdfx.Options{Straddle: &pdfx.Straddle{Most: c.most}})
		if len(res.Shown) != c.pages {
			t.Fatalf("%d pages: shown on %d", c.pages, len(res.Shown))
		}
		sum := 0.0
		for _, at := range res.Shown {
			strip := 2 * (595*25.4/72 - at.X) // its centre is half of it from the edge
			if strip < 2.5 {
				t.Errorf("%d pages: a strip of %.2f mm", c.pages, strip)
			}
			sum += strip
		}
		if seals := sum / 40; math.Abs(seals-float64(c.seals)) > 0.05 {
			t.Errorf("%d pages, at most %d: %.2f seals, not %d", c.pages, c.most, seals, c.seals)
		}
	}
}

// A straddle seal keeps clear of the seals that are at that edge already.
func TestStraddleKeepsClear(t *testing.T) {
	in := manyPages(pdftest.Table, 3, a4, nil)
	once, first := sealed(t, in, rsaSigner(), pdfx.Options{Straddle: &pdfx.Straddle{}})
	twice, second := sealed(t, once, rsaSigner(), pdfx.Options{Straddle: &pdfx.Straddle{}})
	if d := math.Abs(first.Shown[0].Y - second.Shown[0].Y); d < 40 {
		t.Errorf("two straddle seals are %.1f mm apart", d)
	}
	_, third := sealed(t, twice, rsaSigner(), pdfx.Options{Straddle: &pdfx.Straddle{Edge: pdfx.Left}})
	if third.Shown[0].Y != first.Shown[0].Y {
		t.Errorf("the other edge is free, and the seal lies at %.1f mm", third.Shown[0].Y)
	}
}

func TestBadStraddle(t *testing.T) {
	in := manyPages(pdftest.Table, 1, a4, nil)
	for _, c := range []struct {
		o    pdfx.Straddle
		want error
	}{
		{pdfx.Straddle{Pages: pdfx.EvenPages}, pdfx.ErrPlace},
		{pdfx.Straddle{Pages: 7}, pdfx.ErrOptions},
		{pdfx.Straddle{Edge: -1}, pdfx.ErrOptions},
		{pdfx.Straddle{Y: math.NaN()}, pdfx.ErrOptions},
		{pdfx.Straddle{Most: -1}, pdfx.ErrOptions},
	} {
		if _, err := pdfx.Sign(context.Background(), &bytes.Buffer{}, bytes.NewReader(in), int64(len(in)), &fixed{}, pdfx.Options{Straddle: &c.o}); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
}
