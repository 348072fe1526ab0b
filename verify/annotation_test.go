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

	"github.com/courtseal/courtseal/internal/pageink"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftest"
)

// noteExamples are annotations that may be added, with every key that they may have.
var noteExamples = map[string]string{
	"Text":           "/Open true /Name /Comment /State (Accepted) /StateModel (Review)",
	"FreeText":       "/DA (/Helv 9 Tf) /Q 1 /DS (font: 9pt) /CL [1 2 3 4] /BE << /S /C >> /RD [1 1 1 1] /BS << /W 1 >> /LE /None /Rotate 90",
	"Line":           "/L [1 2 3 4] /BS << /W 1 >> /LE [/None /None] /IC [1 0 0] /LL 1 /LLE 1 /Cap true /LLO 1 /CP /Top /Measure << >> /CO [0 0]",
	"Square":         "/BS << /W 1 >> /IC [1 0 0] /BE << /S /C >> /RD [1 1 1 1]",
	"Circle":         "/BS << /W 1 >> /IC [1 0 0] /BE << /S /C >> /RD [1 1 1 1]",
	"Polygon":        "/Vertices [1 2 3 4 5 6] /LE [/None /None] /BS << /W 1 >> /IC [1 0 0] /BE << /S /C >> /Measure << >> /Path [[1 2] [3 4]]",
	"PolyLine":       "/Vertices [1 2 3 4 5 6] /LE [/None /None] /BS << /W 1 >> /IC [1 0 0] /BE << /S /C >> /Measure << >> /Path [[1 2] [3 4]]",
	"Highlight":      "/QuadPoints [1 2 3 4 5 6 7 8]",
	"Underline":      "/QuadPoints [1 2 3 4 5 6 7 8]",
	"Squiggly":       "/QuadPoints [1 2 3 4 5 6 7 8]",
	"StrikeOut":      "/QuadPoints [1 2 3 4 5 6 7 8]",
	"Caret":          "/RD [1 1 1 1] /Sy /P",
	"Stamp":          "/Name /Approved /Rotate 90",
	"Ink":            "/InkList [[1 2 3 4]] /BS << /W 1 >> /Path [[1 2] [3 4]]",
	"FileAttachment": "/FS << /Type /Filespec /F (a) /EF << >> >> /Name /PushPin",
	"Popup":          "/Parent 9 0 R /Open true",
}

const (
	allHave    = "/Type /Annot /Contents (a) /P 3 0 R /NM (a) /M (D:2026) /F 4 /AP << >> /AS /On /Border [0 0 1] /C [1 0 0] /StructParent 1 /ca 1 /CA 1 /BM /Normal /Lang (en) "
	markupHave = "/T (a) /Popup 9 0 R /RC (a) /CreationDate (D:2026) /IRT 9 0 R /Subj (a) /RT /R /IT /A "
)

func dictOf(t *testing.T, text string) *pdf.Dict {
	t.Helper()
	o, err := pdf.Parse([]byte(text), pdf.Limits{Depth: 9, Items: 999})
	if err != nil {
		t.Fatal(text, err)
	}
	d, ok := o.(*pdf.Dict)
	if !ok {
		t.Fatal(text)
	}
	return d
}

