package seal_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/tsp"
)

// authorities stamp at now, with an SM2 and an RSA key.
var authorities = sync.OnceValue(func() (a struct{ sm2, rsa *tsp.Authority }) {
	one := func(kind testpki.Kind) *tsp.Authority {
		t, err := tsp.NewAuthority(testpki.Shared(kind).Issue(kind, "TSA", testpki.TimeStamping), tsp.AuthorityOptions{
			Policy: der.MustOID("1.2.3.4"), Now: clock})
		if err != nil {
			panic(err)
		}
		return t
	}
	a.sm2, a.rsa = one(testpki.SM2), one(testpki.RSA)
	return a
})

// stampFunc is a sign.Timestamper of any behaviour.
type stampFunc func(h sign.Hash, digest []byte) ([]byte, error)

func (f stampFunc) Timestamp(_ context.Context, h sign.Hash, digest []byte) ([]byte, error) {
	return f(h, digest)
}

func checkToken(t *testing.T, token, value []byte) {
	t.Helper()
	k, err := tsp.Parse(token)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.CheckImprint(value); err != nil {
		t.Error(err)
	}
	if err := k.CheckValue(k.Certificate()); err != nil {
		t.Error(err)
	}
	if !k.Time.Equal(now) {
		t.Errorf("the token says %s", k.Time)
	}
}

