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

// Holds reports whether a field of this full name is locked: by its own name or that of a field above it.
func (l *Lock) Holds(name string) bool {
	if l == nil {
		return false
	}
	named := slices.ContainsFunc(l.Names, func(f string) bool { return name == f || strings.HasPrefix(name, f+".") })
	switch l.Action {
	case "All":
		return true
	case "Include":
		return named
	case "Exclude":
		return !named
	}
	return false
}

const (
	maxReferences = 64     // of one signature that are looked at
	maxLockNames  = 10_000 // of one lock
)

// Restrictions reads /Reference of a signature dictionary, and /Lock of the field's; either may be nil.
func (f *File) Restrictions(sig, field *Dict) (r Restrictions, err error) {
	if l, err := f.GetDict(field, "Lock"); err != nil {
		return r, fmt.Errorf("/Lock: %w", err)
	} else if l != nil {
		if r.FieldLock, err = f.lock(l); err != nil {
			return r, fmt.Errorf("/Lock: %w", err)
		}
	}
	o, err := f.Resolve(sig.Get("Reference"))
	if err != nil {
		return r, fmt.Errorf("/Reference: %w", err)
	}
	list, _ := o.(*Array)
	if list == nil {
		return r, nil
	}
	for _, item := range list.Items[:min(len(list.Items), maxReferences)] {
		if err := f.reference(&r, item); err != nil {
			return r, fmt.Errorf("/Reference: %w", err)
		}
	}
	return r, nil
}

func (f *File) reference(r *Restrictions, o Object) error {
	o, err := f.Resolve(o)
	if err != nil {
		return err
	}
	ref, _ := o.(*Dict)
	method, err := f.Resolve(ref.Get("TransformMethod"))
	if err != nil {
		return err
	}
	params, err := f.GetDict(ref, "TransformParams")
	if err != nil {
		return err
	}
	switch method {
	case Name("DocMDP"):
		r.Level = 2 // where none is written: ISO 32000-2, table 257
		p, err := f.Resolve(params.Get("P"))
		if n, ok := p.(int64); ok && n >= 1 && n <= 3 {
			r.Level = n
		}
		return err
	case Name("FieldMDP"):
		if params == nil {
			return nil
		}
		r.Fields, err = f.lock(params)
		return err
	}
	return nil
}

func (f *File) lock(d *Dict) (*Lock, error) {
	l := new(Lock)
	action, err := f.Resolve(d.Get("Action"))
	if err != nil {
		return nil, err
	}
	l.Action, _ = action.(Name)
	p, err := f.Resolve(d.Get("P"))
	if err != nil {
		return nil, err
	}
	l.Level, _ = p.(int64)
	o, err := f.Resolve(d.Get("Fields"))
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
		o, err := f.Resolve(item)
		if err != nil {
			return nil, err
		}
		if s, ok := o.(*String); ok {
			l.Names = append(l.Names, Text(s.Value[:min(len(s.Value), maxFieldName)]))
		}
	}
	return l, nil
}
