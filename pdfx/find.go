package pdfx

import (
	"bytes"
	"context"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/sign"
)

// Signatures lists the signatures of a file in the order of the form's fields, malformed ones included: Err, which wraps
// ErrMalformed, says what is wrong. Nothing is trusted or checked but the shape. Of the options it takes Password, Repair and
// Limits.
func Signatures(src io.ReaderAt, size int64, o Options) ([]sign.Embedded, error) {
	f, err := open(src, size, o)
	if err != nil {
		return nil, err
	}
	sigs, err := f.Signatures()
	if err != nil {
		return nil, err
	}
	found := make([]sign.Embedded, len(sigs))
	for i, s := range sigs {
		e := sign.Embedded{Name: s.Name, Err: s.Err}
		if e.Err != nil {
			e.Err = fmt.Errorf("%w: %w", ErrMalformed, e.Err)
		} else {
			e.Err = shape(f, s)
		}
		for b := s.ByteRange; len(b) >= 2; b = b[2:] {
			e.Ranges = append(e.Ranges, sign.Range{Offset: b[0], Length: b[1]})
		}
		e.Value = s.Contents
		if n, err := der.Length(s.Contents); err == nil {
			e.Value = s.Contents[:n:n] // without the padding
		} else if e.Err == nil {
			e.Err = fmt.Errorf("%w: /Contents does not hold one DER value: %w", ErrMalformed, err)
		}
		e.Format = format(e.Value)
		found[i] = e
	}
	return found, nil
}

// shape checks that the ranges are the file up to /Contents and from there on.
func shape(f *pdf.File, s pdf.Signature) error {
	b := s.ByteRange
	switch {
	case len(b) != 4:
		return fmt.Errorf("%w: /ByteRange has %d elements, not 4", ErrMalformed, len(b))
	case b[0] != 0 || b[1] < 0 || b[2] < b[1] || b[3] < 0 || b[3] > f.Size() || b[2] > f.Size()-b[3]:
		return fmt.Errorf("%w: /ByteRange [%d %d %d %d] in a file of %d bytes", ErrMalformed, b[0], b[1], b[2], b[3], f.Size())
	case !s.Hex || b[1] != s.ContentsAt.Offset || b[2] != s.ContentsAt.End():
		return fmt.Errorf("%w: /ByteRange leaves out other bytes than the hex string of /Contents", ErrMalformed)
	}
	return nil
}

// sesSignature is the attribute under which our CMS carries an SES_Signature (sign/FORMAT.md), as it is encoded.
var sesSignature = append([]byte{0x06, byte(len(sign.AttributeSignature))}, sign.AttributeSignature...)

// format goes by the bytes: a CMS begins with the object identifier of its content, an SES_Signature with a SEQUENCE.
func format(v []byte) sign.Format {
	in := der.Content(v, 0x30)
	switch {
	case len(in) == 0:
		return ""
	case in[0] == 0x06 && bytes.Contains(v, sesSignature):
		return sign.Dual
	case in[0] == 0x06:
		return sign.CMS
	case in[0] == 0x30:
		return sign.SES
	}
	return ""
}

// Hash makes the digests of the bytes that found signatures cover, reading the file once whatever their number: want[i] are
// the hashes that found[i] needs. What two signatures have in common is hashed once, so a file that was sealed many times
// costs little more than one that was sealed once. The sums of a signature whose ranges are not [0 a b c] inside the file, or
// that wants no hash, are nil. A file made to be hashed again and again is ErrLimit.
func Hash(ctx context.Context, src io.ReaderAt, size int64, found []sign.Embedded, want [][]sign.Hash) ([]sign.Sums, error) {
	sums := make([]sign.Sums, len(found))
	p := pass{heads: running{}}
	budget := 8*size + 64<<20 // bytes hashed a second time
	for i, e := range found {
		if i >= len(want) || len(want[i]) == 0 || !coverable(e.Ranges, size) {
			continue
		}
		j := p.job(e.Ranges[0].Length, e.Ranges[1])
		if j == nil {
			return nil, fmt.Errorf("%w: more than %d signatures that cover the file in different ways", ErrLimit, maxJobs)
		}
		for _, n := range want[i] {
			if _, has := j.hashes[n]; has {
				continue
			}
			if p.heads[n] == nil {
				if p.heads[n] = n.New(); p.heads[n] == nil {
					return nil, fmt.Errorf("pdfx: unknown hash %q", n)
				}
			}
			j.hashes[n] = nil
			if budget -= j.second.Length; budget < 0 {
				return nil, fmt.Errorf("%w: signatures that cover the file in too many ways", ErrLimit)
			}
		}
		j.of = append(j.of, i)
	}
	if err := p.run(ctx, src); err != nil {
		return nil, err
	}
	for _, j := range p.jobs {
		all := j.hashes.sums()
		for _, i := range j.of {
			sums[i] = sign.Sums{}
			for _, n := range want[i] {
				sums[i][n] = all[n]
			}
		}
	}
	return sums, nil
}

func coverable(r []sign.Range, size int64) bool {
	return len(r) == 2 && r[0].Offset == 0 && r[0].Length >= 0 && r[1].Length >= 0 && r[1].Offset >= r[0].Length &&
		r[1].Length <= size && r[1].Offset <= size-r[1].Length
}

// A pass over a file: heads have hashed it from its first byte on; each job leaves them where its gap begins and goes on by
// itself behind the gap.
type pass struct {
	heads running
	jobs  []*job
}

type job struct {
	first  int64 // end of the first range
	second sign.Range
	hashes running
	of     []int // indices of the signatures
}

const maxJobs = 1024

// job gives the job of two ranges; nil: there are too many.
func (p *pass) job(first int64, second sign.Range) *job {
	for _, j := range p.jobs {
		if j.first == first && j.second == second {
			return j
		}
	}
	if len(p.jobs) == maxJobs {
		return nil
	}
	j := &job{first: first, second: second, hashes: running{}}
	p.jobs = append(p.jobs, j)
	return j
}

// run reads the file in order. Between two places where a job begins or ends, the same hashes run.
func (p *pass) run(ctx context.Context, src io.ReaderAt) error {
	var marks []int64
	for _, j := range p.jobs {
		marks = append(marks, j.first, j.second.Offset, j.second.End())
	}
	slices.Sort(marks)
	at := int64(0)
	for _, mark := range slices.Compact(marks) {
		if mark > at {
			if err := pour(ctx, nil, io.NewSectionReader(src, at, mark-at), mark-at, p.active(at)); err != nil {
				return err
			}
			at = mark
		}
		for _, j := range p.jobs {
			if j.first != mark {
				continue
			}
			for n := range j.hashes {
				var err error
				if j.hashes[n], err = sign.CloneHash(p.heads[n]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// active are the hashes that take the bytes from at on, up to the next mark.
func (p *pass) active(at int64) []hash.Hash {
	var list []hash.Hash
	for n, head := range p.heads {
		for _, j := range p.jobs {
			if _, needs := j.hashes[n]; needs && j.first > at {
				list = append(list, head)
				break
			}
		}
	}
	for _, j := range p.jobs {
		if j.second.Offset <= at && at < j.second.End() {
			list = append(list, j.hashes.list()...)
		}
	}
	return list
}
