package main

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

// A looked document is one that `show` tells of.
type looked struct {
	kind  document.Kind
	src   io.ReaderAt
	size  int64
	found []sign.Embedded
	pages [][]int     // of a PDF, that show each
	lines []shownLine // of a Word document
}

func (m *Main) look(src io.ReaderAt, size int64, password []byte) (d *looked, err error) {
	d = &looked{src: src, size: size}
	if d.kind, err = document.KindOf(src); err != nil {
		return nil, err
	}
	o := document.Options{PDF: pdfx.Options{Password: password, Repair: true}}
	if d.found, err = document.Signatures(src, size, o); err != nil {
		return nil, err
	}
	if d.kind == document.PDF {
		d.pages, err = pdfx.ShownOn(src, size, o.PDF)
		return d, err
	}
	d.pages = make([][]int, len(d.found))
	lines, err := officex.Lines(src, size, o.Word)
	if err != nil && !errors.Is(err, officex.ErrNotWord) { // a workbook has none
		return nil, err
	}
	for _, l := range lines {
		d.lines = append(d.lines, shownLine{l.GUID, l.Signer, l.Filled})
	}
	return d, nil
}

// later: signature i covers more of the file than k, or as much.
func (d *looked) later(i, k int) bool {
	return d.kind == document.Word && i > k || d.kind == document.PDF && end(&d.found[i]) >= end(&d.found[k])
}

// end is where the bytes of a PDF end that a signature covers; 0 for a malformed one.
func end(e *sign.Embedded) int64 {
	if e.Err != nil || len(e.Ranges) == 0 {
		return 0
	}
	return e.Ranges[len(e.Ranges)-1].End()
}

func (d *looked) seal(i int) (*seal.Seal, error) {
	return document.SealOf(d.src, d.size, &d.found[i], document.Options{})
}

// content is the document as it was when it was signed: of a PDF the bytes up to the end of what is covered, of a Word document the
// package with all taken off that was sealed later.
func (d *looked) content(i int) (io.Reader, error) {
	e := &d.found[i]
	if e.Err != nil {
		return nil, e.Err
	}
	if d.kind == document.PDF {
		return io.NewSectionReader(d.src, 0, end(e)), nil
	}
	at := io.NewSectionReader(d.src, 0, d.size)
	for range d.found {
		var before bytes.Buffer
		if officex.Remove(&before, at, at.Size(), officex.Options{}) != nil {
			break // there is nothing of ours that came later
		}
		earlier, err := officex.Signatures(bytes.NewReader(before.Bytes()), int64(before.Len()), officex.Options{})
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(earlier, func(o sign.Embedded) bool { return o.Name == e.Name && bytes.Equal(o.Value, e.Value) }) {
			break
		}
		at = io.NewSectionReader(bytes.NewReader(before.Bytes()), 0, int64(before.Len()))
	}
	return at, nil
}

// signature tells of one, from what verify read of it.
func (d *looked) signature(s *verify.Signature, i int) shownSignature {
	e := &d.found[i]
	out := shownSignature{
		Name: e.Name, Format: s.Format, SubFilter: s.SubFilter, Pages: append([]int{}, d.pages[i]...), Covers: end(e), Revision: s.Revision,
		Coverage: s.Coverage, Claimed: dateTime(s.Claimed), Signer: s.Signer, Inner: s.Inner, Evidence: len(s.Evidence), Entry: s.Entry,
	}
	if e.Err != nil {
		out.Error = e.Err.Error()
	}
	for _, t := range s.Stamps {
		out.Stamps = append(out.Stamps, shownStamp{t.Over, dateTime(t.Time), t.Authority})
	}
	if bound, err := d.seal(i); err == nil {
		out.Seal = sealOf(bound)
	}
	out.Certificates = chainOf(e.Value, s.Signer, s.Inner)
	return out
}
