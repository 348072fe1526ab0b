package sign

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"

	"github.com/courtseal/courtseal/internal/gm"
)

// A Scheme is a way to make a signature value: a kind of key, a padding, a hash.
type Scheme struct {
	Kind Kind
	Hash Hash
}

// Kind is the kind of a signature value.
type Kind string

const (
	SM2    Kind = "SM2"     // GB/T 32918.2 with the default user ID; the hash is SM3
	RSA    Kind = "RSA"     // PKCS #1 v1.5, 2048 bits or more
	RSAPSS Kind = "RSA-PSS" // salt as long as the hash, MGF1 with the same hash; 2048 bits or more
	ECDSA  Kind = "ECDSA"   // P-256 or P-384
)

func (s Scheme) String() string { return string(s.Kind) + " with " + string(s.Hash) }

// maxRSA bounds the time that one check takes: certificates come from strangers.
const maxRSA = 16384

// SchemeFor returns the scheme this package signs with for a key: SM2 with SM3, RSA PKCS #1 v1.5 with SHA-256, ECDSA
// with the hash of its curve's strength. The error is ErrWeakKey or ErrUnsupportedKey.
func SchemeFor(pub crypto.PublicKey) (Scheme, error) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if n := k.N.BitLen(); n < 2048 {
			return Scheme{}, fmt.Errorf("%w: RSA of %d bits; 2048 or more are needed", ErrWeakKey, n)
		}
		return Scheme{RSA, SHA256}, nil
	case *ecdsa.PublicKey:
		switch {
		case gm.IsSM2(k):
			return Scheme{SM2, SM3}, nil
		case k.Curve == elliptic.P256():
			return Scheme{ECDSA, SHA256}, nil
		case k.Curve == elliptic.P384():
			return Scheme{ECDSA, SHA384}, nil
		}
		return Scheme{}, fmt.Errorf("%w: curve %s; SM2, P-256 and P-384 are known", ErrUnsupportedKey, k.Curve.Params().Name)
	}
	return Scheme{}, fmt.Errorf("%w: %T", ErrUnsupportedKey, pub)
}

// MaxSize is the longest value the scheme makes with the key, in bytes.
func (s Scheme) MaxSize(pub crypto.PublicKey) int {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return k.Size()
	case *ecdsa.PublicKey:
		n := (k.Curve.Params().BitSize + 7) / 8
		return 2*(n+3) + 3 // two INTEGERs with a possible sign octet, the SEQUENCE around them
	}
	return 0
}

// Sign hashes msg and signs it with key. It signs with what it is told to; SchemeFor says what is strong enough.
func (s Scheme) Sign(ctx context.Context, key Key, msg []byte) ([]byte, error) {
	digest, opts, err := s.digest(key.Public(), msg)
	if err != nil {
		return nil, err
	}
	return key.SignDigest(ctx, digest, opts)
}

// Verify checks a signature value over msg. A wrong value is ErrSignature; a key of another kind ErrUnsupportedKey.
func (s Scheme) Verify(pub crypto.PublicKey, msg, sig []byte) error {
	digest, _, err := s.digest(pub, msg)
	if err != nil {
		return err
	}
	return s.VerifyDigest(pub, digest, sig)
}

// VerifyDigest is Verify for a digest computed elsewhere: the hash of the message, or for SM2 e = SM3(Z || message).
func (s Scheme) VerifyDigest(pub crypto.PublicKey, digest, sig []byte) error {
	opts, err := s.opts(pub)
	if err != nil {
		return err
	}
	ok := false
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		if s.Kind == SM2 {
			ok = gm.VerifyDigest(k, digest, sig)
		} else {
			ok = ecdsa.VerifyASN1(k, digest, sig)
		}
	case *rsa.PublicKey:
		if pss, is := opts.(*rsa.PSSOptions); is {
			ok = rsa.VerifyPSS(k, pss.Hash, digest, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto, Hash: pss.Hash}) == nil
		} else {
			ok = rsa.VerifyPKCS1v15(k, opts.HashFunc(), digest, sig) == nil
		}
	}
	if !ok || len(digest) != s.Hash.Size() {
		return fmt.Errorf("%w (%s)", ErrSignature, s)
	}
	return nil
}

// digest is what a key signs for msg, and how.
func (s Scheme) digest(pub crypto.PublicKey, msg []byte) ([]byte, crypto.SignerOpts, error) {
	opts, err := s.opts(pub)
	if err != nil {
		return nil, nil, err
	}
	if s.Kind == SM2 {
		e, err := gm.Digest(pub, msg)
		return e, opts, err
	}
	return s.Hash.Sum(msg), opts, nil
}

// opts is how a key of the scheme is told what to do. A key of another kind is an error.
func (s Scheme) opts(pub crypto.PublicKey) (crypto.SignerOpts, error) {
	h := s.Hash.Crypto()
	switch k := pub.(type) {
	case *rsa.PublicKey:
		switch {
		case k.N.BitLen() > maxRSA:
			return nil, fmt.Errorf("%w: RSA of %d bits; %d are the most", ErrUnsupportedKey, k.N.BitLen(), maxRSA)
		case s.Kind == RSA && h != 0:
			return h, nil
		case s.Kind == RSAPSS && h != 0:
			return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: h}, nil
		}
	case *ecdsa.PublicKey:
		sm2 := gm.IsSM2(k)
		switch {
		case sm2 && s == Scheme{SM2, SM3}:
			return crypto.Hash(0), nil
		case !sm2 && s.Kind == ECDSA && h != 0:
			return h, nil
		}
	}
	return nil, fmt.Errorf("%w: %s with a key of type %T", ErrUnsupportedKey, s, pub)
}
