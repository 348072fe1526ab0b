package tsp

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

var (
	ctx    = context.Background()
	text   = []byte("签名值")
	noon   = time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	policy = der.MustOID("1.2.3.4.9")
	kinds  = []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P256, testpki.P384}
	hashes = []sign.Hash{sign.SM3, sign.SHA256, sign.SHA384, sign.SHA512}
)

func tsaKey(kind testpki.Kind) sign.Key {
	return testpki.Shared(kind).Sub(kind, "Issuing", nil).Issue(kind, "时间戳服务", testpki.TimeStamping)
}

func newAuthority(t testing.TB, key sign.Key) *Authority {
	t.Helper()
	a, err := NewAuthority(key, AuthorityOptions{Policy: policy, Accuracy: 1500 * time.Millisecond, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newRequest(t testing.TB, h sign.Hash) *Request {
	t.Helper()
	r, err := NewRequest(h, h.Sum(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every kind of key stamps digests of every hash, and what it makes says what was asked.
func TestAuthorityAnswers(t *testing.T) {
	for _, kind := range kinds {
		key := tsaKey(kind)
		a := newAuthority(t, key)
		serials := map[string]bool{}
		for _, h := range hashes {
			r := newRequest(t, h)
			r.Policy = policy
			response, err := a.Respond(ctx, r.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			tok, err := r.Accept(response)
			if err != nil {
				t.Fatalf("%s, %s: %v", kind, h, err)
			}
			if err := der.Check(response, der.Limits{}); err != nil {
				t.Error(err)
			}
			if tok.Hash != h || tok.HashOID != h.OID() || tok.Policy != policy || !tok.Time.Equal(noon) || tok.Accuracy != 1500*time.Millisecond ||
				tok.Version != 1 || tok.Ordering || tok.TSA != nil || tok.Extensions != nil || len(tok.Notes) > 0 {
				t.Errorf("%s, %s: %s within %s, notes %v", kind, h, tok.Time, tok.Accuracy, tok.Notes)
			}
			if err := tok.CheckImprint(text); err != nil {
				t.Error(err)
			}
			if err := tok.CheckImprint(text[1:]); !errors.Is(err, ErrImprint) {
				t.Error(err)
			}
			if !bytes.Equal(tok.Certificate(), key.Chain()[0]) || len(tok.SignedData.Certificates) != 2 {
				t.Error("other certificates")
			}
			serials[string(tok.Serial)] = true
			outer := "1.2.840.113549.1.7.2"
			if kind == testpki.SM2 {
				outer = "1.2.156.10197.6.1.4.2.2"
			}
			if got := tok.SignedData.ContentType.String(); got != outer {
				t.Errorf("%s: contentType %s", kind, got)
			}
		}
		if len(serials) != len(hashes) {
			t.Errorf("%d serial numbers", len(serials))
		}
		token, err := a.Timestamp(ctx, sign.SM3, sign.SM3.Sum(text))
		if err != nil {
			t.Fatal(err)
		}
		if size := sign.StampSize(a); len(token) > size {
			t.Errorf("%d octets, StampSize %d", len(token), size)
		}
		if tok, err := Parse(token); err != nil || tok.CheckImprint(text) != nil || !bytes.Equal(tok.Raw, token) {
			t.Errorf("%v", err)
		}
	}
}

// Without certReq a token carries no certificate, and is checked with the one that somebody has.
func TestWithoutCertificates(t *testing.T) {
	key := tsaKey(testpki.SM2)
	r := newRequest(t, sign.SM3)
	r.CertReq, r.Nonce = false, nil
	response, err := newAuthority(t, key).Respond(ctx, r.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Accept(response); !errors.Is(err, cms.ErrNoCertificate) {
		t.Error(err)
	}
	tok, err := ParseResponse(response)
	if err != nil {
		t.Fatal(err)
	}
	if tok.Certificate() != nil || tok.SignedData.Certificates != nil || tok.Nonce != nil {
		t.Errorf("nonce %x, %d certificates", tok.Nonce, len(tok.SignedData.Certificates))
	}
	if err := tok.CheckValue(key.Chain()[0]); err != nil {
		t.Error(err)
	}
	if err := tok.CheckValue(tsaKey(testpki.SM2).Chain()[0]); !errors.Is(err, cms.ErrCertificate) {
		t.Error(err)
	}
}

// A key that may do more than stamp is none of an authority.
func TestNewAuthorityRefuses(t *testing.T) {
	root := testpki.Shared(testpki.SM2)
	two := func(c *gm.Certificate) {
		testpki.TimeStamping(c)
		e := &c.ExtraExtensions[0]
		e.Value = slices.Concat([]byte{0x30, 20}, e.Value[2:], []byte("\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04"))
	}
	lax := func(c *gm.Certificate) {
		testpki.TimeStamping(c)
		c.ExtraExtensions[0].Critical = false
	}
	good := AuthorityOptions{Policy: policy}
	for name, c := range map[string]struct {
		key  sign.Key
		o    AuthorityOptions
		want error
	}{
		"no extended key usage":    {root.Issue(testpki.SM2, "法官", nil), good, ErrNotTSA},
		"not critical":             {root.Issue(testpki.SM2, "法官", lax), good, ErrNotTSA},
		"not alone":                {root.Issue(testpki.SM2, "法官", two), good, ErrNotTSA},
		"no key":                   {nil, good, sign.ErrKeyMismatch},
		"no policy":                {tsaKey(testpki.SM2), AuthorityOptions{}, ErrPolicy},
		"better than its genTime":  {tsaKey(testpki.SM2), AuthorityOptions{Policy: policy, Accuracy: time.Millisecond}, nil},
		"finer than can be said":   {tsaKey(testpki.SM2), AuthorityOptions{Policy: policy, Accuracy: time.Second + 1}, nil},
		"SM2 key with another way": {tsaKey(testpki.SM2), AuthorityOptions{Policy: policy, Scheme: sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}}, sign.ErrUnsupportedKey},
	} {
		if _, err := NewAuthority(c.key, c.o); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is refused is refused with the failInfo of RFC 3161 and GM/T 0033.
func TestAuthorityRefuses(t *testing.T) {
	a := newAuthority(t, tsaKey(testpki.P256))
	good := newRequest(t, sign.SM3)
	imprint := func(h sign.OID, n int) func(b *cryptobyte.Builder) {
		return func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { der.AddOID(b, h) })
				b.AddASN1OctetString(make([]byte, n))
			})
		}
	}
	build := func(version int64, more ...func(b *cryptobyte.Builder)) []byte {
		var b cryptobyte.Builder
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(version)
			for _, f := range more {
				f(b)
			}
		})
		return b.BytesOrPanic()
	}
	sm3 := imprint(sign.SM3.OID(), 32)
	extension := func(b *cryptobyte.Builder) {
		b.AddASN1(context0, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { der.AddOID(b, policy); b.AddASN1OctetString(nil) })
		})
	}
	for name, c := range map[string]struct {
		request []byte
		want    string
	}{
		"empty":               {nil, "badDataFormat"},
		"garbage":             {[]byte("GET / HTTP/1.1"), "badDataFormat"},
		"cut short":           {good.Bytes()[:40], "badDataFormat"},
		"something after":     {append(good.Bytes(), 0), "badDataFormat"},
		"too long":            {build(1, sm3, func(b *cryptobyte.Builder) { b.AddASN1BigInt(new(big.Int).Lsh(big.NewInt(1), 40000)) }), "badDataFormat"},
		"long nonce":          {build(1, sm3, func(b *cryptobyte.Builder) { b.AddASN1BigInt(new(big.Int).Lsh(big.NewInt(1), 520)) }), "badDataFormat"},
		"version 2":           {build(2, sm3), "badRequest"},
		"no imprint":          {build(1), "badDataFormat"},
		"SHA-1":               {build(1, imprint(sign.SHA1.OID(), 20)), "badAlg"},
		"unknown hash":        {build(1, imprint(policy, 32)), "badAlg"},
		"short digest":        {build(1, imprint(sign.SM3.OID(), 31)), "badDataFormat"},
		"another policy":      {build(1, sm3, func(b *cryptobyte.Builder) { der.AddOID(b, oidTSTInfo) }), "unacceptedPolicy"},
		"extension":           {build(1, sm3, extension), "unacceptedExtension"},
		"certReq is no truth": {build(1, sm3, func(b *cryptobyte.Builder) { addOctets(b, asn1.BOOLEAN, []byte{1}) }), "badDataFormat"},
		"more":                {build(1, sm3, sm3), "badDataFormat"},
	} {
		response, err := a.Respond(ctx, c.request)
		want := &StatusError{Status: "rejection", Failures: []string{c.want}}
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		_, err = ParseResponse(response)
		if !errors.Is(err, want) {
			t.Errorf("%s: response reads %v", name, err)
		}
		if errors.Is(err, &StatusError{Status: "rejection", Failures: []string{c.want, "systemFailure"}}) || errors.Is(err, &StatusError{Status: "waiting"}) {
			t.Errorf("%s: any status will do", name)
		}
	}
	if r, err := a.Respond(ctx, build(1, sm3)); err != nil {
		t.Errorf("the shortest request: %v, %x", err, r)
	}
}

type failing struct{ crypto.Signer }

var errDevice = errors.New("device gone")

func (failing) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errDevice }

