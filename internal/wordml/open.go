package wordml

import (
	"errors"
	"fmt"
	"slices"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// Errors are found with errors.Is. That a part cannot be read is said by errors of xmldoc.
var (
	ErrNotWord = errors.New("wordml: not a part of a Word document")
	ErrPlace   = errors.New("wordml: no place for a seal")
	ErrPicture = errors.New("wordml: not a picture that can be shown")
	ErrLimit   = errors.New("wordml: over the limit")
)

// A Note says what a caller should know of a place. Code is stable, Detail one English sentence.
type Note struct {
	Code   string
	Detail string
}

// A Splice is text to insert before byte At of a part.
type Splice struct {
	At   int
	Text string
}

// Apply inserts splices; those of one place in the order in which they are given.
func Apply(part []byte, list []Splice) []byte {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Splice) int { return a.At - b.At })
	n := len(part)
	for _, s := range list {
		n += len(s.Text)
	}
	out, at := make([]byte, 0, n), 0
	for _, s := range list {
		out = append(out, part[at:s.At]...)
		out = append(out, s.Text...)
		at = s.At
	}
	return append(out, part[at:]...)
}

// A Document is a part that was scanned: a main document, a header or a footer.
type Document struct {
	part      []byte
	ns        *family
	footer    bool
	body      int // where a paragraph can be added at the end
	paras     []para
	lines     []line
	pieces    []piece // of all lines
	bookmarks []bookmark
	sections  []Section
	styles    *styles // nil: not known
	lastID    uint32  // the greatest number of a drawing
	seals     []Shown
	anchored  []obstacle
	boxes     []textBox
	sigLines  []Line
	lastSect  int // where references go in the last w:sectPr, -1: there is none
	emptySect bool
	shapeType bool // the part defines _x0000_t75
	rowPara   int  // the last paragraph that has seals in a row, -1: none
}

// Open scans a part.
func Open(part []byte, limits xmldoc.Limits) (*Document, error) {
	s, err := xmldoc.NewScanner(part, limits)
	if err != nil {
		return nil, err
	}
	if b := s.Bytes(); len(b) != len(part) || len(b) > 0 && &b[0] != &part[0] {
		return nil, fmt.Errorf("%w: the part is in UTF-16; save the document again with Word", xmldoc.ErrEncoding)
	}
	sc := scan{s: s, d: &Document{part: part, body: -1, lastSect: -1, rowPara: -1}}
	if err := sc.run(); err != nil {
		return nil, err
	}
	return sc.d, nil
}

// Strict says whether the part is in the namespaces of ISO/IEC 29500-1 (strict).
func (d *Document) Strict() bool { return d.ns == &strict }
