package batch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/verify"
)

// sealed asks whether out is the file in and added to it a signature with the job's seal. No trust is needed: the
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
	kind, err := document.KindOf(src)
	if err != nil {
		return err
	}
	if kind == document.Word {
		err = r.sealedWord(ctx, dst, whole, src, size)
	} else {
		err = r.sealedPDF(ctx, dst, whole, src, size)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrOther, out, err)
	}
	return nil
}

var (
	errNotSource = errors.New("it is not the source with something added")
	errNotSealed = errors.New("it is not sealed with this seal")
)

// sealedPDF: a sealed PDF begins with what was sealed.
func (r *run) sealedPDF(ctx context.Context, dst io.ReaderAt, whole int64, src io.ReaderAt, size int64) error {
	if whole <= size {
		return errNotSource
	}
	if begins, err := matches(dst, src, size); err != nil || !begins {
		return cmp.Or(err, errNotSource)
	}
	o := r.Options.PDF
	found, err := pdfx.Signatures(dst, whole, pdfx.Options{Password: o.Password, Limits: o.Limits})
	if err != nil {
		return err
	}
	for _, e := range found {
		if e.Err != nil || e.Ranges[0].Length < size {
			continue // of the source's own
		}
		if s, err := seal.Of(e.Value); err != nil || !bytes.Equal(s.Raw, r.Seal.Raw) {
			continue
		}
		if err := r.intact(ctx, dst, whole, e); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		return nil
	}
	return errNotSealed
}

// sealedWord: of a sealed Word document all that was added can be taken off again, act by act, and then it is what was sealed.
func (r *run) sealedWord(ctx context.Context, dst io.ReaderAt, whole int64, src io.ReaderAt, size int64) error {
	o := officex.Options{Limits: r.Options.Word.Limits}
	found, err := officex.Signatures(dst, whole, o)
	if err != nil {
		return err
	}
	if ours, err := r.addedOurs(dst, whole, found, src, size); err != nil || !ours {
		return cmp.Or(err, errNotSealed)
	}
	report, err := verify.Document(ctx, dst, whole, verify.Options{}) // which trusts nobody: it cannot be valid
	if err != nil {
		return err
	}
	if report.Verdict == verify.Invalid {
		return fmt.Errorf("%w: it is invalid", sign.ErrSignature)
	}
	at := io.NewSectionReader(dst, 0, whole)
	for range found { // no more acts than signatures
		var before bytes.Buffer
		if err := officex.Remove(&before, at, at.Size(), o); err != nil {
			return fmt.Errorf("%w: %w", errNotSource, err)
		}
		at = io.NewSectionReader(bytes.NewReader(before.Bytes()), 0, int64(before.Len()))
		if at.Size() == size {
			if ok, err := matches(at, src, size); err != nil || ok {
				return err
			}
		}
	}
	return errNotSource
}

// addedOurs: a signature that the source does not have was made with the job's seal.
func (r *run) addedOurs(dst io.ReaderAt, whole int64, found []sign.Embedded, src io.ReaderAt, size int64) (bool, error) {
	before, err := officex.Signatures(src, size, officex.Options{Limits: r.Options.Word.Limits})
	if err != nil {
		return false, err
	}
	for i := range found {
		e := &found[i]
		if e.Err != nil || slices.ContainsFunc(before, func(b sign.Embedded) bool { return bytes.Equal(b.Value, e.Value) }) {
			continue
		}
		if s, err := document.SealOf(dst, whole, e, r.Options); err == nil && bytes.Equal(s.Raw, r.Seal.Raw) {
			return true, nil
		}
	}
	return false, nil
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

// matches compares the first n bytes of two files.
func matches(a, b io.ReaderAt, n int64) (bool, error) {
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
