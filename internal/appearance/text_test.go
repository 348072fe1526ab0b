package appearance_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/glyph"
	"github.com/courtseal/courtseal/internal/pdftest"
)

const fonts = "/usr/share/fonts/"

// remarks are texts in scripts that a court of China writes, and the small font of Debian's that has each.
var remarks = []struct{ name, font, text string }{
	{"Chinese", "", "审核人：张三　2024年5月6日　同意签发"},
	{"Latin", "truetype/dejavu/DejaVuSans.ttf", "Approved by AVATAR Zürich, fjord"},
	{"Uyghur", "opentype/fonts-hosny-amiri/Amiri-Regular.ttf", "تەستىقلانغان رايونلۇق سوت"},
	{"Tibetan", "truetype/tibetan-machine/TibetanMachineUni.ttf", "བོད་རང་སྐྱོང་ལྗོངས།"},
	{"Devanagari", "truetype/lohit-devanagari/Lohit-Devanagari.ttf", "न्यायालय क्षत्रिय किंतु"},
}

// face reads a font that .ci/run installs; in CI it must be there. Empty: the embedded one.
func face(t testing.TB, name string) *glyph.Face {
	t.Helper()
	if name == "" {
		return glyph.Embedded()
	}
	b, err := os.ReadFile(fonts + name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	f, err := glyph.ParseFace(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func peer(t testing.TB, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return p
}

func set(t testing.TB, text string, s appearance.Style) *appearance.Block {
	t.Helper()
	b, err := appearance.SetText(text, s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// onePage makes a PDF of one page, w x h points, with this content and no resources.
func onePage(t testing.TB, w, h float64, content []byte) string {
	t.Helper()
	file := pdftest.File(pdftest.Table, pdftest.Objects{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %g %g] /Resources << >> /Contents 4 0 R >>", w, h),
		4: pdftest.Stream("", string(content)),
	})
	name := filepath.Join(t.TempDir(), "page.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// renderers draw page 1 of a PDF to a PNG, one pixel a point.
var renderers = map[string]func(in, out string) []string{
	"pdftoppm": func(in, out string) []string {
		return []string{"-r", "72", "-png", "-singlefile", in, strings.TrimSuffix(out, ".png")}
	},
	"mutool": func(in, out string) []string { return []string{"draw", "-q", "-r", "72", "-o", out, in} },
	"gs": func(in, out string) []string {
		return []string{"-q", "-dBATCH", "-dNOPAUSE", "-dSAFER", "-sDEVICE=png16m", "-r72", "-dGraphicsAlphaBits=4", "-sOutputFile=" + out, in}
	},
}

func render(t testing.TB, program, in string) image.Image {
	t.Helper()
	out := filepath.Join(t.TempDir(), "page.png")
	text, err := exec.Command(peer(t, program), renderers[program](in, out)...).CombinedOutput()
	text = bytes.TrimPrefix(text, []byte("warning: ICC support is not available\n")) // says Debian's mutool of itself
	if err != nil || len(text) > 0 {
		t.Fatalf("%s: %v\n%s", program, err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("PICTURES"); keep != "" { // to look at them
		if err := os.WriteFile(filepath.Join(keep, strings.ReplaceAll(t.Name(), "/", "-")+"-"+filepath.Base(in)+".png"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	m, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// ink gives how dark each pixel is, 0 to 1, and the box of what is not white.
func ink(m image.Image) (dark func(x, y int) float64, box image.Rectangle) {
	dark = func(x, y int) float64 { return 1 - float64(color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y)/255 }
	for y := m.Bounds().Min.Y; y < m.Bounds().Max.Y; y++ {
		for x := m.Bounds().Min.X; x < m.Bounds().Max.X; x++ {
			if dark(x, y) > 0.3 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return dark, box
}

// What three renderers draw of a block is what hb-view draws with the font: the box is the same, and so is the ink in it.
func TestTextAsHarfBuzzDrawsIt(t *testing.T) {
	const size = 60
	for _, c := range remarks {
		for program := range renderers {
			t.Run(c.name+"/"+program, func(t *testing.T) {
				b := set(t, c.text, appearance.Style{Face: face(t, c.font), Size: size})
				got, gotBox := ink(render(t, program, onePage(t, b.Width+20, b.Height+20, b.At(10, 10))))
				file := fonts + c.font
				if c.font == "" {
					file = "../glyph/noto-serif-cjk-sc-bold.otf"
				}
				view := filepath.Join(t.TempDir(), "view.pdf")
				text, err := exec.Command(peer(t, "hb-view"), "--output-format=pdf", "--output-file="+view, "--margin=40",
					fmt.Sprint("--font-size=", size), "--language=zh-cn", file, c.text).CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				want, wantBox := ink(render(t, program, view))
				if w := wantBox.Dx() - gotBox.Dx(); w < -3 || w > 3 {
					t.Errorf("%v wide, hb-view %v", gotBox, wantBox)
				}
				if h := wantBox.Dy() - gotBox.Dy(); h < -3 || h > 3 {
					t.Errorf("%v high, hb-view %v", gotBox, wantBox)
				}
				// The two stand on different fractions of a pixel, and hb-view cuts off what rises over the height that a font
				// claims (the tips of Tibetan vowels): the best of some shifts is taken.
				least := math.Inf(1)
				for shift := range 27 {
					var differ, sum float64
					dx, dy := gotBox.Min.X+shift%3-1, gotBox.Min.Y+shift/3-4
					for y := range wantBox.Dy() {
						for x := range wantBox.Dx() {
							a, b := got(dx+x, dy+y), want(wantBox.Min.X+x, wantBox.Min.Y+y)
							differ, sum = differ+math.Abs(a-b), sum+b
						}
					}
					least = min(least, differ/sum)
				}
				t.Logf("%.0f%% of the ink differs", 100*least)
				if least > 0.25 {
					t.Errorf("%.0f%% of the ink differs from hb-view's", 100*least)
				}
			})
		}
	}
}

// The box holds all the ink: what is drawn with the clip is what is drawn without.
func TestTextStaysInItsBox(t *testing.T) {
	for _, c := range remarks {
		t.Run(c.name, func(t *testing.T) {
			b := set(t, c.text+"\n"+c.text, appearance.Style{Face: face(t, c.font), Size: 40, Width: 300})
			open := append(append([]byte("q 1 0 0 1 50 50 cm\n"), b.Content...), 'Q')
			_, all := ink(render(t, "pdftoppm", onePage(t, b.Width+100, b.Height+100, open)))
			_, inside := ink(render(t, "pdftoppm", onePage(t, b.Width+100, b.Height+100, b.At(50, 50))))
			if all != inside || all.Empty() {
				t.Errorf("ink at %v, in the box %v", all, inside)
			}
		})
	}
}

// isBlock says whether a content stream is one block and nothing besides.
func isBlock(content []byte) bool {
	_, rest, ok := appearance.ReadBlock(content)
	return ok && len(rest) == 0
}

func TestReadBlock(t *testing.T) {
	b := set(t, "同意签发 & Co.", appearance.Style{Ink: [3]uint8{200, 16, 32}, Size: 10.5})
	drawn := b.At(12.5, -3)
	p, rest, ok := appearance.ReadBlock(append(drawn[:len(drawn):len(drawn)], "more"...))
	if !ok || string(rest) != "more" || p != (appearance.Placed{X: 12.5, Y: -3, Width: b.Width, Height: b.Height, Text: b.Text}) {
		t.Fatalf("%+v %q %t", p, rest, ok)
	}
	if !isBlock(drawn) {
		t.Error("a block is not one")
	}
	for _, c := range []struct{ name, from, to string }{
		{"text operator", "rg\n", "rg BT ET\n"},
		{"image", "EMC", "/Im Do EMC"},
		{"stroke", "f\n", "S\n"},
		{"even-odd", "f\n", "f*\n"},
		{"no clip", "re W n\n", "re n\n"},
		{"out of the clip", "EMC\nQ\n", "Q\nEMC\nQ\n"},
		{"second box", "rg\n", "rg\n0 0 9 9 re f\n"},
		{"open contour", "h\nf\n", "f\n"},
		{"exponent", "q 1 0 0 1 12.5", "q 1 0 0 1 1e2"},
		{"not a number", "q 1 0 0 1 12.5", "q 1 0 0 1 NaN"},
		{"long number", "q 1 0 0 1 12.5", "q 1 0 0 1 123456789"},
		{"turned", "cm\n0 0 ", "cm\n1 0 "},
		{"colour", "0.784", "1.784"},
		{"text of another encoding", "<FEFF", "<FFFE"},
		{"half a surrogate pair", "<FEFF", "<FEFFD800"},
		{"small letters", "<FEFF", "<FEFF00e9"},
		{"no box", " re", "0 0 0 re"},
		{"comment", "EMC", "% EMC"},
		{"two spaces", " cm", "  cm"},
	} {
		bad := bytes.Replace(drawn, []byte(c.from), []byte(c.to), 1)
		if bytes.Equal(bad, drawn) {
			t.Errorf("%s: nothing changed", c.name)
		}
		if isBlock(bad) {
			t.Errorf("%s: taken for a block", c.name)
		}
	}
	for n := range drawn {
		if isBlock(drawn[:n]) {
			t.Errorf("cut at %d: taken for a block", n)
		}
	}
}

func FuzzReadBlock(f *testing.F) {
	f.Add(set(f, "同意 OK", appearance.Style{}).At(1, 2))
	f.Add([]byte("q 1 0 0 1 0 0 cm\n0 0 1 1 re W n\n/Span << /ActualText <FEFF> >> BDC\n0 0 0 rg\n1 0 0 1 0 0 cm\nEMC\nQ\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, rest, ok := appearance.ReadBlock(b)
		if !ok {
			return
		}
		if !bytes.HasSuffix(b, rest) || !(p.Width > 0) || !(p.Height > 0) {
			t.Errorf("%+v", p)
		}
		if taken := string(b[:len(b)-len(rest)]); strings.Count(taken, "q ") != strings.Count(taken, "Q\n") {
			t.Errorf("unbalanced: %q", taken)
		}
	})
}

func TestTextLayout(t *testing.T) {
	one := set(t, "示例市人民法院", appearance.Style{})
	if math.Abs(one.Width-7*9) > 0.02 || math.Abs(one.Height-9) > 0.5 {
		t.Errorf("seven characters of 9 points are %g x %g", one.Width, one.Height)
	}
	wrapped := set(t, "示例市人民法院", appearance.Style{Width: 28})
	if wrapped.Width > 28 || math.Abs(wrapped.Height-(9+2*9*1.35)) > 0.5 {
		t.Errorf("in three lines: %g x %g", wrapped.Width, wrapped.Height)
	}
	if again := set(t, "示例市人民法院", appearance.Style{Width: 28}); !bytes.Equal(again.Content, wrapped.Content) {
		t.Error("the same text gives other operators")
	}
	for _, c := range []struct {
		text  string
		style appearance.Style
		want  error
	}{
		{"", appearance.Style{}, glyph.ErrText},
		{" 　\n", appearance.Style{}, glyph.ErrText},
		{"a\tb", appearance.Style{}, glyph.ErrText},
		{"好", appearance.Style{Size: 0.5}, glyph.ErrText},
		{"好", appearance.Style{Size: math.NaN()}, glyph.ErrText},
		{"好", appearance.Style{Width: math.Inf(1)}, glyph.ErrText},
		{strings.Repeat("好", 100), appearance.Style{Size: 200}, glyph.ErrText},
		{"龘", appearance.Style{}, glyph.ErrMissing},
	} {
		if _, err := appearance.SetText(c.text, c.style); !errors.Is(err, c.want) {
			t.Errorf("%q %+v: %v", c.text, c.style, err)
		}
	}
}

const thirty = "审核人张三于二〇二四年五月六日同意签发本判决书并加盖电子印章"

// Thirty characters, compressed as a form's content is, stay small.
func TestTextSize(t *testing.T) {
	b := set(t, thirty, appearance.Style{})
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	if _, err := w.Write(b.At(0, 0)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d characters: %d bytes, compressed %d", len([]rune(thirty)), len(b.Content), z.Len())
	if z.Len() > 15_000 {
		t.Errorf("%d bytes", z.Len())
	}
}

// BenchmarkSetText against its floor, the shaped line alone: the outlines of 30 Chinese
// characters take 3 to 7 times as long to write as the line to shape.
func BenchmarkSetText(b *testing.B) {
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			if _, err := glyph.Embedded().Line(thirty); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("30", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := appearance.SetText(thirty, appearance.Style{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
