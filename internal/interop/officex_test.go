package interop

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
	"github.com/courtseal/courtseal/verify"
)

// wordBench is what the tests of Word documents share: a LibreOffice that trusts a root, and seals.
type wordBench struct {
	lo      *libreOffice
	root    *testpki.CA
	gm      *testpki.CA
	pem     string // file with the root's certificate
	sm2     sign.Key
	maker   sign.Key
	picture sign.Picture
	dir     string
}

func newWordBench(t *testing.T) *wordBench {
	t.Helper()
	root := testpki.NewCA(testpki.RSA, "Interop Root")
	gm := testpki.NewCA(testpki.SM2, "Interop Root SM2")
	picture, err := imprint.Draw(imprint.Options{Name: "示例市中级人民法院", Diameter: imprint.Intermediate})
	if err != nil {
		t.Fatal(err)
	}
	w := &wordBench{
		lo: startLibreOffice(t, root), root: root, gm: gm, dir: t.TempDir(), picture: picture,
		maker: gm.Issue(testpki.SM2, "制章者", nil), sm2: gm.Issue(testpki.SM2, "电子印章", nil),
	}
	w.pem = write(t, w.dir, "root.pem", root.PEM())
	return w
}

// stamp makes a seal whose holders are an SM2 key and one of another kind, and a Signer of a format with it.
func (w *wordBench) stamp(t *testing.T, format sign.Format, kind testpki.Kind, tsa sign.Timestamper) sign.Signer {
	t.Helper()
	key := w.root.Issue(kind, "holder", nil)
	now := time.Now().Truncate(time.Second)
	s, err := seal.Make(context.Background(), &seal.Seal{
		ID: "11010100000001", Name: "示例市中级人民法院", CertListType: seal.Certificates,
		Certs: [][]byte{key.Chain()[0], w.sm2.Chain()[0]}, Picture: w.picture,
		Created: now.Add(-time.Hour), NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0),
	}, w.maker)
	if err != nil {
		t.Fatal(err)
	}
	with, o := w.sm2, seal.StampOptions{Format: format, TSA: tsa}
	switch format {
	case sign.CMS:
		with = key
	case sign.Dual:
		o.Outer, o.OuterTSA = key, tsa
	}
	stamp, err := s.Stamp(with, o)
	if err != nil {
		t.Fatal(err)
	}
	return stamp
}

