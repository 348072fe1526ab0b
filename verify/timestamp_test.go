package verify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/tsp"
)

// A clockwork makes tokens of any kind: what authorities of package tsp refuse to make too.
type clockwork struct {
	key     sign.Key
	at      time.Time
	hash    sign.Hash // zero: the one asked for
	digest  []byte    // nil: the one asked for
	imprint sign.OID  // of the hash; zero: its own
	noChain bool
	seconds int64 // accuracy; 0: not stated
}

func (c clockwork) Timestamp(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
	if c.hash != "" {
		h = c.hash
	}
	if c.digest != nil {
		digest = c.digest
	}
	var b cryptobyte.Builder
	oid := func(b *cryptobyte.Builder, o sign.OID) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(o)) })
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		oid(b, "\x2a\x03\x04")
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { oid(b, cmp.Or(c.imprint, h.OID())) })
			b.AddASN1OctetString(digest)
		})
		b.AddASN1Int64(7)
		b.AddASN1GeneralizedTime(c.at.UTC())
		if c.seconds > 0 {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(c.seconds) })
		}
	})
	attached, err := cms.Attached(c.key, oidTSTInfo, cms.Options{NoChain: c.noChain})
	if err != nil {
		return nil, err
	}
	v, err := attached(ctx, b.BytesOrPanic())
	return v.Bytes, err
}

// token stamps a message.
func (c clockwork) token(message []byte) []byte {
	h := sign.SHA256
	if gm.IsSM2(c.key.Public()) {
		h = sign.SM3
	}
	if c.hash != "" {
		h = c.hash
	}
	b, err := c.Timestamp(context.Background(), h, h.Sum(message))
	if err != nil {
		panic(err)
	}
	return b
}

var tsaKeys = sync.OnceValue(func() (k struct{ sm2, rsa sign.Key }) {
	w := theWorld()
	k.sm2 = w.sm2CA.Issue(testpki.SM2, "时间戳机构", testpki.TimeStamping)
	k.rsa = w.rsaCA.Issue(testpki.RSA, "TSA", testpki.TimeStamping)
	return k
})

func tsa(at time.Time) clockwork { return clockwork{key: tsaKeys().sm2, at: at} }

