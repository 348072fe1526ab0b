package xmldsig

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
)

func actOf(h sign.Hash) *sign.Act {
	return &sign.Act{ID: "1", Content: sign.Sums{h: h.Sum([]byte("package"))}, Evidence: []byte("e"), Reference: "court.example/sm3#AAAA",
		Parts: []sign.Part{{Format: sign.XML, Office: &sign.Office{Comments: "a < b & c", Object: [2]string{"<Object>", "</Object>"},
			Properties: h.Sum(nil), ValidImage: h.Sum([]byte{1}), InvalidImage: h.Sum([]byte{2})}}}}
}

// TestSign: OpenSSL checks what is signed, for each kind of key; and only that text is.
func TestSign(t *testing.T) {
	for _, kind := range []testpki.Kind{testpki.RSA, testpki.P256, testpki.P384} {
		key := testpki.Shared(kind).Issue(kind, "signer", nil)
		s, err := New(key, nil)
		if err != nil {
			t.Fatal(err)
		}
		spec := s.Profile().Specs[sign.XML]
		act := actOf(spec.Hashes[0])
		values, err := s.Sign(t.Context(), act)
		if err != nil {
			t.Fatal(err)
		}
		v, err := sign.ParseXMLValue(values[0].Bytes)
		if err != nil || v.Reference != act.Reference || string(v.Evidence) != "e" || len(values[0].Bytes) > spec.MaxSize+sign.XML.EvidenceSize(1) {
			t.Errorf("%+v, %v", v, err)
		}
		info, err := ToSign(act, act.Parts[0], s.scheme)
		if err != nil {
			t.Fatal(err)
		}
		if err := Check(key.Public(), s.scheme, info, v.Value); err != nil {
			t.Error(err)
		}
		openssl(t, key, spec.Hashes[0], info, v.Value)
		if err := Check(key.Public(), s.scheme, append(info, ' '), v.Value); !errors.Is(err, sign.ErrSignature) {
			t.Errorf("another text: %v", err)
		}
		if err := Check(key.Public(), s.scheme, info, v.Value[1:]); !errors.Is(err, sign.ErrSignature) {
			t.Errorf("a short value: %v", err)
		}
		other := *act
		other.Reference = "court.example/sm3#BBBB"
		changed, err := ToSign(&other, act.Parts[0], s.scheme)
		if err != nil || bytes.Equal(changed, info) {
			t.Errorf("the reference is not in what is signed (%v)", err)
		}
	}
}

func openssl(t *testing.T, key sign.Key, h sign.Hash, msg, value []byte) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Log("no openssl")
		return
	}
	dir := t.TempDir()
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if der, ok := joined(key.Public(), value); ok {
		value = der
	}
	for name, b := range map[string][]byte{"msg": msg, "sig": value, "pub": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("openssl", "dgst", "-"+strings.ToLower(strings.ReplaceAll(string(h), "-", "")), "-verify", "pub", "-signature", "sig", "msg")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("openssl: %v\n%s", err, out)
	}
}

func TestRefuses(t *testing.T) {
	sm2 := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "signer", nil)
	if _, err := New(sm2, nil); !errors.Is(err, sign.ErrUnsupportedKey) {
		t.Errorf("SM2: %v", err)
	}
	rsa := testpki.Shared(testpki.RSA).Issue(testpki.RSA, "signer", nil)
	if _, err := New(sign.NewKey(testpki.NewKey(testpki.P256), rsa.Chain()...), nil); !errors.Is(err, sign.ErrKeyMismatch) {
		t.Errorf("another certificate: %v", err)
	}
	s, err := New(rsa, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(a *sign.Act){
		"no office":   func(a *sign.Act) { a.Parts[0].Office = nil },
		"short":       func(a *sign.Act) { a.Parts[0].Office.Properties = []byte{1} },
		"one image":   func(a *sign.Act) { a.Parts[0].Office.InvalidImage = nil },
		"another one": func(a *sign.Act) { a.Parts[0].Format = sign.CMS },
		"no content":  func(a *sign.Act) { a.Content = nil },
	} {
		a := actOf(sign.SHA256)
		change(a)
		if v, err := s.Sign(context.Background(), a); err == nil {
			t.Errorf("%s: signed %v", name, v)
		}
	}
}

func TestComments(t *testing.T) {
	long := strings.Repeat("盖", 300)
	for _, c := range []struct{ comments, reference, want string }{
		{"", "", ""},
		{"盖章", "", "盖章"},
		{"", "o#h", "o#h"},
		{"盖章", "o#h", "盖章 o#h"},
		{long, "", long[:255*3]},
		{long, "o#h", long[:251*3] + " o#h"},
	} {
		if got := Comments(&sign.Office{Comments: c.comments}, c.reference); got != c.want {
			t.Errorf("%q", got)
		}
	}
}

func TestSplitComments(t *testing.T) {
	ref := "court.example/seals/sm3#" + strings.Repeat("A", 43) + "="
	for _, c := range [][3]string{
		{"", "", ""}, {"盖章", "盖章", ""}, {ref, "", ref}, {"a b " + ref, "a b", ref}, {"a " + ref + " ", "a " + ref + " ", ""},
		{"a#b", "a#b", ""}, {"a #" + ref[24:], "a #" + ref[24:], ""},
	} {
		if comments, reference := SplitComments(c[0]); comments != c[1] || reference != c[2] {
			t.Errorf("%q: %q, %q", c[0], comments, reference)
		}
	}
}
