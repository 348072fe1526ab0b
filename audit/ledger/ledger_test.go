package ledger_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/audit/ledger/ledgertest"
)

func sqlite(t testing.TB) ledgertest.Store {
	name := filepath.Join(t.TempDir(), "ledger.db")
	return ledgertest.Store{Dialect: ledger.SQLite, Open: func(t testing.TB) *sql.DB {
		db, err := sql.Open("sqlite", name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}}
}

func TestSQLite(t *testing.T) { ledgertest.Run(t, sqlite) }
