package cms

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
)

var (
	ctx     = context.Background()
	content = []byte("本院认为，原告的诉讼请求于法有据。")
	sums    = func() sign.Sums {
		s := sign.Sums{}
		for _, h := range []sign.Hash{sign.SM3, sign.SHA1, sign.SHA256, sign.SHA384, sign.SHA512} {
			s[h] = h.Sum(content)
		}
		return s
	}()
	noon = time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
)

// A kind is one way to write a SignedData.
type kind struct {
	name string
	key  testpki.Kind
	o    Options
	want sign.Scheme
}

var kinds = []kind{
	{"SM2", testpki.SM2, Options{}, sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}},
	{"SM2 as GB/T 35275 names it", testpki.SM2, Options{SM2OID: SM2Sign}, sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}},
	{"RSA", testpki.RSA, Options{}, sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}},
	{"RSA SHA-512", testpki.RSA, Options{Scheme: sign.Scheme{Kind: sign.RSA, Hash: sign.SHA512}}, sign.Scheme{Kind: sign.RSA, Hash: sign.SHA512}},
	{"PSS SHA-256", testpki.RSA, Options{Scheme: sign.Scheme{Kind: sign.RSAPSS, Hash: sign.SHA256}}, sign.Scheme{Kind: sign.RSAPSS, Hash: sign.SHA256}},
	{"PSS SHA-384", testpki.RSA, Options{Scheme: sign.Scheme{Kind: sign.RSAPSS, Hash: sign.SHA384}}, sign.Scheme{Kind: sign.RSAPSS, Hash: sign.SHA384}},
	{"P-256", testpki.P256, Options{}, sign.Scheme{Kind: sign.ECDSA, Hash: sign.SHA256}},
	{"P-384", testpki.P384, Options{}, sign.Scheme{Kind: sign.ECDSA, Hash: sign.SHA384}},
	{"with attributes", testpki.P256, Options{SigningTime: true, Now: func() time.Time { return noon }, Attributes: []Attribute{
		Evidence([]byte("leaf 17")), {sign.AttributePolicy, [][]byte{tlv(asn1.UTF8String, []byte("b")), tlv(asn1.UTF8String, []byte("a"))}}},
	}, sign.Scheme{Kind: sign.ECDSA, Hash: sign.SHA256}},
}

var testKeys = map[testpki.Kind]sign.Key{}

// keyOf has a chain of two below its root.
func keyOf(t testing.TB, k testpki.Kind) sign.Key {
	t.Helper()
	if testKeys[k] == nil {
		root := k
		if k == testpki.RSA1024 {
			root = testpki.RSA
		}
		testKeys[k] = testpki.Shared(root).Sub(root, "Issuing "+string(root), nil).Issue(k, "法官", nil)
	}
	return testKeys[k]
}

func mustSign(t testing.TB, key sign.Key, o Options) []byte {
	t.Helper()
	scheme := o.Scheme
	if scheme == (sign.Scheme{}) {
		scheme, _ = sign.SchemeFor(key.Public())
	}
	v, err := Sign(ctx, key, sums[scheme.Hash], o)
	if err != nil || len(v.Notes) > 0 {
		t.Fatal(err, v.Notes)
	}
	return v.Bytes
}

func mustParse(t testing.TB, b []byte) *SignedData {
	t.Helper()
	sd, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	return sd
}

func TestSignParseVerify(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			key := keyOf(t, k.key)
			b := mustSign(t, key, k.o)
			if err := der.Check(b, der.Limits{}); err != nil {
				t.Error(err)
			}
			most, err := MaxSize(key, k.o)
			if err != nil || len(b) > most || len(b) < most-10 {
				t.Errorf("%d bytes, MaxSize says %d, %v", len(b), most, err)
			}
			sd := mustParse(t, b)
			if err := sd.Verify(sums); err != nil {
				t.Error(err)
			}
			if len(sd.Notes) > 0 || sd.ContentType != oidSignedData || sd.EContentType != oidData || sd.EContent != nil {
				t.Errorf("notes %v, types %s %s, content %x", sd.Notes, sd.ContentType, sd.EContentType, sd.EContent)
			}
			if len(sd.Certificates) != 2 || len(sd.Signers) != 1 {
				t.Fatalf("%d certificates, %d signers", len(sd.Certificates), len(sd.Signers))
			}
			si := &sd.Signers[0]
			if si.Scheme != k.want {
				t.Errorf("scheme %s", si.Scheme)
			}
			cert := si.Certificate(sd.Certificates)
			if !bytes.Equal(cert, key.Chain()[0]) {
				t.Error("another certificate")
			}
			if err := si.CheckCertificate(cert); err != nil {
				t.Error(err)
			}
			if at, ok := si.SigningTime(); ok != k.o.SigningTime || ok && !at.Equal(noon) {
				t.Errorf("signingTime %s, %t", at, ok)
			}
			for _, a := range k.o.Attributes {
				got, ok := si.Attribute(a.Type)
				if !ok || len(got) != len(a.Values) || !bytes.Equal(got[0], setOf(a.Values)[0]) {
					t.Errorf("attribute %s: %x", a.Type, got)
				}
			}
			other := sign.Sums{}
			for h := range sums {
				other[h] = h.Sum([]byte("another content"))
			}
			if err := sd.Verify(other); !errors.Is(err, ErrDigest) {
				t.Errorf("another content: %v", err)
			}
			if err := sd.Verify(nil); !errors.Is(err, sign.ErrMissingSum) {
				t.Errorf("no content: %v", err)
			}
		})
	}
}

