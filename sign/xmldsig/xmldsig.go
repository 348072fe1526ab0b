// Package xmldsig makes and checks the values of the XML signatures in Office documents (ECMA-376-2, MS-OFFCRYPTO 2.5.2): XML
// Signature with RSA or ECDSA over Canonical XML 1.0.
//
// It knows SignedInfo, the element that is signed, and nothing of the package around it. What it writes is canonical as it stands, so that
// nothing is canonicalised twice. A [Signer] signs the package object, whose digest is Act.Content, together with Part.Office, and puts
// the reference of the ledger's entry into SignatureComments. XML Signature has no SM2: no standard names an algorithm for it.
package xmldsig

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// Namespaces and names of algorithms.
const (
	NS          = "http://www.w3.org/2000/09/xmldsig#"
	MDSSI       = "http://schemas.openxmlformats.org/package/2006/digital-signature"
	XAdES       = "http://uri.etsi.org/01903/v1.3.2#"
	OfficeNS    = "http://schemas.microsoft.com/office/2006/digsig"
	ObjectType  = NS + "Object"
	SignedProps = "http://uri.etsi.org/01903#SignedProperties" // type of the reference to SignedProperties

	C14N                  = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
	C14NComments          = C14N + "#WithComments"
	ExclusiveC14N         = "http://www.w3.org/2001/10/xml-exc-c14n#"
	ExclusiveC14NComments = ExclusiveC14N + "WithComments"
	RelationshipTransform = "http://schemas.openxmlformats.org/package/2006/RelationshipTransform"
)

// Ids that ECMA-376-2 and Office give to what is signed.
const (
	PackageObject    = "idPackageObject"
	OfficeObject     = "idOfficeObject"
	SignedProperties = "idSignedProperties"
	ValidImage       = "idValidSigLnImg"
	InvalidImage     = "idInvalidSigLnImg"
)

// MaxComments is the longest SignatureComments, in characters (MS-OFFCRYPTO 2.5.2.5).
const MaxComments = 255

// ErrOffice: a Part of format XML without what it is to sign.
var ErrOffice = errors.New("xmldsig: incomplete part")

const more = "http://www.w3.org/2001/04/xmldsig-more#"

var methods = map[sign.Scheme]string{
	{Kind: sign.RSA, Hash: sign.SHA1}:     NS + "rsa-sha1", // to check old signatures; nothing here signs with it
	{Kind: sign.RSA, Hash: sign.SHA256}:   more + "rsa-sha256",
	{Kind: sign.RSA, Hash: sign.SHA384}:   more + "rsa-sha384",
	{Kind: sign.RSA, Hash: sign.SHA512}:   more + "rsa-sha512",
	{Kind: sign.ECDSA, Hash: sign.SHA256}: more + "ecdsa-sha256",
	{Kind: sign.ECDSA, Hash: sign.SHA384}: more + "ecdsa-sha384",
	{Kind: sign.ECDSA, Hash: sign.SHA512}: more + "ecdsa-sha512",
}

var digests = map[sign.Hash]string{
	sign.SHA1:   NS + "sha1",
	sign.SHA256: "http://www.w3.org/2001/04/xmlenc#sha256",
	sign.SHA384: more + "sha384",
	sign.SHA512: "http://www.w3.org/2001/04/xmlenc#sha512",
}

// MethodOf is the SignatureMethod of a scheme; empty: there is none.
func MethodOf(s sign.Scheme) string { return methods[s] }

// SchemeOf is the scheme that a SignatureMethod names.
func SchemeOf(method string) (sign.Scheme, bool) {
	for s, uri := range methods {
		if uri == method {
			return s, true
		}
	}
	return sign.Scheme{}, false
}

// DigestMethod names a hash; empty: it has no name.
func DigestMethod(h sign.Hash) string { return digests[h] }

// HashOf is the hash that a DigestMethod names; empty: unknown.
func HashOf(method string) sign.Hash {
	for h, uri := range digests {
		if uri == method {
			return h
		}
	}
	return ""
}

// A Reference is one of SignedInfo, to something in the same signature.
type Reference struct {
	Type, URI string
	Transform bool // Canonical XML 1.0 is named; without it, it is meant all the same
	Digest    []byte
}

// SignedInfo is the canonical SignedInfo of a scheme and references: what the key signs. In the document it stands without the
// xmlns, which its parent has: see InDocument.
func SignedInfo(s sign.Scheme, refs []Reference) []byte {
	b := []byte(`<SignedInfo xmlns="` + NS + `"><CanonicalizationMethod Algorithm="` + C14N + `"></CanonicalizationMethod>` +
		`<SignatureMethod Algorithm="` + MethodOf(s) + `"></SignatureMethod>`)
	for _, r := range refs {
		b = append(b, `<Reference Type="`+r.Type+`" URI="`+r.URI+`">`...)
		if r.Transform {
			b = append(b, `<Transforms><Transform Algorithm="`+C14N+`"></Transform></Transforms>`...)
		}
		b = AppendDigest(b, s.Hash, r.Digest)
		b = append(b, `</Reference>`...)
	}
	return append(b, `</SignedInfo>`...)
}

