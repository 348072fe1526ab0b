package keydev

import (
	"crypto"
	"crypto/rsa"
	"fmt"

	"github.com/courtseal/courtseal/internal/gm"
)

// checkDigest refuses what a key must not sign. Every driver asks it first: libraries and devices below take digests of
// any length, and some hash what they were given once more.
func checkDigest(pub crypto.PublicKey, digest []byte, opts crypto.SignerOpts) error {
	if gm.IsSM2(pub) {
		if opts != crypto.Hash(0) || len(digest) != 32 {
			return fmt.Errorf("%w: SM2 signs e = SM3(Z||M) of 32 bytes with crypto.Hash(0), not %d bytes with %T", ErrDigest, len(digest), opts)
		}
		return nil
	}
	var h crypto.Hash
	switch o := opts.(type) {
	case crypto.Hash:
		h = o
	case *rsa.PSSOptions:
		if _, ok := pub.(*rsa.PublicKey); ok && o != nil {
			h = o.Hash
		}
	}
	switch h {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
		if len(digest) == h.Size() {
			return nil
		}
		return fmt.Errorf("%w: %d bytes are not a digest by %s", ErrDigest, len(digest), h)
	}
	return fmt.Errorf("%w: options %T; a crypto.Hash, or for RSA *rsa.PSSOptions, naming SHA-256, SHA-384 or SHA-512", ErrDigest, opts)
}
