package sign

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ErrXMLValue: the bytes are no XMLValue.
var ErrXMLValue = errors.New("sign: malformed XML signature value")

// An XMLValue is the value of a Part of format XML: what the signer made, and what the container has to write around it. Its DER is
//
//	SEQUENCE { value OCTET STRING, reference [0] EXPLICIT UTF8String OPTIONAL,
//	           evidence [1] EXPLICIT OCTET STRING OPTIONAL, timeStamp [2] EXPLICIT OCTET STRING OPTIONAL }
type XMLValue struct {
	Value     []byte // SignatureValue: of RSA as it is, of ECDSA r and s, each as long as the curve's order (RFC 6931 2.3.6)
	Reference string // Act.Reference, which SignatureComments ends with; empty: none
	Evidence  []byte // Act.Evidence, for a file of its own; nil: none, or the seal signature of the same Act has it
	TimeStamp []byte // TimeStampToken over the canonical SignatureValue (XAdES-T); nil: none
}

// Marshal writes the DER.
func (v XMLValue) Marshal() []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(v.Value)
		addOptional(b, 0, asn1.UTF8String, []byte(v.Reference))
		addOptional(b, 1, asn1.OCTET_STRING, v.Evidence)
		addOptional(b, 2, asn1.OCTET_STRING, v.TimeStamp)
	})
	return b.BytesOrPanic()
}

func addOptional(b *cryptobyte.Builder, n uint8, tag asn1.Tag, content []byte) {
	if len(content) == 0 {
		return
	}
	b.AddASN1(asn1.Tag(n).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	})
}

// ParseXMLValue reads what Marshal wrote, and nothing else: ErrXMLValue.
func ParseXMLValue(der []byte) (v XMLValue, err error) {
	in := cryptobyte.String(der)
	var seq, value cryptobyte.String
	ok := in.ReadASN1(&seq, asn1.SEQUENCE) && in.Empty() && seq.ReadASN1(&value, asn1.OCTET_STRING) && len(value) > 0
	optional := func(n uint8, tag asn1.Tag) []byte {
		var wrapped, content cryptobyte.String
		var there bool
		ok = ok && seq.ReadOptionalASN1(&wrapped, &there, asn1.Tag(n).ContextSpecific().Constructed())
		if !ok || !there {
			return nil
		}
		ok = wrapped.ReadASN1(&content, tag) && wrapped.Empty() && len(content) > 0
		return append([]byte(nil), content...)
	}
	v.Value = append([]byte(nil), value...)
	v.Reference = string(optional(0, asn1.UTF8String))
	v.Evidence = optional(1, asn1.OCTET_STRING)
	v.TimeStamp = optional(2, asn1.OCTET_STRING)
	if !ok || !seq.Empty() {
		return XMLValue{}, fmt.Errorf("%w (%d bytes)", ErrXMLValue, len(der))
	}
	return v, nil
}
