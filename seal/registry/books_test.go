package registry_test

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/registry"
)

// province is a book with the people of province.inc.
func province(t *testing.T) *book {
	t.Helper()
	b := newBook(t)
	run(t, b, "testdata/story/province.inc")
	return b
}

func (b *book) must(t testing.TB, by string, op registry.Op) audit.Receipt {
	t.Helper()
	r, err := b.Do(t.Context(), who(by), op)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCredentials(t *testing.T) {
	b := province(t)
	b.must(t, "admin", &registry.AddApp{ID: "trial", Name: "审判系统", Org: "jc"})
	app := registry.App("trial")
	secret, op, err := registry.NewCredential(rand.Reader, app)
	if err != nil || len(secret) != 43 {
		t.Fatal(secret, err)
	}
	r := b.must(t, "admin", op)
	if strings.Contains(string(r.Leaf), secret) {
		t.Error("the entry has the secret")
	}
	if got, err := b.Authenticate(t.Context(), "app:trial", secret); err != nil || got != app {
		t.Fatal(got, err)
	}
	other, otherOp, err := registry.NewCredential(rand.Reader, registry.Person("baoguan"))
	if err != nil {
		t.Fatal(err)
	}
	refused := func(id, secret string) string {
		t.Helper()
		got, err := b.Authenticate(t.Context(), id, secret)
		if !errors.Is(err, registry.ErrRights) || got != (registry.Actor{}) {
			t.Fatalf("%q: %v, %v", id, got, err)
		}
		return err.Error()
	}
	want := refused("app:trial", other)
	for _, c := range [][2]string{
		{"app:nothing", secret}, {"person:baoguan", secret}, {"person:trial", secret}, {"trial", secret}, {"app:trial ", secret},
		{"app:trial\x00", secret}, {"app:\xff", secret}, {"", ""}, {"app:trial", ""}, {"app:trial", secret + "A"},
		{"app:trial", secret[:42]}, {"person:baoguan app:trial", secret}, {"app:' OR 1=1", secret}, {"person:*", secret},
	} {
		if got := refused(c[0], c[1]); got != want {
			t.Errorf("%q is told from a wrong secret: %q", c, got)
		}
	}
	// For themselves, and nobody else.
	if _, err := b.Do(t.Context(), registry.Person("baoguan2"), otherOp); !errors.Is(err, registry.ErrRights) {
		t.Error(err)
	}
	b.must(t, "baoguan", otherOp)
	if _, err := b.Authenticate(t.Context(), "person:baoguan", other); err != nil {
		t.Error(err)
	}
	// A new one ends the old.
	newer, op, _ := registry.NewCredential(rand.Reader, app)
	b.must(t, "admin", op)
	refused("app:trial", secret)
	b.must(t, "admin", &registry.SwitchApp{App: "trial", Reason: "fault"})
	if got := refused("app:trial", newer); got == want {
		t.Error("the owner of the right secret is not told that it is switched off")
	}
	if got := refused("app:trial", secret); got != want {
		t.Error("others are")
	}
	b.must(t, "admin", &registry.SwitchApp{App: "trial", On: true, Reason: "mended"})
	b.must(t, "admin", &registry.WithdrawCredential{Owner: "app:trial", Reason: "seen in a log"})
	if got := refused("app:trial", newer); got != want {
		t.Error(got)
	}
	b.must(t, "admin", &registry.DisablePerson{Person: "baoguan", Reason: "on leave"})
	refused("person:baoguan", other)
	for _, bad := range []*registry.SetCredential{
		{Owner: "app:trial", Salt: op.Salt, Hash: op.Hash[:31]}, {Owner: "app:trial", Salt: op.Salt[:8], Hash: op.Hash},
		{Owner: "trial", Salt: op.Salt, Hash: op.Hash}, {Owner: "person:admin app:trial", Salt: op.Salt, Hash: op.Hash}, {},
	} {
		if _, err := b.Do(t.Context(), registry.Person("admin"), bad); !errors.Is(err, registry.ErrOp) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	b.mustCompare(t)
}

// Import goes on where it was stopped, enters each seal once, and says of each what became of it.
func TestImport(t *testing.T) {
	b := province(t)
	var items []*registry.ImportSeal
	for i := range 70 {
		s, err := makeSeal(fmt.Sprintf("L%03d", i), "章", b.key("baoguan-key"))
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, &registry.ImportSeal{DER: s.Raw, Org: "jc", Type: "court", From: "old books", State: "active", Holder: "baoguan"})
	}
	items[7] = &registry.ImportSeal{DER: registry.Blob("no seal"), Org: "jc", Type: "court", From: "old books", State: "active"}
	clash, err := makeSeal("L003", "another", b.key("baoguan-key"))
	if err != nil {
		t.Fatal(err)
	}
	items = append(items, &registry.ImportSeal{DER: clash.Raw, Org: "jc", Type: "court", From: "old books", State: "active"})
	stop := errors.New("the source broke")
	source := func(n int, end error) func(func(*registry.ImportSeal, error) bool) {
		return func(yield func(*registry.ImportSeal, error) bool) {
			for _, op := range items[:n] {
				if !yield(op, nil) {
					return
				}
			}
			if end != nil {
				yield(nil, end)
			}
		}
	}
	var got []registry.Imported
	report := func(i registry.Imported) { got = append(got, i) }
	before := b.size()
	if err := b.Import(t.Context(), registry.Person("zhizhang"), source(40, stop), report); !errors.Is(err, stop) || len(got) != 40 {
		t.Fatal(err, len(got))
	}
	got = nil
	if err := b.Import(t.Context(), registry.Person("zhizhang"), source(len(items), nil), report); err != nil || len(got) != len(items) {
		t.Fatal(err, len(got))
	}
	if n := b.size() - before; n != 69 {
		t.Errorf("%d entries of 69 seals", n)
	}
	for i, r := range got {
		switch i {
		case 7:
			if !errors.Is(r.Err, registry.ErrOp) || r.There {
				t.Errorf("no seal: %+v", r)
			}
		case 70:
			if !errors.Is(r.Err, registry.ErrExists) || r.There || r.Seal != "L003" {
				t.Errorf("another seal of the same esID: %+v", r)
			}
		default:
			if r.Item != i || r.Seal != fmt.Sprintf("L%03d", i) || r.Err != nil || r.There != (i < 40) || r.Entry < before {
				t.Errorf("item %d: %+v", i, r)
			}
		}
	}
	got = nil
	if err := b.Import(t.Context(), registry.Person("baoguan"), source(1, nil), report); err != nil || !errors.Is(got[0].Err, registry.ErrRights) {
		t.Error(err, got)
	}
	b.mustCompare(t)
}

// A seal whose value is damaged is imported with a word that it is.
func TestImportUnchecked(t *testing.T) {
	b := province(t)
	s, err := makeSeal("L1", "章\x00", b.key("baoguan-key"))
	if err != nil {
		t.Fatal(err)
	}
	good := b.must(t, "zhizhang", &registry.ImportSeal{DER: s.Raw, Org: "jc", Type: "court", From: "old", State: "active"})
	raw := slices.Clone(s.Raw)
	i := strings.LastIndex(string(raw), string(s.Value))
	raw[i+len(s.Value)-1] ^= 1
	raw = []byte(strings.Replace(string(raw), "\x02L1", "\x02L2", 1))
	bad, err := seal.Parse(raw)
	if err != nil || bad.VerifyValue() == nil {
		t.Fatal(err)
	}
	damaged := b.must(t, "zhizhang", &registry.ImportSeal{DER: raw, Org: "jc", Type: "court", From: "old", State: "active"})
	if !strings.Contains(string(good.Leaf), "checked yes") || strings.Contains(string(damaged.Leaf), "checked") {
		t.Errorf("checked is not told from unchecked:\n%s\n%s", good.Leaf, damaged.Leaf)
	}
	info, der, err := b.Seal(t.Context(), "L2")
	if err != nil || info.Name != "章" || string(der) != string(raw) {
		t.Error(info, err)
	}
	b.mustCompare(t)
}

// Of every operation it is known whether Correct annuls it, another undoes it, or nothing does.
func TestUndone(t *testing.T) {
	nothing := []string{"found", "org.add", "application.decide", "application.withdraw", "correct", "ledger.redact", "offline.reconcile", "offline.end"}
	for _, r := range registry.Rules() {
		undone, by := registry.UndoneBy(r.Kind)
		if undone == slices.Contains(nothing, r.Kind) {
			t.Errorf("%s: undone %v; see undoneBy", r.Kind, undone)
		}
		if by != "" {
			if _, err := registry.New(by); err != nil {
				t.Errorf("%s is undone by %s: %v", r.Kind, by, err)
			}
		}
	}
}

// Two who correct one entry at once make one correction.
func TestCorrectOnce(t *testing.T) {
	b := province(t)
	run(t, b, "testdata/story/made.inc")
	r := b.must(t, "zhizhang", &registry.SuspendSeal{Seal: "S1", Reason: "wrong"})
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = b.Do(t.Context(), registry.Person("shenpi1"), &registry.Correct{Entry: r.Index, Reason: "wrong"})
		})
	}
	wg.Wait()
	n := 0
	for _, err := range errs {
		if err == nil {
			n++
		} else if !errors.Is(err, registry.ErrState) {
			t.Error(err)
		}
	}
	if n != 1 {
		t.Errorf("%d corrections", n)
	}
	b.mustCompare(t)
}

