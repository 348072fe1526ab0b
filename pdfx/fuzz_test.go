package pdfx_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
)

// Any input gives an error, or a file that begins with the input and in which the new signature is found.
func FuzzSign(f *testing.F) {
	f.Add(onePage(pdftest.Table, a4), true, false)
	f.Add(onePage(pdftest.XRefStream, a4+" /Rotate 90"), true, true)
	f.Add(pdfFile(pdftest.Table, "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[]>>>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R"+a4+"/Annots[]>>"), false, false)
	for _, path := range vectorsIfThere() {
		if b, err := os.ReadFile(path); err == nil && len(b) < 20_000 {
			f.Add(b, true, true)
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

// FuzzPlaces is FuzzSign with every way to find a place, and with certification, locks and texts.
func FuzzPlaces(f *testing.F) {
	for how := range uint8(8) {
		f.Add(manyPages(pdftest.Table, 3, a4, map[int]string{2: a4 + " /Rotate 90"}), how)
		f.Add(withFields(pdftest.XRefStream, ""), how)
		f.Add(textPages([]string{"120 200 2026-06-01", "30 40 Clerk"}), how)
	}
	for _, path := range vectorsIfThere() {
		if b, err := os.ReadFile(path); err == nil && len(b) < 20_000 {
			f.Add(b, uint8(len(b)))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, how uint8) {
		o := pdfx.Options{Now: clock, Certify: int(how>>3) % 3}
		switch how % 8 {
		case 0:
			o.Straddle = &pdfx.Straddle{Edge: pdfx.Left}
		case 1:
			o.Straddle = &pdfx.Straddle{Pages: pdfx.OddPages, Most: 2}
			o.Lock = &pdfx.Lock{}
		case 2:
			o.DateLine = true
			o.Text = true
		case 3:
			o.Keyword = &pdfx.Keyword{Text: "Clerk", Occurrence: pdfx.Every}
		case 4:
			o.Keyword = &pdfx.Keyword{Text: "e", Occurrence: -1}
			o.Remark = "同意"
		case 5:
			o.Field = "Clerk"
		case 6:
			o.Field = "Judge"
			o.Lock = &pdfx.Lock{Fields: []string{"Clerk"}}
		case 7:
			o.At = []pdfx.At{{Page: 1, X: 20, Y: 20}, {Page: -1, X: 100, Y: 100}}
		}
		var out bytes.Buffer
		res, err := pdfx.Sign(context.Background(), &out, bytes.NewReader(in), int64(len(in)), &fixed{}, o)
		if err != nil {
			return
		}
		checkSealed(t, in, out.Bytes(), res, o)
	})
}

// vectorsIfThere is vectors, empty where they are not.
func vectorsIfThere() (found []string) {
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir) && len(found) == 0; dir = filepath.Dir(dir) {
		found, _ = filepath.Glob(filepath.Join(dir, "shared", "vectors", "pdf", "*.pdf"))
	}
	return found
}
