package verify

import (
	"bytes"
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

// An ocspResponse is a BasicOCSPResponse (RFC 6960 4.2.1), signed with a key of any kind.
type ocspResponse struct {
	tbs       []byte
	algorithm der.OID
	signature []byte
	certs     []*gm.Certificate
	single    []ocspSingle
}

type ocspSingle struct {
	hash                sign.Hash
	issuerName          []byte // hashes
	issuerKey           []byte
	serial              []byte // INTEGER content octets
	status              uint8  // 0 good, 1 revoked, 2 unknown
	revokedAt           time.Time
	reason              int // CRLReason; -1: not stated
	thisUpdate, nextUpd time.Time
}

var (
	oidOCSPBasic = der.MustOID("1.3.6.1.5.5.7.48.1.1")
	errOCSP      = errors.New("verify: malformed OCSP response")
)

const oidOCSPSigning = 9 // x509.ExtKeyUsageOCSPSigning

func parseOCSP(b []byte) (*ocspResponse, error) {
	ctx := func(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }
	in := cryptobyte.String(b)
	var response, bytesTag, inner, basic cryptobyte.String
	var status int
	var oid der.OID
	if !in.ReadASN1(&response, asn1.SEQUENCE) || !in.Empty() || !response.ReadASN1Enum(&status) {
		return nil, errOCSP
	}
	if status != 0 {
		return nil, errors.New("verify: the OCSP responder refused to answer")
	}
	if !response.ReadASN1(&bytesTag, ctx(0)) || !bytesTag.ReadASN1(&inner, asn1.SEQUENCE) || !der.ReadOID(&inner, &oid) ||
		oid != oidOCSPBasic || !inner.ReadASN1(&basic, asn1.OCTET_STRING) {
		return nil, errOCSP
	}
	var seq, tbs, alg, certs cryptobyte.String
	var sig []byte
	var hasCerts bool
	o := new(ocspResponse)
	if !basic.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1Element(&tbs, asn1.SEQUENCE) || !seq.ReadASN1(&alg, asn1.SEQUENCE) ||
		!der.ReadOID(&alg, &o.algorithm) || !seq.ReadASN1BitStringAsBytes(&sig) || !seq.ReadOptionalASN1(&certs, &hasCerts, ctx(0)) {
		return nil, errOCSP
	}
	o.tbs, o.signature = tbs, sig
	if hasCerts {
		var list, cert cryptobyte.String
		if !certs.ReadASN1(&list, asn1.SEQUENCE) {
			return nil, errOCSP
		}
		for !list.Empty() && len(o.certs) < 16 {
			if !list.ReadASN1Element(&cert, asn1.SEQUENCE) {
				return nil, errOCSP
			}
			if c, err := gm.ParseCertificate(cert); err == nil {
				o.certs = append(o.certs, c)
			}
		}
	}
	var data, responses, single cryptobyte.String
	var produced time.Time
	if !tbs.ReadASN1(&data, asn1.SEQUENCE) || !data.SkipOptionalASN1(ctx(0)) || // version
		!(data.SkipOptionalASN1(ctx(1)) && data.SkipOptionalASN1(ctx(2))) || // responderID
		!data.ReadASN1GeneralizedTime(&produced) || !data.ReadASN1(&responses, asn1.SEQUENCE) {
		return nil, errOCSP
	}
	for !responses.Empty() {
		if !responses.ReadASN1(&single, asn1.SEQUENCE) {
			return nil, errOCSP
		}
		s, ok := readSingle(single)
		if !ok {
			return nil, errOCSP
		}
		o.single = append(o.single, s)
	}
	return o, nil
}

func readSingle(in cryptobyte.String) (ocspSingle, bool) {
	var s ocspSingle
	var id, alg, name, key, serial, status, next cryptobyte.String
	var tag asn1.Tag
	var oid der.OID
	var hasNext bool
	if !in.ReadASN1(&id, asn1.SEQUENCE) || !id.ReadASN1(&alg, asn1.SEQUENCE) || !der.ReadOID(&alg, &oid) ||
		!id.ReadASN1(&name, asn1.OCTET_STRING) || !id.ReadASN1(&key, asn1.OCTET_STRING) || !id.ReadASN1(&serial, asn1.INTEGER) ||
		!in.ReadAnyASN1(&status, &tag) || !in.ReadASN1GeneralizedTime(&s.thisUpdate) ||
		!in.ReadOptionalASN1(&next, &hasNext, asn1.Tag(0).ContextSpecific().Constructed()) {
		return s, false
	}
	s.hash, s.issuerName, s.issuerKey, s.serial = sign.HashOf(oid), name, key, serial // which names a certificate, and protects nothing
	s.status = uint8(tag) & 0x1f
	s.reason = -1
	if s.status == 1 {
		var reason cryptobyte.String
		var stated bool
		if !status.ReadASN1GeneralizedTime(&s.revokedAt) || !status.ReadOptionalASN1(&reason, &stated, asn1.Tag(0).ContextSpecific().Constructed()) ||
			stated && !reason.ReadASN1Enum(&s.reason) {
			return s, false
		}
	}
	if hasNext && !next.ReadASN1GeneralizedTime(&s.nextUpd) {
		return s, false
	}
	return s, true
}

// askOCSP: nothing where the response is about other certificates.
func (j *judge) askOCSP(o *ocspResponse, c, issuer *gm.Certificate) answer {
	for _, s := range o.single {
		if s.hash == "" || !bytes.Equal(s.serial, serialOctets(c.SerialNumber)) || !bytes.Equal(s.issuerName, s.hash.Sum(c.RawIssuer)) ||
			!bytes.Equal(s.issuerKey, s.hash.Sum(publicKeyBits(issuer))) {
			continue
		}
		signed, l := j.signedFor(o, issuer, s.thisUpdate)
		if !signed {
			return answer{why: "OCSP: not signed by the authority or a responder it named"}
		}
		switch {
		case s.status == 1:
			return answer{revoked: true, at: s.revokedAt, harmless: harmless(s.reason)}
		case l.standing == weak:
			return answer{why: "OCSP: " + l.why()}
		case s.status != 0:
			return answer{why: "OCSP: the responder does not know the certificate"}
		case j.at.Before(s.thisUpdate):
			return answer{why: "the OCSP response is from after the time of verification"}
		case !j.enough(s.thisUpdate) &&
			(j.at.Sub(s.thisUpdate) > 7*24*time.Hour && s.nextUpd.IsZero() || !s.nextUpd.IsZero() && j.at.After(s.nextUpd)):
			return answer{why: "the OCSP response is out of date"}
		}
		return answer{good: true}
	}
	return answer{}
}

// signedFor: by the issuer itself, or by a certificate that the issuer gave the purpose of signing OCSP responses
// and that was valid when it did. The lapse is of what the answer hangs on.
func (j *judge) signedFor(o *ocspResponse, issuer *gm.Certificate, at time.Time) (bool, lapse) {
	hash := func(a gm.SignatureAlgorithm) reliance { return hashReliance(sign.Hash(gm.SignatureHash(a))) }
	value, authority := hash(gm.AlgorithmOf(string(o.algorithm))), keyReliance(issuer.PublicKey)
	if gm.CheckSignature(issuer, string(o.algorithm), o.tbs, o.signature) == nil {
		return true, j.lapseOf(time.Time{}, value, authority)
	}
	for _, c := range o.certs {
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			continue
		}
		named := false
		for _, u := range c.ExtKeyUsage {
			named = named || int(u) == oidOCSPSigning
		}
		if named && gm.CheckIssued(c, issuer) == nil && gm.CheckSignature(c, string(o.algorithm), o.tbs, o.signature) == nil {
			return true, j.lapseOf(time.Time{}, value, keyReliance(c.PublicKey), hash(c.SignatureAlgorithm), authority)
		}
	}
	return false, lapse{}
}

// publicKeyBits is the content of the subjectPublicKey BIT STRING.
func publicKeyBits(c *gm.Certificate) []byte {
	s := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var in cryptobyte.String
	var bits []byte
	if !s.ReadASN1(&in, asn1.SEQUENCE) || !in.SkipASN1(asn1.SEQUENCE) || !in.ReadASN1BitStringAsBytes(&bits) {
		return nil
	}
	return bits
}
