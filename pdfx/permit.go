package pdfx

import (
	"fmt"
	"strconv"

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
		pl.signed = len(signed) > 0
	}
	said := pl.f.Restrictor()
	for _, s := range signed {
		if s.Dict == nil {
			continue
		}
		r, err := said.Of(s.Dict, s.Field.Dict())
		if err != nil {
			return fmt.Errorf("signature %q: %w", s.Name, err)
		}
		if r.Level == 1 {
			level = 1
		}
		if err := pl.obey(s, r, o); err != nil {
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

// obey refuses what the locks of an earlier signature forbid.
func (pl *planner) obey(s pdf.Signature, r pdf.Restrictions, o Options) error {
	own := r.FieldLock
	switch {
	case own != nil && own.Level == 1:
		return fmt.Errorf("%w: signature %q allows no change after it", ErrLocked, s.Name)
	case o.Field != "" && (own.Holds(o.Field) || r.Fields.Holds(o.Field)):
		return fmt.Errorf("%w: signature %q locks the field %q", ErrLocked, s.Name, o.Field)
	case own != nil && own.Level > 1 && o.Field == "":
		pl.note("locked", "signature %q locks the document (P %d), and some readers call a further field a violation", s.Name, own.Level)
	}
	return nil
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
	r, err := pl.f.Restrictor().Of(cert, nil)
	if r.Level == 0 {
		r.Level = 2
	}
	return r.Level, err
}

// reference writes what the new signature says of later changes: its certification, and the lock of its field.
func (pl *planner) reference(b []byte, self pdf.Ref, o Options) ([]byte, error) {
	if o.Lock != nil {
		if pl.lock != nil {
			return nil, fmt.Errorf("%w: the field %q has a lock of its own", ErrField, o.Field)
		}
		pl.lock = &pdf.Lock{Action: "All", Level: 1}
		if len(o.Lock.Fields) > 0 {
			pl.lock = &pdf.Lock{Action: "Include", Names: o.Lock.Fields}
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
func (pl *planner) appendLock(b []byte, self pdf.Ref, l *pdf.Lock) ([]byte, error) {
	b = pdf.AppendName(append(b, " /Action "...), l.Action)
	if len(l.Names) == 0 {
		return b, nil
	}
	b = append(b, " /Fields ["...)
	for i, name := range l.Names {
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
func (pl *planner) putLock(l *pdf.Lock) (pdf.Ref, error) {
	r, err := pl.u.Alloc()
	if err != nil {
		return r, err
	}
	b, err := pl.appendLock([]byte("<< /Type /SigFieldLock"), r, l)
	if err != nil {
		return r, err
	}
	if l.Level > 0 {
		b = strconv.AppendInt(append(b, " /P "...), l.Level, 10)
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
