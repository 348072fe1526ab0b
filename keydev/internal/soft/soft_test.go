package soft

import (
	"bytes"
	"context"
	"crypto"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"hash"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/keydev/internal/fault"
)

func TestPBKDF2(t *testing.T) {
	for _, h := range []func() hash.Hash{sha1.New, sha512.New, gm.NewSM3} {
		for _, size := range []int{16, 24, 32, 100} {
			want, err := pbkdf2.Key(h, "口令", []byte("salt"), 77, size)
			if err != nil {
				t.Fatal(err)
			}
			m := &meter{t.Context(), 1000}
			if got, err := m.pbkdf2(h, []byte("口令"), []byte("salt"), 77, size); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes: %x, not %x (%v)", size, got, want, err)
			}
		}
	}
}

// TestKDF12 checks against values that BouncyCastle and OpenSSL share: the published examples for SHA-1.
func TestKDF12(t *testing.T) {
	for _, v := range []struct {
		id        byte
		pin, salt string
		rounds    int
		want      string
	}{
		{1, "smeg", "0A58CF64530D823F", 1, "8AAAE6297B6CB04642AB5B077851284EB7128F1A2A7FBCA3"},
		{2, "smeg", "0A58CF64530D823F", 1, "79993DFE048D3B76"},
		{3, "smeg", "3D83C0E4546AC140", 1, "8D967D88F6CAA9D714800AB3D48051D63F73A312"},
		{1, "queeg", "05DEC959ACFF72F7", 1000, "ED2034E36328830FF09DF1E1A07DD357185DAC0D4F9EB3D4"},
		{2, "queeg", "05DEC959ACFF72F7", 1000, "11DEDAD7758D4860"},
	} {
		salt, _ := hex.DecodeString(v.salt)
		m := &meter{t.Context(), MaxRounds}
		got, err := m.kdf12(sha1.New, v.id, []byte(v.pin), salt, v.rounds, len(v.want)/2)
		if err != nil || !strings.EqualFold(hex.EncodeToString(got), v.want) {
			t.Errorf("%+v: %x (%v)", v, got, err)
		}
	}
}

func TestBMPString(t *testing.T) {
	got, err := bmpString([]byte("aé法𠮷"))
	if want := "006100e96cd5d842dfb70000"; err != nil || hex.EncodeToString(got) != want {
		t.Errorf("%x, not %s (%v)", got, want, err)
	}
	if _, err := bmpString([]byte{0xff}); !errors.Is(err, fault.ErrPINIncorrect) {
		t.Errorf("a PIN that is not UTF-8: %v", err)
	}
}

