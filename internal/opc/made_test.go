package opc

import (
	"bytes"
	"compress/flate"
	"hash/crc32"
	"testing"
)

// A made entry says the same in its local header and in the directory unless a test changes one of them.
type made struct {
	local, central fields
	data           []byte // packed
	descriptor     int    // bytes of it: 0, 12 or 16
	before, after  string // bytes that belong to no entry
	at             int    // the place in the directory; -1: where it is
}

type fields struct {
	sig                  uint32
	flags, method        uint16
	crc, packed, size    uint32
	name, extra, comment string
	disk                 uint16
}

// An archive is made of entries, and of an end record that a test may change.
type archive struct {
	entries              []*made
	prefix, gap, comment string // gap: between directory and end record
	tail                 string
	shift                bool // places count from behind the prefix
	directory            string
	end                  func(end []byte)
}

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

// archived makes an archive of files, all deflated, without descriptors.
func archived(t testing.TB, files []file) *archive {
	a := &archive{}
	for _, f := range files {
		m := &made{data: deflate(t, f.text), at: -1}
		m.local = fields{method: deflated, crc: crc32.ChecksumIEEE([]byte(f.text)), packed: uint32(len(m.data)), size: uint32(len(f.text)), name: f.name}
		m.central = m.local
		m.local.sig, m.central.sig = sigLocal, sigCentral
		a.entries = append(a.entries, m)
	}
	return a
}

// entry finds one by its name in the directory.
func (a *archive) entry(name string) *made {
	for _, m := range a.entries {
		if m.central.name == name {
			return m
		}
	}
	panic(name)
}

// both changes local header and directory alike.
func (m *made) both(f func(*fields)) {
	f(&m.local)
	f(&m.central)
}

// described puts a descriptor of n bytes after the data.
func (m *made) described(n int) {
	m.descriptor = n
	m.both(func(f *fields) { f.flags |= flagDescriptor })
	m.local.crc, m.local.packed, m.local.size = 0, 0, 0
}

func (f *fields) common(b []byte) []byte {
	b = le.AppendUint16(b, 20)
	b = le.AppendUint16(b, f.flags)
	b = le.AppendUint16(b, f.method)
	b = append(b, 0, 0, 0x21, 0)
	b = le.AppendUint32(b, f.crc)
	b = le.AppendUint32(b, f.packed)
	b = le.AppendUint32(b, f.size)
	b = le.AppendUint16(b, uint16(len(f.name)))
	return le.AppendUint16(b, uint16(len(f.extra)))
}

func (a *archive) bytes() []byte {
	b := []byte(a.prefix)
	var at []int
	for _, m := range a.entries {
		b = append(b, m.before...)
		at = append(at, len(b))
		b = m.local.common(le.AppendUint32(b, m.local.sig))
		b = append(append(b, m.local.name...), m.local.extra...)
		b = append(b, m.data...)
		if m.descriptor == 16 {
			b = le.AppendUint32(b, sigDescriptor)
		}
		if m.descriptor > 0 {
			b = le.AppendUint32(b, m.central.crc)
			b = le.AppendUint32(b, m.central.packed)
			b = le.AppendUint32(b, m.central.size)
		}
		b = append(b, m.after...)
	}
	base := 0
	if a.shift {
		base = len(a.prefix)
	}
	start := len(b)
	for i, m := range a.entries {
		if m.at >= 0 {
			at[i] = m.at
		}
		b = le.AppendUint16(le.AppendUint32(b, m.central.sig), 20)
		b = m.central.common(b)
		b = le.AppendUint16(b, uint16(len(m.central.comment)))
		b = le.AppendUint16(b, m.central.disk)
		b = append(b, 0, 0, 0, 0, 0, 0)
		b = le.AppendUint32(b, uint32(at[i]-base))
		b = append(append(append(b, m.central.name...), m.central.extra...), m.central.comment...)
	}
	b = append(b, a.directory...)
	size := len(b) - start
	b = append(b, a.gap...)
	end := make([]byte, endLen)
	le.PutUint32(end, sigEnd)
	le.PutUint16(end[8:], uint16(len(a.entries)))
	le.PutUint16(end[10:], uint16(len(a.entries)))
	le.PutUint32(end[12:], uint32(size))
	le.PutUint32(end[16:], uint32(start-base))
	le.PutUint16(end[20:], uint16(len(a.comment)))
	if a.end != nil {
		a.end(end)
	}
	return append(append(append(b, end...), a.comment...), a.tail...)
}

func crcOf(b []byte) uint32 { return crc32.ChecksumIEEE(b) }
