package pdfx_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/unicode/norm"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
)

var encodings = map[string]encoding.Encoding{"GBK": simplifiedchinese.GBK, "GB18030": simplifiedchinese.GB18030,
	"Big5": traditionalchinese.Big5, "SJIS": japanese.ShiftJIS, "EUCJP": japanese.EUCJP, "EUCKR": korean.EUCKR}

// hexOf writes a text as a hexadecimal string in a character set, UTF-16BE or UTF-8.
func hexOf(form, s string) string {
	if e := encodings[form]; e != nil {
		b, err := e.NewEncoder().Bytes([]byte(s))
		if err != nil {
			panic(err)
		}
		return fmt.Sprintf("<%x>", b)
	}
	switch form {
	case "UTF16":
		out := "<"
		for _, u := range utf16.Encode([]rune(s)) {
			out += fmt.Sprintf("%04x", u)
		}
		return out + ">"
	}
	return fmt.Sprintf("<%x>", s)
}

// notEmbedded is a composite font of the collection Adobe-GB1 that the file does not carry, as Chinese office programs write it.
func notEmbedded(encoding, more string) string { return of("GB1", encoding, more) }

// of is the same of any collection.
func of(ordering, encoding, more string) string {
	return "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /" + encoding + " /DescendantFonts [<< /Type /Font " +
		"/Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (" + ordering + ") /Supplement 4 >> " +
		"/DW 1000 " + more + " /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /Ascent 880 /Descent -120 " +
		"/CapHeight 700 /ItalicAngle 0 /StemV 80 /FontBBox [-25 -254 1000 880] >> >>] >>"
}

func stream(entries, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", entries, len(data), data)
}

// toUnicode maps the codes 1, 2, 3, … to the characters of a text.
func toUnicode(s string) string {
	out := "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def 1 begincodespacerange <0000> <ffff> endcodespacerange\n"
	for i, r := range []rune(s) {
		out += fmt.Sprintf("1 beginbfchar <%04x> %s endbfchar\n", i+1, hexOf("UTF16", string(r)))
	}
	return out + "endcmap CMapName currentdict /CMap defineresource pop end end"
}

const (
	court = "示例市中级人民法院"
	date  = "二〇二六年十一月二十四日"
)

// A made file has one page with this content and the font F1.
type made struct {
	name    string
	page    string // entries of the page beside /Contents and /Resources; empty: A4
	content string
	font    string
	more    []string                               // objects from 6 on
	want    []string                               // phrases, each once on the page
	judge   func(t *testing.T, path string) []word // nil: words on the first page
}

func (m made) file() []byte {
	if m.page == "" {
		m.page = a4
	}
	if m.font == "" {
		m.font = notEmbedded("GBK-EUC-H", "/W [814 939 500]")
	}
	xobjects := "" // those objects that are forms
	for i, o := range m.more {
		if strings.Contains(o, "/Form") {
			xobjects += fmt.Sprintf(" /X%d %d 0 R", 6+i, 6+i)
		}
	}
	page := m.page + " /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> /XObject <<" + xobjects + " >> >>"
	return onePage(pdftest.Table, page, append([]string{stream("", m.content), m.font}, m.more...)...)
}

// pieces draws each character by itself, in any order.
func pieces(x, y, step float64, s string) string {
	out, list := "", []rune(s)
	for i := range list {
		k := (i * 5) % len(list)
		out += fmt.Sprintf("BT /F1 14 Tf 1 0 0 1 %g %g Tm %s Tj ET\n", x+step*float64(k), y, hexOf("GBK", string(list[k])))
	}
	return out
}