// plain is a Signer without seal.
func (w *wordBench) plain(t *testing.T, kind testpki.Kind) sign.Signer {
	t.Helper()
	s, err := xmldsig.New(w.root.Issue(kind, "clerk", nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// step is one act on a document.
type step struct {
	signer sign.Signer
	o      officex.Options
}

func (w *wordBench) sealed(t *testing.T, src string, steps ...step) (file string, last *officex.Result) {
	t.Helper()
	f, err := os.CreateTemp(w.dir, "*.docx")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, s := range steps {
		if last, err = officex.SignFile(context.Background(), f.Name(), src, s.signer, s.o); err != nil {
			t.Fatal(err)
		}
		src = f.Name()
	}
	return src, last
}

// judgment is made a Word document by the office program.
const judgment = `<html><head><meta charset="utf-8"><title>民事判决书</title></head><body><h1>民事判决书</h1><p>(2026)示01民初1号</p>
<p>原告与被告买卖合同纠纷一案，本院受理后，依法公开开庭进行了审理。<b>现已审理终结</b>。</p><ul><li>一</li><li>二</li></ul>
<table border="1"><tr><td>甲</td><td>乙</td></tr></table><p align="right">二〇二六年十一月二十四日</p></body></html>`

// The office program and the XML signature program that people have judge what we write.
func TestOffice(t *testing.T) {
	need(t, "xmlsec1", "pdftoppm")
	w := newWordBench(t)
	src := filepath.Join(w.dir, "judgment.docx")
	w.lo.convert(t, write(t, w.dir, "judgment.html", []byte(judgment)), src, asDOCX)
	t.Run("accepts", func(t *testing.T) { w.accepts(t, src) })
	t.Run("sees every change", func(t *testing.T) { w.seesChanges(t, src) })
	t.Run("shows signature lines", func(t *testing.T) { w.showsLines(t, src) })
	t.Run("opens", w.opensVectors)
	t.Run("signs PDFs", w.signsPDFs)
	t.Run("writes other formats", func(t *testing.T) { w.othersRefused(t, src) })
}

// accepts: every signature of every kind is valid and trusted, and none when the document was changed.
func (w *wordBench) accepts(t *testing.T, src string) {
	invisible := officex.Options{Invisible: true}
	for _, c := range []struct {
		name  string
		steps []step
		want  int // signatures that the office program sees
	}{
		{"cms RSA", []step{{w.stamp(t, sign.CMS, testpki.RSA, nil), officex.Options{}}}, 1},
		{"cms P-256", []step{{w.stamp(t, sign.CMS, testpki.P256, nil), officex.Options{}}}, 1},
		{"cms P-384", []step{{w.stamp(t, sign.CMS, testpki.P384, nil), officex.Options{}}}, 1},
		{"without seal", []step{{w.plain(t, testpki.RSA), officex.Options{}}}, 1},
		{"dual RSA", []step{{w.stamp(t, sign.Dual, testpki.RSA, nil), officex.Options{Reason: "一审判决 & <签发>"}}}, 1},
		{"dual P-256", []step{{w.stamp(t, sign.Dual, testpki.P256, nil), officex.Options{}}}, 1},
		{"dual RSA, stamped with a time", []step{{w.stamp(t, sign.Dual, testpki.RSA, newAuthority(t, testpki.RSA)), officex.Options{}}}, 1},
		{"cms RSA, stamped with a time by SM2", []step{{w.stamp(t, sign.CMS, testpki.RSA, newAuthority(t, testpki.SM2)), officex.Options{}}}, 1},
		{"dual RSA, on the date", []step{{w.stamp(t, sign.Dual, testpki.RSA, nil), officex.Options{DateLine: true}}}, 1},
		{"dual RSA, on a text", []step{{w.stamp(t, sign.Dual, testpki.RSA, nil), officex.Options{Keyword: &officex.Keyword{Text: "审理终结"}}}}, 1},
		{"dual RSA, locked, in the header", []step{{w.stamp(t, sign.Dual, testpki.RSA, nil), officex.Options{Lock: true, Header: true}}}, 1},
		{"dual, then another", []step{{w.stamp(t, sign.Dual, testpki.RSA, nil), officex.Options{}}, {w.plain(t, testpki.P256), invisible}}, 2},
		{"three", []step{{w.stamp(t, sign.CMS, testpki.P256, nil), officex.Options{}}, {w.stamp(t, sign.Dual, testpki.RSA, nil), invisible},
			{w.stamp(t, sign.Dual, testpki.P256, nil), invisible}}, 3},
		{"ses", []step{{w.stamp(t, sign.SES, testpki.RSA, nil), officex.Options{}}}, 0},
		{"ses, then cms", []step{{w.stamp(t, sign.SES, testpki.RSA, nil), officex.Options{}}, {w.stamp(t, sign.CMS, testpki.RSA, nil), invisible}}, 1},
		{"cms, then ses", []step{{w.stamp(t, sign.CMS, testpki.RSA, nil), officex.Options{}}, {w.stamp(t, sign.SES, testpki.RSA, nil), invisible}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, _ := w.sealed(t, src, c.steps...)
			w.accepted(t, file, c.want)
			if c.want > 0 {
				w.refused(t, file, "word/document.xml")
			}
			for range c.steps {
				if err := officex.RemoveFile(file, file, officex.Options{}); err != nil {
					t.Fatal(err)
				}
			}
			before, _ := os.ReadFile(src)
			if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
				t.Errorf("removing all seals does not give back the document (%v)", err)
			}
		})
	}
}

// accepted wants every signature valid and trusted, by the office program and, part for part, by xmlsec1.
func (w *wordBench) accepted(t *testing.T, file string, signatures int) {
	t.Helper()
	said := w.lo.verify(t, file)
	if len(said) != signatures {
		t.Errorf("LibreOffice sees %d signatures of %d: %q", len(said), signatures, said)
	}
	// All signatures have an object of the Id that ECMA-376-2 prescribes, and LibreOffice 7.4 compares the third and those after
	// it with the second one's. It is asked about each of them alone.
	for i := 2; i < len(said); i++ {
		said[i] = strings.Join(w.lo.verify(t, w.alone(t, file, i)), "\n")
	}
	for _, s := range said {
		if !strings.HasPrefix(s, "valid=True status=0 ") {
			t.Errorf("LibreOffice: %s", s)
		}
	}
	parts := signatureParts(t, file)
	if len(parts) != signatures {
		t.Errorf("%d signature parts of %d", len(parts), signatures)
	}
	for name, b := range parts {
		out := w.xmlsec(t, b)
		all := regexp.MustCompile(`SignedInfo References \(ok/all\): (\d+)/(\d+)`).FindStringSubmatch(out)
		if !strings.HasPrefix(out, "OK\n") || all == nil || all[1] != all[2] || all[1] < "3" {
			t.Errorf("xmlsec1 on %s:\n%s", name, out)
		}
		at := bytes.Index(b, []byte("<DigestValue>")) + len("<DigestValue>")
		b[at+5] = b[at+5]%('Z'-'A') + 'A' // another letter of base64
		if out := w.xmlsec(t, b); strings.Contains(out, "OK") {
			t.Errorf("xmlsec1 does not see a changed digest:\n%s", out)
		}
	}
}

func (w *wordBench) xmlsec(t *testing.T, signature []byte) string {
	t.Helper()
	// A digest over a part of the package is beyond it: --ignore-manifests.
	return output(t, "xmlsec1", "--verify", "--ignore-manifests", "--trusted-pem", w.pem,
		"--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:Object", "--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties",
		write(t, t.TempDir(), "sig.xml", signature))
}

// refused changes a letter of a part, and wants no signature valid then.
func (w *wordBench) refused(t *testing.T, file, part string) {
	t.Helper()
	said := w.lo.verify(t, tampered(t, file, part))
	if len(said) == 0 || slices.ContainsFunc(said, func(s string) bool { return !strings.HasPrefix(s, "valid=False ") }) {
		t.Errorf("LibreOffice, after a change in %s: %q", part, said)
	}
}

// alone is a copy of the file without the relationships to its other signatures, which no signature covers.
func (w *wordBench) alone(t *testing.T, file string, i int) string {
	t.Helper()
	const rels = "_xmlsignatures/_rels/origin.sigs.rels"
	names, data := entries(t, file)
	n := -1
	data[rels] = regexp.MustCompile(`<Relationship [^>]*>`).ReplaceAllFunc(data[rels], func(b []byte) []byte {
		if n++; n == i {
			return b
		}
		return nil
	})
	return write(t, t.TempDir(), "alone.docx", packed(t, names, data))
}

// entries reads a zip file.
func entries(t *testing.T, file string) (names []string, data map[string][]byte) {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	data = map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if data[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		names = append(names, f.Name)
	}
	return names, data
}

func signatureParts(t *testing.T, file string) map[string][]byte {
	t.Helper()
	_, data := entries(t, file)
	for name := range data {
		if ok, _ := filepath.Match("_xmlsignatures/*.xml", name); !ok {
			delete(data, name)
		}
	}
	return data
}

// tampered is a copy of the file with the last letter or digit of a part's text, or of its bytes, changed.
func tampered(t *testing.T, file, part string) string {
	t.Helper()
	names, data := entries(t, file)
	b, ok := data[part]
	if !ok {
		t.Fatalf("no part %s", part)
	}
	if texts := regexp.MustCompile(`>[^<]*[a-zA-Z0-9]</`).FindAllIndex(b, -1); texts != nil {
		b[texts[len(texts)-1][1]-3] ^= 1
	} else {
		b[len(b)/2] ^= 1
	}
	return write(t, t.TempDir(), "tampered.docx", packed(t, names, data))
}

// packed is a zip file.
func packed(t *testing.T, names []string, data map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data[name])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// seesChanges: whatever part is changed, the office program sees it, since it is signed.
func (w *wordBench) seesChanges(t *testing.T, src string) {
	file, _ := w.sealed(t, src, step{w.stamp(t, sign.Dual, testpki.RSA, nil), officex.Options{}})
	names, _ := entries(t, file)
	n := 0
	for _, name := range names {
		if ok, _ := filepath.Match("word/*.xml", name); ok || strings.HasPrefix(name, "word/media/") {
			w.refused(t, file, name)
			n++
		}
	}
	if n < 5 {
		t.Errorf("only %d parts were changed", n)
	}
}

// showsLines: a signature line shows the seal while its signature is valid and another picture when it is not; lines that were
// reserved are filled in turn, and the earlier signatures stay as they are.
func (w *wordBench) showsLines(t *testing.T, src string) {
	line := officex.Options{AsLine: true}
	file, result := w.sealed(t, src, step{w.stamp(t, sign.Dual, testpki.RSA, nil), line})
	w.accepted(t, file, 1)
	if said := w.lo.verify(t, file); len(said) != 1 || !strings.Contains(said[0], "line="+result.Line+" ") || result.Line == "" {
		t.Errorf("the line is %q; LibreOffice: %q", result.Line, said)
	}
	without, valid, changed := w.red(t, src), w.red(t, file), w.red(t, tampered(t, file, "word/styles.xml"))
	if valid < without+300 || changed > without+20 {
		t.Errorf("%d red pixels in the document, %d with the seal, %d when it was changed", without, valid, changed)
	}
	w.refused(t, file, "word/styles.xml")

	lines := filepath.Join(w.dir, "lines.docx")
	if err := officex.ReserveFile(lines, src, []officex.Slot{{Signer: "审判长"}, {Signer: "书记员"}}, officex.Options{}); err != nil {
		t.Fatal(err)
	}
	first := officex.Options{Line: "1"}
	both, _ := w.sealed(t, lines, step{w.stamp(t, sign.Dual, testpki.RSA, nil), first}, step{w.stamp(t, sign.CMS, testpki.P256, nil), first})
	w.accepted(t, both, 2)
	one, _ := w.sealed(t, lines, step{w.stamp(t, sign.Dual, testpki.RSA, nil), first})
	if one, two := w.red(t, one)-without, w.red(t, both)-without; two < one*3/2 {
		t.Errorf("%d red pixels with one seal, %d with two", one, two)
	}
}

// red counts the red pixels of a document's pages as the office program shows them, at 40 dots an inch.
func (w *wordBench) red(t *testing.T, file string) (n int) {
	t.Helper()
	dir := t.TempDir()
	pdf := filepath.Join(dir, "shown.pdf")
	w.lo.convert(t, file, pdf, asPDF)
	if out := output(t, "pdftoppm", "-r", "40", pdf, filepath.Join(dir, "page")); out != "" {
		t.Fatal(out)
	}
	pages, _ := filepath.Glob(filepath.Join(dir, "page*.ppm"))
	if len(pages) == 0 {
		t.Fatal("no pages")
	}
	for _, page := range pages {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		head := regexp.MustCompile(`^P6\s+(\d+)\s+(\d+)\s+255\s`).FindSubmatch(b)
		if head == nil {
			t.Fatalf("%s is no picture", page)
		}
		width, _ := strconv.Atoi(string(head[1]))
		height, _ := strconv.Atoi(string(head[2]))
		for px := b[len(head[0]):]; len(px) >= 3; px = px[3:] {
			if px[0] > 150 && px[1] < 90 && px[2] < 90 {
				n++
			}
		}
		if got := len(b) - len(head[0]); got != 3*width*height {
			t.Fatalf("%s has %d bytes", page, got)
		}
	}
	return n
}

// opensVectors: every document that other programs wrote is sealed, or refused for a reason; what is sealed, the office program
// opens, shows with its seal, and calls valid, and the parts that nothing had to touch are as they were.
func (w *wordBench) opensVectors(t *testing.T) {
	refusals := []error{officex.ErrTrackedChanges, officex.ErrComments, officex.ErrFields, officex.ErrTemplate, officex.ErrAltChunk,
		officex.ErrMacros, officex.ErrEmbedded, officex.ErrExternal, officex.ErrSealed}
	names, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "vectors", "docx", "*.docx"))
	if names == nil {
		t.Skip("there are no vectors")
	}
	opened := 0
	for _, src := range names {
		t.Run(strings.TrimSuffix(filepath.Base(src), ".docx"), func(t *testing.T) {
			dst := filepath.Join(t.TempDir(), "sealed.docx")
			_, err := officex.SignFile(context.Background(), dst, src, w.stamp(t, sign.Dual, testpki.RSA, nil), officex.Options{})
			if err != nil {
				if !slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) }) {
					t.Fatalf("refused for no reason of ours: %v", err)
				}
				t.Log(err)
				return
			}
			w.accepted(t, dst, 1)
			before, after := w.red(t, src), w.red(t, dst)
			if after < before+300 {
				t.Errorf("%d red pixels before, %d with a seal", before, after)
			}
			_, old := entries(t, src)
			_, now := entries(t, dst)
			for name, b := range old {
				touched := slices.Contains([]string{"[Content_Types].xml", "_rels/.rels", "word/document.xml", "word/_rels/document.xml.rels"}, name)
				if !touched && !bytes.Equal(b, now[name]) {
					t.Errorf("%s was changed", name)
				}
			}
			opened++
		})
	}
	if opened < 5 {
		t.Errorf("only %d documents were sealed", opened)
	}
}

