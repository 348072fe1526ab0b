package pdftext

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdf"
)

// BenchmarkPage reads the text of a page of the quickstart's judgment: with its fonts, and when they are known from another
// page. The floor is what no reader can leave out: finding the page and inflating its content.
func BenchmarkPage(b *testing.B) {
	in, err := os.ReadFile("../../examples/quickstart/judgment.pdf")
	if err != nil {
		b.Fatal(err)
	}
	f, err := pdf.Open(bytes.NewReader(in), int64(len(in)), pdf.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, known := range []bool{false, true} {
		name := map[bool]string{false: "fonts=new", true: "fonts=known"}[known]
		b.Run(name, func(b *testing.B) {
			r := New(f)
			var base, took time.Duration
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				t := time.Now()
				inflate(b, f, 2)
				base += time.Since(t)
				b.StartTimer()
				t = time.Now()
				if !known {
					r = New(f)
				}
				r.work = maxFileWork
				text, err := r.Page(context.Background(), 2)
				if err != nil || len(text.Find("判决")) != 0 {
					b.Fatal(err)
				}
				took += time.Since(t)
			}
			b.ReportMetric(float64(took)/float64(base), "x-floor")
			b.ReportMetric(float64(base)/float64(b.N), "floor-ns/op")
		})
	}
}

func inflate(b *testing.B, f *pdf.File, n int) {
	p, err := f.Page(n)
	if err != nil {
		b.Fatal(err)
	}
	o, err := f.Resolve(p.Dict().Get("Contents"))
	s, ok := o.(*pdf.Stream)
	if err != nil || !ok {
		b.Fatal(err)
	}
	if _, err := f.Data(s); err != nil {
		b.Fatal(err)
	}
}
