package pdf

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
)

// A Survey looks at all bytes of a file once, as somebody else reads them, and finds what the cross-reference does not
// tell of: objects that no section names, trailers that no section ends in, signature dictionaries, and the objects that
// may hold references to some others. It parses next to nothing of what the cross-reference names; a header, a trailer or a
// signature inside the data of a stream is none.
//
// What it looks for cannot be written in another way: the words obj, trailer and R have no escapes. Between a number and
// such a word there may be white space and comments; where that is more than it looks back over, it says so (Unsettled).
type Survey struct {
	Strays    int       // objects that no section names
	First     *Stray    // the first of them
	Marks     []Mark    // where /ByteRange stands, outside the data of streams
	Referring []Ref     // objects in force, outside object streams, that may refer to one that is wanted, in the order of the file
	Unsettled Unsettled // what it could not tell

	file     *File
	listing  *Listing
	wanted   *Numbers
	sections []Range // from a section's word or header to its end, in order
	rivals   []Stray // strays of which some listed object of the same number may be thought the older
	trailers []int64 // that no section ends in, the last ones
	streams  Numbers // objects in force in which /ObjStm stands
	packs    []Stray // strays in which it does

	next   int64         // all before was looked at
	fed    int64         // all before was seen: what lies between waits for what follows it
	kept   []byte        // the last bytes before fed
	heads  []head        // of the piece that is being looked at
	object [passes]hosts // the last headers before where each pass is
	seeks  bool          // there are numbers that are wanted
	value  openValue     // of the object that a section names, as far as it was read
	work   int64         // bytes that may still be parsed
	err    error
}

// Unsettled is what a Survey could not tell. Its zero value: nothing.
type Unsettled struct {
	Objects    bool // there may be objects that no section names beyond those it found
	References bool // there may be objects that refer to one of those wanted beyond Referring
}

// A Stray is an object that no section names.
type Stray struct {
	Ref    Ref
	Offset int64 // of its header
}

// A Mark is a place where /ByteRange stands.
type Mark struct {
	Offset int64
	Object Stray // the object in which it stands; zero: none
	Listed bool  // a section names that object
}

// A head is the header of an object.
type head struct {
	Stray
	listed  bool // by some section
	inForce bool
	looked  bool
	lie     extent
}

// An extent is where an object lies; data is that of a stream. Zero: it cannot be read.
type extent struct {
	from, end int64
	data      Range
}

func (e extent) holds(at int64) bool { return e.from <= at && at < e.end }

const (
	objects = iota
	capitals
	words
	passes
)

// hosts are the last header that a section names and the last that none does, before some place.
type hosts struct{ listed, stray head }

const (
	lookBack  = 512
	farBack   = 64 << 10 // where that is not enough
	lookAhead = 8

	maxRivals = 256
	maxLoose  = 64
	maxMarks  = 4096
	maxPacks  = 1024
)

// Survey begins to look. wanted are the numbers to which references are sought; nil: none.
func (f *File) Survey(l *Listing, wanted *Numbers) *Survey {
	s := &Survey{file: f, listing: l, wanted: wanted, seeks: !wanted.Empty(), work: 1<<20 + 4*f.src.size}
	for _, x := range f.sections {
		if x.Offset >= 0 {
			s.sections = append(s.sections, Range{x.Offset, max(0, x.End-x.Offset)})
		}
		if x.Kind == Hybrid {
			s.sections = append(s.sections, Range{x.XRefStm, 0})
		}
	}
	slices.SortFunc(s.sections, func(a, b Range) int { return cmp.Compare(a.Offset, b.Offset) })
	s.Unsettled.Objects = !l.Complete
	return s
}

// Through gives r, the bytes of the file, to be read from; what is read there in order, the survey need not read itself.
func (s *Survey) Through(r io.ReaderAt) io.ReaderAt { return &tap{r, s} }

type tap struct {
	r io.ReaderAt
	s *Survey
}

func (t *tap) ReadAt(b []byte, off int64) (int, error) {
	n, err := t.r.ReadAt(b, off)
	if err == nil || err == io.EOF {
		t.s.feed(off, b[:n])
	}
	return n, err
}

// feed takes what was read somewhere. What was left out before is read now.
func (s *Survey) feed(off int64, b []byte) {
	end := min(off+int64(len(b)), s.file.src.size)
	if end <= s.fed || s.err != nil {
		return
	}
	if off > s.fed {
		s.err = s.read(context.Background(), off)
	}
	if s.err == nil {
		s.take(b[s.fed-off : end-off])
	}
}

// read looks at what lies before to and was not read by others.
func (s *Survey) read(ctx context.Context, to int64) error {
	if s.fed >= to {
		return nil
	}
	b := make([]byte, min(to-s.fed, 256<<10))
	for s.fed < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		b = b[:min(int64(len(b)), to-s.fed)]
		if err := s.file.src.readInto(b, s.fed); err != nil {
			return err
		}
		s.take(b)
	}
	return nil
}

