package pdfx_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/courtseal/courtseal/pdfx"
)

// Any input gives an error, or a file that begins with the input and in which the new signature is found.
func FuzzSign(f *testing.F) {
	f.Add(onePage(table, a4), true, false)
	f.Add(onePage(xrefStream, a4+" /Rotate 90"), true, true)
	f.Add(pdfFile(table, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]>>>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R"+a4+"/Annots[]>>"), false, false)
	if dir, err := os.Getwd(); err == nil {
		for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			found, _ := filepath.Glob(filepath.Join(dir, "shared", "vectors", "pdf", "*.pdf"))
			for _, path := range found {
				if b, err := os.ReadFile(path); err == nil && len(b) < 20_000 {
					f.Add(b, true, true)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, visible, repair bool) {
		o := pdfx.Options{Repair: repair, Now: clock}
		if visible {
			o.At = []pdfx.At{{Page: 1, X: 60, Y: 60}}
		}
		var out bytes.Buffer
		res, err := pdfx.Sign(context.Background(), &out, bytes.NewReader(in), int64(len(in)), &fixed{}, o)
		if err != nil {
			return
		}
		checkSealed(t, in, out.Bytes(), res, o)
		_, _ = pdfx.ShownOn(bytes.NewReader(out.Bytes()), int64(out.Len()), o) // must not panic
	})
}
