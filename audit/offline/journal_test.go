package offline

import (
	"bytes"
	"errors"
	"testing"
)

var sampleLines = []line{
	{"grant", [][]byte{[]byte("a note\n")}},
	{"use", [][]byte{[]byte("a leaf"), {}}},
	{"list", [][]byte{[]byte("42")}},
	{"end", [][]byte{[]byte("an outcome"), []byte(`[{"bytes":"AA=="}]`)}},
}

func readAll(b []byte) (lines []line, j journal, torn bool, err error) {
	j, torn, err = readJournal(bytes.NewReader(b), func(l line, at span) error {
		if at.at+at.size > int64(len(b)) || b[at.at+at.size-1] != '\n' {
			return errors.New("a line stands where none is")
		}
		lines = append(lines, l)
		return nil
	})
	return lines, j, torn, err
}

// Every change of a byte is found, but for the last line feed: without it, the last line is one that was being written.
func TestJournal(t *testing.T) {
	whole := newJournal(sampleLines...)
	lines, j, torn, err := readAll(whole)
	if err != nil || torn || !bytes.Equal(newJournal(lines...), whole) || j.size != int64(len(whole)) {
		t.Fatalf("%+v %v: %v", lines, torn, err)
	}
	for i := range len(whole) - 1 {
		for bit := range 8 {
			bad := bytes.Clone(whole)
			bad[i] ^= 1 << bit
			if _, _, _, err := readAll(bad); !errors.Is(err, ErrDamaged) {
				t.Fatalf("byte %d, bit %d: %v", i, bit, err)
			}
		}
	}
	for n := len(journalHeader); n < len(whole); n++ {
		lines, j, torn, err := readAll(whole[:n])
		if err != nil || torn != (whole[n-1] != '\n') || len(lines) != bytes.Count(whole[:n], []byte("\n"))-1 || whole[j.size-1] != '\n' {
			t.Fatalf("%d bytes: %d lines, torn %v, %v", n, len(lines), torn, err)
		}
	}
}

func FuzzJournal(f *testing.F) {
	f.Add(newJournal(sampleLines...))
	f.Add(newJournal(sampleLines[:1]...)[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, j, torn, err := readAll(b)
		if err == nil && (j.size > int64(len(b)) || torn != (j.size < int64(len(b)))) {
			t.Errorf("%d lines in %d of %d bytes, torn %v", len(lines), j.size, len(b), torn)
		}
		for _, l := range lines {
			if l.name == "" && len(l.words) == 0 {
				t.Error("a line of nothing")
			}
		}
	})
}
