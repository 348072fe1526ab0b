package offline_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"testing"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/offline"
)

// A use is written and ended: two lines that last. Floor: as many bytes in two writes, each with its fsync. On two busy cores and ext4:
// 3.2 to 3.8 ms a use, 1 to 2.5 times the floor, whose figure varies more than that of the book.
func BenchmarkUse(b *testing.B) {
	d := newDesk(b, func(g *audit.OfflineGrant) { g.Uses = audit.MaxOfflineUses })
	p := d.profile()
	value := done(string(make([]byte, 5000)))
	b.Run("book", func(b *testing.B) {
		fresh := func() *offline.Book {
			book, err := d.open("book-" + rand.Text())
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { book.Close() })
			return book
		}
		book := fresh()
		for b.Loop() {
			if book.State().Used == audit.MaxOfflineUses {
				b.StopTimer()
				book = fresh()
				b.StartTimer()
			}
			r, a := book.Recorder(purpose), act(fmt.Sprint(book.State().Used), "content", d.now)
			if _, err := r.Begin(b.Context(), a, p); err != nil {
				b.Fatal(err)
			}
			if err := r.End(b.Context(), a, value, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		f, err := os.Create(d.file("floor"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		for b.Loop() {
			for _, n := range []int{1100, 9500} {
				if _, err := f.Write(make([]byte, n)); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// A book of 2,000 uses is opened, each checked against the one before: 0.1 ms a use.
func BenchmarkOpen(b *testing.B) {
	d := newDesk(b, func(g *audit.OfflineGrant) { g.Uses = audit.MaxOfflineUses })
	book, p := d.book(b), d.profile()
	for n := range 2000 {
		r, a := book.Recorder(purpose), act(fmt.Sprint(n), "content", d.now)
		if _, err := r.Begin(b.Context(), a, p); err != nil {
			b.Fatal(err)
		}
		if err := r.End(b.Context(), a, done("value"), nil); err != nil {
			b.Fatal(err)
		}
	}
	book.Close()
	for b.Loop() {
		book, err := d.open("book")
		if err != nil {
			b.Fatal(err)
		}
		book.Close()
	}
}
