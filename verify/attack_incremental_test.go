package verify

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
)

// Incremental savings: what is appended to a sealed file, whole, in parts, or with a copy of the signature.

var red = pdftest.Objects{contentNum: pdftest.Stream("", "1 0 0 rg 0 0 595 842 re f")}

// saved appends objects, with a saving that a function may spoil.
func saved(objects pdftest.Objects, spoil func(v *victim, r *pdftest.Revision)) func(testing.TB, *victim) []byte {
	return func(_ testing.TB, v *victim) []byte {
		r := v.saving(objects)
		if spoil != nil {
			spoil(v, &r)
		}
		return r.Append(v.file)
	}
}

// without is a full update of the page with a part left out.
func without(p pdftest.Part) func(testing.TB, *victim) []byte {
	return saved(red, func(_ *victim, r *pdftest.Revision) { r.Omit = p })
}

func appendedBytes(s string) func(testing.TB, *victim) []byte {
	return func(_ testing.TB, v *victim) []byte { return append(bytes.Clone(v.file), s...) }
}

// overlaid adds an annotation over the text of page 1, which is object v.free.
func overlaid(annotation string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		o := v.appended(t, annotation)
		o[v.free+1] = pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 200 100]", "1 1 1 rg 0 0 200 100 re f")
		o[v.free] = strings.ReplaceAll(annotation, "LOOK", fmt.Sprintf("/AP << /N %d 0 R >>", v.free+1))
		return v.update(o)
	}
}

const overText = "/Rect [90 690 290 790] /P 3 0 R /F 4 LOOK"

