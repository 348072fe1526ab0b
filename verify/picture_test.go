package verify

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// A shownSeal is a file with one visible seal, its objects as they stand there.
type shownSeal struct {
	file         []byte
	widget, form int
	widgetRaw    string
}

func showSeal(t *testing.T, file []byte, s sign.Signer) shownSeal {
	t.Helper()
	b := sealFile(t, file, s, visible)
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := f.Signatures()
	if err != nil || len(list) != 1 || len(list[0].Widgets) != 1 {
		t.Fatal(list, err)
	}
	w, err := f.Load(list[0].Widgets[0])
	if err != nil {
		t.Fatal(err)
	}
	form := w.Dict().Get("AP").(*pdf.Dict).Get("N").(pdf.Ref)
	return shownSeal{b, int(w.Ref.Num), int(form.Num), string(w.Raw)}
}

// edited is the widget with another text.
func (s shownSeal) edited(t *testing.T, from, to string) string {
	t.Helper()
	if !strings.Contains(s.widgetRaw, from) {
		t.Fatalf("%q is not in %s", from, s.widgetRaw)
	}
	return strings.Replace(s.widgetRaw, from, to, 1)
}

func (s shownSeal) with(o pdftest.Objects) []byte {
	return pdftest.Revision{Objects: o}.Append(s.file)
}

