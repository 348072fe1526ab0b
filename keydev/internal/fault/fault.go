// Package fault holds the errors on which callers of keydev branch. keydev exports them; its drivers, which keydev
// imports, wrap them. Their texts
// have no prefix: they always stand in a keydev.Error.
package fault

import "errors"

var (
	NoKey          = errors.New("no such key")
	Ambiguous      = errors.New("more than one key answers to this")
	PINIncorrect   = errors.New("PIN incorrect")
	PINLocked      = errors.New("PIN locked")
	FingerMismatch = errors.New("finger not recognised")
	FingerLocked   = errors.New("fingerprints locked")
	NoAuth         = errors.New("a PIN is needed and nobody gives one")
	Removed        = errors.New("device removed")
	Busy           = errors.New("device busy")
	Closed         = errors.New("device closed")
	Unsupported    = errors.New("not supported")
	Mismatch       = errors.New("certificate does not belong to the key")
	Unsafe         = errors.New("private key not protected")
	Digest         = errors.New("digest does not fit the key")
	Malformed      = errors.New("malformed")
)
