package verify

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// zipOf writes a zip file of names and contents, deflated.
func zipOf(t testing.TB, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		f, err := w.CreateHeader(&zip.FileHeader{Name: entries[i], Method: zip.Deflate})
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(entries[i+1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	xmlHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\r\n"
	relsTag = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	docRel  = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	pkgRel  = `http://schemas.openxmlformats.org/package/2006/relationships/`
	wordML  = `http://schemas.openxmlformats.org/wordprocessingml/2006/main`
)

func rel(id, kind, target string) string {
	return fmt.Sprintf(`<Relationship Id="%s" Type="%s" Target="%s"/>`, id, kind, target)
}

func override(name, kind string) string {
	return fmt.Sprintf(`<Override PartName="%s" ContentType="%s"/>`, name, kind)
}

// packageOf is a package with a main part of a type, what else is in it, and properties.
func packageOf(t testing.TB, main, mainType, content string, types, rels string, more ...string) []byte {
	dir, base := main[:strings.LastIndexByte(main, '/')+1], main[strings.LastIndexByte(main, '/')+1:]
	entries := []string{
		"[Content_Types].xml", xmlHead + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			override("/"+main, mainType) + override("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml") +
			override("/docProps/app.xml", openXML+"extended-properties+xml") + types + `</Types>`,
		"_rels/.rels", xmlHead + relsTag + rel("rId1", docRel+"officeDocument", main) + rel("rId2", pkgRel+"metadata/core-properties", "docProps/core.xml") +
			rel("rId3", docRel+"extended-properties", "docProps/app.xml") + `</Relationships>`,
		main, content,
		dir + "_rels/" + base + ".rels", xmlHead + relsTag + rels + `</Relationships>`,
		"docProps/core.xml", xmlHead + `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>`,
		"docProps/app.xml", xmlHead + `<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"/>`,
	}
	return zipOf(t, append(entries, more...)...)
}

const judgement = "判决如下"

func docx(t testing.TB) []byte { return docxOf(t, judgement) }

func docxOf(t testing.TB, text string) []byte {
	return packageOf(t, "word/document.xml", openXML+"wordprocessingml.document.main+xml",
		xmlHead+`<w:document xmlns:w="`+wordML+`"><w:body><w:p><w:r><w:t>`+text+`</w:t></w:r></w:p><w:sectPr/></w:body></w:document>`,
		override("/word/styles.xml", openXML+"wordprocessingml.styles+xml"), rel("rId1", docRel+"styles", "styles.xml")+
			`<Relationship Id="rId2" Type="`+docRel+`hyperlink" Target="https://court.example/" TargetMode="External"/>`,
		"word/styles.xml", xmlHead+`<w:styles xmlns:w="`+wordML+`"/>`)
}

func xlsx(t testing.TB) []byte {
	const ml = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
	return packageOf(t, "xl/workbook.xml", openXML+"spreadsheetml.sheet.main+xml",
		xmlHead+`<workbook xmlns="`+ml+`" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="一" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		override("/xl/worksheets/sheet1.xml", openXML+"spreadsheetml.worksheet+xml"), rel("rId1", docRel+"worksheet", "worksheets/sheet1.xml"),
		"xl/worksheets/sheet1.xml", xmlHead+`<worksheet xmlns="`+ml+`"><sheetData/></worksheet>`)
}

func pptx(t testing.TB) []byte {
	return packageOf(t, "ppt/presentation.xml", openXML+"presentationml.presentation.main+xml",
		xmlHead+`<p:presentation xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"/>`,
		override("/ppt/slides/slide1.xml", openXML+"presentationml.slide+xml"), rel("rId1", docRel+"slide", "slides/slide1.xml"),
		"ppt/slides/slide1.xml", xmlHead+`<p:sld xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"/>`)
}

// An officeAct says how officeSign signs: by the rules of officex/FORMAT.md, for packages of every kind, and with any mistake.
type officeAct struct {
	formats  []sign.Format                                                // SES and XML; nil: by the signer's Profile
	refs     func(f sign.Format, r []opcsig.Reference) []opcsig.Reference // changes what is signed
	manifest func([]byte) []byte                                          // changes Signature.xml before it is signed
	property string                                                       // propertyInfo; empty: as it should be
	draft    func(*opcsig.Draft)
	types    [][2]string  // content types of further parts
	parts    []opc.Change // further parts
	bare     bool         // no act of ours: as Office programs sign
	rels     [][2]string  // further relationships from the seal origin
	now      time.Time
}

// officeSign signs a package. It is slow and plain, so that it can be seen to be right.
func officeSign(t testing.TB, file []byte, s sign.Signer, a officeAct) []byte {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if a.now.IsZero() {
		a.now = noon
	}
	pkg, err := opc.Open(bytes.NewReader(file), int64(len(file)), opc.Limits{})
	must(err)
	profile := s.Profile()
	if a.formats == nil {
		a.formats = map[sign.Format][]sign.Format{sign.SES: {sign.SES}, sign.CMS: {sign.XML}, sign.XML: {sign.XML}, sign.Dual: {sign.SES, sign.XML}}[profile.Format]
	}
	ses, native := slices.Contains(a.formats, sign.SES), slices.Contains(a.formats, sign.XML)
	n := 1
	for pkg.Part(fmt.Sprintf("/_seals/seal%d/undo", n)) != nil || pkg.Part(fmt.Sprintf("/_xmlsignatures/sig%d.xml", n)) != nil {
		n++
	}
	folder, sig := fmt.Sprintf("/_seals/seal%d/", n), fmt.Sprintf("/_xmlsignatures/sig%d.xml", n)

	types, root := pkg.ContentTypes(), pkg.Rels("/")
	var changes []opc.Change
	add := func(name, kind string, data []byte) {
		if kind != "" {
			types, err = types.WithOverride(name, kind)
			must(err)
		}
		changes = append(changes, opc.Change{Name: name, Data: data})
	}
	origin := func(relation, name, kind string, leads [][2]string) {
		if len(root.ByType(relation)) == 0 {
			root, _ = root.Add(relation, name[1:], false)
			types, err = types.WithDefault(name[strings.LastIndexByte(name, '.')+1:], kind)
			must(err)
			changes = append(changes, opc.Change{Name: name, Data: []byte{}})
		}
		rels := pkg.Rels(name)
		for _, l := range leads {
			rels, _ = rels.Add(l[0], l[1], false)
		}
		changes = append(changes, opc.Change{Name: opc.RelsName(name), Data: rels.Bytes()})
	}
	for _, x := range a.types {
		types, err = types.WithOverride(x[0], x[1])
		must(err)
	}
	changes = append(changes, a.parts...)
	undo, err := pkg.Undo([]string{"/[Content_Types].xml", "/_rels/.rels", "/_xmlsignatures/_rels/origin.sigs.rels", "/_seals/_rels/origin.seals.rels"})
	must(err)
	undo = opcsig.Undo{Hash: sign.SM3, Digest: sign.SM3.Sum(file), Record: undo}.Marshal()
	if !a.bare {
		leads := append([][2]string{{opcsig.RelAct, folder[len("/_seals/"):] + "undo"}}, a.rels...)
		if ses {
			leads = append(leads, [2]string{opcsig.RelSeal, folder[len("/_seals/"):] + "Signature.xml"})
		}
		origin(opcsig.RelSealOrigin, "/_seals/origin.seals", opcsig.TypeSealOrigin, leads)
		add(folder+"undo", opcsig.TypeUndo, undo)
		if !ses && profile.SESeal != nil {
			add(folder+"Seal.esl", opcsig.TypeSeal, profile.SESeal)
		}
	}
	if native {
		origin(opcsig.RelOrigin, "/_xmlsignatures/origin.sigs", opcsig.TypeOrigin, [][2]string{{opcsig.RelSignature, sig[len("/_xmlsignatures/"):]}})
		types, err = types.WithOverride(sig, opcsig.TypeSignature)
		must(err)
	}
	if ses {
		types, err = types.WithOverride(folder+"Signature.xml", opcsig.TypeManifest)
		must(err)
		types, err = types.WithOverride(folder+"SignedValue.dat", opcsig.TypeSignedValue)
		must(err)
	}
	types, err = types.WithOverride(folder+"evidence", opcsig.TypeEvidence)
	must(err)
	changes = append(changes, opc.Change{Name: "/_rels/.rels", Data: root.Bytes()}, opc.Change{Name: "/[Content_Types].xml", Data: types.Bytes()})
	view, err := pkg.With(changes)
	must(err)

	act := &sign.Act{ID: "1", Time: a.now, Source: sign.Sums{sign.SM3: sign.SM3.Sum(file)}, Content: sign.Sums{}}
	var manifest []byte
	var draft *opcsig.Native
	var scheme sign.Scheme
	for _, f := range a.formats {
		part := sign.Part{Format: f}
		h := sign.SM3
		if f == sign.XML {
			cert, err := gm.ParseCertificate(profile.Specs[sign.XML].Chain[0])
			must(err)
			if scheme, err = sign.SchemeFor(cert.PublicKey); err != nil { // too weak for anybody to sign with
				scheme = sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}
			}
			h = scheme.Hash
		}
		refs := officeRefs(t, view, f, h, folder, ses)
		if a.refs != nil {
			refs = a.refs(f, refs)
		}
		if f == sign.SES {
			m := &opcsig.SealManifest{References: refs, Undo: sign.SM3.Sum(undo)}
			manifest, err = m.Marshal()
			must(err)
			if a.manifest != nil {
				manifest = a.manifest(manifest)
			}
			act.Content[sign.SM3] = sign.SM3.Sum(manifest)
			if part.Property = a.property; a.property == "" {
				part.Property = folder + "Signature.xml"
			}
		} else {
			d := &opcsig.Draft{Hash: h, Manifest: refs, Time: a.now, Chain: profile.Specs[sign.XML].Chain}
			if a.draft != nil {
				a.draft(d)
			}
			draft, err = d.Build()
			must(err)
			act.Content[h] = h.Sum(draft.Package())
			part.Office = draft.Office()
		}
		act.Parts = append(act.Parts, part)
	}
	values, err := s.Sign(context.Background(), act)
	must(err)
	for i, f := range a.formats {
		if f == sign.SES {
			changes = append(changes, opc.Change{Name: folder + "Signature.xml", Data: manifest}, opc.Change{Name: folder + "SignedValue.dat", Data: values[i].Bytes})
			continue
		}
		v, err := sign.ParseXMLValue(values[i].Bytes)
		must(err)
		b, err := draft.Part(scheme, v)
		must(err)
		changes = append(changes, opc.Change{Name: sig, Data: b})
		if v.Evidence != nil {
			changes = append(changes, opc.Change{Name: folder + "evidence", Data: v.Evidence})
		}
	}
	var out bytes.Buffer
	must(pkg.Write(&out, changes))
	return out.Bytes()
}

// officeRefs lists what a signature of a format signs of a package.
func officeRefs(t testing.TB, p *opc.Package, f sign.Format, h sign.Hash, folder string, ses bool) (refs []opcsig.Reference) {
	t.Helper()
	leaves := []string{opcsig.RelOrigin, opcsig.RelSealOrigin}
	if f == sign.XML {
		leaves = append(leaves, pkgRel+"metadata/core-properties", docRel+"extended-properties")
	}
	for _, part := range p.Parts() {
		own := f == sign.XML && (part.Name == folder+"Seal.esl" || !ses && part.Name == folder+"undo")
		if part.Name == "/[Content_Types].xml" || !own && (strings.HasPrefix(part.Name, "/_seals/") || strings.HasPrefix(part.Name, "/_xmlsignatures/")) ||
			f == sign.XML && strings.HasPrefix(part.Name, "/docProps/") {
			continue
		}
		r := opcsig.Reference{Name: part.Name, ContentType: part.ContentType, Hash: h}
		if source, ok := opc.SourceOf(part.Name); ok {
			r.IDs = []string{}
			for _, x := range p.Rels(source).All() {
				if source != "/" || !slices.Contains(leaves, x.Type) {
					r.IDs = append(r.IDs, x.ID)
				}
			}
			if len(r.IDs) == 0 {
				continue
			}
			r.Digest = h.Sum(p.Rels(source).Transform(r.IDs))
		} else {
			sums, err := p.Digests(context.Background(), []*opc.Part{part}, []func() hash.Hash{h.New})
			if err != nil {
				t.Fatal(err)
			}
			r.Digest = sums[0][0]
		}
		refs = append(refs, r)
	}
	return refs
}

// rewritten is a package in which parts were changed: an empty content takes one away.
func rewritten(t testing.TB, file []byte, changes ...string) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var entries []string
	done := map[string]bool{}
	for _, f := range r.File {
		src, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		b.ReadFrom(src)
		content := b.String()
		for i := 0; i < len(changes); i += 2 {
			if changes[i] == f.Name {
				content, done[f.Name] = changes[i+1], true
			}
		}
		if !done[f.Name] || content != "" {
			entries = append(entries, f.Name, content)
		}
	}
	for i := 0; i < len(changes); i += 2 {
		if !done[changes[i]] {
			entries = append(entries, changes[i], changes[i+1])
		}
	}
	return zipOf(t, entries...)
}

