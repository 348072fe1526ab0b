// Package minidocx makes variants of Word documents for tests.
package minidocx

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
)

// Edit replaces the first old in a part, such as word/document.xml, and writes the package anew.
func Edit(docx []byte, part, old, new string) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(docx), int64(len(docx)))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	found := false
	for _, f := range z.File {
		b, err := fs.ReadFile(z, f.Name)
		if err != nil {
			return nil, err
		}
		if f.Name == part {
			found = bytes.Contains(b, []byte(old))
			b = bytes.Replace(b, []byte(old), []byte(new), 1)
		}
		e, err := w.Create(f.Name)
		if err != nil {
			return nil, err
		}
		if _, err := e.Write(b); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, fmt.Errorf("no %q in %s", old, part)
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
