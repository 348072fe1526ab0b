package officex

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/courtseal/courtseal/internal/disk"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
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

// A Pending is a file that waits for its signature values: what to sign, and what to write once it is signed. It does not hold the file.
// MarshalBinary and UnmarshalBinary carry it from one process to another.
type Pending struct{ plan *plan }

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

// Act is what is to be signed. The caller does not change it.
func (p *Pending) Act() *sign.Act { return p.plan.Act }

// Commit writes the sealed file: src, which must be the file that was prepared, with what was prepared and the values, one for each part of
// the Act. A native value that is not over what was prepared is ErrValue; of a seal signature package verify asks more. Another file is
// ErrOtherFile. Either is said before anything is written.
func (p *Pending) Commit(dst io.Writer, src io.ReaderAt, size int64, v []sign.Value) (*Result, error) {
	if size != p.plan.Size {
		return nil, fmt.Errorf("%w: %d bytes, not %d", ErrOtherFile, size, p.plan.Size)
	}
	source := p.plan.Act.Source
	h := slices.Max(slices.Collect(maps.Keys(source))) // SM3 or the native hash
	got := hashFile(context.Background(), src, size, []sign.Hash{h})
	if got.err != nil {
		return nil, got.err
	}
	if !bytes.Equal(got.sums[h], source[h]) {
		return nil, fmt.Errorf("%w: its bytes changed", ErrOtherFile)
	}
	pkg, err := openPackage(src, size, Limits{})
	if err != nil {
		return nil, err
	}
	return p.plan.finish(dst, pkg, v)
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

const pendingMagic = "courtseal-office-pending-1\n"

// MarshalBinary gives the state of a Pending, for Commit in another process: what is to be signed and what is to be written, and of the file
// only the parts that change. Whoever keeps it must keep it from being changed.
func (p *Pending) MarshalBinary() ([]byte, error) {
	b, err := json.Marshal(p.plan)
	if err != nil {
		return nil, err
	}
	return append([]byte(pendingMagic), b...), nil
}

// UnmarshalBinary takes the state that MarshalBinary gave; ErrState says that it is not one, or not whole.
func (p *Pending) UnmarshalBinary(b []byte) error {
	rest, ok := bytes.CutPrefix(b, []byte(pendingMagic))
	if !ok {
		return fmt.Errorf("%w: it does not begin as one", ErrState)
	}
	d := json.NewDecoder(bytes.NewReader(rest))
	d.DisallowUnknownFields()
	s := new(plan)
	if err := d.Decode(s); err != nil || d.More() {
		return fmt.Errorf("%w: it is cut short, or something else stands in it (%v)", ErrState, err)
	}
	if err := s.restore(); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	p.plan = s
	return nil
}

// restore asks that a plan from elsewhere is whole and says the same everywhere.
func (p *plan) restore() error {
	if p.Act == nil || len(p.Act.Parts) == 0 || len(p.Act.Source) == 0 || p.Size <= 0 || number(p.Folder, "/_seals/seal", "/") == 0 {
		return fmt.Errorf("something is missing")
	}
	for i, part := range p.Act.Parts {
		switch {
		case part.Format == sign.SES && part.Property == p.Folder+opcsig.ManifestName:
			m := slices.IndexFunc(p.Changes, func(c opc.Change) bool { return c.Name == part.Property })
			if m < 0 || !bytes.Equal(sign.SM3.Sum(p.Changes[m].Data), p.Act.Content[sign.SM3]) {
				return fmt.Errorf("the seal manifest is not what is to be signed")
			}
		case part.Format == sign.XML && p.Draft != nil && len(p.Draft.Chain) > 0 && p.Sig != "":
			if err := p.build(); err != nil {
				return err
			}
			h := p.Scheme.Hash
			if h != p.Draft.Hash || !bytes.Equal(h.Sum(p.native.Package()), p.Act.Content[h]) {
				return fmt.Errorf("the package object is not what is to be signed")
			}
			p.Act.Parts[i].Office = p.native.Office()
		default:
			return fmt.Errorf("part %d, of format %.20q", i, part.Format)
		}
	}
	for h, sum := range p.Act.Source {
		if len(sum) == 0 || len(sum) != h.Size() {
			return fmt.Errorf("a digest is missing or of another length")
		}
	}
	return nil
}
