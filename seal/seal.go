package seal

import (
	"time"

	"github.com/courtseal/courtseal/sign"
)

// Version is the version number of a seal and its signatures, and with it the standard they follow.
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

	Version Version // as the header says; see Generation
	Vid     string  // vendor id of the header
	ID      string  // esID

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
	Algorithm sign.OID
	Value     []byte // signedValue / signData
	TimeStamp []byte // V5: DER TimeStampToken over Value; nil: none

	Notes []sign.Note // what is out of the standard but read all the same

	generation            Version
	c0119                 bool
	info, certRaw, algRaw []byte // the elements as found
}

// Generation is the standard whose shape the seal has: V1, V4 or V5. Files were seen in which Version says otherwise,
// as GM/T 0031-2014 only gives an example of the number.
func (s *Seal) Generation() Version {
	if s.generation == 0 {
		return s.Version
	}
	return s.generation
}

// C0119 reports whether the seal is of the withdrawn C0119: version 4's shape with version 1's times.
func (s *Seal) C0119() bool { return s.c0119 }

// A CertDigest is one CertDigestObj.
type CertDigest struct {
	Type  string
	Value []byte
}

// An Extension is one ExtData.
type Extension struct {
	ID       sign.OID
	Critical bool
	Value    []byte
}

// A Signature is a parsed SES_Signature.
type Signature struct {
	Raw        []byte
	Version    Version // of TBS_Sign; the standards want it equal to Seal.Version
	Seal       *Seal
	Time       time.Time   // timeInfo; zero where a TimeStampToken stands instead, or nothing readable
	TimeToken  []byte      // DER TimeStampToken in timeInfo, as GM/T 0031-2014 allows; nil: none
	DataHash   []byte      // hash of what is sealed
	Property   string      // propertyInfo: what is sealed
	Extensions []Extension // of TBS_Sign
	Cert       []byte      // signer, DER
	Algorithm  sign.OID
	Value      []byte
	TimeStamp  []byte      // DER TimeStampToken over Value, from V4 on; nil: none
	Notes      []sign.Note // what is out of the standard; Seal.Notes has those of the seal

	v1                               bool   // certificate and algorithm stand in toSign
	tbs, tbsContent, certRaw, algRaw []byte // the elements as found
}
