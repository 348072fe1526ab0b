package interop

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"testing"
	"time"

	tjx509 "github.com/tjfoc/gmsm/x509"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var sealedAt = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// sealed makes a seal of two holders and the values it stamps, one for each format.
func sealed(t *testing.T, list seal.CertListType) (*seal.Seal, map[sign.Format][]byte) {
	t.Helper()
	var pic bytes.Buffer
	if err := png.Encode(&pic, image.NewGray(image.Rect(0, 0, 30, 30))); err != nil {
		t.Fatal(err)
	}
	key := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "法官", nil)
	outer := testpki.Shared(testpki.RSA).Issue(testpki.RSA, "法官", nil)
	s, err := seal.Make(ctx, &seal.Seal{
		ID: "44010000000017", Name: "示例市中级人民法院", CertListType: list,
		Certs:     [][]byte{key.Chain()[0], outer.Chain()[0]},
		NotBefore: sealedAt.AddDate(-1, 0, 0), NotAfter: sealedAt.AddDate(3, 0, 0),
		Picture:    sign.Picture{Data: pic.Bytes(), Width: 45, Height: 45},
		Extensions: []seal.Extension{{ID: sign.AttributePolicy, Value: []byte("x")}},
	}, testpki.Shared(testpki.SM2).Issue(testpki.SM2, "制章者", nil))
	if err != nil {
		t.Fatal(err)
	}
	stamp, err := s.Stamp(key, seal.StampOptions{Outer: outer, Now: func() time.Time { return sealedAt }})
	if err != nil {
		t.Fatal(err)
	}
	formats := []sign.Format{sign.SES, sign.CMS, sign.Dual}
	act := &sign.Act{Time: sealedAt, Content: sums(content), Evidence: []byte("evidence")}
	for _, f := range formats {
		act.Parts = append(act.Parts, sign.Part{Format: f, Property: "ByteRange=[0 1 2 3]"})
	}
	values, err := stamp.Sign(ctx, act)
	if err != nil {
		t.Fatal(err)
	}
	out := map[sign.Format][]byte{}
	for i, f := range formats {
		out[f] = values[i].Bytes
	}
	return s, out
}

// tjfocVerifies checks a seal or signature of GB/T 38540 with tjfoc/gmsm: first element, certificate, value.
func tjfocVerifies(t *testing.T, raw []byte) bool {
	t.Helper()
	in := cryptobyte.String(raw)
	var top, signed, cert cryptobyte.String
	var value []byte
	if !in.ReadASN1(&top, asn1.SEQUENCE) || !top.ReadASN1Element(&signed, asn1.SEQUENCE) || !top.ReadASN1(&cert, asn1.OCTET_STRING) ||
		!top.SkipASN1(asn1.OBJECT_IDENTIFIER) || !top.ReadASN1BitStringAsBytes(&value) {
		t.Fatal("not of the shape of GB/T 38540")
	}
	c, err := tjx509.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	public := tjfocKey(c.PublicKey)
	if public.Verify(signed[1:], value) {
		t.Error("tjfoc verifies anything")
	}
	return public.Verify(signed, value)
}

func TestTjfocVerifiesSeals(t *testing.T) {
	for _, list := range []seal.CertListType{seal.Certificates, seal.Digests} {
		s, values := sealed(t, list)
		if !tjfocVerifies(t, s.Raw) {
			t.Error("tjfoc does not verify the seal")
		}
		if !tjfocVerifies(t, values[sign.SES]) {
			t.Error("tjfoc does not verify the signature")
		}
	}
}

// BouncyCastle reads seal and signature as strict DER, finds in them what was put there, and verifies every value.
func TestBouncyCastleReadsSeals(t *testing.T) {
	dir := t.TempDir()
	s, values := sealed(t, seal.Certificates)
	sealPart := "esID 44010000000017\nvalidEnd 20290601120000Z\n"
	if got, want := java(t, "Ses.java", "seal", write(t, dir, "seal", s.Raw)), "der true\nvalue true\n"+sealPart; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want := fmt.Sprintf("der true\nvalue true\nversion 4\ntime 20260601120000Z\nhash %x\nproperty ByteRange=[0 1 2 3]\nseal value true\n%s", sign.SM3.Sum(content), sealPart)
	if got := java(t, "Ses.java", "signature", write(t, dir, "sig", values[sign.SES])); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	document, changed := write(t, dir, "content", content), write(t, dir, "other", other)
	plain, dual := write(t, dir, "cms", values[sign.CMS]), write(t, dir, "dual", values[sign.Dual])
	got := java(t, "Cms.java", "verify", plain, document, dual, document, plain, changed, dual, changed)
	if lines := bytes.Count([]byte(got), []byte("\n")); lines != 4 || !bytes.HasPrefix([]byte(got), []byte("valid\nvalid\n")) || bytes.Count([]byte(got), []byte("\nvalid")) != 1 {
		t.Errorf("BouncyCastle says of CMS and dual, right and wrong: %s", got)
	}
}
