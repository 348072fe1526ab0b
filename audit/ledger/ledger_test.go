package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

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
