package verify

import (
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// Keys of a document security store and of what it keeps for one signature (ISO 32000-2 12.8.4.3).
var (
	storeLists = []pdf.Name{"Certs", "OCSPs", "CRLs"}
	vriLists   = []pdf.Name{"Cert", "OCSP", "CRL"}
	vriOthers  = []pdf.Name{"Type", "TU", "TS"}
)

// validation compares the document security store. It holds certificates and lists that a verifier may use; no page shows any of it.
// What may be written again are its dictionaries and arrays, and their shape is checked; a certificate is never defined again.
func (c *comparison) validation(a, b *pdf.Dict) error {
	if b.Get("DSS") == nil {
		if a.Get("DSS") != nil {
			c.change(changeValidation, "删除验证材料", "removes what signatures are checked with (DSS)")
		}
		return nil
	}
	s := &store{comparison: c}
	if d := s.dict(b.Get("DSS"), "DSS"); d != nil {
		if err := s.top(d); err != nil {
			return err
		}
	}
	if s.err != nil {
		return s.err
	}
	if !equal(a.Get("DSS"), b.Get("DSS")) || s.touched {
		c.change(changeValidation, "增加验证材料", "adds what signatures are checked with (DSS)")
	}
	return nil
}

// A store is the walk over a document security store.
type store struct {
	*comparison
	touched bool // an object of it was written
	err     error
}

func (s *store) wrong(what string) {
	s.change(changeContent, "验证材料（DSS）的 %[1]s 有误", "has a malformed %[1]s in the document security store", plain.Text(what))
}

// open resolves a value of the store, and lets it stand in its place.
func (s *store) open(o pdf.Object) pdf.Object {
	r, ok := o.(pdf.Ref)
	if !ok {
		return o
	}
	if s.err == nil {
		s.err = s.spend(1)
	}
	if s.err != nil {
		return nil
	}
	if s.written[r.Num] != nil {
		s.touched = true
		s.put(r.Num, validations)
	}
	if s.inStore == nil {
		s.inStore = map[uint32]bool{}
	}
	s.inStore[r.Num] = true
	v, err := s.new.Resolve(o)
	if err != nil {
		s.err = err
	}
	return v
}

func (s *store) dict(o pdf.Object, what string) *pdf.Dict {
	d, ok := s.open(o).(*pdf.Dict)
	if !ok || d.Duplicate() != "" {
		if s.err == nil {
			s.wrong(what)
		}
		return nil
	}
	return d
}

func (s *store) top(d *pdf.Dict) error {
	for _, e := range d.Entries {
		switch {
		case slices.Contains(storeLists, e.Key):
			s.list(e.Value, string(e.Key))
		case e.Key == "VRI":
			s.vris(e.Value)
		case e.Key != "Type" || e.Value != pdf.Name("DSS"):
			s.wrong("/" + string(e.Key))
		}
	}
	return s.err
}

func (s *store) vris(o pdf.Object) {
	d := s.dict(o, "VRI")
	if d == nil {
		return
	}
	for _, e := range d.Entries {
		if e.Key == "Type" {
			continue
		}
		v := s.dict(e.Value, "VRI")
		if v == nil {
			continue
		}
		for _, x := range v.Entries {
			switch {
			case slices.Contains(vriLists, x.Key):
				s.list(x.Value, string(x.Key))
			case x.Key == "TS":
				s.stream(x.Value, "TS")
			case !slices.Contains(vriOthers, x.Key) || !flat(x.Value, 0):
				s.wrong("/" + string(x.Key))
			}
		}
	}
}

func (s *store) list(o pdf.Object, what string) {
	a, ok := s.open(o).(*pdf.Array)
	if !ok {
		if s.err == nil {
			s.wrong(what)
		}
		return
	}
	for _, x := range a.Items {
		s.stream(x, what)
	}
}

// stream: what stands in the lists are streams that were there as they are, or are new.
func (s *store) stream(o pdf.Object, what string) {
	r, ok := o.(pdf.Ref)
	if s.err == nil {
		s.err = s.spend(1)
	}
	if s.err != nil {
		return
	}
	if !ok {
		s.wrong(what)
		return
	}
	w := s.written[r.Num]
	if w == nil || w.is == nil {
		return
	}
	st, ok := w.is.Value.(*pdf.Stream)
	if !ok || w.was != nil || !plainData(st) {
		s.wrong(what)
	}
}

// plainData: a stream of mere bytes, which leads to nothing and draws nothing.
func plainData(s *pdf.Stream) bool {
	return !slices.ContainsFunc(s.Dict.Entries, func(e pdf.Entry) bool { return !slices.Contains(dataKeys, e.Key) })
}

var dataKeys = []pdf.Name{"Length", "Filter", "DecodeParms", "DL", "Type", "Subtype"}
