package verify

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// Files made to cost much: 4 MB end soon and in little memory, whatever they say. The bounds here are wide; the real ones
// (a second, 64 MB) are for a machine that does nothing else.
func TestHostile(t *testing.T) {
	w := theWorld()
	signed := byHand(t, pdftest.File(pdftest.Table, form()), rawCMS{w.rsa, sign.SHA256, nil}, signing(10, pdftest.Objects{
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [11 0 R] >>", 5: "<< /Fields [11 0 R] /SigFlags 3 >>",
		11: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (First) /V 10 0 R /P 3 0 R /Rect [0 0 0 0] >>",
	}))

	revisions := bytes.Clone(signed)
	for i := 0; len(revisions) < 4<<20 && i < 300; i++ {
		revisions = pdftest.Revision{Objects: pdftest.Objects{4: pdftest.Stream("", strings.Repeat(" ", 12000)+fmt.Sprint(i))}}.Append(revisions)
	}
	many := map[int]string{}
	for i := 30; i < 60_000; i++ {
		many[i] = fmt.Sprintf("[%d 0 R %d 0 R]", i+1, i+2)
	}
	many[3] = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [11 0 R 30 0 R] >>"

	fields := form()
	var list strings.Builder
	for i := 20; i < 300; i++ {
		fields[i] = fmt.Sprintf("<< /FT /Sig /T (F%d) /V 8 0 R >>", i)
		fmt.Fprintf(&list, "%d 0 R ", i)
	}
	for i := 8; i < 20; i++ {
		fields[i] = "null"
	}
	fields[8] = "<< /Type /Sig /ByteRange [0 100 200 3000000] /Contents <" + strings.Repeat("3080", 1<<19) + "> >>"
	fields[5] = "<< /Fields [" + list.String() + "] >>"

	nested := form()
	for i := 8; i <= 10; i++ {
		nested[i] = "null"
	}
	nested[8] = "<< /FT /Sig /T (X) /V 9 0 R >>"
	nested[9] = "<< /Type /Sig /ByteRange [0 100 200 300] /Contents <" + strings.Repeat("3080", 1<<20) + "> >>"
	nested[5] = "<< /Fields [8 0 R] >>"

	lock := map[int]string{
		6: "[" + strings.Repeat("7 0 R ", 64) + "]",
		7: "<< /TransformMethod /FieldMDP /TransformParams 8 0 R >>",
		8: "<< /Action /Include /Fields [" + strings.Repeat("9 0 R ", 10_000) + "] >>",
		9: "(" + strings.Repeat("x", 4000) + ")",
	}

	for name, file := range map[string][]byte{
		"one lock of many":       manySigned(10, "/Reference 6 0 R", "/Lock 8 0 R", lock),
		"many revisions":         revisions,
		"many objects":           pdftest.Revision{Objects: many}.Append(signed),
		"many fields, one value": pdftest.File(pdftest.Table, fields),
		"a nested value":         pdftest.File(pdftest.Table, nested),
		"one large seal, often":  largeSeal(t, 400),
		"long names, told often": namesLater(200, strings.Repeat("x", 4000)),
		"nothing but a header":   append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("<<"), 2<<20)...),
		"nothing but xref":       append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("startxref\n9\n%%EOF\n"), 200_000)...),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			start := time.Now()
			r, err := Document(context.Background(), bytes.NewReader(file), int64(len(file)), Options{Roots: w.roots, At: noon})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			t.Logf("%d KB: %v, %d MB allocated, %v", len(file)>>10, took, (after.TotalAlloc-before.TotalAlloc)>>20, err)
			if err == nil && r.Verdict == Valid {
				t.Errorf("valid")
			}
			if err == nil && len(r.String()) > 8<<20 {
				t.Errorf("a report of %d MB", len(r.String())>>20)
			}
			if took > 20*time.Second {
				t.Errorf("%v", took)
			}
		})
	}
}

// manySigned is a file of n signatures whose ranges are right and whose values are nothing. more are objects from 6 on.
func manySigned(n int, entries, field string, more map[int]string) []byte {
	objects := map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
		4: "null",
	}
	base := 6 + len(more)
	for k := 6; k < base; k++ {
		objects[k] = more[k]
	}
	i := base
	var list strings.Builder
	for k := range n {
		objects[i] = fmt.Sprintf("<< /FT /Sig /T (F%d) /V %d 0 R %s >>", k, i+1, field)
		objects[i+1] = fmt.Sprintf("<< /Type /Sig /Filter /X /SubFilter /ETSI.CAdES.detached /ByteRange [0 @@@@@@@@@ ######### $$$$$$$$$] /Contents <3003020101> %s >>", entries)
		fmt.Fprintf(&list, "%d 0 R ", i)
		i += 2
	}
	objects[5] = "<< /Fields [" + list.String() + "] /SigFlags 3 >>"
	b := pdftest.File(pdftest.Table, objects)
	b = b[:len(b)-1] // no line end
	at := 0
	for range n {
		k := bytes.Index(b[at:], []byte("@@@@@@@@@")) + at
		c := bytes.Index(b[k:], []byte("/Contents <")) + k + 10
		copy(b[k:], fmt.Sprintf("%09d", c))
		copy(b[k+10:], fmt.Sprintf("%09d", c+12))
		copy(b[k+20:], fmt.Sprintf("%09d", len(b)-c-12))
		at = c
	}
	return b
}

// namesLater is a file of n signatures and, in a second revision, as many more, with a long name.
func namesLater(n int, name string) []byte {
	objects := map[int]string{}
	var fields, kids strings.Builder
	for i := range n {
		fmt.Fprintf(&fields, "%d 0 R ", 6+2*i)
		fmt.Fprintf(&kids, "%d 0 R ", 5001+2*i)
		objects[5001+2*i] = fmt.Sprintf("<< /Parent 5000 0 R /T (%d) /V %d 0 R >>", i, 5002+2*i)
		objects[5002+2*i] = "<< /Type /Sig /ByteRange [0 1 2 3] /Contents <3003020101> >>"
	}
	objects[5000] = "<< /FT /Sig /T (" + name + ") /Kids [" + kids.String() + "] >>"
	objects[5] = "<< /Fields [" + fields.String() + "5000 0 R] /SigFlags 3 >>"
	return pdftest.Revision{Objects: objects}.Append(manySigned(n, "", "", nil))
}

// largeSeal is a file sealed with a picture of millions of samples in some kilobytes, and n more fields with the same value.
func largeSeal(t *testing.T, n int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 2500, 2500))); err != nil {
		t.Fatal(err)
	}
	w := theWorld()
	e := w.make(func(s *seal.Seal) { s.Picture = sign.Picture{Type: "PNG", Data: b.Bytes(), Width: 45, Height: 45} })
	file := sealFile(t, page(), w.stampOf(t, e, sign.SES, noon), visible)
	part := func(pattern string) string { return string(regexp.MustCompile(pattern).Find(file)) }
	objects, fields := map[int]string{}, ""
	for i := range n {
		objects[1000+i] = fmt.Sprintf("<< /FT /Sig /T (F%d) /Type /Annot /Subtype /Widget /Rect [100 150 227.5591 277.5591] %s %s >>", i,
			part(`/V \d+ 0 R`), part(`/AP << /N \d+ 0 R >>`))
		fields += fmt.Sprintf("%d 0 R ", 1000+i)
	}
	objects[1] = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [" + fields + "] >> >>"
	return pdftest.Revision{Objects: objects}.Append(file)
}
