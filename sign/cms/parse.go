package cms

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

// SignedData is a parsed SignedData. Nothing in it is trusted yet.
type SignedData struct {
	Raw          []byte   // as found
	ContentType  sign.OID // of the ContentInfo: PKCS #7 or GM signedData
	EContentType sign.OID
	EContent     []byte   // nil: detached
	Certificates [][]byte // X.509; other kinds are left out, with a note
	CRLs         [][]byte // X.509; other kinds are left out, with a note
	Signers      []SignerInfo
	Notes        []sign.Note
}

// A SignerInfo is one signature of a SignedData.
type SignerInfo struct {
	Issuer, Serial []byte // DER Name and INTEGER content octets; nil where SubjectKeyID is used
	SubjectKeyID   []byte
	DigestOID      sign.OID
	SignatureOID   sign.OID
	Scheme         sign.Scheme // what the two identifiers mean together; zero: unknown
	SignedAttrs    []byte      // DER SET OF as signed (tag 31); nil: none
	Attributes     []Attribute // the signed ones, in their order
	Signature      []byte      // as found
	Unsigned       []Attribute

	eContentType sign.OID
	eContent     []byte
}

// ErrMalformed is wrapped by errors about bytes that are no SignedData; the text names field and offset. Where a limit
// was exceeded the error is an internal one beside it, and says so.
var ErrMalformed = errors.New("cms: malformed SignedData")

var limits = der.Limits{Size: 16 << 20, Depth: 64, Count: 1_000_000}

const (
	maxItems   = 1024 // certificates, CRLs, attributes, values of one attribute
	maxSigners = 64
)

// Codes of the notes of Parse.
const (
	noteBER         = "ber-encoding"        // indefinite lengths or constructed OCTET STRINGs; RFC 5652 and PAdES want DER here
	noteRawValue    = "raw-signature-value" // r || s where DER SEQUENCE { r, s } belongs (GM/T 0009)
	noteOID         = "algorithm-oid"       // 1.2.156.10197.501 for SM2 with SM3
	noteHashes      = "hash-mismatch"       // digestAlgorithm and signatureAlgorithm name different hashes
	noteOrder       = "attribute-order"     // SignedAttributes not sorted as DER wants; hashed as found
	noteContentType = "content-type-alias"  // eContentType and the contentType attribute name data in PKCS #7 and in GM terms
	noteParameters  = "unexpected-parameters"
	noteDigests     = "digest-not-listed"  // digestAlgorithms does not have the signer's; RFC 5652 5.1 lets others refuse that
	noteOther       = "other-certificates" // attribute certificates, OCSP responses among the CRLs
)

// Parse reads a SignedData: strict DER, and BER's indefinite lengths and constructed strings where real files have them.
// b is exactly the value; padding, as in a PDF's /Contents, is an error. The SignedData shares b. The error is
// ErrMalformed.
func Parse(b []byte) (*SignedData, error) {
	value, n, changed, err := der.Normalize(b, limits)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if n != len(b) {
		return nil, fmt.Errorf("%w: %d bytes after the value", ErrMalformed, len(b)-n)
	}
	p := &parser{raw: value}
	sd := &SignedData{Raw: b}
	if changed {
		p.note(noteBER, "BER where DER belongs; read as the DER it stands for")
	}
	p.contentInfo(sd)
	if p.err != nil {
		return nil, p.err
	}
	sd.Notes = p.notes
	return sd, nil
}

// A parser reads one field after another. The first error stays, and what is read after it means nothing.
type parser struct {
	raw     []byte
	digests []sign.OID // of digestAlgorithms
	notes   []sign.Note
	err     error
}

// fail keeps the first error. Every string here is a tail of raw's array, so capacities tell the offset.
func (p *parser) fail(at cryptobyte.String, what string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s at offset %d", ErrMalformed, what, cap(p.raw)-cap(at))
	}
}

// note records a departure once, however many signers have it.
func (p *parser) note(code, detail string) {
	for _, n := range p.notes {
		if n.Code == code {
			return
		}
	}
	p.notes = append(p.notes, sign.Note{Code: code, Detail: detail + "."})
}

// one reads the content of an element with the tag.
func (p *parser) one(s *cryptobyte.String, tag asn1.Tag, field string) (content cryptobyte.String) {
	if at := *s; p.err == nil && !s.ReadASN1(&content, tag) {
		p.fail(at, field+" missing or malformed")
	}
	return content
}

