package keydev_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/pkcs"
	gmpkcs8 "github.com/emmansun/gmsm/pkcs8"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/keydev/keydevtest"
	"github.com/courtseal/courtseal/sign"
)

var _ sign.Key = keydev.Key(nil) // the two interfaces are one

const pin = "密碼-246810"

func openssl(t testing.TB, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is needed (apt-get install openssl)")
		}
		t.Skip("openssl is not installed")
	}
	var stderr bytes.Buffer
	cmd := exec.Command("openssl", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

func write(t testing.TB, name string, b []byte, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, b, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// plain writes an unencrypted PKCS #8 and its certificates to a new directory, and returns their names.
func plain(t testing.TB, key crypto.Signer, chain [][]byte) (keyFile, certFile string) {
	t.Helper()
	b, err := gm.MarshalPKCS8(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	keyFile, certFile = filepath.Join(dir, "k"), filepath.Join(dir, "c")
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: b}), 0o600)
	write(t, certFile, certPEM(chain), 0o644)
	return keyFile, certFile
}

func certPEM(chain [][]byte) []byte {
	var out []byte
	for _, c := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c})...)
	}
	return out
}

// opensslDir is a directory of keys that OpenSSL made and encrypted, in every form that is read.
func opensslDir(t *testing.T) string {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	gen := map[testpki.Kind][]string{
		testpki.SM2:  {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2"},
		testpki.RSA:  {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
		testpki.P256: {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
		testpki.P384: {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"},
	}
	keys := map[testpki.Kind]string{}
	certs := map[testpki.Kind][]byte{}
	for kind, args := range gen {
		name := filepath.Join(t.TempDir(), string(kind))
		openssl(t, append([]string{"genpkey", "-out", name}, args...)...)
		pub, err := gm.ParsePKIXPublicKey(openssl(t, "pkey", "-in", name, "-pubout", "-outform", "DER"))
		if err != nil {
			t.Fatal(err)
		}
		ca := testpki.Shared(kind).Sub(kind, "authority", nil)
		keys[kind], certs[kind] = name, certPEM([][]byte{ca.Certify(pub, "某法官", nil), ca.Cert.Raw})
	}
	for name, p8 := range map[string]struct {
		kind testpki.Kind
		args []string
	}{
		"sm2-aes256":      {testpki.SM2, []string{"-v2", "aes-256-cbc"}},
		"sm2-sm4":         {testpki.SM2, []string{"-v2", "sm4-cbc"}},
		"sm2-der":         {testpki.SM2, []string{"-v2", "aes-128-cbc", "-outform", "DER"}},
		"rsa-sha1":        {testpki.RSA, []string{"-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA1"}},
		"rsa-sha512":      {testpki.RSA, []string{"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "10000"}},
		"p256-3des":       {testpki.P256, []string{"-v2", "des3"}},
		"p256-scrypt":     {testpki.P256, []string{"-scrypt", "-scrypt_N", "1024"}},
		"p384-sha224":     {testpki.P384, []string{"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA224"}},
		"p384-v1-3des":    {testpki.P384, []string{"-v1", "PBE-SHA1-3DES"}},
		"name with blank": {testpki.SM2, []string{"-v2", "aes-256-cbc"}},
	} {
		args := append([]string{"pkcs8", "-topk8", "-in", keys[p8.kind], "-passout", "pass:" + pin, "-out", file(name + ".key")}, p8.args...)
		openssl(t, args...)
		write(t, file(name+".crt"), certs[p8.kind], 0o644)
		os.Chmod(file(name+".key"), 0o600)
	}
	for name, p12 := range map[string]struct {
		kind testpki.Kind
		args []string
	}{
		"p12-sm2":        {testpki.SM2, nil},
		"p12-sm2-sm3":    {testpki.SM2, []string{"-macalg", "sm3", "-keypbe", "sm4-cbc", "-certpbe", "sm4-cbc"}},
		"p12-rsa-old":    {testpki.RSA, []string{"-macalg", "sha1", "-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES"}},
		"p12-p256-open":  {testpki.P256, []string{"-certpbe", "NONE", "-macalg", "sha512"}},
		"p12-p384-iter1": {testpki.P384, []string{"-noiter", "-nomaciter", "-macalg", "sha384"}},
	} {
		c := filepath.Join(t.TempDir(), "c")
		write(t, c, certs[p12.kind], 0o644)
		args := append([]string{"pkcs12", "-export", "-inkey", keys[p12.kind], "-in", c, "-name", "court", "-passout", "pass:" + pin, "-out", file(name + ".p12")}, p12.args...)
		openssl(t, args...)
		os.Chmod(file(name+".p12"), 0o600)
	}
	if err := os.Rename(file("p12-sm2.p12"), file("p12-sm2.pfx")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t testing.TB, dir string) keydev.Device {
	t.Helper()
	d, err := keydev.Open(context.Background(), "soft:"+dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformanceOpenSSL(t *testing.T) {
	dir := opensslDir(t)
	keydevtest.Run(t, func(t *testing.T) keydevtest.Setup {
		return keydevtest.Setup{Device: open(t, dir), PIN: pin, Wrong: "135791"}
	})
}

func TestConformancePKCS12First(t *testing.T) {
	from := opensslDir(t)
	dir := t.TempDir()
	os.Rename(filepath.Join(from, "p12-sm2.pfx"), filepath.Join(dir, "p12-sm2.pfx"))
	keydevtest.Run(t, func(t *testing.T) keydevtest.Setup {
		return keydevtest.Setup{Device: open(t, dir), PIN: pin, Wrong: "135791"}
	})
}

func TestConformanceInsecure(t *testing.T) {
	dir := t.TempDir()
	for _, kind := range []testpki.Kind{testpki.SM2, testpki.RSA} {
		key, chain := testpki.Shared(kind).IssueSigner(kind, "test", nil)
		k, c := plain(t, key, chain)
		os.Rename(k, filepath.Join(dir, string(kind)+".key.insecure"))
		os.Rename(c, filepath.Join(dir, string(kind)+".crt"))
	}
	keydevtest.Run(t, func(t *testing.T) keydevtest.Setup { return keydevtest.Setup{Device: open(t, dir)} })
}

// TestGMSM reads what another implementation of GM/T 0091 writes: HMAC-SM3 and its own PBES.
func TestGMSM(t *testing.T) {
	dir := t.TempDir()
	key, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "test", nil)
	for name, enc := range map[string]pkcs.PBESEncrypter{
		"hmac-sm3": pkcs.NewPBESEncrypter(pkcs.SM4CBC, pkcs.NewPBKDF2Opts(pkcs.SM3, 16, 1000)),
		"smpbes":   pkcs.NewSMPBESEncrypter(16, 1000),
	} {
		b, err := gmpkcs8.MarshalPrivateKey(key, []byte(pin), enc)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name+".key"), b, 0o600)
		write(t, filepath.Join(dir, name+".crt"), certPEM(chain), 0o644)
		if err := try(t, dir, name, pin); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := try(t, dir, name, "1"); !errors.Is(err, keydev.ErrPINIncorrect) {
			t.Errorf("%s: wrong PIN: %v", name, err)
		}
	}
}

// try opens a key and signs with it.
func try(t testing.TB, dir, name, pin string) error {
	t.Helper()
	k, d, err := keydev.OpenKey(context.Background(), "soft:"+dir+"#"+name, keydev.PIN([]byte(pin)))
	if err != nil {
		return err
	}
	defer d.Close()
	scheme, err := sign.SchemeFor(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	sig, err := scheme.Sign(context.Background(), k, []byte("m"))
	if err != nil {
		return err
	}
	return scheme.Verify(k.Public(), []byte("m"), sig)
}

func TestWriteSoftKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	for _, kind := range []testpki.Kind{testpki.SM2, testpki.RSA} {
		name := string(kind)
		key, chain := testpki.Shared(kind).Sub(kind, "sub", nil).IssueSigner(kind, "holder", nil)
		if err := keydev.WriteSoftKey(t.Context(), dir, name, key, chain, []byte(pin)); err != nil {
			t.Fatal(err)
		}
		if err := try(t, dir, name, pin); err != nil {
			t.Error(err)
		}
		k, err := open(t, dir).Key(t.Context(), name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(k.Chain()) != 2 || !bytes.Equal(k.Chain()[1], chain[1]) {
			t.Errorf("%s: the chain came back changed", name)
		}
		if st, err := os.Stat(filepath.Join(dir, name+".key")); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", st, err)
		}
		other, otherChain := testpki.Shared(kind).IssueSigner(kind, "other", nil)
		if err := keydev.WriteSoftKey(t.Context(), dir, name, other, otherChain, []byte(pin)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("writing over a key: %v", err)
		}
		if err := keydev.WriteSoftKey(t.Context(), dir, "other", other, chain, []byte(pin)); !errors.Is(err, keydev.ErrMismatch) {
			t.Errorf("writing a pair that is none: %v", err)
		}
		// OpenSSL reads it, and finds the same key.
		got := openssl(t, "pkey", "-in", filepath.Join(dir, name+".key"), "-passin", "pass:"+pin, "-pubout", "-outform", "DER")
		want, err := gm.MarshalPKIXPublicKey(key.Public())
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: OpenSSL reads another key", name)
		}
	}
	key, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "holder", nil)
	for _, name := range []string{"", "../up", "a/b", `a\b`, ".hidden", "a#b"} {
		if err := keydev.WriteSoftKey(t.Context(), dir, name, key, chain, []byte(pin)); !errors.Is(err, keydev.ErrMalformed) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	if err := keydev.WriteSoftKey(t.Context(), dir, "open", key, chain, nil); err == nil {
		t.Error("a key was written without a PIN")
	}
}

func TestFilesRefused(t *testing.T) {
	key, chain := testpki.Shared(testpki.P256).IssueSigner(testpki.P256, "holder", nil)
	_, stranger := testpki.Shared(testpki.P256).IssueSigner(testpki.P256, "stranger", nil)
	plainKey, plainCert := plain(t, key, chain)
	enc := filepath.Join(t.TempDir(), "enc")
	openssl(t, "pkcs8", "-topk8", "-in", plainKey, "-passout", "pass:"+pin, "-v2", "aes-256-cbc", "-out", enc)
	read := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	p12 := func(args ...string) []byte {
		return openssl(t, append([]string{"pkcs12", "-export", "-inkey", plainKey, "-in", plainCert, "-passout", "pass:" + pin}, args...)...)
	}
	traditional := openssl(t, "pkey", "-in", plainKey, "-traditional", "-aes256", "-passout", "pass:"+pin)
	block, _ := pem.Decode(read(enc))
	type files map[string][]byte
	for _, test := range []struct {
		name  string
		files files
		want  error
		says  string
	}{
		{"good", files{"k.key": read(enc), "k.crt": certPEM(chain)}, nil, ""},
		{"good, certificate in DER", files{"k.key": read(enc), "k.crt": chain[0]}, nil, ""},
		{"good, PKCS #12 with its certificate beside it", files{"k.p12": p12("-certpbe", "aes-128-cbc"), "k.crt": certPEM(chain)}, nil, ""},
		{"not encrypted", files{"k.key": read(plainKey), "k.crt": certPEM(chain)}, keydev.ErrUnsafe, "k.key.insecure"},
		{"encrypted and called insecure", files{"k.key.insecure": read(enc), "k.crt": certPEM(chain)}, keydev.ErrMalformed, "name it k.key"},
		{"certificate missing", files{"k.key": read(enc)}, keydev.ErrNoKey, "k.crt"},
		{"certificate of another key", files{"k.key": read(enc), "k.crt": certPEM(stranger)}, keydev.ErrMismatch, "stranger"},
		{"certificate beside PKCS #12 of another key", files{"k.p12": p12(), "k.crt": certPEM(stranger)}, keydev.ErrMismatch, "stranger"},
		{"certificate file empty", files{"k.key": read(enc), "k.crt": nil}, keydev.ErrMalformed, "no certificate"},
		{"certificate broken", files{"k.key": read(enc), "k.crt": chain[0][:100]}, keydev.ErrMalformed, "certificate 1"},
		{"too many certificates", files{"k.key": read(enc), "k.crt": bytes.Repeat(certPEM(chain), 17)}, keydev.ErrMalformed, "more than 16"},
		{"two files of one name", files{"k.key": read(enc), "k.crt": certPEM(chain), "k.p12": p12()}, keydev.ErrAmbiguous, "k.key, k.p12"},
		{"key file empty", files{"k.key": nil, "k.crt": certPEM(chain)}, keydev.ErrMalformed, "PEM"},
		{"key file too large", files{"k.key": make([]byte, 1<<20+1), "k.crt": certPEM(chain)}, keydev.ErrMalformed, "1048577"},
		{"key cut short", files{"k.key": block.Bytes[:len(block.Bytes)-1], "k.crt": certPEM(chain)}, keydev.ErrMalformed, "DER"},
		{"traditional PEM", files{"k.key": traditional, "k.crt": certPEM(chain)}, keydev.ErrUnsupported, "openssl pkcs8 -topk8"},
		{"unsupported cipher", files{"k.key": openssl(t, "pkcs8", "-topk8", "-in", plainKey, "-passout", "pass:"+pin, "-v2", "camellia-256-cbc"), "k.crt": certPEM(chain)}, keydev.ErrUnsupported, "AES-CBC"},
		{"PKCS #12 without MAC", files{"k.p12": p12("-nomac")}, keydev.ErrUnsupported, "MAC"},
		{"PKCS #12 without certificate", files{"k.p12": openssl(t, "pkcs12", "-export", "-inkey", plainKey, "-nocerts", "-passout", "pass:"+pin)}, keydev.ErrMismatch, ".crt"},
		{"PKCS #12 without key", files{"k.p12": openssl(t, "pkcs12", "-export", "-in", plainCert, "-nokeys", "-passout", "pass:"+pin)}, keydev.ErrMalformed, "no private key"},
		{"PKCS #12 cut short", files{"k.p12": p12()[:200]}, keydev.ErrMalformed, "PFX"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, b := range test.files {
				write(t, filepath.Join(dir, name), b, 0o600)
			}
			err := try(t, dir, "k", pin)
			if !errors.Is(err, test.want) || test.want == nil && err != nil {
				t.Fatalf("%v, not %v", err, test.want)
			}
			if err == nil {
				return
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%q does not say %q", err, test.says)
			}
			if strings.Contains(err.Error(), pin) {
				t.Errorf("%q quotes the PIN", err)
			}
			var e *keydev.Error
			if !errors.As(err, &e) || e.TriesLeft != -1 || e.Where != "soft:"+dir+"#k" {
				t.Errorf("%#v", e)
			}
		})
	}
}

func TestRC2SkippedWhereTheCertificateIsBeside(t *testing.T) {
	key, chain := testpki.Shared(testpki.RSA).IssueSigner(testpki.RSA, "holder", nil)
	k, c := plain(t, key, chain)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "k.p12"), openssl(t, "pkcs12", "-export", "-legacy", "-inkey", k, "-in", c, "-passout", "pass:"+pin), 0o600)
	err := try(t, dir, "k", pin)
	if !errors.Is(err, keydev.ErrUnsupported) || !strings.Contains(err.Error(), ".crt") {
		t.Errorf("%v", err)
	}
	write(t, filepath.Join(dir, "k.crt"), certPEM(chain), 0o644)
	if err := try(t, dir, "k", pin); err != nil {
		t.Error(err)
	}
}

func TestOthersHaveRights(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file modes say nothing on Windows")
	}
	dir := t.TempDir()
	key, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "holder", nil)
	if err := keydev.WriteSoftKey(t.Context(), dir, "k", key, chain, []byte(pin)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "k.key")
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o601} {
		os.Chmod(file, mode)
		_, err := open(t, dir).Key(t.Context(), "k", nil)
		if !errors.Is(err, keydev.ErrUnsafe) || !strings.Contains(err.Error(), "chmod 600 "+file) {
			t.Errorf("mode %o: %v", mode, err)
		}
		infos, err := open(t, dir).Keys(t.Context())
		if err != nil || len(infos) != 1 || !errors.Is(infos[0].Err, keydev.ErrUnsafe) || infos[0].Kind != "SM2" {
			t.Errorf("mode %o: %+v, %v", mode, infos, err)
		}
	}
}

func TestKeysListsWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "alone.key"), []byte("x"), 0o600)
	write(t, filepath.Join(dir, "two.p12"), []byte("x"), 0o600)
	write(t, filepath.Join(dir, "two.pfx"), []byte("x"), 0o600)
	write(t, filepath.Join(dir, "locked.p12"), []byte("x"), 0o600)
	write(t, filepath.Join(dir, "notes.txt"), []byte("x"), 0o600)
	os.Mkdir(filepath.Join(dir, "dir.key"), 0o700)
	enc := testpki.Shared(testpki.RSA).Certify(testpki.NewKey(testpki.RSA).Public(), "enc", func(c *gm.Certificate) { c.KeyUsage = 1 << 2 })
	write(t, filepath.Join(dir, "enc.key"), []byte("x"), 0o600)
	write(t, filepath.Join(dir, "enc.crt"), enc, 0o644)
	infos, err := open(t, dir).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, i := range infos {
		got = append(got, fmt.Sprint(i.Name, " ", i.Kind, " ", i.Sign, " ", i.Encrypt, " ", i.Err != nil))
	}
	want := "alone  false false true|enc RSA-2048 false true false|locked  false false false|two  false false true"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestURI(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, nil, 0o600)
	for _, test := range []struct {
		uri  string
		want error
	}{
		{"", keydev.ErrURI}, {"soft", keydev.ErrURI}, {"soft:", keydev.ErrURI}, {"/keys", keydev.ErrURI}, {"http://x", keydev.ErrURI},
		{"skf:lib=/x.so", keydev.ErrUnsupported}, {"pkcs11:token=x", keydev.ErrUnsupported},
		{"soft:" + file, keydev.ErrURI}, {"soft:" + dir + "/none", fs.ErrNotExist},
	} {
		_, err := keydev.Open(t.Context(), test.uri)
		var e *keydev.Error
		if !errors.Is(err, test.want) || !errors.As(err, &e) {
			t.Errorf("Open(%q): %v, not %v", test.uri, err, test.want)
		}
	}
	for _, uri := range []string{"soft:" + dir, "soft:" + dir + "#", "x:y#z", "soft:#k"} {
		if _, _, err := keydev.OpenKey(t.Context(), uri, nil); !errors.Is(err, keydev.ErrURI) {
			t.Errorf("OpenKey(%q): %v", uri, err)
		}
	}
	if _, _, err := keydev.OpenKey(t.Context(), "soft:"+dir+"#k", nil); !errors.Is(err, keydev.ErrNoKey) {
		t.Errorf("an empty directory: %v", err)
	}
	odd := filepath.Join(dir, "a#b %41:c")
	key, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "holder", nil)
	if err := keydev.WriteSoftKey(t.Context(), odd, "法官 1", key, chain, []byte(pin)); err != nil {
		t.Fatal(err)
	}
	if err := try(t, odd, "法官 1", pin); err != nil {
		t.Error(err)
	}
}

