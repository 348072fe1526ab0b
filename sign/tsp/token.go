package tsp

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// A Token is a parsed TimeStampToken. Nothing in it is trusted yet.
type Token struct {
	Raw        []byte        // as found
	Version    int           // of the TSTInfo: 1 or 2
	Policy     sign.OID      // under which the stamp was made
	HashOID    sign.OID      // of the message imprint
	Hash       sign.Hash     // what HashOID means; empty: unknown
	Digest     []byte        // of what was stamped
	Serial     []byte        // content octets of an INTEGER
	Time       time.Time     // genTime, UTC
	Accuracy   time.Duration // Time is right to within this; zero: not stated
	Ordering   bool          // any two stamps of the authority can be ordered by Time, whatever their accuracy
	Nonce      []byte        // content octets of an INTEGER; nil: none
	TSA        []byte        // the authority's name as it says itself, a DER GeneralName; nil: none
	Extensions []sign.OID    // of the TSTInfo; none of them is critical
	SignedData *cms.SignedData
	Notes      []sign.Note // those of SignedData among them
}

var (
	// ErrMalformed: bytes that are no time-stamp token, request or response; the text names the field.
	ErrMalformed = errors.New("tsp: malformed")
	// ErrExtension: a critical extension that is not known here.
	ErrExtension = errors.New("tsp: unknown critical extension")
	// ErrImprint: the token is over something else.
	ErrImprint = errors.New("tsp: the stamp is over something else")
	// ErrNonce: the response is not to this request; an old one sent again, perhaps.
	ErrNonce = errors.New("tsp: nonce differs")
	// ErrPolicy: the stamp was made under another policy than was asked for, or the policy is none.
	ErrPolicy = errors.New("tsp: policy")
)

// Codes of the notes of Parse.
const (
	noteVersion = "tst-version"  // 2, as GM/T 0031-2025 prints; RFC 3161 and GM/T 0033 have 1
	noteDefault = "tst-default"  // FALSE written where DER leaves it out
	noteTime    = "tst-time"     // genTime with a fraction that ends in zero
	noteName    = "tst-tsa-name" // tsa is not the subject of the signer's certificate
)

var (
	oidTSTInfo = der.MustOID("1.2.840.113549.1.9.16.1.4")

	limits = der.Limits{Size: 1 << 20, Depth: 32, Count: 50_000}
)

const (
	maxInteger    = 64 // octets of a serial number or nonce; RFC 3161 wants serial numbers of up to 20 taken
	maxExtensions = 32
)

// Tags of tagged fields; all but primitive0 and primitive1 hold further elements.
var (
	primitive0 = asn1.Tag(0).ContextSpecific()
	primitive1 = asn1.Tag(1).ContextSpecific()
	context0   = primitive0.Constructed()
	context1   = primitive1.Constructed()
)

// Parse reads a TimeStampToken: a SignedData, named by the PKCS #7 or the GM identifier, with one signer and a TSTInfo
// as content, of version 1 or 2. What departs from the standards and can be read all the same is a note. b is exactly
// the token, and the Token shares it. The errors are ErrMalformed, with cms.ErrMalformed where the SignedData is, and
// ErrExtension.
func Parse(b []byte) (*Token, error) {
	if len(b) > limits.Size {
		return nil, fmt.Errorf("%w: token of %d octets; %d are the most", ErrMalformed, len(b), limits.Size)
	}
	sd, err := cms.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%w token: %w", ErrMalformed, err)
	}
	switch {
	case sd.EContentType != oidTSTInfo || sd.EContent == nil:
		return nil, fmt.Errorf("%w token: eContentType is %s, with %d octets of content; a TSTInfo belongs here", ErrMalformed, sd.EContentType, len(sd.EContent))
	case len(sd.Signers) != 1:
		return nil, fmt.Errorf("%w token: %d signers; one belongs here (RFC 3161, 2.4.2)", ErrMalformed, len(sd.Signers))
	}
	t := &Token{Raw: b, SignedData: sd}
	if err := der.Check(sd.EContent, limits); err != nil {
		return nil, fmt.Errorf("%w TSTInfo: %w", ErrMalformed, err)
	}
	if err := t.parseInfo(sd.EContent); err != nil {
		return nil, err
	}
	t.checkName()
	t.Notes = append(t.Notes, sd.Notes...)
	return t, nil
}

