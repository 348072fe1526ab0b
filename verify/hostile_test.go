package verify

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/sign"
)

// Files made to cost much: 4 MB end soon and in little memory, whatever they say. The bounds here are wide; the real ones
// (a second, 64 MB) are for a machine that does nothing else.
func TestHostile(t *testing.T) {
	w := theWorld()
	signed := revisionSpec{sig: 10, signer: rawCMS{w.rsa, sign.SHA256, nil}, objects: map[int]string{
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [11 0 R] >>", 5: "<< /Fields [11 0 R] /SigFlags 3 >>",
		11: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (First) /V 10 0 R /P 3 0 R /Rect [0 0 0 0] >>",
	}}.sign(t, build(form()))

	revisions := bytes.Clone(signed)
	for i := 0; len(revisions) < 4<<20 && i < 300; i++ {
		revisions = update(revisions, map[int]string{4: stream("", strings.Repeat(" ", 12000)+fmt.Sprint(i))}, "", "")
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

	for name, file := range map[string][]byte{
		"many revisions":         revisions,
		"many objects":           update(signed, many, "", ""),
		"many fields, one value": build(fields),
		"a nested value":         build(nested),
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
			if took > 20*time.Second {
				t.Errorf("%v", took)
			}
		})
	}
}
