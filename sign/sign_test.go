package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
)

var ctx = context.Background()

func TestHash(t *testing.T) {
	for h, want := range map[sign.Hash]string{ // of "abc": GB/T 32905 A.1, FIPS 180-4
		sign.SM3:    "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
		sign.MD5:    "900150983cd24fb0d6963f7d28e17f72",
		sign.SHA224: "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
		sign.SHA1:   "a9993e364706816aba3e25717850c26c9cd0d89d",
		sign.SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		sign.SHA384: "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
		sign.SHA512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	} {
		got := h.Sum([]byte("abc"))
		if hex.EncodeToString(got) != want || len(got) != h.Size() {
			t.Errorf("%s: %x", h, got)
		}
		if std := h.Crypto(); std != 0 && std.String() != string(h) || (std == 0) != (h == sign.SM3) {
			t.Errorf("%s is %s", h, std)
		}
	}
	if h := sign.Hash("MD2"); h.New() != nil || h.Size() != 0 || h.Crypto() != 0 {
		t.Error("MD2 is known")
	}
}

func TestCloneHash(t *testing.T) {
	for _, h := range []sign.Hash{sign.SM3, sign.MD5, sign.SHA1, sign.SHA224, sign.SHA256, sign.SHA384, sign.SHA512} {
		for _, n := range []int{0, 1, 63, 64, 65, 1000} {
			head := bytes.Repeat([]byte{0x5a}, n)
			running := h.New()
			running.Write(head)
			fork, err := sign.CloneHash(running)
			if err != nil {
				t.Fatal(err)
			}
			running.Write([]byte("one"))
			fork.Write([]byte("other"))
			again, err := sign.CloneHash(fork)
			if err != nil {
				t.Fatal(err)
			}
			again.Write([]byte("!"))
			for i, c := range []struct{ got, want []byte }{
				{running.Sum(nil), h.Sum(append(bytes.Clone(head), "one"...))},
				{fork.Sum(nil), h.Sum(append(bytes.Clone(head), "other"...))},
				{again.Sum(nil), h.Sum(append(bytes.Clone(head), "other!"...))},
			} {
				if !bytes.Equal(c.got, c.want) {
					t.Errorf("%s after %d bytes, state %d: %x", h, n, i, c.got)
				}
			}
		}
	}
	if _, err := sign.CloneHash(opaque{}); err == nil {
		t.Error("a hash without a state to copy was copied")
	}
}

// opaque cannot be cloned.
type opaque struct{}

func (opaque) Write(b []byte) (int, error) { return len(b), nil }
func (opaque) Sum(b []byte) []byte         { return b }
func (opaque) Reset()                      {}
func (opaque) Size() int                   { return 0 }
func (opaque) BlockSize() int              { return 1 }

func TestSums(t *testing.T) {
	s := sign.Sums{sign.SHA256: make([]byte, 32), sign.SM3: make([]byte, 20)}
	if b, err := s.Get(sign.SHA256); err != nil || len(b) != 32 {
		t.Errorf("%x, %v", b, err)
	}
	for _, h := range []sign.Hash{sign.SM3, sign.SHA384, "MD2"} { // short, absent, unknown
		if b, err := s.Get(h); !errors.Is(err, sign.ErrMissingSum) {
			t.Errorf("%s: %x, %v", h, b, err)
		}
	}
	if _, err := sign.Sums(nil).Get(sign.SM3); !errors.Is(err, sign.ErrMissingSum) {
		t.Error(err)
	}
}

func TestXMLValue(t *testing.T) {
	for _, v := range []sign.XMLValue{
		{Value: []byte{1}},
		{Value: make([]byte, 256), Reference: "court.example/seals/sm3#AAAA"},
		{Value: []byte{0}, Evidence: make([]byte, 70_000), TimeStamp: []byte{0x30, 0}},
		{Value: []byte{1}, Reference: "r", Evidence: []byte{2}, TimeStamp: []byte{3}},
	} {
		der := v.Marshal()
		if back, err := sign.ParseXMLValue(der); err != nil || !reflect.DeepEqual(back, v) {
			t.Errorf("%+v came back as %+v (%v)", v, back, err)
		}
		for i := range min(len(der), 40) {
			if v, err := sign.ParseXMLValue(der[:i]); !errors.Is(err, sign.ErrXMLValue) {
				t.Errorf("cut at %d: %+v, %v", i, v, err)
			}
		}
		if _, err := sign.ParseXMLValue(append(der, 0)); !errors.Is(err, sign.ErrXMLValue) {
			t.Errorf("a byte behind: %v", err)
		}
	}
	if _, err := sign.ParseXMLValue(sign.XMLValue{}.Marshal()); !errors.Is(err, sign.ErrXMLValue) {
		t.Errorf("no value: %v", err)
	}
}

