package opc

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestRestoreRefuses(t *testing.T) {
	p := open(t, zipped(t, small()))
	changes := sealed(t, p, 1)
	b := write(t, p, changes)
	undo := string(changes[len(changes)-1].Data)
	change := func(old, new string) string {
		if !strings.Contains(undo, old) {
			t.Fatalf("no %q in the record", old)
		}
		return strings.Replace(undo, old, new, 1)
	}
	line := "copy "
	line += undo[strings.Index(undo, line)+len(line):][:strings.IndexByte(undo[strings.Index(undo, line)+len(line):], '\n')]
	for name, bad := range map[string]string{
		"empty":                    "",
		"another version":          change("undo 1\n", "undo 2\n"),
		"windows lines":            change("undo 1\n", "undo 1\r\n"),
		"another verb":             change("copy ", "Copy "),
		"no such entry":            change("word/settings.xml", "word/settingz.xml"),
		"another length":           change(line, strings.Replace(line, "copy ", "copy 1", 1)),
		"leading zero":             change("copy ", "copy 0"),
		"sign":                     change("data ", "data +"),
		"twice":                    change(line, line+"\n"+line),
		"no number":                change("data ", "data x"),
		"more than is there":       change("data ", "data 9"),
		"no end":                   change("\n\n", "\n"),
		"a byte more":              undo + "x",
		"a byte less":              undo[:len(undo)-1],
		"only a head":              undoHead + "\n",
		"not a directory last":     undoHead + line + "\n\n",
		"a name for stored bytes":  undoHead + "data 1 x\n\na",
		"an entry without a name":  undoHead + "copy 1\ndata 1\n\na",
		"huge":                     undoHead + "data 99999999999999999999\n\na",
		"an empty line in between": change(line, line+"\n"),
	} {
		if _, _, err := Restore(bytes.NewReader(b), int64(len(b)), []byte(bad)); !errors.Is(err, ErrUndo) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := Restore(strings.NewReader("no zip"), 6, []byte(undo)); !errors.Is(err, ErrNotZip) {
		t.Errorf("no zip: %v", err)
	}
	tail := append(bytes.Clone(b), "x"...)
	if _, _, err := Restore(bytes.NewReader(tail), int64(len(tail)), []byte(undo)); !errors.Is(err, ErrFaults) {
		t.Errorf("with a tail: %v", err)
	}
	q, err := p.With(changes)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Undo(nil); !errors.Is(err, ErrUndo) {
		t.Errorf("of a package that is not written: %v", err)
	}
}

// A restored file reads as a file does, at any place and in any length.
func TestRestoredReadAt(t *testing.T) {
	in := zipped(t, small())
	p := open(t, in)
	changes := sealed(t, p, 1)
	b := write(t, p, changes)
	src, size, err := Restore(bytes.NewReader(b), int64(len(b)), changes[len(changes)-1].Data)
	if err != nil || size != int64(len(in)) {
		t.Fatal(err, size)
	}
	for at := int64(0); at <= size+1; at += 7 {
		for _, n := range []int64{0, 1, 100, size} {
			got := make([]byte, n)
			m, err := src.ReadAt(got, at)
			want := in[min(at, size):min(at+n, size)]
			if !bytes.Equal(got[:m], want) || (err == io.EOF) != (int64(len(want)) < n) {
				t.Fatalf("%d bytes at %d: %d, %v", n, at, m, err)
			}
		}
	}
	if _, err := src.ReadAt(nil, -1); err == nil {
		t.Error("before the beginning")
	}
}
