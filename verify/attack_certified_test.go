package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/sign"
)

// Certified and locked files: evil annotations and sneaky signatures, which a certification of some level seems to allow, and what
// somebody does to a lock.

// filled gives a field a value and a look, by the body of which it shows.
func filled(num int, value, look string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		b := v.body(t, num)
		if strings.Contains(b, "/V ") {
			b = strings.Replace(strings.Replace(b, "/V (100)", "", 1), "/AP << /N 18 0 R >>", "", 1)
		}
		b = strings.TrimSuffix(strings.TrimSpace(b), ">>") + fmt.Sprintf("/V %s /AP << /N %d 0 R >> >>", value, v.free)
		return v.update(pdftest.Objects{num: b, v.free: look})
	}
}

var smallLook = pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << /Font << /F 11 0 R >> >>", "BT /F 12 Tf 2 2 Td (AB) Tj ET")

// signedInto fills the field that waits, with a look.
func signedInto(more, look string) func(testing.TB, *victim) []byte {
	return signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
		return pdftest.Objects{waitingNum: v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R /AP << /N %d 0 R >> %s", n, n+1, more)),
			n + 1: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 50 50]", look)}
	})
}

func signedAnew(rect, look string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte { return laterSigned(t, v, rect, look) }
}

// evil annotations, at every level.
func evil(code string) []attack {
	return []attack{
		{"free text over the text", code, overlaid("<< /Type /Annot /Subtype /FreeText /DA (/F 9 Tf) /Contents (x) " + overText + " >>")},
		{"stamp over the text", code, overlaid("<< /Type /Annot /Subtype /Stamp " + overText + " >>")},
		{"square over the text", code, overlaid("<< /Type /Annot /Subtype /Square /IC [1 1 1] " + overText + " >>")},
		{"ink over the text", code, overlaid("<< /Type /Annot /Subtype /Ink /InkList [[90 690 290 790]] " + overText + " >>")},
		{"highlight of white", code, overlaid("<< /Type /Annot /Subtype /Highlight /C [1 1 1] /QuadPoints [90 790 290 790 90 690 290 690] " + overText + " >>")},
		{"square without a look over the text", code, overlaid("<< /Type /Annot /Subtype /Square /C [1 1 1] /IC [1 1 1] /Rect [90 690 290 790] /F 4 >>")},
	}
}

// acting annotations are allowed nowhere.
func acting(code string) []attack {
	return []attack{
		{"stamp that acts", code, overlaid("<< /Type /Annot /Subtype /Stamp /A " + script + " /Rect [400 10 450 20] /F 4 LOOK >>")},
		{"stamp that acts when seen", code, overlaid("<< /Type /Annot /Subtype /Stamp /AA << /PV " + script + " >> /Rect [400 10 450 20] /F 4 LOOK >>")},
		{"link over a page", code, overlaid("<< /Type /Annot /Subtype /Link /A << /S /URI /URI (http://example.org) >> /Rect [0 0 595 842] /F 4 >>")},
		{"film", code, overlaid("<< /Type /Annot /Subtype /Screen /A << /S /Rendition >> /Rect [400 10 450 20] /F 4 LOOK >>")},
		{"widget of no field", code, overlaid("<< /Type /Annot /Subtype /Widget /Rect [400 10 450 20] /F 4 LOOK >>")},
		{"redaction", code, overlaid("<< /Type /Annot /Subtype /Redact /Rect [400 10 450 20] /F 4 LOOK >>")},
		{"kind that nobody knows", code, overlaid("<< /Type /Annot /Subtype /Overlay /Rect [400 10 450 20] /F 4 LOOK >>")},
	}
}

// beyond is what no certification allows.
var beyond = []attack{
	{"the page's contents", "later-after-certification", saved(red, nil)},
	{"a page more", "later-after-certification", switched(pagesNum, "8 0 R] /Count 2", "8 0 R 22 0 R] /Count 3")},
	{"a page's resources", "later-after-certification", switched(resourcesNum, "/X 12 0 R", "/X 23 0 R")},
	{"an action", "later-after-certification", widened(catalogNum, "/OpenAction "+script)},
	{"scripts", "later-after-certification", widened(catalogNum, "/Names << /JavaScript << /Names [(x) "+script+"] >> >>")},
	{"a layer off", "later-after-certification", switched(catalogNum, "/ON [15 0 R]", "/OFF [15 0 R]")},
	{"new looks are needed", "later-after-certification", switched(formNum, "/DA", "/NeedAppearances true /DA")},
	{"a field more", "later-after-certification", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{fieldsNum: strings.Replace(v.body(t, fieldsNum), "]", " 24 0 R]", 1)})
	}},
	{"a field moved", "later-after-certification", switched(amountNum, "[400 700 500 720]", "[100 700 200 720]")},
	{"a field renamed", "later-after-certification", switched(amountNum, "(Amount)", "(Sum)")},
	{"a field that acts", "later-after-certification", widened(noteNum, "/V (x) /AA << /F "+script+" >>")},
	{"a field hidden", "later-after-certification", switched(amountNum, "/F 4", "/F 2")},
	{"a field read-only no more", "later-after-certification", switched(amountNum, "/F 4", "/F 4 /Ff 0 /MaxLen 9")},
	{"a field of a foreign look", "later-after-certification", saved(pdftest.Objects{amountLookNum: judgment()[shadowLookNum]}, nil)},
	{"the permissions gone", "later-after-certification", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{catalogNum: rekeyed(t, v.body(t, catalogNum), "/Perms", "")})
	}},
	{"the permissions of another", "later-after-certification", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{catalogNum: rekeyed(t, v.body(t, catalogNum), "/Perms", "/Perms << /DocMDP 20 0 R >>")})
	}},
	{"the permissions gone, and the page", "later-after-certification", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{catalogNum: rekeyed(t, v.body(t, catalogNum), "/Perms", "")}.With(red))
	}},
	{"the level raised in place", "content-changed", func(t testing.TB, v *victim) []byte {
		p := strings.TrimPrefix(string(v.level), "P")
		return replaced(t, v.file, "/P "+p+" ", map[string]string{"1": "/P 3 ", "2": "/P 3 ", "3": "/P 2 "}[p])
	}},
	{"a dictionary of another level", "gap-differs", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{v.value: strings.Replace(v.body(t, v.value), "/TransformMethod /DocMDP", "/TransformMethod /UR3", 1)})
	}},
	{"bytes behind it", "later-bytes", appendedBytes("hello")},
	{"a body behind it", "later-bytes", without(pdftest.XRef | pdftest.Trailer | pdftest.StartXRef | pdftest.EOF)},
}