// Finish looks at what nobody has read, and ends the survey.
func (s *Survey) Finish(ctx context.Context) error {
	if s.err == nil {
		s.err = s.read(ctx, s.file.src.size)
	}
	if s.err != nil {
		return s.err
	}
	start := s.fed - int64(len(s.kept))
	s.look(s.kept, start, int(s.next-start), len(s.kept))
	s.next = s.fed
	s.Referring = slices.Compact(s.Referring)
	return nil
}

// take goes on with the next bytes of the file. What stands at their beginning is looked at with what stood before.
func (s *Survey) take(b []byte) {
	off, start := s.fed, s.fed-int64(len(s.kept))
	s.fed += int64(len(b))
	n := min(len(b), lookBack+lookAhead)
	edge := append(s.kept, b[:n]...)
	if to := off + int64(n) - lookAhead; to > s.next {
		s.look(edge, start, int(s.next-start), int(to-start))
		s.next = to
	}
	if n < len(b) {
		to := s.fed - lookAhead
		s.look(b, off, int(s.next-off), int(to-off))
		s.next, edge = to, b
	}
	if cap(s.kept) == 0 {
		s.kept = make([]byte, 0, 2*(lookBack+lookAhead))
	}
	s.kept = append(s.kept[:0], edge[max(0, len(edge)-lookBack-lookAhead):]...)
}

// look looks at b[from:to], which stands at off + from; what it finds may begin before and end behind.
func (s *Survey) look(b []byte, off int64, from, to int) {
	s.heads = s.heads[:0]
	for i := from; i < to; i++ {
		k := bytes.IndexByte(b[i:to], 'j')
		if k < 0 {
			break
		}
		if i += k; i < 2 || b[i-1] != 'b' {
			continue
		}
		switch {
		case b[i-2] == 'o' && (i == 2 || b[i-3] != 'd'): // not endobj
			s.header(b, off, i-2)
		case b[i-2] == 'O' && bytes.HasPrefix(b[i+1:], []byte("Stm")):
			s.objectStream(off + int64(i))
		}
	}
	if s.seeks {
		s.overlaps(b, off, from, to)
	}
	n := 0
	for i := from; i < to; i++ {
		k := bytes.IndexByte(b[i:to], 'R')
		if k < 0 {
			break
		}
		if i += k; i == 0 {
			continue
		}
		switch c := b[i-1]; {
		case class[c] == white: // 12 0 R
			if s.seeks && (i+1 == len(b) || class[b[i+1]] != regular) && s.refers(b[:i], off) {
				s.reference(s.before(capitals, &n, off+int64(i)))
			}
		case c == 'e' && i >= 5 && string(b[i-5:i]) == "/Byte" && bytes.HasPrefix(b[i+1:], []byte("ange")):
			s.mark(s.before(capitals, &n, off+int64(i)), off+int64(i-5))
		}
	}
	s.before(capitals, &n, off+int64(to))
	n = 0
	for i := from; i < to; i++ {
		k := bytes.IndexByte(b[i:to], 'l')
		if k < 0 {
			break
		}
		if i += k; i >= 4 && string(b[i-4:i]) == "trai" && bytes.HasPrefix(b[i+1:], []byte("er")) {
			s.trailer(s.before(words, &n, off+int64(i)), off+int64(i-4))
		}
	}
	s.before(words, &n, off+int64(to))
}

// before gives the last headers before a place; n counts the headers of the piece that the pass has gone by.
func (s *Survey) before(pass int, n *int, at int64) *hosts {
	o := &s.object[pass]
	listed, stray := -1, -1
	for ; *n < len(s.heads) && s.heads[*n].Offset < at; *n++ {
		if s.heads[*n].listed {
			listed = *n
		} else {
			stray = *n
		}
	}
	if listed >= 0 {
		o.listed = s.heads[listed]
	}
	if stray >= 0 {
		o.stray = s.heads[stray]
	}
	return o
}

// A back reads backwards through bytes.
type back struct {
	b     []byte
	lines bool // it went over an end of line
}

// space goes back over white space, and says whether there was any.
func (p *back) space() bool {
	n := len(p.b)
	p.lines = false
	for len(p.b) > 0 && class[p.b[len(p.b)-1]] == white {
		c := p.b[len(p.b)-1]
		p.lines = p.lines || c == '\n' || c == '\r'
		p.b = p.b[:len(p.b)-1]
	}
	return len(p.b) < n
}

// number goes back over digits.
func (p *back) number() (n uint64, ok bool) {
	i := len(p.b)
	for i > 0 && isDigit(p.b[i-1]) {
		i--
	}
	for _, c := range p.b[i:] {
		if n < 1<<40 {
			n = n*10 + uint64(c-'0')
		}
	}
	ok = i < len(p.b)
	p.b = p.b[:i]
	return n, ok
}

// remark reports whether what stands before an end of line may be a comment: there is a % in the line, as far as it is known.
func (p *back) remark() bool {
	if !p.lines {
		return false
	}
	i := bytes.LastIndexAny(p.b, "\r\n")
	return i < 0 || bytes.IndexByte(p.b[i+1:], '%') >= 0
}

