package sign

import "github.com/courtseal/courtseal/internal/der"

// An OID is the content octets of an OBJECT IDENTIFIER: comparable, of arcs of any length. String gives dotted text.
type OID = der.OID

// ParseOID turns dotted text into an OID.
func ParseOID(s string) (OID, error) { return der.ParseOID(s) }

// Types of the signed attributes that bind a seal or evidence to a CMS SignedData. FORMAT.md beside this file defines
// their values. The arc is 1.2.840.113556.1.8000.2554.28574.50230.50420.17023.35091.14912170.8524227.
const (
	AttributeSeal      = arc + "\x01" // .1: the SESeal
	AttributeSignature = arc + "\x02" // .2: an SES_Signature over the same content
	AttributeEvidence  = arc + "\x03" // .3: OCTET STRING, the evidence of a ledger
	AttributePolicy    = arc + "\x04" // .4: the policy a seal is used under
)

const arc OID = "\x2a\x86\x48\x86\xf7\x14\x01\xbe\x40\x93\x7a\x81\xdf\x1e\x83\x88\x36\x83\x89\x74\x81\x84\x7f\x82\x92\x13\x87\x8e\x95\x2a\x84\x88\xa3\x43"
