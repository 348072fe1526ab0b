package der

import (
	"errors"
	"fmt"
)

// Identifier octets that matter here.
const (
	tagOctetString = 0x04
	tagSequence    = 0x10
	tagSet         = 0x11
	constructed    = 0x20
)

// indefinite stands for a length that the encoding leaves open until two zero octets.
const indefinite = -1

// header reads the identifier and length octets at off. Only identifiers of one octet are read, as in cryptobyte:
// nothing in certificates, CMS or seals has a tag number over 30. The content is inside b, unless indefinite.
func header(b []byte, off int) (tag byte, head, body int, err error) {
	rest := b[off:]
	if len(rest) < 2 {
		return 0, 0, 0, fmt.Errorf("%w: cut short at offset %d", ErrSyntax, off)
	}
	tag, head = rest[0], 2
	if tag&0x1f == 0x1f {
		return 0, 0, 0, fmt.Errorf("%w: tag number over 30 at offset %d", ErrSyntax, off)
	}
	switch n := rest[1]; {
	case n < 0x80:
		body = int(n)
	case n == 0x80:
		if tag&constructed == 0 {
			return 0, 0, 0, fmt.Errorf("%w: primitive element of indefinite length at offset %d", ErrSyntax, off)
		}
		return tag, head, indefinite, nil
	case n > 0x84:
		return 0, 0, 0, fmt.Errorf("%w: length of %d octets at offset %d", ErrSyntax, n&0x7f, off)
	default:
		head += int(n & 0x7f)
		if len(rest) < head {
			return 0, 0, 0, fmt.Errorf("%w: cut short at offset %d", ErrSyntax, off)
		}
		var v uint64
		for _, c := range rest[2:head] {
			v = v<<8 | uint64(c)
		}
		if v < 0x80 || v>>(8*(uint(n&0x7f)-1)) == 0 {
			return 0, 0, 0, fmt.Errorf("%w: length not minimal at offset %d", ErrSyntax, off)
		}
		if v > uint64(len(rest)) {
			return 0, 0, 0, fmt.Errorf("%w: %d content octets at offset %d, %d are there", ErrSyntax, v, off, len(rest)-head)
		}
		body = int(v)
	}
	if body > len(rest)-head {
		return 0, 0, 0, fmt.Errorf("%w: %d content octets at offset %d, %d are there", ErrSyntax, body, off, len(rest)-head)
	}
	return tag, head, body, nil
}

// form says whether the identifier may be primitive or constructed as it is. Constructed strings are BER only.
func form(tag byte, off int) error {
	if tag&0xc0 != 0 { // not of the universal class: only who reads it knows
		return nil
	}
	switch tag &^ constructed {
	case 0:
		return fmt.Errorf("%w: end-of-contents where an element belongs at offset %d", ErrSyntax, off)
	case tagSequence, tagSet, 0x08, 0x0b: // EXTERNAL and EMBEDDED PDV too
		if tag&constructed == 0 {
			return fmt.Errorf("%w: primitive SEQUENCE or SET at offset %d", ErrSyntax, off)
		}
	default:
		if tag&constructed != 0 {
			return fmt.Errorf("%w: constructed string or simple type (0x%02x) at offset %d", ErrSyntax, tag, off)
		}
	}
	return nil
}

// A span is one element of the input that is being walked.
type span struct {
	body int32 // offset of the content
	end  int32 // offset after the content
	out  int32 // content octets in DER
	tag  byte
	join bool // a piece of a constructed OCTET STRING: its content counts, its header does not
}

// Check walks one element and everything in it: definite minimal lengths, children that fill their parents, primitive
// strings, and the limits. b is exactly the element. It looks into nothing primitive, so values and the order of sets
// are for those who parse; after Check their recursion, if any, is bounded. Time is linear, memory constant.
func Check(b []byte, l Limits) error {
	l = l.orDefaults()
	if len(b) > l.Size {
		return fmt.Errorf("%w: %d octets, %d allowed", ErrLimit, len(b), l.Size)
	}
	ends := make([]int, 0, 16)
	for off, count := 0, 0; ; {
		tag, head, body, err := header(b, off)
		if err != nil {
			return err
		}
		if body == indefinite {
			return fmt.Errorf("%w: indefinite length at offset %d", ErrSyntax, off)
		}
		if err := form(tag, off); err != nil {
			return err
		}
		if count++; count > l.Count {
			return fmt.Errorf("%w: more than %d elements", ErrLimit, l.Count)
		}
		end := off + head + body
		if n := len(ends); n > 0 && end > ends[n-1] {
			return fmt.Errorf("%w: element at offset %d is longer than what holds it", ErrSyntax, off)
		}
		if tag&constructed != 0 {
			if len(ends) == l.Depth {
				return fmt.Errorf("%w: nested deeper than %d at offset %d", ErrLimit, l.Depth, off)
			}
			ends, off = append(ends, end), off+head
		} else {
			off = end
		}
		for len(ends) > 0 && off == ends[len(ends)-1] {
			ends = ends[:len(ends)-1]
		}
		if len(ends) == 0 {
			if off != len(b) {
				return fmt.Errorf("%w: %d octets after the value", ErrSyntax, len(b)-off)
			}
			return nil
		}
	}
}

