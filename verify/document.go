package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/wordscan"
	"github.com/courtseal/courtseal/pdfx"
)

// ErrUnsigned: the document has no signature, though it may have document time stamps. A Report comes with it.
var ErrUnsigned = errors.New("verify: 未签章 / unsigned")

// ErrFormat: the file is none that can be verified: neither a PDF nor an Office document (.docx, .xlsx, .pptx).
var ErrFormat = errors.New("verify: neither a PDF nor an Office document (.docx, .xlsx, .pptx)")

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
// could not be asked: unusable Options (ErrAlgorithm), neither a PDF nor an Office document (ErrFormat), another password (pdfx.ErrPassword), beyond a limit (pdfx.ErrLimit,
// officex.ErrLimit), not readable, ctx ended. Whatever can be said of a document that was read is in the Report. Only ErrUnsigned comes with a
// Report. Document may be called concurrently, with the same Options too.
func Document(ctx context.Context, src io.ReaderAt, size int64, o Options) (*Report, error) {
	j, err := newJob(ctx, o)
	if err != nil {
		return nil, err
	}
	report, err := j.report(src, size)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	readable(reflect.ValueOf(report).Elem())
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

// report tells what a file is by its bytes, and judges it.
func (j *job) report(src io.ReaderAt, size int64) (*Report, error) {
	head := make([]byte, min(max(size, 0), 1024))
	if _, err := readFull(src, head, 0); err != nil {
		return nil, err
	}
	isPDF := bytes.Contains(head, []byte("%PDF-"))
	if isPDF && !bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return j.pdf(src, size)
	}
	report, err := j.office(src, size)
	switch {
	case errors.Is(err, opc.ErrNotZip) && isPDF:
		return j.pdf(src, size)
	case !errors.Is(err, opc.ErrNotZip):
		return report, err
	}
	kind, err := wordscan.Recognise(src, size)
	if err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: this is %s (%w)", ErrFormat, kind, pdfx.ErrNotPDF)
}

// readable makes every text in a report one that JSON can hold as it is: files may name things in bytes that are no UTF-8.
func readable(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if s := v.String(); v.CanSet() && !utf8.ValidString(s) {
			v.SetString(strings.ToValidUTF8(s, "\ufffd"))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			readable(v.Field(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			readable(v.Elem())
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				readable(v.Index(i))
			}
		}
	}
}
