package registry_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/registry"
)

// A modelSeal is what the test believes of a seal.
type modelSeal struct {
	id, state string
	received  bool
	history   []modelChange
}

type modelChange struct {
	at    time.Time
	state string
}

// moves are the transitions there are: what an operation takes a seal from, and to. Everything else is forbidden.
var moves = map[string]struct {
	from []string
	to   string
}{
	"deliver": {[]string{"made"}, "delivered"},
	"receive": {[]string{"delivered"}, "active"},
	"lose":    {[]string{"made", "delivered", "active", "suspended"}, "lost"},
	"suspend": {[]string{"active"}, "suspended"},
	"resume":  {[]string{"suspended", "lost"}, "active"},
	"revoke":  {[]string{"made", "delivered", "active", "lost", "suspended"}, "revoked"},
	"remake":  {[]string{"made", "delivered", "active", "lost", "suspended"}, "replaced"},
}

var statusOf = map[string]seal.Status{
	"made": seal.StatusSuspended, "delivered": seal.StatusSuspended, "active": seal.StatusActive, "lost": seal.StatusSuspended,
	"suspended": seal.StatusSuspended, "revoked": seal.StatusCancelled, "replaced": seal.StatusCancelled, "": seal.StatusUnknown,
}

func (m *modelSeal) allows(move string) bool {
	for _, s := range moves[move].from {
		if s == m.state {
			return move != "resume" || m.received
		}
	}
	return false
}

func (m *modelSeal) become(state string, at time.Time) {
	m.state = state
	m.received = m.received || state == "active"
	m.history = append(m.history, modelChange{at, state})
}

func (m *modelSeal) stateAt(t time.Time) string {
	state := ""
	for _, c := range m.history {
		if !c.at.After(t) {
			state = c.state
		}
	}
	return state
}

// Random lives of seals: what the model forbids is refused and leaves no entry, what it allows is done, State is right for
// every moment, a seal is used when it is active and then alone, and a replay makes the same tables.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBook(t)
		run(t, b, "testdata/story/province.inc")
		var seals []*modelSeal
		n := 0
		born := func(replaces string) (*modelSeal, error) {
			n++
			id := fmt.Sprintf("M%d", n)
			op := &registry.Apply{ID: "a-" + id, Purpose: registry.ForSeal, Org: "jc", Seal: id, Name: "章", Type: "court", Holder: "baoguan", Reason: "r", Replaces: replaces}
			if replaces != "" {
				op.Purpose = registry.ForRemake
			}
			if _, err := b.Do(t.Context(), registry.Person("baoguan"), op); err != nil {
				return nil, err
			}
			if _, err := commands["decide"](t, b, []string{"shenpi1", "a-" + id, "shenpi1-key", "approve"}); err != nil {
				return nil, err
			}
			if _, err := commands["make"](t, b, []string{"zhizhang", "a-" + id, "baoguan-key"}); err != nil {
				return nil, err
			}
			m := &modelSeal{id: id}
			m.become("made", b.now)
			seals = append(seals, m)
			return m, nil
		}
		do := func(move string, m *modelSeal) error {
			by := registry.Person
			var err error
			switch move {
			case "deliver":
				_, err = b.Do(t.Context(), by("zhizhang"), &registry.DeliverSeal{Seal: m.id, Device: "key-1"})
			case "receive":
				_, err = b.Do(t.Context(), by("baoguan"), &registry.ReceiveSeal{Seal: m.id})
			case "lose":
				_, err = b.Do(t.Context(), by("baoguan"), &registry.ReportLoss{Seal: m.id, Reason: "r"})
			case "suspend":
				_, err = b.Do(t.Context(), by("shenpi1"), &registry.SuspendSeal{Seal: m.id, Reason: "r"})
			case "resume":
				_, err = b.Do(t.Context(), by("shenpi1"), &registry.ResumeSeal{Seal: m.id, Reason: "r"})
			case "revoke":
				n++
				id := fmt.Sprintf("v-%d", n)
				if _, err = b.Do(t.Context(), by("baoguan"), &registry.Apply{ID: id, Purpose: registry.ForRevoke, Org: "jc", Seal: m.id, Reason: "r"}); err != nil {
					return err
				}
				if _, err = commands["decide"](t, b, []string{"shenpi1", id, "shenpi1-key", "approve"}); err != nil {
					return err
				}
				_, err = b.Do(t.Context(), by("zhizhang"), &registry.RevokeSeal{Seal: m.id, Application: id, Reason: "r"})
			case "remake":
				_, err = born(m.id)
			}
			return err
		}
		names := []string{"deliver", "receive", "lose", "suspend", "resume", "revoke", "remake", "use"}
		for range rapid.IntRange(5, 25).Draw(rt, "steps") {
			b.mu.Lock()
			b.now = b.now.Add(time.Duration(rapid.IntRange(1, 100_000).Draw(rt, "wait")) * time.Second)
			b.mu.Unlock()
			if len(seals) == 0 || rapid.IntRange(0, 5).Draw(rt, "new") == 0 {
				if _, err := born(""); err != nil {
					rt.Fatal(err)
				}
				continue
			}
			m := rapid.SampledFrom(seals).Draw(rt, "seal")
			move := rapid.SampledFrom(names).Draw(rt, "move")
			before := b.size()
			if move == "use" {
				_, err := b.use(t.Context(), registry.Person("baoguan"), fmt.Sprintf("u-%d", before), m.id, b.key("baoguan-key"), fmt.Sprintf("doc %d", before), map[string]string{"kind": "judgment"})
				if (err == nil) != (m.state == "active") {
					rt.Fatalf("use of %s, which is %s: %v", m.id, m.state, err)
				}
				continue
			}
			allowed := m.allows(move)
			err := do(move, m)
			if allowed != (err == nil) || err != nil && !errors.Is(err, registry.ErrState) {
				rt.Fatalf("%s %s, which is %s: %v", move, m.id, m.state, err)
			}
			if err != nil && b.size() != before {
				rt.Fatalf("%s %s was refused and left an entry", move, m.id)
			}
			if err == nil {
				m.become(moves[move].to, b.now)
			}
		}
		for _, m := range seals {
			for i, c := range m.history {
				for _, at := range []time.Time{c.at.Add(-time.Second), c.at, c.at.Add(time.Second)} {
					got, err := b.State(t.Context(), m.id, at)
					if want := statusOf[m.stateAt(at)]; got != want || err != nil {
						rt.Fatalf("%s at %s (change %d): %q %v, want %q", m.id, at, i, got, err, want)
					}
				}
			}
		}
		b.mustCompare(t)
	})
}
