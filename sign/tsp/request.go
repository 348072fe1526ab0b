package tsp

import (
	"bytes"
	"crypto/rand"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// A Request asks an authority for a stamp, whatever way it travels: tsphttp.Client sends it over HTTP; it may as well
// go as a .tsq file. Bytes is what is sent, Accept what is done with the answer.
type Request struct {
	Hash    sign.Hash
	Digest  []byte
	Policy  sign.OID // wanted; empty: any
	Nonce   []byte   // content octets of an INTEGER, which the token has to repeat; nil: none
	CertReq bool     // the token is to carry the authority's certificates
}

// NewRequest asks for a stamp over a digest made with h, with a random nonce of 64 bits, and for certificates. A digest
// of another length is sign.ErrMissingSum.
func NewRequest(h sign.Hash, digest []byte) (*Request, error) {
	if len(digest) == 0 || len(digest) != h.Size() {
		return nil, fmt.Errorf("%w: %d octets are not a digest of %s", sign.ErrMissingSum, len(digest), h)
	}
	nonce := make([]byte, 8)
	rand.Read(nonce)
	nonce[0] = nonce[0]&0x7f | 0x40 // positive, and always of that length
	return &Request{Hash: h, Digest: digest, Nonce: nonce, CertReq: true}, nil
}

// Bytes is the TimeStampReq, DER.
func (r *Request) Bytes() []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		addImprint(b, r.Hash, r.Digest)
		if r.Policy != "" {
			der.AddOID(b, r.Policy)
		}
		if r.Nonce != nil {
			addOctets(b, asn1.INTEGER, r.Nonce)
		}
		if r.CertReq {
			b.AddASN1Boolean(true)
		}
	})
	return b.BytesOrPanic()
}

func addOctets(b *cryptobyte.Builder, tag asn1.Tag, octets []byte) {
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(octets) })
}

func addImprint(b *cryptobyte.Builder, h sign.Hash, digest []byte) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { der.AddOID(b, h.OID()) })
		addOctets(b, asn1.OCTET_STRING, digest)
	})
}

// Accept reads a TimeStampResp and returns its token, if that answers this request: it is over the same digest, with
// the same nonce and under the policy asked for, and its signature value is right. Whether the authority is to be
// trusted is not asked. The errors are those of ParseResponse and Token.CheckValue, ErrImprint, ErrNonce, ErrPolicy, and
// cms.ErrNoCertificate where the token does not carry the certificate it was signed with.
func (r *Request) Accept(response []byte) (*Token, error) {
	t, err := ParseResponse(response)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Hash != r.Hash || !bytes.Equal(t.Digest, r.Digest):
		return nil, fmt.Errorf("%w: asked for %s %x, got %s %x", ErrImprint, r.Hash, r.Digest, t.HashOID, t.Digest)
	case !bytes.Equal(t.Nonce, r.Nonce):
		return nil, fmt.Errorf("%w: sent %x, got %x", ErrNonce, r.Nonce, t.Nonce)
	case r.Policy != "" && t.Policy != r.Policy:
		return nil, fmt.Errorf("%w %s was asked for, the stamp is of %s", ErrPolicy, r.Policy, t.Policy)
	}
	cert := t.Certificate()
	if cert == nil {
		return nil, cms.ErrNoCertificate
	}
	if err := t.CheckValue(cert); err != nil {
		return nil, err
	}
	return t, nil
}

// maxRequest bounds what an authority looks at; with every field at its longest a request has some 500 octets.
const maxRequest = 4096

// parseRequest reads a TimeStampReq. The error is the *StatusError to answer with.
func parseRequest(b []byte) (*Request, error) {
	no := func(f failure, why string) (*Request, error) { return nil, refuse(f, why) }
	if len(b) > maxRequest || der.Check(b, limits) != nil {
		return no(badDataFormat, "the request is too long or no DER")
	}
	var s cryptobyte.String
	var version int
	in := cryptobyte.String(b)
	if !in.ReadASN1(&s, asn1.SEQUENCE) || !in.Empty() || !s.ReadASN1Integer(&version) {
		return no(badDataFormat, "the request is no TimeStampReq")
	}
	if version != 1 {
		return no(badRequest, fmt.Sprintf("the request has version %d; only 1 is known", version))
	}
	r := &Request{}
	var oid sign.OID
	if oid, r.Digest = readImprint(&s); r.Digest == nil {
		return no(badDataFormat, "messageImprint is malformed")
	}
	switch r.Hash = sign.HashOf(oid); {
	case r.Hash == "" || r.Hash == sign.MD5 || r.Hash == sign.SHA1 || r.Hash == sign.SHA224:
		return no(badAlg, fmt.Sprintf("hash %s is not taken; SM3, SHA-256, SHA-384 and SHA-512 are", oid))
	case len(r.Digest) != r.Hash.Size():
		return no(badDataFormat, fmt.Sprintf("%d octets are no digest of %s", len(r.Digest), r.Hash))
	}
	if s.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) && !der.ReadOID(&s, &r.Policy) {
		return no(badDataFormat, "reqPolicy is malformed")
	}
	if s.PeekASN1Tag(asn1.INTEGER) {
		if r.Nonce = readInteger(&s); r.Nonce == nil {
			return no(badDataFormat, "nonce is malformed or too long")
		}
	}
	if s.PeekASN1Tag(asn1.BOOLEAN) && !s.ReadASN1Boolean(&r.CertReq) {
		return no(badDataFormat, "certReq is malformed")
	}
	if s.PeekASN1Tag(context0) { // known or not, critical or not (GM/T 0033, 7.1)
		return no(unacceptedExtension, "no extension is known here")
	}
	if !s.Empty() {
		return no(badDataFormat, "the request holds more than belongs in it")
	}
	return r, nil
}
