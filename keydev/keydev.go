package keydev

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/courtseal/courtseal/keydev/internal/fault"
)

// A Device holds keys. It is safe for concurrent use.
type Device interface {
	// Keys lists the keys without asking for a PIN. What is known of a key that cannot be used stands in the list
	// with its Err; the error is for the list as a whole.
	Keys(ctx context.Context) ([]KeyInfo, error)
	// Key prepares a key for signing. auth may be nil where nobody can be asked: the device then answers ErrNoAuth
	// when it needs a PIN. It is called at most once at a time for one key.
	Key(ctx context.Context, name string, auth Auth) (Key, error)
	// Close gives the device back. Its keys answer ErrClosed from then on.
	Close() error
}

// A Key is a private key and its certificates. It is safe for concurrent use, and has the methods of sign.Key.
type Key interface {
	Public() crypto.PublicKey
	// Chain is DER, the key's own certificate first; the caller does not change it.
	Chain() [][]byte
	// SignDigest signs a digest. SM2: digest is e = SM3(Z||M), 32 bytes, and opts is crypto.Hash(0).
	// RSA: opts is a crypto.Hash (PKCS #1 v1.5) or *rsa.PSSOptions. ECDSA: opts is a crypto.Hash.
	// The hash is SHA-256, SHA-384 or SHA-512. Anything else is ErrDigest. SM2 and ECDSA answer DER SEQUENCE { r, s }.
	SignDigest(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

// A KeyInfo says what a key is, as far as that can be seen without a PIN. Where the certificate is locked up with the
// key (PKCS #12), only Name is known.
type KeyInfo struct {
	Name    string
	Kind    string // "SM2", "RSA-2048", "P-256", "P-384"
	Subject string // of the certificate
	Serial  string // of the certificate, hexadecimal
	Sign    bool   // the certificate allows signatures; it also does if it does not say
	Encrypt bool   // the certificate allows encryption
	Cert    []byte // DER
	Err     error  // why the key cannot be used; nil: nothing known against it
}

// An Auth is asked for a PIN or a finger when a device needs one. It blocks until a person has answered or ctx ends.
// Its error ends the operation and is wrapped by the operation's error.
type Auth func(ctx context.Context, p Prompt) (Reply, error)

// A Prompt says what a device needs.
type Prompt struct {
	Key       string // as in a URI, such as soft:keys#presiding-judge
	Finger    bool   // a finger will do in place of a PIN
	TriesLeft int    // before the device locks; -1: it does not count or does not say
}

// A Reply answers a Prompt.
type Reply struct {
	PIN    []byte // the device wipes it as soon as it was used; an empty PIN is never sent
	Finger bool   // the person puts a finger on the device instead
}

// PIN returns an Auth that answers with pin, once; pin is then wiped. Asked again, after a wrong PIN or by a device
// that wants the PIN for every signature, it answers ErrNoAuth.
func PIN(pin []byte) Auth {
	var used atomic.Bool
	return func(context.Context, Prompt) (Reply, error) {
		if used.Swap(true) {
			return Reply{}, fmt.Errorf("%w: the one that was given is used up", ErrNoAuth)
		}
		return Reply{PIN: pin}, nil
	}
}

// The causes on which a caller branches, by errors.Is.
var (
	ErrURI            = errors.New("not a URI of a key device")
	ErrNoKey          = fault.ErrNoKey          // no such key, or one without its certificate
	ErrAmbiguous      = fault.ErrAmbiguous      // the name or the file means several keys
	ErrPINIncorrect   = fault.ErrPINIncorrect   // TriesLeft says how many are left
	ErrPINLocked      = fault.ErrPINLocked      // the device takes no PIN any more
	ErrFingerMismatch = fault.ErrFingerMismatch // TriesLeft says how many are left
	ErrFingerLocked   = fault.ErrFingerLocked   // the device takes no finger any more; a PIN may do
	ErrNoAuth         = fault.ErrNoAuth         // a PIN is needed and there is nobody to ask
	ErrRemoved        = fault.ErrRemoved        // unplugged; open it again
	ErrBusy           = fault.ErrBusy           // another call or program uses it; try later
	ErrClosed         = fault.ErrClosed
	ErrUnsupported    = fault.ErrUnsupported // by this build, this device or this format
	ErrMismatch       = fault.ErrMismatch    // the certificate belongs to another key
	ErrUnsafe         = fault.ErrUnsafe      // the private key lies open to others
	ErrDigest         = fault.ErrDigest      // digest or options do not fit the key
	ErrMalformed      = fault.ErrMalformed   // a file or an answer that is not what it should be, or out of bounds
)

// An Error says which device or key failed, and why.
type Error struct {
	Where     string // as in a URI, such as soft:keys#presiding-judge
	TriesLeft int    // before the device locks; -1: it does not count or does not say
	Err       error
}

func (e *Error) Error() string {
	s := "keydev: " + e.Where + ": " + e.Err.Error()
	if e.TriesLeft >= 0 {
		s += fmt.Sprintf(" (tries left: %d)", e.TriesLeft)
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// failed wraps err, unless it is nil.
func failed(where string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Where: where, TriesLeft: -1, Err: err}
}

// Open opens a device: "soft:DIR".
func Open(ctx context.Context, uri string) (Device, error) {
	if err := ctx.Err(); err != nil {
		return nil, failed(uri, err)
	}
	scheme, rest, _ := strings.Cut(uri, ":")
	switch scheme {
	case "soft":
		d, err := openSoft(rest)
		return d, failed(uri, err)
	case "skf", "sdf", "pkcs11", "exec":
		return nil, failed(uri, fmt.Errorf("%w: there is no driver for %s: in this version; soft:DIR opens key files", ErrUnsupported, scheme))
	}
	return nil, failed(uri, fmt.Errorf("%w: it begins with soft:, as in soft:DIR#NAME", ErrURI))
}

// OpenKey opens the device of a URI and the key its fragment names, as in "soft:DIR#NAME". The caller closes the device
// when the key is no longer needed.
func OpenKey(ctx context.Context, uri string, auth Auth) (Key, Device, error) {
	device, name, ok := cutFragment(uri)
	if !ok {
		return nil, nil, failed(uri, fmt.Errorf("%w: the name of a key is missing; it ends in #NAME", ErrURI))
	}
	d, err := Open(ctx, device)
	if err != nil {
		return nil, nil, err
	}
	k, err := d.Key(ctx, name, auth)
	if err != nil {
		d.Close()
		return nil, nil, err
	}
	return k, d, nil
}

func cutFragment(uri string) (device, name string, ok bool) {
	i := strings.LastIndexByte(uri, '#')
	if i < 0 || i == len(uri)-1 {
		return uri, "", false
	}
	return uri[:i], uri[i+1:], true
}
