package opcsig

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// vectors is a directory of documents that Word wrote. They are not ours to publish, so a checkout may be without it.
const vectors = "../../../shared/vectors/docx"

// parts unzips a document.
func parts(t *testing.T, name string) map[string][]byte {
	t.Helper()
	r, err := zip.OpenReader(filepath.Join(vectors, name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no vectors")
	} else if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all := map[string][]byte{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if all["/"+f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// What Word 2007 and 2010 signed is read in full: every digest and the value are right, and all that is found is SHA-1.
func TestWordSignatures(t *testing.T) {
	for _, c := range []struct {
		file, comments, codes string
		time                  string
		references, manifest  int
		xades                 bool
	}{
		{"signed-word2007.docx", "The purpose of signing the document is sqadaboof", CodeSHA1, "2009-08-21T09:46:20Z", 2, 8, false},
		{"signed-word2010.docx", "Test", CodeSHA1, "2010-09-27T14:52:14Z", 3, 9, true},
	} {
		t.Run(c.file, func(t *testing.T) {
			all := parts(t, c.file)
			s, err := Parse(all["/_xmlsignatures/sig1.xml"])
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(s); got != c.codes || !s.Intact() {
				t.Errorf("found %v", s.Findings)
			}
			if len(s.Signed) != c.references || len(s.Manifest) != c.manifest {
				t.Errorf("%d references, %d in the manifest", len(s.Signed), len(s.Manifest))
			}
			for _, r := range s.Signed {
				if !r.OK() {
					t.Errorf("digest of %s", r.URI)
				}
			}
			for _, r := range s.Manifest {
				b := all[r.Name]
				if r.IsRels() {
					b = transform(t, b, r.IDs)
				}
				if !bytes.Equal(r.Hash.Sum(b), r.Digest) {
					t.Errorf("digest of %s", r.Name)
				}
			}
			cert, err := gm.ParseCertificate(s.Certificates[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := xmldsig.Check(cert.PublicKey, s.Scheme, s.SignedInfo, s.Value); err != nil {
				t.Error(err)
			}
			if s.Info.Comments != c.comments || s.Info.Type != 1 || s.Info.Provider != PlainProvider {
				t.Errorf("%+v", s.Info)
			}
			if s.Time.Format(time.RFC3339) != c.time {
				t.Error(s.Time)
			}
			if (s.XAdES != nil) != c.xades {
				t.Fatalf("%+v", s.XAdES)
			}
			if x := s.XAdES; x != nil {
				if ref := x.Certificates[0]; !bytes.Equal(ref.Hash.Sum(cert.Raw), ref.Digest) || ref.Serial != cert.SerialNumber.String() ||
					ref.Issuer != "C=BE, CN=Citizen CA, SERIALNUMBER=200612" {
					t.Errorf("%+v", ref)
				}
				if !x.Implied || !x.Time.Equal(s.Time) {
					t.Errorf("%+v", x)
				}
			}
		})
	}
}

func codes(s *Signature) string {
	var all []string
	for _, f := range s.Findings {
		all = append(all, f.Code)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// transform is the relationship transform, written down from ECMA-376-2 once more: this test must not depend on ours.
func transform(t *testing.T, rels []byte, ids []string) []byte {
	t.Helper()
	d, err := xmldoc.Parse(rels, xmldoc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	b := []byte(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
	for _, id := range ids {
		for _, e := range d.Root.Elements() {
			get := func(name string) string { v, _ := e.Attr("", name); return v }
			if get("Id") != id {
				continue
			}
			mode := get("TargetMode")
			if mode == "" {
				mode = "Internal"
			}
			b = append(b, `<Relationship Id="`+id+`" Target="`+get("Target")+`" TargetMode="`+mode+`" Type="`+get("Type")+`"></Relationship>`...)
		}
	}
	return append(b, `</Relationships>`...)
}

// A flaw is one thing changed in a signature part, and the codes of what is found then.
type flaw struct{ name, old, new, codes string }

const flawID = `Id="idPackageSignature"`

// flaws are those of a part by an RSA or ECDSA key with SHA-256. The digests of what was changed are made anew where an
// attacker could do so (that is everywhere: only the value is beyond him).
func flaws() []flaw {
	method := xmldsig.DigestMethod(sign.SHA256)
	return []flaw{
		{"external reference", `<Reference Type="http://www.w3.org/2000/09/xmldsig#Object" URI="#idOfficeObject">`,
			`<Reference Type="http://www.w3.org/2000/09/xmldsig#Object" URI="http://example.com/x">`, CodeExternal + " " + CodeNotSigned + " " + CodeOfficeInfo},
		{"empty reference", `URI="#idOfficeObject"`, `URI=""`, CodeExternal + " " + CodeNotSigned + " " + CodeOfficeInfo},
		{"xpointer", `URI="#idOfficeObject"`, `URI="#xpointer(id('idOfficeObject'))"`, CodeNotSigned + " " + CodeOfficeInfo + " " + CodeUnresolved},
		{"package object not referenced", `URI="#idPackageObject"`, `URI="#idOfficeV1Details"`, CodeNoPackage + " " + CodeTarget},
		{"package object referenced twice", `URI="#idOfficeObject"`, `URI="#idPackageObject"`, CodeNotSigned + " " + CodeOfficeInfo + " " + CodeRepeated},
		{"package object of another type", `#Object" URI="#idPackageObject"`, `#Manifest" URI="#idPackageObject"`, CodeNoPackage + " " + CodeType},
		{"two of one Id", `<Object Id="idOfficeObject">`, `<Object Id="idPackageObject"></Object><Object Id="idOfficeObject">`, CodeDuplicateID + " " + CodeNoPackage + " " + CodeUnresolved},
		{"id in another case", flawID, flawID + ` ID="idOfficeObject"`, CodeDuplicateID + " " + CodeNotSigned + " " + CodeOfficeInfo + " " + CodeUnresolved},
		{"Object inside another", `<Object Id="idOfficeObject">`, `<Object Id="other"><Object Id="idOfficeObject"></Object></Object><Object Id="y">`,
			CodeLoose + " " + CodeNotSigned + " " + CodeOfficeInfo + " " + CodeTarget},
		{"properties of another signature", `Target="#idPackageSignature"><xd:`, `Target="#another"><xd:`, CodeNotSigned + " " + CodeTarget},
		{"properties of no signature", flawID, `Id="x"`, CodeNotSigned + " " + CodeTarget},
		{"HMAC", `<SignatureMethod Algorithm="`, `<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256" Was="`, CodeAlgorithm},
		{"canonical XML 1.1", `<CanonicalizationMethod Algorithm="` + xmldsig.C14N, `<CanonicalizationMethod Algorithm="http://www.w3.org/2006/12/xml-c14n11`, CodeAlgorithm},
		{"MD5", `idPackageObject"><DigestMethod Algorithm="` + method, `idPackageObject"><DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#md5`,
			CodeAlgorithm + " " + CodeNoPackage},
		{"XSLT", `<Transforms><Transform Algorithm="` + xmldsig.C14N, `<Transforms><Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116`, CodeNotSigned + " " + CodeTransform},
		{"enveloped", `<Transforms><Transform Algorithm="` + xmldsig.C14N + `"></Transform>`,
			`<Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></Transform><Transform Algorithm="` + xmldsig.C14N + `"></Transform>`, CodeNotSigned + " " + CodeTransform},
		{"second SignedInfo", `<SignatureValue>`, `<SignedInfo></SignedInfo><SignatureValue>`, CodeCertificate + " " + CodeStructure},
		{"value is not base64", `<SignatureValue>`, `<SignatureValue>!`, CodeValue},
		{"no certificate", `<X509Certificate>`, `<X509Certificate>!`, CodeCertificate},
		{"markup compatibility", flawID, flawID + ` xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="xd"`, CodeMCE},
		{"SHA-1 in the manifest", `main+xml"><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod><DigestValue>` + b64(32),
			`main+xml"><DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"></DigestMethod><DigestValue>` + b64(20), CodeSHA1},
		{"part outside", `URI="/word/document.xml?`, `URI="http://example.com/word/document.xml?`, CodeManifestURI},
		{"fragment", `.main+xml"`, `.main+xml#x"`, CodeManifestURI},
		{"no content type", `/word/document.xml?ContentType=`, `/word/document.xml?Content=`, CodeManifestURI},
		{"dots", `URI="/word/document.xml?`, `URI="/word/../document.xml?`, CodeManifestURI},
		{"a part twice", `URI="/word/styles.xml?`, `URI="/word/Document.xml?`, CodeManifestTwo},
		{"relationships as octets", `<Transforms><Transform Algorithm="` + xmldsig.RelationshipTransform + `"><mdssi:RelationshipReference xmlns:mdssi="` + xmldsig.MDSSI +
			`" SourceId="rId1"></mdssi:RelationshipReference></Transform><Transform Algorithm="` + xmldsig.C14N + `"></Transform></Transforms>`, ``, CodeManifest},
		{"a part transformed", `/word/styles.xml?`, `/word/_rels/styles.xml.rels?`, CodeManifest},
		{"relationships by type", `mdssi:RelationshipReference xmlns:mdssi="` + xmldsig.MDSSI + `" SourceId="rId1"></mdssi:RelationshipReference>`,
			`mdssi:RelationshipsGroupReference xmlns:mdssi="` + xmldsig.MDSSI + `" SourceType="rId1"></mdssi:RelationshipsGroupReference>`, CodeManifest},
		{"second manifest", `<Manifest>`, `<Manifest></Manifest><Manifest>`, CodeManifestURI + " " + CodeStructure},
		{"manifest elsewhere", `<Object Id="idOfficeObject">`, `<Object Id="idOfficeObject"><Manifest></Manifest>`, CodeStructure},
		{"no time", `<mdssi:Value>`, `<mdssi:Value>a`, CodeTime},
		{"picture that is not signed", `</Signature>`, `<Object Id="idValidSigLnImg">AAAA</Object></Signature>`, CodeNotSigned},
		{"Object that nobody knows", `</Signature>`, `<Object Id="x">AAAA</Object></Signature>`, CodeLoose},
		{"office information that is not signed", `</Signature>`,
			`<Object><SignatureProperties><SignatureProperty Target="#x"><SignatureInfoV1 xmlns="` + xmldsig.OfficeNS + `"></SignatureInfoV1></SignatureProperty></SignatureProperties></Object></Signature>`, CodeNotSigned},
		{"second office information", `</SignatureInfoV1>`, `</SignatureInfoV1><SignatureInfoV1 xmlns="` + xmldsig.OfficeNS + `"></SignatureInfoV1>`, CodeStructure},
		{"second comments", `<WindowsVersion>`, `<SignatureComments></SignatureComments><WindowsVersion>`, CodeStructure},
		{"properties that are not signed", `</Signature>`, `<Object><xd:QualifyingProperties xmlns:xd="` + xmldsig.XAdES + `"><xd:SignedProperties></xd:SignedProperties></xd:QualifyingProperties></Object></Signature>`, CodeNotSigned},
	}
}

func (c flaw) apply(t testing.TB, part string) []byte {
	t.Helper()
	if !strings.Contains(part, c.old) {
		t.Fatalf("%s: the part has no %s", c.name, c.old)
	}
	return redigest(t, strings.Replace(part, c.old, c.new, 1))
}

func TestFindings(t *testing.T) {
	part := string(fresh(t, nil))
	for _, c := range flaws() {
		t.Run(c.name, func(t *testing.T) {
			s, err := Parse(c.apply(t, part))
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(s); got != c.codes {
				t.Errorf("found %s\nwant %s\n%v", got, c.codes, s.Findings)
			}
			for _, r := range s.Signed {
				if r.Computed != nil && !r.OK() {
					t.Errorf("digest of %s", r.URI)
				}
			}
		})
	}
}

// What cannot be judged at all is an error.
func TestParseRefuses(t *testing.T) {
	plain := string(fresh(t, nil))
	for name, part := range map[string]string{
		"nothing":      "",
		"cut off":      plain[:len(plain)-1],
		"doctype":      strings.Replace(plain, "<Signature ", "<!DOCTYPE Signature [<!ENTITY x 'y'>]><Signature ", 1),
		"other root":   strings.ReplaceAll(plain, "Signature ", "Signed "),
		"no namespace": strings.Replace(plain, ` xmlns="`+xmldsig.NS+`"`, "", 1),
	} {
		if s, err := Parse([]byte(part)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
	for name, part := range map[string]string{
		"size":  strings.Replace(plain, "</Signature>", strings.Repeat(" ", MaxPart)+"</Signature>", 1),
		"depth": strings.Replace(plain, "</Signature>", strings.Repeat("<Object>", 100)+strings.Repeat("</Object>", 100)+"</Signature>", 1),
		"nodes": strings.Replace(plain, "</Signature>", strings.Repeat("<Object></Object>", maxNodes)+"</Signature>", 1),
	} {
		if s, err := Parse([]byte(part)); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

// Nothing panics; what is found is bounded; the same octets give the same answer.
func FuzzParse(f *testing.F) {
	f.Add(fresh(f, nil))
	f.Add(fresh(f, line()))
	for _, name := range []string{"signed-word2007.docx", "signed-word2010.docx"} {
		if r, err := zip.OpenReader(filepath.Join(vectors, name)); err == nil {
			if in, err := r.Open("_xmlsignatures/sig1.xml"); err == nil {
				b, _ := io.ReadAll(in)
				f.Add(b)
			}
			r.Close()
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrSignature) && !errors.Is(err, ErrLimit) {
				t.Fatal(err)
			}
			return
		}
		if len(s.Findings) > maxFindings+1 || len(s.Signed) > maxReferences {
			t.Fatal("too much")
		}
		for _, finding := range s.Findings {
			if !slices.Contains(Codes, finding.Code) {
				t.Fatalf("code %q", finding.Code)
			}
		}
		if s.Intact() && (s.Object == nil || s.Value == nil || s.SignedInfo == nil || len(s.Certificates) == 0 || len(s.Manifest) == 0 ||
			s.Scheme == (sign.Scheme{}) || !bytes.Contains(s.SignedInfo, []byte("#"+xmldsig.PackageObject))) {
			t.Fatalf("intact, and incomplete: %+v", s)
		}
	})
}
