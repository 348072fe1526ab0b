package seal

import (
	"errors"
	"fmt"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// ErrNoSeal: a CMS that binds no seal.
var ErrNoSeal = errors.New("seal: the signature has no seal")

// Of reads the seal out of a signature value of any format: an SES_Signature, or a CMS SignedData of one signer that
// binds a seal or an SES_Signature as sign/FORMAT.md has it. Like Parse it trusts nothing. The errors are ErrNoSeal,
// ErrMalformed and those of cms.Parse. The Seal shares value.
func Of(value []byte) (*Seal, error) {
	if in := der.Content(value, 0x30); len(in) == 0 || in[0] != 0x06 {
		return inside(value)
	}
	sd, err := cms.Parse(value)
	if err != nil {
		return nil, err
	}
	if len(sd.Signers) != 1 {
		return nil, fmt.Errorf("%w: %d signers", ErrNoSeal, len(sd.Signers))
	}
	signer := &sd.Signers[0]
	if v, ok := signer.Attribute(sign.AttributeSeal); ok && len(v) == 1 {
		return Parse(v[0])
	}
	if v, ok := signer.Attribute(sign.AttributeSignature); ok && len(v) == 1 {
		return inside(v[0])
	}
	return nil, ErrNoSeal
}

func inside(signature []byte) (*Seal, error) {
	s, err := ParseSignature(signature)
	if err != nil {
		return nil, err
	}
	return s.Seal, nil
}
