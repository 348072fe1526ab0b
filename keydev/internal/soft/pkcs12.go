package soft

import (
	"bytes"
	"crypto"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/keydev/internal/fault"
)

var (
	oidData          = der.MustOID("1.2.840.113549.1.7.1")
	oidEncryptedData = der.MustOID("1.2.840.113549.1.7.6")
	oidKeyBag        = der.MustOID("1.2.840.113549.1.12.10.1.1")
	oidShroudedBag   = der.MustOID("1.2.840.113549.1.12.10.1.2")
	oidCertBag       = der.MustOID("1.2.840.113549.1.12.10.1.3")
	oidX509          = der.MustOID("1.2.840.113549.1.9.22.1")
	oidPBMAC1        = der.MustOID("1.2.840.113549.1.5.14")
)

var macs = map[der.OID]func() hash.Hash{
	der.MustOID("1.3.14.3.2.26"):          sha1.New,
	der.MustOID("2.16.840.1.101.3.4.2.1"): sha256.New,
	der.MustOID("2.16.840.1.101.3.4.2.2"): sha512.New384,
	der.MustOID("2.16.840.1.101.3.4.2.3"): sha512.New,
	der.MustOID("1.2.156.10197.1.401"):    gm.NewSM3,
}

// maxBags is how many bags a PKCS #12 file may hold.
const maxBags = 64

var explicit0 = asn1.Tag(0).ContextSpecific().Constructed()

// A p12 is what a PKCS #12 file holds.
type p12 struct {
	m       *meter
	pin     []byte
	bags    int
	keys    []crypto.Signer
	certs   [][]byte
	skipped error // why a part was passed over
}

// openPKCS12 reads a PFX (RFC 7292). Nothing in it is read before its MAC is right.
func (m *meter) openPKCS12(b, pin []byte) (crypto.Signer, [][]byte, error) {
	bad := func(what string) (crypto.Signer, [][]byte, error) {
		return nil, nil, fmt.Errorf("%w: PKCS #12: %s", fault.ErrMalformed, what)
	}
	s := cryptobyte.String(b)
	var pfx, info, mac, content cryptobyte.String
	var version int
	var kind der.OID
	var safe []byte
	if !s.ReadASN1(&pfx, asn1.SEQUENCE) || !s.Empty() || !readInt(&pfx, &version) || version != 3 ||
		!pfx.ReadASN1(&info, asn1.SEQUENCE) || !der.ReadOID(&info, &kind) {
		return bad("not a PFX in DER")
	}
	if kind != oidData {
		return nil, nil, fmt.Errorf("%w: PKCS #12 protected by a public key; only a password is known", fault.ErrUnsupported)
	}
	if !info.ReadASN1(&content, explicit0) || !info.Empty() || !content.ReadASN1Bytes(&safe, asn1.OCTET_STRING) || !content.Empty() {
		return bad("authSafe")
	}
	if pfx.Empty() {
		return nil, nil, fmt.Errorf("%w: PKCS #12 without a MAC", fault.ErrUnsupported)
	}
	if !pfx.ReadASN1(&mac, asn1.SEQUENCE) || !pfx.Empty() {
		return bad("macData")
	}
	if err := m.checkMAC(mac, safe, pin); err != nil {
		return nil, nil, err
	}

	f := p12{m: m, pin: pin}
	s = cryptobyte.String(safe)
	var infos cryptobyte.String
	if !s.ReadASN1(&infos, asn1.SEQUENCE) || !s.Empty() {
		return bad("AuthenticatedSafe")
	}
	for !infos.Empty() {
		if !infos.ReadASN1(&info, asn1.SEQUENCE) {
			return bad("AuthenticatedSafe")
		}
		if err := f.readSafe(info); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case len(f.keys) == 0 && f.skipped != nil:
		return nil, nil, f.skipped
	case len(f.keys) == 0:
		return bad("no private key in it")
	case len(f.keys) > 1:
		return nil, nil, fmt.Errorf("%w: PKCS #12 with %d private keys; give each a file of its own", fault.ErrAmbiguous, len(f.keys))
	}
	chain := chainOf(f.keys[0].Public(), f.certs)
	if chain == nil && f.skipped != nil {
		return f.keys[0], nil, f.skipped
	}
	return f.keys[0], chain, nil
}

