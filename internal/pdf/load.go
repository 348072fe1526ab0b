package pdf

import (
	"bytes"
	"errors"
	"fmt"
)

// window runs parse on the bytes from off on, first few, then more as long as parse asks for more.
func (f *File) window(off int64, parse func(p *parser) error) error {
	l := f.opt.Limits
	for n := 512; ; n *= 8 {
		n = min(n, l.Object)
		b, err := f.src.read(off, n)
		if err != nil {
			return err
		}
		p := &parser{b: b, more: off+int64(len(b)) < f.src.size, depth: l.Depth, items: l.Items}
		err = parse(p)
		if err != errMore {
			return located(err, off)
		}
		if n == l.Object {
			return fmt.Errorf("%w: the object at offset %d has more than %d bytes", ErrLimit, off, n)
		}
	}
}

// located turns a place in the parser's input into an offset in the file.
func located(err error, off int64) error {
	var at *faultAt
	if errors.As(err, &at) {
		return fmt.Errorf("%w: offset %d: %s", at.kind, off+int64(at.at), at.text)
	}
	return err
}

// header reads "N G obj".
func (p *parser) header() (Ref, error) {
	at := p.i
	bad := p.fault(at, "no object begins here")
	var n [2]uint64
	for i, limit := range []uint64{1<<32 - 1, 1<<16 - 1} {
		from := p.i
		for p.i < len(p.b) && isDigit(p.b[p.i]) && n[i] <= limit {
			n[i] = n[i]*10 + uint64(p.b[p.i]-'0')
			p.i++
		}
		if p.i == from || n[i] > limit {
			return Ref{}, orMore(p, bad)
		}
		from = p.i
		if err := p.space(); err != nil {
			return Ref{}, orMore(p, bad)
		}
		if p.i == from {
			return Ref{}, bad
		}
	}
	if len(p.b)-p.i < 3 {
		return Ref{}, orMore(p, bad)
	}
	if string(p.b[p.i:p.i+3]) != "obj" {
		return Ref{}, bad
	}
	p.i += 3
	return Ref{uint32(n[0]), uint16(n[1])}, nil
}

func orMore(p *parser, err error) error {
	if p.more && p.i >= len(p.b)-3 {
		return errMore
	}
	return err
}

// indirectAt reads the object at off, which must be want (nil: any). Of a stream the Length is left open.
func (f *File) indirectAt(off int64, want *Ref) (*Indirect, error) {
	if off < 0 || off > f.src.size {
		return nil, damaged(off, "not in the file", nil)
	}
	start := max(0, off-1) // one byte more, to see that the number begins here
	var o *Indirect
	err := f.window(start, func(p *parser) error {
		if int64(len(p.b)) <= off-start {
			return p.fault(0, "beyond the end of the file")
		}
		p.i = int(off - start)
		if p.i > 0 && isDigit(p.b[0]) && isDigit(p.b[1]) {
			return p.fault(p.i, "inside a number")
		}
		if err := p.space(); err != nil {
			return err
		}
		o = &Indirect{Header: start + int64(p.i)}
		var err error
		if o.Ref, err = p.header(); err != nil {
			return err
		}
		if want != nil && o.Ref != *want {
			return p.fault(p.i, fmt.Sprintf("object %s stands here", o.Ref))
		}
		return p.indirect(o, start)
	})
	if err != nil && o != nil && o.Offset > 0 { // its header was right
		return nil, err
	}
	if errors.Is(err, ErrSyntax) {
		return nil, damaged(off, "the object is not where the cross-reference says", err)
	}
	return o, err
}