var madeFiles = []made{
	{name: "GBK-EUC-H", content: "BT /F1 16 Tf 100 700 Td " + hexOf("GBK", court+" ABC 民初 123号") + " Tj 0 -30 Td " + hexOf("GBK", date) + " Tj ET",
		want: []string{court, "ABC", "123号", date}},
	{name: "GBK-EUC-H as text", content: "BT /F1 12 Tf 100 700 Td (\xca\xbe\xc0\xfd\\(\xd2\xbb\\)) Tj ET", want: []string{"示例(一)"}},
	{name: "GBK-EUC-H without widths", font: notEmbedded("GBK-EUC-H", ""), content: "BT /F1 12 Tf 100 700 Td " + hexOf("GBK", "A1 "+court) + " Tj ET",
		want: []string{"A1", court}},
	{name: "GBKp-EUC-H", font: notEmbedded("GBKp-EUC-H", "/W [1 [300 310 320] 17 26 480]"),
		content: "BT /F1 12 Tf 100 700 Td " + hexOf("GBK", "“ !2026 ”"+court) + " Tj ET", want: []string{"!2026", "”" + court}},
	{name: "GBpc-EUC-H", font: notEmbedded("GBpc-EUC-H", "/W [1 95 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("GBK", "x "+court) + " Tj ET",
		want: []string{court}},
	{name: "GBK2K-H with four bytes", font: notEmbedded("GBK2K-H", "/W [1 95 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("GB18030", "㐀 a "+court) + " Tj ET",
		want: []string{court}},
	{name: "ETen-B5-H", font: of("CNS1", "ETen-B5-H", "/W [13648 13742 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("Big5", "A1 臺灣高等法院") + " Tj ET",
		want: []string{"A1", "臺灣高等法院"}},
	{name: "UniCNS-UCS2-H", font: of("CNS1", "UniCNS-UCS2-H", ""), content: "BT /F1 12 Tf 100 700 Td " + hexOf("UTF16", "臺灣高等法院") + " Tj ET", want: []string{"臺灣高等法院"}},
	{name: "90ms-RKSJ-H", font: of("Japan1", "90ms-RKSJ-H", "/W [231 632 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("SJIS", "A1 東京地方裁判所") + " Tj ET",
		want: []string{"A1", "東京地方裁判所"}},
	{name: "EUC-H", font: of("Japan1", "EUC-H", "/W [231 632 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("EUCJP", "東京地方裁判所") + " Tj ET", want: []string{"東京地方裁判所"}},
	{name: "H", font: of("Japan1", "H", ""), content: "BT /F1 12 Tf 100 700 Td <456c357e> Tj ET", want: []string{"東京"}},
	{name: "UniJIS-UTF16-H", font: of("Japan1", "UniJIS-UTF16-H", ""), content: "BT /F1 12 Tf 100 700 Td " + hexOf("UTF16", "東京地方裁判所") + " Tj ET", want: []string{"東京地方裁判所"}},
	{name: "KSCms-UHC-H", font: of("Korea1", "KSCms-UHC-H", "/W [1 95 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("EUCKR", "A1 서울법원") + " Tj ET",
		want: []string{"A1", "서울법원"}},
	{name: "standard font", font: "<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>",
		content: "BT /F1 12 Tf 100 700 Td (Judgment\2267\205 of \311v\352que) Tj ET", want: []string{"Judgment–7…", "of", "Évêque"}},
	{name: "standard font with differences", font: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier-Bold /Encoding << /Differences [65 /Eacute /fi /Agrave] >> >>",
		content: "BT /F1 12 Tf 100 700 Td (court ABC) Tj ET", want: []string{"court", "ÉfiÀ"}},
	{name: "Type 3", font: "<< /Type /Font /Subtype /Type3 /FontBBox [0 -200 1000 800] /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << /a 6 0 R >> " +
		"/Encoding << /Differences [1 /a /a] >> /FirstChar 1 /LastChar 2 /Widths [1000 700] /ToUnicode 7 0 R /Resources << >> >>",
		content: "BT /F1 14 Tf 100 700 Td <010201> Tj ET", want: []string{"示例示"}, judge: ink,
		more: []string{stream("", "1000 0 0 0 900 800 d1 0 0 900 800 re f"), stream("", toUnicode("示例"))}},
	{name: "Type 3, upside down", font: "<< /Type /Font /Subtype /Type3 /FontBBox [0 -800 1000 200] /FontMatrix [0.001 0 0 -0.001 0 0] /CharProcs << /a 6 0 R >> " +
		"/Encoding << /Differences [1 /a /a] >> /FirstChar 1 /LastChar 2 /Widths [1000 700] /ToUnicode 7 0 R /Resources << >> >>",
		content: "1 0 0 -1 0 842 cm BT /F1 14 Tf 100 140 Td <010201> Tj ET", want: []string{"示例示"}, judge: ink,
		more: []string{stream("", "1000 0 0 -800 900 0 d1 0 -800 900 800 re f"), stream("", toUnicode("示例"))}},
	{name: "GBK2K-H", font: notEmbedded("GBK2K-H", "/W [1 95 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("GBK", "x 镕 "+court) + " Tj ET",
		want: []string{"镕", court}},
	{name: "UniGB-UCS2-H", font: notEmbedded("UniGB-UCS2-H", "/W [1 95 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("UTF16", "第12号 "+court) + " Tj ET",
		want: []string{"第12号", court}},
	{name: "UniGB-UTF16-H", font: notEmbedded("UniGB-UTF16-H", "/W [1 95 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("UTF16", "𠀀 第12号 "+court) + " Tj ET",
		want: []string{"第12号", court}},
	{name: "UniGB-UTF8-H", font: notEmbedded("UniGB-UTF8-H", "/W [1 95 500]"), content: "BT /F1 12 Tf 100 700 Td " + hexOf("UTF8", "第12号 "+court) + " Tj ET",
		want: []string{"第12号", court}},
	{name: "widths of single characters", font: notEmbedded("UniGB-UCS2-H", "/W [96 300 700 1 95 500 4559 [600]]"),
		content: "BT /F1 12 Tf 100 700 Td " + hexOf("UTF16", "“中、” "+court+"， "+date) + " Tj ET", want: []string{"“中、”", court + "，", date}},
	{name: "Identity-H with ToUnicode", content: "BT /F1 12 Tf 100 700 Td <000100020003000400050006000700080009> Tj ET",
		font: strings.Replace(notEmbedded("Identity-H", "/W [1 9 900]"), "/Type0", "/Type0 /ToUnicode 6 0 R", 1),
		more: []string{stream("", toUnicode(court))}, want: []string{court}},
	{name: "Identity-H by the collection", font: notEmbedded("Identity-H", ""), content: "BT /F1 12 Tf 100 700 Td <03ac03ad03ae> Tj ET", want: []string{"啊阿埃"}},
	{name: "an encoding of the file", font: strings.Replace(notEmbedded("X", "/W [1 95 500]"), "/X ", "6 0 R ", 1),
		content: "BT /F1 12 Tf 100 700 Td <4120b0a1b0a2> Tj ET", more: []string{stream("/Type /CMap /CMapName /X /UseCMap /GBK-EUC-H",
			"/GBK-EUC-H usecmap begincmap 2 begincodespacerange <00> <80> <8140> <fefe> endcodespacerange 1 begincidrange <41> <5a> 34 endcidrange endcmap")},
		want: []string{"啊阿"}},
	{name: "kerned", content: "BT /F1 16 Tf 3 Tc 100 700 Td [" + hexOf("GBK", "示例") + " -500 " + hexOf("GBK", "市中级") + " 120 " + hexOf("GBK", "人民法院") + "] TJ ET",
		want: []string{court}},
	{name: "pieces", content: pieces(100, 700, 14, court) + pieces(300, 650, 17.5, date), want: []string{court, date}},
	{name: "word and character space, scale, rise", content: "BT /F1 14 Tf 80 Tz 2 Tc 5 Tw 4 Ts 100 700 Td " + hexOf("GBK", "第 1 号 "+court) + " Tj ET",
		want: []string{"第1号", court}},
	{name: "next line", content: "BT /F1 14 Tf 20 TL 100 700 Td " + hexOf("GBK", "第一行") + " Tj " + hexOf("GBK", court) + " ' 1 2 " + hexOf("GBK", date) + ` " T* ` + hexOf("GBK", "末行") + " Tj ET",
		want: []string{court, date, "末行"}},
	{name: "bold by drawing twice", content: "BT /F1 14 Tf 100 700 Td " + hexOf("GBK", court) + " Tj 0.4 0 Td " + hexOf("GBK", court) + " Tj ET", want: []string{court}},
	{name: "invisible", content: "BT /F1 14 Tf 3 Tr 100 700 Td " + hexOf("GBK", court) + " Tj ET", want: []string{court}},
	{name: "turned text", content: "BT /F1 14 Tf 0 1 -1 0 300 200 Tm " + hexOf("GBK", court) + " Tj -1 0 0 -1 500 800 Tm " + hexOf("GBK", date) + " Tj ET",
		want: []string{court, date}},
	{name: "a form", content: "q 0.5 0 0 0.5 50 50 cm /X6 Do Q", want: []string{court},
		more: []string{stream("/Type /XObject /Subtype /Form /BBox [0 0 600 900] /Matrix [1 0 0 1 100 200] /Resources << /Font << /F1 5 0 R >> >>",
			"BT /F1 24 Tf 100 700 Td "+hexOf("GBK", court)+" Tj ET")}},
	{name: "a form in a form without resources", content: "1 0 0 1 20 30 cm /X6 Do", want: []string{court}, more: []string{
		stream("/Type /XObject /Subtype /Form /BBox [0 0 600 900] /Matrix [2 0 0 2 0 0] /Resources << /XObject << /X7 7 0 R >> /Font << /F1 5 0 R >> >>", "/X7 Do"),
		stream("/Type /XObject /Subtype /Form /BBox [0 0 600 900]", "BT /F1 9 Tf 50 300 Td "+hexOf("GBK", court)+" Tj ET")}},
	{name: "an inline image before", content: "q 10 0 0 10 0 0 cm BI /W 4 /H 2 /BPC 8 /CS /G ID EI(Q EI EI Q BT /F1 14 Tf 100 700 Td " + hexOf("GBK", court) + " Tj ET",
		want: []string{court}},
	{name: "vertical", font: notEmbedded("GBK-EUC-V", "/W [814 939 500]"), content: "BT /F1 14 Tf 300 700 Td " + hexOf("GBK", date) + " Tj ET",
		want: []string{date}, judge: ink},
	{name: "vertical with DW2", font: notEmbedded("UniGB-UCS2-V", "/DW2 [900 -1200]"), content: "BT /F1 14 Tf 300 700 Td " + hexOf("UTF16", court) + " Tj ET",
		want: []string{court}, judge: ink},
	{name: "vertical with spaces and numbers", font: notEmbedded("UniGB-UTF16-V", "/W2 [4559 4560 -800 500 900]"),
		content: "BT /F1 14 Tf 3 Tc 300 700 Td [" + hexOf("UTF16", "示例市") + " 600 " + hexOf("UTF16", "中级人民法院") + "] TJ ET", want: []string{court}, judge: ink},
	{name: "rotated 90", page: a4 + " /Rotate 90", content: "BT /F1 14 Tf 0 1 -1 0 300 200 Tm " + hexOf("GBK", court) + " Tj ET", want: []string{court}},
	{name: "rotated 180", page: a4 + " /Rotate 180", content: "BT /F1 14 Tf 100 200 Td " + hexOf("GBK", court) + " Tj ET", want: []string{court}},
	{name: "rotated 270", page: a4 + " /Rotate 270", content: "BT /F1 14 Tf 0 -1 1 0 300 600 Tm " + hexOf("GBK", court) + " Tj ET", want: []string{court}},
	{name: "cropped", page: a4 + " /CropBox [50 60 500 800]", content: "BT /F1 14 Tf 100 700 Td " + hexOf("GBK", court) + " Tj ET", want: []string{court}},
	{name: "cropped and rotated", page: "/MediaBox [-100 -50 500 800] /CropBox [50 60 480 790] /Rotate 270",
		content: "BT /F1 14 Tf 0 -1 1 0 300 600 Tm " + hexOf("GBK", court) + " Tj ET", want: []string{court}},
	{name: "a larger unit", page: "/MediaBox [0 0 300 400] /UserUnit 2", content: "BT /F1 8 Tf 20 300 Td " + hexOf("GBK", court) + " Tj ET", want: []string{court}},
	{name: "form field", page: a4 + " /Annots [6 0 R]", content: "", more: []string{
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /F 4 /Rect [100 600 300 640] /AP << /N 7 0 R >> >>",
		stream("/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F1 5 0 R >> >>", "BT /F1 10 Tf 5 5 Td "+hexOf("GBK", court)+" Tj ET")},
		want: []string{court}},
}

// together finds the run of poppler's words that a phrase is made of and gives the box around it.
func together(list []word, phrase string) (word, bool) {
	phrase = norm.NFKC.String(phrase)
	for i := range list {
		w := list[i]
		w.text = norm.NFKC.String(w.text)
		for k := i + 1; len(w.text) < len(phrase) && k < len(list); k++ {
			n := list[k]
			w = word{w.text + norm.NFKC.String(n.text), min(w.left, n.left), min(w.top, n.top), max(w.right, n.right), max(w.bottom, n.bottom)}
		}
		if w.text == phrase {
			return w, true
		}
	}
	return word{}, false
}

// ink looks at the first page as poppler draws it and gives the box of what is dark, as a word without a text.
func ink(t *testing.T, path string) []word {
	const dpi = 144
	out, _ := run(t, "pdftoppm", "-r", fmt.Sprint(dpi), "-gray", "-cropbox", "-f", "1", "-l", "1", path)
	var w, h, top int
	if _, err := fmt.Sscanf(out, "P5\n%d %d\n%d", &w, &h, &top); err != nil || len(out) < w*h {
		t.Fatalf("pdftoppm: %v", err)
	}
	pixels := out[len(out)-w*h:]
	box := word{left: 1e6, top: 1e6}
	for i := range len(pixels) {
		if pixels[i] < 128 {
			x, y := float64(i%w)*25.4/dpi, float64(i/w)*25.4/dpi
			box = word{"", min(box.left, x), min(box.top, y), max(box.right, x), max(box.bottom, y)}
		}
	}
	return []word{box}
}

// Files made here, each with one thing that readers have to know: what poppler finds, we find there. Of vertical text
// and Type 3 fonts, which poppler lists elsewhere than it draws them, the drawing is what counts.
func TestTextMade(t *testing.T) {
	for _, m := range madeFiles {
		t.Run(m.name, func(t *testing.T) {
			in := m.file()
			path := write(t, "in.pdf", in)
			judge := m.judge
			if judge == nil {
				judge = func(t *testing.T, path string) []word { return words(t, path)[0] }
			}
			list := judge(t, path)
			for _, phrase := range m.want {
				found, err := pdfx.FindText(context.Background(), bytes.NewReader(in), int64(len(in)), phrase, pdfx.Options{})
				if err != nil || len(found) != 1 {
					t.Errorf("%s: %v, %v", phrase, found, err)
					continue
				}
				f := found[0]
				if len(list) == 1 && list[0].text == "" { // strokes leave some of their room free
					w := list[0]
					const pixel = 0.2
					slack := 0.3 * min(f.Width, f.Height)
					if w.left < f.X-pixel || w.top < f.Y-pixel || w.right > f.X+f.Width+pixel || w.bottom > f.Y+f.Height+pixel ||
						w.left > f.X+slack || w.top > f.Y+slack || w.right < f.X+f.Width-slack || w.bottom < f.Y+f.Height-slack {
						t.Errorf("%s at %.2f %.2f, %.2f x %.2f; drawn%v", phrase, f.X, f.Y, f.Width, f.Height, w)
					}
					continue
				}
				w, ok := together(list, phrase)
				if strings.Contains(m.page, "/UserUnit 2") { // which poppler does not know
					w = word{w.text, 2 * w.left, 2 * w.top, 2 * w.right, 2 * w.bottom}
				}
				if !ok || !w.near(f.X, f.Y, f.X+f.Width, f.Y+f.Height) {
					t.Errorf("%s at %.2f %.2f, %.2f x %.2f; %v", phrase, f.X, f.Y, f.Width, f.Height, list)
				}
			}
		})
	}
}
