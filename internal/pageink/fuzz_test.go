package pageink

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdf"
)

// contents gives the decoded content of a page.
func contents(t testing.TB, f *pdf.File, n int) (all []byte) {
	p, err := f.Page(n)
	if err != nil {
		return nil
	}
	o, _ := f.Resolve(p.Dict().Get("Contents"))
	list := []pdf.Object{o}
	if a, ok := o.(*pdf.Array); ok {
		list = a.Items
	}
	for _, o := range list {
		o, _ = f.Resolve(o)
		if s, ok := o.(*pdf.Stream); ok {
			b, _ := f.Data(s)
			all = append(append(all, '\n'), b...)
		}
	}
	return all
}

func open(t testing.TB, name string) *pdf.File {
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		return nil
	}
	return f
}

// FuzzUnder looks at pages of any content, and of an annotation that shows the same. What a part of a box has, the box has.
func FuzzUnder(f *testing.F) {
	for _, s := range []string{
		"q 2 0 0 2 50 50 cm /X Do Q BT /F 10 Tf 110 110 Td (a b) Tj ET",
		"50 50 200 200 re 70 70 160 160 re f* 9 w 50 150 m 500 150 l S",
		"q 0 0 90 90 re W n /S sh BI /W 1 /H 1 /BPC 8 /CS /G ID a EI Q /Im Do",
		"/Four cs 0 0 0 0 scn 10 10 m 20 20 30 40 100 100 c h B /Clear gs b*",
	} {
		f.Add([]byte(s), 100.0, 100.0)
	}
	for _, name := range shared("vectors/pdf/ok-*.pdf") {
		if file := open(f, name); file != nil {
			if b := contents(f, file, 1); len(b) < 4<<10 {
				f.Add(b, 200.0, 300.0)
			}
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, x, y float64) {
		s := sheet{content: string(content), extra: "/Annots [11 0 R]", objects: []string{
			"<< /Subtype /Form /BBox [0 0 300 300] /Matrix [1 1 -1 1 0 0] /Resources << " + resources + " >> >>\n" + string(content),
			"<< /Subtype /Stamp /Rect [100 500 300 700] /AP << /N 10 0 R >> >>",
		}}
		r := New(s.open(t))
		part, err := r.Under(context.Background(), 1, [4]float64{x, y, x + 50, y + 50}, nil)
		if err != nil {
			for _, e := range []error{pdf.ErrSyntax, pdf.ErrDamaged, pdf.ErrLimit, pdf.ErrFilter} {
				if errors.Is(err, e) {
					return
				}
			}
			t.Fatalf("not a typed error: %v", err)
		}
		all, err := r.Under(context.Background(), 1, [4]float64{x - 70, y - 70, x + 100, y + 100}, nil)
		if err != nil || all.Pictures < part.Pictures || all.Shapes < part.Shapes || len(all.Annots) < len(part.Annots) {
			t.Errorf("%+v has %+v: %v", all, part, err)
		}
	})
}

// BenchmarkUnder asks for a rectangle of a page of the quickstart's judgment: of one that is new, its fonts known, and of one
// that was read before. The floor is the parsing of its content into tokens.
func BenchmarkUnder(b *testing.B) {
	f := open(b, "../../examples/quickstart/judgment.pdf")
	for _, known := range []bool{false, true} {
		name := map[bool]string{false: "page=new", true: "page=known"}[known]
		b.Run(name, func(b *testing.B) {
			r := New(f)
			var base, took time.Duration
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				t := time.Now()
				scan := pdf.NewScanner(contents(b, f, 2))
				for scan.Next().Kind != pdf.End {
				}
				base += time.Since(t)
				if !known {
					r = &Reader{f: f, text: r.text, pages: map[int]*page{}, looks: maxLooks}
				}
				b.StartTimer()
				t = time.Now()
				found, err := r.Under(context.Background(), 2, [4]float64{200, 200, 320, 320}, nil)
				if err != nil || found.Empty() {
					b.Fatal(found, err)
				}
				took += time.Since(t)
			}
			b.ReportMetric(float64(took)/float64(base), "x-floor")
			b.ReportMetric(float64(base)/float64(b.N), "floor-ns/op")
		})
	}
}
