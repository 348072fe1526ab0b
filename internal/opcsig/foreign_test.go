package opcsig

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// foreignTemplate is a signature in the ways of other producers: prefixes, white space, attributes in another order,
// exclusive canonical XML, SetupId, an Id of their own. xmlsec1 puts in digests and value.
const foreignTemplate = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<ds:Signature xmlns:ds="` + xmldsig.NS + `" Id="xmldsig-1">
  <ds:SignedInfo>
    <ds:CanonicalizationMethod Algorithm="` + xmldsig.ExclusiveC14N + `"/>
    <ds:SignatureMethod Algorithm="METHOD"/>
    <ds:Reference URI="#idPackageObject" Type="` + xmldsig.ObjectType + `">DIGEST</ds:Reference>
    <ds:Reference URI="#idOfficeObject" Type="` + xmldsig.ObjectType + `">DIGEST</ds:Reference>
    <ds:Reference Type="` + xmldsig.SignedProps + `" URI="#props-1"><ds:Transforms><ds:Transform Algorithm="` + xmldsig.ExclusiveC14N + `"/></ds:Transforms>DIGEST</ds:Reference>
  </ds:SignedInfo>
  <ds:SignatureValue/>
  <ds:KeyInfo><ds:KeyValue/><ds:X509Data><ds:X509Certificate>CERT</ds:X509Certificate></ds:X509Data></ds:KeyInfo>
  <ds:Object xmlns:mdssi="` + xmldsig.MDSSI + `" Id="idPackageObject"><ds:Manifest>
    <ds:Reference URI="/_rels/.rels?ContentType=` + TypeRelationships + `"><ds:Transforms>
      <ds:Transform Algorithm="` + xmldsig.RelationshipTransform + `"><mdssi:RelationshipReference SourceId="rId3"/><mdssi:RelationshipReference SourceId="rId1"/></ds:Transform>
      <ds:Transform Algorithm="` + xmldsig.C14N + `"/></ds:Transforms><ds:DigestMethod Algorithm="METHODOFDIGEST"/><ds:DigestValue>
        VALUE
      </ds:DigestValue></ds:Reference>
    </ds:Manifest>
    <ds:SignatureProperties><ds:SignatureProperty Target="#xmldsig-1"><mdssi:SignatureTime><mdssi:Format>YYYY-MM-DDThh:mm:ss.sTZD</mdssi:Format>
      <mdssi:Value>2026-01-31T17:30:00.5+08:00</mdssi:Value></mdssi:SignatureTime></ds:SignatureProperty></ds:SignatureProperties>
  </ds:Object>
  <ds:Object Id="idOfficeObject">OFFICE</ds:Object>
  <ds:Object><xades:QualifyingProperties xmlns:xades="` + xmldsig.XAdES + `" Target="#xmldsig-1"><xades:SignedProperties Id="props-1"><xades:SignedSignatureProperties>
    <xades:SigningTime>2026-01-31T09:30:00Z</xades:SigningTime><xades:SigningCertificate><xades:Cert><xades:CertDigest>
      <ds:DigestMethod Algorithm="METHODOFDIGEST"/><ds:DigestValue>CERTSUM</ds:DigestValue></xades:CertDigest>
      <xades:IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>1</ds:X509SerialNumber></xades:IssuerSerial></xades:Cert></xades:SigningCertificate>
    </xades:SignedSignatureProperties></xades:SignedProperties><xades:UnsignedProperties><xades:UnsignedSignatureProperties/></xades:UnsignedProperties></xades:QualifyingProperties></ds:Object>
