package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"
)

// inMemory is how much of a file that is on its way stays in memory; a longer one goes to the disk.
const inMemory = 256 << 10

// A spool is a file on its way: in memory while it is short, else in a directory. Close gives its room back.
type spool struct {
	dir  string
	head *bytes.Buffer // from buffers
	file *os.File      // nil: all is in head
}

// buffers are for the heads of spools, which all have room for what stays in memory.
var buffers = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, inMemory)) }}

func newSpool(dir string) *spool { return &spool{dir: dir, head: buffers.Get().(*bytes.Buffer)} }

func (s *spool) Write(b []byte) (int, error) {
	if s.file == nil && s.head.Len()+len(b) <= inMemory {
		return s.head.Write(b)
	}
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "spool-*")
		if err != nil {
			return 0, err
		}
		s.file = f
		if _, err := f.Write(s.head.Bytes()); err != nil {
			return 0, err
		}
	}
	return s.file.Write(b)
}

// Reset makes it empty.
func (s *spool) Reset() error {
	s.head.Reset()
	return s.removeFile()
}

// WriteTo writes all of it.
func (s *spool) WriteTo(w io.Writer) (int64, error) {
	if s.file == nil {
		n, err := w.Write(s.head.Bytes())
		return int64(n), err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	return io.Copy(w, s.file)
}

// Close gives up what is in it; it is not used any more.
func (s *spool) Close() error {
	if s.head != nil {
		s.head.Reset()
		buffers.Put(s.head)
		s.head = nil
	}
	return s.removeFile()
}

func (s *spool) removeFile() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// An upload is a body that was received whole. Close gives its room back.
type upload struct {
	io.ReaderAt
	io.Closer
	Size int64
}

// receive reads a body to its end. The body's own limit ends it with errTooMuch.
func receive(body io.Reader, dir string) (*upload, error) {
	s := newSpool(dir)
	n, err := io.Copy(struct{ io.Writer }{s}, body)
	if err != nil {
		return nil, errors.Join(bodyError(err), s.Close())
	}
	if s.file != nil {
		return &upload{s.file, s, n}, nil
	}
	return &upload{bytes.NewReader(s.head.Bytes()), s, n}, nil
}

// bodyError says why a body could not be read.
func bodyError(err error) error {
	var most *http.MaxBytesError
	if errors.As(err, &most) {
		return fmt.Errorf("%w: %d bytes are the most", errTooMuch, most.Limit)
	}
	var disk *fs.PathError
	if errors.As(err, &disk) { // not the body's fault
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: it did not come in time", errBody)
	}
	return fmt.Errorf("%w: %w", errBody, err)
}