// What is signed does not depend on the order in which attributes are given, and is sorted.
func TestSignedAttributesAreSorted(t *testing.T) {
	o := kinds[len(kinds)-1].o
	sd := mustParse(t, mustSign(t, keyOf(t, testpki.P256), o))
	o.Attributes = []Attribute{o.Attributes[1], o.Attributes[0]}
	turned := mustParse(t, mustSign(t, keyOf(t, testpki.P256), o))
	if !bytes.Equal(sd.Signers[0].SignedAttrs, turned.Signers[0].SignedAttrs) {
		t.Error("the order of Options.Attributes shows")
	}
}

func TestSigner(t *testing.T) {
	for _, kind := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P384} {
		key := keyOf(t, kind)
		s, err := New(key, Options{SigningTime: true})
		if err != nil {
			t.Fatal(err)
		}
		p := s.Profile()
		spec := p.Specs[sign.CMS]
		if p.Format != sign.CMS || len(spec.Hashes) != 1 || len(spec.Chain) != 2 {
			t.Errorf("%+v", p)
		}
		for _, n := range []int{0, 1, 100, 126, 127, 128, 255, 256, 3000, 65_400, 70_000} {
			act := &sign.Act{Time: noon, Content: sums, Evidence: make([]byte, n), Parts: []sign.Part{
				{Format: sign.CMS}, {Format: sign.CMS},
			}}
			values, err := s.Sign(ctx, act)
			if err != nil || len(values) != 2 {
				t.Fatal(values, err)
			}
			if got := len(values[0].Bytes); got > spec.MaxSize+sign.CMS.EvidenceSize(n) || n == 0 && got > spec.MaxSize {
				t.Errorf("%s: %d bytes with %d of evidence, MaxSize %d", kind, got, n, spec.MaxSize)
			}
			sd := mustParse(t, values[0].Bytes)
			if err := sd.Verify(sums); err != nil {
				t.Error(err)
			}
			got, ok := sd.Signers[0].Attribute(sign.AttributeEvidence)
			if ok != (n > 0) || ok && !bytes.Equal(got[0], tlv(asn1.OCTET_STRING, act.Evidence)) {
				t.Errorf("evidence of %d bytes: %t", n, ok)
			}
			if at, ok := sd.Signers[0].SigningTime(); !ok || !at.Equal(noon) {
				t.Errorf("signingTime %s", at)
			}
			if err := mustParse(t, values[1].Bytes).Verify(sums); err != nil {
				t.Errorf("second part: %v", err)
			}
		}
		if _, err := s.Sign(ctx, &sign.Act{Content: sums, Parts: []sign.Part{{Format: sign.SES}}}); !errors.Is(err, sign.ErrFormat) {
			t.Errorf("another format: %v", err)
		}
		if _, err := s.Sign(ctx, &sign.Act{Parts: []sign.Part{{Format: sign.CMS}}}); !errors.Is(err, sign.ErrMissingSum) {
			t.Errorf("no content: %v", err)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.Sign(ended, &sign.Act{Content: sums, Parts: []sign.Part{{Format: sign.CMS}}}); !errors.Is(err, context.Canceled) {
			t.Errorf("ended context: %v", err)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	rsa, sm2 := keyOf(t, testpki.RSA), keyOf(t, testpki.SM2)
	signer, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "甲", nil)
	_, others := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "乙", nil)
	encryption := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "加密", func(c *gm.Certificate) { c.KeyUsage = 0x1c })
	utf8 := tlv(asn1.UTF8String, []byte("x"))
	with := func(a ...Attribute) Options { return Options{Attributes: a} }
	scheme := func(k sign.Kind, h sign.Hash) Options { return Options{Scheme: sign.Scheme{Kind: k, Hash: h}} }
	for _, c := range []struct {
		name string
		key  sign.Key
		o    Options
		want error
	}{
		{"no key", nil, Options{}, sign.ErrKeyMismatch},
		{"RSA of 1024 bits", keyOf(t, testpki.RSA1024), Options{}, sign.ErrWeakKey},
		{"no certificate", sign.NewKey(signer), Options{}, sign.ErrKeyMismatch},
		{"another's certificate", sign.NewKey(signer, others...), Options{}, sign.ErrKeyMismatch},
		{"certificate of rubbish", sign.NewKey(signer, []byte("0")), Options{}, sign.ErrKeyMismatch},
		{"rubbish up the chain", sign.NewKey(signer, chain[0], []byte("0")), Options{}, sign.ErrKeyMismatch},
		{"encryption certificate", encryption, Options{}, sign.ErrEncryptionCert},
		{"SM2 with SHA-256", sm2, scheme(sign.SM2, sign.SHA256), sign.ErrUnsupportedKey},
		{"SM2 key, RSA", sm2, scheme(sign.RSA, sign.SHA256), sign.ErrUnsupportedKey},
		{"RSA with SHA-1", rsa, scheme(sign.RSA, sign.SHA1), sign.ErrUnsupportedKey},
		{"RSA with SM3", rsa, scheme(sign.RSA, sign.SM3), sign.ErrUnsupportedKey},
		{"PSS without a hash", rsa, scheme(sign.RSAPSS, ""), sign.ErrUnsupportedKey},
		{"own attribute", rsa, with(Attribute{oidMessageDigest, [][]byte{utf8}}), ErrAttribute},
		{"attribute twice", rsa, with(Evidence(nil), Evidence(nil)), ErrAttribute},
		{"attribute without value", rsa, with(Attribute{sign.AttributeSeal, nil}), ErrAttribute},
		{"attribute without type", rsa, with(Attribute{"", [][]byte{utf8}}), ErrAttribute},
		{"attribute not DER", rsa, with(Attribute{sign.AttributeSeal, [][]byte{{0x30, 0x80, 0, 0}}}), ErrAttribute},
		{"attribute with more after it", rsa, with(Attribute{sign.AttributeSeal, [][]byte{append(utf8, 0)}}), ErrAttribute},
	} {
		h := c.o.Scheme.Hash
		if h == "" && c.key != nil {
			s, _ := sign.SchemeFor(c.key.Public())
			h = s.Hash
		}
		_, err := Sign(ctx, c.key, make([]byte, h.Size()), c.o)
		_, errSize := MaxSize(c.key, c.o)
		_, errNew := New(c.key, c.o)
		for _, err := range []error{err, errSize, errNew} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
	if _, err := Sign(ctx, rsa, make([]byte, 20), Options{}); !errors.Is(err, sign.ErrMissingSum) {
		t.Errorf("digest of 20 bytes: %v", err)
	}
	if _, err := Sign(ctx, sign.NewKey(long{signer}, chain...), sums[sign.SM3], Options{}); !errors.Is(err, sign.ErrSignature) {
		t.Errorf("a value too long: %v", err)
	}
	// A certificate without KeyUsage may do anything.
	free := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "甲", func(c *gm.Certificate) { c.KeyUsage = 0 })
	if err := mustParse(t, mustSign(t, free, Options{})).Verify(sums); err != nil {
		t.Errorf("certificate without KeyUsage: %v", err)
	}
}