func TestErrorText(t *testing.T) {
	err := error(&keydev.Error{Where: "skf:serial=1#judge", TriesLeft: 2, Err: fmt.Errorf("%w: 0A000024", keydev.ErrPINIncorrect)})
	if got, want := err.Error(), "keydev: skf:serial=1#judge: PIN incorrect: 0A000024 (tries left: 2)"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	key, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "holder", nil)
	if err := keydev.WriteSoftKey(b.Context(), dir, "k", key, chain, []byte(pin)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := try(b, dir, "k", pin); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	for _, kind := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P256} {
		b.Run(string(kind), func(b *testing.B) {
			dir := b.TempDir()
			key, chain := testpki.Shared(kind).IssueSigner(kind, "holder", nil)
			if err := keydev.WriteSoftKey(b.Context(), dir, "k", key, chain, []byte(pin)); err != nil {
				b.Fatal(err)
			}
			k, err := open(b, dir).Key(b.Context(), "k", keydev.PIN([]byte(pin)))
			if err != nil {
				b.Fatal(err)
			}
			digest := make([]byte, 32)
			rand.Read(digest)
			opts := crypto.SHA256
			if kind == testpki.SM2 {
				opts = 0
			}
			if _, err := k.SignDigest(b.Context(), digest, opts); err != nil { // opens the key
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := k.SignDigest(b.Context(), digest, opts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
