package verify

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
)

// Shadow attacks: what the document will say later stands already in what is signed, where nobody sees it. Afterwards a saving that
// looks harmless has it seen: it hides what covered it, replaces what referred to something else, or both.

// switched redefines an object in which one text becomes another.
func switched(num int, from, to string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{num: v.edited(t, num, from, to)})
	}
}

// prepared is a seal on a judgment in which the attacker had a hand, and what he does later with it.
func prepared(first func(v *victim, r *pdftest.Revision), later func(t testing.TB, v *victim) []byte) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		u := &victim{kind: v.kind, format: v.format, level: v.level}
		r := u.saving(judgment())
		if v.kind == pdftest.Hybrid { // as pdftest.File has it
			packed := r.Packed
			r.Packed = nil
			for _, n := range packed {
				if n != catalogNum && n != pagesNum && n != pageNum && n != page2Num && n != shadowPageNum {
					r.Packed = append(r.Packed, n)
				}
			}
		}
		first(u, &r)
		u.file = u.seal(t, r.Append(nil))
		u.read(t)
		return later(t, u)
	}
}

// twin puts a second definition of an object among the signed bytes, before the one that counts, and later has the cross-reference
// lead to it.
func twin(num int, body string) func(testing.TB, *victim) []byte {
	head := fmt.Sprintf("%d 0 obj\n", num)
	return prepared(func(_ *victim, r *pdftest.Revision) { r.Before = head + body + "\nendobj\n" }, func(t testing.TB, v *victim) []byte {
		r := v.saving(nil)
		r.Places = map[int]int{num: bytes.Index(v.file, []byte(head))}
		return r.Append(v.file)
	})
}

var otherResources = strings.Replace(judgment()[resourcesNum], "/X 12 0 R", "/X 23 0 R", 1)

