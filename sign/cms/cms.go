package cms

import (
	"context"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/sign"
)

// Options say how a SignedData is written. The zero value is right for PAdES.
type Options struct {
	Scheme      sign.Scheme      // zero: sign.SchemeFor the key
	SM2OID      SM2OID           // how SM2 is named in signatureAlgorithm; zero: SM2WithSM3
	SigningTime bool             // write signingTime from Now; never in PAdES
	Now         func() time.Time // zero: time.Now
	Attributes  []Attribute      // further signed attributes
}

// SM2OID chooses the OBJECT IDENTIFIER written for an SM2 signature value.
type SM2OID int

const (
	SM2WithSM3 SM2OID = iota // 1.2.156.10197.1.501
	SM2Sign                  // 1.2.156.10197.1.301.1, as GB/T 35275 prints it
)

// An Attribute of a SignerInfo.
type Attribute struct {
	Type   der.OID
	Values [][]byte // DER, each one value
}

// Sign makes a detached SignedData over content whose digest (by the scheme's hash) is given.
func Sign(ctx context.Context, key sign.Key, digest []byte, o Options) ([]byte, error) {
	panic("not built yet")
}

// MaxSize is the longest SignedData that Sign makes with this key and these options, attributes included.
func MaxSize(key sign.Key, o Options) (int, error) { panic("not built yet") }

// New returns a Signer of CMS values.
func New(key sign.Key, o Options) (sign.Signer, error) { panic("not built yet") }

// SignedData is a parsed SignedData.
type SignedData struct {
	Raw          []byte
	ContentType  der.OID // of the ContentInfo: PKCS #7 or GM signedData
	EContentType der.OID
	EContent     []byte // nil: detached
	Certificates [][]byte
	CRLs         [][]byte
	Signers      []SignerInfo
	Notes        []sign.Note
}

// A SignerInfo is one signature of a SignedData.
type SignerInfo struct {
	Issuer, Serial []byte // DER Name and INTEGER content octets; nil where SubjectKeyID is used
	SubjectKeyID   []byte
	DigestOID      der.OID
	SignatureOID   der.OID
	Scheme         sign.Scheme // what the two identifiers mean together; zero: unknown
	SignedAttrs    []byte      // DER SET OF as signed (tag 31); nil: none
	Attributes     []Attribute
	Signature      []byte
	Unsigned       []Attribute
}

// Parse reads a SignedData: strict DER, and BER's indefinite lengths and constructed strings where real files have them.
func Parse(b []byte) (*SignedData, error) { panic("not built yet") }

// Verify checks, for each signer, contentType, messageDigest, signing-certificate(-v2) and the signature value against
// the digests of the content. It says nothing of trust.
func (sd *SignedData) Verify(content sign.Sums) error { panic("not built yet") }

// Attribute returns the values of a signed attribute; ok is false where it is absent or stands twice.
func (si *SignerInfo) Attribute(t der.OID) (values [][]byte, ok bool) { panic("not built yet") }

// Certificate picks the signer's own certificate from DER certificates; nil: not there.
func (si *SignerInfo) Certificate(certs [][]byte) []byte { panic("not built yet") }
