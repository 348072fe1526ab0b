package audit_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/gm"
)

// peer finds another implementation; in CI it must be there.
func peer(t testing.TB, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return p
}

// TestOpenSSLChecksSM2Lines: OpenSSL finds the SM2 signature of a checkpoint good, and of another text wrong.
func TestOpenSSLChecksSM2Lines(t *testing.T) {
	openssl, dir := peer(t, "openssl"), t.TempDir()
	const origin = "court.example.cn/ledger/sm3"
	key := must(gm.GenerateKey())
	checkpoint := audit.Checkpoint{Origin: origin, Size: 1, Root: audit.SM3.LeafHash([]byte("entry"))}
	note := must(checkpoint.Sign(must(audit.NewSigner(origin, key))))
	text := checkpoint.Marshal()
	words := strings.Fields(string(note[len(text):]))
	raw := must(base64.StdEncoding.DecodeString(words[2]))[4:]
	der, _ := gm.SignatureDER(raw)

	file := func(name string, b []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	public := file("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(gm.MarshalPKIXPublicKey(key.Public()))}))
	check := func(text []byte) ([]byte, error) {
		return exec.Command(openssl, "pkeyutl", "-verify", "-pubin", "-inkey", public, "-rawin", "-digest", "sm3",
			"-pkeyopt", "distid:"+gm.UserID, "-in", file("text", text), "-sigfile", file("sig", der)).CombinedOutput()
	}
	if out, err := check(text); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := check(append(text, 'x')); err == nil {
		t.Errorf("another text passes: %s", out)
	}
}

// TestOpenSSLHashesTheTree: the hashes of an SM3 tree of two entries, by OpenSSL.
func TestOpenSSLHashesTheTree(t *testing.T) {
	openssl := peer(t, "openssl")
	sm3 := func(b ...[]byte) []byte {
		cmd := exec.Command(openssl, "dgst", "-sm3", "-binary")
		cmd.Stdin = bytes.NewReader(bytes.Join(b, nil))
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	one, two := sm3([]byte{0}, []byte("one")), sm3([]byte{0}, []byte("two"))
	root := sm3([]byte{1}, one, two)
	f := must(audit.NewFrontier(t.Context(), audit.SM3, nil, 0))
	if got := f.Root(); !bytes.Equal(got[:], sm3()) {
		t.Errorf("no entries: %s", got)
	}
	f.Append(audit.SM3.LeafHash([]byte("one")))
	f.Append(audit.SM3.LeafHash([]byte("two")))
	if got := f.Root(); !bytes.Equal(got[:], root) {
		t.Errorf("two entries: %s, not %x", got, root)
	}
}
