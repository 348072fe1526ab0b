package gm

import (
	"crypto"
	"crypto/x509"
)

// MaySign reports what the KeyUsage of a certificate says of signing documents: digitalSignature or nonRepudiation
// allows it, whatever other bits stand beside them. stated is false where there is no KeyUsage at all, which forbids
// nothing (RFC 5280, 4.2.1.3).
func MaySign(c *Certificate) (may, stated bool) {
	for _, e := range c.Extensions {
		if e.Id.String() == "2.5.29.15" {
			stated = true
		}
	}
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	return !stated || x509.KeyUsage(c.KeyUsage)&signs != 0, stated
}

// SameKey reports whether two public keys are one.
func SameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