// InDocument is a canonical element of this package as it stands in the document, where its parent has the namespace.
func InDocument(element []byte) []byte {
	return bytes.Replace(element, []byte(` xmlns="`+NS+`"`), nil, 1)
}

// AppendDigest appends the canonical DigestMethod and DigestValue.
func AppendDigest(b []byte, h sign.Hash, digest []byte) []byte {
	b = append(b, `<DigestMethod Algorithm="`+DigestMethod(h)+`"></DigestMethod><DigestValue>`...)
	return append(base64.StdEncoding.AppendEncode(b, digest), `</DigestValue>`...)
}

// SignatureValue is the canonical SignatureValue: what a time stamp of XAdES-T is over.
func SignatureValue(value []byte) []byte {
	b := base64.StdEncoding.AppendEncode([]byte(`<SignatureValue xmlns="`+NS+`">`), value)
	return append(b, `</SignatureValue>`...)
}

// References are those of an Office signature, in the order in which Office writes them. packageObject and officeObject are digests.
func References(o *sign.Office, packageObject, officeObject []byte) []Reference {
	refs := []Reference{
		{Type: ObjectType, URI: "#" + PackageObject, Digest: packageObject},
		{Type: ObjectType, URI: "#" + OfficeObject, Digest: officeObject},
		{Type: SignedProps, URI: "#" + SignedProperties, Transform: true, Digest: o.Properties},
	}
	if o.ValidImage != nil {
		refs = append(refs, Reference{Type: ObjectType, URI: "#" + ValidImage, Digest: o.ValidImage},
			Reference{Type: ObjectType, URI: "#" + InvalidImage, Digest: o.InvalidImage})
	}
	return refs
}

// Comments is the text of SignatureComments: what people read, cut where the reference of the ledger's entry needs the room. It is text,
// not yet escaped for XML.
func Comments(o *sign.Office, reference string) string {
	text, room := []rune(o.Comments), MaxComments-utf8.RuneCountInString(reference)
	switch {
	case reference == "" || room < 0:
		return string(text[:min(len(text), MaxComments)])
	case len(text) == 0 || room < 2:
		return reference
	}
	return string(text[:min(len(text), room-1)]) + " " + reference
}

// ToSign is the canonical SignedInfo that a part of an act signs with a scheme.
func ToSign(act *sign.Act, part sign.Part, s sign.Scheme) ([]byte, error) {
	o := part.Office
	if o == nil || len(o.Properties) != s.Hash.Size() || (o.ValidImage == nil) != (o.InvalidImage == nil) {
		return nil, fmt.Errorf("%w: it does not say what an Office signature signs", ErrOffice)
	}
	if n := utf8.RuneCountInString(act.Reference); n > MaxComments {
		return nil, fmt.Errorf("%w: the reference of the ledger's entry has %d characters; SignatureComments takes %d", ErrOffice, n, MaxComments)
	}
	content, err := act.Content.Get(s.Hash)
	if err != nil {
		return nil, err
	}
	object := xmldoc.AppendText([]byte(o.Object[0]), Comments(o, act.Reference))
	object = append(object, o.Object[1]...)
	return SignedInfo(s, References(o, content, s.Hash.Sum(object))), nil
}

// Check checks a SignatureValue over a canonical SignedInfo. A wrong value is sign.ErrSignature, a key of another kind
// sign.ErrUnsupportedKey.
func Check(pub crypto.PublicKey, s sign.Scheme, signedInfo, value []byte) error {
	if s.Kind == sign.ECDSA {
		der, ok := joined(pub, value)
		if !ok {
			return fmt.Errorf("%w: %d bytes are no r and s of the key", sign.ErrSignature, len(value))
		}
		value = der
	}
	return s.Verify(pub, signedInfo, value)
}

// joined makes DER of r and s.
func joined(pub crypto.PublicKey, value []byte) ([]byte, bool) {
	n, ok := orderSize(pub)
	if !ok || len(value) != 2*n {
		return nil, false
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(value[:n]))
		b.AddASN1BigInt(new(big.Int).SetBytes(value[n:]))
	})
	return b.BytesOrPanic(), true
}

