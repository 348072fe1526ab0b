package pdfx

import "github.com/courtseal/courtseal/internal/pdftext"

// AsSeen gives the box of a match as Found has it, for tests that read all text of a page.
func AsSeen(m pdftext.Match) (left, top, right, bottom float64) { return asSeen(m.On, rect(m.Box)) }