func join(lists ...[]attack) (out []attack) {
	for _, l := range lists {
		out = append(out, l...)
	}
	return out
}

var certifiedAttacks = map[level][]attack{
	noChange: join(beyond, evil("later-after-certification"), acting("later-after-certification"), []attack{
		{"a field filled", "later-after-certification", filled(noteNum, "(AB)", smallLook)},
		{"a signature in the field that waits", "later-after-certification", signedInto("", "")},
		{"a signature more", "later-after-certification", signedAnew("[0 0 0 0]", "")},
		{"metadata", "later-after-certification", widened(catalogNum, "/Metadata 9 0 R")},
	}),
	fillForms: join(beyond, evil("later-after-certification"), acting("later-after-certification"), []attack{
		{"a field filled over the text", "later-after-certification", func(t testing.TB, v *victim) []byte {
			b := strings.Replace(v.with(t, noteNum, "/V (x) /AP << /N 23 0 R >>"), "[400 750 500 770]", "[90 690 290 790]", 1)
			return v.update(pdftest.Objects{noteNum: b})
		}},
		{"a sneaky signature over the text", "later-covers", signedAnew("[90 680 290 780]", "1 1 1 rg 0 0 200 100 re f")},
		{"a sneaky signature over the seal", "later-covers", func(t testing.TB, v *victim) []byte {
			return laterSigned(t, victimOf(t, v.kind, sign.Dual, v.level), "[200 340 360 500]", "1 1 1 rg 0 0 200 100 re f")
		}},
		{"a sneaky signature, the field moved", "later-after-certification", signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
			return pdftest.Objects{waitingNum: strings.Replace(v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R /AP << /N 23 0 R >>", n)), "[10 10 60 60]", "[90 680 290 780]", 1)}
		})},
		{"a sneaky signature with a page", "later-after-certification", signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
			return pdftest.Objects{waitingNum: v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R", n)), page2Num: judgment()[shadowPageNum]}
		})},
		{"a sneaky signature that acts", "later-after-certification", signedInto("/AA << /E "+script+" >>", "")},
	}),
	annotate: join(beyond, evil("later-covers"), acting("later-after-certification"), []attack{
		{"a sneaky signature over the text", "later-covers", signedAnew("[90 680 290 780]", "1 1 1 rg 0 0 200 100 re f")},
		{"an annotation less", "later-after-certification", switched(pageNum, "[6 0 R ", "[")},
		{"a stamp of the page's size", "later-covers", overlaid("<< /Type /Annot /Subtype /Stamp /Rect [0 0 595 842] /F 4 LOOK >>")},
	}),
	locked: {
		{"the locked field filled", "later-after-lock", filled(noteNum, "(AB)", smallLook)},
		{"the locked field signed", "later-after-lock", signedInto("", "")},
		{"the locked field renamed and filled", "later-after-lock", func(t testing.TB, v *victim) []byte {
			return v.update(pdftest.Objects{noteNum: strings.Replace(v.with(t, noteNum, "/V (AB)"), "(Note)", "(Free)", 1)})
		}},
		{"the locked field below a parent, and filled", "later-after-lock", func(t testing.TB, v *victim) []byte {
			return v.update(pdftest.Objects{noteNum: v.with(t, noteNum, "/V (AB) /Parent 60 0 R"), 60: "<< /T (Free) /Kids [17 0 R] >>",
				fieldsNum: v.edited(t, fieldsNum, "17 0 R", "60 0 R")})
		}},
		{"the locked field not in the form, and filled", "later-after-lock", func(t testing.TB, v *victim) []byte {
			return v.update(pdftest.Objects{noteNum: v.with(t, noteNum, "/V (AB)"), fieldsNum: v.edited(t, fieldsNum, "17 0 R", "")})
		}},
		{"the locked field with another look", "later-after-lock", widened(noteNum, "/AP << /N 23 0 R >>")},
		{"the lock gone, and the field filled", "later-after-lock", func(t testing.TB, v *victim) []byte {
			return v.update(pdftest.Objects{noteNum: v.with(t, noteNum, "/V (AB)"), v.field: strings.Replace(v.body(t, v.field), "/Lock", "/Kcol", 1)})
		}},
		{"the page's contents", "later-changed", saved(red, nil)},
	},
}
