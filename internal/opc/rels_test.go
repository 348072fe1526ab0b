package opc

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// The Manifests that Word signed have the digests we make: of the bytes of parts, and of relationships after the transform.
func TestDigestsOfWord(t *testing.T) {
	const ds, mdssi = "http://www.w3.org/2000/09/xmldsig#", "http://schemas.openxmlformats.org/package/2006/digital-signature"
	parts, relationships := 0, 0
	for name, b := range vectors(t) {
		p := open(t, b)
		if p.Part("/_xmlsignatures/sig1.xml") == nil {
			continue
		}
		doc, err := xmldoc.Parse(read(t, p, "/_xmlsignatures/sig1.xml"), xmldoc.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		manifest := doc.Root.Child(ds, "Object").Child(ds, "Manifest")
		for _, ref := range manifest.Elements() {
			uri, _ := ref.Attr("", "URI")
			partName, contentType, _ := strings.Cut(uri, "?ContentType=")
			if got := p.Part(partName).ContentType; got != contentType {
				t.Errorf("%s: %s is declared %q, signed as %q", name, partName, got, contentType)
			}
			octets := read(t, p, partName)
			if transforms := ref.Child(ds, "Transforms"); transforms != nil {
				var ids []string
				for _, e := range transforms.Elements()[0].Elements() {
					if e.Name != (xmldoc.Name{Space: mdssi, Local: "RelationshipReference"}) {
						t.Fatalf("%s: %v", name, e.Name)
					}
					id, _ := e.Attr("", "SourceId")
					ids = append(ids, id)
				}
				source, ok := SourceOf(partName)
				if !ok {
					t.Fatalf("%s: %s", name, partName)
				}
				octets = p.Rels(source).Transform(ids)
				relationships++
			}
			sum := sha1.Sum(octets)
			if want := ref.Child(ds, "DigestValue").Text(); want != base64.StdEncoding.EncodeToString(sum[:]) {
				t.Errorf("%s: %s has another digest", name, uri)
			}
			parts++
		}
	}
	if parts == 0 {
		t.Skip("../shared/vectors/docx is not here")
	}
	if parts < 10 || relationships < 4 {
		t.Errorf("only %d references, %d to relationships", parts, relationships)
	}
}

func TestTransform(t *testing.T) {
	const in = `<?xml version="1.0"?><!-- c --><r:Relationships xmlns:r="` + relsNS + `" xmlns:x="y">
 <r:Relationship Type="t&#x9;1" Target="http://x/?a=1&amp;b=&quot;&lt;&gt;'" Id='rId2' TargetMode="External"/>
 <r:Relationship Id="rId10" Target="b.xml" Type="u"></r:Relationship><r:Relationship Id="a" Target="图.xml" Type="v" TargetMode="Internal"/>
</r:Relationships>`
	r, err := readRels([]byte(in), "/word/document.xml", func(code, format string, args ...any) { t.Errorf(code+": "+format, args...) })
	if err != nil {
		t.Fatal(err)
	}
	const want = `<Relationships xmlns="` + relsNS + `"><Relationship Id="a" Target="图.xml" TargetMode="Internal" Type="v"></Relationship>` +
		`<Relationship Id="rId10" Target="b.xml" TargetMode="Internal" Type="u"></Relationship>` +
		`<Relationship Id="rId2" Target="http://x/?a=1&amp;b=&quot;&lt;>'" TargetMode="External" Type="t&#x9;1"></Relationship></Relationships>`
	if got := string(r.Transform([]string{"rId2", "a", "none", "rId10", "a"})); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := string(r.Transform(nil)); got != `<Relationships xmlns="`+relsNS+`"></Relationships>` {
		t.Errorf("of none: %s", got)
	}
	// It is canonical already.
	doc, err := xmldoc.Parse([]byte(want), xmldoc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := doc.Canonical(nil, xmldoc.Method{}); err != nil || string(c) != want {
		t.Errorf("not canonical: %v\n%s", err, c)
	}
}

func TestResolve(t *testing.T) {
	for _, c := range []struct{ source, target, want string }{
		{"/", "word/document.xml", "/word/document.xml"},
		{"/", "/word/document.xml", "/word/document.xml"},
		{"/", "./word/./document.xml", "/word/document.xml"},
		{"/word/document.xml", "media/a.png", "/word/media/a.png"},
		{"/word/document.xml", "../docProps/a.xml", "/docProps/a.xml"},
		{"/word/document.xml", "/a.xml", "/a.xml"},
		{"/word/document.xml", "a.xml#x?y", "/word/a.xml"},
		{"/word/document.xml", "#bookmark", "/word/document.xml"},
		{"/word/document.xml", "", "/word/document.xml"},
		{"/word/document.xml", "%61.xml", "/word/a.xml"},
		{"/word/document.xml", "%2e%2E/a.xml", "/a.xml"},
		{"/word/document.xml", "图.xml", "/word/图.xml"},
		{"/word/document.xml", "%E5%9B%BE.xml", "/word/%E5%9B%BE.xml"},
		{"/word/document.xml", "./a:b.xml", "/word/a:b.xml"},
		{"/word/document.xml", "../../a.xml", ""},
		{"/word/document.xml", "http://x/", ""},
		{"/word/document.xml", "mailto:a", ""},
		{"/word/document.xml", "//host/a.xml", ""},
		{"/word/document.xml", `a\b.xml`, ""},
		{"/word/document.xml", "a%5Cb.xml", ""},
		{"/word/document.xml", "a%2Fb.xml", ""},
		{"/word/document.xml", "a.xml?b", ""},
		{"/word/document.xml", "media/", ""},
		{"/word/document.xml", "..", ""},
		{"/word/document.xml", "a b.xml", ""},
		{"/", "/", ""},
	} {
		got, why := resolve(c.source, c.target)
		if got != c.want || (why == "") != (c.want != "") {
			t.Errorf("%s from %s: %q, %s", c.target, c.source, got, why)
		}
	}
}

func TestRelsName(t *testing.T) {
	for source, name := range map[string]string{
		"/": "/_rels/.rels", "/word/document.xml": "/word/_rels/document.xml.rels", "/a": "/_rels/a.rels",
	} {
		if got := RelsName(source); got != name {
			t.Errorf("of %s: %s", source, got)
		}
		if got, ok := SourceOf(name); !ok || got != source {
			t.Errorf("of %s: %s, %t", name, got, ok)
		}
	}
	for _, name := range []string{"/word/_rels/.rels", "/word/a.rels", "/_rels", "/_rels/a.xml", "/word_rels/a.rels", "_rels/.rels", "", "/word/_rels/x/a.rels"} {
		if source, ok := SourceOf(name); ok {
			t.Errorf("%s: of %s", name, source)
		}
	}
}

func TestNameKey(t *testing.T) {
	for _, same := range [][]string{
		{"/word/a.xml", "/WORD/A.xml", `\word\a.xml`, "/word%2Fa.xml", "/word%5ca.xml", "/%77ord/%41.xml"},
		{"/图/é", "/图/É", "/%E5%9b%BE/%C3%89"}, {"/%", "/%"}, {"/%4", "/%4"}, {"/%zz", "/%ZZ"}, {"/k", "/\u212a"}, {"", ""},
	} {
		for _, name := range same {
			if nameKey(name) != nameKey(same[0]) {
				t.Errorf("%q has key %q, %q has %q", name, nameKey(name), same[0], nameKey(same[0]))
			}
		}
	}
	for _, pair := range [][2]string{{"/a", "/b"}, {"/a", "/a/"}, {"/a%2541", "/aA"}, {"/图", "/圖"}, {"/%FE", "/%FF"}, {"/%FE", "/\ufffd"}} {
		if nameKey(pair[0]) == nameKey(pair[1]) {
			t.Errorf("%q and %q have one key", pair[0], pair[1])
		}
	}
}

// Names lead to the same part however they are written.
func TestPartByName(t *testing.T) {
	files := small(file{"word/%E5%9B%BE.xml", "<x/>"})
	files[3].text = strings.Replace(files[3].text, "/word/settings.xml", "/WORD/图.xml", 1)
	p := open(t, zipped(t, files))
	if f := p.Faults(); len(f) > 0 {
		t.Fatal(f)
	}
	const want = "/word/%E5%9B%BE.xml"
	for _, name := range []string{want, "/word/图.xml", "/Word/%e5%9b%be.XML"} {
		if part := p.Part(name); part == nil || part.Name != want {
			t.Errorf("%s: %v", name, part)
		}
	}
	rel, ok := p.Rels("/WORD/document.xml").ByID("rId3")
	if !ok || rel.Part != want {
		t.Errorf("%+v", rel)
	}
	if part := p.Part("word/document.xml"); part != nil {
		t.Errorf("without slash: %s", part.Name)
	}
	if got := p.Rels("/").ByType(officeDoc); len(got) != 1 || got[0].Part != "/word/document.xml" {
		t.Errorf("main part: %v", got)
	}
}

// What is added goes into the bytes, and nothing else changes.
func TestAdd(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"usual":    {`<Relationships xmlns="` + relsNS + `"><Relationship Id="RID2" Type="t" Target="a"/></Relationships>`, `<Relationships xmlns="` + relsNS + `"><Relationship Id="RID2" Type="t" Target="a"/><Relationship Id="rId3" Type="u&amp;" Target="b&quot;"/><Relationship Id="rId4" Type="v" Target="http://x" TargetMode="External"/></Relationships>`},
		"empty":    {`<Relationships xmlns="` + relsNS + `"></Relationships>`, `<Relationships xmlns="` + relsNS + `"><Relationship Id="rId1" Type="u&amp;" Target="b&quot;"/><Relationship Id="rId2" Type="v" Target="http://x" TargetMode="External"/></Relationships>`},
		"one tag":  {"<Relationships\n xmlns='" + relsNS + "' /><!-- -->", "<Relationships\n xmlns='" + relsNS + `' ><Relationship Id="rId1" Type="u&amp;" Target="b&quot;"/><Relationship Id="rId2" Type="v" Target="http://x" TargetMode="External"/></Relationships><!-- -->`},
		"prefixed": {`<r:Relationships xmlns:r="` + relsNS + `"/>`, `<r:Relationships xmlns:r="` + relsNS + `"><r:Relationship Id="rId1" Type="u&amp;" Target="b&quot;"/><r:Relationship Id="rId2" Type="v" Target="http://x" TargetMode="External"/></r:Relationships>`},
	} {
		fail := func(code, format string, args ...any) { t.Errorf(name+": "+code+": "+format, args...) }
		r, err := readRels([]byte(c.in), "/", fail)
		if err != nil {
			t.Fatal(name, err)
		}
		s, id := r.Add("u&", `b"`, false)
		s, id2 := s.Add("v", "http://x", true)
		if got := string(s.Bytes()); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
		if string(r.Bytes()) != c.in || len(r.All()) != len(s.All())-2 {
			t.Errorf("%s: what it was added to changed", name)
		}
		again, err := readRels(s.Bytes(), "/", func(code, format string, args ...any) {
			if code != FaultRelsTarget { // b"
				fail(code, format, args...)
			}
		})
		if err != nil {
			t.Fatal(name, err)
		}
		if rel, _ := again.ByID(id); rel.Type != "u&" || rel.Target != `b"` || rel.External {
			t.Errorf("%s: %+v", name, rel)
		}
		if rel, _ := again.ByID(id2); rel.Type != "v" || !rel.External {
			t.Errorf("%s: %+v", name, rel)
		}
	}
}

// White space goes, all else stays, and more can be added; without any it is the same value.
func TestCompact(t *testing.T) {
	const one, two = `<Relationship Id="a" Type="t" Target="x"/>`, `<Relationship Id="b" Type="t" Target="y" ></Relationship>`
	start := "<?xml version='1.0'?>\n<Relationships xmlns='" + relsNS + "' >"
	in := start + "\n  " + one + "\r\n<!-- \n -->\t" + two[:len(two)-15] + " " + two[len(two)-15:] + "\n</Relationships>\n"
	want := start + one + "<!-- \n -->" + two + "</Relationships>\n"
	fail := func(code, format string, args ...any) { t.Errorf(code+": "+format, args...) }
	r, err := readRels([]byte(in), "/", fail)
	if err != nil {
		t.Fatal(err)
	}
	c := r.Compact()
	if got := string(c.Bytes()); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if string(r.Bytes()) != in || c.Compact() != c || !slices.Equal(c.All(), r.All()) {
		t.Error("more has changed than white space")
	}
	added, _ := c.Add("t", "z", false)
	const tail = "</Relationships>\n"
	if got := string(added.Bytes()); got != strings.TrimSuffix(want, tail)+`<Relationship Id="rId3" Type="t" Target="z"/>`+tail {
		t.Errorf("added: %s", got)
	}
}

func TestContentTypes(t *testing.T) {
	p := open(t, zipped(t, small()))
	types := p.ContentTypes()
	for name, want := range map[string]string{
		"/word/document.xml": mainType, "/WORD/Document.XML": mainType, "/word/other.xml": "application/xml", "/a.XML": "application/xml",
		"/word/media/a.png": "image/png", "/a": "", "/a.bin": "", "/.png": "image/png",
	} {
		if got := types.TypeOf(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	before := string(types.Bytes())
	more, err := types.WithDefault("sigs", "application/x-sigs")
	if err == nil {
		more, err = more.WithOverride("/a&b.xml", "application/x-a; charset=\"x\"")
	}
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(before, `<Default`, `<Default Extension="sigs" ContentType="application/x-sigs"/><Default`, 1)
	want = strings.Replace(want, `</Types>`, `<Override PartName="/a&amp;b.xml" ContentType="application/x-a; charset=&quot;x&quot;"/></Types>`, 1)
	if got := string(more.Bytes()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if more.TypeOf("/x.SIGS") != "application/x-sigs" || more.TypeOf("/a&b.xml") != `application/x-a; charset="x"` {
		t.Error("what was added is not there")
	}
	if string(types.Bytes()) != before || types.TypeOf("/x.sigs") != "" {
		t.Error("what it was added to changed")
	}
	if again, err := more.WithDefault("SIGS", "application/x-sigs"); err != nil || !bytes.Equal(again.Bytes(), more.Bytes()) {
		t.Errorf("added again: %v", err)
	}
	for name, f := range map[string]func() (*ContentTypes, error){
		"other override":  func() (*ContentTypes, error) { return types.WithOverride("/word/document.xml", "application/xml") },
		"other default":   func() (*ContentTypes, error) { return types.WithDefault("xml", "text/xml") },
		"no name":         func() (*ContentTypes, error) { return types.WithOverride("a.xml", "text/xml") },
		"no media type":   func() (*ContentTypes, error) { return types.WithOverride("/a.xml", "text") },
		"no extension":    func() (*ContentTypes, error) { return types.WithDefault("", "text/xml") },
		"two extensions":  func() (*ContentTypes, error) { return types.WithDefault("a.b", "text/xml") },
		"no type either":  func() (*ContentTypes, error) { return types.WithDefault("a", "text/") },
		"slash in it":     func() (*ContentTypes, error) { return types.WithDefault("a/b", "text/xml") },
		"space in a name": func() (*ContentTypes, error) { return types.WithOverride("/a b", "text/xml") },
	} {
		if _, err := f(); !errors.Is(err, ErrTypes) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// UTF-16 is read, and written again in UTF-8.
func TestUTF16(t *testing.T) {
	files := small()
	for _, i := range []int{0, 3} {
		b := []byte{0xFF, 0xFE}
		for _, u := range utf16.Encode([]rune(strings.Replace(files[i].text, "UTF-8", "UTF-16", 1))) {
			b = le.AppendUint16(b, u)
		}
		files[i].text = string(b)
	}
	p := open(t, zipped(t, files))
	if f := p.Faults(); len(f) > 0 {
		t.Fatal(f)
	}
	if p.Part("/word/document.xml").ContentType != mainType || len(p.Rels("/word/document.xml").All()) != 3 {
		t.Error("not read")
	}
	changes := sealed(t, p, 1)
	checkWritten(t, p, open(t, write(t, p, changes)), changes)
}