// hostile makes an EncryptedPrivateKeyInfo with a key derivation of the test's.
func hostile(t testing.TB, kdf der.OID, params func(*cryptobyte.Builder)) []byte {
	t.Helper()
	var b cryptobyte.Builder
	seq := func(b *cryptobyte.Builder, f func(*cryptobyte.Builder)) { b.AddASN1(asn1.SEQUENCE, f) }
	seq(&b, func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			der.AddOID(b, oidPBES2)
			seq(b, func(b *cryptobyte.Builder) {
				seq(b, func(b *cryptobyte.Builder) { der.AddOID(b, kdf); seq(b, params) })
				seq(b, func(b *cryptobyte.Builder) { der.AddOID(b, oidAES256); b.AddASN1OctetString(make([]byte, 16)) })
			})
		})
		b.AddASN1OctetString(make([]byte, 32))
	})
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBounds(t *testing.T) {
	pbkdf := func(rounds int64) []byte {
		return hostile(t, oidPBKDF2, func(b *cryptobyte.Builder) { b.AddASN1OctetString([]byte("salt")); b.AddASN1Int64(rounds) })
	}
	scrypt := func(n, r, p int64) []byte {
		return hostile(t, oidScrypt, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString([]byte("salt"))
			b.AddASN1Int64(n)
			b.AddASN1Int64(r)
			b.AddASN1Int64(p)
		})
	}
	for name, b := range map[string][]byte{
		"no rounds":            pbkdf(0),
		"negative rounds":      pbkdf(-1),
		"rounds":               pbkdf(MaxRounds + 1),
		"2^31 rounds":          pbkdf(1 << 31),
		"2^62 rounds":          pbkdf(1 << 62),
		"two blocks of rounds": pbkdf(MaxRounds/2 + 1), // SHA-1 needs two for AES-256
		"scrypt memory":        scrypt(1<<20, 8, 1),
		"scrypt time":          scrypt(1<<16, 8, 64),
		"scrypt N":             scrypt(1000, 8, 1),
		"scrypt r":             scrypt(1024, 1<<30, 1),
		"scrypt p":             scrypt(1024, 1, 1<<30),
	} {
		// Two blocks: the first is computed before the second is refused, so a few seconds of work are cut to none.
		ctx, cancel := context.WithCancel(t.Context())
		if name == "two blocks of rounds" {
			cancel()
		}
		m := &meter{ctx, MaxRounds}
		_, err := m.openPKCS8(b, []byte("x"))
		cancel()
		if !errors.Is(err, fault.ErrMalformed) && !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What is allowed ends with the context.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	m := &meter{ctx, MaxRounds}
	if _, err := m.openPKCS8(pbkdf(MaxRounds/2), []byte("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("five million rounds and 20 ms: %v", err)
	}
}

func TestChainOrder(t *testing.T) {
	root := testpki.NewCA(testpki.P256, "root")
	a := root.Sub(testpki.P256, "a", nil)
	b := a.Sub(testpki.P256, "b", nil)
	key, chain := b.IssueSigner(testpki.P256, "holder", nil)
	stranger := testpki.NewCA(testpki.P256, "stranger").Cert.Raw
	mixed := [][]byte{root.Cert.Raw, stranger, []byte("x"), chain[2], chain[0], chain[1]}
	got := chainOf(key.Public(), mixed)
	want := append(append([][]byte{}, chain...), root.Cert.Raw)
	if len(got) != len(want) {
		t.Fatalf("%d certificates, not %d", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Errorf("certificate %d is another", i)
		}
	}
	if chainOf(testpki.NewKey(testpki.P256).Public(), mixed) != nil {
		t.Error("a chain for a key that has none")
	}
}

// seeds are real files by OpenSSL, where it is installed, and by this package.
func seeds(f *testing.F) (keys, pfxs [][]byte) {
	signer, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "holder", nil)
	plain, err := gm.MarshalPKCS8(signer)
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := encryptPKCS8(context.Background(), signer, []byte("123456"))
	if err != nil {
		f.Fatal(err)
	}
	keys = [][]byte{plain, sealed, hostile(f, oidScrypt, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString([]byte("salt"))
		for range 3 {
			b.AddASN1Int64(2)
		}
	})}
	if _, err := exec.LookPath("openssl"); err != nil {
		return keys, nil
	}
	dir := f.TempDir()
	k, c := filepath.Join(dir, "k"), filepath.Join(dir, "c")
	os.WriteFile(k, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: plain}), 0o600)
	os.WriteFile(c, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[0]}), 0o600)
	for _, args := range []string{
		"pkcs8 -topk8 -v2 sm4-cbc -iter 2 -outform DER", "pkcs8 -topk8 -v2 aes-128-cbc -iter 2", "pkcs8 -topk8 -v1 PBE-SHA1-3DES -iter 2 -outform DER",
	} {
		out, err := exec.Command("openssl", append(strings.Fields(args), "-in", k, "-passout", "pass:123456")...).Output()
		if err != nil {
			f.Fatal(args, err)
		}
		keys = append(keys, out)
	}
	for _, args := range []string{
		"pkcs12 -export -iter 2", "pkcs12 -export -iter 2 -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1", "pkcs12 -export -iter 2 -certpbe NONE -keypbe NONE -macalg sm3",
	} {
		out, err := exec.Command("openssl", append(strings.Fields(args), "-inkey", k, "-in", c, "-passout", "pass:123456")...).Output()
		if err != nil {
			f.Fatal(args, err)
		}
		pfxs = append(pfxs, out)
	}
	return keys, pfxs
}

// checkKey checks what a parser says is a key.
func checkKey(t *testing.T, key crypto.Signer, err error) {
	if (key == nil) != (err != nil) && key == nil {
		t.Fatal("no key and no error")
	}
	if err == nil && Kind(key.Public()) == "" {
		t.Fatalf("a key of type %T", key)
	}
	if err != nil && !errors.Is(err, fault.ErrMalformed) && !errors.Is(err, fault.ErrUnsupported) &&
		!errors.Is(err, fault.ErrPINIncorrect) && !errors.Is(err, fault.ErrAmbiguous) {
		t.Fatalf("an error without a cause: %v", err)
	}
}

func FuzzPKCS8(f *testing.F) {
	keys, _ := seeds(f)
	for _, k := range keys {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		der, encrypted, err := privateKeyBytes(b)
		if err != nil {
			checkKey(t, nil, err)
			return
		}
		m := &meter{t.Context(), 2000}
		if encrypted {
			key, err := m.openPKCS8(der, []byte("123456"))
			checkKey(t, key, err)
		} else if len(der) < 4096 {
			key, err := parsePrivateKey(der)
			checkKey(t, key, err)
		}
	})
}

func FuzzPKCS12(f *testing.F) {
	_, pfxs := seeds(f)
	for _, p := range pfxs {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := &meter{t.Context(), 2000}
		key, chain, err := m.openPKCS12(b, []byte("123456"))
		checkKey(t, key, err)
		if err == nil && len(chain) > maxBags {
			t.Fatalf("%d certificates", len(chain))
		}
		// Behind the MAC, which hides most of the parser from a fuzzer.
		g := p12{m: m, pin: []byte("123456")}
		s := cryptobyte.String(b)
		var info cryptobyte.String
		if s.ReadASN1(&info, asn1.SEQUENCE) {
			if err := g.readSafe(info); err != nil {
				checkKey(t, nil, err)
			}
		}
	})
}

func FuzzChain(f *testing.F) {
	root := testpki.Shared(testpki.SM2)
	f.Add(root.Cert.Raw)
	f.Add(append(root.PEM(), testpki.Shared(testpki.RSA).PEM()...))
	f.Fuzz(func(t *testing.T, b []byte) {
		chain, err := parseChain(b)
		if (err == nil) != (len(chain) > 0) {
			t.Fatalf("%d certificates, %v", len(chain), err)
		}
	})
}
