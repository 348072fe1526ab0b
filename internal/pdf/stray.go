package pdf

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"slices"
)

// found takes the header of an object.
func (s *Survey) found(h head) {
	o := &s.object[objects]
	h.listed, h.inForce = s.listed(h.Stray)
	if h.listed {
		o.listed = h
		s.heads = append(s.heads, h)
		return
	}
	if s.file.repaired != nil || s.inData(o, h.Offset) {
		return
	}
	o.stray = h
	s.heads = append(s.heads, h)
	if s.Strays++; s.First == nil {
		first := h.Stray
		s.First = &first
	}
	s.rival(h.Stray)
}

// rival keeps a stray where a section names an object of that number that stands before it, or in an object stream.
func (s *Survey) rival(x Stray) {
	older := func(e entry) bool { return e.kind() == inStream || e.kind() == inFile && e.offset() < x.Offset }
	if !older(s.file.index.get(x.Ref.Num)) && !slices.ContainsFunc(s.listing.superseded(x.Ref.Num), func(o listedBefore) bool { return older(o.entry) }) {
		return
	}
	s.Unsettled.References = true // an entry may lead to it over more white space than leads looks at
	if len(s.rivals) < maxRivals {
		s.rivals = append(s.rivals, x)
	}
}

// listed reports whether a section names the object that begins here, and whether it is in force.
func (s *Survey) listed(x Stray) (ok, inForce bool) {
	e := s.file.index.get(x.Ref.Num)
	if e.kind() == inFile && e.offset() == x.Offset {
		return true, true
	}
	if _, ok := slices.BinarySearchFunc(s.sections, x.Offset, compareStart); ok {
		return true, false
	}
	old := s.listing.superseded(x.Ref.Num)
	for _, o := range old {
		if o.entry.kind() == inFile && o.entry.offset() == x.Offset {
			return true, false
		}
	}
	// An entry may lead to white space, or to a comment, before the object.
	if s.leads(e, x) {
		return true, true
	}
	return slices.ContainsFunc(old, func(o listedBefore) bool { return s.leads(o.entry, x) }), false
}

func (s *Survey) leads(e entry, x Stray) bool {
	if e.kind() != inFile || e.offset() >= x.Offset || x.Offset-e.offset() > lookBack || s.work < 0 {
		return false
	}
	s.work -= lookBack
	b, err := s.file.src.read(e.offset(), int(x.Offset-e.offset())+1)
	if err != nil {
		s.err = orElse(s.err, err)
		return false
	}
	p := &parser{b: b}
	return p.space() == nil && p.i == len(b)-1
}

// extent says where the object with a header lies.
func (s *Survey) extent(h *head) extent {
	if h.Ref.Num == 0 {
		return extent{}
	}
	if !h.looked {
		h.looked = true
		h.lie = s.measure(h.Stray)
	}
	return h.lie
}

// measure parses an object.
func (s *Survey) measure(x Stray) extent {
	f := s.file
	o := &Indirect{Header: x.Offset}
	if s.work < 0 {
		s.Unsettled = Unsettled{true, true}
		return extent{}
	}
	err := f.window(x.Offset, func(p *parser) error {
		if s.work -= int64(len(p.b)); s.work < 0 {
			return p.fault(0, "too much to parse")
		}
		var err error
		if o.Ref, err = p.header(); err != nil {
			return err
		}
		return p.indirect(o, x.Offset)
	})
	if err != nil {
		s.fail(err)
		return extent{}
	}
	e := extent{from: x.Offset, end: o.Offset + int64(len(o.Raw))}
	st, ok := o.Value.(*Stream)
	if !ok {
		return e
	}
	if err := f.setLength(st, maxChain); err != nil {
		s.fail(err)
		if st.Length, err = f.findEndstream(st.Offset); err != nil {
			s.fail(err)
			return e
		}
		s.work -= st.Length
	}
	e.data = Range{st.Offset, st.Length}
	e.end = e.data.End()
	return e
}

// fail keeps an error of reading. What an object says that cannot be parsed is no error here.
func (s *Survey) fail(err error) {
	if !ofFile(err) {
		s.err = orElse(s.err, err)
	}
}

// ofFile: the error is about what the file says.
func ofFile(err error) bool {
	return slices.ContainsFunc([]error{ErrSyntax, ErrDamaged, ErrLimit, ErrFilter, ErrEncrypted, ErrPassword}, func(e error) bool { return errors.Is(err, e) })
}

// Shadow gives a stray that stands, within the first end bytes, behind the object that is in force there: who rebuilds the
// cross-reference from the bytes takes it instead. An object of an object stream is taken for older than any other.
func (s *Survey) Shadow(end int64) (Stray, bool) {
	for _, x := range s.rivals {
		if x.Offset >= end {
			break
		}
		if at, ok := s.place(x.Ref.Num, end); ok && at < x.Offset {
			return x, true
		}
	}
	return Stray{}, false
}

// place is where the object of a number stands that is in force in the first end bytes; 0: in an object stream.
func (s *Survey) place(num uint32, end int64) (int64, bool) {
	at := func(e entry) (int64, bool) {
		switch e.kind() {
		case inFile:
			return e.offset(), e.offset() < end
		case inStream:
			c := s.file.index.get(e.container())
			return 0, c.kind() != inFile || c.offset() < end
		}
		return 0, false
	}
	p, ok := at(s.file.index.get(num))
	if ok || end >= s.file.src.size {
		return p, ok
	}
	for _, o := range s.listing.superseded(num) {
		if p, ok := at(o.entry); ok {
			return p, true
		}
	}
	return 0, false
}