func (t *Token) note(code, detail string) {
	t.Notes = append(t.Notes, sign.Note{Code: code, Detail: detail + "."})
}

// parseInfo reads the TSTInfo (RFC 3161, 2.4.2).
func (t *Token) parseInfo(info cryptobyte.String) error {
	bad := func(field string) error { return fmt.Errorf("%w TSTInfo: %s", ErrMalformed, field) }
	var s cryptobyte.String
	if !info.ReadASN1(&s, asn1.SEQUENCE) || !info.Empty() {
		return bad("it is no SEQUENCE")
	}
	if !s.ReadASN1Integer(&t.Version) || t.Version != 1 && t.Version != 2 {
		return bad("version is neither 1 nor 2")
	}
	if t.Version == 2 {
		t.note(noteVersion, "the TSTInfo has version 2, where RFC 3161 and GM/T 0033 have 1")
	}
	if !der.ReadOID(&s, &t.Policy) {
		return bad("policy")
	}
	if t.HashOID, t.Digest = readImprint(&s); t.Digest == nil {
		return bad("messageImprint")
	}
	if t.Hash = sign.HashOf(t.HashOID); t.Hash != "" && len(t.Digest) != t.Hash.Size() {
		return bad(fmt.Sprintf("messageImprint: %d octets are no %s", len(t.Digest), t.Hash))
	}
	if t.Serial = readInteger(&s); t.Serial == nil {
		return bad("serialNumber")
	}
	if !t.readTime(&s) {
		return bad("genTime")
	}
	if s.PeekASN1Tag(asn1.SEQUENCE) && !t.readAccuracy(&s) {
		return bad("accuracy")
	}
	if s.PeekASN1Tag(asn1.BOOLEAN) {
		if !s.ReadASN1Boolean(&t.Ordering) {
			return bad("ordering")
		}
		if !t.Ordering {
			t.note(noteDefault, "ordering FALSE is written; DER leaves it out")
		}
	}
	if s.PeekASN1Tag(asn1.INTEGER) {
		if t.Nonce = readInteger(&s); t.Nonce == nil {
			return bad("nonce")
		}
	}
	if s.PeekASN1Tag(context0) {
		var name, element cryptobyte.String
		if !s.ReadASN1(&name, context0) || !name.ReadAnyASN1Element(&element, nil) || !name.Empty() {
			return bad("tsa")
		}
		t.TSA = element
	}
	if s.PeekASN1Tag(context1) {
		if err := t.readExtensions(&s); err != nil {
			return err
		}
	}
	if !s.Empty() {
		return bad("more than belongs in it")
	}
	return nil
}

// readImprint reads a MessageImprint; digest is nil where it is malformed.
func readImprint(s *cryptobyte.String) (hash sign.OID, digest []byte) {
	var imprint, octets cryptobyte.String
	var params []byte
	if !s.ReadASN1(&imprint, asn1.SEQUENCE) || !der.ReadAlgorithm(&imprint, &hash, &params) || params != nil ||
		!imprint.ReadASN1(&octets, asn1.OCTET_STRING) || !imprint.Empty() || len(octets) == 0 || len(octets) > 64 {
		return "", nil
	}
	return hash, octets
}

// readInteger returns the content octets of an INTEGER; nil where it is malformed or too long.
func readInteger(s *cryptobyte.String) []byte {
	var n cryptobyte.String
	if !s.ReadASN1(&n, asn1.INTEGER) || len(n) == 0 || len(n) > maxInteger ||
		len(n) > 1 && (n[0] == 0 && n[1] < 0x80 || n[0] == 0xff && n[1] >= 0x80) {
		return nil
	}
	return n
}

// readTime reads genTime: UTC to the second, with a fraction of up to nine digits.
func (t *Token) readTime(s *cryptobyte.String) bool {
	var v cryptobyte.String
	if !s.ReadASN1(&v, asn1.GeneralizedTime) || len(v) < 15 || len(v) > 25 || v[len(v)-1] != 'Z' {
		return false
	}
	whole, fraction := string(v[:14]), string(v[14:len(v)-1])
	for i, c := range []byte(whole + fraction) {
		if i == 14 && (c != '.' || len(fraction) == 1) || i != 14 && (c < '0' || c > '9') {
			return false
		}
	}
	at, err := time.Parse("20060102150405", whole+fraction) // a fraction after seconds is always taken
	if err != nil {
		return false
	}
	if strings.HasSuffix(fraction, "0") {
		t.note(noteTime, "the fraction of genTime ends in zero; DER leaves that out")
	}
	t.Time = at
	return true
}

