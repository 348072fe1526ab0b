package verify

import (
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// plainOffice signs as Office programs do.
func plainOffice(t testing.TB, w *world, file []byte) []byte {
	t.Helper()
	s, err := xmldsig.New(w.rsa, nil)
	if err != nil {
		t.Fatal(err)
	}
	return officeSign(t, file, s, officeAct{bare: true})
}

// One signature is not two because two relationships lead to it, or because its part was copied.
func TestOfficeSignatureTwice(t *testing.T) {
	w := theWorld()
	native, ses := plainOffice(t, w, docx(t)), officeSign(t, docx(t), w.stamp(t, sign.SES, noon), officeAct{})
	const origins, seals = "_xmlsignatures/_rels/origin.sigs.rels", "_seals/_rels/origin.seals.rels"
	sig := contentOf(t, native, sigName)
	for name, file := range map[string][]byte{
		"related twice": edited(t, native, origins, "</Relationships>", rel("rId9", opcsig.RelSignature, "sig1.xml")+"</Relationships>"),
		"copied":        withPart(t, native, "_xmlsignatures/sig2.xml", opcsig.TypeSignature, origins, rel("rId9", opcsig.RelSignature, "sig2.xml"), sig),
		"copied, written otherwise": withPart(t, native, "_xmlsignatures/sig2.xml", opcsig.TypeSignature, origins, rel("rId9", opcsig.RelSignature, "sig2.xml"),
			strings.Replace(sig, "<SignatureValue>", "<SignatureValue> ", 1)),
		"seal related twice": edited(t, ses, seals, "</Relationships>", rel("rId9", opcsig.RelSeal, "seal1/Signature.xml")+"</Relationships>"),
	} {
		t.Run(name, func(t *testing.T) {
			r := verifyFile(t, w, file, nil)
			want(t, r, 0, Valid, "signature-part", "ok")
			want(t, r, 1, Invalid, "signature-part", "signature-twice")
		})
	}
}

// Content controls show properties as fields do.
func TestOfficeBoundProperties(t *testing.T) {
	w := theWorld()
	for name, binding := range map[string]string{
		"by identifier":  `w:storeItemID="{6c3c8bc8-f283-45ae-878a-bab7291924a1}" w:xpath="/*[1]/*[1]"`,
		"by namespace":   `w:xpath="/ns0:coreProperties[1]/ns1:title[1]" w:prefixMappings="xmlns:ns0='http://schemas.openxmlformats.org/package/2006/metadata/core-properties'"`,
		"of the program": `w:storeItemID="{6668398D-A668-4E3E-A5EB-62B293D839F1}" w:xpath="/ns0:Properties[1]/ns0:Company[1]"`,
	} {
		t.Run(name, func(t *testing.T) {
			file := docxOf(t, `案号</w:t></w:r><w:sdt><w:sdtPr><w:dataBinding `+binding+`/></w:sdtPr><w:sdtContent><w:r><w:t>1</w:t></w:r></w:sdtContent></w:sdt><w:r><w:t>`)
			want(t, verifyFile(t, w, plainOffice(t, w, file), nil), 0, Indeterminate, "coverage", "coverage-fields")
			want(t, verifyFile(t, w, officeSign(t, file, w.stamp(t, sign.SES, noon), officeAct{}), nil), 0, Valid, "coverage", "ok")
		})
	}
	own := docxOf(t, `案号</w:t></w:r><w:sdt><w:sdtPr><w:dataBinding w:storeItemID="{11111111-2222-3333-4444-555555555555}" w:xpath="/a"/></w:sdtPr></w:sdt><w:r><w:t>`)
	want(t, verifyFile(t, w, plainOffice(t, w, own), nil), 0, Valid, "coverage", "coverage-properties")
}

// Properties are not signed, and cannot keep what is from being looked at.
func TestOfficeUnreadableProperties(t *testing.T) {
	w := theWorld()
	file := docxOf(t, `</w:t></w:r><w:fldSimple w:instr=" TITLE "/><w:r><w:t>`)
	app := []string{"docProps/app.xml", `<?xml version="1.0" encoding="windows-1252"?><Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"/>`}
	file = rewritten(t, rezipped(t, rewritten(t, file, "docProps/app.xml", ""), app[0], app[1]))
	want(t, verifyFile(t, w, plainOffice(t, w, file), nil), 0, Indeterminate, "coverage", "coverage-fields")
}

// A picture that has the bytes of the seal's and is drawn otherwise.
func TestOfficePictureAltered(t *testing.T) {
	w := theWorld()
	s := w.stamp(t, sign.SES, noon)
	shown := sealDocx(t, docx(t), s, officex.Options{})
	want(t, verifyFile(t, w, shown, nil), 0, Valid, "picture", "ok")
	rels := contentOf(t, shown, relsName)
	shown = rewritten(t, shown, "_seals/origin.seals", "", "_seals/_rels/origin.seals.rels", "", "_seals/seal1/Signature.xml", "", "_seals/seal1/SignedValue.dat", "",
		"_seals/seal1/undo", "", relsName, strings.Replace(rels, opcsig.RelSealOrigin, "urn:x", 1))
	for name, c := range map[string][2]string{
		"nothing":               {"<a:stretch>", "<a:stretch>"},
		"another over it":       {"<a:stretch>", `<a:extLst><a:ext uri="{96DAC541-7B7A-43D3-8B79-37D633B846F1}"><asvg:svgBlip xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main"/></a:ext></a:extLst><a:stretch>`},
		"cut":                   {"<a:stretch>", `<a:srcRect l="40000"/><a:stretch>`},
		"turned":                {"<a:xfrm>", `<a:xfrm flipH="1">`},
		"of another shape":      {`prst="rect"`, `prst="ellipse"`},
		"two pictures":          {"<a:stretch>", `<a:blip/><a:stretch>`},
		"smaller than its room": {"<a:fillRect/>", `<a:fillRect l="90000"/>`},
	} {
		t.Run(name, func(t *testing.T) {
			file := sealDocx(t, edited(t, edited(t, shown, docName, c[0], c[1]), relsName, `<Relationship Id="rId4" Type="urn:x" Target="_seals/origin.seals"/>`, ""), s, officex.Options{Invisible: true})
			code := "picture-foreign"
			if name == "nothing" {
				code = "ok"
			}
			want(t, verifyFile(t, w, file, nil), 0, Valid, "picture", code)
		})
	}
}

// What LibreOffice and others look for by its name alone is nowhere but in what is signed.
func TestOfficeShownBesideSigned(t *testing.T) {
	w := theWorld()
	good := plainOffice(t, w, docx(t))
	const (
		date = `<mdssi:SignatureTime xmlns:mdssi="http://schemas.openxmlformats.org/package/2006/digital-signature"><mdssi:Value>2020-01-01T00:00:00Z</mdssi:Value></mdssi:SignatureTime>`
		note = `<SignatureComments xmlns="http://schemas.microsoft.com/office/2006/digsig">x</SignatureComments>`
		xd   = `<xd:SigningTime xmlns:xd="http://uri.etsi.org/01903/v1.3.2#">2020-01-01T00:00:00Z</xd:SigningTime>`
		none = `<a xmlns="urn:a"/>`
	)
	for name, x := range map[string]struct{ at, put, code string }{
		"time":                  {"</Signature>", "<Object>" + date + "</Object></Signature>", opcsig.CodeNotSigned},
		"comments":              {"</Signature>", "<Object>" + note + "</Object></Signature>", opcsig.CodeNotSigned},
		"XAdES time":            {"</Signature>", "<Object>" + xd + "</Object></Signature>", opcsig.CodeNotSigned},
		"beside XAdES":          {"</xd:QualifyingProperties>", "</xd:QualifyingProperties>" + date, opcsig.CodeNotSigned},
		"in what is not signed": {"</xd:QualifyingProperties>", "<xd:UnsignedProperties>" + date + "</xd:UnsignedProperties></xd:QualifyingProperties>", opcsig.CodeNotSigned},
		"something":             {"</Signature>", "<Object>" + none + "</Object></Signature>", opcsig.CodeLoose},
	} {
		t.Run(name, func(t *testing.T) {
			verdict := Invalid
			if x.code == opcsig.CodeLoose {
				verdict = Valid
			}
			want(t, verifyFile(t, w, edited(t, good, sigName, x.at, x.put), nil), 0, verdict, "xml-signature", x.code)
		})
	}
}

// What leads to acts is not signed. Without it, the record of what was there before would be no more than a part.
func TestOfficeUndoUnrelated(t *testing.T) {
	w := theWorld()
	good := officeSign(t, docx(t), w.officeStamp(t), officeAct{})
	want(t, verifyFile(t, w, good, nil), 0, Valid, "signature-part", "ok")
	file := rewritten(t, good, "_seals/_rels/origin.seals.rels", relsTag+"</Relationships>")
	want(t, verifyFile(t, w, file, nil), 0, Invalid, "signature-part", "undo-missing")
}

// A document that cannot be looked through may show its properties, and other pictures than the seal's.
func TestOfficeUnreadableDocument(t *testing.T) {
	w := theWorld()
	file := edited(t, docx(t), docName, "UTF-8", "windows-1252")
	want(t, verifyFile(t, w, plainOffice(t, w, file), nil), 0, Indeterminate, "coverage", "coverage-unread")
	want(t, verifyFile(t, w, officeSign(t, file, w.stamp(t, sign.SES, noon), officeAct{}), nil), 0, Valid, "picture", "picture-unreadable")
}

// Damage is told in the report.
func TestOfficeDamagedParts(t *testing.T) {
	plain := plainOffice(t, theWorld(), docx(t))
	flagged(t, theWorld(), damaged(t, plain, "docProps/core.xml"), "part-damaged")
	w, log := ledgerWorld(t, sm3Log)
	file := enteredDocx(t, w, sign.CMS, scribe{log: log})
	want(t, verifyFile(t, w, damaged(t, file, "_seals/seal1/evidence"), nil), 0, Invalid, "coverage", "parts-not-covered")
	want(t, verifyFile(t, w, damaged(t, file, "_seals/seal1/Seal.esl"), nil), 0, Invalid, "seal-binding", "malformed-binding")
}

// Programs that tell capitals from small letters do not see a type that is declared for a part in others.
func TestOfficeTypeOfAnotherSpelling(t *testing.T) {
	w := theWorld()
	for _, name := range []string{"/Word/styles.xml", "/word/styles.XML"} {
		file := edited(t, plainOffice(t, w, docx(t)), typesName, `"/word/styles.xml"`, `"`+name+`"`)
		want(t, verifyFile(t, w, file, nil), 0, Invalid, "package", "opc-types-xml")
	}
}

// Programs that sign all parts sign the seals of others with them.
func TestOfficeSignedByAnotherToo(t *testing.T) {
	w := theWorld()
	good := officeSign(t, docx(t), w.officeStamp(t), officeAct{})
	s, err := xmldsig.New(issue(w.rsaCA, testpki.RSA, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	file := officeSign(t, good, s, officeAct{bare: true, refs: func(_ sign.Format, r []opcsig.Reference) []opcsig.Reference {
		for name, kind := range map[string]string{"/_seals/seal1/Seal.esl": opcsig.TypeSeal, "/_seals/seal1/undo": opcsig.TypeUndo} {
			r = append(r, opcsig.Reference{Name: name, ContentType: kind, Hash: sign.SHA256, Digest: sign.SHA256.Sum([]byte(contentOf(t, good, name[1:])))})
		}
		return r
	}})
	r := verifyFile(t, w, file, nil)
	want(t, r, 0, Valid, "seal-binding", "seal-in-part")
	want(t, r, 1, Valid, "parts", "ok")
}
