package verify

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// A tampered is a file that was tampered with, or signed wrongly, and what must be said of it.
type tampered struct {
	name, check, code string
	verdict           Verdict
	file              []byte
}

const (
	typesName  = "[Content_Types].xml"
	relsName   = "_rels/.rels"
	docName    = "word/document.xml"
	docRels    = "word/_rels/document.xml.rels"
	sigName    = "_xmlsignatures/sig1.xml"
	sealedName = "_seals/seal1/Signature.xml"
)

// withPart adds a part to a package, with its content type, and relates it.
func withPart(t testing.TB, file []byte, name, kind, rels, relation, content string) []byte {
	t.Helper()
	if kind != "" {
		file = edited(t, file, typesName, "</Types>", override("/"+name, kind)+"</Types>")
	}
	if relation != "" {
		file = edited(t, file, rels, "</Relationships>", relation+"</Relationships>")
	}
	return rewritten(t, file, name, content)
}

// Everything that can be done to a package after it was signed, for each way to sign.
func TestOfficeTampered(t *testing.T) {
	w := theWorld()
	const people = "application/vnd.openxmlformats-officedocument.wordprocessingml.people+xml"
	for _, f := range []sign.Format{sign.SES, sign.CMS} {
		s := w.stamp(t, f, noon)
		if f == sign.CMS {
			s = w.officeStamp(t)
		}
		good := officeSign(t, docx(t), s, officeAct{})
		relation := rel("rId9", docRel+"people", "people.xml")
		for _, x := range []tampered{
			{"text", "parts", "part-changed", Invalid, edited(t, good, docName, judgement, "判决如下。")},
			{"styles", "parts", "part-changed", Invalid, edited(t, good, "word/styles.xml", "/>", "></w:styles>")},
			{"a part taken away", "parts", "part-missing", Invalid, rewritten(t, good, "word/styles.xml", "")},
			{"content type of the document", "main-part", "main-macros", Invalid, edited(t, good, typesName, openXML+"wordprocessingml.document.main+xml", "application/vnd.ms-word.document.macroEnabled.main+xml")},
			{"content type of a part", "parts", "part-type", Invalid, edited(t, good, typesName, openXML+"wordprocessingml.styles+xml", "application/xml")},
			{"target of a relationship", "parts", "relationships-changed", Invalid, edited(t, good, docRels, "court.example", "count.example")},
			{"type of a relationship", "parts", "relationships-changed", Invalid, edited(t, good, docRels, "relationships/styles", "relationships/theme")},
			{"a relationship taken away", "parts", "relationship-missing", Invalid, edited(t, good, docRels, rel("rId1", docRel+"styles", "styles.xml"), "")},
			{"all relationships taken away", "parts", "part-missing", Invalid, rewritten(t, good, docRels, "")},
			{"a part added", "coverage", "parts-not-covered", Invalid, withPart(t, good, "word/people.xml", people, "", "", "<a/>")},
			{"a part added and shown", "coverage", "parts-not-covered", Invalid, withPart(t, good, "word/people.xml", people, docRels, relation, "<a/>")},
			{"a relationship added", "coverage", "relationships-not-covered", Invalid, edited(t, good, docRels, "</Relationships>", rel("rId9", docRel+"people", "styles.xml")+"</Relationships>")},
			{"an external relationship added", "coverage", "relationships-not-covered", Invalid, edited(t, good, docRels, "</Relationships>",
				`<Relationship Id="rId9" Type="`+docRel+`attachedTemplate" Target="https://evil.example/a.dotx" TargetMode="External"/></Relationships>`)},
			{"relationships of another part", "coverage", "relationships-not-covered", Invalid, withPart(t, good, "word/_rels/styles.xml.rels", "", "", "", relsTag+rel("rId1", docRel+"image", "document.xml")+"</Relationships>")},
			{"a second document", "main-part", "main-twice", Invalid, withPart(t, good, "word/evil.xml", openXML+"wordprocessingml.document.main+xml", relsName, rel("rId9", docRel+"officeDocument", "word/evil.xml"), "<a/>")},
			{"a second document of the strict kind", "main-part", "main-twice", Invalid, edited(t, good, relsName, "</Relationships>", rel("rId9", "http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument", docName)+"</Relationships>")},
			{"no document", "main-part", "main-missing", Invalid, edited(t, good, relsName, "relationships/officeDocument", "relationships/officedocument")},
			{"a document that is not there", "main-part", "main-absent", Invalid, edited(t, good, relsName, `Target="word/document.xml"`, `Target="word/docunent.xml"`)},
			{"a document of another kind", "main-part", "main-type", Invalid, edited(t, good, typesName, openXML+"wordprocessingml.document.main+xml", "application/xml")},
			{"properties that are content too", "", "", Invalid, edited(t, good, docRels, "</Relationships>", rel("rId9", docRel+"subDocument", "../docProps/app.xml")+"</Relationships>")},
			{"content as properties", "coverage", "parts-not-covered", Invalid, withPart(t, good, "word/people.xml", people, relsName, rel("rId9", docRel+"custom-properties", "word/people.xml"), "<a/>")},
			{"a stray part among signatures", "coverage", "parts-not-covered", Invalid, withPart(t, good, "_xmlsignatures/sig9.xml", opcsig.TypeSignature, "", "", "<a/>")},
			{"a stray part among seals", "coverage", "parts-not-covered", Invalid, withPart(t, good, "_seals/seal1/more", "application/xml", "", "", "<a/>")},
			{"evidence that nothing names", "coverage", "parts-not-covered", Invalid, rewritten(t, good, "_seals/seal1/evidence", "evidence")},
			{"a part that is damaged", "parts", "part-unreadable", Invalid, damaged(t, good, docName)},
			{"PDF at the beginning", "package", "also-pdf", Invalid, rezipped(t, good, "0/%PDF-1.7", "%PDF-1.7")},
			{"another origin of signatures", "", "", Invalid, edited(t, good, relsName, "</Relationships>", rel("rId9", opcsig.RelOrigin, "word/styles.xml")+rel("rId10", opcsig.RelOrigin, docName)+"</Relationships>")},
		} {
			t.Run(string(f)+"/"+x.name, func(t *testing.T) { want(t, verifyFile(t, w, x.file, nil), 0, x.verdict, x.check, x.code) })
		}
	}
}

