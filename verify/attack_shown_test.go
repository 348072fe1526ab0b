package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/sign"
)

// What a reader sees, and what reaches it: pages and their tree, resources, fonts, layers, and the widgets of the seal itself.

// widened gives an object further entries.
func widened(num int, entries string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte { return v.update(pdftest.Objects{num: v.with(t, num, entries)}) }
}

// onSeal redefines the seal's widget.
func onSeal(change func(t testing.TB, v *victim, widget string) string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{v.widget: change(t, v, v.body(t, v.widget)), v.free: judgment()[shadowLookNum]})
	}
}

// rekeyed replaces what follows a key up to the end of its value, an array or a word.
func rekeyed(t testing.TB, body, key, value string) string {
	t.Helper()
	i := strings.Index(body, key)
	if i < 0 {
		t.Fatalf("no %s in %s", key, body)
	}
	j := i + len(key)
	for body[j] == ' ' {
		j++
	}
	end := map[byte]string{'[': "]", '<': ">>"}[body[j]]
	if end == "" {
		end = " "
		if k := strings.IndexAny(body[j+1:], " />"); k >= 0 {
			return body[:i] + value + body[j+1+k:]
		}
	}
	k := strings.Index(body[j:], end)
	return body[:i] + value + body[j+k+len(end):]
}

