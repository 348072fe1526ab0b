package cms

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
)

// hostile is 4 MB of each shape that has broken a parser of CMS.
func hostile() map[string][]byte {
	const size = 4 << 20
	fill := func(s string) []byte { return bytes.Repeat([]byte(s), size/len(s)) }
	data := func(eContent, certs, infos []byte) []byte {
		return tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidSignedData)), tlv(context0, tlv(asn1.SEQUENCE, []byte{2, 1, 1}, tlv(asn1.SET),
			tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidData)), eContent), tlv(context0, certs), tlv(asn1.SET, infos))))
	}
	open := func(b []byte) []byte { return append([]byte{0x30, 0x80}, b...) }
	id := algorithm(sign.SM3.OID(), nil)
	info := func(attrs []byte) []byte {
		return tlv(asn1.SEQUENCE, []byte{2, 1, 1}, tlv(asn1.SEQUENCE, tlv(asn1.SEQUENCE), []byte{2, 1, 1}), id, tlv(context0, attrs), id, tlv(asn1.OCTET_STRING))
	}
	return map[string][]byte{
		"nested 30 80":          fill("\x30\x80"),
		"nested 24 80":          fill("\x24\x80"),
		"nested a0 80":          fill("\xa0\x80"),
		"30 84 ff":              fill("\x30\x84\xff\xff\xff\xff"),
		"wide certificates":     data(nil, fill("\x30\x00"), nil),
		"other certificates":    data(nil, fill("\xa2\x00"), nil),
		"wide signerInfos":      data(nil, nil, fill("\x30\x00")),
		"wide attributes":       data(nil, nil, info(fill("\x30\x04\x06\x00\x31\x00"))),
		"wide values":           data(nil, nil, info(tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidData)), tlv(asn1.SET, fill("\x05\x00"))))),
		"wide digestAlgorithms": tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, []byte(oidSignedData)), tlv(context0, tlv(asn1.SEQUENCE, []byte{2, 1, 1}, tlv(asn1.SET, fill("\x05\x00"))))),
		"content in crumbs":     open(data(tlv(context0, tlv(asn1.OCTET_STRING.Constructed(), fill("\x04\x01a"))), nil, nil)),
		"long identifier":       tlv(asn1.SEQUENCE, tlv(asn1.OBJECT_IDENTIFIER, append(fill("\x81"), 1))),
		"BER everywhere":        append(open(fill("\x30\x80\x00\x00")), 0, 0),
	}
}

func TestHostile(t *testing.T) {
	for name, b := range hostile() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sd, err := Parse(b)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrMalformed) && (name != "other certificates" || err != nil) {
			t.Errorf("%s: %v, %v", name, sd, err)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("%s: an error text of %d bytes", name, len(err.Error()))
		}
		// All that was allocated, freed or not: an upper bound of what was held at once.
		if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 100 {
			t.Errorf("%s: %d MB allocated", name, used)
		}
	}
	if _, err := Parse(hostile()["nested 30 80"]); !errors.Is(err, der.ErrLimit) {
		t.Errorf("nested: %v", err)
	}
	if _, err := Parse(tlv(asn1.OCTET_STRING, make([]byte, 17<<20))); !errors.Is(err, der.ErrLimit) {
		t.Errorf("17 MB: %v", err)
	}
}

// shared finds test files that are not part of the repository; empty: not here.
func shared(t testing.TB, pattern string) []string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			names, _ := filepath.Glob(filepath.Join(dir, "..", "shared", pattern))
			return names
		}
	}
	return nil
}

var contents = regexp.MustCompile(`/Contents\s*<([0-9A-Fa-f\s]{200,})>`)

// contentsOf cuts the values of signatures out of a PDF, padding and all.
func contentsOf(pdf []byte) (values [][]byte) {
	for _, m := range contents.FindAllSubmatch(pdf, -1) {
		digits := bytes.Join(bytes.Fields(m[1]), nil)
		b := make([]byte, len(digits)/2)
		if _, err := hex.Decode(b, digits[:len(b)*2]); err == nil {
			values = append(values, b)
		}
	}
	return values
}

