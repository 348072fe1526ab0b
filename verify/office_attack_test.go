package verify

import (
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/ziptest"
)

const (
	sealRels = "_seals/_rels/origin.seals.rels"
	sigRels  = "_xmlsignatures/_rels/origin.sigs.rels"
	noRels   = xmlHead + relsTag + `</Relationships>`
	wordType = openXML + "wordprocessingml."
)

// A mutation changes an archive; all makes several of them.
type mutation = func(testing.TB, *ziptest.Archive)

func all(steps ...mutation) mutation {
	return func(t testing.TB, a *ziptest.Archive) {
		for _, s := range steps {
			s(t, a)
		}
	}
}

func has(a *ziptest.Archive, name string) bool {
	return slices.ContainsFunc(a.Entries, func(e *ziptest.Entry) bool { return e.Central.Name == name })
}

// put gives an entry a text, in its place, or a new one at the end.
func put(name, text string) mutation {
	return func(t testing.TB, a *ziptest.Archive) {
		e := ziptest.New(t, name, text)
		for i := range a.Entries {
			if a.Entries[i].Central.Name == name {
				a.Entries[i] = e
				return
			}
		}
		a.Entries = append(a.Entries, e)
	}
}

// edit replaces a text in an entry that has it.
func edit(name, from, to string) mutation {
	return func(t testing.TB, a *ziptest.Archive) {
		text := a.Entry(name).Text(t)
		if !strings.Contains(text, from) {
			t.Fatalf("%s has no %q:\n%s", name, from, text)
		}
		put(name, strings.Replace(text, from, to, 1))(t, a)
	}
}

// drop takes an entry away.
func drop(name string) mutation {
	return func(t testing.TB, a *ziptest.Archive) {
		if !has(a, name) {
			t.Fatalf("no %s", name)
		}
		a.Entries = slices.DeleteFunc(a.Entries, func(e *ziptest.Entry) bool { return e.Central.Name == name })
	}
}

// declare declares the type of a part.
func declare(name, kind string) mutation {
	return edit(typesName, "</Types>", override("/"+name, kind)+"</Types>")
}

// add puts in a part with its type.
func add(name, kind, text string) mutation { return all(declare(name, kind), put(name, text)) }

// relate adds a relationship, and the part that holds it where there is none.
func relate(rels, kind, target string, external bool) mutation {
	return func(t testing.TB, a *ziptest.Archive) {
		if !has(a, rels) {
			put(rels, noRels)(t, a)
		}
		text := rel("rIdEvil", kind, target)
		if external {
			text = strings.TrimSuffix(text, "/>") + ` TargetMode="External"/>`
		}
		edit(rels, "</Relationships>", text+"</Relationships>")(t, a)
	}
}

const (
	extraPart     = "coverage/parts-not-covered"
	extraRelation = "coverage/relationships-not-covered"
)

