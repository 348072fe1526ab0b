package cms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

// Options say how a SignedData is written. The zero value is right for PAdES.
type Options struct {
	Scheme      sign.Scheme      // zero: sign.SchemeFor the key
	SM2OID      SM2OID           // how SM2 is named in signatureAlgorithm; zero: SM2WithSM3
	SigningTime bool             // write signingTime: Act.Time, or Now where there is no Act; never in PAdES
	Now         func() time.Time // nil: time.Now
	Attributes  []Attribute      // further signed attributes
	TSA         sign.Timestamper // stamps the signature value with a time; nil: nobody does. See [TimeStamp]
	GM          bool             // name signedData and data as GM/T 0010 does (1.2.156.10197.6.1.4.2), not as PKCS #7
	NoChain     bool             // write no certificates: whoever reads it has them
}

// SM2OID chooses the OBJECT IDENTIFIER written for an SM2 signature value.
type SM2OID int

const (
	SM2WithSM3 SM2OID = iota // 1.2.156.10197.1.501
	SM2Sign                  // 1.2.156.10197.1.301.1, as GB/T 35275 prints it
)

// An Attribute of a SignerInfo.
type Attribute struct {
	Type   sign.OID
	Values [][]byte // DER, each one value
}

// Evidence is the signed attribute of a ledger's evidence (sign.AttributeEvidence).
func Evidence(b []byte) Attribute {
	return Attribute{sign.AttributeEvidence, [][]byte{tlv(asn1.OCTET_STRING, b)}}
}

// ErrAttribute: an attribute that stands twice or is malformed, read or in Options.Attributes; or there one of those that
// this package writes itself.
var ErrAttribute = errors.New("cms: attribute malformed or repeated")

// Sign makes a detached SignedData over content whose digest (by the scheme's hash) is given. Whoever signs often with
// the same attributes takes New, which reads the certificates once.
//
// The key has to fit its certificate and be strong enough: sign.ErrKeyMismatch, sign.ErrEncryptionCert,
// sign.ErrWeakKey, sign.ErrUnsupportedKey. A digest of another length is sign.ErrMissingSum, a bad attribute
// ErrAttribute.
//
// A time stamp that cannot be had is a note of the Value, never an error: see [TimeStamp].
func Sign(ctx context.Context, key sign.Key, digest []byte, o Options) (sign.Value, error) {
	w, err := newWriter(key, oidData, o)
	if err != nil {
		return sign.Value{}, err
	}
	return w.sign(ctx, digest, nil, w.signingTime(time.Time{}), nil)
}

// Attached returns a function that makes SignedData which carry their content, of a type other than data: time-stamp
// tokens, for one. The certificates are read once; the function is safe for concurrent use. The errors are those of
// Sign.
func Attached(key sign.Key, eContentType sign.OID, o Options) (func(ctx context.Context, content []byte) (sign.Value, error), error) {
	if !eContentType.Valid() {
		return nil, fmt.Errorf("%w: eContentType %s", ErrAttribute, eContentType)
	}
	w, err := newWriter(key, eContentType, o)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, content []byte) (sign.Value, error) {
		if content == nil {
			content = []byte{}
		}
		return w.sign(ctx, w.scheme.Hash.Sum(content), content, w.signingTime(time.Time{}), nil)
	}, nil
}

// MaxSize is the longest SignedData that Sign makes with this key and these options, attributes and time stamp included. The errors
// are those of Sign.
func MaxSize(key sign.Key, o Options) (int, error) {
	w, err := newWriter(key, oidData, o)
	if err != nil {
		return 0, err
	}
	return w.maxSize(), nil
}

// New returns a Signer of CMS values (sign.CMS). It binds Act.Evidence as a signed attribute; its MaxSize holds without
// evidence, and a wrapper that adds n bytes of it adds sign.CMS.EvidenceSize(n). The errors are those of Sign.
func New(key sign.Key, o Options) (sign.Signer, error) {
	w, err := newWriter(key, oidData, o)
	if err != nil {
		return nil, err
	}
	return &signer{w, sign.Profile{Format: sign.CMS, Specs: map[sign.Format]sign.Spec{
		sign.CMS: {Hashes: []sign.Hash{w.scheme.Hash}, MaxSize: w.maxSize(), Chain: key.Chain()},
	}}}, nil
}

type signer struct {
	w       *writer
	profile sign.Profile
}

func (s *signer) Profile() sign.Profile { return s.profile }

