package registry_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
)

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

// busy is a court with limits, a grant and an application that uses it.
func busy(b *testing.B) *book {
	book := court(b)
	book.must(b, "admin", &registry.AddApp{ID: "trial", Name: "审判系统", Org: "jc", Seals: []string{"S1"}, PerDay: 1 << 40})
	book.must(b, "admin", &registry.SetControl{Seal: "S1", Limits: registry.Limits{Kinds: []string{"judgment"}, PerDay: 1 << 40}, Reason: "r"})
	book.must(b, "baoguan", &registry.Authorise{ID: "g-1", Seal: "S1", App: "trial", Uses: 1 << 40, Reason: "r"})
	return book
}

var requests atomic.Int64

// BenchmarkUse is Begin and End. Its floor is two entries of the same size in the same ledger, and nothing else.
func BenchmarkUse(b *testing.B) {
	ctx := context.Background()
	use := func(book *book) error {
		request := fmt.Sprintf("r-%d", requests.Add(1))
		_, err := book.use(ctx, registry.App("trial"), request, "S1", book.key("baoguan-key"), request, map[string]string{"kind": "judgment"})
		return err
	}
	bare := func(book *book) error {
		for _, kind := range []string{"bare.begin", "bare.end"} {
			if _, err := book.log.Do(ctx, func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
				pad := make([]byte, 600)
				for i := range pad {
					pad[i] = 'x'
				}
				leaf, err := audit.Leaf{Kind: kind, Fields: map[string]string{"pad": string(pad), "time": ledger.FormatTime(tx.Time())}}.Marshal()
				return []ledger.Entry{{Leaf: leaf}}, err
			}); err != nil {
				return err
			}
		}
		return nil
	}
	b.Run("1", func(b *testing.B) {
		book := busy(b)
		compare(b, func() error { return bare(book) }, func() error { return use(book) })
	})
	for name, f := range map[string]func(*book) error{"64": use, "64 floor": bare} {
		b.Run(name, func(b *testing.B) {
			book := busy(b)
			b.SetParallelism(64)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := f(book); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// page is a PDF of one page and so many octets that no reader can make smaller.
func page(size int) []byte {
	noise := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(noise)
	return pdftest.Revision{Objects: pdftest.Objects{4: pdftest.Stream("", string(noise))}}.Append(pdftest.Page())
}

// BenchmarkSeal seals a file of 100 KB through the books. Its floor seals it with the same seal and key and no ledger.
func BenchmarkSeal(b *testing.B) {
	ctx := context.Background()
	dir := b.TempDir()
	src := filepath.Join(dir, "in.pdf")
	if err := os.WriteFile(src, page(100<<10), 0o600); err != nil {
		b.Fatal(err)
	}
	sealed := func(dst string, signer sign.Signer, now func() time.Time) error {
		_, err := pdfx.SignFile(ctx, dst, src, signer, pdfx.Options{ID: fmt.Sprintf("s-%d", requests.Add(1)), At: []pdfx.At{{Page: 1, X: 100, Y: 100}}, Now: now})
		return err
	}
	bare := func(book *book) (sign.Signer, sign.Signer) {
		stamp := book.stamp(b)
		return stamp, audit.Record(book.Recorder(registry.App("trial"), registry.Use{Kind: "judgment"}), stamp)
	}
	b.Run("1", func(b *testing.B) {
		book := busy(b)
		stamp, recorded := bare(book)
		dst := filepath.Join(dir, "out.pdf")
		compare(b, func() error { return sealed(dst, stamp, book.clock) }, func() error { return sealed(dst, recorded, book.clock) })
	})
	for _, through := range []bool{false, true} {
		name := "16 floor"
		if through {
			name = "16"
		}
		b.Run(name, func(b *testing.B) {
			book := busy(b)
			signer, recorded := bare(book)
			if through {
				signer = recorded
			}
			var n atomic.Int64
			b.SetParallelism(16)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				dst := filepath.Join(dir, fmt.Sprintf("out-%d.pdf", n.Add(1)))
				for pb.Next() {
					if err := sealed(dst, signer, book.clock); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkState asks for the state of a seal that changed 100,000 times, at moments all over its life. Its floor is the same
// question about a seal that changed once.
func BenchmarkState(b *testing.B) {
	const changes = 100_000
	book := newBook(b)
	start := book.now
	for id, n := range map[string]int{"busy": changes, "quiet": 1} {
		if err := book.FillChanges(b.Context(), id, n, start, time.Second); err != nil {
			b.Fatal(err)
		}
	}
	n := 0
	ask := func(id string) func() error {
		return func() error {
			n++
			s, err := book.State(b.Context(), id, start.Add(time.Duration(n*7919%changes)*time.Second))
			if err == nil && s == "" {
				err = fmt.Errorf("%s is in no state", id)
			}
			return err
		}
	}
	compare(b, ask("quiet"), ask("busy"))
}

// BenchmarkImport enters 320 seals, of which those that come together share commits. Its floor is their reading and the check of
// their makers' signatures.
func BenchmarkImport(b *testing.B) {
	const n = 320
	var seals [][]byte
	for i := range n {
		s, err := makeSeal(fmt.Sprintf("L%03d", i), "章", maker())
		if err != nil {
			b.Fatal(err)
		}
		seals = append(seals, s.Raw)
	}
	items := func(yield func(*registry.ImportSeal, error) bool) {
		for _, der := range seals {
			if !yield(&registry.ImportSeal{DER: der, Org: "gy", Type: "court", From: "old", State: "active"}, nil) {
				return
			}
		}
	}
	var base time.Duration
	for b.Loop() {
		b.StopTimer()
		book := newBook(b)
		book.must(b, "admin", &registry.AddPerson{ID: "maker", Name: "制章人", Org: "gy"})
		book.must(b, "admin", &registry.GiveRole{Person: "maker", Role: registry.Maker, Org: "gy"})
		t := time.Now()
		for _, der := range seals {
			s, err := seal.Parse(der)
			if err == nil {
				err = s.VerifyValue()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		base += time.Since(t)
		b.StartTimer()
		if err := book.Import(b.Context(), registry.Person("maker"), items, func(i registry.Imported) {
			if i.Err != nil {
				b.Fatal(i.Err)
			}
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(base), "x-floor")
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "seals/s")
}