// Every kind of annotation, with the keys that it may have and with one that it may not.
func TestLaterAnnotation(t *testing.T) {
	keys := map[pdf.Name]bool{}
	for _, k := range strings.Fields("A AA PA Action Dest URI H MK OC AF DV V FT Ff Kids TU TM MaxLen Opt TI I Lock SV DR NA Movie Sound RichMediaContent " +
		"RichMediaSettings 3DD 3DV 3DA QuadPointsX OverlayText Repeat RO FixedPrint ExData LastModified Version AnnotStates FontFauxing Fields Data Bogus") {
		keys[pdf.Name(k)] = true
	}
	examples := map[string]*pdf.Dict{}
	for kind, own := range noteExamples {
		text := "<< /Subtype /" + kind + " /Rect [1 1 9 9] " + allHave + own
		if kind != "Popup" {
			text += markupHave
		}
		d := dictOf(t, text+">>")
		examples[kind] = d
		if why := laterAnnotation(d); why != nil {
			t.Errorf("%s: %s", kind, why.EN)
		}
		for _, e := range d.Entries {
			keys[e.Key] = true
		}
	}
	wrong := 0
	for kind, d := range examples {
		for k := range keys {
			if d.Get(k) != nil {
				continue
			}
			with := &pdf.Dict{Entries: append(append([]pdf.Entry{}, d.Entries...), pdf.Entry{Key: k, Value: int64(1)})}
			if why := laterAnnotation(with); why == nil || why.EN != "it has /"+string(k) || !strings.HasSuffix(why.ZH, "/"+string(k)) {
				t.Errorf("%s may have /%s: %v", kind, k, why)
			}
			wrong++
		}
		twice := &pdf.Dict{Entries: append(append([]pdf.Entry{}, d.Entries...), pdf.Entry{Key: "Rect", Value: int64(1)})}
		if laterAnnotation(twice) == nil {
			t.Errorf("%s may have a key twice", kind)
		}
	}
	if wrong < 1000 {
		t.Errorf("%d keys", wrong)
	}
	for _, kind := range strings.Fields("Widget Link Screen Movie Sound RichMedia 3D Redact Watermark PrinterMark TrapNet Projection Bogus") {
		if laterAnnotation(dictOf(t, "<< /Subtype /"+kind+" /Rect [1 1 9 9] >>")) == nil {
			t.Errorf("%s may be added", kind)
		}
	}
	for _, text := range []string{"<< /Rect [1 1 9 9] >>", "<< /Subtype (Text) >>", "<< /Type /Page /Subtype /Text >>"} {
		if laterAnnotation(dictOf(t, text)) == nil {
			t.Errorf("%s may be added", text)
		}
	}
	if laterAnnotation(nil) == nil {
		t.Error("nothing may be added")
	}
}

// noteFile is a page with one annotation, whose appearance is 20 0 R; 21 0 R is a form in it.
func noteFile(t *testing.T, annotation, look, group, inner string) (*pdf.File, *pdf.Page, *pdf.Dict, []byte) {
	t.Helper()
	res := "/Resources << /ExtGState << /M << /BM /Multiply >> /D << /BM [/Darken /Normal] >> /N << /BM /Normal >> /H << /ca 0.5 >> >> /XObject << /X 21 0 R /I 22 0 R >> " +
		"/Shading << /Sh << /ShadingType 2 /ColorSpace /DeviceGray /Coords [0 0 9 9] /Extend [true true] /Function << /FunctionType 2 /Domain [0 1] /N 1 >> >> >> /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> /ColorSpace << /S [/Separation /Red /DeviceRGB << /FunctionType 2 /Domain [0 1] /C0 [1 1 1] /C1 [1 0 0] /N 1 >>] >> >> "
	b := pdftest.File(pdftest.Table, pdftest.Objects{
		1:  "<< /Type /Catalog /Pages 2 0 R >>",
		2:  "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3:  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 400] /Annots [9 0 R] /Contents 4 0 R /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
		4:  pdftest.Stream("", "BT /F 14 Tf 104 104 Td (The sum is 100,000) Tj ET"),
		9:  "<< " + annotation + " >>",
		20: pdftest.Stream("/Subtype /Form /BBox [0 0 150 20] "+group+res, look),
		21: pdftest.Stream("/Subtype /Form /BBox [0 0 150 20] "+group+res, inner),
		22: pdftest.Stream("/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8", "a"),
	})
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Page(1)
	if err != nil {
		t.Fatal(err)
	}
	o, err := f.Load(pdf.Ref{Num: 9})
	if err != nil {
		t.Fatal(err)
	}
	return f, p, o.Dict(), b
}

const group, isolated = "/Group << /S /Transparency >> ", "/Group << /S /Transparency /I true >> "