// split makes r and s of DER, each as long as the order of the curve.
func split(pub crypto.PublicKey, der []byte) ([]byte, error) {
	n, ok := orderSize(pub)
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	if !ok || !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(s) || !seq.Empty() ||
		r.Sign() <= 0 || s.Sign() <= 0 || r.BitLen() > 8*n || s.BitLen() > 8*n {
		return nil, fmt.Errorf("%w: the key gave %d bytes that are no r and s in DER", sign.ErrSignature, len(der))
	}
	out := make([]byte, 2*n)
	r.FillBytes(out[:n])
	s.FillBytes(out[n:])
	return out, nil
}

func orderSize(pub crypto.PublicKey) (int, bool) {
	k, ok := pub.(*ecdsa.PublicKey)
	if !ok {
		return 0, false
	}
	return (k.Curve.Params().N.BitLen() + 7) / 8, true
}

// A Signer makes Office signatures with one key.
type Signer struct {
	key     sign.Key
	scheme  sign.Scheme
	tsa     sign.Timestamper
	profile sign.Profile
}

// New returns a Signer for an RSA or ECDSA key with its certificates; tsa stamps each value with a time (XAdES-T), nil: nobody. An SM2 key
// is sign.ErrUnsupportedKey. The Signer is safe for concurrent use.
func New(key sign.Key, tsa sign.Timestamper) (*Signer, error) {
	if key == nil || len(key.Chain()) == 0 {
		return nil, fmt.Errorf("%w: the key has no certificate", sign.ErrKeyMismatch)
	}
	cert, err := gm.ParseCertificate(key.Chain()[0])
	if err != nil {
		return nil, fmt.Errorf("%w: certificate: %w", sign.ErrKeyMismatch, err)
	}
	if !gm.SameKey(cert.PublicKey, key.Public()) {
		return nil, fmt.Errorf("%w: certificate %q holds another public key", sign.ErrKeyMismatch, cert.Subject)
	}
	if may, _ := gm.MaySign(cert); !may {
		return nil, fmt.Errorf("%w: certificate %q is for other use; take the signing certificate of the pair", sign.ErrEncryptionCert, cert.Subject)
	}
	scheme, err := sign.SchemeFor(key.Public())
	if err != nil {
		return nil, fmt.Errorf("xmldsig: %w", err)
	}
	if scheme.Kind == sign.SM2 {
		return nil, fmt.Errorf("%w: Office signatures have no SM2; sign with RSA or ECDSA, or seal with an SES_Signature", sign.ErrUnsupportedKey)
	}
	s := &Signer{key: key, scheme: scheme, tsa: tsa}
	size := 64 + scheme.MaxSize(key.Public()) + sign.StampSize(tsa)
	s.profile = sign.Profile{Format: sign.XML, Specs: map[sign.Format]sign.Spec{
		sign.XML: {Hashes: []sign.Hash{scheme.Hash}, MaxSize: size, Chain: key.Chain()},
	}}
	return s, nil
}

// Profile implements sign.Signer.
func (s *Signer) Profile() sign.Profile { return s.profile }

// Sign implements sign.Signer.
func (s *Signer) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	values := make([]sign.Value, 0, len(act.Parts))
	for i, part := range act.Parts {
		if part.Format != sign.XML {
			return nil, fmt.Errorf("%w: part %d asks for %q", sign.ErrFormat, i, part.Format)
		}
		v, err := s.Value(ctx, act, part)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// Value makes the value of one part.
func (s *Signer) Value(ctx context.Context, act *sign.Act, part sign.Part) (sign.Value, error) {
	info, err := ToSign(act, part, s.scheme)
	if err != nil {
		return sign.Value{}, err
	}
	value, err := s.scheme.Sign(ctx, s.key, info)
	if err != nil {
		return sign.Value{}, err
	}
	if s.scheme.Kind == sign.ECDSA {
		if value, err = split(s.key.Public(), value); err != nil {
			return sign.Value{}, err
		}
	}
	v := sign.XMLValue{Value: value, Reference: act.Reference, Evidence: act.Evidence}
	for _, p := range act.Parts {
		if p.Format == sign.SES { // it has the evidence
			v.Evidence = nil
		}
	}
	token, notes := cms.TimeStamp(ctx, s.tsa, s.scheme.Hash, SignatureValue(value))
	v.TimeStamp = token
	return sign.Value{Bytes: v.Marshal(), Notes: notes}, nil
}

// SplitComments parts SignatureComments into what people read and the reference of a ledger's entry at its end; empty: there is none. It
// says what stands there, not that there is such an entry.
func SplitComments(text string) (comments, reference string) {
	head, last := "", text
	if i := strings.LastIndexByte(text, ' '); i >= 0 {
		head, last = text[:i], text[i+1:]
	}
	origin, hash, ok := strings.Cut(last, "#")
	if b, err := base64.StdEncoding.DecodeString(hash); !ok || err != nil || len(b) != 32 || origin == "" {
		return text, ""
	}
	return head, last
}