func (s *signer) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	at := s.w.signingTime(act.Time)
	var evidence []Attribute
	if len(act.Evidence) > 0 {
		evidence = []Attribute{Evidence(act.Evidence)}
	}
	values := make([]sign.Value, 0, len(act.Parts))
	for i, part := range act.Parts {
		if part.Format != sign.CMS {
			return nil, fmt.Errorf("%w: part %d asks for %q", sign.ErrFormat, i, part.Format)
		}
		digest, err := act.Content.Get(s.w.scheme.Hash)
		if err != nil {
			return nil, err
		}
		value, err := s.w.sign(ctx, digest, nil, at, evidence)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

// A writer holds all of a SignedData that does not change from one signature to the next.
type writer struct {
	key        sign.Key
	scheme     sign.Scheme
	withTime   bool
	now        func() time.Time
	tsa        sign.Timestamper
	outer      der.OID  // contentType
	attributes [][]byte // encoded: contentType, signing-certificate-v2, those of Options
	head       []byte   // SignedData up to encapContentInfo
	inner      []byte   // eContentType
	chain      []byte   // certificates
	signer     []byte   // SignerInfo up to signedAttrs
	algorithm  []byte   // signatureAlgorithm
}

func newWriter(key sign.Key, eContentType der.OID, o Options) (*writer, error) {
	scheme, err := schemeFor(key, o.Scheme)
	if err != nil {
		return nil, err
	}
	cert, err := certificateOf(key)
	if err != nil {
		return nil, err
	}
	w := &writer{key: key, scheme: scheme, withTime: o.SigningTime, now: o.Now, tsa: o.TSA, outer: oidSignedData,
		algorithm: signatureAlgorithm(scheme, o.SM2OID)}
	if w.now == nil {
		w.now = time.Now
	}
	if o.GM {
		if w.outer = oidGMSignedData; eContentType == oidData {
			eContentType = oidGMData
		}
	}
	if w.attributes, err = fixedAttributes(cert, scheme.Hash, eContentType, o.Attributes); err != nil {
		return nil, err
	}
	digest := algorithm(scheme.Hash.OID(), nil)
	version := func(n byte) []byte { return []byte{byte(asn1.INTEGER), 1, n} } // RFC 5652 5.1 and 5.3
	syntax := version(3)
	if isData(eContentType) {
		syntax = version(1)
	}
	w.head = slices.Concat(syntax, tlv(asn1.SET, digest))
	w.inner = tlv(asn1.OBJECT_IDENTIFIER, []byte(eContentType))
	if !o.NoChain {
		w.chain = tlv(context0, setOf(key.Chain())...)
	}
	w.signer = slices.Concat(version(1), issuerAndSerial(cert), digest)
	return w, nil
}

// signingTime is what goes into the attribute: a time that is known, else that of the clock; zero: nothing.
func (w *writer) signingTime(known time.Time) time.Time {
	switch {
	case !w.withTime:
		return time.Time{}
	case known.IsZero():
		return w.now()
	}
	return known
}

// schemeFor picks the scheme, or checks the one that is wanted.
func schemeFor(key sign.Key, want sign.Scheme) (sign.Scheme, error) {
	if key == nil {
		return sign.Scheme{}, fmt.Errorf("%w: no key", sign.ErrKeyMismatch)
	}
	s, err := sign.SchemeFor(key.Public())
	if err != nil || want == s || want == (sign.Scheme{}) {
		return s, err
	}
	kind := want.Kind == s.Kind || want.Kind == sign.RSAPSS && s.Kind == sign.RSA
	if hash := want.Hash == sign.SHA256 || want.Hash == sign.SHA384 || want.Hash == sign.SHA512; !kind || !hash || s.Kind == sign.SM2 {
		return s, fmt.Errorf("%w: %s is not written with a key of %s", sign.ErrUnsupportedKey, want, s)
	}
	return want, nil
}

// certificateOf checks that the key's first certificate is its own and one for signing.
func certificateOf(key sign.Key) (*gm.Certificate, error) {
	chain := key.Chain()
	if len(chain) == 0 {
		return nil, fmt.Errorf("%w: the key has no certificate", sign.ErrKeyMismatch)
	}
	own, err := gm.ParseCertificate(chain[0])
	if err != nil {
		return nil, fmt.Errorf("%w: certificate: %w", sign.ErrKeyMismatch, err)
	}
	for i, c := range chain[1:] { // only carried along; whether they certify it is for who trusts them
		if _, _, ok := certificateNames(c); !ok || der.Check(c, limits) != nil {
			return nil, fmt.Errorf("%w: certificate %d of the chain cannot be read", sign.ErrKeyMismatch, i+1)
		}
	}
	if !gm.SameKey(own.PublicKey, key.Public()) {
		return nil, fmt.Errorf("%w: certificate %q holds another public key", sign.ErrKeyMismatch, own.Subject)
	}
	if may, _ := gm.MaySign(own); !may {
		return nil, fmt.Errorf("%w: certificate %q is for other use; take the signing certificate of the pair", sign.ErrEncryptionCert, own.Subject)
	}
	return own, nil
}

func fixedAttributes(cert *gm.Certificate, h sign.Hash, eContentType der.OID, further []Attribute) ([][]byte, error) {
	all := [][]byte{
		attribute(oidContentType, tlv(asn1.OBJECT_IDENTIFIER, []byte(eContentType))),
		attribute(oidSigningCertificateV2, signingCertificate(cert, h)),
	}
	seen := map[sign.OID]bool{oidContentType: true, oidMessageDigest: true, oidSigningTime: true,
		oidSigningCertificate: true, oidSigningCertificateV2: true}
	for _, a := range further {
		if seen[a.Type] || !a.Type.Valid() || len(a.Values) == 0 {
			return nil, fmt.Errorf("%w: type %s is written twice or by this package, is malformed, or has no value", ErrAttribute, a.Type)
		}
		seen[a.Type] = true
		for i, v := range a.Values {
			if err := der.Check(v, limits); err != nil {
				return nil, fmt.Errorf("%w: %s, value %d: %w", ErrAttribute, a.Type, i, err)
			}
		}
		all = append(all, attribute(a.Type, a.Values...))
	}
	return all, nil
}

// sign makes the value: detached without content. A zero time means no signingTime.
func (w *writer) sign(ctx context.Context, digest, content []byte, at time.Time, further []Attribute) (sign.Value, error) {
	if len(digest) != w.scheme.Hash.Size() {
		return sign.Value{}, fmt.Errorf("%w: %d octets are not a digest of %s", sign.ErrMissingSum, len(digest), w.scheme.Hash)
	}
	attrs := w.signedAttrs(digest, at, further)
	value, err := w.scheme.Sign(ctx, w.key, attrs)
	if err != nil {
		return sign.Value{}, err
	}
	if n := w.scheme.MaxSize(w.key.Public()); len(value) == 0 || len(value) > n {
		return sign.Value{}, fmt.Errorf("%w: the key gave %d octets, %s has at most %d", sign.ErrSignature, len(value), w.scheme, n)
	}
	token, notes := TimeStamp(ctx, w.tsa, w.scheme.Hash, value)
	return sign.Value{Bytes: w.encode(content, attrs, value, token), Notes: notes}, nil
}

// maxSize encodes with the longest of everything that varies.
func (w *writer) maxSize() int {
	var at time.Time
	if w.withTime {
		at = time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC) // a GeneralizedTime, longer than UTCTime
	}
	attrs := w.signedAttrs(make([]byte, w.scheme.Hash.Size()), at, nil)
	return len(w.encode(nil, attrs, make([]byte, w.scheme.MaxSize(w.key.Public())), make([]byte, sign.StampSize(w.tsa))))
}

