package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Kind is the kind of a cross-reference section.
type Kind int

const (
	Table      Kind = iota // classic
	XRefStream             // a stream
	Hybrid                 // a table whose trailer names a stream too (/XRefStm)
)

// A Section is one cross-reference section: one link of the /Prev chain.
type Section struct {
	Offset  int64 // of the word xref, or of the stream object
	Kind    Kind
	Trailer *Dict  // the trailer, or the stream's dictionary
	Raw     []byte // of Trailer: what its spans count from
	XRefStm int64  // Hybrid: of the stream object
	End     int64  // just after the trailer, or after the stream's endobj
	EOF     int64  // just after the %%EOF that comes next, its end of line left out; 0: none does
}

// damaged says why the cross-reference is not usable. An err that is a limit or a failed read is not damage.
func damaged(off int64, text string, err error) error {
	var at *faultAt
	switch {
	case err == nil:
		return fmt.Errorf("%w: offset %d: %s", ErrDamaged, off, text)
	case errors.As(err, &at):
		if at.kind == ErrLimit {
			return err
		}
	case !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrFilter):
		return err
	}
	return fmt.Errorf("%w: offset %d: %s: %w", ErrDamaged, off, text, err)
}

// readXRef follows the chain from the last startxref.
func (f *File) readXRef() error {
	start, err := f.lastStartXRef()
	if err != nil {
		return err
	}
	if f.header > 0 && !f.sectionAt(start) && f.sectionAt(start+f.header) {
		f.base = f.header
	}
	f.budget = f.entryBudget()
	seen := map[int64]bool{}
	for off := start + f.base; ; {
		if seen[off] {
			return damaged(off, "the /Prev chain runs in a circle", nil)
		}
		seen[off] = true
		if len(f.sections) == f.opt.Limits.Sections {
			return fmt.Errorf("%w: more than %d cross-reference sections", ErrLimit, len(f.sections))
		}
		s, err := f.readSection(off, &f.budget, f.keep)
		if err != nil {
			return damaged(off, "cross-reference section", err)
		}
		f.sections = append(f.sections, s)
		prev := s.Trailer.Get("Prev")
		n, ok := prev.(int64)
		if prev == nil || ok && n == 0 { // 0: what some makers write for none
			break
		}
		if !ok || n < 0 || n >= f.src.size {
			return damaged(s.Offset, "/Prev is not an offset in the file", nil)
		}
		off = n + f.base
	}
	t := f.Trailer()
	if size, _ := t.Get("Size").(int64); size > int64(f.opt.Limits.Objects) {
		return fmt.Errorf("%w: /Size %d, %d allowed", ErrLimit, size, f.opt.Limits.Objects)
	}
	if _, ok := t.Get("Root").(Ref); !ok {
		return damaged(f.sections[0].Offset, "the trailer has no reference for /Root", nil)
	}
	return nil
}

// entryBudget is how many entries a file of this size may list.
func (f *File) entryBudget() int64 { return 1<<16 + f.src.size }

// lastStartXRef looks for the word from the end of the file back, 64 KiB at most.
func (f *File) lastStartXRef() (int64, error) {
	for n := int64(1 << 10); n <= 1<<16; n <<= 3 {
		from := max(0, f.src.size-n)
		b, err := f.src.read(from, int(n))
		if err != nil {
			return 0, err
		}
		if i := bytes.LastIndex(b, []byte("startxref")); i >= 0 {
			s := newScan(f.src, from+int64(i)+9)
			if err := s.space(); err != nil {
				return 0, err
			}
			v, ok, err := s.integer()
			if err == nil && !ok {
				err = damaged(from+int64(i), "no offset after startxref", nil)
			}
			return v, err
		}
		if from == 0 {
			break
		}
	}
	return 0, damaged(f.src.size, "no startxref before the end", nil)
}

// sectionAt reports whether a section seems to begin at off.
func (f *File) sectionAt(off int64) bool { return f.sectionStart(off) >= 0 }

