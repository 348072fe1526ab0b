package verify

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"os"

	"github.com/courtseal/courtseal/internal/gm"
)

// A Purpose says what a root is trusted for. Purposes may be joined with |.
type Purpose int

const (
	ForSigner Purpose = 1 << iota // certificates of those who sign and seal
	ForMaker                      // certificates of those who make seals (制章者)
	ForTSA                        // certificates of time-stamping authorities

	ForAll = ForSigner | ForMaker | ForTSA
)

// Roots are the certificates trusted, each for its purposes. The zero value, and nil, trust nobody. Roots may be used by
// several verifications at once, as long as nobody adds to it.
type Roots struct{ anchors []anchor }

type anchor struct {
	cert    *gm.Certificate
	purpose Purpose
}

// NewRoots trusts certificates (DER) for every purpose.
func NewRoots(der ...[]byte) (*Roots, error) {
	r := new(Roots)
	return r, r.Add(ForAll, der...)
}

// ReadRoots reads files of certificates, PEM (any number in each) or DER (one), and trusts them for every purpose.
func ReadRoots(files ...string) (*Roots, error) {
	r := new(Roots)
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("verify: roots: %w", err)
		}
		certs := [][]byte{b}
		if bytes.Contains(b, []byte("-----BEGIN")) {
			certs = nil
			for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
				if block.Type == "CERTIFICATE" {
					certs = append(certs, block.Bytes)
				}
			}
			if len(certs) == 0 {
				return nil, fmt.Errorf("verify: roots: %s holds no CERTIFICATE", name)
			}
		}
		if err := r.Add(ForAll, certs...); err != nil {
			return nil, fmt.Errorf("%w (in %s)", err, name)
		}
	}
	return r, nil
}

// Add trusts further certificates (DER) for some purposes.
func (r *Roots) Add(p Purpose, der ...[]byte) error {
	for i, b := range der {
		c, err := gm.ParseCertificate(b)
		if err != nil {
			return fmt.Errorf("verify: roots: certificate %d: %w", i+1, err)
		}
		r.anchors = append(r.anchors, anchor{c, p})
	}
	return nil
}

func (r *Roots) of(p Purpose) []*gm.Certificate {
	if r == nil {
		return nil
	}
	var out []*gm.Certificate
	for _, a := range r.anchors {
		if a.purpose&p != 0 {
			out = append(out, a.cert)
		}
	}
	return out
}
