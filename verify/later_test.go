package verify

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// form is page() with an interactive form and an empty signature field, signed once by hand: objects 1 to 6 are known.
func form() map[int]string {
	return map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> /Annots [6 0 R] >>",
		4: pdftest.Stream("", "0 0 1 rg 100 100 200 200 re f"),
		5: "<< /Fields [6 0 R] /SigFlags 3 /DA (/Helv 0 Tf) >>",
		6: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Waiting) /P 3 0 R /Rect [10 10 60 60] /F 4 >>",
		7: "<< /Kept 1 >>",
	}
}

func first(t *testing.T, w *world, objects map[int]string, entries string) []byte {
	s := signing(10, pdftest.Objects{
		3:  strings.Replace(objects[3], "/Annots [6 0 R]", "/Annots [6 0 R 11 0 R]", 1),
		5:  "<< /Fields [6 0 R 11 0 R] /SigFlags 3 /DA (/Helv 0 Tf) >>",
		11: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (First) /V 10 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>",
	})
	s.Entries = pdftest.Dated + entries
	return byHand(t, pdftest.File(pdftest.Table, objects), rawCMS{w.rsa, sign.SHA256, nil}, s)
}

// What a second signature may bring, and what it may not. The second one signs all of it and is valid itself.
func TestSecondSignature(t *testing.T) {
	w := theWorld()
	page3 := "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> /Annots [6 0 R 11 0 R 21 0 R] >>"
	form5 := "<< /Fields [6 0 R 11 0 R 21 0 R] /SigFlags 3 /DA (/Helv 0 Tf) >>"
	field := func(more string) string {
		return "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Second) /V 20 0 R /P 3 0 R /Rect [100 100 200 200] /F 132 /AP << /N 22 0 R >> " + more + ">>"
	}
	look := pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1] ", "")
	waiting := func(more string) string {
		return "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Waiting) /P 3 0 R /Rect [10 10 60 60] /F 4 " + more + ">>"
	}
	honest := map[int]string{3: page3, 5: form5, 21: field(""), 22: look}
	with := func(more map[int]string) map[int]string {
		out := map[int]string{}
		for _, m := range []map[int]string{honest, more} {
			for n, o := range m {
				out[n] = o
			}
		}
		return out
	}
	clean, dirty := "later-signatures", "later-changed"
	for _, x := range []struct {
		name    string
		objects map[int]string
		junk    string
		code    string
	}{
		{"honest", honest, "", clean},
		{"the waiting field", map[int]string{6: waiting("/V 20 0 R /AP << /N 22 0 R >> "), 22: look}, "", clean},
		{"object written again as it was", with(map[int]string{7: "<<   /Kept 1>>"}), "", clean},
		{"page content", with(map[int]string{4: pdftest.Stream("", "1 0 0 rg 100 100 200 200 re f")}), "", dirty},
		{"page content, same length", with(map[int]string{4: pdftest.Stream("", "0 0 1 rg 100 100 200 201 re f")}), "", dirty},
		{"page box", with(map[int]string{3: strings.Replace(page3, "595", "300", 1)}), "", dirty},
		{"page key twice", with(map[int]string{3: strings.Replace(page3, "/MediaBox", "/Contents 22 0 R /MediaBox", 1)}), "", dirty},
		{"page's other contents", with(map[int]string{3: strings.Replace(page3, "4 0 R", "22 0 R", 1)}), "", dirty},
		{"an object that nothing leads to", with(map[int]string{7: "<< /Kept 2 >>"}), "", clean},
		{"another page", with(map[int]string{2: "<< /Type /Pages /Kids [3 0 R 30 0 R] /Count 2 >>", 30: page3}), "", dirty},
		{"the catalog's action", with(map[int]string{1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R /OpenAction 23 0 R >>", 23: "<< /S /JavaScript /JS (1) >>"}), "", dirty},
		{"the form's resources", with(map[int]string{5: strings.Replace(form5, "/DA (/Helv 0 Tf)", "/DA (/Helv 9 Tf)", 1)}), "", dirty},
		{"the form asks for new appearances", with(map[int]string{5: strings.Replace(form5, "/DA", "/NeedAppearances true /DA", 1)}), "", dirty},
		{"an annotation", with(map[int]string{3: strings.Replace(page3, "21 0 R", "21 0 R 23 0 R", 1), 23: "<< /Type /Annot /Subtype /Square /Rect [0 0 500 800] /C [1 1 1] >>"}), "", "later-annotated"},
		{"an annotation in the page", with(map[int]string{3: strings.Replace(page3, "21 0 R", "21 0 R << /Type /Annot /Subtype /Square /Rect [0 0 5 8] >>", 1)}), "", "later-annotated"},
		{"another field", with(map[int]string{5: strings.Replace(form5, "21 0 R", "21 0 R 23 0 R", 1), 23: "<< /FT /Tx /T (X) /V (Y) >>"}), "", dirty},
		{"annotations in another order", with(map[int]string{3: strings.Replace(page3, "6 0 R 11 0 R", "11 0 R 6 0 R", 1)}), "", dirty},
		{"an annotation less", with(map[int]string{3: strings.Replace(page3, "6 0 R ", "", 1)}), "", dirty},
		{"the first field moved", with(map[int]string{11: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (First) /V 10 0 R /P 3 0 R /Rect [0 0 9 9] /F 132 >>"}), "", dirty},
		{"the first field's look", with(map[int]string{11: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (First) /V 10 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 /AP << /N 22 0 R >> >>"}), "", dirty},
		{"the waiting field moved", map[int]string{6: strings.Replace(waiting("/V 20 0 R "), "[10 10", "[10 20", 1)}, "", dirty},
		{"the field has an action", with(map[int]string{21: field("/A << /S /URI /URI (http://x) >> ")}), "", dirty},
		{"the field is a page too", with(map[int]string{21: strings.Replace(field(""), "/Type /Annot", "/Type /Page", 1)}), "", dirty},
		{"bytes of no object", honest, "31 0 obj\n<< /Hidden true >>\nendobj\n", "later-bytes"},
		{"a comment", honest, "% nothing\n", "later-bytes"},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := signing(20, x.objects)
			s.Junk = x.junk
			file := byHand(t, first(t, w, form(), ""), rawCMS{w.rsa, sign.SHA256, nil}, s)
			r := verifyFile(t, w, file, nil)
			v := Valid
			switch {
			case x.name == "page key twice": // and then no reader can be trusted to read the page as another does
				v = Invalid
			case x.code == dirty:
				v = Invalid
			case x.code != clean:
				v = Indeterminate
			}
			for i := range r.Signatures {
				if r.Signatures[i].Name == "First" {
					want(t, r, i, v, "pdf-later", x.code)
				} else if x.name != "page key twice" {
					want(t, r, i, Valid, "pdf-later", "ok")
				}
			}
			if len(r.Signatures) != 2 {
				t.Errorf("%d signatures\n%s", len(r.Signatures), r)
			}
		})
	}
}

// A signature that takes the field of an earlier one hides it; who signed in between says so.
func TestSignatureReplaced(t *testing.T) {
	w := theWorld()
	one := func(sig int, name string) string {
		return fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /V %d 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>", name, sig)
	}
	signer := rawCMS{w.rsa, sign.SHA256, nil}
	file := byHand(t, first(t, w, form(), ""), signer, signing(20, pdftest.Objects{
		3: strings.Replace(form()[3], "[6 0 R]", "[6 0 R 11 0 R 21 0 R]", 1), 5: "<< /Fields [6 0 R 11 0 R 21 0 R] /SigFlags 3 /DA (/Helv 0 Tf) >>",
		21: one(20, "Second"),
	}))
	file = byHand(t, file, signer, signing(30, pdftest.Objects{11: one(30, "First")}))
	r := verifyFile(t, w, file, nil)
	want(t, r, 0, Valid, "pdf-later", "ok")
	want(t, r, 1, Invalid, "pdf-later", "later-changed")
}

// Objects in two roles, and references that led nowhere when the first one signed.
func TestReachedAnotherWay(t *testing.T) {
	w := theWorld()
	signed := func(t *testing.T, objects map[int]string) *Report {
		file := pdftest.File(pdftest.Table, objects)
		for range 2 {
			file = sealFile(t, file, cmsSigner(t, w.rsa), pdfx.Options{})
		}
		return verifyFile(t, w, file, nil)
	}
	t.Run("arrays of their own", func(t *testing.T) {
		o := form()
		o[1] = "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R >>"
		o[3] = strings.Replace(o[3], "[6 0 R]", "8 0 R", 1)
		o[5] = "<< /Fields 9 0 R /SigFlags 3 /DA (/Helv 0 Tf) >>"
		o[6] = "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Text) /P 3 0 R /Rect [10 10 60 60] /F 4 >>"
		o[8], o[9] = "[6 0 R]", "[6 0 R]"
		want(t, signed(t, o), 0, Valid, "pdf-later", "later-signatures")
	})
	t.Run("fields are pages too", func(t *testing.T) {
		o := form()
		o[2] = "<< /Type /Pages /Kids 8 0 R /Count 1 >>"
		o[5] = "<< /Fields 8 0 R /SigFlags 3 /DA (/Helv 0 Tf) >>"
		o[8] = "[3 0 R]"
		want(t, signed(t, o), 0, Invalid, "pdf-later", "later-changed")
	})
	t.Run("annotations are contents too", func(t *testing.T) {
		o := form()
		o[3] = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 8 0 R /Resources << >> /Annots 8 0 R >>"
		o[6] = "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Text) /P 3 0 R /Rect [10 10 60 60] /F 4 >>"
		o[8] = "[4 0 R]"
		want(t, signed(t, o), 0, Invalid, "pdf-later", "later-changed")
	})
	t.Run("a reference to nothing", func(t *testing.T) {
		for _, where := range []int{2, 3, 7} { // 3 is defined again, 7 is not reached
			o := form()
			if where == 2 {
				o[2] = "<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /XObject << /X 22 0 R >> >> >>"
			} else {
				o[where] = strings.Replace(o[where], "<<", "<< /Hidden 22 0 R ", 1)
			}
			file := first(t, w, o, "")
			page := strings.Replace(strings.Replace(o[3], "/Annots [6 0 R]", "/Annots [6 0 R 11 0 R 21 0 R]", 1), "\n", "", -1)
			file = byHand(t, file, rawCMS{w.rsa, sign.SHA256, nil}, signing(20, pdftest.Objects{
				3: page, 5: "<< /Fields [6 0 R 11 0 R 21 0 R] /SigFlags 3 /DA (/Helv 0 Tf) >>",
				21: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Second) /V 20 0 R /P 3 0 R /Rect [0 0 9 9] /F 132 /AP << /N 22 0 R >> >>",
				22: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 1 1] ", "0 0 1 1 re f"),
			}))
			r := verifyFile(t, w, file, nil)
			i := 0
			if r.Signatures[1].Name == "First" {
				i = 1
			}
			if where == 7 {
				want(t, r, i, Valid, "pdf-later", "later-signatures")
			} else {
				want(t, r, i, Invalid, "pdf-later", "later-changed")
			}
		}
	})
}

// After the last signature nothing may follow at all.
func TestUpdatesAfterSigning(t *testing.T) {
	w := theWorld()
	file := sealFile(t, page(), w.stamp(t, sign.CMS, noon), visible)
	body := "4 0 obj\n" + pdftest.Stream("", "1 0 0 rg 0 0 500 500 re f") + "\nendobj\n"
	full := pdftest.Revision{Objects: pdftest.Objects{4: pdftest.Stream("", "1 0 0 rg 0 0 500 500 re f")}}.Append(file)
	tail := full[len(file):]
	for _, x := range []struct {
		name string
		file []byte
		code string
	}{
		{"nothing", file, "ok"},
		{"a line end", append(bytes.Clone(file), '\n'), "later-bytes"},
		{"a zero", append(bytes.Clone(file), 0), "later-bytes"},
		{"text", append(bytes.Clone(file), "% hello\n"...), "later-bytes"},
		{"body only", append(bytes.Clone(file), body...), "later-bytes"},
		{"body and trailer", append(bytes.Clone(file), body+"trailer\n<< /Size 99 /Root 1 0 R >>\n"...), "later-bytes"},
		{"a full update", full, "later-changed"},
		{"a full update and more", append(bytes.Clone(full), "more"...), "later-changed"},
		{"an update without its end", full[:len(full)-len("%%EOF\n")], ""},
		{"an update cut short", append(bytes.Clone(file), tail[:len(tail)/2]...), ""},
		{"an empty update", pdftest.Revision{}.Append(file), "later-signatures"},
		{"a new form", pdftest.Revision{Objects: pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>"}}.Append(file), ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			r, err := Document(t.Context(), bytes.NewReader(x.file), int64(len(x.file)), Options{Roots: w.roots, At: noon})
			if x.code == "" { // hidden or broken: whatever is said, it is not valid
				if err == nil && r.Verdict == Valid {
					t.Errorf("valid\n%s", r)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			v := Indeterminate
			switch x.code {
			case "ok", "later-signatures":
				v = Valid
			case "later-changed":
				v = Invalid
			}
			want(t, r, 0, v, "pdf-later", x.code)
		})
	}
}

func TestCertification(t *testing.T) {
	w := theWorld()
	for p, v := range map[int]Verdict{1: Invalid, 2: Valid, 3: Valid} {
		entries := fmt.Sprintf("/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P %d /V /1.2 >> >>]", p)
		file := first(t, w, form(), entries)
		r := verifyFile(t, w, file, nil)
		want(t, r, 0, Valid, "pdf-later", "ok")
		file = byHand(t, file, rawCMS{w.rsa, sign.SHA256, nil}, signing(20, pdftest.Objects{
			6: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Waiting) /P 3 0 R /Rect [10 10 60 60] /F 4 /V 20 0 R >>"}))
		r = verifyFile(t, w, file, nil)
		i := 0
		if r.Signatures[1].Name == "First" {
			i = 1
		}
		code := map[Verdict]string{Invalid: "later-after-certification", Valid: "later-signatures"}[v]
		want(t, r, i, v, "pdf-later", code)
	}
}

// What a seal allows by its kind is told, and changes nothing.
func TestLaterAllowed(t *testing.T) {
	w := theWorld()
	comment := overlaid("<< /Type /Annot /Subtype /Stamp /Rect [400 10 450 20] /F 4 LOOK >>")
	for _, k := range pdftest.Kinds {
		for _, l := range []level{approval, fillForms, annotate} {
			file := filled(noteNum, "(AB)", smallLook)(t, victimOf(t, k, sign.SES, l))
			want(t, verifyFile(t, w, file, nil), 0, Valid, "pdf-later", "later-allowed")
		}
		want(t, verifyFile(t, w, comment(t, victimOf(t, k, sign.SES, annotate)), nil), 0, Valid, "pdf-later", "later-allowed")
	}
}

// Several signatures of every format leave the earlier ones as good as they were.
func TestManySignatures(t *testing.T) {
	w := theWorld()
	file := page()
	for i := range 6 {
		o := visible
		if i%2 == 1 {
			o = pdfx.Options{}
		}
		file = sealFile(t, file, w.stamp(t, formats[i%3], noon), o)
	}
	r := verifyFile(t, w, file, nil)
	if len(r.Signatures) != 6 || r.Verdict != Valid || r.Revisions != 7 {
		t.Errorf("%s", r)
	}
	for i := range r.Signatures {
		code := "later-signatures"
		if i == 5 {
			code = "ok"
		}
		want(t, r, i, Valid, "pdf-later", code)
	}
}

// Metadata may be written again, as a stream of XML in which no key stands twice: two readers must not see two things in it.
func TestMetadataWrittenAgain(t *testing.T) {
	w := theWorld()
	objects := form()
	objects[1] = strings.Replace(objects[1], ">>", "/Metadata 8 0 R >>", 1)
	objects[8] = pdftest.Stream("/Type /Metadata /Subtype /XML", "<x/>")
	signer := rawCMS{w.rsa, sign.SHA256, nil}
	for entries, code := range map[string]string{
		"/Type /Metadata /Subtype /XML":                  "later-allowed",
		"/Type /Metadata /Subtype /XML /Subtype /XML":    "later-changed",
		"/Type /Metadata /Subtype /XML /Resources 4 0 R": "later-changed",
		"/Type /XObject /Subtype /Form":                  "later-changed",
	} {
		file := byHand(t, first(t, w, objects, ""), signer, signing(20, pdftest.Objects{
			3: strings.Replace(objects[3], "[6 0 R]", "[6 0 R 11 0 R 21 0 R]", 1), 5: "<< /Fields [6 0 R 11 0 R 21 0 R] /SigFlags 3 /DA (/Helv 0 Tf) >>",
			21: "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Second) /V 20 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>",
			8:  pdftest.Stream(entries, "<y/>"),
		}))
		r := verifyFile(t, w, file, nil)
		for i, s := range r.Signatures {
			if s.Name == "First" {
				want(t, r, i, map[string]Verdict{"later-allowed": Valid, "later-changed": Invalid}[code], "pdf-later", code)
			}
		}
	}
}
