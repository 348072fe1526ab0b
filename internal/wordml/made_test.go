package wordml

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// peer finds another implementation; in CI it must be there.
func peer(t testing.TB, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return p
}

// vector is a part of a real document.
func vector(t testing.TB, name, part string) []byte {
	t.Helper()
	z, err := zip.OpenReader(filepath.Join("../../../shared/vectors/docx", name))
	if err != nil {
		t.Skip("no shared vectors here")
	}
	defer z.Close()
	f, err := z.Open(part)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, part string) *Document {
	t.Helper()
	d, err := Open([]byte(part), xmldoc.Limits{})
	if err != nil {
		t.Fatalf("%v\n%s", err, part)
	}
	return d
}

const sectA4 = `<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1440" w:right="1440" w:bottom="1440" w:left="1440" w:header="709" w:footer="709" w:gutter="0"/></w:sectPr>`

// document is a main document of a family with a body.
func document(ns *family, body string) string {
	return `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n" + `<w:document xmlns:w="` + ns.w + `" xmlns:r="` + ns.r + `" xmlns:mc="` + mcNS + `" xmlns:v="` + vNS +
		`" xmlns:o="` + oNS + `" xmlns:wp="` + ns.wp + `" xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><w:body>` + body + `</w:body></w:document>`
}

const font = `<w:rPr><w:rFonts w:ascii="Noto Serif CJK SC" w:hAnsi="Noto Serif CJK SC" w:eastAsia="Noto Serif CJK SC"/><w:sz w:val="32"/></w:rPr>`

func runOf(text string) string { return `<w:r>` + font + `<w:t>` + text + `</w:t></w:r>` }

func paraOf(runs string) string { return `<w:p>` + runs + `</w:p>` }

func right(runs string) string { return `<w:p><w:pPr><w:jc w:val="right"/></w:pPr>` + runs + `</w:p>` }

// square is a red picture.
func square() []byte {
	m := image.NewNRGBA(image.Rect(0, 0, 90, 90))
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	for x := range 90 {
		for y := range 90 {
			if x < 4 || y < 4 || x > 85 || y > 85 || x-y < 2 && y-x < 2 {
				m.Set(x, y, color.NRGBA{220, 0, 0, 255})
			} else {
				m.Set(x, y, color.NRGBA{})
			}
		}
	}
	var b bytes.Buffer
	png.Encode(&b, m)
	return b.Bytes()
}

// pack makes a document of its main part; more has further parts, such as "word/header1.xml".
func pack(ns *family, main string, more map[string]string) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name, s string) {
		w, _ := z.Create(name)
		io.WriteString(w, s)
	}
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	const rels = head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	types := `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="png" ContentType="image/png"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>`
	own := ""
	for name := range more {
		kind := strings.TrimRight(strings.TrimSuffix(strings.TrimPrefix(name, "word/"), ".xml"), "0123456789")
		types += `<Override PartName="/` + name + `" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.` + kind + `+xml"/>`
		own += `<Relationship Id="` + strings.TrimSuffix(filepath.Base(name), ".xml") + `" Type="` + ns.r + `/` + kind + `" Target="` + filepath.Base(name) + `"/>`
		add("word/_rels/"+filepath.Base(name)+".rels", rels+`<Relationship Id="rIdSeal" Type="`+ns.r+`/image" Target="media/seal.png"/></Relationships>`)
	}
	add("[Content_Types].xml", head+types+`</Types>`)
	add("_rels/.rels", rels+`<Relationship Id="rId1" Type="`+ns.r+`/officeDocument" Target="word/document.xml"/></Relationships>`)
	add("word/_rels/document.xml.rels", rels+own+`<Relationship Id="rIdSeal" Type="`+ns.r+`/image" Target="media/seal.png"/></Relationships>`)
	add("word/document.xml", main)
	for name, s := range more {
		add(name, s)
	}
	add("word/media/seal.png", string(square()))
	z.Close()
	return b.Bytes()
}

// A sheet is what a page shows, in millimetres from its top left corner.
type sheet struct {
	images []rectangle
	chars  []char
}

type rectangle struct{ x, y, w, h float64 }

func (r rectangle) middle() (x, y float64) { return r.x + r.w/2, r.y + r.h/2 }

type char struct {
	s    string
	x, y float64 // of its origin
	size float64 // mm
}

