package pdfx

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/sign"
)

// slack is the room in /Contents beside what the Profile asks for: a value of exactly that size keeps some padding, which
// some readers expect.
const slack = 16

// A plan is the update that carries the signature, with its room still empty.
type plan struct {
	size      int64  // of the file
	tail      []byte // what is appended
	from, to  int    // /Contents in tail, delimiters included
	byteRange [4]int64
	field     string
	notes     []sign.Note
}

// A planner collects the objects of an update.
type planner struct {
	*plan
	f       *pdf.File
	u       *pdf.Update
	cat     *pdf.Indirect
	catalog *pdf.Dict
	edits   map[pdf.Ref]*pdf.Edit
	order   []pdf.Ref
}

func newPlan(src io.ReaderAt, size int64, p sign.Profile, now time.Time, o Options) (*plan, error) {
	spec, ok := p.Specs[p.Format]
	if !ok || spec.MaxSize <= 0 || len(spec.Hashes) == 0 {
		return nil, fmt.Errorf("%w: format %q: MaxSize %d, %d hashes", ErrProfile, p.Format, spec.MaxSize, len(spec.Hashes))
	}
	f, err := open(src, size, o)
	if err != nil {
		return nil, err
	}
	cat, err := f.Catalog()
	if err != nil {
		return nil, err
	}
	catalog, ok := cat.Value.(*pdf.Dict)
	if !ok {
		return nil, fmt.Errorf("%w: the catalog is not a dictionary", ErrSyntax)
	}
	pl := &planner{plan: &plan{size: size}, f: f, u: f.NewUpdate(), cat: cat, catalog: catalog, edits: map[pdf.Ref]*pdf.Edit{}}
	return pl.plan, pl.build(p, spec, now, o)
}

func open(src io.ReaderAt, size int64, o Options) (*pdf.File, error) {
	return pdf.Open(src, size, pdf.Options{Password: o.Password, Repair: o.Repair, Limits: o.Limits})
}

func (pl *planner) note(code, format string, args ...any) {
	pl.notes = append(pl.notes, sign.Note{Code: code, Detail: fmt.Sprintf(format, args...)})
}

func (pl *planner) build(p sign.Profile, spec sign.Spec, now time.Time, o Options) error {
	form, holder, err := pl.f.Form()
	if err != nil {
		return fmt.Errorf("/AcroForm: %w", err)
	}
	if err := pl.look(form); err != nil {
		return err
	}
	sig, err := pl.u.Alloc()
	if err != nil {
		return err
	}
	text, br, contents, err := pl.signature(sig, p, spec, now, o)
	if err != nil {
		return err
	}
	pl.u.Put(sig, text) // the first object of the update: Remove finds the end of the earlier bytes before it
	field, err := pl.fieldAndWidgets(sig, p, o)
	if err != nil {
		return err
	}
	if err := pl.enlist(form, holder, field); err != nil {
		return err
	}
	for _, r := range pl.order {
		if err := pl.u.PutEdit(pl.edits[r]); err != nil {
			return err
		}
	}
	tail, err := pl.u.Encode()
	if err != nil {
		return err
	}
	at := int(tail.ValueAt(sig))
	pl.tail, pl.from, pl.to = tail.Bytes, at+contents.From, at+contents.To
	pl.byteRange = [4]int64{0, pl.size + int64(pl.from), pl.size + int64(pl.to), int64(len(pl.tail) - pl.to)}
	copy(pl.tail[at+br:], pl.ranges())
	return nil
}

// ranges is /ByteRange as written, and as propertyInfo has it.
func (p *plan) ranges() string {
	b := p.byteRange
	return fmt.Sprintf("[%d %d %d %d]", b[0], b[1], b[2], b[3])
}