// Seals of all generations are taken, as another implementation made them: ../shared/vectors/eseal, where it is.
func TestImportGenerations(t *testing.T) {
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "vectors", "eseal"))
	if err != nil {
		t.Fatal(err)
	}
	b := province(t)
	b.now = b.now.AddDate(1, 0, 0)
	for name, generation := range map[string]seal.Version{"UserV1.esl": seal.V1, "UserV4.esl": seal.V4, "UserV5.esl": seal.V5} {
		t.Run(name, func(t *testing.T) {
			der, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Skip(err)
			}
			old, err := seal.Parse(der)
			if err != nil || old.Generation() != generation {
				t.Fatal(err)
			}
			r := b.must(t, "zhizhang", &registry.ImportSeal{DER: der, Org: "jc", Type: "court", From: "OFD R&W", State: "active", At: old.Created})
			if !strings.Contains(string(r.Leaf), "checked yes\n") {
				t.Errorf("%s", r.Leaf)
			}
			if got, err := b.State(t.Context(), old.ID, old.Created.Add(time.Hour)); err != nil || got != seal.StatusActive {
				t.Error(got, err)
			}
			info, got, err := b.Seal(t.Context(), old.ID)
			if err != nil || info.Name != old.Name || !bytes.Equal(got, der) {
				t.Error(info, err)
			}
		})
	}
	b.mustCompare(t)
}

