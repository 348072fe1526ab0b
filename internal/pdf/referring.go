package pdf

import (
	"bytes"
	"context"
	"fmt"
	"math/bits"
)

// An openValue is where a survey is in an object that a section names: what must be known to tell that no other object, which a
// section names too, begins inside of it, in a string or in a comment. References behind that one would be taken for its own.
type openValue struct {
	open    bool // neither endobj nor stream was met
	depth   int  // parentheses of a string
	escaped bool // the next byte of the string follows a backslash
	comment bool
}

// overlaps goes on to read values, from header to header.
func (s *Survey) overlaps(b []byte, off int64, from, to int) {
	for _, h := range s.heads {
		if !h.listed {
			continue
		}
		at := int(h.Offset - off)
		s.value.read(b, from, min(at, to))
		if s.value.open {
			s.Unsettled.References = true
		}
		s.value = openValue{open: true}
		from = max(from, at)
	}
	s.value.read(b, from, to)
}

// telling are the bytes that matter outside strings and comments: j ends endobj, m ends stream.
var telling = [256]bool{'(': true, '%': true, 'j': true, 'm': true}

func (v *openValue) read(b []byte, from, to int) {
	for i := from; i < to && v.open; {
		switch {
		case v.escaped:
			v.escaped = false
			i++
		case v.depth > 0:
			i = v.text(b, i, to)
		case v.comment:
			for i < to && b[i] != '\n' && b[i] != '\r' {
				i++
			}
			v.comment = i == to
		default:
			for i < to && !telling[b[i]] {
				i++
			}
			if i == to {
				return
			}
			switch b[i] {
			case '(':
				v.depth = 1
			case '%':
				v.comment = true
			case 'j':
				v.open = !ends(b[:i], "endob")
			case 'm':
				v.open = !ends(b[:i], "strea")
			}
			i++
		}
	}
}

// text goes through a string.
func (v *openValue) text(b []byte, i, to int) int {
	n := bytes.IndexByte(b[i:to], ')')
	if n >= 0 && bytes.IndexByte(b[i:i+n], '(') < 0 && bytes.IndexByte(b[i:i+n], '\\') < 0 {
		v.depth--
		return i + n + 1
	}
	end := to
	if n >= 0 {
		end = i + n + 1
	}
	for ; i < end; i++ {
		switch b[i] {
		case '(':
			v.depth++
		case ')':
			v.depth--
		case '\\':
			v.escaped = true
			return i + 1
		}
	}
	return i
}

// ends reports whether b ends in a word, which begins there.
func ends(b []byte, word string) bool {
	n := len(b) - len(word)
	return n > 0 && string(b[n:]) == word && class[b[n-1]] != regular && b[n-1] != '/'
}

// Packed gives the objects in force in object streams that may refer to one that is wanted: all those of each stream in
// which such a reference stands.
func (s *Survey) Packed(ctx context.Context) ([]Ref, error) {
	f := s.file
	var streams Numbers
	held := map[uint32][]Ref{}
	err := f.index.all(func(num uint32, e entry) error {
		if e.kind() == inStream {
			streams.Add(e.container())
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	left := int64(256<<20) + 16*f.src.size
	for w, some := range streams.bits {
		for ; some != 0; some &= some - 1 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			num := uint32(w*64 + bits.TrailingZeros64(some))
			o, _, err := f.objectStream(num, maxChain)
			if err != nil {
				if ofFile(err) {
					continue // what is in it cannot be loaded
				}
				return nil, err
			}
			if left -= int64(len(o.data)); left < 0 {
				return nil, fmt.Errorf("%w: the object streams are too large for a file of this size", ErrLimit)
			}
			if s.refersIn(o.data) {
				held[num] = nil
			}
		}
	}
	if len(held) == 0 {
		return nil, nil
	}
	var out []Ref
	err = f.index.all(func(num uint32, e entry) error {
		if e.kind() == inStream {
			if _, ok := held[e.container()]; ok {
				out = append(out, Ref{Num: num})
			}
		}
		return nil
	})
	return out, err
}

// refersIn reports whether a reference to one that is wanted may stand in b.
func (s *Survey) refersIn(b []byte) bool {
	for i := 0; i < len(b); i++ {
		k := bytes.IndexByte(b[i:], 'R')
		if k < 0 {
			return false
		}
		i += k
		if i > 0 && class[b[i-1]] == white && (i+1 == len(b) || class[b[i+1]] != regular) && s.refers(b[:i], 0) {
			return true
		}
	}
	return false
}
