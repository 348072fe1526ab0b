package pdfx

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/courtseal/courtseal/internal/disk"
	"github.com/courtseal/courtseal/sign"
)

// SignFile seals the file src and puts the result in place of dst, which may be src: dst appears whole, with the permissions
// of src, or is left as it was.
func SignFile(ctx context.Context, dst, src string, s sign.Signer, o Options) (*Result, error) {
	var res *Result
	err := disk.Rewrite(dst, src, o.Sync, func(w io.Writer, r io.ReaderAt, size int64) (err error) {
		res, err = Sign(ctx, w, r, size, s, o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return res, nil
}

// Sign seals the file src of size bytes and writes the result to dst: the bytes of src as they are, read once, and after them
// the seal. What it wrote is of use only if it returns no error. The errors are those of this package, of ctx, of dst and of
// the signer.
func Sign(ctx context.Context, dst io.Writer, src io.ReaderAt, size int64, s sign.Signer, o Options) (*Result, error) {
	p, err := prepare(ctx, dst, src, size, s.Profile(), o)
	if err != nil {
		return nil, err
	}
	values, err := s.Sign(ctx, p.act)
	if err != nil {
		return nil, err
	}
	if err := p.fill(values); err != nil {
		return nil, err
	}
	return p.finish(dst)
}

// A Pending is a file that waits for its signature value: what to sign, and what to append once it is signed. It does not hold
// the file. It is good for one Commit at a time. MarshalBinary and UnmarshalBinary carry it from one process to another.
type Pending struct {
	plan  *plan
	act   *sign.Act
	notes []sign.Note // of the value
}

// Prepare reads the file once and tells what is to be signed for a signer of profile p. Sign is Prepare, the signer, and Commit
// in one pass; with Prepare the value may come from elsewhere, later.
func Prepare(src io.ReaderAt, size int64, p sign.Profile, o Options) (*Pending, error) {
	return prepare(context.Background(), nil, src, size, p, o)
}

// prepare plans the update, then hashes the file while it copies it to dst (nil: nowhere).
func prepare(ctx context.Context, dst io.Writer, src io.ReaderAt, size int64, profile sign.Profile, o Options) (*Pending, error) {
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	at := now()
	act := &sign.Act{ID: o.ID, Document: o.Document, Reason: o.Reason, Time: at.UTC().Truncate(time.Second)}
	if act.ID == "" {
		id := make([]byte, 16)
		rand.Read(id)
		act.ID = hex.EncodeToString(id)
	}
	plan, err := newPlan(ctx, src, size, profile, at, o)
	if err != nil {
		return nil, err
	}
	hashes, err := newRunning(profile.Specs[profile.Format].Hashes)
	if err != nil {
		return nil, err
	}
	if err := pour(ctx, dst, src, size, hashes.list()); err != nil {
		return nil, err
	}
	act.Source = hashes.sums()
	hashes.write(plan.tail[:plan.from])
	hashes.write(plan.tail[plan.to:])
	act.Content = hashes.sums()
	act.Parts = []sign.Part{{Format: profile.Format, Property: "ByteRange=" + plan.ranges()}}
	return &Pending{plan: plan, act: act}, nil
}

// Act is what is to be signed. The caller does not change it.
func (p *Pending) Act() *sign.Act { return p.act }

// Commit writes the sealed file: src, which must be the file that was prepared, and the update with the value v[0].
// It returns ErrTooLarge before it writes anything, and ErrOtherFile at once where the size differs, else before the end.
func (p *Pending) Commit(dst io.Writer, src io.ReaderAt, size int64, v []sign.Value) (*Result, error) {
	if size != p.plan.size {
		return nil, fmt.Errorf("%w: %d bytes, not %d", ErrOtherFile, size, p.plan.size)
	}
	if err := p.fill(v); err != nil {
		return nil, err
	}
	name := sign.SHA256 // the fastest of those there are
	if _, ok := p.act.Source[name]; !ok {
		for name = range p.act.Source {
			break
		}
	}
	hashes, err := newRunning([]sign.Hash{name})
	if err != nil {
		return nil, err
	}
	if err := pour(context.Background(), dst, src, size, hashes.list()); err != nil {
		return nil, err
	}
	if !bytes.Equal(hashes.sums()[name], p.act.Source[name]) {
		return nil, fmt.Errorf("%w: its bytes changed", ErrOtherFile)
	}
	hashes.write(p.plan.tail[:p.plan.from])
	hashes.write(p.plan.tail[p.plan.to:])
	if !bytes.Equal(hashes.sums()[name], p.act.Content[name]) {
		return nil, fmt.Errorf("%w: what it appends is not what was signed", ErrState)
	}
	return p.finish(dst)
}

// fill puts the value into its room.
func (p *Pending) fill(v []sign.Value) error {
	if len(v) != 1 || len(v[0].Bytes) == 0 {
		return fmt.Errorf("%w: a PDF signature takes one value, %d came", ErrProfile, len(v))
	}
	room := p.plan.tail[p.plan.from+1 : p.plan.to-1]
	if n := len(v[0].Bytes); n > len(room)/2 {
		return fmt.Errorf("%w: %d bytes, room for %d", ErrTooLarge, n, len(room)/2)
	}
	n := hex.Encode(room, v[0].Bytes)
	for i := range room[n:] {
		room[n+i] = '0'
	}
	p.notes = v[0].Notes
	return nil
}

func (p *Pending) finish(dst io.Writer) (*Result, error) {
	if err := writeAll(dst, p.plan.tail); err != nil {
		return nil, err
	}
	return &Result{
		Act:       p.act,
		Field:     p.plan.field,
		Shown:     p.plan.shown,
		ByteRange: p.plan.byteRange,
		Size:      p.plan.size + int64(len(p.plan.tail)),
		Notes:     append(p.plan.notes[:len(p.plan.notes):len(p.plan.notes)], p.notes...),
	}, nil
}
