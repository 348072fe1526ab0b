package pdftext

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftest"
)

// pictures draws a page and gives its pictures.
func pictures(t *testing.T, p page) (list []Ink, err error) {
	t.Helper()
	b := p.file()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		return nil, err
	}
	on, err := f.Page(1)
	if err != nil {
		return nil, err
	}
	_, err = New(f).Pictures(context.Background(), on, func(k *Ink) error {
		list = append(list, *k)
		return nil
	})
	return list, err
}

// What draws an image is found, with the image and where it stands; what else there is on the page is not read.
func TestPictures(t *testing.T) {
	img := pdftest.Stream("/Subtype /Image /Width 9 /Height 9", "x")
	form := "/Resources << /XObject << /Im 100 0 R >> >>\n2 0 0 2 0 0 cm /Im Do"
	for content, want := range map[string]string{
		"7 0 0 9 20 30 cm /Im Do":                                "",                                 // no such name in the page's resources
		"3 0 0 3 20 30 cm /X1 Do /X1 Do":                         "[6 0 0 6 20 30] [6 0 0 6 20 30] ", // the form leaves no trace
		"BT /F9 12 Tf (text) Tj ET":                              "",
		"q 3 0 0 4 5 6 cm BI /W 2 /H 1 /BPC 8 /CS /G ID ab EI Q": "[3 0 0 4 5 6] <Width 2 Height 1 BitsPerComponent 8 ColorSpace G > ab ",
		"BI /W 1.5 /IM true /D [1 0] /DP [null << /K -1 >>] /CS [/I /RGB 1 <00ff>] ID x EI": "[1 0 0 1 0 0] <Width 1.5 ImageMask true Decode [1 0 ] DecodeParms [null <K -1 > ] ColorSpace [I RGB 1 (00ff) ] > x  ",
		"BI /W [ [ [ ID x EI":       "[1 0 0 1 0 0] <Width [[[] ] ] > x  ",
		"BI ID EI BI /W 3 ID":       "[1 0 0 1 0 0] <>  [1 0 0 1 0 0] <Width 3 >  ",
		"/GS gs 0 0 100 100 re W n": "",
	} {
		list, err := pictures(t, page{content: content, forms: []string{form}, objects: []string{img}})
		if err != nil {
			t.Errorf("%s: %v", content, err)
		}
		got := ""
		for _, k := range list {
			got += fmt.Sprint(k.Image.Matrix) + " "
			if k.Image.Inline != nil {
				got += show(k.Image.Stream.Dict) + string(k.Image.Inline) + " "
			} else if k.Image.Stream.Dict.Get("Width") != int64(9) {
				t.Errorf("%s: another image", content)
			}
		}
		if got != want {
			t.Errorf("%s: %q, not %q", content, got, want)
		}
	}
}

// show writes what stands in the dictionary of an inline image.
func show(o pdf.Object) string {
	switch v := o.(type) {
	case nil:
		return "null "
	case *pdf.Dict:
		s := "<"
		for _, e := range v.Entries {
			s += string(e.Key) + " " + show(e.Value)
		}
		return s + "> "
	case *pdf.Array:
		s := "["
		for _, o := range v.Items {
			s += show(o)
		}
		return s + "] "
	case *pdf.String:
		return fmt.Sprintf("(%x) ", v.Value)
	}
	return fmt.Sprint(o) + " "
}

func FuzzPictures(f *testing.F) {
	f.Add("q 3 0 0 4 5 6 cm BI /W 2 /H 1 /BPC 8 /CS /G ID ab EI Q /X1 Do", "/Matrix [0 1 -1 0 0 0]\nBI /F [/Fl] /DP << /A [1 (b) <63> true null] >> ID x EI /X1 Do")
	f.Add("BI /W [ [ [ << ID x EI BI /W 3 ID", "\n1e300 0 0 1e300 0 0 cm BI ID  EI")
	f.Fuzz(func(t *testing.T, content, form string) {
		list, err := pictures(t, page{content: content, forms: []string{form}})
		if err != nil {
			typed(t, err)
		}
		for _, k := range list {
			if k.Kind != Picture || k.Image == nil || k.Image.Stream == nil || k.Image.Stream.Dict == nil {
				t.Fatalf("%+v", k)
			}
		}
	})
}