// What is wrong with the zip file is found, by the code that package opc gives it; its own tests make each.
func TestOfficeZip(t *testing.T) {
	w := theWorld()
	good := officeSign(t, docx(t), w.stamp(t, sign.SES, noon), officeAct{})
	for name, x := range map[string]struct {
		code string
		file []byte
	}{
		"bytes before":            {opc.FaultPrefix, append([]byte("junk"), good...)},
		"another zip before":      {opc.FaultPrefix, append(docxOf(t, "evil"), good...)},
		"bytes after":             {opc.FaultTail, append(bytes.Clone(good), "junk"...)},
		"comment":                 {opc.FaultComment, commented(good)},
		"an entry twice":          {opc.FaultDuplicate, doubled(t, good, docName, docName)},
		"an entry in capitals":    {opc.FaultDuplicate, doubled(t, good, docName, "WORD/document.xml")},
		"a name by the way":       {opc.FaultPath, rewritten(t, good, "word/../word/evil.xml", "<a/>")},
		"a directory":             {opc.FaultDirectory, rewritten(t, good, "word/media/", "")},
		"local name":              {opc.FaultLocalName, localName(t, good, docName)},
		"no content type":         {opc.FaultUntyped, rewritten(t, good, "word/trash", "junk")},
		"OLE of an old document":  {opc.FaultUntyped, rewritten(t, good, "WordDocument", "junk")},
		"relationships of nobody": {opc.FaultRelsOrphan, rewritten(t, good, "word/_rels/evil.xml.rels", relsTag+"</Relationships>")},
	} {
		t.Run(name, func(t *testing.T) { want(t, verifyFile(t, w, x.file, nil), 0, Invalid, "package", x.code) })
	}
}