// Length returns how many octets of b the element at its start takes, indefinite lengths included. What follows is not
// looked at: the padding of a PDF's /Contents, for one.
func Length(b []byte) (int, error) {
	_, head, body, err := header(b, 0)
	if err != nil {
		return 0, err
	}
	if body != indefinite {
		return head + body, nil
	}
	_, n, err := walk(b, Limits{}.orDefaults())
	return n, err
}

// Content skips the identifier and length octets of the element at the start of b, and returns the rest of b; nil where
// that element has another tag. It looks no further: it tells what a value is meant to be before it is parsed.
func Content(b []byte, tag byte) []byte {
	if len(b) < 2 || b[0] != tag {
		return nil
	}
	n := 2
	if b[1] > 0x80 {
		n += int(b[1] & 0x7f)
	}
	return b[min(n, len(b)):]
}

// Normalize returns the element at the start of b in DER as far as shape goes: indefinite lengths become definite and
// constructed OCTET STRINGs primitive. Nothing else of BER is taken: a length that is not minimal is an error, and sets
// stay in their order. n is how many octets of b the element took; changed is false where it was of that shape already,
// and out is then b[:n] itself. Time is linear; memory is the output and 16 octets for each element of a changed value.
func Normalize(b []byte, l Limits) (out []byte, n int, changed bool, err error) {
	l = l.orDefaults()
	_, head, body, err := header(b, 0)
	if err != nil {
		return nil, 0, false, err
	}
	if body != indefinite {
		n = head + body
		switch err := Check(b[:n], l); {
		case err == nil:
			return b[:n:n], n, false, nil
		case errors.Is(err, ErrLimit):
			return nil, 0, false, err
		}
	}
	spans, n, err := walk(b, l)
	if err != nil {
		return nil, 0, false, err
	}
	out = make([]byte, 0, int(spans[0].out)+6)
	for _, s := range spans {
		if !s.join {
			tag := s.tag
			if tag == tagOctetString|constructed {
				tag = tagOctetString
			}
			out = AppendHeader(out, tag, int(s.out))
		}
		if s.tag&constructed == 0 {
			out = append(out, b[s.body:s.end]...)
		}
	}
	return out, n, true, nil
}

// walk lists the elements of the BER value at the start of b, parents before children, and says where it ends.
func walk(b []byte, l Limits) (spans []span, n int, err error) {
	type frame struct {
		at    int // in spans
		limit int // where the innermost definite length around ends
		open  bool
	}
	cut := len(b) > l.Size
	b = b[:min(len(b), l.Size)]
	stack := make([]frame, 0, 16)
	for off := 0; ; {
		limit, parent := len(b), (*span)(nil)
		if top := len(stack) - 1; top >= 0 {
			limit, parent = stack[top].limit, &spans[stack[top].at]
			closed := 0
			switch {
			case !stack[top].open && off == limit:
				closed = 1
			case stack[top].open && off+2 <= limit && b[off] == 0 && b[off+1] == 0:
				closed = 2
			}
			if closed > 0 {
				parent.end = int32(off)
				if closed == 2 {
					off += 2
				}
				stack = stack[:top]
				if top == 0 {
					return spans, off, nil
				}
				spans[stack[top-1].at].add(parent)
				continue
			}
		}
		tag, head, body, err := header(b[:limit], off)
		if err != nil {
			if cut {
				err = fmt.Errorf("%w: %d octets allowed: %w", ErrLimit, l.Size, err)
			}
			return nil, 0, err
		}
		if tag != tagOctetString|constructed {
			if err := form(tag, off); err != nil {
				return nil, 0, err
			}
		}
		s := span{body: int32(off + head), tag: tag}
		if parent != nil && parent.tag == tagOctetString|constructed {
			if s.join = true; tag&^constructed != tagOctetString {
				return nil, 0, fmt.Errorf("%w: constructed OCTET STRING holds 0x%02x at offset %d", ErrSyntax, tag, off)
			}
		}
		if len(spans) == l.Count {
			return nil, 0, fmt.Errorf("%w: more than %d elements", ErrLimit, l.Count)
		}
		if tag&constructed != 0 {
			if len(stack) == l.Depth {
				return nil, 0, fmt.Errorf("%w: nested deeper than %d at offset %d", ErrLimit, l.Depth, off)
			}
			f := frame{len(spans), limit, body == indefinite}
			if off += head; !f.open {
				f.limit = off + body
			}
			stack = append(stack, f)
		} else {
			off += head + body
			s.end, s.out = int32(off), int32(body)
			if parent != nil {
				parent.add(&s)
			}
		}
		if spans = append(spans, s); len(stack) == 0 {
			return spans, off, nil
		}
	}
}

// add counts a complete child.
func (s *span) add(child *span) {
	s.out += child.out
	if !child.join {
		s.out += int32(HeaderSize(int(child.out)))
	}
}

// AppendHeader writes the identifier and length octets of an element with n content octets.
func AppendHeader(b []byte, tag byte, n int) []byte {
	b = append(b, tag)
	if n < 0x80 {
		return append(b, byte(n))
	}
	octets := HeaderSize(n) - 2
	b = append(b, 0x80|byte(octets))
	for i := octets - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

// HeaderSize is how many octets AppendHeader writes.
func HeaderSize(n int) int {
	size := 2
	if n >= 0x80 {
		for ; n > 0; n >>= 8 {
			size++
		}
	}
	return size
}
