package opc

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Signatures and fixed lengths of the records (APPNOTE.TXT 4.3).
const (
	sigLocal      = 0x04034b50
	sigCentral    = 0x02014b50
	sigEnd        = 0x06054b50
	sigDescriptor = 0x08074b50
	sigLocator64  = 0x07064b50

	localLen   = 30
	centralLen = 46
	endLen     = 22
	max32      = 1<<32 - 1
	max16      = 1<<16 - 1

	stored   = 0
	deflated = 8

	flagEncrypted  = 1<<0 | 1<<6 | 1<<13
	flagLevel      = 1<<1 | 1<<2
	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11

	// Deflate makes at most 258 bytes of two bits.
	maxDeflate = 1032
)

// An entry is what the directory says of a part, and where its bytes are.
type entry struct {
	flags, method uint16
	crc           uint32
	packed, size  int64
	start         int64  // of the local header
	data          int64  // of the packed data; 0: there is no local header
	end           int64  // after the data descriptor, where there is one
	central       []byte // its record in the directory
}

// A directory is the end of the file: the central directory and its end record.
type directory struct {
	start int64
	bytes []byte
}

var le = binary.LittleEndian

// openZip finds the directory and compares it with the local headers.
func openZip(src io.ReaderAt, size int64, l Limits) (*Package, error) {
	p := &Package{src: src, size: size, limits: l, kept: &kept{room: l.Keep, of: map[int64][]byte{}}}
	end, at, err := p.findEnd()
	if err != nil {
		return nil, err
	}
	count, base, err := p.readDirectory(end, at)
	if err != nil {
		return nil, err
	}
	if err := p.readEntries(count, base); err != nil {
		return nil, err
	}
	if err := p.checkSize(); err != nil {
		return nil, err
	}
	return p, p.readLocals()
}

// findEnd looks for the last end record of which there can be one, which is the one at the very end of a sound file.
func (p *Package) findEnd() (end []byte, at int64, err error) {
	if p.size < endLen {
		return nil, 0, fmt.Errorf("%w: %d bytes", ErrNotZip, p.size)
	}
	tail := make([]byte, min(p.size, endLen+max16))
	if err := readFull(p.src, tail, p.size-int64(len(tail))); err != nil {
		return nil, 0, err
	}
	for i := len(tail); ; {
		i = bytes.LastIndex(tail[:i], []byte("PK\x05\x06"))
		if i < 0 {
			break
		}
		if len(tail)-i < endLen {
			continue
		}
		comment, rest := int(le.Uint16(tail[i+20:])), len(tail)-i-endLen
		switch {
		case comment > rest:
		case end == nil:
			if comment > 0 {
				p.fault(FaultComment, "", "a comment of %d bytes", comment)
			}
			if rest > comment {
				p.fault(FaultTail, "", "%d bytes after the end record", rest-comment)
			}
			end, at = tail[i:i+endLen], p.size-int64(len(tail)-i)
		case comment == rest:
			p.fault(FaultEnds, "", "an end record whose comment is the rest of the file")
		}
	}
	if end == nil {
		return nil, 0, fmt.Errorf("%w: no end record", ErrNotZip)
	}
	return end, at, nil
}

