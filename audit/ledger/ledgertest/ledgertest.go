// Package ledgertest is the conformance suite of audit/ledger, which every database passes.
package ledgertest

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/internal/gm"
)

// A Store is an empty database.
type Store struct {
	Dialect ledger.Dialect
	Open    func(t testing.TB) *sql.DB // once more: as another process would
	Notices *ledger.Notices
}

// Origins of the ledgers of the suite, one for each profile.
const (
	OriginSM3    = "courtseal.example/test/sm3"
	OriginSHA256 = "courtseal.example/test"
)

// Run runs the suite. open makes a new database.
func Run(t *testing.T, open func(t testing.TB) Store) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"CreateIsNotOpen", testCreate},
		{"Options", testOptions},
		{"Receipts", testReceipts},
		{"FailuresAlone", testFailures},
		{"PanicAndGoexit", testPanic},
		{"StatementFailed", testStatementFailed},
		{"Refused", testRefused},
		{"Cancelled", testCancelled},
		{"Closed", testClosed},
		{"ManyAtOnce", testMany},
		{"OneUseForOneRequest", testRequest},
		{"TwoProcesses", testTwoProcesses},
		{"TakeOver", testTakeOver},
		{"Clock", testClock},
		{"Read", testRead},
		{"ReadOnly", testReadOnly},
		{"WitnessFails", testWitnessFails},
		{"OlderStore", testOlderStore},
		{"OtherHistory", testOtherHistory},
		{"Redact", testRedact},
		{"Tampered", testTampered},
		{"Export", testExport},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, newSuite(t, open(t))) })
	}
}

type suite struct {
	Store
	db      *sql.DB
	witness string
	mu      sync.Mutex
	now     time.Time
}

func newSuite(t testing.TB, s Store) *suite {
	return &suite{
		Store: s, db: s.Open(t), witness: filepath.Join(t.TempDir(), "witness"),
		now: time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC),
	}
}

func (s *suite) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *suite) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// testKey is a PKCS#8 with an SM2 key that everybody knows.
const testKey = "MIGHAgEAMBMGByqGSM49AgEGCCqBHM9VAYItBG0wawIBAQQgKWHkKqWcIXUHvJzhmOm5KiTUp+I/2X0BrNM6XlSMFI+hRANCAARx4WXe" +
	"o+QydFKtavIUNWOTT1a3YrJocW2QZu1qacFD+AzGf6uKJ8Wc5wbQYzeGuk+e/eMpNmz8u70rxzOOVBoB"

// Signers are an SM2 and an Ed25519 key under the origin, the same at every call in every process.
func Signers(origin string) []audit.Signer {
	der, err := base64.StdEncoding.DecodeString(testKey)
	if err != nil {
		panic(err)
	}
	sm2, err := gm.ParsePKCS8(der)
	if err != nil {
		panic(err)
	}
	a, err := audit.NewSigner(origin, sm2)
	if err != nil {
		panic(err)
	}
	b, err := audit.NewSigner(origin, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		panic(err)
	}
	return []audit.Signer{a, b}
}

// Keys are the public keys of Signers.
func Keys(origin string) []audit.Verifier {
	var keys []audit.Verifier
	for _, s := range Signers(origin) {
		keys = append(keys, s.(*audit.KeySigner).Verifier())
	}
	return keys
}

func (s *suite) options() ledger.Options {
	return ledger.Options{Dialect: s.Dialect, Origin: OriginSM3, Signers: Signers(OriginSM3), Witness: ledger.FileWitness(s.witness), Now: s.clock, Notices: s.Notices}
}

func (s *suite) create(t testing.TB) *ledger.Log {
	t.Helper()
	return opened(t)(ledger.Create(t.Context(), s.db, s.options()))
}

func (s *suite) open(t testing.TB) *ledger.Log {
	t.Helper()
	return opened(t)(ledger.Open(t.Context(), s.db, s.options()))
}

