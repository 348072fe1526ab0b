// Package testpki makes certificate authorities and keys for tests and demonstrations. Nothing made here is secret.
package testpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/emmansun/gmsm/smx509"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

// Kind is a kind of key.
type Kind string

const (
	SM2     Kind = "SM2"
	RSA     Kind = "RSA" // 2048 bits
	RSA1024 Kind = "RSA1024"
	P256    Kind = "P256"
	P384    Kind = "P384"
)

var (
	// NotBefore and NotAfter bound every certificate made here, unless a caller changes the template.
	NotBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	NotAfter  = time.Date(2045, 1, 1, 0, 0, 0, 0, time.UTC)
)

// NewKey makes a private key.
func NewKey(kind Kind) crypto.Signer {
	var k crypto.Signer
	var err error
	switch kind {
	case SM2:
		k, err = gm.GenerateKey()
	case RSA:
		k, err = rsa.GenerateKey(rand.Reader, 2048)
	case RSA1024:
		k, err = rsa.GenerateKey(rand.Reader, 1024)
	case P256:
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		k, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		err = fmt.Errorf("testpki: unknown kind of key %q", kind)
	}
	if err != nil {
		panic(err)
	}
	return k
}

// A CA is an authority: a root, or below one.
type CA struct {
	Cert  *gm.Certificate
	Key   crypto.Signer
	chain [][]byte // from Cert up to, not with, the root
}

// NewCA makes a root.
func NewCA(kind Kind, cn string) *CA {
	key := NewKey(kind)
	t := template(pkix.Name{Country: []string{"CN"}, Organization: []string{"Courtseal Demo"}, CommonName: cn}, key.Public())
	asCA(t)
	return &CA{Cert: create(t, t, key.Public(), key), Key: key}
}

// Sub makes an authority below ca. mod, if not nil, changes the template.
func (ca *CA) Sub(kind Kind, cn string, mod func(*gm.Certificate)) *CA {
	key := NewKey(kind)
	t := template(pkix.Name{Country: []string{"CN"}, Organization: []string{"Courtseal Demo"}, CommonName: cn}, key.Public())
	asCA(t)
	if mod != nil {
		mod(t)
	}
	c := create(t, ca.Cert, key.Public(), ca.Key)
	return &CA{Cert: c, Key: key, chain: append([][]byte{c.Raw}, ca.chain...)}
}

func asCA(t *gm.Certificate) {
	t.KeyUsage = smx509.KeyUsageCertSign | smx509.KeyUsageCRLSign
	t.BasicConstraintsValid, t.IsCA = true, true
}

// Issue makes a key and its signing certificate. mod, if not nil, changes the template.
func (ca *CA) Issue(kind Kind, cn string, mod func(*gm.Certificate)) sign.Key {
	k, chain := ca.IssueSigner(kind, cn, mod)
	return sign.NewKey(k, chain...)
}

// IssueSigner is Issue for those who need the private key itself. The chain does not hold the root.
func (ca *CA) IssueSigner(kind Kind, cn string, mod func(*gm.Certificate)) (crypto.Signer, [][]byte) {
	key := NewKey(kind)
	return key, append([][]byte{ca.Certify(key.Public(), cn, mod)}, ca.chain...)
}

// Certify signs a certificate for a public key.
func (ca *CA) Certify(pub crypto.PublicKey, cn string, mod func(*gm.Certificate)) []byte {
	t := template(pkix.Name{Country: []string{"CN"}, Organization: []string{"示例市中级人民法院"}, CommonName: cn}, pub)
	if mod != nil {
		mod(t)
	}
	return create(t, ca.Cert, pub, ca.Key).Raw
}

// TimeStamping changes a template into that of a time-stamping authority: extended key usage timeStamping, critical and
// alone, as RFC 3161 2.3 wants it.
func TimeStamping(t *gm.Certificate) {
	value, err := asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}})
	if err != nil {
		panic(err)
	}
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: value})
}

// PEM writes the authority's certificate.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw})
}

var (
	cache   = map[Kind]*CA{}
	cacheMu sync.Mutex
)

// Shared returns one root of each kind for the whole process, for tests that only need some root.
func Shared(kind Kind) *CA {
	cacheMu.Lock()
	defer cacheMu.Unlock()
	if cache[kind] == nil {
		cache[kind] = NewCA(kind, "Courtseal Test Root "+string(kind))
	}
	return cache[kind]
}

func template(name pkix.Name, pub crypto.PublicKey) *gm.Certificate {
	serial := make([]byte, 16)
	rand.Read(serial)
	serial[0] = serial[0]&0x7f | 0x40
	return &gm.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      name,
		NotBefore:    NotBefore,
		NotAfter:     NotAfter,
		KeyUsage:     smx509.KeyUsageDigitalSignature | smx509.KeyUsageContentCommitment,
		SubjectKeyId: keyID(pub),
	}
}

func keyID(pub crypto.PublicKey) []byte {
	spki, err := gm.MarshalPKIXPublicKey(pub)
	if err != nil {
		panic(err)
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(spki, &info); err != nil {
		panic(err)
	}
	id := sha1.Sum(info.Key.Bytes) // RFC 5280, 4.2.1.2 (1)
	return id[:]
}

func create(t, parent *gm.Certificate, pub crypto.PublicKey, key crypto.Signer) *gm.Certificate {
	der, err := gm.CreateCertificate(t, parent, pub, key)
	if err != nil {
		panic(err)
	}
	c, err := gm.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return c
}
