package officex_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/xmldsig"
	"github.com/courtseal/courtseal/verify"
)

func mustSign(t testing.TB, b []byte, s sign.Signer, o officex.Options) ([]byte, *officex.Result) {
	t.Helper()
	o.Now = clock
	var out bytes.Buffer
	r, err := officex.Sign(context.Background(), &out, bytes.NewReader(b), int64(len(b)), s, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Size != int64(out.Len()) {
		t.Errorf("Size %d of %d bytes", r.Size, out.Len())
	}
	return out.Bytes(), r
}

func refused(t testing.TB, b []byte, s sign.Signer, o officex.Options, want ...error) {
	t.Helper()
	o.Now = clock
	var out bytes.Buffer
	_, err := officex.Sign(context.Background(), &out, bytes.NewReader(b), int64(len(b)), s, o)
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("%v; should be %v", err, w)
		}
	}
	if out.Len() > 0 {
		t.Errorf("%d bytes were written all the same", out.Len())
	}
}

func report(t testing.TB, b []byte) *verify.Report {
	t.Helper()
	r, err := verify.Document(context.Background(), bytes.NewReader(b), int64(len(b)), verify.Options{Roots: trusted(t), At: noon.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func trusted(t testing.TB) *verify.Roots {
	t.Helper()
	roots := new(verify.Roots)
	for _, k := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P256, testpki.P384} {
		if err := roots.Add(verify.ForAll, testpki.Shared(k).Cert.Raw); err != nil {
			t.Fatal(err)
		}
	}
	return roots
}

func valid(t testing.TB, b []byte, signatures int) {
	t.Helper()
	if r := report(t, b); r.Verdict != verify.Valid || len(r.Signatures) != signatures {
		t.Errorf("%d signatures, %s", len(r.Signatures), r)
	}
}

func contents(t testing.TB, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if parts[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return parts
}

// untouched asks that what was there is there still, but for the parts named.
func untouched(t testing.TB, before, after []byte, but ...string) {
	t.Helper()
	now := contents(t, after)
	for name, b := range contents(t, before) {
		if !slices.Contains(but, name) && !bytes.Equal(now[name], b) {
			t.Errorf("%s has changed", name)
		}
	}
}

func removed(t testing.TB, sealed, before []byte) {
	t.Helper()
	var out bytes.Buffer
	if err := officex.Remove(&out, bytes.NewReader(sealed), int64(len(sealed)), officex.Options{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), before) {
		t.Errorf("%d bytes came back, not the %d that were there before", out.Len(), len(before))
	}
}

// signers are the ways to sign a Word document, with the number of signatures that each makes.
func signers(t testing.TB) map[string]sign.Signer {
	p := holders()
	return map[string]sign.Signer{
		"ses":       stamp(t, p.sm2, nil, sign.SES),
		"cms RSA":   stamp(t, p.rsa, nil, sign.CMS),
		"cms P-256": stamp(t, p.p256, nil, sign.CMS),
		"cms P-384": stamp(t, p.p384, nil, sign.CMS),
		"dual RSA":  stamp(t, p.sm2, p.rsa, ""),
		"dual P384": stamp(t, p.sm2, p.p384, ""),
	}
}

func TestSign(t *testing.T) {
	b := judgment().bytes()
	for name, s := range signers(t) {
		sealed, r := mustSign(t, b, s, officex.Options{Reason: "判决 <结案> & 归档", Document: "判决书", ID: "r-1"})
		n := 1
		if strings.HasPrefix(name, "dual") {
			n = 2
		}
		if len(r.Parts) != n || r.Shown != "/word/document.xml" || r.Act.ID != "r-1" || !r.Act.Time.Equal(noon) {
			t.Errorf("%s: %+v", name, r)
		}
		valid(t, sealed, n)
		untouched(t, b, sealed, "[Content_Types].xml", "_rels/.rels", "word/document.xml")
		removed(t, sealed, b)
		again, _ := mustSign(t, b, s, officex.Options{Reason: "判决 <结案> & 归档", Document: "判决书", ID: "r-1", Invisible: true})
		valid(t, again, n)
		untouched(t, b, again, "[Content_Types].xml", "_rels/.rels")
	}
}

// Everybody's documents are sealed, or refused for a reason that is known.
func TestVectors(t *testing.T) {
	reasons := map[string][]error{
		"EmbeddedDocument":    {officex.ErrEmbedded},
		"WordWithAttachments": {officex.ErrComments, officex.ErrMacros, officex.ErrEmbedded},
		"comment":             {officex.ErrComments},
		"delins":              {officex.ErrTrackedChanges},
		"signed-word2007":     {officex.ErrSealed},
		"signed-word2010":     {officex.ErrSealed},
	}
	p := holders()
	dual := stamp(t, p.sm2, p.rsa, "")
	const all = officex.AllowTrackedChanges | officex.AllowComments | officex.AllowFields | officex.AllowTemplate | officex.AllowAltChunk |
		officex.AllowMacros | officex.AllowEmbedded | officex.AllowExternal
	for name, b := range vectors(t) {
		t.Run(name, func(t *testing.T) {
			o := officex.Options{}
			if want := reasons[name]; want != nil {
				refused(t, b, dual, o, want...)
				o.Allow, o.Invisible = all, true
			}
			sealed, _ := mustSign(t, b, dual, o)
			untouched(t, b, sealed, "[Content_Types].xml", "_rels/.rels", "word/document.xml", "word/_rels/document.xml.rels", "_xmlsignatures/_rels/origin.sigs.rels")
			removed(t, sealed, b)
			r := report(t, sealed)
			for _, s := range r.Signatures {
				ours := s.Name == "/_seals/seal1/Signature.xml" || s.Format == sign.XML && s.Seal != nil
				if s.Format == sign.SES && s.Verdict != verify.Valid {
					t.Errorf("ours of %t: %s", ours, r)
				}
			}
		})
	}
}

// A document is sealed again and again, in every form, and each earlier one holds.
func TestSeveral(t *testing.T) {
	files := [][]byte{judgment().bytes()}
	n := 0
	for i, name := range []string{"dual RSA", "cms P-256", "ses", "dual P384", "ses", "dual P384", "cms P-256"} {
		s := signers(t)[name]
		next, r := mustSign(t, files[i], s, officex.Options{Invisible: i > 0})
		n += len(r.Parts)
		valid(t, next, n)
		files = append(files, next)
	}
	refused(t, files[1], signers(t)["ses"], officex.Options{}, officex.ErrSealed)
	refused(t, files[1], signers(t)["ses"], officex.Options{Invisible: true, Lock: true}, officex.ErrSealed)
	for i := len(files) - 1; i > 0; i-- {
		removed(t, files[i], files[i-1])
	}
	err := officex.Remove(io.Discard, bytes.NewReader(files[0]), int64(len(files[0])), officex.Options{})
	if !errors.Is(err, officex.ErrNoSignature) {
		t.Error(err)
	}
}

func TestLines(t *testing.T) {
	b := judgment().bytes()
	var out bytes.Buffer
	slots := []officex.Slot{{At: officex.Options{DateLine: true}, Signer: "审判长", Title: "一审"}, {Signer: "书记员", Width: 30, Height: 30}}
	if err := officex.Reserve(&out, bytes.NewReader(b), int64(len(b)), slots, officex.Options{}); err != nil {
		t.Fatal(err)
	}
	reserved := out.Bytes()
	lines, err := officex.Lines(bytes.NewReader(reserved), int64(len(reserved)), officex.Options{})
	if err != nil || len(lines) != 2 || lines[0].Signer != "审判长" || lines[0].Title != "一审" || lines[0].Filled || lines[1].Filled || lines[0].GUID == lines[1].GUID {
		t.Fatalf("%+v, %v", lines, err)
	}
	dual, cms, ses := signers(t)["dual RSA"], signers(t)["cms P-256"], signers(t)["ses"]
	first, r := mustSign(t, reserved, dual, officex.Options{Line: lines[1].GUID})
	if r.Line != lines[1].GUID {
		t.Errorf("%+v", r)
	}
	valid(t, first, 2)
	refused(t, first, cms, officex.Options{Line: lines[1].GUID}, officex.ErrLine)
	refused(t, first, cms, officex.Options{Line: "2"}, officex.ErrLine)
	refused(t, first, ses, officex.Options{Line: "1"}, officex.ErrOptions)
	second, r := mustSign(t, first, cms, officex.Options{Line: "1"})
	if r.Line != lines[0].GUID {
		t.Errorf("%+v", r)
	}
	valid(t, second, 3)
	untouched(t, reserved, second, "[Content_Types].xml", "_rels/.rels")
	lines, err = officex.Lines(bytes.NewReader(second), int64(len(second)), officex.Options{})
	if err != nil || !lines[0].Filled || !lines[1].Filled {
		t.Errorf("%+v, %v", lines, err)
	}
	removed(t, second, first)
	removed(t, first, reserved)
	err = officex.Reserve(io.Discard, bytes.NewReader(first), int64(len(first)), slots, officex.Options{})
	if !errors.Is(err, officex.ErrSealed) {
		t.Error(err)
	}
	asLine, r := mustSign(t, b, dual, officex.Options{AsLine: true, Keyword: &officex.Keyword{Text: "审判长"}, ID: "x"})
	valid(t, asLine, 2)
	removed(t, asLine, b)
	twice, r2 := mustSign(t, b, dual, officex.Options{AsLine: true, Keyword: &officex.Keyword{Text: "审判长"}, ID: "x"})
	if r.Line == "" || r.Line != r2.Line || len(twice) == 0 {
		t.Errorf("the same act has the lines %q and %q", r.Line, r2.Line)
	}
}

func TestPlaces(t *testing.T) {
	d := judgment()
	d.body = `<w:p><w:bookmarkStart w:id="0" w:name="院印"/><w:r><w:t>盖章处</w:t></w:r><w:bookmarkEnd w:id="0"/></w:p>` + d.body
	b := d.bytes()
	s := signers(t)["dual RSA"]
	for name, o := range map[string]officex.Options{
		"end": {}, "bookmark": {Bookmark: "院印"}, "keyword": {Keyword: &officex.Keyword{Text: "审判长", DX: 10}}, "date": {DateLine: true},
		"header": {Header: true}, "footer": {Footer: true}, "lock": {Lock: true}, "line in the footer": {Footer: true, AsLine: true},
		"second": {Keyword: &officex.Keyword{Text: "某", Occurrence: 2}}, "last": {Keyword: &officex.Keyword{Text: "某", Occurrence: -1}},
	} {
		sealed, r := mustSign(t, b, s, o)
		if r.Shown == "" {
			t.Errorf("%s: shown nowhere", name)
		}
		valid(t, sealed, 2)
		removed(t, sealed, b)
	}
	for _, c := range []struct {
		o    officex.Options
		want error
	}{
		{officex.Options{Bookmark: "别处"}, officex.ErrPlace},
		{officex.Options{Keyword: &officex.Keyword{Text: "某"}}, officex.ErrSeveral},
		{officex.Options{Keyword: &officex.Keyword{Text: "某", Occurrence: 9}}, officex.ErrPlace},
		{officex.Options{Keyword: &officex.Keyword{Text: "不在"}}, officex.ErrPlace},
		{officex.Options{Keyword: &officex.Keyword{}}, officex.ErrOptions},
		{officex.Options{Header: true, Footer: true}, officex.ErrOptions},
		{officex.Options{Invisible: true, AsLine: true}, officex.ErrOptions},
		{officex.Options{Line: "1"}, officex.ErrLine},
	} {
		refused(t, b, s, c.o, c.want)
	}
	refused(t, docx{body: para("无日期")}.bytes(), s, officex.Options{DateLine: true}, officex.ErrPlace)
	bare, err := xmldsig.New(holders().rsa, nil)
	if err != nil {
		t.Fatal(err)
	}
	refused(t, b, bare, officex.Options{DateLine: true}, officex.ErrPlace)
	sealed, r := mustSign(t, b, bare, officex.Options{}) // it has no picture, and shows none
	if r.Shown != "" {
		t.Errorf("%+v", r)
	}
	valid(t, sealed, 1)
	removed(t, sealed, b)
}

func TestProfiles(t *testing.T) {
	b := judgment().bytes()
	refused(t, b, stamp(t, holders().sm2, nil, sign.CMS), officex.Options{}, officex.ErrProfile)
	bare, err := cms.New(holders().rsa, cms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, b, bare, officex.Options{}, officex.ErrProfile)
}

func TestNotWord(t *testing.T) {
	s := signers(t)["ses"]
	sheet := judgment().bytes()
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"PDF":       {[]byte("%PDF-1.7\n"), officex.ErrNotWord},
		"empty":     {nil, officex.ErrNotWord},
		"text":      {[]byte("判决书"), officex.ErrNotWord},
		"cut short": {sheet[:len(sheet)/2], officex.ErrPackage},
		"tail":      {append(slices.Clone(sheet), 0), officex.ErrPackage},
		"prefix":    {append([]byte("x"), sheet...), officex.ErrNotWord},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.b, s, officex.Options{}, c.want) })
	}
	macro := judgment()
	macro.types = `<Override PartName="/word/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/>`
	macro.parts = map[string]string{"word/vbaProject.bin": "x"}
	macro.rels = `<Relationship Id="rId1" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="vbaProject.bin"/>`
	refused(t, macro.bytes(), s, officex.Options{}, officex.ErrMacros)
}

