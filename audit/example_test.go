package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// book is a Recorder that keeps its ledger in memory; in life audit/ledger or a registry keeps it.
type book struct {
	key    *audit.KeySigner
	edge   audit.Frontier
	leaves []string
}

func (b *book) Begin(ctx context.Context, act *sign.Act, p sign.Profile) (audit.Permit, error) {
	u := audit.UseOf(act, p)
	u.Time, u.Person = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), "clerk-17"
	l, err := u.Leaf()
	if err != nil {
		return audit.Permit{}, err
	}
	leaf, err := b.enter(l)
	if err != nil {
		return audit.Permit{}, err
	}
	// The first entry of a log needs no proof; for others see ProveInclusion.
	note, err := audit.Checkpoint{Origin: b.key.Name(), Size: b.edge.Size(), Root: b.edge.Root()}.Sign(b.key)
	return audit.Permit{Evidence: audit.Receipt{Leaf: leaf, Checkpoint: note}.Evidence()}, err
}

func (b *book) End(ctx context.Context, act *sign.Act, values []sign.Value, failed error) error {
	o := audit.OutcomeOf(0, act, values, failed)
	o.Time = time.Date(2026, 6, 1, 12, 0, 1, 0, time.UTC)
	l, err := o.Leaf()
	if err != nil {
		return err
	}
	_, err = b.enter(l)
	return err
}

func (b *book) enter(l audit.Leaf) ([]byte, error) {
	leaf, err := l.Marshal()
	if err != nil {
		return nil, err
	}
	b.edge.Append(audit.SHA256.LeafHash(leaf))
	b.leaves = append(b.leaves, l.Kind)
	return leaf, nil
}

// A document is sealed with its entry inside, and whoever has the ledger's key reads the entry from the document alone.
func Example() {
	ctx := context.Background()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	key, err := audit.NewSigner("court.example.cn/ledger", private)
	if err != nil {
		log.Fatal(err)
	}
	b := &book{key: key}
	signer, err := cms.New(testpki.Shared(testpki.SM2).Issue(testpki.SM2, "示例市中级人民法院", nil), cms.Options{})
	if err != nil {
		log.Fatal(err)
	}
	var sealed bytes.Buffer
	file, size := strings.NewReader(document), int64(len(document))
	_, err = pdfx.Sign(ctx, &sealed, file, size, audit.Record(b, signer), pdfx.Options{ID: "request 1"})
	if err != nil {
		log.Fatal(err)
	}

	found, err := pdfx.Signatures(bytes.NewReader(sealed.Bytes()), int64(sealed.Len()), pdfx.Options{})
	if err != nil {
		log.Fatal(err)
	}
	value, err := cms.Parse(found[0].Value)
	if err != nil {
		log.Fatal(err)
	}
	bound, _ := value.Signers[0].Attribute(sign.AttributeEvidence)
	evidence, err := audit.ParseEvidence(bound[0][4:]) // an OCTET STRING; package verify takes it out and judges it
	if err != nil {
		log.Fatal(err)
	}
	if _, err := evidence.Check(key.Verifier()); err != nil {
		log.Fatal(err)
	}
	leaf, err := audit.ParseLeaf(evidence.Leaf)
	if err != nil {
		log.Fatal(err)
	}
	u, err := audit.ParseUse(leaf)
	fmt.Println(u.Request, u.Person, u.Time.Format(time.DateOnly), err)
	fmt.Println(b.leaves)
	// Output:
	// request 1 clerk-17 2026-06-01 <nil>
	// [use.begin use.end]
}
