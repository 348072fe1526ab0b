// Package pdf reads PDF files, 1.3 to 2.0 (ISO 32000-2), of which it touches as little as it can.
//
// Open reads the cross-reference, 8 bytes of memory an object, and nothing else. Load reads one object at the place
// the cross-reference names, and gives with it the bytes as they stand in the file (Raw) and the place of each key and
// value in them (Span), so that an update can change a key and leave every other byte as it was. Sections gives the
// revisions of the file, Entries what one of them lists, and At the file as it was when it ended somewhere else.
//
// What is slightly wrong and has one meaning only is read: white space where there should be none, entries of 19 bytes,
// a missing endobj. Where reading would be guessing, the answer is ErrDamaged, unless Options.Repair asks for the
// cross-reference to be rebuilt from the objects found in the file.
//
// All offsets in this package are positions in the file. In a file with bytes before its header they are not what
// stands written in it: see Base.
package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Options say how to read.
type Options struct {
	// Password is the user's or the owner's; nil: the empty user password. As the file's maker encoded it: UTF-8 for
	// AES-256, PDFDocEncoding before.
	Password []byte
	Repair   bool // rebuild the cross-reference of a damaged file; without it such a file is ErrDamaged
	Limits   Limits
}

// Limits bound what a file may ask for. Zero: the defaults. Whatever they say, a file may not list more than 65,536
// objects and one more for each of its bytes, over all its sections.
type Limits struct {
	Objects  int   // highest object number and one; 0: 8,388,608 (ISO 32000-1 Annex C)
	Sections int   // links of the /Prev chain; 0: 1,024
	Depth    int   // nested arrays and dictionaries, levels of the page tree; 0: 256
	Object   int   // bytes of one object, stream data aside, and of one decoded object stream; 0: 8 MiB
	Items    int   // elements of arrays, keys and values of dictionaries in one object; 0: 250,000
	Inflate  int64 // bytes of one decoded stream; 0: 64 MiB
	Pages    int   // nodes visited in the page tree; 0: 1,000,000
}

func (l Limits) orDefaults() Limits {
	set := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	set(&l.Objects, 1<<23)
	set(&l.Sections, 1024)
	set(&l.Depth, 256)
	set(&l.Object, 8<<20)
	set(&l.Items, 250_000)
	set(&l.Pages, 1_000_000)
	if l.Inflate == 0 {
		l.Inflate = 64 << 20
	}
	return l
}

var (
	ErrNotPDF    = errors.New("pdf: not a PDF file")
	ErrDamaged   = errors.New("pdf: damaged file") // the cross-reference must be rebuilt to read it
	ErrPassword  = errors.New("pdf: wrong password")
	ErrEncrypted = errors.New("pdf: unsupported encryption")
	ErrSyntax    = errors.New("pdf: syntax error")
	ErrLimit     = errors.New("pdf: limit exceeded")
	ErrFilter    = errors.New("pdf: filter not supported") // Data cannot decode it: pictures, mostly
	ErrNoPage    = errors.New("pdf: no such page")
)

// A File is an open PDF. Its methods may be called concurrently.
type File struct {
	src     source
	opt     Options
	header  int64 // of %PDF-
	version string
	base    int64 // what written offsets count from: 0 or header

	sections []Section
	index    index
	budget   int64 // entries that may still be read
	repaired error
	crypt    *crypt // nil: not encrypted

	mu     sync.Mutex
	cached []*objectStream // the most recent last
}

// Open reads the cross-reference and nothing else.
func Open(r io.ReaderAt, size int64, o Options) (*File, error) {
	return open(source{r, size}, o)
}

// At returns the file as it was when it ended at offset end: another view of the same bytes.
func (f *File) At(end int64) (*File, error) {
	if end < 0 || end > f.src.size {
		return nil, fmt.Errorf("%w: no end at %d in a file of %d bytes", ErrSyntax, end, f.src.size)
	}
	return open(source{f.src.r, end}, f.opt)
}

