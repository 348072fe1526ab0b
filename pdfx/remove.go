package pdfx

import (
	"context"
	"fmt"
	"io"

	"github.com/courtseal/courtseal/internal/disk"
	"github.com/courtseal/courtseal/internal/pdf"
)

// RemoveFile takes the last seal off the file src and puts the result in place of dst, which may be src: dst appears whole or
// is left as it was. See Remove.
func RemoveFile(dst, src string, o Options) error {
	return disk.Rewrite(dst, src, o.Sync, func(w io.Writer, r io.ReaderAt, size int64) error {
		return Remove(w, r, size, o)
	})
}

// Remove takes the last seal off a file (撤销签章) and writes the bytes to dst that were there before it was sealed, exactly.
// That is possible only for a seal of this package, and while nothing follows it: ErrNoSignature, ErrNotLast and ErrNotOurs say
// why it is not, and then nothing is written. Of the options it takes Password, Repair and Limits. Removing needs no key: who
// may do it is the caller's to decide, and a ledger that recorded the seal still has it.
func Remove(dst io.Writer, src io.ReaderAt, size int64, o Options) error {
	end, err := before(src, size, o)
	if err != nil {
		return err
	}
	return pour(context.Background(), dst, src, end, nil)
}

// before is the length of the file before it was sealed last.
func before(src io.ReaderAt, size int64, o Options) (int64, error) {
	f, err := open(src, size, o)
	if err != nil {
		return 0, err
	}
	sigs, err := f.Signatures()
	if err != nil {
		return 0, err
	}
	var last *pdf.Signature
	for i, s := range sigs {
		if s.Err == nil && (last == nil || s.Value.Header > last.Value.Header) {
			last = &sigs[i]
		}
	}
	switch {
	case last == nil && len(sigs) == 0:
		return 0, ErrNoSignature
	case last == nil:
		return 0, fmt.Errorf("%w: %w", ErrMalformed, sigs[0].Err)
	}
	if err := shape(f, *last); err != nil {
		return 0, err
	}
	if covered := last.ByteRange[2] + last.ByteRange[3]; covered != size {
		return 0, fmt.Errorf("%w: %s covers %d of %d bytes", ErrNotLast, last.Name, covered, size)
	}
	// Our update is one LF, then the signature dictionary, the other objects, and the newest cross-reference section.
	end := last.Value.Header - 1
	app := pdf.Name("")
	if build, err := f.GetDict(last.Dict, "Prop_Build"); err == nil {
		if d, err := f.GetDict(build, "App"); err == nil {
			app, _ = d.Get("Name").(pdf.Name)
		}
	}
	lf := make([]byte, 1)
	if end <= 0 || app != maker {
		return 0, fmt.Errorf("%w: %s", ErrNotOurs, last.Name)
	}
	if _, err := src.ReadAt(lf, end); err != nil {
		return 0, fmt.Errorf("pdfx: reading the file at %d: %w", end, err)
	}
	sections := f.Sections()
	if lf[0] != '\n' || sections[0].Offset >= 0 && sections[0].Offset < end || len(sections) > 1 && sections[1].Offset > end {
		return 0, fmt.Errorf("%w: %s and its update do not lie as this package writes them", ErrNotOurs, last.Name)
	}
	return end, nil
}
