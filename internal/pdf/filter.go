package pdf

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/adler32"
	"io"
)

// maxFilters is how many filters one stream may name.
const maxFilters = 8

// Data decodes a stream: decryption and all filters. It stops with ErrLimit at Limits.Inflate, and with ErrFilter at a
// filter that is none of Flate, LZW, ASCIIHex, ASCII85, RunLength and Crypt. Beside an error stands what was decoded.
func (f *File) Data(s *Stream) ([]byte, error) {
	return f.data(s, f.opt.Limits.Inflate)
}

func (f *File) data(s *Stream, limit int64) ([]byte, error) {
	r, err := f.decoder(s, f.crypt)
	if err != nil {
		return nil, err
	}
	return decoded(r, s, limit)
}

func decoded(r io.Reader, s *Stream, limit int64) ([]byte, error) {
	out := make([]byte, 0, min(max(512, s.Length*3), limit+1, 1<<20))
	for {
		n, err := r.Read(out[len(out):cap(out)])
		out = out[:len(out)+n]
		switch {
		case err == io.EOF:
			return out, nil
		case err != nil:
			return out, fmt.Errorf("stream at %d: %w", s.Offset, err)
		case int64(len(out)) > limit:
			return out[:limit], fmt.Errorf("%w: the stream at %d decodes to more than %d bytes", ErrLimit, s.Offset, limit)
		case len(out) == cap(out):
			out = append(make([]byte, 0, min(int64(cap(out))*2, limit+1)), out...)
		}
	}
}

// Samples decodes the data of an image up to a codec that only images have, and names that: DCTDecode, JPXDecode, JBIG2Decode,
// CCITTFaxDecode; "" where there is none. inline is the data of an image that stands in a content stream; nil: it is that of s. More than
// limit bytes are left out.
func (f *File) Samples(s *Stream, inline []byte, limit int64) (b []byte, codec Name, err error) {
	names, parms, err := f.filters(s)
	if err != nil {
		return nil, "", err
	}
	for i, n := range names {
		if long, ok := codecs[n]; ok {
			codec = long
			if i < len(names)-1 {
				return nil, codec, fmt.Errorf("%w: stream at %d: %s before %s", ErrFilter, s.Offset, n, names[i+1])
			}
			names, parms = names[:i], parms[:i]
			break
		}
	}
	var r io.Reader = bytes.NewReader(inline)
	if inline == nil {
		if r, err = f.raw(s, f.crypt, names, parms); err != nil {
			return nil, codec, err
		}
	}
	if r, err = f.chain(s, r, names, parms); err != nil {
		return nil, codec, err
	}
	b, err = decoded(r, s, limit)
	if err != nil && int64(len(b)) >= limit {
		err = nil
	}
	return b, codec, err
}

var codecs = map[Name]Name{"DCTDecode": "DCTDecode", "DCT": "DCTDecode", "JPXDecode": "JPXDecode", "JBIG2Decode": "JBIG2Decode",
	"CCITTFaxDecode": "CCITTFaxDecode", "CCF": "CCITTFaxDecode"}

// decoder gives the decoded data of a stream.
func (f *File) decoder(s *Stream, c *crypt) (io.Reader, error) {
	names, parms, err := f.filters(s)
	if err != nil {
		return nil, err
	}
	r, err := f.raw(s, c, names, parms)
	if err != nil {
		return nil, err
	}
	return f.chain(s, r, names, parms)
}

// raw gives the data of a stream as its filters left it.
func (f *File) raw(s *Stream, c *crypt, names []Name, parms []*Dict) (io.Reader, error) {
	r := io.NewSectionReader(f.src.r, s.Offset, s.Length)
	if c == nil {
		return r, nil
	}
	named := Name("")
	for i, n := range names {
		if n == "Crypt" {
			named = "Identity"
			if v, ok := parms[i].Get("Name").(Name); ok {
				named = v
			}
		}
	}
	return c.decryptStream(r, s, named)
}

