package verify

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// Tests of dates give an algorithm half an hour after noon; documents are signed at noon and verified an hour later.
var limit = noon.Add(30 * time.Minute)

func ends(name string, bits int) func(*Options) {
	return func(o *Options) { o.Algorithms = append(o.Algorithms, Algorithm{name, bits, limit}) }
}

func stampedCMS(t testing.TB, key sign.Key, by sign.Timestamper) sign.Signer {
	t.Helper()
	s, err := cms.New(key, cms.Options{TSA: by})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Wherever an algorithm protects, its date counts: what hangs on it is invalid once it has ended, whatever time is claimed, and good where
// a time stamp from before proves that it is older.
func TestAlgorithmsEnd(t *testing.T) {
	w := theWorld()
	sm2, rsa := tsaKeys().sm2, tsaKeys().rsa
	p256 := w.sm2CA.Issue(testpki.P256, "P-256", nil)
	pdf := func(s func(by sign.Timestamper) sign.Signer) func(by sign.Timestamper) []byte {
		return func(by sign.Timestamper) []byte { return sealFile(t, page(), s(by), pdfx.Options{}) }
	}
	bare := func(key sign.Key) func(by sign.Timestamper) []byte {
		return pdf(func(by sign.Timestamper) sign.Signer { return stampedCMS(t, key, by) })
	}
	sealedAs := func(key sign.Key, f sign.Format) func(by sign.Timestamper) []byte {
		return pdf(func(by sign.Timestamper) sign.Signer { return stamped(t, w.seal, key, f, noon, by) })
	}
	word := func(key sign.Key, f sign.Format) func(by sign.Timestamper) []byte {
		return func(by sign.Timestamper) []byte {
			return sealDocx(t, docx(t), stamped(t, w.seal, key, f, noon, by), officex.Options{})
		}
	}
	// anew puts the stamp there afterwards, with a hash that does not end, where signers take that of the signature.
	other := func(by sign.Timestamper) clockwork {
		c := by.(clockwork)
		c.hash = sign.SHA512
		return c
	}
	anew := func(file func(by sign.Timestamper) []byte) func(by sign.Timestamper) []byte {
		return func(by sign.Timestamper) []byte {
			if by == nil {
				return file(nil)
			}
			return restamped(t, file(by), func(m []byte) [][]byte { return [][]byte{other(by).token(m)} })
		}
	}
	wordAnew := func(by sign.Timestamper) []byte {
		file := word(w.rsa, sign.CMS)(nil)
		if by == nil {
			return file
		}
		text := contentOf(t, file, "_xmlsignatures/sig1.xml")
		_, value, _ := strings.Cut(text, "<SignatureValue>")
		value, _, _ = strings.Cut(value, "</SignatureValue>")
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			t.Fatal(err)
		}
		return stampedOffice(t, file, other(by).token(xmldsig.SignatureValue(raw)))
	}
	for _, x := range []struct {
		name   string
		file   func(by sign.Timestamper) []byte
		tsa    sign.Key // whose algorithms do not end
		ends   func(*Options)
		checks string // that say so
	}{
		{"hash of a CMS", anew(bare(w.rsa)), sm2, ends("SHA-256", 0), "signer-algorithm/weak-hash signer-chain/chain-weak"},
		{"RSA key of a CMS", bare(w.rsa), sm2, ends("RSA", 2048), "signer-algorithm/weak-key signer-chain/chain-weak"},
		{"RSA keys from now on longer", bare(w.rsa), sm2, ends("RSA", 1536), ""},
		{"ECDSA key of a CMS", bare(p256), rsa, ends("ECDSA", 256), "signer-algorithm/weak-key"},
		{"SM3 of a seal signature", anew(sealedAs(w.sm2, sign.SES)), rsa, ends("SM3", 0), "signer-algorithm/weak-hash signer-chain/chain-weak maker-algorithm/weak-hash maker-chain/chain-weak"},
		{"SM2 of a seal in a CMS", sealedAs(w.rsa, sign.CMS), rsa, ends("SM2", 0), "maker-algorithm/weak-key maker-chain/chain-weak"},
		{"SM2 inside a dual", sealedAs(w.sm2, sign.Dual), rsa, ends("SM2", 0), "inner-algorithm/weak-key inner-chain/chain-weak maker-algorithm/weak-key"},
		{"RSA around a dual", sealedAs(w.sm2, sign.Dual), sm2, ends("RSA", 2048), "signer-algorithm/weak-key signer-chain/chain-weak"},
		{"hash of a Word signature", wordAnew, sm2, ends("SHA-256", 0), "signer-algorithm/weak-hash signer-chain/chain-weak"},
		{"RSA key of a Word signature", word(w.rsa, sign.CMS), sm2, ends("RSA", 2048), "signer-algorithm/weak-key signer-chain/chain-weak"},
		{"SM2 of a Word seal", word(w.sm2, sign.SES), rsa, ends("SM2", 0), "signer-algorithm/weak-key maker-algorithm/weak-key"},
	} {
		for _, y := range []struct {
			name string
			by   time.Time // of the time stamp; zero: none
			at   time.Time // of verifying
			good bool
		}{
			{"not ended yet", time.Time{}, limit, true},
			{"claimed", time.Time{}, noon.Add(time.Hour), false},
			{"stamped before", noon.Add(time.Minute), noon.Add(time.Hour), true},
			{"stamped after", limit.Add(time.Second), noon.Add(time.Hour), false},
		} {
			t.Run(x.name+", "+y.name, func(t *testing.T) {
				var by sign.Timestamper
				if !y.by.IsZero() {
					by = clockwork{key: x.tsa, at: y.by}
				}
				r := verifyFile(t, w, x.file(by), func(o *Options) { o.At = y.at; x.ends(o) })
				wanted := Valid
				if !y.good && x.checks != "" {
					wanted = Invalid
				}
				if r.Verdict != wanted || !strings.Contains(r.String(), "algorithm-dates") {
					t.Errorf("%s, not %s\n%s", r.Verdict, wanted, r)
				}
				for _, check := range strings.Fields(x.checks) {
					name, code, _ := strings.Cut(check, "/")
					switch {
					case y.by.IsZero() && y.good:
						code = codeOK
					case y.good && name[len(name)-5:] == "chain":
						code = "chain-weak-then-good"
					case y.good:
						code = "weak-then-good"
					}
					if c := r.Signatures[0].Check(name); c.Code != code {
						t.Errorf("%s is %q, not %q\n%s", name, c.Code, code, r)
					}
				}
			})
		}
	}
}

