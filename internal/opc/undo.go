package opc

import (
	"bytes"
	"fmt"
	"io"
	"sort"
	"strconv"
	"strings"
)

const (
	undoHead = "undo 1\n"

	// A record that is larger than this is not applied.
	maxUndoLines = 2*max16 + 2
)

// Undo records how to get this file back from the one that Write makes of it when it replaces the parts of these names and
// adds others; names of parts that are not there do not matter. The record is text, one line for each run of bytes of this
// file, and after it the bytes that the other file will not have:
//
//	undo 1
//	copy 1842 word/document.xml     the entry of this name as it stands there: header, data, descriptor
//	data 927                        the next bytes of the record
//	…
//	(empty line)
//
// Everything that no change replaces is copied, so a record is small; and what Write makes may be written again and undone
// again, in reverse order.
func (p *Package) Undo(names []string) ([]byte, error) {
	if err := p.sound(); err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for _, n := range names {
		gone[nameKey(n)] = true
	}
	var text, blob bytes.Buffer
	text.WriteString(undoHead)
	keep := func(from, to int64) error {
		fmt.Fprintf(&text, "data %d\n", to-from)
		_, err := io.Copy(&blob, io.NewSectionReader(p.src, from, to-from))
		return err
	}
	for _, part := range p.inFile() {
		switch {
		case part.fresh:
			return nil, fmt.Errorf("%w: %s is not in the file yet", ErrUndo, part.Name)
		case gone[part.key]:
			if err := keep(part.e.start, part.e.end); err != nil {
				return nil, err
			}
		default:
			fmt.Fprintf(&text, "copy %d %s\n", part.e.end-part.e.start, part.Name[1:])
		}
	}
	if err := keep(p.dir.start, p.size); err != nil {
		return nil, err
	}
	text.WriteString("\n")
	return append(text.Bytes(), blob.Bytes()...), nil
}

// Restore gives the file that was there before, as Undo recorded it, from the file src that Write made. Nothing is read
// before the result is. Errors: ErrUndo where the record is malformed or is not one of this file, and those of Open for
// src. Whether the result is the file it should be, its hash must tell.
func Restore(src io.ReaderAt, size int64, undo []byte) (io.ReaderAt, int64, error) {
	p, err := openZip(src, size, Limits{Entries: max16}.orDefaults())
	if err != nil {
		return nil, 0, err
	}
	if err := p.sound(); err != nil {
		return nil, 0, err
	}
	return p.restore(undo)
}

func (p *Package) restore(undo []byte) (io.ReaderAt, int64, error) {
	byName := make(map[string]*Part, len(p.parts))
	for _, part := range p.parts {
		byName[part.Name[1:]] = part
	}
	head, blob, ok := bytes.Cut(undo, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !ok || lines[0]+"\n" != undoHead || len(lines) > maxUndoLines {
		return nil, 0, fmt.Errorf("%w: no header", ErrUndo)
	}
	var r restored
	for i, line := range lines[1:] {
		verb, rest, _ := strings.Cut(line, " ")
		number, name, named := strings.Cut(rest, " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n <= 0 || strconv.FormatInt(n, 10) != number || n > max32 {
			return nil, 0, fmt.Errorf("%w: line %d", ErrUndo, i+2)
		}
		switch {
		case verb == "data" && !named && n <= int64(len(blob)):
			r.add(piece{src: bytes.NewReader(blob[:n:n])}, n)
			blob = blob[n:]
		case verb == "copy" && named:
			part := byName[name]
			if part == nil || part.e.end-part.e.start != n {
				return nil, 0, fmt.Errorf("%w: line %d: no entry %q of %d bytes, or not for the first time", ErrUndo, i+2, name, n)
			}
			delete(byName, name) // so that the result is no larger than the file and the record
			r.add(piece{src: p.src, at: part.e.start, entry: true}, n)
		default:
			return nil, 0, fmt.Errorf("%w: line %d", ErrUndo, i+2)
		}
	}
	if len(blob) > 0 || len(r.pieces) == 0 || !strings.HasPrefix(lines[len(lines)-1], "data ") {
		return nil, 0, fmt.Errorf("%w: its lines do not account for its bytes", ErrUndo)
	}
	return &r, r.size(), nil
}

// A restored file is made of pieces of others.
type restored struct{ pieces []piece }

type piece struct {
	src     io.ReaderAt
	at      int64 // in src
	entry   bool  // src is the file, not the record
	lo, end int64 // in the file
}

func (r *restored) size() int64 {
	if len(r.pieces) == 0 {
		return 0
	}
	return r.pieces[len(r.pieces)-1].end
}

// add appends n bytes. Entries that follow one another in both files are one piece.
func (r *restored) add(p piece, n int64) {
	p.lo, p.end = r.size(), r.size()+n
	if i := len(r.pieces) - 1; i >= 0 && p.entry {
		if last := &r.pieces[i]; last.entry && last.at+last.end-last.lo == p.at {
			last.end = p.end
			return
		}
	}
	r.pieces = append(r.pieces, p)
}

func (r *restored) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, fmt.Errorf("opc: offset %d", off)
	}
	i := sort.Search(len(r.pieces), func(i int) bool { return r.pieces[i].end > off })
	for ; i < len(r.pieces) && len(b) > 0; i++ {
		p := &r.pieces[i]
		m := int(min(int64(len(b)), p.end-off))
		if err := readFull(p.src, b[:m], p.at+off-p.lo); err != nil {
			return n, err
		}
		b, n, off = b[m:], n+m, off+int64(m)
	}
	if len(b) > 0 {
		return n, io.EOF
	}
	return n, nil
}
