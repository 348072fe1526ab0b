package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

// hold keeps the writer busy until release is called.
func hold(t *testing.T, l *ledger.Log) (release func()) {
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		_, err := l.Do(context.Background(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
			close(begun)
			<-end
			return []ledger.Entry{entry(t, tx, "held")}, nil
		})
		if err != nil {
			t.Errorf("the call that holds the others: %v", err)
		}
	}()
	<-begun
	return sync.OnceFunc(func() { close(end); <-ended })
}

func testCancelled(t *testing.T, s *suite) {
	l := s.create(t)
	table(t, l)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	never := func(context.Context, *ledger.Tx) ([]ledger.Entry, error) {
		t.Error("a function ran after its context had ended")
		return nil, nil
	}
	if _, err := l.Do(ended, never); !errors.Is(err, context.Canceled) {
		t.Errorf("context that had ended: %v", err)
	}
	release := hold(t, l)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := l.Do(short, never); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("context that ended in the queue: %v", err)
	}
	release()
	// One that ends while the function runs: its statements fail, and the others' do not.
	release = hold(t, l)
	var wg sync.WaitGroup
	for i := range 6 {
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			defer cancel()
			_, err := l.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
				if _, err := use(t, ctx, tx, fmt.Sprint(i, "a")); err != nil {
					return nil, err
				}
				if i%2 == 1 {
					cancel()
				}
				return use(t, ctx, tx, fmt.Sprint(i, "b"))
			})
			if want := i%2 == 1; errors.Is(err, context.Canceled) != want || (err != nil) != want {
				t.Errorf("call %d: %v", i, err)
			}
		})
	}
	release()
	wg.Wait()
	// One that ends after the function has: the call tells how the commit came out.
	ctx, cancel := context.WithCancel(t.Context())
	r, err := l.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		e, err := use(t, ctx, tx, "last")
		cancel()
		return e, err
	})
	if err != nil || len(r) != 1 {
		t.Errorf("context that ended after the function: %v %v", r, err)
	}
	if n := s.count(t, "SELECT count(*) FROM request"); n != 7 {
		t.Errorf("%d rows, and not 7", n)
	}
	s.verify(t, 6)
}

func testClosed(t *testing.T, s *suite) {
	l := s.create(t)
	release := hold(t, l)
	waiting := make(chan error)
	go func() {
		_, err := l.Do(context.Background(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
			return []ledger.Entry{entry(t, tx, "waited")}, nil
		})
		waiting <- err
	}()
	closed := make(chan error)
	go func() {
		time.Sleep(20 * time.Millisecond)
		go release()
		closed <- l.Close()
	}()
	err := <-waiting
	if err != nil && !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("a call that waited when the log was closed: %v", err)
	}
	var wg sync.WaitGroup
	for range 3 { // as many as want to
		wg.Go(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := l.Do(t.Context(), func(context.Context, *ledger.Tx) ([]ledger.Entry, error) { return nil, nil }); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	size := uint64(1)
	if err == nil {
		size = 2
	}
	s.open(t)
	s.verify(t, size)
}

func testMany(t *testing.T, s *suite) {
	l := s.create(t)
	table(t, l)
	const writers, each = 32, 10
	var mu sync.Mutex
	seen := map[uint64]string{}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprint(w, "-", i)
				r, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) { return use(t, ctx, tx, id) })
				if err != nil {
					t.Error(err)
					return
				}
				check(t, r[0])
				mu.Lock()
				if other, ok := seen[r[0].Index]; ok {
					t.Errorf("index %d for %s and for %s", r[0].Index, id, other)
				}
				seen[r[0].Index] = id
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for idx, id := range seen {
		if n := s.count(t, "SELECT idx FROM request WHERE id = $1", id); uint64(n) != idx {
			t.Errorf("%s has index %d, and Tx.Index was %d", id, idx, n)
		}
	}
	s.verify(t, writers*each)
}