func (t *Token) readAccuracy(s *cryptobyte.String) bool {
	var a cryptobyte.String
	if !s.ReadASN1(&a, asn1.SEQUENCE) {
		return false
	}
	for _, unit := range []struct {
		tag  asn1.Tag
		most int64
		of   time.Duration
	}{{asn1.INTEGER, 1 << 31, time.Second}, {primitive0, 999, time.Millisecond}, {primitive1, 999, time.Microsecond}} {
		if !a.PeekASN1Tag(unit.tag) {
			continue
		}
		var n int64
		if !a.ReadASN1Int64WithTag(&n, unit.tag) || n < 0 || n > unit.most {
			return false
		}
		t.Accuracy += time.Duration(n) * unit.of
	}
	return a.Empty()
}

func (t *Token) readExtensions(s *cryptobyte.String) error {
	ids, critical, ok := extensions(s)
	switch {
	case !ok:
		return fmt.Errorf("%w TSTInfo: extensions", ErrMalformed)
	case critical != "":
		return fmt.Errorf("%w: %s in the TSTInfo", ErrExtension, critical)
	}
	t.Extensions = ids
	return nil
}

// extensions reads [n] IMPLICIT Extensions, whatever n is, and names one that is critical.
func extensions(s *cryptobyte.String) (ids []sign.OID, critical sign.OID, ok bool) {
	var list cryptobyte.String
	if !s.ReadAnyASN1(&list, nil) || list.Empty() {
		return nil, "", false
	}
	for !list.Empty() {
		var e, value cryptobyte.String
		var id sign.OID
		must := false
		if len(ids) == maxExtensions || !list.ReadASN1(&e, asn1.SEQUENCE) || !der.ReadOID(&e, &id) ||
			e.PeekASN1Tag(asn1.BOOLEAN) && !e.ReadASN1Boolean(&must) ||
			!e.ReadASN1(&value, asn1.OCTET_STRING) || !e.Empty() {
			return nil, "", false
		}
		if must {
			critical = id
		}
		ids = append(ids, id)
	}
	return ids, critical, true
}

// checkName compares tsa with the certificate. RFC 3161 wants it among the names there; only a directoryName is looked
// at, and since writers encode names anew, a difference is a note.
func (t *Token) checkName() {
	name, directory := cryptobyte.String(t.TSA), cryptobyte.String(nil)
	if !name.ReadASN1(&directory, asn1.Tag(4).ContextSpecific().Constructed()) {
		return
	}
	c, err := gm.ParseCertificate(t.Certificate())
	if err == nil && !bytes.Equal(c.RawSubject, directory) {
		t.note(noteName, "tsa is not the subject of the signer's certificate, or is encoded in another way")
	}
}

// CheckImprint asks whether the stamp is over message: the octets of a signature value, for one. The errors are
// ErrImprint, and cms.ErrUnsupported for an unknown hash.
func (t *Token) CheckImprint(message []byte) error {
	if t.Hash == "" {
		return fmt.Errorf("%w: hash %s", cms.ErrUnsupported, t.HashOID)
	}
	if d := t.Hash.Sum(message); !bytes.Equal(d, t.Digest) {
		return fmt.Errorf("%w: %s there is %x, of the message %x", ErrImprint, t.Hash, t.Digest, d)
	}
	return nil
}

// Certificate is the certificate of the signer, DER, among those that the token carries; nil: not there.
func (t *Token) Certificate() []byte {
	return t.SignedData.Signers[0].Certificate(t.SignedData.Certificates)
}

// CheckValue asks whether the token was signed with the key of the certificate: the contentType and messageDigest
// attributes, signing-certificate or signing-certificate-v2, one of which must be there (RFC 3161, 2.4.1; RFC 5816),
// and the signature value. It asks nothing of the certificate itself. The errors are those of the Check methods of
// cms.SignerInfo.
func (t *Token) CheckValue(cert []byte) error {
	si, sums := &t.SignedData.Signers[0], t.SignedData.Sums()
	if err := si.CheckContentType(); err != nil {
		return err
	}
	if err := si.CheckDigest(sums); err != nil {
		return err
	}
	if err := si.CheckCertificate(cert); err != nil {
		return err
	}
	return si.CheckValue(cert, sums)
}
