package pdfx

import "github.com/courtseal/courtseal/internal/pdftext"

// AsSeen gives the box of a match as Found has it, for tests that read all text of a page.
func AsSeen(m pdftext.Match) (left, top, right, bottom float64) {
	b := seen(m.On, rect(m.Box))
	return b.X, b.Y, b.X + b.W, b.Y + b.H
}
