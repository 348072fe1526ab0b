package officex_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

// book is a Recorder that keeps its ledger in memory, and gives the answer to an act that comes again.
type book struct {
	key  *audit.KeySigner
	edge audit.Frontier
	done map[string][]sign.Value
}

func newBook(t *testing.T) *book {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	key, err := audit.NewSigner("court.example.cn/seals", private)
	if err != nil {
		t.Fatal(err)
	}
	return &book{key: key, done: map[string][]sign.Value{}}
}

func (b *book) Begin(ctx context.Context, act *sign.Act, p sign.Profile) (audit.Permit, error) {
	if v := b.done[act.ID]; v != nil {
		return audit.Permit{Values: v}, nil
	}
	u := audit.UseOf(act, p)
	u.Time, u.Person = noon, "clerk-17"
	l, err := u.Leaf()
	if err != nil {
		return audit.Permit{}, err
	}
	leaf, err := l.Marshal()
	if err != nil {
		return audit.Permit{}, err
	}
	b.edge = audit.Frontier{} // a ledger of one entry
	b.edge.Append(audit.SHA256.LeafHash(leaf))
	note, err := audit.Checkpoint{Origin: b.key.Name(), Size: 1, Root: b.edge.Root()}.Sign(b.key)
	return audit.Permit{Evidence: audit.Receipt{Leaf: leaf, Checkpoint: note}.Evidence()}, err
}

func (b *book) End(ctx context.Context, act *sign.Act, values []sign.Value, failed error) error {
	if failed == nil {
		b.done[act.ID] = values
	}
	return nil
}

// TestLedger: the entry is bound into each value, and is the same for both of a dual; a request that comes again has the same file.
func TestLedger(t *testing.T) {
	file := judgment().bytes()
	for name, s := range signers(t) {
		b := newBook(t)
		s = audit.Record(b, s)
		o := officex.Options{ID: "r-1", Reason: strings.Repeat("归档", 100)}
		sealed, r := mustSign(t, file, s, o)
		again, _ := mustSign(t, file, s, o)
		if !bytes.Equal(sealed, again) {
			t.Errorf("%s: the same request has another file", name)
		}
		report, err := verify.Document(t.Context(), bytes.NewReader(sealed), int64(len(sealed)),
			verify.Options{Roots: trusted(t), At: noon.Add(time.Hour), Logs: verify.Logs{Keys: []audit.Verifier{b.key.Verifier()}}})
		if err != nil || report.Verdict != verify.Valid || len(report.Signatures) != len(r.Parts) {
			t.Fatalf("%s: %v, %s", name, err, report)
		}
		for _, x := range report.Signatures {
			if c := x.Check("ledger"); c.Code != "ok" || x.Entry == nil || x.Entry.Request != "r-1" {
				t.Errorf("%s: %s: %+v, %+v", name, x.Name, c, x.Entry)
			}
		}
		removed(t, sealed, file)
		other := docx{body: para("另一份判决书")}.bytes()
		var out bytes.Buffer
		_, err = officex.Sign(t.Context(), &out, bytes.NewReader(other), int64(len(other)), s, officex.Options{ID: "r-1", Now: clock})
		if !errors.Is(err, officex.ErrValue) {
			t.Errorf("%s: the value of another document: %v", name, err)
		}
	}
}
