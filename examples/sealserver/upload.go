package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// inMemory is how much of an upload stays in memory; a longer one goes to a file.
const inMemory = 1 << 20

// An upload is a body that was received whole. Close gives its room back.
type upload struct {
	io.ReaderAt
	Size int64
	file *os.File // nil: it is in memory
}

// receive reads a body to its end, into a file of dir where it is long. The body's own limit ends it with errTooMuch.
func receive(body io.Reader, dir string) (*upload, error) {
	var head bytes.Buffer
	n, err := io.CopyN(&head, body, inMemory)
	switch {
	case errors.Is(err, io.EOF):
		return &upload{ReaderAt: bytes.NewReader(head.Bytes()), Size: n}, nil
	case err != nil:
		return nil, bodyError(err)
	}
	f, err := os.CreateTemp(dir, "upload-*")
	if err != nil {
		return nil, err
	}
	up := &upload{ReaderAt: f, file: f}
	if up.Size, err = io.Copy(f, io.MultiReader(&head, body)); err != nil {
		return nil, errors.Join(bodyError(err), up.Close())
	}
	return up, nil
}

// Close removes the file, if there is one.
func (u *upload) Close() error {
	if u.file == nil {
		return nil
	}
	return errors.Join(u.file.Close(), os.Remove(u.file.Name()))
}

// bodyError says why a body could not be read.
func bodyError(err error) error {
	var most *http.MaxBytesError
	if errors.As(err, &most) {
		return fmt.Errorf("%w: %d bytes are the most", errTooMuch, most.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: it did not come in time", errBody)
	}
	return fmt.Errorf("%w: %w", errBody, err)
}
