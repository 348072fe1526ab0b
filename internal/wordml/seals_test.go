package wordml

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// Seals finds what a whole scan finds.
func TestSeals(t *testing.T) {
	part := []byte(`<w:document xmlns:w="` + transitional.w + `"><w:body><w:p><w:r><w:t>（院印）</w:t></w:r></w:p><w:sectPr/></w:body></w:document>`)
	for range 3 {
		d, err := Open(part, xmldoc.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		found, err := Seals(part, xmldoc.Limits{})
		if sc, _ := xmldoc.NewScanner(part, xmldoc.Limits{}); len(found) > 0 {
			if short := drawings(part, sc); len(short) == 0 || bytes.Contains(short, []byte("院印")) {
				t.Errorf("%s", short) // the text was read
			}
		}
		if err != nil || len(found) != len(d.Seals()) {
			t.Fatal(found, err)
		}
		for i, x := range d.Seals() {
			y := found[i]
			if x.ESID != y.ESID || x.Descr != y.Descr || x.RelID != y.RelID || x.Width != y.Width || x.Height != y.Height || x.Hidden != y.Hidden {
				t.Errorf("%+v, not %+v", y, x)
			}
		}
		splices, _, err := d.Place(d.End(), Picture{RelID: "rId7", ESID: "1101", Name: "法院", Width: 45, Height: 40}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		part = Apply(part, splices)
	}
	if found, _ := Seals(part, xmldoc.Limits{}); len(found) != 3 || found[0].Width != 45 || found[0].Height != 40 || found[0].RelID != "rId7" {
		t.Errorf("%+v", found)
	}
	if found, err := Seals([]byte(`<a>Courtseal <b name="Courtseal 1"/></a>`), xmldoc.Limits{}); err != nil || !reflect.DeepEqual(found, []Shown(nil)) {
		t.Error(found, err)
	}
}

// Pictures finds the drawings that claim nothing as well.
func TestPictures(t *testing.T) {
	part := []byte(`<w:document xmlns:w="` + transitional.w + `"><w:body><w:p><w:r><w:t>（院印）</w:t></w:r></w:p><w:sectPr/></w:body></w:document>`)
	d, err := Open(part, xmldoc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	splices, _, err := d.Place(d.End(), Picture{RelID: "rId7", ESID: "1101", Name: "法院", Width: 45, Height: 40}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	part = Apply(part, splices)
	other := bytes.ReplaceAll(part, []byte("Courtseal 1101"), []byte("Picture 7"))
	for _, b := range [][]byte{part, other} {
		found, err := Pictures(b, xmldoc.Limits{})
		if err != nil || len(found) != 1 || found[0].Width != 45 || found[0].Height != 40 || found[0].RelID != "rId7" || (found[0].ESID == "1101") != bytes.Equal(b, part) {
			t.Errorf("%+v %v", found, err)
		}
	}
	if found, _ := Seals(other, xmldoc.Limits{}); len(found) != 0 {
		t.Errorf("%+v", found)
	}
}