var shadowAttacks = map[level][]attack{approval: {
	{"hide: the cover freed", "later-changed", saved(nil, func(_ *victim, r *pdftest.Revision) { r.Freed = map[int]int{coverNum: 1} })},
	{"hide: the cover emptied", "later-changed", saved(pdftest.Objects{coverNum: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 200 100]", "")}, nil)},
	{"hide: the cover made small", "later-changed", saved(pdftest.Objects{coverNum: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1]", "1 1 1 rg 0 0 200 100 re f")}, nil)},
	{"hide: the cover in a layer", "later-changed", saved(pdftest.Objects{coverNum: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 200 100] /OC 25 0 R", "1 1 1 rg 0 0 200 100 re f")}, nil)},
	{"hide: the cover not in the resources", "later-changed", switched(resourcesNum, "/Cover 26 0 R", "")},
	{"hide: the field over it", "later-changed", switched(amountNum, "/F 4", "/F 6")},
	{"hide: the annotation over it", "later-changed", switched(pageNum, "[6 0 R ", "[")},
	{"replace: contents by a reference", "later-changed", switched(pageNum, "/Contents 4 0 R", "/Contents 9 0 R")},
	{"replace: contents by an array", "later-changed", switched(pageNum, "/Contents 4 0 R", "/Contents [4 0 R 9 0 R]")},
	{"replace: contents as an object", "later-changed", saved(pdftest.Objects{contentNum: judgment()[shadowNum]}, nil)},
	{"replace: the page by an unused one", "later-changed", switched(pagesNum, "[3 0 R", "[22 0 R")},
	{"replace: the page's object", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{pageNum: strings.Replace(v.body(t, pageNum), "/Contents 4 0 R", "/Contents 9 0 R", 1)})
	}},
	{"replace: a form by an unused one", "later-changed", switched(resourcesNum, "/X 12 0 R", "/X 23 0 R")},
	{"replace: a field's look by an unused one", "later-overwritten", switched(amountNum, "/N 18 0 R", "/N 23 0 R")},
	{"replace: a field by an unused one", "later-changed", switched(fieldsNum, "[6 0 R", "[24 0 R")},
	{"replace: a field by an unused one, on the page too", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{fieldsNum: v.edited(t, fieldsNum, "[6 0 R", "[24 0 R"), pageNum: v.edited(t, pageNum, "[6 0 R", "[24 0 R")})
	}},
	{"replace: a glyph by another", "later-changed", saved(pdftest.Objects{glyphANum: judgment()[glyphBNum]}, nil)},
	{"replace: the letters of a font", "later-changed", switched(fontNum, "/a 13 0 R /b 14 0 R", "/a 14 0 R /b 13 0 R")},
	{"replace: a layer by an unused one", "later-changed", switched(resourcesNum, "/L 15 0 R", "/L 25 0 R")},
	{"replace: the catalog", "later-changed", func(t testing.TB, v *victim) []byte {
		r := v.saving(pdftest.Objects{v.free: v.edited(t, catalogNum, "/Pages 2 0 R", fmt.Sprintf("/Pages %d 0 R", v.free+1)),
			v.free + 1: "<< /Type /Pages /Kids [22 0 R] /Count 1 >>"})
		r.Trailer = map[string]string{"Root": fmt.Sprintf("%d 0 R", v.free)}
		return r.Append(v.file)
	}},

	{"hide and replace: a twin of the contents", "later-changed", twin(contentNum, red[contentNum])},
	{"hide and replace: a twin of the page", "later-changed", twin(pageNum, judgment()[shadowPageNum])},
	{"hide and replace: a twin of the resources", "later-changed", twin(resourcesNum, otherResources)},
	{"hide and replace: a twin of a glyph", "later-changed", twin(glyphANum, judgment()[glyphBNum])},
	{"hide and replace: a twin inside a stream", "later-changed", func(t testing.TB, v *victim) []byte {
		head := "10 0 obj\n"
		return prepared(func(_ *victim, r *pdftest.Revision) {
			r.Objects[50] = pdftest.Stream("", "\n"+head+otherResources+"\nendobj\n")
		},
			func(t testing.TB, v *victim) []byte {
				r := v.saving(nil)
				r.Places = map[int]int{resourcesNum: bytes.LastIndex(v.file, []byte(head))}
				return r.Append(v.file)
			})(t, v)
	}},
	{"hide and replace: a twin inside a string", "later-changed", func(t testing.TB, v *victim) []byte {
		head := "10 0 obj\n"
		return prepared(func(_ *victim, r *pdftest.Revision) {
			r.Objects[50] = "<< /ByteRange 0 /Text (\n" + head + otherResources + "\nendobj\n) >>"
		}, func(t testing.TB, v *victim) []byte {
			r := v.saving(nil)
			r.Places = map[int]int{resourcesNum: bytes.LastIndex(v.file, []byte(head))}
			return r.Append(v.file)
		})(t, v)
	}},
	{"hide and replace: a twin in an unused object stream", "later-changed", func(t testing.TB, v *victim) []byte {
		if v.kind == pdftest.Table {
			return nil
		}
		index := fmt.Sprintf("%d 0 ", resourcesNum)
		return prepared(func(_ *victim, r *pdftest.Revision) {
			r.Objects[50] = pdftest.Flate(fmt.Sprintf("/Type /ObjStm /N 1 /First %d", len(index)), index+otherResources)
		}, func(t testing.TB, v *victim) []byte {
			return packedAt(v, resourcesNum, 50, 0)
		})(t, v)
	}},
	{"hide and replace: all of the form", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{catalogNum: v.edited(t, catalogNum, "/AcroForm 5 0 R", fmt.Sprintf("/AcroForm %d 0 R", v.free)),
			v.free: v.edited(t, formNum, "27 0 R", fmt.Sprintf("[24 0 R %d 0 R]", v.field))})
	}},
	{"form: the value alone", "later-overwritten", switched(amountNum, "/V (100)", "/V (900)")},
	{"form: the value and the look", "later-overwritten", func(t testing.TB, v *victim) []byte {
		b := strings.Replace(v.edited(t, amountNum, "/V (100)", "/V (900)"), "/N 18 0 R", fmt.Sprintf("/N %d 0 R", v.free), 1)
		return v.update(pdftest.Objects{amountNum: b, v.free: judgment()[shadowLookNum]})
	}},
	{"form: the look alone", "later-changed", saved(pdftest.Objects{amountLookNum: judgment()[shadowLookNum]}, nil)},
	{"form: new looks are needed", "later-changed", switched(formNum, "/DA", "/NeedAppearances true /DA")},
	{"form: a default value", "later-changed", switched(amountNum, "/V (100)", "/V (100) /DV (900)")},
}}

// packedAt is an update whose cross-reference stream says that an object stands in an object stream of the signed revision.
func packedAt(v *victim, num, container, index int) []byte {
	row := []byte{2, 0, 0, byte(container >> 8), byte(container), 0, byte(index)}
	i := bytes.LastIndex(v.file, []byte("startxref"))
	var prev int
	fmt.Sscan(string(v.file[i+9:]), &prev)
	at := len(v.file)
	self := []byte{1, byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at), 0, 0}
	if v.kind == pdftest.XRefStream {
		body := pdftest.Stream(fmt.Sprintf("/Type /XRef /W [1 4 2] /Index [%d 1 %d 1] /Size %d /Root 1 0 R /Prev %d /ID %s", num, v.free, v.free+1, prev, firstIDText),
			string(row)+string(self))
		return fmt.Appendf(bytes.Clone(v.file), "%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", v.free, body, at)
	}
	body := pdftest.Stream(fmt.Sprintf("/Type /XRef /W [1 4 2] /Index [%d 1 %d 1] /Size %d /Root 1 0 R", num, v.free, v.free+1), string(row)+string(self))
	out := fmt.Appendf(bytes.Clone(v.file), "%d 0 obj\n%s\nendobj\n", v.free, body)
	return fmt.Appendf(out, "xref\n%d 1\n0000000000 00000 f \n%d 1\n0000000000 00000 f \ntrailer\n<< /Size %d /Root 1 0 R /Prev %d /XRefStm %d /ID %s >>\nstartxref\n%d\n%%%%EOF\n",
		num, v.free, v.free+1, prev, at, firstIDText, len(out))
}

const firstIDText = "[<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]"
