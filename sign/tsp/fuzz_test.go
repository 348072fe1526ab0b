package tsp

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

func sample(f *testing.F) (token, response []byte, r *Request) {
	r = newRequest(f, sign.SM3)
	a := newAuthority(f, tsaKey(testpki.SM2))
	response, err := a.Respond(ctx, r.Bytes())
	if err != nil {
		f.Fatal(err)
	}
	return mustResponse(f, response).Raw, response, r
}

func FuzzParse(f *testing.F) {
	token, _, _ := sample(f)
	f.Add(token)
	x := goodTST()
	x.accuracy, x.ordering, x.nonce = []byte{0x30, 3, 0x81, 1, 5}, []byte{1, 1, 0}, []byte{2, 1, 9}
	x.tsa, x.extensions = []byte{0xa0, 4, 0xa4, 2, 0x30, 0}, tlv(context1, tlv(asn1.SEQUENCE, x.policy, tlv(asn1.OCTET_STRING)))
	attach, err := cms.Attached(tsaKey(testpki.P256), oidTSTInfo, cms.Options{NoChain: true})
	if err != nil {
		f.Fatal(err)
	}
	v, err := attach(ctx, x.bytes())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(v.Bytes)
	f.Add(x.bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if inner := (&Token{}); inner.parseInfo(b) == nil && (!inner.Policy.Valid() || inner.Accuracy < 0) {
			t.Errorf("TSTInfo: %s, %s", inner.Policy, inner.Accuracy)
		}
		tok, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrExtension) {
				t.Error(err)
			}
			return
		}
		if !tok.Policy.Valid() || len(tok.Digest) == 0 || len(tok.Serial) == 0 || tok.Time.IsZero() && tok.Time.Year() != 1 || tok.Accuracy < 0 || len(tok.SignedData.Signers) != 1 {
			t.Errorf("%s, %x, %x, %s, %s", tok.Policy, tok.Digest, tok.Serial, tok.Time, tok.Accuracy)
		}
		tok.CheckImprint(text)
		if cert := tok.Certificate(); cert != nil {
			tok.CheckValue(cert)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	_, response, r := sample(f)
	f.Add(response)
	f.Add(respond(nil, refuse(unacceptedExtension, "why")))
	f.Fuzz(func(t *testing.T, b []byte) {
		tok, err := ParseResponse(b)
		var refused *StatusError
		if err != nil && !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrExtension) && !errors.As(err, &refused) {
			t.Error(err)
		}
		if err != nil && len(err.Error()) > 2000 {
			t.Errorf("%d octets of error", len(err.Error()))
		}
		if got, err := r.Accept(b); err == nil && (!bytes.Equal(got.Digest, tok.Digest) || !bytes.Equal(got.Nonce, r.Nonce)) {
			t.Error("another token")
		}
	})
}

func FuzzRequest(f *testing.F) {
	r := newRequest(f, sign.SHA512)
	r.Policy = policy
	f.Add(r.Bytes())
	r.Nonce, r.CertReq = nil, false
	f.Add(r.Bytes())
	a := newAuthority(f, tsaKey(testpki.SM2))
	f.Fuzz(func(t *testing.T, b []byte) {
		response, err := a.Respond(ctx, b)
		tok, errParse := ParseResponse(response)
		var refused *StatusError
		switch {
		case err == nil && errParse == nil:
			r, err := parseRequest(b)
			if err != nil || !bytes.Equal(tok.Digest, r.Digest) || !bytes.Equal(tok.Nonce, r.Nonce) || (tok.Certificate() != nil) != r.CertReq {
				t.Errorf("stamped something else: %v", err)
			}
		case err == nil || !errors.As(errParse, &refused) || !errors.Is(err, refused):
			t.Errorf("refused with %v, read as %v", err, errParse)
		}
	})
}

// BenchmarkStamp stands beside its floor, the signature alone: a request read, a token made.
func BenchmarkStamp(b *testing.B) {
	for _, kind := range kinds {
		key := tsaKey(kind)
		a := newAuthority(b, key)
		scheme, err := sign.SchemeFor(key.Public())
		if err != nil {
			b.Fatal(err)
		}
		r := newRequest(b, sign.SM3)
		request := r.Bytes()
		b.Run(string(kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Respond(ctx, request); err != nil {
					b.Fatal(err)
				}
			}
		})
		tok := mustRespond(b, a, request)
		attrs := tok.SignedData.Signers[0].SignedAttrs
		b.Run(string(kind)+"/floor", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := scheme.Sign(ctx, key, attrs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCheck stands beside its floor, one signature checked: a token parsed, its imprint and value checked.
func BenchmarkCheck(b *testing.B) {
	for _, kind := range kinds {
		key := tsaKey(kind)
		tok := mustRespond(b, newAuthority(b, key), newRequest(b, sign.SM3).Bytes())
		b.Run(string(kind), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tok, err := Parse(tok.Raw)
				if err != nil {
					b.Fatal(err)
				}
				if err := errors.Join(tok.CheckImprint(text), tok.CheckValue(tok.Certificate())); err != nil {
					b.Fatal(err)
				}
			}
		})
		si := tok.SignedData.Signers[0]
		b.Run(string(kind)+"/floor", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := si.Scheme.Verify(key.Public(), si.SignedAttrs, si.Signature); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func mustRespond(b *testing.B, a *Authority, request []byte) *Token {
	b.Helper()
	response, err := a.Respond(ctx, request)
	if err != nil {
		b.Fatal(err)
	}
	return mustResponse(b, response)
}