// The books prove as a time stamp does.
func TestAlgorithmsEndAndTheBooks(t *testing.T) {
	w := theWorld()
	file := sealFile(t, page(), w.stamp(t, sign.SES, noon), visible)
	for entered, verdict := range map[time.Time]Verdict{noon: Valid, limit: Valid, limit.Add(time.Second): Invalid} {
		r := verifyFile(t, w, file, func(o *Options) {
			o.Sealings = &sealingBooks{all: seal.SealingState{Entered: entered}}
			ends("SM3", 0)(o)
		})
		if r.Verdict != verdict {
			t.Errorf("entered at %s: %s\n%s", entered, r.Verdict, r)
		}
	}
}

// A time stamp hangs on algorithms too, and what it says of its own time is no proof for it: only a stamp around it is.
func TestAlgorithmsOfStampsEnd(t *testing.T) {
	w := theWorld()
	early := noon.Add(time.Minute)
	weakTSA := clockwork{key: w.sm2CA.Issue(testpki.RSA1024, "TSA", testpki.TimeStamping), at: early}
	below := w.rsaCA.Sub(testpki.RSA, "TSA authority", func(c *gm.Certificate) { c.SignatureAlgorithm = smx509.SHA1WithRSA })
	for _, x := range []struct {
		name             string
		tsa              clockwork
		ends             func(*Options)
		check, bad, good string
	}{
		{"key", clockwork{key: tsaKeys().rsa, at: early}, ends("RSA", 2048), "tsa-algorithm", "weak-key", "weak-then-good"},
		{"imprint", clockwork{key: tsaKeys().sm2, at: early, hash: sign.SHA1}, ends("SHA-1", 0), "token-imprint", "imprint-weak", "imprint-weak-then-good"},
		{"imprint, MD5", clockwork{key: tsaKeys().sm2, at: early, hash: sign.MD5}, ends("MD5", 0), "token-imprint", "imprint-weak", "imprint-weak-then-good"},
		{"short key", weakTSA, ends("RSA", 1024), "tsa-algorithm", "weak-key", "weak-then-good"},
		{"certificate of the authority", clockwork{key: below.Issue(testpki.RSA, "TSA", testpki.TimeStamping), at: early}, ends("SHA-1", 0), "tsa-chain", "chain-weak", "chain-weak-then-good"},
	} {
		for _, f := range []sign.Format{sign.SES, sign.CMS} {
			t.Run(x.name+", "+string(f), func(t *testing.T) {
				file := restamped(t, sealFile(t, page(), stamped(t, w.seal, w.sm2, f, noon, tsa(noon)), visible), func(m []byte) [][]byte {
					return [][]byte{rawToken(t, x.tsa, m)}
				})
				for when, code := range map[time.Time]string{{}: x.bad, limit: x.good, limit.Add(time.Second): x.bad} {
					whole := file
					if !when.IsZero() {
						whole = dated(t, file, tsa(when))
					}
					r := verifyFile(t, w, whole, x.ends)
					s := r.Signatures[0]
					if len(s.Stamps) != 1 {
						t.Fatalf("%s", r)
					}
					inside := Signature{Checks: s.Stamps[0].Checks}
					if c := inside.Check(x.check); c.Code != code {
						t.Errorf("stamped around at %s: %+v\n%s", when, c, r)
					}
					if good := code == x.good; good != (s.Stamps[0].Verdict == Valid) || good != s.Proven.Equal(early) {
						t.Errorf("stamped around at %s: the stamp is %s, proven %s\n%s", when, s.Stamps[0].Verdict, s.Proven, r)
					}
				}
			})
		}
	}
}

