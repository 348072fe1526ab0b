package seal_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

func rawBits(v []byte) []byte { return bits(rawValue(v)) }

// TestSealForms builds seals by hand, in the forms of the standards and of the wild, and reads them.
func TestSealForms(t *testing.T) {
	p := people()
	sum := sign.SM3.Sum(p.sm2.Chain()[0])
	digest := func(typ []byte) []byte { return seq(seq(typ, octets(sum))) }
	long := "1.3.6.1.4.1.1740623164284604419" // an arc of 61 bits
	rsa256, rsa1 := sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}, sign.Scheme{Kind: sign.RSA, Hash: sign.SHA1}
	null := []byte{5, 0}

	for name, c := range map[string]struct {
		kit   kit
		gen   seal.Version
		notes string
		holds bool
		check func(*seal.Seal) bool
	}{
		"V4":                     {kit{}, seal.V4, "", true, nil},
		"V1":                     {kit{v1: true}, seal.V1, "", true, nil},
		"V5":                     {kit{number: 5}, seal.V5, "", true, nil},
		"V5 with time stamp":     {kit{number: 5, sealStamp: el(0xa0, bits(seq()))}, seal.V5, "", true, func(s *seal.Seal) bool { return string(s.TimeStamp) == string(seq()) }},
		"V5 implicit time stamp": {kit{number: 5, sealStamp: el(0x80, []byte{0}, seq())}, seal.V5, "implicit-tag", true, func(s *seal.Seal) bool { return string(s.TimeStamp) == string(seq()) }},
		"V4 with time stamp":     {kit{sealStamp: el(0xa0, bits(seq()))}, seal.V4, "timestamp-in-v4", true, nil},
		"V1 numbered 11":         {kit{v1: true, number: 11}, seal.V1, "header-version", true, func(s *seal.Seal) bool { return s.Version == 11 }},
		"V4 numbered 3":          {kit{number: 3}, seal.V4, "header-version", true, nil},
		"C0119":                  {kit{c0119: true}, seal.V4, "c0119", true, nil},
		"V4 with UTCTime":        {kit{created: utc("260102030405Z"), from: utc("260102030405Z"), to: utc("360102030405Z")}, seal.V4, "c0119", true, nil},
		"V4 with mixed times":    {kit{to: utc("360102030405Z")}, seal.V4, "time-type", true, nil},
		"V1 with GeneralizedTime": {kit{v1: true, created: general("20260102030405Z"), from: general("20260102030405Z"), to: general("20360102030405Z")},
			seal.V1, "time-type", true, nil},
		"fraction":                 {kit{to: general("20360102030405.000Z")}, seal.V4, "time-form", true, nil},
		"offset":                   {kit{to: general("20360102110405+0800")}, seal.V4, "time-form", true, nil},
		"local time":               {kit{to: general("20360102110405")}, seal.V4, "time-without-zone time-form", true, nil},
		"UTC no seconds":           {kit{v1: true, from: utc("2601020304Z")}, seal.V1, "time-form", true, func(s *seal.Seal) bool { return s.NotBefore.Equal(start.Truncate(time.Minute)) }},
		"last century":             {kit{v1: true, from: utc("991231235959Z")}, seal.V1, "", true, func(s *seal.Seal) bool { return s.NotBefore.Year() == 1999 }},
		"year 49":                  {kit{v1: true, from: utc("491231235959Z")}, seal.V1, "", true, func(s *seal.Seal) bool { return s.NotBefore.Year() == 2049 }},
		"year 50":                  {kit{v1: true, from: utc("501231235959Z")}, seal.V1, "", true, func(s *seal.Seal) bool { return s.NotBefore.Year() == 1950 }},
		"raw value":                {kit{value: rawBits}, seal.V4, "raw-signature-value", true, nil},
		"raw value V1":             {kit{v1: true, value: rawBits}, seal.V1, "raw-signature-value", true, nil},
		"octet string":             {kit{value: octets}, seal.V4, "octet-string", true, nil},
		"ofdrw OID":                {kit{alg: oid("1.2.156.10197.501")}, seal.V4, "algorithm-oid", true, nil},
		"SM2-1 OID":                {kit{alg: oid("1.2.156.10197.1.301.1")}, seal.V4, "algorithm-oid", true, nil},
		"SM2 OID":                  {kit{alg: oid("1.2.156.10197.1.301")}, seal.V4, "algorithm-oid", true, nil},
		"algorithm and parameters": {kit{alg: seq(oid(sm2OID), null)}, seal.V4, "algorithm-parameters", true, nil},
		"AlgorithmIdentifier V1":   {kit{v1: true, alg: seq(oid(sm2OID))}, seal.V1, "algorithm-parameters", true, nil},
		"bare certificates":        {kit{list: seq(p.sm2.Chain()[0])}, seal.V4, "bare-certificate", true, nil},
		"bare maker certificate":   {kit{makerCert: p.maker.Chain()[0]}, seal.V4, "bare-certificate", true, nil},
		"V1 with certListType":     {kit{v1: true, listType: num(1)}, seal.V1, "cert-list-type-in-v1", true, nil},
		"empty list":               {kit{list: seq()}, seal.V4, "", false, nil},
		"digest by OID":            {kit{listType: num(2), list: digest(printable("1.2.156.10197.1.401"))}, seal.V4, "", true, nil},
		"digest by keyless OID":    {kit{listType: num(2), list: digest(printable("1.2.156.10197.1.401.1"))}, seal.V4, "", true, nil},
		"digest by name":           {kit{listType: num(2), list: digest(printable("sm3"))}, seal.V4, "", true, nil},
		"digest by other text":     {kit{listType: num(2), list: digest(printable("hash"))}, seal.V4, "", true, nil},
		"digest misnamed":          {kit{listType: num(2), list: digest(printable("SHA-256"))}, seal.V4, "", false, nil},
		"digest by SHA-256":        {kit{listType: num(2), list: seq(seq(printable("SHA256"), octets(sign.SHA256.Sum(p.sm2.Chain()[0]))))}, seal.V4, "", true, nil},
		"digest by SHA-1":          {kit{listType: num(2), list: seq(seq(printable("SHA-1"), octets(sign.SHA1.Sum(p.sm2.Chain()[0]))))}, seal.V4, "", false, nil},
		"digest cut short":         {kit{listType: num(2), list: seq(seq(printable("SM3"), octets(sum[:31])))}, seal.V4, "", false, nil},
		"digest type UTF8String":   {kit{listType: num(2), list: digest(utf8("SM3"))}, seal.V4, "string-type", true, nil},
		"extension": {kit{ext: seq(ext(long, el(1, []byte{0xff}), octets([]byte("{}"))))}, seal.V4, "", true,
			func(s *seal.Seal) bool {
				e := s.Extensions
				return len(e) == 1 && e[0].ID.String() == long && e[0].Critical && string(e[0].Value) == "{}"
			}},
		"extension without critical": {kit{ext: seq(ext(long, octets([]byte("x"))))}, seal.V4, "", true, func(s *seal.Seal) bool { return !s.Extensions[0].Critical }},
		"explicit default":           {kit{ext: seq(ext(long, el(1, []byte{0}), octets(nil)))}, seal.V4, "explicit-default", true, func(s *seal.Seal) bool { return !s.Extensions[0].Critical }},
		"boolean 01":                 {kit{ext: seq(ext(long, el(1, []byte{1}), octets(nil)))}, seal.V4, "boolean-value", true, func(s *seal.Seal) bool { return s.Extensions[0].Critical }},
		"extensions under [0]":       {kit{ext: el(0xa0, seq(ext(long, octets(nil))))}, seal.V4, "extension-tag", true, func(s *seal.Seal) bool { return len(s.Extensions) == 1 }},
		"extensions under implicit":  {kit{ext: el(0xa0, ext(long, octets(nil)))}, seal.V4, "extension-tag implicit-tag", true, func(s *seal.Seal) bool { return len(s.Extensions) == 1 }},
		"no extensions":              {kit{ext: seq()}, seal.V4, "", true, nil},
		"V1 extensions bare":         {kit{v1: true, ext: seq(ext(long, octets(nil)))}, seal.V1, "", true, func(s *seal.Seal) bool { return len(s.Extensions) == 1 }},
		"V1 extensions under [0]":    {kit{v1: true, ext: el(0xa0, seq(ext(long, octets(nil))))}, seal.V1, "", true, func(s *seal.Seal) bool { return len(s.Extensions) == 1 }},
		"esID as UTF8String":         {kit{esID: utf8("7")}, seal.V4, "string-type", true, nil},
		"Vid beyond ASCII":           {kit{vid: ia5("国办")}, seal.V4, "string-charset", true, func(s *seal.Seal) bool { return s.Vid == "国办" }},
		"name in GBK":                {kit{name: utf8("\xb7\xa8\xd4\xba")}, seal.V4, "string-charset", true, func(s *seal.Seal) bool { return s.Name == "\uFFFDԺ" || strings.Contains(s.Name, "\uFFFD") }},
		"no size":                    {kit{pic: seq(ia5("ofd"), octets(nil), num(0), num(45))}, seal.V4, "picture-size", true, nil},
		"RSA in V1":                  {kit{v1: true, maker: p.rsaMaker, scheme: rsa256, alg: oid("1.2.840.113549.1.1.11")}, seal.V1, "", true, nil},
		"RSA and SHA-1 in V1":        {kit{v1: true, maker: sha1Key{p.rsaMaker}, scheme: rsa1, alg: oid("1.2.840.113549.1.1.5")}, seal.V1, "weak-hash", true, nil},
		"rsaEncryption":              {kit{v1: true, maker: p.rsaMaker, scheme: rsa256, alg: oid("1.2.840.113549.1.1.1")}, seal.V1, "algorithm-oid", true, nil},
		"RSA in V4":                  {kit{maker: p.rsaMaker, scheme: rsa256, alg: oid("1.2.840.113549.1.1.11")}, seal.V4, "algorithm-not-sm2", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := c.kit.seal()
			s, err := seal.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if s.Generation() != c.gen || !bytes.Equal(s.Raw, b) {
				t.Errorf("generation %d, %d of %d bytes", s.Generation(), len(s.Raw), len(b))
			}
			if got := codes(s.Notes); got != c.notes {
				t.Errorf("notes %q, want %q", got, c.notes)
			}
			if got := s.Holds(p.sm2.Chain()[0]); got != c.holds || s.Holds(p.stranger.Chain()[0]) || s.Holds(nil) {
				t.Errorf("Holds says %t", got)
			}
			if c.check != nil && !c.check(s) {
				t.Errorf("misread: %+v", s)
			}
			if err := s.VerifyValue(); err != nil {
				t.Error(err)
			}
		})
	}
}

