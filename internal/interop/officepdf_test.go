package interop

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

// blank is a form that a person fills in.
const blank = `<html><head><meta charset="utf-8"><title>起诉状</title></head><body><h1>起诉状</h1><form action="#"><p>原告 <input type="text" name="plaintiff"></p>
<p><input type="checkbox" name="agree"> 同意电子送达</p><p><select name="court"><option>基层</option><option>中级</option></select></p></form></body></html>`

// signsPDFs: the office program signs PDFs of its own making that were sealed, certified too, and signs once more; the seals stay valid.
func (w *wordBench) signsPDFs(t *testing.T) {
	text, form := filepath.Join(w.dir, "text.pdf"), filepath.Join(w.dir, "form.pdf")
	w.lo.convert(t, write(t, w.dir, "text.html", []byte(judgment)), text, asPDF)
	w.lo.convert(t, write(t, w.dir, "form.html", []byte(blank)), form, asPDF)
	roots, err := verify.NewRoots(w.root.Cert.Raw, w.gm.Cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, src := range map[string]string{"text": text, "form": form} {
		for format, certify := range map[sign.Format]int{sign.CMS: 0, sign.SES: 2, sign.Dual: 3} {
			t.Run(name+" "+string(format), func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "sealed.pdf")
				o := pdfx.Options{At: []pdfx.At{{Page: 1, X: 60, Y: 200}}, Certify: certify}
				if _, err := pdfx.SignFile(context.Background(), file, src, w.stamp(t, format, testpki.RSA, nil), o); err != nil {
					t.Fatal(err)
				}
				for n := 2; n <= 3; n++ {
					before, _ := os.ReadFile(file)
					w.lo.sign(t, file)
					after, _ := os.ReadFile(file)
					if len(after) <= len(before) {
						t.Fatal("nothing was added")
					}
					r, err := verify.File(context.Background(), file, verify.Options{Roots: roots})
					if err != nil {
						t.Fatal(err)
					}
					if c := r.Signatures[0].Check("pdf-later"); len(r.Signatures) != n || r.Verdict != verify.Valid || c.Code != "later-signatures" {
						t.Errorf("%d signatures\n%s", len(r.Signatures), r)
					}
				}
			})
		}
	}
}