// RFC 3161 4 speaks of authorities with keys of any kind: those whose chains another library builds too.
func TestRevokedAuthorityWithRSA(t *testing.T) {
	w := theWorld()
	key := w.rsaCA.Issue(testpki.RSA, "TSA", func(c *gm.Certificate) {
		testpki.TimeStamping(c)
		c.CRLDistributionPoints = []string{"http://crl.example/1.crl"}
	})
	file := sealFile(t, page(), stamped(t, w.seal, w.sm2, sign.SES, noon, clockwork{key: key, at: noon}), visible)
	for reason, code := range map[int]string{1: "revoked-authority", 4: "revoked-later"} {
		r := verifyFile(t, w, file, func(o *Options) {
			o.CRLs = [][]byte{crlOf(t, w.rsaCA, key, noon, noon.AddDate(0, 0, 1), noon.Add(time.Minute), reason)}
		})
		inside := Signature{Checks: r.Signatures[0].Stamps[0].Checks}
		if good := code == "revoked-later"; inside.Check("tsa-revocation").Code != code || good != (r.Verdict == Valid) {
			t.Errorf("reason %d: %s", reason, r)
		}
	}
}

// rawToken is a token also of keys that package cms does not sign with.
func rawToken(t testing.TB, c clockwork, message []byte) []byte {
	if k, ok := c.key.Public().(*rsa.PublicKey); !ok || k.N.BitLen() >= 2048 {
		return c.token(message)
	}
	info, err := tstInfo(c, message)
	if err != nil {
		t.Fatal(err)
	}
	v, err := rawCMS{c.key, sign.SHA256, func(p *cmsParts) {
		p.eContent, p.content, p.contentType, p.digest = oidTSTInfo, info, []byte(oidTSTInfo), sign.SHA256.Sum(info)
	}}.Sign(context.Background(), &sign.Act{Content: sign.Sums{}})
	if err != nil {
		t.Fatal(err)
	}
	return v[0].Bytes
}

// tstInfo is what an authority of another key says.
func tstInfo(c clockwork, message []byte) ([]byte, error) {
	c.key = tsaKeys().sm2
	sd, err := cms.Parse(c.token(message))
	if err != nil {
		return nil, err
	}
	return sd.EContent, nil
}

