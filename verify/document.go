package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// ErrUnsigned: the document has no signature, though it may have document time stamps. A Report comes with it.
var ErrUnsigned = errors.New("verify: 未签章 / unsigned")

var unsignedText = Text{"未签章", "unsigned"}

// File verifies a file. See Document.
func File(ctx context.Context, name string, o Options) (*Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	r, err := Document(ctx, f, info.Size(), o)
	if r != nil {
		r.File = name
	}
	return r, err
}

// Document verifies all signatures of a document of size bytes, which it reads once. An error says that the question
// could not be asked: no PDF (pdfx.ErrNotPDF), another password (pdfx.ErrPassword), beyond a limit (pdfx.ErrLimit), not
// readable, ctx ended. Whatever can be said of a document that was read is in the Report. Only ErrUnsigned comes with a
// Report. Document may be called concurrently, with the same Options too.
func Document(ctx context.Context, src io.ReaderAt, size int64, o Options) (*Report, error) {
	report, err := newJob(ctx, o).pdf(src, size)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	if !slices.ContainsFunc(report.Signatures, func(s Signature) bool { return !s.Timestamp }) {
		report.Unsigned = true // anybody gets time stamps: they say nothing of who made the document
		return report, ErrUnsigned
	}
	report.Verdict = NotAsked
	for _, s := range report.Signatures {
		report.Verdict = worse(report.Verdict, s.Verdict)
	}
	return report, nil
}