// indirect reads the value after "N G obj". The parser's bytes begin at start.
func (p *parser) indirect(o *Indirect, start int64) error {
	if err := p.space(); err != nil {
		return err
	}
	at := p.i
	o.Offset = start + int64(at)
	if bytes.HasPrefix(p.b[at:], []byte("endobj")) { // nothing between obj and endobj
		return nil
	}
	q := *p // spans count from the value
	q.b, q.i = p.b[at:], 0
	v, span, err := q.object()
	if err != nil {
		var f *faultAt
		if errors.As(err, &f) {
			f.at += at
		}
		return err
	}
	o.Value, o.Raw = v, q.b[:span.To:span.To]
	p.i = at + span.To
	if err := p.space(); err != nil {
		if err == errMore {
			return err
		}
		return nil // the file ends without endobj
	}
	after := p.i
	w, err := p.word()
	if err != nil {
		return err
	}
	d, isDict := v.(*Dict)
	if isDict && bytes.HasPrefix(w, []byte("stream")) {
		p.i = after + 6
		if err := p.streamStart(); err != nil {
			return err
		}
		o.Value = &Stream{Dict: d, Offset: start + int64(p.i), Ref: o.Ref}
		return nil
	}
	switch string(w) {
	case "endobj", "xref", "trailer", "startxref": // all but the first: endobj is missing, the value is whole
		return nil
	}
	p.i = after
	if _, err := p.header(); err == nil || err == errMore {
		return err
	}
	if bytes.HasPrefix(w, []byte("endobj")) {
		return nil
	}
	return p.fault(after, fmt.Sprintf("object %s: no endobj after its value", o.Ref))
}

// streamStart skips the end of line after the word stream.
func (p *parser) streamStart() error {
	i := p.i
	for i < len(p.b) && (p.b[i] == ' ' || p.b[i] == '\t') && i < p.i+16 {
		i++
	}
	if len(p.b)-i < 2 && p.more {
		return errMore
	}
	switch {
	case bytes.HasPrefix(p.b[i:], []byte("\r\n")):
		p.i = i + 2
	case i < len(p.b) && (p.b[i] == '\n' || p.b[i] == '\r'):
		p.i = i + 1
	}
	return nil
}

// streamEnd says where the endstream ends that follows n bytes of data at off; 0: it is not there.
func (f *File) streamEnd(off, n int64) (int64, error) {
	if n < 0 || n > f.src.size-off {
		return 0, nil
	}
	b, err := f.src.read(off+n, 32)
	if err != nil {
		return 0, err
	}
	rest := bytes.TrimLeft(b, "\x00\t\n\f\r ")
	if !bytes.HasPrefix(rest, []byte("endstream")) {
		return 0, nil
	}
	return off + n + int64(len(b)-len(rest)) + 9, nil
}

// maxChain is how many references may lead to one another.
const maxChain = 8

// Load reads one indirect object. A free or missing object is a nil Value and no error, as the standard has it. In an
// encrypted file the strings of Value are decrypted, except the /Contents of a signature; Raw is as it stands in the
// file, or in the decoded object stream, where strings are not encrypted by themselves.
// ErrDamaged: the object is not where the cross-reference says, or a stream does not end where its /Length says.
func (f *File) Load(r Ref) (*Indirect, error) {
	o, _, err := f.load(r, maxChain)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", r, err)
	}
	return o, nil
}

// Peek reads one object as Load does, but for what a walk over references does not ask for: strings are as they stand in the file, and
// where the data of a stream ends is not looked for, so that a wrong /Length is no error.
func (f *File) Peek(r Ref) (*Indirect, error) {
	e := f.index.get(r.Num)
	if e.kind() != inFile || e.gen() != r.Gen {
		return f.Load(r)
	}
	o, err := f.indirectAt(e.offset(), &r)
	if err != nil {
		return nil, fmt.Errorf("object %s: %w", r, err)
	}
	return o, nil
}

