package seal

import (
	"context"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/sign"
)

// Version is the generation of a seal and its signatures.
type Version int

const (
	V1 Version = 1 // GM/T 0031-2014
	V4 Version = 4 // GB/T 38540-2020
	V5 Version = 5 // GM/T 0031-2025
)

// CertListType says what a seal's certList holds.
type CertListType int

const (
	Certificates CertListType = 1
	Digests      CertListType = 2
)

// A Seal is an SESeal: parsed, or the template for Make.
type Seal struct {
	Raw []byte // the bytes as found; never re-encoded

	Version Version
	Vid     string // vendor id of the header
	ID      string // esID

	Type         int
	Name         string
	CertListType CertListType
	Certs        [][]byte     // holders' certificates, DER (CertListType 1)
	CertDigests  []CertDigest // (CertListType 2)
	Created      time.Time
	NotBefore    time.Time
	NotAfter     time.Time

	Picture    sign.Picture
	Extensions []Extension

	MakerCert []byte // DER
	Algorithm der.OID
	Value     []byte // signedValue / signData
	TimeStamp []byte // V5: DER TimeStampToken; nil: none

	Notes []sign.Note // what is out of the standard but read all the same
}

// A CertDigest is one CertDigestObj.
type CertDigest struct {
	Type  string
	Value []byte
}

// An Extension is one ExtData.
type Extension struct {
	ID       der.OID
	Critical bool
	Value    []byte
}

// A Signature is a parsed SES_Signature.
type Signature struct {
	Raw        []byte
	Version    Version
	Seal       *Seal
	Time       time.Time // timeInfo; zero where V1 holds a TimeStampToken instead
	DataHash   []byte
	Property   string // propertyInfo
	Extensions []Extension
	Cert       []byte // signer, DER
	Algorithm  der.OID
	Value      []byte
	TimeStamp  []byte
	Notes      []sign.Note
}

// Parse reads an SESeal of any generation.
func Parse(b []byte) (*Seal, error) { panic("not built yet") }

// ReadFile reads a seal from a file (.esl).
func ReadFile(name string) (*Seal, error) { panic("not built yet") }

// ParseSignature reads an SES_Signature of any generation.
func ParseSignature(b []byte) (*Signature, error) { panic("not built yet") }

// Make signs the template with the maker's key.
func Make(ctx context.Context, template *Seal, maker sign.Key) (*Seal, error) { panic("not built yet") }

// VerifyValue checks the maker's signature value over the original bytes. It says nothing of trust or time.
func (s *Seal) VerifyValue() error { panic("not built yet") }

// Holds reports whether certList names the certificate.
func (s *Seal) Holds(cert []byte) bool { panic("not built yet") }

// VerifyValue checks the signer's value over the original bytes of TBS_Sign.
func (s *Signature) VerifyValue() error { panic("not built yet") }

// StampOptions say how a seal is used. See the package documentation for the formats.
type StampOptions struct {
	Format sign.Format      // zero: dual with Outer, else cms
	Outer  sign.Key         // RSA or ECDSA key of dual
	Now    func() time.Time // zero: time.Now
}

// Stamp returns a Signer that seals with this seal and the key of one of its holders.
func (s *Seal) Stamp(key sign.Key, o StampOptions) (sign.Signer, error) { panic("not built yet") }