// stamped is a seal of the world used at a time, and stamped with a time by both authorities.
func stamped(t testing.TB, e *seal.Seal, key sign.Key, f sign.Format, now time.Time, by sign.Timestamper) sign.Signer {
	t.Helper()
	o := seal.StampOptions{Format: f, Now: at(now), TSA: by}
	if f == sign.Dual {
		o.Outer, o.OuterTSA = theWorld().rsa, by
	}
	s, err := e.Stamp(key, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStampProvesTime(t *testing.T) {
	w := theWorld()
	authority := func(key sign.Key) sign.Timestamper {
		a, err := tsp.NewAuthority(key, tsp.AuthorityOptions{Policy: "\x2a\x03\x04", Now: at(noon.Add(time.Minute))})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for _, key := range []sign.Key{tsaKeys().sm2, tsaKeys().rsa} {
		for _, f := range formats {
			r := verifyFile(t, w, sealFile(t, page(), stamped(t, w.seal, w.sm2, f, noon, authority(key)), visible), nil)
			want(t, r, 0, Valid, "timestamp", "ok")
			want(t, r, 0, Valid, "time", "time-proven")
			s := r.Signatures[0]
			n, over := 1, map[sign.Format]string{sign.CMS: "cms", sign.SES: "ses", sign.Dual: "cms"}[f]
			if f == sign.Dual {
				n = 2
				want(t, r, 0, Valid, "inner-timestamp", "ok")
			}
			if len(s.Stamps) != n || s.Stamps[0].Over != over || !s.Stamps[0].Time.Equal(noon.Add(time.Minute)) || s.Stamps[0].Authority == nil ||
				s.Stamps[0].Policy != "1.2.3.4" || s.Stamps[0].Accuracy != time.Second || len(s.Stamps[0].Notes) > 0 || !s.Proven.Equal(noon.Add(61*time.Second)) {
				t.Errorf("%s: %v %+v", f, s.Proven, s.Stamps)
			}
			if text := r.String(); !strings.Contains(text, "时间戳 / time stamp: "+over) || !strings.Contains(text, "proven time") {
				t.Error(text)
			}
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var back struct {
				Policy     Policy
				Signatures []struct {
					Proven time.Time
					Stamps []struct {
						Over, Policy, Serial string
						Verdict              Verdict
						Time                 time.Time
						Authority            struct{ Subject string }
						Checks               []Check
					}
				}
			}
			if err := json.Unmarshal(b, &back); err != nil {
				t.Fatal(err)
			}
			if got := back.Signatures[0].Stamps[0]; got.Verdict != Valid || got.Authority.Subject == "" || got.Serial == "" || len(got.Checks) < 8 {
				t.Errorf("%+v", got)
			}
		}
	}
}

// An end is something that ends, a month after noon, what a signature rests on.
type end struct {
	name   string
	seal   func(*seal.Seal)
	holder func(*gm.Certificate)
	mod    func(*Options, sign.Key) // with the holder's key
}

func crlOf(t testing.TB, ca *testpki.CA, key sign.Key, this, next, revoked time.Time, reason int) []byte {
	t.Helper()
	l := &smx509.RevocationList{Number: big.NewInt(1), ThisUpdate: this, NextUpdate: next}
	if !revoked.IsZero() {
		c, err := gm.ParseCertificate(key.Chain()[0])
		if err != nil {
			t.Fatal(err)
		}
		l.RevokedCertificateEntries = []smx509.RevocationListEntry{{SerialNumber: c.SerialNumber, RevocationTime: revoked, ReasonCode: reason}}
	}
	b, err := smx509.CreateRevocationList(reader, l, ca.Cert, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What ended between signing and verifying leaves a doubt that a time stamp before the end settles, and one after it does not.
func TestStampSettlesDoubts(t *testing.T) {
	w := theWorld()
	month := func(n int) time.Time { return noon.AddDate(0, n, 0) }
	for _, e := range []end{
		{"certificate expired", nil, func(c *gm.Certificate) { c.NotAfter = month(1) }, nil},
		{"certificate revoked", nil, nil, func(o *Options, k sign.Key) {
			o.CRLs = [][]byte{crlOf(t, w.sm2CA, k, month(2), month(9), month(1), 1)}
		}},
		{"seal ended", func(s *seal.Seal) { s.NotAfter = month(1) }, nil, nil},
		{"seal cancelled", nil, nil, func(o *Options, _ sign.Key) {
			o.States = stateFunc(func(at time.Time) (seal.Status, error) {
				if at.Before(month(1)) {
					return seal.StatusActive, nil
				}
				return seal.StatusCancelled, nil
			})
		}},
		{"certificate expired, revocation asked", nil, func(c *gm.Certificate) {
			c.NotAfter, c.CRLDistributionPoints = month(1), []string{"http://crl.example/1.crl"}
		}, func(o *Options, k sign.Key) { // the list of now may have dropped the certificate; that of then was replaced
			o.CRLs = [][]byte{crlOf(t, w.sm2CA, k, month(2), month(9), time.Time{}, 0),
				crlOf(t, w.sm2CA, k, noon.AddDate(0, 0, 20), noon.AddDate(0, 0, 25), time.Time{}, 0)}
		}},
	} {
		key := w.sm2CA.Issue(testpki.SM2, "持有人", e.holder)
		mark := w.make(func(s *seal.Seal) {
			s.Certs = append(s.Certs, key.Chain()[0])
			if e.seal != nil {
				e.seal(s)
			}
		})
		for _, f := range formats {
			for _, x := range []struct {
				stamp   sign.Timestamper
				verdict Verdict
				code    string
			}{
				{nil, Indeterminate, "time-not-proven"},
				{tsa(noon.Add(time.Minute)), Valid, "time-proven"},
				{clockwork{key: tsaKeys().sm2, at: noon, seconds: 3600}, Valid, "time-proven"},
				{tsa(month(1).AddDate(0, 0, 1)), Indeterminate, "time-not-proven"},
				{clockwork{key: tsaKeys().sm2, at: month(1).Add(-time.Minute), seconds: 3600}, Indeterminate, "time-not-proven"},
			} {
				name := fmt.Sprintf("%s, %s, %v", e.name, f, x.code)
				r := verifyFile(t, w, sealFile(t, page(), stamped(t, mark, key, f, noon, x.stamp), visible), func(o *Options) {
					o.At = month(3)
					if e.mod != nil {
						e.mod(o, key)
					}
				})
				if s := r.Signatures[0]; s.Verdict != x.verdict || s.Check("time").Code != x.code {
					t.Errorf("%s: %s\n%s", name, s.Verdict, r)
				}
			}
		}
	}
}

// What a list said before the moment that is proven says nothing of that moment.
func TestOldListIsNotEnough(t *testing.T) {
	w := theWorld()
	key := w.sm2CA.Issue(testpki.SM2, "持有人", func(c *gm.Certificate) {
		c.NotAfter, c.CRLDistributionPoints = noon.AddDate(0, 1, 0), []string{"http://crl.example/1.crl"}
	})
	mark := w.make(func(s *seal.Seal) { s.Certs = append(s.Certs, key.Chain()[0]) })
	file := sealFile(t, page(), stamped(t, mark, key, sign.SES, noon, tsa(noon)), visible)
	for _, x := range []struct {
		this    time.Time
		verdict Verdict
		code    string
	}{
		{noon.Add(-time.Second), Indeterminate, "not-usable"},
		{noon, Valid, "ok"},
		{noon.AddDate(0, 1, 0), Valid, "ok"},
		{noon.AddDate(0, 1, 0).Add(time.Second), Indeterminate, "not-usable"},
	} {
		r := verifyFile(t, w, file, func(o *Options) {
			o.At = noon.AddDate(0, 3, 0)
			o.CRLs = [][]byte{crlOf(t, w.sm2CA, key, o.At, o.At.AddDate(0, 1, 0), time.Time{}, 0), crlOf(t, w.sm2CA, key, x.this, x.this.Add(time.Hour), time.Time{}, 0)}
		})
		want(t, r, 0, x.verdict, "signer-revocation", x.code)
	}
}

// A dual's stamps prove what they are over: the outer one both signatures, the inner one only the inner.
func TestStampsOfDual(t *testing.T) {
	w := theWorld()
	month := func(n int) time.Time { return noon.AddDate(0, n, 0) }
	ends := func(c *gm.Certificate) { c.NotAfter = month(1) }
	for _, x := range []struct {
		name                string
		innerEnds, outerEnd bool
		inner, outer        sign.Timestamper
		verdict             Verdict
	}{
		{"inner ends, outer stamp", true, false, nil, tsa(noon), Valid},
		{"inner ends, inner stamp", true, false, tsa(noon), nil, Valid},
		{"outer ends, outer stamp", false, true, nil, tsa(noon), Valid},
		{"outer ends, inner stamp", false, true, tsa(noon), nil, Indeterminate},
		{"both end, outer late", true, true, tsa(noon), tsa(month(2)), Indeterminate},
		{"inner ends, outer late", true, false, tsa(noon), tsa(month(2)), Valid},
	} {
		mod := func(yes bool) func(*gm.Certificate) {
			if yes {
				return ends
			}
			return nil
		}
		in, out := w.sm2CA.Issue(testpki.SM2, "内", mod(x.innerEnds)), w.rsaCA.Issue(testpki.RSA, "外", mod(x.outerEnd))
		mark := w.make(func(s *seal.Seal) { s.Certs = [][]byte{in.Chain()[0], out.Chain()[0]} })
		s, err := mark.Stamp(in, seal.StampOptions{Outer: out, Now: at(noon), TSA: x.inner, OuterTSA: x.outer})
		if err != nil {
			t.Fatal(err)
		}
		r := verifyFile(t, w, sealFile(t, page(), s, visible), func(o *Options) { o.At = month(3) })
		if r.Verdict != x.verdict {
			t.Errorf("%s: %s\n%s", x.name, r.Verdict, r)
		}
	}
}

// Every way in which a time stamp can be wrong: a seal signature with it is not valid, since its standard says so; a CMS is
// what it is without it. What the stamp alone is worth stands in the report of either.
func TestWrongStamps(t *testing.T) {
	w := theWorld()
	later := noon.Add(time.Minute)
	good := tsa(later)
	usage := func(u ...smx509.ExtKeyUsage) func(*gm.Certificate) { // not critical
		return func(c *gm.Certificate) { c.ExtKeyUsage = u }
	}
	ca := func(mod func(*gm.Certificate)) clockwork {
		return clockwork{key: w.sm2CA.Issue(testpki.SM2, "TSA", func(c *gm.Certificate) { testpki.TimeStamping(c); mod(c) }), at: later}
	}
	plain := func(mod func(*gm.Certificate)) clockwork {
		return clockwork{key: w.sm2CA.Issue(testpki.SM2, "TSA", mod), at: later}
	}
	year := func(from, to int) func(*gm.Certificate) {
		return func(c *gm.Certificate) { c.NotBefore, c.NotAfter = noon.AddDate(from, 0, 0), noon.AddDate(to, 0, 0) }
	}
	revocable := ca(func(c *gm.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/1.crl"} })
	list := func(revoked time.Time, reason int) func(*Options) {
		return func(o *Options) {
			o.CRLs = [][]byte{crlOf(t, w.sm2CA, revocable.key, noon, noon.AddDate(0, 0, 1), revoked, reason)}
		}
	}
	revocableCert, err := gm.ParseCertificate(revocable.key.Chain()[0])
	if err != nil {
		t.Fatal(err)
	}
	answers := func(reason int) func(*Options) {
		return func(o *Options) {
			o.OCSPs = [][]byte{ocspFor(t, w.sm2CA, nil, revocableCert, 1, reason, later.Add(time.Minute), noon)}
		}
	}
	stranger := testpki.NewCA(testpki.SM2, "stranger")
	one := func(c clockwork) func([]byte) [][]byte {
		return func(m []byte) [][]byte { return [][]byte{c.token(m)} }
	}
	flip := func(c clockwork, from, to string) func([]byte) [][]byte {
		return func(m []byte) [][]byte { return [][]byte{bytes.Replace(c.token(m), []byte(from), []byte(to), 1)} }
	}
	bare := clockwork{key: tsaKeys().sm2, at: later, noChain: true}
	for _, x := range []struct {
		name        string
		tokens      func(message []byte) [][]byte
		mod         func(*Options)
		verdict     Verdict // of the stamp
		check, code string  // in it
	}{
		{"good", one(good), nil, Valid, "token-imprint", "ok"},
		{"good, RSA", one(clockwork{key: tsaKeys().rsa, at: later}), nil, Valid, "tsa-algorithm", "ok"},
		{"no token", func([]byte) [][]byte { return [][]byte{{0x30, 0}} }, nil, Invalid, "token-format", "malformed-token"},
		{"over something else", func([]byte) [][]byte { return [][]byte{good.token([]byte("another value"))} }, nil, Invalid, "token-imprint", "imprint-wrong"},
		{"over the hash, not the value", func(m []byte) [][]byte { return [][]byte{good.token(sign.SM3.Sum(m))} }, nil, Invalid, "token-imprint", "imprint-wrong"},
		{"over SHA-1", one(clockwork{key: tsaKeys().sm2, at: later, hash: sign.SHA1}), nil, Invalid, "token-imprint", "imprint-weak"},
		{"over a hash that is not known", one(clockwork{key: tsaKeys().sm2, at: later, imprint: "\x60\x86\x48\x01\x65\x03\x04\x02\x08"}), nil, Indeterminate, "token-imprint", "imprint-unsupported"},
		{"signed with an algorithm that is not known", func(m []byte) [][]byte {
			b := good.token(m)
			b[bytes.LastIndex(b, []byte("\x2a\x81\x1c\xcf\x55\x01"))+7] = 0x7f
			return [][]byte{b}
		}, nil, Indeterminate, "token-value", "token-algorithm"},
		{"dated back", flip(good, "20260601120100Z", "20260601110000Z"), nil, Invalid, "token-value", "token-value-wrong"},
		{"certificate not there", one(bare), nil, Indeterminate, "token-value", "no-authority-certificate"},
		{"certificate given", one(bare), func(o *Options) { o.Certificates = tsaKeys().sm2.Chain() }, Valid, "token-value", "ok"},
		{"a signer's certificate", one(plain(nil)), nil, Invalid, "tsa-purpose", "purpose-other"},
		{"for servers", one(plain(usage(smx509.ExtKeyUsageServerAuth))), nil, Invalid, "tsa-purpose", "purpose-other"},
		{"for anything", one(plain(usage(smx509.ExtKeyUsageAny))), nil, Invalid, "tsa-purpose", "purpose-other"},
		{"for servers too", one(plain(usage(smx509.ExtKeyUsageTimeStamping, smx509.ExtKeyUsageServerAuth))), nil, Invalid, "tsa-purpose", "purpose-shared"},
		{"not critical", one(plain(usage(smx509.ExtKeyUsageTimeStamping))), nil, Valid, "tsa-purpose", "purpose-not-critical"},
		{"of a stranger", one(clockwork{key: stranger.Issue(testpki.SM2, "TSA", testpki.TimeStamping), at: later}), nil, Indeterminate, "tsa-chain", "untrusted"},
		{"no root for authorities", one(good), func(o *Options) {
			var r Roots
			r.Add(ForSigner|ForMaker, w.sm2CA.Cert.Raw, w.rsaCA.Cert.Raw)
			o.Roots = &r
		}, Indeterminate, "tsa-chain", "no-roots"},
		{"expired before", one(ca(year(-3, -1))), nil, Invalid, "tsa-validity", "outside-validity"},
		{"not yet valid", one(ca(year(1, 3))), nil, Invalid, "tsa-validity", "outside-validity"},
		{"expired since", one(ca(func(c *gm.Certificate) { c.NotAfter = later.Add(time.Minute) })), nil, Indeterminate, "token-time", "stamp-not-proven"},
		{"revocation not known", one(revocable), nil, Indeterminate, "tsa-revocation", "not-given"},
		{"not revoked", one(revocable), list(time.Time{}, 0), Valid, "tsa-revocation", "ok"},
		{"revoked before", one(revocable), list(noon, 4), Invalid, "tsa-revocation", "revoked"},
		{"closed since", one(revocable), list(later.Add(time.Minute), 5), Valid, "tsa-revocation", "revoked-later"},
		{"closed since, then compromised", one(revocable), func(o *Options) {
			list(later.Add(time.Minute), 5)(o)
			lists := o.CRLs
			list(later.Add(time.Minute), 1)(o)
			o.CRLs = append(lists, o.CRLs...)
		}, Invalid, "tsa-revocation", "revoked-authority"},
		{"compromised since", one(revocable), list(later.Add(time.Minute), 1), Invalid, "tsa-revocation", "revoked-authority"},
		{"revoked since, nobody says why", one(revocable), list(later.Add(time.Minute), 0), Invalid, "tsa-revocation", "revoked-authority"},
		{"revoked since, unspecified by OCSP", one(revocable), answers(-1), Valid, "tsa-revocation", "revoked-later"},
		{"closed since, by OCSP", one(revocable), answers(5), Valid, "tsa-revocation", "revoked-later"},
		{"compromised since, by OCSP", one(revocable), answers(1), Invalid, "tsa-revocation", "revoked-authority"},
		{"revoked since, by OCSP, nobody says why", one(revocable), answers(0), Invalid, "tsa-revocation", "revoked-authority"},
		{"of the future", one(tsa(noon.AddDate(0, 0, 1))), nil, Indeterminate, "token-time", "stamp-future"},
	} {
		for _, f := range []sign.Format{sign.SES, sign.CMS} {
			t.Run(x.name+", "+string(f), func(t *testing.T) {
				file := restamped(t, sealFile(t, page(), stamped(t, w.seal, w.sm2, f, noon, good), visible), x.tokens)
				r := verifyFile(t, w, file, x.mod)
				s := r.Signatures[0]
				if len(s.Stamps) != 1 {
					t.Fatalf("%d stamps\n%s", len(s.Stamps), r)
				}
				inside := Signature{Checks: s.Stamps[0].Checks}
				if s.Stamps[0].Verdict != x.verdict || inside.Check(x.check).Code != x.code {
					t.Errorf("the stamp is %s, not %s\n%s", s.Stamps[0].Verdict, x.verdict, r)
				}
				switch {
				case x.verdict == Valid:
					want(t, r, 0, Valid, "timestamp", "ok")
					want(t, r, 0, Valid, "time", "time-proven")
				case f == sign.CMS:
					want(t, r, 0, Valid, "timestamp", "timestamp-no-proof")
					want(t, r, 0, Valid, "time", "time-claimed")
				case x.verdict == Invalid:
					want(t, r, 0, Invalid, "timestamp", "timestamp-wrong")
				default:
					want(t, r, 0, Indeterminate, "timestamp", "timestamp-unknown")
				}
				if x.verdict != Valid && !s.Proven.IsZero() {
					t.Errorf("a bad stamp proves %s", s.Proven)
				}
			})
		}
	}
}

// Stamps taken away, exchanged between signatures, and several of them.
func TestStampsTamperedWith(t *testing.T) {
	w := theWorld()
	good := tsa(noon.Add(time.Minute))
	sealed := func(f sign.Format) []byte {
		return sealFile(t, page(), stamped(t, w.seal, w.sm2, f, noon, good), visible)
	}
	for _, f := range []sign.Format{sign.SES, sign.CMS} {
		bare := restamped(t, sealed(f), func([]byte) [][]byte { return nil })
		want(t, verifyFile(t, w, bare, nil), 0, Valid, "timestamp", "no-timestamp")
		want(t, verifyFile(t, w, bare, nil), 0, Valid, "time", "time-claimed")

		var other []byte // a good stamp, of another signature
		restamped(t, sealed(f), func(m []byte) [][]byte { other = good.token(m); return nil })
		swapped := restamped(t, sealed(f), func([]byte) [][]byte { return [][]byte{other} })
		if f == sign.SES {
			want(t, verifyFile(t, w, swapped, nil), 0, Invalid, "timestamp", "timestamp-wrong")
		} else {
			want(t, verifyFile(t, w, swapped, nil), 0, Valid, "timestamp", "timestamp-no-proof")
		}
	}
	tokens := func(list ...func(m []byte) []byte) func(m []byte) [][]byte {
		return func(m []byte) (out [][]byte) {
			for _, f := range list {
				out = append(out, f(m))
			}
			return out
		}
	}
	two := restamped(t, sealed(sign.CMS), tokens(good.token, clockwork{key: tsaKeys().rsa, at: noon.Add(2 * time.Minute)}.token))
	r := verifyFile(t, w, two, nil)
	want(t, r, 0, Valid, "timestamp", "ok")
	if s := r.Signatures[0]; len(s.Stamps) != 2 || !s.Proven.Equal(noon.Add(time.Minute)) {
		t.Errorf("the earliest counts: %s", r)
	}
	bad := func(m []byte) []byte { return good.token([]byte("x")) }
	for _, list := range [][]func(m []byte) []byte{{good.token, bad}, {bad, good.token}, {bad, bad, good.token}} {
		r = verifyFile(t, w, restamped(t, sealed(sign.CMS), tokens(list...)), nil)
		want(t, r, 0, Valid, "timestamp", "timestamp-beside")
		want(t, r, 0, Valid, "time", "time-proven")
		if s := r.Signatures[0]; !s.Proven.Equal(noon.Add(time.Minute)) {
			t.Errorf("%s", r)
		}
	}
	r = verifyFile(t, w, restamped(t, sealed(sign.CMS), tokens(bad, bad)), nil)
	want(t, r, 0, Valid, "timestamp", "timestamp-no-proof")
	want(t, r, 0, Valid, "time", "time-claimed")
	many := make([]func([]byte) []byte, maxStamps+1)
	for i := range many {
		many[i] = func([]byte) []byte { return []byte{0x30, 3, 2, 1, byte(i)} }
	}
	r = verifyFile(t, w, restamped(t, sealed(sign.CMS), tokens(many...)), nil)
	if s := r.Signatures[0]; len(s.Stamps) != maxStamps || s.Notes[len(s.Notes)-1].Code != "many-timestamps" {
		t.Errorf("%d stamps were judged", len(s.Stamps))
	}
}

// A claim later than its stamp.
func TestClaimAfterStamp(t *testing.T) {
	w := theWorld()
	for _, x := range []struct {
		stamp   clockwork
		ses     Verdict
		code    string
		other   Verdict // cms, whose stamp is not signed, and so refutes no more than the claim
		timeHas string
	}{
		{tsa(noon.Add(-time.Hour)), Invalid, "claimed-after-stamp", Indeterminate, "time-refuted"},
		{tsa(noon.Add(-clockSlip)), Valid, "ok", Valid, "time-proven"},
		{tsa(noon.Add(-clockSlip - time.Second)), Invalid, "claimed-after-stamp", Indeterminate, "time-refuted"},
		{clockwork{key: tsaKeys().sm2, at: noon.Add(-clockSlip - time.Second), seconds: 1}, Valid, "ok", Valid, "time-proven"},
	} {
		r := verifyFile(t, w, sealFile(t, page(), stamped(t, w.seal, w.sm2, sign.SES, noon, x.stamp), visible), nil)
		want(t, r, 0, x.ses, "timestamp", x.code)
		r = verifyFile(t, w, sealFile(t, page(), stamped(t, w.seal, w.sm2, sign.CMS, noon, x.stamp), visible), nil)
		want(t, r, 0, x.other, "time", x.timeHas)
		r = verifyFile(t, w, sealFile(t, page(), stamped(t, w.seal, w.sm2, sign.Dual, noon, x.stamp), visible), nil)
		want(t, r, 0, x.ses, "inner-timestamp", x.code)
	}
}

// A stamp gives the moment to judge for where the signer claims none.
func TestStampWithoutClaim(t *testing.T) {
	w := theWorld()
	key := w.rsaCA.Issue(testpki.RSA, "kurz", func(c *gm.Certificate) { c.NotAfter = noon.AddDate(0, 1, 0) })
	stampedCMS := func(by sign.Timestamper) sign.Signer {
		s, err := cms.New(key, cms.Options{TSA: by})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	spec := func(by sign.Timestamper) []byte {
		s := second(10, pdftest.Objects{
			1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [11 0 R] /SigFlags 3 >> >>",
			3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> /Annots [11 0 R] >>",
		})
		s.Entries = pdftest.Undated
		return byHand(t, page(), stampedCMS(by), s)
	}
	month := func(o *Options) { o.At = noon.AddDate(0, 3, 0) }
	want(t, verifyFile(t, w, spec(nil), month), 0, Invalid, "signer-validity", "outside-validity")
	want(t, verifyFile(t, w, spec(tsa(noon)), month), 0, Valid, "time", "time-proven")
	want(t, verifyFile(t, w, spec(nil), nil), 0, Valid, "time", "time-absent")
}
