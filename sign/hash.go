package sign

import (
	"crypto"
	_ "crypto/md5" // read only, like SHA-1: old signatures are reported weak, not unreadable
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding"
	"fmt"
	"hash"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
)

// A Hash names a hash algorithm.
type Hash string

const (
	SM3    Hash = "SM3"
	SHA256 Hash = "SHA-256"
	SHA384 Hash = "SHA-384"
	SHA512 Hash = "SHA-512"
	SHA224 Hash = "SHA-224" // these to check what others made; nothing here signs with them
	SHA1   Hash = "SHA-1"
	MD5    Hash = "MD5"
)

// Sums are digests of one content, by the hash that made them.
type Sums map[Hash][]byte

var hashes = map[Hash]struct {
	std  crypto.Hash
	size int
	oid  OID
}{
	SM3:    {0, 32, der.MustOID("1.2.156.10197.1.401")},
	SHA256: {crypto.SHA256, 32, der.MustOID("2.16.840.1.101.3.4.2.1")},
	SHA384: {crypto.SHA384, 48, der.MustOID("2.16.840.1.101.3.4.2.2")},
	SHA512: {crypto.SHA512, 64, der.MustOID("2.16.840.1.101.3.4.2.3")},
	SHA224: {crypto.SHA224, 28, der.MustOID("2.16.840.1.101.3.4.2.4")},
	SHA1:   {crypto.SHA1, 20, der.MustOID("1.3.14.3.2.26")},
	MD5:    {crypto.MD5, 16, der.MustOID("1.2.840.113549.2.5")},
}

var hashOIDs = func() map[OID]Hash {
	m := map[OID]Hash{der.MustOID("1.2.156.10197.1.401.1"): SM3} // GB/T 33560 names both; it is the same hash
	for h, d := range hashes {
		m[d.oid] = h
	}
	return m
}()

// Size is the length of a digest in bytes; 0 for an unknown hash.
func (h Hash) Size() int { return hashes[h].size }

// OID is the object identifier of the hash; empty for an unknown hash.
func (h Hash) OID() OID { return hashes[h].oid }

// HashOf returns the hash that an object identifier names; empty: unknown.
func HashOf(o OID) Hash { return hashOIDs[o] }

// New starts a hash. Every one implements encoding.BinaryMarshaler, so that a running state can be cloned.
// It returns nil for an unknown hash.
func (h Hash) New() hash.Hash {
	d, ok := hashes[h]
	switch {
	case !ok:
		return nil
	case h == SM3:
		return gm.NewSM3()
	}
	return d.std.New()
}

// Sum hashes b.
func (h Hash) Sum(b []byte) []byte {
	s := h.New()
	s.Write(b)
	return s.Sum(nil)
}

// Crypto is the standard library's name; 0 for SM3, which has none.
func (h Hash) Crypto() crypto.Hash { return hashes[h].std }

// CloneHash copies a running hash, so that one pass over a file serves several signatures.
func CloneHash(h hash.Hash) (hash.Hash, error) {
	if c, ok := h.(hash.Cloner); ok {
		return c.Clone()
	}
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, fmt.Errorf("sign: a running %T cannot be copied", h)
	}
	state, err := m.MarshalBinary()
	if err != nil {
		return nil, err
	}
	n := gm.NewSM3() // the only hash here without hash.Cloner
	if err := n.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		return nil, err
	}
	return n, nil
}