// look notes what the file says about being changed, and refuses where it forbids it for good.
func (pl *planner) look(form *pdf.Dict) error {
	if why := pl.f.Repaired(); why != nil {
		pl.note("repaired", "the file was damaged and carries a new cross-reference: %v", why)
	}
	if on, perm := pl.f.Encrypted(); on && perm&(1<<3|1<<5) != 1<<3|1<<5 {
		pl.note("permissions", "the file's permission bits (%d) forbid changes or annotations; they were not obeyed", perm)
	}
	if form != nil && form.Get("XFA") != nil {
		pl.note("xfa", "the file holds an XFA form, and a reader that shows it may not show the seal")
	}
	perms, err := pl.f.GetDict(pl.catalog, "Perms")
	if err != nil {
		return fmt.Errorf("/Perms: %w", err)
	}
	if perms == nil {
		return nil
	}
	level, err := pl.certified(perms)
	if err != nil {
		return fmt.Errorf("/Perms /DocMDP: %w", err)
	}
	switch {
	case level == 1:
		return ErrCertified
	case level > 1:
		pl.note("certified", "an earlier signature certifies the document (DocMDP, P %d), and some readers call a further field a violation", level)
	}
	return nil
}

// certified gives /P of the certification; 0: there is none.
func (pl *planner) certified(perms *pdf.Dict) (int64, error) {
	cert, err := pl.f.GetDict(perms, "DocMDP")
	if err != nil || cert == nil {
		return 0, err
	}
	refs, err := pl.f.Resolve(cert.Get("Reference"))
	if err != nil {
		return 0, err
	}
	list, _ := refs.(*pdf.Array)
	if list == nil {
		return 2, nil
	}
	for _, item := range list.Items[:min(len(list.Items), 64)] {
		o, err := pl.f.Resolve(item)
		if err != nil {
			return 0, err
		}
		ref, _ := o.(*pdf.Dict)
		if ref == nil {
			continue
		}
		if m, err := pl.f.Resolve(ref.Get("TransformMethod")); err != nil || m != pdf.Name("DocMDP") {
			continue
		}
		params, err := pl.f.GetDict(ref, "TransformParams")
		if err != nil {
			return 0, err
		}
		if params != nil {
			if level, err := pl.f.Resolve(params.Get("P")); err == nil {
				if n, ok := level.(int64); ok {
					return n, nil
				}
			}
		}
	}
	return 2, nil // ISO 32000-1, table 254
}

// signature writes the signature dictionary, and tells where its /ByteRange and /Contents stand in it.
func (pl *planner) signature(self pdf.Ref, p sign.Profile, spec sign.Spec, now time.Time, o Options) (b []byte, br int, contents pdf.Span, err error) {
	filter, sub := o.Filter, o.SubFilter
	if filter == "" {
		filter = "Adobe.PPKLite"
	}
	if sub == "" {
		sub = "ETSI.CAdES.detached"
		if p.Format == sign.SES {
			sub = "adbe.pkcs7.detached"
		}
	}
	b = make([]byte, 0, 2*(spec.MaxSize+slack)+512)
	b = append(b, "<< /Type /Sig /Filter "...)
	b = append(pdf.AppendName(b, pdf.Name(filter)), " /SubFilter "...)
	b = append(pdf.AppendName(b, pdf.Name(sub)), " /ByteRange "...)
	br = len(b)
	b = append(b, fmt.Sprintf("%64s", "")...) // as many digits as three offsets can have
	b = append(b, "\n/Contents "...)
	contents.From = len(b)
	b = append(b, '<')
	for range 2 * (spec.MaxSize + slack) {
		b = append(b, '0')
	}
	b = append(b, '>')
	contents.To = len(b)
	b = append(b, '\n')
	for _, s := range []struct{ key, text string }{
		{"M", now.Format("D:20060102150405") + "+00'00'"}, {"Name", o.Name}, {"Reason", o.Reason}, {"Location", o.Location},
	} {
		if s.text == "" {
			continue
		}
		b = append(append(append(b, '/'), s.key...), ' ')
		if b, err = pl.f.AppendText(b, self, s.text); err != nil {
			return
		}
		b = append(b, ' ')
	}
	b = append(b, "/Prop_Build << /App << /Name /"+maker+" >> >> >>"...)
	return
}

