package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
)

// Objects in two roles, and objects out of sight: attacks on this verifier. A document is prepared so that something which may change
// later, metadata or a list of annotations, is a part of its pages too; or so that a walk over the document does not come to what changes.

// withObjects prepares a judgment with other objects.
func withObjects(objects pdftest.Objects, later func(t testing.TB, v *victim) []byte) func(testing.TB, *victim) []byte {
	return prepared(func(v *victim, r *pdftest.Revision) {
		more := v.saving(objects)
		for n, o := range objects {
			r.Objects[n] = o
		}
		if v.kind != pdftest.Table {
			r.Packed = append(r.Packed, more.Packed...)
		}
	}, later)
}

// changedTo defines objects anew.
func changedTo(objects pdftest.Objects) func(testing.TB, *victim) []byte {
	return func(_ testing.TB, v *victim) []byte { return v.update(objects) }
}

// changedAndSigned does the same in the revision of another signature.
func changedAndSigned(objects pdftest.Objects) func(testing.TB, *victim) []byte {
	return signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
		return pdftest.Objects{waitingNum: v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R", n))}.With(objects)
	})
}

// redrawn changes an object of the judgment.
func redrawn(num int, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(judgment()[num])
}

// The glyph program of a font that is called Metadata.
func metadataGlyph(program string) string {
	return pdftest.Stream("/Type /Metadata /Subtype /XML", program)
}

const (
	glyphFull = "1000 0 0 0 1000 1000 d1 0 0 1000 1000 re f"
	glyphHalf = "1000 0 0 0 1000 1000 d1 0 0 500 1000 re f"
	dangling  = 60 // led to before it is there
)

// The forms that content names are an object of their own.
var xobjectsApart = redrawn(resourcesNum, "<< /X 12 0 R /Cover 26 0 R >>", "50 0 R")

