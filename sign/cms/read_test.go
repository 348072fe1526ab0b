package cms

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
)

// parts of a SignedData, to be put together in ways that Sign does not write.
type parts struct {
	contentType, eContentType     sign.OID
	eContent                      []byte
	certs                         [][]byte
	sid, digest, attrs, algorithm []byte
	value                         []byte
	signers                       int
	tail                          []byte // of SignerInfo
	digests                       []byte // of SignedData; nil: digest
}

func (p *parts) bytes() []byte {
	var attrs, eContent []byte
	if p.attrs != nil {
		attrs = tlv(context0, p.attrs)
	}
	if p.eContent != nil {
		eContent = tlv(context0, tlv(asn1.OCTET_STRING, p.eContent))
	}
	digests := p.digests
	if digests == nil {
		digests = p.digest
	}
	one := []byte{2, 1, 1}
	info := tlv(asn1.SEQUENCE, one, p.sid, p.digest, attrs, p.algorithm, tlv(asn1.OCTET_STRING, p.value), p.tail)
	data := tlv(asn1.SEQUENCE, one, tlv(asn1.SET, digests),
		tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(p.eContentType)), eContent),
		tlv(context0, p.certs...), tlv(asn1.SET, bytes.Repeat(info, p.signers)))
	return tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(p.contentType)), tlv(context0, data))
}

// take apart what Sign made. resign signs the attributes, as they then are, anew.
func take(t *testing.T, key sign.Key, o Options) (p *parts, resign func()) {
	t.Helper()
	sd := mustParse(t, mustSign(t, key, o))
	si := sd.Signers[0]
	p = &parts{contentType: sd.ContentType, eContentType: sd.EContentType, certs: sd.Certificates, signers: 1,
		sid:    tlv(asn1.SEQUENCE, si.Issuer, tlv(asn1.INTEGER, si.Serial)),
		digest: algorithm(si.DigestOID, nil), algorithm: algorithm(si.SignatureOID, nil),
		attrs: bytes.Clone(contentOf(si.SignedAttrs)), value: si.Signature}
	return p, func() {
		var err error
		if p.value, err = si.Scheme.Sign(ctx, key, tlv(asn1.SET, p.attrs)); err != nil {
			t.Fatal(err)
		}
	}
}

func attributesOf(key sign.Key, h sign.Hash) (contentType, digest, certificate []byte) {
	c, _ := gm.ParseCertificate(key.Chain()[0])
	return attribute(oidContentType, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidData))),
		attribute(oidMessageDigest, tlv(asn1.OCTET_STRING, sums[h])),
		attribute(oidSigningCertificateV2, signingCertificate(c, h))
}

