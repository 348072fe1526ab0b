package sign

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"time"
)

// A Signer turns an Act into values. Seals and CMS implement it; policy and evidence wrap it.
// Implementations are safe for concurrent use, and keep no reference to the Act.
type Signer interface {
	// Profile says, before anything is hashed, what the values will be. It is data: a wrapper passes it on or
	// changes a copy.
	Profile() Profile
	// Sign returns one Value for each Part of the Act, in their order, or an error and no value.
	Sign(ctx context.Context, act *Act) ([]Value, error)
}

// An Act is what one person seals at one moment in one document: one permission, one ledger entry, one or more values.
// A container prepares it; nobody changes it afterwards but the wrapper that adds Evidence and Reference to its own copy.
// As JSON it goes to a signer elsewhere: it is data, with nothing hidden.
type Act struct {
	ID        string    `json:"id"`                  // request id, chosen by the caller or random: the same id is the same act
	Document  string    `json:"document,omitempty"`  // the document's name for people and ledger; may be empty
	Reason    string    `json:"reason,omitempty"`    // why it is sealed; may be empty
	Time      time.Time `json:"time"`                // the claimed time, UTC, whole seconds
	Source    Sums      `json:"source"`              // of the file as received, before anything was added: what an approval names
	Content   Sums      `json:"content"`             // of what is signed: the ByteRange of a PDF; of a Word document see Part
	Evidence  []byte    `json:"evidence,omitempty"`  // of a ledger: bound into the values as a signed attribute; nil: none
	Reference string    `json:"reference,omitempty"` // ORIGIN#LEAFHASH of the Evidence, where a value has no room for more; empty: none
	Parts     []Part    `json:"parts"`               // the values wanted, in signing order
}

// A Part is one value of an Act. CMS, SES and Dual are over Act.Content. Of a Word document an SES is over the SM3 of the seal
// manifest, and XML over the other hash, which is of the canonical package object, and over Office.
type Part struct {
	Format   Format  `json:"format"`
	Property string  `json:"property"`         // propertyInfo of a seal signature: what is protected, such as "ByteRange=[0 840 17226 501]"
	Office   *Office `json:"office,omitempty"` // what XML signs besides Act.Content; nil: nothing else is XML
}

// An Office is what the signature that Office programs make signs beside the package object (ECMA-376-2, MS-OFFCRYPTO 2.5.2). Digests are
// made with the hash of the key's scheme.
type Office struct {
	Comments     string    `json:"comments,omitempty"`     // SignatureComments, for people; Act.Reference is put behind it
	Object       [2]string `json:"object"`                 // the canonical idOfficeObject before and behind the text of SignatureComments
	Properties   []byte    `json:"properties"`             // digest of the canonical SignedProperties
	ValidImage   []byte    `json:"validImage,omitempty"`   // digest of the canonical idValidSigLnImg; nil: there is none
	InvalidImage []byte    `json:"invalidImage,omitempty"` // of idInvalidSigLnImg; there with the other one
}

// A Value is what stands in the document: a CMS SignedData, an SES_Signature, an XMLValue.
type Value struct {
	Bytes []byte `json:"bytes"`
	Notes []Note `json:"notes,omitempty"` // what the document is worth less than was asked for: a stamp not had, a level lost
}

// A Note is something a person should know that is not a failure.
type Note struct {
	Code   string `json:"code"`   // stable, such as "raw-signature-value"
	Detail string `json:"detail"` // one English sentence
}

func (n Note) String() string { return n.Code + ": " + n.Detail }

// Format names a kind of value.
type Format string

const (
	CMS  Format = "cms"  // CMS SignedData, detached (RFC 5652, GB/T 35275); with a seal: it carries and binds the SESeal
	SES  Format = "ses"  // a bare SES_Signature (GM/T 0031, GB/T 38540)
	Dual Format = "dual" // RSA or ECDSA CMS that carries and binds an SM2 SES_Signature over the same bytes
	XML  Format = "xml"  // the XML signature of Office programs, with RSA or ECDSA: in Word, CMS is this one, and Dual this one and an SES
)

// EvidenceSize is how much longer, in bytes, a value of the format may be for n bytes of Evidence. A Dual binds them twice: its
// inner signature does so too, and can be judged without the outer one.
func (f Format) EvidenceSize(n int) int {
	const around = 128 // type and headers, and the longer headers of what they stand in
	if f == Dual {
		return 2 * (n + around)
	}
	return n + around
}

// A Profile describes the values a Signer makes. As JSON it goes to a container elsewhere.
type Profile struct {
	Format  Format          `json:"format"`            // of the values
	Specs   map[Format]Spec `json:"specs"`             // what the signer can make, Format among them
	Seal    string          `json:"seal,omitempty"`    // esID of the seal; empty: none
	SESeal  []byte          `json:"seSeal,omitempty"`  // the seal itself, DER, for a container that keeps it beside a value; nil: none
	Picture *Picture        `json:"picture,omitempty"` // what the page shows; nil: nothing
}