// long is a key that answers more than any signature has.
type long struct{ crypto.Signer }

func (long) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return make([]byte, 100), nil }

// No bit can change unseen but in the two versions, in digestAlgorithms, which only announces, and in the issuing
// certificate, whose signatures are for the chain to judge. What is read with a note is seen too.
func TestTamper(t *testing.T) {
	for _, k := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P256} {
		key := keyOf(t, k)
		b := mustSign(t, key, Options{Attributes: []Attribute{Evidence([]byte("leaf 17"))}})
		free := make([]bool, len(b))
		may := func(from, to int) {
			for i := from; i < to; i++ {
				free[i] = true
			}
		}
		find := func(part []byte) int {
			i := bytes.LastIndex(b, part)
			if i < 0 {
				t.Fatalf("%x is not there", part)
			}
			return i
		}
		signer := mustParse(t, b).Signers[0]
		sid := find(tlv(asn1.SEQUENCE, signer.Issuer, tlv(asn1.INTEGER, signer.Serial)))
		may(sid-1, sid) // version of SignerInfo
		encap := find(tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidData))))
		digests := bytes.Index(b, []byte{2, 1, 1, byte(asn1.SET)})
		may(digests+2, digests+3) // version of SignedData
		may(digests+5, encap)     // digestAlgorithms
		issuing := find(key.Chain()[1])
		for i := range b {
			for bit := range 8 {
				if i >= issuing && i < issuing+len(key.Chain()[1]) || testing.Short() && bit != i%8 {
					continue
				}
				bad := bytes.Clone(b)
				bad[i] ^= 1 << bit
				sd, err := Parse(bad)
				if err == nil {
					err = sd.Verify(sums)
				}
				if err == nil && !free[i] && len(sd.Notes) == 0 {
					t.Errorf("%s: bit %d of byte %d of %d changed, and it verifies", k, bit, i, len(b))
				}
			}
		}
	}
}

func noteCodes(sd *SignedData) string {
	var codes []string
	for _, n := range sd.Notes {
		codes = append(codes, n.Code)
		if !strings.HasSuffix(n.Detail, ".") {
			codes = append(codes, fmt.Sprintf("(%q is no sentence)", n.Detail))
		}
	}
	return strings.Join(codes, " ")
}
