package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/tsp"
)

// ErrTemplate is wrapped where Make refuses a template; the text names the field.
var ErrTemplate = errors.New("seal: template cannot be made a seal")

// Make signs the template with the maker's key and returns the seal, parsed from the bytes it wrote: strict DER of
// GB/T 38540-2020 6.1 or GM/T 0031-2025. The key is SM2 and has the maker's signing certificate, valid at Created; its
// chain and revocation, which GM/T 0031-2025 wants checked first, take roots and are the caller's to ask. A seal of
// GM/T 0031-2025 may then be stamped with a time: see [Seal.AddTimeStamp].
//
// Of the template it takes: Version (zero: V4; V5; V1 is ErrUnsupportedVersion). Vid (empty: "Courtseal") and ID,
// ASCII. Type (zero: 1, a seal of an organisation). Name. CertListType (zero: by what is given): with Certificates,
// Certs; with Digests, CertDigests and the SM3 digests of Certs. NotBefore before NotAfter, and Created (zero:
// NotBefore) not after NotBefore, all written in UTC and whole seconds, fractions cut off. Picture, a PNG of Width and
// Height mm (an empty Type is PNG). Extensions. All else is ignored, so that a parsed seal may be changed and remade.
//
// The errors are ErrTemplate, ErrUnsupportedVersion, ExpiredError (the maker's certificate), and those of package sign:
// ErrKeyMismatch, ErrEncryptionCert (the maker's or a holder's certificate), ErrUnsupportedKey.
func Make(ctx context.Context, template *Seal, maker sign.Key) (*Seal, error) {
	t, err := complete(template)
	if err != nil {
		return nil, err
	}
	m, err := newKeyholder(maker, "maker certificate")
	if err != nil {
		return nil, err
	}
	if m.scheme.Kind != sign.SM2 {
		return nil, fmt.Errorf("seal: maker certificate: %w: %s; seals are made with SM2", sign.ErrUnsupportedKey, m.scheme)
	}
	if err := m.validAt(t.Created); err != nil {
		return nil, err
	}
	info, err := t.sealInfo()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	value, err := m.scheme.Sign(ctx, m, info)
	if err != nil {
		return nil, err
	}
	cert := append(appendHeader(nil, asn1.OCTET_STRING, len(m.cert.Raw)), m.cert.Raw...)
	alg := append(appendHeader(nil, asn1.OBJECT_IDENTIFIER, len(oidSM2WithSM3)), oidSM2WithSM3...)
	s, err := Parse(sequenceOf(info, cert, alg, appendBits(nil, value)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	if err := s.VerifyValue(); err != nil {
		return nil, fmt.Errorf("seal: the maker's key gave a wrong value: %w", err)
	}
	return s, nil
}

// ErrTimeStamp: a time stamp of a seal could not be had, or is wrong; the text says why.
var ErrTimeStamp = errors.New("seal: no good time stamp")

// AddTimeStamp returns the seal with a time stamp over its signedValue, as GM/T 0031-2025 has it: the last step of making
// a seal, which may be taken later, or again. The imprint is SM3. Only parsed seals of GM/T 0031-2025 take one
// (ErrUnsupportedVersion). A token that is malformed, over something else, or older than Created, which would make the
// seal invalid, is ErrTimeStamp; so is an error of the authority, which is wrapped too.
func (s *Seal) AddTimeStamp(ctx context.Context, tsa sign.Timestamper) (*Seal, error) {
	if s.generation != V5 {
		return nil, fmt.Errorf("%w: a seal of version %d takes no time stamp; parsed seals of 5 (GM/T 0031-2025) do", ErrUnsupportedVersion, s.Version)
	}
	bad := func(err error) (*Seal, error) { return nil, fmt.Errorf("%w: %w", ErrTimeStamp, err) }
	raw, err := tsa.Timestamp(ctx, sign.SM3, sign.SM3.Sum(s.Value))
	if err != nil {
		return bad(err)
	}
	if err := s.checkToken(raw); err != nil {
		return nil, err
	}
	stamp := appendHeader(nil, asn1.Tag(0).ContextSpecific().Constructed(), elementSize(1+len(raw)))
	stamped, err := Parse(sequenceOf(s.info, s.certRaw, s.algRaw, appendBits(nil, s.Value), appendBits(stamp, raw)))
	if err != nil {
		return bad(err)
	}
	return stamped, nil
}

// checkToken asks of a time stamp of the seal what can be asked without trust.
func (s *Seal) checkToken(raw []byte) error {
	token, err := tsp.Parse(raw)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrTimeStamp, err)
	}
	if err := token.CheckImprint(s.Value); err != nil {
		return fmt.Errorf("%w: %w", ErrTimeStamp, err)
	}
	if cert := token.Certificate(); cert != nil {
		if err := token.CheckValue(cert); err != nil {
			return fmt.Errorf("%w: %w", ErrTimeStamp, err)
		}
	}
	if s.Created.After(token.Time.Add(token.Accuracy)) {
		return fmt.Errorf("%w: it says %s, and the seal was made at %s", ErrTimeStamp, token.Time, s.Created)
	}
	return nil
}

