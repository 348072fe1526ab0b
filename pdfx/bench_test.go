package pdfx_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
	"github.com/courtseal/courtseal/sign"
)

// bigFile writes a file of one page and about size bytes on disk, and tells its name.
func bigFile(b *testing.B, size int) string {
	data := make([]byte, size)
	rnd := rand.NewChaCha8([32]byte{})
	rnd.Read(data)
	in := onePage(pdftest.Table, a4, fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(data), data))
	path := filepath.Join(b.TempDir(), "in.pdf")
	if err := os.WriteFile(path, in, 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// floor does what no program that seals a file can leave out: copy it, make every hash while copying, append and hash the
// picture that is shown, make the signature, append it in hex, put the file in its place.
func floor(dst, src string, s sign.Signer, shown bool) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(dst), "floor-*")
	if err != nil {
		return err
	}
	defer out.Close()
	names := s.Profile().Specs[s.Profile().Format].Hashes
	w := []io.Writer{out}
	act := &sign.Act{Time: noon, Content: sign.Sums{}, Parts: []sign.Part{{Format: s.Profile().Format, Property: "ByteRange=[0 1 2 3]"}}}
	var sums []func()
	for _, n := range names {
		h := n.New()
		w = append(w, h)
		sums = append(sums, func() { act.Content[n] = h.Sum(nil) })
	}
	if _, err := io.CopyBuffer(io.MultiWriter(w...), in, make([]byte, 256<<10)); err != nil {
		return err
	}
	if shown {
		if _, err := io.MultiWriter(w...).Write(s.Profile().Picture.Data); err != nil {
			return err
		}
	}
	for _, f := range sums {
		f()
	}
	v, err := s.Sign(context.Background(), act)
	if err != nil {
		return err
	}
	tail := make([]byte, 2<<10) // the objects around the value
	if _, err := out.Write(hex.AppendEncode(tail, v[0].Bytes)); err != nil {
		return err
	}
	return os.Rename(out.Name(), dst)
}

// BenchmarkSeal times floor and sealing in turn, so that what else the machine does falls on both, and reports the ratio.
func BenchmarkSeal(b *testing.B) {
	for _, size := range []int{100 << 10, 20 << 20, 200 << 20} {
		signers := map[string]sign.Signer{"SM2": sm2Signer(), "RSA": rsaSigner()}
		if size == 100<<10 {
			for _, format := range []sign.Format{sign.SES, sign.CMS, sign.Dual} {
				signers["seal-"+string(format)] = courtSeal(b, format)
			}
		}
		for name, s := range signers {
			for _, visible := range []bool{false, true} {
				if visible && size != 100<<10 {
					continue
				}
				b.Run(fmt.Sprintf("%dKB/%s/visible=%t", size>>10, name, visible), func(b *testing.B) {
					src := bigFile(b, size)
					dst := filepath.Join(filepath.Dir(src), "out.pdf")
					o := pdfx.Options{Now: clock}
					if visible {
						o.At = []pdfx.At{{Page: 1, X: 60, Y: 60}}
					}
					compare(b, func() error { return floor(dst, src, s, visible) }, func() error {
						_, err := pdfx.SignFile(context.Background(), dst, src, s, o)
						return err
					})
				})
			}
		}
	}
}

// courtSeal stamps with a drawn seal of 45 mm; its keys are SM2 and, for dual, P-256 outside.
func courtSeal(b *testing.B, format sign.Format) sign.Signer {
	picture, err := imprint.Draw(imprint.Options{Name: "示例省示例市示例区人民法院", Diameter: imprint.Basic})
	if err != nil {
		b.Fatal(err)
	}
	holder := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "holder", nil)
	o := seal.StampOptions{Format: format, Now: clock}
	template := &seal.Seal{
		ID: "11010100000001", Name: "示例省示例市示例区人民法院", CertListType: seal.Certificates, Picture: picture,
		Certs: [][]byte{holder.Chain()[0]}, Created: noon, NotBefore: noon, NotAfter: noon.AddDate(5, 0, 0),
	}
	if format == sign.Dual {
		o.Outer = testpki.Shared(testpki.RSA).Issue(testpki.P256, "holder", nil)
		template.Certs = append(template.Certs, o.Outer.Chain()[0])
	}
	s, err := seal.Make(context.Background(), template, testpki.Shared(testpki.SM2).Issue(testpki.SM2, "maker", nil))
	if err != nil {
		b.Fatal(err)
	}
	stamp, err := s.Stamp(holder, o)
	if err != nil {
		b.Fatal(err)
	}
	return stamp
}