// checkMAC checks MacData (RFC 7292, 4).
func (m *meter) checkMAC(mac cryptobyte.String, content, pin []byte) error {
	var info, alg cryptobyte.String
	var oid der.OID
	var want, salt []byte
	rounds := 1
	if !mac.ReadASN1(&info, asn1.SEQUENCE) || !info.ReadASN1(&alg, asn1.SEQUENCE) || !der.ReadOID(&alg, &oid) ||
		!info.ReadASN1Bytes(&want, asn1.OCTET_STRING) || !info.Empty() || !mac.ReadASN1Bytes(&salt, asn1.OCTET_STRING) ||
		!mac.Empty() && (!readInt(&mac, &rounds) || !mac.Empty()) {
		return fmt.Errorf("%w: PKCS #12: macData", fault.ErrMalformed)
	}
	h, ok := macs[oid]
	if !ok {
		name := oid.String()
		if oid == oidPBMAC1 {
			name = "PBMAC1"
		}
		return fmt.Errorf("%w: PKCS #12 with a MAC by %s; SHA-1, SHA-2 and SM3 are known", fault.ErrUnsupported, name)
	}
	key, err := m.kdf12(h, 3, pin, salt, rounds, h().Size())
	if err != nil {
		return err
	}
	defer clear(key)
	sum := hmac.New(h, key)
	sum.Write(content)
	if !hmac.Equal(sum.Sum(nil), want) {
		return fault.ErrPINIncorrect
	}
	return nil
}

// readSafe reads one ContentInfo of the AuthenticatedSafe.
func (f *p12) readSafe(info cryptobyte.String) error {
	bad := fmt.Errorf("%w: PKCS #12: ContentInfo", fault.ErrMalformed)
	var kind der.OID
	var content cryptobyte.String
	if !der.ReadOID(&info, &kind) || !info.ReadASN1(&content, explicit0) || !info.Empty() {
		return bad
	}
	var bags []byte
	switch kind {
	case oidData:
		if !content.ReadASN1Bytes(&bags, asn1.OCTET_STRING) || !content.Empty() {
			return bad
		}
	case oidEncryptedData:
		var data, eci, alg cryptobyte.String
		var version int
		var inner der.OID
		var sealed []byte
		if !content.ReadASN1(&data, asn1.SEQUENCE) || !content.Empty() || !readInt(&data, &version) ||
			!data.ReadASN1(&eci, asn1.SEQUENCE) || !der.ReadOID(&eci, &inner) || inner != oidData ||
			!eci.ReadASN1(&alg, asn1.SEQUENCE) || !eci.ReadASN1Bytes(&sealed, asn1.Tag(0).ContextSpecific()) || !eci.Empty() {
			return bad
		}
		var err error
		if bags, err = f.m.decrypt(alg, sealed, f.pin); errors.Is(err, fault.ErrUnsupported) {
			f.skipped = fmt.Errorf("%w (or put the certificates beside it in a .crt file)", err)
			return nil
		} else if err != nil {
			return err
		}
		defer clear(bags)
	default:
		return fmt.Errorf("%w: PKCS #12 content %s", fault.ErrUnsupported, kind)
	}
	s := cryptobyte.String(bags)
	var list cryptobyte.String
	if !s.ReadASN1(&list, asn1.SEQUENCE) || !s.Empty() {
		return fmt.Errorf("%w: PKCS #12: SafeContents", fault.ErrMalformed)
	}
	for !list.Empty() {
		var bag cryptobyte.String
		if f.bags++; f.bags > maxBags {
			return fmt.Errorf("%w: PKCS #12 with more than %d bags", fault.ErrMalformed, maxBags)
		}
		if !list.ReadASN1(&bag, asn1.SEQUENCE) {
			return fmt.Errorf("%w: PKCS #12: SafeBag", fault.ErrMalformed)
		}
		if err := f.readBag(bag); err != nil {
			return err
		}
	}
	return nil
}

func (f *p12) readBag(bag cryptobyte.String) error {
	bad := fmt.Errorf("%w: PKCS #12: SafeBag", fault.ErrMalformed)
	var kind der.OID
	var value cryptobyte.String
	if !der.ReadOID(&bag, &kind) || !bag.ReadASN1(&value, explicit0) {
		return bad // the attributes that follow (names for people) are not needed
	}
	var key crypto.Signer
	var err error
	switch kind {
	case oidKeyBag:
		key, err = parsePrivateKey(value)
	case oidShroudedBag:
		key, err = f.m.openPKCS8(value, f.pin)
	case oidCertBag:
		var cert, wrapped cryptobyte.String
		var certKind der.OID
		var b []byte
		if !value.ReadASN1(&cert, asn1.SEQUENCE) || !value.Empty() || !der.ReadOID(&cert, &certKind) ||
			!cert.ReadASN1(&wrapped, explicit0) || !cert.Empty() {
			return bad
		}
		if certKind != oidX509 {
			return nil
		}
		if !wrapped.ReadASN1Bytes(&b, asn1.OCTET_STRING) || !wrapped.Empty() {
			return bad
		}
		f.certs = append(f.certs, bytes.Clone(b))
		return nil
	default:
		return nil // CRLs and secrets
	}
	if err == nil {
		f.keys = append(f.keys, key)
	}
	return err
}

