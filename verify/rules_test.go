package verify

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"image/color"
	"math/big"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// Certificates of the signer, by what the rules of issue and standards say of time, use and trust.
func TestSignerCertificate(t *testing.T) {
	w := theWorld()
	year := func(from, to int) func(*gm.Certificate) {
		return func(c *gm.Certificate) { c.NotBefore, c.NotAfter = noon.AddDate(from, 0, 0), noon.AddDate(to, 0, 0) }
	}
	usage := func(u x509.KeyUsage) func(*gm.Certificate) {
		return func(c *gm.Certificate) { c.KeyUsage = smx509.KeyUsage(u) }
	}
	expired := w.rsaCA.Sub(testpki.RSA, "old", year(-3, 1))
	past := w.rsaCA.Sub(testpki.RSA, "past", year(-3, -1))
	sub := w.rsaCA.Sub(testpki.RSA, "sub", nil)
	narrow := w.rsaCA.Sub(testpki.RSA, "no further authority", func(c *gm.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	plain := testpki.NewCA(testpki.RSA, "not an authority")
	notCA := w.rsaCA.Sub(testpki.RSA, "not an authority", func(c *gm.Certificate) { c.IsCA = false })
	for _, x := range []struct {
		name        string
		key         sign.Key
		at          time.Time // of verifying; zero: an hour later
		verdict     Verdict
		check, code string
	}{
		{"plain", issue(w.rsaCA, testpki.RSA, nil), time.Time{}, Valid, "signer-validity", "ok"},
		{"below a sub-authority", issue(sub, testpki.RSA, nil), time.Time{}, Valid, "signer-chain", "ok"},
		{"SM2 below a sub-authority", issue(w.sm2CA.Sub(testpki.SM2, "sub", nil), testpki.SM2, nil), time.Time{}, Valid, "signer-chain", "ok"},
		{"SM2 below RSA", issue(w.rsaCA, testpki.SM2, nil), time.Time{}, Valid, "signer-chain", "ok"},
		{"RSA below SM2", issue(w.sm2CA, testpki.RSA, nil), time.Time{}, Valid, "signer-chain", "ok"},
		{"expired since", issue(w.rsaCA, testpki.RSA, year(-1, 1)), noon.AddDate(2, 0, 0), Indeterminate, "time", "time-not-proven"},
		{"expired since, the step", issue(w.rsaCA, testpki.RSA, year(-1, 1)), noon.AddDate(2, 0, 0), Indeterminate, "signer-validity", "expired-since"},
		{"the authority expired since", issue(expired, testpki.RSA, nil), noon.AddDate(2, 0, 0), Indeterminate, "signer-validity", "expired-since"},
		{"expired before", issue(w.rsaCA, testpki.RSA, year(-3, -1)), time.Time{}, Invalid, "signer-validity", "outside-validity"},
		{"not yet valid", issue(w.rsaCA, testpki.RSA, year(1, 3)), noon.AddDate(2, 0, 0), Invalid, "signer-validity", "outside-validity"},
		{"of another root", issue(plain, testpki.RSA, nil), time.Time{}, Indeterminate, "signer-chain", "untrusted"},
		{"of no authority", issue(notCA, testpki.RSA, nil), time.Time{}, Indeterminate, "signer-chain", "untrusted"},
		{"below one authority too many", issue(narrow.Sub(testpki.RSA, "too many", nil), testpki.RSA, nil), time.Time{}, Invalid, "signer-chain", "chain-broken"},
		{"of an authority that expired before", issue(past, testpki.RSA, nil), time.Time{}, Invalid, "signer-chain", "chain-expired"},
		{"for encryption", issue(w.rsaCA, testpki.RSA, usage(x509.KeyUsageKeyEncipherment|x509.KeyUsageDataEncipherment)), time.Time{}, Invalid, "signer-key-usage", "encryption-certificate"},
		{"nonRepudiation alone", issue(w.rsaCA, testpki.RSA, usage(x509.KeyUsageContentCommitment)), time.Time{}, Valid, "signer-key-usage", "ok"},
		{"for everything", issue(w.rsaCA, testpki.RSA, usage(0x1f)), time.Time{}, Valid, "signer-key-usage", "ok"},
		{"for nothing in particular", issue(w.rsaCA, testpki.RSA, usage(0)), time.Time{}, Valid, "signer-key-usage", "no-key-usage"},
	} {
		t.Run(x.name, func(t *testing.T) {
			file := sealFile(t, page(), anyCertificate(t, x.key), pdfx.Options{})
			r := verifyFile(t, w, file, func(o *Options) {
				if !x.at.IsZero() {
					o.At = x.at
				}
			})
			want(t, r, 0, x.verdict, x.check, x.code)
		})
	}
	t.Run("signed in the future", func(t *testing.T) {
		r := verifyFile(t, w, sealFile(t, page(), cmsSigner(t, w.rsa), pdfx.Options{}), func(o *Options) { o.At = noon.Add(-time.Hour) })
		want(t, r, 0, Indeterminate, "time", "time-future")
	})
}

// anyCertificate signs with certificates that packages cms and seal refuse.
func anyCertificate(t *testing.T, key sign.Key) sign.Signer {
	if _, ok := key.Public().(*rsa.PublicKey); ok {
		return rawCMS{key, sign.SHA256, nil}
	}
	return cmsSigner(t, key)
}

// Seals: what the maker, the holder and the dates of a seal must be.
func TestSeal(t *testing.T) {
	w := theWorld()
	ses := func(e *seal.Seal, key sign.Key, when time.Time) []byte {
		return sealFile(t, page(), rawSES{e, key}, pdfx.Options{Now: at(when)})
	}
	dates := func(made, from, to int) *seal.Seal {
		return w.make(func(s *seal.Seal) {
			s.Created, s.NotBefore, s.NotAfter = noon.AddDate(0, made, 0), noon.AddDate(0, from, 0), noon.AddDate(0, to, 0)
		})
	}
	other := w.sm2CA.Issue(testpki.SM2, "别人", nil)
	private, err := sign.ParseOID("1.3.6.1.4.1.1740623164284604419")
	if err != nil {
		t.Fatal(err)
	}
	extended := w.make(func(s *seal.Seal) {
		s.Extensions = []seal.Extension{{ID: private, Critical: true, Value: []byte("{}")}}
	})
	for _, x := range []struct {
		name        string
		file        []byte
		mod         func(*Options)
		verdict     Verdict
		check, code string
	}{
		{"as it should be", ses(w.seal, w.sm2, noon), nil, Valid, "ses-value", "ok"},
		{"a critical extension", ses(extended, w.sm2, noon), nil, Valid, "seal-extensions", "critical-extension"},
		{"a critical extension, by the letter", ses(extended, w.sm2, noon), func(o *Options) { o.Policy = Strict2020 }, Invalid, "seal-extensions", "critical-extension-refused"},
		{"used by another", ses(w.seal, other, noon), nil, Invalid, "seal-holder", "not-holder"},
		{"expired since", ses(dates(-12, -12, 1), w.sm2, noon), func(o *Options) { o.At = noon.AddDate(0, 2, 0) }, Indeterminate, "time", "time-not-proven"},
		{"expired since, the step", ses(dates(-12, -12, 1), w.sm2, noon), func(o *Options) { o.At = noon.AddDate(0, 2, 0) }, Indeterminate, "seal-period", "seal-expired-since"},
		{"expired since, by the letter", ses(dates(-12, -12, 1), w.sm2, noon), func(o *Options) { o.At, o.Policy = noon.AddDate(0, 2, 0), Strict2020 }, Invalid, "seal-period", "seal-expired-now"},
		{"expired before", ses(dates(-12, -12, -1), w.sm2, noon), nil, Invalid, "seal-period", "outside-seal-period"},
		{"not yet begun", ses(dates(1, 1, 12), w.sm2, noon), func(o *Options) { o.At = noon.AddDate(0, 2, 0) }, Invalid, "seal-period", "outside-seal-period"},
		{"used before it was made", ses(dates(1, 1, 12), w.sm2, noon), nil, Invalid, "seal-made", "used-before-made"},
		{"cancelled before", ses(w.seal, w.sm2, noon), states(seal.StatusCancelled, seal.StatusCancelled, nil), Invalid, "seal-state", "not-active"},
		{"cancelled since", ses(w.seal, w.sm2, noon), states(seal.StatusActive, seal.StatusCancelled, nil), Indeterminate, "time", "time-not-proven"},
		{"cancelled since, the step", ses(w.seal, w.sm2, noon), states(seal.StatusActive, seal.StatusCancelled, nil), Indeterminate, "seal-state", "not-active-since"},
		{"active", ses(w.seal, w.sm2, noon), states(seal.StatusActive, seal.StatusActive, nil), Valid, "seal-state", "ok"},
		{"not in the books", ses(w.seal, w.sm2, noon), states(seal.StatusUnknown, seal.StatusUnknown, nil), Indeterminate, "seal-state", "state-unknown"},
		{"books closed since", ses(w.seal, w.sm2, noon), func(o *Options) {
			o.States = stateFunc(func(at time.Time) (seal.Status, error) {
				if at.After(noon) {
					return "", errors.New("no line")
				}
				return seal.StatusActive, nil
			})
		}, Indeterminate, "seal-state", "state-unknown"},
		{"books closed", ses(w.seal, w.sm2, noon), states("", "", errors.New("no line")), Indeterminate, "seal-state", "state-unknown"},
	} {
		t.Run(x.name, func(t *testing.T) { want(t, verifyFile(t, w, x.file, x.mod), 0, x.verdict, x.check, x.code) })
	}
}

type stateFunc func(time.Time) (seal.Status, error)

func (f stateFunc) State(_ context.Context, id string, t time.Time) (seal.Status, error) { return f(t) }

func states(then, now seal.Status, err error) func(*Options) {
	return func(o *Options) {
		o.States = stateFunc(func(t time.Time) (seal.Status, error) {
			if t.After(noon) {
				return now, err
			}
			return then, err
		})
	}
}

// The maker of a seal is judged for the time it was made; by the letter of GB/T 38540-2020, for now.
func TestMaker(t *testing.T) {
	w := theWorld()
	make := func(mod func(*gm.Certificate)) *seal.Seal {
		o := *w
		o.maker = w.sm2CA.Issue(testpki.SM2, "制章者", mod)
		return o.make(nil)
	}
	until := func(months int) func(*gm.Certificate) {
		return func(c *gm.Certificate) { c.NotAfter = noon.AddDate(0, months, 0) }
	}
	for _, x := range []struct {
		name        string
		seal        *seal.Seal
		policy      Policy
		verdict     Verdict
		check, code string
	}{
		{"expired since the seal was made", make(until(-1)), Default, Valid, "maker-validity", "expired-since"},
		{"the same by the letter", make(until(-1)), Strict2020, Invalid, "maker-validity", "outside-validity"},
		{"still valid by the letter", make(nil), Strict2020, Valid, "maker-validity", "ok"},
	} {
		t.Run(x.name, func(t *testing.T) {
			file := sealFile(t, page(), w.stampOf(t, x.seal, sign.SES, noon), visible)
			want(t, verifyFile(t, w, file, func(o *Options) { o.Policy = x.policy }), 0, x.verdict, x.check, x.code)
		})
	}
	t.Run("trusted as a signer only", func(t *testing.T) {
		var roots Roots
		if err := roots.Add(ForSigner, w.sm2CA.Cert.Raw); err != nil {
			t.Fatal(err)
		}
		file := sealFile(t, page(), w.stamp(t, sign.SES, noon), visible)
		r := verifyFile(t, w, file, func(o *Options) { o.Roots = &roots })
		want(t, r, 0, Indeterminate, "maker-chain", "no-roots")
		want(t, r, 0, Indeterminate, "signer-chain", "ok")
	})
}

// Revocation, with CRLs and OCSP responses of every kind of authority.
func TestRevocation(t *testing.T) {
	w := theWorld()
	for _, kind := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P256} {
		t.Run(string(kind), func(t *testing.T) {
			ca := testpki.NewCA(kind, "authority of "+string(kind))
			stranger := testpki.NewCA(kind, "authority of "+string(kind)) // of the same name
			named := func(c *gm.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/1.crl"} }
			key := issue(ca, kind, named)
			cert, err := gm.ParseCertificate(key.Chain()[0])
			if err != nil {
				t.Fatal(err)
			}
			file := sealFile(t, page(), cmsSigner(t, key), pdfx.Options{})
			roots, _ := NewRoots(ca.Cert.Raw)
			crl := func(ca *testpki.CA, from, to time.Time, at ...time.Time) []byte {
				l := &smx509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: to}
				for _, a := range at {
					l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, smx509.RevocationListEntry{SerialNumber: cert.SerialNumber, RevocationTime: a})
				}
				b, err := smx509.CreateRevocationList(reader, l, ca.Cert, ca.Key)
				if err != nil {
					t.Fatal(err)
				}
				return b
			}
			answers := func(c *gm.Certificate) {
				c.IsCA, c.ExtKeyUsage = false, []smx509.ExtKeyUsage{smx509.ExtKeyUsageOCSPSigning}
			}
			responder, somebody := ca.Sub(kind, "responder", answers), ca.Sub(kind, "somebody", nil)
			old := ca.Sub(kind, "old", func(c *gm.Certificate) { answers(c); c.NotAfter = noon.AddDate(-1, 0, 0) })
			day := func(n int) time.Time { return noon.AddDate(0, 0, n) }
			for _, x := range []struct {
				name        string
				crls, ocsps [][]byte
				verdict     Verdict
				check, code string
			}{
				{"nothing given", nil, nil, Indeterminate, "signer-revocation", "not-given"},
				{"good", [][]byte{crl(ca, day(-1), day(1))}, nil, Valid, "signer-revocation", "ok"},
				{"revoked before", [][]byte{crl(ca, day(-1), day(1), day(-2))}, nil, Invalid, "signer-revocation", "revoked"},
				{"revoked after", [][]byte{crl(ca, day(-1), day(1), noon.Add(time.Minute))}, nil, Indeterminate, "time", "time-not-proven"},
				{"revoked after, the step", [][]byte{crl(ca, day(-1), day(1), noon.Add(time.Minute))}, nil, Indeterminate, "signer-revocation", "revoked-later"},
				{"out of date", [][]byte{crl(ca, day(-9), day(-1))}, nil, Indeterminate, "signer-revocation", "not-usable"},
				{"out of date, revoked", [][]byte{crl(ca, day(-9), day(-1), day(-10))}, nil, Invalid, "signer-revocation", "revoked"},
				{"of a stranger", [][]byte{crl(stranger, day(-1), day(1))}, nil, Indeterminate, "signer-revocation", "not-usable"},
				{"revoked by a stranger", [][]byte{crl(stranger, day(-1), day(1), day(-2))}, nil, Indeterminate, "signer-revocation", "not-usable"},
				{"garbage", [][]byte{[]byte("no CRL")}, [][]byte{{0x30, 0}}, Indeterminate, "signer-revocation", "not-given"},
				{"OCSP good", nil, [][]byte{ocsp(t, ca, nil, cert, 0, noon, noon)}, Valid, "signer-revocation", "ok"},
				{"OCSP revoked", nil, [][]byte{ocsp(t, ca, nil, cert, 1, day(-2), noon)}, Invalid, "signer-revocation", "revoked"},
				{"OCSP revoked after", nil, [][]byte{ocsp(t, ca, nil, cert, 1, noon.Add(time.Minute), noon)}, Indeterminate, "signer-revocation", "revoked-later"},
				{"OCSP unknown", nil, [][]byte{ocsp(t, ca, nil, cert, 2, noon, noon)}, Indeterminate, "signer-revocation", "not-usable"},
				{"OCSP of a stranger", nil, [][]byte{ocsp(t, stranger, nil, cert, 0, noon, noon)}, Indeterminate, "signer-revocation", "not-given"},
				{"OCSP long ago", nil, [][]byte{ocsp(t, ca, nil, cert, 0, noon, day(-30))}, Indeterminate, "signer-revocation", "not-usable"},
				{"OCSP of a responder", nil, [][]byte{ocsp(t, ca, responder, cert, 0, noon, noon)}, Valid, "signer-revocation", "ok"},
				{"OCSP of an old responder", nil, [][]byte{ocsp(t, ca, old, cert, 0, noon, noon)}, Indeterminate, "signer-revocation", "not-usable"},
				{"OCSP of somebody else", nil, [][]byte{ocsp(t, ca, somebody, cert, 0, noon, noon)}, Indeterminate, "signer-revocation", "not-usable"},
				{"good and revoked", [][]byte{crl(ca, day(-1), day(1))}, [][]byte{ocsp(t, ca, nil, cert, 1, day(-2), noon)}, Invalid, "signer-revocation", "revoked"},
			} {
				t.Run(x.name, func(t *testing.T) {
					r := verifyFile(t, w, file, func(o *Options) { o.Roots, o.CRLs, o.OCSPs = roots, x.crls, x.ocsps })
					want(t, r, 0, x.verdict, x.check, x.code)
				})
			}
		})
	}
}

