package verify

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/sign"
)

// officeTables are all attacks on sealed documents, by what they attack.
var officeTables = []struct {
	name    string
	attacks func(testing.TB) []officeAttack
}{
	{"content injection", contentInjection},
	{"content masking", contentMasking},
	{"malicious repair", maliciousRepair},
	{"legacy wrapping", legacyWrapping},
	{"zip", zipAttacks},
	{"signature forms", signatureForms},
	{"signature changed", signatureChanged},
	{"signatures swapped", signaturesSwapped},
}

// officeClasses are the classes of attacks that are known of Office signatures (Rohlmann and others, USENIX Security 2023), the mutants of
// packages that made other programs call them valid, and the checks of officex/FORMAT.md, each with attacks on it.
var officeClasses = []struct {
	class, what string
	attacks     []string
}{
	{"USF", "the signature of something else, its references out of the package", []string{"external reference alone", "external reference beside",
		"reference to a part", "empty reference", "no references at all", "SignedInfo and value of the other", "native signature of the other",
		"package object of the other", "seal signature of the other", "whole act of the other"}},
	{"CIA", "content of kinds that Office does not sign", []string{"people", "more about comments", "comments", "custom XML", "web extension", "styles with effects"}},
	{"CMA", "what the text looks like", []string{"fonts", "theme", "second styles", "other styles", "no styles", "styles under another name", "relationship of another kind"}},
	{"MRA", "what a program repairs the package to", []string{"second document", "second document, first", "two relationships of one id",
		"relationships that are no XML", "content types that are no XML", "part below a part", "second core properties"}},
	{"LWA", "streams of old documents", []string{"stream WordDocument", "stream 1Table", "stream Workbook", "stream _signatures", "stream WordDocument, declared",
		"the document is an old one", "old document before"}},

	{"mutant", "an entry twice, the evil one first", []string{"evil duplicate first"}},
	{"mutant", "names equal but for case", []string{"same but for case, first", "same but for case, last", "relationships in another case"}},
	{"mutant", "another document or a template by a relationship", []string{"alternative content", "attached template", "part of another document"}},
	{"mutant", "macros by the type of the document", []string{"document with macros", "macros"}},
	{"mutant", "a part that nothing covers", []string{"a part word/x.xml", "a part _seals/seal1/x.xml", "a part META-INF/x.xml"}},
	{"mutant", "a second relationship to a document", []string{"same document twice", "second document outside", "second document, strict"}},
	{"mutant", "a local header of another name", []string{"local header of another name"}},
	{"mutant", "another zip before", []string{"another zip before, places shifted", "another zip before, places right"}},
	{"mutant", "bytes behind the end record", []string{"bytes behind", "many bytes behind", "another zip behind", "another zip in the comment"}},

	{"Z1", "one zip file and nothing else", []string{"program before", "comment", "bytes between entries", "bytes behind the directory", "counts one more",
		"zip64 locator", "encrypted", "bzip2", "end record in a comment"}},
	{"Z2", "local headers as the directory says", []string{"local header of another size", "local header of another method", "local header of another checksum",
		"local header with other flags", "descriptor that is not there", "no local header"}},
	{"Z3", "one name for each part", []string{"same, percent-encoded", "same, backslash", "same, absolute", "same, by way of another folder", "same, ends with NUL", "trash"}},
	{"Z4", "bounded sizes", []string{"larger than can be", "smaller than it is", "larger than it is", "two entries of one place"}},
	{"X1", "plain XML", []string{"document type", "document type with an entity", "UTF-7", "content types with a document type", "relationships with a document type", "markup compatibility"}},
	{"X2", "each Id one element, in its place", []string{"package object twice, the evil one first", "an xml:id", "package object wrapped in an Object", "package object wrapped in KeyInfo",
		"another root", "a comment in the time", "XAdES of another signature", "an instruction before the signature"}},
	{"X3", "the package object, once", []string{"no reference to the package object", "package object referenced twice", "package object of another type", "reference without URI"}},
	{"X4", "algorithms of the list", []string{"XSLT", "XPath", "enveloped", "base64", "HMAC", "MD5", "digest MD5", "digest SHA-1 of a part", "unknown canonical form"}},
	{"X5", "what is hashed is what is read", []string{"white space in SignedInfo", "white space in the package object", "a comment in a digest", "the time", "the words of Office", "the picture that is shown"}},
	{"P1", "parts by name and type", []string{"a part with a fragment", "a part without its type", "a part outside", "a part twice", "a part twice, in another case", "a part of another type", "styles of another type"}},
	{"P2", "digests of octets and of relationships", []string{"other text", "white space behind the document", "part through canonical XML", "part through base64", "relationships by their octets", "relationships without canonical XML"}},
	{"P3", "one document of a type that may be", []string{"no document", "document that is not there", "template", "a sheet", "only XML", "relationship to another document"}},
	{"P4", "every relationship signed", []string{"hyperlink", "linked picture", "relationship of an unknown kind", "user interface", "content called a thumbnail", "content called a signature", "properties outside", "one relationship left out"}},
	{"P5", "every part signed", []string{"a part left out", "an empty manifest", "a part docProps/custom.xml", "a part trash/x.xml", "something in an origin", "part below a part"}},
	{"P6", "relationships of every part", []string{"relationships left out", "relationships of a part that had none", "no relationships of the document", "relationships of no part", "relationships of properties"}},
	{"S1", "the certificate that signed", []string{"another certificate of the key", "another certificate of the key, first", "XAdES of another certificate", "XAdES of no certificate", "no certificate"}},
	{"S2", "the value", []string{"SignedInfo", "value in DER", "value with a byte before", "value of zeros", "value of a signature of the other"}},
	{"seal", "the seal signature of ours", []string{"value of the other seal signature", "manifest of the other seal signature", "a part left out of the manifest",
		"manifest with white space", "bytes behind the value", "the act in another folder", "the act twice", "Seal.esl changed"}},
	{"undo", "the record of what was there before", []string{"undo of the other", "a byte of the undo", "no undo", "the undo somewhere else"}},
}

