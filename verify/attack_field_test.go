package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/sign"
)

// The field of the seal, and the form: a seal that is not found any more is not refuted, one that is replaced is another's.

func onField(change func(t testing.TB, v *victim, field string) string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{v.field: change(t, v, v.body(t, v.field))})
	}
}

func fieldWith(entries string) func(testing.TB, *victim) []byte {
	return onField(func(_ testing.TB, _ *victim, f string) string {
		return strings.TrimSuffix(strings.TrimSpace(f), ">>") + entries + " >>"
	})
}

// valueTo gives the field another value.
func valueTo(value string) func(testing.TB, *victim) []byte {
	return onField(func(t testing.TB, v *victim, f string) string {
		from := fmt.Sprintf("/V %d 0 R", v.value)
		if strings.Count(f, from) != 1 {
			t.Fatal(f)
		}
		return strings.Replace(f, from, value, 1)
	})
}

// signedAgain is a good signature by another key, with the objects it needs.
func signedAgain(objects func(t testing.TB, v *victim, n int) pdftest.Objects) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		w := theWorld()
		s := signing(v.free, objects(t, v, v.free))
		s.Kind = v.kind
		return byHand(t, v.file, rawCMS{w.rsa, sign.SHA256, nil}, s)
	}
}

var fieldAttacks = map[level][]attack{approval: {
	{"the field not in the form", isUnsigned, func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{fieldsNum: v.edited(t, fieldsNum, fmt.Sprintf(" %d 0 R", v.field), "")})
	}},
	{"no field in the form", isUnsigned, saved(pdftest.Objects{fieldsNum: "[]"}, nil)},
	{"the form gone", isUnsigned, switched(catalogNum, "/AcroForm 5 0 R", "")},
	{"the form null", isUnsigned, saved(pdftest.Objects{formNum: "null"}, nil)},
	{"the form freed", isUnsigned, saved(nil, func(_ *victim, r *pdftest.Revision) { r.Freed = map[int]int{formNum: 1} })},
	{"the field freed", isUnsigned, saved(nil, func(v *victim, r *pdftest.Revision) { r.Freed = map[int]int{v.field: 1} })},
	{"the field null", isUnsigned, onField(func(testing.TB, *victim, string) string { return "null" })},
	{"the field without a value", isUnsigned, valueTo("")},
	{"the field with null", isUnsigned, valueTo("/V null")},
	{"the field with a number", "malformed-signature", valueTo("/V 1")},
	{"the field with a string", "malformed-signature", valueTo("/V (sealed)")},
	{"the field with another object", "malformed-signature", valueTo("/V 20 0 R")},
	{"the field with nothing", isUnsigned, valueTo("/V 99 0 R")},
	{"the value freed", isUnsigned, saved(nil, func(v *victim, r *pdftest.Revision) { r.Freed = map[int]int{v.value: 1} })},
	{"the value null", isUnsigned, func(t testing.TB, v *victim) []byte { return v.update(pdftest.Objects{v.value: "null"}) }},
	{"the value a field", "malformed-signature", func(t testing.TB, v *victim) []byte { return v.update(pdftest.Objects{v.value: v.body(t, v.field)}) }},
	{"a field of text", isUnsigned, onField(func(_ testing.TB, _ *victim, f string) string { return strings.Replace(f, "/FT /Sig", "/FT /Tx", 1) })},
	{"a field of no kind", "malformed-signature", onField(func(_ testing.TB, _ *victim, f string) string { return strings.Replace(f, "/FT /Sig", "", 1) })},
	{"two values", isUnsigned, fieldWith(" /V 99 0 R")},
	{"two names", "duplicate-key", fieldWith(" /T (Another)")},
	{"a name in another spelling", "duplicate-key", fieldWith(" /#54 (Another)")},
	{"another lock", "later-changed", fieldWith(" /Lock << /Type /SigFieldLock /Action /All >>")},
	{"an action", "later-changed", fieldWith(" /A << /S /URI /URI (http://example.org) >>")},
	{"actions", "later-changed", fieldWith(" /AA << /E << /S /JavaScript /JS (1) >> >>")},
	{"a parent", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{v.field: v.with(t, v.field, "/Parent 60 0 R"), 60: fmt.Sprintf("<< /T (Parent) /Kids [%d 0 R] >>", v.field)})
	}},
	{"a kid", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{v.field: v.with(t, v.field, "/Kids [60 0 R]"),
			60: fmt.Sprintf("<< /Type /Annot /Subtype /Widget /Parent %d 0 R /Rect [0 0 99 99] /P 8 0 R >>", v.field)})
	}},
	{"the empty field with the same value", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{waitingNum: v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R", v.value))})
	}},
	{"a text field with the value of the seal", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{noteNum: v.with(t, noteNum, fmt.Sprintf("/V %d 0 R", v.value))})
	}},
	{"the seal's field listed twice", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{fieldsNum: strings.Replace(v.body(t, fieldsNum), "]", fmt.Sprintf(" %d 0 R]", v.field), 1)})
	}},
	{"a field more", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{fieldsNum: strings.Replace(v.body(t, fieldsNum), "]", " 24 0 R]", 1)})
	}},
	{"fields in another order", "later-changed", switched(fieldsNum, "6 0 R 7 0 R", "7 0 R 6 0 R")},
	{"a text field not in the form", "later-changed", switched(fieldsNum, "6 0 R 7 0 R", "7 0 R")},
	{"a text field renamed", "later-changed", switched(amountNum, "(Amount)", "(Sum)")},
	{"a text field moved", "later-changed", switched(amountNum, "[400 700 500 720]", "[100 700 200 720]")},
	{"a text field of another kind", "later-changed", switched(amountNum, "/FT /Tx", "/FT /Btn")},
	{"a text field that acts", "later-changed", widened(noteNum, "/AA << /F << /S /JavaScript /JS (1) >> >>")},
	{"a key of a text field twice", "later-changed", widened(amountNum, "/V (900)")},
	{"the empty field moved", "later-changed", switched(waitingNum, "[10 10 60 60]", "[10 10 500 800]")},
	{"the empty field with a look", "later-changed", widened(waitingNum, "/AP << /N 23 0 R >>")},
	{"a key of the form twice", "duplicate-key", widened(formNum, "/DA (/F 9 Tf)")},
	{"the form's fields, twice", isUnsigned, widened(formNum, "/Fields []")},
	{"the form's fonts", "later-changed", switched(formNum, "/F 11 0 R", "/F 20 0 R")},
	{"the form calculates", "later-changed", widened(formNum, "/CO [6 0 R]")},
	{"the form in XFA", "later-changed", widened(formNum, "/XFA [(template) 9 0 R]")},
	{"the form's default", "later-changed", switched(formNum, "(/F 12 Tf)", "(/F 1 Tf)")},
	{"the form's other form", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{catalogNum: v.edited(t, catalogNum, "/AcroForm 5 0 R", "/AcroForm 60 0 R"), 60: v.with(t, formNum, "/NeedAppearances true")})
	}},

	{"signed by another in the same field", isReplaced, signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
		return pdftest.Objects{v.field: v.edited(t, v.field, fmt.Sprintf("/V %d 0 R", v.value), fmt.Sprintf("/V %d 0 R", n))}
	})},
	{"signed by another under the same name", "later-changed", signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
		return pdftest.Objects{n + 1: fmt.Sprintf("<< /FT /Sig /T (%s) /V %d 0 R >>", v.name, n), fieldsNum: strings.Replace(v.body(t, fieldsNum), "]", fmt.Sprintf(" %d 0 R]", n+1), 1)}
	})},
	{"signed by another, with the page changed", "later-changed", signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
		return pdftest.Objects{waitingNum: v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R", n))}.With(red)
	})},
	{"signed by another, with the seal moved", "later-changed", signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
		return pdftest.Objects{waitingNum: v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R", n)), v.field: rekeyed(t, v.body(t, v.field), "/Rect", "/Rect [0 0 1 1]")}
	})},
	{"signed by another, the field with an action", "later-changed", signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
		return pdftest.Objects{waitingNum: v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R /AA << /E << /S /JavaScript /JS (1) >> >>", n))}
	})},
	{"signed by another, the field over the page", "later-changed", signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
		return pdftest.Objects{waitingNum: strings.Replace(v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R /AP << /N 23 0 R >>", n)), "[10 10 60 60]", "[0 0 595 842]", 1)}
	})},
	{"signed by another, in a new field over the text", "later-covers", func(t testing.TB, v *victim) []byte {
		return laterSigned(t, v, "[90 680 290 780]", "1 1 1 rg 0 0 200 100 re f")
	}},
	{"signed by another, in a new field over the seal", "later-covers", func(t testing.TB, v *victim) []byte {
		if v.widget == 0 || v.format == "" {
			v = victimOf(t, v.kind, sign.Dual, v.level)
		}
		return laterSigned(t, v, "[200 340 360 500]", "1 1 1 rg 0 0 200 100 re f")
	}},
}}