</ds:Signature>
`

const foreignOffice = `<ds:SignatureProperties><ds:SignatureProperty Id="idOfficeV1Details" Target="xmldsig-1"><SignatureInfoV1 xmlns="` + xmldsig.OfficeNS + `">
  <SetupId>{0A1B2C3D-0000-4000-8000-0123456789ab}</SetupId><SignatureComments>a &lt; b</SignatureComments>
  <ManifestHashAlgorithm>METHODOFDIGEST</ManifestHashAlgorithm><SignatureType>2</SignatureType></SignatureInfoV1></ds:SignatureProperty></ds:SignatureProperties>`

// What xmlsec1 signs in the ways of others is read, and right; what is hashed is what it hashed.
func TestForeignSignatures(t *testing.T) {
	peer(t, "xmlsec1")
	for _, c := range []struct {
		name   string
		scheme sign.Scheme
		kind   testpki.Kind
		office string
		codes  string
	}{
		{"RSA", sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}, testpki.RSA, foreignOffice, ""},
		{"RSA with SHA-1", sign.Scheme{Kind: sign.RSA, Hash: sign.SHA1}, testpki.RSA, foreignOffice, CodeSHA1},
		{"RSA with SHA-512, no office information", sign.Scheme{Kind: sign.RSA, Hash: sign.SHA512}, testpki.RSA, "", CodeOfficeInfo},
		{"ECDSA", sign.Scheme{Kind: sign.ECDSA, Hash: sign.SHA384}, testpki.P384, foreignOffice, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			signer, chain := testpki.Shared(testpki.RSA).IssueSigner(c.kind, "signer", nil)
			key, err := gm.MarshalPKCS8(signer)
			if err != nil {
				t.Fatal(err)
			}
			method := xmldsig.DigestMethod(c.scheme.Hash)
			enc := base64.StdEncoding.EncodeToString
			template := strings.NewReplacer("METHODOFDIGEST", method, "METHOD", xmldsig.MethodOf(c.scheme), "VALUE", enc(c.scheme.Hash.Sum(nil)),
				"CERTSUM", enc(c.scheme.Hash.Sum(chain[0])), "CERT", enc(chain[0]), "OFFICE", strings.ReplaceAll(c.office, "METHODOFDIGEST", method),
				"DIGEST", `<ds:DigestMethod Algorithm="`+method+`"/><ds:DigestValue/>`).Replace(foreignTemplate)
			if c.scheme.Kind == sign.ECDSA { // xmlsec1 cannot write one
				template = strings.Replace(template, "<ds:KeyValue/>", "", 1)
			}
			dir := t.TempDir()
			for name, b := range map[string][]byte{"key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), "sig.xml": []byte(template)} {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("xmlsec1", "--sign", "--ignore-manifests", "--privkey-pem", "key.pem", "--id-attr:Id", xmldsig.NS+":Object",
				"--id-attr:Id", xmldsig.XAdES+":SignedProperties", "--output", "out.xml", "sig.xml")
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			part, err := os.ReadFile(filepath.Join(dir, "out.xml"))
			if err != nil {
				t.Fatal(err)
			}
			// What Java writes: lines that end in a carriage return, as a reference.
			cert := enc(chain[0])
			part = bytes.Replace(part, []byte(">"+cert+"<"), []byte(">"+cert[:76]+"&#13;\n"+cert[76:]+"<"), 1)
			s, err := Parse(part)
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(s); got != c.codes || !s.Intact() || len(s.Signed) != 3 || s.Scheme != c.scheme {
				t.Errorf("found %v, %d references, %s\n%s", s.Findings, len(s.Signed), s.Scheme, part)
			}
			if err := xmldsig.Check(signer.Public(), s.Scheme, s.SignedInfo, s.Value); err != nil {
				t.Errorf("%v\n%s\n%s", err, s.SignedInfo, part)
			}
			if len(s.Certificates) != 1 || !bytes.Equal(s.Certificates[0], chain[0]) {
				t.Error("the certificate")
			}
			if len(s.Manifest) != 1 || strings.Join(s.Manifest[0].IDs, " ") != "rId3 rId1" || !bytes.Equal(s.Manifest[0].Digest, c.scheme.Hash.Sum(nil)) {
				t.Errorf("%+v", s.Manifest)
			}
			if x := s.XAdES; x == nil || len(x.Certificates) != 1 || !bytes.Equal(x.Certificates[0].Digest, c.scheme.Hash.Sum(chain[0])) {
				t.Errorf("%+v", x)
			}
			if s.Time.Format("15:04:05.0") != "09:30:00.5" {
				t.Error(s.Time)
			}
			if i := s.Info; c.office != "" && (i == nil || i.Setup != "{0A1B2C3D-0000-4000-8000-0123456789ab}" || i.Comments != "a < b" || i.Hash != method || i.Type != 2) {
				t.Errorf("%+v", i)
			}
		})
	}
}