// Content put in beside what is signed, and where a program would find it.
func contentInjection(testing.TB) []officeAttack {
	both := []string{extraPart, extraRelation}
	relation := []string{extraRelation}
	attacks := []officeAttack{
		{"people", nil, both, all(add("word/people.xml", wordType+"people+xml", "<p/>"),
			relate(docRels, "http://schemas.microsoft.com/office/2011/relationships/people", "people.xml", false))},
		{"more about comments", nil, both, all(add("word/commentsExtended.xml", wordType+"commentsExtended+xml", "<c/>"),
			relate(docRels, "http://schemas.microsoft.com/office/2011/relationships/commentsExtended", "commentsExtended.xml", false))},
		{"comments", nil, both, all(add("word/comments.xml", wordType+"comments+xml", "<c/>"), relate(docRels, docRel+"comments", "comments.xml", false))},
		{"fonts", nil, both, all(add("word/fontTable.xml", wordType+"fontTable+xml", "<w/>"), relate(docRels, docRel+"fontTable", "fontTable.xml", false))},
		{"second styles", nil, both, all(add("word/styles2.xml", wordType+"styles+xml", "<w/>"), relate(docRels, docRel+"styles", "styles2.xml", false))},
		{"styles with effects", nil, both, all(add("word/stylesWithEffects.xml", "application/vnd.ms-word.stylesWithEffects+xml", "<w/>"),
			relate(docRels, "http://schemas.microsoft.com/office/2007/relationships/stylesWithEffects", "stylesWithEffects.xml", false))},
		{"theme", nil, both, all(add("word/theme/theme1.xml", openXML+"theme+xml", "<a/>"), relate(docRels, docRel+"theme", "theme/theme1.xml", false))},
		{"header", nil, both, all(add("word/header9.xml", wordType+"header+xml", "<h/>"), relate(docRels, docRel+"header", "header9.xml", false))},
		{"settings", nil, both, all(add("word/settings.xml", wordType+"settings+xml", "<s/>"), relate(docRels, docRel+"settings", "settings.xml", false))},
		{"glossary", nil, both, all(add("word/glossary/document.xml", wordType+"document.glossary+xml", evilXML),
			relate(docRels, docRel+"glossaryDocument", "glossary/document.xml", false))},
		{"alternative content", nil, both, all(add("word/afchunk.htm", "text/html", "<p>x</p>"), relate(docRels, docRel+"aFChunk", "afchunk.htm", false))},
		{"macros", nil, both, all(add("word/vbaProject.bin", "application/vnd.ms-office.vbaProject", "\xd0\xcf\x11\xe0"),
			relate(docRels, "http://schemas.microsoft.com/office/2006/relationships/vbaProject", "vbaProject.bin", false))},
		{"custom XML", nil, both, all(add("customXml/item1.xml", "application/xml", "<x/>"), relate(docRels, docRel+"customXml", "../customXml/item1.xml", false))},
		{"embedded object", nil, both, all(add("word/embeddings/oleObject1.bin", openXML+"oleObject", "\xd0\xcf\x11\xe0"),
			relate(docRels, docRel+"oleObject", "embeddings/oleObject1.bin", false))},
		{"attached template", nil, relation, relate(docRels, docRel+"attachedTemplate", "file:///x/evil.dotm", true)},
		{"linked picture", nil, relation, relate(docRels, docRel+"image", "https://evil.example/x.png", true)},
		{"part of another document", nil, relation, relate(docRels, docRel+"subDocument", "https://evil.example/x.docx", true)},
		{"hyperlink", nil, relation, relate(docRels, docRel+"hyperlink", "https://evil.example/", true)},
		{"relationship of an unknown kind", nil, relation, relate(docRels, "urn:x", "styles.xml", false)},
		{"relationships of a part that had none", nil, relation, relate("word/_rels/styles.xml.rels", docRel+"image", "https://evil.example/", true)},
		{"relationships of properties", nil, relation, relate("docProps/_rels/app.xml.rels", docRel+"image", "https://evil.example/", true)},
		{"user interface", nil, both, all(add("customUI/customUI.xml", "application/xml", "<x/>"),
			relate(relsName, "http://schemas.microsoft.com/office/2006/relationships/ui/extensibility", "customUI/customUI.xml", false))},
		{"web extension", nil, both, all(add("word/webextensions/taskpanes.xml", "application/vnd.ms-office.webextensiontaskpanes+xml", "<x/>"),
			relate(relsName, "http://schemas.microsoft.com/office/2011/relationships/webextensiontaskpanes", "word/webextensions/taskpanes.xml", false))},
		{"content called a thumbnail", nil, both, all(add("word/x.xml", wordType+"header+xml", "<x/>"), relate(relsName, pkgRel+"metadata/thumbnail", "word/x.xml", false))},
		{"content called properties", nil, both, all(add("word/x.xml", wordType+"header+xml", "<x/>"), relate(relsName, pkgRel+"metadata/core-properties", "word/x.xml", false))},
		{"second core properties", nil, both, all(add("docProps/core9.xml", "application/vnd.openxmlformats-package.core-properties+xml", "<x/>"),
			relate(relsName, pkgRel+"metadata/core-properties", "docProps/core9.xml", false))},
		{"core properties related twice", nil, relation, relate(relsName, pkgRel+"metadata/core-properties", "docProps/core.xml", false)},
		{"core properties related in two ways", nil, relation, relate(relsName, docRel+"metadata/core-properties", "docProps/core.xml", false)},
		{"second extended properties", nil, both, all(add("docProps/app9.xml", openXML+"extended-properties+xml", "<x/>"),
			relate(relsName, docRel+"extended-properties", "docProps/app9.xml", false))},
		{"properties outside", nil, relation, relate(relsName, docRel+"custom-properties", "https://evil.example/custom.xml", true)},
		{"content called a signature", nil, []string{extraRelation}, all(add("word/x.xml", wordType+"header+xml", "<x/>"),
			relate("word/_rels/styles.xml.rels", opcsig.RelSignature, "x.xml", false))},
		{"origin that is content", nil, both, all(add("word/x.xml", wordType+"header+xml", "<x/>"), relate(relsName, opcsig.RelOrigin, "word/x.xml", false))},
		{"signature shown as content", []string{wayRSA, wayDual}, []string{"coverage/parts-not-covered", extraRelation},
			relate(docRels, docRel+"header", "../_xmlsignatures/sig1.xml", false)},
		{"record of an act shown as content", nil, []string{extraRelation}, relate(docRels, docRel+"aFChunk", "../_seals/seal1/undo", false)},
		{"certificate of a signature", []string{wayRSA, wayLine}, []string{extraPart},
			all(add("_xmlsignatures/c.cer", "application/vnd.openxmlformats-package.digital-signature-certificate", "x"),
				relate("_xmlsignatures/_rels/sig1.xml.rels", "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/certificate", "c.cer", false))},
	}
	// A part that nothing leads to, in every folder and in new ones.
	for _, name := range []string{"x.xml", "word/x.xml", "docProps/x.xml", "docProps/custom.xml", "customXml/item9.xml", "_rels/x.xml", "word/_rels/x.xml", "_seals/x.xml",
		"_seals/seal1/x.xml", "_seals/seal1/more/x.xml", "_seals/seal9/undo.xml", "_xmlsignatures/x.xml", "_xmlsignatures/sig9.xml", "META-INF/x.xml", "trash/x.xml"} {
		attacks = append(attacks, officeAttack{"a part " + name, nil, []string{extraPart}, add(name, "application/xml", evilXML)})
	}
	for name, kind := range map[string]string{
		"_seals/seal1/evil": opcsig.TypeEvidence, "_seals/seal9/evidence": opcsig.TypeEvidence, "_seals/seal9/undo": opcsig.TypeUndo,
		"_seals/seal9/Seal.esl": opcsig.TypeSeal, "_seals/seal1/evidence": opcsig.TypeEvidence, "_seals/other.seals": opcsig.TypeSealOrigin,
		"_xmlsignatures/other.sigs": opcsig.TypeOrigin, "_xmlsignatures/sig9.xml": opcsig.TypeSignature, "docProps/thumbnail.jpeg": "image/jpeg",
		"docProps/other.xml": "application/vnd.openxmlformats-package.core-properties+xml", "word/numbering.xml": wordType + "numbering+xml",
	} {
		attacks = append(attacks, officeAttack{"a part " + name + " as " + kind, nil, []string{extraPart}, add(name, kind, evilXML)})
	}
	return attacks
}