// What is no text is refused before it reaches the database, wherever it stands.
func TestNoText(t *testing.T) {
	b := province(t)
	for _, id := range []string{"S1\x00", "\xff"} {
		if _, err := b.State(t.Context(), id, time.Time{}); !errors.Is(err, registry.ErrOp) {
			t.Errorf("%q: %v", id, err)
		}
		for _, op := range []registry.Op{
			&registry.SuspendSeal{Seal: id, Reason: "r"}, &registry.AddOrg{ID: "x", Name: id, Tier: registry.Basic, Parent: "gy"},
			&registry.AddOrg{ID: "x", Name: "x", Tier: registry.Basic, Parent: id}, &registry.AddPerson{ID: "x", Name: registry.Name(id), Org: "gy"},
		} {
			if _, err := b.Do(t.Context(), registry.Person("admin"), op); !errors.Is(err, registry.ErrOp) {
				t.Errorf("%+v: %v", op, err)
			}
		}
	}
}

// The ledger's own entries are none of the books, and stop no replay.
func TestTakeOver(t *testing.T) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	o := ledger.Options{Dialect: ledger.SQLite, Witness: ledger.Unwitnessed, Origin: "court.example/seals/sm3", Signers: []audit.Signer{logSigner()}}
	first, err := ledger.Create(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	old, err := registry.Create(t.Context(), first, registry.Options{}, registry.Found{Org: "gy", OrgName: "院", Person: "admin", PersonName: "某"})
	if err != nil {
		t.Fatal(err)
	}
	o.TakeOver = true
	second, err := ledger.Open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	books, err := registry.Open(t.Context(), second, registry.Options{})
	if err != nil {
		t.Fatal(err)
	}
	op := &registry.AddPerson{ID: "p", Name: "某", Org: "gy"}
	if _, err := old.Do(t.Context(), registry.Person("admin"), op); !errors.Is(err, ledger.ErrFenced) {
		t.Error(err)
	}
	if _, err := books.Do(t.Context(), registry.Person("admin"), op); err != nil {
		t.Fatal(err)
	}
	if d, err := books.Compare(t.Context(), nil); err != nil || len(d) > 0 {
		t.Error(d, err)
	}
}
