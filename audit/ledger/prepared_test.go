package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/audit/ledger/ledgertest"
)

// Statements that are kept compiled do not disturb each other: rows that are open while the same query is asked again, rows left
// open, queries that fail, tables that are made anew.
func TestPrepared(t *testing.T) {
	s := sqlite(t)
	l, err := ledger.Create(t.Context(), s.Open(t), ledgertest.LoadOptions(s, filepath.Join(t.TempDir(), "witness")))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	in := func(f func(ctx context.Context, tx *ledger.Tx) error) {
		t.Helper()
		_, err := l.Do(t.Context(), func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) { return nil, f(ctx, tx) })
		if err != nil {
			t.Fatal(err)
		}
	}
	for round := range 3 {
		in(func(ctx context.Context, tx *ledger.Tx) error {
			if _, err := tx.ExecContext(ctx, "DROP TABLE IF EXISTS word"); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE TABLE word (n BIGINT PRIMARY KEY, word TEXT, round%d TEXT)", round)); err != nil {
				return err
			}
			for n := range 5 {
				if _, err := tx.ExecContext(ctx, "INSERT INTO word (n, word) VALUES ($1, $2)", n, fmt.Sprint("word ", n)); err != nil {
					return err
				}
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO word (n, word) VALUES ($1, $2)", 4, "again"); err == nil {
				t.Error("a second row of one key")
			}
			return nil
		})
		in(func(ctx context.Context, tx *ledger.Tx) error {
			const query = "SELECT n FROM word WHERE n >= $1 ORDER BY n"
			var seen []int
			outer, err := tx.QueryContext(ctx, query, 1)
			if err != nil {
				return err
			}
			for outer.Next() {
				var n int
				if err := outer.Scan(&n); err != nil {
					return err
				}
				inner, err := tx.QueryContext(ctx, query, n)
				if err != nil {
					return err
				}
				for inner.Next() {
					var m int
					if err := inner.Scan(&m); err != nil {
						return err
					}
					seen = append(seen, 10*n+m)
				}
				if err := inner.Close(); err != nil {
					return err
				}
				var least int
				if err := tx.QueryRowContext(ctx, query, n).Scan(&least); err != nil || least != n {
					t.Error(least, err)
				}
			}
			if got, want := fmt.Sprint(seen), "[11 12 13 14 22 23 24 33 34 44]"; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			_, err = tx.QueryContext(ctx, query, 0) // left open
			return err
		})
	}
	for n := range 400 { // more than are kept
		in(func(ctx context.Context, tx *ledger.Tx) error {
			var got int
			err := tx.QueryRowContext(ctx, fmt.Sprintf("SELECT n + %d FROM word WHERE n = $1", n), 1).Scan(&got)
			if got != n+1 {
				t.Error(got, n)
			}
			return err
		})
	}
}

// A log that gives its connection up, here because another took over, leaves no transaction behind that holds the database.
func TestPreparedDropped(t *testing.T) {
	s := sqlite(t)
	db, o := s.Open(t), ledgertest.LoadOptions(s, filepath.Join(t.TempDir(), "witness"))
	first, err := ledger.Create(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ask := func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		var n int
		return nil, tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM ledger_entry").Scan(&n)
	}
	if _, err := first.Do(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	o.TakeOver = true
	second, err := ledger.Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if _, err := first.Do(t.Context(), ask); !errors.Is(err, ledger.ErrFenced) {
		t.Fatal(err)
	}
	if _, err := second.Do(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
}
