package verify

import (
	"context"
	"fmt"
	"slices"

	"github.com/courtseal/courtseal/internal/pageink"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// keysOfAll are the keys that any annotation may have (ISO 32000-2, table 166), without those that act or that let it come and go.
var keysOfAll = []pdf.Name{"Type", "Subtype", "Rect", "Contents", "P", "NM", "M", "F", "AP", "AS", "Border", "C", "StructParent", "ca", "CA", "BM", "Lang"}

// keysOfMarkup are those that markup annotations have besides (table 172).
var keysOfMarkup = []pdf.Name{"T", "Popup", "RC", "CreationDate", "IRT", "Subj", "RT", "IT"}

// markups are the annotations that may come and go where annotations are allowed (12.5.6.2), with the keys of their own.
var markups = map[pdf.Name][]pdf.Name{
	"Text":           {"Open", "Name", "State", "StateModel"},
	"FreeText":       {"DA", "Q", "DS", "CL", "BE", "RD", "BS", "LE", "Rotate"},
	"Line":           {"L", "BS", "LE", "IC", "LL", "LLE", "Cap", "LLO", "CP", "Measure", "CO"},
	"Square":         {"BS", "IC", "BE", "RD"},
	"Circle":         {"BS", "IC", "BE", "RD"},
	"Polygon":        {"Vertices", "LE", "BS", "IC", "BE", "Measure", "Path"},
	"PolyLine":       {"Vertices", "LE", "BS", "IC", "BE", "Measure", "Path"},
	"Highlight":      {"QuadPoints"},
	"Underline":      {"QuadPoints"},
	"Squiggly":       {"QuadPoints"},
	"StrikeOut":      {"QuadPoints"},
	"Caret":          {"RD", "Sy"},
	"Stamp":          {"Name", "Rotate"},
	"Ink":            {"InkList", "BS", "Path"},
	"Popup":          {"Parent", "Open"},
	"FileAttachment": {"FS", "Name"},
}

// laterAnnotation says why an annotation is none that may be added where annotations are allowed (DocMDP P 3); nil: it is one. What
// it shows is laterLook's business.
func laterAnnotation(d *pdf.Dict) *Text {
	if d == nil {
		return &Text{"不是字典", "it is no dictionary"}
	}
	kind, _ := d.Get("Subtype").(pdf.Name)
	own, ok := markups[kind]
	if !ok {
		return &Text{"此类注释不是批注", "an annotation of this kind is no markup"}
	}
	if d.Duplicate() != "" {
		return &Text{"有重复的键", "a key stands twice in it"}
	}
	if t := d.Get("Type"); t != nil && t != pdf.Name("Annot") {
		return &Text{"/Type 不是 Annot", "its /Type is not Annot"}
	}
	for _, e := range d.Entries {
		k := e.Key
		if e.Value == nil || slices.Contains(keysOfAll, k) || slices.Contains(own, k) || kind != "Popup" && slices.Contains(keysOfMarkup, k) {
			continue
		}
		key := plain.Text(string(k))
		return &Text{"带有 /" + key, "it has /" + key}
	}
	return nil
}

// An annotationLook is what an annotation shows, as far as that concerns what stands under it.
type annotationLook struct {
	Wrong  *Text      // why it may not be, whatever laterAnnotation says; nil: nothing
	Covers bool       // it may hide what stands in Area
	Area   [4]float64 // of the page, in its own coordinates
}

// laterLook looks at what an annotation of a page shows, added or changed later: its appearance, or what readers draw by themselves. Ink
// is of the file f in which the annotation is so.
func laterLook(ctx context.Context, ink *pageink.Reader, f *pdf.File, page *pdf.Page, d *pdf.Dict) (l annotationLook, err error) {
	a := &lookedAt{f: f, d: d}
	a.kind, _ = d.Get("Subtype").(pdf.Name)
	if l.Wrong, err = a.wrong(); err != nil || l.Wrong != nil {
		return l, err
	}
	ok := false
	if l.Area, ok, err = a.area(); err != nil {
		return l, err
	}
	if !ok {
		l.Wrong = &Text{"没有 /Rect", "it has no /Rect"}
		return l, nil
	}
	l.Covers, err = ink.Hides(ctx, page, d)
	return l, err
}

type lookedAt struct {
	f    *pdf.File
	d    *pdf.Dict
	kind pdf.Name
}

// area is /Rect, and the points where readers may draw outside of it.
func (a *lookedAt) area() (box [4]float64, ok bool, err error) {
	rect, err := a.numbers("Rect")
	if err != nil || len(rect) != 4 {
		return box, false, err
	}
	box = [4]float64{min(rect[0], rect[2]), min(rect[1], rect[3]), max(rect[0], rect[2]), max(rect[1], rect[3])}
	for _, k := range []pdf.Name{"QuadPoints", "Vertices", "L", "CL", "InkList", "Path"} {
		points, err := a.numbers(k)
		if err != nil {
			return box, false, err
		}
		for i := 0; i+1 < len(points); i += 2 {
			x, y := points[i], points[i+1]
			box = [4]float64{min(box[0], x), min(box[1], y), max(box[2], x), max(box[3], y)}
		}
	}
	return box, true, nil
}

const maxNumbers = 1 << 16 // of one array of an annotation

// numbers reads an array of numbers, or of arrays of them.
func (a *lookedAt) numbers(k pdf.Name) ([]float64, error) { return a.flat(a.d.Get(k), nil, 1) }

func (a *lookedAt) flat(o pdf.Object, list []float64, depth int) ([]float64, error) {
	of, err := items(a.f, o)
	if err != nil {
		return nil, err
	}
	for _, o := range of {
		if o, err = a.f.Resolve(o); err != nil {
			return nil, err
		}
		if len(list) >= maxNumbers {
			return nil, fmt.Errorf("%w: an annotation with more than %d coordinates", pdf.ErrLimit, maxNumbers)
		}
		if v, ok := pdf.Number(o); ok {
			list = append(list, v)
		} else if _, ok := o.(*pdf.Array); ok && depth > 0 {
			if list, err = a.flat(o, list, depth-1); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// wrong says what an annotation has that leads out of the file.
func (a *lookedAt) wrong() (*Text, error) {
	if a.kind == "FileAttachment" {
		o, err := a.f.Resolve(a.d.Get("FS"))
		if err != nil {
			return nil, err
		}
		if fs, ok := o.(*pdf.Dict); !ok || fs.Get("EF") == nil || fs.Get("FS") != nil {
			return &Text{"所附文件不在本文件中", "the attached file is not in this one"}, nil
		}
	}
	ap, err := a.f.Resolve(a.d.Get("AP"))
	if err != nil || ap == nil {
		return nil, err
	}
	d, ok := ap.(*pdf.Dict)
	if !ok {
		return &Text{"/AP 不是字典", "its /AP is no dictionary"}, nil
	}
	w := &lookParts{f: a.f, seen: map[pdf.Ref]bool{}}
	for _, e := range d.Entries {
		if !slices.Contains([]pdf.Name{"N", "R", "D"}, e.Key) {
			key := plain.Text(string(e.Key))
			return &Text{"/AP 带有 /" + key, "its /AP has /" + key}, nil
		}
		if why, err := w.states(e.Value); err != nil || why != nil {
			return why, err
		}
	}
	return nil, nil
}

// lookParts goes through the forms and images of an appearance.
type lookParts struct {
	f    *pdf.File
	seen map[pdf.Ref]bool
}

const maxAppearance = 256 // forms and images of one appearance

func (w *lookParts) states(o pdf.Object) (*Text, error) {
	v, err := w.f.Resolve(o)
	if err != nil {
		return nil, err
	}
	d, ok := v.(*pdf.Dict)
	if !ok {
		return w.form(o)
	}
	for _, e := range d.Entries {
		if why, err := w.form(e.Value); err != nil || why != nil {
			return why, err
		}
	}
	return nil, nil
}

// form: neither its data nor what it shows is elsewhere, and it is no PostScript.
func (w *lookParts) form(o pdf.Object) (*Text, error) {
	if r, ok := o.(pdf.Ref); ok {
		if w.seen[r] {
			return nil, nil
		}
		w.seen[r] = true
	}
	if len(w.seen) > maxAppearance {
		return &Text{"外观由过多部分组成", "its appearance has too many parts"}, nil
	}
	v, err := w.f.Resolve(o)
	s, ok := v.(*pdf.Stream)
	if err != nil || !ok {
		return nil, err
	}
	for _, k := range []pdf.Name{"F", "FFilter", "FDecodeParms", "Ref", "OPI", "PS", "Level1", "Alternates"} {
		if s.Dict.Get(k) != nil {
			return &Text{"外观带有 /" + string(k), "its appearance has /" + string(k)}, nil
		}
	}
	if s.Dict.Get("Subtype") == pdf.Name("PS") || s.Dict.Get("Subtype2") != nil {
		return &Text{"外观含有 PostScript", "its appearance has PostScript"}, nil
	}
	res, err := w.f.GetDict(s.Dict, "Resources")
	if err != nil {
		return nil, err
	}
	objects, err := w.f.GetDict(res, "XObject")
	if err != nil || objects == nil {
		return nil, err
	}
	for _, e := range objects.Entries {
		if _, ok := e.Value.(pdf.Ref); !ok {
			continue // a stream is always an object of its own
		}
		if why, err := w.form(e.Value); err != nil || why != nil {
			return why, err
		}
	}
	return nil, nil
}