// A seal counts as shown where a page shows it: on a page that lists its widget, inside of its edges, in no layer that is off.
func TestWhereASealIsShown(t *testing.T) {
	w := theWorld()
	s := showSeal(t, page(), w.stamp(t, sign.CMS, noon))
	onPage := fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> /Annots [%d 0 R]", s.widget)
	rect := s.widgetRaw[strings.Index(s.widgetRaw, "/Rect ["):]
	rect = rect[:strings.Index(rect, "]")+1]
	layer := func(oc string) pdftest.Objects { return pdftest.Objects{s.widget: s.edited(t, rect, rect+" /OC "+oc)} }
	groups := func(config string) pdftest.Objects {
		return pdftest.Objects{1: s.catalog(t, "/OCProperties << /OCGs [90 0 R 91 0 R] /D << "+config+" >> >>"), 90: "<< /Type /OCG /Name (a) >>", 91: "<< /Type /OCG /Name (b) >>"}
	}
	both := "<< /Type /OCMD /OCGs [90 0 R 91 0 R] %s >>"
	for name, c := range map[string]struct {
		objects pdftest.Objects
		code    string
	}{
		"as it is":             {pdftest.Objects{4: pdftest.Stream("", "")}, codeOK},
		"not listed":           {pdftest.Objects{3: strings.Replace(onPage, "/Annots", "/Xnnots", 1) + " >>"}, "picture-on-no-page"},
		"listed in an object":  {pdftest.Objects{3: onPage[:strings.Index(onPage, "/Annots")] + "/Annots 90 0 R >>", 90: fmt.Sprintf("[%d 0 R]", s.widget)}, codeOK},
		"names no page":        {pdftest.Objects{s.widget: s.edited(t, "/P 3 0 R", "")}, codeOK},
		"names none, no page":  {pdftest.Objects{s.widget: s.edited(t, "/P 3 0 R", ""), 3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"}, "picture-on-no-page"},
		"names another object": {pdftest.Objects{s.widget: s.edited(t, "/P 3 0 R", "/P 4 0 R")}, "picture-on-no-page"},
		"names another page":   {pdftest.Objects{s.widget: s.edited(t, "/P 3 0 R", "/P 90 0 R"), 2: "<< /Type /Pages /Kids [3 0 R 90 0 R] /Count 2 >>", 90: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"}, "picture-on-no-page"},
		"on a page of no tree": {pdftest.Objects{2: "<< /Type /Pages /Kids [90 0 R] /Count 1 >>", 90: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"}, "picture-on-no-page"},
		"deeper":               {pdftest.Objects{2: "<< /Type /Pages /Kids [90 0 R] /Count 1 /Rotate 0 >>", 90: "<< /Type /Pages /Parent 2 0 R /Kids [3 0 R] /Count 1 >>", 3: strings.Replace(onPage, "2 0 R", "90 0 R", 1) + " >>"}, codeOK},
		"page turned":          {pdftest.Objects{3: onPage + " /Rotate 90 >>"}, "picture-turned"},
		"turned from above":    {pdftest.Objects{2: "<< /Type /Pages /Kids [3 0 R] /Count 1 /Rotate 180 >>"}, "picture-turned"},
		"beyond the edge":      {pdftest.Objects{s.widget: s.edited(t, rect, "/Rect [600 300 727.5591 427.5591]")}, "picture-outside"},
		"mostly beyond":        {pdftest.Objects{s.widget: s.edited(t, rect, "/Rect [540 300 667.5591 427.5591]")}, "picture-outside"},
		"overhanging":          {pdftest.Objects{s.widget: s.edited(t, rect, "/Rect [500 300 627.5591 427.5591]")}, codeOK},
		"cropped":              {pdftest.Objects{3: onPage + " /CropBox [0 0 100 100] >>"}, "picture-outside"},
		"no such layer":        {layer("90 0 R"), codeOK},
		"layer on":             {layer("90 0 R").With(groups("/OFF [91 0 R]")), codeOK},
		"layer off":            {layer("90 0 R").With(groups("/OFF [90 0 R]")), "picture-layer-off"},
		"all off":              {layer("90 0 R").With(groups("/BaseState /OFF /ON [91 0 R]")), "picture-layer-off"},
		"all off but one":      {layer("90 0 R").With(groups("/BaseState /OFF /ON [90 0 R]")), codeOK},
		"for print":            {layer("90 0 R").With(groups("/AS [<< /Event /View /OCGs [90 0 R] /Category [/View] >>]")), "picture-layer-off"},
		"one of two":           {layer(fmt.Sprintf(both, "")).With(groups("/OFF [90 0 R]")), codeOK},
		"none of two":          {layer(fmt.Sprintf(both, "")).With(groups("/OFF [90 0 R 91 0 R]")), "picture-layer-off"},
		"both":                 {layer(fmt.Sprintf(both, "/P /AllOn")).With(groups("")), "picture-layer-off"}, // not looked into
		"by an expression":     {layer(fmt.Sprintf(both, "/VE [/Not 90 0 R]")).With(groups("")), "picture-layer-off"},
		"a layer that is none": {layer("<< >>").With(groups("")), "picture-layer-off"},
		"without any size":     {pdftest.Objects{s.widget: s.edited(t, rect, "/Rect [200 300 200 427.5591]")}, "invisible"},
	} {
		r := verifyFile(t, w, s.with(c.objects), nil)
		if got := r.Signatures[0].Check("picture"); got.Code != c.code {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// catalog is the catalog of the file with more in it.
func (s shownSeal) catalog(t *testing.T, more string) string {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(s.file), int64(len(s.file)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(c.Raw), ">>") + more + " >>"
}

// An appearance that other software made shows what it shows.
func TestForeignAppearance(t *testing.T) {
	w, e, other := theWorld(), courtSeals()[0], courtSeals()[1]
	s := showSeal(t, page(), w.stampOf(t, e, sign.CMS, noon))
	form := func(content string) string {
		return pdftest.Stream("/Subtype /Form /Type /XObject /BBox [0 0 128 128] /Resources << /XObject << /Im 90 0 R /More 91 0 R >> "+
			"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> ", content)
	}
	ours := "q 127.5591 0 0 127.5591 0 0 cm /Im Do Q"
	show := "q 128 0 0 128 0 0 cm /Im Do Q "
	for name, c := range map[string]struct {
		content string
		code    string
		objects pdftest.Objects
	}{
		"the seal":                {show, "picture-resembles", nil},
		"drawn like ours":         {ours, "picture-resembles", nil},
		"in a form":               {"/More Do", "picture-resembles", pdftest.Objects{91: pdftest.Stream("/Subtype /Form /BBox [0 0 128 128] /Resources << /XObject << /Im 90 0 R >> >> ", show)}},
		"beside another":          {show + "q 9 0 0 9 0 0 cm /More Do Q", "picture-resembles", pdftest.Objects{91: imageXObject(other)}},
		"inline":                  {"q 128 0 0 128 0 0 cm " + inlineImage(e) + " Q", "picture-resembles", nil},
		"with text":               {show + "BT /F1 9 Tf 20 20 Td (2026-06-01) Tj ET", "picture-resembles", nil},
		"another court's":         {show, "picture-differs", pdftest.Objects{90: imageXObject(other)}},
		"another's, like ours":    {ours, "picture-differs", pdftest.Objects{90: imageXObject(other)}},
		"another's, with text":    {show + "BT /F1 9 Tf 20 20 Td (2026-06-01) Tj ET", "picture-foreign", pdftest.Objects{90: imageXObject(other)}},
		"upside down":             {"q -128 0 0 -128 128 128 cm /Im Do Q", "picture-differs", nil},
		"a white cover":           {show + "1 g 0 0 100 100 re f", "picture-foreign", nil},
		"a half of it":            {"0 0 64 128 re W n " + show, "picture-foreign", nil},
		"half out of the form":    {"q 128 0 0 128 64 0 cm /Im Do Q", "picture-foreign", nil},
		"paths":                   {"0 0 100 100 re f", "picture-foreign", nil},
		"nothing":                 {"", "picture-foreign", nil},
		"what cannot be decoded":  {show, "picture-foreign", pdftest.Objects{90: pdftest.Stream("/Subtype /Image /Width 400 /Height 400 /Filter /JPXDecode ", "x")}},
		"another look on a touch": {show, "picture-foreign", pdftest.Objects{s.widget: s.edited(t, "/AP << ", fmt.Sprintf("/AP << /R %d 0 R ", s.form))}},
	} {
		objects := pdftest.Objects{s.form: form(c.content), 90: imageXObject(e), 91: "<< >>"}.With(c.objects)
		r := verifyFile(t, w, s.with(objects), nil)
		got := r.Signatures[0].Check("picture")
		if got.Code != c.code || got.Verdict != map[string]Verdict{"picture-differs": Invalid}[c.code] && got.Verdict != NotAsked {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// A seal whose picture shows nothing that could be compared.
	plain := showSeal(t, page(), w.stamp(t, sign.CMS, noon))
	r := verifyFile(t, w, plain.with(pdftest.Objects{plain.form: form(show), 90: imageXObject(e)}), nil)
	if got := r.Signatures[0].Check("picture"); got.Code != "picture-foreign" {
		t.Errorf("%+v", got)
	}
	// The appearance of a signature with another seal, and of one without any.
	for name, signer := range map[string]sign.Signer{"another seal": w.stamp(t, sign.CMS, noon), "no seal": cmsSigner(t, w.sm2)} {
		s := plain
		if name == "no seal" {
			b := sealFile(t, threePages(nil), signer, pdfx.Options{Field: "Clerk"})
			s = shownSeal{file: b, widget: 6, form: pdftest.Unused(b)}
			o, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
			if err != nil {
				t.Fatal(err)
			}
			w, err := o.Load(pdf.Ref{Num: 6})
			if err != nil {
				t.Fatal(err)
			}
			s.widgetRaw = strings.TrimSuffix(string(w.Raw), ">>") + fmt.Sprintf("/AP << /N %d 0 R >> >>", s.form)
		}
		r := verifyFile(t, w, s.with(pdftest.Objects{s.widget: s.widgetRaw, s.form: form(show), s.form + 90: "<< >>", 90: imageXObject(e)}), func(o *Options) { o.Seals = [][]byte{e.Raw} })
		if notes := notesOf(r, "unsigned-picture"); len(notes) != 1 || !strings.Contains(notes[0], "in the signature field "+r.Signatures[0].Name) {
			t.Errorf("%s: %v", name, r.Notes)
		}
	}
}

// Many widgets on many pages are placed in one walk.
func TestSealOnManyPages(t *testing.T) {
	w := theWorld()
	objects := pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>"}
	kids := ""
	for i := range 19 {
		objects[3+i] = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"
		kids += fmt.Sprintf("%d 0 R ", 3+i)
	}
	objects[2] = "<< /Type /Pages /Kids [" + kids + "] /Count 19 >>"
	b := sealFile(t, pdftest.File(pdftest.Table, objects), w.stamp(t, sign.CMS, noon), pdfx.Options{Straddle: &pdfx.Straddle{}})
	r := verifyFile(t, w, b, nil)
	want(t, r, 0, Valid, "picture", "picture-parts")
	hidden := strings.Replace(string(b), "/P 20 0 R", "/P 21 0 R", 1)
	if hidden == string(b) {
		t.Fatal("no widget on page 18")
	}
	if got := verifyFile(t, w, []byte(hidden), nil).Signatures[0].Check("picture"); got.Code != "picture-cut" {
		t.Errorf("%+v", got)
	}
}

// Pictures of seals in files that other programs wrote: LibreOffice from a document, Ghostscript from that.
func TestPictureThroughOtherPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("LibreOffice takes seconds")
	}
	soffice, gs := peer(t, "soffice"), peer(t, "gs")
	e := courtSeals()[0]
	dir := t.TempDir()
	in := filepath.Join(dir, "a.docx")
	if err := os.WriteFile(in, docxShowing(t, "png", string(e.Picture.Data), 45), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(soffice, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", "pdf:writer_pdf_Export", "--outdir", dir, in)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	names := []string{filepath.Join(dir, "a.pdf")}
	for i, o := range []string{"-dPDFSETTINGS=/screen", "-sColorConversionStrategy=Gray"} {
		name := filepath.Join(dir, fmt.Sprintf("%d.pdf", i))
		if out, err := exec.Command(gs, "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", o, "-o", name, names[0]).CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		names = append(names, name)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := Document(context.Background(), bytes.NewReader(b), int64(len(b)), Options{Seals: [][]byte{e.Raw, courtSeals()[1].Raw}})
		if notes := notesOf(r, "unsigned-picture"); err != ErrUnsigned || len(notes) != 1 || !strings.Contains(notes[0], e.ID) {
			t.Errorf("%s: %v %v", filepath.Base(name), err, r.Notes)
		} else {
			t.Log(notes[0])
		}
	}
}

// Many signatures with appearances that take long to look at end soon.
func TestForeignAppearancesHostile(t *testing.T) {
	w, e := theWorld(), courtSeals()[0]
	s := showSeal(t, page(), w.stampOf(t, e, sign.SES, noon))
	long := strings.Repeat("q 1 0 0 1 0 0 cm Q\n", 1<<20)
	objects := pdftest.Objects{s.form: pdftest.Flate("/Subtype /Form /BBox [0 0 128 128] ", long)}
	fields := ""
	for i := range 60 {
		objects[100+i] = strings.Replace(s.widgetRaw, "/T (", fmt.Sprintf("/T (%d", i), 1)
		fields += fmt.Sprintf("%d 0 R ", 100+i)
	}
	objects[3] = fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [%s] >>", fields)
	objects[1] = "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [" + fields + "] >> >>"
	start := time.Now()
	r := verifyFile(t, w, s.with(objects), nil)
	if len(r.Signatures) != 60 || time.Since(start) > 60*time.Second {
		t.Errorf("%d signatures, %v", len(r.Signatures), time.Since(start))
	}
	t.Log(time.Since(start))
}
