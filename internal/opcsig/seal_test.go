package opcsig

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
)

func manifest() *SealManifest {
	return &SealManifest{Undo: sign.SM3.Sum([]byte("undo")), References: []Reference{
		{Name: "/word/document.xml", ContentType: mainType, Digest: sign.SM3.Sum([]byte("document"))},
		{Name: "/word/_rels/document.xml.rels", ContentType: TypeRelationships, IDs: []string{"rId2", "rId10", "r&3"}, Digest: sign.SM3.Sum(nil)},
		{Name: "/word/media/图 1.png", ContentType: `image/png;a="b"`, Digest: sign.SM3.Sum([]byte("picture"))},
		{Name: "/docProps/core.xml", ContentType: "application/xml", Digest: sign.SM3.Sum([]byte("core"))},
	}}
}

func TestSealManifest(t *testing.T) {
	b, err := manifest().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	m, err := ParseSealManifest(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.References) != 4 || m.References[0].Name != "/docProps/core.xml" || strings.Join(m.References[1].IDs, " ") != "r&3 rId10 rId2" ||
		m.References[2].ContentType != mainType || !bytes.Equal(m.Undo, manifest().Undo) {
		t.Errorf("%+v", m)
	}
	doc, err := xmldoc.Parse(b, xmldoc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if c, err := doc.Canonical(nil, xmldoc.Method{}); err != nil || !bytes.Equal(c, b) {
		t.Errorf("not canonical: %v\n%s\n%s", err, b, c)
	}
}

// manifestFlaws are changes that make a manifest another text than the one that is written.
func manifestFlaws() []flaw {
	return []flaw{
		{"declaration", `<Seal `, `<?xml version="1.0" encoding="UTF-8"?><Seal `, ""},
		{"white space", `<Undo `, "\n<Undo ", ""},
		{"comment", `<Undo `, "<!--x--><Undo ", ""},
		{"other namespace", NS, NS + "1", ""},
		{"unknown element", `</Seal>`, `<Other SM3="` + b64(32) + `"></Other></Seal>`, ""},
		{"unknown attribute", `<Undo `, `<Undo A="" `, ""},
		{"short tag", `></Undo>`, `/>`, ""},
		{"short digest", `<Undo SM3="`, `<Undo SM3="AA`, ""},
		{"order", `/word/document.xml`, `/aa.xml`, ""},
		{"twice", `/docProps/core.xml`, `/word/document.xml`, ""},
		{"order of ids", `<Id>rId10</Id>`, `<Id>rId3</Id>`, ""},
		{"no ids", `<Id>r&amp;3</Id><Id>rId10</Id><Id>rId2</Id>`, ``, ""},
		{"id in a part", `></Part>`, `><Id>a</Id></Part>`, ""},
		{"relationships as a part", `/docProps/core.xml`, `/_rels/.rels`, ""},
		{"a query", `/docProps/core.xml`, `/docProps?core.xml`, ""},
		{"doctype", `<Seal `, `<!DOCTYPE Seal><Seal `, ""},
		{"root", `Seal`, `Sealed`, ""},
	}
}

func TestSealManifestRefuses(t *testing.T) {
	b, err := manifest().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range manifestFlaws() {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.ReplaceAll(string(b), c.old, c.new)
			if bad == string(b) {
				t.Fatalf("no %s", c.old)
			}
			if m, err := ParseSealManifest([]byte(bad)); !errors.Is(err, ErrManifest) {
				t.Errorf("%v, %v\n%s", m, err, bad)
			}
		})
	}
	if _, err := ParseSealManifest(make([]byte, maxManifest+1)); !errors.Is(err, ErrLimit) {
		t.Error(err)
	}
}

// What is read is written again, octet for octet.
func FuzzSealManifest(f *testing.F) {
	b, err := manifest().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`<Seal xmlns="` + NS + `"></Seal>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseSealManifest(b)
		if err != nil {
			if !errors.Is(err, ErrManifest) && !errors.Is(err, ErrLimit) {
				t.Fatal(err)
			}
			return
		}
		if again, err := m.Marshal(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%v\n%q\n%q", err, b, again)
		}
	})
}

func FuzzUndo(f *testing.F) {
	f.Add(Undo{Hash: sign.SM3, Digest: sign.SM3.Sum(nil), Record: []byte("undo 1\n")}.Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := ParseUndo(b)
		if err != nil && !errors.Is(err, ErrUndo) {
			t.Fatal(err)
		}
		if err == nil && !bytes.Equal(u.Marshal(), b) {
			t.Fatalf("%q\n%q", b, u.Marshal())
		}
	})
}
