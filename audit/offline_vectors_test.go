package audit

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// offlineExpectations are words of vectors for what is wrong with an offline use.
var offlineExpectations = map[string]error{
	"used-up": ErrGrantUsedUp, "other-grant": ErrGrantOther, "other-seal": ErrGrantSeal, "other-device": ErrGrantDevice,
	"other-court": ErrGrantOrg,
	"other-kind":  ErrGrantKind, "not-yet": ErrGrantNotYet, "expired": ErrGrantExpired, "old-list": ErrListOld,
	"use-missing": ErrUseMissing, "use-broken": ErrUseBroken,
}

// offlineVectors are the vectors of what belongs to offline grants, which ed signs; other is a key that is not known.
func offlineVectors(ed, other Signer) []vector {
	var all []vector
	add := func(kind, name, expect, about, body string) {
		all = append(all, vector{kind, name, expect, about, body})
	}
	signed := func(text string, by Signer) string { return string(must(SignNote([]byte(text), by))) }
	swap := func(text, old, new string) string {
		if !strings.Contains(text, old) {
			panic(text + " has no " + old)
		}
		return strings.Replace(text, old, new, 1)
	}

	g := grant()
	g.Log, g.Lists = vectorOrigin, vectorOrigin
	text := string(must(g.Marshal()))
	grantNote := signed(text, ed)
	add("offline-grant", "good", "ok", "twenty uses in a week", grantNote)
	add("offline-grant", "any-kind", "ok", "for documents of any kind",
		signed(swap(swap(text, "kind.01 判决书\n", "kind.01 *\n"), "kind.02 裁定书\n", ""), ed))
	add("offline-grant", "other-log", "unknown-log", "signed by another log", signed(text, other))
	add("offline-grant", "one-more", "wrong-signature", "a use more than was signed", swap(grantNote, "uses 20", "uses 21"))
	for _, v := range []struct{ name, about, old, new string }{
		{"other-version", "a version that is not known", "grant/v1", "grant/v2"},
		{"unknown-field", "a field that is not known", "uses 20\n", "uses 20\nvalid always\n"},
		{"no-seal", "no seal", "seal 11000000000001\n", ""},
		{"no-kind", "no kind of document", "kind.01 判决书\nkind.02 裁定书\n", ""},
		{"kind-gap", "kinds are not numbered from 01", "kind.01", "kind.00"},
		{"kind-twice", "a kind twice", "裁定书", "判决书"},
		{"any-and-one", "any kind, and one", "裁定书", "*"},
		{"no-uses", "no use", "uses 20", "uses 0"},
		{"many-uses", "10,001 uses", "uses 20", "uses 10001"},
		{"half-second", "a time that is not of whole seconds", "08:00:00.000Z", "08:00:00.500Z"},
		{"backwards", "it ends before it begins", "to 2026-12", "to 2025-12"},
		{"device-twice", "a certificate twice", "devices ", "devices " + strings.Fields(text)[2] + " "},
	} {
		add("offline-grant", v.name, "malformed", v.about, signed(swap(text, v.old, v.new), ed))
	}

	l := stateList()
	l.Log = vectorOrigin
	list := string(must(l.Marshal()))
	add("state-list", "good", "ok", "a certificate, a grant and two seals that are not active", signed(list, ed))
	l.Entries = nil
	add("state-list", "empty", "ok", "all is in order", signed(string(must(l.Marshal())), ed))
	add("state-list", "other-log", "unknown-log", "signed by another log", signed(list, other))
	add("state-list", "changed", "wrong-signature", "another number than was signed", swap(signed(list, ed), "number 42", "number 43"))
	for _, v := range []struct{ name, about, old, new string }{
		{"other-version", "a version that is not known", "list/v1", "list/v2"},
		{"order", "seals are not in their order", "11000000000007", "11000000000009"},
		{"twice", "a seal twice", "11000000000007", "11000000000008"},
		{"what", "an entry of something that is not known", "seal lost", "person lost"},
		{"status", "a status of two words", "seal lost", "seal was lost"},
		{"no-id", "an entry without ID", " 11000000000008", ""},
		{"certificate", "a certificate that is no digest", "cert revoked", "cert revoked 2026-01-01T00:00:00.000Z 1\ncert revoked"},
		{"first-lines", "the first lines in another order", "log " + vectorOrigin + "\nnumber 42\n", "number 42\nlog " + vectorOrigin + "\n"},
		{"expires", "it expires before it is issued", "expires 2026", "expires 2025"},
	} {
		add("state-list", v.name, "malformed", v.about, signed(swap(list, v.old, v.new), ed))
	}
	add("state-list", "many", "too-large", "3,001 entries",
		signed(list+strings.Repeat("seal lost 2026-01-01T00:00:00.000Z 2\n", MaxListed-3), ed))

	// Uses: the second of the chain repeats the first, the third conceals the name of its document.
	chain := vectorChain(g)
	leaf := func(u OfflineUse) string { return string(must(u.Marshal())) }
	second := leaf(chain.Uses[1].OfflineUse)
	add("offline-use", "first", "ok", "its prev is the hash of the text of offline-grant/good", leaf(chain.Uses[0].OfflineUse))
	add("offline-use", "second", "ok", "the same request once more", second)
	add("offline-use", "third", "ok", "the name of its document is concealed", leaf(chain.Uses[2].OfflineUse))
	for _, v := range []struct{ name, about, old, new string }{
		{"online", "a use of a ledger", "use.offline", "use.begin"},
		{"number-0", "number 0", "offline.number 2", "offline.number 0"},
		{"number-high", "number 10,001", "offline.number 2", "offline.number 10001"},
		{"no-list", "no list", "offline.list 42\n", ""},
		{"short-prev", "a hash of 30 bytes", "offline.prev ", "offline.prev AAAA"},
		{"repeats-itself", "it repeats itself", "again 1", "again 2"},
		{"no-grant", "no grant", "grant offline-7\n", ""},
	} {
		add("offline-use", v.name, "malformed", v.about, swap(second, v.old, v.new))
	}

	evidence := func(use string) string {
		return string((&OfflineEvidence{GrantNote: []byte(grantNote), Leaf: []byte(use)}).Marshal())
	}
	good := evidence(second)
	add("offline-evidence", "good", "ok", "offline-use/second", good)
	for _, v := range []struct{ name, about, old, new string }{
		{"other-grant", "it names another grant", "grant offline-7", "grant offline-8"},
		{"used-up", "use 21 of 20", "offline.number 2", "offline.number 21"},
		{"other-seal", "another seal", "seal 11000000000001", "seal 11000000000002"},
		{"other-device", "another certificate", "certs ", "certs " + strings.Repeat("00", HashSize) + " "},
		{"other-court", "another court", "org 示例", "org 某"},
		{"other-kind", "another kind of document", "kind 判决书", "kind 调解书"},
		{"not-yet", "before the grant begins", "time 2026-11-24T08", "time 2026-11-24T07"},
		{"expired", "after the grant has ended", "time 2026-11", "time 2026-12"},
		{"old-list", "with a list older than the grant wants", "offline.list 42", "offline.list 40"},
	} {
		add("offline-evidence", v.name, v.name, v.about, evidence(swap(second, v.old, v.new)))
	}
	add("offline-evidence", "other-log", "unknown-log", "the grant is signed by another log", swap(good, grantNote, signed(text, other)))
	add("offline-evidence", "changed-grant", "wrong-signature", "a use more than was signed", swap(good, "uses 20", "uses 21"))
	add("offline-evidence", "no-use", "malformed", "no use", swap(good, "use ", ""))
	add("offline-evidence", "no-grant", "malformed", "no grant", strings.TrimSuffix(good, grantNote))
	add("offline-evidence", "other-version", "malformed", "a version that is not known", swap(good, "evidence/v1", "evidence/v2"))

	written := func(change func(*OfflineChain)) string {
		c := &OfflineChain{GrantNote: []byte(grantNote), Uses: slices.Clone(chain.Uses)}
		change(c)
		return string(must(c.Marshal()))
	}
	whole := written(func(*OfflineChain) {})
	add("offline-chain", "whole", "ok", "three uses; the second has no outcome", whole)
	add("offline-chain", "none", "ok", "no use", written(func(c *OfflineChain) { c.Uses = nil }))
	add("offline-chain", "held-back", "use-missing", "without the second use",
		written(func(c *OfflineChain) { c.Uses = slices.Delete(c.Uses, 1, 2) }))
	add("offline-chain", "edited", "use-broken", "another first use than the second names",
		written(func(c *OfflineChain) { c.Uses[0].Use.App = "another" }))
	add("offline-chain", "clock", "use-broken", "the third is older than the second",
		written(func(c *OfflineChain) { c.Uses[2].Use.Time = g.From }))
	add("offline-chain", "order", "malformed", "the third before the second", written(func(c *OfflineChain) { slices.Reverse(c.Uses[1:]) }))
	add("offline-chain", "other-grant", "other-grant", "a use of another grant",
		written(func(c *OfflineChain) { c.Uses[1].Use.Grant = "offline-8" }))
	add("offline-chain", "other-outcome", "malformed", "the outcome of another use",
		written(func(c *OfflineChain) { c.Uses[1].Outcome = c.Uses[0].Outcome }))
	add("offline-chain", "other-private", "wrong-private", "another name than the third conceals", written(func(c *OfflineChain) {
		c.Uses[2].Private = Private{"document": {Value: "x"}}
	}))
	add("offline-chain", "other-log", "unknown-log", "the grant is signed by another log",
		written(func(c *OfflineChain) { c.GrantNote = []byte(signed(text, other)) }))
	add("offline-chain", "no-grant", "malformed", "no grant", chainHeader)
	add("offline-chain", "unknown-line", "malformed", "a line that is not known", whole+"more AAAA\n")
	return all
}

