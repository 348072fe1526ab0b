package verify

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
)

// plainPage is a document whose page and its content a hidden object could take the place of.
func plainPage(k pdftest.Kind, more pdftest.Objects) []byte {
	return pdftest.File(k, pdftest.Objects{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>",
		4: pdftest.Stream("", "0 0 1 rg 100 100 200 200 re f"),
	}.With(more))
}

var otherContent = pdftest.Stream("", "1 0 0 rg 100 100 200 200 re f")

// structured asks for the verdict of the only signature and for one code of pdf-structure among its checks.
func structured(t *testing.T, r *Report, code string) {
	t.Helper()
	if len(r.Signatures) == 0 {
		t.Fatalf("no signature\n%s", r)
	}
	s := &r.Signatures[0]
	want := map[bool]Verdict{true: Valid, false: Indeterminate}[code == codeOK]
	if code == "chain-outside" {
		want = Invalid
	}
	if s.Verdict != want || !slices.ContainsFunc(s.Checks, func(c Check) bool { return c.Name == "pdf-structure" && c.Code == code }) {
		t.Errorf("want %s and %s\n%s", want, code, r)
	}
}

func noted(r *Report, code string) bool {
	return slices.ContainsFunc(r.Notes, func(n Note) bool { return n.Code == code })
}