// Seal signatures that were made, or put into the package, as they should not be.
func TestOfficeSeal(t *testing.T) {
	w := theWorld()
	ses := func(a officeAct) []byte { return officeSign(t, docx(t), w.stamp(t, sign.SES, noon), a) }
	good := ses(officeAct{})
	drop := func(name string) func(sign.Format, []opcsig.Reference) []opcsig.Reference {
		return func(_ sign.Format, r []opcsig.Reference) []opcsig.Reference {
			return slices.DeleteFunc(r, func(x opcsig.Reference) bool { return x.Name == name })
		}
	}
	other := officeSign(t, docxOf(t, "另一份判决"), w.stamp(t, sign.SES, noon), officeAct{})
	for _, x := range []tampered{
		{"as it should be", "parts", "ok", Valid, good},
		{"a part left out", "coverage", "parts-not-covered", Invalid, ses(officeAct{refs: drop("/word/styles.xml")})},
		{"properties left out", "coverage", "parts-not-covered", Invalid, ses(officeAct{refs: drop("/docProps/core.xml")})},
		{"relationships left out", "coverage", "relationships-not-covered", Invalid, ses(officeAct{refs: drop("/word/_rels/document.xml.rels")})},
		{"properties changed", "parts", "part-changed", Invalid, edited(t, good, "docProps/core.xml", "/>", "></cp:coreProperties>")},
		{"the manifest changed", "content-hash", "content-changed", Invalid, edited(t, good, sealedName, `"/word/styles.xml"`, `"/word/stylez.xml"`)},
		{"the manifest written otherwise", "signature-part", "signature-unreadable", Invalid, ses(officeAct{manifest: func(b []byte) []byte { return append(b, ' ') }})},
		{"the manifest of another type", "signature-part", "signature-type", Invalid, edited(t, good, typesName, opcsig.TypeManifest, "application/xml")},
		{"no manifest", "signature-part", "signature-missing", Invalid, rewritten(t, good, sealedName, "")},
		{"no value", "signature-part", "signature-missing", Invalid, rewritten(t, good, "_seals/seal1/SignedValue.dat", "")},
		{"the value is something else", "ses-format", "malformed-ses", Invalid, rewritten(t, good, "_seals/seal1/SignedValue.dat", "value")},
		{"manifest and value of another document", "parts", "part-changed", Invalid, rewritten(t, good, sealedName, contentOf(t, other, sealedName), "_seals/seal1/SignedValue.dat", contentOf(t, other, "_seals/seal1/SignedValue.dat"))},
		{"the value of another document", "content-hash", "content-changed", Invalid, rewritten(t, good, "_seals/seal1/SignedValue.dat", contentOf(t, other, "_seals/seal1/SignedValue.dat"))},
		{"propertyInfo of another place", "ses-property", "property-differs", Invalid, ses(officeAct{property: "/_seals/seal2/Signature.xml"})},
		{"propertyInfo of a PDF", "ses-property", "property-differs", Invalid, ses(officeAct{property: "ByteRange=[0 1 2 3]"})},
		{"undo changed", "signature-part", "undo-differs", Invalid, edited(t, good, "_seals/seal1/undo", "undo 1", "undo 2")},
		{"undo taken away", "signature-part", "undo-missing", Invalid, rewritten(t, good, "_seals/seal1/undo", "")},
		{"two origins", "signature-part", "origin-twice", Invalid, withPart(t, withPart(t, good, "_seals/other.seals", "", relsName, rel("rId9", opcsig.RelSealOrigin, "_seals/other.seals"), ""),
			"_seals/_rels/other.seals.rels", "", "", "", relsTag+"</Relationships>")},
		{"used by another", "seal-holder", "not-holder", Invalid, officeSign(t, docx(t), rawSES{w.seal, w.sm2CA.Issue(testpki.SM2, "别人", nil)}, officeAct{})},
	} {
		t.Run(x.name, func(t *testing.T) { want(t, verifyFile(t, w, x.file, nil), 0, x.verdict, x.check, x.code) })
	}
	// A seal of its own beside one that is good is judged by itself; and anybody may add seals.
	twice := officeSign(t, good, w.stamp(t, sign.SES, noon), officeAct{})
	r := verifyFile(t, w, twice, nil)
	want(t, r, 0, Valid, "coverage", "ok")
	want(t, r, 1, Valid, "coverage", "ok")
}

