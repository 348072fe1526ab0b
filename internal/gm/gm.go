// Package gm is the one door to SM2, SM3 and the certificates that carry SM2 keys. Everything else in the module speaks
// of crypto.PublicKey and hash.Hash, so that the library behind this door can be changed in one place.
//
// An SM2 public key is an *ecdsa.PublicKey on the SM2 curve. An SM2 signature is DER SEQUENCE { r, s } over
// e = SM3(Z || M), Z made with the default user ID (GB/T 32918.2, GB/T 35276, GM/T 0009).
package gm

import (
	"crypto"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"errors"
	"hash"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/emmansun/gmsm/smx509"
)

// UserID is the default user identity of GM/T 0009, hashed into Z.
const UserID = "1234567812345678"

// NewSM3 returns a running SM3. It implements encoding.BinaryMarshaler, so a state can be cloned.
func NewSM3() hash.Hash { return sm3.New() }

// SumSM3 hashes b.
func SumSM3(b []byte) [32]byte { return sm3.Sum(b) }

// NewSM4 returns the SM4 block cipher (GB/T 32907) with a key of 16 bytes.
func NewSM4(key []byte) (cipher.Block, error) { return sm4.NewCipher(key) }

// IsSM2 reports whether pub is a key on the SM2 curve.
func IsSM2(pub crypto.PublicKey) bool { return sm2.IsSM2PublicKey(pub) }

// Digest returns e = SM3(Z || msg) for pub and the default user ID.
func Digest(pub crypto.PublicKey, msg []byte) ([]byte, error) { return DigestFor(pub, UserID, msg) }

// DigestFor is Digest with a user ID of the caller's.
func DigestFor(pub crypto.PublicKey, userID string, msg []byte) ([]byte, error) {
	k, ok := pub.(*ecdsa.PublicKey)
	if !ok || !IsSM2(pub) {
		return nil, errors.New("gm: not an SM2 public key")
	}
	return sm2.CalculateSM2Hash(k, msg, []byte(userID))
}

// VerifyDigest checks a DER signature over e.
func VerifyDigest(pub crypto.PublicKey, e, sig []byte) bool {
	k, ok := pub.(*ecdsa.PublicKey)
	return ok && len(e) == 32 && IsSM2(pub) && sm2.VerifyASN1(k, e, sig)
}

// GenerateKey makes an SM2 key pair.
func GenerateKey() (crypto.Signer, error) { return sm2.GenerateKey(rand.Reader) }

// MarshalPoint writes the point of an SM2 public key: 04 || x || y, 65 octets.
func MarshalPoint(pub crypto.PublicKey) ([]byte, error) {
	k, ok := pub.(*ecdsa.PublicKey)
	if !ok || !IsSM2(pub) {
		return nil, errors.New("gm: not an SM2 public key")
	}
	e, err := sm2.PublicKeyToECDH(k)
	if err != nil {
		return nil, err
	}
	return e.Bytes(), nil
}

// ParsePoint reads what MarshalPoint writes. A point that is not on the curve is an error.
func ParsePoint(b []byte) (crypto.PublicKey, error) {
	if len(b) != 65 || b[0] != 4 {
		return nil, errors.New("gm: not an uncompressed point of 65 octets")
	}
	k, err := sm2.ParseUncompressedPublicKey(b)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// Certificate is an X.509 certificate with a key and a signature of any kind, SM2 among them.
type Certificate = smx509.Certificate

// ParseCertificate reads a certificate.
func ParseCertificate(der []byte) (*Certificate, error) { return smx509.ParseCertificate(der) }

// ParsePKIXPublicKey reads a SubjectPublicKeyInfo with a key of any kind.
func ParsePKIXPublicKey(der []byte) (crypto.PublicKey, error) { return smx509.ParsePKIXPublicKey(der) }

// ParsePKCS8 reads an unencrypted PrivateKeyInfo with a key of any kind.
func ParsePKCS8(der []byte) (crypto.Signer, error) {
	k, err := smx509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	s, ok := k.(crypto.Signer)
	if !ok {
		return nil, errors.New("gm: this kind of private key cannot sign")
	}
	return s, nil
}

// MarshalPKCS8 writes an unencrypted PrivateKeyInfo.
func MarshalPKCS8(key crypto.Signer) ([]byte, error) { return smx509.MarshalPKCS8PrivateKey(key) }

// CreateCertificate is x509.CreateCertificate for subject and issuer keys of any kind.
func CreateCertificate(template, parent *Certificate, pub crypto.PublicKey, issuer crypto.Signer) ([]byte, error) {
	return smx509.CreateCertificate(rand.Reader, template, parent, pub, issuer)
}

// MarshalPKIXPublicKey writes a SubjectPublicKeyInfo.
func MarshalPKIXPublicKey(pub crypto.PublicKey) ([]byte, error) {
	return smx509.MarshalPKIXPublicKey(pub)
}