// middle is the middle of a text on the page, as the eye sees ideographs.
func (s *sheet) middle(t testing.TB, text string) (x, y float64) {
	t.Helper()
	want := []rune(text)
	for i := range s.chars {
		if i+len(want) > len(s.chars) {
			break
		}
		ok := true
		for k, r := range want {
			ok = ok && s.chars[i+k].s == string(r)
		}
		if ok {
			first, last := s.chars[i], s.chars[i+len(want)-1]
			return (first.x + last.x + last.size*em(want[len(want)-1])) / 2, first.y - 0.38*first.size
		}
	}
	t.Fatalf("%q is not on the page: %v", text, s.chars)
	return
}

var (
	traceImage = regexp.MustCompile(`<fill_image [^>]*transform="([^"]*)"`)
	traceSpan  = regexp.MustCompile(`<span [^>]*trm="([^"]*)"`)
	traceGlyph = regexp.MustCompile(`<g unicode="([^"]*)" [^>]*x="([^"]*)" y="([^"]*)"`)
	tracePage  = regexp.MustCompile(`<page [^>]*mediabox="([^"]*)"`)
)

// render has LibreOffice make PDFs of documents, and MuPDF say where things are in them.
func render(t testing.TB, docs [][]byte) [][]sheet {
	t.Helper()
	if testing.Short() {
		t.Skip("programs that render take long")
	}
	soffice, mutool := peer(t, "soffice"), peer(t, "mutool")
	dir := t.TempDir()
	args := []string{"-env:UserInstallation=file://" + filepath.Join(dir, "profile"), "--headless", "--convert-to", "pdf", "--outdir", dir}
	for i, docx := range docs {
		in := filepath.Join(dir, fmt.Sprintf("%d.docx", i))
		if err := os.WriteFile(in, docx, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, in)
	}
	if out, err := exec.Command(soffice, args...).CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v\n%s", err, out)
	}
	var all [][]sheet
	for i := range docs {
		pdf := filepath.Join(dir, fmt.Sprintf("%d.pdf", i))
		if keep := os.Getenv("KEEP_PAGES"); keep != "" { // to be looked at
			b, _ := os.ReadFile(pdf)
			os.WriteFile(filepath.Join(keep, fmt.Sprintf("%s-%d.pdf", t.Name(), i)), b, 0o600)
		}
		trace, err := exec.Command(mutool, "trace", pdf).Output()
		if err != nil {
			t.Fatalf("mutool: document %d: %v", i, err)
		}
		all = append(all, pagesOf(string(trace)))
	}
	return all
}

func pagesOf(trace string) (pages []sheet) {
	const pt = 25.4 / 72
	var height float64
	var trm []float64
	for l := range strings.SplitSeq(trace, "\n") {
		if m := tracePage.FindStringSubmatch(l); m != nil {
			pages = append(pages, sheet{})
			height = numbers(m[1])[3]
		}
		if m := traceImage.FindStringSubmatch(l); m != nil {
			f := numbers(m[1])
			p := &pages[len(pages)-1]
			p.images = append(p.images, rectangle{f[4] * pt, f[5] * pt, f[0] * pt, f[3] * pt})
		}
		if m := traceSpan.FindStringSubmatch(l); m != nil {
			trm = numbers(m[1])
		}
		if m := traceGlyph.FindStringSubmatch(l); m != nil {
			x, _ := strconv.ParseFloat(m[2], 64)
			y, _ := strconv.ParseFloat(m[3], 64)
			p := &pages[len(pages)-1]
			p.chars = append(p.chars, char{m[1], x * pt, (height - y) * pt, trm[0] * pt})
		}
	}
	return pages
}

func numbers(s string) (list []float64) {
	for _, f := range strings.Fields(s) {
		v, _ := strconv.ParseFloat(f, 64)
		list = append(list, v)
	}
	return list
}

var seal45 = Picture{RelID: "rIdSeal", ESID: "41010000000001", Name: "示例省高级人民法院", Width: 45, Height: 45}

// spliced applies splices and checks that they can be taken out again, and that the result is well-formed.
func spliced(t testing.TB, d *Document, list []Splice) string {
	t.Helper()
	out := Apply(d.part, list)
	if back := without(out, list); !bytes.Equal(back, d.part) {
		t.Fatalf("without the splices it is\n%s\nnot\n%s", back, d.part)
	}
	if _, err := xmldoc.Parse(out, xmldoc.Limits{}); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// without takes splices out again.
func without(b []byte, list []Splice) []byte {
	var out []byte
	at, taken := 0, 0
	for _, s := range list {
		out = append(out, b[at:s.At+taken]...)
		at = s.At + taken + len(s.Text)
		taken += len(s.Text)
	}
	return append(out, b[at:]...)
}
