package appearance

import (
	"crypto/sha256"
	"fmt"
	"regexp"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/sign"
)

// An Outcome says how the appearance found in a file stands to the picture of a seal.
type Outcome int

const (
	Foreign   Outcome = iota // made by other software: it cannot be compared
	Same                     // exactly what this package makes of the picture
	Different                // made like ours, but not of this picture
)

var content = regexp.MustCompile(`^q [0-9.]+ 0 0 [0-9.]+ 0 0 cm /Im Do Q$`)

// Compare says whether form, an appearance stream of f or a reference to one, is what this package makes of p: its content and
// every dictionary exactly, the image by its samples, so that another version of the compressor is no difference. The error
// says why the picture cannot be converted or the file not be read.
func Compare(f *pdf.File, form pdf.Object, p *sign.Picture) (Outcome, error) {
	st, err := stream(f, form)
	if err != nil || st == nil || st.Length > 256 {
		return Foreign, err
	}
	text, err := f.Data(st)
	if err != nil || !content.Match(text) {
		return Foreign, err
	}
	a, err := Of(p)
	if err != nil {
		return Foreign, err
	}
	img, ok := a.formHolds(st.Dict)
	if !ok || string(text) != string(a.content()) {
		return Different, nil
	}
	found, err := stream(f, img)
	if err != nil || found == nil {
		return Different, err
	}
	mask, masked := found.Dict.Get("SMask").(pdf.Ref)
	if masked != (a.mask != nil) {
		return Different, nil
	}
	if same, err := a.base.is(f, found, masked); !same {
		return Different, err
	}
	if !masked {
		return Same, nil
	}
	found, err = stream(f, mask)
	if err != nil || found == nil {
		return Different, err
	}
	if same, err := a.mask.is(f, found, false); !same {
		return Different, err
	}
	return Same, nil
}

func stream(f *pdf.File, o pdf.Object) (*pdf.Stream, error) {
	o, err := f.Resolve(o)
	if err != nil {
		return nil, fmt.Errorf("appearance: %w", err)
	}
	st, _ := o.(*pdf.Stream)
	return st, nil
}

// formHolds checks the form's dictionary and gives its image.
func (a *Appearance) formHolds(d *pdf.Dict) (img pdf.Ref, ok bool) {
	n := 5
	if m := d.Get("Matrix"); m != nil {
		n++
		switch written(m) {
		case matrix(90), matrix(180), matrix(270):
		default:
			return img, false
		}
	}
	res, _ := d.Get("Resources").(*pdf.Dict)
	if res == nil || len(res.Entries) != 1 || len(d.Entries) != n || d.Get("Length") == nil {
		return img, false
	}
	objs, _ := res.Get("XObject").(*pdf.Dict)
	if objs == nil || len(objs.Entries) != 1 {
		return img, false
	}
	img, ok = objs.Get("Im").(pdf.Ref)
	return img, ok && written(d.Get("Type")) == "/XObject" && written(d.Get("Subtype")) == "/Form" && written(d.Get("BBox")) == a.bbox()
}

func written(o pdf.Object) string { return string(pdf.AppendObject(nil, o)) }

// is compares an image with one found in a file.
func (m *image) is(f *pdf.File, st *pdf.Stream, masked bool) (bool, error) {
	n := len(m.entries) + 1 // /Length
	if masked {
		n++
	}
	if len(st.Dict.Entries) != n || st.Dict.Get("Length") == nil {
		return false, nil
	}
	for _, e := range m.entries {
		want := e.value
		if want == "" {
			want = string(m.indexed(nil, m.palette))
		}
		if written(st.Dict.Get(e.key)) != want {
			return false, nil
		}
	}
	if m.dct { // compared as it stands
		st = &pdf.Stream{Dict: &pdf.Dict{}, Offset: st.Offset, Length: st.Length, Ref: st.Ref}
	}
	samples, err := f.Data(st)
	if err != nil {
		return false, err
	}
	return sha256.Sum256(samples) == m.sum, nil
}
