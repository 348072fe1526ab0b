package officex_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

// seeds are real documents where they are, and made ones.
func seeds(f *testing.F) (list [][]byte) {
	list = append(list, judgment().bytes(), docx{}.bytes())
	odd := oddPackages()
	for _, name := range []string{"stored", "main first", "prefixes", "strict", "types in UTF-16", "type by default", "one tag"} {
		list = append(list, odd[name])
	}
	for _, b := range findVectors(f) {
		list = append(list, b)
	}
	return list
}

// Whatever is sealed is unsealed to what was there, and a failure writes nothing.
func FuzzSign(f *testing.F) {
	for _, b := range seeds(f) {
		if len(b) < 100_000 {
			f.Add(b)
		}
	}
	s := signers(f)["dual P384"]
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, o := range []officex.Options{{Now: clock, Lock: true}, {Now: clock, DateLine: true, AsLine: true, Allow: 1<<8 - 1}, {Now: clock, Footer: true}} {
			sealAndRemove(t, b, s, o)
		}
		var out bytes.Buffer
		if err := officex.Remove(&out, bytes.NewReader(b), int64(len(b)), officex.Options{}); err != nil && out.Len() > 0 {
			t.Errorf("%v, and %d bytes written", err, out.Len())
		}
		officex.Signatures(bytes.NewReader(b), int64(len(b)), officex.Options{})
		officex.Lines(bytes.NewReader(b), int64(len(b)), officex.Options{})
	})
}

func sealAndRemove(t *testing.T, b []byte, s sign.Signer, o officex.Options) {
	t.Helper()
	var out bytes.Buffer
	if _, err := officex.Sign(t.Context(), &out, bytes.NewReader(b), int64(len(b)), s, o); err != nil {
		if out.Len() > 0 {
			t.Errorf("%v, and %d bytes written", err, out.Len())
		}
		return
	}
	removed(t, out.Bytes(), b)
	found, err := officex.Signatures(bytes.NewReader(out.Bytes()), int64(out.Len()), officex.Options{})
	if n := len(found); err != nil || n < 2 || found[n-1].Err != nil {
		t.Errorf("%+v, %v", found, err)
	}
	r, err := verify.Document(t.Context(), bytes.NewReader(out.Bytes()), int64(out.Len()), verify.Options{Roots: trusted(t), At: noon.Add(time.Hour)})
	if err != nil || len(found) == 2 && r.Verdict == verify.Invalid {
		t.Errorf("what was sealed is not sound: %v\n%s", err, r)
	}
}

// The same with a text and relationships that are packed afterwards.
func FuzzSignText(f *testing.F) {
	for _, b := range seeds(f) {
		if p := contents(f, b); p["word/document.xml"] != nil {
			f.Add(p["word/document.xml"], p["word/_rels/document.xml.rels"], p["word/settings.xml"])
		}
	}
	s := signers(f)["dual P384"]
	f.Fuzz(func(t *testing.T, text, rels, settings []byte) {
		files := []file{typesOf(defaults + `<Override PartName="/word/document.xml" ContentType="` + mainType + `"/>`),
			rootRels(`<Relationship Id="rId1" Type="` + offRel + `officeDocument" Target="word/document.xml"/>`), {"word/document.xml", string(text)}}
		if len(rels) > 0 {
			files = append(files, file{"word/_rels/document.xml.rels", string(rels)})
		}
		if len(settings) > 0 {
			files = append(files, file{"word/settings.xml", string(settings)})
		}
		b := packed(zip.Deflate, true, files...)
		for _, o := range []officex.Options{{Now: clock, Lock: true}, {Now: clock, DateLine: true, AsLine: true, Allow: 1<<8 - 1}, {Now: clock, Footer: true}} {
			sealAndRemove(t, b, s, o)
		}
	})
}

// A state from elsewhere is refused or signs what it writes: nothing panics, and the file is written whole or not at all.
func FuzzPending(f *testing.F) {
	b := judgment().bytes()
	for _, s := range signers(f) {
		p, err := officex.Prepare(bytes.NewReader(b), int64(len(b)), s.Profile(), officex.Options{Now: clock, AsLine: s.Profile().Format != "ses", ID: "r", Reason: "理由"})
		if err != nil {
			f.Fatal(err)
		}
		state, err := p.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(state)
	}
	all := signers(f)
	f.Fuzz(func(t *testing.T, state []byte) {
		var p officex.Pending
		if err := p.UnmarshalBinary(state); err != nil {
			if !errors.Is(err, officex.ErrState) {
				t.Error(err)
			}
			return
		}
		for _, s := range all {
			values, err := s.Sign(t.Context(), p.Act())
			if err != nil {
				continue
			}
			var out bytes.Buffer
			if _, err := p.Commit(&out, bytes.NewReader(b), int64(len(b)), values); err != nil {
				if out.Len() > 0 {
					t.Errorf("%v, and %d bytes written", err, out.Len())
				}
				continue
			}
			removed(t, out.Bytes(), b)
		}
	})
}