var roleAttacks = map[level][]attack{approval: {
	{"a glyph that is metadata", "later-changed", withObjects(pdftest.Objects{
		catalogNum: redrawn(catalogNum, "/Outlines", "/Metadata 51 0 R /Outlines"),
		fontNum:    redrawn(fontNum, "<< /a 13 0 R /b 14 0 R >>", "50 0 R", "[65 /a /b]", "[65 /Metadata /b]"),
		50:         "<< /Metadata 51 0 R /b 14 0 R >>", 51: metadataGlyph(glyphFull),
	}, changedTo(pdftest.Objects{51: metadataGlyph(glyphHalf)}))},
	{"a cover that is metadata", "later-changed", withObjects(pdftest.Objects{
		catalogNum:   redrawn(catalogNum, "/Outlines", "/Metadata 26 0 R /Outlines"),
		contentNum:   redrawn(contentNum, "/Cover Do", "/Metadata Do"),
		resourcesNum: xobjectsApart, 50: "<< /X 12 0 R /Metadata 26 0 R >>",
	}, changedTo(pdftest.Objects{coverNum: metadataGlyph("<x/>")}))},
	{"a state that is an extension", "later-changed", withObjects(pdftest.Objects{
		catalogNum:   redrawn(catalogNum, "/Outlines", "/Extensions 20 0 R /Outlines"),
		contentNum:   redrawn(contentNum, "/G gs", "/Extensions gs"),
		resourcesNum: redrawn(resourcesNum, "<< /G 20 0 R >>", "50 0 R"), 50: "<< /Extensions 20 0 R >>",
	}, changedTo(pdftest.Objects{stateNum: "<< /Type /ExtGState /ca 0 >>"}))},
	{"a state that is a store of certificates", "later-changed", withObjects(pdftest.Objects{
		catalogNum:   redrawn(catalogNum, "/Outlines", "/DSS 20 0 R /Outlines"),
		contentNum:   redrawn(contentNum, "/G gs", "/DSS gs"),
		stateNum:     "<< /ca 0 >>",
		resourcesNum: redrawn(resourcesNum, "<< /G 20 0 R >>", "50 0 R"), 50: "<< /DSS 20 0 R >>",
	}, changedTo(pdftest.Objects{stateNum: "<< /Type /DSS >>"}))},
	{"forms that are annotations of a page", "later-changed", withObjects(pdftest.Objects{
		contentNum:   redrawn(contentNum, "/X Do", "/Annots Do"),
		resourcesNum: xobjectsApart, 50: "<< /Type /Page /Annots 12 0 R /Cover 26 0 R >>",
	}, changedTo(pdftest.Objects{50: "<< /Type /Page /Annots 23 0 R /Cover 26 0 R >>"}))},
	{"new forms that are annotations of a page", "later-changed", withObjects(pdftest.Objects{
		contentNum:   redrawn(contentNum, "/X Do", "/Annots Do"),
		resourcesNum: xobjectsApart, 50: "<< /Type /Page /Annots 12 0 R /Cover 26 0 R >>",
	}, changedTo(pdftest.Objects{50: "<< /Type /Page /Annots 60 0 R /Cover 26 0 R >>", 60: judgment()[shadowLookNum]}))},
	{"a form that is the order of a page", "later-changed", withObjects(pdftest.Objects{
		contentNum:   redrawn(contentNum, "/X Do", "/Tabs Do"),
		resourcesNum: xobjectsApart, 50: "<< /Type /Page /Tabs 12 0 R /Cover 26 0 R >>",
	}, changedTo(pdftest.Objects{50: "<< /Type /Page /Tabs 23 0 R /Cover 26 0 R >>"}))},
	{"a colour space that is a list of annotations", "later-changed", withObjects(pdftest.Objects{
		resourcesNum: redrawn(resourcesNum, "/Font", "/ColorSpace << /C 51 0 R >> /Font"), 51: "[/Indexed /DeviceRGB 0 <000000>]",
		pageNum: redrawn(pageNum, "[6 0 R 7 0 R 17 0 R]", "51 0 R"),
	}, changedTo(pdftest.Objects{51: "[/Indexed /DeviceRGB 0 <ffffff>]"}))},
	{"forms that are a part of the structure tree", "later-changed", withObjects(pdftest.Objects{
		catalogNum:   redrawn(catalogNum, "/Outlines", "/StructTreeRoot 51 0 R /MarkInfo << /Marked true >> /Outlines"),
		contentNum:   redrawn(contentNum, "/Cover Do", "/K Do"),
		resourcesNum: xobjectsApart, 50: "<< /Type /StructElem /S /Sect /P 51 0 R /X 12 0 R /K 26 0 R >>",
		51: "<< /Type /StructTreeRoot /K [50 0 R] /ParentTree 52 0 R /ParentTreeNextKey 0 >>", 52: "<< /Nums [] >>",
	}, func(t testing.TB, v *victim) []byte {
		n := v.free
		return laterSignedWith(t, v, pdftest.Objects{
			n + 1: fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Second) /V %d 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 /StructParent 0 >>", n),
			n + 2: fmt.Sprintf("<< /Type /StructElem /S /Form /P 50 0 R /Pg 3 0 R /K << /Type /OBJR /Obj %d 0 R /Pg 3 0 R >> >>", n+1),
			50:    fmt.Sprintf("<< /Type /StructElem /S /Sect /P 51 0 R /X 12 0 R /K [26 0 R %d 0 R] >>", n+2),
			51:    "<< /Type /StructTreeRoot /K [50 0 R] /ParentTree 52 0 R /ParentTreeNextKey 1 >>", 52: fmt.Sprintf("<< /Nums [0 %d 0 R] >>", n+2),
		})
	})},
	{"contents that are a list of annotations", "later-changed", withObjects(pdftest.Objects{
		51: "[4 0 R]", pageNum: redrawn(pageNum, "/Contents 4 0 R", "/Contents 51 0 R"), page2Num: redrawn(page2Num, "/Contents", "/Annots 51 0 R /Contents"),
	}, changedTo(pdftest.Objects{51: "[4 0 R 60 0 R]", 60: judgment()[shadowNum]}))},

	{"a reference to nothing in a list of annotations", "later-changed", withObjects(pdftest.Objects{
		pageNum: redrawn(pageNum, "[6 0 R", "[60 0 R 6 0 R"),
	}, func(t testing.TB, v *victim) []byte {
		return laterSignedWith(t, v, pdftest.Objects{dangling: "<< /Type /Annot /Subtype /Square /IC [1 1 1] /Rect [0 0 595 842] /F 4 >>"})
	})},
	{"a reference to nothing in a list of annotations of its own", "later-changed", withObjects(pdftest.Objects{
		pageNum: redrawn(pageNum, "[6 0 R 7 0 R 17 0 R]", "50 0 R"), 50: "[60 0 R 6 0 R 7 0 R 17 0 R]",
	}, func(t testing.TB, v *victim) []byte {
		return signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
			return pdftest.Objects{dangling: "<< /Type /Annot /Subtype /Screen /A " + script + " /Rect [0 0 595 842] /F 4 >>",
				50:        strings.Replace(v.body(t, 50), "]", fmt.Sprintf(" %d 0 R]", n+1), 1),
				n + 1:     fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Second) /V %d 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>", n),
				fieldsNum: strings.Replace(v.body(t, fieldsNum), "]", fmt.Sprintf(" %d 0 R]", n+1), 1)}
		})(t, v)
	})},
	{"a reference to nothing in the form", "later-changed", withObjects(pdftest.Objects{
		fieldsNum: "[60 0 R 6 0 R 7 0 R 17 0 R]", pageNum: redrawn(pageNum, "[6 0 R", "[60 0 R 6 0 R"),
	}, func(t testing.TB, v *victim) []byte {
		return laterSignedWith(t, v, pdftest.Objects{dangling: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Sum) /V (900) /Rect [0 0 595 842] /F 4 /AP << /N 9 0 R >> /P 3 0 R >>"})
	})},
	{"a reference to nothing in a field that is filled", "later-changed", withObjects(pdftest.Objects{
		noteNum: redrawn(noteNum, "/F 4", "/F 4 /MK << /R 0 /I 60 0 R >> /A 60 0 R"),
	}, func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{noteNum: v.with(t, noteNum, "/V (x)"), dangling: script})
	})},
	{"a reference to nothing in the resources of the form", "later-changed", withObjects(pdftest.Objects{
		pageNum: redrawn(pageNum, "/Resources 10 0 R", "/Resources 50 0 R"), formNum: redrawn(formNum, "<< /Font << /F 11 0 R >> >>", "50 0 R"),
		50: redrawn(resourcesNum, "/X 12 0 R", "/X 60 0 R"),
	}, func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{50: strings.Replace(v.body(t, 50), "/Font << /F 11 0 R", "/Font << /F 11 0 R /H 11 0 R", 1), dangling: judgment()[shadowLookNum]})
	})},

	{"a look in two steps: the signature, and later what it shows", "later-changed", func(t testing.TB, v *victim) []byte {
		n := v.free
		u := &victim{kind: v.kind, file: laterSignedWith(t, v, pdftest.Objects{
			n + 1: fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Second) /V %d 0 R /P 3 0 R /Rect [90 680 290 780] /F 132 /AP << /N %d 0 R >> >>", n, n+2),
			n + 2: pdftest.Stream(fmt.Sprintf("/Type /XObject /Subtype /Form /BBox [0 0 200 100] /Resources << /XObject << /X %d 0 R >> >>", n+9), "/X Do")})}
		return u.update(pdftest.Objects{n + 9: judgment()[coverNum]})
	}},
	{"a reference to nothing, and two savings", "later-changed", withObjects(pdftest.Objects{
		pageNum: redrawn(pageNum, "[6 0 R", "[60 0 R 6 0 R"),
	}, func(t testing.TB, v *victim) []byte {
		u := &victim{kind: v.kind, format: v.format, level: v.level, file: v.update(pdftest.Objects{dangling: "<< /Type /Annot /Subtype /Square /IC [1 1 1] /Rect [0 0 595 842] /F 4 >>"})}
		u.read(t)
		return laterSignedWith(t, u, nil)
	})},
	{"a reference to nothing that a signature adds", "later-changed", func(t testing.TB, v *victim) []byte {
		u := &victim{kind: v.kind, format: v.format, level: v.level}
		u.file = signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
			return pdftest.Objects{waitingNum: v.with(t, waitingNum, fmt.Sprintf("/V %d 0 R", n)), pageNum: appendedTo(v.body(t, pageNum), 90)}
		})(t, v)
		return u.update(pdftest.Objects{90: "<< /Type /Annot /Subtype /Square /IC [1 1 1] /Rect [0 0 595 842] /F 4 >>"})
	}},
	{"an object stream that comes later", "later-changed", only(func(t testing.TB, v *victim) []byte {
		u := &victim{kind: v.kind, format: v.format, level: v.level, file: pdftest.File(v.kind, judgment().With(pdftest.Objects{
			resourcesNum: redrawn(resourcesNum, "/X 12 0 R", "/X 12 0 R /Later 61 0 R")}))}
		u.free = pdftest.Unused(u.file)
		u.file = u.seal(t, packedAt(u, 61, 60, 0))
		u.read(t)
		index := "61 0 "
		return u.update(pdftest.Objects{60: pdftest.Flate(fmt.Sprintf("/Type /ObjStm /N 1 /First %d", len(index)), index+"<< /ca 0 >>")})
	}, pdftest.XRefStream, pdftest.Hybrid)},

	{"an object stream without a type, again", "later-changed", untypedStream(func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{50: untyped(otherResources)})
	})},
	{"an object stream without a type, freed", "later-changed", untypedStream(func(_ testing.TB, v *victim) []byte {
		r := v.saving(nil)
		r.Freed = map[int]int{50: 1}
		return r.Append(v.file)
	})},
	{"an object stream without a type, again with a signature", "later-changed", untypedStream(changedAndSigned(pdftest.Objects{50: untyped(otherResources)}))},
	{"a decoy of another generation", "later-changed", withObjects(pdftest.Objects{
		catalogNum: redrawn(catalogNum, "/Outlines", "/Decoy 10 1 R /Outlines"),
	}, changedTo(pdftest.Objects{xobjectNum: judgment()[shadowLookNum]}))},
	{"a decoy of another generation, of the page", "later-changed", withObjects(pdftest.Objects{
		catalogNum: redrawn(catalogNum, "/Outlines", "/Decoy 3 7 R /Outlines"),
	}, changedTo(red))},
	{"an object that only others can read", "later-changed", withObjects(pdftest.Objects{
		pageNum: redrawn(pageNum, "/Resources 10 0 R", "/Resources 50 0 R"), 50: redrawn(resourcesNum, "/Font", "/ByteRange <zz> /Font"),
	}, changedTo(pdftest.Objects{coverNum: judgment()[shadowLookNum]}))},
	{"a stream that only others can read", "later-changed", withObjects(pdftest.Objects{
		xobjectNum: strings.Replace(pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 200 100] /Resources << /XObject << /Y 23 0 R >> >>", "/Y Do"), "/Length 5", "/Length 9", 1),
	}, changedTo(pdftest.Objects{shadowLookNum: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 200 100]", "0 0 0 rg 0 0 9 9 re f")}))},
	{"an object too deep to read", "later-changed", withObjects(pdftest.Objects{
		pageNum: redrawn(pageNum, "/Resources 10 0 R", "/Resources 50 0 R"), 50: redrawn(resourcesNum, "/Font", "/ByteRange ["+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+"] /Font"),
	}, changedTo(pdftest.Objects{coverNum: judgment()[shadowLookNum]}))},
	{"a reference to nothing in an object that only others can read", "later-changed", withObjects(pdftest.Objects{
		pageNum: redrawn(pageNum, "/Resources 10 0 R", "/Resources 50 0 R"), 50: redrawn(resourcesNum, "/Font", "/ByteRange <zz> /Font", "/X 12 0 R", "/X 60 0 R"),
	}, changedTo(pdftest.Objects{dangling: judgment()[shadowLookNum]}))},
	{"a reference to nothing with a comment in it", "later-changed", withObjects(pdftest.Objects{
		resourcesNum: redrawn(resourcesNum, "/X 12 0 R", "/X 60%\n0%1 0 R\rR"),
	}, changedTo(pdftest.Objects{dangling: judgment()[shadowLookNum]}))},
	{"a reference to nothing with zeros before it", "later-changed", withObjects(pdftest.Objects{
		resourcesNum: redrawn(resourcesNum, "/X 12 0 R", "/X 0000000000000060 000 R"),
	}, changedTo(pdftest.Objects{dangling: judgment()[shadowLookNum]}))},
	{"a reference to nothing, of another generation", "later-changed", withObjects(pdftest.Objects{
		resourcesNum: redrawn(resourcesNum, "/X 12 0 R", "/X 60 7 R"),
	}, changedTo(pdftest.Objects{dangling: judgment()[shadowLookNum]}))},
	{"a key twice inside", "later-changed", withObjects(pdftest.Objects{
		resourcesNum: redrawn(resourcesNum, "/X 12 0 R", "/X 12 0 R /X 23 0 R"),
	}, changedTo(pdftest.Objects{resourcesNum: redrawn(resourcesNum, "/X 12 0 R", "/X 23 0 R /Y null")}))},
	{"a value of another kind", "later-changed", func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{noteNum: v.with(t, noteNum, "/V << /S /JavaScript >>")})
	}},
	{"an empty signature field that shows text", "later-annotated", emptyField(smallLook)},
	{"an empty signature field that shows a drawing", "later-annotated", emptyField(pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 100 20]", "0 0 m 50 20 l 100 0 l 0 0 l f"))},
}, annotate: {
	{"a state that is an annotation", "later-after-certification", withObjects(pdftest.Objects{
		contentNum:   redrawn(contentNum, "/G gs", "/Annots gs"),
		stateNum:     "<< /Subtype /Square /Rect [0 0 0 0] /ca 1 >>",
		resourcesNum: redrawn(resourcesNum, "<< /G 20 0 R >>", "50 0 R"), 50: "<< /Annots 20 0 R >>",
	}, changedTo(pdftest.Objects{stateNum: "<< /Subtype /Square /Rect [0 0 0 0] /ca 0 >>"}))},
	{"a layer that is an annotation", "later-after-certification", withObjects(pdftest.Objects{
		layerNum:   "<< /Type /OCG /Name (Layer) /Subtype /Square /Rect [0 0 0 0] >>",
		catalogNum: redrawn(catalogNum, "/OCGs [15 0 R]", "/OCGs 50 0 R", "/ON [15 0 R]", "/ON 50 0 R /AS [<< /Event /View /Category [/View] /OCGs 50 0 R >>]"), 50: "[15 0 R]",
		resourcesNum: redrawn(resourcesNum, "<< /L 15 0 R >>", "51 0 R"), 51: "<< /Annots 15 0 R >>", contentNum: redrawn(contentNum, "/OC /L BDC", "/OC /Annots BDC"),
	}, changedTo(pdftest.Objects{layerNum: "<< /Type /OCG /Name (Layer) /Subtype /Square /Rect [0 0 0 0] /Usage << /View << /ViewState /OFF >> >> >>"}))},
	{"a reference to nothing in a list of annotations", "later-after-certification", withObjects(pdftest.Objects{
		pageNum: redrawn(pageNum, "[6 0 R", "[60 0 R 6 0 R"),
	}, func(t testing.TB, v *victim) []byte {
		o := v.appended(t, "<< /Type /Annot /Subtype /Square /Rect [500 10 510 20] /F 4 >>")
		o[dangling] = "<< /Type /Annot /Subtype /Screen /A " + script + " /Rect [0 0 595 842] /F 4 >>"
		return v.update(o)
	})},
}}

