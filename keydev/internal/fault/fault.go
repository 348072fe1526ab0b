// Package fault holds the errors on which callers of keydev branch. keydev exports them; its drivers, which keydev
// imports, wrap them. Their texts have no prefix: they always stand in a keydev.Error.
package fault

import "errors"

var (
	ErrNoKey          = errors.New("no such key")
	ErrAmbiguous      = errors.New("more than one key answers to this")
	ErrPINIncorrect   = errors.New("PIN incorrect")
	ErrPINLocked      = errors.New("PIN locked")
	ErrFingerMismatch = errors.New("finger not recognised")
	ErrFingerLocked   = errors.New("fingerprints locked")
	ErrNoAuth         = errors.New("a PIN is needed and nobody gives one")
	ErrRemoved        = errors.New("device removed")
	ErrBusy           = errors.New("device busy")
	ErrClosed         = errors.New("device closed")
	ErrUnsupported    = errors.New("not supported")
	ErrMismatch       = errors.New("certificate does not belong to the key")
	ErrUnsafe         = errors.New("private key not protected")
	ErrDigest         = errors.New("digest does not fit the key")
	ErrMalformed      = errors.New("malformed")
)