// A second document to fall back to, and what makes a program repair the package.
func maliciousRepair(testing.TB) []officeAttack {
	const office = docRel + "officeDocument"
	second := add("word/evil.xml", wordType+"document.main+xml", evilXML)
	return []officeAttack{
		{"second document", nil, []string{"main-part/main-twice", extraPart, extraRelation}, all(second, relate(relsName, office, "word/evil.xml", false))},
		{"second document, strict", nil, []string{"main-part/main-twice", extraPart, extraRelation}, all(second, relate(relsName, documentRelations[1], "word/evil.xml", false))},
		{"second document, first", nil, []string{"main-part/main-twice", extraPart, extraRelation},
			all(second, edit(relsName, relsTag, relsTag+rel("rId0", office, "word/evil.xml")))},
		{"same document twice", nil, []string{"main-part/main-twice", extraRelation}, relate(relsName, office, "word/document.xml", false)},
		{"second document outside", nil, []string{"main-part/main-twice", extraRelation}, relate(relsName, office, "https://evil.example/x.docx", true)},
		{"second document of no type", nil, []string{"main-part/main-twice", extraPart}, all(put("word/evil.xml", evilXML), relate(relsName, office, "word/evil.xml", false))},
		{"relationship to another document", nil, []string{"parts/relationships-changed", extraPart},
			all(second, edit(relsName, `Target="word/document.xml"`, `Target="word/evil.xml"`))},
		{"no document", nil, []string{"main-part/main-missing", "parts/relationship-missing"}, edit(relsName, rel("rId1", office, "word/document.xml"), "")},
		{"document that is not there", nil, []string{"main-part/main-absent", "parts/part-missing"}, drop("word/document.xml")},
		{"two relationships of one id", nil, []string{"package/opc-rels-twice"},
			all(second, edit(relsName, relsTag, relsTag+rel("rId1", office, "word/evil.xml")))},
		{"two relationships of one id, in another order", nil, []string{"package/opc-rels-twice"},
			all(second, edit(relsName, "</Relationships>", rel("rId1", office, "word/evil.xml")+"</Relationships>"))},
		{"ids that differ in case", nil, []string{extraRelation}, all(second, edit(docRels, relsTag, relsTag+rel("RID1", docRel+"styles", "evil.xml")))},
		{"target out of the package", nil, []string{"package/opc-rels-target"}, edit(docRels, `Target="styles.xml"`, `Target="../../styles.xml"`)},
		{"target inside that becomes one outside", nil, []string{"parts/relationships-changed"}, edit(docRels, `Target="styles.xml"`, `Target="styles.xml" TargetMode="External"`)},
		{"base of targets", nil, []string{"package/opc-rels-xml"}, edit(docRels, "<Relationship ", `<Relationship xml:base="/evil/" `)},
		{"relationships with a document type", nil, []string{"package/opc-rels-xml"}, edit(docRels, "<Relationships ", `<!DOCTYPE r [<!ENTITY x "y">]><Relationships `)},
		{"relationships with markup compatibility", nil, []string{"package/opc-rels-xml"},
			edit(docRels, "<Relationship ", `<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"/><Relationship `)},
		{"relationships that are no XML", nil, []string{"package/opc-rels-xml", "parts/relationship-missing"}, edit(docRels, "</Relationships>", "")},
		{"relationships twice", nil, []string{"package/zip-duplicate"}, in(false, docRels)},
		{"no relationships of the document", nil, []string{"parts/part-missing"}, drop(docRels)},
		{"relationships in another case", nil, []string{"package/zip-duplicate"}, put("word/_rels/Document.xml.rels", noRels)},
		{"relationships of no part", nil, []string{"package/opc-rels-orphan"}, put("word/_rels/none.xml.rels", noRels)},
		{"part below a part", nil, []string{"package/opc-derived", extraPart}, add("word/document.xml/x.xml", "application/xml", evilXML)},
		{"no content types", nil, []string{"error"}, drop(typesName)},
		{"content types that are no XML", nil, []string{"package/opc-types-xml"}, edit(typesName, "</Types>", "")},
		{"content types with a document type", nil, []string{"package/opc-types-xml"}, edit(typesName, "<Types ", "<!DOCTYPE Types><Types ")},
		{"content types, two for one part", nil, []string{"package/opc-types-twice"}, declare("word/document.xml", "application/vnd.ms-word.document.macroEnabled.main+xml")},
		{"content types, two but for case", nil, []string{"package/opc-types-twice"}, declare("WORD/document.xml", "application/vnd.ms-word.document.macroEnabled.main+xml")},
		{"also a PDF", nil, []string{"package/also-pdf"}, func(t testing.TB, a *ziptest.Archive) {
			a.Entries = append([]*ziptest.Entry{ziptest.Store(t, "word/media/x.xml", "%PDF-1.7")}, a.Entries...)
		}},
	}
}