func TestPending(t *testing.T) {
	b := judgment().bytes()
	other := docx{body: para("另一份")}.bytes()
	for name, s := range signers(t) {
		o := officex.Options{Now: clock, ID: "r-1", Reason: "理由", DateLine: true}
		whole, _ := mustSign(t, b, s, o)
		p, err := officex.Prepare(bytes.NewReader(b), int64(len(b)), s.Profile(), o)
		if err != nil {
			t.Fatal(err)
		}
		state, err := p.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var q officex.Pending
		if err := q.UnmarshalBinary(state); err != nil {
			t.Fatal(name, err)
		}
		values, err := s.Sign(t.Context(), q.Act())
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := q.Commit(&out, bytes.NewReader(b), int64(len(b)), values); err != nil {
			t.Fatal(name, err)
		}
		valid(t, out.Bytes(), len(values))
		if name == "cms RSA" && !bytes.Equal(out.Bytes(), whole) { // RSA signs the same twice
			t.Error("prepared and committed is not the same as signed")
		}
		out.Reset()
		if _, err := q.Commit(&out, bytes.NewReader(other), int64(len(other)), values); !errors.Is(err, officex.ErrOtherFile) {
			t.Error(err)
		}
		changed := slices.Clone(b)
		changed[len(changed)/2] ^= 1
		if _, err := q.Commit(&out, bytes.NewReader(changed), int64(len(changed)), values); !errors.Is(err, officex.ErrOtherFile) {
			t.Error(err)
		}
		if _, err := q.Commit(&out, bytes.NewReader(b), int64(len(b)), values[1:]); !errors.Is(err, officex.ErrValue) {
			t.Error(err)
		}
		if strings.HasPrefix(name, "cms") {
			v, _ := sign.ParseXMLValue(values[0].Bytes)
			v.Reference = "another.example/log#" + strings.Repeat("A", 43) + "="
			if _, err := q.Commit(&out, bytes.NewReader(b), int64(len(b)), []sign.Value{{Bytes: v.Marshal()}}); !errors.Is(err, officex.ErrValue) {
				t.Errorf("a value over something else: %v", err)
			}
		}
		if out.Len() > 0 {
			t.Error("something was written all the same")
		}
		for i := 0; i < len(state); i += 97 {
			bad := slices.Clone(state)
			bad[i] ^= 0x20
			var q officex.Pending
			if err := q.UnmarshalBinary(bad[:len(bad)-i%3]); err != nil && !errors.Is(err, officex.ErrState) {
				t.Fatal(i, err)
			}
		}
	}
}

func TestSignFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.docx")
	b := judgment().bytes()
	if err := os.WriteFile(name, b, 0o640); err != nil {
		t.Fatal(err)
	}
	s := signers(t)["dual RSA"]
	if _, err := officex.SignFile(t.Context(), name, name, s, officex.Options{Now: clock, Bookmark: "none"}); !errors.Is(err, officex.ErrPlace) {
		t.Error(err)
	}
	if now, _ := os.ReadFile(name); !bytes.Equal(now, b) {
		t.Error("a failure changed the file")
	}
	if _, err := officex.SignFile(t.Context(), name, name, s, officex.Options{Now: clock, Sync: true}); err != nil {
		t.Fatal(err)
	}
	if err := officex.RemoveFile(name, name, officex.Options{}); err != nil {
		t.Fatal(err)
	}
	if now, _ := os.ReadFile(name); !bytes.Equal(now, b) {
		t.Error("sealed and unsealed, the file is another one")
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

func TestSignatures(t *testing.T) {
	b := judgment().bytes()
	sealed, r := mustSign(t, b, signers(t)["dual RSA"], officex.Options{})
	found, err := officex.Signatures(bytes.NewReader(sealed), int64(len(sealed)), officex.Options{})
	if err != nil || len(found) != 2 || found[0].Name != r.Parts[0] || found[0].Format != sign.SES || found[1].Name != r.Parts[1] || found[1].Format != sign.XML {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, f := range found {
		if f.Err != nil || len(f.Value) == 0 {
			t.Errorf("%+v", f)
		}
	}
	sums, err := officex.Hash(t.Context(), bytes.NewReader(sealed), int64(len(sealed)), found, [][]sign.Hash{{sign.SM3}, {sign.SHA256}})
	if err != nil || !bytes.Equal(sums[0][sign.SM3], r.Act.Content[sign.SM3]) || !bytes.Equal(sums[1][sign.SHA256], r.Act.Content[sign.SHA256]) {
		t.Errorf("%v, %v", sums, err)
	}
}

// What was changed since is not given back for what was there; what the record has itself comes back whole.
func TestRemoveRefuses(t *testing.T) {
	b := judgment().bytes()
	sealed, _ := mustSign(t, b, signers(t)["dual RSA"], officex.Options{})
	parts := contents(t, sealed)
	remade := func(change func(map[string][]byte)) []byte {
		m := map[string][]byte{}
		for n, c := range parts {
			m[n] = c
		}
		change(m)
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		for n, c := range m {
			w, _ := z.Create(n)
			w.Write(c)
		}
		z.Close()
		return out.Bytes()
	}
	for name, c := range map[string]struct {
		change func(map[string][]byte)
		want   error
	}{
		"another part": {func(m map[string][]byte) { m["docProps/core.xml"] = append(m["docProps/core.xml"], ' ') }, officex.ErrNotLast},
		"part removed": {func(m map[string][]byte) { delete(m, "docProps/core.xml") }, officex.ErrNotLast},
		"another record": {func(m map[string][]byte) {
			m["_seals/seal1/undo"] = bytes.Replace(m["_seals/seal1/undo"], []byte("source"), []byte("Source"), 1)
		}, officex.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			f := remade(c.change)
			var out bytes.Buffer
			if err := officex.Remove(&out, bytes.NewReader(f), int64(len(f)), officex.Options{}); !errors.Is(err, c.want) || out.Len() > 0 {
				t.Errorf("%v, %d bytes", err, out.Len())
			}
		})
	}
}