// sectionStart is where the section begins that is found at off, behind white space; -1: there seems to be none.
func (f *File) sectionStart(off int64) int64 {
	b, err := f.src.read(off, 64)
	if err != nil {
		return -1
	}
	p := &parser{b: b}
	if p.space() != nil {
		return -1
	}
	at := off + int64(p.i)
	if bytes.HasPrefix(b[p.i:], []byte("xref")) {
		return at
	}
	if _, err := p.header(); err != nil {
		return -1
	}
	return at
}

// Ambiguous reports whether a section is found in two places: with offsets that count from the beginning of the file and with
// ones that count from the header.
func (f *File) Ambiguous() (bool, error) {
	if f.header == 0 || f.repaired != nil {
		return false, nil
	}
	start, err := f.lastStartXRef()
	if err != nil {
		return false, err
	}
	written := []int64{start}
	for _, s := range f.sections {
		for _, k := range []Name{"Prev", "XRefStm"} {
			if n, ok := s.Trailer.Get(k).(int64); ok && n > 0 {
				written = append(written, n)
			}
		}
	}
	for _, n := range written {
		a, b := f.sectionStart(n), f.sectionStart(n+f.header)
		if a >= 0 && b >= 0 && a != b {
			return true, nil
		}
	}
	return false, nil
}

// keep puts an entry in force unless a newer section has one. What a table calls free the stream of the same section
// (/XRefStm) may define.
func (f *File) keep(num uint32, e entry) error {
	old := f.index.get(num)
	if old.kind() != absent && (old.kind() != free || e.kind() == free || old.offset() != int64(len(f.sections))) {
		return nil
	}
	if e.kind() == free {
		e = freeEntry(len(f.sections), e.gen())
	}
	f.index.set(num, e)
	if n := int64(f.index.used-1) * blockLen; n > f.entryBudget() {
		return fmt.Errorf("%w: object numbers too far apart for a file of this size", ErrLimit)
	}
	return nil
}

// An emit takes the entries of a section as they are read.
type emit func(num uint32, e entry) error

func (f *File) readSection(off int64, budget *int64, out emit) (Section, error) {
	return f.readParts(off, budget, out, out)
}

// readParts gives the entries of the stream that a hybrid section names to hidden.
func (f *File) readParts(off int64, budget *int64, out, hidden emit) (Section, error) {
	s := newScan(f.src, off)
	if err := s.space(); err != nil {
		return Section{}, err
	}
	off = s.pos()
	if ok, err := s.has("xref"); err != nil {
		return Section{}, err
	} else if !ok {
		return f.readXRefStream(off, budget, out)
	}
	if err := f.readTable(s, budget, out); err != nil {
		return Section{}, err
	}
	sec := Section{Offset: off, Kind: Table}
	if err := s.space(); err != nil {
		return sec, err
	}
	at := s.pos()
	err := f.window(at, func(p *parser) error {
		if len(p.b) == 0 || p.b[0] != '<' {
			return p.fault(0, "no dictionary after trailer")
		}
		o, span, err := p.object()
		if err != nil {
			return err
		}
		var ok bool
		if sec.Trailer, ok = o.(*Dict); !ok {
			return p.fault(0, "no dictionary after trailer")
		}
		sec.Raw = bytes.Clone(p.b[:span.To])
		return nil
	})
	if err != nil {
		return sec, err
	}
	sec.End = at + int64(len(sec.Raw))
	if stm := sec.Trailer.Get("XRefStm"); stm != nil {
		n, ok := stm.(int64)
		if !ok || n < 0 || n >= f.src.size {
			return sec, damaged(off, "/XRefStm is not an offset in the file", nil)
		}
		sub, err := f.readXRefStream(n+f.base, budget, hidden)
		if err != nil {
			return sec, err
		}
		sec.Kind, sec.XRefStm = Hybrid, sub.Offset
	}
	sec.EOF, err = f.eofAfter(sec.End)
	return sec, err
}