// Every attack is made on freshly sealed documents of every kind that it is meant for, and told by the check that is for it.
func TestOfficeAttacks(t *testing.T) {
	packages := map[string]int{} // by the name of an attack
	all := 0
	for _, table := range officeTables {
		t.Run(table.name, func(t *testing.T) {
			for _, x := range table.attacks(t) {
				list := x.ways
				if list == nil {
					list = ways
				}
				packages[x.name] += len(list)
				all += len(list)
				if len(x.want) == 0 {
					t.Errorf("%s: nothing is expected", x.name)
				}
				t.Run(x.name, x.try)
			}
		})
	}
	listed := 0
	for _, c := range officeClasses {
		of := 0
		for _, name := range c.attacks {
			if packages[name] == 0 {
				t.Errorf("%s: there is no attack %q", c.class, name)
			}
			of += packages[name]
		}
		t.Logf("%s (%s): %d packages", c.class, c.what, of)
		listed += of
	}
	t.Logf("%d packages, %d of them in the list", all, listed)
	if listed < 40 || len(officeClasses) < 30 {
		t.Errorf("%d packages of %d classes", listed, len(officeClasses))
	}
}

// What signatures of Office programs rest on besides the package: S1 to S4 of the list.
func TestOfficeSigners(t *testing.T) {
	w := theWorld()
	year := func(from, to int) func(*gm.Certificate) {
		return func(c *gm.Certificate) { c.NotBefore, c.NotAfter = noon.AddDate(from, 0, 0), noon.AddDate(to, 0, 0) }
	}
	with := func(mod func(*gm.Certificate)) []byte {
		return officeSign(t, docx(t), rawXML{key: issue(w.rsaCA, testpki.RSA, mod)}, officeAct{bare: true})
	}
	named := issue(w.rsaCA, testpki.RSA, func(c *gm.Certificate) { c.CRLDistributionPoints = []string{"http://crl.example/1.crl"} })
	revocable := officeSign(t, docx(t), rawXML{key: named}, officeAct{bare: true})
	list := func(revoked time.Time) func(*Options) {
		return func(o *Options) {
			o.CRLs = [][]byte{crlOf(t, w.rsaCA, named, noon, noon.AddDate(0, 0, 1), revoked, 0)}
		}
	}
	stranger := testpki.NewCA(testpki.RSA, "stranger")
	for _, x := range []struct {
		class, name string
		file        []byte
		mod         func(*Options)
		verdict     Verdict
		check, code string
	}{
		{"S1", "as it should be", with(nil), nil, Valid, "signer-chain", "ok"},
		{"S1", "for encryption", with(func(c *gm.Certificate) { c.KeyUsage = smx509.KeyUsage(x509.KeyUsageKeyEncipherment) }), nil, Invalid, "signer-key-usage", "encryption-certificate"},
		{"S1", "expired before", with(year(-3, -1)), nil, Invalid, "signer-validity", "outside-validity"},
		{"S1", "not yet valid", with(year(1, 3)), nil, Invalid, "signer-validity", "outside-validity"},
		{"S1", "of a stranger", officeSign(t, docx(t), rawXML{key: issue(stranger, testpki.RSA, nil)}, officeAct{bare: true}), nil, Indeterminate, "signer-chain", "untrusted"},
		{"S1", "certified with SHA-1", with(func(c *gm.Certificate) { c.SignatureAlgorithm = smx509.SHA1WithRSA }), nil, Invalid, "signer-chain", "chain-weak"},
		{"S1", "revocation not known", revocable, nil, Indeterminate, "signer-revocation", "not-given"},
		{"S1", "not revoked", revocable, list(time.Time{}), Valid, "signer-revocation", "ok"},
		{"S1", "revoked before", revocable, list(noon.Add(-time.Minute)), Invalid, "signer-revocation", "revoked"},
		{"S2", "a short key", officeSign(t, docx(t), rawXML{key: issue(w.rsaCA, testpki.RSA1024, nil)}, officeAct{bare: true}), nil, Invalid, "signer-algorithm", "weak-key"},
		{"S2", "DigestInfo without NULL", officeSign(t, docx(t), rawXML{w.rsa, true}, officeAct{bare: true}), nil, Invalid, "xml-value", "xml-value-wrong"},
		{"S3", "revoked since, dated before", revocable, list(noon.Add(time.Minute)), Indeterminate, "time", "time-not-proven"},
		{"S3", "expired since", with(year(-1, 1)), func(o *Options) { o.At = noon.AddDate(2, 0, 0) }, Indeterminate, "time", "time-not-proven"},
		{"S3", "of the future", officeSign(t, docx(t), rawXML{key: w.rsa}, officeAct{bare: true, now: noon.AddDate(0, 0, 1)}), nil, Indeterminate, "time", "time-future"},
	} {
		t.Run(x.class+", "+x.name, func(t *testing.T) { want(t, verifyFile(t, w, x.file, x.mod), 0, x.verdict, x.check, x.code) })
	}
	t.Run("S4, one of two", func(t *testing.T) { // each is told, and the worse is what the document is worth
		two := sealDocx(t, officeSign(t, docx(t), rawXML{key: issue(w.rsaCA, testpki.RSA1024, nil)}, officeAct{bare: true}), w.stamp(t, sign.SES, noon), officex.Options{Invisible: true})
		r := verifyFile(t, w, two, nil)
		var verdicts []string
		for _, s := range r.Signatures {
			verdicts = append(verdicts, string(s.Format)+" "+s.Verdict.String())
		}
		if slices.Sort(verdicts); r.Verdict != Invalid || strings.Join(verdicts, ", ") != "ses valid, xml invalid" {
			t.Errorf("%v\n%s", verdicts, r)
		}
	})
}

