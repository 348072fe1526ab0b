package verify

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftest"
)

// treeSample is a tagged document: 10 the root of its structure tree, 11 to 13 elements, 14 the parent tree, 15 a node of it, 16 an array of
// kids, 17 an element that is its own kid.
var treeSample = pdftest.Objects{
	1:  "<< /Type /Catalog /Pages 2 0 R /StructTreeRoot 10 0 R /MarkInfo << /Marked true >> >>",
	2:  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
	3:  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /StructParents 0 /Annots [20 0 R] >>",
	10: "<< /Type /StructTreeRoot /K 11 0 R /ParentTree 14 0 R /ParentTreeNextKey 2 >>",
	11: "<< /Type /StructElem /S /Document /P 10 0 R /K [12 0 R 17 0 R] >>",
	12: "<< /Type /StructElem /S /P /P 11 0 R /Pg 3 0 R /K 0 /Alt (a sum) >>",
	13: "<< /Type /StructElem /S /Form /P 17 0 R /K << /Type /OBJR /Obj 20 0 R >> >>",
	14: "<< /Kids [15 0 R] >>",
	15: "<< /Limits [0 1] /Nums [0 [12 0 R] 1 13 0 R] >>",
	16: "[13 0 R 17 0 R]",
	17: "<< /S /Sect /P 11 0 R /K 16 0 R >>",
	20: "<< /Type /Annot /Subtype /Widget /Rect [0 0 9 9] /StructParent 1 /T (a) /FT /Tx >>",
}

const newElement = "<< /Type /StructElem /S /Form /P 11 0 R /Pg 3 0 R /K << /Type /OBJR /Pg 3 0 R /Obj 30 0 R >> >>"

// grown are the objects that a program writes which adds field 30 to the tree by an element 31 of 11.
var grown = pdftest.Objects{
	10: "<< /Type /StructTreeRoot /K 11 0 R /ParentTree 14 0 R /ParentTreeNextKey 3 >>",
	11: "<< /Type /StructElem /S /Document /P 10 0 R /K [12 0 R 17 0 R 31 0 R] >>",
	15: "<< /Limits [0 2] /Nums [0 [12 0 R] 1 13 0 R 2 31 0 R] >>",
	30: "<< /Type /Annot /Subtype /Widget /Rect [9 9 20 20] /StructParent 2 /T (b) /FT /Sig >>",
	31: newElement,
}

