package ledger_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/audit/ledger/ledgertest"
)

func sqlite(t testing.TB) ledgertest.Store {
	name := filepath.Join(t.TempDir(), "ledger.db")
	return ledgertest.Store{Dialect: ledger.SQLite, Open: func(t testing.TB) *sql.DB { return openSQLite(t, name) }}
}

func openSQLite(t testing.TB, name string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestSQLite(t *testing.T) { ledgertest.Run(t, sqlite) }

// TestMain is the process that gets killed, too.
func TestMain(m *testing.M) {
	if name := os.Getenv("COURTSEAL_LEDGER"); name != "" {
		db, err := sql.Open("sqlite", name)
		if err == nil {
			err = ledgertest.Load(context.Background(), db, ledgertest.LoadOptions(ledgertest.Store{Dialect: ledger.SQLite}, os.Getenv("COURTSEAL_WITNESS")))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestSQLiteKilled(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ledger.db")
	store := ledgertest.Store{Dialect: ledger.SQLite, Open: func(t testing.TB) *sql.DB { return openSQLite(t, name) }}
	ledgertest.Killed(t, store, func(witness string) *exec.Cmd {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "COURTSEAL_LEDGER="+name, "COURTSEAL_WITNESS="+witness)
		return cmd
	}, nil)
}

func BenchmarkSQLite(b *testing.B) { ledgertest.Benchmark(b, sqlite) }

// A bit is changed anywhere in the file of the database: Verify finds it, or cannot read the file, or every row is as it was.
func TestSQLiteFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ledger.db")
	o := ledgertest.LoadOptions(ledgertest.Store{Dialect: ledger.SQLite}, name+".witness")
	db := openSQLite(t, name)
	l, err := ledger.Create(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		if _, err := l.Do(t.Context(), func(_ context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
			leaf, err := audit.Leaf{Kind: "test", Fields: map[string]string{"time": ledger.FormatTime(tx.Time()), "text": strings.Repeat("x", 30*i+1)}}.Marshal()
			return []ledger.Entry{{Leaf: leaf}}, err
		}); err != nil {
			t.Fatal(err)
		}
	}
	want, err := rows(db)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	db.Close() // all is in the one file now
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	o.Witness = nil
	n, found, unreadable, same := 600, 0, 0, 0
	if testing.Short() {
		n = 60
	}
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	for range n {
		b, at := bytes.Clone(whole), rand.N(8*len(whole))
		b[at/8] ^= 1 << (at % 8)
		if err := os.WriteFile(damaged, b, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open("sqlite", damaged)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ledger.Verify(t.Context(), db, o, nil)
		switch {
		case err != nil:
			unreadable++
		case r.Err() != nil:
			found++
		default:
			if got, err := rows(db); err != nil || got != want {
				t.Errorf("bit %d of byte %d: not found (%v)", at%8, at/8, err)
			}
			same++
		}
		db.Close()
	}
	t.Logf("%d found, %d unreadable, %d without meaning", found, unreadable, same)
	if found == 0 {
		t.Error("nothing was found")
	}
}

// rows is everything in the tables as text.
func rows(db *sql.DB) (all string, err error) {
	err = db.QueryRow(`SELECT (SELECT group_concat(idx || hex(hashes) || hex(leaf) || coalesce(hex(private), '-')) FROM (SELECT * FROM ledger_entry ORDER BY idx))
		|| (SELECT group_concat(id || version || epoch || size || hex(note)) FROM ledger_head)`).Scan(&all)
	return all, err
}
