package verify

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// docxShowing is a Word document that shows a picture of a kind, so many mm large; 0: in a group, which is not looked into.
func docxShowing(t testing.TB, kind, picture string, mm float64) []byte {
	const ns = ` xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"` +
		` xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"`
	drawing := fmt.Sprintf(`<w:drawing><wp:inline><wp:extent cx="%[1]d" cy="%[1]d"/><wp:docPr id="7" name="Picture 7"/><a:graphic><a:graphicData `+
		`uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:blipFill><a:blip r:embed="rId9"/></pic:blipFill></pic:pic></a:graphicData></a:graphic>`+
		`</wp:inline></w:drawing>`, int(mm*36000))
	if mm == 0 {
		drawing = `<w:pict r:id="rId9"/>`
	}
	return packageOf(t, "word/document.xml", openXML+"wordprocessingml.document.main+xml",
		xmlHead+`<w:document xmlns:w="`+wordML+`"`+ns+`><w:body><w:p><w:r><w:t>`+judgement+`</w:t>`+drawing+`</w:r></w:p><w:sectPr/></w:body></w:document>`,
		override("/word/media/image1."+kind, "image/"+kind), rel("rId9", docRel+"image", "media/image1."+kind),
		"word/media/image1."+kind, picture)
}

func TestOfficePictureWithoutSignature(t *testing.T) {
	w, e := theWorld(), courtSeals()[0]
	gray := jpegOf(onPaper(e), 40)
	for name, c := range map[string]struct {
		kind, picture string
		mm            float64
		code          string // of the only note; "": none
	}{
		"PNG":                {"png", string(e.Picture.Data), 45, "unsigned-picture"},
		"JPEG":               {"jpeg", gray, 40, "unsigned-picture"},
		"in a group":         {"jpeg", gray, 0, "unsigned-picture"},
		"as large as a page": {"png", string(e.Picture.Data), 200, ""},
		"a metafile":         {"emf", "\x01\x00\x00\x00", 45, "picture-not-compared"},
		"a small metafile":   {"emf", "\x01\x00\x00\x00", 10, ""},
		"a chart":            {"emf", "\x01\x00\x00\x00", 0, ""},
		"cut short":          {"png", string(e.Picture.Data[:2000]), 45, "picture-not-compared"},
		"another court's":    {"png", string(courtSeals()[1].Picture.Data), 45, ""},
	} {
		file := docxShowing(t, c.kind, c.picture, c.mm)
		for _, r := range []*Report{unsignedReport(t, file, e), verifyFile(t, w, sealDocx(t, file, w.stampOf(t, e, sign.SES, noon), officex.Options{}), nil)} {
			if c.code == "" && len(r.Notes) > 0 || c.code != "" && (len(r.Notes) != 1 || r.Notes[0].Code != c.code || !strings.Contains(r.Notes[0].Detail.EN, "/word/media/image1."+c.kind)) {
				t.Errorf("%s: %v", name, r.Notes)
			}
		}
		if r := unsignedReport(t, file); len(r.Notes) > 0 {
			t.Errorf("%s, no seal known: %v", name, r.Notes)
		}
	}
}

// What a document shows of the seals that it is sealed with is nobody else's picture.
func TestOfficeSealIsNoLookalike(t *testing.T) {
	s := *sealed()
	w := *s.world
	w.seal = w.make(func(e *seal.Seal) {
		e.Certs = append(e.Certs, s.p256.Chain()[0])
		e.Picture = courtSeals()[0].Picture
	})
	s.world, s.files = &w, map[string][]byte{}
	for _, way := range ways {
		r, err := s.verify(s.file(t, way))
		if err != nil || r.Verdict != Valid || len(r.Notes) > 0 {
			t.Errorf("%s: %v\n%s", way, err, r)
		}
	}
	other := docxShowing(t, "png", string(courtSeals()[0].Picture.Data), 45)
	r, err := s.verify(s.sealed(t, bytes.Clone(other), wayDual))
	if err != nil || len(notesOf(r, "unsigned-picture")) != 1 {
		t.Errorf("%v\n%s", err, r)
	}
}