func TestSchemeFor(t *testing.T) {
	for kind, want := range map[testpki.Kind]sign.Scheme{
		testpki.SM2:  {Kind: sign.SM2, Hash: sign.SM3},
		testpki.RSA:  {Kind: sign.RSA, Hash: sign.SHA256},
		testpki.P256: {Kind: sign.ECDSA, Hash: sign.SHA256},
		testpki.P384: {Kind: sign.ECDSA, Hash: sign.SHA384},
	} {
		if s, err := sign.SchemeFor(testpki.NewKey(kind).Public()); s != want || err != nil {
			t.Errorf("%s: %s, %v", kind, s, err)
		}
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edwards, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pub  crypto.PublicKey
		want error
	}{
		{testpki.NewKey(testpki.RSA1024).Public(), sign.ErrWeakKey},
		{p521.Public(), sign.ErrUnsupportedKey},
		{edwards, sign.ErrUnsupportedKey},
		{nil, sign.ErrUnsupportedKey},
	} {
		if s, err := sign.SchemeFor(c.pub); !errors.Is(err, c.want) {
			t.Errorf("%T: %s, %v", c.pub, s, err)
		}
	}
}

var schemes = []struct {
	kind   testpki.Kind
	scheme sign.Scheme
}{
	{testpki.SM2, sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}},
	{testpki.RSA, sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}},
	{testpki.RSA, sign.Scheme{Kind: sign.RSA, Hash: sign.SHA512}},
	{testpki.RSA, sign.Scheme{Kind: sign.RSAPSS, Hash: sign.SHA256}},
	{testpki.RSA, sign.Scheme{Kind: sign.RSAPSS, Hash: sign.SHA384}},
	{testpki.P256, sign.Scheme{Kind: sign.ECDSA, Hash: sign.SHA256}},
	{testpki.P384, sign.Scheme{Kind: sign.ECDSA, Hash: sign.SHA384}},
}

func TestScheme(t *testing.T) {
	msg := []byte("判决如下")
	for _, c := range schemes {
		key := testpki.Shared(c.kind).Issue(c.kind, "某人", nil)
		sig, err := c.scheme.Sign(ctx, key, msg)
		if err != nil {
			t.Fatalf("%s: %v", c.scheme, err)
		}
		if n := c.scheme.MaxSize(key.Public()); len(sig) > n || len(sig) < n-8 {
			t.Errorf("%s: %d bytes, MaxSize %d", c.scheme, len(sig), n)
		}
		if err := c.scheme.Verify(key.Public(), msg, sig); err != nil {
			t.Errorf("%s: %v", c.scheme, err)
		}
		other := testpki.NewKey(c.kind).Public()
		for name, err := range map[string]error{
			"another message": c.scheme.Verify(key.Public(), msg[1:], sig),
			"another key":     c.scheme.Verify(other, msg, sig),
			"one byte less":   c.scheme.Verify(key.Public(), msg, sig[:len(sig)-1]),
			"one byte more":   c.scheme.Verify(key.Public(), msg, append(bytes.Clone(sig), 0)),
			"nothing":         c.scheme.Verify(key.Public(), msg, nil),
			"no digest":       c.scheme.VerifyDigest(key.Public(), nil, sig),
			"long digest":     c.scheme.VerifyDigest(key.Public(), append(c.scheme.Hash.Sum(msg), 0), sig),
		} {
			if !errors.Is(err, sign.ErrSignature) {
				t.Errorf("%s, %s: %v", c.scheme, name, err)
			}
		}
		if c.scheme.Kind != sign.SM2 {
			if err := c.scheme.VerifyDigest(key.Public(), c.scheme.Hash.Sum(msg), sig); err != nil {
				t.Errorf("%s: VerifyDigest: %v", c.scheme, err)
			}
		}
		// Keys of other kinds, and schemes of other kinds with this key.
		for _, o := range schemes {
			err := o.scheme.Verify(key.Public(), msg, sig)
			if fits := o.kind == c.kind || strings.HasPrefix(string(o.kind), "P") && strings.HasPrefix(string(c.kind), "P"); !fits && !errors.Is(err, sign.ErrUnsupportedKey) {
				t.Errorf("%s with a key of %s: %v", o.scheme, c.kind, err)
			} else if o.scheme != c.scheme && err == nil {
				t.Errorf("%s checks as %s", c.scheme, o.scheme)
			}
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := c.scheme.Sign(ended, key, msg); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: ended context: %v", c.scheme, err)
		}
	}
	for _, s := range []sign.Scheme{{}, {Kind: sign.RSA}, {Kind: sign.RSA, Hash: sign.SM3}, {Kind: sign.RSAPSS, Hash: "MD2"}} {
		if _, err := s.Sign(ctx, testpki.Shared(testpki.RSA).Issue(testpki.RSA, "某人", nil), msg); !errors.Is(err, sign.ErrUnsupportedKey) {
			t.Errorf("%q: %v", s, err)
		}
	}
	huge := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1<<20), E: 65537}
	if err := schemes[1].scheme.Verify(huge, msg, nil); !errors.Is(err, sign.ErrUnsupportedKey) {
		t.Errorf("RSA of a million bits: %v", err)
	}
}

