package pdf

import (
	"math"
	"strconv"
)

// An Object is nil (null), bool, int64, Real, Name, *String, *Array, *Dict, Ref or *Stream.
type Object any

// Real is a real number as written, or an integer that does not fit into 64 bits.
type Real string

// Name is a name with its #xx escapes decoded.
type Name string

// A Ref is an indirect reference.
type Ref struct {
	Num uint32
	Gen uint16
}

// String gives the reference as a file writes it, without the R.
func (r Ref) String() string {
	return strconv.FormatUint(uint64(r.Num), 10) + " " + strconv.FormatUint(uint64(r.Gen), 10)
}

// A Span is a run of bytes of an Indirect's Raw (or a Section's, or of what Parse was given).
type Span struct{ From, To int }

// A String is decoded and, in an encrypted file, decrypted (except a signature's /Contents, which is not encrypted).
// Value may share memory with Raw: it is for reading.
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
func (d *Dict) Get(k Name) Object {
	if d == nil {
		return nil
	}
	for i := len(d.Entries) - 1; i >= 0; i-- {
		if d.Entries[i].Key == k {
			return d.Entries[i].Value
		}
	}
	return nil
}

// Duplicate returns a key that stands twice, or "".
func (d *Dict) Duplicate() Name {
	if d == nil {
		return ""
	}
	if len(d.Entries) <= 16 {
		for i, e := range d.Entries {
			for _, g := range d.Entries[:i] {
				if e.Key == g.Key {
					return e.Key
				}
			}
		}
		return ""
	}
	seen := make(map[Name]bool, len(d.Entries))
	for _, e := range d.Entries {
		if seen[e.Key] {
			return e.Key
		}
		seen[e.Key] = true
	}
	return ""
}

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
	Raw       []byte // of the value alone; for a stream the dictionary. Strings in it are still encrypted, see Load
	Offset    int64  // of Raw in the file; -1 in an object stream
	Header    int64  // of "N G obj" in the file; -1 in an object stream
	Container uint32 // number of the object stream; 0: none
}

// Dict returns the value if it is a dictionary, a stream's dictionary, or nil.
func (o *Indirect) Dict() *Dict {
	if o == nil {
		return nil
	}
	return asDict(o.Value)
}

func asDict(o Object) *Dict {
	switch v := o.(type) {
	case *Dict:
		return v
	case *Stream:
		return v.Dict
	}
	return nil
}

// Number returns the value of an integer or a real.
func Number(o Object) (float64, bool) {
	switch v := o.(type) {
	case int64:
		return float64(v), true
	case Real:
		x, err := strconv.ParseFloat(string(v), 64)
		return x, err == nil && !math.IsInf(x, 0)
	}
	return 0, false
}