// sha1Key lets an RSA key sign with SHA-1, for the seals of old.
type sha1Key struct{ sign.Key }

func TestSignatureForms(t *testing.T) {
	id := "1.3.6.1.4.1.1740623164284604419"
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	token := seq(oid("1.2.840.113549.1.7.2"))
	scheme := func(h sign.Hash) func(*seal.Signature) bool { // of both values
		return func(s *seal.Signature) bool {
			a, err := s.Scheme()
			b, err2 := s.Seal.Scheme()
			return err == nil && err2 == nil && a.Hash == h && b.Hash == h
		}
	}
	for name, c := range map[string]struct {
		kit   kit
		notes string
		at    time.Time
		check func(*seal.Signature) bool
	}{
		"V4": {kit{}, "", at, func(s *seal.Signature) bool {
			return s.Version == 4 && s.Property == "ByteRange=[0 1 2 3]" && bytes.Equal(s.DataHash, testHash)
		}},
		"V1":                    {kit{v1: true}, "time-text", at, func(s *seal.Signature) bool { return s.Version == 1 }},
		"V5":                    {kit{number: 5}, "", at, func(s *seal.Signature) bool { return s.Version == 5 }},
		"other version":         {kit{tbsVersion: num(5)}, "", at, func(s *seal.Signature) bool { return s.Version == 5 && s.Seal.Version == 4 }},
		"C0119":                 {kit{c0119: true, v1Signature: true}, "time-text", at, nil},
		"C0119 of four":         {kit{c0119: true}, "signature-form", at, nil},
		"C0119 of four, signed": {kit{c0119: true, longInput: true}, "signature-form", at, nil},
		"token and time stamp": {kit{timeInfo: bits(token), signStamp: el(0xa0, bits(seq()))}, "time-type", time.Time{}, func(s *seal.Signature) bool {
			return bytes.Equal(s.TimeToken, token) && bytes.Equal(s.TimeStamp, seq())
		}},
		"V1 form, V4":           {kit{v1Signature: true}, "time-text signature-form", at, nil},
		"time stamp":            {kit{signStamp: el(0xa0, bits(token))}, "", at, func(s *seal.Signature) bool { return bytes.Equal(s.TimeStamp, token) }},
		"extensions":            {kit{tbsExt: el(0xa0, seq(ext(id, octets([]byte("x")))))}, "", at, func(s *seal.Signature) bool { return len(s.Extensions) == 1 && s.Extensions[0].ID.String() == id }},
		"bare extensions":       {kit{tbsExt: seq(ext(id, octets([]byte("x"))))}, "extension-tag", at, func(s *seal.Signature) bool { return len(s.Extensions) == 1 }},
		"implicit extensions":   {kit{tbsExt: el(0xa0, ext(id, octets([]byte("x"))))}, "implicit-tag", at, func(s *seal.Signature) bool { return len(s.Extensions) == 1 }},
		"raw value":             {kit{signatureValue: rawBits}, "raw-signature-value", at, nil},
		"octet strings":         {kit{dataHash: octets(testHash)}, "octet-string", at, nil},
		"UTCTime in V4":         {kit{timeInfo: utc("260601120000Z")}, "time-type", at, nil},
		"text in V4":            {kit{timeInfo: bits([]byte("20260601120000Z"))}, "time-type time-text", at, nil},
		"UTCTime bare in V1":    {kit{v1: true, timeInfo: utc("260601120000Z")}, "time-type", at, nil},
		"UTCTime in BIT STRING": {kit{v1: true, timeInfo: bits(utc("260601120000Z"))}, "", at, nil},
		"GeneralizedTime in it": {kit{v1: true, timeInfo: bits(general("20260601120000Z"))}, "", at, nil},
		"milliseconds":          {kit{v1: true, timeInfo: bits([]byte("2026-06-01T12:00:00.377Z"))}, "time-text", at.Add(377 * time.Millisecond), nil},
		"local text":            {kit{v1: true, timeInfo: bits([]byte("2026-06-01 20:00:00"))}, "time-text time-without-zone", at, nil},
		"UTCTime text":          {kit{v1: true, timeInfo: bits([]byte("260601120000Z"))}, "time-text", at, nil},
		"no time":               {kit{v1: true, timeInfo: bits([]byte("yesterday"))}, "time-text time-unreadable", time.Time{}, nil},
		"long nonsense":         {kit{v1: true, timeInfo: bits(bytes.Repeat([]byte("2"), 9000))}, "time-text time-unreadable", time.Time{}, nil},
		"TimeStampToken in V1":  {kit{v1: true, timeInfo: bits(token)}, "", time.Time{}, func(s *seal.Signature) bool { return bytes.Equal(s.TimeToken, token) && s.TimeStamp == nil }},
		"RSA in V1":             {kit{v1: true, maker: people().rsaMaker, signer: people().rsa, scheme: sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}, alg: oid("1.2.840.113549.1.1.11"), signerAlg: oid("1.2.840.113549.1.1.11")}, "time-text", at, scheme(sign.SHA256)},
		"RSA and SHA-1 in V1":   {kit{v1: true, maker: sha1Key{people().rsaMaker}, signer: sha1Key{people().rsa}, scheme: sign.Scheme{Kind: sign.RSA, Hash: sign.SHA1}, alg: oid("1.2.840.113549.1.1.5"), signerAlg: oid("1.2.840.113549.1.1.5")}, "time-text weak-hash", at, scheme(sign.SHA1)},
		"rsaEncryption, SHA-1":  {kit{v1: true, maker: sha1Key{people().rsaMaker}, signer: sha1Key{people().rsa}, scheme: sign.Scheme{Kind: sign.RSA, Hash: sign.SHA1}, alg: oid("1.2.840.113549.1.1.5"), signerAlg: oid("1.2.840.113549.1.1.1")}, "time-text algorithm-oid", at, scheme(sign.SHA1)},
		"V1 numbered 11":        {kit{v1: true, number: 11}, "time-text", at, func(s *seal.Signature) bool { return s.Version == 11 && s.Seal.Version == 11 }},
	} {
		t.Run(name, func(t *testing.T) {
			b := c.kit.signature()
			s, err := seal.ParseSignature(b)
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(s.Notes); got != c.notes {
				t.Errorf("notes %q, want %q", got, c.notes)
			}
			if !s.Time.Equal(c.at) || !bytes.Equal(s.Raw, b) || !bytes.Contains(b, s.Seal.Raw) {
				t.Errorf("time %s, want %s", s.Time, c.at)
			}
			if c.check != nil && !c.check(s) {
				t.Errorf("misread: %+v", s)
			}
			if err := s.VerifyValue(); err != nil {
				t.Error(err)
			}
			if err := s.Seal.VerifyValue(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	good := kit{}.seal()
	for name, b := range map[string][]byte{
		"nothing":                           nil,
		"no DER":                            []byte("%PDF-1.7"),
		"trailing byte":                     append(kit{}.seal(), 0),
		"cut short":                         good[:len(good)-1],
		"header XS":                         kit{header: seq(ia5("XS"), num(4), ia5("v"))}.seal(),
		"no header ID":                      kit{header: seq(num(4), ia5("v"))}.seal(),
		"more in header":                    kit{header: seq(ia5("ES"), num(4), ia5("v"), num(1))}.seal(),
		"version of 33 bits":                kit{header: seq(ia5("ES"), el(2, []byte{1, 0, 0, 0, 0}), ia5("v"))}.seal(),
		"certListType 3":                    kit{listType: num(3)}.seal(),
		"no certListType in V4":             kit{listType: utf8("")}.seal(),
		"certificates in a list of digests": kit{listType: num(2)}.seal(),
		"a time that is none":               kit{from: general("20261302030405Z")}.seal(),
		"a number for a time":               kit{from: num(1)}.seal(),
		"bits for octets":                   kit{pic: seq(ia5("PNG"), bits(nil), num(1), num(1))}.seal(),
		"three unused bits":                 kit{value: func([]byte) []byte { return el(3, []byte{3, 8}) }}.seal(),
		"empty BIT STRING":                  kit{value: func([]byte) []byte { return el(3) }}.seal(),
		"malformed OID":                     kit{alg: el(6, []byte{0x80, 1})}.seal(),
		"extension of no value":             kit{ext: seq(ext("1.2.3"))}.seal(),
		"a sixth element":                   kit{sealStamp: append(el(0xa0, bits(nil)), num(1)...)}.seal(),
		"two-octet boolean":                 kit{ext: seq(ext("1.2.3", el(1, []byte{0, 0}), octets(nil)))}.seal(),
		"a signature":                       kit{}.signature(),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := seal.Parse(b)
			if !errors.Is(err, seal.ErrMalformed) || s != nil {
				t.Errorf("%v", err)
			} else if len(b) > 0 && !strings.Contains(err.Error(), "SESeal.") {
				t.Errorf("error without place: %v", err)
			}
		})
	}
	for name, b := range map[string][]byte{
		"a seal":             good,
		"trailing byte":      append(kit{}.signature(), 0),
		"trailing in toSign": kit{tbsExt: append(el(0xa0, seq()), num(1)...)}.signature(),
		"bad seal inside":    kit{header: seq(ia5("XS"), num(4), ia5("v"))}.signature(),
	} {
		t.Run("signature/"+name, func(t *testing.T) {
			if s, err := seal.ParseSignature(b); !errors.Is(err, seal.ErrMalformed) || s != nil {
				t.Errorf("%v", err)
			}
		})
	}
	_, err := seal.ParseSignature(kit{header: seq(ia5("XS"), num(4), ia5("v"))}.signature())
	if err == nil || !strings.Contains(err.Error(), "SES_Signature.toSign.eseal.eSealInfo.header.ID") {
		t.Errorf("error without place: %v", err)
	}
}

func TestWrongValues(t *testing.T) {
	p := people()
	ecdsa := testpki.Shared(testpki.RSA).Issue(testpki.P256, "maker p256", nil)
	for name, c := range map[string]struct {
		kit  kit
		want error
	}{
		"another maker": {kit{makerCert: octets(p.stranger.Chain()[0])}, sign.ErrSignature},
		"C0119 input in V4": {kit{v1: false, value: func([]byte) []byte {
			return bits(kit{}.sign(p.maker, seq(kit{}.info(), octets(p.maker.Chain()[0]), oid(sm2OID))))
		}}, sign.ErrSignature},
		"V4 input in V1":            {kit{v1: true, value: func([]byte) []byte { return bits(kit{}.sign(p.maker, kit{v1: true}.info())) }}, sign.ErrSignature},
		"value of zeros":            {kit{value: func([]byte) []byte { return bits(make([]byte, 64)) }}, sign.ErrSignature},
		"no value":                  {kit{value: func([]byte) []byte { return bits(nil) }}, sign.ErrSignature},
		"RSA named for an SM2 key":  {kit{alg: oid("1.2.840.113549.1.1.11")}, seal.ErrAlgorithm},
		"SM2 named for an RSA key":  {kit{makerCert: octets(p.rsa.Chain()[0])}, seal.ErrAlgorithm},
		"SM2 named for a P-256 key": {kit{makerCert: octets(ecdsa.Chain()[0])}, seal.ErrAlgorithm},
		"unknown algorithm":         {kit{alg: oid("1.2.840.10045.4.3.2")}, seal.ErrAlgorithm},
		"unreadable certificate":    {kit{makerCert: octets([]byte("x"))}, seal.ErrMalformed},
	} {
		s, err := seal.Parse(c.kit.seal())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.VerifyValue(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s, err := seal.ParseSignature(kit{signerCert: octets(p.stranger.Chain()[0])}.signature())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyValue(); !errors.Is(err, sign.ErrSignature) {
		t.Errorf("another signer: %v", err)
	}
	if err := new(seal.Seal).VerifyValue(); !errors.Is(err, seal.ErrMalformed) {
		t.Errorf("a seal that was not parsed: %v", err)
	}
	if err := new(seal.Signature).VerifyValue(); !errors.Is(err, seal.ErrMalformed) {
		t.Errorf("a signature that was not parsed: %v", err)
	}
}

// TestTamper flips one bit of every octet that is signed, and of the value: nothing may still verify.
func TestTamper(t *testing.T) {
	for name, k := range map[string]kit{"V1": {v1: true}, "V4": {ext: seq(ext("1.2.3", octets([]byte("x"))))}, "C0119": {c0119: true}} {
		b := k.seal()
		pic := bytes.Index(b, picture())
		for i := range b {
			if i > pic+16 && i < pic+len(picture())-16 { // one octet of a picture is like another
				continue
			}
			b[i] ^= 1
			if s, err := seal.Parse(b); err == nil && s.VerifyValue() == nil {
				// what the maker did not sign: his certificate (but for its key) and the algorithm, except in V1
				if name == "V1" || i < len(k.info())+4 {
					t.Errorf("%s: octet %d changed, and the value still verifies", name, i)
				}
			}
			b[i] ^= 1
		}
	}
	b := kit{}.signature()
	tbs := bytes.LastIndex(b, people().sm2.Chain()[0]) - 4
	for i := 0; i < tbs; i += 1 + i/400 {
		b[i] ^= 1
		if s, err := seal.ParseSignature(b); err == nil && s.VerifyValue() == nil {
			t.Errorf("octet %d of TBS_Sign changed, and the value still verifies", i)
		}
		b[i] ^= 1
	}
}

func TestNotesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("notes.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, line := range strings.Split(string(code), "\n") {
		f := strings.Split(line, `"`)
		if len(f) != 5 || !strings.HasPrefix(strings.TrimSpace(f[0]+`"`), `"`) {
			continue
		}
		n++
		if !strings.Contains(string(doc), "//   - "+f[1]+": "+f[3]+"\n") {
			t.Errorf("doc.go does not list %s as notes.go has it", f[1])
		}
	}
	if n < 20 {
		t.Errorf("found %d codes in notes.go", n)
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.esl")
	if _, err := seal.ReadFile(name); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(name, kit{}.seal(), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := seal.ReadFile(name); err != nil || s.ID != "44010000000017" {
		t.Error(err)
	}
	if err := os.Truncate(name, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.ReadFile(name); !errors.Is(err, seal.ErrMalformed) || !strings.Contains(err.Error(), name) {
		t.Error(err)
	}
	if err := os.Truncate(name, 1<<30); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.ReadFile(name); !errors.Is(err, der.ErrLimit) {
		t.Error(err)
	}
}

// TestHostile gives both parsers large inputs made to cost: each must end at once, in little memory.
func TestHostile(t *testing.T) {
	const size = 4 << 20
	fill := func(b []byte) []byte { return bytes.Repeat(b, size/len(b)) }
	inputs := map[string][]byte{
		"nested":            fill([]byte{0x30, 0x80}),
		"nested BIT STRING": fill([]byte{0x24, 0x80}),
		"zeros":             make([]byte, size),
		"many certificates": kit{list: seq(fill([]byte{4, 0}))}.seal(),
		"many digests":      kit{listType: num(2), list: seq(fill([]byte{0x30, 4, 0x13, 0, 4, 0}))}.seal(),
		"many extensions":   kit{ext: seq(fill(ext("1.2.3", el(1, []byte{0}), octets(nil))))}.seal(),
		"long OID":          kit{ext: seq(seq(el(6, append(fill([]byte{0xff}), 1)), octets(nil)))}.seal(),
		"long algorithm":    kit{alg: el(6, append(fill([]byte{0xff}), 1))}.seal(),
		"long time":         kit{from: general(string(fill([]byte{'1'})))}.seal(),
		"long text":         kit{vid: ia5(string(fill([]byte{0xff})))}.seal(),
		"long value":        kit{value: func([]byte) []byte { return bits(fill([]byte{0x30})) }}.seal(),
		"too long":          make([]byte, 17<<20),
	}
	for name, b := range inputs {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := seal.Parse(b)
		_, err2 := seal.ParseSignature(b)
		if err == nil {
			_ = s.Algorithm.String()
			err = s.VerifyValue()
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d MB", name, used>>20)
		}
		if err2 == nil {
			t.Errorf("%s: passed as a signature", name)
		}
		if strings.HasPrefix(name, "many") || name == "too long" {
			if !errors.Is(err, der.ErrLimit) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
}