// Files that are made to be read in two ways before they are sealed, and files that only look so.
func TestStructure(t *testing.T) {
	w := theWorld()
	sealed := sealFile(t, plainPage(pdftest.Table, nil), cmsSigner(t, w.rsa), pdfx.Options{})
	for _, k := range pdftest.Kinds {
		base := plainPage(k, nil)
		kind := "shadow-object"
		for _, x := range []struct {
			name string
			file []byte
			code string
			note bool
		}{
			{"as it should be", base, codeOK, false},
			{"hidden content", pdftest.Revision{Kind: k, Objects: pdftest.Objects{4: otherContent}, Hidden: []int{4}}.Append(base), kind, true},
			{"hidden pages", pdftest.Revision{Kind: k, Objects: pdftest.Objects{2: "<< /Type /Pages /Kids [] /Count 0 >>"}, Hidden: []int{2}}.Append(base), kind, true},
			{"hidden catalog, which sealing writes again", pdftest.Revision{Kind: k, Objects: pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>"}, Hidden: []int{1}}.Append(base), codeOK, true},
			{"hidden with another generation", pdftest.Revision{Kind: k, Objects: pdftest.Objects{4: otherContent}, Gens: map[int]int{4: 7}, Hidden: []int{4}}.Append(base), kind, true},
			{"between the objects", pdftest.Revision{Kind: k, Objects: pdftest.Objects{9: "null"}, Junk: "4 0 obj null endobj\n"}.Append(base), kind, true},
			{"in a comment", pdftest.Revision{Kind: k, Objects: pdftest.Objects{9: "null"}, Junk: "% 4 0 obj null endobj\n"}.Append(base), kind, true},
			{"comments in its header", pdftest.Revision{Kind: k, Objects: pdftest.Objects{9: "null"}, Junk: "4%\n0 %\nobj null endobj\n"}.Append(base), kind, true},
			{"a comment in its header that nobody looks over", pdftest.Revision{Kind: k, Objects: pdftest.Objects{9: "null"},
				Junk: "4 %" + strings.Repeat("x", 1024) + "\n0 obj null endobj\n"}.Append(base), "structure-unread", false},
			{"hidden, of no use", pdftest.Revision{Kind: k, Objects: pdftest.Objects{9: otherContent}, Hidden: []int{9}}.Append(base), codeOK, true},
			{"hidden, and defined once more", pdftest.Revision{Kind: k, Objects: pdftest.Objects{4: otherContent}}.Append(
				pdftest.Revision{Kind: k, Objects: pdftest.Objects{4: otherContent}, Hidden: []int{4}}.Append(base)), codeOK, true},
			{"saved many times", pdftest.Revision{Kind: k, Objects: pdftest.Objects{4: otherContent}}.Append(
				pdftest.Revision{Kind: k, Objects: pdftest.Objects{3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>"}}.Append(base)), codeOK, false},
			{"an object is freed", pdftest.Revision{Kind: k, Objects: pdftest.Objects{8: "null"}, Freed: map[int]int{9: 1}}.Append(
				pdftest.Revision{Kind: k, Objects: pdftest.Objects{9: "null"}}.Append(base)), codeOK, false},
			{"a sealed file attached as it is", plainPage(k, pdftest.Objects{5: pdftest.Stream("/Type /EmbeddedFile", string(sealed))}), codeOK, false},
			{"a sealed file attached to a hidden object", pdftest.Revision{Kind: k, Objects: pdftest.Objects{9: pdftest.Stream("/Type /EmbeddedFile", string(sealed))}, Hidden: []int{9}}.Append(base), codeOK, true},
		} {
			t.Run(fmt.Sprintf("%s/%s", k, x.name), func(t *testing.T) {
				r := verifyFile(t, w, sealFile(t, x.file, cmsSigner(t, w.rsa), pdfx.Options{}), nil)
				structured(t, r, x.code)
				if noted(r, "unlisted-objects") != x.note || noted(r, "unreached-signature") {
					t.Errorf("notes %v", r.Notes)
				}
			})
		}
	}
}

// One file, two cross-references.
func TestStructureCrossReference(t *testing.T) {
	w := theWorld()
	base := plainPage(pdftest.Table, nil)
	at := func(b []byte, what string) int { return bytes.Index(b, []byte(what)) }
	twice := bytes.Replace(base, []byte("trailer"), fmt.Appendf(nil, "4 1\n%010d 00000 n \ntrailer", at(base, "3 0 obj")), 1)
	same := bytes.Replace(base, []byte("trailer"), fmt.Appendf(nil, "4 1\n%010d 00000 n \ntrailer", at(base, "4 0 obj")), 1)
	hybrid := plainPage(pdftest.Hybrid, pdftest.Objects{5: "<< /X 1 >>"})
	differs := pdftest.Revision{Kind: pdftest.Hybrid, Objects: pdftest.Objects{4: otherContent}, Second: pdftest.Objects{4: pdftest.Stream("", "0 1 0 rg")}}.Append(base)
	trailer := pdftest.Revision{Kind: pdftest.XRefStream, Objects: pdftest.Objects{
		9: "<< /Type /Catalog /Pages 2 0 R >>"}, Junk: "trailer\n<< /Root 9 0 R >>\n"}.Append(plainPage(pdftest.XRefStream, nil))
	harmless := pdftest.Revision{Objects: pdftest.Objects{8: "null"}, Junk: "trailer\n<< /Root 9 0 R >>\n"}.Append(base)

	// Offsets that count from the header, and as many bytes before it as a second table takes, for who counts from the beginning.
	start := at(base, "xref\n")
	shift, other := 0, ""
	for range 3 {
		other = string(base[start:bytes.Index(base, []byte("startxref"))])
		for _, n := range []string{"1 0 obj", "2 0 obj", "3 0 obj", "4 0 obj"} {
			other = strings.Replace(other, fmt.Sprintf("%010d", at(base, n)), fmt.Sprintf("%010d", at(base, n)+shift), 1)
		}
		shift = len(other)
	}
	before := strings.Repeat("%", shift-1) + "\n"
	ambiguous := slices.Concat([]byte(before), base[:start], []byte(other), base[start:])
	ambiguous = []byte(strings.Replace(string(ambiguous), fmt.Sprintf("startxref\n%d\n", start), fmt.Sprintf("startxref\n%d\n", start+shift), 1))

	for name, x := range map[string]struct {
		file []byte
		code string
	}{
		"a number twice":              {twice, "xref-twice"},
		"a number twice, alike":       {same, codeOK},
		"hybrid":                      {hybrid, codeOK},
		"hybrid that differs":         {differs, "hybrid-differs"},
		"a trailer for rebuilds":      {trailer, "shadow-trailer"},
		"a trailer before the last":   {harmless, codeOK},
		"bytes before":                {append([]byte("\n\n"), base...), codeOK},
		"offsets from two beginnings": {ambiguous, "offsets-ambiguous"},
	} {
		t.Run(name, func(t *testing.T) {
			structured(t, verifyFile(t, w, sealFile(t, x.file, cmsSigner(t, w.rsa), pdfx.Options{}), nil), x.code)
		})
	}
}

// What the signed revision names stands in bytes that came later.
func TestStructureOutside(t *testing.T) {
	w := theWorld()
	field := pdftest.Objects{
		1:  "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [11 0 R] /SigFlags 3 >> >>",
		11: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (One) /V 10 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>",
	}
	const far = 30_000
	s := signing(10, field)
	s.Places = map[int]int{4: far}
	object := byHand(t, plainPage(pdftest.Table, nil), cmsSigner(t, w.rsa), s)
	object = append(object, strings.Repeat(" ", far-len(object))+"4 0 obj\n"+otherContent+"\nendobj\n"...)

	s = signing(10, field)
	base := plainPage(pdftest.Table, nil)
	s.Trailer = map[string]string{"Prev": fmt.Sprint(far)}
	section := byHand(t, base, cmsSigner(t, w.rsa), s)
	table := base[bytes.Index(base, []byte("xref\n")):bytes.Index(base, []byte("startxref"))]
	section = append(section, strings.Repeat(" ", far-len(section))+string(table)...)
	for name, file := range map[string][]byte{"an object": object, "a section": section} {
		t.Run(name, func(t *testing.T) { structured(t, verifyFile(t, w, file, nil), "chain-outside") })
	}
}

// A signature to which no field leads is told of, in a file without signatures too.
func TestUnreachedSignature(t *testing.T) {
	w := theWorld()
	file := sealFile(t, plainPage(pdftest.Table, nil), cmsSigner(t, w.rsa), pdfx.Options{})
	if r := verifyFile(t, w, file, nil); noted(r, "unreached-signature") {
		t.Errorf("%s", r)
	}
	file = pdftest.Revision{Objects: pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>"}}.Append(file)
	r, err := Document(t.Context(), bytes.NewReader(file), int64(len(file)), Options{At: noon})
	if !errors.Is(err, ErrUnsigned) || !noted(r, "unreached-signature") || noted(r, "unlisted-objects") {
		t.Errorf("%v\n%s", err, r)
	}
}