func vectorChain(g *OfflineGrant) *OfflineChain {
	c := &OfflineChain{}
	again, salt := uint64(1), Salt([]byte("0123456789abcdef"))
	prev := must(g.Start())
	for i, u := range uses(g, 3, "r") {
		u.Prev = prev
		e := OfflineEntry{OfflineUse: u}
		switch i {
		case 0:
			e.Outcome = &Outcome{Begin: 1, Request: u.Use.Request, Failure: "no key", Time: u.Use.Time}
		case 1:
			e.Use.Request, e.Use.Again = c.Uses[0].Use.Request, &again
		case 2:
			e.Use.Document = Conceal(SM3, salt, "（2026）示例民初1号")
			e.Private = Private{"document": {salt, "（2026）示例民初1号"}}
			e.Outcome = &Outcome{Begin: 3, Request: u.Use.Request, Values: [][]byte{digestOf("value")}, Time: u.Use.Time}
		}
		prev = SM3.LeafHash(must(e.Marshal()))
		c.Uses = append(c.Uses, e)
	}
	return c
}

// offlineReaders read these vectors: the error is what is wrong with one.
func offlineReaders(t *testing.T, known ...Verifier) map[string]func(body string) error {
	same := func(body string, b []byte, err error) error {
		if err == nil && string(b) != body {
			t.Errorf("reads %q, writes %q", body, b)
		}
		return err
	}
	return map[string]func(body string) error{
		"offline-grant": func(s string) error {
			g, err := OpenOfflineGrant([]byte(s), known...)
			if err != nil {
				return err
			}
			text, _, _ := strings.Cut(s, "\n\n")
			b, err := g.Marshal()
			return same(text+"\n", b, err)
		},
		"state-list": func(s string) error {
			l, err := OpenStateList([]byte(s), known...)
			if err != nil {
				return err
			}
			text, _, _ := strings.Cut(s, "\n\n")
			b, err := l.Marshal()
			return same(text+"\n", b, err)
		},
		"offline-use": func(s string) error {
			u, err := ParseOfflineUse([]byte(s))
			if err != nil {
				return err
			}
			b, err := u.Marshal()
			return same(s, b, err)
		},
		"offline-evidence": func(s string) error {
			e, err := ParseOfflineEvidence([]byte(s))
			if err != nil {
				return err
			}
			same(s, e.Marshal(), nil)
			return e.Check(known...)
		},
		"offline-chain": func(s string) error {
			c, err := ParseOfflineChain([]byte(s))
			if err != nil {
				return err
			}
			b, err := c.Marshal()
			same(s, b, err)
			r, err := c.Check(nil, known...)
			if err != nil {
				return err
			}
			var faults []error
			for _, f := range r.Faults {
				faults = append(faults, f)
			}
			return errors.Join(faults...)
		},
	}
}
