package verify

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/ziptest"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// from takes parts of another file.
func from(file []byte, names ...string) mutation {
	return func(t testing.TB, a *ziptest.Archive) {
		other := ziptest.Read(t, file)
		for _, name := range names {
			put(name, other.Entry(name).Text(t))(t, a)
		}
	}
}

const (
	valueName = "_seals/seal1/SignedValue.dat"
	undoName  = "_seals/seal1/undo"
)

// Signatures, seals and what belongs to them, taken from one document into another, taken away, or changed.
func signaturesSwapped(t testing.TB) (attacks []officeAttack) {
	s := sealed()
	other := map[string][]byte{} // another text, sealed in the same way by the same holder
	for _, way := range ways {
		other[way] = s.sealed(t, docxOf(t, "驳回"), way)
	}
	seals := []string{wayES, wayDual, wayLine, wayTwo}
	alone := []string{wayRSA, wayECC}
	each := func(names ...string) func(way string) mutation {
		return func(way string) mutation { return from(other[way], names...) }
	}
	swapped := func(name string, ways, want []string, change func(way string) mutation) {
		for _, way := range ways {
			attacks = append(attacks, officeAttack{name, []string{way}, want, change(way)})
		}
	}
	same := func(m mutation) func(string) mutation { return func(string) mutation { return m } }
	swapped("text of the other", ways, []string{"parts/part-changed"}, each(docName))
	swapped("native signature of the other", native, []string{"parts/part-changed native"}, each(sigName))
	swapped("value of the other seal signature", seals, []string{"content-hash/content-changed seal"}, each(valueName))
	swapped("manifest of the other seal signature", seals, []string{"content-hash/content-changed seal"}, each(sealedName))
	swapped("seal signature of the other", seals, []string{"parts/part-changed seal"}, each(sealedName, valueName))
	swapped("whole act of the other", seals, []string{"parts/part-changed seal"}, each(sealedName, valueName, undoName))
	swapped("undo of the other", seals, []string{"signature-part/undo-differs seal"}, each(undoName))
	swapped("undo of the other", alone, []string{"parts/part-changed native"}, each(undoName))
	swapped("value of a signature of the other", native, []string{"xml-value/xml-value-wrong native"}, func(way string) mutation {
		return func(t testing.TB, a *ziptest.Archive) {
			text := ziptest.Read(t, other[way]).Entry(sigName).Text(t)
			i, j := strings.Index(text, "<SignatureValue>"), strings.Index(text, "<KeyInfo>")
			onSig(between("<SignatureValue>", "</SignatureValue>", text[i:j]))(t, a)
		}
	})
	swapped("SignedInfo and value of the other", native, []string{"xml-references/xml-object-changed native"}, func(way string) mutation {
		return func(t testing.TB, a *ziptest.Archive) {
			text := ziptest.Read(t, other[way]).Entry(sigName).Text(t)
			i, j := strings.Index(text, "<SignedInfo>"), strings.Index(text, "<KeyInfo>")
			onSig(between("<SignedInfo>", "</SignatureValue>", text[i:j]))(t, a)
		}
	})
	swapped("package object of the other", native, []string{"xml-references/xml-object-changed native"}, func(way string) mutation {
		return func(t testing.TB, a *ziptest.Archive) {
			text := ziptest.Read(t, other[way]).Entry(sigName).Text(t)
			i, j := strings.Index(text, `<Object Id="idPackageObject">`), strings.Index(text, `<Object Id="idOfficeObject">`)
			onSig(between(`<Object Id="idPackageObject">`, "</Object>", text[i:j]))(t, a)
		}
	})
	swapped("a byte of the undo", seals, []string{"signature-part/undo-differs seal"}, same(edit(undoName, "undo 1", "undo 2")))
	swapped("no undo", seals, []string{"signature-part/undo-missing seal"}, same(drop(undoName)))
	swapped("no undo", alone, []string{"parts/part-missing native"}, same(drop(undoName)))
	swapped("the undo somewhere else", seals, []string{"signature-part/undo-missing seal"}, same(edit(sealRels, `Target="seal1/undo"`, `Target="seal9/undo"`)))
	swapped("a digest in the manifest", seals, []string{"content-hash/content-changed seal"}, same(func(t testing.TB, a *ziptest.Archive) {
		text := a.Entry(sealedName).Text(t)
		i := strings.Index(text, `SM3="`) + len(`SM3="`)
		put(sealedName, text[:i]+"AAAA"+text[i+4:])(t, a)
	}))
	swapped("a part left out of the manifest", seals, []string{"content-hash/content-changed seal", extraPart + " seal"}, same(func(t testing.TB, a *ziptest.Archive) {
		put(sealedName, between(`<Part ContentType="`+wordType+`styles+xml"`, "</Part>", "")(a.Entry(sealedName).Text(t)))(t, a)
	}))
	swapped("manifest with white space", seals, []string{"signature-part/signature-unreadable seal"}, same(edit(sealedName, "<Part ", "<Part  ")))
	swapped("manifest with a comment", seals, []string{"signature-part/signature-unreadable seal"}, same(edit(sealedName, "</Seal>", "<!-- --></Seal>")))
	swapped("manifest in another order", seals, []string{"signature-part/signature-unreadable seal"}, same(edit(sealedName, "</Seal>", `<Part ContentType="a/b" Name="/a.xml" SM3="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="></Part></Seal>`)))
	swapped("bytes behind the value", seals, []string{"ses-format/malformed-ses seal"}, same(func(t testing.TB, a *ziptest.Archive) {
		put(valueName, a.Entry(valueName).Text(t)+"\x00")(t, a)
	}))
	swapped("the act in another folder", seals, []string{"ses-property/property-differs seal"}, same(func(t testing.TB, a *ziptest.Archive) {
		for _, e := range slices.Clone(a.Entries) {
			if rest, ok := strings.CutPrefix(e.Central.Name, "_seals/seal1/"); ok {
				e.Both(func(f *ziptest.Fields) { f.Name = "_seals/seal7/" + rest })
			}
		}
		for _, name := range []string{typesName, sealRels} {
			put(name, strings.ReplaceAll(a.Entry(name).Text(t), "seal1/", "seal7/"))(t, a)
		}
	}))
	swapped("the act twice", seals, []string{"ses-property/property-differs seal"}, same(func(t testing.TB, a *ziptest.Archive) {
		for _, x := range [][2]string{{"Signature.xml", opcsig.TypeManifest}, {"SignedValue.dat", opcsig.TypeSignedValue}, {"undo", opcsig.TypeUndo}} {
			add("_seals/seal7/"+x[0], x[1], a.Entry("_seals/seal1/"+x[0]).Text(t))(t, a)
		}
		all(edit(sealRels, "</Relationships>", rel("rId70", opcsig.RelAct, "seal7/undo")+rel("rId71", opcsig.RelSeal, "seal7/Signature.xml")+"</Relationships>"),
			func(t testing.TB, a *ziptest.Archive) { // only the copy is asked
				put(sealRels, strings.Replace(a.Entry(sealRels).Text(t), "seal1/Signature.xml", "seal7/Signature.xml", 1))(t, a)
			})(t, a)
	}))
	swapped("Seal.esl changed", alone, []string{"parts/part-changed native"}, same(func(t testing.TB, a *ziptest.Archive) {
		b := []byte(a.Entry("_seals/seal1/Seal.esl").Text(t))
		b[len(b)/2] ^= 1
		put("_seals/seal1/Seal.esl", string(b))(t, a)
	}))
	swapped("Seal.esl of another seal", alone, []string{"parts/part-changed native"},
		same(put("_seals/seal1/Seal.esl", string(s.make(func(e *seal.Seal) { e.ID, e.Certs = "99", s.seal.Certs }).Raw))))
	swapped("no Seal.esl", alone, []string{"parts/part-missing native"}, same(drop("_seals/seal1/Seal.esl")))

	// Something of a signature is taken away: what is left of it belongs to nothing, and no signature covers it.
	swapped("native signature without its relationship", []string{wayDual, wayTwo}, []string{extraPart + " seal"}, same(edit(sigRels, `Target="sig1.xml"`, `Target="sig9.xml"`)))
	swapped("native signature gone, not its relationship", native, []string{"signature-part/signature-missing native"}, same(drop(sigName)))
	swapped("native origin gone", []string{wayDual}, []string{extraPart}, same(edit(relsName, opcsig.RelOrigin, "urn:x")))
	swapped("seal without its relationship", []string{wayDual, wayTwo}, []string{extraPart + " native"}, same(edit(sealRels, opcsig.RelSeal, "urn:x")))
	swapped("seal origin gone", []string{wayDual, wayTwo}, []string{extraPart + " native"}, same(edit(relsName, `Type="`+opcsig.RelSealOrigin+`"`, `Type="urn:x"`)))
	swapped("value gone", seals, []string{"signature-part/signature-missing seal"}, same(drop(valueName)))
	swapped("signature that is declared to be XML", native, []string{"signature-part/signature-type native"}, same(edit(typesName, opcsig.TypeSignature, "application/xml")))
	swapped("second origin of native signatures", native, []string{"signature-part/origin-twice native"},
		same(all(put("_xmlsignatures/other.sigs", ""), relate(relsName, opcsig.RelOrigin, "_xmlsignatures/other.sigs", false))))
	swapped("second origin of seals", seals, []string{"signature-part/origin-twice seal"},
		same(all(put("_seals/other.seals", ""), relate(relsName, opcsig.RelSealOrigin, "_seals/other.seals", false))))
	swapped("something in an origin", ways, []string{extraPart}, same(put("_seals/origin.seals", evilXML)))
	return attacks
}