// Trailer gives the offset of a trailer that no section ends in, that names another catalog than the newest does, and
// behind which no other trailer stands: who rebuilds the cross-reference begins there. 0: there is none.
func (s *Survey) Trailer() (int64, error) {
	f := s.file
	last := int64(0)
	for _, x := range f.sections {
		if x.Kind != XRefStream {
			last = max(last, x.Offset)
		}
	}
	root := f.Trailer().Get("Root")
	for _, at := range slices.Backward(s.trailers) {
		if at < last {
			break
		}
		differs := false
		err := f.window(at+7, func(p *parser) error {
			if s.work -= int64(len(p.b)); s.work < 0 {
				return p.fault(0, "too much to parse")
			}
			if err := p.space(); err != nil {
				return err
			}
			o, _, err := p.object()
			if d, ok := o.(*Dict); ok && err == nil {
				r, ok := d.Get("Root").(Ref)
				differs = ok && Object(r) != root
			}
			return err
		})
		if err != nil && !ofFile(err) {
			return 0, err
		}
		if differs {
			return at, nil
		}
	}
	return 0, nil
}

// A StreamFault is what is wrong with an object stream: Twice, it names Num twice; Other, it holds another object than Num
// where the cross-reference says that Num is; else it holds Num, and the cross-reference names an older one.
type StreamFault struct {
	Stream, Num  uint32
	Twice, Other bool
}

// Streams reads the list of each object stream, of those that no section names too, and gives the first fault; nil: none.
// An object that is not in force is none.
func (s *Survey) Streams() (*StreamFault, error) {
	f := s.file
	err := f.index.all(func(_ uint32, e entry) error {
		if e.kind() == inStream {
			s.streams.Add(e.container())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var seen Numbers
	left := int64(64<<20) + 8*f.src.size
	for w, some := range s.streams.bits {
		for ; some != 0; some &= some - 1 {
			num := uint32(w*64 + bits.TrailingZeros64(some))
			e := f.index.get(num)
			if e.kind() != inFile {
				continue // what is in it cannot be loaded
			}
			nums, err := f.streamNumbers(Ref{num, e.gen()}, e.offset(), &left)
			if err != nil {
				if errors.Is(err, ErrLimit) || !ofFile(err) {
					return nil, err
				}
				continue
			}
			if fault := f.streamFault(num, e.offset(), nums, &seen); fault != nil {
				return fault, nil
			}
		}
	}
	for _, x := range s.packs {
		nums, err := f.streamNumbers(x.Ref, x.Offset, &left)
		if err != nil && (errors.Is(err, ErrLimit) || !ofFile(err)) {
			return nil, err
		}
		for _, n := range nums {
			if at, ok := f.standsAt(n); ok && at < x.Offset {
				return &StreamFault{Stream: x.Ref.Num, Num: n}, nil
			}
		}
	}
	return nil, nil
}

// cutShort: data that ends too early is wrong, not a failure to read.
func cutShort(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return ErrSyntax
	}
	return err
}

// compareStart orders ranges by where they begin.
func compareStart(r Range, at int64) int { return cmp.Compare(r.Offset, at) }

// standsAt is where the object of a number stands, or its object stream.
func (f *File) standsAt(num uint32) (int64, bool) {
	e := f.index.get(num)
	if e.kind() == inStream {
		e = f.index.get(e.container())
	}
	return e.offset(), e.kind() == inFile
}

func (f *File) streamFault(stream uint32, at int64, nums []uint32, seen *Numbers) *StreamFault {
	seen.clear()
	for i, n := range nums {
		e := f.index.get(n)
		if e.kind() != inStream || e.container() != stream {
			if other, ok := f.standsAt(n); ok && other < at {
				return &StreamFault{Stream: stream, Num: n}
			}
			continue
		}
		if seen.Has(n) {
			return &StreamFault{Stream: stream, Num: n, Twice: true}
		}
		seen.Add(n)
		if k := e.index(); k != i && (k >= len(nums) || nums[k] != n) {
			return &StreamFault{Stream: stream, Num: n, Other: true}
		}
	}
	return nil
}

// streamNumbers reads the numbers that the object stream at a place names, in order, and decodes no more of it.
func (f *File) streamNumbers(r Ref, at int64, left *int64) ([]uint32, error) {
	o, err := f.indirectAt(at, &r)
	if err != nil {
		return nil, err
	}
	st, ok := o.Value.(*Stream)
	if !ok {
		return nil, nil
	}
	if err := f.setLength(st, maxChain); err != nil {
		return nil, err
	}
	n, _ := st.Dict.Get("N").(int64)
	first, _ := st.Dict.Get("First").(int64)
	if n < 0 || first < n || first > int64(f.opt.Limits.Object) {
		return nil, damaged(at, "malformed object stream", nil)
	}
	if *left -= first; *left < 0 {
		return nil, fmt.Errorf("%w: the object streams are too large for a file of this size", ErrLimit)
	}
	in, err := f.decoder(st, f.crypt)
	if err != nil {
		return nil, err
	}
	data := make([]byte, first)
	if _, err := io.ReadFull(in, data); err != nil {
		return nil, damaged(at, "object stream", cutShort(err))
	}
	list, err := f.packedList(r.Num, data, n)
	nums := make([]uint32, 0, len(list))
	for _, p := range list {
		nums = append(nums, p.num)
	}
	return nums, err
}