// load says too how many bytes it had to decode or parse.
func (f *File) load(r Ref, chain int) (*Indirect, int, error) {
	none := &Indirect{Ref: r, Offset: -1, Header: -1}
	e := f.index.get(r.Num)
	var o *Indirect
	var err error
	work := 0
	switch {
	case e.kind() == inFile && e.gen() == r.Gen:
		o, err = f.indirectAt(e.offset(), &r)
		if err == nil {
			work = len(o.Raw)
			err = f.finish(o, chain)
			if st, ok := o.Value.(*Stream); ok && f.opt.Repair {
				work += int(st.Length) // which may have been looked for
			}
		}
	case e.kind() == inStream && r.Gen == 0:
		o, work, err = f.loadFromStream(r, e, chain)
	default:
		return none, 0, nil
	}
	if err != nil {
		return nil, work, err
	}
	return o, work, nil
}

// finish decrypts the strings of an object from the file and sets the length of a stream.
func (f *File) finish(o *Indirect, chain int) error {
	if st, ok := o.Value.(*Stream); ok {
		if err := f.setLength(st, chain); err != nil {
			return err
		}
	}
	if f.crypt != nil {
		return f.crypt.decryptStrings(o)
	}
	return nil
}

func (f *File) setLength(st *Stream, chain int) error {
	length := st.Dict.Get("Length")
	if r, ok := length.(Ref); ok {
		if chain == 0 {
			return fmt.Errorf("%w: /Length leads through too many streams", ErrSyntax)
		}
		o, _, err := f.load(r, chain-1)
		if err != nil && !f.opt.Repair {
			return fmt.Errorf("its /Length, object %s: %w", r, err)
		}
		length = nil
		if err == nil {
			length = o.Value
		}
	}
	if n, ok := length.(int64); ok {
		if end, err := f.streamEnd(st.Offset, n); err != nil {
			return err
		} else if end > 0 {
			st.Length = n
			return nil
		}
	}
	if !f.opt.Repair {
		return damaged(st.Offset, "no endstream where /Length says that the data ends", nil)
	}
	n, err := f.findEndstream(st.Offset)
	st.Length = n
	return err
}

// findEndstream looks for the end of stream data by its keyword, and leaves out the end of line before it.
func (f *File) findEndstream(off int64) (int64, error) {
	s := newScan(f.src, off)
	s.size = 8 << 10
	word := []byte("endstream")
	for {
		b, err := s.need(4096)
		if err != nil {
			return 0, err
		}
		if i := bytes.Index(b, word); i >= 0 {
			end := s.pos() + int64(i)
			tail, err := f.src.read(max(off, end-2), int(end-max(off, end-2)))
			if err != nil {
				return 0, err
			}
			switch {
			case bytes.HasSuffix(tail, []byte("\r\n")):
				end -= 2
			case bytes.HasSuffix(tail, []byte("\n")), bytes.HasSuffix(tail, []byte("\r")):
				end--
			}
			return end - off, nil
		}
		if len(b) < 4096 {
			return 0, damaged(off, "a stream without end", nil)
		}
		s.i += len(b) - len(word)
	}
}

// Resolve follows a Ref (and a Ref it leads to) and returns any other object as it is.
func (f *File) Resolve(o Object) (Object, error) {
	for range maxChain {
		r, ok := o.(Ref)
		if !ok {
			return o, nil
		}
		i, err := f.Load(r)
		if err != nil {
			return nil, err
		}
		o = i.Value
	}
	return nil, fmt.Errorf("%w: more than %d references that lead to references", ErrSyntax, maxChain)
}

// GetDict resolves d[k] and returns it if it is a dictionary (or a stream's); nil otherwise.
func (f *File) GetDict(d *Dict, k Name) (*Dict, error) {
	o, err := f.Resolve(d.Get(k))
	return asDict(o), err
}

// Catalog loads the document catalog.
func (f *File) Catalog() (*Indirect, error) {
	root, ok := f.Trailer().Get("Root").(Ref)
	if !ok {
		return nil, fmt.Errorf("%w: the trailer has no reference for /Root", ErrDamaged)
	}
	o, err := f.Load(root)
	if err != nil {
		return nil, err
	}
	if _, ok := o.Value.(*Dict); !ok {
		return nil, fmt.Errorf("%w: object %s: the catalog is not a dictionary", ErrDamaged, root)
	}
	return o, nil
}
