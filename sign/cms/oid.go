package cms

import (
	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/sign"
)

var (
	oidData         = der.MustOID("1.2.840.113549.1.7.1")
	oidSignedData   = der.MustOID("1.2.840.113549.1.7.2")
	oidGMData       = der.MustOID("1.2.156.10197.6.1.4.2.1") // GM/T 0010, GB/T 35275
	oidGMSignedData = der.MustOID("1.2.156.10197.6.1.4.2.2")

	oidContentType          = der.MustOID("1.2.840.113549.1.9.3")
	oidMessageDigest        = der.MustOID("1.2.840.113549.1.9.4")
	oidSigningTime          = der.MustOID("1.2.840.113549.1.9.5")
	oidSigningCertificate   = der.MustOID("1.2.840.113549.1.9.16.2.12") // RFC 2634: SHA-1
	oidSigningCertificateV2 = der.MustOID("1.2.840.113549.1.9.16.2.47") // RFC 5035

	oidTimeStampToken = der.MustOID("1.2.840.113549.1.9.16.2.14") // RFC 3161, appendix A
	oidTSTInfo        = der.MustOID("1.2.840.113549.1.9.16.1.4")

	oidRSA       = der.MustOID("1.2.840.113549.1.1.1")
	oidPSS       = der.MustOID("1.2.840.113549.1.1.10")
	oidMGF1      = der.MustOID("1.2.840.113549.1.1.8")
	oidSM2Sign   = der.MustOID("1.2.156.10197.1.301.1")
	oidSM2Curve  = der.MustOID("1.2.156.10197.1.301")
	oidSM2SM3    = der.MustOID("1.2.156.10197.1.501")
	oidSM2Slip   = der.MustOID("1.2.156.10197.501") // what some writers make of it
	oidSubjectID = der.MustOID("2.5.29.14")
)

// schemes are the signature algorithms that name their hash.
var schemes = map[der.OID]sign.Scheme{
	oidSM2SM3:                            {Kind: sign.SM2, Hash: sign.SM3},
	oidSM2Sign:                           {Kind: sign.SM2, Hash: sign.SM3},
	oidSM2Curve:                          {Kind: sign.SM2, Hash: sign.SM3},
	oidSM2Slip:                           {Kind: sign.SM2, Hash: sign.SM3},
	der.MustOID("1.2.840.113549.1.1.4"):  {Kind: sign.RSA, Hash: sign.MD5},
	der.MustOID("1.2.840.113549.1.1.5"):  {Kind: sign.RSA, Hash: sign.SHA1},
	der.MustOID("1.2.840.113549.1.1.14"): {Kind: sign.RSA, Hash: sign.SHA224},
	der.MustOID("1.2.840.113549.1.1.11"): {Kind: sign.RSA, Hash: sign.SHA256},
	der.MustOID("1.2.840.113549.1.1.12"): {Kind: sign.RSA, Hash: sign.SHA384},
	der.MustOID("1.2.840.113549.1.1.13"): {Kind: sign.RSA, Hash: sign.SHA512},
	der.MustOID("1.2.840.10045.4.1"):     {Kind: sign.ECDSA, Hash: sign.SHA1},
	der.MustOID("1.2.840.10045.4.3.1"):   {Kind: sign.ECDSA, Hash: sign.SHA224},
	der.MustOID("1.2.840.10045.4.3.2"):   {Kind: sign.ECDSA, Hash: sign.SHA256},
	der.MustOID("1.2.840.10045.4.3.3"):   {Kind: sign.ECDSA, Hash: sign.SHA384},
	der.MustOID("1.2.840.10045.4.3.4"):   {Kind: sign.ECDSA, Hash: sign.SHA512},
}
