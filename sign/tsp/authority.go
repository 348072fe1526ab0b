package tsp

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// ErrNotTSA: a key whose certificate is not one for time stamps alone.
var ErrNotTSA = errors.New("tsp: not a time-stamping certificate")

// AuthorityOptions say how an Authority stamps.
type AuthorityOptions struct {
	Policy   sign.OID         // under which it stamps; there must be one
	Accuracy time.Duration    // of Now, in whole milliseconds; a second or more, since genTime is in whole seconds; zero: 1 s
	Now      func() time.Time // nil: time.Now; where it answers the zero time, no stamp is made (timeNotAvailable)
	Scheme   sign.Scheme      // zero: sign.SchemeFor the key
}

// An Authority makes time stamps with a key (a TSA). It stamps digests of SM3, SHA-256, SHA-384 and SHA-512, whatever its
// key is. With an SM2 key tokens are as GM/T 0033 wants them: the ContentInfo is named as in GM/T 0010, the certificate
// by signing-certificate-v2 with SM3. Serial numbers are random, 126 bits. It is safe for concurrent use.
type Authority struct {
	o             AuthorityOptions
	with, without maker // certificates
}

type maker = func(ctx context.Context, content []byte) (sign.Value, error)

// NewAuthority makes an Authority. The key's certificate must have the extended key usage timeStamping, critical and
// alone (RFC 3161, 2.3), or the error is ErrNotTSA. Without a policy it is ErrPolicy; the other errors are those of
// cms.Sign.
func NewAuthority(key sign.Key, o AuthorityOptions) (*Authority, error) {
	if !o.Policy.Valid() {
		return nil, fmt.Errorf("%w: an authority has to name one", ErrPolicy)
	}
	if o.Accuracy == 0 {
		o.Accuracy = time.Second
	}
	if o.Accuracy < time.Second || o.Accuracy%time.Millisecond != 0 || o.Accuracy > 24*time.Hour {
		return nil, fmt.Errorf("tsp: accuracy %s; whole milliseconds from 1 s to 24 h can be said", o.Accuracy)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Authority{o: o}
	options := cms.Options{Scheme: o.Scheme}
	if key != nil {
		options.GM = gm.IsSM2(key.Public())
	}
	var err error
	if a.with, err = cms.Attached(key, oidTSTInfo, options); err != nil {
		return nil, err
	}
	options.NoChain = true
	if a.without, err = cms.Attached(key, oidTSTInfo, options); err != nil {
		return nil, err
	}
	cert, err := gm.ParseCertificate(key.Chain()[0])
	if err != nil {
		return nil, err
	}
	if !forTimeStamps(cert) {
		return nil, fmt.Errorf("%w: %q; it must have the extended key usage timeStamping, critical and alone", ErrNotTSA, cert.Subject)
	}
	return a, nil
}

const (
	oidExtKeyUsage = "2.5.29.37"
	keyUsage       = "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08" // of id-kp-timeStamping alone
)

func forTimeStamps(c *gm.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == oidExtKeyUsage {
			return e.Critical && string(e.Value) == keyUsage
		}
	}
	return false
}

// Respond answers a TimeStampReq with a TimeStampResp. There is always something to send; err, for the operator, says
// why it holds no stamp: a *StatusError for a request that is refused, with the key's own error beside it where that is
// why.
func (a *Authority) Respond(ctx context.Context, request []byte) (response []byte, err error) {
	token, err := a.stamp(ctx, request)
	if err == nil {
		return respond(token, nil), nil
	}
	var refused *StatusError
	if !errors.As(err, &refused) {
		refused = refuse(systemFailure, "the stamp could not be made")
		err = fmt.Errorf("%w: %w", refused, err)
	}
	return respond(nil, refused), err
}

func (a *Authority) stamp(ctx context.Context, request []byte) ([]byte, error) {
	r, err := parseRequest(request)
	if err != nil {
		return nil, err
	}
	if r.Policy != "" && r.Policy != a.o.Policy {
		return nil, refuse(unacceptedPolicy, fmt.Sprintf("stamps are made under %s", a.o.Policy))
	}
	now := a.o.Now()
	if now.IsZero() {
		return nil, refuse(timeNotAvailable, "the time is not known now")
	}
	sign := a.without
	if r.CertReq {
		sign = a.with
	}
	v, err := sign(ctx, a.info(r, now))
	return v.Bytes, err
}

// info is the TSTInfo. genTime is in whole seconds, which any reader takes.
func (a *Authority) info(r *Request, now time.Time) []byte {
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] = serial[0]&0x7f | 0x40 // positive, and always of that length

	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		der.AddOID(b, a.o.Policy)
		addImprint(b, r.Hash, r.Digest)
		addOctets(b, asn1.INTEGER, serial)
		addOctets(b, asn1.GeneralizedTime, []byte(now.UTC().Format("20060102150405Z")))
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(a.o.Accuracy / time.Second))
			if millis := a.o.Accuracy % time.Second / time.Millisecond; millis > 0 {
				b.AddASN1Int64WithTag(int64(millis), primitive0)
			}
		})
		if r.Nonce != nil {
			addOctets(b, asn1.INTEGER, r.Nonce)
		}
	})
	return b.BytesOrPanic()
}

// Timestamp makes a stamp for the program's own use: an Authority is a sign.Timestamper.
func (a *Authority) Timestamp(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
	r, err := NewRequest(h, digest)
	if err != nil {
		return nil, err
	}
	return a.stamp(ctx, r.Bytes())
}
