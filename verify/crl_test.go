package verify

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/emmansun/gmsm/smx509"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// extensionOf is an extension by the last two arcs of its identifier.
func extensionOf(last int, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, last}, Critical: critical, Value: value}
}

// A listing makes CRLs of all kinds.
type listing struct {
	by      *testpki.CA
	direct  bool             // not an indirect CRL
	revoked *big.Int         // serial number; nil: none
	of      []byte           // certificateIssuer of the entry, a DER name; nil: not stated
	more    []pkix.Extension // of the list
	entry   []pkix.Extension // of the entry
}

func (l listing) make(t testing.TB) []byte {
	t.Helper()
	list := &smx509.RevocationList{Number: big.NewInt(1), ThisUpdate: noon, NextUpdate: noon.AddDate(0, 0, 1), ExtraExtensions: l.more}
	if !l.direct {
		list.ExtraExtensions = append(list.ExtraExtensions, extensionOf(28, true, element(0x30, element(0x84, []byte{0xff}))))
	}
	if l.revoked != nil {
		e := smx509.RevocationListEntry{SerialNumber: l.revoked, RevocationTime: noon.AddDate(0, 0, -1), ExtraExtensions: l.entry}
		if l.of != nil {
			e.ExtraExtensions = append(e.ExtraExtensions, extensionOf(29, true, element(0x30, element(0xa4, l.of))))
		}
		list.RevokedCertificateEntries = []smx509.RevocationListEntry{{SerialNumber: big.NewInt(1), RevocationTime: noon}, e}
	}
	b, err := smx509.CreateRevocationList(reader, list, l.by.Cert, l.by.Key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Lists that somebody else makes for an authority, and authorities that sign their lists with another key.
func TestListsOfOthers(t *testing.T) {
	w := theWorld()
	lister := w.rsaCA.Sub(testpki.RSA, "CRL issuer", nil)
	stranger := testpki.NewCA(testpki.RSA, "CRL issuer")
	old := w.rsaCA.Sub(testpki.RSA, "CRL issuer", func(c *gm.Certificate) { c.SignatureAlgorithm = smx509.SHA1WithRSA })
	past := w.rsaCA.Sub(testpki.RSA, "CRL issuer", func(c *gm.Certificate) { c.NotAfter = noon.AddDate(-1, 0, 0) })
	listed := w.rsaCA.Sub(testpki.RSA, "CRL issuer", func(c *gm.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/2.crl"} })
	second := w.rsaCA.Sub(testpki.RSA, "RSA Root", nil) // a second key of the authority
	signsNoLists := w.rsaCA.Sub(testpki.RSA, "CRL issuer", nil)
	signsNoLists.Cert = mustParse(w.rsaCA.Certify(signsNoLists.Key.Public(), "CRL issuer", func(c *gm.Certificate) { // and is made to sign one
		c.Subject, c.IsCA, c.BasicConstraintsValid, c.KeyUsage = lister.Cert.Subject, true, true, smx509.KeyUsageCertSign
	}))
	forged := *signsNoLists
	forged.Cert = mustParse(signsNoLists.Cert.Raw)
	forged.Cert.KeyUsage |= smx509.KeyUsageCRLSign

	uri := element(0xa0, element(0xa0, element(0x86, []byte("http://crl.example/1.crl"))))
	names := func(parts ...[]byte) func(*gm.Certificate) {
		return func(c *gm.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, extensionOf(31, false, element(0x30, element(0x30, parts...))))
		}
	}
	by := element(0xa2, element(0xa4, lister.Cert.RawSubject))
	key := issue(w.rsaCA, testpki.RSA, names(uri, by))
	plain := issue(w.rsaCA, testpki.RSA, names(uri))
	forSome := issue(w.rsaCA, testpki.RSA, names(uri, element(0x81, []byte{1, 2}), by))
	serial := func(k sign.Key) *big.Int { return mustParse(k.Chain()[0]).SerialNumber }
	root, other := w.rsaCA.Cert.RawSubject, testpki.NewCA(testpki.RSA, "another authority").Cert.RawSubject
	inCapitals, err := asn1.Marshal(pkix.Name{Country: []string{"cn"}, Organization: []string{"COURTSEAL  DEMO"}, CommonName: "rsa root"}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	unknown := pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}
	ofAuthorities := []pkix.Extension{extensionOf(28, true, element(0x30, element(0x82, []byte{0xff})))}
	good := listing{by: w.rsaCA, direct: true, more: ofAuthorities}.make(t)
	bad := listing{by: w.rsaCA, direct: true, more: ofAuthorities, revoked: listed.Cert.SerialNumber}.make(t)
	for _, x := range []struct {
		name    string
		key     sign.Key
		lists   [][]byte
		certs   []*testpki.CA
		verdict Verdict
		code    string
	}{
		{"good", key, [][]byte{listing{by: lister}.make(t)}, []*testpki.CA{lister}, Valid, "ok"},
		{"revoked", key, [][]byte{listing{by: lister, revoked: serial(key), of: root}.make(t)}, []*testpki.CA{lister}, Invalid, "revoked"},
		{"revoked, the name written otherwise", key, [][]byte{listing{by: lister, revoked: serial(key), of: inCapitals}.make(t)}, []*testpki.CA{lister}, Invalid, "revoked"},
		{"number of another authority", key, [][]byte{listing{by: lister, revoked: serial(key), of: other}.make(t)}, []*testpki.CA{lister}, Valid, "ok"},
		{"number of the list's own issuer", key, [][]byte{listing{by: lister, revoked: serial(key)}.make(t)}, []*testpki.CA{lister}, Valid, "ok"},
		{"number of nobody who can be read", key, [][]byte{listing{by: lister, revoked: serial(key), of: []byte{5, 0}}.make(t)}, []*testpki.CA{lister}, Valid, "ok"},
		{"the issuer is not there", key, [][]byte{listing{by: lister}.make(t)}, nil, Indeterminate, "not-usable"},
		{"not an indirect list", key, [][]byte{listing{by: lister, direct: true}.make(t)}, []*testpki.CA{lister}, Indeterminate, "not-given"},
		{"not named by the certificate", plain, [][]byte{listing{by: lister}.make(t)}, []*testpki.CA{lister}, Indeterminate, "not-given"},
		{"named for some reasons", forSome, [][]byte{listing{by: lister}.make(t)}, []*testpki.CA{lister}, Indeterminate, "not-given"},
		{"of a stranger of that name", key, [][]byte{listing{by: stranger}.make(t)}, []*testpki.CA{stranger}, Indeterminate, "not-usable"},
		{"revoked by a stranger of that name", key, [][]byte{listing{by: stranger, revoked: serial(key), of: root}.make(t)}, []*testpki.CA{stranger}, Indeterminate, "not-usable"},
		{"of one certified with SHA-1", key, [][]byte{listing{by: old}.make(t)}, []*testpki.CA{old}, Indeterminate, "not-usable"},
		{"of one that had expired", key, [][]byte{listing{by: past}.make(t)}, []*testpki.CA{past}, Indeterminate, "not-usable"},
		{"of one that may not sign lists", key, [][]byte{listing{by: &forged}.make(t)}, []*testpki.CA{signsNoLists}, Indeterminate, "not-usable"},
		{"of one of whom nothing is known", key, [][]byte{listing{by: listed}.make(t)}, []*testpki.CA{listed}, Indeterminate, "not-usable"},
		{"of one who is listed himself", key, [][]byte{listing{by: listed}.make(t), good}, []*testpki.CA{listed}, Valid, "ok"},
		{"of one who was revoked", key, [][]byte{listing{by: listed}.make(t), bad}, []*testpki.CA{listed}, Indeterminate, "not-usable"},
		{"a second key of the authority", plain, [][]byte{listing{by: second, direct: true}.make(t)}, []*testpki.CA{second}, Valid, "ok"},
		{"a second key, revoked", plain, [][]byte{listing{by: second, direct: true, revoked: serial(plain)}.make(t)}, []*testpki.CA{second}, Invalid, "revoked"},
		{"of the authority, for others too", plain, [][]byte{listing{by: w.rsaCA, revoked: serial(plain), of: other}.make(t)}, nil, Valid, "ok"},
		{"of the authority, revoked", plain, [][]byte{listing{by: w.rsaCA, revoked: serial(plain)}.make(t)}, nil, Invalid, "revoked"},
		{"critical extension", plain, [][]byte{listing{by: w.rsaCA, direct: true, more: []pkix.Extension{unknown}}.make(t)}, nil, Indeterminate, "not-usable"},
		{"critical extension, revoked", plain, [][]byte{listing{by: w.rsaCA, direct: true, more: []pkix.Extension{unknown}, revoked: serial(plain)}.make(t)}, nil, Invalid, "revoked"},
		{"critical extension of an entry", plain, [][]byte{listing{by: w.rsaCA, direct: true, revoked: serial(key), entry: []pkix.Extension{unknown}}.make(t)}, nil, Indeterminate, "not-usable"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := verifyFile(t, w, sealFile(t, page(), rawCMS{x.key, sign.SHA256, nil}, pdfx.Options{}), func(o *Options) {
				o.CRLs = x.lists
				for _, c := range x.certs {
					o.Certificates = append(o.Certificates, c.Cert.Raw)
				}
			})
			want(t, r, 0, x.verdict, "signer-revocation", x.code)
		})
	}
}

func mustParse(der []byte) *gm.Certificate {
	c, err := gm.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}

// FuzzCRL parses anything, and asks it.
func FuzzCRL(f *testing.F) {
	w := theWorld()
	key := issue(w.rsaCA, testpki.RSA, func(c *gm.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/1.crl"} })
	cert := mustParse(key.Chain()[0])
	f.Add(listing{by: w.rsaCA, revoked: cert.SerialNumber, of: w.sm2CA.Cert.RawSubject}.make(f), []byte{0x30, 0})
	f.Add(listing{by: w.sm2CA, direct: true}.make(f), element(0x30, element(0x30, element(0xa2, element(0xa4, cert.RawIssuer)))))
	f.Fuzz(func(t *testing.T, b, points []byte) {
		c := *cert
		c.Extensions = append(c.Extensions[:len(c.Extensions):len(c.Extensions)], extensionOf(31, false, points))
		namesListIssuer(&c, nameKey(cert.RawIssuer))
		if l, err := parseCRL(b); err == nil && l.mayName(&c) {
			l.covers(&c)
		}
	})
}
