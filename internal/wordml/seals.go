package wordml

import (
	"bytes"
	"io"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// Seals gives the pictures of a part that claim to be seals, as Document.Seals does, without looking at its text. Those in every choice of
// mc:AlternateContent are among them.
func Seals(part []byte, limits xmldoc.Limits) ([]Shown, error) {
	sc, err := xmldoc.NewScanner(part, limits)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(sc.Bytes(), []byte(mark)) {
		return nil, nil
	}
	s := scan{s: sc, d: &Document{ids: map[uint32]bool{}}}
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
