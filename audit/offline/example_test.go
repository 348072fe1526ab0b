package offline_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/offline"
	"github.com/courtseal/courtseal/pdfx"
)

// A court seals for a day without network, and gives account in the evening. The issuer is the province; its keys are known.
func Example() {
	dir, err := os.MkdirTemp("", "offline")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	d := makeDesk(dir, nil) // grant, list, court.esl, and the holder's key

	// In the morning: the grant and the newest state list come from the issuer.
	now := func() time.Time { return d.now }
	book, err := offline.Create(filepath.Join(dir, "book"), d.read("grant"), known, offline.Options{Seal: d.read("court.esl"), Now: now})
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()
	if err := book.SetList(d.read("list")); err != nil {
		log.Fatal(err)
	}

	// During the day.
	stamp, err := d.stamp()
	if err != nil {
		log.Fatal(err)
	}
	signer := audit.Record(book.Recorder(offline.Purpose{Kind: "判决书", Person: "张三"}), stamp)
	if _, err := pdfx.SignFile(context.Background(), filepath.Join(dir, "sealed.pdf"), judgment, signer, pdfx.Options{ID: "case-1", Now: now}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("sealed", book.State().Used, "of", book.State().Grant.Uses)

	// In the evening: the ledger gets the chain, and its answer goes back into the book.
	sent, _, err := book.Export(book.State().Reconciled)
	if err != nil {
		log.Fatal(err)
	}
	chain, err := audit.ParseOfflineChain(sent)
	if err != nil {
		log.Fatal(err)
	}
	report, err := chain.Check(nil, known...) // nil: the ledger has no use of this grant yet
	if err != nil {
		log.Fatal(err)
	}
	if err := book.Reconciled(report.Whole, report.Head); err != nil {
		log.Fatal(err)
	}
	fmt.Println("all is in order up to use", book.State().Reconciled)
	// Output:
	// sealed 1 of 100
	// all is in order up to use 1
}