// What annotations may hide of the line that they stand on.
var lookCases = []struct {
	name, annotation, look, group, inner string
	covers                               bool
}{
	{"a highlight", "/Subtype /Highlight /C [1 1 0]", "", "", "", false},
	{"a dark highlight", "/Subtype /Highlight /C [0.1 0 0]", "", "", "", true},
	{"a black one", "/Subtype /Highlight /C [0]", "", "", "", true},
	{"one of ink", "/Subtype /Highlight /C [0 0 1 0]", "", "", "", false},
	{"one of dark ink", "/Subtype /Highlight /C [0 0 0 1]", "", "", "", true},
	{"one without colour", "/Subtype /Highlight /C []", "", "", "", false},
	{"an underline", "/Subtype /Underline /C [0]", "", "", "", false},
	{"a note", "/Subtype /Text", "", "", "", false},
	{"a window", "/Subtype /Popup /Open true", "", "", "", false},
	{"an attachment", "/Subtype /FileAttachment /FS << /EF << >> >>", "", "", "", false},
	{"a stamp", "/Subtype /Stamp", "", "", "", true},
	{"a hidden stamp", "/Subtype /Stamp /F 2", "", "", "", false},
	{"a stamp that is not viewed", "/Subtype /Stamp /F 32", "", "", "", false},
	{"but printed", "/Subtype /Stamp /F 36", "", "", "", true},
	{"or viewed when touched", "/Subtype /Stamp /F 288", "", "", "", true},
	{"free text", "/Subtype /FreeText /DA (/Helv 9 Tf)", "", "", "", true},
	{"a frame", "/Subtype /Square /C [1 0 0]", "", "", "", false},
	{"a wide frame", "/Subtype /Square /BS << /W 9 >>", "", "", "", true},
	{"a wide frame in the old way", "/Subtype /Square /Border [0 0 9]", "", "", "", true},
	{"a filled frame", "/Subtype /Circle /IC [1 1 1]", "", "", "", true},
	{"a line", "/Subtype /Line /L [100 105 250 105]", "", "", "", false},
	{"a scribble", "/Subtype /Ink /InkList [[100 100 250 120]]", "", "", "", true},
	{"a polygon that is a scribble", "/Subtype /Polygon /Vertices [" + strings.Repeat("100 100 120 120 ", 20) + "]", "", "", "", true},

	{"multiplied", "/Subtype /Highlight", "/M gs 1 1 0 rg 0 0 150 20 re f", "", "", false},
	{"darkened", "/Subtype /Highlight", "/D gs 1 1 0 rg 0 0 150 20 re f", "", "", false},
	{"multiplied in a group", "/Subtype /Highlight", "/M gs 1 1 0 rg 0 0 150 20 re f", group, "", false},
	{"apart from the page", "/Subtype /Highlight", "/M gs 1 1 0 rg 0 0 150 20 re f", isolated, "", true},
	{"a form", "/Subtype /Highlight", "/M gs /X Do", "", "1 1 0 rg 0 0 150 20 re f", false},
	{"a group in a group", "/Subtype /Highlight", "/M gs /X Do", group, "1 1 0 rg 0 0 150 20 re f", false},
	{"set to normal in a form", "/Subtype /Highlight", "/M gs /X Do", "", "/N gs 1 1 0 rg 0 0 150 20 re f", true},
	{"set to normal again", "/Subtype /Highlight", "/M gs /N gs 1 1 0 rg 0 0 150 20 re f", "", "", true},
	{"normal", "/Subtype /Highlight", "1 1 0 rg 0 0 150 20 re f", "", "", true},
	{"white", "/Subtype /Highlight", "1 g 0 0 150 20 re f", "", "", true},
	{"half transparent", "/Subtype /Highlight", "/H gs 1 1 0 rg 0 0 150 20 re f", "", "", true},
	{"multiplied black", "/Subtype /Highlight", "/M gs 0 0 150 20 re f", "", "", true},
	{"multiplied dark again and again", "/Subtype /Highlight", "/M gs 0.7 g " + strings.Repeat("0 0 150 20 re f ", 4), "", "", true},
	{"side by side", "/Subtype /Highlight", "/M gs 0.7 g 0 0 50 20 re f 50 0 50 20 re f 99 0 50 20 re f", "", "", false},
	{"multiplied in a strange colour", "/Subtype /Highlight", "/M gs /S cs 0.5 scn 0 0 150 20 re f", "", "", true},
	{"text", "/Subtype /Highlight", "/M gs BT /F 9 Tf (9) Tj ET", "", "", true},
	{"a picture", "/Subtype /Highlight", "/M gs 50 0 0 20 0 0 cm /I Do", "", "", true},
	{"a shading", "/Subtype /Highlight", "/M gs /Sh sh", "", "", true},
	{"outside of its box", "/Subtype /Highlight", "1 g 0 30 150 20 re f", "", "", false},
	{"a line under", "/Subtype /Underline", "1 0 0 RG 1 w 0 2 m 150 2 l S", "", "", false},
	{"a filled line under", "/Subtype /Underline", "1 0 0 rg 0 2 150 1.5 re f", "", "", false},
	{"a line through", "/Subtype /StrikeOut", "1 0 0 RG 1.2 w 0 9 m 150 9 l S", "", "", false},
	{"a wavy line", "/Subtype /Squiggly", "1 0 0 RG 0.8 w 0 1 m " + waves() + "S", "", "", false},
	{"a wide line", "/Subtype /StrikeOut", "1 G 20 w 0 10 m 150 10 l S", "", "", true},
	{"lines that lie close", "/Subtype /StrikeOut", "1 G 1 w " + hatch() + "S", "", "", true},
	{"filled lines that lie close", "/Subtype /StrikeOut", "1 g " + strings.ReplaceAll(bars(), "S", "f"), "", "", true},
	{"a frame with a look", "/Subtype /Square", "1 w 1 1 148 18 re S", "", "", false},
	{"a filled frame with a look", "/Subtype /Square", "1 1 0 rg 1 1 148 18 re B", "", "", true},
	{"handwriting", "/Subtype /Ink", "1 w 0 0 m 40 20 60 0 80 20 c 100 5 120 0 150 15 c S", "", "", false},
	{"a mark by a broad pen", "/Subtype /Ink", "/M gs 1 1 0 RG 20 w 0 10 m 150 10 l S", "", "", false},
	{"nothing", "/Subtype /FreeText", "", "", "% nothing", false},
}

