package seal

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

// ErrAlgorithm is wrapped where the algorithm that a seal or signature names is unknown, or is not one of the key in
// the certificate beside it (GB/T 38540-2020 7.1.1: the two shall agree).
var ErrAlgorithm = errors.New("seal: signature algorithm does not fit")

// An algorithm is what a signatureAlgID means. Several hashes: the identifier names none, and each is tried.
type algorithm struct {
	kind   sign.Kind
	hashes []sign.Hash
	note   string
}

var (
	oidSM2WithSM3 = der.MustOID("1.2.156.10197.1.501")
	oidSM3        = der.MustOID("1.2.156.10197.1.401")

	algorithms = map[der.OID]algorithm{
		oidSM2WithSM3:                        {sign.SM2, []sign.Hash{sign.SM3}, ""},
		der.MustOID("1.2.156.10197.501"):     {sign.SM2, []sign.Hash{sign.SM3}, "algorithm-oid"},
		der.MustOID("1.2.156.10197.1.301.1"): {sign.SM2, []sign.Hash{sign.SM3}, "algorithm-oid"},
		der.MustOID("1.2.156.10197.1.301"):   {sign.SM2, []sign.Hash{sign.SM3}, "algorithm-oid"},
		der.MustOID("1.2.840.113549.1.1.5"):  {sign.RSA, []sign.Hash{sign.SHA1}, "weak-hash"},
		der.MustOID("1.2.840.113549.1.1.11"): {sign.RSA, []sign.Hash{sign.SHA256}, ""},
		der.MustOID("1.2.840.113549.1.1.12"): {sign.RSA, []sign.Hash{sign.SHA384}, ""},
		der.MustOID("1.2.840.113549.1.1.13"): {sign.RSA, []sign.Hash{sign.SHA512}, ""},
		der.MustOID("1.2.840.113549.1.1.1"):  {sign.RSA, []sign.Hash{sign.SHA256, sign.SHA1}, "algorithm-oid"},
	}
)

// VerifyValue checks the maker's signature value over the bytes as they were parsed; changed fields do not count. It
// says nothing of trust or time. What is signed: DER(SES_SealInfo) in GB/T 38540-2020 6.2 and GM/T 0031-2025;
// SEQUENCE { SES_SealInfo, cert, signatureAlgorithm } in GM/T 0031-2014 6.1; for seals of the withdrawn C0119, which
// are those of the shape of GB/T 38540 with UTCTime (note c0119), either.
//
// A wrong value is sign.ErrSignature, an algorithm unknown or not of the certificate's key ErrAlgorithm, an unreadable
// certificate ErrMalformed.
func (s *Seal) VerifyValue() error {
	_, err := s.Scheme()
	return err
}

// Scheme is VerifyValue, and says with which scheme the value is right: an identifier of RSA alone names no hash.
func (s *Seal) Scheme() (sign.Scheme, error) {
	if s.info == nil {
		return sign.Scheme{}, fmt.Errorf("%w: VerifyValue of a seal that was not parsed", ErrMalformed)
	}
	long := func() []byte { return sequenceOf(s.info, s.certRaw, s.algRaw) }
	switch {
	case s.generation == V1:
		return verifyValue("SESeal", s.MakerCert, s.Algorithm, s.Value, long())
	case s.c0119:
		return verifyValue("SESeal", s.MakerCert, s.Algorithm, s.Value, long(), s.info)
	}
	return verifyValue("SESeal", s.MakerCert, s.Algorithm, s.Value, s.info)
}

// VerifyValue checks the signer's value over TBS_Sign as it was parsed (GM/T 0031-2014 6.2, GB/T 38540-2020 7.2), with
// the errors of the seal's VerifyValue. C0119 has certificate and algorithm inside TBS_Sign; around such a seal they are
// taken in too where they follow it. The seal inside, its holders, times and the hash of the document are checks of
// their own.
func (s *Signature) VerifyValue() error {
	_, err := s.Scheme()
	return err
}

// Scheme is VerifyValue, and says with which scheme the value is right.
func (s *Signature) Scheme() (sign.Scheme, error) {
	if s.tbs == nil {
		return sign.Scheme{}, fmt.Errorf("%w: VerifyValue of a signature that was not parsed", ErrMalformed)
	}
	messages := [][]byte{s.tbs}
	if s.Seal.c0119 && !s.v1 {
		messages = append(messages, sequenceOf(s.tbsContent, s.certRaw, s.algRaw))
	}
	return verifyValue("SES_Signature", s.Cert, s.Algorithm, s.Value, messages...)
}

