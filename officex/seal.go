package officex

import (
	"fmt"
	"io"
	"strings"

	"github.com/courtseal/courtseal/internal/opcsig"
)

// SealOf gives the seal, the DER of an SESeal, that stands beside the native signature of a name and is covered by it: that of an act in
// format cms. nil: there is none; in a dual the seal stands in the seal signature. Nothing is checked. Of the options it takes Limits.
func SealOf(src io.ReaderAt, size int64, name string, o Options) ([]byte, error) {
	pkg, err := openPackage(src, size, o.Limits)
	if err != nil {
		return nil, err
	}
	b, err := readPart(pkg, name)
	if err != nil {
		return nil, err
	}
	s, err := opcsig.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, name, err)
	}
	for _, r := range s.Manifest {
		folder, ok := strings.CutSuffix(r.Name, "/"+opcsig.SealName)
		if ok && strings.HasPrefix(folder, "/_seals/") && strings.Count(folder, "/") == 2 {
			return readPart(pkg, r.Name)
		}
	}
	return nil, nil
}
