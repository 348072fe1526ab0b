package pdfx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/pdf"
)

// look notes what the file says about being changed, and refuses where it forbids what is asked.
func (pl *planner) look(form *pdf.Dict, o Options) error {
	if o.Certify < 0 || o.Certify > 3 {
		return fmt.Errorf("%w: Certify %d; 1, 2 and 3 are levels, 0 does not certify", ErrOptions, o.Certify)
	}
	if why := pl.f.Repaired(); why != nil {
		pl.note("repaired", "the file was damaged and carries a new cross-reference: %v", why)
	}
	if on, perm := pl.f.Encrypted(); on && perm&(1<<3|1<<5) != 1<<3|1<<5 {
		pl.note("permissions", "the file's permission bits (%d) forbid changes or annotations; they were not obeyed", perm)
	}
	if form != nil && form.Get("XFA") != nil {
		pl.note("xfa", "the file holds an XFA form, and a reader that shows it may not show the seal")
	}
	level, err := pl.certified()
	if err != nil {
		return fmt.Errorf("/Perms /DocMDP: %w", err)
	}
	var signed []pdf.Signature
	if form != nil {
		if signed, err = pl.f.Signatures(); err != nil {
			return fmt.Errorf("/AcroForm /Fields: %w", err)
		}
	}
	for _, s := range signed {
		if s.Dict == nil {
			continue
		}
		r, err := pl.restrictions(s.Dict)
		if err != nil {
			return fmt.Errorf("signature %q: %w", s.Name, err)
		}
		if r.level == 1 {
			level = 1
		}
		if err := pl.obey(s, r.fields, o); err != nil {
			return err
		}
	}
	switch {
	case level == 1:
		return ErrCertified
	case o.Certify > 0 && level > 0:
		return fmt.Errorf("%w: and it is certified (DocMDP, P %d)", ErrSigned, level)
	case o.Certify > 0 && len(signed) > 0:
		return fmt.Errorf("%w: by %q; only the first signature can certify", ErrSigned, signed[0].Name)
	case level > 1 && o.Field == "":
		pl.note("certified", "an earlier signature certifies the document (DocMDP, P %d), and some readers call a further field a violation", level)
	}
	return nil
}

// obey refuses what the lock of an earlier signature forbids: its field's /Lock and its own FieldMDP.
func (pl *planner) obey(s pdf.Signature, fields *lock, o Options) error {
	own, err := pl.lockOf(s.Field)
	if err != nil {
		return fmt.Errorf("/Lock of %q: %w", s.Name, err)
	}
	for _, l := range []*lock{own, fields} {
		switch {
		case l == nil:
		case l.level == 1:
			return fmt.Errorf("%w: signature %q allows no change after it", ErrLocked, s.Name)
		case o.Field != "" && l.holds(o.Field):
			return fmt.Errorf("%w: signature %q locks the field %q", ErrLocked, s.Name, o.Field)
		}
	}
	if own != nil && own.level > 1 && o.Field == "" {
		pl.note("locked", "signature %q locks the document (P %d), and some readers call a further field a violation", s.Name, own.level)
	}
	return nil
}

// A lock is a /Lock of a signature field or the FieldMDP of a signature (ISO 32000-2, tables 236 and 259).
type lock struct {
	action pdf.Name // All, Include, Exclude
	fields []string
	level  int64 // P of a /Lock; 0: none
}

// holds reports whether a field of this full name is locked: by its own name or that of a field above it.
func (l *lock) holds(name string) bool {
	named := slices.ContainsFunc(l.fields, func(f string) bool { return name == f || strings.HasPrefix(name, f+".") })
	switch l.action {
	case "All":
		return true
	case "Include":
		return named
	case "Exclude":
		return !named
	}
	return false
}

func (pl *planner) lockOf(field *pdf.Indirect) (*lock, error) {
	d := field.Dict()
	if d == nil {
		return nil, nil
	}
	l, err := pl.f.GetDict(d, "Lock")
	if err != nil || l == nil {
		return nil, err
	}
	return pl.readLock(l)
}

// maxLockFields bounds the names that one lock is read for.
const maxLockFields = 10_000

func (pl *planner) readLock(d *pdf.Dict) (*lock, error) {
	l := new(lock)
	a, err := pl.f.Resolve(d.Get("Action"))
	if err != nil {
		return nil, err
	}
	l.action, _ = a.(pdf.Name)
	p, err := pl.f.Resolve(d.Get("P"))
	if err != nil {
		return nil, err
	}
	l.level, _ = p.(int64)
	o, err := pl.f.Resolve(d.Get("Fields"))
	if err != nil {
		return nil, err
	}
	list, _ := o.(*pdf.Array)
	if list == nil {
		return l, nil
	}
	if len(list.Items) > maxLockFields {
		return nil, fmt.Errorf("%w: a lock of %d fields", ErrLimit, len(list.Items))
	}
	for _, item := range list.Items {
		o, err := pl.f.Resolve(item)
		if err != nil {
			return nil, err
		}
		if s, ok := o.(*pdf.String); ok {
			l.fields = append(l.fields, pdf.Text(s.Value))
		}
	}
	return l, nil
}