// verifyValue tries the value over each of the messages.
func verifyValue(what string, cert []byte, alg der.OID, value []byte, messages ...[]byte) (scheme sign.Scheme, err error) {
	a, ok := algorithms[alg]
	if !ok {
		return scheme, fmt.Errorf("%w: %s names %s; SM2 (1.2.156.10197.1.501) and RSA PKCS #1 are known", ErrAlgorithm, what, alg)
	}
	c, err := gm.ParseCertificate(cert)
	if err != nil {
		return scheme, fmt.Errorf("%w: certificate of %s: %w", ErrMalformed, what, err)
	}
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		ok = a.kind == sign.RSA
		if n := k.N.BitLen(); n > 16384 {
			return scheme, fmt.Errorf("%w: certificate of %s: %w: RSA key of %d bits", ErrMalformed, what, der.ErrLimit, n)
		}
	case *ecdsa.PublicKey:
		ok = a.kind == sign.SM2 && gm.IsSM2(k)
	default:
		ok = false
	}
	if !ok {
		return scheme, fmt.Errorf("%w: %s names %s (%s), its certificate holds a %s key", ErrAlgorithm, what, alg, a.kind, keyKind(c))
	}
	if a.kind == sign.SM2 {
		value, _ = gm.SignatureDER(value)
	}
	err = nil
	for _, m := range messages {
		for _, h := range a.hashes {
			tried := sign.Scheme{Kind: a.kind, Hash: h}
			e := tried.Verify(c.PublicKey, m, value)
			if e == nil {
				return tried, nil
			}
			if err == nil {
				err = e
			}
		}
	}
	return scheme, fmt.Errorf("%s: %w", what, err)
}

func keyKind(c *gm.Certificate) string {
	if gm.IsSM2(c.PublicKey) {
		return string(sign.SM2)
	}
	return c.PublicKeyAlgorithm.String()
}

// isRawSM2 recognises r || s where DER belongs.
func isRawSM2(alg der.OID, v []byte) bool {
	_, raw := gm.SignatureDER(v)
	return raw && algorithms[alg].kind == sign.SM2
}

// sequenceOf puts encoded elements into a SEQUENCE, byte for byte.
func sequenceOf(elements ...[]byte) []byte {
	n := 0
	for _, e := range elements {
		n += len(e)
	}
	out := appendHeader(make([]byte, 0, n+6), asn1.SEQUENCE, n)
	for _, e := range elements {
		out = append(out, e...)
	}
	return out
}

// appendHeader writes the identifier and length octets of an element with n content octets.
func appendHeader(b []byte, tag asn1.Tag, n int) []byte { return der.AppendHeader(b, byte(tag), n) }

// Holds reports whether certList names the certificate (GB/T 38540-2020 7.3: 签章者证书与电子印章的匹配性): the same
// bytes where it lists certificates, an equal digest where it lists digests. The type of a digest is free text in the
// standard; an object identifier or a name of SM3 or SHA-2 is obeyed, and any other type with 32 octets is taken as SM3.
func (s *Seal) Holds(cert []byte) bool {
	if len(cert) == 0 {
		return false
	}
	if s.CertListType == Certificates {
		for _, c := range s.Certs {
			if string(c) == string(cert) {
				return true
			}
		}
		return false
	}
	sums := map[sign.Hash][]byte{} // a list is long, the kinds are few
	for _, d := range s.CertDigests {
		h := d.hash()
		if h == "" || len(d.Value) != h.Size() {
			continue
		}
		if sums[h] == nil {
			sums[h] = h.Sum(cert)
		}
		if string(sums[h]) == string(d.Value) {
			return true
		}
	}
	return false
}

// hash is what the type means; empty: unknown.
func (d CertDigest) hash() sign.Hash {
	switch strings.ToUpper(strings.TrimSpace(d.Type)) {
	case "SHA-256", "SHA256", "2.16.840.1.101.3.4.2.1":
		return sign.SHA256
	case "SHA-384", "SHA384", "2.16.840.1.101.3.4.2.2":
		return sign.SHA384
	case "SHA-512", "SHA512", "2.16.840.1.101.3.4.2.3":
		return sign.SHA512
	case "SHA-1", "SHA1", "1.3.14.3.2.26", "MD5", "1.2.840.113549.2.5":
		return ""
	}
	return sign.SM3 // by name, as 1.2.156.10197.1.401, or for want of better; the length decides
}
