package pdfx

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

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
	shown     []At
	notes     []sign.Note
}

// A planner collects the objects of an update.
type planner struct {
	*plan
	ctx     context.Context
	f       *pdf.File
	u       *pdf.Update
	cat     *pdf.Indirect
	catalog *pdf.Dict
	edits   map[pdf.Ref]*pdf.Edit
	order   []pdf.Ref
	format  sign.Format
	now     time.Time         // the claimed time, in the zone in which people read it
	signed  bool              // the file has signatures
	lock    *pdf.Lock         // that the signed field has
	seals   map[pdf.Ref][]box // signature widgets that are there, by page
}

func newPlan(ctx context.Context, src io.ReaderAt, size int64, p sign.Profile, now time.Time, o Options) (*plan, error) {
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
	pl := &planner{plan: &plan{size: size}, ctx: ctx, f: f, u: f.NewUpdate(), cat: cat, catalog: catalog,
		edits: map[pdf.Ref]*pdf.Edit{}, format: p.Format, now: now, seals: map[pdf.Ref][]box{}}
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
	if err := pl.look(form, o); err != nil {
		return err
	}
	var target *pdf.Signature
	if o.Field != "" {
		if target, err = pl.target(o); err != nil {
			return err
		}
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
	if target != nil {
		err = pl.fillField(form, holder, target, sig, p, o)
	} else {
		err = pl.newField(form, holder, sig, p, o)
	}
	if err != nil {
		return err
	}
	if o.Certify > 0 {
		if err := pl.certify(sig); err != nil {
			return err
		}
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

// signature writes the signature dictionary, and tells where its /ByteRange and /Contents stand in it.
func (pl *planner) signature(self pdf.Ref, p sign.Profile, spec sign.Spec, now time.Time, o Options) (b []byte, br int, contents pdf.Span, err error) {
	filter, sub := pl.filters(o)
	b = make([]byte, 0, 2*(spec.MaxSize+slack)+512)
	b = append(b, "<< /Type /Sig /Filter "...)
	b = append(pdf.AppendName(b, pdf.Name(filter)), " /SubFilter "...)
	b = append(pdf.AppendName(b, pdf.Name(sub)), " /ByteRange "...)
	br = len(b)
	b = append(b, fmt.Sprintf("%64s", "")...) // as many digits as three offsets can have
	b = append(b, "\n/Contents "...)
	contents.From = len(b)
	b = append(b, '<')
	b = append(b, bytes.Repeat([]byte("0"), 2*(spec.MaxSize+slack))...)
	b = append(b, '>')
	contents.To = len(b)
	b = append(b, '\n')
	for _, s := range []struct{ key, text string }{
		{"M", now.UTC().Format("D:20060102150405") + "+00'00'"}, {"Name", o.Name}, {"Reason", o.Reason}, {"Location", o.Location},
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
	if b, err = pl.reference(b, self, o); err != nil {
		return
	}
	b = append(b, "/Prop_Build << /App << /Name /"+maker+" >> >> >>"...)
	return
}

// filters are the names that the signature dictionary gives to what it holds.
func (pl *planner) filters(o Options) (filter, sub string) {
	filter, sub = o.Filter, o.SubFilter
	if filter == "" {
		filter = "Adobe.PPKLite"
	}
	if sub == "" {
		sub = "ETSI.CAdES.detached"
		if pl.format == sign.SES {
			sub = "adbe.pkcs7.detached"
		}
	}
	return filter, sub
}

// maker marks our updates, whose first byte is known to be ours.
const maker = "Courtseal"

// annotate adds the widgets to their pages' /Annots.
func (pl *planner) annotate(spots []spot) error {
	lists := map[pdf.Ref][]byte{}
	for i := range spots {
		page := spots[i].page.Ref
		lists[page] = append(lists[page], " "+spots[i].ref.R()...)
	}
	for i := range spots {
		s := &spots[i]
		list := string(lists[s.page.Ref])
		if list == "" {
			continue
		}
		delete(lists, s.page.Ref)
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
	return pl.setFlags(form, holder)
}

// setFlags says that the form has signatures and that the file is only to be appended to.
func (pl *planner) setFlags(form *pdf.Dict, holder *pdf.Indirect) error {
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
