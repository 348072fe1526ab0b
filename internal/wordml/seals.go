package wordml

import (
	"bytes"
	"io"
	"slices"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// Seals gives the pictures of a part that claim to be seals, as Document.Seals does, without looking at its text. Those in every choice of
// mc:AlternateContent are among them.
func Seals(part []byte, limits xmldoc.Limits) ([]Shown, error) {
	s, err := xmldoc.NewScanner(part, limits)
	if err != nil {
		return nil, err
	}
	b := s.Bytes()
	if !bytes.Contains(b, []byte(mark)) {
		return nil, nil
	}
	if short := drawings(b, s); short != nil {
		if sc, err := xmldoc.NewScanner(short, limits); err == nil {
			if found, err := sealsOf(sc, false); err == nil {
				return found, nil
			}
		}
	}
	if s, err = xmldoc.NewScanner(part, limits); err != nil {
		return nil, err
	}
	return sealsOf(s, false)
}

// Pictures gives what all drawings of a part show, not only those that claim to be seals: the others have no ESID.
func Pictures(part []byte, limits xmldoc.Limits) ([]Shown, error) {
	s, err := xmldoc.NewScanner(part, limits)
	if err != nil {
		return nil, err
	}
	return sealsOf(s, true)
}

// drawings is the part with nothing in its root element but the drawings that have the mark, which most of a long document is not; nil:
// that cannot be told without reading all of it.
func drawings(b []byte, s *xmldoc.Scanner) []byte {
	var root xmldoc.Token
	for root.Kind != xmldoc.Start || root.Name.Local == "" {
		t, err := s.Next()
		if err != nil {
			return nil
		}
		root = t
	}
	tag := b[root.Start:root.End]
	name, _, ok := bytes.Cut(tag[1:], []byte(" "))
	if !ok || bytes.HasSuffix(tag, []byte("/>")) {
		return nil
	}
	out := slices.Clone(tag)
	for at := root.End; ; {
		i := bytes.Index(b[at:], []byte(mark))
		if i < 0 {
			break
		}
		i += at
		from, end := enclosing(b[at:i])
		if from < 0 {
			return nil
		}
		to := bytes.Index(b[i:], end)
		if to < 0 {
			return nil
		}
		to += i + len(end)
		out = append(out, b[at+from:to]...)
		at = to
	}
	return append(append(append(out, "</"...), name...), '>')
}

// enclosing finds where the last drawing of a text begins, and how it ends; -1: there is none.
func enclosing(b []byte) (from int, end []byte) {
	from = -1
	for _, local := range []string{"anchor ", "inline ", "anchor>", "inline>"} {
		i := bytes.LastIndex(b, []byte(local))
		if i < 0 {
			continue
		}
		if tag := bytes.LastIndexByte(b[:i], '<'); tag > from && i-tag < 32 && !bytes.ContainsAny(b[tag+1:i], "/ >") {
			from, end = tag, slices.Concat([]byte("</"), b[tag+1:i+len(local)-1], []byte(">"))
		}
	}
	return from, end
}

func sealsOf(sc *xmldoc.Scanner, every bool) ([]Shown, error) {
	s := scan{s: sc, d: &Document{}, every: every}
	var open []int // depths of drawings
	for {
		t, err := sc.Next()
		switch {
		case err == io.EOF:
			return s.d.seals, nil
		case err != nil:
			return nil, err
		case t.Kind == xmldoc.End && len(open) > 0 && t.Depth == open[len(open)-1]:
			open = open[:len(open)-1]
			s.endDrawing()
		case t.Kind != xmldoc.Start:
		case (t.Name.Local == "anchor" || t.Name.Local == "inline") && (t.Name.Space == transitional.wp || t.Name.Space == strict.wp):
			if s.d.ns = &transitional; t.Name.Space == strict.wp {
				s.d.ns = &strict
			}
			open = append(open, t.Depth)
			s.startDrawing(&t)
		case len(open) > 0:
			s.drawingPart(&t)
		}
	}
}
