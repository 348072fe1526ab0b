package pdfx_test

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
)

// The texts stand beside and below the seal, which stays where it is said to be, upright on pages that are turned.
func TestTextBesideTheSeal(t *testing.T) {
	china := func() time.Time { return noon.In(time.FixedZone("", 8*3600)) }
	for rotate, page := range map[string]string{"0": a4, "90": a4 + " /Rotate 90", "180": a4 + " /Rotate 180", "270": "/MediaBox [0 0 842 595] /CropBox [10 20 830 590] /Rotate 270"} {
		for name, c := range map[string]struct {
			o                        pdfx.Options
			left, top, right, bottom float64 // how far the ink must reach beyond the seal at least, mm; 0: not at all
		}{
			"remark":      {pdfx.Options{At: []pdfx.At{{1, 60, 60}}, Remark: "同意\n请于十五日内送达当事人"}, 0, 0, 20, 0},
			"remark left": {pdfx.Options{At: []pdfx.At{{1, 187, 60}}, Remark: "同意"}, 5, 0, 0, 0},
			"text":        {pdfx.Options{At: []pdfx.At{{1, 60, 60}}, Text: true, Name: "张三", Reason: "判决书盖章", Now: china}, 0, 0, 0, 3},
			"text above":  {pdfx.Options{At: []pdfx.At{{-1, 60, 188}}, Text: true, Now: china}, 0, 3, 0, 0},
		} {
			if name == "text above" && rotate != "90" || name == "remark left" && rotate == "90" || rotate == "270" && name != "remark" {
				continue // the page is higher or wider
			}
			t.Run(name+rotate, func(t *testing.T) {
				out, res := sealed(t, onePage(pdftest.Table, page), rsaSigner(), c.o)
				path := write(t, "out.pdf", out)
				m := rendered(t, "pdftoppm", path, 1, 254)
				left, top, right, bottom := inkOf(m)
				at := c.o.At[0]
				for _, x := range []struct {
					side       string
					is, beyond float64
				}{
					{"left", at.X - 20 - left/10, c.left}, {"right", right/10 - at.X - 20, c.right},
					{"top", at.Y - 20 - top/10, c.top}, {"bottom", bottom/10 - at.Y - 20, c.bottom},
				} {
					if x.beyond == 0 && math.Abs(x.is) > 0.3 && !(strings.HasPrefix(name, "text") && (x.side == "left" || x.side == "right")) || x.is < x.beyond-0.3 {
						t.Errorf("%s: the ink reaches %.1f mm beyond the seal", x.side, x.is)
					}
				}
				if len(res.Shown) != 1 || math.Abs(res.Shown[0].X-at.X) > 0.01 || math.Abs(res.Shown[0].Y-at.Y) > 0.01 {
					t.Errorf("shown at %v, not %v", res.Shown, at)
				}
				if dir := os.Getenv("KEEP_PAGES"); dir != "" {
					os.WriteFile(dir+"/"+name+rotate+".pdf", out, 0o600)
				}
			})
		}
	}
}

func TestTextRefused(t *testing.T) {
	in := onePage(pdftest.Table, a4)
	at := []pdfx.At{{1, 60, 60}}
	refused(t, in, pdfx.Options{Remark: "同意"}, pdfx.ErrOptions)
	refused(t, in, pdfx.Options{Text: true, Name: "x"}, pdfx.ErrOptions)
	refused(t, in, pdfx.Options{At: at, Remark: "ⵣ"}, pdfx.ErrGlyph)
	refused(t, in, pdfx.Options{At: at, Remark: strings.Repeat("长", 100_000)}, pdfx.ErrText)
	refused(t, withFields(pdftest.Table, ""), pdfx.Options{Field: "Clerk", Remark: "同意"}, pdfx.ErrOptions)
	if _, err := pdfx.ParseFont([]byte("no font"), 0); !errors.Is(err, pdfx.ErrFont) {
		t.Error(err)
	}
}