// optional is one for an element that may be absent.
func (p *parser) optional(s *cryptobyte.String, tag asn1.Tag, field string) (content cryptobyte.String, ok bool) {
	if p.err != nil || !s.PeekASN1Tag(tag) {
		return nil, false
	}
	return p.one(s, tag, field), p.err == nil
}

// element reads a whole element of any kind.
func (p *parser) element(s *cryptobyte.String, field string) (element cryptobyte.String, tag asn1.Tag) {
	if at := *s; p.err == nil && !s.ReadAnyASN1Element(&element, &tag) {
		p.fail(at, field+" malformed")
	}
	return element, tag
}

func (p *parser) oid(s *cryptobyte.String, field string) (o sign.OID) {
	if at := *s; p.err == nil && !der.ReadOID(s, &o) {
		p.fail(at, field+" is no object identifier")
	}
	return o
}

func (p *parser) version(s *cryptobyte.String, field string) {
	var v int64
	if at := *s; p.err == nil && (!s.ReadASN1Integer(&v) || v < 0 || v > 5) {
		p.fail(at, field+" is not from 0 to 5")
	}
}

func (p *parser) end(s cryptobyte.String, field string) {
	if p.err == nil && !s.Empty() {
		p.fail(s, "more than belongs in "+field)
	}
}

// Tags of implicitly and explicitly tagged fields.
var (
	context0     = asn1.Tag(0).ContextSpecific().Constructed()
	context1     = asn1.Tag(1).ContextSpecific().Constructed()
	subjectKeyID = asn1.Tag(0).ContextSpecific()
)

func (p *parser) contentInfo(sd *SignedData) {
	s := cryptobyte.String(p.raw)
	info := p.one(&s, asn1.SEQUENCE, "ContentInfo")
	at := info
	sd.ContentType = p.oid(&info, "contentType")
	if p.err == nil && sd.ContentType != oidSignedData && sd.ContentType != oidGMSignedData {
		p.fail(at, fmt.Sprintf("contentType %s is not signedData", sd.ContentType))
	}
	explicit := p.one(&info, context0, "content")
	p.end(info, "ContentInfo")
	data := p.one(&explicit, asn1.SEQUENCE, "SignedData")
	p.end(explicit, "content")

	p.version(&data, "version")
	digests := p.one(&data, asn1.SET, "digestAlgorithms")
	for p.err == nil && !digests.Empty() {
		p.digests = append(p.digests, p.algorithm(&digests, "digestAlgorithms"))
	}
	encap := p.one(&data, asn1.SEQUENCE, "encapContentInfo")
	sd.EContentType = p.oid(&encap, "eContentType")
	if content, ok := p.optional(&encap, context0, "eContent"); ok {
		sd.EContent = p.one(&content, asn1.OCTET_STRING, "eContent")
		p.end(content, "eContent")
		if sd.EContent == nil {
			sd.EContent = []byte{}
		}
	}
	p.end(encap, "encapContentInfo")
	sd.Certificates = p.x509s(&data, context0, "certificates")
	sd.CRLs = p.x509s(&data, context1, "crls")
	infos := p.one(&data, asn1.SET, "signerInfos")
	p.end(data, "SignedData")
	for p.err == nil && !infos.Empty() {
		if len(sd.Signers) == maxSigners {
			p.fail(infos, fmt.Sprintf("more than %d signerInfos", maxSigners))
			return
		}
		si := SignerInfo{eContentType: sd.EContentType, eContent: sd.EContent}
		p.signerInfo(&infos, &si)
		sd.Signers = append(sd.Signers, si)
	}
}

// x509s reads CertificateSet or RevocationInfoChoices. What is not a SEQUENCE is of another kind.
func (p *parser) x509s(s *cryptobyte.String, tag asn1.Tag, field string) (out [][]byte) {
	set, _ := p.optional(s, tag, field)
	for p.err == nil && !set.Empty() {
		if len(out) == maxItems {
			p.fail(set, fmt.Sprintf("more than %d %s", maxItems, field))
			return nil
		}
		if e, t := p.element(&set, field); t == asn1.SEQUENCE {
			out = append(out, e)
		} else {
			p.note(noteOther, "certificates or revocation information of another kind than X.509 were left out")
		}
	}
	return out
}

