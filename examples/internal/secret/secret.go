// Package secret reads PINs and passwords from files, where a command line would show them to everyone.
package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrEmpty: the first line of the file is empty.
var ErrEmpty = errors.New("its first line is empty")

const most = 4096 // bytes of a file with a PIN or a password

// Read reads the first line of a file.
func Read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, most)
	defer clear(b)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	line, _, _ := bytes.Cut(b[:n], []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return nil, fmt.Errorf("%s: %w", name, ErrEmpty)
	}
	return bytes.Clone(line), nil
}
