package cms

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
)

// need skips where a program is not installed; in CI that is a failure.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func openssl(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command("openssl", args...).CombinedOutput()
	return string(out), err
}

func mustOpenSSL(t *testing.T, args ...string) string {
	t.Helper()
	out, err := openssl(t, args...)
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// OpenSSL verifies what Sign makes with RSA and ECDSA, as CAdES too, and not another content.
func TestOpenSSLVerifies(t *testing.T) {
	need(t, "openssl")
	text, other := write(t, "content", content), write(t, "other", []byte("other"))
	for _, k := range kinds {
		if k.key == testpki.SM2 {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			value := write(t, "value.der", mustSign(t, keyOf(t, k.key), k.o))
			root := write(t, "root.pem", testpki.Shared(k.key).PEM())
			args := []string{"cms", "-verify", "-binary", "-cades", "-inform", "DER", "-in", value, "-CAfile", root, "-purpose", "any", "-out", os.DevNull, "-content"}
			mustOpenSSL(t, append(args, text)...)
			if out, err := openssl(t, append(args, other)...); err == nil {
				t.Errorf("another content verifies: %s", out)
			}
			printed := mustOpenSSL(t, "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", value)
			if !strings.Contains(printed, "eContent: <ABSENT>") {
				t.Errorf("not detached:\n%s", printed)
			}
		})
	}
}

// OpenSSL 3.0 does not know SM2 in CMS; it checks the value over the signed attributes as they are to be hashed.
func TestOpenSSLVerifiesSM2(t *testing.T) {
	need(t, "openssl")
	for _, k := range kinds {
		if k.key != testpki.SM2 {
			continue
		}
		key := keyOf(t, k.key)
		si := mustParse(t, mustSign(t, key, k.o)).Signers[0]
		spki, err := gm.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		public := write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
		value := write(t, "value", si.Signature)
		args := func(attrs []byte) []string {
			return []string{"pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-in", write(t, "attrs", attrs),
				"-digest", "sm3", "-pkeyopt", "distid:" + gm.UserID, "-sigfile", value}
		}
		mustOpenSSL(t, args(si.SignedAttrs)...)
		if out, err := openssl(t, args(append([]byte{0xa0}, si.SignedAttrs[1:]...))...); err == nil {
			t.Errorf("verifies with the tag as written: %s", out)
		}
	}
}

// What OpenSSL signs is read and verified here.
func TestReadsOpenSSL(t *testing.T) {
	need(t, "openssl")
	for _, k := range []testpki.Kind{testpki.RSA, testpki.P256} {
		private, chain := testpki.Shared(k).IssueSigner(k, "openssl", nil)
		pkcs8, err := gm.MarshalPKCS8(private)
		if err != nil {
			t.Fatal(err)
		}
		key := write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
		cert := write(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[0]}))
		text := write(t, "content", content)
		for _, c := range []struct {
			args  string
			only  testpki.Kind
			notes string
			want  sign.Scheme // zero: not looked at
		}{
			{args: ""},
			{args: "-cades"},
			{args: "-keyid"},
			{args: "-nodetach"},
			{args: "-nosmimecap -md sha384", want: sign.Scheme{Hash: sign.SHA384}},
			{args: "-md sha1 -cades", want: sign.Scheme{Hash: sign.SHA1}},
			{args: "-noattr"},
			{args: "-nodetach -noattr -keyid"},
			{args: "-nodetach -stream -indef", notes: noteBER},
			{args: "-nodetach -noattr -stream -indef", notes: noteBER},
			{args: "-keyopt rsa_padding_mode:pss", only: testpki.RSA, want: sign.Scheme{Kind: sign.RSAPSS, Hash: sign.SHA256}},
			{args: "-keyopt rsa_padding_mode:pss -md sha512 -keyopt rsa_pss_saltlen:20 -cades", only: testpki.RSA, want: sign.Scheme{Kind: sign.RSAPSS, Hash: sign.SHA512}},
		} {
			if c.only != "" && c.only != k {
				continue
			}
			t.Run(string(k)+" "+c.args, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "out.der")
				args := append([]string{"cms", "-sign", "-binary", "-in", text, "-signer", cert, "-inkey", key, "-outform", "DER", "-out", out}, strings.Fields(c.args)...)
				mustOpenSSL(t, args...)
				b, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				sd := mustParse(t, b)
				if err := sd.Verify(sums); err != nil {
					t.Error(err)
				}
				if got := noteCodes(sd); got != c.notes {
					t.Errorf("notes %q", got)
				}
				if s := sd.Signers[0].Scheme; c.want.Hash != "" && s.Hash != c.want.Hash || c.want.Kind != "" && s.Kind != c.want.Kind {
					t.Errorf("scheme %s", s)
				}
				if strings.Contains(c.args, "-nodetach") != bytes.Equal(sd.EContent, content) {
					t.Errorf("eContent %x", sd.EContent)
				}
				if err := sd.Verify(sign.Sums{sd.Signers[0].Scheme.Hash: make([]byte, sd.Signers[0].Scheme.Hash.Size())}); err == nil {
					t.Error("another content verifies")
				}
			})
		}
	}
}
