package verify

import (
	"bytes"
	"fmt"
	"maps"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// threePages has two empty signature fields, Clerk (a widget and field in one) and Judge (a field with a kid as widget).
// A key of mod names an object that is another one.
func threePages(mod map[int]string) []byte {
	objects := map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R 7 0 R] >> >>",
		2: "<< /Type /Pages /Kids [3 0 R 4 0 R 5 0 R] /Count 3 /MediaBox [0 0 595 842] >>",
		3: "<< /Type /Page /Parent 2 0 R /Annots [6 0 R 8 0 R] >>",
		4: "<< /Type /Page /Parent 2 0 R >>",
		5: "<< /Type /Page /Parent 2 0 R /Rotate 90 >>",
		6: "<< /FT /Sig /T (Clerk) /Type /Annot /Subtype /Widget /F 4 /Rect [50 50 250 250] /P 3 0 R >>",
		7: "<< /FT /Sig /T (Judge) /Kids [8 0 R] >>",
		8: "<< /Parent 7 0 R /Type /Annot /Subtype /Widget /F 4 /Rect [300 300 450 500] /P 3 0 R >>",
	}
	maps.Copy(objects, mod)
	return pdftest.File(pdftest.Table, objects)
}

// pictureOf is the code of the picture check of each signature; all must be Valid as a whole.
func picturesOf(t *testing.T, r *Report) (codes []string) {
	t.Helper()
	for _, s := range r.Signatures {
		codes = append(codes, s.Check("picture").Code)
	}
	return codes
}

func TestPartsOfASealTogether(t *testing.T) {
	w := theWorld()
	for _, f := range formats {
		once := sealFile(t, threePages(nil), w.stamp(t, f, noon), pdfx.Options{Straddle: &pdfx.Straddle{}})
		twice := sealFile(t, once, w.stamp(t, f, noon), pdfx.Options{Straddle: &pdfx.Straddle{Edge: pdfx.Left}, At: []pdfx.At{{Page: 2, X: 100, Y: 100}}})
		r := verifyFile(t, w, twice, nil)
		if got := fmt.Sprint(picturesOf(t, r)); r.Verdict != Valid || got != "[picture-parts ok]" {
			t.Errorf("%s: %s\n%s", f, got, r)
		}
		want(t, r, 0, Valid, "picture", "picture-parts")
	}
}

func TestFieldsFilledInTurn(t *testing.T) {
	w := theWorld()
	b := sealFile(t, threePages(nil), w.stamp(t, sign.Dual, noon), pdfx.Options{Straddle: &pdfx.Straddle{}, Certify: 2})
	b = sealFile(t, b, w.stamp(t, sign.SES, noon), pdfx.Options{Field: "Clerk"})
	b = sealFile(t, b, w.stamp(t, sign.CMS, noon), pdfx.Options{Field: "Judge"})
	r := verifyFile(t, w, b, nil)
	if r.Verdict != Valid || len(r.Signatures) != 3 {
		t.Errorf("%s", r)
	}
	for _, s := range r.Signatures[:2] {
		if c := s.Check("picture"); c.Code != codeOK {
			t.Errorf("%s: %+v", s.Name, c)
		}
	}
}

