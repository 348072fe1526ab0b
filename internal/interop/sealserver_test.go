package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The reference server on PostgreSQL: a province is made in it, a judgment sealed, the server killed and started again: the
// request that is repeated has the same answer, and is one use.
func TestSealserverPostgres(t *testing.T) {
	c := newCluster(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "sealserver")
	build := exec.Command("go", "build", "-o", program, "./examples/sealserver")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	province := filepath.Join(dir, "province")
	start := func() (url string, kill func()) {
		cmd := exec.Command(program, "--demo", "--listen", "127.0.0.1:0", province)
		cmd.Env = append(os.Environ(), "COURTSEAL_DATABASE="+fmt.Sprintf("postgres://courtseal@/postgres?host=%s", c.dir))
		var log bytes.Buffer
		cmd.Stderr = &log
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if lines.Scan(); !strings.HasPrefix(lines.Text(), "http://") {
			cmd.Wait()
			t.Fatalf("it does not start: %s", &log)
		}
		go io.Copy(io.Discard, out)
		return lines.Text(), func() { cmd.Process.Kill(); cmd.Wait() }
	}
	url, kill := start()
	credentials, err := os.ReadFile(filepath.Join(province, "credentials"))
	if err != nil {
		t.Fatal(err)
	}
	_, app, _ := strings.Cut(string(credentials), "app:trial")
	app = "app:trial" + strings.TrimSpace(app)
	judgment, err := os.ReadFile("../../examples/quickstart/judgment.pdf")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, kind string, body []byte) []byte {
		t.Helper()
		r, err := http.NewRequest(method, url+path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+app)
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Idempotency-Key", "pg-1")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, b, err)
		}
		return b
	}
	kind, form := sealingForm(t, judgment)
	sealed := ask("POST", "/v1/seals/dong-1/documents", kind, form)
	kill()
	url, kill = start()
	defer kill()
	if again := ask("POST", "/v1/seals/dong-1/documents", kind, form); !bytes.Equal(sealed, again) {
		t.Error("after a kill the answer is another one")
	}
	var report struct{ Verdict string }
	if err := json.Unmarshal(ask("POST", "/v1/verify", "application/pdf", sealed), &report); err != nil || report.Verdict != "valid" {
		t.Errorf("%+v %v", report, err)
	}
	var uses []struct{ Request, State string }
	if err := json.Unmarshal(ask("GET", "/v1/uses", "", nil), &uses); err != nil || len(uses) != 1 || uses[0].State != "done" {
		t.Errorf("%+v %v", uses, err)
	}
}

// sealingForm asks for a seal on the date line.
func sealingForm(t *testing.T, file []byte) (kind string, body []byte) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="request"`}, "Content-Type": {"application/json"}})
	if err == nil {
		_, err = io.WriteString(part, `{"kind": "judgment", "dateLine": true}`)
	}
	if err == nil {
		part, err = w.CreateFormFile("file", "judgment.pdf")
	}
	if err == nil {
		_, err = part.Write(file)
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}