// What other writers do, and what is made of it.
func TestReadsWhatOthersWrite(t *testing.T) {
	sm2, rsa, p256 := keyOf(t, testpki.SM2), keyOf(t, testpki.RSA), keyOf(t, testpki.P256)
	null := []byte{5, 0}
	md2 := der.MustOID("1.2.840.113549.2.2")
	for _, c := range []struct {
		name   string
		key    sign.Key
		change func(p *parts, resign func())
		notes  string
		want   error
	}{
		{"unchanged", sm2, func(p *parts, resign func()) {}, "", nil},
		{"GM content types", sm2, func(p *parts, resign func()) {
			p.contentType, p.eContentType = oidGMSignedData, oidGMData
			_, d, s := attributesOf(sm2, sign.SM3)
			p.attrs = bytes.Join(setOf([][]byte{attribute(oidContentType, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidGMData))), d, s}), nil)
			resign()
		}, "", nil},
		{"GM outside, PKCS #7 inside", sm2, func(p *parts, resign func()) { p.contentType, p.eContentType = oidGMSignedData, oidGMData }, noteContentType, nil},
		{"SM2 by its curve", sm2, func(p *parts, resign func()) { p.algorithm = algorithm(oidSM2Curve, nil) }, "", nil},
		{"SM2 slip", sm2, func(p *parts, resign func()) { p.algorithm = algorithm(oidSM2Slip, nil) }, noteOID, nil},
		{"SM2 NULL", sm2, func(p *parts, resign func()) {
			p.algorithm = algorithm(oidSM2Sign, null)
			p.digest = algorithm(sign.SM3.OID(), null)
		}, "", nil},
		{"SM3 without key", sm2, func(p *parts, resign func()) { p.digest = algorithm(der.MustOID("1.2.156.10197.1.401.1"), nil) }, "", nil},
		{"SM2 with parameters", sm2, func(p *parts, resign func()) {
			p.algorithm = algorithm(oidSM2SM3, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidSM2Curve)))
		}, noteParameters, nil},
		{"SM2 raw value", sm2, func(p *parts, resign func()) { p.value = rawSM2(t, p.value) }, noteRawValue, nil},
		{"SM2 raw value, wrong", sm2, func(p *parts, resign func()) { p.value = rawSM2(t, p.value); p.value[40] ^= 1 }, noteRawValue, sign.ErrSignature},
		{"SM2 with SHA-256", sm2, func(p *parts, resign func()) { p.digest = algorithm(sign.SHA256.OID(), nil) }, noteHashes, ErrDigest},
		{"rsaEncryption", rsa, func(p *parts, resign func()) { p.algorithm = algorithm(oidRSA, null) }, "", nil},
		{"RSA without NULL", rsa, func(p *parts, resign func()) {
			p.algorithm = algorithm(oidRSA, nil)
			p.digest = algorithm(sign.SHA256.OID(), null)
		}, "", nil},
		{"RSA said to be SHA-512", rsa, func(p *parts, resign func()) { p.algorithm = algorithm(der.MustOID("1.2.840.113549.1.1.13"), nil) }, noteHashes, ErrUnsupported},
		{"MD2", rsa, func(p *parts, resign func()) { p.digest, p.algorithm = algorithm(md2, nil), algorithm(oidRSA, null) }, "", ErrUnsupported},
		{"MD5", rsa, func(p *parts, resign func()) {
			p.digest, p.algorithm = algorithm(sign.MD5.OID(), nil), algorithm(oidRSA, null)
		}, "", sign.ErrMissingSum},
		{"another digest listed", rsa, func(p *parts, resign func()) { p.digests = algorithm(md2, nil) }, noteDigests, nil},
		{"more digests listed", rsa, func(p *parts, resign func()) { p.digests = append(algorithm(md2, null), p.digest...) }, "", nil},
		{"RSA with SM3", rsa, func(p *parts, resign func()) {
			p.digest, p.algorithm = algorithm(sign.SM3.OID(), nil), algorithm(der.MustOID("1.2.156.10197.1.504"), null)
		}, "", ErrDigest},
		{"ECDSA called SM2", p256, func(p *parts, resign func()) { p.algorithm = algorithm(oidSM2SM3, nil) }, noteHashes, ErrUnsupported},
		{"attributes unordered", sm2, func(p *parts, resign func()) {
			ct, d, s := attributesOf(sm2, sign.SM3)
			p.attrs = append(append(bytes.Clone(s), d...), ct...)
			resign()
		}, noteOrder, nil},
		{"messageDigest twice", sm2, func(p *parts, resign func()) {
			_, d, _ := attributesOf(sm2, sign.SM3)
			p.attrs = append(p.attrs, d...)
			resign()
		}, noteOrder, ErrAttribute},
		{"messageDigest with two values", sm2, func(p *parts, resign func()) {
			ct, _, _ := attributesOf(sm2, sign.SM3)
			d := tlv(asn1.OCTET_STRING, sums[sign.SM3])
			p.attrs = append(ct, tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidMessageDigest)), tlv(asn1.SET, d, d))...)
			resign()
		}, "", ErrAttribute},
		{"no messageDigest", sm2, func(p *parts, resign func()) { p.attrs, _, _ = attributesOf(sm2, sign.SM3); resign() }, "", ErrAbsent},
		{"no contentType", sm2, func(p *parts, resign func()) { _, p.attrs, _ = attributesOf(sm2, sign.SM3); resign() }, "", ErrAbsent},
		{"no signing-certificate", sm2, func(p *parts, resign func()) {
			ct, d, _ := attributesOf(sm2, sign.SM3)
			p.attrs = append(ct, d...)
			resign()
		}, "", nil},
		{"signing-certificate of another", sm2, func(p *parts, resign func()) {
			ct, d, _ := attributesOf(sm2, sign.SM3)
			_, _, s := attributesOf(rsa, sign.SM3)
			p.attrs = append(append(ct, d...), s...)
			resign()
		}, "", ErrCertificate},
		{"content is something else", sm2, func(p *parts, resign func()) { p.eContentType = sign.SM3.OID() }, "", ErrContentType},
		{"content inside", sm2, func(p *parts, resign func()) { p.eContent = content }, "", nil},
		{"other content inside", sm2, func(p *parts, resign func()) { p.eContent = []byte("other") }, "", ErrDigest},
		{"no attributes, content inside", sm2, func(p *parts, resign func()) {
			p.attrs, p.eContent = nil, content
			p.value, _ = sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}.Sign(ctx, sm2, content)
		}, "", nil},
		{"no attributes, SM2 detached", sm2, func(p *parts, resign func()) { p.attrs = nil }, "", ErrUnsupported},
		{"no attributes, RSA detached", rsa, func(p *parts, resign func()) {
			p.attrs = nil
			p.value, _ = sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}.Sign(ctx, rsa, content)
		}, "", nil},
		{"no attributes, RSA of something else", rsa, func(p *parts, resign func()) { p.attrs = nil }, "", sign.ErrSignature},
		{"no attributes, content is not data", rsa, func(p *parts, resign func()) { p.attrs, p.eContentType = nil, sign.SM3.OID() }, "", ErrAbsent},
		{"no signer", sm2, func(p *parts, resign func()) { p.signers = 0 }, "", ErrNoSigner},
		{"two signers", sm2, func(p *parts, resign func()) { p.signers = 2 }, "", nil},
		{"no certificate", sm2, func(p *parts, resign func()) { p.certs = p.certs[:0] }, "", ErrNoCertificate},
		{"by subject key identifier", sm2, func(p *parts, resign func()) {
			cert, _ := gm.ParseCertificate(sm2.Chain()[0])
			p.sid = tlv(subjectKeyID, cert.SubjectKeyId)
		}, "", nil},
		{"by a key identifier of nobody", sm2, func(p *parts, resign func()) { p.sid = tlv(subjectKeyID, []byte("?")) }, "", ErrNoCertificate},
		{"attribute certificate", sm2, func(p *parts, resign func()) { p.certs = append(p.certs, []byte{0xa2, 0}) }, noteOther, nil},
		{"unsigned attribute", sm2, func(p *parts, resign func()) { p.tail = tlv(context1, attribute(oidSubjectID, null)) }, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, resign := take(t, c.key, Options{})
			c.change(p, resign)
			sd := mustParse(t, p.bytes())
			if err := sd.Verify(sums); !errors.Is(err, c.want) {
				t.Errorf("Verify: %v", err)
			}
			if got := noteCodes(sd); got != c.notes {
				t.Errorf("notes %q, not %q", got, c.notes)
			}
		})
	}
}