// chainOf puts certificates in order: the key's own, its issuer, and so on. nil: the key's own is not among them.
func chainOf(pub crypto.PublicKey, certs [][]byte) [][]byte {
	var all []*gm.Certificate
	var at *gm.Certificate
	for _, b := range certs {
		c, err := gm.ParseCertificate(b)
		if err != nil {
			continue
		}
		all = append(all, c)
		if at == nil && gm.SameKey(c.PublicKey, pub) {
			at = c
		}
	}
	var chain [][]byte
	for at != nil && len(chain) < len(all) {
		chain = append(chain, at.Raw)
		var next *gm.Certificate
		for _, c := range all {
			if c != at && bytes.Equal(c.RawSubject, at.RawIssuer) && !bytes.Equal(at.RawSubject, at.RawIssuer) {
				next = c
				break
			}
		}
		at = next
	}
	return chain
}

// pbe3DES is pbeWithSHAAnd3-KeyTripleDES-CBC (RFC 7292, C), which old Windows and Java write.
func (m *meter) pbe3DES(params cryptobyte.String, pin []byte) (cipher.Block, []byte, error) {
	var salt []byte
	var rounds int
	if !params.ReadASN1Bytes(&salt, asn1.OCTET_STRING) || !readInt(&params, &rounds) || !params.Empty() {
		return nil, nil, fmt.Errorf("%w: PKCS #12 encryption parameters", fault.ErrMalformed)
	}
	key, err := m.kdf12(sha1.New, 1, pin, salt, rounds, 24)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	iv, err := m.kdf12(sha1.New, 2, pin, salt, rounds, des.BlockSize)
	if err != nil {
		return nil, nil, err
	}
	block, err := des.NewTripleDESCipher(key)
	return block, iv, err
}

// kdf12 derives keys (id 1), IVs (2) and MAC keys (3) as RFC 7292, B.2.
func (m *meter) kdf12(newHash func() hash.Hash, id byte, pin, salt []byte, rounds, size int) ([]byte, error) {
	password, err := bmpString(pin)
	if err != nil {
		return nil, err
	}
	h := newHash()
	v := h.BlockSize()
	fill := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		n := (len(b) + v - 1) / v * v
		return bytes.Repeat(b, n/len(b)+1)[:n]
	}
	d := bytes.Repeat([]byte{id}, v)
	p := fill(password)
	i := append(fill(salt), p...)
	clear(password)
	clear(p)
	defer func() { clear(i) }()
	var out, a []byte
	for {
		if err := m.spend(rounds); err != nil {
			return nil, err
		}
		h.Reset()
		h.Write(d)
		h.Write(i)
		a = h.Sum(a[:0])
		for r := 1; r < rounds; r++ {
			if err := m.tick(r); err != nil {
				return nil, err
			}
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		if out = append(out, a...); len(out) >= size {
			return out[:size], nil
		}
		b := fill(a)[:v]
		for j := 0; j < len(i); j += v { // each block of I becomes I + B + 1, modulo 2^(8v)
			carry := 1
			for k := v - 1; k >= 0; k-- {
				carry += int(i[j+k]) + int(b[k])
				i[j+k] = byte(carry)
				carry >>= 8
			}
		}
	}
}

// bmpString is the password as PKCS #12 hashes it: UTF-16BE and two zero octets.
func bmpString(pin []byte) ([]byte, error) {
	if !utf8.Valid(pin) {
		return nil, fmt.Errorf("%w: not UTF-8", fault.ErrPINIncorrect)
	}
	out := make([]byte, 0, 2*len(pin)+2)
	for len(pin) > 0 {
		r, n := utf8.DecodeRune(pin)
		pin = pin[n:]
		if r > 0xffff {
			hi, lo := utf16.EncodeRune(r)
			out = append(out, byte(hi>>8), byte(hi), byte(lo>>8), byte(lo))
			continue
		}
		out = append(out, byte(r>>8), byte(r))
	}
	return append(out, 0, 0), nil
}