var shownAttacks = map[level][]attack{approval: {
	{"the page's box", "later-changed", switched(pageNum, "[0 0 595 842]", "[0 0 595 400]")},
	{"the page's crop box", "later-changed", widened(pageNum, "/CropBox [0 400 595 842]")},
	{"the page turned", "later-changed", widened(pageNum, "/Rotate 180")},
	{"the page's units", "later-changed", widened(pageNum, "/UserUnit 2")},
	{"the page acts", "later-changed", widened(pageNum, "/AA << /O << /S /JavaScript /JS (1) >> >>")},
	{"the page's group", "later-changed", widened(pageNum, "/Group << /S /Transparency /CS /DeviceGray >>")},
	{"the page's thumb", "later-changed", widened(pageNum, "/Thumb 9 0 R")},
	{"the page shown for a while", "later-changed", widened(pageNum, "/Dur 1 /Trans << /S /Wipe >>")},
	{"a key of the page twice", "duplicate-key", widened(pageNum, "/Contents 9 0 R")},
	{"the page's parent", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{pageNum: v.edited(t, pageNum, "/Parent 2 0 R", fmt.Sprintf("/Parent %d 0 R", v.free)), v.free: "<< /Type /Pages /Rotate 90 /Kids [3 0 R] /Count 1 >>"})
	}},
	{"the page's own resources", "later-changed", switched(pageNum, "/Resources 10 0 R", "/Resources << >>")},
	{"page 2's resources", "later-changed", switched(page2Num, "/X 12 0 R", "/X 23 0 R")},
	{"page 2's contents", "later-changed", saved(pdftest.Objects{content2Num: red[contentNum]}, nil)},
	{"a key of page 2 twice", "later-changed", widened(page2Num, "/Contents 9 0 R")},
	{"a page more", "later-changed", switched(pagesNum, "8 0 R] /Count 2", "8 0 R 22 0 R] /Count 3")},
	{"a page before", "later-changed", switched(pagesNum, "[3 0 R 8 0 R] /Count 2", "[22 0 R 3 0 R 8 0 R] /Count 3")},
	{"a page less", "later-changed", switched(pagesNum, "[3 0 R 8 0 R] /Count 2", "[3 0 R] /Count 1")},
	{"pages in another order", "later-changed", switched(pagesNum, "[3 0 R 8 0 R]", "[8 0 R 3 0 R]")},
	{"fewer pages counted", "later-changed", switched(pagesNum, "/Count 2", "/Count 1")},
	{"the tree of pages turned", "later-changed", widened(pagesNum, "/Rotate 180")},
	{"the tree of pages with contents", "later-changed", widened(pagesNum, "/Resources << /XObject << /X 23 0 R >> >>")},
	{"a node between", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{pagesNum: v.edited(t, pagesNum, "[3 0 R", fmt.Sprintf("[%d 0 R", v.free)),
			v.free: "<< /Type /Pages /Parent 2 0 R /Kids [3 0 R] /Count 1 /Rotate 180 >>"})
	}},
	{"a form that pages share", "later-changed", saved(pdftest.Objects{xobjectNum: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 200 100]", "0 0 0 rg 0 0 9 9 re f")}, nil)},
	{"a form made a picture", "later-changed", saved(pdftest.Objects{xobjectNum: pdftest.Stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray", "\x00")}, nil)},
	{"a form that is no more", "later-changed", saved(pdftest.Objects{xobjectNum: "null"}, nil)},
	{"a graphics state", "later-changed", switched(stateNum, "/ca 1", "/ca 0")},
	{"the widths of a font", "later-changed", switched(fontNum, "[1000 1000]", "[0 1000]")},
	{"the encoding of a font", "later-changed", switched(fontNum, "[65 /a /b]", "[65 /b /a]")},
	{"the matrix of a font", "later-changed", switched(fontNum, "0.001 0 0 0.001", "0.001 0 0 -.001")},
	{"a layer off", "later-changed", switched(catalogNum, "/ON [15 0 R]", "/OFF [15 0 R]")},
	{"a layer off to begin with", "later-changed", switched(catalogNum, "/ON [15 0 R]", "/BaseState /OFF")},
	{"a layer by use", "later-changed", switched(layerNum, "/Name (Layer)", "/Name (Layer) /Usage << /View << /ViewState /OFF >> >>")},
	{"a layer that is none", "later-changed", saved(pdftest.Objects{layerNum: "<< /Type /OCMD /VE [/Not [/Not 15 0 R]] >>"}, nil)},

	{"the seal's picture moved", "later-changed", onSeal(func(t testing.TB, _ *victim, w string) string {
		return rekeyed(t, w, "/Rect", "/Rect [10 10 137.56 137.56]")
	})},
	{"the seal's picture made large", "later-changed", onSeal(func(t testing.TB, _ *victim, w string) string { return rekeyed(t, w, "/Rect", "/Rect [0 0 500 500]") })},
	{"the seal's picture made nothing", "later-changed", onSeal(func(t testing.TB, _ *victim, w string) string { return rekeyed(t, w, "/Rect", "/Rect [0 0 0 0]") })},
	{"the seal's picture swapped", "later-changed", onSeal(func(t testing.TB, v *victim, w string) string {
		return rekeyed(t, w, "/AP", fmt.Sprintf("/AP << /N %d 0 R >>", v.free))
	})},
	{"the seal's picture gone", "later-changed", onSeal(func(t testing.TB, _ *victim, w string) string { return rekeyed(t, w, "/AP", "") })},
	{"the seal's picture changes when touched", "later-changed", onSeal(func(t testing.TB, v *victim, w string) string {
		return strings.Replace(w, "/AP <<", fmt.Sprintf("/AP << /D %d 0 R /R %d 0 R ", v.free, v.free), 1)
	})},
	{"the seal's picture hidden", "later-changed", onSeal(func(t testing.TB, _ *victim, w string) string { return rekeyed(t, w, "/F ", "/F 2 ") })},
	{"the seal's picture not printed", "later-changed", onSeal(func(t testing.TB, _ *victim, w string) string { return rekeyed(t, w, "/F ", "/F 128 ") })},
	{"the seal's picture in a layer", "later-changed", onSeal(func(_ testing.TB, _ *victim, w string) string { return strings.TrimSuffix(w, ">>") + " /OC 25 0 R >>" })},
	{"the seal's picture with a border", "later-changed", onSeal(func(_ testing.TB, _ *victim, w string) string {
		return strings.TrimSuffix(w, ">>") + " /MK << /BG [1 1 1] >> /BS << /W 50 >> >>"
	})},
	{"the seal's picture on another page", "later-changed", func(t testing.TB, v *victim) []byte {
		kid := fmt.Sprintf(" %d 0 R", v.widget)
		return v.update(pdftest.Objects{v.widget: v.edited(t, v.widget, "/P 3 0 R", "/P 8 0 R"), pageNum: v.edited(t, pageNum, kid, ""),
			page2Num: v.with(t, page2Num, "/Annots ["+kid+"]")})
	}},
	{"the seal's picture on two pages", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{page2Num: v.with(t, page2Num, fmt.Sprintf("/Annots [%d 0 R]", v.widget))})
	}},
	{"the seal's picture not on the page", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{pageNum: v.edited(t, pageNum, fmt.Sprintf(" %d 0 R", v.widget), "")})
	}},
	{"the seal's picture below others", "later-changed", func(t testing.TB, v *victim) []byte {
		kid := fmt.Sprintf(" %d 0 R", v.widget)
		return v.update(pdftest.Objects{pageNum: strings.Replace(v.edited(t, pageNum, kid, ""), "/Annots [", "/Annots ["+kid+" ", 1)})
	}},
	{"the seal's picture drawn otherwise", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{v.look: judgment()[shadowLookNum]})
	}},
	{"the seal's picture of other pixels", "later-changed", func(t testing.TB, v *victim) []byte {
		var im int
		look := v.body(t, v.look)
		fmt.Sscanf(look[strings.Index(look, "/Im ")+4:], "%d 0 R", &im)
		return v.update(pdftest.Objects{im: pdftest.Stream("/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceRGB", "\x00\x00\xff")})
	}},
	{"the picture of a seal by somebody else", "later-covers", func(t testing.TB, v *victim) []byte { // a signature, but of no seal
		return laterSigned(t, v, "[90 680 290 780]", "1 0 0 RG 5 w 5 5 190 90 re S")
	}},
}}

// laterSigned adds a signature by hand, with a look of its own.
func laterSigned(t testing.TB, v *victim, rect, look string) []byte {
	t.Helper()
	w := theWorld()
	n := v.free
	s := signing(n, pdftest.Objects{
		n + 1:     fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Second) /V %d 0 R /P 3 0 R /Rect %s /F 132 /AP << /N %d 0 R >> >>", n, rect, n+2),
		n + 2:     pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 200 100]", look),
		fieldsNum: strings.Replace(v.body(t, fieldsNum), "]", fmt.Sprintf(" %d 0 R]", n+1), 1),
		pageNum:   appendedTo(v.body(t, pageNum), n+1),
	})
	s.Kind = v.kind
	return byHand(t, v.file, rawCMS{w.rsa, sign.SHA256, nil}, s)
}

// appendedTo is a page with one annotation more, above all others.
func appendedTo(page string, num int) string {
	i := strings.Index(page, "/Annots [")
	j := i + strings.IndexByte(page[i:], ']')
	return page[:j] + fmt.Sprintf(" %d 0 R", num) + page[j:]
}
