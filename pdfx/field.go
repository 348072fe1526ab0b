package pdfx

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/sign"
)

// newField adds a field to the form. With one place (or none) field and widget are one object; with several the widgets are
// its kids and repeat /V, because poppler and MuPDF look for the value there only. They inherit /FT: with an /FT of their own
// pdfcpu takes each for a signature.
func (pl *planner) newField(form *pdf.Dict, holder *pdf.Indirect, sig pdf.Ref, p sign.Profile, o Options) (err error) {
	if pl.field, err = pl.freeName(); err != nil {
		return err
	}
	spots, err := pl.spots(p, o)
	if err != nil {
		return err
	}
	field, err := pl.u.Alloc()
	if err != nil {
		return err
	}
	name, err := pl.f.AppendText(nil, field, pl.field)
	if err != nil {
		return err
	}
	value := " /V " + sig.R()
	own := " /FT /Sig" + value
	if pl.lock != nil {
		r, err := pl.putLock(pl.lock)
		if err != nil {
			return err
		}
		own += " /Lock " + r.R()
	}
	if len(spots) == 1 {
		spots[0].ref = field
		pl.u.Put(field, append(append([]byte("<< /T "), name...), own+spots[0].widget()+" >>"...))
	} else {
		var kids []byte
		for i := range spots {
			if spots[i].ref, err = pl.u.Alloc(); err != nil {
				return err
			}
			kids = append(kids, " "+spots[i].ref.R()...)
			pl.u.Put(spots[i].ref, []byte("<< /Parent "+field.R()+value+spots[i].widget()+" >>"))
		}
		pl.u.Put(field, append(append([]byte("<< /T "), name...), own+" /Kids ["+string(kids)+" ] >>"...))
	}
	if err := pl.annotate(spots); err != nil {
		return err
	}
	return pl.enlist(form, holder, field)
}

// target finds the empty field to be signed, and takes its lock for that of the signature.
func (pl *planner) target(o Options) (*pdf.Signature, error) {
	if len(o.At) > 0 || o.Keyword != nil || o.DateLine || o.Straddle != nil || o.Remark != "" || o.Text {
		return nil, fmt.Errorf("%w: Field shows the seal in the field's own place, and nothing beside it", ErrOptions)
	}
	empty, err := pl.f.EmptySignatureFields()
	if err != nil {
		return nil, fmt.Errorf("/AcroForm /Fields: %w", err)
	}
	for i, s := range empty {
		if s.Name != o.Field {
			continue
		}
		r, err := pl.f.Restrictor().Of(nil, s.Field.Dict())
		if err != nil {
			return nil, fmt.Errorf("field %q: %w", s.Name, err)
		}
		pl.lock = r.FieldLock
		return &empty[i], pl.seedValue(s, o)
	}
	signed, err := pl.f.Signatures()
	if err != nil {
		return nil, fmt.Errorf("/AcroForm /Fields: %w", err)
	}
	for _, s := range signed {
		if s.Name == o.Field {
			return nil, fmt.Errorf("%w: %q is signed", ErrField, o.Field)
		}
	}
	names := ""
	for _, s := range empty[:min(len(empty), 20)] {
		names += fmt.Sprintf(" %q", s.Name)
	}
	if names == "" {
		names = " none"
	}
	return nil, fmt.Errorf("%w: %q; there are:%s", ErrField, o.Field, names)
}

// Bits of /Ff in a seed value dictionary (ISO 32000-2, table 237): what is a demand and not a wish.
const (
	demandsFilter    = 1 << 0
	demandsSubFilter = 1 << 1
)

// seedValue refuses a field whose seed value demands another /Filter or /SubFilter, and notes any other demand, which is for
// the signer's certificate and digest to meet.
func (pl *planner) seedValue(s pdf.Signature, o Options) error {
	sv, err := pl.f.GetDict(s.Field.Dict(), "SV")
	if err != nil || sv == nil {
		return err
	}
	ff, err := pl.f.Resolve(sv.Get("Ff"))
	if err != nil {
		return err
	}
	flags, _ := ff.(int64)
	filter, sub := pl.filters(o)
	if flags&demandsFilter != 0 {
		if want, _ := pl.f.Resolve(sv.Get("Filter")); want != pdf.Name(filter) {
			return fmt.Errorf("%w: %q demands the filter %v, not %s", ErrField, s.Name, want, filter)
		}
	}
	if flags&demandsSubFilter != 0 {
		want, _ := pl.f.Resolve(sv.Get("SubFilter"))
		list, _ := want.(*pdf.Array)
		ok := list == nil
		if list != nil {
			for _, item := range list.Items[:min(len(list.Items), 64)] {
				name, _ := pl.f.Resolve(item)
				ok = ok || name == pdf.Name(sub)
			}
		}
		if !ok {
			return fmt.Errorf("%w: %q demands another SubFilter than %s", ErrField, s.Name, sub)
		}
	}
	if rest := flags &^ (demandsFilter | demandsSubFilter); rest != 0 {
		pl.note("seed-value", "the field %q demands more of the signature (flags %d) than was looked at", s.Name, rest)
	}
	return nil
}