// compare runs both in turn and reports the second's time as a multiple of the first's.
func compare(b *testing.B, floor, job func() error) {
	b.ReportAllocs()
	var base, took time.Duration
	for b.Loop() {
		b.StopTimer()
		t := time.Now()
		if err := floor(); err != nil {
			b.Fatal(err)
		}
		base += time.Since(t)
		b.StartTimer()
		t = time.Now()
		if err := job(); err != nil {
			b.Fatal(err)
		}
		took += time.Since(t)
	}
	b.ReportMetric(float64(took)/float64(base), "x-floor")
	b.ReportMetric(float64(base)/float64(b.N), "floor-ns/op")
}

// A file of 150,000 objects: none of them is read.
func BenchmarkManyObjects(b *testing.B) {
	for _, kind := range []pdftest.Kind{pdftest.Table, pdftest.XRefStream} {
		b.Run(kind.String(), func(b *testing.B) {
			objects := make([]string, 150_000)
			for i := range objects {
				objects[i] = "<< /Filler " + strings.Repeat("x", 200) + " >>"
			}
			copy(objects, []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R " + a4 + " >>"})
			if kind == pdftest.XRefStream { // an object stream of this size is beyond its limit; streams stay outside of it
				for i := range objects[3:] {
					objects[3+i] = "<< /Length 200 >>\nstream\n" + strings.Repeat("x", 200) + "\nendstream"
				}
			}
			src := filepath.Join(b.TempDir(), "in.pdf")
			if err := os.WriteFile(src, pdfFile(kind, objects...), 0o600); err != nil {
				b.Fatal(err)
			}
			dst := src + ".out"
			compare(b, func() error { return floor(dst, src, rsaSigner(), false) }, func() error {
				_, err := pdfx.SignFile(context.Background(), dst, src, rsaSigner(), pdfx.Options{Now: clock})
				return err
			})
		})
	}
}

// What it costs to find the place: the floor seals the same file at a place that is given. A straddle seal over 1,000 pages has no
// such floor; its time is to be read for each page.
func BenchmarkPlaces(b *testing.B) {
	s := courtSeal(b, sign.CMS)
	thousand := filepath.Join(b.TempDir(), "thousand.pdf")
	if err := os.WriteFile(thousand, manyPages(pdftest.Table, 1000, a4, nil), 0o600); err != nil {
		b.Fatal(err)
	}
	dst := thousand + ".out"
	for _, c := range []struct {
		name, src string
		o         pdfx.Options
	}{
		{"date line", judgment, pdfx.Options{DateLine: true}},
		{"keyword", judgment, pdfx.Options{Keyword: &pdfx.Keyword{Text: "人民陪审员", Occurrence: -1}}},
		{"straddle of 3", judgment, pdfx.Options{Straddle: &pdfx.Straddle{}}},
		{"straddle of 1000", thousand, pdfx.Options{Straddle: &pdfx.Straddle{}}},
		{"text", judgment, pdfx.Options{At: []pdfx.At{{1, 60, 60}}, Text: true, Name: "张三", Reason: "判决书"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.o.Now = clock
			compare(b, func() error {
				_, err := pdfx.SignFile(context.Background(), dst, c.src, s, pdfx.Options{Now: clock, At: []pdfx.At{{1, 60, 60}}})
				return err
			}, func() error {
				_, err := pdfx.SignFile(context.Background(), dst, c.src, s, c.o)
				return err
			})
		})
	}
}
