package pdftext

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftest"
)

// shared lists files of ../shared, looked for from here upwards; none where there is no such directory.
func shared(pattern string) []string {
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if found, _ := filepath.Glob(filepath.Join(dir, "shared", pattern)); len(found) > 0 {
			return found
		}
	}
	return nil
}

func typed(t *testing.T, err error) {
	t.Helper()
	for _, e := range []error{nil, pdf.ErrNotPDF, pdf.ErrDamaged, pdf.ErrPassword, pdf.ErrEncrypted, pdf.ErrSyntax, pdf.ErrLimit,
		pdf.ErrFilter, pdf.ErrNoPage} {
		if errors.Is(err, e) {
			return
		}
	}
	t.Errorf("not a typed error: %v", err)
}

// check reads the text of a page and looks at what must hold whatever it says.
func check(t *testing.T, text *Text) {
	t.Helper()
	if text.Err != nil {
		typed(t, text.Err)
	}
	next := 0
	for i := range text.lines {
		l := &text.lines[i]
		if l.first != next || l.end <= l.first {
			t.Fatalf("line %d is %d to %d after %d", i, l.first, l.end, next)
		}
		next = l.end
		text.prepare(l)
		if len(l.from) != len(l.text) {
			t.Fatalf("line %d: %d bytes, %d glyphs", i, len(l.text), len(l.from))
		}
		// As the page shows it: l.text, whose accents may have lost the space that bore them, is no text to look for.
		shown := ""
		for _, g := range text.Glyphs[l.first:l.end] {
			shown += g.Text
		}
		if n := len(text.Find(shown)); n == 0 && l.text != "" && i < 20 {
			t.Errorf("line %q is not found", shown)
		}
	}
	if next != len(text.Glyphs) {
		t.Errorf("lines have %d of %d glyphs", next, len(text.Glyphs))
	}
	for _, g := range text.Glyphs {
		if !g.Box.finite() || g.Box[0] > g.Box[2] || g.Box[1] > g.Box[3] || g.Text == "" {
			t.Errorf("glyph %q at %v", g.Text, g.Box)
		}
	}
	for _, m := range text.Dates() {
		if m.First > m.Last || m.Text == "" {
			t.Errorf("a date from %d to %d, %q", m.First, m.Last, m.Text)
		}
	}
}

