package registry_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/seal/registry"
)

// A redacted name is nowhere in the database's tables, the ledger proves as before, and a replay makes the same tables.
func TestRedact(t *testing.T) {
	b := newBook(t)
	added := b.must(t, "admin", &registry.AddPerson{ID: "p1", Name: "张三丰", Org: "gy"})
	kept := b.must(t, "admin", &registry.AddPerson{ID: "p2", Name: "李四光", Org: "gy"})
	b.must(t, "admin", &registry.GiveRole{Person: "p2", Role: registry.Maker, Org: "gy"})
	refused := func(by string, op *registry.Redact, want error) {
		t.Helper()
		before := b.size()
		if _, err := b.Do(t.Context(), registry.Person(by), op); !errors.Is(err, want) || b.size() != before {
			t.Errorf("%+v: %v, want %v", op, err, want)
		}
	}
	refused("p2", &registry.Redact{Entry: added.Index, Reason: "r"}, registry.ErrRights)
	refused("admin", &registry.Redact{Entry: added.Index}, registry.ErrOp)
	refused("admin", &registry.Redact{Entry: 99, Reason: "r"}, registry.ErrUnknown)
	refused("admin", &registry.Redact{Entry: added.Index, Names: []string{"org"}, Reason: "r"}, registry.ErrState)
	refused("admin", &registry.Redact{Entry: kept.Index + 1, Reason: "r"}, registry.ErrState)
	done := b.must(t, "admin", &registry.Redact{Entry: added.Index, Reason: "asked for"})
	for _, want := range []string{"courtseal.leaf/v1 ledger.redact\n", "entry 1\n", "names name\n", "actor person:admin\n", "reason asked for\n"} {
		if !strings.Contains(string(done.Leaf), want) {
			t.Errorf("no %q in %q", want, done.Leaf)
		}
	}
	refused("admin", &registry.Redact{Entry: added.Index, Reason: "again"}, registry.ErrState)
	// The founder's, of entry 0.
	b.must(t, "admin", &registry.Redact{Reason: "asked for"})
	e, err := b.log.Entry(t.Context(), added.Index)
	if err != nil || bytes.Contains(e.Private, []byte("张三丰")) || !bytes.Equal(e.Leaf, added.Leaf) {
		t.Errorf("%q, %v", e.Private, err)
	}
	for id, want := range map[string]string{"p1": "", "admin": "", "p2": "李四光"} {
		if got, err := b.NameOf(t.Context(), id); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", id, got, err, want)
		}
	}
	now, err := b.log.Receipt(t.Context(), added.Index)
	if err != nil {
		t.Fatal(err)
	}
	if ev, err := audit.ParseEvidence(now.Evidence()); err != nil || ev.Included() != nil {
		t.Error("the entry is no longer proved", err)
	}
	if _, err := b.log.Verify(t.Context(), nil); err != nil {
		t.Error(err)
	}
	b.mustCompare(t)
	if err := b.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	b.mustCompare(t)
}

// The name of a document stands beside the use of a seal.
func TestRedactDocument(t *testing.T) {
	b := province(t)
	run(t, b, "testdata/story/made.inc")
	if got, err := commands["use"](t, b, []string{"baoguan", "r-1", "S1", "baoguan-key", "张三诉李四", "kind=judgment"}); err != nil || got != "sealed" {
		t.Fatal(got, err)
	}
	u, err := b.Use(t.Context(), "r-1")
	if err != nil || u.Document != "张三诉李四" {
		t.Fatal(u, err)
	}
	b.must(t, "admin", &registry.Redact{Entry: u.Entry, Reason: "asked for"})
	if u, err = b.Use(t.Context(), "r-1"); err != nil || u.Document != "" || u.State != registry.Done {
		t.Error(u, err)
	}
	b.mustCompare(t)
}

// Whatever is a Name can be redacted.
func TestRedactable(t *testing.T) {
	for _, r := range registry.Rules() {
		op, err := registry.New(r.Kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range registry.NamesOf(op) {
			if can := registry.Redactable(r.Kind); !slices.Contains(can, name) {
				t.Errorf("%s has the name %s, and %s can be redacted", r.Kind, name, can)
			}
		}
	}
}
