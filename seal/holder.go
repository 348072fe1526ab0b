package seal

import (
	"errors"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

var (
	// ErrNotHolder: the key's certificate is not in the seal's certList. GB/T 38540-2020 7.2: where the certificate was
	// renewed, the seal has to be made anew with it.
	ErrNotHolder = errors.New("seal: not a holder of the seal")
	// ErrExpired is what every ExpiredError wraps.
	ErrExpired = errors.New("seal: outside its validity")
	// ErrUnsupportedVersion: a seal of a generation that is only read here; those of GB/T 38540-2020 and GM/T 0031-2025
	// are made and used.
	ErrUnsupportedVersion = errors.New("seal: version is read only")
)

// An ExpiredError says what is not, or not yet, valid. It wraps ErrExpired.
type ExpiredError struct {
	What                string    // "seal", "certificate" (of the key), "outer certificate", "maker certificate"
	At                  time.Time // the time at which it was to be valid
	NotBefore, NotAfter time.Time // both included
}

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("%v: %s is valid from %s to %s, not at %s", ErrExpired, e.What,
		e.NotBefore.UTC().Format(time.RFC3339), e.NotAfter.UTC().Format(time.RFC3339), e.At.UTC().Format(time.RFC3339))
}

func (e *ExpiredError) Unwrap() error { return ErrExpired }

func period(what string, at, notBefore, notAfter time.Time) error {
	at = at.Truncate(time.Second) // the last second counts whole
	if at.Before(notBefore) || at.After(notAfter) {
		return &ExpiredError{What: what, At: at, NotBefore: notBefore, NotAfter: notAfter}
	}
	return nil
}

// A keyholder is a key with its certificate, fit for signing.
type keyholder struct {
	sign.Key
	what   string // its certificate, in errors
	cert   *gm.Certificate
	scheme sign.Scheme
}

func newKeyholder(key sign.Key, what string) (*keyholder, error) {
	if key == nil || len(key.Chain()) == 0 {
		return nil, fmt.Errorf("%w: no %s", sign.ErrKeyMismatch, what)
	}
	c, err := gm.ParseCertificate(key.Chain()[0])
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", sign.ErrKeyMismatch, what, err)
	}
	if !gm.SameKey(c.PublicKey, key.Public()) {
		return nil, fmt.Errorf("%w: %s %q holds another public key", sign.ErrKeyMismatch, what, c.Subject)
	}
	scheme, err := sign.SchemeFor(key.Public())
	if err != nil {
		return nil, fmt.Errorf("seal: %s: %w", what, err)
	}
	if err := signingCert(c, what); err != nil {
		return nil, err
	}
	return &keyholder{key, what, c, scheme}, nil
}

func (h *keyholder) validAt(t time.Time) error {
	return period(h.what, t, h.cert.NotBefore, h.cert.NotAfter)
}

// signingCert refuses a certificate that is for encryption. More bits of KeyUsage than are needed do no harm: real makers'
// certificates have all of them.
func signingCert(c *gm.Certificate, what string) error {
	if may, _ := gm.MaySign(c); !may {
		return fmt.Errorf("%w: %s %q is for encryption; take the signing certificate of the pair", sign.ErrEncryptionCert, what, c.Subject)
	}
	return nil
}