// eofAfter finds the end of the %%EOF that follows a section.
func (f *File) eofAfter(off int64) (int64, error) {
	s := newScan(source{f.src.r, min(f.src.size, off+256)}, off)
	if err := s.space(); err != nil {
		return 0, err
	}
	if ok, err := s.has("startxref"); err != nil || !ok {
		return 0, err
	}
	if err := s.space(); err != nil {
		return 0, err
	}
	if _, ok, err := s.integer(); err != nil || !ok {
		return 0, err
	}
	b, err := s.need(256)
	if err != nil {
		return 0, err
	}
	rest := bytes.TrimLeft(b, "\x00\t\n\f\r ")
	if !bytes.HasPrefix(rest, []byte("%%EOF")) {
		return 0, nil
	}
	return s.pos() + int64(len(b)-len(rest)) + 5, nil
}

// readTable reads the subsections that follow xref, up to and with the word trailer.
func (f *File) readTable(s *scan, budget *int64, out emit) error {
	for first := true; ; first = false {
		if err := s.space(); err != nil {
			return err
		}
		if ok, err := s.has("trailer"); err != nil || ok {
			return err
		}
		at := s.pos()
		start, ok, err := s.integer()
		if err != nil {
			return err
		}
		if err := s.space(); err != nil {
			return err
		}
		count, ok2, err := s.integer()
		if err != nil {
			return err
		}
		if !ok || !ok2 {
			return damaged(at, "neither a subsection of the table nor its trailer", nil)
		}
		if start+count > int64(f.opt.Limits.Objects) {
			return fmt.Errorf("%w: object number %d in the cross-reference", ErrLimit, start+count-1)
		}
		if err := s.space(); err != nil {
			return err
		}
		if first && start == 1 && count > 1 {
			if start, err = f.firstNumber(s); err != nil {
				return err
			}
		}
		if err := f.readSubsection(s, uint32(start), count, budget, out); err != nil {
			return err
		}
	}
}

// firstNumber decides whether a table that says it begins with object 1 begins with object 0, as some makers' do: the
// first entry is the head of the free list and the second belongs to the object whose header says 1.
func (f *File) firstNumber(s *scan) (int64, error) {
	b, err := s.need(40)
	if err != nil || len(b) < 40 {
		return 1, err
	}
	_, gen, kind, ok := fixedEntry(b)
	off, _, kind2, ok2 := fixedEntry(b[20:])
	if !ok || !ok2 || kind != 'f' || gen != 65535 || kind2 != 'n' {
		return 1, nil
	}
	b, err = f.src.read(off+f.base, 32)
	if err != nil {
		return 1, err
	}
	p := &parser{b: b}
	if r, err := p.header(); err == nil && r.Num == 1 {
		return 0, nil
	}
	return 1, nil
}

// fixedEntry reads an entry of the standard's 20 bytes.
func fixedEntry(b []byte) (off int64, gen uint32, kind byte, ok bool) {
	_ = b[19]
	for _, c := range b[:10] {
		d := c - '0'
		if d > 9 {
			return 0, 0, 0, false
		}
		off = off*10 + int64(d)
	}
	for _, c := range b[11:16] {
		d := c - '0'
		if d > 9 {
			return 0, 0, 0, false
		}
		gen = gen*10 + uint32(d)
	}
	kind = b[17]
	ok = b[10] == ' ' && b[16] == ' ' && (kind == 'n' || kind == 'f') &&
		class[b[18]] == white && class[b[19]] == white
	return off, gen, kind, ok
}