// contentOf is a part of a package.
func contentOf(t testing.TB, file []byte, name string) string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := r.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	b.ReadFrom(f)
	return b.String()
}

// edited is a package in which a text of a part became another.
func edited(t testing.TB, file []byte, name, from, to string) []byte {
	t.Helper()
	old := contentOf(t, file, name)
	if !strings.Contains(old, from) {
		t.Fatalf("%s has no %q:\n%s", name, from, old)
	}
	return rewritten(t, file, name, strings.Replace(old, from, to, 1))
}

// officeStamp is the world's seal as a signer whose key is RSA alone: a native signature, and no other.
func (w *world) officeStamp(t testing.TB) sign.Signer {
	t.Helper()
	s, err := w.seal.Stamp(w.rsa, seal.StampOptions{Format: sign.CMS, Now: at(noon)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// rezipped is a package with an entry before all others.
func rezipped(t testing.TB, file []byte, name, content string) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, _ := w.CreateHeader(&zip.FileHeader{Name: name})
	f.Write([]byte(content))
	for _, old := range r.File {
		if err := w.Copy(old); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	return out.Bytes()
}

// doubled is a package with another entry for a part: of the same or another name, before the one that is signed.
func doubled(t testing.TB, file []byte, part, name string) []byte {
	return rezipped(t, file, name, strings.Replace(contentOf(t, file, part), judgement, "驳回诉讼", 1))
}

// damaged is a package in which a byte of the packed data of a part was changed.
func damaged(t testing.TB, file []byte, name string) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		if f.Name == name {
			at, _ := f.DataOffset()
			return changed(file, int(at)+int(f.CompressedSize64)/2, 0x55)
		}
	}
	t.Fatal(name)
	return nil
}

// localName changes the name in the local header of an entry.
func localName(t testing.TB, file []byte, name string) []byte {
	t.Helper()
	i := bytes.Index(file, []byte(name))
	return changed(file, i, 0x20)
}

// commented is a zip file with a comment.
func commented(file []byte) []byte {
	out := append(bytes.Clone(file), "hello"...)
	out[len(file)-2] = 5
	return out
}

// stampedOffice puts a time stamp beside the value of a signature.
func stampedOffice(t testing.TB, file, token []byte) []byte {
	return edited(t, file, "_xmlsignatures/sig1.xml", "</xd:SignedProperties>", `</xd:SignedProperties><xd:UnsignedProperties><xd:UnsignedSignatureProperties><xd:SignatureTimeStamp>`+
		`<xd:EncapsulatedTimeStamp>`+base64Of(token)+`</xd:EncapsulatedTimeStamp></xd:SignatureTimeStamp></xd:UnsignedSignatureProperties></xd:UnsignedProperties>`)
}

// rawXML makes native signatures that package xmldsig refuses to make.
type rawXML struct {
	key    sign.Key
	noNull bool // DigestInfo without the NULL of PKCS #1
}

func (r rawXML) Profile() sign.Profile {
	return sign.Profile{Format: sign.XML, Specs: map[sign.Format]sign.Spec{sign.XML: {Hashes: []sign.Hash{sign.SHA256}, MaxSize: 16 << 10, Chain: r.key.Chain()}}}
}

func (r rawXML) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	info, err := xmldsig.ToSign(act, act.Parts[0], sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256})
	if err != nil {
		return nil, err
	}
	digest, opts := sign.SHA256.Sum(info), crypto.SHA256
	if r.noNull {
		digest = append([]byte{0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20}, digest...)
		opts = 0
	}
	value, err := r.key.SignDigest(ctx, digest, opts)
	if err != nil {
		return nil, err
	}
	return []sign.Value{{Bytes: sign.XMLValue{Value: value}.Marshal()}}, nil
}
