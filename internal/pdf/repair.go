package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// check compares the whole cross-reference with the headers in the file, as a caller who asks for repair can afford. Its
// error is ErrDamaged where they do not agree.
func (f *File) check() error {
	err := f.index.all(func(num uint32, e entry) error {
		switch e.kind() {
		case inFile:
			b, err := f.src.read(e.offset(), 40)
			if err != nil {
				return err
			}
			p := &parser{b: b}
			if p.space() == nil {
				if r, err := p.header(); err == nil && r == (Ref{num, e.gen()}) {
					return nil
				}
			}
			return damaged(e.offset(), fmt.Sprintf("object %d is not where the cross-reference says", num), nil)
		case inStream:
			if f.index.get(e.container()).kind() != inFile {
				return damaged(0, fmt.Sprintf("object %d is said to be in object stream %d, which is missing", num, e.container()), nil)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = f.Catalog()
	return err
}

// rebuild makes the cross-reference from the objects found in the file: the last definition of each number counts.
// reason is why.
func (f *File) rebuild(reason error) error {
	f.index, f.sections, f.cached, f.crypt, f.base = index{}, nil, nil, nil, 0
	// While it runs, the index is not complete: loading must neither trust it nor ask for repair of its own.
	r := &rebuild{f: f, work: 1<<20 + 4*f.src.size, budget: f.entryBudget()}
	if err := r.scan(); err != nil {
		return err
	}
	trailer := r.trailer()
	sec := Section{Offset: -1, Kind: Table, Trailer: trailer}
	if len(r.streams) > 0 || r.xrefStreams {
		sec.Kind = XRefStream // only such a one can name compressed objects
	}
	f.sections = []Section{sec}
	if err := f.decrypt(); err != nil {
		return err
	}
	if err := r.unpack(); err != nil {
		return err
	}
	if err := r.findRoot(trailer); err != nil {
		return fmt.Errorf("%w (rebuilt because: %w)", err, reason)
	}
	setKey(trailer, "Size", int64(f.index.max)+1)
	f.repaired = reason
	return nil
}

type rebuild struct {
	f           *File
	work        int64 // bytes that may still be parsed in vain
	budget      int64
	streams     []found // object streams, in the order of the file
	trailers    []*Dict // with /Root, the last counts
	fallback    []*Dict // without
	catalog     Ref
	xrefStreams bool
	inflated    int64
}

type found struct {
	ref Ref
	at  int64
}

// scan goes once through the file, from object to object.
func (r *rebuild) scan() error {
	const step = 1024
	s := newScan(r.f.src, r.f.header)
	for {
		b, err := s.need(step)
		if err != nil {
			return err
		}
		b = b[:min(len(b), step)] // so that what is far is not searched again and again
		obj := bytes.Index(b, []byte("obj"))
		before := b
		if obj >= 0 {
			before = b[:obj]
		}
		if i := bytes.Index(before, []byte("trailer")); i >= 0 {
			s.i += i + 7
			if err := r.addTrailer(s.pos()); err != nil {
				return err
			}
			continue
		}
		if obj < 0 {
			if len(b) < step {
				return nil
			}
			s.i += len(b) - 64 // a header may stand across
			continue
		}
		end := int64(0)
		if from := headerBefore(b, obj); from >= 0 {
			if end, err = r.addObject(s.pos()+int64(from), b[from:obj+3]); err != nil {
				return err
			}
		}
		s.jump(max(end, s.pos()+int64(obj)+3))
	}
}

// headerBefore finds where the "N G" begins that stands before obj at b[i:]; -1: none does.
func headerBefore(b []byte, i int) int {
	i--
	for n := range 2 {
		from := i
		for i >= 0 && class[b[i]] == white && from-i < 16 {
			i--
		}
		if i == from && n == 1 || i < 0 {
			return -1
		}
		from = i
		for i >= 0 && isDigit(b[i]) && from-i < 11 {
			i--
		}
		if i == from {
			return -1
		}
	}
	return i + 1
}

// addObject notes the object at off, which begins with header, and says where it ends; 0: not known.
func (r *rebuild) addObject(off int64, header []byte) (int64, error) {
	ref, err := (&parser{b: header}).header()
	if err != nil {
		return 0, nil
	}
	if err := r.note(ref, off); err != nil || r.work <= 0 {
		return 0, err
	}
	read := int64(0)
	var o *Indirect
	err = r.f.window(off, func(p *parser) error {
		read += int64(len(p.b))
		o = &Indirect{Ref: ref, Header: off}
		p.i = len(header)
		return p.indirect(o, off)
	})
	if errors.Is(err, ErrSyntax) || errors.Is(err, ErrLimit) {
		r.work -= read
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	end := o.Offset + int64(len(o.Raw))
	d := o.Dict()
	if st, ok := o.Value.(*Stream); ok {
		if end, err = r.streamEnd(st); err != nil {
			return 0, err
		}
		switch d.Get("Type") {
		case Name("ObjStm"):
			r.streams = append(r.streams, found{o.Ref, off})
		case Name("XRef"):
			r.xrefStreams = true
			r.noteTrailer(d)
		}
	} else if d.Get("Type") == Name("Catalog") {
		r.catalog = o.Ref
	}
	return end, nil
}

// note puts an object in force.
func (r *rebuild) note(ref Ref, off int64) error {
	f := r.f
	if ref.Num == 0 || int64(ref.Num) >= int64(f.opt.Limits.Objects) || off > maxOffset {
		return nil
	}
	f.index.set(ref.Num, fileEntry(off, ref.Gen))
	if r.budget--; r.budget < 0 || int64(f.index.used-1)*blockLen > f.entryBudget() {
		return fmt.Errorf("%w: too many objects, or too far apart, for a file of this size", ErrLimit)
	}
	return nil
}

// streamEnd says where the data of a stream ends, by its length or by its keyword.
func (r *rebuild) streamEnd(st *Stream) (int64, error) {
	length := st.Dict.Get("Length")
	if n, ok := length.(int64); ok {
		if end, err := r.f.streamEnd(st.Offset, n); err != nil || end > 0 {
			return end, err
		}
	}
	n, err := r.f.findEndstream(st.Offset)
	if errors.Is(err, ErrDamaged) {
		r.work -= r.f.src.size - st.Offset
		return 0, nil
	}
	return st.Offset + n, err
}

func (r *rebuild) addTrailer(off int64) error {
	if r.work <= 0 {
		return nil
	}
	read := int64(0)
	err := r.f.window(off, func(p *parser) error {
		read += int64(len(p.b))
		if err := p.space(); err != nil {
			return err
		}
		o, _, err := p.object()
		if d, ok := o.(*Dict); ok && err == nil {
			r.noteTrailer(d)
		}
		return err
	})
	r.work -= read
	if errors.Is(err, ErrSyntax) || errors.Is(err, ErrLimit) {
		return nil
	}
	return err
}

// maxTrailers is how many trailers are remembered.
const maxTrailers = 64

func (r *rebuild) noteTrailer(d *Dict) {
	list := &r.fallback
	if _, ok := d.Get("Root").(Ref); ok {
		list = &r.trailers
	}
	if len(*list) == maxTrailers {
		*list = slices.Delete(*list, 0, 1)
	}
	*list = append(*list, d)
}

// trailer makes one trailer of those that were found, the latest first.
func (r *rebuild) trailer() *Dict {
	t := &Dict{}
	all := append(slices.Clone(r.fallback), r.trailers...)
	for _, k := range []Name{"Root", "Info", "ID", "Encrypt"} {
		for i := len(all) - 1; i >= 0; i-- {
			v := all[i].Get(k)
			if v == nil {
				continue
			}
			if ref, ok := v.(Ref); ok && k == "Encrypt" && r.f.index.get(ref.Num).kind() == absent {
				continue
			}
			setKey(t, k, v)
			break
		}
	}
	return t
}

func setKey(d *Dict, k Name, v Object) {
	for i := range d.Entries {
		if d.Entries[i].Key == k {
			d.Entries[i].Value = v
			return
		}
	}
	d.Entries = append(d.Entries, Entry{Key: k, Value: v})
}

// unpack lists what the object streams hold. An object that stands in the file after its stream is the later one.
func (r *rebuild) unpack() error {
	f := r.f
	limit := int64(256<<20) + 16*f.src.size
	for _, s := range r.streams {
		if f.index.get(s.ref.Num) != fileEntry(s.at, s.ref.Gen) {
			continue // replaced later
		}
		o, err := f.Load(s.ref)
		var objs *objectStream
		if err == nil {
			st, ok := o.Value.(*Stream)
			if !ok {
				continue
			}
			objs, err = f.decodeObjects(st)
		}
		switch {
		case errors.Is(err, ErrSyntax), errors.Is(err, ErrDamaged), errors.Is(err, ErrFilter):
			continue // it cannot be read; what it held is missing
		case err != nil:
			return err
		}
		if r.inflated += int64(len(objs.data)); r.inflated > limit {
			return fmt.Errorf("%w: the object streams are too large for a file of this size", ErrLimit)
		}
		for i, p := range objs.objs {
			if p.num == 0 || p.num == s.ref.Num {
				continue
			}
			if r.budget--; r.budget < 0 {
				return fmt.Errorf("%w: too many objects for a file of this size", ErrLimit)
			}
			if e := f.index.get(p.num); e.kind() != inFile || e.offset() < s.at {
				f.index.set(p.num, streamEntry(s.ref.Num, i))
			}
		}
	}
	f.cached = nil
	return nil
}

// findRoot makes sure that /Root is a catalog, and looks for one where it is not.
func (r *rebuild) findRoot(t *Dict) error {
	isCatalog := func(ref Ref) bool {
		o, err := r.f.Load(ref)
		if err != nil {
			return false
		}
		d, ok := o.Value.(*Dict)
		return ok && d.Get("Pages") != nil
	}
	if ref, ok := t.Get("Root").(Ref); ok && isCatalog(ref) {
		return nil
	}
	for i := len(r.trailers) - 1; i >= 0; i-- {
		if ref, ok := r.trailers[i].Get("Root").(Ref); ok && isCatalog(ref) {
			setKey(t, "Root", ref)
			return nil
		}
	}
	if r.catalog.Num != 0 && isCatalog(r.catalog) {
		setKey(t, "Root", r.catalog)
		return nil
	}
	ref, err := r.catalogInStreams()
	if err == nil && ref.Num == 0 {
		err = fmt.Errorf("%w: no catalog in the whole file", ErrDamaged)
	}
	if err == nil {
		setKey(t, "Root", ref)
	}
	return err
}

// catalogInStreams looks for a catalog among the compressed objects, stream by stream.
func (r *rebuild) catalogInStreams() (Ref, error) {
	limit := int64(256<<20) + 16*r.f.src.size
	spent := int64(0)
	for _, s := range slices.Backward(r.streams) {
		objs, n, err := r.f.objectStream(s.ref.Num, maxChain)
		if err != nil {
			continue
		}
		for i, p := range objs.objs {
			if r.f.index.get(p.num) != streamEntry(s.ref.Num, i) {
				continue
			}
			o, w, err := r.f.load(Ref{Num: p.num}, maxChain)
			n += w
			if spent+int64(n) > limit {
				return Ref{}, fmt.Errorf("%w: looking for the catalog", ErrLimit)
			}
			if err == nil && o.Dict().Get("Type") == Name("Catalog") {
				return o.Ref, nil
			}
		}
		spent += int64(n)
	}
	return Ref{}, nil
}
