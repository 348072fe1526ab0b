package verify

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"strings"
	"sync"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
	"github.com/courtseal/courtseal/sign"
)

// Two courts whose names differ in one character, each with a seal of the world's maker and holder.
var courtSeals = sync.OnceValue(func() (list []*seal.Seal) {
	for i, name := range []string{"北京市海淀区人民法院", "北京市朝阳区人民法院", "北京市第一中级人民法院", "北京市第二中级人民法院"} {
		p, err := imprint.Draw(imprint.Options{Name: name, DPI: 150})
		if err != nil {
			panic(err)
		}
		list = append(list, theWorld().make(func(e *seal.Seal) { e.ID, e.Name, e.Picture = fmt.Sprintf("1101%010d", i+1), name, p }))
	}
	return list
})

// onPaper is the picture of a seal on white paper.
func onPaper(e *seal.Seal) *image.RGBA {
	img, err := png.Decode(bytes.NewReader(e.Picture.Data))
	if err != nil {
		panic(err)
	}
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Over)
	return out
}

func jpegOf(img image.Image, quality int) string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	return b.String()
}

// imageXObject is a seal as a JPEG of a PDF.
func imageXObject(e *seal.Seal) string {
	img := onPaper(e)
	return pdftest.Stream(fmt.Sprintf("/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode ",
		img.Rect.Dx(), img.Rect.Dy()), jpegOf(img, 60))
}

// inlineImage is a seal in grey that stands in the content, half as large.
func inlineImage(e *seal.Seal) string {
	img := onPaper(e)
	w, h := img.Rect.Dx()/2, img.Rect.Dy()/2
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	for y := range h {
		for x := range w {
			c := color.GrayModel.Convert(img.At(2*x, 2*y)).(color.Gray)
			z.Write([]byte{c.Y})
		}
	}
	z.Close()
	return fmt.Sprintf("BI /W %d /H %d /CS /G /BPC 8 /F [/Fl] ID %s\nEI", w, h, b.String())
}

// drawn is a page that runs content; its resources have /Seal, a JPEG of the seal, and /Form, which draws it 45 mm large at its origin.
// more are entries of the page.
func drawn(e *seal.Seal, content, more string, extra pdftest.Objects) []byte {
	objects := pdftest.Objects{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /Seal 5 0 R /Form 6 0 R >> >> " + more + " >>",
		4: pdftest.Stream("", content),
		5: imageXObject(e),
		6: pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 128 128] /Resources << /XObject << /Seal 5 0 R >> >> ", "127.56 0 0 127.56 0 0 cm /Seal Do"),
	}
	return pdftest.File(pdftest.Table, objects.With(extra))
}

// notesOf are the notes of a code.
func notesOf(r *Report, code string) (texts []string) {
	for _, n := range r.Notes {
		if n.Code == code {
			texts = append(texts, n.Detail.String())
		}
	}
	return texts
}

func unsignedReport(t *testing.T, file []byte, seals ...*seal.Seal) *Report {
	t.Helper()
	var o Options
	for _, e := range seals {
		o.Seals = append(o.Seals, e.Raw)
	}
	r, err := Document(context.Background(), bytes.NewReader(file), int64(len(file)), o)
	if !errors.Is(err, ErrUnsigned) {
		t.Fatal(err)
	}
	return r
}

const at45 = "q 127.56 0 0 127.56 200 300 cm /Seal Do Q"

// The picture of a seal on a page with nothing behind it is told of, however it is drawn.
func TestPictureWithoutSignature(t *testing.T) {
	e := courtSeals()[0]
	appearance := "<< /Type /Annot /Subtype /%s /Rect [200 300 327.56 427.56] /F 4 /AP << /N 6 0 R >> >>"
	middle := "93 mm from the left and 169 mm from the top"
	for name, c := range map[string]struct {
		content, more string
		extra         pdftest.Objects
		where         string // "": it is not told of
	}{
		"an image":            {at45, "", nil, "page 1, " + middle + ", drawn by the page itself"},
		"in a form":           {"1 0 0 1 200 300 cm /Form Do", "", nil, middle},
		"in the content":      {"127.56 0 0 127.56 200 300 cm " + inlineImage(e), "", nil, middle},
		"a stamp":             {"", "/Annots [7 0 R]", pdftest.Objects{7: fmt.Sprintf(appearance, "Stamp")}, middle + ", in an annotation (Stamp)"},
		"a field":             {"", "/Annots [" + fmt.Sprintf(appearance, "Widget") + "]", nil, middle + ", in an annotation (Widget)"},
		"smaller":             {"72 0 0 72 200 300 cm /Seal Do", "", nil, "83 mm from the left and 179 mm from the top"},
		"turned on the page":  {"0 127.56 -127.56 0 327.56 300 cm /Seal Do", "/Rotate 90", nil, "128 mm from the left and 93 mm from the top"},
		"in other units":      {"63.78 0 0 63.78 200 300 cm /Seal Do", "/UserUnit 2", nil, "164 mm from the left and 360 mm from the top"},
		"sideways":            {"0 127.56 -127.56 0 327.56 300 cm /Seal Do", "", nil, ""}, // nobody takes that for a seal
		"a scan of the page":  {"595 0 0 842 0 0 cm /Seal Do", "", nil, ""},
		"a small logo":        {"20 0 0 20 0 0 cm /Seal Do", "", nil, ""},
		"a hidden annotation": {"", "/Annots [7 0 R]", pdftest.Objects{7: strings.Replace(fmt.Sprintf(appearance, "Stamp"), "/F 4", "/F 2", 1)}, ""},
	} {
		file := drawn(e, c.content, c.more, c.extra)
		r := unsignedReport(t, file, courtSeals()[:2]...)
		notes := notesOf(r, "unsigned-picture")
		switch {
		case c.where == "" && len(r.Notes) > 0:
			t.Errorf("%s: %v", name, r.Notes)
		case c.where == "":
		case len(r.Notes) != 1 || len(notes) != 1 || !strings.Contains(notes[0], c.where) || !strings.Contains(notes[0], e.Name+" (esID "+e.ID+") by 9"):
			t.Errorf("%s: %v", name, r.Notes)
		}
		if r := unsignedReport(t, file, courtSeals()[1]); len(r.Notes) > 0 {
			t.Errorf("%s: taken for another court's: %v", name, r.Notes)
		}
	}
}