func TestAddTimeStamp(t *testing.T) {
	a := authorities()
	s := makeSeal(t, func(s *seal.Seal) { s.Version = seal.V5 })
	stamped, err := s.AddTimeStamp(context.Background(), a.sm2)
	if err != nil {
		t.Fatal(err)
	}
	checkToken(t, stamped.TimeStamp, s.Value)
	body := s.Raw[4:] // a header of four octets
	if want := seq(body, el(0xa0, bits(stamped.TimeStamp))); !bytes.Equal(stamped.Raw, want) || s.TimeStamp != nil || len(stamped.Notes) > 0 {
		t.Errorf("%x", stamped.Raw)
	}
	if err := stamped.VerifyValue(); err != nil {
		t.Error(err)
	}
	again, err := stamped.AddTimeStamp(context.Background(), a.rsa)
	if err != nil {
		t.Fatal(err)
	}
	checkToken(t, again.TimeStamp, s.Value)
	stampOne(t, again, people().sm2, seal.StampOptions{Format: sign.SES}, nil)

	for name, c := range map[string]struct {
		seal *seal.Seal
		tsa  sign.Timestamper
		want error
	}{
		"V4":       {makeSeal(t, nil), a.sm2, seal.ErrUnsupportedVersion},
		"template": {template(), a.sm2, seal.ErrUnsupportedVersion},
		"no line":  {s, stampFunc(func(sign.Hash, []byte) ([]byte, error) { return nil, context.DeadlineExceeded }), context.DeadlineExceeded},
		"no token": {s, stampFunc(func(sign.Hash, []byte) ([]byte, error) { return seq(), nil }), tsp.ErrMalformed},
		"another's token": {s, stampFunc(func(h sign.Hash, _ []byte) ([]byte, error) {
			return a.sm2.Timestamp(context.Background(), h, testHash)
		}), tsp.ErrImprint},
		"a token changed": {s, stampFunc(func(h sign.Hash, d []byte) ([]byte, error) {
			b, err := a.sm2.Timestamp(context.Background(), h, d)
			return bytes.Replace(b, []byte("20260601120000Z"), []byte("20260601120001Z"), 1), err
		}), cms.ErrDigest},
		"older than the seal": {makeSeal(t, func(s *seal.Seal) {
			s.Version, s.NotBefore, s.Created = seal.V5, now.Add(time.Hour), now.Add(time.Minute)
		}), a.sm2, seal.ErrTimeStamp},
	} {
		got, err := c.seal.AddTimeStamp(context.Background(), c.tsa)
		if !errors.Is(err, c.want) || got != nil || c.want != seal.ErrUnsupportedVersion && !errors.Is(err, seal.ErrTimeStamp) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// stampValue seals once and returns the value with its notes; stampOne checks it against MaxSize.
func stampValue(t *testing.T, s *seal.Seal, o seal.StampOptions) sign.Value {
	t.Helper()
	o.Now = clock
	st, err := s.Stamp(people().sm2, o)
	if err != nil {
		t.Fatal(err)
	}
	p := st.Profile()
	v, err := st.Sign(context.Background(), &sign.Act{Time: now, Content: content, Parts: []sign.Part{{Format: p.Format, Property: strings.Repeat("p", seal.MaxProperty)}}})
	if err != nil {
		t.Fatal(err)
	}
	if most := p.Specs[p.Format].MaxSize; len(v[0].Bytes) > most {
		t.Errorf("%d octets, MaxSize says %d", len(v[0].Bytes), most)
	}
	if err := der.Check(v[0].Bytes, der.Limits{}); err != nil {
		t.Error(err)
	}
	return v[0]
}

func TestStampWithTimeStamps(t *testing.T) {
	a, p := authorities(), people()
	for _, version := range []seal.Version{seal.V4, seal.V5} {
		s := makeSeal(t, func(s *seal.Seal) { s.Version = version })
		ses := func(b []byte) *seal.Signature {
			t.Helper()
			v, err := seal.ParseSignature(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.VerifyValue(); err != nil || len(v.Notes) > 0 || v.Version != version {
				t.Errorf("version %d, %v, %v", v.Version, v.Notes, err)
			}
			return v
		}
		outer := func(b []byte) cms.SignerInfo {
			t.Helper()
			sd, err := cms.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if err := sd.Verify(content); err != nil {
				t.Error(err)
			}
			return sd.Signers[0]
		}
		none := func(v sign.Value) []byte {
			t.Helper()
			if len(v.Notes) > 0 {
				t.Errorf("notes %v", v.Notes)
			}
			return v.Bytes
		}

		v := ses(none(stampValue(t, s, seal.StampOptions{Format: sign.SES, TSA: a.sm2})))
		checkToken(t, v.TimeStamp, v.Value)

		info := outer(none(stampValue(t, s, seal.StampOptions{Format: sign.CMS, TSA: a.sm2})))
		checkToken(t, info.TimeStamps()[0], info.Signature)

		for _, o := range []seal.StampOptions{{Outer: p.rsa, TSA: a.sm2, OuterTSA: a.rsa}, {Outer: p.p256, TSA: a.rsa}, {Outer: p.rsa, OuterTSA: a.sm2}} {
			info := outer(none(stampValue(t, s, o)))
			inner, _ := info.Attribute(sign.AttributeSignature)
			v := ses(inner[0])
			if stamps := info.TimeStamps(); o.OuterTSA != nil {
				checkToken(t, stamps[0], info.Signature)
			} else if len(stamps) > 0 {
				t.Error("a stamp that nobody asked for")
			}
			if o.TSA != nil {
				checkToken(t, v.TimeStamp, v.Value)
			} else if v.TimeStamp != nil {
				t.Error("an inner stamp that nobody asked for")
			}
		}
	}
}

// A stamp that cannot be had costs the level, never the signature.
func TestTimeStampNotHad(t *testing.T) {
	a := authorities()
	s := makeSeal(t, nil)
	fail := func(b []byte, err error) sign.Timestamper {
		return stampFunc(func(sign.Hash, []byte) ([]byte, error) { return b, err })
	}
	other, err := a.sm2.Timestamp(context.Background(), sign.SM3, testHash)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tsa  sign.Timestamper
		code string
	}{
		"no line":         {fail(nil, errors.New("no line")), "timestamp-not-had"},
		"nothing":         {fail(nil, nil), "timestamp-not-had"},
		"no token":        {fail(seq(), nil), "timestamp-not-had"},
		"another's token": {fail(other, nil), "timestamp-not-had"},
		"too large":       {fail(make([]byte, 8193), nil), "timestamp-too-large"},
	} {
		v := stampValue(t, s, seal.StampOptions{Format: sign.SES, TSA: c.tsa})
		sig, err := seal.ParseSignature(v.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if err := sig.VerifyValue(); err != nil || sig.TimeStamp != nil || codes(v.Notes) != c.code {
			t.Errorf("%s: %v, %v", name, v.Notes, err)
		}
		v = stampValue(t, s, seal.StampOptions{Outer: people().rsa, TSA: c.tsa, OuterTSA: c.tsa})
		if codes(v.Notes) != c.code+" "+c.code {
			t.Errorf("%s, dual: %v", name, v.Notes)
		}
	}
	if _, err := s.Stamp(people().sm2, seal.StampOptions{Now: clock, OuterTSA: a.rsa}); !errors.Is(err, sign.ErrFormat) {
		t.Errorf("OuterTSA without Outer: %v", err)
	}
}