// signedAttrs is the SET OF Attribute whose DER is signed (RFC 5652 5.4).
func (w *writer) signedAttrs(digest []byte, at time.Time, further []Attribute) []byte {
	all := append(make([][]byte, 0, len(w.attributes)+3), w.attributes...)
	all = append(all, attribute(oidMessageDigest, tlv(asn1.OCTET_STRING, digest)))
	if !at.IsZero() {
		all = append(all, attribute(oidSigningTime, encodeTime(at)))
	}
	for _, a := range further {
		all = append(all, attribute(a.Type, a.Values...))
	}
	return tlv(asn1.SET, setOf(all)...)
}

// encode puts the ContentInfo together. Sizes come first, so that every octet is written once: attrs may hold a seal
// with its picture.
func (w *writer) encode(content, attrs, value, token []byte) []byte {
	attrs = contentOf(attrs)
	var unsigned []byte
	if len(token) > 0 {
		unsigned = tlv(context1, attribute(oidTimeStampToken, token))
	}
	element := func(n int) int { return der.HeaderSize(n) + n }
	encap := len(w.inner)
	if content != nil {
		encap += element(element(len(content)))
	}
	info := len(w.signer) + element(len(attrs)) + len(w.algorithm) + element(len(value)) + len(unsigned)
	infos := element(info)
	data := len(w.head) + element(encap) + len(w.chain) + element(infos)
	explicit := element(data)
	contentInfo := element(len(w.outer)) + element(explicit)

	out := make([]byte, 0, element(contentInfo))
	out = der.AppendHeader(out, byte(asn1.SEQUENCE), contentInfo)
	out = der.AppendHeader(out, byte(asn1.OBJECT_IDENTIFIER), len(w.outer))
	out = append(out, w.outer...)
	out = der.AppendHeader(out, byte(context0), explicit)
	out = der.AppendHeader(out, byte(asn1.SEQUENCE), data)
	out = append(out, w.head...)
	out = der.AppendHeader(out, byte(asn1.SEQUENCE), encap)
	out = append(out, w.inner...)
	if content != nil {
		out = der.AppendHeader(out, byte(context0), element(len(content)))
		out = der.AppendHeader(out, byte(asn1.OCTET_STRING), len(content))
		out = append(out, content...)
	}
	out = append(out, w.chain...)
	out = der.AppendHeader(out, byte(asn1.SET), infos)
	out = der.AppendHeader(out, byte(asn1.SEQUENCE), info)
	out = append(out, w.signer...)
	out = der.AppendHeader(out, byte(context0), len(attrs)) // implicit: signed as SET, written as [0]
	out = append(out, attrs...)
	out = append(out, w.algorithm...)
	out = der.AppendHeader(out, byte(asn1.OCTET_STRING), len(value))
	out = append(out, value...)
	return append(out, unsigned...)
}

