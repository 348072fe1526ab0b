package pdf

import (
	"fmt"
	"slices"
	"strings"
)

// Restrictions are what a signature says of later changes.
type Restrictions struct {
	Level     int64 // P of its DocMDP (ISO 32000-2 12.8.2.2): 1 no change, 2 forms, 3 annotations too; 0: it does not certify
	Fields    *Lock // its FieldMDP (12.8.2.4); nil: none
	FieldLock *Lock // the /Lock of its field (12.7.5.5); nil: none
}

// A Lock says which form fields may not be changed, and in a field's /Lock what else may be.
type Lock struct {
	Action Name     // All, Include, Exclude
	Names  []string // full names of fields, of Include and Exclude
	Level  int64    // P of a /Lock, as of DocMDP; 0: none
}

// Holds reports whether a field of this full name is locked: by its own name or that of a field above it. A lock that does not say
// what it locks locks everything.
func (l *Lock) Holds(name string) bool {
	if l == nil {
		return false
	}
	named := slices.ContainsFunc(l.Names, func(f string) bool {
		return strings.HasPrefix(name, f) && (len(name) == len(f) || name[len(f)] == '.')
	})
	switch l.Action {
	case "Include":
		return named
	case "Exclude":
		return !named
	}
	return true
}

const (
	maxReferences = 64     // of one signature that are looked at
	maxLockNames  = 10_000 // of one lock
)

// A Restrictor reads the restrictions of the signatures of a file, all of them together within one limit of work: a hostile
// file lets every signature name the same long lists.
type Restrictor struct{ *worker }

// Restrictor begins with nothing read.
func (f *File) Restrictor() Restrictor { return Restrictor{f.worker()} }

// Of reads /Reference of a signature dictionary, and /Lock of the field's; either may be nil.
func (w Restrictor) Of(sig, field *Dict) (r Restrictions, err error) {
	if l, err := w.dict(field.Get("Lock")); err != nil {
		return r, fmt.Errorf("/Lock: %w", err)
	} else if l != nil {
		if r.FieldLock, err = w.lock(l); err != nil {
			return r, fmt.Errorf("/Lock: %w", err)
		}
	}
	o, err := w.resolve(sig.Get("Reference"))
	if err != nil {
		return r, fmt.Errorf("/Reference: %w", err)
	}
	list, _ := o.(*Array)
	if list == nil {
		return r, nil
	}
	for _, item := range list.Items[:min(len(list.Items), maxReferences)] {
		if err := w.reference(&r, item); err != nil {
			return r, fmt.Errorf("/Reference: %w", err)
		}
	}
	return r, nil
}

func (w Restrictor) dict(o Object) (*Dict, error) {
	o, err := w.resolve(o)
	return asDict(o), err
}

func (w Restrictor) reference(r *Restrictions, o Object) error {
	ref, err := w.dict(o)
	if err != nil {
		return err
	}
	method, err := w.resolve(ref.Get("TransformMethod"))
	if err != nil {
		return err
	}
	params, err := w.dict(ref.Get("TransformParams"))
	if err != nil {
		return err
	}
	switch method {
	case Name("DocMDP"):
		level := int64(2) // where none is written: ISO 32000-2, table 257
		p, err := w.resolve(params.Get("P"))
		if n, ok := Number(p); ok && n >= 1 && n < 4 {
			level = int64(n)
		}
		if r.Level == 0 || level < r.Level { // of several, the strictest
			r.Level = level
		}
		return err
	case Name("FieldMDP"):
		if params == nil {
			return nil
		}
		r.Fields, err = w.lock(params)
		return err
	}
	return nil
}

func (w Restrictor) lock(d *Dict) (*Lock, error) {
	l := new(Lock)
	action, err := w.resolve(d.Get("Action"))
	if err != nil {
		return nil, err
	}
	l.Action, _ = action.(Name)
	p, err := w.resolve(d.Get("P"))
	if err != nil {
		return nil, err
	}
	if n, ok := Number(p); ok && n >= 1 && n < 4 {
		l.Level = int64(n)
	}
	o, err := w.resolve(d.Get("Fields"))
	if err != nil {
		return nil, err
	}
	list, _ := o.(*Array)
	if list == nil {
		return l, nil
	}
	if len(list.Items) > maxLockNames {
		return nil, fmt.Errorf("%w: a lock of %d fields", ErrLimit, len(list.Items))
	}
	for _, item := range list.Items {
		o, err := w.resolve(item)
		if err != nil {
			return nil, err
		}
		s, ok := o.(*String)
		if !ok {
			continue
		}
		name := s.Value[:min(len(s.Value), maxFieldName)]
		if w.left -= int64(len(name)) + 64; w.left < 0 {
			return nil, fmt.Errorf("%w: the locks of signatures take too much work to read", ErrLimit)
		}
		l.Names = append(l.Names, Text(name))
	}
	return l, nil
}
