package cms_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/tsp"
)

var (
	ctx  = context.Background()
	text = []byte("本院认为")
)

func sums() sign.Sums {
	s := sign.Sums{}
	for _, h := range []sign.Hash{sign.SM3, sign.SHA256, sign.SHA384} {
		s[h] = h.Sum(text)
	}
	return s
}

func newAuthority(t testing.TB, kind testpki.Kind) *tsp.Authority {
	t.Helper()
	a, err := tsp.NewAuthority(testpki.Shared(kind).Issue(kind, "TSA", testpki.TimeStamping), tsp.AuthorityOptions{Policy: der.MustOID("1.2.3.4.1")})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func keyOf(kind testpki.Kind) sign.Key { return testpki.Shared(kind).Issue(kind, "法官", nil) }

// Signatures of every kind take stamps of authorities of every kind.
func TestTimeStamped(t *testing.T) {
	for _, kind := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P384} {
		for _, of := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P256} {
			signer, err := cms.New(keyOf(kind), cms.Options{TSA: newAuthority(t, of)})
			if err != nil {
				t.Fatal(err)
			}
			spec := signer.Profile().Specs[sign.CMS]
			values, err := signer.Sign(ctx, &sign.Act{Content: sums(), Parts: []sign.Part{{Format: sign.CMS}}})
			if err != nil || len(values[0].Notes) > 0 {
				t.Fatal(err, values[0].Notes)
			}
			b := values[0].Bytes
			if err := der.Check(b, der.Limits{}); err != nil || len(b) > spec.MaxSize || spec.MaxSize < 8192 {
				t.Errorf("%d octets, MaxSize %d, %v", len(b), spec.MaxSize, err)
			}
			sd, err := cms.Parse(b)
			if err != nil || len(sd.Notes) > 0 || sd.Verify(sums()) != nil {
				t.Fatal(err, sd.Notes)
			}
			si := sd.Signers[0]
			tokens := si.TimeStamps()
			if len(tokens) != 1 || len(si.Unsigned) != 1 || si.Unsigned[0].Type.String() != "1.2.840.113549.1.9.16.2.14" {
				t.Fatalf("%d tokens in %v", len(tokens), si.Unsigned)
			}
			tok, err := tsp.Parse(tokens[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := tok.CheckImprint(si.Signature); err != nil || tok.Hash != si.Scheme.Hash || tok.CheckValue(tok.Certificate()) != nil {
				t.Errorf("%s by %s: %s, %v", kind, of, tok.Hash, err)
			}
		}
	}
}

// A tsa is a function and its MaxSize.
type tsa struct {
	f    func(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error)
	size int
}

func (t tsa) Timestamp(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
	return t.f(ctx, h, digest)
}
func (t tsa) MaxSize() int { return t.size }

// What is no stamp of this signature is left out, said in a note, and costs nothing else.
func TestTimeStampNotHad(t *testing.T) {
	good := newAuthority(t, testpki.SM2)
	key := keyOf(testpki.SM2)
	for name, c := range map[string]struct {
		tsa  tsa
		code string
		says string
	}{
		"error": {tsa{f: func(context.Context, sign.Hash, []byte) ([]byte, error) { return nil, errors.New("no route") }}, "timestamp-not-had", "no route"},
		"long error": {tsa{f: func(context.Context, sign.Hash, []byte) ([]byte, error) {
			return nil, errors.New(strings.Repeat("no route", 1000))
		}}, "timestamp-not-had", "no route"},
		"nothing": {tsa{f: func(context.Context, sign.Hash, []byte) ([]byte, error) { return nil, nil }}, "timestamp-not-had", "malformed"},
		"garbage": {tsa{f: func(context.Context, sign.Hash, []byte) ([]byte, error) { return []byte("0x"), nil }}, "timestamp-not-had", "malformed"},
		"another digest": {tsa{f: func(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
			return good.Timestamp(ctx, h, h.Sum(digest))
		}}, "timestamp-not-had", "over something else"},
		"another hash": {tsa{f: func(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
			return good.Timestamp(ctx, sign.SHA256, digest)
		}}, "timestamp-not-had", "over something else"},
		"a signature": {tsa{f: func(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
			v, err := cms.Sign(ctx, key, digest, cms.Options{})
			return v.Bytes, err
		}}, "timestamp-not-had", "no time-stamp token"},
		"no TSTInfo": {tsa{f: func(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
			attach, err := cms.Attached(key, der.MustOID("1.2.840.113549.1.9.16.1.4"), cms.Options{})
			if err != nil {
				return nil, err
			}
			v, err := attach(ctx, digest)
			return v.Bytes, err
		}}, "timestamp-not-had", "TSTInfo"},
		"broken value": {tsa{f: func(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
			b, err := good.Timestamp(ctx, h, digest)
			b[len(b)-1] ^= 1
			return b, err
		}}, "timestamp-not-had", "signature value is wrong"},
		"something after": {tsa{f: func(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
			b, err := good.Timestamp(ctx, h, digest)
			return append(b, 0), err
		}}, "timestamp-not-had", "after the value"},
		"too large": {tsa{good.Timestamp, 100}, "timestamp-too-large", "room for 100"},
	} {
		v, err := cms.Sign(ctx, key, sums()[sign.SM3], cms.Options{TSA: c.tsa})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(v.Notes) != 1 || v.Notes[0].Code != c.code || !strings.Contains(v.Notes[0].Detail, c.says) || len(v.Notes[0].Detail) > 600 {
			t.Errorf("%s: %v", name, v.Notes)
		}
		sd, err := cms.Parse(v.Bytes)
		if err != nil || sd.Verify(sums()) != nil || len(sd.Signers[0].Unsigned) > 0 {
			t.Errorf("%s: the signature suffered: %v", name, err)
		}
	}
}

// Who stops waiting for a stamp has the signature; who stops before it is made has an error.
func TestTimeStampEnds(t *testing.T) {
	waiting, stop := context.WithCancel(ctx)
	slow := tsa{f: func(ctx context.Context, _ sign.Hash, _ []byte) ([]byte, error) {
		stop()
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
			t.Error("the Timestamper has another context")
		}
		return nil, ctx.Err()
	}}
	v, err := cms.Sign(waiting, keyOf(testpki.SM2), sums()[sign.SM3], cms.Options{TSA: slow})
	if err != nil || len(v.Notes) != 1 || len(v.Bytes) == 0 {
		t.Fatal(v.Notes, err)
	}
	if _, err = cms.Sign(waiting, keyOf(testpki.SM2), sums()[sign.SM3], cms.Options{TSA: slow}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Content of another type is carried inside, and everything can be named as GM/T 0010 does.
func TestAttachedAndGM(t *testing.T) {
	kind := der.MustOID("1.2.840.113549.1.9.16.1.4")
	for _, c := range []struct {
		content []byte
		o       cms.Options
		outer   string
		certs   int
	}{
		{text, cms.Options{}, "1.2.840.113549.1.7.2", 1},
		{nil, cms.Options{NoChain: true}, "1.2.840.113549.1.7.2", 0},
		{bytes.Repeat(text, 1000), cms.Options{GM: true}, "1.2.156.10197.6.1.4.2.2", 1},
	} {
		key := keyOf(testpki.SM2)
		attach, err := cms.Attached(key, kind, c.o)
		if err != nil {
			t.Fatal(err)
		}
		v, err := attach(ctx, c.content)
		if err != nil {
			t.Fatal(err)
		}
		sd, err := cms.Parse(v.Bytes)
		if err != nil || der.Check(v.Bytes, der.Limits{}) != nil {
			t.Fatal(err)
		}
		if sd.ContentType.String() != c.outer || sd.EContentType != kind || sd.EContent == nil || !bytes.Equal(sd.EContent, c.content) || len(sd.Certificates) != c.certs {
			t.Errorf("%s, %s, %d octets, %d certificates", sd.ContentType, sd.EContentType, len(sd.EContent), len(sd.Certificates))
		}
		sd.Certificates = key.Chain()
		if err := sd.Verify(sd.Sums()); err != nil || len(sd.Notes) > 0 {
			t.Error(err, sd.Notes)
		}
		if err := sd.Verify(sums()); (err == nil) != bytes.Equal(c.content, text) {
			t.Error(err)
		}
	}
	v, err := cms.Sign(ctx, keyOf(testpki.SM2), sums()[sign.SM3], cms.Options{GM: true, SM2OID: cms.SM2Sign})
	if err != nil {
		t.Fatal(err)
	}
	sd, err := cms.Parse(v.Bytes)
	if err != nil || sd.Verify(sums()) != nil || sd.EContentType.String() != "1.2.156.10197.6.1.4.2.1" || sd.ContentType.String() != "1.2.156.10197.6.1.4.2.2" || len(sd.Notes) > 0 {
		t.Error(err, sd)
	}
	if _, err := cms.Attached(keyOf(testpki.SM2), "", cms.Options{}); !errors.Is(err, cms.ErrAttribute) {
		t.Error(err)
	}
}