// readDirectory reads the directory that the end record at a place speaks of. Base is what must be added to the places in
// it: not 0 where other bytes stand before the zip file.
func (p *Package) readDirectory(end []byte, at int64) (count int, base int64, err error) {
	disk, first, here, all := le.Uint16(end[4:]), le.Uint16(end[6:]), le.Uint16(end[8:]), le.Uint16(end[10:])
	size, start := int64(le.Uint32(end[12:])), int64(le.Uint32(end[16:]))
	if here == max16 || all == max16 || size == max32 || start == max32 {
		return 0, 0, fmt.Errorf("%w: zip64 sizes: write the file without them", ErrDamaged)
	}
	if locator := make([]byte, 4); at >= 20 && readFull(p.src, locator, at-20) == nil && le.Uint32(locator) == sigLocator64 {
		p.fault(FaultZip64, "", "a zip64 end record")
	}
	if disk != 0 || first != 0 {
		p.fault(FaultDisk, "", "volume %d, directory on %d", disk, first)
	}
	if here != all {
		p.fault(FaultCount, "", "%d entries here, %d in all", here, all)
	}
	if int(all) > p.limits.Entries {
		return 0, 0, fmt.Errorf("%w: %d entries, %d allowed", ErrLimit, all, p.limits.Entries)
	}
	if most := int64(p.limits.Entries) * 512; size > most {
		return 0, 0, fmt.Errorf("%w: a directory of %d bytes, %d allowed", ErrLimit, size, most)
	}
	if start+size > at {
		return 0, 0, fmt.Errorf("%w: the directory reaches beyond the end record", ErrDamaged)
	}
	if start+size < at {
		base = p.shift(start, size, at)
	}
	p.dir = directory{start: base + start, bytes: make([]byte, size)}
	return int(all), base, readFull(p.src, p.dir.bytes, p.dir.start)
}

// shift tells where a directory is that does not end where the end record is: right before that record, or where it says.
func (p *Package) shift(start, size, at int64) int64 {
	var sig [4]byte
	more := at - start - size
	if readFull(p.src, sig[:], start+more) == nil && le.Uint32(sig[:]) == sigCentral || size == 0 {
		p.fault(FaultPrefix, "", "%d bytes before the zip file", more)
		return more
	}
	p.fault(FaultGap, "", "%d bytes between directory and end record", more)
	return 0
}

// readEntries reads the records of the directory.
func (p *Package) readEntries(count int, base int64) error {
	b := p.dir.bytes
	for len(b) > 0 {
		if len(b) < centralLen || le.Uint32(b) != sigCentral {
			if len(p.parts) == 0 && count > 0 {
				return fmt.Errorf("%w: no directory where the end record says", ErrDamaged)
			}
			p.fault(FaultGap, "", "%d bytes in the directory that are no entry", len(b))
			break
		}
		if len(p.parts) == p.limits.Entries {
			return fmt.Errorf("%w: more than %d entries", ErrLimit, p.limits.Entries)
		}
		name, extra, comment := int(le.Uint16(b[28:])), int(le.Uint16(b[30:])), int(le.Uint16(b[32:]))
		n := centralLen + name + extra + comment
		if n > len(b) {
			return fmt.Errorf("%w: entry %d of the directory is cut off", ErrDamaged, len(p.parts)+1)
		}
		part := &Part{Name: "/" + string(b[centralLen:centralLen+name])}
		part.e = entry{
			flags: le.Uint16(b[8:]), method: le.Uint16(b[10:]), crc: le.Uint32(b[16:]),
			packed: int64(le.Uint32(b[20:])), size: int64(le.Uint32(b[24:])), start: base + int64(le.Uint32(b[42:])),
			central: b[:n:n],
		}
		part.Size, part.Packed = part.e.size, part.e.packed
		p.checkCentral(part, b[centralLen+name:centralLen+name+extra], comment)
		p.parts = append(p.parts, part)
		b = b[n:]
	}
	if len(p.parts) != count {
		p.fault(FaultCount, "", "the end record counts %d entries, the directory has %d", count, len(p.parts))
	}
	return nil
}