func (f *File) readSubsection(s *scan, num uint32, count int64, budget *int64, out emit) error {
	for ; count > 0; count-- {
		if *budget--; *budget < 0 {
			return fmt.Errorf("%w: the cross-reference lists more objects than a file of this size can have", ErrLimit)
		}
		b := s.buf[s.i:]
		if len(b) < 20 {
			var err error
			if b, err = s.need(20); err != nil {
				return err
			}
		}
		var off int64
		var gen uint32
		var kind byte
		ok := false
		if len(b) >= 20 {
			off, gen, kind, ok = fixedEntry(b)
		}
		if ok {
			s.i += 20
		} else {
			if len(b) > 0 && b[0] == 't' { // fewer entries than the subsection says
				return nil
			}
			var err error
			if off, gen, kind, err = s.looseEntry(); err != nil {
				return err
			}
		}
		e := freeEntry(0, uint16(min(gen, 65535)))
		if kind == 'n' && off > 0 && num > 0 {
			e = fileEntry(min(off+f.base, maxOffset), uint16(min(gen, 65535)))
		}
		if err := out(num, e); err != nil {
			return err
		}
		num++
	}
	return nil
}

// looseEntry reads an entry that is not of 20 bytes, and the white space after it.
func (s *scan) looseEntry() (off int64, gen uint32, kind byte, err error) {
	at := s.pos()
	bad := damaged(at, "malformed entry of the table", nil)
	if err := s.space(); err != nil {
		return 0, 0, 0, err
	}
	off, ok, err := s.integer()
	if err != nil || !ok {
		return 0, 0, 0, orElse(err, bad)
	}
	if err := s.space(); err != nil {
		return 0, 0, 0, err
	}
	g, ok, err := s.integer()
	if err != nil || !ok {
		return 0, 0, 0, orElse(err, bad)
	}
	if err := s.space(); err != nil {
		return 0, 0, 0, err
	}
	b, err := s.need(1)
	if err != nil || len(b) == 0 || (b[0] != 'n' && b[0] != 'f') {
		return 0, 0, 0, orElse(err, bad)
	}
	kind = b[0]
	s.i++
	return off, uint32(min(g, 65535)), kind, s.space()
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// readXRefStream reads the section that is the stream object at off.
func (f *File) readXRefStream(off int64, budget *int64, out emit) (Section, error) {
	o, err := f.indirectAt(off, nil)
	if err != nil {
		return Section{}, err
	}
	st, ok := o.Value.(*Stream)
	if !ok || st.Dict.Get("Type") != Name("XRef") {
		return Section{}, damaged(off, "no cross-reference here", nil)
	}
	sec := Section{Offset: o.Header, Kind: XRefStream, Trailer: st.Dict, Raw: o.Raw}
	if n, ok := st.Dict.Get("Length").(int64); ok {
		if after, err := f.streamEnd(st.Offset, n); err != nil {
			return sec, err
		} else if after > 0 {
			st.Length, sec.End = n, after
		}
	}
	if sec.End == 0 {
		// The length is wrong or elsewhere, but deflated data says itself where it ends.
		if st.Dict.Get("Filter") != Name("FlateDecode") {
			return sec, damaged(off, "wrong /Length of a cross-reference stream", nil)
		}
		st.Length = f.src.size - st.Offset
	} else {
		s := newScan(f.src, sec.End)
		if err := s.space(); err != nil {
			return sec, err
		}
		if ok, err := s.has("endobj"); err != nil {
			return sec, err
		} else if ok {
			sec.End = s.pos()
		}
		if sec.EOF, err = f.eofAfter(sec.End); err != nil {
			return sec, err
		}
	}
	data, err := f.decoder(st, nil)
	if err != nil {
		return sec, err
	}
	return sec, f.readRows(off, st.Dict, data, budget, out)
}

// readRows reads the entries of a cross-reference stream.
func (f *File) readRows(off int64, d *Dict, data io.Reader, budget *int64, out emit) error {
	var w [3]int
	a, _ := d.Get("W").(*Array)
	width := 0
	for i := range w {
		n := int64(-1)
		if a != nil && i < len(a.Items) {
			if v, ok := a.Items[i].(int64); ok {
				n = v
			}
		}
		if n < 0 || n > 8 {
			return damaged(off, "malformed /W", nil)
		}
		w[i] = int(n)
		width += w[i]
	}
	if width == 0 {
		return damaged(off, "malformed /W", nil)
	}
	size, _ := d.Get("Size").(int64)
	pairs := []Object{int64(0), size}
	if ix, ok := d.Get("Index").(*Array); ok {
		pairs = ix.Items
	}
	if len(pairs)%2 != 0 {
		return damaged(off, "malformed /Index", nil)
	}
	rows := &rowReader{r: data, width: width}
	for i := 0; i < len(pairs); i += 2 {
		start, ok := pairs[i].(int64)
		count, ok2 := pairs[i+1].(int64)
		if !ok || !ok2 || start < 0 || count < 0 {
			return damaged(off, "malformed /Index", nil)
		}
		if limit := int64(f.opt.Limits.Objects); start > limit || count > limit-start {
			return fmt.Errorf("%w: object number %d in the cross-reference", ErrLimit, start)
		}
		if *budget -= count; *budget < 0 {
			return fmt.Errorf("%w: the cross-reference lists more objects than a file of this size can have", ErrLimit)
		}
		for num := uint32(start); num < uint32(start+count); num++ {
			row, err := rows.next()
			if err != nil {
				return damaged(off, "the cross-reference stream stops too early", err)
			}
			if err := out(num, f.rowEntry(num, row, w)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *File) rowEntry(num uint32, row []byte, w [3]int) entry {
	kind := uint64(1)
	if w[0] > 0 {
		kind = bigEndian(row[:w[0]])
	}
	a, b := bigEndian(row[w[0]:w[0]+w[1]]), bigEndian(row[w[0]+w[1]:])
	gen := uint16(min(b, 65535))
	switch {
	case num == 0:
	case kind == 1 && a > 0:
		return fileEntry(int64(min(a+uint64(f.base), maxOffset)), gen)
	case kind == 2 && a > 0 && a < uint64(f.opt.Limits.Objects):
		return streamEntry(uint32(a), int(min(b, 1<<30-1)))
	case kind != 0: // a reference to the null object (ISO 32000-2, 7.5.8.3)
		gen = 0
	}
	return freeEntry(0, gen)
}

func bigEndian(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

// A rowReader gives rows of a fixed width.
type rowReader struct {
	r     io.Reader
	width int
	buf   []byte
	i, n  int
}

func (r *rowReader) next() ([]byte, error) {
	if r.n-r.i < r.width {
		if r.buf == nil {
			r.buf = make([]byte, 8<<10)
		}
		kept := copy(r.buf, r.buf[r.i:r.n])
		n, err := io.ReadAtLeast(r.r, r.buf[kept:], r.width-kept)
		if err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = ErrSyntax
			}
			return nil, err
		}
		r.i, r.n = 0, kept+n
	}
	r.i += r.width
	return r.buf[r.i-r.width : r.i], nil
}

// Entries reads what a section lists, ordered by number; of a hybrid one, what its table and its stream say together.
func (f *File) Entries(s Section) ([]XRef, error) {
	var out []XRef
	if s.Offset < 0 { // rebuilt
		err := f.index.all(func(num uint32, e entry) error {
			x, _ := e.xref(num)
			out = append(out, x)
			return nil
		})
		return out, err
	}
	budget := f.entryBudget()
	_, err := f.readSection(s.Offset, &budget, func(num uint32, e entry) error {
		x, _ := e.xref(num)
		out = append(out, x)
		return nil
	})
	if err != nil {
		return nil, damaged(s.Offset, "cross-reference section", err)
	}
	slices.SortStableFunc(out, func(a, b XRef) int { return int(a.Num) - int(b.Num) })
	kept := out[:0]
	for _, x := range out {
		if n := len(kept); n > 0 && kept[n-1].Num == x.Num {
			if s.Kind == Hybrid && kept[n-1].Type == 0 {
				kept[n-1] = x
			}
			continue
		}
		kept = append(kept, x)
	}
	return kept, nil
}
