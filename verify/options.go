package verify

import "time"

// Options say what is trusted and what is known. The zero value trusts nobody and asks nobody: every signature is then
// Indeterminate at best. Nothing here reaches the network.
type Options struct {
	Roots        *Roots           // nil: nobody is trusted
	At           time.Time        // the moment to judge for; zero: now
	Now          func() time.Time // nil: time.Now; asked once, and only where At is zero
	States       StateSource      // of seals; nil: not asked
	CRLs         [][]byte         // DER
	OCSPs        [][]byte         // DER OCSPResponses
	Certificates [][]byte         // DER, to build chains with, not trusted
	Password     []byte           // user or owner password of an encrypted file; nil: the empty one
	Limits       Limits

	// Strict2020 takes GB/T 38540-2020 by the letter, as its test laboratories do: a maker certificate or a seal that
	// has expired by now makes the seal invalid, whenever it was made or used, and so does an unknown critical
	// extension. Otherwise the maker is judged for the moment the seal was made, as GM/T 0031-2025 has it.
	Strict2020 bool
}

// Limits bound what a document may ask for. Zero: the defaults.
type Limits struct {
	Signatures int // 0: 1,000
	Objects    int // indirect objects visited to compare revisions; 0: 50,000, and one more for each 8 bytes of the file, at most 2,000,000
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
