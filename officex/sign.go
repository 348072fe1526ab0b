package officex

import (
	"context"
	"io"

	"github.com/courtseal/courtseal/internal/disk"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/sign"
)

// SignFile seals the file src and puts the result in place of dst, which may be src: dst appears whole, with the permissions of src, or is
// left as it was.
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

// Sign seals the file src of size bytes and writes the result to dst. What it wrote is of use only if it returns no error. The errors are
// those of this package, of ctx, of src and dst, and of the signer.
func Sign(ctx context.Context, dst io.Writer, src io.ReaderAt, size int64, s sign.Signer, o Options) (*Result, error) {
	p, pkg, err := prepare(ctx, src, size, s.Profile(), o)
	if err != nil {
		return nil, err
	}
	values, err := s.Sign(ctx, p.Act)
	if err != nil {
		return nil, err
	}
	return p.finish(dst, pkg, values)
}

// Prepare reads the file and tells what is to be signed for a signer of profile p. Sign is Prepare, the signer, and Commit; with Prepare the
// values may come from elsewhere, later.
func Prepare(src io.ReaderAt, size int64, p sign.Profile, o Options) (*Pending, error) {
	plan, _, err := prepare(context.Background(), src, size, p, o)
	if err != nil {
		return nil, err
	}
	return &Pending{plan}, nil
}

func prepare(ctx context.Context, src io.ReaderAt, size int64, profile sign.Profile, o Options) (*plan, *opc.Package, error) {
	if err := o.check(profile); err != nil {
		return nil, nil, err
	}
	pkg, main, err := openWord(src, size, o.Limits)
	if err != nil {
		return nil, nil, err
	}
	p, err := newPlan(ctx, pkg, main, src, profile, o)
	if err != nil {
		return nil, nil, err
	}
	return p, pkg, nil
}

// finish writes the sealed file.
func (p *plan) finish(dst io.Writer, pkg *opc.Package, values []sign.Value) (*Result, error) {
	changes, parts, notes, err := p.fill(pkg, values)
	if err != nil {
		return nil, err
	}
	w := &counter{w: dst}
	if err := pkg.Write(w, changes); err != nil {
		return nil, err
	}
	return &Result{Act: p.Act, Parts: parts, Shown: p.Shown, Line: p.Line, Size: w.n, Notes: append(p.Notes[:len(p.Notes):len(p.Notes)], notes...)}, nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