// checkCentral judges one record of the directory by itself.
func (p *Package) checkCentral(part *Part, extra []byte, comment int) {
	e := &part.e
	if comment > 0 {
		p.fault(FaultComment, part.Name, "a comment of %d bytes", comment)
	}
	if disk := le.Uint16(e.central[34:]); disk != 0 {
		p.fault(FaultDisk, part.Name, "on volume %d", disk)
	}
	if e.packed == max32 || e.size == max32 || le.Uint32(e.central[42:]) == max32 {
		p.fault(FaultZip64, part.Name, "zip64 sizes")
	}
	if e.flags&flagEncrypted != 0 {
		p.fault(FaultEncrypted, part.Name, "flags %#x", e.flags)
	}
	if odd := e.flags &^ (flagEncrypted | flagLevel | flagDescriptor | flagUTF8); odd != 0 {
		p.fault(FaultFlags, part.Name, "flags %#x", odd)
	}
	switch {
	case e.method != stored && e.method != deflated:
		p.fault(FaultMethod, part.Name, "method %d", e.method)
	case e.method == stored && e.packed != e.size:
		p.fault(FaultSize, part.Name, "stored, but %d bytes are %d", e.packed, e.size)
	case e.method == deflated && e.size > e.packed*maxDeflate:
		p.fault(FaultSize, part.Name, "%d bytes cannot be %d", e.packed, e.size)
	}
	p.checkExtra(part, extra)
	p.checkEncoding(part)
}

// checkExtra looks for extra fields that some programs follow and others do not: zip64 sizes (1), the name in UTF-8
// (7075), and encryption (17, 9901).
func (p *Package) checkExtra(part *Part, extra []byte) {
	for len(extra) > 0 {
		if len(extra) < 4 || int(le.Uint16(extra[2:])) > len(extra)-4 {
			p.fault(FaultExtra, part.Name, "an extra field that is cut off")
			return
		}
		switch id := le.Uint16(extra); id {
		case 0x0001:
			p.fault(FaultZip64, part.Name, "zip64 sizes")
		case 0x0017, 0x9901:
			p.fault(FaultEncrypted, part.Name, "extra field %#x", id)
		case 0x7075, 0x6375:
			p.fault(FaultExtra, part.Name, "a second name or comment, in extra field %#x", id)
		}
		extra = extra[4+le.Uint16(extra[2:]):]
	}
}

func (p *Package) checkEncoding(part *Part) {
	if !utf8.ValidString(part.Name) {
		p.fault(FaultEncoding, strings.ToValidUTF8(part.Name, "\ufffd"), "a name that is not UTF-8")
	} else if !ascii(part.Name) && part.e.flags&flagUTF8 == 0 {
		p.fault(FaultEncoding, part.Name, "a name that is not said to be UTF-8")
	}
}

// checkSize holds what the entries say against the limits. What they say bounds what reading them can give.
func (p *Package) checkSize() error {
	var all int64
	for _, part := range p.parts {
		if part.Size > p.limits.Part {
			return fmt.Errorf("%w: %s has %d bytes, %d allowed", ErrLimit, part.Name, part.Size, p.limits.Part)
		}
		all += part.Size
	}
	if most := min(p.limits.Size, freeSize+p.limits.Ratio*p.size); all > most {
		return fmt.Errorf("%w: the parts have %d bytes, %d allowed in a file of %d", ErrLimit, all, most, p.size)
	}
	return nil
}

// readLocals compares each local header with the directory and sees that entries follow one another without a gap, from
// the first byte to the directory.
func (p *Package) readLocals() error {
	inFile := slices.Clone(p.parts)
	slices.SortStableFunc(inFile, func(a, b *Part) int { return cmp.Compare(a.e.start, b.e.start) })
	if len(inFile) > 0 && inFile[0].e.start > 0 {
		p.fault(FaultPrefix, "", "%d bytes before the first entry", inFile[0].e.start)
	} else if len(inFile) == 0 && p.dir.start > 0 {
		p.fault(FaultPrefix, "", "%d bytes before the directory", p.dir.start)
	}
	var buf []byte
	for i, part := range inFile {
		next := p.dir.start
		if i+1 < len(inFile) {
			next = inFile[i+1].e.start
		}
		var err error
		if buf, err = p.readLocal(part, next, buf); err != nil {
			return err
		}
	}
	return nil
}

