package ledger_test

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

// A judgment is entered, in the transaction that counts it; whoever has the key of the log can check the receipt.
func Example() {
	ctx := context.Background()
	dir := must(os.MkdirTemp("", "ledger"))
	defer os.RemoveAll(dir)
	signer := must(audit.NewSigner("court.example/ledger/sm3", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))))
	db := must(sql.Open("sqlite", filepath.Join(dir, "court.db")))
	defer db.Close()
	log := must(ledger.Create(ctx, db, ledger.Options{
		Dialect: ledger.SQLite, Origin: "court.example/ledger/sm3", Signers: []audit.Signer{signer},
		Witness: ledger.FileWitness(filepath.Join(dir, "witness")),
	}))
	defer log.Close()

	receipts := must(log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		if _, err := tx.ExecContext(ctx, "CREATE TABLE judgment (number TEXT PRIMARY KEY)"); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO judgment (number) VALUES ($1)", "(2026)京01民终17号"); err != nil {
			return nil, err
		}
		leaf, err := audit.Leaf{Kind: "judgment", Fields: map[string]string{"number": "(2026)京01民终17号", "time": ledger.FormatTime(tx.Time())}}.Marshal()
		return []ledger.Entry{{Leaf: leaf}}, err
	}))

	evidence := must(audit.ParseEvidence(receipts[0].Evidence()))
	must(evidence.Check(signer.Verifier()))
	fmt.Println("entry", evidence.Index, "of", evidence.Head.Size, "in", evidence.Head.Origin)
	fmt.Println("problems:", len(must(log.Verify(ctx, nil)).Problems))
	// Output:
	// entry 0 of 1 in court.example/ledger/sm3
	// problems: 0
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