// certifiedWith signs a certificate again, with RSA and a hash that nobody signs certificates with any more.
func certifiedWith(t testing.TB, ca *testpki.CA, cert []byte, h sign.Hash) []byte {
	t.Helper()
	oid := map[sign.Hash]byte{sign.MD5: 4, sign.SHA1: 5}[h]
	old, now := []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), append([]byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01"), oid)
	parts := children(t, cert)
	tbs := bytes.Replace(parts[0], old, now, 1)
	if bytes.Equal(tbs, parts[0]) {
		t.Fatal("the certificate is not signed with RSA and SHA-256")
	}
	value, err := rsa.SignPKCS1v15(reader, ca.Key.(*rsa.PrivateKey), h.Crypto(), h.Sum(tbs))
	if err != nil {
		t.Fatal(err)
	}
	return element(0x30, tbs, bytes.Replace(parts[1], old, now, 1), element(0x03, []byte{0}, value))
}

// A certificate signed with MD5 or SHA-1, or with a short key, is called weak wherever it stands in a chain, and not a stranger's.
func TestWeakCertificates(t *testing.T) {
	w := theWorld()
	leafWith := func(ca *testpki.CA, h sign.Hash) sign.Key {
		k, chain := ca.IssueSigner(testpki.RSA, "签名人", nil)
		return newKey(k, append([][]byte{certifiedWith(t, ca, chain[0], h)}, chain[1:]...)...)
	}
	sha1 := func(c *gm.Certificate) { c.SignatureAlgorithm = smx509.SHA1WithRSA }
	subSHA1 := w.rsaCA.Sub(testpki.RSA, "old authority", sha1)
	shortSub := w.rsaCA.Sub(testpki.RSA1024, "short authority", nil)
	ecc := testpki.NewCA(testpki.P256, "ECC root")
	sm2Short := w.sm2CA.Sub(testpki.RSA1024, "short below SM2", nil)
	damaged := func(k sign.Key) sign.Key {
		chain := slices.Clone(k.Chain())
		chain[0] = changed(chain[0], len(chain[0])-9, 1)
		return keyWith(k, chain...)
	}
	other := testpki.NewCA(testpki.RSA, "RSA Root") // of the name of ours
	for _, x := range []struct {
		name  string
		key   sign.Key
		roots *testpki.CA
		code  string
		says  string
	}{
		{"SHA-1", leafWith(w.rsaCA, sign.SHA1), nil, "chain-weak", "SHA-1"},
		{"MD5", leafWith(w.rsaCA, sign.MD5), nil, "chain-weak", "MD5"},
		{"SHA-1 with ECDSA", issue(ecc, testpki.P256, func(c *gm.Certificate) { c.SignatureAlgorithm = smx509.ECDSAWithSHA1 }), ecc, "chain-weak", "SHA-1"},
		{"SHA-1 of an authority", issue(subSHA1, testpki.RSA, nil), nil, "chain-weak", "old authority"},
		{"SHA-1 twice", leafWith(subSHA1, sign.SHA1), nil, "chain-weak", "SHA-1"},
		{"short key of an authority", issue(shortSub, testpki.RSA, nil), nil, "chain-weak", "RSA 1024"},
		{"short key below SM2", issue(sm2Short, testpki.RSA, nil), nil, "chain-weak", "RSA 1024"},
		{"SM2 below SHA-1", issue(subSHA1, testpki.SM2, nil), nil, "chain-weak", "old authority"},
		{"of a stranger of the same name", leafWith(other, sign.SHA1), nil, "untrusted", "RSA Root"},
		{"damaged", damaged(leafWith(w.rsaCA, sign.MD5)), nil, "untrusted", "RSA Root"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := verifyFile(t, w, sealFile(t, page(), anyCertificate(t, x.key), pdfx.Options{}), func(o *Options) {
				if x.roots != nil {
					o.Roots, _ = NewRoots(x.roots.Cert.Raw)
				}
			})
			v := Invalid
			if x.code == "untrusted" {
				v = Indeterminate
			}
			want(t, r, 0, v, "signer-chain", x.code)
			if c := r.Signatures[0].Check("signer-chain"); !strings.Contains(c.Detail.EN, x.says) {
				t.Errorf("%s", c.Detail)
			}
		})
	}
	t.Run("of a maker", func(t *testing.T) {
		o := *w
		k, chain := w.rsaCA.IssueSigner(testpki.RSA, "制章者", nil)
		o.maker = newKey(k, certifiedWith(t, w.rsaCA, chain[0], sign.SHA1))
		r := verifyFile(t, w, sealFile(t, page(), handmade{gen: seal.V1, maker: o.maker, makerOf: rsa256}, pdfx.Options{}), nil)
		want(t, r, 0, Invalid, "maker-chain", "chain-weak")
	})
	t.Run("beside a sound one", func(t *testing.T) { // the same authority certified twice
		again := w.rsaCA.Certify(subSHA1.Key.Public(), "old authority", func(c *gm.Certificate) {
			c.Subject, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = subSHA1.Cert.Subject, true, true, smx509.KeyUsageCertSign
		})
		r := verifyFile(t, w, sealFile(t, page(), anyCertificate(t, issue(subSHA1, testpki.RSA, nil)), pdfx.Options{}), func(o *Options) { o.Certificates = [][]byte{again} })
		want(t, r, 0, Valid, "signer-chain", "ok")
	})
}

