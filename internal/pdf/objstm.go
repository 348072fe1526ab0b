package pdf

import (
	"bytes"
	"errors"
	"fmt"
)

// An objectStream is a decoded object stream (ISO 32000-2, 7.5.7).
type objectStream struct {
	num  uint32
	data []byte
	objs []packed
}

type packed struct {
	num uint32
	at  int // in data
}

// cacheSize is how many decoded bytes of object streams are kept.
const cacheSize = 4 << 20

// objectStream decodes the object stream num or takes it from the cache. It says how many bytes it had to decode.
func (f *File) objectStream(num uint32, chain int) (*objectStream, int, error) {
	f.mu.Lock()
	for i, s := range f.cached {
		if s.num == num {
			f.cached = append(append(f.cached[:i:i], f.cached[i+1:]...), s)
			f.mu.Unlock()
			return s, 0, nil
		}
	}
	f.mu.Unlock()
	e := f.index.get(num)
	if e.kind() != inFile || chain == 0 {
		return nil, 0, fmt.Errorf("%w: object stream %d is not an object of the file", ErrDamaged, num)
	}
	o, _, err := f.load(Ref{num, e.gen()}, chain-1)
	if err != nil {
		return nil, 0, err
	}
	st, ok := o.Value.(*Stream)
	if !ok {
		return nil, 0, fmt.Errorf("%w: object %d is not an object stream", ErrDamaged, num)
	}
	s, err := f.decodeObjects(st)
	if err != nil {
		return nil, 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	kept := []*objectStream{s}
	total := len(s.data)
	for i := len(f.cached) - 1; i >= 0; i-- {
		if total += len(f.cached[i].data); total <= cacheSize && f.cached[i].num != num {
			kept = append([]*objectStream{f.cached[i]}, kept...)
		}
	}
	f.cached = kept
	return s, len(s.data), nil
}

func (f *File) decodeObjects(st *Stream) (*objectStream, error) {
	bad := func(text string) error {
		return fmt.Errorf("%w: object stream %d: %s", ErrSyntax, st.Ref.Num, text)
	}
	data, err := f.data(st, int64(f.opt.Limits.Object))
	if err != nil {
		return nil, err
	}
	n, _ := st.Dict.Get("N").(int64)
	first, ok := st.Dict.Get("First").(int64)
	if !ok || n < 0 || first < 0 || first > int64(len(data)) || n > first {
		return nil, bad("malformed /N or /First")
	}
	s := &objectStream{num: st.Ref.Num, data: data}
	if s.objs, err = f.packedList(st.Ref.Num, data[:first], n); err != nil {
		return nil, err
	}
	for i := range s.objs {
		if s.objs[i].at += int(first); s.objs[i].at >= len(data) {
			return nil, bad("an object that lies outside")
		}
	}
	return s, nil
}

// packedList reads the numbers and places of n objects with which an object stream begins.
func (f *File) packedList(stream uint32, b []byte, n int64) ([]packed, error) {
	bad := func(text string) error {
		return fmt.Errorf("%w: object stream %d: %s", ErrSyntax, stream, text)
	}
	out := make([]packed, 0, n)
	p := &parser{b: b}
	for range n {
		var v [2]int64
		for i := range v {
			if p.space() != nil {
				return nil, bad("its list of objects stops too early")
			}
			from := p.i
			for p.i < len(p.b) && isDigit(p.b[p.i]) && v[i] < 1<<40 {
				v[i] = v[i]*10 + int64(p.b[p.i]-'0')
				p.i++
			}
			if p.i == from {
				return nil, bad("malformed list of objects")
			}
		}
		if v[0] >= int64(f.opt.Limits.Objects) || v[1] >= int64(f.opt.Limits.Object) {
			return nil, bad("an object that lies outside")
		}
		out = append(out, packed{uint32(v[0]), int(v[1])})
	}
	return out, nil
}

// loadFromStream loads a compressed object.
func (f *File) loadFromStream(r Ref, e entry, chain int) (*Indirect, int, error) {
	s, work, err := f.objectStream(e.container(), chain)
	if err != nil {
		return nil, work, err
	}
	at := -1
	if i := e.index(); i < len(s.objs) && s.objs[i].num == r.Num {
		at = s.objs[i].at
	} else {
		for _, o := range s.objs {
			if o.num == r.Num {
				at = o.at
				break
			}
		}
		work += len(s.objs)
	}
	if at < 0 {
		return nil, work, fmt.Errorf("%w: object stream %d does not hold it", ErrDamaged, s.num)
	}
	l := f.opt.Limits
	p := &parser{b: s.data[at:], depth: l.Depth, items: l.Items}
	if err := p.space(); err != nil {
		return nil, work, fmt.Errorf("object stream %d: %w", s.num, err)
	}
	p.b, p.i = p.b[p.i:], 0
	_, span, err := p.object()
	if err != nil {
		var at *faultAt
		if errors.As(err, &at) {
			err = fmt.Errorf("%w: object stream %d: %s", at.kind, s.num, at.text)
		}
		return nil, work, err
	}
	// Read once more from a copy, so that a small object does not keep a large stream alive.
	raw := bytes.Clone(p.b[:span.To])
	p = &parser{b: raw, depth: l.Depth, items: l.Items}
	v, _, err := p.object()
	return &Indirect{Ref: r, Value: v, Raw: raw, Offset: -1, Header: -1, Container: s.num}, work + len(raw), err
}