// maker marks our updates, whose first byte is known to be ours.
const maker = "Courtseal"

// A spot is one widget: a place on a page.
type spot struct {
	page *pdf.Page
	rect rect
	form pdf.Ref
	ref  pdf.Ref // of the widget
}

// fieldAndWidgets adds the field. With one place (or none) field and widget are one object; with several the widgets are its
// kids and repeat /FT and /V, because some readers look for the value there only.
func (pl *planner) fieldAndWidgets(sig pdf.Ref, p sign.Profile, o Options) (field pdf.Ref, err error) {
	if pl.field, err = pl.freeName(); err != nil {
		return
	}
	spots, err := pl.spots(p, o.At)
	if err != nil {
		return
	}
	if field, err = pl.u.Alloc(); err != nil {
		return
	}
	name, err := pl.f.AppendText(nil, field, pl.field)
	if err != nil {
		return
	}
	common := " /FT /Sig /V " + sig.R()
	if len(spots) == 1 {
		spots[0].ref = field
		pl.u.Put(field, append(append([]byte("<< /T "), name...), common+spots[0].widget()+" >>"...))
		return field, pl.annotate(spots)
	}
	kids := ""
	for i := range spots {
		if spots[i].ref, err = pl.u.Alloc(); err != nil {
			return
		}
		kids += " " + spots[i].ref.R()
		pl.u.Put(spots[i].ref, []byte("<< /Parent "+field.R()+common+spots[i].widget()+" >>"))
	}
	pl.u.Put(field, append(append([]byte("<< /T "), name...), common+" /Kids ["+kids+" ] >>"...))
	return field, pl.annotate(spots)
}

func (s *spot) widget() string {
	w := " /Type /Annot /Subtype /Widget /F 132 /P " + s.page.Ref.R() + " /Rect " + s.rect.String()
	if s.form.Num != 0 {
		w += " /AP << /N " + s.form.R() + " >>"
	}
	return w
}

// spots finds the pages and adds the seal's image and, for each way a page is turned, its form.
func (pl *planner) spots(p sign.Profile, at []At) ([]spot, error) {
	if len(at) == 0 {
		page, err := pl.f.Page(1)
		if err != nil {
			return nil, fmt.Errorf("page 1: %w", err)
		}
		return []spot{{page: page}}, nil
	}
	if p.Picture == nil {
		return nil, fmt.Errorf("%w: the signer has no picture to show", ErrPlace)
	}
	a, err := appearance.Of(p.Picture)
	if err != nil {
		return nil, err
	}
	img, err := a.PutImage(pl.f, pl.u)
	if err != nil {
		return nil, err
	}
	forms := map[int]pdf.Ref{}
	spots := make([]spot, len(at))
	for i, place1 := range at {
		page, n, err := pl.page(place1.Page)
		if err != nil {
			return nil, err
		}
		where, overhangs, err := place(page, place1, a.Width, a.Height)
		if err != nil {
			return nil, err
		}
		if overhangs {
			pl.note("overhang", "the seal at (%g, %g) mm reaches over the edge of page %d", place1.X, place1.Y, n)
		}
		form, ok := forms[page.Rotate]
		if !ok {
			if form, err = a.PutForm(pl.u, img, page.Rotate); err != nil {
				return nil, err
			}
			forms[page.Rotate] = form
		}
		spots[i] = spot{page: page, rect: where, form: form}
	}
	return spots, nil
}