// keyWith is a key with other certificates.
func keyWith(k sign.Key, chain ...[]byte) sign.Key { return otherChain{k, chain} }

type otherChain struct {
	sign.Key
	chain [][]byte
}

func (o otherChain) Chain() [][]byte { return o.chain }

// The rules of RFC 5280 hold in a chain that only this package can follow.
func TestWeakChainsKeepTheRules(t *testing.T) {
	w := theWorld()
	sub := func(mod func(*gm.Certificate)) *testpki.CA {
		return w.rsaCA.Sub(testpki.RSA, "old authority", func(c *gm.Certificate) {
			c.SignatureAlgorithm = smx509.SHA1WithRSA
			if mod != nil {
				mod(c)
			}
		})
	}
	constraints, err := asn1.Marshal(struct {
		Permitted []struct{ Base asn1.RawValue } `asn1:"tag:0"`
	}{[]struct{ Base asn1.RawValue }{{asn1.RawValue{Class: 2, Tag: 2, Bytes: []byte("example.com")}}}})
	if err != nil {
		t.Fatal(err)
	}
	extension := func(id asn1.ObjectIdentifier, value []byte) func(*gm.Certificate) {
		return func(c *gm.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Critical: true, Value: value})
		}
	}
	for _, x := range []struct {
		name, code string
		ca         *testpki.CA
	}{
		{"sound but for the hash", "chain-weak", sub(nil)},
		{"below one authority too many", "chain-broken", sub(func(c *gm.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true }).Sub(testpki.RSA, "too many", nil)},
		{"as many authorities as allowed", "chain-weak", sub(func(c *gm.Certificate) { c.MaxPathLen = 1 }).Sub(testpki.RSA, "one", nil)},
		{"expired before", "chain-expired", sub(func(c *gm.Certificate) { c.NotAfter = noon.AddDate(-1, 0, 0) })},
		{"not an authority", "untrusted", sub(func(c *gm.Certificate) { c.IsCA = false })},
		{"may not sign certificates", "untrusted", sub(func(c *gm.Certificate) { c.KeyUsage = smx509.KeyUsageDigitalSignature })},
		{"names constrained", "chain-broken", sub(extension(asn1.ObjectIdentifier{2, 5, 29, 30}, constraints))},
		{"unknown critical extension", "chain-broken", sub(extension(asn1.ObjectIdentifier{1, 2, 3, 4}, []byte{5, 0}))},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := verifyFile(t, w, sealFile(t, page(), anyCertificate(t, issue(x.ca, testpki.RSA, nil)), pdfx.Options{}), nil)
			if c := r.Signatures[0].Check("signer-chain"); c.Code != x.code || r.Verdict == Valid {
				t.Errorf("%+v\n%s", c, r)
			}
		})
	}
}

