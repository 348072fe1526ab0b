package wordml

import (
	"github.com/courtseal/courtseal/internal/xmldoc"
)

// A Line is a signature line.
type Line struct {
	GUID string
}

func (s *scan) vmlPart(t *xmldoc.Token) {}