// Signatures of Office programs: what stands in the part, and what they are made with.
func TestOfficeNative(t *testing.T) {
	w := theWorld()
	native := func(s sign.Signer, a officeAct) []byte { return officeSign(t, docx(t), s, a) }
	plain := func(key sign.Key) sign.Signer {
		s, err := xmldsig.New(key, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good := native(w.officeStamp(t), officeAct{})
	bare := native(plain(w.rsa), officeAct{bare: true})
	drop := func(name string) func(sign.Format, []opcsig.Reference) []opcsig.Reference {
		return func(_ sign.Format, r []opcsig.Reference) []opcsig.Reference {
			return slices.DeleteFunc(r, func(x opcsig.Reference) bool { return x.Name == name })
		}
	}
	ec, p384 := issue(w.rsaCA, testpki.P256, nil), issue(w.rsaCA, testpki.P384, nil)
	sig := contentOf(t, bare, sigName)
	within := func(from, to string) string {
		_, rest, ok := strings.Cut(sig, from)
		text, _, ok2 := strings.Cut(rest, to)
		if !ok || !ok2 {
			t.Fatal(from, to)
		}
		return text
	}
	value := within("<SignatureValue>", "</SignatureValue>")
	pkgDigest := within("<DigestValue>", "</DigestValue>")
	type change [2]string
	edit := func(c ...change) []byte {
		s := sig
		for _, x := range c {
			if !strings.Contains(s, x[0]) {
				t.Fatalf("no %q in %s", x[0], s)
			}
			s = strings.Replace(s, x[0], x[1], 1)
		}
		return rewritten(t, bare, sigName, s)
	}
	otherRSA := issue(w.rsaCA, testpki.RSA, nil)
	for _, x := range []tampered{
		{"with a seal", "seal-binding", "seal-in-part", Valid, good},
		{"without", "coverage", "coverage-properties", Valid, bare},
		{"by ECDSA", "xml-value", "ok", Valid, native(plain(ec), officeAct{bare: true})},
		{"by ECDSA with SHA-384", "xml-value", "ok", Valid, native(plain(p384), officeAct{bare: true})},
		{"properties changed", "parts", "ok", Valid, edited(t, bare, "docProps/core.xml", "/>", "></cp:coreProperties>")},
		{"a part left out", "coverage", "parts-not-covered", Invalid, native(plain(w.rsa), officeAct{bare: true, refs: drop("/word/styles.xml")})},
		{"relationships left out", "coverage", "relationships-not-covered", Invalid, native(plain(w.rsa), officeAct{bare: true, refs: drop("/word/_rels/document.xml.rels")})},
		{"undo not bound", "coverage", "parts-not-covered", Invalid, native(w.officeStamp(t), officeAct{refs: drop("/_seals/seal1/undo")})},
		{"seal not bound", "coverage", "parts-not-covered", Invalid, native(w.officeStamp(t), officeAct{refs: drop("/_seals/seal1/Seal.esl")})},
		{"undo changed", "parts", "part-changed", Invalid, edited(t, good, "_seals/seal1/undo", "undo 1", "undo 2")},
		{"another seal", "parts", "part-changed", Invalid, rewritten(t, good, "_seals/seal1/Seal.esl", string(w.make(nil).Raw))},
		{"no seal", "seal-binding", "malformed-binding", Invalid, rewritten(t, good, "_seals/seal1/Seal.esl", "seal")},
		{"two seals", "seal-binding", "seal-binding-twice", Invalid, native(w.officeStamp(t), officeAct{types: [][2]string{{"/_seals/seal2/Seal.esl", opcsig.TypeSeal}},
			parts: []opc.Change{{Name: "/_seals/seal2/Seal.esl", Data: w.seal.Raw}}, refs: func(_ sign.Format, r []opcsig.Reference) []opcsig.Reference {
				return append(r, opcsig.Reference{Name: "/_seals/seal2/Seal.esl", ContentType: opcsig.TypeSeal, Hash: sign.SHA256, Digest: sign.SHA256.Sum(w.seal.Raw)})
			}})},
		{"the part is no signature", "signature-part", "signature-unreadable", Invalid, rewritten(t, bare, sigName, "<a/>")},
		{"the part is not there", "signature-part", "signature-missing", Invalid, rewritten(t, bare, sigName, "")},
		{"the part is of another type", "signature-part", "signature-type", Invalid, edited(t, bare, typesName, opcsig.TypeSignature, "application/xml")},
		{"two origins", "signature-part", "origin-twice", Invalid, withPart(t, withPart(t, bare, "_xmlsignatures/other.sigs", "", relsName, rel("rId9", opcsig.RelOrigin, "_xmlsignatures/other.sigs"), ""),
			"_xmlsignatures/_rels/other.sigs.rels", "", "", "", relsTag+"</Relationships>")},
		{"value", "xml-value", "xml-value-wrong", Invalid, edit(change{value[:8], "AAAAAAAA"})},
		{"digest in SignedInfo", "xml-references", "xml-object-changed", Invalid, edit(change{pkgDigest[:8], "AAAAAAAA"})},
		{"time", "xml-references", "xml-object-changed", Invalid, edit(change{"<mdssi:Value>2026", "<mdssi:Value>2025"})},
		{"comments", "xml-references", "xml-object-changed", Invalid, edit(change{"<SignatureComments>", "<SignatureComments>x"})},
		{"algorithm of the value", "xml-value", "xml-value-wrong", Invalid, edit(change{"xmldsig-more#rsa-sha256", "xmldsig-more#rsa-sha512"})},
		{"algorithm of another key", "xml-value", "key-mismatch", Invalid, edited(t, native(plain(ec), officeAct{bare: true}), sigName, "xmldsig-more#ecdsa-sha256", "xmldsig-more#rsa-sha256")},
		{"unknown algorithm", "xml-value", "xml-algorithm", Invalid, edit(change{"xmldsig-more#rsa-sha256", "xmldsig-more#rsa-md5"})},
		{"HMAC", "xml-signature", opcsig.CodeAlgorithm, Invalid, edit(change{"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#hmac-sha1"})},
		{"SHA-1", "signer-algorithm", "weak-hash", Invalid, edit(change{"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"})},
		{"certificate", "signer-certificate", "malformed-certificate", Invalid, edit(change{"<X509Certificate>MII", "<X509Certificate>AAA"})},
		{"no certificate", "signer-certificate", "no-certificate", Invalid, edit(change{within("<KeyInfo>", "</KeyInfo>"), ""})},
		{"the certificate of another key", "xml-certificate", "other-certificate", Invalid, edit(change{within("<X509Certificate>", "</X509Certificate>"), base64Of(otherRSA.Chain()[0])})},
		{"no XAdES", "xml-certificate", "certificate-not-bound", Invalid, edit(change{within("</SignatureInfoV1></SignatureProperty></SignatureProperties></Object>", "</Signature>"), ""})},
		{"a key of 1024 bits", "signer-algorithm", "weak-key", Invalid, native(rawXML{key: issue(w.rsaCA, testpki.RSA1024, nil)}, officeAct{bare: true})},
		{"DigestInfo without NULL", "xml-value", "xml-value-wrong", Invalid, native(rawXML{w.rsa, true}, officeAct{bare: true})},
		{"DigestInfo with NULL", "xml-value", "ok", Valid, native(rawXML{w.rsa, false}, officeAct{bare: true})},
		{"SHA-1 in the manifest", "xml-signature", opcsig.CodeSHA1, Invalid, edit(change{`document.main+xml"><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod><DigestValue>` +
			within(`document.main+xml"><DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod><DigestValue>`, "</"),
			`document.main+xml"><DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"></DigestMethod><DigestValue>` + base64Of(sign.SHA1.Sum([]byte(contentOf(t, bare, docName))))})},
		{"time stamp of somebody", "timestamp", "timestamp-no-proof", Valid, stampedOffice(t, bare, []byte("token"))},
	} {
		t.Run(x.name, func(t *testing.T) { want(t, verifyFile(t, w, x.file, nil), 0, x.verdict, x.check, x.code) })
	}
	// A signature without parts; one of another document, in place of this one's.
	none := native(plain(w.rsa), officeAct{bare: true, refs: func(_ sign.Format, r []opcsig.Reference) []opcsig.Reference {
		return slices.DeleteFunc(r, func(x opcsig.Reference) bool { return !x.IsRels() })
	}})
	want(t, verifyFile(t, w, none, nil), 0, Invalid, "parts", "parts-none")
	other := officeSign(t, docxOf(t, "另一份判决"), plain(w.rsa), officeAct{bare: true})
	moved := rewritten(t, bare, sigName, contentOf(t, other, sigName))
	want(t, verifyFile(t, w, moved, nil), 0, Invalid, "parts", "part-changed")
}

// A document that shows its properties, which native signatures of other makers leave out: office_doubt_test.go has those. Ours cover them.
func TestOfficeFields(t *testing.T) {
	w := theWorld()
	file := docxOf(t, `</w:t></w:r><w:fldSimple w:instr=" DOCPROPERTY Fall "><w:r><w:t>1</w:t></w:r></w:fldSimple><w:r><w:t>`)
	for _, f := range formats {
		r := verifyFile(t, w, sealDocx(t, file, w.officeSigner(t, f), officex.Options{}), nil)
		want(t, r, 0, Valid, "coverage", "ok")
		if r.Verdict != Valid || len(r.Notes) != 1 || r.Notes[0].Code != "dynamic-content" {
			t.Errorf("%s", r)
		}
	}
}

// Signature lines show the seal, each by its own signature; and a line of Word's with another picture than the seal's is told.
func TestOfficeLines(t *testing.T) {
	w := theWorld()
	for _, f := range []sign.Format{sign.CMS, sign.Dual} {
		r := verifyFile(t, w, sealDocx(t, docx(t), w.officeSigner(t, f), officex.Options{AsLine: true}), nil)
		want(t, r, 0, Valid, "picture", "ok")
		if r.Verdict != Valid {
			t.Errorf("%s", r)
		}
	}
	line := func(d *opcsig.Draft) {
		d.Line = &opcsig.Line{Setup: "{01234567-89AB-CDEF-0123-456789ABCDEF}", Picture: []byte("other"), Valid: []byte("other"), Invalid: []byte("other")}
	}
	want(t, verifyFile(t, w, officeSign(t, docx(t), w.officeStamp(t), officeAct{draft: line}), nil), 0, Invalid, "picture", "picture-differs")
}

// Several people sign, in both ways, with seals and without: each is judged, and none disturbs another.
func TestOfficeSeveral(t *testing.T) {
	w := theWorld()
	plain, err := xmldsig.New(issue(w.rsaCA, testpki.P256, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	file := sealDocx(t, docx(t), w.stamp(t, sign.Dual, noon), officex.Options{})
	for i, s := range []sign.Signer{w.officeStamp(t), w.stamp(t, sign.SES, noon), plain, w.stamp(t, sign.Dual, noon)} {
		file = sealDocx(t, file, s, officex.Options{Invisible: true, Now: at(noon.Add(time.Duration(i+1) * time.Second))})
	}
	r := verifyFile(t, w, file, nil)
	if r.Verdict != Valid || len(r.Signatures) != 7 {
		t.Errorf("%s", r)
	}
	bad := edited(t, file, docName, judgement, "判决如上")
	for i := range r.Signatures {
		want(t, verifyFile(t, w, bad, nil), i, Invalid, "parts", "part-changed")
	}
	// One wrong signature makes the document wrong.
	r = verifyFile(t, w, edited(t, file, sigName, "<SignatureComments>", "<SignatureComments>x"), nil)
	if r.Verdict != Invalid || r.Signatures[0].Verdict != Valid {
		t.Errorf("%s", r)
	}
}
