package registry_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/registry"
)

// A modelEntry is what the test believes of one entry: a change of the seal's state, or a correction.
type modelEntry struct {
	index uint64
	by    string
	at    time.Time
	state string // what the seal became, "": nothing
	root  int    // place of the entry that a correction is about in the end, -1: it is none
	broke bool   // its device broke by this
}

// A mistakenLife is the entries of one seal, and which stand: by plain counting, a root with an odd number of corrections is annulled.
type mistakenLife struct {
	seal, dev string

	entries []modelEntry
	device  struct {
		broken bool
		entry  uint64 // that made it so
	}
}

func (m *mistakenLife) corrections(root int) (n, last int) {
	last = -1
	for i, e := range m.entries {
		if e.root == root {
			n++
			last = i
		}
	}
	return n, last
}

// life is the states that stand, with one more correction of root if that is not -1.
func (m *mistakenLife) life(root int) (list []modelEntry) {
	for i, e := range m.entries {
		n, _ := m.corrections(i)
		if i == root {
			n++
		}
		if e.state != "" && n%2 == 0 {
			list = append(list, e)
		}
	}
	return list
}

func lastState(list []modelEntry) string { return list[len(list)-1].state }

var after = map[string][]string{
	"delivered": {"active", "lost", "suspended"}, "active": {"active", "lost", "suspended"},
	"lost": {"lost", "active"}, "suspended": {"suspended", "lost", "active"},
}

func legal(list []modelEntry) bool {
	for i := range list[1:] {
		if !slices.Contains(after[list[i].state], list[i+1].state) {
			return false
		}
	}
	return true
}

// mayCorrect is whether an entry may be annulled now, and which root that is about.
func (m *mistakenLife) mayCorrect(target int) (root int, ok bool) {
	root = target
	if m.entries[target].root >= 0 {
		root = m.entries[target].root
	}
	n, last := m.corrections(root)
	if m.entries[root].broke && (n > 0 || m.device.entry != m.entries[root].index) {
		return root, false
	}
	if n > 0 && last != target || n == 0 && m.entries[target].root >= 0 {
		return root, false
	}
	list := m.life(root)
	if len(list) == 0 || !legal(list) {
		return root, false
	}
	if lastState(list) == "active" && lastState(m.life(-1)) != "active" && m.device.broken && !m.entries[root].broke {
		return root, false
	}
	return root, true
}