// One request that many send at once, as a client does which was not told: one use, and the same answer to all.
func testRequest(t *testing.T, s *suite) {
	l := s.create(t)
	table(t, l)
	var first atomic.Int64
	first.Store(-1)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			var index int64
			_, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
				var there int
				if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM request WHERE id = $1", "r").Scan(&there); err != nil {
					return nil, err
				}
				if there > 0 {
					return nil, tx.QueryRowContext(ctx, "SELECT idx FROM request WHERE id = $1", "r").Scan(&index)
				}
				index = int64(tx.Index())
				return use(t, ctx, tx, "r")
			})
			if err != nil {
				t.Error(err)
			}
			first.CompareAndSwap(-1, index)
			if index != first.Load() {
				t.Errorf("index %d, and %d to others", index, first.Load())
			}
			r, err := l.Receipt(t.Context(), uint64(index))
			if err != nil {
				t.Fatal(err)
			}
			check(t, r)
		})
	}
	wg.Wait()
	s.verify(t, 1)
}

// other is a second process: another pool of connections and a witness of its own.
func (s *suite) other(t *testing.T, mod func(*ledger.Options)) (*ledger.Log, error) {
	o := s.options()
	o.Witness = ledger.FileWitness(s.witness + "-other")
	if mod != nil {
		mod(&o)
	}
	l, err := ledger.Open(t.Context(), s.Store.Open(t), o)
	if err == nil {
		t.Cleanup(func() { l.Close() })
	}
	return l, err
}

func testTwoProcesses(t *testing.T, s *suite) {
	a := s.create(t)
	table(t, a)
	b, err := s.other(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 { // in turn
		r := add(t, []*ledger.Log{a, b}[i%2], fmt.Sprint(i))
		if check(t, r[0]); r[0].Index != uint64(i) {
			t.Errorf("index %d, not %d", r[0].Index, i)
		}
	}
	var wg sync.WaitGroup
	for i, l := range []*ledger.Log{a, b} { // at once
		for w := range 4 {
			wg.Go(func() {
				for n := range 5 {
					r, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
						return use(t, ctx, tx, fmt.Sprint(i, w, n))
					})
					if err != nil {
						t.Error(err)
						return
					}
					check(t, r[0])
				}
			})
		}
	}
	wg.Wait()
	// What the other has written is to be had here.
	r := add(t, b, "last")
	got, err := a.Receipt(t.Context(), r[0].Index)
	if err != nil {
		t.Fatal(err)
	}
	check(t, got)
	s.verify(t, 47)
}

func testTakeOver(t *testing.T, s *suite) {
	a := s.create(t)
	add(t, a, "before")
	b, err := s.other(t, func(o *ledger.Options) { o.TakeOver = true })
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.Do(t.Context(), func(context.Context, *ledger.Tx) ([]ledger.Entry, error) { return nil, nil })
	if !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("the former writer: %v", err)
	}
	add(t, b, "after")
	if r := s.verify(t, 3); r.Epoch != 2 {
		t.Errorf("epoch %d", r.Epoch)
	}
	add(t, s.open(t), "opened again")
}

