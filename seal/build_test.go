package seal_test

import (
	"bytes"
	"context"
	"crypto"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var (
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	end   = time.Date(2036, 1, 2, 3, 4, 5, 0, time.UTC)
	now   = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
)

// people are the keys of these tests, made once.
var people = sync.OnceValue(func() (p struct{ maker, sm2, rsa, p256, stranger, rsaMaker sign.Key }) {
	ca := testpki.Shared(testpki.SM2)
	p.maker = ca.Issue(testpki.SM2, "maker", nil)
	p.sm2 = ca.Issue(testpki.SM2, "holder sm2", nil)
	p.stranger = ca.Issue(testpki.SM2, "stranger", nil)
	p.rsa = testpki.Shared(testpki.RSA).Issue(testpki.RSA, "holder rsa", nil)
	p.rsaMaker = testpki.Shared(testpki.RSA).Issue(testpki.RSA, "maker rsa", nil)
	p.p256 = testpki.Shared(testpki.RSA).Issue(testpki.P256, "holder p256", nil)
	return p
})

// picture is a PNG of one ring.
var picture = sync.OnceValue(func() []byte {
	m := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.Transparent, color.NRGBA{200, 0, 0, 255}})
	for y := range 64 {
		for x := range 64 {
			if d := (x-32)*(x-32) + (y-32)*(y-32); d > 28*28 && d < 31*31 {
				m.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
})

func certsOf(keys ...sign.Key) (out [][]byte) {
	for _, k := range keys {
		out = append(out, k.Chain()[0])
	}
	return out
}

// template is a seal that Make takes, held by an SM2, an RSA and a P-256 key.
func template() *seal.Seal {
	p := people()
	return &seal.Seal{
		ID: "44010000000017", Name: "示例市中级人民法院", Certs: certsOf(p.sm2, p.rsa, p.p256),
		NotBefore: start, NotAfter: end,
		Picture: sign.Picture{Data: picture(), Width: 45, Height: 45},
	}
}

func makeSeal(t testing.TB, change func(*seal.Seal)) *seal.Seal {
	t.Helper()
	tmpl := template()
	if change != nil {
		change(tmpl)
	}
	s, err := seal.Make(context.Background(), tmpl, people().maker)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The encodings below are written by hand from the standards, independently of the package.

func el(tag byte, contents ...[]byte) []byte {
	c := bytes.Join(contents, nil)
	switch n := len(c); {
	case n < 128:
		return append([]byte{tag, byte(n)}, c...)
	case n < 256:
		return append([]byte{tag, 0x81, byte(n)}, c...)
	case n < 65536:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, c...)
	default:
		return append([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}, c...)
	}
}

func seq(c ...[]byte) []byte            { return el(0x30, c...) }
func num(n byte) []byte                 { return el(0x02, []byte{n}) }
func ia5(s string) []byte               { return el(0x16, []byte(s)) }
func utf8(s string) []byte              { return el(0x0c, []byte(s)) }
func printable(s string) []byte         { return el(0x13, []byte(s)) }
func octets(b []byte) []byte            { return el(0x04, b) }
func bits(b []byte) []byte              { return el(0x03, []byte{0}, b) }
func utc(s string) []byte               { return el(0x17, []byte(s)) }
func general(s string) []byte           { return el(0x18, []byte(s)) }
func oid(s string) []byte               { return el(0x06, []byte(der.MustOID(s))) }
func ext(id string, v ...[]byte) []byte { return seq(append([][]byte{oid(id)}, v...)...) }

const sm2OID = "1.2.156.10197.1.501"

// A kit builds seals and signatures; a field that is set replaces the usual one.
type kit struct {
	v1     bool // shape of GM/T 0031-2014
	c0119  bool // UTCTime, longer signing input
	number byte // header.version; 0: that of the shape

	header, vid, esID, typ, name, listType, list, created, from, to, pic, ext []byte // ext: with its tag, nil: none
	makerCert, alg                                                            []byte
	value                                                                     func(der []byte) []byte // turns the DER value into what is written
	sealStamp                                                                 []byte
	maker                                                                     sign.Key
	scheme                                                                    sign.Scheme

	signer                                           sign.Key
	tbsVersion, timeInfo, dataHash, property, tbsExt []byte
	signerCert, signerAlg, signStamp                 []byte
	v1Signature                                      bool
	longInput                                        bool // certificate and algorithm are signed though they follow toSign
	signatureValue                                   func(der []byte) []byte
}

func or(b, def []byte) []byte {
	if b != nil {
		return b
	}
	return def
}

func (k kit) sign(key sign.Key, msg []byte) []byte {
	scheme := k.scheme
	if scheme == (sign.Scheme{}) {
		scheme = sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}
	}
	v, err := scheme.Sign(context.Background(), key, msg)
	if err != nil {
		panic(err)
	}
	return v
}

func (k kit) info() []byte {
	p := people()
	number := k.number
	if number == 0 {
		number = 4
		if k.v1 {
			number = 1
		}
	}
	times := [][]byte{general("20260102030405Z"), general("20260102030405Z"), general("20360102030405Z")}
	if k.v1 || k.c0119 {
		times = [][]byte{utc("260102030405Z"), utc("260102030405Z"), utc("360102030405Z")}
	}
	listType := or(k.listType, num(1))
	if k.v1 && k.listType == nil {
		listType = nil
	}
	return seq(
		or(k.header, seq(ia5("ES"), num(number), or(k.vid, ia5("TEST")))),
		or(k.esID, ia5("44010000000017")),
		seq(or(k.typ, num(1)), or(k.name, utf8("示例市中级人民法院")), listType,
			or(k.list, seq(octets(p.sm2.Chain()[0]))),
			or(k.created, times[0]), or(k.from, times[1]), or(k.to, times[2])),
		or(k.pic, seq(ia5("PNG"), octets(picture()), num(45), num(45))),
		k.ext)
}

func (k kit) seal() []byte {
	maker := k.maker
	if maker == nil {
		maker = people().maker
	}
	info, cert, alg := k.info(), or(k.makerCert, octets(maker.Chain()[0])), or(k.alg, oid(sm2OID))
	msg := info
	if k.v1 || k.c0119 {
		msg = seq(info, cert, alg)
	}
	v := k.sign(maker, msg)
	value := bits(v)
	if k.value != nil {
		value = k.value(v)
	}
	if k.v1 {
		return seq(info, seq(cert, alg, value))
	}
	return seq(info, cert, alg, value, k.sealStamp)
}

var testHash = bytes.Repeat([]byte{0xa5}, 32)

func (k kit) signature() []byte {
	key := k.signer
	if key == nil {
		key = people().sm2
	}
	number := byte(4)
	v1 := k.v1 || k.v1Signature
	at := general("20260601120000Z")
	if v1 {
		at = bits([]byte("2026-06-01T12:00:00Z"))
	}
	if k.v1 {
		number = 1
	}
	if k.number != 0 {
		number = k.number
	}
	cert, alg := or(k.signerCert, octets(key.Chain()[0])), or(k.signerAlg, oid(sm2OID))
	tbs := [][]byte{or(k.tbsVersion, num(number)), k.seal(), or(k.timeInfo, at), or(k.dataHash, bits(testHash)), or(k.property, ia5("ByteRange=[0 1 2 3]")), k.tbsExt}
	if v1 {
		tbs = append(tbs, cert, alg)
	}
	input := tbs
	if k.longInput {
		input = append(input[:len(input):len(input)], cert, alg)
	}
	v := k.sign(key, seq(input...))
	value := bits(v)
	if k.signatureValue != nil {
		value = k.signatureValue(v)
	}
	if v1 {
		return seq(seq(tbs...), value)
	}
	return seq(seq(tbs...), cert, alg, value, k.signStamp)
}

// rawValue turns DER SEQUENCE { r, s } into r || s.
func rawValue(v []byte) []byte {
	out := make([]byte, 64)
	rest := v[2:]
	for i := range 2 {
		n := int(rest[1])
		num := bytes.TrimLeft(rest[2:2+n], "\x00")
		copy(out[32*(i+1)-len(num):], num)
		rest = rest[2+n:]
	}
	return out
}

func codes(notes []sign.Note) string {
	var out []string
	for _, n := range notes {
		out = append(out, n.Code)
	}
	return strings.Join(out, " ")
}

// brokenKey signs with f.
type brokenKey struct {
	sign.Key
	f func(digest []byte) []byte
}

func (k brokenKey) SignDigest(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.f(digest), nil
}