// ocsp writes an OCSPResponse, signed by a responder (nil: the authority itself), with encoding/asn1: nothing of the code under test.
func ocsp(t testing.TB, ca, by *testpki.CA, cert *gm.Certificate, status int, revoked, this time.Time) []byte {
	t.Helper()
	return ocspFor(t, ca, by, cert, status, 0, revoked, this)
}

// ocspFor gives a reason of the revocation too; 0: none; -1: that none is given (unspecified).
func ocspFor(t testing.TB, ca, by *testpki.CA, cert *gm.Certificate, status, reason int, revoked, this time.Time) []byte {
	t.Helper()
	type certID struct {
		Hash                      pkix.AlgorithmIdentifier
		IssuerNameHash, IssuerKey []byte
		Serial                    *big.Int
	}
	type single struct {
		ID         certID
		Status     asn1.RawValue
		ThisUpdate time.Time `asn1:"generalized"`
	}
	type data struct {
		Responder asn1.RawValue
		Produced  time.Time `asn1:"generalized"`
		Responses []single
	}
	type basic struct {
		Data      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
		Certs     []asn1.RawValue `asn1:"optional,explicit,tag:0"`
	}
	type responseBytes struct {
		Type     asn1.ObjectIdentifier
		Response []byte
	}
	type response struct {
		Status asn1.Enumerated
		Bytes  responseBytes `asn1:"explicit,tag:0"`
	}
	marshal := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(ca.Cert.RawSubjectPublicKeyInfo, &spki); err != nil {
		t.Fatal(err)
	}
	s := asn1.RawValue{Class: 2, Tag: status}
	if status == 1 {
		type info struct {
			At     time.Time     `asn1:"generalized"`
			Reason asn1.RawValue `asn1:"optional"`
		}
		s.IsCompound = true
		i := info{At: revoked.UTC()}
		if reason != 0 {
			i.Reason = asn1.RawValue{Class: 2, IsCompound: true, Bytes: []byte{0x0a, 1, byte(max(reason, 0))}}
		}
		b := marshal(i)
		s.Bytes = b[2:] // [1] IMPLICIT RevokedInfo
	}
	tbs := marshal(data{
		Responder: asn1.RawValue{Class: 2, Tag: 1, IsCompound: true, Bytes: ca.Cert.RawSubject},
		Produced:  this.UTC(),
		Responses: []single{{certID{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}},
			sign.SHA256.Sum(cert.RawIssuer), sign.SHA256.Sum(spki.Key.Bytes), cert.SerialNumber}, s, this.UTC()}},
	})
	var certs []asn1.RawValue
	if by != nil {
		certs = []asn1.RawValue{{FullBytes: by.Cert.Raw}}
	} else {
		by = ca
	}
	scheme, err := sign.SchemeFor(by.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	sig, err := scheme.Sign(context.Background(), newKey(by.Key), tbs)
	if err != nil {
		t.Fatal(err)
	}
	oid := map[sign.Kind]asn1.ObjectIdentifier{sign.SM2: {1, 2, 156, 10197, 1, 501}, sign.RSA: {1, 2, 840, 113549, 1, 1, 11}, sign.ECDSA: {1, 2, 840, 10045, 4, 3, 2}}[scheme.Kind]
	b := marshal(basic{asn1.RawValue{FullBytes: tbs}, pkix.AlgorithmIdentifier{Algorithm: oid}, asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}, certs})
	return marshal(response{0, responseBytes{asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}, b}})
}

