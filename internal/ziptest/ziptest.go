// Package ziptest writes zip files for tests, wrong ones too: whatever a zip file says twice can be said in two ways.
package ziptest

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"testing"
)

// What records begin with, and what they say (APPNOTE.TXT 4.3, 4.4).
const (
	SigLocal      = 0x04034b50
	SigCentral    = 0x02014b50
	SigEnd        = 0x06054b50
	SigDescriptor = 0x08074b50

	Stored   = 0
	Deflated = 8

	FlagDescriptor = 1 << 3
	FlagUTF8       = 1 << 11
	endLen         = 22
)

// An Entry says the same in its local header and in the directory unless a test changes one of them.
type Entry struct {
	Local, Central Fields
	Data           []byte // packed
	Descriptor     int    // bytes of it: 0, 12 or 16
	Before, After  string // bytes that belong to no entry
	At             int    // the place in the directory; -1: where it is
	Hidden         bool   // the directory does not have it
}

// Fields are those of a local header, and of a record in the directory.
type Fields struct {
	Sig                  uint32
	Flags, Method        uint16
	CRC, Packed, Size    uint32
	Name, Extra, Comment string
	Disk                 uint16
}

// An Archive is made of entries, and of an end record that a test may change.
type Archive struct {
	Entries              []*Entry
	Prefix, Gap, Comment string // Gap: between directory and end record
	Tail                 string
	Shift                bool // places count from behind the prefix
	Directory            string
	End                  func(end []byte)
}

var le = binary.LittleEndian

func deflate(t testing.TB, s string) []byte {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		_, err = z.Write([]byte(s))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// New makes an entry, deflated, without a descriptor.
func New(t testing.TB, name, text string) *Entry {
	m := &Entry{Data: deflate(t, text), At: -1}
	m.Local = Fields{Method: Deflated, CRC: crc32.ChecksumIEEE([]byte(text)), Packed: uint32(len(m.Data)), Size: uint32(len(text)), Name: name}
	m.Central = m.Local
	m.Local.Sig, m.Central.Sig = SigLocal, SigCentral
	return m
}

// Store makes an entry that is not compressed.
func Store(t testing.TB, name, text string) *Entry {
	m := New(t, name, text)
	m.Data = []byte(text)
	m.Both(func(f *Fields) { f.Method, f.Packed = Stored, f.Size })
	return m
}

// Read makes an archive of a sound zip file: the packed bytes are those of the file, headers are made anew.
func Read(t testing.TB, file []byte) *Archive {
	z, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	a := &Archive{}
	for _, f := range z.File {
		raw, err := f.OpenRaw()
		if err != nil {
			t.Fatal(err)
		}
		m := &Entry{At: -1}
		if m.Data, err = io.ReadAll(raw); err != nil {
			t.Fatal(err)
		}
		m.Local = Fields{Method: f.Method, CRC: f.CRC32, Packed: uint32(f.CompressedSize64), Size: uint32(f.UncompressedSize64), Name: f.Name,
			Flags: f.Flags &^ FlagDescriptor}
		m.Central = m.Local
		m.Local.Sig, m.Central.Sig = SigLocal, SigCentral
		a.Entries = append(a.Entries, m)
	}
	return a
}

// Entry finds one by its name in the directory.
func (a *Archive) Entry(name string) *Entry {
	for _, m := range a.Entries {
		if m.Central.Name == name {
			return m
		}
	}
	panic(name)
}

// Text is what an entry holds, inflated.
func (m *Entry) Text(t testing.TB) string {
	if m.Central.Method == Stored {
		return string(m.Data)
	}
	b, err := io.ReadAll(flate.NewReader(bytes.NewReader(m.Data)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Both changes local header and directory alike.
func (m *Entry) Both(f func(*Fields)) {
	f(&m.Local)
	f(&m.Central)
}

// Described puts a descriptor of n bytes after the data.
func (m *Entry) Described(n int) {
	m.Descriptor = n
	m.Both(func(f *Fields) { f.Flags |= FlagDescriptor })
	m.Local.CRC, m.Local.Packed, m.Local.Size = 0, 0, 0
}

func (f *Fields) common(b []byte) []byte {
	b = le.AppendUint16(b, 20)
	b = le.AppendUint16(b, f.Flags)
	b = le.AppendUint16(b, f.Method)
	b = append(b, 0, 0, 0x21, 0)
	b = le.AppendUint32(b, f.CRC)
	b = le.AppendUint32(b, f.Packed)
	b = le.AppendUint32(b, f.Size)
	b = le.AppendUint16(b, uint16(len(f.Name)))
	return le.AppendUint16(b, uint16(len(f.Extra)))
}

// Bytes is the file.
func (a *Archive) Bytes() []byte {
	b := []byte(a.Prefix)
	var at []int
	for _, m := range a.Entries {
		b = append(b, m.Before...)
		at = append(at, len(b))
		b = m.Local.common(le.AppendUint32(b, m.Local.Sig))
		b = append(append(b, m.Local.Name...), m.Local.Extra...)
		b = append(b, m.Data...)
		if m.Descriptor == 16 {
			b = le.AppendUint32(b, SigDescriptor)
		}
		if m.Descriptor > 0 {
			b = le.AppendUint32(b, m.Central.CRC)
			b = le.AppendUint32(b, m.Central.Packed)
			b = le.AppendUint32(b, m.Central.Size)
		}
		b = append(b, m.After...)
	}
	base := 0
	if a.Shift {
		base = len(a.Prefix)
	}
	start, count := len(b), 0
	for i, m := range a.Entries {
		if m.Hidden {
			continue
		}
		count++
		if m.At >= 0 {
			at[i] = m.At
		}
		b = le.AppendUint16(le.AppendUint32(b, m.Central.Sig), 20)
		b = m.Central.common(b)
		b = le.AppendUint16(b, uint16(len(m.Central.Comment)))
		b = le.AppendUint16(b, m.Central.Disk)
		b = append(b, 0, 0, 0, 0, 0, 0)
		b = le.AppendUint32(b, uint32(at[i]-base))
		b = append(append(append(b, m.Central.Name...), m.Central.Extra...), m.Central.Comment...)
	}
	b = append(b, a.Directory...)
	size := len(b) - start
	b = append(b, a.Gap...)
	end := make([]byte, endLen)
	le.PutUint32(end, SigEnd)
	le.PutUint16(end[8:], uint16(count))
	le.PutUint16(end[10:], uint16(count))
	le.PutUint32(end[12:], uint32(size))
	le.PutUint32(end[16:], uint32(start-base))
	le.PutUint16(end[20:], uint16(len(a.Comment)))
	if a.End != nil {
		a.End(end)
	}
	return append(append(append(b, end...), a.Comment...), a.Tail...)
}