// FuzzContent runs any content with fonts of several kinds.
func FuzzContent(f *testing.F) {
	f.Add([]byte("BT /F1 12 Tf 72 720 Td (Judgment) Tj T* [(a) -250 (b)] TJ (c) ' 1 2 (d) \" ET"))
	f.Add([]byte("q 1 0 0 1 5 5 cm BT /F2 9 Tf 1 0 0 1 9 9 Tm <4e004e8c> Tj ET Q /X Do BI /W 2 /H 2 /BPC 8 /CS /G ID abcd EI /F3 1 Tf BT <b6fee1fb> Tj"))
	f.Add([]byte("/Span << /ActualText (x) >> BDC BT /F4 20 Tf 90 Tz 3 Ts 2 Tc 1 Tw 9 TL (\\101) Tj ET EMC /F5 8 Tf BT [<0001> 3 <0002>] TJ ET"))
	for _, name := range shared("vectors/pdf/*.pdf") {
		for _, b := range streams(name) {
			if len(b) < 8<<10 {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		text, err := read(t, page{content: string(content), fonts: sampleFonts}.file())
		if err != nil {
			typed(t, err)
			return
		}
		check(t, text)
	})
}

// streams gives the decoded streams of a file, some of them content.
func streams(name string) (list [][]byte) {
	b, err := os.ReadFile(name)
	if err != nil || len(b) > 256<<10 {
		return nil
	}
	for i := 0; ; {
		k := bytes.Index(b[i:], []byte("stream\n"))
		if k < 0 || len(list) > 20 {
			return list
		}
		i += k + 7
		z, err := zlib.NewReader(bytes.NewReader(b[i:]))
		if err != nil {
			continue
		}
		if out, err := io.ReadAll(io.LimitReader(z, 64<<10)); err == nil && bytes.Contains(out, []byte("Tf")) {
			list = append(list, out)
		}
	}
}

// FuzzCMap reads any CMap and asks it.
func FuzzCMap(f *testing.F) {
	f.Add([]byte("/GBK-EUC-H usecmap 1 begincodespacerange <00> <80> <8140> <fefe> endcodespacerange 2 beginbfchar <41> <0042> <01> /A endbfchar"), []byte("Aab"))
	f.Add([]byte("/WMode 1 def 1 begincidrange <8140> <817e> 700 endcidrange 1 begincidchar <20> 1 endcidchar"), []byte("\x81\x41 "))
	f.Add([]byte("2 beginbfrange <0000> <ffffffff> <d83ddE00> <0001> <0003> [<0041> <0042>] endbfrange"), []byte("\x00\x02"))
	f.Fuzz(func(t *testing.T, b, s []byte) {
		c, err := parseCMap(b, namedCMap)
		if err != nil {
			typed(t, err)
			return
		}
		for len(s) > 0 {
			code, n := c.next(s)
			if n < 1 || n > len(s) {
				t.Fatalf("a code of %d bytes in %d", n, len(s))
			}
			c.cid(code, n)
			c.text(code, n)
			s = s[n:]
		}
	})
}

// FuzzProgram reads any embedded font.
func FuzzProgram(f *testing.F) {
	f.Add([]byte("%!PS-AdobeFont-1.0: X\n/Encoding 256 array dup 65 /A put dup 66 /uni4E00 put readonly def eexec"))
	f.Add(sampleTrueType())
	seeds := 0
	for _, name := range shared("vectors/pdf/*.pdf") {
		for _, b := range fontFiles(name) {
			if len(b) < 16<<10 && seeds < 8 { // every worker makes them
				f.Add(b)
				seeds++
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parseProgram(b)
		if err != nil {
			typed(t, err)
			return
		}
		for cid := range uint32(300) {
			p.text(cid)
		}
	})
}

// fontFiles gives the embedded fonts of a file.
func fontFiles(name string) (list [][]byte) {
	b, err := os.ReadFile(name)
	if err != nil || len(b) > 100<<10 {
		return nil
	}
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		return nil
	}
	for n := range f.MaxObject() {
		x, ok := f.Lookup(n)
		if !ok {
			continue
		}
		o, err := f.Load(pdf.Ref{Num: n, Gen: x.Gen})
		if err != nil {
			continue
		}
		for _, k := range []pdf.Name{"FontFile", "FontFile2", "FontFile3"} {
			v, _ := f.Resolve(o.Dict().Get(k))
			if s, ok := v.(*pdf.Stream); ok {
				if data, err := f.Data(s); err == nil {
					list = append(list, data)
				}
			}
		}
	}
	return list
}

func read(t testing.TB, b []byte) (*Text, error) {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return New(f).Page(context.Background(), 1)
}

// A page is a file of one page.
type page struct {
	content string
	extra   string   // entries of the page
	fonts   []string // the bodies of the objects F1, F2, …
	forms   []string // the same of the streams X1, X2, …, dictionary entries and content parted by a line
	objects []string // others, from 100 on
}

func (p page) file() []byte {
	objects := pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>", 2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", 4: pdftest.Stream("", p.content)}
	res := "/Font <<"
	for i, f := range p.fonts {
		res += fmt.Sprintf(" /F%d %d 0 R", i+1, 10+i)
		objects[10+i] = f
	}
	res += " >> /XObject <<"
	for i, f := range p.forms {
		res += fmt.Sprintf(" /X%d %d 0 R", i+1, 50+i)
		entries, data, _ := strings.Cut(f, "\n")
		objects[50+i] = pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 600 900] "+entries, data)
	}
	for i, o := range p.objects {
		objects[100+i] = o
	}
	objects[3] = fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << %s >> >> %s >>", res, p.extra)
	return pdftest.File(pdftest.Table, objects)
}

// cid is a composite font that is not embedded.
func cid(encoding, ordering, more string) string {
	return "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding " + encoding + " /DescendantFonts [<< /Type /Font " +
		"/Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (" + ordering + ") /Supplement 4 >> " + more +
		" >>] >>"
}

var sampleFonts = []string{
	"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
	cid("/UniGB-UCS2-H", "GB1", "/DW 1000 /W [1 95 500]"),
	cid("/GBK-EUC-H", "GB1", "/DW 1000 /W [814 939 500 7716 [500]]"),
	"<< /Type /Font /Subtype /TrueType /BaseFont /X /FirstChar 65 /LastChar 66 /Widths [500 600] /Encoding << /Differences [65 /Aacute /uni4E00] >> >>",
	cid("/Identity-V", "GB1", ""),
}

// sampleTrueType has a cmap of format 4 that gives U+4E00 glyph 1 and "A" glyph 2, and nothing else.
func sampleTrueType() []byte {
	sub := []byte{0, 4, 0, 40, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 'A', 0x4e, 0, 0xff, 0xff, 0, 0, 0, 'A', 0x4e, 0, 0xff, 0xff, 0xff, 0xc1, 0xb2, 1, 0, 1,
		0, 0, 0, 0, 0, 0}
	cmap := append([]byte{0, 0, 0, 1, 0, 3, 0, 1, 0, 0, 0, 12}, sub...)
	b := append([]byte{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}, "cmap\x00\x00\x00\x00\x00\x00\x00\x1c\x00\x00\x00"...)
	return append(append(b, byte(len(cmap))), cmap...)
}
