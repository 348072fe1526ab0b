package pdf

import (
	"errors"
	"io"
)

// An Object is nil (null), bool, int64, Real, Name, *String, *Array, *Dict, Ref or *Stream.
type Object any

// Real is a real number as written.
type Real string

// Name is a name with its #xx escapes decoded.
type Name string

// A Ref is an indirect reference.
type Ref struct {
	Num uint32
	Gen uint16
}

// A Span is a run of bytes of an Indirect's Raw.
type Span struct{ From, To int }

// A String is decoded and, in an encrypted file, decrypted (except a signature's /Contents, which is not encrypted).
type String struct {
	Value []byte
	Hex   bool
	Span  Span // as written, delimiters included
}

// An Array keeps the place of each element.
type Array struct {
	Items []Object
	Spans []Span
	Span  Span
}

// An Entry is one key of a dictionary.
type Entry struct {
	Key   Name
	Value Object
	KeyAt Span // the key as written
	ValAt Span // the value as written
}

// A Dict keeps its entries in the order of the file, duplicates included.
type Dict struct {
	Entries []Entry
	Span    Span // from << to >>
}

// Get returns the value of a key, unresolved; the last where it stands twice, as most readers do.
func (d *Dict) Get(k Name) Object { panic("not built yet") }

// Duplicate returns a key that stands twice, or "".
func (d *Dict) Duplicate() Name { panic("not built yet") }

// A Stream is a dictionary and where its data lies.
type Stream struct {
	Dict   *Dict
	Offset int64 // of the first data byte in the file
	Length int64 // of the encoded (and, in an encrypted file, encrypted) data
	Ref    Ref   // of the object, for the decryption key
}

// An Indirect is an indirect object as it stands in the file.
type Indirect struct {
	Ref       Ref
	Value     Object
	Raw       []byte // of the value alone; for a stream the dictionary
	Offset    int64  // of Raw in the file; -1 in an object stream
	Header    int64  // of "N G obj" in the file; -1 in an object stream
	Container uint32 // number of the object stream; 0: none
}

// Kind is the kind of a cross-reference section.
type Kind int

const (
	Table      Kind = iota // classic
	XRefStream             // a stream
	Hybrid                 // a table whose trailer names a stream too (/XRefStm)
)

// A Section is one cross-reference section: one link of the /Prev chain.
type Section struct {
	Offset  int64 // that startxref or /Prev names
	Kind    Kind
	Trailer *Dict // the trailer, or the stream's dictionary
	Entries []XRef
}

// An XRef is one entry of a section, ordered by Num.
type XRef struct {
	Num    uint32
	Gen    uint16
	Type   byte  // 0 free, 1 in the file, 2 in an object stream
	Offset int64 // type 1: of the object; type 2: number of the object stream
	Index  int   // type 2
}

// Options say how to read.
type Options struct {
	Password []byte // user or owner; nil: the empty user password
	Repair   bool   // rebuild the cross-reference of a damaged file; without it such a file is ErrDamaged
	Limits   Limits
}

// Limits bound what a file may ask for. Zero: the defaults.
type Limits struct {
	Objects  int   // indirect objects; 0: 8,388,607 (ISO 32000-1 Annex C)
	Sections int   // links of the /Prev chain; 0: 1,024
	Depth    int   // nested arrays and dictionaries; 0: 256
	Object   int   // bytes of one object, stream data aside; 0: 16 MiB
	Inflate  int64 // bytes of one decoded stream; 0: 64 MiB
	Pages    int   // nodes visited in the page tree; 0: 1,000,000
}

var (
	ErrNotPDF    = errors.New("pdf: not a PDF file")
	ErrDamaged   = errors.New("pdf: damaged file") // the cross-reference must be rebuilt to read it
	ErrPassword  = errors.New("pdf: wrong password")
	ErrEncrypted = errors.New("pdf: unsupported encryption")
	ErrSyntax    = errors.New("pdf: syntax error")
	ErrLimit     = errors.New("pdf: limit exceeded")
)

// A File is an open PDF. Its methods may be called concurrently.
type File struct{}

// Open reads the cross-reference and nothing else.
func Open(r io.ReaderAt, size int64, o Options) (*File, error) { panic("not built yet") }

// At returns the file as it was when it ended at offset end: another view of the same bytes.
func (f *File) At(end int64) (*File, error) { panic("not built yet") }

// Size is the length of the file (or view) in bytes.
func (f *File) Size() int64 { panic("not built yet") }

// Header is the offset of "%PDF-" and the version written there, such as "1.7".
func (f *File) Header() (offset int64, version string) { panic("not built yet") }

// StartXRef is the offset that the last startxref names.
func (f *File) StartXRef() int64 { panic("not built yet") }

// Sections returns the chain, newest first.
func (f *File) Sections() []Section { panic("not built yet") }

// Trailer is the newest trailer.
func (f *File) Trailer() *Dict { panic("not built yet") }

// MaxObject is the highest object number in use plus one, or /Size where that is larger.
func (f *File) MaxObject() uint32 { panic("not built yet") }

// Repaired says why the cross-reference was rebuilt; nil: it was not.
func (f *File) Repaired() error { panic("not built yet") }

// Lookup returns the entry in force for an object number.
func (f *File) Lookup(num uint32) (XRef, bool) { panic("not built yet") }

// Load reads one indirect object. A free or missing object is a nil Value and no error, as the standard has it.
func (f *File) Load(r Ref) (*Indirect, error) { panic("not built yet") }

// Resolve follows a Ref (and a Ref it leads to) and returns any other object as it is.
func (f *File) Resolve(o Object) (Object, error) { panic("not built yet") }

// GetDict resolves d[k] and returns it if it is a dictionary (or a stream's); nil otherwise.
func (f *File) GetDict(d *Dict, k Name) (*Dict, error) { panic("not built yet") }

// Catalog loads the document catalog.
func (f *File) Catalog() (*Indirect, error) { panic("not built yet") }

// A Page is a leaf of the page tree with what it inherits.
type Page struct {
	*Indirect
	MediaBox, CropBox [4]float64 // normalised: left, bottom, right, top, in points / UserUnit
	Rotate            int        // 0, 90, 180, 270, clockwise
	UserUnit          float64
	Resources         Object
}

// NumPages counts the pages.
func (f *File) NumPages() (int, error) { panic("not built yet") }

// Page returns page n, 1 the first, walking no more of the tree than it must.
func (f *File) Page(n int) (*Page, error) { panic("not built yet") }

// Data decodes a stream: decryption and all filters. It stops with ErrLimit at Limits.Inflate.
func (f *File) Data(s *Stream) ([]byte, error) { panic("not built yet") }

// Encrypted reports whether the file is encrypted, and the permission bits of /P.
func (f *File) Encrypted() (bool, int32) { panic("not built yet") }

// EncryptString and EncryptStream encrypt new content of object r as the file asks; they return b as it is where the file
// is not encrypted.
func (f *File) EncryptString(r Ref, b []byte) ([]byte, error) { panic("not built yet") }
func (f *File) EncryptStream(r Ref, b []byte) ([]byte, error) { panic("not built yet") }

// Reader gives the bytes of the file.
func (f *File) Reader() io.ReaderAt { panic("not built yet") }