// complete checks the template and returns a copy with the defaults filled in.
func complete(template *Seal) (*Seal, error) {
	t := *template
	bad := func(format string, args ...any) (*Seal, error) {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, fmt.Errorf(format, args...))
	}
	if t.Version == 0 {
		t.Version = V4
	}
	if t.Version != V4 && t.Version != V5 {
		return nil, fmt.Errorf("%w: a template of version %d; 4 (GB/T 38540-2020) and 5 (GM/T 0031-2025) are made", ErrUnsupportedVersion, t.Version)
	}
	if t.Vid == "" {
		t.Vid = "Courtseal"
	}
	if t.Type == 0 {
		t.Type = 1
	}
	if t.ID == "" || !isASCII(t.ID) || !isASCII(t.Vid) {
		return bad("ID %q and Vid %q must be ASCII, and ID not empty", t.ID, t.Vid)
	}
	if t.Name == "" || !utf8.ValidString(t.Name) {
		return bad("Name %q is empty or not UTF-8", t.Name)
	}
	if err := t.completeCertList(); err != nil {
		return nil, err
	}

	if t.Created.IsZero() {
		t.Created = t.NotBefore
	}
	for _, at := range []*time.Time{&t.Created, &t.NotBefore, &t.NotAfter} {
		*at = at.UTC().Truncate(time.Second)
		if at.IsZero() || at.Year() > 9999 {
			return bad("NotBefore or NotAfter is missing, or beyond the year 9999")
		}
	}
	if !t.NotBefore.Before(t.NotAfter) || t.Created.After(t.NotBefore) {
		return bad("times must run Created (%s), NotBefore (%s), NotAfter (%s)", t.Created, t.NotBefore, t.NotAfter)
	}

	if t.Picture.Type == "" {
		t.Picture.Type = "PNG"
	}
	if t.Picture.Type != "PNG" {
		return bad("Picture.Type %q; PNG is made", t.Picture.Type)
	}
	if _, err := png.DecodeConfig(bytes.NewReader(t.Picture.Data)); err != nil {
		return bad("Picture.Data is not a PNG: %w", err)
	}
	if t.Picture.Width <= 0 || t.Picture.Height <= 0 {
		return bad("Picture of %d x %d mm", t.Picture.Width, t.Picture.Height)
	}
	for i, e := range t.Extensions {
		if !e.ID.Valid() {
			return bad("Extensions[%d].ID is no object identifier", i)
		}
	}
	return &t, nil
}

func (t *Seal) completeCertList() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %w", ErrTemplate, fmt.Errorf(format, args...))
	}
	if t.CertListType == 0 {
		t.CertListType = Certificates
		if len(t.CertDigests) > 0 {
			t.CertListType = Digests
		}
	}
	for i, raw := range t.Certs {
		c, err := gm.ParseCertificate(raw)
		if err != nil {
			return bad("Certs[%d]: %w", i, err)
		}
		if err := signingCert(c, fmt.Sprintf("Certs[%d]", i)); err != nil {
			return err
		}
	}
	switch t.CertListType {
	case Certificates:
		if len(t.Certs) == 0 || len(t.CertDigests) > 0 {
			return bad("CertListType 1 takes one or more Certs, and no CertDigests")
		}
	case Digests:
		digests := make([]CertDigest, 0, len(t.Certs)+len(t.CertDigests))
		for _, raw := range t.Certs {
			digests = append(digests, CertDigest{Type: oidSM3.String(), Value: sign.SM3.Sum(raw)})
		}
		t.CertDigests, t.Certs = append(digests, t.CertDigests...), nil
		if len(t.CertDigests) == 0 {
			return bad("CertListType 2 takes one or more Certs or CertDigests")
		}
		for i, d := range t.CertDigests {
			if h := d.hash(); d.Type == "" || !isPrintable(d.Type) || h == "" || len(d.Value) != h.Size() {
				return bad("CertDigests[%d]: %d octets of type %q", i, len(d.Value), d.Type)
			}
		}
	default:
		return bad("CertListType %d; 1 (certificates) and 2 (digests) are known", t.CertListType)
	}
	return nil
}

// isPrintable reports whether s is of the characters of PrintableString.
func isPrintable(s string) bool {
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') && !strings.ContainsRune(" '()+,-./:=?", c) {
			return false
		}
	}
	return true
}

// sealInfo writes SES_SealInfo.
func (t *Seal) sealInfo() ([]byte, error) {
	text := func(b *cryptobyte.Builder, tag asn1.Tag, s string) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(s)) })
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			text(b, asn1.IA5String, "ES")
			b.AddASN1Int64(int64(t.Version))
			text(b, asn1.IA5String, t.Vid)
		})
		text(b, asn1.IA5String, t.ID)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(int64(t.Type))
			text(b, asn1.UTF8String, t.Name)
			b.AddASN1Int64(int64(t.CertListType))
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, c := range t.Certs {
					b.AddASN1OctetString(c)
				}
				for _, d := range t.CertDigests {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						text(b, asn1.PrintableString, d.Type)
						b.AddASN1OctetString(d.Value)
					})
				}
			})
			b.AddASN1GeneralizedTime(t.Created)
			b.AddASN1GeneralizedTime(t.NotBefore)
			b.AddASN1GeneralizedTime(t.NotAfter)
		})
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			text(b, asn1.IA5String, t.Picture.Type)
			b.AddASN1OctetString(t.Picture.Data)
			b.AddASN1Int64(int64(t.Picture.Width))
			b.AddASN1Int64(int64(t.Picture.Height))
		})
		if len(t.Extensions) > 0 {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for _, e := range t.Extensions {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						der.AddOID(b, e.ID)
						if e.Critical {
							b.AddASN1Boolean(true)
						}
						b.AddASN1OctetString(e.Value)
					})
				}
			})
		}
	})
	return b.Bytes()
}
