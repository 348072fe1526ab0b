package wordml

import (
	"os"
	"path/filepath"
	"testing"
)

// Real documents take a seal at their end, on their first word and in their margins.
func TestVectors(t *testing.T) {
	names, _ := filepath.Glob("../../../shared/vectors/docx/*.docx")
	if len(names) == 0 {
		t.Skip("no shared vectors here")
	}
	for _, name := range names {
		if _, err := os.Stat(name); err != nil {
			t.Fatal(err)
		}
		d := open(t, string(vector(t, filepath.Base(name), "word/document.xml")))
		sameEnd(t, d, d.part)
		spots := []Spot{d.End(), d.Margin(d.LastSection())}
		for i := range d.lines {
			var b textBuffer
			if text, from := d.normal(i, &b); text != "" && !d.paras[d.lines[i].para].boxed {
				spots = append(spots, d.spot(i, &b, from[0], from[len(from)-1]))
				break
			}
		}
		for _, s := range spots {
			out, _ := seal(t, d, s, 0, 0)
			if n := len(open(t, out).Seals()); n != 1 {
				t.Errorf("%s: %d seals", name, n)
			}
		}
	}
	d := open(t, string(vector(t, "bookmarks.docx", "word/document.xml")))
	if s, ok := d.Bookmark("xwpf"); !ok || s.Text != "This is a sample Microsoft Word Document having bookmarks." {
		t.Errorf("%q, %v", s.Text, ok)
	}
	if list, err := d.Find("DOCUMENT having"); err != nil || len(list) != 0 {
		t.Errorf("letters of another case: %v, %v", list, err)
	}
	seal(t, d, find(t, d, "Documenthaving"), 0, 0)
	d = open(t, string(vector(t, "HeaderFooterUnicode.docx", "word/document.xml")))
	if s := d.LastSection(); s.Header != "rId7" || s.Footer != "rId9" || !s.EvenDiffers || s.FirstDiffers || int(s.Width) != 215 || int(s.Left*10) != 254 {
		t.Errorf("%+v", s)
	}
	for _, part := range []string{"word/header2.xml", "word/footer2.xml"} {
		h := open(t, string(vector(t, "HeaderFooterUnicode.docx", part)))
		seal(t, h, h.Margin(d.LastSection()), 0, 0)
	}
}