// Random mistakes and corrections of them: what the model allows is done, all else refused, and the state of every moment
// is that of the entries that stand.
func TestCorrectModel(t *testing.T) {
	b := province(t)
	lives := 0
	rapid.Check(t, func(rt *rapid.T) {
		lives++
		m := &mistakenLife{seal: fmt.Sprintf("S%d", lives), dev: fmt.Sprintf("k%d", lives)}
		m.begin(t, b)
		// made, delivered, received: the last is the first that the model corrects.
		m.entries = append(m.entries, modelEntry{index: b.size() - 2, by: "zhizhang", at: b.now, state: "delivered", root: -1})
		m.entries = append(m.entries, modelEntry{index: b.size() - 1, by: "baoguan", at: b.now, state: "active", root: -1})
		kinds := []string{"suspend", "lose", "resume", "break", "restore", "correct", "correct", "correct"}
		for range rapid.IntRange(3, 30).Draw(rt, "steps") {
			b.mu.Lock()
			b.now = b.now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(rt, "wait")) * time.Second)
			b.mu.Unlock()
			state := lastState(m.life(-1))
			e := modelEntry{at: b.now, root: -1}
			var op registry.Op
			var allowed bool
			kind := rapid.SampledFrom(kinds).Draw(rt, "kind")
			switch kind {
			case "suspend":
				e.by, e.state, op = "zhizhang", "suspended", &registry.SuspendSeal{Seal: m.seal, Reason: "r"}
				allowed = state == "active"
			case "lose":
				e.by, e.state, op = "zhizhang", "lost", &registry.ReportLoss{Seal: m.seal, Reason: "r"}
				allowed = state != "lost"
			case "resume":
				e.by, e.state, op = "shenpi1", "active", &registry.ResumeSeal{Seal: m.seal, Reason: "r"}
				received := slices.ContainsFunc(m.life(-1), func(e modelEntry) bool { return e.state == "active" })
				allowed = received && (state == "suspended" || state == "lost") && !m.device.broken
			case "break":
				e.by, e.broke, op = "admin", true, &registry.BreakDevice{Device: m.dev, Reason: "r"}
				if state == "active" || state == "delivered" {
					e.state = "suspended"
				}
				allowed = !m.device.broken
			case "restore":
				e.by, op = "admin", &registry.RestoreDevice{Device: m.dev, Reason: "r"}
				allowed = m.device.broken
			case "correct":
				target := rapid.IntRange(1, len(m.entries)-1).Draw(rt, "target")
				was := m.entries[target]
				if was.by == "admin" && !was.broke {
					continue // a device was restored: that has an operation of its own
				}
				e.by, op = "shenpi1", &registry.Correct{Entry: was.index, Reason: "r"}
				if was.by == "shenpi1" {
					e.by = "shenpi2"
				}
				e.root, allowed = m.mayCorrect(target)
			}
			before := b.size()
			receipt, err := b.Do(t.Context(), registry.Person(e.by), op)
			if allowed != (err == nil) || err != nil && !errors.Is(err, registry.ErrState) {
				rt.Fatalf("%s of a seal that is %s, broken %v: %v\n%+v", kind, state, m.device.broken, err, m)
			}
			if err != nil {
				if b.size() != before {
					rt.Fatal("was refused and left an entry")
				}
				continue
			}
			e.index = receipt.Index
			switch {
			case kind == "break":
				m.device.broken, m.device.entry = true, e.index
			case kind == "restore", kind == "correct" && m.entries[e.root].broke:
				m.device.broken, m.device.entry = false, e.index
			}
			m.entries = append(m.entries, e)
		}
		m.compare(rt, b)
	})
	b.mustCompare(t)
}

// begin makes a seal, on a device of its own.
func (m *mistakenLife) begin(t *testing.T, b *book) {
	t.Helper()
	b.must(t, "admin", &registry.AddDevice{ID: m.dev, Type: registry.Token, Org: "jc", Holder: "baoguan"})
	b.must(t, "admin", &registry.AddKey{Person: "baoguan", Device: m.dev, Cert: b.key(m.dev).Chain()[0]})
	b.must(t, "baoguan", &registry.Apply{ID: m.seal, Purpose: registry.ForSeal, Org: "jc", Seal: m.seal, Name: "章", Type: "court", Holder: "baoguan", Reason: "r"})
	for _, c := range [][]string{{"decide", "shenpi1", m.seal, "shenpi1-key", "approve"}, {"make", "zhizhang", m.seal, m.dev}} {
		if _, err := commands[c[0]](t, b, c[1:]); err != nil {
			t.Fatal(err)
		}
	}
	b.must(t, "zhizhang", &registry.DeliverSeal{Seal: m.seal, Device: m.dev})
	b.must(t, "baoguan", &registry.ReceiveSeal{Seal: m.seal})
}

func (m *mistakenLife) compare(rt *rapid.T, b *book) {
	list := m.life(-1)
	for _, e := range m.entries {
		for _, at := range []time.Time{e.at, e.at.Add(time.Second)} {
			want := seal.StatusSuspended // since it was made
			for _, c := range list {
				if !c.at.After(at) {
					want = statuses[c.state]
				}
			}
			if got, err := b.State(rt.Context(), m.seal, at); err != nil || got != want {
				rt.Fatalf("at %s: %q, %v; want %q\n%+v", at, got, err, want, m)
			}
		}
	}
	info, _, err := b.Seal(rt.Context(), m.seal)
	if err != nil || string(info.State) != lastState(list) || info.Holder != "baoguan" || info.Device != m.dev {
		rt.Fatalf("%+v, %v; want %s", info, err, lastState(list))
	}
}

var statuses = map[string]seal.Status{
	"delivered": seal.StatusSuspended, "active": seal.StatusActive, "lost": seal.StatusSuspended, "suspended": seal.StatusSuspended,
}
