package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/courtseal/courtseal/internal/gm"
)

// A Profile is the hash of a log. A log has one, and its origin says which; two are never mixed in one tree.
// The zero Profile is SHA256.
type Profile string

const (
	SHA256 Profile = "sha256" // what C2SP tools read
	SM3    Profile = "sm3"    // the same structure with SM3
)

// ProfileOf returns the profile of the log with that origin: SM3 when its last path element is "sm3", else SHA256.
func ProfileOf(origin string) Profile {
	if strings.HasSuffix(origin, "/sm3") {
		return SM3
	}
	return SHA256
}

// Sum hashes b.
func (p Profile) Sum(b []byte) Hash {
	if p == SM3 {
		return gm.SumSM3(b)
	}
	return sha256.Sum256(b)
}

// LeafHash is the hash of an entry as a leaf of the tree: H(0x00 || entry) (RFC 6962, 2.1).
func (p Profile) LeafHash(entry []byte) Hash {
	b := make([]byte, 1, 1+len(entry))
	return p.Sum(append(b, entry...))
}

// NodeHash is the hash of an inner node: H(0x01 || left || right).
func (p Profile) NodeHash(left, right Hash) Hash {
	var b [1 + 2*HashSize]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+HashSize:], right[:])
	return p.Sum(b[:])
}

// EmptyRoot is the root of a tree without leaves: H().
func (p Profile) EmptyRoot() Hash { return p.Sum(nil) }

// HashSize is the length of a Hash in bytes, in every profile.
const HashSize = 32

// A Hash is a hash of a tree.
type Hash [HashSize]byte

// String is the hash in standard base64, as proofs and checkpoints have it.
func (h Hash) String() string { return base64.StdEncoding.EncodeToString(h[:]) }

// MarshalText writes what String gives.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads what String gives.
func (h *Hash) UnmarshalText(b []byte) (err error) {
	*h, err = ParseHash(string(b))
	return err
}

// ParseHash reads what String writes.
func ParseHash(s string) (Hash, error) {
	b, err := decode64(s)
	if err != nil || len(b) != HashSize {
		return Hash{}, fmt.Errorf("%w: %.60q is no hash of 32 bytes in base64", ErrFormat, s)
	}
	return Hash(b), nil
}

// decode64 reads standard base64 in its one canonical form: the standard library skips line ends and stray bits.
func decode64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err == nil && len(s) != base64.StdEncoding.EncodedLen(len(b)) {
		err = base64.CorruptInputError(len(s))
	}
	return b, err
}