// What proves a certificate to be old is what has it inside: a stamp over the value of a CMS the certificate that the CMS names, one over
// the file those that it carries, and nothing one that was given beside it.
func TestWhatProvesACertificate(t *testing.T) {
	w := theWorld()
	early := noon.Add(time.Minute)
	sub := w.rsaCA.Sub(testpki.RSA, "old authority", func(c *gm.Certificate) { c.SignatureAlgorithm = smx509.SHA1WithRSA })
	leaf := issue(w.rsaCA, testpki.RSA, func(c *gm.Certificate) { c.SignatureAlgorithm = smx509.SHA1WithRSA })
	below := issue(sub, testpki.RSA, nil)
	alone := keyWith(below, below.Chain()[0])
	stamp := func(file []byte) []byte {
		return restamped(t, file, func(m []byte) [][]byte { return [][]byte{tsa(early).token(m)} })
	}
	unnamed := func(p *cmsParts) { p.certHash = nil }
	for _, x := range []struct {
		name string
		file []byte
		mod  func(*Options)
		good bool
	}{
		{"named, stamped", stamp(sealFile(t, page(), rawCMS{leaf, sign.SHA256, nil}, pdfx.Options{})), nil, true},
		{"not named, stamped", stamp(sealFile(t, page(), rawCMS{leaf, sign.SHA256, unnamed}, pdfx.Options{SubFilter: "adbe.pkcs7.detached"})), nil, false},
		{"not named, dated", dated(t, sealFile(t, page(), rawCMS{leaf, sign.SHA256, unnamed}, pdfx.Options{SubFilter: "adbe.pkcs7.detached"}), tsa(early)), nil, true},
		{"of an authority, stamped", stamp(sealFile(t, page(), rawCMS{below, sign.SHA256, nil}, pdfx.Options{})), nil, false},
		{"of an authority, dated", dated(t, sealFile(t, page(), rawCMS{below, sign.SHA256, nil}, pdfx.Options{}), tsa(early)), nil, true},
		{"of an authority, in the books", sealFile(t, page(), rawCMS{below, sign.SHA256, nil}, pdfx.Options{}), func(o *Options) {
			o.Sealings = &sealingBooks{all: seal.SealingState{Entered: early}}
		}, true},
		{"of an authority, beside", dated(t, sealFile(t, page(), rawCMS{alone, sign.SHA256, nil}, pdfx.Options{}), tsa(early)), func(o *Options) {
			o.Certificates = [][]byte{sub.Cert.Raw}
		}, false},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := verifyFile(t, w, x.file, func(o *Options) {
				ends("SHA-1", 0)(o)
				if x.mod != nil {
					x.mod(o)
				}
			})
			if x.good {
				want(t, r, 0, Valid, "signer-chain", "chain-weak-then-good")
			} else {
				want(t, r, 0, Invalid, "signer-chain", "chain-weak")
			}
		})
	}
}

