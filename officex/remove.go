package officex

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/courtseal/courtseal/internal/disk"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/sign"
)

// RemoveFile takes the last seal off the file src and puts the result in place of dst, which may be src: dst appears whole or is left as it
// was. See Remove.
func RemoveFile(dst, src string, o Options) error {
	return disk.Rewrite(dst, src, o.Sync, func(w io.Writer, r io.ReaderAt, size int64) error {
		return Remove(w, r, size, o)
	})
}

// Remove takes the last act off a file (撤销签章), a seal signature and the native one that was made with it, and writes the bytes to dst
// that were there before, exactly. That is possible only for an act of this package, and while the file is as it was written then:
// ErrNoSignature, ErrNotOurs and ErrNotLast say why it is not, and then nothing is written. Of the options it takes Limits.
//
// What was there before is told by a record in the file that the act signs. Whoever does not know that the file is good verifies it first.
// Removing needs no key: who may do it is the caller's to decide, and a ledger that recorded the seal still has it.
func Remove(dst io.Writer, src io.ReaderAt, size int64, o Options) error {
	before, n, err := unsealed(src, size, o)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, io.NewSectionReader(before, 0, n))
	return err
}

// unsealed is the file as it was before its last act.
func unsealed(src io.ReaderAt, size int64, o Options) (io.ReaderAt, int64, error) {
	if err := recognise(src, size); err != nil {
		return nil, 0, err
	}
	pkg, err := openPackage(src, size, o.Limits)
	if err != nil {
		return nil, 0, err
	}
	found := findActs(pkg)
	switch {
	case found.last == 0 && len(found.natives) > 0:
		return nil, 0, ErrNotOurs
	case found.last == 0:
		return nil, 0, ErrNoSignature
	}
	u, err := record(pkg, found.last)
	if err != nil {
		return nil, 0, err
	}
	before, n, err := u.Restore(src, size)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrNotLast, err)
	}
	got := hashFile(context.Background(), before, n, []sign.Hash{u.Hash})
	switch {
	case got.err != nil:
		return nil, 0, got.err
	case !bytes.Equal(got.sums[u.Hash], u.Digest):
		return nil, 0, ErrNotLast
	}
	return before, n, nil
}

// record reads what an act says of the file before it. It must be what the act signed.
func record(pkg *opc.Package, act int) (u opcsig.Undo, err error) {
	folder := fmt.Sprintf("/_seals/seal%d/", act)
	b, err := readPart(pkg, folder+opcsig.UndoName)
	if err != nil {
		return u, err
	}
	if pkg.Part(folder+opcsig.ManifestName) != nil {
		text, err := readPart(pkg, folder+opcsig.ManifestName)
		if err != nil {
			return u, err
		}
		m, err := opcsig.ParseSealManifest(text)
		if err != nil {
			return u, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		if !bytes.Equal(m.Undo, sign.SM3.Sum(b)) {
			return u, fmt.Errorf("%w: the record of the file before is not the one that was sealed", ErrMalformed)
		}
	} else if !nativeSigns(pkg, folder+opcsig.UndoName, b) {
		return u, fmt.Errorf("%w: no signature is over the record of the file before", ErrMalformed)
	}
	if u, err = opcsig.ParseUndo(b); err != nil {
		return u, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return u, nil
}

// nativeSigns says whether a native signature of the package names a part with the digest that it has.
func nativeSigns(pkg *opc.Package, name string, content []byte) bool {
	for _, p := range findActs(pkg).natives {
		b, err := pkg.Read(p)
		if err != nil {
			continue
		}
		s, err := opcsig.Parse(b)
		if err != nil || !s.Intact() {
			continue
		}
		for _, r := range s.Manifest {
			if r.Name == name && r.Hash.Size() > 0 && bytes.Equal(r.Hash.Sum(content), r.Digest) {
				return true
			}
		}
	}
	return false
}
