package cms

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

var (
	// ErrUnsupported: an algorithm that is not known here, or a question that cannot be asked of this value.
	ErrUnsupported = errors.New("cms: cannot be checked")
	// ErrNoSigner: a SignedData without a signerInfo.
	ErrNoSigner = errors.New("cms: no signer")
	// ErrNoCertificate: the signer's certificate is not among the certificates.
	ErrNoCertificate = errors.New("cms: the signer's certificate is not there")
	// ErrAbsent: a signed attribute that the question is about is not there.
	ErrAbsent = errors.New("cms: signed attribute is absent")
	// ErrContentType: the contentType attribute and eContentType differ.
	ErrContentType = errors.New("cms: contentType differs")
	// ErrDigest: the content is not the one that was signed.
	ErrDigest = errors.New("cms: digest of the content differs")
	// ErrCertificate: signing-certificate names another certificate.
	ErrCertificate = errors.New("cms: signed with another certificate")
)

// Verify checks, for each signer, contentType, messageDigest, signing-certificate(-v2) where there is one and the
// signature value, against the digests of the content and with the certificates inside. It says nothing of trust, nor
// of the strength of hashes and keys: see SignerInfo.Scheme. A SignedData that is not detached has to hold just that
// content. The errors are those of the Check methods, ErrNoSigner and ErrNoCertificate.
func (sd *SignedData) Verify(content sign.Sums) error {
	if len(sd.Signers) == 0 {
		return ErrNoSigner
	}
	for i := range sd.Signers {
		if err := sd.verify(&sd.Signers[i], content); err != nil {
			return fmt.Errorf("signer %d: %w", i, err)
		}
	}
	return nil
}

func (sd *SignedData) verify(si *SignerInfo, content sign.Sums) error {
	cert := si.Certificate(sd.Certificates)
	if cert == nil {
		return ErrNoCertificate
	}
	if err := si.CheckContentType(); err != nil {
		return err
	}
	if err := si.CheckDigest(content); err != nil {
		return err
	}
	if err := si.CheckCertificate(cert); err != nil && !errors.Is(err, ErrAbsent) {
		return err
	}
	return si.CheckValue(cert, content)
}

// CheckContentType asks whether the contentType attribute is eContentType (RFC 5652 11.1). The PKCS #7 and the GM name
// of data count as one, since writers mix them. Without signed attributes there is nothing to compare, and no error,
// as long as the content is data. The errors are ErrAbsent, ErrAttribute and ErrContentType.
func (si *SignerInfo) CheckContentType() error {
	if si.SignedAttrs == nil {
		if !isData(si.eContentType) {
			return fmt.Errorf("%w: RFC 5652 5.3 wants signed attributes where content is %s", ErrAbsent, si.eContentType)
		}
		return nil
	}
	v, err := si.value(oidContentType, "contentType")
	if err != nil {
		return err
	}
	s, t := cryptobyte.String(v), sign.OID("")
	if !der.ReadOID(&s, &t) || !s.Empty() {
		return fmt.Errorf("%w: contentType is no object identifier", ErrAttribute)
	}
	if t != si.eContentType && !(isData(t) && isData(si.eContentType)) {
		return fmt.Errorf("%w: attribute %s, eContentType %s", ErrContentType, t, si.eContentType)
	}
	return nil
}

// CheckDigest asks whether the messageDigest attribute (RFC 5652 11.2), and eContent if there is one, are of the content
// given. Without either it asks nothing: CheckValue does. The errors are ErrAbsent, ErrAttribute, ErrDigest,
// ErrUnsupported for an unknown hash and sign.ErrMissingSum.
func (si *SignerInfo) CheckDigest(content sign.Sums) error {
	h, err := si.hash()
	if err != nil {
		return err
	}
	want, err := content.Get(h)
	if err != nil {
		return err
	}
	if si.eContent != nil && !bytes.Equal(h.Sum(si.eContent), want) {
		return fmt.Errorf("%w: eContent is not it", ErrDigest)
	}
	if si.SignedAttrs == nil {
		return nil
	}
	v, err := si.value(oidMessageDigest, "messageDigest")
	if err != nil {
		return err
	}
	s, got := cryptobyte.String(v), cryptobyte.String(nil)
	if !s.ReadASN1(&got, asn1.OCTET_STRING) || !s.Empty() {
		return fmt.Errorf("%w: messageDigest is no OCTET STRING", ErrAttribute)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%w: messageDigest is %x, %s of the content %x", ErrDigest, clip(got), h, want)
	}
	return nil
}

// CheckCertificate asks whether signing-certificate-v2 (RFC 5035) and signing-certificate (RFC 2634), as many as there
// are, name the certificate: by its hash and, if given, its serial number. The issuer's name is not compared, since
// writers encode it anew; the hash covers it. The errors are ErrAbsent with neither attribute, ErrAttribute,
// ErrCertificate, and ErrUnsupported for an unknown hash.
func (si *SignerInfo) CheckCertificate(cert []byte) error {
	v1, err1 := si.value(oidSigningCertificate, "signing-certificate")
	if err1 != nil && !errors.Is(err1, ErrAbsent) {
		return err1
	}
	v2, err2 := si.value(oidSigningCertificateV2, "signing-certificate-v2")
	if err2 != nil && !errors.Is(err2, ErrAbsent) {
		return err2
	}
	if err1 == nil {
		if err := checkESSCertID(v1, cert, false); err != nil {
			return fmt.Errorf("signing-certificate: %w", err)
		}
	}
	if err2 == nil {
		if err := checkESSCertID(v2, cert, true); err != nil {
			return fmt.Errorf("signing-certificate-v2: %w", err)
		}
	}
	if err1 != nil && err2 != nil {
		return err2
	}
	return nil
}