// A CRL or OCSP response that protects no more can still say that a certificate is revoked, and not that it is not.
func TestWeakRevocation(t *testing.T) {
	w := theWorld()
	key := issue(w.rsaCA, testpki.RSA, func(c *gm.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/1.crl"} })
	cert, err := gm.ParseCertificate(key.Chain()[0])
	if err != nil {
		t.Fatal(err)
	}
	list := func(revoked bool) []byte {
		l := &smx509.RevocationList{Number: big.NewInt(1), ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 1), SignatureAlgorithm: smx509.SHA1WithRSA}
		if revoked {
			l.RevokedCertificateEntries = []smx509.RevocationListEntry{{SerialNumber: cert.SerialNumber, RevocationTime: noon.AddDate(0, 0, -1)}}
		}
		b, err := smx509.CreateRevocationList(reader, l, w.rsaCA.Cert, w.rsaCA.Key)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	strong := crlOf(t, w.rsaCA, key, noon, noon.AddDate(0, 0, 1), time.Time{}, 0)
	short := w.rsaCA.Sub(testpki.RSA1024, "responder", func(c *gm.Certificate) {
		c.IsCA, c.ExtKeyUsage = false, []smx509.ExtKeyUsage{smx509.ExtKeyUsageOCSPSigning}
	})
	old := w.rsaCA.Sub(testpki.RSA, "responder", func(c *gm.Certificate) {
		c.IsCA, c.ExtKeyUsage, c.SignatureAlgorithm = false, []smx509.ExtKeyUsage{smx509.ExtKeyUsageOCSPSigning}, smx509.SHA1WithRSA
	})
	carrying := func(l []byte) sign.Signer {
		return rawCMS{key, sign.SHA256, func(p *cmsParts) { p.crls = [][]byte{l} }}
	}
	plain := sealFile(t, page(), rawCMS{key, sign.SHA256, nil}, pdfx.Options{})
	for _, x := range []struct {
		name        string
		file        []byte
		crls, ocsps [][]byte
		mod         func(*Options)
		verdict     Verdict
		code        string
	}{
		{"CRL", plain, [][]byte{list(false)}, nil, nil, Indeterminate, "not-usable"},
		{"CRL, revoked", plain, [][]byte{list(true)}, nil, nil, Invalid, "revoked"},
		{"CRL beside a sound one", plain, [][]byte{list(false), strong}, nil, nil, Valid, "ok"},
		{"CRL before the end", plain, [][]byte{list(false)}, nil, func(o *Options) { o.At, o.Algorithms = limit, []Algorithm{{"SHA-1", 0, limit}} }, Valid, "ok"},
		{"CRL carried", sealFile(t, page(), carrying(list(false)), pdfx.Options{}), nil, nil, ends("SHA-1", 0), Indeterminate, "not-usable"},
		{"CRL carried and dated", dated(t, sealFile(t, page(), carrying(list(false)), pdfx.Options{}), tsa(noon)), nil, nil, ends("SHA-1", 0), Valid, "ok"},
		{"OCSP with SHA-1", plain, nil, [][]byte{ocspSHA1(t, w.rsaCA, ocsp(t, w.rsaCA, nil, cert, 0, noon, noon))}, nil, Indeterminate, "not-usable"},
		{"OCSP with SHA-1, revoked", plain, nil, [][]byte{ocspSHA1(t, w.rsaCA, ocsp(t, w.rsaCA, nil, cert, 1, noon.AddDate(0, 0, -1), noon))}, nil, Invalid, "revoked"},
		{"OCSP of a responder certified with SHA-1", plain, nil, [][]byte{ocsp(t, w.rsaCA, old, cert, 0, noon, noon)}, nil, Indeterminate, "not-usable"},
		{"OCSP of a responder with a short key", plain, nil, [][]byte{ocspBy(t, w.rsaCA, short, cert)}, nil, Indeterminate, "not-usable"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := verifyFile(t, w, x.file, func(o *Options) {
				o.CRLs, o.OCSPs = x.crls, x.ocsps
				if x.mod != nil {
					x.mod(o)
				}
			})
			want(t, r, 0, x.verdict, "signer-revocation", x.code)
		})
	}
}

// ocspSHA1 signs a response again, with SHA-1.
func ocspSHA1(t testing.TB, by *testpki.CA, response []byte) []byte {
	t.Helper()
	return ocspAgain(t, by, sign.SHA1, response)
}

// ocspBy is a good response of a responder with a key that package sign refuses.
func ocspBy(t testing.TB, ca, by *testpki.CA, cert *gm.Certificate) []byte {
	t.Helper()
	long := ca.Sub(testpki.RSA, "responder", nil) // in the place of the one that signs
	return ocspAgain(t, by, sign.SHA256, ocsp(t, ca, long, cert, 0, noon, noon), by.Cert.Raw)
}

// ocspAgain signs what a response says with another key or hash, under other certificates where there are some.
func ocspAgain(t testing.TB, by *testpki.CA, h sign.Hash, response []byte, certs ...[]byte) []byte {
	t.Helper()
	top := children(t, response)
	inner := children(t, children(t, top[1])[0])
	basic := children(t, children(t, inner[1])[0])
	oid := "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
	if h == sign.SHA1 {
		oid = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"
	}
	value, err := rsa.SignPKCS1v15(reader, by.Key.(*rsa.PrivateKey), h.Crypto(), h.Sum(basic[0]))
	if err != nil {
		t.Fatal(err)
	}
	parts := [][]byte{basic[0], element(0x30, element(0x06, []byte(oid))), element(0x03, []byte{0}, value)}
	if certs != nil {
		parts = append(parts, element(explicit0, element(0x30, certs...)))
	}
	return element(0x30, top[0], element(explicit0, element(0x30, inner[0], element(0x04, element(0x30, parts...)))))
}

// A date that means nothing is an error and never silence.
func TestAlgorithmOptions(t *testing.T) {
	w := theWorld()
	file := sealFile(t, page(), cmsSigner(t, w.rsa), pdfx.Options{})
	for _, x := range []struct {
		name string
		list []Algorithm
	}{
		{"unknown", []Algorithm{{"SHA1", 0, limit}}},
		{"of another case", []Algorithm{{"sha-256", 0, limit}}},
		{"empty", []Algorithm{{"", 0, limit}}},
		{"no date", []Algorithm{{Name: "RSA", Bits: 2048}}},
		{"bits of a hash", []Algorithm{{"SHA-256", 256, limit}}},
		{"bits of SM2", []Algorithm{{"SM2", 256, limit}}},
		{"negative", []Algorithm{{"RSA", -1, limit}}},
		{"twice", []Algorithm{{"RSA", 2048, limit}, {"SHA-1", 0, limit}, {"RSA", 2048, limit}}},
	} {
		r, err := Document(context.Background(), bytes.NewReader(file), int64(len(file)), Options{Algorithms: x.list})
		if !errors.Is(err, ErrAlgorithm) || r != nil {
			t.Errorf("%s: %v", x.name, err)
		}
	}
	// Entries of the table that nobody names stay.
	r := verifyFile(t, w, sealFile(t, page(), rawCMS{w.rsa, sign.SHA1, nil}, pdfx.Options{}), ends("RSA", 4096))
	want(t, r, 0, Invalid, "signer-algorithm", "weak-hash")
	if n := r.Notes[len(r.Notes)-1]; n.Code != "algorithm-dates" || !strings.Contains(n.Detail.EN, "RSA 4096 - 2026-06-01 12:30:00Z") {
		t.Errorf("%+v", n)
	}
	// And what they say can be taken back.
	r = verifyFile(t, w, sealFile(t, page(), rawCMS{w.rsa, sign.SHA1, nil}, pdfx.Options{}), func(o *Options) { o.Algorithms = []Algorithm{{"SHA-1", 0, endOf(9999, 12, 31)}} })
	want(t, r, 0, Valid, "signer-algorithm", "ok")
}

// The table is in order, and what it says of names is what package sign calls them.
func TestAlgorithmTable(t *testing.T) {
	for i, d := range algorithms {
		if i > 0 && algorithms[i-1].Name == d.Name && algorithms[i-1].Bits >= d.Bits || i > 0 && algorithms[i-1].Name != d.Name && d.Bits != 0 || d.source == "" {
			t.Errorf("%s is not in its place, or has no source", d)
		}
	}
	j := jobOf(Options{At: noon})
	for _, h := range []sign.Hash{sign.MD5, sign.SHA1, sign.SHA224, sign.SHA256, sign.SHA384, sign.SHA512, sign.SM3} {
		broken := h == sign.MD5 || h == sign.SHA1
		if l := j.lapseOf(time.Time{}, hashReliance(h)); (l.standing == weak) != broken || !strings.Contains(algorithmNames(), string(h)) {
			t.Errorf("%s: %+v", h, l)
		}
	}
	for kind, broken := range map[testpki.Kind]bool{testpki.RSA: false, testpki.RSA1024: true, testpki.P256: false, testpki.P384: false, testpki.SM2: false} {
		if l := j.lapseOf(time.Time{}, keyReliance(testpki.NewKey(kind).Public())); (l.standing == weak) != broken {
			t.Errorf("%s: %+v", kind, l)
		}
	}
	later := jobOf(Options{At: endOf(2030, 12, 31).Add(time.Second)})
	if l := later.lapseOf(noon, reliance{"RSA", 2048, true}); l.standing != thenGood {
		t.Errorf("%+v", l)
	}
	if l := later.lapseOf(time.Time{}, reliance{"RSA", 3071, true}); l.standing != weak {
		t.Errorf("%+v", l)
	}
	if l := later.lapseOf(time.Time{}, reliance{"RSA", 3072, true}); l.standing != sound {
		t.Errorf("%+v", l)
	}
}