func opened(t testing.TB) func(l *ledger.Log, err error) *ledger.Log {
	return func(l *ledger.Log, err error) *ledger.Log {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
}

// verify expects that nothing is wrong with the store.
func (s *suite) verify(t testing.TB, size uint64) *ledger.Report {
	t.Helper()
	o := s.options()
	o.Signers, o.Keys = nil, Keys(OriginSM3)
	r, err := ledger.Verify(t.Context(), s.db, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Err(); err != nil {
		t.Errorf("Verify: %v", r.Problems)
	}
	if r.Size != size || r.Entries != size {
		t.Errorf("Verify read %d entries, and the head has %d, not %d", r.Entries, r.Size, size)
	}
	return r
}

// entry makes an entry that a call may return.
func entry(t testing.TB, tx *ledger.Tx, text string) ledger.Entry {
	t.Helper()
	b, err := audit.Leaf{Kind: "test", Fields: map[string]string{"time": ledger.FormatTime(tx.Time()), "text": text}}.Marshal()
	if err != nil {
		t.Error(err)
	}
	return ledger.Entry{Leaf: b}
}

// private makes an entry with two private values.
func private(t testing.TB, tx *ledger.Tx, text string) ledger.Entry {
	t.Helper()
	l := audit.Leaf{Kind: "test", Fields: map[string]string{"time": ledger.FormatTime(tx.Time()), "text": text}}
	p := audit.Private{}
	p.Hide(tx.Profile(), l, "person", "张三")
	p.Hide(tx.Profile(), l, "witness", "李四")
	leaf, err := l.Marshal()
	if err != nil {
		t.Error(err)
	}
	b, err := p.Marshal()
	if err != nil {
		t.Error(err)
	}
	return ledger.Entry{Leaf: leaf, Private: b}
}

func add(t testing.TB, l *ledger.Log, texts ...string) []audit.Receipt {
	t.Helper()
	r, err := l.Do(t.Context(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		var all []ledger.Entry
		for _, text := range texts {
			all = append(all, entry(t, tx, text))
		}
		return all, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// table makes a table beside the ledger.
func table(t testing.TB, l *ledger.Log) {
	t.Helper()
	_, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		_, err := tx.ExecContext(ctx, "CREATE TABLE request (id TEXT PRIMARY KEY, idx BIGINT NOT NULL)")
		return nil, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func use(t testing.TB, ctx context.Context, tx *ledger.Tx, id string) ([]ledger.Entry, error) {
	_, err := tx.ExecContext(ctx, "INSERT INTO request (id, idx) VALUES ($1, $2)", id, int64(tx.Index()))
	return []ledger.Entry{entry(t, tx, id)}, err
}

func (s *suite) count(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// check checks a receipt as anyone would who has the keys of the log.
func check(t testing.TB, r audit.Receipt) *audit.Evidence {
	t.Helper()
	e, err := audit.ParseEvidence(r.Evidence())
	if err != nil {
		t.Fatal(err)
	}
	if by, err := e.Check(Keys(e.Head.Origin)...); err != nil || len(by) != 2 {
		t.Errorf("receipt of entry %d of %d: %v (signed by %d keys)", r.Index, e.Head.Size, err, len(by))
	}
	return e
}

func testCreate(t *testing.T, s *suite) {
	ctx := t.Context()
	if _, err := ledger.Open(ctx, s.db, s.options()); !errors.Is(err, ledger.ErrNoLedger) {
		t.Fatalf("Open of nothing: %v", err)
	}
	l := s.create(t)
	note, err := l.Checkpoint(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if c, _, err := audit.OpenCheckpoint(note, Keys(OriginSM3)...); err != nil || c.Size != 0 || c.Root != audit.SM3.EmptyRoot() {
		t.Errorf("first checkpoint: %v %v", c, err)
	}
	s.verify(t, 0)
	if _, err := ledger.Create(ctx, s.db, s.options()); !errors.Is(err, ledger.ErrWitness) {
		t.Errorf("Create with a witness that has seen: %v", err)
	}
	o := s.options()
	o.Witness = ledger.Unwitnessed
	if _, err := ledger.Create(ctx, s.db, o); !errors.Is(err, ledger.ErrExists) {
		t.Errorf("Create once more: %v", err)
	}
	o.Keys, o.Origin, o.Signers = Keys(OriginSM3), OriginSHA256, Signers(OriginSHA256)
	if _, err := ledger.Open(ctx, s.db, o); !errors.Is(err, ledger.ErrOrigin) {
		t.Errorf("Open as another log: %v", err)
	}
	if o.Keys = nil; true {
		if _, err := ledger.Open(ctx, s.db, o); !errors.Is(err, audit.ErrUnknownLog) {
			t.Errorf("Open with other keys: %v", err)
		}
	}
	add(t, l, "first")
	l.Close()
	l = s.open(t)
	add(t, l, "second")
	s.verify(t, 2)
}

func testOptions(t *testing.T, s *suite) {
	for name, mod := range map[string]func(*ledger.Options){
		"Dialect": func(o *ledger.Options) { o.Dialect = 0 },
		"Origin":  func(o *ledger.Options) { o.Origin = "" },
		"Signers": func(o *ledger.Options) { o.Signers = nil },
		"Witness": func(o *ledger.Options) { o.Witness = nil },
		"Keys":    func(o *ledger.Options) { o.Signers, o.ReadOnly = nil, true },
	} {
		o := s.options()
		if mod(&o); true {
			if _, err := ledger.Open(t.Context(), s.db, o); !errors.Is(err, ledger.ErrOptions) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func testReceipts(t *testing.T, s *suite) {
	ctx := t.Context()
	l := s.create(t)
	var heads []audit.Checkpoint
	var leaves [][]byte
	for n := range 20 {
		texts := make([]string, n%4+1)
		for i := range texts {
			texts[i] = fmt.Sprint(n, " ", i)
		}
		s.advance(time.Second)
		for i, r := range add(t, l, texts...) {
			if r.Index != uint64(len(leaves)) {
				t.Errorf("index %d, not %d", r.Index, len(leaves))
			}
			leaves = append(leaves, r.Leaf)
			e := check(t, r)
			if i == 0 {
				heads = append(heads, e.Head)
			}
		}
	}
	size := uint64(len(leaves))
	for i, leaf := range leaves {
		r, err := l.Receipt(ctx, uint64(i))
		if err != nil {
			t.Fatal(err)
		}
		if e := check(t, r); e.Head.Size != size || string(e.Leaf) != string(leaf) {
			t.Errorf("receipt %d: size %d, leaf %q", i, e.Head.Size, e.Leaf)
		}
	}
	for _, old := range heads {
		proof, note, err := l.Consistency(ctx, old.Size)
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := audit.OpenCheckpoint(note, Keys(OriginSM3)...)
		if err != nil {
			t.Fatal(err)
		}
		if err := audit.CheckConsistency(audit.SM3, old.Size, c.Size, old.Root, c.Root, proof); err != nil {
			t.Errorf("from %d: %v", old.Size, err)
		}
	}
	if _, err := l.Receipt(ctx, size); !errors.Is(err, ledger.ErrNoEntry) {
		t.Errorf("receipt of an entry that is not there: %v", err)
	}
	if _, err := l.Entry(ctx, size); !errors.Is(err, ledger.ErrNoEntry) {
		t.Errorf("an entry that is not there: %v", err)
	}
	i := uint64(3)
	for e, err := range l.Entries(ctx, i) {
		if err != nil || e.Index != i || string(e.Leaf) != string(leaves[i]) {
			t.Fatalf("entry %d: %+v %v", i, e, err)
		}
		i++
	}
	if i != size {
		t.Errorf("Entries ended at %d of %d", i, size)
	}
	s.verify(t, size)
}

func testFailures(t *testing.T, s *suite) {
	l := s.create(t)
	table(t, l)
	failure := errors.New("no")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 8 {
				bad := i%2 == 1
				r, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
					e, err := use(t, ctx, tx, fmt.Sprint(g, " ", i))
					if err == nil && bad {
						err = failure
					}
					return e, err
				})
				switch {
				case bad && (err != failure || r != nil):
					t.Errorf("a function that fails: %v %v", r, err)
				case !bad && err != nil:
					t.Errorf("beside one that fails: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if n := s.count(t, "SELECT count(*) FROM request"); n != 32 {
		t.Errorf("%d rows of 32 calls that did not fail", n)
	}
	s.verify(t, 32)
	if n := s.count(t, "SELECT count(*) FROM request WHERE idx NOT IN (SELECT idx FROM ledger_entry)"); n != 0 {
		t.Errorf("%d rows without entry", n)
	}
}

func testPanic(t *testing.T, s *suite) {
	l := s.create(t)
	table(t, l)
	for i, end := range []func(){func() { panic("end") }, runtime.Goexit} {
		done := make(chan any)
		go func() {
			var p any
			defer func() { done <- p }()
			defer func() { p = recover() }()
			l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
				if _, err := use(t, ctx, tx, "ended"); err != nil {
					t.Error(err)
				}
				end()
				return nil, nil
			})
		}()
		if p := <-done; (p == "end") != (i == 0) {
			t.Errorf("%d: recovered %v", i, p)
		}
		add(t, l, "after")
		go func() {
			var p any
			defer func() { done <- p }()
			defer func() { p = recover() }()
			l.Read(t.Context(), func(context.Context, *ledger.Tx) error { end(); return nil })
		}()
		if p := <-done; (p == "end") != (i == 0) {
			t.Errorf("%d: recovered %v of one who reads", i, p)
		}
		read := func(_ context.Context, tx *ledger.Tx) error {
			if tx.Index() != uint64(i)+1 {
				t.Errorf("read %d entries after %d", tx.Index(), i+1)
			}
			return nil
		}
		if err := l.Read(t.Context(), read); err != nil {
			t.Errorf("read after one who did not return: %v", err)
		}
	}
	if n := s.count(t, "SELECT count(*) FROM request"); n != 0 {
		t.Errorf("%d rows of functions that did not return", n)
	}
	s.verify(t, 2)
}

func testStatementFailed(t *testing.T, s *suite) {
	l := s.create(t)
	table(t, l)
	_, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		return use(t, ctx, tx, "once")
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		return use(t, ctx, tx, "once")
	})
	if err == nil {
		t.Error("the same request twice, and no error")
	}
	// A function that keeps the error to itself gets its entry, or an error: never half of it.
	_, err = l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		if _, err := tx.ExecContext(ctx, "INSERT INTO request (id, idx) VALUES ('other', 0)"); err != nil {
			t.Error(err)
		}
		e, _ := use(t, ctx, tx, "once")
		return e, nil
	})
	want := 2
	if err != nil {
		want = 1
	}
	if n := s.count(t, "SELECT count(*) FROM request"); n != want {
		t.Errorf("%d rows, and not %d (%v)", n, want, err)
	}
	s.lostTransaction(t, l)
	// Rows that were left open.
	_, err = l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		rows, err := tx.QueryContext(ctx, "SELECT id FROM request")
		if err == nil {
			rows.Next()
		}
		return []ledger.Entry{entry(t, tx, "open")}, err
	})
	if err != nil {
		t.Errorf("rows that were left open: %v", err)
	}
	s.verify(t, uint64(want)+1)
}

// lostTransaction: on SQLite a statement may take back the whole transaction, as a full disk does. What a function does after that
// would be there without its entry.
func (s *suite) lostTransaction(t *testing.T, l *ledger.Log) {
	if s.Dialect != ledger.SQLite {
		return
	}
	before := s.count(t, "SELECT count(*) FROM request")
	for _, returned := range []error{nil, errors.New("given up")} {
		_, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
			if _, err := tx.ExecContext(ctx, "INSERT OR ROLLBACK INTO request (id, idx) VALUES ('once', 0)"); err == nil {
				t.Error("the same request twice, and no error")
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO request (id, idx) VALUES ('after', 0)"); err == nil {
				t.Error("a statement outside the transaction")
			}
			if err := tx.QueryRowContext(ctx, "INSERT INTO request (id, idx) VALUES ('row', 0) RETURNING id").Scan(new(string)); err == nil {
				t.Error("a row outside the transaction")
			}
			if rows, err := tx.QueryContext(ctx, "INSERT INTO request (id, idx) VALUES ('rows', 0) RETURNING id"); err == nil {
				rows.Next()
				t.Error("rows outside the transaction")
			}
			return []ledger.Entry{entry(t, tx, "lost")}, returned
		})
		if err == nil || errors.Is(err, ledger.ErrUnacknowledged) {
			t.Errorf("the transaction was lost, and the answer is %v", err)
		}
	}
	// The next batch has a connection of its own.
	if _, err := l.Do(t.Context(), func(context.Context, *ledger.Tx) ([]ledger.Entry, error) { return nil, nil }); err != nil {
		t.Error(err)
	}
	if n := s.count(t, "SELECT count(*) FROM request"); n != before {
		t.Errorf("%d rows of lost transactions", n-before)
	}
}

func testRefused(t *testing.T, s *suite) {
	l := s.create(t)
	add(t, l, "first")
	for name, f := range map[string]func(tx *ledger.Tx) ledger.Entry{
		"not a leaf": func(*ledger.Tx) ledger.Entry { return ledger.Entry{Leaf: []byte("hello")} },
		"no time": func(*ledger.Tx) ledger.Entry {
			return ledger.Entry{Leaf: []byte("courtseal.leaf/v1 test\ntext a\n")}
		},
		"other time": func(*ledger.Tx) ledger.Entry {
			return ledger.Entry{Leaf: []byte("courtseal.leaf/v1 test\ntime 2020-01-01T00:00:00Z\n")}
		},
		"kind of the log's own": func(tx *ledger.Tx) ledger.Entry {
			return ledger.Entry{Leaf: []byte("courtseal.leaf/v1 ledger.epoch\nepoch 2\ntime " + ledger.FormatTime(tx.Time()) + "\n")}
		},
		"private value of another": func(tx *ledger.Tx) ledger.Entry {
			a, b := private(t, tx, "a"), private(t, tx, "b")
			return ledger.Entry{Leaf: a.Leaf, Private: b.Private}
		},
		"private value missing": func(tx *ledger.Tx) ledger.Entry { return ledger.Entry{Leaf: private(t, tx, "a").Leaf} },
		"private value of nothing": func(tx *ledger.Tx) ledger.Entry {
			return ledger.Entry{Leaf: entry(t, tx, "a").Leaf, Private: private(t, tx, "a").Private}
		},
	} {
		_, err := l.Do(t.Context(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
			return []ledger.Entry{entry(t, tx, "good"), f(tx)}, nil
		})
		if !errors.Is(err, ledger.ErrLeaf) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := l.Do(t.Context(), func(ctx context.Context, _ *ledger.Tx) ([]ledger.Entry, error) {
		_, err := l.Do(ctx, func(context.Context, *ledger.Tx) ([]ledger.Entry, error) { return nil, nil })
		return nil, err
	})
	if !errors.Is(err, ledger.ErrNested) {
		t.Errorf("Do within Do: %v", err)
	}
	var kept *ledger.Tx
	if _, err := l.Do(t.Context(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) { kept = tx; return nil, nil }); err != nil {
		t.Error(err)
	}
	if _, err := kept.ExecContext(t.Context(), "SELECT 1"); !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("a Tx that was kept: %v", err)
	}
	if err := kept.QueryRowContext(t.Context(), "SELECT 1").Scan(new(int)); !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("a Tx that was kept: %v", err)
	}
	s.verify(t, 1)
}
