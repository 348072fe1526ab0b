package batch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// sealed asks whether out is the file in and behind it a signature with the job's seal. No trust is needed: the
// signature has to be right by itself, so that a result of which a power cut left a part is none. nil: it is.
func (r *run) sealed(ctx context.Context, out, in string) error {
	src, size, err := open(in)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, whole, err := open(out)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOther, err)
	}
	defer dst.Close()
	begins := whole > size
	if begins {
		if begins, err = prefix(dst, src, size); err != nil {
			return err
		}
	}
	if !begins {
		return fmt.Errorf("%w: %s does not begin with the bytes of %s", ErrOther, out, in)
	}
	found, err := pdfx.Signatures(dst, whole, pdfx.Options{Password: r.Options.Password, Limits: r.Options.Limits})
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrOther, out, err)
	}
	for _, e := range found {
		if e.Err != nil || e.Ranges[0].Length < size {
			continue // of the source's own
		}
		if s, err := seal.Of(e.Value); err != nil || !bytes.Equal(s.Raw, r.Seal.Raw) {
			continue
		}
		if err := r.intact(ctx, dst, whole, e); err != nil {
			return fmt.Errorf("%w: %s: %s: %w", ErrOther, out, e.Name, err)
		}
		return nil
	}
	return fmt.Errorf("%w: %s is not sealed with this seal", ErrOther, out)
}

func open(name string) (*os.File, int64, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// prefix compares the first n bytes of two files.
func prefix(a, b io.ReaderAt, n int64) (bool, error) {
	one, two := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); at < n; {
		k := min(int64(len(one)), n-at)
		if _, err := io.ReadFull(io.NewSectionReader(a, at, k), one[:k]); err != nil {
			return false, err
		}
		if _, err := io.ReadFull(io.NewSectionReader(b, at, k), two[:k]); err != nil {
			return false, err
		}
		if !bytes.Equal(one[:k], two[:k]) {
			return false, nil
		}
		at += k
	}
	return true, nil
}

// intact checks that a signature is of the bytes it covers.
func (r *run) intact(ctx context.Context, src io.ReaderAt, size int64, e sign.Embedded) error {
	spec := r.Signer.Profile().Specs[r.Signer.Profile().Format]
	sums, err := pdfx.Hash(ctx, src, size, []sign.Embedded{e}, [][]sign.Hash{spec.Hashes})
	if err != nil {
		return err
	}
	if e.Format != sign.SES {
		sd, err := cms.Parse(e.Value)
		if err != nil {
			return err
		}
		return sd.Verify(sums[0])
	}
	s, err := seal.ParseSignature(e.Value)
	if err != nil {
		return err
	}
	if h, err := sums[0].Get(sign.SM3); err != nil || !bytes.Equal(h, s.DataHash) {
		return fmt.Errorf("%w: the hash of the content is not the one signed", sign.ErrSignature)
	}
	return s.VerifyValue()
}
