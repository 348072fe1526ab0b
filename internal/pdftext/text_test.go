package pdftext

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"

	"github.com/courtseal/courtseal/internal/pdf"
)

// A dateCase is a line and what of it is a date; empty: nothing.
var dateCases = []struct{ line, date string }{
	{"二〇二六年十一月二十四日", "二〇二六年十一月二十四日"},
	{"二○二六年十一月二十日", "二○二六年十一月二十日"},
	{"二零二六年一月十日", "二零二六年一月十日"},
	{"二O二六年元月三十一日", "二O二六年元月三十一日"},
	{"二Ｏ二六年十二月廿四日", "二Ｏ二六年十二月廿四日"},
	{"二 〇 二 六 年 十 月 一 日", "二〇二六年十月一日"},
	{"2026年11月24日", "2026年11月24日"},
	{"２０２６　年　１１　月　２４　日", "２０２６年１１月２４日"},
	{"2026年1月5日（院印）", "2026年1月5日"},
	{"（院印） 二〇二六年一月五日", "二〇二六年一月五日"},
	{"【盖章】2026年1月5日", "2026年1月5日"},
	{"（立案）2026年1月5日", ""},
	{"院印2026年1月5日", ""},
	{"2026-11-24", "2026-11-24"},
	{"2026/1/2", "2026/1/2"},
	{"2026.11.24", "2026.11.24"},
	{"2024年2月29日", "2024年2月29日"},
	{"本院于2026年11月24日立案", ""},
	{"2026年11月24日立案", ""},
	{"于二〇二六年十一月二十四日", ""},
	{"2026年2月29日", ""},
	{"2026年13月1日", ""},
	{"2026年11月32日", ""},
	{"二〇二六年十一月", ""},
	{"二〇二六年十三月一日", ""},
	{"年　月　日", ""},
	{"2026-11/24", ""},
	{"2026年11月24", ""},
	{"026年11月24日", ""},
	{"20261124", ""},
	{"2026年二十十月三日", ""},
	{"(2026)示9901民初123号", ""},
}

func TestDates(t *testing.T) {
	for _, c := range dateCases {
		text, err := read(t, page{content: "BT /F1 12 Tf 100 700 Td " + utf16Hex(c.line) + " Tj ET", fonts: []string{cid("/UniGB-UTF16-H", "GB1", "/W [1 95 500]")}}.file())
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, m := range text.Dates() {
			got += m.Text
		}
		if got != c.date {
			t.Errorf("%q: %q, want %q", c.line, got, c.date)
		}
	}
}

func utf16Hex(s string) string {
	out := "<"
	for _, r := range s {
		out += fmt.Sprintf("%04x", r)
	}
	return out + ">"
}

// put draws lines of text at their places.
func put(lines ...any) string {
	out := "BT /F1 12 Tf "
	for ; len(lines) >= 3; lines = lines[3:] {
		out += fmt.Sprintf("1 0 0 1 %v %v Tm %s Tj ", lines[0], lines[1], utf16Hex(lines[2].(string)))
	}
	return out + "ET"
}