// contentOf an element in DER.
func contentOf(element []byte) []byte {
	s := cryptobyte.String(element)
	s.ReadAnyASN1(&s, nil)
	return s
}

// tlv encodes an element of the parts in their order.
func tlv(tag asn1.Tag, parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := der.AppendHeader(make([]byte, 0, n+6), byte(tag), n)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// setOf sorts elements as DER wants a SET OF, and drops repeated ones.
func setOf(elements [][]byte) [][]byte {
	sorted := slices.Clone(elements)
	slices.SortFunc(sorted, bytes.Compare)
	return slices.CompactFunc(sorted, bytes.Equal)
}

func attribute(t sign.OID, values ...[]byte) []byte {
	return tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(t)), tlv(asn1.SET, setOf(values)...))
}

func algorithm(t der.OID, params []byte) []byte {
	return tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(t)), params)
}

// signatureAlgorithm names the hash too where an identifier does: RFC 5754 allows rsaEncryption beside it, ETSI TS 119 312
// does not. Parameters are NULL for RSA, absent for the others.
func signatureAlgorithm(s sign.Scheme, sm2 SM2OID) []byte {
	switch {
	case s.Kind == sign.SM2 && sm2 == SM2Sign:
		return algorithm(oidSM2Sign, nil)
	case s.Kind == sign.SM2:
		return algorithm(oidSM2SM3, nil)
	case s.Kind == sign.RSAPSS:
		return algorithm(oidPSS, pssParameters(s.Hash))
	}
	var params []byte
	if s.Kind == sign.RSA {
		params = []byte{byte(asn1.NULL), 0}
	}
	for oid, named := range schemes {
		if named == s {
			return algorithm(oid, params)
		}
	}
	panic("cms: no identifier for " + s.String()) // schemeFor lets only those through that have one
}

// pssParameters is RSASSA-PSS-params (RFC 4055): the hash, MGF1 with the same, a salt as long; trailerField by default.
func pssParameters(h sign.Hash) []byte {
	explicit := func(n asn1.Tag, b []byte) []byte { return tlv(n.ContextSpecific().Constructed(), b) }
	hash := algorithm(h.OID(), []byte{byte(asn1.NULL), 0})
	return tlv(asn1.SEQUENCE,
		explicit(0, hash),
		explicit(1, algorithm(oidMGF1, hash)),
		explicit(2, []byte{byte(asn1.INTEGER), 1, byte(h.Size())}))
}

func issuerAndSerial(c *gm.Certificate) []byte {
	issuer, serial, _ := certificateNames(c.Raw)
	return tlv(asn1.SEQUENCE, issuer, tlv(asn1.INTEGER, serial))
}

// signingCertificate is SigningCertificateV2 (RFC 5035) of one certificate. Its default hash, SHA-256, is not written.
func signingCertificate(c *gm.Certificate, h sign.Hash) []byte {
	var named []byte
	if h != sign.SHA256 {
		named = algorithm(h.OID(), nil)
	}
	issuer, serial, _ := certificateNames(c.Raw)
	directoryName := tlv(asn1.Tag(4).ContextSpecific().Constructed(), issuer)
	issuerSerial := tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE, directoryName), tlv(asn1.INTEGER, serial))
	id := tlv(asn1.SEQUENCE, named, tlv(asn1.OCTET_STRING, h.Sum(c.Raw)), issuerSerial)
	return tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE, id))
}

// encodeTime is the Time of RFC 5652 11.3: UTCTime through 2049.
func encodeTime(t time.Time) []byte {
	t = t.UTC()
	if y := t.Year(); y >= 1950 && y < 2050 {
		return tlv(asn1.UTCTime, []byte(t.Format("060102150405Z")))
	}
	return tlv(asn1.GeneralizedTime, []byte(t.Format("20060102150405Z")))
}
