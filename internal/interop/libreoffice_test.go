package interop

import (
	"bufio"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
)

// libreOffice is one LibreOffice that answers many questions, since it takes seconds to start.
type libreOffice struct {
	ask    io.Writer
	answer *bufio.Reader
}

// startLibreOffice starts one that trusts the roots, and has a key below the first of them. It needs soffice, Debian's python3-uno and certutil.
func startLibreOffice(t *testing.T, roots ...*testpki.CA) *libreOffice {
	t.Helper()
	need(t, "soffice", "certutil", "/usr/bin/python3")
	if out, err := exec.Command("/usr/bin/python3", "-c", "import uno").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("python3-uno: %v\n%s", err, out)
		}
		t.Skipf("python3-uno: %v\n%s", err, out)
	}
	profile, db := t.TempDir(), trusting(t, roots...)
	giveKey(t, db, roots[0])
	pipe := fmt.Sprintf("courtseal%d", os.Getpid())
	soffice := exec.Command("soffice", "--headless", "--invisible", "--norestore", "--nologo",
		"-env:UserInstallation=file://"+filepath.Join(profile, "user"), "--accept=pipe,name="+pipe+";urp")
	soffice.Env = append(os.Environ(), "MOZILLA_CERTIFICATE_FOLDER=sql:"+db)
	soffice.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // soffice is a script that starts others
	if err := soffice.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Kill(-soffice.Process.Pid, syscall.SIGKILL)
		soffice.Wait()
	})

	script := exec.Command("/usr/bin/python3", filepath.Join("testdata", "libreoffice.py"), pipe)
	script.Stderr = os.Stderr
	in, err := script.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := script.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		script.Wait()
	})
	return &libreOffice{in, bufio.NewReader(out)}
}

// giveKey puts a key below an authority into an NSS database.
func giveKey(t *testing.T, db string, ca *testpki.CA) {
	t.Helper()
	key, chain := ca.IssueSigner(testpki.RSA, "clerk", nil)
	der, err := gm.MarshalPKCS8(key)
	if err != nil {
		t.Fatal(err)
	}
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[0]})...)
	dir := t.TempDir()
	in, p12 := write(t, dir, "key.pem", both), filepath.Join(dir, "key.p12")
	for _, args := range [][]string{
		{"openssl", "pkcs12", "-export", "-in", in, "-out", p12, "-name", "clerk", "-passout", "pass:password"},
		{"pk12util", "-i", p12, "-d", "sql:" + db, "-W", "password"},
	} {
		need(t, args[0])
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

// question sends a question and gives the lines of its answer; failed says why there is none.
func (lo *libreOffice) question(t *testing.T, words ...string) (lines []string, failed string) {
	t.Helper()
	fmt.Fprintln(lo.ask, strings.Join(words, "\t"))
	for {
		line, err := lo.answer.ReadString('\n')
		if err != nil {
			t.Fatalf("LibreOffice, asked %q: %v", words, err)
		}
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == ".":
			return lines, ""
		case strings.HasPrefix(line, "! "):
			return lines, line[2:]
		}
		lines = append(lines, line)
	}
}

// verify gives a line for each signature.
func (lo *libreOffice) verify(t *testing.T, path string) []string {
	t.Helper()
	lines, failed := lo.question(t, "verify", path)
	if failed != "" {
		t.Fatalf("LibreOffice does not open %s: %s", filepath.Base(path), failed)
	}
	return lines
}

// sign adds a signature to a PDF.
func (lo *libreOffice) sign(t *testing.T, path string) {
	t.Helper()
	if _, failed := lo.question(t, "sign", path); failed != "" {
		t.Fatalf("LibreOffice does not sign %s: %s", filepath.Base(path), failed)
	}
}

// Formats that the office program writes, by the names of its filters.
const (
	asPDF  = "writer_pdf_Export"
	asDOCX = "MS Word 2007 XML"
)

// convert opens a document and writes it in another format, encrypted with a password if one is given.
func (lo *libreOffice) convert(t *testing.T, path, to, format string, password ...string) {
	t.Helper()
	if _, failed := lo.question(t, append([]string{"convert", path, to, format}, password...)...); failed != "" {
		t.Fatalf("LibreOffice does not make %s: %s", filepath.Base(to), failed)
	}
}