// The lists inside a CMS speak for it, and are not looked through for every other signature of the file.
func TestListsInsideACMS(t *testing.T) {
	w := theWorld()
	key := issue(w.rsaCA, testpki.RSA, func(c *gm.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/1.crl"} })
	list := crlOf(t, w.rsaCA, key, noon, noon.AddDate(0, 0, 1), time.Time{}, 0)
	with := rawCMS{key, sign.SHA256, func(p *cmsParts) { p.crls = [][]byte{list} }}
	file := sealFile(t, page(), with, pdfx.Options{})
	file = sealFile(t, file, rawCMS{key, sign.SHA256, nil}, pdfx.Options{})
	r := verifyFile(t, w, file, nil)
	want(t, r, 0, Valid, "signer-revocation", "ok")
	want(t, r, 1, Indeterminate, "signer-revocation", "not-given")
}

func TestWeakAlgorithms(t *testing.T) {
	w := theWorld()
	short := issue(w.rsaCA, testpki.RSA1024, nil)
	r := verifyFile(t, w, sealFile(t, page(), rawCMS{short, sign.SHA256, nil}, pdfx.Options{}), nil)
	want(t, r, 0, Invalid, "signer-algorithm", "weak-key")
	r = verifyFile(t, w, sealFile(t, page(), rawCMS{w.rsa, sign.SHA1, nil}, pdfx.Options{}), nil)
	want(t, r, 0, Invalid, "signer-algorithm", "weak-hash")
}

// SM2 goes with SM3; and keys of a kind that is not known here.
func TestOtherAlgorithms(t *testing.T) {
	w := theWorld()
	r := verifyFile(t, w, sealFile(t, page(), rawCMS{w.sm2, sign.SHA256, nil}, pdfx.Options{}), nil)
	want(t, r, 0, Invalid, "signer-algorithm", "hash-mismatch")
	public, _, err := ed25519.GenerateKey(reader)
	if err != nil {
		t.Fatal(err)
	}
	r = verifyFile(t, w, sealFile(t, page(), rawCMS{keyWith(w.rsa, w.rsaCA.Certify(public, "Ed25519", nil)), sign.SHA256, nil}, pdfx.Options{}), nil)
	want(t, r, 0, Invalid, "signer-algorithm", "unknown-key")
}

func TestPicture(t *testing.T) {
	w := theWorld()
	for _, f := range formats {
		s := w.stamp(t, f, noon)
		blue := picture(color.NRGBA{0, 0, 220, 255})
		r := verifyFile(t, w, sealFile(t, page(), otherPicture{s, &blue}, visible), nil)
		want(t, r, 0, Invalid, "picture", "picture-differs")
		r = verifyFile(t, w, sealFile(t, page(), s, pdfx.Options{}), nil)
		want(t, r, 0, Valid, "picture", "invisible")
	}
	red := w.seal.Picture
	unreadable := handmade{gen: seal.V4, picture: []byte("no picture")}
	r := verifyFile(t, w, sealFile(t, page(), otherPicture{unreadable, &red}, visible), nil)
	want(t, r, 0, Valid, "picture", "picture-unreadable")
}

// otherPicture shows another picture than the one in the seal.
type otherPicture struct {
	sign.Signer
	p *sign.Picture
}

func (o otherPicture) Profile() sign.Profile {
	p := o.Signer.Profile()
	p.Picture = o.p
	return p
}

func TestEncryptedFile(t *testing.T) {
	w := theWorld()
	for _, password := range []string{"", "geheim"} {
		file := encrypt(t, page(), password)
		sealed := sealFile(t, file, w.stamp(t, sign.Dual, noon), pdfx.Options{At: visible.At, Password: []byte(password)})
		twice := sealFile(t, sealed, w.stamp(t, sign.CMS, noon), pdfx.Options{At: visible.At, Password: []byte(password)})
		r := verifyFile(t, w, twice, func(o *Options) { o.Password = []byte(password) })
		want(t, r, 0, Valid, "pdf-later", "later-signatures")
		want(t, r, 1, Valid, "pdf-later", "ok")
		if _, err := Document(context.Background(), bytes.NewReader(twice), int64(len(twice)), Options{Password: []byte("wrong")}); !errors.Is(err, pdfx.ErrPassword) {
			t.Errorf("password %q: %v", password, err)
		}
	}
}