func waves() (s string) {
	for x := 2; x <= 150; x += 2 {
		s += fmt.Sprintf("%d %d l ", x, x/2%2*2)
	}
	return s
}

func hatch() (s string) {
	for x := 0; x <= 150; x++ {
		s += fmt.Sprintf("%d 0 m %d 20 l ", x, x)
	}
	return s
}

func bars() (s string) {
	for y := 0; y < 20; y++ {
		s += fmt.Sprintf("0 %d 150 0.9 re S ", y)
	}
	return s
}

func TestLaterLook(t *testing.T) {
	for _, c := range lookCases {
		annotation := c.annotation + " /Rect [100 100 250 120]"
		if c.look != "" || c.inner != "" {
			annotation += " /AP << /N 20 0 R >>"
		}
		f, p, d, _ := noteFile(t, annotation, c.look, c.group, c.inner)
		if why := laterAnnotation(d); why != nil {
			t.Errorf("%s: %s", c.name, why.EN)
		}
		got, err := laterLook(context.Background(), pageink.New(f), f, p, d)
		if err != nil || got.Wrong != nil || got.Covers != c.covers {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if want := [4]float64{100, 100, 250, 120}; got.Area != want {
			t.Errorf("%s: area %v", c.name, got.Area)
		}
	}
}

// What is not judged to hide anything leaves the line readable as mutool draws it: dark points of its letters stay darker than what is
// around them.
func TestLooksDrawnByMutool(t *testing.T) {
	mutool := peer(t, "mutool")
	draw := func(b []byte) []byte {
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pgm")
		if err := os.WriteFile(in, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if text, err := exec.Command(mutool, "draw", "-q", "-r", "144", "-c", "gray", "-F", "pgm", "-o", out, in, "1").CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		pgm, err := os.ReadFile(out)
		if err != nil || len(pgm) < 800*800 {
			t.Fatal(len(pgm), err)
		}
		return pgm[len(pgm)-800*800:]
	}
	_, _, _, b := noteFile(t, "/Subtype /Popup /Rect [0 0 1 1]", "", "", "")
	plain := draw(b)
	hides := 0
	for _, c := range lookCases {
		if c.look == "" && c.inner == "" { // readers differ in what they draw by themselves
			continue
		}
		_, _, _, b := noteFile(t, c.annotation+" /Rect [100 100 250 120] /AP << /N 20 0 R >>", c.look, c.group, c.inner)
		shown := draw(b)
		dark, kept, around, light := 0, 0, 0, 0
		for y := 2 * 280; y < 2*300; y++ {
			for x := 2 * 100; x < 2*250; x++ {
				at := y*800 + x
				switch {
				case plain[at] < 60:
					if dark++; shown[at] < 100 {
						kept++
					}
				case plain[at] > 250:
					if around++; shown[at] > 110 {
						light++
					}
				}
			}
		}
		if dark < 200 {
			t.Fatal("the line is not there")
		}
		readable := kept*10 > dark*7 && light*10 > around*7
		if !readable {
			hides++
		}
		if !readable && !c.covers {
			t.Errorf("%s: %d of %d dark points are dark, %d of %d light ones light", c.name, kept, dark, light, around)
		}
	}
	if hides < 8 {
		t.Errorf("%d looks hide the line", hides)
	}
}

// What leads out of the file, or is no appearance.
func TestLaterLookWrong(t *testing.T) {
	for name, annotation := range map[string]string{
		"a file elsewhere":         "/Subtype /FileAttachment /FS (a.exe)",
		"an address":               "/Subtype /FileAttachment /FS << /FS /URL /F (http://example.com) /EF << >> >>",
		"a file that is not there": "/Subtype /FileAttachment /FS << /F (a) >>",
		"an unknown look":          "/Subtype /Stamp /AP << /N 20 0 R /X 20 0 R >>",
		"a look that is none":      "/Subtype /Stamp /AP [20 0 R]",
		"no place":                 "/Subtype /Stamp /Rect [1 2 3]",
	} {
		if !strings.Contains(annotation, "/Rect") {
			annotation += " /Rect [100 100 250 120]"
		}
		f, p, d, _ := noteFile(t, annotation, "", "", "")
		got, err := laterLook(context.Background(), pageink.New(f), f, p, d)
		if err != nil || got.Wrong == nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, entry := range []string{"/Ref << >>", "/F (a)", "/OPI << >>", "/PS 22 0 R", "/Subtype2 /PS"} {
		f, p, d, _ := noteFile(t, "/Subtype /Stamp /Rect [100 100 250 120] /AP << /N << /On 20 0 R >> >>", "/X Do", entry, "")
		got, err := laterLook(context.Background(), pageink.New(f), f, p, d)
		if err != nil || got.Wrong == nil {
			t.Errorf("%s: %+v, %v", entry, got, err)
		}
	}
	f, p, d, _ := noteFile(t, "/Subtype /Ink /Rect [100 100 150 120] /InkList [[90 110 300 130]]", "", "", "")
	if got, err := laterLook(context.Background(), pageink.New(f), f, p, d); err != nil || got.Area != [4]float64{90, 100, 300, 130} {
		t.Errorf("%+v, %v", got, err)
	}
	f, p, d, _ = noteFile(t, "/Subtype /Stamp /Rect [100 100 250 120] /AP << /N 20 0 R >>", "BT /None 9 Tf (a) Tj ET", "", "")
	if got, err := laterLook(context.Background(), pageink.New(f), f, p, d); err == nil {
		t.Errorf("%+v", got)
	}
}