// Beside a signature with the seal the picture is told of, and the signature's own appearance is not.
func TestPictureBesideSignature(t *testing.T) {
	w, e := theWorld(), courtSeals()[0]
	for _, f := range formats {
		plain := sealFile(t, page(), w.stampOf(t, e, f, noon), visible)
		if r := verifyFile(t, w, plain, nil); r.Verdict != Valid || len(r.Notes) > 0 {
			t.Errorf("%s: %s", f, r)
		}
		beside := sealFile(t, drawn(e, at45, "", nil), w.stampOf(t, e, f, noon), visible)
		if r := verifyFile(t, w, beside, nil); r.Verdict != Valid || len(r.Notes) != 1 || len(notesOf(r, "unsigned-picture")) != 1 {
			t.Errorf("%s: %s", f, r)
		}
	}
	straddled := sealFile(t, threePages(nil), w.stampOf(t, e, sign.CMS, noon), pdfx.Options{Straddle: &pdfx.Straddle{}})
	if r := verifyFile(t, w, straddled, func(o *Options) { o.Seals = [][]byte{e.Raw} }); r.Verdict != Valid || len(r.Notes) > 0 {
		t.Errorf("%s", r)
	}
}

// What cannot be decoded is told of where it is as large as a seal, and nothing is told where no seal is known.
func TestPictureNotCompared(t *testing.T) {
	e := courtSeals()[0]
	jpx := pdftest.Objects{5: pdftest.Stream("/Type /XObject /Subtype /Image /Width 400 /Height 400 /Filter /JPXDecode ", "xxxx")}
	bomb := pdftest.Objects{5: pdftest.Stream("/Type /XObject /Subtype /Image /Width 40000 /Height 40000 /BitsPerComponent 8 /ColorSpace /DeviceGray ", "xxxx")}
	for name, c := range map[string]struct {
		extra   pdftest.Objects
		content string
		notes   int
	}{
		"JPEG 2000":           {jpx, at45, 1},
		"JPEG 2000, as large": {jpx, "595 0 0 842 0 0 cm /Seal Do", 0},
		"many pixels":         {bomb, at45, 1},
		"no image":            {pdftest.Objects{5: "<< >>"}, at45, 0},
		"everywhere":          {jpx, strings.Repeat(at45+"\n", 100), maxPictureNotes + 1},
	} {
		file := drawn(e, c.content, "", c.extra)
		r := unsignedReport(t, file, e)
		if n := len(notesOf(r, "picture-not-compared")); n != c.notes || len(r.Notes) != n {
			t.Errorf("%s: %v", name, r.Notes)
		}
		if r := unsignedReport(t, file); len(r.Notes) > 0 {
			t.Errorf("%s, no seal: %v", name, r.Notes)
		}
	}
	r := unsignedReport(t, drawn(e, at45, "", nil), e, &seal.Seal{Raw: []byte("no seal")})
	if len(notesOf(r, "unusable-input")) != 1 || len(notesOf(r, "unsigned-picture")) != 1 {
		t.Errorf("%v", r.Notes)
	}
}

// BenchmarkLookalikes is what a look over pages costs that have nothing but text, and over pages with the picture of another seal.
func BenchmarkLookalikes(b *testing.B) {
	w, e := theWorld(), courtSeals()[0]
	text := strings.Repeat("BT /F1 12 Tf 72 700 Td (All of this is text that nobody takes for a picture.) Tj ET\n", 60)
	for name, content := range map[string]string{"text": text, "pictures": text + at45} {
		const pages = 1000
		objects := pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>", 4: imageXObject(courtSeals()[1])}
		kids := ""
		for i := range pages {
			resources := "<< >>"
			if name == "pictures" {
				resources = "<< /XObject << /Seal 4 0 R >> >>"
			}
			objects[5+2*i] = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents " + fmt.Sprint(6+2*i) + " 0 R /Resources " + resources + " >>"
			objects[6+2*i] = pdftest.Flate("", content)
			kids += fmt.Sprintf("%d 0 R ", 5+2*i)
		}
		objects[2] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids, pages)
		objects[3] = "<< >>"
		plain := pdftest.File(pdftest.Table, objects)
		for kind, file := range map[string][]byte{"seal": sealFile(b, plain, w.stampOf(b, e, sign.CMS, noon), visible), "no seal": sealFile(b, plain, cmsSigner(b, w.sm2), pdfx.Options{})} {
			b.Run(name+"/"+kind, func(b *testing.B) { bench(b, w, file) })
		}
	}
}