// untyped is an object stream without /Type that holds the resources.
func untyped(body string) string {
	index := fmt.Sprintf("%d 0 ", resourcesNum)
	return pdftest.Flate(fmt.Sprintf("/N 1 /First %d", len(index)), index+body)
}

// untypedStream prepares a judgment whose resources stand in an object stream that does not say that it is one.
func untypedStream(later func(testing.TB, *victim) []byte) func(testing.TB, *victim) []byte {
	return only(func(t testing.TB, v *victim) []byte {
		u := &victim{kind: v.kind, format: v.format, level: v.level}
		file := pdftest.File(v.kind, judgment().With(pdftest.Objects{50: untyped(judgment()[resourcesNum])}))
		u.file, u.free = file, pdftest.Unused(file)
		file = packedAt(u, resourcesNum, 50, 0)
		u.file = u.seal(t, file)
		u.read(t)
		return later(t, u)
	}, pdftest.XRefStream, pdftest.Hybrid)
}

// laterSignedWith adds a signature in a new field that shows nothing, with further objects.
func laterSignedWith(t testing.TB, v *victim, more pdftest.Objects) []byte {
	return signedAgain(func(t testing.TB, v *victim, n int) pdftest.Objects {
		return pdftest.Objects{
			n + 1:     fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Second) /V %d 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>", n),
			fieldsNum: strings.Replace(v.body(t, fieldsNum), "]", fmt.Sprintf(" %d 0 R]", n+1), 1), pageNum: appendedTo(v.body(t, pageNum), n+1),
		}.With(more)
	})(t, v)
}

// emptyField adds a signature field with a look, and no signature.
func emptyField(look string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		n := v.free
		return v.update(pdftest.Objects{
			n:         fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Empty) /P 3 0 R /Rect [400 10 590 90] /F 4 /AP << /N %d 0 R >> >>", n+1),
			n + 1:     look,
			fieldsNum: strings.Replace(v.body(t, fieldsNum), "]", fmt.Sprintf(" %d 0 R]", n), 1), pageNum: appendedTo(v.body(t, pageNum), n),
		})
	}
}
