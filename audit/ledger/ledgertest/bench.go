package ledgertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit/ledger"
)

// Benchmark measures appends, each with a row of its own beside the entry, at 1 and at 64 writers. The floors, measured before and after: what
// the disk gives, writes of 8 KB that are synchronised, one after the other (fsyncs/s); and what the database gives to one writer that
// inserts a row of 400 bytes in a transaction of its own (commits/s). And it measures the proof of one entry in a million.
func Benchmark(b *testing.B, open func(t testing.TB) Store) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("Append/writers=%d", writers), func(b *testing.B) {
			s := newSuite(b, open(b))
			s.now = time.Now()
			l := s.create(b)
			table(b, l)
			disk, database := fsyncs(b), s.commits(b)
			var n atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range writers {
				wg.Go(func() {
					for i := n.Add(1); i <= int64(b.N); i = n.Add(1) {
						_, err := l.Do(context.Background(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
							return use(b, ctx, tx, fmt.Sprint("request-", i))
						})
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			disk, database = (disk+fsyncs(b))/2, (database+s.commits(b))/2
			rate := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "appends/s")
			b.ReportMetric(disk, "fsyncs/s")
			b.ReportMetric(database, "commits/s")
			b.ReportMetric(rate/disk, "appends/fsync")
			b.ReportMetric(rate/database, "appends/commit")
		})
	}
	b.Run("Proof", func(b *testing.B) {
		s := newSuite(b, open(b))
		l := s.create(b)
		size := 1_000_000
		if testing.Short() {
			size = 10_000
		}
		for n := 0; n < size; n += ledger.MaxEntries {
			fill(b, l, ledger.MaxEntries)
		}
		if _, err := l.Receipt(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			r, err := l.Receipt(b.Context(), rand.N(uint64(size)))
			if err != nil {
				b.Fatal(err)
			}
			if r.Index%1000 == 0 {
				check(b, r)
			}
		}
		b.ReportMetric(float64(size), "entries")
	})
}

func fill(b *testing.B, l *ledger.Log, n int) {
	_, err := l.Do(b.Context(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		entries := make([]ledger.Entry, n)
		for i := range entries {
			entries[i] = entry(b, tx, fmt.Sprint(tx.Index()+uint64(i)))
		}
		return entries, nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// fsyncs is how often in a second the disk takes a write.
func fsyncs(b *testing.B) float64 {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 8<<10)
	return often(b, func() error {
		if _, err := f.Write(block); err != nil {
			return err
		}
		return f.Sync()
	})
}

// commits is how often in a second the database takes a row.
func (s *suite) commits(b *testing.B) float64 {
	s.exec(b, "CREATE TABLE IF NOT EXISTS floor (word TEXT)")
	word := strings.Repeat("x", 400)
	return often(b, func() error {
		_, err := s.db.ExecContext(b.Context(), "INSERT INTO floor (word) VALUES ($1)", word)
		return err
	})
}

func often(b *testing.B, f func() error) float64 {
	n, begun := 0, time.Now()
	for time.Since(begun) < 300*time.Millisecond {
		if err := f(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	return float64(n) / time.Since(begun).Seconds()
}
