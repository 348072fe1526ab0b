package registry_test

import (
	"errors"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/seal/registry"
)

// A request that comes again is done once, and has the same entry. Under its ID nothing else is done, and each actor has
// IDs of their own.
func TestDoOnce(t *testing.T) {
	b := newBook(t)
	add := &registry.AddOrg{ID: "zy", Name: "示例市中级人民法院", Tier: registry.Intermediate, Parent: "gy"}
	first, err := b.DoOnce(t.Context(), registry.Person("admin"), "r-1", add)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.DoOnce(t.Context(), registry.Person("admin"), "r-2", &registry.AddPerson{ID: "wang", Name: "王某", Org: "zy"}); err != nil {
		t.Fatal(err)
	}
	size := b.size()
	again, err := b.DoOnce(t.Context(), registry.Person("admin"), "r-1", add)
	if err != nil || again.Index != first.Index || string(again.Leaf) != string(first.Leaf) {
		t.Errorf("%+v, %v; first %+v", again, err, first)
	}
	if _, err := b.DoOnce(t.Context(), registry.Person("admin"), "r-2", &registry.AddPerson{ID: "wang", Name: "王某", Org: "zy"}); err != nil {
		t.Error(err)
	}
	key := &registry.AddKey{Person: "wang", Cert: b.key("wang-key").Chain()[0]} // its Digest is filled in
	for range 2 {
		if _, err := b.DoOnce(t.Context(), registry.Person("admin"), "r-3", key); err != nil {
			t.Error(err)
		}
	}
	if got := b.size(); got != size+1 {
		t.Errorf("%d entries more, not 1", got-size)
	}
	for _, other := range []registry.Op{
		&registry.AddOrg{ID: "zy", Name: "示例市中级人民法院", Tier: registry.Basic, Parent: "gy"},
		&registry.AddOrg{ID: "zy", Tier: registry.Intermediate, Parent: "gy"},
		&registry.AddPerson{ID: "li", Name: "李某", Org: "gy"},
		&registry.DisablePerson{Person: "wang", Reason: "x"},
	} {
		if _, err := b.DoOnce(t.Context(), registry.Person("admin"), "r-1", other); !errors.Is(err, registry.ErrRequest) {
			t.Errorf("%+v: %v", other, err)
		}
	}
	if _, err := b.DoOnce(t.Context(), registry.Person("admin"), "r-2", &registry.AddPerson{ID: "wang", Name: "汪某", Org: "zy"}); !errors.Is(err, registry.ErrRequest) {
		t.Errorf("another name: %v", err)
	}
	if _, err := b.DoOnce(t.Context(), registry.Person("wang"), "r-1", add); !errors.Is(err, registry.ErrRights) {
		t.Errorf("another actor: %v", err)
	}
	if _, err := b.DoOnce(t.Context(), registry.Person("admin"), "", add); !errors.Is(err, registry.ErrOp) {
		t.Errorf("no ID: %v", err)
	}
	b.mustCompare(t)
	if err := b.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if again, err := b.DoOnce(t.Context(), registry.Person("admin"), "r-1", add); err != nil || again.Index != first.Index {
		t.Errorf("after a rebuild: %+v, %v", again, err)
	}
}

// What is filled in is not the caller's to say, so that no form asks for it.
func TestFields(t *testing.T) {
	want := map[string]string{"application.decide": "application refuse reason digest cert signature", "person.key": "person device cert",
		"seal.make": "application der", "seal.suspend": "seal reason"}
	types := map[string]bool{"text": true, "number": true, "yes-no": true, "time": true, "list": true, "octets": true}
	for _, r := range registry.Rules() {
		names := ""
		for _, f := range r.Fields() {
			names += " " + f.Name
			if !types[f.Type] {
				t.Errorf("%s: %s is a %q", r.Kind, f.Name, f.Type)
			}
		}
		if w, ok := want[r.Kind]; ok && names != " "+w {
			t.Errorf("%s has%s", r.Kind, names)
		}
	}
}

// The time that an act claims is the ledger's, or near it; it is kept, so that a request can be repeated to the letter.
func TestClaimedTime(t *testing.T) {
	b := newBook(t)
	run(t, b, "testdata/story/seal.inc")
	r := b.Recorder(registry.Person("baoguan"), registry.Use{Kind: "judgment"})
	for _, c := range []struct {
		request string
		off     time.Duration
		want    error
	}{{"c-1", 0, nil}, {"c-2", -4 * time.Minute, nil}, {"c-3", 4 * time.Minute, nil}, {"c-4", -audit.MaxActAge - time.Second, audit.ErrActTime},
		{"c-5", time.Hour, audit.ErrActTime}} {
		act, profile := b.act(c.request, c.request)
		act.Time = act.Time.Add(c.off)
		if _, err := r.Begin(t.Context(), act, profile); !errors.Is(err, c.want) {
			t.Errorf("%s off: %v", c.off, err)
		}
		if c.want != nil {
			continue
		}
		if u, err := b.Use(t.Context(), c.request); err != nil || !u.Claimed.Equal(act.Time) {
			t.Errorf("%s off: %+v, %v", c.off, u, err)
		}
	}
	b.mustCompare(t)
}
