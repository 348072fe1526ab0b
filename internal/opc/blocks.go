package opc

import (
	"bytes"
	"errors"
	"io"
)

// A seal is put into a long document at one place, mostly near its end. So most of what replaces a deflated part is there
// already, deflated and better than we do it in the time: all blocks before the first byte that differs are kept, and only
// what follows is deflated anew. For that it is enough to know where blocks end, and how much each of them inflates to.

// reuse is the size from which that is worth it.
const reuse = 256 << 10

// reusable gives what of the old content of a part can stand before its new content: whole deflated blocks, ended on a byte, and
// the number of bytes that they inflate to; 0: none.
func (p *Package) reusable(part *Part) (packed []byte, n int64) {
	if part.e.method != deflated || part.e.data == 0 || part.e.size < reuse || len(part.data) < reuse {
		return nil, 0
	}
	same := p.sameBytes(part)
	if same < reuse {
		return nil, 0
	}
	b := make([]byte, part.e.packed, part.e.packed+packedMore)
	if _, err := io.ReadFull(io.NewSectionReader(p.src, part.e.data, part.e.packed), b); err != nil {
		return nil, 0
	}
	bits, n := blocksWithin(b, same)
	if n == 0 {
		return nil, 0
	}
	return endOnByte(b, bits), n
}

// packedMore is room for what follows: a block or two.
const packedMore = 64 << 10

var errDiffers = errors.New("opc: differs")

// sameBytes counts the bytes that the old and the new content of a part begin with.
func (p *Package) sameBytes(part *Part) (same int64) {
	old := Part{Name: part.Name, e: part.e}
	err := p.stream(&old, func(b []byte) error {
		rest := part.data[same:]
		n := min(len(b), len(rest))
		const step = 4 << 10
		i := 0
		for i+step <= n && bytes.Equal(b[i:i+step], rest[i:i+step]) {
			i += step
		}
		for i < n && b[i] == rest[i] {
			i++
		}
		if same += int64(i); i < len(b) {
			return errDiffers
		}
		return nil
	})
	if err != nil && err != errDiffers {
		return 0
	}
	return same
}

// endOnByte cuts deflated blocks where they end, which is anywhere in a byte, and fills that byte up with an empty block, as zlib
// does to flush. b is overwritten.
func endOnByte(b []byte, bits int) []byte {
	whole, rest := bits/8, bits%8
	if rest == 0 {
		return b[:whole]
	}
	last := b[whole] & (1<<rest - 1) // three bits of 0 follow: a stored block that is not the last one
	if b = append(b[:whole], last); rest+3 > 8 {
		b = append(b, 0)
	}
	return append(b, 0, 0, 0xff, 0xff)
}

// blocksWithin finds the last deflated block that ends within the first bytes of what a stream inflates to: the bits up to its
// end, and what the blocks till then inflate to. 0, 0: there is none. The block that says it is the last of all does not count.
func blocksWithin(packed []byte, most int64) (bits int, plain int64) {
	d := deflateReader{b: packed}
	for {
		d.fill()
		final := d.take(1) == 1
		if final || !d.block(d.take(2), most) {
			return bits, plain
		}
		bits, plain = d.at*8-int(d.n), d.out
	}
}

// A deflateReader reads deflated blocks (RFC 1951) for their length only.
type deflateReader struct {
	b   []byte
	at  int    // of the next byte
	acc uint64 // bits that were read and not used yet
	n   uint   // how many
	out int64  // bytes that the blocks inflate to

	literals, distances huffman
}

// fill reads bits until there are 56, or all that are left.
func (d *deflateReader) fill() {
	if d.at+8 <= len(d.b) {
		d.acc |= le.Uint64(d.b[d.at:]) << d.n
		more := (63 - d.n) / 8
		d.at += int(more)
		d.n += 8 * more
		d.acc &= 1<<d.n - 1
		return
	}
	for d.n <= 56 && d.at < len(d.b) {
		d.acc |= uint64(d.b[d.at]) << d.n
		d.at++
		d.n += 8
	}
}

// take gives so many bits. Behind the end it gives zeros, and n is very large: see short.
func (d *deflateReader) take(k uint) int {
	v := int(d.acc & (1<<k - 1))
	d.acc >>= k
	d.n -= k
	return v
}

// short says that more bits were taken than there are.
func (d *deflateReader) short() bool { return d.n > 64 }

// block reads a block; false: it is malformed, or goes beyond the bytes that are asked for.
func (d *deflateReader) block(kind int, most int64) bool {
	if d.short() {
		return false
	}
	switch kind {
	case 0:
		return d.stored(most)
	case 1:
		if !d.literals.make(fixedLengths[:288]) || !d.distances.make(fixedLengths[288:]) {
			return false
		}
	case 2:
		if !d.codes() {
			return false
		}
	default:
		return false
	}
	for d.out <= most {
		d.fill()
		symbol := d.literals.read(d)
		switch {
		case d.short() || symbol < 0 || symbol > 285:
			return false
		case symbol < 256:
			d.out++
			continue
		case symbol == 256:
			return true
		}
		length := lengths[symbol-257]
		d.out += int64(int(length.base) + d.take(uint(length.extra)))
		distance := d.distances.read(d)
		if distance < 0 || distance > 29 {
			return false
		}
		d.take(uint(max(0, distance/2-1)))
		if d.short() {
			return false
		}
	}
	return false
}

