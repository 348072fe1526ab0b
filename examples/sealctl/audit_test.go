package main

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/examples/internal/database"
)

// auditFiles makes, once, a ledger of 300 entries in a database, and copies of the database that are older, changed and of
// another history: the files of audit/ for the scripts.
var auditFiles = sync.OnceValues(func() (files map[string][]byte, err error) {
	dir, err := os.MkdirTemp("", "sealctl-audit")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	signer, err := audit.NewSigner("example.cn/audit/sm3", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		return nil, err
	}
	files = map[string][]byte{"key": []byte(signer.Verifier().String() + "\n")}
	d := &testStore{dir: dir, signer: signer, files: files}
	d.grow("ledger.db", "witness", 0, 3, "早")
	d.keep("ledger.db", "older.db")
	d.grow("ledger.db", "witness", 3, 300, "早")
	d.keep("ledger.db", "ledger.db")
	d.keep("witness", "witness")
	d.change("UPDATE ledger_entry SET leaf = $1 WHERE idx = 100", []byte("courtseal.leaf/v1 note\ntime 2026-05-06T07:08:09.000Z\n"))
	d.keep("ledger.db", "changed.db")
	d.grow("other.db", "other-witness", 0, 20, "晚")
	d.keep("other.db", "other.db")
	d.keep("other-witness", "other-witness")
	return files, d.err
})

type testStore struct {
	dir    string
	signer *audit.KeySigner
	files  map[string][]byte
	err    error
}

// grow enters notes of a person, from one index to another.
func (d *testStore) grow(name, witness string, from, to int, text string) {
	d.with(name, func(db *sql.DB, o ledger.Options) error {
		now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
		o.Origin, o.Signers, o.Witness = d.signer.Name(), []audit.Signer{d.signer}, ledger.FileWitness(filepath.Join(d.dir, witness))
		o.Now = func() time.Time { return now }
		open := ledger.Open
		if from == 0 {
			open = ledger.Create
		}
		l, err := open(context.Background(), db, o)
		if err != nil {
			return err
		}
		defer l.Close()
		_, err = l.Do(context.Background(), func(_ context.Context, tx *ledger.Tx) (entries []ledger.Entry, err error) {
			for i := from; i < to; i++ {
				leaf := audit.Leaf{Kind: "note", Fields: map[string]string{"time": ledger.FormatTime(tx.Time()), "text": fmt.Sprint(text, i)}}
				private := audit.Private{}
				private.Hide(tx.Profile(), leaf, "person", "王书记员")
				var e ledger.Entry
				if e.Leaf, err = leaf.Marshal(); err != nil {
					return nil, err
				}
				if e.Private, err = private.Marshal(); err != nil {
					return nil, err
				}
				entries = append(entries, e)
			}
			return entries, nil
		})
		return err
	})
}

func (d *testStore) change(query string, args ...any) {
	d.with("ledger.db", func(db *sql.DB, _ ledger.Options) error {
		_, err := db.Exec(query, args...)
		return err
	})
}

func (d *testStore) with(name string, f func(*sql.DB, ledger.Options) error) {
	if d.err != nil {
		return
	}
	db, o, err := database.Open("sqlite:"+name, d.dir, false)
	if err == nil {
		err = f(db, o)
		db.Close() // and with it everything is in the one file
	}
	d.err = err
}

func (d *testStore) keep(name, as string) {
	if d.err == nil {
		d.files[as], d.err = os.ReadFile(filepath.Join(d.dir, name))
	}
}
