package verify

import (
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// keyFile writes a PKCS #12 file of a new key below an authority with openssl.
func keyFile(t testing.TB, ca *testpki.CA, kind testpki.Kind, password string) string {
	t.Helper()
	openssl := peer(t, "openssl")
	dir := t.TempDir()
	key, chain := ca.IssueSigner(kind, "mutool", nil)
	der, err := gm.MarshalPKCS8(key)
	if err != nil {
		t.Fatal(err)
	}
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[0]})...)
	in, out := filepath.Join(dir, "key.pem"), filepath.Join(dir, "key.p12")
	if err := os.WriteFile(in, both, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command(openssl, "pkcs12", "-export", "-in", in, "-out", out, "-name", "clerk", "-passout", "pass:"+password).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	return out
}

// mutool signs with SHA-1 into a field that waits for it: its signature is told to be weak, and those that were there before are what
// they were.
func TestMutoolSigns(t *testing.T) {
	mutool := peer(t, "mutool")
	w := theWorld()
	file := sealFile(t, pdftest.File(pdftest.Table, form()), w.stamp(t, sign.Dual, noon), visible)
	file = sealFile(t, file, w.stamp(t, sign.CMS, noon), pdfx.Options{})
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command(mutool, "sign", "-s", keyFile(t, w.rsaCA, testpki.RSA, "geheim"), "-P", "geheim", "-o", out, in, "6").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	signed, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	r := verifyFile(t, w, signed, nil)
	byName := map[string]*Signature{}
	for i := range r.Signatures {
		byName[r.Signatures[i].Name] = &r.Signatures[i]
	}
	theirs := byName["Waiting"]
	if len(r.Signatures) != 3 || theirs == nil {
		t.Fatalf("%s", r)
	}
	if theirs.Verdict != Invalid || theirs.Check("signer-algorithm").Code != "weak-hash" || theirs.Check("cms-value").Code != codeOK || theirs.Check("content-hash").Code != codeOK {
		t.Errorf("%s", r)
	}
	for name, s := range byName {
		if s != theirs && s.Verdict != Valid {
			t.Errorf("%s is %s\n%s", name, s.Verdict, r)
		}
	}
}
