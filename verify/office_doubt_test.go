package verify

import (
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opcsig"
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