// P7: what a document shows from elsewhere or by itself is noted, though all of it is signed.
func TestOfficeDynamicContent(t *testing.T) {
	w := theWorld()
	outside := func(kind string) string {
		return strings.TrimSuffix(rel("rId8", docRel+kind, "https://elsewhere.example/x"), "/>") + ` TargetMode="External"/>`
	}
	field := func(code string) string {
		return docxField(code)
	}
	for name, file := range map[string][]byte{
		"attached template": edited(t, docx(t), docRels, "</Relationships>", outside("attachedTemplate")+"</Relationships>"),
		"linked picture":    edited(t, docx(t), docRels, "</Relationships>", outside("image")+"</Relationships>"),
		"linked object":     edited(t, docx(t), docRels, "</Relationships>", outside("oleObject")+"</Relationships>"),
		"frame":             edited(t, docx(t), docRels, "</Relationships>", outside("frame")+"</Relationships>"),
		"sub-document":      edited(t, docx(t), docRels, "</Relationships>", outside("subDocument")+"</Relationships>"),
		"mail merge":        edited(t, docx(t), docRels, "</Relationships>", outside("mailMergeSource")+"</Relationships>"),
		"included picture":  docxOf(t, field(` INCLUDEPICTURE "https://elsewhere.example/x.png" `)),
		"included text":     docxOf(t, field(` INCLUDETEXT "https://elsewhere.example/x.docx" `)),
		"data exchange":     docxOf(t, field(` DDEAUTO excel x `)),
		"merged document":   withPart(t, docx(t), "word/chunk.htm", "text/html", docRels, rel("rId8", docRel+"aFChunk", "chunk.htm"), "<p/>"),
		"macro project": withPart(t, docx(t), "word/vbaProject.bin", "application/vnd.ms-office.vbaProject", docRels,
			rel("rId8", "http://schemas.microsoft.com/office/2006/relationships/vbaProject", "vbaProject.bin"), "x"),
		"control": withPart(t, docx(t), "word/activeX/activeX1.xml", "application/vnd.ms-office.activeX+xml", docRels, rel("rId8", docRel+"control", "activeX/activeX1.xml"), "<a/>"),
	} {
		t.Run(name, func(t *testing.T) {
			for _, signed := range [][]byte{plainOffice(t, w, file), officeSign(t, file, w.stamp(t, sign.SES, noon), officeAct{})} {
				r := verifyFile(t, w, signed, nil)
				if !slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Code == "dynamic-content" }) || r.Verdict != Valid {
					t.Errorf("%s", r)
				}
			}
		})
	}
}