// A Spec is what a container must know before signing: it reserves the room once and hashes once.
type Spec struct {
	Hashes  []Hash   `json:"hashes"`  // the hashes of the content that Sign will ask for
	MaxSize int      `json:"maxSize"` // no value without Evidence is longer, in bytes; a wrapper that adds n bytes of it adds Format.EvidenceSize(n)
	Chain   [][]byte `json:"chain"`   // certificates of the signing key, DER, its own first
}

// A Picture is the image of a seal.
type Picture struct {
	Type   string `json:"type"` // "PNG", "JPG", "GIF", "BMP" or what else the seal says
	Data   []byte `json:"data"`
	Width  int    `json:"width"`  // mm
	Height int    `json:"height"` // mm
}

// An Embedded signature was found in a document. It is not yet trusted, nor even well-formed: Err says what is wrong
// with its place or shape.
type Embedded struct {
	Name   string // of the signature field or the signature part
	Format Format // by the bytes of Value; empty: not recognised
	Value  []byte // exactly the DER value, without padding
	Ranges []Range
	Err    error
}

// A Range is a run of bytes of a file.
type Range struct{ Offset, Length int64 }

// End is the offset after the last byte.
func (r Range) End() int64 { return r.Offset + r.Length }

// A Key is a private key and its certificates. It is safe for concurrent use.
type Key interface {
	Public() crypto.PublicKey
	// Chain is DER, the key's own certificate first; the caller does not change it.
	Chain() [][]byte
	// SignDigest signs a digest. SM2: digest is e = SM3(Z||M), 32 bytes, and opts is crypto.Hash(0).
	// RSA: opts is a crypto.Hash (PKCS #1 v1.5) or *rsa.PSSOptions. ECDSA: opts is a crypto.Hash.
	// SM2 and ECDSA answer DER SEQUENCE { r, s }. A remote key blocks until ctx ends.
	SignDigest(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

// NewKey makes a Key of a crypto.Signer and its certificates, its own first.
func NewKey(s crypto.Signer, chain ...[]byte) Key { return &signerKey{s, chain} }

type signerKey struct {
	s     crypto.Signer
	chain [][]byte
}

func (k *signerKey) Public() crypto.PublicKey { return k.s.Public() }
func (k *signerKey) Chain() [][]byte          { return k.chain }
func (k *signerKey) SignDigest(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return k.s.Sign(rand.Reader, digest, opts)
}

// A Timestamper obtains time stamps: from an authority over the network (tsphttp.Client), or as one (tsp.Authority).
// It is safe for concurrent use.
//
// Containers reserve room before anything is signed, so a Timestamper whose tokens may be longer than 8 KiB has a
// method MaxSize() int as well: the octets of its longest token. See StampSize.
type Timestamper interface {
	// Timestamp returns a TimeStampToken, DER, over a digest made with h (RFC 3161, GM/T 0033, GB/T 20520).
	Timestamp(ctx context.Context, h Hash, digest []byte) ([]byte, error)
}

// StampSize is the room in octets that a token of t needs at most: 0 for nil, what its MaxSize says if that is more than
// nothing, else 8 KiB, which holds a token with a chain of three RSA certificates.
func StampSize(t Timestamper) int {
	if t == nil {
		return 0
	}
	if m, ok := t.(interface{ MaxSize() int }); ok && m.MaxSize() > 0 {
		return m.MaxSize()
	}
	return 8 << 10
}

var (
	// ErrWeakKey: the key is too short to sign with.
	ErrWeakKey = errors.New("sign: key too weak")
	// ErrUnsupportedKey: no scheme of this package signs with such a key.
	ErrUnsupportedKey = errors.New("sign: unsupported kind of key")
	// ErrKeyMismatch: a key whose first certificate is missing, unreadable or that of another key.
	ErrKeyMismatch = errors.New("sign: key and certificate do not belong together")
	// ErrEncryptionCert: a certificate whose KeyUsage allows neither digitalSignature nor nonRepudiation. The pairs of
	// certificates that Chinese authorities issue have such a one for encryption; the other belongs here.
	ErrEncryptionCert = errors.New("sign: not a signing certificate")
	// ErrFormat: a Part asks for a format that is not in the signer's Profile.
	ErrFormat = errors.New("sign: the signer does not make this format")
	// ErrSignature: a signature value does not belong to this message and key.
	ErrSignature = errors.New("sign: signature value is wrong")
	// ErrMissingSum: the container did not compute a hash that the signer's Profile asked for.
	ErrMissingSum = errors.New("sign: a hash of the content is missing")
)

// Get returns the sum made with h, or ErrMissingSum.
func (s Sums) Get(h Hash) ([]byte, error) {
	if b := s[h]; len(b) == h.Size() && len(b) > 0 {
		return b, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrMissingSum, h)
}
