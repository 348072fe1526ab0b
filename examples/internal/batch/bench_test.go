package batch_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/examples/internal/batch"
	"github.com/courtseal/courtseal/sign"
)

// floor does for each file, with as many workers, what no program can leave out: copy it while it is hashed, sign, write
// the value, give the file its name.
func floor(b *testing.B, files []string, dir string, s sign.Signer) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		b.Fatal(err)
	}
	spec := s.Profile().Specs[s.Profile().Format]
	one := func(name string, buf []byte) error {
		in, err := os.Open(name)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.CreateTemp(dir, "floor-*")
		if err != nil {
			return err
		}
		defer out.Close()
		h := spec.Hashes[0].New()
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(out, h)}, struct{ io.Reader }{in}, buf); err != nil {
			return err
		}
		h.Write(s.Profile().Picture.Data)
		v, err := s.Sign(context.Background(), &sign.Act{Time: time.Now(), Content: sign.Sums{spec.Hashes[0]: h.Sum(nil)},
			Parts: []sign.Part{{Format: s.Profile().Format, Property: "ByteRange=[0 1 2 3]"}}})
		if err != nil {
			return err
		}
		tail := append(make([]byte, 2<<10), s.Profile().Picture.Data...) // the objects around the value
		if _, err := out.Write(hex.AppendEncode(tail, v[0].Bytes)); err != nil {
			return err
		}
		return os.Rename(out.Name(), filepath.Join(dir, filepath.Base(name)))
	}
	queue := make(chan string)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			buf := make([]byte, 256<<10)
			for name := range queue {
				if err := one(name, buf); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, f := range files {
		queue <- f
	}
	close(queue)
	all.Wait()
}

// peak samples the heap until stop, and gives the most bytes of objects that were ever on it: in use when the collector
// looked, and with those that it had not yet collected.
func peak() (stop func() [2]uint64) {
	end, most := make(chan struct{}), make(chan [2]uint64)
	go func() {
		s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
		var top [2]uint64
		for {
			metrics.Read(s)
			for i := range s {
				top[i] = max(top[i], s[i].Value.Uint64())
			}
			select {
			case <-end:
				most <- top
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() [2]uint64 { close(end); return <-most }
}

// BenchmarkBatch seals 1,000 files of 100 KB (an SM2 CMS with its seal, shown on the page), and does the floor in turn,
// so that what else the machine does falls on both. rate/floor is the share of the floor's rate; the goal is 0.75.
// live-MB and peak-MB are the most that stood on the heap, without and with garbage: ten times the files need no more than
// their names.
func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprintf("files=%d", n), func(b *testing.B) {
			d := newDesk(b)
			j, files := d.mustJob(b, sign.CMS), d.files(b, n, 100<<10)
			var base, took time.Duration
			var most [2]uint64
			for b.Loop() {
				b.StopTimer()
				os.RemoveAll(j.Dir)
				runtime.GC()
				began, stop := time.Now(), peak()
				floor(b, files, j.Dir, j.Signer)
				base += time.Since(began)
				stop()
				os.RemoveAll(j.Dir)
				runtime.GC()
				b.StartTimer()
				began, stop = time.Now(), peak()
				err := j.Run(context.Background(), files, func(o batch.Outcome) {
					if o.Err != nil {
						b.Error(o.In, o.Err)
					}
				})
				took += time.Since(began)
				for i, n := range stop() {
					most[i] = max(most[i], n)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(base)/float64(took), "rate/floor")
			b.ReportMetric(float64(n)*float64(b.N)/took.Seconds(), "files/s")
			b.ReportMetric(float64(most[0])/(1<<20), "live-MB")
			b.ReportMetric(float64(most[1])/(1<<20), "peak-MB")
		})
	}
}