// docxField is a field in the text of docxOf.
func docxField(code string) string {
	return `</w:t></w:r><w:fldSimple w:instr="` + strings.ReplaceAll(code, `"`, "&quot;") + `"><w:r><w:t>x</w:t></w:r></w:fldSimple><w:r><w:t>`
}

// Where relative links lead is said by a property (HyperlinkBase), which Office does not sign.
func TestOfficeLinkBase(t *testing.T) {
	w := theWorld()
	relative := edited(t, docx(t), docRels, "https://court.example/", "annex/1.docx")
	base := func(file []byte) []byte {
		return rewritten(t, file, "docProps/app.xml", xmlHead+`<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"><HyperlinkBase>https://evil.example/</HyperlinkBase></Properties>`)
	}
	for name, x := range map[string]struct {
		file    []byte
		verdict Verdict
		code    string
	}{
		"no base":                {plainOffice(t, w, relative), Valid, "coverage-properties"},
		"a base put in":          {base(plainOffice(t, w, relative)), Indeterminate, "coverage-fields"},
		"links that are whole":   {base(plainOffice(t, w, docx(t))), Valid, "coverage-properties"},
		"base that a seal signs": {officeSign(t, base(relative), w.stamp(t, sign.SES, noon), officeAct{}), Valid, "ok"},
	} {
		t.Run(name, func(t *testing.T) { want(t, verifyFile(t, w, x.file, nil), 0, x.verdict, "coverage", x.code) })
	}
}
