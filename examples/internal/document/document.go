// Package document seals PDF files and Word documents alike. Which of the two a file is, its bytes say and not its name.
package document

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// A Kind is what sort of file a document is.
type Kind string

const (
	PDF  Kind = "PDF"
	Word Kind = "Word"
)

// MediaType is what HTTP calls it.
func (k Kind) MediaType() string {
	if k == Word {
		return "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	}
	return "application/pdf"
}

// office is how files begin that Word writes, now or formerly. Of the older ones officex says what they are.
var office = []string{"PK\x03\x04", "PK\x05\x06", "PK\x07\x08", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", `{\rtf`}

// KindOf tells who is to read a file: whatever is not for officex is for pdfx. That it is a whole document, or any, they say.
func KindOf(src io.ReaderAt) (Kind, error) {
	head := make([]byte, 8)
	n, err := src.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	for _, begins := range office {
		if bytes.HasPrefix(head[:n], []byte(begins)) {
			return Word, nil
		}
	}
	return PDF, nil
}

// KindOfFile is KindOf for a file by its name.
func KindOfFile(name string) (Kind, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	return KindOf(f)
}

// Options say how a document of either kind is sealed. What is said here is so for both, whatever PDF and Word have.
type Options struct {
	PDF  pdfx.Options
	Word officex.Options

	Document string           // the Act's name of the document
	ID       string           // the Act's request id
	Now      func() time.Time // the claimed time
	Sync     bool             // wait until the disk has the file
}

func (o *Options) pdf() pdfx.Options {
	p := o.PDF
	p.Document, p.ID, p.Now, p.Sync = o.Document, o.ID, o.Now, o.Sync
	return p
}

func (o *Options) word() officex.Options {
	w := o.Word
	w.Document, w.ID, w.Now, w.Sync = o.Document, o.ID, o.Now, o.Sync
	return w
}

// A Result tells what was done.
type Result struct {
	Kind  Kind
	Act   *sign.Act
	Size  int64 // of the sealed file, in bytes
	Notes []sign.Note
}

// SignFile seals the file src as dst, which appears whole or not at all.
func SignFile(ctx context.Context, dst, src string, s sign.Signer, o Options) (*Result, error) {
	k, err := KindOfFile(src)
	if err != nil {
		return nil, err
	}
	if k == Word {
		return ofWord(officex.SignFile(ctx, dst, src, s, o.word()))
	}
	return ofPDF(pdfx.SignFile(ctx, dst, src, s, o.pdf()))
}

// Sign seals src to dst.
func Sign(ctx context.Context, dst io.Writer, src io.ReaderAt, size int64, s sign.Signer, o Options) (*Result, error) {
	k, err := KindOf(src)
	if err != nil {
		return nil, err
	}
	if k == Word {
		return ofWord(officex.Sign(ctx, dst, src, size, s, o.word()))
	}
	return ofPDF(pdfx.Sign(ctx, dst, src, size, s, o.pdf()))
}

func ofWord(r *officex.Result, err error) (*Result, error) {
	if err != nil {
		return nil, err
	}
	return &Result{Word, r.Act, r.Size, r.Notes}, nil
}

func ofPDF(r *pdfx.Result, err error) (*Result, error) {
	if err != nil {
		return nil, err
	}
	return &Result{PDF, r.Act, r.Size, r.Notes}, nil
}

// RemoveFile takes the last seal off the file src and writes the bytes that were there before it as dst.
func RemoveFile(dst, src string, o Options) error {
	k, err := KindOfFile(src)
	if err != nil {
		return err
	}
	if k == Word {
		return officex.RemoveFile(dst, src, o.word())
	}
	return pdfx.RemoveFile(dst, src, o.pdf())
}

// Remove writes the bytes of src as they were before its last seal.
func Remove(dst io.Writer, src io.ReaderAt, size int64, o Options) error {
	k, err := KindOf(src)
	if err != nil {
		return err
	}
	if k == Word {
		return officex.Remove(dst, src, size, o.word())
	}
	return pdfx.Remove(dst, src, size, o.pdf())
}

// Signatures finds what is signed in a document, in the order in which verify reports on it.
func Signatures(src io.ReaderAt, size int64, o Options) ([]sign.Embedded, error) {
	k, err := KindOf(src)
	if err != nil {
		return nil, err
	}
	if k == Word {
		return officex.Signatures(src, size, o.word())
	}
	return pdfx.Signatures(src, size, o.pdf())
}

// SealOf is the seal that a signature was made with; seal.ErrNoSeal: it was made without.
func SealOf(src io.ReaderAt, size int64, e *sign.Embedded, o Options) (*seal.Seal, error) {
	if e.Format != sign.XML {
		return seal.Of(e.Value)
	}
	der, err := officex.SealOf(src, size, e.Name, o.word())
	if err != nil {
		return nil, err
	}
	if der == nil {
		return nil, seal.ErrNoSeal
	}
	return seal.Parse(der)
}
