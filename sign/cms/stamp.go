package cms

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/sign"
)

// Codes of the notes of TimeStamp.
const (
	noteNotHad   = "timestamp-not-had"
	noteTooLarge = "timestamp-too-large"
)

// TimeStamp obtains a time stamp over a signature value from tsa, with the hash that the signature was made with. A
// token is returned only if it is a time-stamp token of just that value, its own signature value is right where its
// signer's certificate is inside, and it is no longer than sign.StampSize(tsa).
//
// Anything else costs the level and never the signature, which is made already: there is then no token and one note,
// "timestamp-not-had" or "timestamp-too-large". That holds for an ended ctx as well. With a nil tsa there is neither.
func TimeStamp(ctx context.Context, tsa sign.Timestamper, h sign.Hash, value []byte) (token []byte, notes []sign.Note) {
	if tsa == nil {
		return nil, nil
	}
	digest := h.Sum(value)
	token, err := tsa.Timestamp(ctx, h, digest)
	if err == nil {
		if n := sign.StampSize(tsa); len(token) > n {
			return nil, []sign.Note{{Code: noteTooLarge,
				Detail: fmt.Sprintf("The time stamp has %d octets, and there is room for %d.", len(token), n)}}
		}
		err = checkToken(token, h, digest)
	}
	if err != nil {
		return nil, []sign.Note{{Code: noteNotHad, Detail: fmt.Sprintf("There is no time stamp: %.500v.", err)}}
	}
	return token, nil
}

// checkToken asks of a token what can be asked without trust.
func checkToken(token []byte, h sign.Hash, digest []byte) error {
	sd, err := Parse(token)
	if err != nil {
		return fmt.Errorf("time-stamp token: %w", err)
	}
	if sd.EContentType != oidTSTInfo {
		return fmt.Errorf("%w: %s is no time-stamp token", ErrContentType, sd.EContentType)
	}
	s := cryptobyte.String(sd.EContent)
	var imprint, got cryptobyte.String
	var oid der.OID
	if !s.ReadASN1(&s, asn1.SEQUENCE) || !s.SkipASN1(asn1.INTEGER) || !s.SkipASN1(asn1.OBJECT_IDENTIFIER) ||
		!s.ReadASN1(&imprint, asn1.SEQUENCE) || !der.ReadAlgorithm(&imprint, &oid, new([]byte)) ||
		!imprint.ReadASN1(&got, asn1.OCTET_STRING) {
		return fmt.Errorf("%w: TSTInfo", ErrMalformed)
	}
	if sign.HashOf(oid) != h || !bytes.Equal(got, digest) {
		return fmt.Errorf("%w: the time-stamp token is over something else", ErrDigest)
	}
	if err := sd.Verify(sd.Sums()); err != nil && !errors.Is(err, ErrNoCertificate) && !errors.Is(err, ErrUnsupported) {
		return fmt.Errorf("time-stamp token: %w", err)
	}
	return nil
}

// Sums are the digests of EContent by the hashes of the signers: what Verify takes where the content is inside.
func (sd *SignedData) Sums() sign.Sums {
	sums := sign.Sums{}
	for i := range sd.Signers {
		if h, err := sd.Signers[i].hash(); err == nil && sums[h] == nil && sd.EContent != nil {
			sums[h] = h.Sum(sd.EContent)
		}
	}
	return sums
}

// TimeStamps are the time-stamp tokens over the signature value, DER, among the unsigned attributes. Nothing in them
// has been looked at.
func (si *SignerInfo) TimeStamps() (tokens [][]byte) {
	for _, a := range si.Unsigned {
		if a.Type == oidTimeStampToken {
			tokens = append(tokens, a.Values...)
		}
	}
	return tokens
}