func TestNewKey(t *testing.T) {
	private, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "某人", nil)
	key := sign.NewKey(private, chain...)
	if pub, ok := key.Public().(*ecdsa.PublicKey); !ok || !pub.Equal(private.Public()) || len(key.Chain()) != 1 || !bytes.Equal(key.Chain()[0], chain[0]) {
		t.Error("not what it was made of")
	}
	e, err := gm.Digest(key.Public(), []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := key.SignDigest(ctx, e, crypto.Hash(0))
	if err != nil || !gm.VerifyDigest(key.Public(), e, sig) {
		t.Errorf("%x, %v", sig, err)
	}
}

func TestAttributeTypes(t *testing.T) {
	const arc = "1.2.840.113556.1.8000.2554.28574.50230.50420.17023.35091.14912170.8524227"
	for i, o := range []sign.OID{sign.AttributeSeal, sign.AttributeSignature, sign.AttributeEvidence, sign.AttributePolicy} {
		want := fmt.Sprintf("%s.%d", arc, i+1)
		if p, err := sign.ParseOID(want); o.String() != want || p != o || err != nil {
			t.Errorf("%s, not %s; parsed %s, %v", o, want, p, err)
		}
	}
}

// OpenSSL checks our values and we check its.
func TestOpenSSLAgrees(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, b []byte) {
		if err := os.WriteFile(path(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	msg := []byte("判决如下")
	write("msg", msg)
	write("other", msg[1:])
	for _, c := range schemes {
		t.Run(c.scheme.String(), func(t *testing.T) {
			private := testpki.NewKey(c.kind)
			pkcs8, err := gm.MarshalPKCS8(private)
			if err != nil {
				t.Fatal(err)
			}
			spki, err := gm.MarshalPKIXPublicKey(private.Public())
			if err != nil {
				t.Fatal(err)
			}
			write("key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
			write("pub", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
			options := []string{"-rawin", "-digest", strings.ToLower(strings.ReplaceAll(string(c.scheme.Hash), "-", ""))}
			switch c.scheme.Kind {
			case sign.SM2:
				options = append(options, "-pkeyopt", "distid:1234567812345678")
			case sign.RSAPSS:
				options = append(options, "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:digest")
			}
			run := func(args ...string) error {
				out, err := exec.Command("openssl", append(append([]string{"pkeyutl"}, args...), options...)...).CombinedOutput()
				if err != nil {
					return fmt.Errorf("%w: %s", err, out)
				}
				return nil
			}
			ours, err := c.scheme.Sign(ctx, sign.NewKey(private), msg)
			if err != nil {
				t.Fatal(err)
			}
			write("ours", ours)
			if err := run("-verify", "-pubin", "-inkey", path("pub"), "-in", path("msg"), "-sigfile", path("ours")); err != nil {
				t.Error(err)
			}
			if err := run("-verify", "-pubin", "-inkey", path("pub"), "-in", path("other"), "-sigfile", path("ours")); err == nil {
				t.Error("OpenSSL verifies another message")
			}
			if err := run("-sign", "-inkey", path("key"), "-in", path("msg"), "-out", path("theirs")); err != nil {
				t.Fatal(err)
			}
			theirs, err := os.ReadFile(path("theirs"))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.scheme.Verify(private.Public(), msg, theirs); err != nil {
				t.Error(err)
			}
		})
	}
}

type stamper struct{}

func (stamper) Timestamp(context.Context, sign.Hash, []byte) ([]byte, error) { return nil, nil }

type sized struct {
	stamper
	n int
}

func (s sized) MaxSize() int { return s.n }

func TestStampSize(t *testing.T) {
	for _, c := range []struct {
		t    sign.Timestamper
		want int
	}{{nil, 0}, {stamper{}, 8192}, {sized{n: 100}, 100}, {sized{}, 8192}, {sized{n: -1}, 8192}} {
		if got := sign.StampSize(c.t); got != c.want {
			t.Errorf("%#v: %d", c.t, got)
		}
	}
}