func (d *deflateReader) stored(most int64) bool {
	d.take(d.n % 8)
	d.at -= int(d.n / 8)
	d.acc, d.n = 0, 0
	if d.at+4 > len(d.b) {
		return false
	}
	n := int(le.Uint16(d.b[d.at:]))
	if d.at += 4 + n; d.at > len(d.b) {
		return false
	}
	d.out += int64(n)
	return d.out <= most
}

// codes reads the codes of a block that has its own.
func (d *deflateReader) codes() bool {
	d.fill()
	literals, distances, own := d.take(5)+257, d.take(5)+1, d.take(4)+4
	var list [320]uint8
	for _, place := range lengthOrder[:min(own, len(lengthOrder))] {
		d.fill()
		list[place] = uint8(d.take(3))
	}
	if d.short() || !d.literals.make(list[:19]) {
		return false
	}
	clear(list[:19])
	for i := 0; i < literals+distances; {
		d.fill()
		symbol := d.literals.read(d)
		n, length := 1, uint8(0)
		switch {
		case symbol < 0:
			return false
		case symbol < 16:
			length = uint8(symbol)
		case symbol == 16 && i > 0:
			n, length = 3+d.take(2), list[i-1]
		case symbol == 17:
			n = 3 + d.take(3)
		case symbol == 18:
			n = 11 + d.take(7)
		default:
			return false
		}
		if d.short() || i+n > literals+distances {
			return false
		}
		for ; n > 0; n-- {
			list[i] = length
			i++
		}
	}
	return d.literals.make(list[:literals]) && d.distances.make(list[literals:literals+distances])
}

// lengthOrder is the order in which the lengths of the code for lengths stand.
var lengthOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// lengths of repetitions, by symbol from 257.
var lengths = func() (t [29]struct{ base, extra uint16 }) {
	base := uint16(3)
	for i := range t {
		t[i].base = base
		if i >= 8 {
			t[i].extra = uint16(i/4 - 1)
		}
		base += 1 << t[i].extra
	}
	t[28].base, t[28].extra = 258, 0
	return t
}()

// fixedLengths are those of the codes that every reader knows.
var fixedLengths = func() (l [288 + 30]uint8) {
	for i := range l {
		switch {
		case i < 144:
			l[i] = 8
		case i < 256:
			l[i] = 9
		case i < 280:
			l[i] = 7
		case i < 288:
			l[i] = 8
		default:
			l[i] = 5
		}
	}
	return l
}()

const quickBits = 10

// huffman is a code: short ones are looked up, others are read bit by bit.
type huffman struct {
	quick   [1 << quickBits]uint16 // symbol and, in the last four bits, length; 0: it is longer
	count   [16]uint16             // of codes, by length
	symbols [320]uint16            // in the order of their codes
}

// make makes the code that has these lengths; false: there is none.
func (h *huffman) make(list []uint8) bool {
	clear(h.quick[:])
	clear(h.count[:])
	for _, n := range list {
		h.count[n]++
	}
	h.count[0] = 0
	var next, place [16]uint16 // code and place in symbols, by length
	left := 1
	for n := 1; n < 16; n++ {
		if left = 2*left - int(h.count[n]); left < 0 {
			return false
		}
		next[n] = (next[n-1] + h.count[n-1]) << 1
		place[n] = place[n-1] + h.count[n-1]
	}
	for symbol, n := range list {
		if n == 0 {
			continue
		}
		h.symbols[place[n]] = uint16(symbol)
		place[n]++
		code := next[n]
		next[n]++
		if n > quickBits {
			continue
		}
		for i := reversed(code, n); i < 1<<quickBits; i += 1 << n {
			h.quick[i] = uint16(symbol)<<4 | uint16(n)
		}
	}
	return true
}

func reversed(code uint16, n uint8) (r uint16) {
	for range n {
		r, code = r<<1|code&1, code>>1
	}
	return r
}

// read reads a symbol; -1: there is none with this code.
func (h *huffman) read(d *deflateReader) int {
	if q := h.quick[d.acc&(1<<quickBits-1)]; q != 0 {
		d.take(uint(q & 15))
		return int(q >> 4)
	}
	code, first, place := 0, 0, 0
	for n := 1; n < 16; n++ {
		code |= d.take(1)
		count := int(h.count[n])
		if code-first < count {
			return int(h.symbols[place+code-first])
		}
		place += count
		first = (first + count) << 1
		code <<= 1
	}
	return -1
}