// checkESSCertID compares the first ESSCertID or ESSCertIDv2: that of the signer.
func checkESSCertID(value, cert []byte, v2 bool) error {
	malformed := func(what string) error { return fmt.Errorf("%w: %s", ErrAttribute, what) }
	s := cryptobyte.String(value)
	var list, id, digest cryptobyte.String
	if !s.ReadASN1(&list, asn1.SEQUENCE) || !list.ReadASN1(&list, asn1.SEQUENCE) || !list.ReadASN1(&id, asn1.SEQUENCE) {
		return malformed("names no certificate")
	}
	h := sign.SHA1
	if v2 {
		h = sign.SHA256
		if id.PeekASN1Tag(asn1.SEQUENCE) {
			var oid der.OID
			var params []byte
			if !der.ReadAlgorithm(&id, &oid, &params) {
				return malformed("hashAlgorithm")
			}
			if h = sign.HashOf(oid); h == "" {
				return fmt.Errorf("%w: hash %s", ErrUnsupported, oid)
			}
		}
	}
	if !id.ReadASN1(&digest, asn1.OCTET_STRING) {
		return malformed("certHash")
	}
	if !bytes.Equal(digest, h.Sum(cert)) {
		return fmt.Errorf("%w: %s is %x, of the signer's certificate %x", ErrCertificate, h, clip(digest), h.Sum(cert))
	}
	if id.Empty() {
		return nil
	}
	var both, serial cryptobyte.String
	if !id.ReadASN1(&both, asn1.SEQUENCE) || !both.SkipASN1(asn1.SEQUENCE) || !both.ReadASN1(&serial, asn1.INTEGER) {
		return malformed("issuerSerial")
	}
	if _, own, _ := certificateNames(cert); !bytes.Equal(serial, own) {
		return fmt.Errorf("%w: serial number %x, that of the signer's certificate is %x", ErrCertificate, clip(serial), clip(own))
	}
	return nil
}

// CheckValue asks whether the signature value was made with the key of the certificate: over the signed attributes, or
// without them over the content itself. In that case content is needed, and SM2, whose hash begins with the signer's
// identity, cannot be checked from a digest: ErrUnsupported, unless the content is inside. The errors are
// sign.ErrSignature, ErrUnsupported for an unknown algorithm, sign.ErrUnsupportedKey for a key of another kind,
// sign.ErrMissingSum, and ErrMalformed for a certificate that cannot be read.
func (si *SignerInfo) CheckValue(cert []byte, content sign.Sums) error {
	if si.Scheme == (sign.Scheme{}) {
		return fmt.Errorf("%w: signatureAlgorithm %s with digestAlgorithm %s", ErrUnsupported, si.SignatureOID, si.DigestOID)
	}
	c, err := gm.ParseCertificate(cert)
	if err != nil {
		return fmt.Errorf("%w: certificate: %w", ErrMalformed, err)
	}
	value := si.Signature
	if si.Scheme.Kind == sign.SM2 {
		value, _ = gm.SignatureDER(value)
	}
	switch {
	case si.SignedAttrs != nil:
		return si.Scheme.Verify(c.PublicKey, si.SignedAttrs, value)
	case si.eContent != nil:
		return si.Scheme.Verify(c.PublicKey, si.eContent, value)
	case si.Scheme.Kind == sign.SM2:
		return fmt.Errorf("%w: detached SM2 signature without signed attributes; it takes the content, not its digest", ErrUnsupported)
	}
	digest, err := content.Get(si.Scheme.Hash)
	if err != nil {
		return err
	}
	return si.Scheme.VerifyDigest(c.PublicKey, digest, value)
}

// SigningTime is the time that the signer claims in a signed attribute (RFC 5652 11.3); ok is false where there is none
// that can be read.
func (si *SignerInfo) SigningTime() (t time.Time, ok bool) {
	v, err := si.value(oidSigningTime, "signingTime")
	if err != nil {
		return t, false
	}
	s := cryptobyte.String(v)
	if s.PeekASN1Tag(asn1.UTCTime) {
		ok = s.ReadASN1UTCTime(&t)
	} else {
		ok = s.ReadASN1GeneralizedTime(&t)
	}
	return t.UTC(), ok && s.Empty()
}

// value is the one value of a signed attribute that must stand once.
func (si *SignerInfo) value(t sign.OID, name string) ([]byte, error) {
	values, ok := si.Attribute(t)
	switch {
	case ok && len(values) == 1:
		return values[0], nil
	case ok:
		return nil, fmt.Errorf("%w: %s has %d values", ErrAttribute, name, len(values))
	}
	for _, a := range si.Attributes {
		if a.Type == t {
			return nil, fmt.Errorf("%w: %s stands twice", ErrAttribute, name)
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrAbsent, name)
}

func (si *SignerInfo) hash() (sign.Hash, error) {
	if h := sign.HashOf(si.DigestOID); h != "" {
		return h, nil
	}
	return "", fmt.Errorf("%w: digestAlgorithm %s", ErrUnsupported, si.DigestOID)
}

func isData(t sign.OID) bool { return t == oidData || t == oidGMData }

// clip keeps hostile values out of long error texts.
func clip(b []byte) []byte { return b[:min(len(b), 64)] }