// algorithm reads one that has no parameters, in the list of digests.
func (p *parser) algorithm(s *cryptobyte.String, field string) (o sign.OID) {
	at := *s
	var params []byte
	if len(p.digests) == maxItems {
		p.fail(at, fmt.Sprintf("more than %d %s", maxItems, field))
	} else if !der.ReadAlgorithm(s, &o, &params) {
		p.fail(at, field+" malformed")
	}
	return o
}

func (p *parser) signerInfo(infos *cryptobyte.String, si *SignerInfo) {
	s := p.one(infos, asn1.SEQUENCE, "signerInfo")
	p.version(&s, "signerInfo.version")
	if id, ok := p.optional(&s, subjectKeyID, "subjectKeyIdentifier"); ok {
		si.SubjectKeyID = id
	} else {
		id := p.one(&s, asn1.SEQUENCE, "signerInfo.sid")
		si.Issuer, _ = p.element(&id, "issuer")
		si.Serial = p.one(&id, asn1.INTEGER, "serialNumber")
		p.end(id, "issuerAndSerialNumber")
	}
	var params []byte
	if at := s; p.err == nil && !der.ReadAlgorithm(&s, &si.DigestOID, &params) {
		p.fail(at, "digestAlgorithm malformed")
	}
	if !slices.Contains(p.digests, si.DigestOID) {
		p.note(noteDigests, "digestAlgorithms does not name the hash of a signer")
	}
	p.noParameters(params)
	p.signedAttrs(&s, si)
	if at := s; p.err == nil && !der.ReadAlgorithm(&s, &si.SignatureOID, &params) {
		p.fail(at, "signatureAlgorithm malformed")
	}
	si.Signature = p.one(&s, asn1.OCTET_STRING, "signature")
	if set, ok := p.optional(&s, context1, "unsignedAttrs"); ok {
		si.Unsigned = p.attributes(set, "unsignedAttrs")
	}
	p.end(s, "signerInfo")
	if p.err != nil {
		return
	}
	si.Scheme = p.scheme(si.DigestOID, si.SignatureOID, params)
	if si.Scheme.Kind == sign.SM2 {
		if _, raw := gm.SignatureDER(si.Signature); raw {
			p.note(noteRawValue, "the SM2 signature value is r || s and not DER")
		}
	}
}

func (p *parser) signedAttrs(s *cryptobyte.String, si *SignerInfo) {
	at := *s
	set, ok := p.optional(s, context0, "signedAttrs")
	if !ok {
		return
	}
	if set.Empty() {
		p.fail(at, "signedAttrs empty")
		return
	}
	si.SignedAttrs = tlv(asn1.SET, set)
	si.Attributes = p.attributes(set, "signedAttrs")
	var last []byte
	for rest := set; p.err == nil && !rest.Empty(); {
		e, _ := p.element(&rest, "signedAttrs")
		if bytes.Compare(last, e) > 0 {
			p.note(noteOrder, "the signed attributes are not in DER order; they were hashed as found")
		}
		last = e
	}
	values, _ := si.Attribute(oidContentType)
	if p.err == nil && len(values) == 1 && isData(si.eContentType) {
		v, t := cryptobyte.String(values[0]), sign.OID("")
		if der.ReadOID(&v, &t) && t != si.eContentType && isData(t) {
			p.note(noteContentType, "eContentType and the attribute contentType name data by different identifiers")
		}
	}
}

func (p *parser) attributes(set cryptobyte.String, field string) (out []Attribute) {
	for p.err == nil && !set.Empty() {
		if len(out) == maxItems {
			p.fail(set, fmt.Sprintf("more than %d %s", maxItems, field))
			return nil
		}
		a := p.one(&set, asn1.SEQUENCE, field)
		t := p.oid(&a, field)
		values := p.one(&a, asn1.SET, field)
		p.end(a, field)
		var list [][]byte
		for p.err == nil && !values.Empty() {
			if len(list) == maxItems {
				p.fail(values, fmt.Sprintf("more than %d values in %s", maxItems, field))
				return nil
			}
			e, _ := p.element(&values, field)
			list = append(list, e)
		}
		out = append(out, Attribute{t, list})
	}
	return out
}