// othersRefused: what the office program writes in other formats is refused by name.
func (w *wordBench) othersRefused(t *testing.T, src string) {
	stamp := w.stamp(t, sign.Dual, testpki.RSA, nil)
	for _, c := range []struct {
		name, format, password string
		want                   error
		says                   string
	}{
		{"a.doc", "MS Word 97", "", officex.ErrDoc, ".doc"},
		{"locked.doc", "MS Word 97", "secret", officex.ErrDoc, ".doc"},
		{"locked.docx", asDOCX, "secret", officex.ErrEncrypted, "encrypted"},
		{"a.dotx", "MS Word 2007 XML Template", "", officex.ErrNotWord, "template"},
		{"a.docm", "MS Word 2007 XML VBA", "", officex.ErrMacroEnabled, ".docm"},
		{"a.odt", "writer8", "", officex.ErrNotWord, "OpenDocument"},
		{"locked.odt", "writer8", "secret", officex.ErrNotWord, "OpenDocument"},
		{"a.fodt", "OpenDocument Text Flat XML", "", officex.ErrNotWord, "XML file"},
		{"a.rtf", "Rich Text Format", "", officex.ErrNotWord, ".rtf"},
		{"a.xml", "MS Word 2003 XML", "", officex.ErrNotWord, "Word 2003"},
		{"a.html", "HTML (StarWriter)", "", officex.ErrNotWord, "web page"},
		{"a.epub", "EPUB", "", officex.ErrNotWord, ".epub"},
		{"a.txt", "Text", "", officex.ErrNotWord, "no known document format"},
		{"a.pdf", asPDF, "", officex.ErrNotWord, "PDF"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), c.name)
			w.lo.convert(t, src, path, c.format, c.password)
			_, err := officex.SignFile(context.Background(), path+".sealed", path, stamp, officex.Options{})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v; want %v, with %q", err, c.want, c.says)
			}
			_, err = verify.File(context.Background(), path, verify.Options{})
			if signs := slices.Contains([]string{".pdf", ".docm", ".dotx"}, filepath.Ext(path)); signs == errors.Is(err, verify.ErrFormat) {
				t.Errorf("verify: %v", err)
			}
		})
	}
}
