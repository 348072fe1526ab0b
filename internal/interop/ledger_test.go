package interop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/audit/ledger/ledgertest"
)

// TestMain is the process that TestLedgerPostgresKilled kills, too.
func TestMain(m *testing.M) {
	if url := os.Getenv("COURTSEAL_LEDGER"); url != "" {
		fmt.Fprintln(os.Stderr, load(url, os.Getenv("COURTSEAL_WITNESS")))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func load(url, witness string) error {
	s := ledgertest.Store{Dialect: ledger.Postgres, Notices: new(ledger.Notices)}
	db, err := connect(url, s.Notices)
	if err != nil {
		return err
	}
	return ledgertest.Load(context.Background(), db, ledgertest.LoadOptions(s, witness))
}

func child(url, witness string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "COURTSEAL_LEDGER="+url, "COURTSEAL_WITNESS="+witness)
	return cmd
}

func TestLedgerPostgres(t *testing.T) { ledgertest.Run(t, newCluster(t).store) }

// In every second round it is the server that ends in the midst of all.
func TestLedgerPostgresKilled(t *testing.T) {
	c := newCluster(t)
	notices := new(ledger.Notices)
	store := ledgertest.Store{Dialect: ledger.Postgres, Notices: notices, Open: func(t testing.TB) *sql.DB { return c.db(t, "postgres", notices) }}
	ledgertest.Killed(t, store, func(witness string) *exec.Cmd { return child(c.url("postgres"), witness) }, func(t *testing.T) {
		c.stop(syscall.SIGQUIT)
		c.start(t)
	})
}

// A server whose transactions are serializable by default: two processes wait for each other, and no call is sent away.
func TestLedgerPostgresIsolation(t *testing.T) {
	s := newCluster(t, "default_transaction_isolation=serializable").store(t)
	open := ledger.Create
	var wg sync.WaitGroup
	for range 2 {
		l, err := open(t.Context(), s.Open(t), ledgertest.LoadOptions(s, filepath.Join(t.TempDir(), "witness")))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		open = ledger.Open
		for range 4 {
			wg.Go(func() {
				for range 25 {
					_, err := l.Do(t.Context(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) { return entry(tx, "one of many"), nil })
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
}

// standby makes a second server that follows c, which waits for it at each commit.
func (c *cluster) standby(t *testing.T) *cluster {
	t.Helper()
	s := &cluster{bin: c.bin, dir: newDir(t), args: []string{"wal_retrieve_retry_interval=200ms"}}
	s.run(t, "pg_basebackup", "-h", c.dir, "-U", "courtseal", "-D", s.data(), "-R", "-X", "stream", "-c", "fast", "--no-sync")
	s.start(t)
	return s
}

// insist has c wait for a standby from now on, and waits until one is there.
func (c *cluster) insist(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, q := range []string{"ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the standby is synchronous", func() bool {
		var n int
		err := db.QueryRow("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'").Scan(&n)
		return err == nil && n == 1
	})
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come to this: %s", what)
		}
	}
}

func entry(tx *ledger.Tx, text string) []ledger.Entry {
	leaf, err := audit.Leaf{Kind: "test", Fields: map[string]string{"time": ledger.FormatTime(tx.Time()), "text": text}}.Marshal()
	if err != nil {
		panic(err)
	}
	return []ledger.Entry{{Leaf: leaf}}
}

// A server that waits for its standby and is told to stop waiting says that the commit was done. It must not count as acknowledged.
func TestLedgerPostgresStandby(t *testing.T) {
	ctx := t.Context()
	primary := newCluster(t)
	standby := primary.standby(t)
	store := ledgertest.Store{Dialect: ledger.Postgres, Notices: new(ledger.Notices)}
	db := primary.db(t, "postgres", store.Notices)
	witness := filepath.Join(t.TempDir(), "witness")
	o := ledgertest.LoadOptions(store, witness)
	l, err := ledger.Create(ctx, db, o)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	add := func(text string) (r []audit.Receipt, err error) {
		return l.Do(ctx, func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) { return entry(tx, text), nil })
	}
	size := func() uint64 {
		t.Helper()
		note, err := l.Checkpoint(ctx)
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := audit.OpenCheckpoint(note, ledgertest.Keys(ledgertest.OriginSM3)...)
		if err != nil {
			t.Fatal(err)
		}
		return c.Size
	}
	primary.insist(t, db)
	if _, err := add("with the standby"); err != nil {
		t.Fatal(err)
	}
	without := o
	without.Notices = nil
	if _, err := ledger.Open(ctx, db, without); !errors.Is(err, ledger.ErrOptions) {
		t.Errorf("Open with a standby and without Notices: %v", err)
	}

	standby.stop(syscall.SIGINT)
	ended := make(chan error)
	go func() {
		r, err := add("without the standby")
		if err == nil && r == nil {
			err = errors.New("no receipt")
		}
		ended <- err
	}()
	waiting := "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
	var pid int
	eventually(t, "a commit waits for the standby", func() bool { return db.QueryRow(waiting).Scan(&pid) == nil })
	select {
	case err := <-ended:
		t.Fatalf("acknowledged while the standby was away: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := db.Exec("SELECT pg_cancel_backend($1)", pid); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ledger.ErrUnacknowledged) {
		t.Errorf("a wait for the standby that was cancelled: %v", err)
	}
	var there int
	if err := db.QueryRow("SELECT count(*) FROM ledger_entry").Scan(&there); err != nil || there != 2 {
		t.Errorf("%d entries (%v): the server did not behave as this test expects", there, err)
	}
	if n := size(); n != 1 {
		t.Errorf("a checkpoint of %d entries is shown, of which the standby has 1", n)
	}
	// Whoever asks for it is not told before the standby has it.
	short, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	go func() {
		_, err := l.Receipt(short, 1)
		ended <- err
	}()
	eventually(t, "the receipt waits for the standby", func() bool { return db.QueryRow(waiting).Scan(&pid) == nil })
	standby.start(t)
	if err := <-ended; err != nil {
		t.Errorf("receipt of the entry once the standby has it: %v", err)
	}
	if n := size(); n != 2 {
		t.Errorf("checkpoint of %d entries, and not 2", n)
	}
	l.Close()

	// A batch that takes too long is not acknowledged either.
	o.Timeout = 300 * time.Millisecond
	if l, err = ledger.Open(ctx, db, o); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	standby.stop(syscall.SIGINT)
	if _, err := add("too slow"); !errors.Is(err, ledger.ErrUnacknowledged) {
		t.Errorf("a commit that takes longer than Timeout: %v", err)
	}
	standby.start(t)
	if _, err := add("again"); err != nil {
		t.Fatal(err)
	}
	r, err := l.Verify(ctx, nil)
	if err != nil || r.Err() != nil {
		t.Errorf("Verify: %v, %v", err, r.Err())
	}
}

// The primary dies under load, and the standby takes its place: nothing that was acknowledged is missing, and the witness knows the tree.
func TestLedgerPostgresFailover(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	primary := newCluster(t)
	standby := primary.standby(t)
	db := primary.db(t, "postgres", nil)
	now := primary
	notices := new(ledger.Notices)
	store := ledgertest.Store{Dialect: ledger.Postgres, Notices: notices, Open: func(t testing.TB) *sql.DB {
		return openPostgres(t, fmt.Sprintf("host=%s,%s user=courtseal dbname=postgres target_session_attrs=read-write", primary.dir, standby.dir), notices)
	}}
	primary.insist(t, db)
	crash := func(t *testing.T) {
		if now == standby {
			now.stop(syscall.SIGQUIT)
			now.start(t)
			return
		}
		primary.stop(syscall.SIGKILL)
		now = standby
		s := standby.db(t, "postgres", nil)
		defer s.Close()
		if _, err := s.Exec("SELECT pg_promote()"); err != nil {
			t.Error(err)
		}
	}
	t.Setenv("COURTSEAL_KILLS", "4")
	ledgertest.Killed(t, store, func(witness string) *exec.Cmd { return child(now.url("postgres"), witness) }, crash)
}

func BenchmarkLedgerPostgres(b *testing.B) { ledgertest.Benchmark(b, newCluster(b).store) }