// readLocal reads one local header. The next entry, or the directory, begins at next.
func (p *Package) readLocal(part *Part, next int64, buf []byte) ([]byte, error) {
	e := &part.e
	buf = slices.Grow(buf[:0], localLen)[:localLen]
	if e.start+localLen > p.dir.start {
		p.fault(FaultLocal, part.Name, "no room for a local header at %d", e.start)
		return buf, nil
	}
	if err := readFull(p.src, buf, e.start); err != nil {
		return buf, err
	}
	if le.Uint32(buf) != sigLocal {
		p.fault(FaultLocal, part.Name, "no local header at %d", e.start)
		return buf, nil
	}
	head := [localLen]byte(buf)
	name, extra := int(le.Uint16(head[26:])), int(le.Uint16(head[28:]))
	data := e.start + localLen + int64(name+extra)
	if data+e.packed > p.dir.start {
		p.fault(FaultOverlap, part.Name, "%d bytes at %d reach into the directory", e.packed, data)
		return buf, nil
	}
	buf = slices.Grow(buf[:0], name+extra)[:name+extra]
	if err := readFull(p.src, buf, e.start+localLen); err != nil {
		return buf, err
	}
	e.data, e.end = data, data+e.packed
	if string(buf[:name]) != part.Name[1:] {
		p.fault(FaultLocalName, part.Name, "the local header says %q", buf[:name])
	}
	p.checkLocal(part, head[:])
	p.checkExtra(part, buf[name:])
	return buf, p.checkEnd(part, next)
}

// checkLocal compares the fixed part of a local header. Where a descriptor follows the data, sizes and checksum may be 0.
func (p *Package) checkLocal(part *Part, head []byte) {
	e := &part.e
	if flags := le.Uint16(head[6:]); flags != e.flags {
		p.fault(FaultLocalFlags, part.Name, "%#x, %#x in the directory", flags, e.flags)
	}
	if method := le.Uint16(head[8:]); method != e.method {
		p.fault(FaultLocalMethod, part.Name, "%d, %d in the directory", method, e.method)
	}
	later := e.flags&flagDescriptor != 0
	if crc := le.Uint32(head[14:]); crc != e.crc && !(later && crc == 0) {
		p.fault(FaultLocalCRC, part.Name, "%08x, %08x in the directory", crc, e.crc)
	}
	packed, size := int64(le.Uint32(head[18:])), int64(le.Uint32(head[22:]))
	if (packed != e.packed || size != e.size) && !(later && packed == 0 && size == 0) {
		p.fault(FaultLocalSize, part.Name, "%d of %d, %d of %d in the directory", packed, size, e.packed, e.size)
	}
}

// checkEnd sees that an entry ends where the next one begins. A descriptor has a signature or has not.
func (p *Package) checkEnd(part *Part, next int64) error {
	e := &part.e
	switch gap := next - e.end; {
	case gap < 0:
		p.fault(FaultOverlap, part.Name, "it ends at %d, and the next entry begins at %d", e.end, next)
	case e.flags&flagDescriptor == 0:
		if gap > 0 {
			p.fault(FaultGap, part.Name, "%d bytes after it", gap)
		}
	default:
		want := make([]byte, 16)
		le.PutUint32(want, sigDescriptor)
		le.PutUint32(want[4:], e.crc)
		le.PutUint32(want[8:], uint32(e.packed))
		le.PutUint32(want[12:], uint32(e.size))
		b := make([]byte, min(gap, 16))
		if err := readFull(p.src, b, e.end); err != nil {
			return err
		}
		switch {
		case bytes.Equal(b, want):
			e.end += 16
		case len(b) >= 12 && bytes.Equal(b[:12], want[4:]):
			e.end += 12
		default:
			p.fault(FaultDescriptor, part.Name, "the descriptor after the data is not that of the directory")
			return nil
		}
		if next > e.end {
			p.fault(FaultGap, part.Name, "%d bytes after it", next-e.end)
		}
	}
	return nil
}

// readFull fills b from a place in the file. A file that ends before is damaged: its size was given.
func readFull(src io.ReaderAt, b []byte, at int64) error {
	n, err := src.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		return fmt.Errorf("%w: it ends at %d, where %d more bytes should be", ErrDamaged, at+int64(n), len(b)-n)
	}
	return err
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
