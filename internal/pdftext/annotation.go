package pdftext

import (
	"fmt"

	"github.com/courtseal/courtseal/internal/pdf"
)

const maxAnnotations = 10_000 // of one page that are looked at

// annotations reads the text of the appearances that the page shows: form fields, stamps, free text (ISO 32000-2, 12.5.5).
func (in *interpreter) annotations() error {
	o, err := in.resolve(in.page.Dict().Get("Annots"))
	a, ok := o.(*pdf.Array)
	if err != nil || !ok {
		return err
	}
	if in.ink != nil && len(a.Items) > maxAnnotations {
		return fmt.Errorf("%w: more than %d annotations on the page", pdf.ErrLimit, maxAnnotations)
	}
	for _, o := range a.Items[:min(len(a.Items), maxAnnotations)] {
		d, err := in.dict(o)
		if err != nil {
			return err
		}
		if in.ink != nil {
			ref, _ := o.(pdf.Ref)
			in.ink.annot = &Annot{ref, d}
		}
		if err := in.annotation(d); err != nil {
			return err
		}
	}
	return nil
}

func (in *interpreter) annotation(d *pdf.Dict) error {
	flags, _ := d.Get("F").(int64)
	if d == nil || flags&pdf.AnnotHidden != 0 || d.Get("Subtype") == pdf.Name("Popup") {
		return nil
	}
	ap, err := in.dict(d.Get("AP"))
	if err != nil {
		return err
	}
	o, err := in.resolve(ap.Get("N"))
	if err != nil {
		return err
	}
	if states, ok := o.(*pdf.Dict); ok {
		state, _ := d.Get("AS").(pdf.Name)
		if o, err = in.resolve(states.Get(state)); err != nil {
			return err
		}
	}
	rect, err := in.floats(d.Get("Rect"))
	if err != nil {
		return err
	}
	s, ok := o.(*pdf.Stream)
	if !ok {
		return in.bare(ap, rect)
	}
	box, err := in.floats(s.Dict.Get("BBox"))
	if err != nil {
		return err
	}
	m, err := in.matrix(s.Dict.Get("Matrix"))
	if err != nil || len(rect) != 4 || len(box) != 4 {
		return err
	}
	in.gs, in.stack, in.spans = in.start(fit(m.box(Rect(box)), Rect(rect))), nil, nil
	return in.form(s, nil)
}

// fit moves and scales one rectangle onto another.
func fit(from, to Rect) matrix {
	m := identity
	for i := range 2 {
		a, b := min(from[i], from[i+2]), max(from[i], from[i+2])
		c, d := min(to[i], to[i+2]), max(to[i], to[i+2])
		if b > a {
			m[3*i] = (d - c) / (b - a)
		}
		m[4+i] = c - a*m[3*i]
	}
	return m
}