// Which dates count, and in which order, where a page has several.
func TestDatesOfAPage(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"the last is the lowest":     {put(300, 100, "2026年11月24日", 300, 200, "2026年10月1日"), []string{"2026年10月1日", "2026年11月24日"}},
		"side by side":               {put(330, 100, "2026年11月25日", 60, 100, "2026年11月24日"), []string{"2026年11月24日", "2026年11月25日"}},
		"far from other text":        {put(60, 100, "书记员", 300, 100, "2026年11月24日"), []string{"2026年11月24日"}},
		"near other text":            {put(60, 100, "书记员", 110, 100, "2026年11月24日"), nil},
		"figures where words are":    {put(300, 100, "2026年11月24日", 300, 50, "2026-11-25"), []string{"2026年11月24日"}},
		"figures where no words are": {put(300, 100, "签收", 300, 50, "2026-11-25"), []string{"2026-11-25"}},
		"figures below ideographs":   {put(300, 100, "二〇二六年十一月二十四日", 60, 50, "2026年3月1日"), []string{"二〇二六年十一月二十四日"}},
		"none":                       {put(300, 100, "判决书"), nil},
	} {
		text, err := read(t, page{content: c.content, fonts: []string{cid("/UniGB-UTF16-H", "GB1", "/W [1 95 500]")}}.file())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range text.Dates() {
			got = append(got, m.Text)
		}
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A date is found on whatever page it stands, and the work of looking for it grows as the pages do, in a page tree without depth
// too.
func TestDatesOfManyPages(t *testing.T) {
	file := func(pages, date int) *pdf.File {
		first := page{content: put(300, 100, "2026年11月24日"), fonts: []string{cid("/UniGB-UTF16-H", "GB1", "/W [1 95 500]")}}
		kids := ""
		for n := 1; n <= pages; n++ {
			if n == date {
				kids += "3 0 R "
				continue
			}
			kids += fmt.Sprintf("%d 0 R ", 99+n)
		}
		for range pages {
			first.objects = append(first.objects, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>")
		}
		b := bytes.Replace(first.file(), []byte("/Kids [3 0 R] /Count 1 >>\nendobj\n"),
			fmt.Appendf(nil, "/Kids 99 0 R /Count %d >>\nendobj\n99 0 obj\n[%s]\nendobj\n", pages, kids), 1)
		f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{Repair: true})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, n := range []int{1, 2, lookBack, 40 - lookBack - 1, 40 - lookBack, 40 - lookBack + 1, 40} {
		text, found, err := New(file(40, n)).Dates(t.Context())
		if err != nil || len(found) != 1 || text.Number != n || found[0].Page != n {
			t.Errorf("page %d: %v, %v", n, found, err)
		}
	}
	work := func(pages int) float64 {
		f := file(pages, 0)
		return testing.AllocsPerRun(2, func() {
			if _, found, err := New(f).Dates(t.Context()); err != nil || len(found) > 0 {
				t.Error(found, err)
			}
		})
	}
	if a, b := work(500), work(2000); b > 8*a {
		t.Errorf("%.0f allocations for 500 pages, %.0f for 2000", a, b)
	}
}

// cmapFile reads a CMap of the package poppler-data; "" where there is no such package.
func cmapFile(t *testing.T, name string) *cmap {
	t.Helper()
	found, _ := filepath.Glob("/usr/share/poppler/cMap/*/" + name)
	if len(found) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("poppler-data is not installed")
		}
		t.Skip("poppler-data is not installed")
	}
	b, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseCMap(b, func(name string) *cmap { return cmapFile(t, name) })
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

// What we know of the predefined CMaps agrees with the files that Adobe publishes of them: how strings are split, and CIDs.
func TestPredefinedCMaps(t *testing.T) {
	names := []string{"UniGB-UCS2", "UniGB-UTF16", "UniGB-UTF32", "UniGB-UTF8", "UniCNS-UTF16", "UniCNS-UCS2", "UniJIS-UCS2", "UniJIS-UTF16",
		"UniJIS-UCS2-HW", "UniJIS2004-UTF16", "UniKS-UCS2", "UniKS-UTF16"}
	for name := range charsets {
		names = append(names, name)
	}
	for _, name := range names {
		theirs, ours := cmapFile(t, name+"-H"), namedCMap(name+"-H")
		if ours == nil || ours.vertical || !namedCMap(name+"-V").vertical {
			t.Fatalf("%s is not known", name)
		}
		agree, other := 0, 0
		for _, r := range theirs.cids {
			for code := r.lo; code <= r.hi; code++ {
				b := make([]byte, r.n)
				for i := range b {
					b[i] = byte(code >> (8 * (r.n - 1 - i)))
				}
				if got, n := ours.next(append(b, "  "...)); got != code || n != r.n {
					t.Errorf("%s: <%x> is split as <%x>", name, b, got)
					break
				}
				cid, ok := ours.cid(code, r.n)
				if want := r.cid + code - r.lo; ok && cid != want {
					other++
					if !strings.Contains(name, "JIS") && !strings.Contains(name, "RKSJ") { // of ASCII, Japanese fonts have some signs in two forms
						t.Errorf("%s: <%x> is CID %d, not %d", name, b, want, cid)
					}
				} else if ok {
					agree++
				}
			}
		}
		gb := ours.known.gb
		if agree < 90 || gb && agree < 6000 || other > 3 {
			t.Errorf("%s: %d CIDs agree, %d differ", name, agree, other)
		}
	}
}

// CIDs of Adobe-GB1 and characters, both ways.
func TestGBCollection(t *testing.T) {
	for _, s := range []string{"啊", "座", "亍", "齄", "，", "Ａ", "ぁ", "я", "─", "院", "年"} {
		r := []rune(s)[0]
		id, ok := gbCID(r)
		if !ok || gbText(id) != s {
			t.Errorf("%s is CID %d, %q", s, id, gbText(id))
		}
	}
	for id, want := range map[uint32]string{1: " ", 34: "A", 814: "!", 907: "~", 940: "啊", 7716: " ", 0: "", 99999: ""} {
		if got := gbText(id); got != want {
			t.Errorf("CID %d is %q, not %q", id, got, want)
		}
	}
	if _, ok := gbCID('镕'); ok {
		t.Error("a character that GB 2312 does not have")
	}
}

func TestGlyphNames(t *testing.T) {
	for name, want := range map[string]string{"A": "A", "space": " ", "Aacute": "Á", "Ccedilla": "Ç", "scommaaccent": "ş", "uni4E00": "一", "uni4E004E8C": "一二",
		"u1F600": "😀", "f_f_i": "ffi", "A.alt": "A", "quotesingle": "'", "Euro": "€", "Omega": "Ω", ".notdef": "", "g123": "", "uniD800": "", "u110000": "", "cid123": "",
		"": "", "_": "", "hungarumlaut": "˝", "Ohungarumlaut": "Ő", "dotlessi": "ı", "fi": "ﬁ"} {
		if got := nameText(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string][2]string{"StandardEncoding": {"’\x00", "‘¡—ß"}, "WinAnsiEncoding": {"'", "`¡\u0097ß"}} {
		e := baseEncoding(name)
		if e['\''] != want[0][:len(e['\''])] || e[0xe1] == "" || name[0] == 'S' && (e[0xd0] != "—" || e[0xfb] != "ß" || e[0xa1] != "¡") {
			t.Errorf("%s: %q %q %q", name, e['\''], e[0xd0], e[0xfb])
		}
	}
	if len(standardStrings) != 229 || standardStrings[1] != "space" || standardStrings[228] != "zcaron" || standardStrings[39] != "quoteright" && standardStrings[8] != "quoteright" {
		t.Errorf("%d standard strings", len(standardStrings))
	}
}

// The meaning of a glyph from an embedded OpenType font with CIDs, checked with another reader of the same font.
func TestEmbeddedProgram(t *testing.T) {
	b, err := os.ReadFile("../glyph/noto-serif-cjk-sc-bold.otf")
	if err != nil {
		t.Fatal(err)
	}
	p, err := parseProgram(b)
	if err != nil {
		t.Fatal(err)
	}
	font, err := sfnt.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	cidOf := map[uint32]uint32{}
	for c, gid := range p.cids {
		cidOf[gid] = c
	}
	codes, want := "", "示例市中级人民法院AZ二〇"
	for _, r := range want {
		gid, err := font.GlyphIndex(&sfnt.Buffer{}, r)
		if err != nil || gid == 0 {
			t.Fatal(r, err)
		}
		codes += fmt.Sprintf("%04x", cidOf[uint32(gid)])
	}
	f := cid("/Identity-H", "Identity", "/FontDescriptor << /Type /FontDescriptor /Ascent 880 /Descent -120 /FontFile3 100 0 R >>")
	text, err := read(t, page{content: "BT /F1 12 Tf 50 500 Td <" + codes + "> Tj ET", fonts: []string{f}, objects: []string{flate("/Subtype /OpenType", b)}}.file())
	if err != nil || text.Err != nil {
		t.Fatal(err, text.Err)
	}
	if m := text.Find(want); len(m) != 1 {
		t.Errorf("%q is not found, but %q", want, text.match(0, len(text.Glyphs)-1).Text)
	}
}

// The same with TrueType and a CIDToGIDMap; glyph 1 is 一.
func TestEmbeddedTrueType(t *testing.T) {
	f := strings.Replace(cid("/Identity-H", "Identity", "/CIDToGIDMap 101 0 R /FontDescriptor << /Type /FontDescriptor /FontFile2 100 0 R >>"), "CIDFontType0", "CIDFontType2", 1)
	objects := []string{flate("", sampleTrueType()), flate("", []byte{0, 0, 0, 0, 0, 2, 0, 1, 0, 7})}
	text, err := read(t, page{content: "BT /F1 12 Tf 50 500 Td <00020003000400050001> Tj ET", fonts: []string{f}, objects: objects}.file())
	if err != nil || text.Err != nil {
		t.Fatal(err, text.Err)
	}
	if got := text.match(0, len(text.Glyphs)-1).Text; got != "A一\ufffd\ufffd\ufffd" {
		t.Errorf("%q", got)
	}
	if g := text.Glyphs[2]; math.Abs(g.Box[0]-74) > 0.01 || math.Abs(g.Box[2]-86) > 0.01 {
		t.Errorf("an unknown glyph has the room %v", g.Box)
	}
}

func flate(entries string, b []byte) string {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return fmt.Sprintf("<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", entries, out.Len(), out.Bytes())
}

// ActualText stands for its glyphs; text that is drawn twice counts once; what is drawn over a text does not part it.
func TestGlyphs(t *testing.T) {
	for name, c := range map[string]struct{ content, phrase string }{
		"actual text":    {"/Span << /ActualText <feff9662> >> BDC BT /F2 12 Tf 9 9 Td <4e00> Tj ET EMC", "院"},
		"a smaller text": {"BT /F1 20 Tf 9 100 Td (Judgment) Tj /F1 6 Tf 3 0 Td (note over it) Tj ET", "Judgment"},
		"its note":       {"BT /F1 20 Tf 9 100 Td (Judgment) Tj /F1 6 Tf 3 0 Td (note over it) Tj ET", "note over it"},
		"fake bold":      {"BT /F1 20 Tf 9 100 Td (ill) Tj 0.3 0 Td (ill) Tj 0.3 0 Td (ill) Tj ET", "ill"},
		"full width":     {"BT /F2 20 Tf 9 100 Td <ff21ff11> Tj ET", "A1"},
		"accents apart":  {"BT /F2 20 Tf 9 100 Td <00650301> Tj ET", "é"},
		"superscript":    {"BT /F1 20 Tf 9 100 Td (court) Tj /F1 10 Tf 8 Ts (1) Tj /F1 20 Tf 0 Ts (room) Tj ET", "courtroom"},
	} {
		text, err := read(t, page{content: c.content, fonts: sampleFonts}.file())
		if err != nil {
			t.Fatal(err)
		}
		check(t, text)
		if m := text.Find(c.phrase); len(m) != 1 {
			t.Errorf("%s: %v", name, text.Glyphs)
		}
	}
}

// Files that ask for too much end in ErrLimit, and not after long.
func TestHostile(t *testing.T) {
	bomb := []string{}
	for i := range 10 {
		bomb = append(bomb, "/Resources << /XObject << /X 5"+fmt.Sprint(i+1)+" 0 R >> >>\n"+strings.Repeat("/X Do ", 10))
	}
	bomb[9] = "\n" + strings.Repeat("0 0 m ", 100)
	toUnicode := func(body string) page {
		f := strings.Replace(sampleFonts[0], "/Type1", "/Type1 /ToUnicode 100 0 R", 1)
		return page{content: "BT /F1 12 Tf (a) Tj ET", fonts: []string{f}, objects: []string{flate("", []byte(body))}}
	}
	for name, p := range map[string]page{ // a second page of it would be no worse: work is counted for the file too
		"forms in forms":      {content: "/X1 Do", forms: bomb},
		"a form in itself":    {content: "/X1 Do", forms: []string{"/Resources << /XObject << /X1 50 0 R >> >>\n/X1 Do"}},
		"states":              {content: strings.Repeat("q ", 1000)},
		"marked content":      {content: strings.Repeat("/A BMC ", 1000)},
		"glyphs":              {content: "/X1 Do " + strings.Repeat("/X1 Do ", 3000), fonts: sampleFonts, forms: []string{"/Resources << /Font << /F1 10 0 R >> >>\nBT /F1 1 Tf (" + strings.Repeat("a", 2000) + ") Tj ET"}},
		"a long CMap":         toUnicode(strings.Repeat(" ", maxCMap+1)),
		"many ranges":         toUnicode(strings.Repeat("100 beginbfchar "+strings.Repeat("<41> <0041> ", 1000)+"endbfchar ", 300)),
		"a block without end": toUnicode("beginbfrange " + strings.Repeat("<41> ", maxBlock+1)),
		"a long text for a glyph": {content: strings.Repeat("/Span /M BDC BT /F1 1 Tf (a) Tj ET EMC ", 100), fonts: sampleFonts,
			extra: "/Resources << /Font << /F1 10 0 R >> /Properties << /M << /ActualText (" + strings.Repeat("b", 100_000) + ") >> >> >>"},
		"content without bound": {content: "", extra: "/Contents [100 0 R 100 0 R 100 0 R 100 0 R 100 0 R 100 0 R 100 0 R 100 0 R]", objects: []string{flate("", make([]byte, 20<<20))}},
	} {
		b := p.file()
		if strings.HasPrefix(p.extra, "/Contents") {
			b = bytes.Replace(b, []byte("/Contents 4 0 R"), []byte("               "), 1)
		}
		if _, err := read(t, b); !errors.Is(err, pdf.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is large but harmless is read.
func TestLargeRanges(t *testing.T) {
	body := "1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfrange <00000000> <ffffffff> <0000> endbfrange"
	f := strings.Replace(sampleFonts[0], "/Type1", "/Type1 /ToUnicode 100 0 R", 1)
	text, err := read(t, page{content: "BT /F1 12 Tf (abc) Tj ET", fonts: []string{f}, objects: []string{flate("", []byte(body))}}.file())
	if err != nil || len(text.Find("abc")) != 1 {
		t.Error(text, err)
	}
}

func TestCancelled(t *testing.T) {
	b := page{content: strings.Repeat("0 0 m ", 10_000), fonts: sampleFonts}.file()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New(f).Page(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, err := range New(f).Pages(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// A page that is damaged in part is read as far as it goes, and says so.
func TestDamagedPage(t *testing.T) {
	z := flate("", []byte("BT /F1 12 Tf 9 9 Td (before) Tj ET "+strings.Repeat("0 0 m ", 20_000)))
	b := bytes.Replace(page{fonts: sampleFonts, extra: "/Contents 100 0 R", objects: []string{z}}.file(), []byte("/Contents 4 0 R"), []byte("               "), 1)
	i := bytes.Index(b, []byte("/FlateDecode"))
	i += bytes.Index(b[i:], []byte("endstream")) - 20
	b[i] ^= 0xff
	b[i+1] ^= 0xff
	text, err := read(t, b)
	if err != nil || text.Err == nil || len(text.Find("before")) != 1 {
		t.Error(text, err)
	}
}
