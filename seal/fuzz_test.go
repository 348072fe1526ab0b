package seal_test

import (
	"bytes"
	"testing"

	"github.com/courtseal/courtseal/seal"
)

func use(t *testing.T, s *seal.Seal) {
	_ = s.VerifyValue()
	_ = s.Holds([]byte("x"))
	for _, c := range s.Certs {
		if len(c) > 0 && !s.Holds(c) {
			t.Error("certList does not hold what it lists")
		}
	}
	_ = s.Algorithm.String()
	for _, e := range s.Extensions {
		_ = e.ID.String()
	}
	for _, n := range s.Notes {
		if n.Code == "" || n.Detail == "" {
			t.Errorf("empty note %+v", n)
		}
	}
	switch s.Generation() {
	case seal.V1, seal.V4, seal.V5:
	default:
		t.Errorf("generation %d", s.Generation())
	}
}

func FuzzParse(f *testing.F) {
	for _, k := range []kit{{}, {v1: true}, {c0119: true}, {number: 5, sealStamp: el(0xa0, bits(seq()))}, {value: rawBits},
		{ext: el(0xa0, seq(ext("1.2.3", el(1, []byte{0}), octets(nil))))},
		{listType: num(2), list: seq(seq(printable("SM3"), octets(testHash)))}} {
		k.pic = seq(ia5("PNG"), octets([]byte("x")), num(1), num(1))
		f.Add(k.seal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := seal.Parse(b)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Raw, b) {
			t.Error("Raw is not the input")
		}
		use(t, s)
	})
}

func FuzzParseSignature(f *testing.F) {
	for _, k := range []kit{{}, {v1: true}, {c0119: true, v1Signature: true}, {signStamp: el(0xa0, bits(seq()))},
		{tbsExt: el(0xa0, seq(ext("1.2.3", octets(nil)))), signatureValue: rawBits}} {
		k.pic = seq(ia5("PNG"), octets([]byte("x")), num(1), num(1))
		f.Add(k.signature())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := seal.ParseSignature(b)
		if err != nil {
			return
		}
		if !bytes.Equal(s.Raw, b) || !bytes.Contains(b, s.Seal.Raw) {
			t.Error("Raw is not the input")
		}
		_ = s.VerifyValue()
		use(t, s.Seal)
	})
}
