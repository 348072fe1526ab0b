package interop

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// need skips where another implementation is not installed; with CI=true that is a failure. Names with a slash are
// files, others programs.
func need(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		var err error
		if strings.Contains(name, "/") {
			_, err = os.Stat(name)
		} else {
			_, err = exec.LookPath(name)
		}
		switch {
		case err == nil:
		case os.Getenv("CI") == "true":
			t.Fatal(err)
		default:
			t.Skip(err)
		}
	}
}

// java runs a program of testdata with BouncyCastle and returns what it prints.
func java(t *testing.T, program string, args ...string) string {
	t.Helper()
	jars := []string{"/usr/share/java/bcprov.jar", "/usr/share/java/bcutil.jar", "/usr/share/java/bcpkix.jar"}
	need(t, append(jars, "java")...)
	class := strings.Join(jars, string(os.PathListSeparator))
	cmd := exec.Command("java", append([]string{"-cp", class, filepath.Join("testdata", program)}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("java %s: %v\n%s%s", program, err, out, stderr.Bytes())
	}
	return string(out)
}

// write puts bytes into a file of the test's own directory and returns its path.
func write(t *testing.T, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
