package opcsig

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/sign"
)

func openPackage(t testing.TB, b []byte) *opc.Package {
	t.Helper()
	p, err := opc.Open(bytes.NewReader(b), int64(len(b)), opc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func vector(t testing.TB, name string) *opc.Package {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(vectors, name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no vectors")
	} else if err != nil {
		t.Fatal(err)
	}
	return openPackage(t, b)
}

// show writes references as short text.
func show(refs []Reference) string {
	var lines []string
	for _, r := range refs {
		lines = append(lines, strings.TrimSpace(r.Name+" "+strings.Join(r.IDs, ",")))
	}
	return strings.Join(lines, "\n")
}

// Word 2007 left out what Word leaves out.
func TestCoverOfWord(t *testing.T) {
	p := vector(t, "signed-word2007.docx")
	b, err := p.Read(p.Part("/_xmlsignatures/sig1.xml"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	c := NewCover(p)
	if got := show(c.Uncovered(NativeScope, s.Manifest)); got != "" {
		t.Errorf("%s", got)
	}
	if got := show(c.Uncovered(SealScope, s.Manifest)); got != "/_rels/.rels rId2,rId3\n/docProps/app.xml\n/docProps/core.xml" {
		t.Errorf("%s", got)
	}
	// What it signed has the digests that it says.
	refs := slices.Clone(s.Manifest)
	if err := Fill(context.Background(), p, refs); err != nil {
		t.Fatal(err)
	}
	for i := range refs {
		if !bytes.Equal(refs[i].Digest, s.Manifest[i].Digest) {
			t.Error(refs[i].Name)
		}
	}
}

// change gives a package with parts and relationships of a sealed one put in.
func change(t testing.TB, p *opc.Package, changes ...opc.Change) *opc.Package {
	t.Helper()
	q, err := p.With(changes)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// grown adds parts of these types, and relationships: "source type target".
func grown(t testing.TB, p *opc.Package, parts map[string]string, rels ...[3]string) *opc.Package {
	t.Helper()
	types := p.ContentTypes()
	var changes []opc.Change
	bySource := map[string]*opc.Relationships{}
	for _, r := range rels {
		if bySource[r[0]] == nil {
			bySource[r[0]] = p.Rels(r[0])
		}
		bySource[r[0]], _ = bySource[r[0]].Add(r[1], r[2], strings.HasPrefix(r[2], "http:"))
	}
	for _, r := range bySource {
		changes = append(changes, opc.Change{Name: r.Name(), Data: r.Bytes()})
	}
	for name, kind := range parts {
		var err error
		if types, err = types.WithOverride(name, kind); err != nil {
			t.Fatal(err)
		}
		changes = append(changes, opc.Change{Name: name, Data: []byte("<x/>")})
	}
	changes = append(changes, opc.Change{Name: "/[Content_Types].xml", Data: types.Bytes()})
	return change(t, p, changes...)
}

// sealedPackage has two acts: a dual one, and a native one with seal and evidence.
func sealedPackage(t testing.TB) *opc.Package {
	return grown(t, vector(t, "SampleDoc.docx"), map[string]string{
		SealOrigin: TypeSealOrigin, "/_seals/seal1/Signature.xml": TypeManifest, "/_seals/seal1/SignedValue.dat": TypeSignedValue,
		"/_seals/seal1/undo": TypeUndo, "/_seals/seal2/undo": TypeUndo, "/_seals/seal2/Seal.esl": TypeSeal, "/_seals/seal2/evidence": TypeEvidence,
		Origin: TypeOrigin, "/_xmlsignatures/sig1.xml": TypeSignature, "/_xmlsignatures/sig2.xml": TypeSignature,
	}, [3]string{"/", RelSealOrigin, SealOrigin}, [3]string{SealOrigin, RelAct, "/_seals/seal1/undo"}, [3]string{SealOrigin, RelSeal, "/_seals/seal1/Signature.xml"},
		[3]string{SealOrigin, RelAct, "/_seals/seal2/undo"}, [3]string{"/", RelOrigin, Origin},
		[3]string{Origin, RelSignature, "/_xmlsignatures/sig1.xml"}, [3]string{Origin, RelSignature, "/_xmlsignatures/sig2.xml"})
}

// Signatures and seals that come later change nothing of what is to be covered.
func TestCoverStays(t *testing.T) {
	p, q := vector(t, "SampleDoc.docx"), sealedPackage(t)
	for _, s := range []Scope{NativeScope, SealScope} {
		before, after := NewCover(p).References(s, sign.SHA256), NewCover(q).References(s, sign.SHA256)
		if err := Fill(t.Context(), p, before); err != nil {
			t.Fatal(err)
		}
		if err := Fill(t.Context(), q, after); err != nil {
			t.Fatal(err)
		}
		if show(before) != show(after) || len(before) < 10 {
			t.Errorf("before\n%s\nafter\n%s", show(before), show(after))
		}
		for i := range before {
			if !bytes.Equal(before[i].Digest, after[i].Digest) {
				t.Error(before[i].Name)
			}
		}
		if out := NewCover(q).Uncovered(s, before); len(out) > 0 {
			t.Error(show(out))
		}
	}
	own := NewCover(q).References(NativeScope, sign.SHA256, "/_seals/seal2/undo", "/_seals/seal2/Seal.esl")
	if !strings.HasPrefix(show(own), "/_rels/.rels rId1\n/_seals/seal2/Seal.esl\n/_seals/seal2/undo\n") {
		t.Error(show(own))
	}
}

// What is to be covered is asked before the signatures are there.
func TestCoverBeforeSigning(t *testing.T) {
	p := vector(t, "SampleDoc.docx")
	types := p.ContentTypes()
	for name, kind := range map[string]string{"/_xmlsignatures/sig1.xml": TypeSignature, "/_seals/seal1/Signature.xml": TypeManifest} {
		var err error
		if types, err = types.WithOverride(name, kind); err != nil {
			t.Fatal(err)
		}
	}
	q := grown(t, change(t, p, opc.Change{Name: "/[Content_Types].xml", Data: types.Bytes()}),
		map[string]string{SealOrigin: TypeSealOrigin, Origin: TypeOrigin, "/_seals/seal1/undo": TypeUndo},
		[3]string{"/", RelSealOrigin, SealOrigin}, [3]string{"/", RelOrigin, Origin}, [3]string{Origin, RelSignature, "sig1.xml"},
		[3]string{SealOrigin, RelAct, "seal1/undo"}, [3]string{SealOrigin, RelSeal, "seal1/Signature.xml"})
	for _, s := range []Scope{NativeScope, SealScope} {
		if before, after := show(NewCover(p).References(s, sign.SM3)), show(NewCover(q).References(s, sign.SM3)); before != after {
			t.Errorf("before\n%s\nafter\n%s", before, after)
		}
	}
}

// Whatever is put in where nothing has its place is not covered.
func TestUncovered(t *testing.T) {
	p := sealedPackage(t)
	native, seal := NewCover(p).References(NativeScope, sign.SM3), NewCover(p).References(SealScope, sign.SM3)
	const hyperlink = officeRel + "hyperlink"
	for _, c := range []struct {
		name         string
		parts        map[string]string
		rels         [][3]string
		native, seal string
	}{
		{"a part that nothing refers to", map[string]string{"/word/x.xml": "application/xml"}, nil, "/word/x.xml", "/word/x.xml"},
		{"a part among seals", map[string]string{"/_seals/seal1/x": "application/xml"}, nil, "/_seals/seal1/x", "/_seals/seal1/x"},
		{"a part of another name there", map[string]string{"/_seals/seal1/evidence": "application/xml"}, nil, "/_seals/seal1/evidence", "/_seals/seal1/evidence"},
		{"a part among signatures", map[string]string{"/_xmlsignatures/x.xml": TypeSignature}, nil, "/_xmlsignatures/x.xml", "/_xmlsignatures/x.xml"},
		{"a part beside properties", map[string]string{"/docProps/x.xml": coreType}, nil, "/docProps/x.xml", "/docProps/x.xml"},
		{"more properties", map[string]string{"/docProps/custom.xml": customType}, [][3]string{{"/", officeRel + "custom-properties", "docProps/custom.xml"}},
			"", "/_rels/.rels rId6\n/docProps/custom.xml"},
		{"properties that are a document", map[string]string{"/word/custom.xml": mainType}, [][3]string{{"/", officeRel + "custom-properties", "word/custom.xml"}},
			"/_rels/.rels rId6\n/word/custom.xml", "/_rels/.rels rId6\n/word/custom.xml"},
		{"a second document", map[string]string{"/word/document2.xml": mainType}, [][3]string{{"/", officeRel + "officeDocument", "word/document2.xml"}},
			"/_rels/.rels rId6\n/word/document2.xml", "/_rels/.rels rId6\n/word/document2.xml"},
		{"a template elsewhere", nil, [][3]string{{"/word/settings.xml", officeRel + "attachedTemplate", "http://example.com/t.dotx"}},
			"/word/_rels/settings.xml.rels rId1", "/word/_rels/settings.xml.rels rId1"},
		{"a hyperlink", nil, [][3]string{{"/word/document.xml", hyperlink, "http://example.com/"}}, "/word/_rels/document.xml.rels rId7", "/word/_rels/document.xml.rels rId7"},
		{"relationships of a signature", nil, [][3]string{{"/_xmlsignatures/sig1.xml", hyperlink, "http://example.com/"}},
			"/_xmlsignatures/_rels/sig1.xml.rels rId1", "/_xmlsignatures/_rels/sig1.xml.rels rId1"},
		{"properties that the document shows", nil, [][3]string{{"/word/document.xml", hyperlink, "/docProps/core.xml"}},
			"/_rels/.rels rId2\n/docProps/core.xml\n/word/_rels/document.xml.rels rId7", "/word/_rels/document.xml.rels rId7"},
		{"a signature that the document shows", nil, [][3]string{{"/word/document.xml", hyperlink, "/_xmlsignatures/sig1.xml"}},
			"/_xmlsignatures/sig1.xml\n/word/_rels/document.xml.rels rId7", "/_xmlsignatures/sig1.xml\n/word/_rels/document.xml.rels rId7"},
		{"another act", map[string]string{"/_seals/seal3/undo": TypeUndo}, [][3]string{{SealOrigin, RelAct, "seal3/undo"}}, "", ""},
		{"an act elsewhere", map[string]string{"/word/undo": TypeUndo}, [][3]string{{SealOrigin, RelAct, "/word/undo"}},
			"/_seals/_rels/origin.seals.rels rId4\n/word/undo", "/_seals/_rels/origin.seals.rels rId4\n/word/undo"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cover := NewCover(grown(t, p, c.parts, c.rels...))
			if got := show(cover.Uncovered(NativeScope, native)); got != c.native {
				t.Errorf("native:\n%s\nwant\n%s", got, c.native)
			}
			if got := show(cover.Uncovered(SealScope, seal)); got != c.seal {
				t.Errorf("seal:\n%s\nwant\n%s", got, c.seal)
			}
		})
	}
}

// Lists of several hashes are filled together; a part that is not there is told.
func TestFill(t *testing.T) {
	p := vector(t, "SampleDoc.docx")
	native, seal := NewCover(p).References(NativeScope, sign.SHA256), NewCover(p).References(SealScope, sign.SM3)
	if err := Fill(t.Context(), p, native, seal); err != nil {
		t.Fatal(err)
	}
	for _, list := range [][]Reference{native, seal} {
		for _, r := range list {
			b, err := p.Read(p.Part(r.Name))
			if err != nil {
				t.Fatal(err)
			}
			if r.IsRels() {
				b = transform(t, b, r.IDs)
			}
			if !bytes.Equal(r.Digest, r.Hash.Sum(b)) {
				t.Errorf("%s %s", r.Name, r.Hash)
			}
		}
	}
	if err := Fill(t.Context(), p, []Reference{{Name: "/x", Hash: sign.SM3}}); !errors.Is(err, ErrReference) {
		t.Error(err)
	}
	if err := Fill(t.Context(), p, []Reference{{Name: "/x"}}); !errors.Is(err, ErrHash) {
		t.Error(err)
	}
}

// A package without content types has nothing that is left out.
func TestCoverWithoutTypes(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range map[string]string{
		"_rels/.rels":                `<Relationships xmlns="` + strings.TrimSuffix(packageRel, "/") + `"><Relationship Id="a" Type="` + RelOrigin + `" Target="_xmlsignatures/origin.sigs"/></Relationships>`,
		"_xmlsignatures/origin.sigs": "",
	} {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := show(NewCover(openPackage(t, b.Bytes())).Uncovered(NativeScope, nil)); got != "/_rels/.rels a\n/_xmlsignatures/origin.sigs" {
		t.Error(got)
	}
}