func (pl *planner) page(n int) (*pdf.Page, int, error) {
	if n < 0 {
		all, err := pl.f.NumPages()
		if err != nil {
			return nil, n, fmt.Errorf("counting the pages: %w", err)
		}
		n += all + 1
	}
	if n < 1 {
		return nil, n, fmt.Errorf("%w: page %d; 1 is the first, -1 the last", ErrPlace, n)
	}
	page, err := pl.f.Page(n)
	if errors.Is(err, pdf.ErrNoPage) {
		return nil, n, fmt.Errorf("%w: %w", ErrPlace, err)
	}
	if err != nil {
		return nil, n, fmt.Errorf("page %d: %w", n, err)
	}
	return page, n, nil
}

// annotate adds the widgets to their pages' /Annots.
func (pl *planner) annotate(spots []spot) error {
	done := map[pdf.Ref]bool{}
	for _, s := range spots {
		if done[s.page.Ref] {
			continue
		}
		done[s.page.Ref] = true
		list := ""
		for _, other := range spots {
			if other.page.Ref == s.page.Ref {
				list += " " + other.ref.R()
			}
		}
		dict, ok := s.page.Value.(*pdf.Dict)
		if !ok {
			return fmt.Errorf("%w: a page is not a dictionary", ErrSyntax)
		}
		if err := pl.appendTo(s.page.Indirect, dict, "Annots", list[1:]); err != nil {
			return fmt.Errorf("/Annots of a page: %w", err)
		}
	}
	return nil
}

// appendTo adds items to the array that is d's value for key, wherever it stands; where there is none, it is made.
func (pl *planner) appendTo(holder *pdf.Indirect, d *pdf.Dict, key pdf.Name, items string) error {
	arr, in, err := pl.f.ArrayIn(holder, d.Get(key))
	if err != nil {
		return err
	}
	if arr == nil {
		e, err := pl.edit(holder)
		if err != nil {
			return err
		}
		e.Set(d, key, []byte("["+items+"]"))
		return nil
	}
	e, err := pl.edit(in)
	if err != nil {
		return err
	}
	e.Append(arr, []byte(items))
	return nil
}

func (pl *planner) edit(obj *pdf.Indirect) (*pdf.Edit, error) {
	if e := pl.edits[obj.Ref]; e != nil {
		return e, nil
	}
	e, err := pdf.NewEdit(obj)
	if err != nil {
		return nil, err
	}
	pl.edits[obj.Ref] = e
	pl.order = append(pl.order, obj.Ref)
	return e, nil
}

// enlist adds the field to the form, and the form to the catalog where there is none. Every other key stays.
func (pl *planner) enlist(form *pdf.Dict, holder *pdf.Indirect, field pdf.Ref) error {
	if form == nil {
		r, err := pl.u.Alloc()
		if err != nil {
			return err
		}
		pl.u.Put(r, []byte("<< /Fields ["+field.R()+"] /SigFlags 3 >>"))
		e, err := pl.edit(pl.cat)
		if err != nil {
			return err
		}
		e.Set(pl.catalog, "AcroForm", []byte(r.R()))
		return nil
	}
	if err := pl.appendTo(holder, form, "Fields", field.R()); err != nil {
		return fmt.Errorf("/AcroForm /Fields: %w", err)
	}
	o, err := pl.f.Resolve(form.Get("SigFlags"))
	if err != nil {
		return fmt.Errorf("/AcroForm /SigFlags: %w", err)
	}
	flags, _ := o.(int64)
	if flags&3 == 3 {
		return nil
	}
	e, err := pl.edit(holder)
	if err != nil {
		return err
	}
	e.Set(form, "SigFlags", strconv.AppendInt(nil, flags|3, 10))
	return nil
}

// freeName is Seal1, or the first number that no field has.
func (pl *planner) freeName() (string, error) {
	taken, err := pl.f.FieldNames()
	if err != nil {
		return "", fmt.Errorf("/AcroForm /Fields: %w", err)
	}
	for n := 1; ; n++ {
		if name := "Seal" + strconv.Itoa(n); !taken[name] {
			return name, nil
		}
	}
}