// A broken key or clock is told to the operator, and to whoever asked as no more than that.
func TestAuthorityFails(t *testing.T) {
	k, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "TSA", testpki.TimeStamping)
	broken := newAuthority(t, sign.NewKey(failing{k}, chain...))
	r := newRequest(t, sign.SM3)
	response, err := broken.Respond(ctx, r.Bytes())
	if !errors.Is(err, errDevice) || !errors.Is(err, &StatusError{Status: "rejection", Failures: []string{"systemFailure"}}) {
		t.Error(err)
	}
	if _, err := r.Accept(response); !errors.Is(err, &StatusError{Status: "rejection", Failures: []string{"systemFailure"}}) || strings.Contains(err.Error(), "device") {
		t.Error(err)
	}
	if _, err := broken.Timestamp(ctx, sign.SM3, sign.SM3.Sum(text)); !errors.Is(err, errDevice) {
		t.Error(err)
	}
	lost, err := NewAuthority(sign.NewKey(k, chain...), AuthorityOptions{Policy: policy, Now: func() time.Time { return time.Time{} }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lost.Respond(ctx, r.Bytes()); !errors.Is(err, &StatusError{Status: "rejection", Failures: []string{"timeNotAvailable"}}) {
		t.Error(err)
	}
	if _, err := lost.Timestamp(ctx, sign.SM3, text); !errors.Is(err, sign.ErrMissingSum) {
		t.Error(err)
	}
}

// Answers to other requests are not accepted.
func TestAcceptRefuses(t *testing.T) {
	a := newAuthority(t, tsaKey(testpki.SM2))
	r := newRequest(t, sign.SM3)
	response, err := a.Respond(ctx, r.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(r *Request)
		want   error
	}{
		"nothing":        {func(r *Request) {}, nil},
		"another nonce":  {func(r *Request) { r.Nonce = newRequest(t, sign.SM3).Nonce }, ErrNonce},
		"no nonce":       {func(r *Request) { r.Nonce = nil }, ErrNonce},
		"another digest": {func(r *Request) { r.Digest = sign.SM3.Sum(nil) }, ErrImprint},
		"another hash":   {func(r *Request) { r.Hash = sign.SHA256 }, ErrImprint},
		"another policy": {func(r *Request) { r.Policy = oidTSTInfo }, ErrPolicy},
		"that policy":    {func(r *Request) { r.Policy = policy }, nil},
	} {
		other := *r
		c.change(&other)
		if _, err := other.Accept(response); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range response { // a bit changed anywhere
		changed := bytes.Clone(response)
		changed[i] ^= 0x01
		tok, err := r.Accept(changed)
		if err == nil && !bytes.Equal(tok.SignedData.EContent, mustResponse(t, response).SignedData.EContent) {
			t.Errorf("octet %d changed, and accepted", i)
		}
	}
}

func mustResponse(t testing.TB, b []byte) *Token {
	t.Helper()
	tok, err := ParseResponse(b)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}