// Each file shows something else than the seal, by a change that is as long as what it replaces.
func TestPictureIsNotShownWhole(t *testing.T) {
	w := theWorld()
	strip := sealFile(t, threePages(nil), w.stamp(t, sign.CMS, noon), pdfx.Options{Straddle: &pdfx.Straddle{}})
	for name, c := range map[string]struct{ from, to, code string }{
		"a part twice":     {"q 127.5591 0 0 127.5591 -42.5197 0 cm", "q 127.5591 0 0 127.5591 -85.0394 0 cm", "picture-cut"},
		"a gap":            {"/BBox [0 0 42.5197 127.5591] /Resources", "/BBox [0 0 41.5197 127.5591] /Resources", "picture-differs"}, // of another form than the widget's
		"another height":   {"q 127.5591 0 0 127.5591 -42.5197 0 cm", "q 127.5591 0 0 117.5591 -42.5197 0 cm", "picture-differs"},
		"a part hidden":    {"/F 132", "/F 134", "picture-cut"},
		"a part not shown": {"/F 132", "/F 164", "picture-cut"},
		"moved":            {"q 127.5591 0 0 127.5591 -42.5197 0 cm", "q 127.5591 0 0 127.5591 -42.5197 9 cm", "picture-differs"},
		"beyond its edge":  {"q 127.5591 0 0 127.5591 -85.0394 0 cm", "q 127.5591 0 0 127.5591 -95.0394 0 cm", "picture-differs"},
		"stretched widget": {"/Rect [552.4803", "/Rect [502.4803", "picture-differs"},
	} {
		if bytes.Count(strip, []byte(c.from)) == 0 {
			t.Fatalf("%s: %q is not written", name, c.from)
		}
		b := bytes.Replace(strip, []byte(c.from), []byte(c.to), 1)
		r := verifyFile(t, w, b, nil)
		if got := r.Signatures[0].Check("picture"); got.Code != c.code || r.Verdict != Invalid {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What a lock forbids and comes all the same is invalid. The later signature is made for a file without the lock: its own value
// is wrong then, and what the first one says is what is looked at.
func TestLaterThanALock(t *testing.T) {
	w := theWorld()
	for name, c := range map[string]struct {
		lock     pdfx.Lock
		from, to string
		later    pdfx.Options
		code     string
	}{
		"whole":       {pdfx.Lock{}, "/Action /All /P 1", "/Action /All /P 3", pdfx.Options{}, "later-after-lock"},
		"whole again": {pdfx.Lock{}, "/FieldMDP", "/FieldXXX", pdfx.Options{Field: "Clerk"}, "later-after-lock"},
		"field":       {pdfx.Lock{Fields: []string{"Clerk"}}, "[(Clerk)]", "[(Xlerk)]", pdfx.Options{Field: "Clerk"}, "later-after-lock"},
		"other field": {pdfx.Lock{Fields: []string{"Clerk"}}, "[(Clerk)]", "[(Xlerk)]", pdfx.Options{Field: "Judge"}, "later-signatures"},
		"new field":   {pdfx.Lock{Fields: []string{"Clerk"}}, "[(Clerk)]", "[(Xlerk)]", pdfx.Options{}, "later-signatures"},
	} {
		locked := sealFile(t, threePages(nil), w.stamp(t, sign.CMS, noon), pdfx.Options{Lock: &c.lock, At: []pdfx.At{{Page: 2, X: 100, Y: 100}}})
		if r := verifyFile(t, w, locked, nil); r.Verdict != Valid {
			t.Fatalf("%s: %s", name, r)
		}
		open := bytes.ReplaceAll(locked, []byte(c.from), []byte(c.to))
		if name == "whole again" {
			open = bytes.ReplaceAll(open, []byte(" /Lock "), []byte(" /Xock "))
		}
		more := sealFile(t, open, w.stamp(t, sign.CMS, noon), c.later)[len(open):]
		r := verifyFile(t, w, append(bytes.Clone(locked), more...), nil)
		for _, s := range r.Signatures {
			if s.Revision == 2 {
				if got := s.Check("pdf-later"); got.Code != c.code {
					t.Errorf("%s: %+v\n%s", name, got, r)
				}
			}
		}
	}
}

// A seal that is shown smaller or larger than it is, by a field or by its widget, is told of; one that shows nothing is not the seal.
func TestPictureInAnotherSize(t *testing.T) {
	w := theWorld()
	tiny := map[int]string{8: "<< /Parent 7 0 R /Type /Annot /Subtype /Widget /F 4 /Rect [300 300 330 400] /P 3 0 R >>"}
	double := map[int]string{4: "<< /UserUnit 2 /Type /Page /Parent 2 0 R >>"}
	for name, c := range map[string]struct {
		file []byte
		code string
	}{
		"in a small field": {sealFile(t, threePages(tiny), w.stamp(t, sign.CMS, noon), pdfx.Options{Field: "Judge"}), "picture-size"},
		"as it is":         {sealFile(t, threePages(nil), w.stamp(t, sign.CMS, noon), pdfx.Options{Field: "Clerk"}), codeOK},
		"in other units": {sealFile(t, threePages(double), w.stamp(t, sign.CMS, noon),
			pdfx.Options{At: []pdfx.At{{Page: 2, X: 100, Y: 100}}}), codeOK},
	} {
		r := verifyFile(t, w, c.file, nil)
		if got := r.Signatures[0].Check("picture"); got.Code != c.code || r.Verdict != Valid {
			t.Errorf("%s: %+v", name, got)
		}
	}
	plain := sealFile(t, page(), w.stamp(t, sign.CMS, noon), visible)
	for from, c := range map[string]struct{ to, code string }{
		"/Rect [219.685": {"/Rect [119.685", "picture-differs"},
		"q 127.5591 0 0 127.5591 0 0 cm /Im Do Q": {"q 000.0000 0 0 000.0000 0 0 cm /Im Do Q", "picture-differs"},
		"/BBox [0 0 127.5591 127.5591]":           {"/BBox [0 0 000.0000 000.0000]", "picture-differs"},
	} {
		if !bytes.Contains(plain, []byte(from)) {
			t.Fatalf("%q is not written", from)
		}
		r := verifyFile(t, w, bytes.Replace(plain, []byte(from), []byte(c.to), 1), nil)
		if got := r.Signatures[0].Check("picture"); got.Code != c.code {
			t.Errorf("%s: %+v", from, got)
		}
	}
}