var incrementalAttacks = map[level][]attack{approval: {
	{"a full update", "later-changed", saved(red, nil)},
	{"two updates", "later-changed", func(_ testing.TB, v *victim) []byte {
		return v.saving(pdftest.Objects{v.free: "null"}).Append(v.update(red))
	}},
	{"an update and one that takes it back", "later-changed", func(_ testing.TB, v *victim) []byte {
		return v.saving(pdftest.Objects{contentNum: judgment()[contentNum]}).Append(v.update(red))
	}},
	{"a body", "later-bytes", without(pdftest.XRef | pdftest.Trailer | pdftest.StartXRef | pdftest.EOF)},
	{"a body and an end", "later-bytes", without(pdftest.XRef | pdftest.Trailer | pdftest.StartXRef)},
	{"a body and a trailer", "later-bytes", func(_ testing.TB, v *victim) []byte {
		r := v.saving(red)
		r.Kind, r.Omit = pdftest.Table, pdftest.XRef|pdftest.StartXRef|pdftest.EOF
		return r.Append(v.file)
	}},
	{"a body, a trailer and the old startxref", "later-bytes", func(_ testing.TB, v *victim) []byte {
		r := v.saving(red)
		i := bytes.LastIndex(v.file, []byte("startxref"))
		r.Kind, r.Omit, r.Start = pdftest.Table, pdftest.XRef, strings.Fields(string(v.file[i+9:]))[0]
		return r.Append(v.file)
	}},
	{"a body and a startxref to nothing", "rebuilt", saved(red, func(_ *victim, r *pdftest.Revision) { r.Omit, r.Start = pdftest.XRef, "5" })},
	{"a cross-reference without a trailer", "later-bytes", func(_ testing.TB, v *victim) []byte {
		r := v.saving(red)
		r.Kind, r.Omit = pdftest.Table, pdftest.Trailer|pdftest.StartXRef|pdftest.EOF
		return r.Append(v.file)
	}},
	{"a cross-reference with startxref and no trailer", "rebuilt", func(_ testing.TB, v *victim) []byte {
		r := v.saving(red)
		r.Kind, r.Omit = pdftest.Table, pdftest.Trailer
		return r.Append(v.file)
	}},
	{"an update without startxref", "later-bytes", without(pdftest.StartXRef | pdftest.EOF)},
	{"an update without its end", "revision-startxref", without(pdftest.EOF)},
	{"a line end", "later-bytes", appendedBytes("\n")},
	{"a zero", "later-bytes", appendedBytes("\x00")},
	{"a comment", "later-bytes", appendedBytes("% nothing\n")},
	{"another end", "later-bytes", appendedBytes("%%EOF\n")},
	{"the end again", "later-bytes", func(_ testing.TB, v *victim) []byte {
		i := bytes.LastIndex(v.file, []byte("startxref"))
		return slices.Concat(v.file, v.file[i:])
	}},
	{"a whole file", isUnsigned, func(_ testing.TB, v *victim) []byte { return slices.Concat(v.file, pdftest.Page()) }},
	{"its first revision again", isUnsigned, func(_ testing.TB, v *victim) []byte { return slices.Concat(v.file, pdftest.File(v.kind, judgment())) }},
	{"an update with bytes before its objects", "later-bytes", saved(pdftest.Objects{60: "null"}, func(_ *victim, r *pdftest.Revision) { r.Before = "hello\n" })},
	{"an update with a second object in it", "later-bytes", saved(pdftest.Objects{60: "null"}, func(_ *victim, r *pdftest.Revision) {
		r.Junk = "4 0 obj\n" + red[contentNum] + "\nendobj\n"
	})},

	{"the signature copied, and the page changed", "gap-differs", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{v.value: v.body(t, v.value)}.With(red))
	}},
	{"the signature copied to another object", "gap-differs", func(t testing.TB, v *victim) []byte {
		field := v.edited(t, v.field, fmt.Sprintf("/V %d 0 R", v.value), fmt.Sprintf("/V %d 0 R", v.free))
		return v.update(pdftest.Objects{v.free: v.body(t, v.value), v.field: field}.With(red))
	}},
	{"the signature copied into the field", "gap-differs", func(t testing.TB, v *victim) []byte {
		field := v.edited(t, v.field, fmt.Sprintf("/V %d 0 R", v.value), "/V "+v.body(t, v.value))
		return v.update(pdftest.Objects{v.field: field}.With(red))
	}},
	{"the signature copied and stretched", "gap-differs", again(func(d string, n [4]int) string {
		return rangeToken.ReplaceAllString(d, fmt.Sprintf("/ByteRange [0 %d %d %d]", n[1], n[2], n[3]+500))
	})},

	{"an overlay: square", "later-covers", overlaid("<< /Type /Annot /Subtype /Square /C [1 1 1] /IC [1 1 1] " + overText + " >>")},
	{"an overlay: free text", "later-covers", overlaid("<< /Type /Annot /Subtype /FreeText /DA (/F 9 Tf) /Contents (x) " + overText + " >>")},
	{"an overlay: stamp", "later-covers", overlaid("<< /Type /Annot /Subtype /Stamp " + overText + " >>")},
	{"an overlay: redaction", "later-changed", overlaid("<< /Type /Annot /Subtype /Redact " + overText + " >>")},
	{"an overlay: widget without a field", "later-changed", overlaid("<< /Type /Annot /Subtype /Widget " + overText + " >>")},
	{"an overlay: link with an action", "later-changed", overlaid("<< /Type /Annot /Subtype /Link /A << /S /JavaScript /JS (app.alert\\(1\\)) >> " + overText + " >>")},
	{"an overlay: unknown", "later-changed", overlaid("<< /Type /Annot /Subtype /Overlay " + overText + " >>")},
	{"an overlay: direct in the page", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{pageNum: v.edited(t, pageNum, "/Annots [6 0 R", "/Annots [<< /Type /Annot /Subtype /Square /IC [1 1 1] /Rect [0 0 595 842] >> 6 0 R")})
	}},
	{"an overlay below all others", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(v.annotated(t, "<< /Type /Annot /Subtype /Square /C [1 1 1] /Rect [0 0 595 842] /F 4 >>"))
	}},
	{"an overlay on the other page", "later-covers", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{page2Num: v.with(t, page2Num, fmt.Sprintf("/Annots [%d 0 R]", v.free)), v.free: "<< /Type /Annot /Subtype /Square /IC [1 1 1] /Rect [0 0 595 842] /F 4 >>"})
	}},
	{"an overlay over the seal's picture", "later-covers", func(t testing.TB, v *victim) []byte {
		return v.update(v.appended(t, "<< /Type /Annot /Subtype /Square /IC [1 1 1] /Rect [200 350 400 500] /F 4 >>"))
	}},
	{"an annotation less", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{pageNum: v.edited(t, pageNum, "/Annots [6 0 R", "/Annots [")})
	}},
}}
