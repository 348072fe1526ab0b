package ledger_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

func TestQuick(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	_, key, _ := ed25519.GenerateKey(nil)
	s, err := audit.NewSigner("test/sm3", key)
	if err != nil {
		t.Fatal(err)
	}
	o := ledger.Options{Dialect: ledger.SQLite, Origin: "test/sm3", Signers: []audit.Signer{s}, Witness: ledger.FileWitness(filepath.Join(dir, "w"))}
	l, err := ledger.Create(ctx, db, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		_, err := tx.ExecContext(ctx, "CREATE TABLE n (i INTEGER PRIMARY KEY, v TEXT UNIQUE)")
		return nil, err
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			for i := range 20 {
				r, err := l.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
					_, err := tx.ExecContext(ctx, "INSERT INTO n (v) VALUES ($1)", fmt.Sprint(g, i))
					leaf, _ := audit.Leaf{Kind: "test", Fields: map[string]string{"time": ledger.FormatTime(tx.Time()), "n": fmt.Sprint(g, i)}}.Marshal()
					if i%5 == 4 {
						return nil, errors.New("no")
					}
					return []ledger.Entry{{Leaf: leaf}}, err
				})
				if i%5 == 4 {
					if err == nil || err.Error() != "no" {
						t.Error(err)
					}
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				e, err := audit.ParseEvidence(r[0].Evidence())
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := e.Check(s.Verifier()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var n int
	db.QueryRow("SELECT count(*) FROM n").Scan(&n)
	if n != 16*16 {
		t.Error(n)
	}
	l.Close()
	if l, err = ledger.Open(ctx, db, o); err != nil {
		t.Fatal(err)
	}
	r, err := l.Receipt(ctx, 17)
	if err != nil {
		t.Fatal(err)
	}
	e, _ := audit.ParseEvidence(r.Evidence())
	if _, err := e.Check(s.Verifier()); err != nil {
		t.Error(err)
	}
	l.Close()
}