// fillField gives the empty field its value, and each of its widgets the seal.
func (pl *planner) fillField(form *pdf.Dict, holder *pdf.Indirect, s *pdf.Signature, sig pdf.Ref, p sign.Profile, o Options) error {
	pl.field = s.Name
	d := s.Field.Dict()
	e, err := pl.edit(s.Field)
	if err != nil {
		return fmt.Errorf("field %q: %w", s.Name, err)
	}
	e.Set(d, "V", []byte(sig.R()))
	if o.Lock != nil {
		r, err := pl.putLock(pl.lock)
		if err != nil {
			return err
		}
		e.Set(d, "Lock", []byte(r.R()))
	}
	shown := false
	for _, ref := range s.Widgets {
		w := s.Field
		if ref != s.Field.Ref {
			if w, err = pl.f.Load(ref); err != nil {
				return fmt.Errorf("widget of %q: %w", s.Name, err)
			}
			wd, ok := w.Value.(*pdf.Dict)
			if !ok {
				return fmt.Errorf("%w: a widget of %q is not a dictionary", ErrField, s.Name)
			}
			we, err := pl.edit(w)
			if err != nil {
				return fmt.Errorf("widget of %q: %w", s.Name, err)
			}
			we.Set(wd, "V", []byte(sig.R()))
		}
		ok, err := pl.showIn(w, p)
		if err != nil {
			return err
		}
		shown = shown || ok
	}
	if p.Picture != nil && !shown {
		pl.note("invisible-field", "the field %q has no place on a page; the seal is not shown", s.Name)
	}
	return pl.setFlags(form, holder)
}

// showIn gives a widget that is there the seal's appearance, as large as it allows. ok is false where it shows nothing.
func (pl *planner) showIn(w *pdf.Indirect, p sign.Profile) (ok bool, err error) {
	d := w.Value.(*pdf.Dict)
	r, has, err := pl.f.Rectangle(d.Get("Rect"))
	if err != nil || !has || p.Picture == nil {
		return false, err
	}
	page, n, err := pl.pageOf(w)
	if err != nil || page == nil {
		return false, err
	}
	a, err := appearance.Of(p.Picture)
	if err != nil {
		return false, err
	}
	b := seen(page, rect(r))
	v := a.Fit(b.W*appearance.MM, b.H*appearance.MM, page.Rotate)
	if v.W < a.Width {
		pl.note("scaled", "the field %q has room for %.1f mm, so that the seal of %d mm is shown smaller", pl.field, v.W/appearance.MM, p.Picture.Width)
	}
	img, err := a.PutImage(pl.f, pl.u)
	if err != nil {
		return false, err
	}
	form, err := a.PutForm(pl.u, img, v)
	if err != nil {
		return false, err
	}
	e, err := pl.edit(w)
	if err != nil {
		return false, err
	}
	e.Set(d, "AP", []byte("<< /N "+form.R()+" >>"))
	if err := pl.print(e, d); err != nil {
		return false, err
	}
	pl.shown = append(pl.shown, At{n, b.X + b.W/2, b.Y + b.H/2})
	return true, nil
}

// print sets the flag of a widget by which its appearance is printed. A file that is signed keeps it as it is, because a reader
// may take another flag for a change of what was signed.
func (pl *planner) print(e *pdf.Edit, d *pdf.Dict) error {
	o, err := pl.f.Resolve(d.Get("F"))
	if err != nil {
		return err
	}
	flags, _ := o.(int64)
	switch {
	case flags&(pdf.AnnotPrinted|pdf.AnnotHidden) == pdf.AnnotPrinted:
	case pl.signed:
		pl.note("not-printed", "the field %q is hidden or not printed (/F %d)", pl.field, flags)
	default:
		e.Set(d, "F", strconv.AppendInt(nil, flags&^pdf.AnnotHidden|pdf.AnnotPrinted, 10))
	}
	return nil
}

// errFound ends a walk over the pages.
var errFound = errors.New("found")

// pageOf finds the page of a widget: by its /P, or as the page whose /Annots name it; nil: there is none.
func (pl *planner) pageOf(w *pdf.Indirect) (page *pdf.Page, n int, err error) {
	named, _ := w.Dict().Get("P").(pdf.Ref)
	err = pl.f.EachPage(func(i int, p *pdf.Page) error {
		is := p.Ref == named
		if named == (pdf.Ref{}) {
			list, _, err := pl.f.ArrayIn(p.Indirect, p.Dict().Get("Annots"))
			if err != nil {
				return err
			}
			if list != nil {
				for _, o := range list.Items {
					is = is || o == pdf.Object(w.Ref)
				}
			}
		}
		if !is {
			return nil
		}
		page, n = p, i
		return errFound
	})
	if err != nil && err != errFound {
		return nil, 0, fmt.Errorf("looking for the field's page: %w", err)
	}
	return page, n, nil
}
