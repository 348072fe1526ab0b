package opc

import (
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

const chunk = 64 << 10

// An inflater has what reading a part needs, to be used again.
type inflater struct {
	in    *bufio.Reader
	flate io.ReadCloser
	buf   []byte
}

var inflaters = sync.Pool{New: func() any {
	in := bufio.NewReaderSize(nil, chunk)
	return &inflater{in: in, flate: flate.NewReader(in), buf: make([]byte, chunk)}
}}

// stream gives the bytes of a part to f, piece by piece, and sees that they are what the directory says: their number and
// checksum, and that no packed byte is left over.
func (p *Package) stream(part *Part, f func([]byte) error) error {
	e := &part.e
	switch {
	case part.fresh:
		return f(part.data)
	case e.flags&flagEncrypted != 0:
		return fmt.Errorf("%w: %s", ErrEncrypted, part.Name)
	case e.method != stored && e.method != deflated:
		return fmt.Errorf("%w: %s: method %d", ErrMethod, part.Name, e.method)
	case e.data == 0:
		return fmt.Errorf("%w: %s has no local header", ErrDamaged, part.Name)
	}
	if b, ok := p.kept.get(part); ok {
		return f(b)
	}
	z := inflaters.Get().(*inflater)
	defer inflaters.Put(z)
	packed := io.NewSectionReader(p.src, e.data, e.packed)
	var src io.Reader = packed
	if e.method == deflated {
		z.in.Reset(packed)
		if err := z.flate.(flate.Resetter).Reset(z.in, nil); err != nil {
			return err
		}
		src = z.flate
	}
	crc, left := uint32(0), e.size
	for {
		n, err := src.Read(z.buf)
		if int64(n) > left {
			return fmt.Errorf("%w: %s is larger than the %d bytes it says", ErrDamaged, part.Name, e.size)
		}
		left -= int64(n)
		crc = crc32.Update(crc, crc32.IEEETable, z.buf[:n])
		if n > 0 {
			if err := f(z.buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return p.inflateError(part, err)
		}
	}
	switch {
	case left > 0:
		return fmt.Errorf("%w: %s is %d bytes short", ErrDamaged, part.Name, left)
	case crc != e.crc:
		return fmt.Errorf("%w: %s has checksum %08x, not %08x", ErrDamaged, part.Name, crc, e.crc)
	}
	if e.method == deflated {
		if at, _ := packed.Seek(0, io.SeekCurrent); at-int64(z.in.Buffered()) != e.packed {
			return fmt.Errorf("%w: %s has packed bytes after its end", ErrDamaged, part.Name)
		}
	}
	return nil
}

func (p *Package) inflateError(part *Part, err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s cannot be inflated: %w", ErrDamaged, part.Name, err)
	}
	return err
}

// Read gives the bytes of a part. It is ErrLimit over Limits.Read; other errors are those of Copy. The bytes of a part that
// With put there are the ones given to it. They must not be changed.
func (p *Package) Read(part *Part) ([]byte, error) { return p.readSmall(part, p.limits.Read) }

// readSmall reads a part of at most that many bytes.
func (p *Package) readSmall(part *Part, most int64) ([]byte, error) {
	if part.fresh {
		return part.data, nil
	}
	if most = min(most, p.limits.Read); part.Size > most {
		return nil, fmt.Errorf("%w: %s has %d bytes, %d may be read into memory", ErrLimit, part.Name, part.Size, most)
	}
	if b, ok := p.kept.get(part); ok {
		return b, nil
	}
	// What deflate cannot give is not made room for.
	b := make([]byte, 0, min(part.Size, part.Packed*maxDeflate))
	err := p.stream(part, func(c []byte) error {
		b = append(b, c...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.kept.put(part, b)
	return b, nil
}

// Copy writes the bytes of a part to w. Errors: ErrDamaged where they are not what the directory says, ErrEncrypted,
// ErrMethod, and those of the source and of w. What it wrote is of use only if it returns no error.
func (p *Package) Copy(w io.Writer, part *Part) error {
	return p.stream(part, func(b []byte) error {
		_, err := w.Write(b)
		return err
	})
}