// chain puts one filter upon the other.
func (f *File) chain(s *Stream, r io.Reader, names []Name, parms []*Dict) (_ io.Reader, err error) {
	for i, n := range names {
		if r, err = f.filter(n, parms[i], bufio.NewReader(r)); err != nil {
			return nil, fmt.Errorf("stream at %d: %w", s.Offset, err)
		}
		r = &capped{r: r, left: f.opt.Limits.Inflate}
	}
	return r, nil
}

// filters resolves /Filter and /DecodeParms.
func (f *File) filters(s *Stream) ([]Name, []*Dict, error) {
	list := func(long, short Name) ([]Object, error) {
		v := s.Dict.Get(long)
		if v == nil {
			v = s.Dict.Get(short)
		}
		o, err := f.Resolve(v)
		if err != nil || o == nil {
			return nil, err
		}
		a, ok := o.(*Array)
		if !ok {
			return []Object{o}, nil
		}
		if len(a.Items) > maxFilters {
			return nil, fmt.Errorf("%w: a stream with %d filters, %d allowed", ErrLimit, len(a.Items), maxFilters)
		}
		out := make([]Object, len(a.Items))
		for i, v := range a.Items {
			if out[i], err = f.Resolve(v); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	ns, err := list("Filter", "F")
	if err != nil {
		return nil, nil, err
	}
	ps, err := list("DecodeParms", "DP")
	if err != nil {
		return nil, nil, err
	}
	names, parms := make([]Name, len(ns)), make([]*Dict, len(ns))
	for i, o := range ns {
		n, ok := o.(Name)
		if !ok {
			return nil, nil, fmt.Errorf("%w: stream at %d: /Filter is not a name", ErrSyntax, s.Offset)
		}
		names[i] = n
		if i < len(ps) {
			parms[i] = asDict(ps[i])
		}
	}
	return names, parms, nil
}

func (f *File) filter(n Name, parms *Dict, r *bufio.Reader) (io.Reader, error) {
	switch n {
	case "FlateDecode", "Fl":
		return predicted(newInflate(r), parms)
	case "LZWDecode", "LZW":
		early := true
		if v, ok := parms.Get("EarlyChange").(int64); ok {
			early = v != 0
		}
		return predicted(&lzwReader{r: r, early: early}, parms)
	case "ASCIIHexDecode", "AHx":
		return &hexReader{r}, nil
	case "ASCII85Decode", "A85":
		return &ascii85Reader{r: r}, nil
	case "RunLengthDecode", "RL":
		return &runReader{r: r}, nil
	case "Crypt":
		return r, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrFilter, n)
}

// capped fails when more than left bytes come.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(b []byte) (int, error) {
	n, err := c.r.Read(b[:min(int64(len(b)), c.left+1)])
	if c.left -= int64(n); c.left < 0 {
		return n - 1, fmt.Errorf("%w: a filter gives too many bytes", ErrLimit)
	}
	return n, err
}

// inflate reads a zlib stream. Its checksum must be right, but may be missing: files are common in which it is cut off,
// and no reader of PDF minds.
type inflate struct {
	r   *bufio.Reader
	z   io.ReadCloser
	sum hash.Hash32
}

func newInflate(r *bufio.Reader) *inflate { return &inflate{r: r} }

func (d *inflate) Read(b []byte) (int, error) {
	if d.z == nil {
		h, err := d.r.Peek(2)
		if err == io.EOF && len(h) == 0 {
			return 0, io.EOF // an empty stream
		}
		if len(h) < 2 || h[0]&15 != 8 || h[1]&32 != 0 || (int(h[0])<<8|int(h[1]))%31 != 0 {
			return 0, orElse(unlessEOF(err), fmt.Errorf("%w: not deflated data", ErrSyntax))
		}
		d.r.Discard(2)
		d.z, d.sum = flate.NewReader(d.r), adler32.New()
	}
	n, err := d.z.Read(b)
	d.sum.Write(b[:n])
	switch {
	case err == io.EOF:
		if sum, _ := d.r.Peek(4); len(sum) == 4 && binary.BigEndian.Uint32(sum) != d.sum.Sum32() {
			err = fmt.Errorf("%w: deflated data: wrong checksum", ErrSyntax)
		}
	case err != nil:
		err = badDeflate(err)
	}
	return n, err
}

func badDeflate(err error) error {
	var corrupt flate.CorruptInputError
	if errors.As(err, &corrupt) || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: deflated data: %v", ErrSyntax, err)
	}
	return err
}

func unlessEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// predicted undoes the predictor that the parameters of Flate and LZW name (ISO 32000-2, 7.4.4.4).
func predicted(r io.Reader, parms *Dict) (io.Reader, error) {
	value := func(k Name, otherwise int64) int64 {
		if v, ok := parms.Get(k).(int64); ok {
			return v
		}
		return otherwise
	}
	kind := value("Predictor", 1)
	if kind == 1 {
		return r, nil
	}
	colors, bits, columns := value("Colors", 1), value("BitsPerComponent", 8), value("Columns", 1)
	if kind != 2 && (kind < 10 || kind > 15) || colors < 1 || colors > 64 || columns < 1 || columns > 1<<20 ||
		(bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16) {
		return nil, fmt.Errorf("%w: predictor parameters", ErrSyntax)
	}
	if kind == 2 && bits != 8 {
		return nil, fmt.Errorf("%w: TIFF predictor of %d bits", ErrFilter, bits)
	}
	p := &predictor{r: bufio.NewReader(r), png: kind >= 10, bpp: int(max(1, colors*bits/8))}
	n := (colors*bits*columns + 7) / 8
	p.line, p.last = make([]byte, n+1), make([]byte, n+1)
	if !p.png {
		p.line = p.line[:n]
	}
	return p, nil
}

type predictor struct {
	r          io.Reader
	png        bool
	bpp        int
	line, last []byte // of PNG with the type byte in front
	ready      []byte
	err        error
}

func (p *predictor) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		if len(p.ready) == 0 {
			if p.err != nil {
				return n, p.err
			}
			p.fill()
		}
		k := copy(b[n:], p.ready)
		p.ready = p.ready[k:]
		n += k
	}
	return n, nil
}

func (p *predictor) fill() {
	n, err := io.ReadFull(p.r, p.line)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	p.err = err
	if !p.png {
		for i := p.bpp; i < n; i++ {
			p.line[i] += p.line[i-p.bpp]
		}
		p.ready = p.line[:n]
		return
	}
	if n <= 1 {
		return
	}
	cur, up := p.line[1:n], p.last[1:]
	switch p.line[0] {
	case 0:
	case 1:
		for i := p.bpp; i < len(cur); i++ {
			cur[i] += cur[i-p.bpp]
		}
	case 2:
		for i := range cur {
			cur[i] += up[i]
		}
	case 3:
		for i := range cur {
			left := 0
			if i >= p.bpp {
				left = int(cur[i-p.bpp])
			}
			cur[i] += byte((left + int(up[i])) / 2)
		}
	case 4:
		for i := range cur {
			var a, c int
			if i >= p.bpp {
				a, c = int(cur[i-p.bpp]), int(up[i-p.bpp])
			}
			cur[i] += paeth(a, int(up[i]), c)
		}
	default:
		p.err = fmt.Errorf("%w: PNG predictor %d", ErrSyntax, p.line[0])
		return
	}
	p.ready = cur
	p.line, p.last = p.last, p.line
}

// paeth is the predictor of PNG (ISO/IEC 15948, 9.4).
func paeth(a, b, c int) byte {
	abs := func(n int) int { return max(n, -n) }
	pa, pb, pc := abs(b-c), abs(a-c), abs(a+b-2*c)
	switch {
	case pa <= pb && pa <= pc:
		return byte(a)
	case pb <= pc:
		return byte(b)
	}
	return byte(c)
}
