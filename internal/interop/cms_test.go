package interop

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	stdx509 "crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hhrutter/pkcs7"
	tjsm2 "github.com/tjfoc/gmsm/sm2"
	tjx509 "github.com/tjfoc/gmsm/x509"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

var (
	ctx     = context.Background()
	content = []byte("判决如下：一、被告于本判决生效之日起十日内返还原告借款。")
	other   = []byte("判决如下：一、驳回原告的诉讼请求。")
)

func sums(content []byte) sign.Sums {
	s := sign.Sums{}
	for _, h := range []sign.Hash{sign.SM3, sign.SHA256, sign.SHA384} {
		s[h] = h.Sum(content)
	}
	return s
}

func signCMS(t *testing.T, kind testpki.Kind, o cms.Options) []byte {
	t.Helper()
	key := testpki.Shared(kind).Sub(kind, "Issuing", nil).Issue(kind, "法官", nil)
	scheme := o.Scheme
	if scheme == (sign.Scheme{}) {
		scheme, _ = sign.SchemeFor(key.Public())
	}
	o.Attributes = []cms.Attribute{cms.Evidence([]byte("leaf 17"))}
	v, err := cms.Sign(ctx, key, sums(content)[scheme.Hash], o)
	if err != nil {
		t.Fatal(err)
	}
	return v.Bytes
}

// BouncyCastle verifies every kind of CMS that is made here, and not over another content.
func TestBouncyCastleVerifiesCMS(t *testing.T) {
	dir := t.TempDir()
	text, wrong := write(t, dir, "content", content), write(t, dir, "other", other)
	args := []string{"verify"}
	var want []string
	for i, c := range []struct {
		kind testpki.Kind
		o    cms.Options
	}{
		{testpki.SM2, cms.Options{}},
		{testpki.SM2, cms.Options{SM2OID: cms.SM2Sign}},
		{testpki.RSA, cms.Options{}},
		{testpki.RSA, cms.Options{Scheme: sign.Scheme{Kind: sign.RSAPSS, Hash: sign.SHA256}}},
		{testpki.P256, cms.Options{}},
		{testpki.P384, cms.Options{}},
	} {
		value := write(t, dir, fmt.Sprintf("%d.der", i), signCMS(t, c.kind, c.o))
		args = append(args, value, text, value, wrong)
		want = append(want, "valid", "error org.bouncycastle.cms.CMSSignerDigestMismatchException")
	}
	got := strings.Split(strings.TrimSpace(java(t, "Cms.java", args...)), "\n")
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%s over %s: %s, not %s", args[2*i+1], args[2*i+2], got[i], want[i])
		}
	}
}

// What BouncyCastle signs with SM2, in DER and in BER, is verified here.
func TestReadsBouncyCastle(t *testing.T) {
	dir := t.TempDir()
	key, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "法官", nil)
	pkcs8, err := gm.MarshalPKCS8(key)
	if err != nil {
		t.Fatal(err)
	}
	java(t, "Cms.java", "sign", write(t, dir, "key", pkcs8), write(t, dir, "cert", chain[0]), write(t, dir, "content", content),
		filepath.Join(dir, "detached"), filepath.Join(dir, "attached"))
	for _, how := range []string{"detached", "attached"} {
		b, err := os.ReadFile(filepath.Join(dir, how))
		if err != nil {
			t.Fatal(err)
		}
		sd, err := cms.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := sd.Verify(sums(content)); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		if err := sd.Verify(sums(other)); err == nil {
			t.Errorf("%s: verifies over another content", how)
		}
		if s := sd.Signers[0].Scheme; s != (sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}) || (how == "attached") != (sd.EContent != nil) {
			t.Errorf("%s: %s, content of %d bytes", how, s, len(sd.EContent))
		}
		if len(sd.Notes) != 1 || sd.Notes[0].Code != "ber-encoding" { // it writes BER unless asked
			t.Errorf("%s: notes %v", how, sd.Notes)
		}
	}
}

// tjfoc/gmsm verifies the SM2 values and certificates made here, and its values are verified here.
func TestTjfocAgrees(t *testing.T) {
	for _, oid := range []cms.SM2OID{cms.SM2WithSM3, cms.SM2Sign} {
		sd, err := cms.Parse(signCMS(t, testpki.SM2, cms.Options{SM2OID: oid}))
		if err != nil {
			t.Fatal(err)
		}
		si := sd.Signers[0]
		cert, err := tjx509.ParseCertificate(si.Certificate(sd.Certificates))
		if err != nil {
			t.Fatal(err)
		}
		public := tjfocKey(cert.PublicKey)
		if !public.Verify(si.SignedAttrs, si.Signature) {
			t.Error("tjfoc does not verify the value")
		}
		if public.Verify(si.SignedAttrs[1:], si.Signature) {
			t.Error("tjfoc verifies anything")
		}
	}
	private, err := tjsm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 { // short r and s among them
		theirs, err := private.Sign(rand.Reader, content, nil)
		if err != nil {
			t.Fatal(err)
		}
		spki, err := tjx509.MarshalSm2PublicKey(&private.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		public, err := gm.ParsePKIXPublicKey(spki)
		if err != nil {
			t.Fatal(err)
		}
		scheme := sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}
		if err := scheme.Verify(public, content, theirs); err != nil {
			t.Error(err)
		}
		if err := scheme.Verify(public, other, theirs); err == nil {
			t.Error("another message verifies")
		}
	}
}

// hhrutter/pkcs7, which pdfcpu reads signatures with, reads and verifies the RSA and ECDSA ones made here.
func TestHhrutterReadsCMS(t *testing.T) {
	for _, kind := range []testpki.Kind{testpki.RSA, testpki.P256, testpki.P384} {
		roots := stdx509.NewCertPool()
		roots.AppendCertsFromPEM(testpki.Shared(kind).PEM())
		b := signCMS(t, kind, cms.Options{})
		for text, valid := range map[string]bool{string(content): true, string(other): false} {
			p7, err := pkcs7.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			p7.Content = []byte(text)
			if err := p7.VerifyWithChain(roots); (err == nil) != valid {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}

// What hhrutter/pkcs7 signs is verified here.
func TestReadsHhrutter(t *testing.T) {
	for _, kind := range []testpki.Kind{testpki.RSA, testpki.P256} {
		key, chain := testpki.Shared(kind).IssueSigner(kind, "法官", nil)
		cert, err := stdx509.ParseCertificate(chain[0])
		if err != nil {
			t.Fatal(err)
		}
		data, err := pkcs7.NewSignedData(content)
		if err != nil {
			t.Fatal(err)
		}
		data.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
		if err := data.AddSigner(cert, key, pkcs7.SignerInfoConfig{}); err != nil {
			t.Fatal(err)
		}
		data.Detach()
		b, err := data.Finish()
		if err != nil {
			t.Fatal(err)
		}
		sd, err := cms.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if err := sd.Verify(sums(content)); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if err := sd.Verify(sums(other)); err == nil {
			t.Errorf("%s: another content verifies", kind)
		}
	}
}

// tjfocKey turns the key of a certificate that tjfoc parsed into the type with its methods.
func tjfocKey(pub any) *tjsm2.PublicKey {
	k := pub.(*ecdsa.PublicKey)
	//lint:ignore SA1019 tjfoc's type has no other way in
	return &tjsm2.PublicKey{Curve: tjsm2.P256Sm2(), X: k.X, Y: k.Y}
}
