package officex_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/courtseal/courtseal/officex"
)

// A file is an entry of a package that is made by hand.
type file struct{ name, text string }

// packed makes a zip file of entries as they are, stored or deflated, with or without descriptors.
func packed(method uint16, descriptors bool, files ...file) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: method}
		if !descriptors && method == zip.Store {
			h.CRC32 = crc32.ChecksumIEEE([]byte(f.text))
			h.CompressedSize64, h.UncompressedSize64 = uint64(len(f.text)), uint64(len(f.text))
			w, err := z.CreateRaw(h)
			if err == nil {
				_, err = w.Write([]byte(f.text))
			}
			if err != nil {
				panic(err)
			}
			continue
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = w.Write([]byte(f.text))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// inUTF16 is a text in UTF-16 with a byte order mark, the declaration too.
func inUTF16(s string) string {
	s = strings.Replace(s, `encoding="UTF-8"`, `encoding="UTF-16"`, 1)
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

const (
	typesNS  = `http://schemas.openxmlformats.org/package/2006/content-types`
	relsType = `application/vnd.openxmlformats-package.relationships+xml`
	mainType = `application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml`
)

func typesOf(inner string) file {
	return file{"[Content_Types].xml", header + `<Types xmlns="` + typesNS + `">` + inner + `</Types>`}
}

func rootRels(inner string) file {
	return file{"_rels/.rels", header + relsNS + inner + `</Relationships>`}
}

func document(ns, body string) string {
	return header + `<w:document ` + ns + `><w:body>` + body + `</w:body></w:document>`
}

const (
	defaults = `<Default Extension="rels" ContentType="` + relsType + `"/><Default Extension="xml" ContentType="application/xml"/>`
	strictNS = `xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main" xmlns:r="http://purl.oclc.org/ooxml/officeDocument/relationships"`
)

// oddPackages are sound documents that no program of Microsoft writes.
func oddPackages() map[string][]byte {
	body := judgment().body
	doc := document(wordNS, body)
	plainTypes := typesOf(defaults + `<Override PartName="/word/document.xml" ContentType="` + mainType + `"/>`)
	plainRels := rootRels(`<Relationship Id="rId1" Type="` + offRel + `officeDocument" Target="word/document.xml"/>`)
	main := file{"word/document.xml", doc}
	return map[string][]byte{
		"stored":      packed(zip.Store, false, plainTypes, plainRels, main),
		"descriptors": packed(zip.Store, true, plainTypes, plainRels, main),
		"main first":  packed(zip.Deflate, true, main, plainRels, plainTypes),
		"another name": packed(zip.Deflate, true, typesOf(defaults+`<Override PartName="/word/document2.xml" ContentType="`+mainType+`"/>`),
			rootRels(`<Relationship Id="rId1" Type="`+offRel+`officeDocument" Target="word/document2.xml"/>`), file{"word/document2.xml", doc}),
		"in the root": packed(zip.Deflate, true, typesOf(defaults+`<Override PartName="/document.xml" ContentType="`+mainType+`"/>`),
			rootRels(`<Relationship Id="rId1" Type="`+offRel+`officeDocument" Target="document.xml"/>`), file{"document.xml", doc}),
		"absolute target": packed(zip.Deflate, true, plainTypes, rootRels(`<Relationship Id="rId1" Type="`+offRel+`officeDocument" Target="/word/document.xml"/>`), main),
		"upper case": packed(zip.Deflate, true, typesOf(`<Default Extension="RELS" ContentType="`+relsType+`"/><Override PartName="/WORD/DOCUMENT.XML" ContentType="`+mainType+`"/>`),
			rootRels(`<Relationship Id="rId1" Type="`+offRel+`officeDocument" Target="WORD/DOCUMENT.XML"/>`), file{"WORD/DOCUMENT.XML", doc}),
		"another case": packed(zip.Deflate, true, plainTypes, rootRels(`<Relationship Id="rId1" Type="`+offRel+`officeDocument" Target="Word/Document.xml"/>`), main),
		"type by default": packed(zip.Deflate, true, typesOf(`<Default Extension="rels" ContentType="`+relsType+`"/><Default Extension="xml" ContentType="`+mainType+`"/>`),
			plainRels, main),
		"rels by override": packed(zip.Deflate, true, typesOf(`<Default Extension="xml" ContentType="application/xml"/><Override PartName="/_rels/.rels" ContentType="`+relsType+`"/>`+
			`<Override PartName="/word/document.xml" ContentType="`+mainType+`"/>`), plainRels, main),
		"prefixes": packed(zip.Deflate, true,
			file{"[Content_Types].xml", header + `<ct:Types xmlns:ct="` + typesNS + `"><ct:Default Extension="rels" ContentType="` + relsType + `"/><ct:Override PartName="/word/document.xml" ContentType="` + mainType + `"/></ct:Types>`},
			file{"_rels/.rels", `<p:Relationships xmlns:p="http://schemas.openxmlformats.org/package/2006/relationships"><p:Relationship Id="x" Type="` + offRel + `officeDocument" Target="word/document.xml"></p:Relationship></p:Relationships>`}, main),
		"strict": packed(zip.Deflate, true, plainTypes, rootRels(`<Relationship Id="rId1" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument" Target="word/document.xml"/>`),
			file{"word/document.xml", document(strictNS, body)}),
		"types in UTF-16":         packed(zip.Deflate, true, file{plainTypes.name, inUTF16(plainTypes.text)}, plainRels, main),
		"relationships in UTF-16": packed(zip.Deflate, true, plainTypes, file{plainRels.name, inUTF16(plainRels.text)}, main),
		"byte order marks":        packed(zip.Deflate, true, file{plainTypes.name, "\ufeff" + plainTypes.text}, file{plainRels.name, "\ufeff" + plainRels.text}, file{main.name, "\ufeff" + main.text}),
		"empty":                   docx{}.bytes(),
		"no section":              docx{body: para("二〇二六年三月二日")}.bytes(),
		"one tag":                 packed(zip.Deflate, true, plainTypes, plainRels, file{"word/document.xml", `<w:document ` + wordNS + `><w:body/></w:document>`}),
		"another namespace prefix": packed(zip.Deflate, true, plainTypes, plainRels, file{"word/document.xml",
			`<document xmlns="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><body><p><r><t>二〇二六年三月二日</t></r></p></body></document>`}),
		"Chinese names": packed(zip.Deflate, true, typesOf(defaults+`<Override PartName="/文书/正文.xml" ContentType="`+mainType+`"/>`),
			rootRels(`<Relationship Id="rId1" Type="`+offRel+`officeDocument" Target="文书/正文.xml"/>`), file{"文书/正文.xml", doc}),
		"escaped names": packed(zip.Deflate, true, typesOf(defaults+`<Override PartName="/w%20d/main%20part.xml" ContentType="`+mainType+`"/>`),
			rootRels(`<Relationship Id="rId1" Type="`+offRel+`officeDocument" Target="w%20d/main%20part.xml"/>`), file{"w%20d/main%20part.xml", doc}),
		"many rows": docx{body: strings.Repeat(`<w:tbl><w:tr><w:tc><w:p><w:r><w:rPr><w:rFonts w:ascii="宋体"/></w:rPr><w:t>同一行</w:t></w:r></w:p></w:tc></w:tr></w:tbl>`, 2000) + para("完")}.bytes(),
	}
}

// What sound documents may look like is sealed and unsealed at every place, and again.
func TestOddPackages(t *testing.T) {
	refusals := map[string]map[string]error{
		"one tag": {"end": officex.ErrPlace, "header": officex.ErrPlace, "lock": officex.ErrPlace, "line": officex.ErrPlace},
		"strict":  {"line": officex.ErrPlace},
	}
	s := signers(t)
	for name, b := range oddPackages() {
		for place, o := range map[string]officex.Options{"end": {}, "header": {Header: true}, "lock": {Lock: true}, "line": {AsLine: true}, "invisible": {Invisible: true}} {
			t.Run(name+"/"+place, func(t *testing.T) {
				if err := refusals[name][place]; err != nil {
					refused(t, b, s["dual RSA"], o, err)
					return
				}
				sealed, _ := mustSign(t, b, s["dual RSA"], o)
				again, _ := mustSign(t, sealed, s["cms P-384"], officex.Options{Invisible: true})
				again, _ = mustSign(t, again, s["ses"], officex.Options{Invisible: true})
				valid(t, again, 4)
				for range 2 {
					again = unsealed(t, again)
				}
				if !bytes.Equal(again, sealed) {
					t.Error("the first seal is not as it was")
				}
				removed(t, sealed, b)
			})
		}
	}
}

func unsealed(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := officex.Remove(&out, bytes.NewReader(b), int64(len(b)), officex.Options{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// The origin of acts is kept where it is.
func TestOriginElsewhere(t *testing.T) {
	const origin = "https://github.com/courtseal/courtseal/officex/v1/origin"
	for name, c := range map[string]struct {
		contentType string
		want        error
	}{"origin": {"application/vnd.courtseal.origin", nil}, "of another type": {"text/plain", officex.ErrPackage}} {
		t.Run(name, func(t *testing.T) {
			b := packed(zip.Deflate, true, typesOf(defaults+`<Override PartName="/word/document.xml" ContentType="`+mainType+`"/><Override PartName="/elsewhere" ContentType="`+c.contentType+`"/>`),
				rootRels(`<Relationship Id="rId1" Type="`+offRel+`officeDocument" Target="word/document.xml"/><Relationship Id="rId2" Type="`+origin+`" Target="elsewhere"/>`),
				file{"word/document.xml", document(wordNS, para("文书"))}, file{"elsewhere", ""})
			if c.want != nil {
				refused(t, b, signers(t)["dual RSA"], officex.Options{}, c.want)
				return
			}
			sealed, _ := mustSign(t, b, signers(t)["dual RSA"], officex.Options{})
			valid(t, sealed, 2)
			removed(t, sealed, b)
		})
	}
}