// refers reports whether "N G " stands before an R, with a number that is wanted, or something that may be it.
func (s *Survey) refers(b []byte, off int64) bool {
	p := back{b: b}
	p.space()
	if p.remark() {
		return true
	}
	if _, ok := p.number(); !ok || len(p.b) == 0 {
		return len(p.b) == 0 && off > 0
	}
	if !p.space() || p.remark() {
		return p.lines
	}
	n, _ := p.number()
	return n < 1<<32 && s.wanted.Has(uint32(n)) || len(p.b) == 0 && off > 0
}

// reference notes the object that holds a reference: the one whose header is the last before it. Where it stands in the data of
// a stream, or behind the end of an object, that object will be found not to hold it.
func (s *Survey) reference(o *hosts) {
	if o.listed.inForce {
		s.refer(o.listed.Ref)
	}
}

func (s *Survey) refer(r Ref) {
	if n := len(s.Referring); n == 0 || s.Referring[n-1] != r {
		s.Referring = append(s.Referring, r)
	}
}

// inSection: the place belongs to a section of the cross-reference.
func (s *Survey) inSection(at int64) bool {
	i, ok := slices.BinarySearchFunc(s.sections, at, compareStart)
	return ok || i > 0 && at < s.sections[i-1].End()
}

// inData: the place is in the data of the stream before it.
func (s *Survey) inData(o *hosts, at int64) bool {
	for _, h := range []*head{&o.listed, &o.stray} {
		if d := s.extent(h).data; d.Offset <= at && at < d.End() {
			return true
		}
	}
	return false
}

func (s *Survey) mark(o *hosts, at int64) {
	if len(s.Marks) == maxMarks || s.inData(o, at) {
		return
	}
	m := Mark{Offset: at}
	for _, h := range []*head{&o.listed, &o.stray} {
		if s.extent(h).holds(at) {
			m.Object, m.Listed = h.Stray, h.listed
		}
	}
	s.Marks = append(s.Marks, m)
}

func (s *Survey) trailer(o *hosts, at int64) {
	if s.inSection(at) || s.inData(o, at) {
		return
	}
	if len(s.trailers) == maxLoose {
		s.trailers = slices.Delete(s.trailers, 0, 1)
	}
	s.trailers = append(s.trailers, at)
}

// objectStream notes where /ObjStm stands.
func (s *Survey) objectStream(at int64) {
	o := &s.object[objects]
	if s.inData(o, at) {
		return
	}
	switch h := &o.listed; {
	case h.Offset > o.stray.Offset || o.stray.Ref.Num == 0:
		if h.inForce {
			s.streams.Add(h.Ref.Num)
		}
	case len(s.packs) == maxPacks:
		s.Unsettled.Objects = true
	default:
		s.packs = append(s.packs, o.stray.Stray)
	}
}

// header looks at the word obj at b[i:]: "N G" stands before it, or not.
func (s *Survey) header(b []byte, off int64, i int) {
	p := back{b: b[:i]}
	p.space()
	remark := p.remark()
	var num uint64
	gen, ok := p.number()
	if ok {
		if !p.space() && len(p.b) > 0 {
			return
		}
		remark = remark || p.remark()
		num, ok = p.number()
	}
	switch {
	case len(p.b) == 0 && off > 0:
		s.farther(b, off, i)
	case remark:
		if !s.remarked(b, off, i) {
			s.unclear(off + int64(i))
		}
	case ok:
		s.headAt(off, p.b, num, gen)
	}
}

func (s *Survey) headAt(off int64, before []byte, num, gen uint64) {
	if num > 0 && num < 1<<32 && gen < 1<<16 {
		s.found(head{Stray: Stray{Ref{uint32(num), uint16(gen)}, off + int64(len(before))}})
	}
}

// farther is header for one that begins before b.
func (s *Survey) farther(b []byte, off int64, i int) {
	if len(b) >= farBack || s.work < 0 {
		s.unclear(off)
		return
	}
	s.work -= farBack
	at := off + int64(i)
	from := max(0, at-farBack)
	far, err := s.file.src.read(from, int(at-from)+lookAhead)
	if err != nil {
		s.err = orElse(s.err, err)
		return
	}
	s.header(far, from, int(at-from))
}

// remarked looks for headers, with comments in them, that end in the word obj at b[i:]. Who knows no comments finds others.
func (s *Survey) remarked(b []byte, off int64, i int) (any bool) {
	for from := max(0, i-lookBack); from < i; from++ {
		if !isDigit(b[from]) || from > 0 && isDigit(b[from-1]) {
			continue
		}
		q := &parser{b: b[from : i+3]}
		if r, err := q.header(); err == nil && q.i == i+3-from {
			s.headAt(off, b[:from], uint64(r.Num), uint64(r.Gen))
			any = true
		}
	}
	return any
}

// unclear: there may be an object here whose header cannot be made out.
func (s *Survey) unclear(at int64) {
	s.Unsettled.References = true
	if !s.inData(&s.object[objects], at) {
		s.Unsettled.Objects = true
	}
}

// String says what was found, for tests.
func (s *Survey) String() string {
	return fmt.Sprintf("%d strays, rivals %v, trailers %v, marks %v, references in %v, unsettled %v", s.Strays, s.rivals, s.trailers, s.Marks, s.Referring, s.Unsettled)
}
