package audit

import (
	"bytes"
	"testing"
)

// fuzzText fuzzes a parser: what it reads is written again byte for byte.
func fuzzText(f *testing.F, parse func([]byte) ([]byte, error), seeds ...[]byte) {
	for _, b := range seeds {
		f.Add(b)
		f.Add(b[:len(b)/2])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		again, err := parse(b)
		if err == nil && !bytes.Equal(again, b) {
			t.Errorf("%q is written as %q", b, again)
		}
	})
}

// written gives what a parsed thing is written as; that it can be written is part of the test.
func written[T interface{ Marshal() ([]byte, error) }](v T, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	return must(v.Marshal()), nil
}

func FuzzParseOfflineGrant(f *testing.F) {
	fuzzText(f, func(b []byte) ([]byte, error) { return written(ParseOfflineGrant(b)) }, must(grant().Marshal()))
}

func FuzzParseStateList(f *testing.F) {
	fuzzText(f, func(b []byte) ([]byte, error) { return written(ParseStateList(b)) }, must(stateList().Marshal()))
}

func FuzzParseOfflineUse(f *testing.F) {
	fuzzText(f, func(b []byte) ([]byte, error) { return written(ParseOfflineUse(b)) }, must(uses(grant(), 1, "a")[0].Marshal()))
}

func FuzzParseOfflineEvidence(f *testing.F) {
	g := grant()
	e := &OfflineEvidence{GrantNote: must(g.Sign(edSigner(f, offlineOrigin))), Leaf: must(uses(g, 1, "a")[0].Marshal())}
	fuzzText(f, func(b []byte) ([]byte, error) {
		e, err := ParseOfflineEvidence(b)
		if err != nil {
			return nil, err
		}
		return e.Marshal(), nil
	}, e.Marshal())
}

func FuzzParseOfflineChain(f *testing.F) {
	g := grant()
	c := &OfflineChain{GrantNote: must(g.Sign(edSigner(f, offlineOrigin)))}
	for _, u := range uses(g, 3, "a") {
		c.Uses = append(c.Uses, OfflineEntry{OfflineUse: u})
	}
	c.Uses[0].Outcome = &Outcome{Begin: 1, Request: "a-1", Failure: "no key", Time: offlineDay}
	fuzzText(f, func(b []byte) ([]byte, error) {
		c, err := ParseOfflineChain(b)
		if err != nil {
			return nil, err
		}
		have := make([]OfflineUse, len(c.Uses))
		for i := range c.Uses {
			have[i] = c.Uses[i].OfflineUse
		}
		must(CheckChain(c.Grant, have))
		return must(c.Marshal()), nil
	}, must(c.Marshal()))
}