// restrictions are what a signature's /Reference says of later changes.
type restrictions struct {
	level  int64 // P of DocMDP; 0: none
	fields *lock // FieldMDP; nil: none
}

func (pl *planner) restrictions(sig *pdf.Dict) (r restrictions, err error) {
	refs, err := pl.f.Resolve(sig.Get("Reference"))
	if err != nil {
		return r, err
	}
	list, _ := refs.(*pdf.Array)
	if list == nil {
		return r, nil
	}
	for _, item := range list.Items[:min(len(list.Items), 64)] {
		o, err := pl.f.Resolve(item)
		if err != nil {
			return r, err
		}
		ref, _ := o.(*pdf.Dict)
		if ref == nil {
			continue
		}
		method, err := pl.f.Resolve(ref.Get("TransformMethod"))
		if err != nil {
			return r, err
		}
		params, err := pl.f.GetDict(ref, "TransformParams")
		if err != nil {
			return r, err
		}
		switch {
		case method == pdf.Name("DocMDP"):
			r.level = 2 // where none is written, ISO 32000-1, table 254
			if params != nil {
				if p, err := pl.f.Resolve(params.Get("P")); err == nil {
					if n, ok := p.(int64); ok {
						r.level = n
					}
				}
			}
		case method == pdf.Name("FieldMDP") && params != nil:
			if r.fields, err = pl.readLock(params); err != nil {
				return r, err
			}
			r.fields.level = 0 // a /Lock has it, FieldMDP does not
		}
	}
	return r, nil
}

// certified gives /P of the certification that the catalog names; 0: there is none.
func (pl *planner) certified() (int64, error) {
	perms, err := pl.f.GetDict(pl.catalog, "Perms")
	if err != nil || perms == nil {
		return 0, err
	}
	cert, err := pl.f.GetDict(perms, "DocMDP")
	if err != nil || cert == nil {
		return 0, err
	}
	r, err := pl.restrictions(cert)
	if r.level == 0 {
		r.level = 2
	}
	return r.level, err
}

// reference writes what the new signature says of later changes: its certification, and the lock of its field.
func (pl *planner) reference(b []byte, self pdf.Ref, o Options) ([]byte, error) {
	if o.Lock != nil {
		if pl.lock != nil {
			return nil, fmt.Errorf("%w: the field %q has a lock of its own", ErrField, o.Field)
		}
		pl.lock = &lock{action: "All", level: 1}
		if len(o.Lock.Fields) > 0 {
			pl.lock = &lock{action: "Include", fields: o.Lock.Fields}
		}
	}
	if o.Certify == 0 && pl.lock == nil {
		return b, nil
	}
	b = append(b, "/Reference ["...)
	if o.Certify > 0 {
		b = fmt.Appendf(b, " << /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P %d /V /1.2 >> >>", o.Certify)
	}
	if l := pl.lock; l != nil {
		b = append(b, " << /Type /SigRef /TransformMethod /FieldMDP /Data "+pl.cat.Ref.R()+" /TransformParams << /Type /TransformParams"...)
		var err error
		if b, err = pl.appendLock(b, self, l); err != nil {
			return nil, err
		}
		b = append(b, " /V /1.2 >> >>"...)
	}
	return append(b, " ] "...), nil
}

// appendLock writes /Action and /Fields, in an object whose strings are encrypted for self.
func (pl *planner) appendLock(b []byte, self pdf.Ref, l *lock) ([]byte, error) {
	b = pdf.AppendName(append(b, " /Action "...), l.action)
	if len(l.fields) == 0 {
		return b, nil
	}
	b = append(b, " /Fields ["...)
	for i, name := range l.fields {
		if i > 0 {
			b = append(b, ' ')
		}
		var err error
		if b, err = pl.f.AppendText(b, self, name); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// putLock adds the object that a field's /Lock names.
func (pl *planner) putLock(l *lock) (pdf.Ref, error) {
	r, err := pl.u.Alloc()
	if err != nil {
		return r, err
	}
	b, err := pl.appendLock([]byte("<< /Type /SigFieldLock"), r, l)
	if err != nil {
		return r, err
	}
	if l.level > 0 {
		b = strconv.AppendInt(append(b, " /P "...), l.level, 10)
	}
	pl.u.Put(r, append(b, " >>"...))
	return r, nil
}

// certify names the new signature in the catalog's /Perms.
func (pl *planner) certify(sig pdf.Ref) error {
	perms, in, err := pl.f.DictIn(pl.cat, pl.catalog.Get("Perms"))
	if err != nil {
		return fmt.Errorf("/Perms: %w", err)
	}
	if perms == nil {
		e, err := pl.edit(pl.cat)
		if err != nil {
			return err
		}
		e.Set(pl.catalog, "Perms", []byte("<< /DocMDP "+sig.R()+" >>"))
		return nil
	}
	e, err := pl.edit(in)
	if err != nil {
		return err
	}
	e.Set(perms, "DocMDP", []byte(sig.R()))
	return nil
}