// scheme is what digestAlgorithm and signatureAlgorithm mean together.
func (p *parser) scheme(digest, signature der.OID, params []byte) sign.Scheme {
	h := sign.HashOf(digest)
	s := schemes[signature]
	if signature != oidPSS {
		p.noParameters(params)
	}
	switch signature {
	case oidRSA: // names no hash
		if h != sign.SM3 {
			s = sign.Scheme{Kind: sign.RSA, Hash: h}
		}
	case oidPSS:
		s = sign.Scheme{Kind: sign.RSAPSS, Hash: pssHash(params)}
	case oidSM2Slip:
		p.note(noteOID, "1.2.156.10197.501 stands for SM2 with SM3, 1.2.156.10197.1.501")
	}
	if h == "" || s.Hash == "" {
		return sign.Scheme{}
	}
	if s.Hash != h {
		p.note(noteHashes, fmt.Sprintf("digestAlgorithm is %s, signatureAlgorithm %s", h, s))
		return sign.Scheme{}
	}
	return s
}

// noParameters notes parameters other than NULL where none belong. They change nothing that is checked.
func (p *parser) noParameters(params []byte) {
	if params != nil {
		p.note(noteParameters, "an algorithm has parameters where none belong; they were not looked at")
	}
}

// pssHash reads RSASSA-PSS-params (RFC 4055). Empty: not a combination that is checked here. The salt may be of any
// length: the value tells it.
func pssHash(params []byte) sign.Hash {
	var s, field cryptobyte.String
	in := cryptobyte.String(params)
	if params == nil {
		return sign.SHA1
	}
	if !in.ReadASN1(&s, asn1.SEQUENCE) || !in.Empty() {
		return ""
	}
	hash, mask := sign.SHA1, sign.SHA1
	var oid der.OID
	var inner []byte
	var present bool
	if !s.ReadOptionalASN1(&field, &present, context0) {
		return ""
	}
	if present {
		if !der.ReadAlgorithm(&field, &oid, &inner) || !field.Empty() || inner != nil {
			return ""
		}
		hash = sign.HashOf(oid)
	}
	if !s.ReadOptionalASN1(&field, &present, context1) {
		return ""
	}
	if present {
		if !der.ReadAlgorithm(&field, &oid, &inner) || !field.Empty() || oid != oidMGF1 {
			return ""
		}
		of := cryptobyte.String(inner)
		if !der.ReadAlgorithm(&of, &oid, &inner) || !of.Empty() || inner != nil {
			return ""
		}
		mask = sign.HashOf(oid)
	}
	salt, trailer := 20, 1
	if !s.ReadOptionalASN1Integer(&salt, asn1.Tag(2).ContextSpecific().Constructed(), 20) ||
		!s.ReadOptionalASN1Integer(&trailer, asn1.Tag(3).ContextSpecific().Constructed(), 1) || !s.Empty() {
		return ""
	}
	if hash != mask || trailer != 1 || hash == sign.SM3 {
		return ""
	}
	return hash
}

// Attribute returns the values of a signed attribute; ok is false where it is absent or stands twice.
func (si *SignerInfo) Attribute(t sign.OID) (values [][]byte, ok bool) {
	for _, a := range si.Attributes {
		if a.Type != t {
			continue
		}
		if ok {
			return nil, false
		}
		values, ok = a.Values, true
	}
	return values, ok
}

// Certificate picks the signer's own certificate from DER certificates; nil: not there.
func (si *SignerInfo) Certificate(certs [][]byte) []byte {
	for _, c := range certs {
		if si.SubjectKeyID != nil {
			if !bytes.Contains(c, si.SubjectKeyID) { // cheap, before a certificate is parsed
				continue
			}
			if parsed, err := gm.ParseCertificate(c); err == nil && bytes.Equal(parsed.SubjectKeyId, si.SubjectKeyID) {
				return c
			}
			continue
		}
		if issuer, serial, ok := certificateNames(c); ok && bytes.Equal(issuer, si.Issuer) && bytes.Equal(serial, si.Serial) {
			return c
		}
	}
	return nil
}

// certificateNames reads what names a certificate: its issuer, DER, and the content octets of its serial number.
func certificateNames(cert []byte) (issuer, serial []byte, ok bool) {
	s := cryptobyte.String(cert)
	var tbs, name, number cryptobyte.String
	ok = s.ReadASN1(&s, asn1.SEQUENCE) && s.ReadASN1(&tbs, asn1.SEQUENCE) &&
		tbs.SkipOptionalASN1(context0) && tbs.ReadASN1(&number, asn1.INTEGER) &&
		tbs.SkipASN1(asn1.SEQUENCE) && tbs.ReadASN1Element(&name, asn1.SEQUENCE)
	return name, number, ok
}