// What is signed looks otherwise, by what it refers to or by what it is declared to be.
func contentMasking(testing.TB) []officeAttack {
	macros := "application/vnd.ms-word.document.macroEnabled.main+xml"
	main := override("/word/document.xml", wordType+"document.main+xml")
	styles := override("/word/styles.xml", wordType+"styles+xml")
	return []officeAttack{
		{"other text", nil, []string{"parts/part-changed"}, edit(docName, judgement, "驳回")},
		{"other text of another document", nil, []string{"parts/part-changed"}, put(docName, evilXML)},
		{"document emptied", nil, []string{"parts/part-changed"}, put(docName, "")},
		{"white space behind the document", nil, []string{"parts/part-changed"}, edit(docName, "</w:document>", "</w:document> ")},
		{"other styles", nil, []string{"parts/part-changed"}, put("word/styles.xml", xmlHead+`<w:styles xmlns:w="`+wordML+`"><w:docDefaults/></w:styles>`)},
		{"no styles", nil, []string{"parts/part-missing"}, drop("word/styles.xml")},
		{"styles under another name", nil, []string{"parts/part-missing", "parts/relationships-changed", extraPart}, func(t testing.TB, a *ziptest.Archive) {
			text := a.Entry("word/styles.xml").Text(t)
			all(drop("word/styles.xml"), add("word/styles9.xml", wordType+"styles+xml", text), edit(docRels, `Target="styles.xml"`, `Target="styles9.xml"`))(t, a)
		}},
		{"no relationship to the styles", nil, []string{"parts/relationship-missing"}, edit(docRels, rel("rId1", docRel+"styles", "styles.xml"), "")},
		{"relationship of another kind", nil, []string{"parts/relationships-changed"}, edit(docRels, docRel+"styles", docRel+"numbering")},
		{"hyperlink in another mode", nil, []string{"package/opc-rels-xml"}, edit(docRels, `TargetMode="External"`, `TargetMode="external"`)},
		{"hyperlink that becomes a part", nil, []string{"parts/relationships-changed"}, edit(docRels, `https://court.example/" TargetMode="External"`, `styles.xml"`)},
		{"hyperlink to elsewhere", nil, []string{"parts/relationships-changed"}, edit(docRels, "https://court.example/", "https://evil.example/")},
		{"document with macros", nil, []string{"main-part/main-macros", "parts/part-type"}, edit(typesName, main, override("/word/document.xml", macros))},
		{"template", nil, []string{"parts/part-type"}, edit(typesName, main, override("/word/document.xml", wordType+"template.main+xml"))},
		{"a sheet", nil, []string{"parts/part-type"}, edit(typesName, main, override("/word/document.xml", openXML+"spreadsheetml.sheet.main+xml"))},
		{"only XML", nil, []string{"main-part/main-type", "parts/part-type"}, edit(typesName, main, "")},
		{"type in capitals", nil, []string{"parts/part-type"}, edit(typesName, wordType+"styles+xml", strings.ToUpper(wordType+"styles+xml"))},
		{"type with a parameter", nil, []string{"parts/part-type"}, edit(typesName, wordType+"styles+xml", wordType+"styles+xml; x=y")},
		{"styles of another type", nil, []string{"parts/part-type"}, edit(typesName, styles, override("/word/styles.xml", wordType+"numbering+xml"))},
		{"styles of no type but XML", nil, []string{"parts/part-type"}, edit(typesName, styles, "")},
		{"no types by extension", nil, []string{"package/opc-untyped", "package/opc-rels-type"},
			edit(typesName, `<Default Extension="rels" ContentType="`+opc.RelsType+`"/>`, "")},
		{"other seal picture", []string{wayES, wayRSA, wayDual}, []string{"parts/part-changed"}, func(t testing.TB, a *ziptest.Archive) {
			for _, e := range a.Entries {
				if strings.HasPrefix(e.Central.Name, "word/media/") {
					put(e.Central.Name, "\x89PNG evil")(t, a)
				}
			}
		}},
		{"properties that a seal signs", []string{wayES, wayDual, wayLine, wayTwo}, []string{"parts/part-changed seal"}, put("docProps/core.xml", xmlHead+"<x/>")},
		{"properties that a seal signs, away", []string{wayES, wayDual, wayLine, wayTwo}, []string{"parts/part-missing seal"}, all(drop("docProps/app.xml"), edit(relsName, rel("rId3", docRel+"extended-properties", "docProps/app.xml"), ""))},
	}
}

// Old documents and their streams inside the package (legacy wrapping).
func legacyWrapping(testing.TB) []officeAttack {
	const ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
	var attacks []officeAttack
	for _, name := range []string{"WordDocument", "1Table", "Workbook", "_signatures", "_xmlsignatures/0001", "CompObj", "EncryptedPackage", "EncryptionInfo"} {
		attacks = append(attacks,
			officeAttack{"stream " + name, nil, []string{"package/opc-untyped", extraPart}, put(name, ole)},
			officeAttack{"stream " + name + ", declared", nil, []string{extraPart}, add(name, "application/msword", ole)})
	}
	return append(attacks,
		officeAttack{"stream of a name with a control character", nil, []string{"package/opc-name"}, put("\x01CompObj", ole)},
		officeAttack{"the document is an old one", nil, []string{"parts/part-changed"}, put(docName, ole)},
		officeAttack{"old document by a relationship", nil, []string{extraPart, extraRelation},
			all(add("word/old.doc", "application/msword", ole), relate(docRels, docRel+"aFChunk", "old.doc", false))},
	)
}
