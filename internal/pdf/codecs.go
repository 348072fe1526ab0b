package pdf

import (
	"bufio"
	"fmt"
	"io"
)

// The filters that are seldom met: hexadecimal, base 85, run lengths, LZW (ISO 32000-2, 7.4).

type hexReader struct{ r *bufio.Reader }

func (h *hexReader) Read(b []byte) (int, error) {
	n, high := 0, -1
	for n < len(b) {
		c, err := h.r.ReadByte()
		if err == io.EOF || c == '>' {
			if high >= 0 {
				b[n] = byte(high << 4)
				n++
			}
			if c == '>' {
				h.r.UnreadByte() // the end stays the end
			}
			if n > 0 {
				return n, nil
			}
			return 0, io.EOF
		}
		if err != nil {
			return n, err
		}
		d := unhex(c)
		switch {
		case class[c] == white:
		case d < 0:
			return n, fmt.Errorf("%w: %q in hexadecimal data", ErrSyntax, c)
		case high < 0:
			high = d
		default:
			b[n] = byte(high<<4 | d)
			high = -1
			n++
		}
	}
	return n, nil
}

type ascii85Reader struct {
	r     *bufio.Reader
	ready []byte
	buf   [4]byte
	done  bool
}

func (a *ascii85Reader) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(a.ready) == 0 {
			if a.done {
				break
			}
			if err := a.group(); err != nil {
				return n, err
			}
			continue
		}
		k := copy(b[n:], a.ready)
		n += k
		a.ready = a.ready[k:]
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// group decodes up to five characters to up to four bytes.
func (a *ascii85Reader) group() error {
	var v uint64
	k := 0
	for k < 5 {
		c, err := a.r.ReadByte()
		if err == io.EOF || c == '~' {
			a.done = true
			break
		}
		switch {
		case err != nil:
			return err
		case class[c] == white:
			continue
		case c == 'z' && k == 0:
			a.buf = [4]byte{}
			a.ready = a.buf[:]
			return nil
		case c < '!' || c > 'u':
			return fmt.Errorf("%w: %q in base 85 data", ErrSyntax, c)
		}
		v = v*85 + uint64(c-'!')
		k++
	}
	if k == 0 {
		return nil
	}
	for i := k; i < 5; i++ {
		v = v*85 + 84
	}
	if k == 1 || v > 1<<32-1 {
		return fmt.Errorf("%w: malformed base 85 data", ErrSyntax)
	}
	a.buf = [4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
	a.ready = a.buf[:k-1]
	return nil
}

type runReader struct {
	r     *bufio.Reader
	left  int  // bytes of the run still to give
	same  bool // all of them are c
	c     byte
	ended bool
}

func (u *runReader) Read(b []byte) (int, error) {
	for n := range b {
		for u.left == 0 {
			if u.ended {
				return n, io.EOF
			}
			c, err := u.r.ReadByte()
			switch {
			case err == io.EOF || err == nil && c == 128:
				u.ended = true
			case err != nil:
				return n, err
			case c < 128:
				u.left, u.same = int(c)+1, false
			default:
				u.left, u.same = 257-int(c), true
				if u.c, err = u.r.ReadByte(); err != nil {
					return n, fmt.Errorf("%w: run length data stops too early", ErrSyntax)
				}
			}
		}
		u.left--
		if !u.same {
			var err error
			if u.c, err = u.r.ReadByte(); err != nil {
				return n, fmt.Errorf("%w: run length data stops too early", ErrSyntax)
			}
		}
		b[n] = u.c
	}
	return len(b), nil
}

// lzwReader decodes LZW as PDF and TIFF have it: codes of 9 to 12 bits, high bit first, 256 clears, 257 ends.
type lzwReader struct {
	r     *bufio.Reader
	early bool // the code grows one code early, as is the default
	acc   uint32
	bits  uint
	width uint
	next  int // the code to be defined next
	prev  int // the code before; -1: none
	table [4096]struct {
		prefix uint16
		last   byte
		first  byte
	}
	out   [4096]byte // the last code's bytes are at its end
	ready []byte
	done  bool
}

func (l *lzwReader) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(l.ready) == 0 {
			if l.done {
				break
			}
			if err := l.step(); err != nil {
				return n, err
			}
			continue
		}
		k := copy(b[n:], l.ready)
		n += k
		l.ready = l.ready[k:]
	}
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (l *lzwReader) clear() { l.width, l.next, l.prev = 9, 258, -1 }

func (l *lzwReader) step() error {
	if l.width == 0 {
		l.clear()
		for i := range 256 {
			l.table[i].last, l.table[i].first = byte(i), byte(i)
		}
	}
	for l.bits < l.width {
		c, err := l.r.ReadByte()
		if err == io.EOF {
			l.done = true
			return nil
		}
		if err != nil {
			return err
		}
		l.acc = l.acc<<8 | uint32(c)
		l.bits += 8
	}
	l.bits -= l.width
	code := int(l.acc >> l.bits & (1<<l.width - 1))
	switch {
	case code == 256:
		l.clear()
		return nil
	case code == 257:
		l.done = true
		return nil
	case code > l.next || code == l.next && l.prev < 0 || code > 257 && l.prev < 0:
		return fmt.Errorf("%w: malformed LZW data", ErrSyntax)
	}
	if l.prev >= 0 && l.next < 4096 {
		first := l.table[l.prev].first
		if code != l.next {
			first = l.table[code].first
		}
		l.table[l.next].prefix, l.table[l.next].last = uint16(l.prev), first
		l.table[l.next].first = l.table[l.prev].first
		l.next++
		grown := l.next
		if l.early {
			grown++
		}
		if grown >= 1<<l.width && l.width < 12 {
			l.width++
		}
	}
	if code >= l.next {
		return fmt.Errorf("%w: malformed LZW data", ErrSyntax)
	}
	l.prev = code
	i := len(l.out)
	for ; code > 257; code = int(l.table[code].prefix) {
		i--
		l.out[i] = l.table[code].last
	}
	i--
	l.out[i] = byte(code)
	l.ready = l.out[i:]
	return nil
}