// Signatures that stand side by side do not cover one another, so one can be taken away whole. What is left says nothing of it, and what
// the document shows of the seal that is gone is noted.
func TestOfficeRemovedWhole(t *testing.T) {
	s := sealed()
	a := ziptest.Read(t, s.file(t, wayDual))
	for _, name := range []string{sealedName, valueName, undoName, sealRels, "_seals/origin.seals"} {
		drop(name)(t, a)
	}
	rels := a.Entry(relsName).Text(t)
	i := strings.Index(rels, opcsig.RelSealOrigin)
	i = strings.LastIndex(rels[:i], "<Relationship ")
	put(relsName, rels[:i]+rels[i+strings.Index(rels[i:], "/>")+2:])(t, a)
	r, err := s.verify(a.Bytes())
	if err != nil || len(r.Signatures) != 1 || r.Signatures[0].Format != sign.XML {
		t.Fatalf("%v\n%s", err, r)
	}
	if !slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Code == "picture-without-seal" }) {
		t.Errorf("nothing is noted\n%s", r)
	}
	// The last act taken back by the record that it left: the file before, which is judged by itself.
	var out bytes.Buffer
	two := officeSeal(t, s.file(t, wayDual), s.signer(t, wayECC), officex.Options{Invisible: true})
	if err := officex.Remove(&out, bytes.NewReader(two), int64(len(two)), officex.Options{}); err != nil || !bytes.Equal(out.Bytes(), s.file(t, wayDual)) {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}

// Two seal signatures of one document, and what belongs to the first put to the second.
func TestOfficeTwoSeals(t *testing.T) {
	s := sealed()
	file := officeSeal(t, s.file(t, wayES), s.signer(t, wayES), officex.Options{Invisible: true})
	if r, err := s.verify(file); err != nil || r.Verdict != Valid || len(r.Signatures) != 2 {
		t.Fatalf("%v\n%s", err, r)
	}
	for _, name := range []string{"Signature.xml", "SignedValue.dat", "undo"} {
		a := ziptest.Read(t, file)
		one, two := "_seals/seal1/"+name, "_seals/seal2/"+name
		first, second := a.Entry(one).Text(t), a.Entry(two).Text(t)
		all(put(one, second), put(two, first))(t, a)
		want := map[string]string{"Signature.xml": "content-hash/content-changed", "SignedValue.dat": "ses-property/property-differs", "undo": "signature-part/undo-differs"}[name]
		r, err := s.verify(a.Bytes())
		officeAttack{name: name + " exchanged", want: []string{want}}.judge(t, "two seals", r, err)
	}
}
