package audit

import (
	"bytes"
	"testing"
)

// fuzzText fuzzes a parser: what it reads is written again byte for byte.
func fuzzText(f *testing.F, parse func([]byte) ([]byte, error), seeds ...[]byte) {
	for _, b := range seeds {
		f.Add(b)
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
	seed(f, "offline-use")
	fuzzText(f, func(b []byte) ([]byte, error) { return written(ParseOfflineUse(b)) })
}

func FuzzParseOfflineEvidence(f *testing.F) {
	seed(f, "offline-evidence")
	fuzzText(f, func(b []byte) ([]byte, error) {
		e, err := ParseOfflineEvidence(b)
		if err != nil {
			return nil, err
		}
		e.Grant.CheckUse(e.Use)
		return e.Marshal(), nil
	})
}

func FuzzParseOfflineChain(f *testing.F) {
	seed(f, "offline-chain")
	fuzzText(f, func(b []byte) ([]byte, error) {
		c, err := ParseOfflineChain(b)
		if err != nil {
			return nil, err
		}
		sent := make([]OfflineUse, len(c.Uses))
		for i := range c.Uses {
			sent[i] = c.Uses[i].OfflineUse
		}
		must(CheckChain(c.Grant, sent))
		return must(c.Marshal()), nil
	})
}