func rawSM2(t *testing.T, v []byte) []byte {
	s := cryptobyte.String(v)
	var x, y []byte
	if !s.ReadASN1(&s, asn1.SEQUENCE) || !s.ReadASN1Integer(&x) || !s.ReadASN1Integer(&y) {
		t.Fatalf("%x is no signature", v)
	}
	raw := make([]byte, 64)
	copy(raw[32-len(x):], x)
	copy(raw[64-len(y):], y)
	return raw
}

// PSS is checked only where one hash does everything.
func TestPSSParameters(t *testing.T) {
	explicit := func(n asn1.Tag, b []byte) []byte { return tlv(n.ContextSpecific().Constructed(), b) }
	hash := func(h sign.Hash) []byte { return algorithm(h.OID(), nil) }
	mgf := func(h sign.Hash) []byte { return explicit(1, algorithm(oidMGF1, hash(h))) }
	for name, c := range map[string]struct {
		params []byte
		want   sign.Hash
	}{
		"absent":           {nil, sign.SHA1},
		"all defaults":     {tlv(asn1.SEQUENCE), sign.SHA1},
		"as written here":  {pssParameters(sign.SHA384), sign.SHA384},
		"without NULL":     {tlv(asn1.SEQUENCE, explicit(0, hash(sign.SHA256)), mgf(sign.SHA256), explicit(2, []byte{2, 1, 32})), sign.SHA256},
		"another salt":     {tlv(asn1.SEQUENCE, explicit(0, hash(sign.SHA256)), mgf(sign.SHA256), explicit(2, []byte{2, 1, 0})), sign.SHA256},
		"another mask":     {tlv(asn1.SEQUENCE, explicit(0, hash(sign.SHA256)), mgf(sign.SHA512)), ""},
		"mask by default":  {tlv(asn1.SEQUENCE, explicit(0, hash(sign.SHA256))), ""},
		"SM3":              {tlv(asn1.SEQUENCE, explicit(0, hash(sign.SM3)), mgf(sign.SM3)), ""},
		"trailer":          {tlv(asn1.SEQUENCE, explicit(0, hash(sign.SHA256)), mgf(sign.SHA256), explicit(3, []byte{2, 1, 2})), ""},
		"not a SEQUENCE":   {[]byte{4, 0}, ""},
		"rubbish inside":   {tlv(asn1.SEQUENCE, explicit(0, []byte{5, 0})), ""},
		"rubbish in mask":  {tlv(asn1.SEQUENCE, explicit(1, []byte{5, 0})), ""},
		"mask without":     {tlv(asn1.SEQUENCE, explicit(1, algorithm(oidMGF1, nil))), ""},
		"more at the end":  {tlv(asn1.SEQUENCE, explicit(5, []byte{5, 0})), ""},
		"salt not integer": {tlv(asn1.SEQUENCE, explicit(2, []byte{5, 0})), ""},
	} {
		if got := pssHash(c.params); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// BER reads as the DER it stands for.
func TestBER(t *testing.T) {
	b := mustSign(t, keyOf(t, testpki.SM2), Options{})
	ber := indefinite(b)
	sd := mustParse(t, ber)
	if err := sd.Verify(sums); err != nil || noteCodes(sd) != noteBER || !bytes.Equal(sd.Raw, ber) {
		t.Errorf("%v, notes %q", err, noteCodes(sd))
	}
	if n, err := der.Length(append(ber, make([]byte, 1000)...)); n != len(ber) || err != nil {
		t.Errorf("Length %d of %d, %v", n, len(ber), err)
	}
}

// indefinite opens every length it can.
func indefinite(b []byte) (out []byte) {
	s := cryptobyte.String(b)
	for !s.Empty() {
		var e, c cryptobyte.String
		var tag asn1.Tag
		s.ReadAnyASN1Element(&e, &tag)
		c = contentOf(e)
		if tag&0x20 == 0 {
			out = append(out, e...)
			continue
		}
		out = append(append(out, byte(tag), 0x80), indefinite(c)...)
		out = append(out, 0, 0)
	}
	return out
}

func TestParseRefuses(t *testing.T) {
	p, _ := take(t, keyOf(t, testpki.SM2), Options{})
	b := p.bytes()
	for i := range b {
		if _, err := Parse(b[:i]); !errors.Is(err, ErrMalformed) {
			t.Fatalf("the first %d of %d bytes: %v", i, len(b), err)
		}
	}
	for name, bad := range map[string][]byte{
		"padding":                append(bytes.Clone(b), 0),
		"an SES_Signature":       {0x30, 5, 0x30, 3, 2, 1, 4},
		"data, not signedData":   tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidData)), tlv(context0, tlv(asn1.OCTET_STRING))),
		"signedData of a string": tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidSignedData)), tlv(context0, tlv(asn1.OCTET_STRING))),
		"empty signedData":       tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidSignedData)), tlv(context0, tlv(asn1.SEQUENCE))),
		"no content":             tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidSignedData))),
	} {
		if _, err := Parse(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(p *parts){
		"empty signedAttrs":          func(p *parts) { p.attrs = []byte{} },
		"a string among signedAttrs": func(p *parts) { p.attrs = append(p.attrs, 4, 0) },
		"an attribute of three": func(p *parts) {
			p.attrs = tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidData)), tlv(asn1.SET), tlv(asn1.SET))
		},
		"more in signerInfo": func(p *parts) { p.tail = []byte{5, 0} },
		"65 signers":         func(p *parts) { p.signers = 65 },
		"1025 certificates": func(p *parts) {
			p.certs = make([][]byte, 1025)
			for i := range p.certs {
				p.certs[i] = []byte{0x30, 0}
			}
		},
		"1025 attributes": func(p *parts) { p.attrs = bytes.Repeat(attribute(sign.SM3.OID(), []byte{5, 0}), 1025) },
		"1025 values": func(p *parts) {
			p.attrs = tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidData)), tlv(asn1.SET, bytes.Repeat([]byte{5, 0}, 1025)))
		},
		"a string among digests": func(p *parts) { p.digests = []byte{4, 0} },
		"no digest algorithm":    func(p *parts) { p.digest = tlv(asn1.SEQUENCE) },
		"no signature algorithm": func(p *parts) { p.algorithm = nil },
		"no sid":                 func(p *parts) { p.sid = nil },
	} {
		p, _ := take(t, keyOf(t, testpki.SM2), Options{})
		change(p)
		if _, err := Parse(p.bytes()); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A certificate that cannot be read, and old signing-certificate.
func TestCheckCertificate(t *testing.T) {
	key := keyOf(t, testpki.RSA)
	cert := key.Chain()[0]
	_, serial, _ := certificateNames(cert)
	v1 := func(hash []byte, more ...[]byte) []byte {
		id := tlv(asn1.SEQUENCE, append([][]byte{tlv(asn1.OCTET_STRING, hash)}, more...)...)
		return attribute(oidSigningCertificate, tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE, id)))
	}
	issuerSerial := func(serial []byte) []byte { return tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE), tlv(asn1.INTEGER, serial)) }
	v2 := func(h sign.OID) []byte {
		id := tlv(asn1.SEQUENCE, algorithm(h, nil), tlv(asn1.OCTET_STRING, sign.SHA512.Sum(cert)))
		return attribute(oidSigningCertificateV2, tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE, id)))
	}
	sha1 := sign.SHA1.Sum(cert)
	for name, c := range map[string]struct {
		attr []byte
		want error
	}{
		"v1":                 {v1(sha1), nil},
		"v1 and serial":      {v1(sha1, issuerSerial(serial)), nil},
		"v1, wrong serial":   {v1(sha1, issuerSerial([]byte{7})), ErrCertificate},
		"v1, wrong hash":     {v1(sign.SHA1.Sum(nil)), ErrCertificate},
		"v1, malformed":      {v1(sha1, []byte{5, 0}), ErrAttribute},
		"v1, empty":          {attribute(oidSigningCertificate, tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE))), ErrAttribute},
		"v1 twice":           {append(v1(sha1), v1(sha1)...), ErrAttribute},
		"v2 SHA-512":         {v2(sign.SHA512.OID()), nil},
		"v2 wrongly named":   {v2(sign.SHA384.OID()), ErrCertificate},
		"v2 of unknown hash": {v2(oidData), ErrUnsupported},
		"v1 right, v2 wrong": {append(v1(sha1), v2(sign.SHA384.OID())...), ErrCertificate},
		"v1 wrong, v2 right": {append(v1(nil), v2(sign.SHA512.OID())...), ErrCertificate},
		"neither":            {nil, ErrAbsent},
	} {
		p, resign := take(t, key, Options{})
		ct, d, _ := attributesOf(key, sign.SHA256)
		p.attrs = append(append(ct, d...), c.attr...)
		resign()
		sd := mustParse(t, p.bytes())
		if err := sd.Signers[0].CheckCertificate(cert); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		want := c.want
		if want == ErrAbsent {
			want = nil
		}
		if err := sd.Verify(sums); !errors.Is(err, want) {
			t.Errorf("%s: Verify: %v", name, err)
		}
	}
	sd := mustParse(t, mustSign(t, key, Options{}))
	if err := sd.Signers[0].CheckValue([]byte("0"), sums); !errors.Is(err, ErrMalformed) {
		t.Errorf("rubbish for a certificate: %v", err)
	}
	if err := sd.Signers[0].CheckValue(keyOf(t, testpki.SM2).Chain()[0], sums); !errors.Is(err, sign.ErrUnsupportedKey) {
		t.Errorf("a key of another kind: %v", err)
	}
	if err := sd.Signers[0].CheckValue(key.Chain()[1], sums); !errors.Is(err, sign.ErrSignature) {
		t.Errorf("another RSA key: %v", err)
	}
}
