package verify

import (
	"fmt"
	"time"
)

// Options say what is trusted and what is known. The zero value trusts nobody and asks nobody: every signature is then
// Indeterminate at best. Nothing here reaches the network.
type Options struct {
	Roots        *Roots           // nil: nobody is trusted
	At           time.Time        // the moment to judge for; zero: now
	Now          func() time.Time // nil: time.Now; asked once, and only where At is zero
	States       StateSource      // of seals; nil: not asked
	Sealings     SealingSource    // the books of sealings: which are withdrawn, which were reconciled, when a value was entered; nil: not asked
	Logs         Logs             // ledgers that are known; zero: none but those that the maker of a seal names in it
	CRLs         [][]byte         // DER
	OCSPs        [][]byte         // DER OCSPResponses
	Certificates [][]byte         // DER, to build chains with, not trusted
	Seals        [][]byte         // DER SESeals: a picture in the document that looks like one of theirs, and belongs to no signature with it, is told of; not trusted
	Password     []byte           // user or owner password of an encrypted file; nil: the empty one
	Policy       Policy           // how the standards are read; zero: Default
	Algorithms   []Algorithm      // until when hashes and keys protect, where that is not as in docs/verification.md; each is of one entry there, or adds a size of keys
	Limits       Limits
}

// Limits bound what a document may ask for. Zero: the defaults.
type Limits struct {
	Signatures int // 0: 1,000
	Objects    int // indirect objects visited to compare revisions, or parts and relationships compared with signatures; 0: 50,000, and one more for each 8 bytes of the file, at most 2,000,000
}

func (l Limits) orDefaults(size int64) Limits {
	if l.Signatures <= 0 {
		l.Signatures = 1000
	}
	if l.Objects <= 0 {
		l.Objects = int(min(50_000+size/8, 2_000_000))
	}
	return l
}

// A Policy says how the standards are read where they differ or are harsher than their sense.
type Policy int

const (
	// Default judges the maker of a seal for the moment the seal was made, as GM/T 0031-2025 has it for all seals to come,
	// and takes a seal for good that was valid when it was used. An unknown critical extension of a seal or seal signature is told of.
	Default Policy = iota
	// Strict2020 takes GB/T 38540-2020 by the letter, as test laboratories do, for its own seals and those of GM/T
	// 0031-2014, whose words are the same: a maker's certificate or a seal that has ended by now makes the seal
	// invalid, whenever it was made or used. Seals of GM/T 0031-2025 must not have ended either; their makers are judged
	// as GM/T 0031-2025 says. An unknown critical extension of a seal or seal signature makes it invalid.
	Strict2020
)

var policyNames = [...]string{Default: "default", Strict2020: "strict-2020"}

// String is the name used in JSON: default, strict-2020.
func (p Policy) String() string {
	if p < 0 || int(p) >= len(policyNames) {
		return fmt.Sprintf("policy(%d)", int(p))
	}
	return policyNames[p]
}

// MarshalText writes the name.
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the name.
func (p *Policy) UnmarshalText(b []byte) error {
	for i, n := range policyNames {
		if n == string(b) {
			*p = Policy(i)
			return nil
		}
	}
	return fmt.Errorf("verify: %q is not a policy", b)
}