// Signatures in PDF files of other makers parse once their padding is cut; all but the digest of the file is right.
func TestSignaturesOfOthers(t *testing.T) {
	names := shared(t, "vectors/pdf/*.pdf")
	if len(names) == 0 {
		t.Skip("../shared/vectors/pdf is not here")
	}
	count := 0
	for _, name := range names {
		pdf, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range contentsOf(pdf) {
			count++
			n, err := der.Length(b)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(name), err)
				continue
			}
			sd, err := Parse(b[:n])
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(name), err)
				continue
			}
			for _, si := range sd.Signers {
				cert := si.Certificate(sd.Certificates)
				if si.SignatureOID.String() == "1.3.101.112" { // Ed25519 is not known here
					if err := si.CheckValue(cert, nil); !errors.Is(err, ErrUnsupported) {
						t.Errorf("%s, value %d: %v", filepath.Base(name), i, err)
					}
					continue
				}
				if cert == nil || si.Scheme == (sign.Scheme{}) {
					t.Errorf("%s, value %d: certificate of %d bytes, scheme %s (%s, %s)", filepath.Base(name), i, len(cert), si.Scheme, si.DigestOID, si.SignatureOID)
					continue
				}
				if si.SignedAttrs == nil {
					continue
				}
				for _, err := range []error{si.CheckContentType(), si.CheckValue(cert, nil)} {
					if err != nil {
						t.Errorf("%s, value %d: %v", filepath.Base(name), i, err)
					}
				}
				if err := si.CheckCertificate(cert); err != nil && !errors.Is(err, ErrAbsent) {
					t.Errorf("%s, value %d: %v", filepath.Base(name), i, err)
				}
			}
			t.Logf("%s: %d bytes, %d certificates, notes %q", filepath.Base(name), n, len(sd.Certificates), noteCodes(sd))
		}
	}
	if count < 10 {
		t.Errorf("only %d signatures found", count)
	}
}

func FuzzParse(f *testing.F) {
	for _, k := range kinds {
		b := mustSign(f, keyOf(f, k.key), k.o)
		f.Add(b)
		f.Add(indefinite(b))
	}
	for _, name := range shared(f, "vectors/pdf/*.pdf") {
		if pdf, err := os.ReadFile(name); err == nil {
			for _, b := range contentsOf(pdf) {
				if n, err := der.Length(b); err == nil {
					f.Add(b[:n])
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sd, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Error(err)
			}
			return
		}
		if n, err := der.Length(b); err != nil || n != len(b) {
			t.Errorf("Length %d of %d, %v", n, len(b), err)
		}
		if !bytes.Equal(sd.Raw, b) {
			t.Error("Raw is not what was read")
		}
		sd.Verify(sums) // any error, no panic
		for i := range sd.Signers {
			si := &sd.Signers[i]
			si.SigningTime()
			si.CheckContentType()
			si.CheckDigest(sums)
			si.CheckCertificate(si.Certificate(sd.Certificates))
			if si.SignedAttrs != nil && (si.SignedAttrs[0] != 0x31 || len(si.Attributes) == 0) {
				t.Errorf("signed attributes %x", si.SignedAttrs)
			}
		}
	})
}

func BenchmarkSign(b *testing.B) {
	for _, k := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P256} {
		key := keyOf(b, k)
		scheme, _ := sign.SchemeFor(key.Public())
		signer, err := New(key, Options{})
		if err != nil {
			b.Fatal(err)
		}
		act := &sign.Act{Content: sums, Parts: []sign.Part{{Format: sign.CMS}}}
		b.Run(string(k)+"/floor", func(b *testing.B) { // the signature alone
			b.ReportAllocs()
			for b.Loop() {
				if _, err := scheme.Sign(ctx, key, content); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(k)+"/New", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := signer.Sign(ctx, act); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(k)+"/Sign", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Sign(ctx, key, sums[scheme.Hash], Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, k := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P256} {
		in := mustSign(b, keyOf(b, k), Options{})
		sd := mustParse(b, in)
		b.Run(string(k)+"/Parse", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(string(k)+"/Verify", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := sd.Verify(sums); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