func testClock(t *testing.T, s *suite) {
	l := s.create(t)
	at := func() (at time.Time) {
		t.Helper()
		_, err := l.Do(t.Context(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
			at = tx.Time()
			return []ledger.Entry{entry(t, tx, "x")}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	first := at()
	if !first.Equal(s.clock()) {
		t.Errorf("time %s of %s", first, s.clock())
	}
	s.advance(-ledger.MaxBackwards)
	if got := at(); !got.Equal(first) {
		t.Errorf("a clock that is a little behind gives %s after %s", got, first)
	}
	s.advance(-time.Second)
	for range 2 { // also when it is opened anew
		_, err := l.Do(t.Context(), func(context.Context, *ledger.Tx) ([]ledger.Entry, error) {
			t.Error("a function ran with a clock that is behind")
			return nil, nil
		})
		if !errors.Is(err, ledger.ErrClock) {
			t.Errorf("a clock that is behind: %v", err)
		}
		l.Close()
		l = s.open(t)
	}
	s.advance(time.Hour)
	if got := at(); !got.Equal(s.clock()) {
		t.Errorf("time %s of %s", got, s.clock())
	}
	s.verify(t, 3)
}

func testRead(t *testing.T, s *suite) {
	l := s.create(t)
	table(t, l)
	add(t, l, "0", "1")
	// A reader sees one state, and does not hold up the writer.
	err := l.Read(t.Context(), func(ctx context.Context, tx *ledger.Tx) error {
		count := func() (n int) {
			if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM request").Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		before := count()
		if _, err := l.Do(context.WithoutCancel(t.Context()), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
			return use(t, ctx, tx, "while one reads")
		}); err != nil {
			return err
		}
		if count() != before || tx.Index() != 2 {
			t.Errorf("a reader saw what came later: %d rows, %d entries", count(), tx.Index())
		}
		n := 0
		for e, err := range tx.Entries(ctx, 0) {
			if err != nil || e.Index != uint64(n) {
				t.Errorf("entry %d: %v %v", n, e, err)
			}
			n++
		}
		if n != 2 {
			t.Errorf("a reader read %d entries of 2", n)
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM request"); !errors.Is(err, ledger.ErrReadOnly) {
			t.Errorf("a reader that writes: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A batch sees what it has not written yet.
	release := hold(t, l)
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
			n := uint64(0)
			for e, err := range tx.Entries(ctx, 0) {
				if err != nil || e.Index != n {
					t.Errorf("entry %d: %v %v", n, e, err)
				}
				n++
			}
			if n != tx.Index() {
				t.Errorf("%d entries before index %d", n, tx.Index())
			}
			return []ledger.Entry{entry(t, tx, "after all")}, nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	time.Sleep(20 * time.Millisecond)
	release()
	wg.Wait()
	s.verify(t, 5)
}

func testReadOnly(t *testing.T, s *suite) {
	l := s.create(t)
	add(t, l, "a", "b", "c")
	ro, err := s.other(t, func(o *ledger.Options) { o.ReadOnly, o.Signers, o.Witness, o.Keys = true, nil, nil, Keys(OriginSM3) })
	if err != nil {
		t.Fatal(err)
	}
	add(t, l, "d")
	r, err := ro.Receipt(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r)
	if _, err := ro.Do(t.Context(), func(context.Context, *ledger.Tx) ([]ledger.Entry, error) { return nil, nil }); !errors.Is(err, ledger.ErrReadOnly) {
		t.Error(err)
	}
	if err := ro.Close(); err != nil {
		t.Error(err)
	}
}

type badWitness struct {
	ledger.Witness
	err error
}

func (w *badWitness) Saw(ctx context.Context, note []byte) error {
	if w.err != nil {
		return w.err
	}
	return w.Witness.Saw(ctx, note)
}

func testWitnessFails(t *testing.T, s *suite) {
	l := s.create(t)
	table(t, l)
	l.Close()
	o := s.options()
	w := &badWitness{Witness: o.Witness}
	o.Witness = w
	l = opened(t)(ledger.Open(t.Context(), s.db, o))
	add(t, l, "good")
	w.err = errors.New("disk full")
	id := func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) { return use(t, ctx, tx, "id") }
	if r, err := l.Do(t.Context(), id); !errors.Is(err, ledger.ErrUnacknowledged) || !errors.Is(err, w.err) || r != nil {
		t.Errorf("the witness fails: %v %v", r, err)
	}
	// What is there and was not acknowledged is not to be had before it is.
	if r, err := l.Receipt(t.Context(), 1); !errors.Is(err, ledger.ErrUnacknowledged) {
		t.Errorf("the witness fails still: %v %v", r, err)
	}
	note, err := l.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err := audit.OpenCheckpoint(note, Keys(OriginSM3)...); err != nil || c.Size != 1 {
		t.Errorf("checkpoint that is shown meanwhile: %v %v", c, err)
	}
	w.err = nil
	r, err := l.Receipt(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r)
	s.verify(t, 2)
}