func compareTags(t *testing.T, k pdftest.Kind, base, update pdftest.Objects, budget int) (*tagging, error) {
	t.Helper()
	first := pdftest.File(k, base)
	both := pdftest.Revision{Kind: k, Objects: update}.Append(first)
	f, err := pdf.Open(bytes.NewReader(both), int64(len(both)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	old, err := f.At(int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	root := func(f *pdf.File) pdf.Object {
		c, err := f.Catalog()
		if err != nil {
			t.Fatal(err)
		}
		return c.Dict().Get("StructTreeRoot")
	}
	wrote, shown := map[uint32]bool{}, map[uint32]bool{}
	for n := range update {
		wrote[uint32(n)] = true
		if _, was := base[n]; !was && strings.Contains(update[n], "/Annot ") {
			shown[uint32(n)] = true
		}
	}
	return explainTags(old, f, root(old), root(f), wrote, shown, func(n int) error {
		if budget -= n; budget < 0 {
			return pdf.ErrLimit
		}
		return nil
	})
}

// What a saving may do to the structure tree, and what not. refused has the objects that are not explained.
var tagCases = []struct {
	name               string
	base               pdftest.Objects // beside treeSample
	update             pdftest.Objects // beside grown; an empty one is not written
	explained, refused []uint32
	why                string
}{
	{name: "a field", explained: []uint32{10, 11, 15}},
	{name: "the element first", update: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /K [31 0 R 12 0 R 17 0 R] >>"}, explained: []uint32{10, 11, 15}},
	{name: "without an entry", update: pdftest.Objects{10: "", 15: ""}, explained: []uint32{11}},
	{name: "attributes of a form", update: pdftest.Objects{31: strings.Replace(newElement, "/Pg", "/A << /O /PrintField /Role /tv >> /Alt (b) /T (b) /Lang (en) /Pg", 1)}, explained: []uint32{10, 11, 15}},
	{name: "an element in an element", update: pdftest.Objects{31: "<< /S /P /P 11 0 R /K [32 0 R] >>", 32: strings.Replace(newElement, "/P 11", "/P 31", 1),
		15: "<< /Nums [0 [12 0 R] 1 13 0 R 2 32 0 R] >>"}, explained: []uint32{10, 11, 15}},
	{name: "a reference of its own", update: pdftest.Objects{31: "<< /S /Form /P 11 0 R /K [32 0 R] >>", 32: "<< /Type /OBJR /Obj 30 0 R >>"}, explained: []uint32{10, 11, 15}},
	{name: "an array of kids", update: pdftest.Objects{11: "", 16: "[13 0 R 17 0 R 31 0 R]", 31: strings.Replace(newElement, "/P 11", "/P 17", 1)}, explained: []uint32{10, 15, 16}},
	{name: "a reference in an element that was there", update: pdftest.Objects{11: "", 31: "", 13: "<< /Type /StructElem /S /Form /P 17 0 R /K [<< /Type /OBJR /Obj 20 0 R >> << /Type /OBJR /Obj 30 0 R >>] >>",
		15: "<< /Nums [0 [12 0 R] 1 13 0 R 2 13 0 R] >>"}, explained: []uint32{10, 13, 15}},
	{name: "under the root", update: pdftest.Objects{11: "", 10: "<< /Type /StructTreeRoot /K [11 0 R 31 0 R] /ParentTree 14 0 R /ParentTreeNextKey 3 >>", 31: strings.Replace(newElement, "/P 11", "/P 10", 1)}, explained: []uint32{10, 15}},
	{name: "a new node", update: pdftest.Objects{14: "<< /Kids [15 0 R 33 0 R] >>", 15: "", 33: "<< /Limits [2 2] /Nums [2 31 0 R] >>"}, explained: []uint32{10, 11, 14}},
	{name: "a new parent tree", update: pdftest.Objects{10: "<< /Type /StructTreeRoot /K 11 0 R /ParentTree 33 0 R /ParentTreeNextKey 3 >>", 15: "", 33: "<< /Nums [0 [12 0 R] 1 13 0 R 2 31 0 R] >>"}, explained: []uint32{10, 11}},
	{name: "the tree is not touched", update: pdftest.Objects{10: "", 11: "", 15: "", 31: ""}},
	{name: "something else is", update: pdftest.Objects{10: "", 11: "", 15: "", 31: "", 3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Annots [20 0 R 30 0 R] >>"}},
	{name: "a look that is changed", update: pdftest.Objects{20: "[1 2 3]"}, explained: []uint32{10, 11, 15}},

	{name: "another text", update: pdftest.Objects{12: "<< /Type /StructElem /S /P /P 11 0 R /Pg 3 0 R /K 0 /Alt (another sum) >>"}, explained: []uint32{10, 11, 15}, refused: []uint32{12}, why: "/Alt"},
	{name: "a replaced text", update: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /K [12 0 R 17 0 R 31 0 R] /ActualText (a) >>"}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "/ActualText"},
	{name: "another order", update: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /K [17 0 R 12 0 R 31 0 R] >>"}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "that was there"},
	{name: "one is removed", update: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /K [12 0 R 31 0 R] >>"}, explained: []uint32{10, 15}, refused: []uint32{11}, why: "removed"},
	{name: "one stands twice", update: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /K [12 0 R 17 0 R 31 0 R 12 0 R] >>"}, explained: []uint32{10, 15}, refused: []uint32{11}, why: "that was there"},
	{name: "the new one stands twice", update: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /K [12 0 R 17 0 R 31 0 R 31 0 R] >>"}, explained: []uint32{10, 15}, refused: []uint32{11}, why: "twice"},
	{name: "content of the page", update: pdftest.Objects{12: "<< /Type /StructElem /S /P /P 11 0 R /Pg 3 0 R /K [0 1] /Alt (a sum) >>"}, explained: []uint32{10, 11, 15}, refused: []uint32{12}, why: "content"},
	{name: "content in the new element", update: pdftest.Objects{31: "<< /S /P /P 11 0 R /Pg 3 0 R /K [7 << /Type /OBJR /Obj 30 0 R >>] >>"}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "content"},
	{name: "marked content in it", update: pdftest.Objects{31: "<< /S /P /P 11 0 R /K [<< /Type /MCR /Pg 3 0 R /MCID 0 >>] >>"}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "malformed"},
	{name: "an empty element", update: pdftest.Objects{31: "<< /S /P /P 11 0 R >>"}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "no content"},
	{name: "a text that replaces", update: pdftest.Objects{31: strings.Replace(newElement, "/Pg", "/ActualText (b) /Pg", 1)}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "/ActualText"},
	{name: "another parent", update: pdftest.Objects{31: strings.Replace(newElement, "/P 11", "/P 17", 1)}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "/P"},
	{name: "an annotation that was there", update: pdftest.Objects{31: strings.Replace(newElement, "30 0 R", "20 0 R", 1)}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "no new field"},
	{name: "kids that were there", update: pdftest.Objects{31: "<< /S /P /P 11 0 R /K 16 0 R >>"}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "that were there"},
	{name: "an element in itself", update: pdftest.Objects{31: "<< /S /P /P 11 0 R /K [31 0 R] >>"}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "twice"},
	{name: "an old entry", update: pdftest.Objects{15: "<< /Nums [0 [13 0 R] 1 13 0 R 2 31 0 R] >>"}, explained: []uint32{10, 11}, refused: []uint32{15}, why: "entries"},
	{name: "an entry is gone", update: pdftest.Objects{15: "<< /Nums [0 [12 0 R] 2 31 0 R] >>"}, explained: []uint32{10, 11}, refused: []uint32{15}, why: "entries"},
	{name: "an entry for a page", update: pdftest.Objects{15: "<< /Nums [0 [12 0 R] 1 13 0 R 2 [31 0 R]] >>"}, explained: []uint32{10, 11}, refused: []uint32{15}, why: "belongs to no"},
	{name: "another key than the field's", update: pdftest.Objects{15: "<< /Nums [0 [12 0 R] 1 13 0 R 7 31 0 R] >>"}, explained: []uint32{10, 11}, refused: []uint32{15}, why: "belongs to no"},
	{name: "a key twice", update: pdftest.Objects{15: "<< /Nums [0 [12 0 R] 1 13 0 R 1 31 0 R] >>"}, explained: []uint32{10, 11}, refused: []uint32{15}, why: "malformed"},
	{name: "a node in a circle", update: pdftest.Objects{14: "<< /Kids [15 0 R 14 0 R] >>"}, explained: []uint32{10, 11}, refused: []uint32{14, 15}, why: "malformed"},
	{name: "a node with more keys", update: pdftest.Objects{15: "<< /Nums [0 [12 0 R] 1 13 0 R 2 31 0 R] /Kids [] /Contents 3 0 R >>"}, explained: []uint32{10, 11}, refused: []uint32{15}, why: "malformed"},
	{name: "a node that was something else", update: pdftest.Objects{14: "<< /Kids [15 0 R 16 0 R] >>", 15: "", 16: "<< /Nums [2 31 0 R] >>"}, explained: []uint32{10, 11}, refused: []uint32{14, 16}, why: "malformed"},
	{name: "the next key gets smaller", update: pdftest.Objects{10: "<< /Type /StructTreeRoot /K 11 0 R /ParentTree 14 0 R /ParentTreeNextKey 1 >>"}, explained: []uint32{11, 15}, refused: []uint32{10}, why: "smaller"},
	{name: "the next key is gone", update: pdftest.Objects{10: "<< /Type /StructTreeRoot /K 11 0 R /ParentTree 14 0 R >>"}, explained: []uint32{11, 15}, refused: []uint32{10}, why: "smaller"},
	{name: "a role map", update: pdftest.Objects{10: "<< /Type /StructTreeRoot /K 11 0 R /ParentTree 14 0 R /ParentTreeNextKey 3 /RoleMap << /P /Artifact >> >>"}, explained: []uint32{11, 15}, refused: []uint32{10}, why: "/RoleMap"},
	{name: "another tree", update: pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R /StructTreeRoot 40 0 R >>", 40: "<< /Type /StructTreeRoot /K 11 0 R >>"}, refused: []uint32{0}, why: "another"},
	{name: "no tree any more", update: pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>"}, refused: []uint32{0}, why: "another"},
	{name: "what led nowhere", base: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /A 31 0 R /K [12 0 R 17 0 R] >>"},
		update: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /A 31 0 R /K [12 0 R 17 0 R 31 0 R] >>"}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "nowhere"},
	{name: "a kid that led nowhere", base: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /K [12 0 R 17 0 R 31 0 R] >>"},
		update: pdftest.Objects{11: "<< /Type /StructElem /S /Document /P 10 0 R /K [12 0 R 17 0 R 31 0 R 32 0 R] >>", 32: newElement}, explained: []uint32{10}, refused: []uint32{11, 15}, why: "nowhere"},
	{name: "an entry that led nowhere", base: pdftest.Objects{15: "<< /Nums [0 [12 0 R] 1 13 0 R 2 31 0 R] >>"}, explained: []uint32{10, 11}, refused: []uint32{15}, why: "entries"},
}

func TestExplainTags(t *testing.T) {
	for _, k := range pdftest.Kinds {
		for _, c := range tagCases {
			base, update := treeSample.With(c.base), grown.With(c.update)
			maps.DeleteFunc(update, func(_ int, o string) bool { return o == "" })
			got, err := compareTags(t, k, base, update, 1000)
			if err != nil {
				t.Errorf("%s, %s: %v", k, c.name, err)
				continue
			}
			if e, r := slices.Sorted(maps.Keys(got.explained)), slices.Sorted(maps.Keys(got.refused)); !slices.Equal(e, c.explained) || !slices.Equal(r, c.refused) {
				t.Errorf("%s, %s: explained %v, refused %v: %v", k, c.name, e, r, got.refused)
			}
			if len(c.refused) > 0 && !strings.Contains(got.refused[c.refused[0]].EN, c.why) {
				t.Errorf("%s, %s: %v", k, c.name, got.refused)
			}
		}
	}
}

// Work is counted; trees that are deep, large or circular end.
func TestExplainTagsHostile(t *testing.T) {
	if _, err := compareTags(t, pdftest.Table, treeSample, grown, 5); !errors.Is(err, pdf.ErrLimit) {
		t.Error(err)
	}
	deep := pdftest.Objects{}
	for i := range 100 {
		deep[100+i] = fmt.Sprintf("<< /Kids [%d 0 R] >>", 101+i)
	}
	deep[200] = "<< /Nums [] >>"
	got, err := compareTags(t, pdftest.Table, treeSample.With(deep), grown.With(pdftest.Objects{14: "<< /Kids [15 0 R 100 0 R] >>"}), 1000)
	if err != nil || got.refused[14] == (Text{}) {
		t.Error(got, err)
	}
	nested := pdftest.Objects{31: "<< /S /Sect /P 11 0 R /K [100 0 R] >>"}
	for i := range 100 {
		nested[100+i] = fmt.Sprintf("<< /S /Sect /P %d 0 R /K [%d 0 R] >>", 99+i, 101+i)
	}
	nested[100] = "<< /S /Sect /P 31 0 R /K [101 0 R] >>"
	if got, err = compareTags(t, pdftest.Table, treeSample, grown.With(nested), 10_000); err != nil || got.refused[11] == (Text{}) {
		t.Error(got, err)
	}
}

// A tree of another maker, in which an element is its own kid.
func TestExplainTagsCircular(t *testing.T) {
	first, err := os.ReadFile(shared(t, "vectors/pdf/ok-xrefstm-pyhanko-struct-tree-circular-ref.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	update := pdftest.Objects{
		8:  "<< /K 9 0 R /ParentTree 12 0 R /ParentTreeNextKey 3 /RoleMap << /Title /P >> /Type /StructTreeRoot >>",
		9:  "<< /K [10 0 R 11 0 R 9 0 R 21 0 R] /Lang (enGB) /P 8 0 R /S /Document /Type /StructElem >>",
		12: "<< /Nums [0 [10 0 R] 1 11 0 R 2 21 0 R] >>",
		20: "<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /StructParent 2 >>",
		21: "<< /K << /Type /OBJR /Obj 20 0 R >> /P 9 0 R /S /Annot /Type /StructElem >>",
	}
	both := pdftest.Revision{Kind: pdftest.XRefStream, Objects: update}.Append(first)
	f, err := pdf.Open(bytes.NewReader(both), int64(len(both)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	old, err := f.At(int64(len(first)))
	if err != nil {
		t.Fatal(err)
	}
	wrote := map[uint32]bool{8: true, 9: true, 12: true, 20: true, 21: true}
	root := pdf.Ref{Num: 8}
	got, err := explainTags(old, f, root, root, wrote, map[uint32]bool{20: true}, func(int) error { return nil })
	if err != nil || len(got.refused) > 0 || !got.explained[8] || !got.explained[9] || !got.explained[12] {
		t.Errorf("%+v, %v", got, err)
	}
}