func open(src source, o Options) (*File, error) {
	o.Limits = o.Limits.orDefaults()
	f := &File{src: src, opt: o}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	err := f.readXRef()
	if err == nil {
		err = f.decrypt()
	}
	if err == nil && o.Repair {
		err = f.check()
	}
	if o.Repair && errors.Is(err, ErrDamaged) {
		err = f.rebuild(err)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// readHeader finds %PDF- in the first 1,024 bytes, where readers look for it.
func (f *File) readHeader() error {
	b, err := f.src.read(0, 1024+16)
	if err != nil {
		return err
	}
	i := bytes.Index(b[:min(len(b), 1024+5)], []byte("%PDF-"))
	if i < 0 {
		return fmt.Errorf("%w: no %%PDF- in its first 1024 bytes", ErrNotPDF)
	}
	f.header = int64(i)
	v := b[i+5:]
	n := 0
	for n < len(v) && n < 8 && (isDigit(v[n]) || v[n] == '.') {
		n++
	}
	f.version = string(v[:n])
	return nil
}

// Size is the length of the file (or view) in bytes.
func (f *File) Size() int64 { return f.src.size }

// Header is the offset of "%PDF-" and the version written there, such as "1.7".
func (f *File) Header() (offset int64, version string) { return f.header, f.version }

// Base is what must be taken from a position to give the offset to be written for it in a cross-reference: zero, or
// the offset of the header in a file that counts from there.
func (f *File) Base() int64 { return f.base }

// Sections returns the chain, newest first. The cross-reference of a repaired file is one section with Offset -1, of
// the kind in which it can be written; its Trailer is made of what was found, and has neither Raw nor spans that count.
func (f *File) Sections() []Section { return f.sections }

// Trailer is the newest trailer. Its spans count from Sections()[0].Raw.
func (f *File) Trailer() *Dict { return f.sections[0].Trailer }

// MaxObject is the highest object number in use plus one, or /Size where that is larger.
func (f *File) MaxObject() uint32 {
	n := f.index.max + 1
	if s, ok := f.Trailer().Get("Size").(int64); ok && s > int64(n) {
		n = uint32(s) // not above Limits.Objects: readXRef has seen to it
	}
	return n
}

// Repaired says why the cross-reference was rebuilt; nil: it was not.
func (f *File) Repaired() error { return f.repaired }

// Lookup returns the entry in force for an object number.
func (f *File) Lookup(num uint32) (XRef, bool) { return f.index.get(num).xref(num) }

// Reader gives the bytes of the file (or view).
func (f *File) Reader() io.ReaderAt { return io.NewSectionReader(f.src.r, 0, f.src.size) }

// A source is the bytes of a file up to where a view of it ends.
type source struct {
	r    io.ReaderAt
	size int64
}

// read returns n bytes from off on, or fewer where the view ends.
func (s source) read(off int64, n int) ([]byte, error) {
	if off < 0 || off >= s.size {
		return nil, nil
	}
	n = int(min(int64(n), s.size-off))
	b := make([]byte, n)
	return b, s.readInto(b, off)
}

func (s source) readInto(b []byte, off int64) error {
	n, err := s.r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("pdf: reading at %d: %w", off, err)
}

// A scan reads forward through a source.
type scan struct {
	src  source
	buf  []byte // bytes at hand
	at   int64  // where buf lies
	i    int    // the next byte in buf
	size int    // of buf
}

const scanSize = 64 << 10

func newScan(src source, at int64) *scan { return &scan{src: src, at: at, size: scanSize} }

func (s *scan) pos() int64 { return s.at + int64(s.i) }

// jump goes on at another place.
func (s *scan) jump(to int64) {
	if i := to - s.at; i >= 0 && i <= int64(len(s.buf)) {
		s.i = int(i)
		return
	}
	s.at, s.i, s.buf = to, 0, s.buf[:0]
}

// need makes n bytes (at most 4,096) available from i on, fewer only at the end of the source.
func (s *scan) need(n int) ([]byte, error) {
	if len(s.buf)-s.i >= n {
		return s.buf[s.i:], nil
	}
	if cap(s.buf) == 0 {
		s.buf = make([]byte, 0, max(0, min(int64(s.size), s.src.size-s.at)))
	}
	s.at += int64(s.i)
	kept := copy(s.buf[:cap(s.buf)], s.buf[s.i:])
	s.i = 0
	more := int(max(0, min(int64(cap(s.buf)-kept), s.src.size-s.at-int64(kept))))
	s.buf = s.buf[:kept+more]
	if more == 0 {
		return s.buf, nil
	}
	return s.buf, s.src.readInto(s.buf[kept:], s.at+int64(kept))
}

// space skips white space and comments.
func (s *scan) space() error {
	comment := false
	for {
		b, err := s.need(1)
		if err != nil || len(b) == 0 {
			return err
		}
		for _, c := range b {
			switch {
			case comment:
				comment = c != '\n' && c != '\r'
			case c == '%':
				comment = true
			case class[c] != white:
				return nil
			}
			s.i++
		}
	}
}

// integer reads decimal digits; ok is false where there are none or too many.
func (s *scan) integer() (n int64, ok bool, err error) {
	b, err := s.need(20)
	if err != nil {
		return 0, false, err
	}
	k := 0
	for k < len(b) && k < 18 && isDigit(b[k]) {
		n = n*10 + int64(b[k]-'0')
		k++
	}
	s.i += k
	return n, k > 0 && (k == len(b) || !isDigit(b[k])), nil
}

// has reports whether word stands next, and skips it.
func (s *scan) has(word string) (bool, error) {
	b, err := s.need(len(word))
	if err != nil || !bytes.HasPrefix(b, []byte(word)) {
		return false, err
	}
	s.i += len(word)
	return true, nil
}
