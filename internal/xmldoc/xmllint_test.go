package xmldoc

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
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

// asXmllint compares the canonical forms of a document, which keep comments, with those of libxml2.
func asXmllint(t *testing.T, xmllint, name string, b []byte) {
	t.Helper()
	d, err := Parse(b, Limits{})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	file := filepath.Join(t.TempDir(), "in.xml")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct {
		flag   string
		method Method
	}{{"--c14n", Method{Comments: true}}, {"--exc-c14n", Method{Comments: true, Exclusive: true}}} {
		cmd := exec.Command(xmllint, "--nonet", "--huge", m.flag, file)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		want, err := cmd.Output()
		if err != nil {
			t.Errorf("%s: xmllint %s: %v\n%.500s\n%.2000q", name, m.flag, err, stderr.Bytes(), b)
			continue
		}
		got, err := d.Canonical(nil, m.method)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(got, want) {
			at := 0
			for at < len(got) && at < len(want) && got[at] == want[at] {
				at++
			}
			near := func(b []byte) string { return strconv.Quote(string(b[max(0, at-60):min(len(b), at+100)])) }
			t.Errorf("%s %s: from byte %d\n%s\nxmllint has\n%s", name, m.flag, at, near(got), near(want))
		}
	}
}

func TestXmllintAgreesOnWordParts(t *testing.T) {
	xmllint := peer(t, "xmllint")
	all := parts(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		asXmllint(t, xmllint, name, all[name])
	}
	t.Logf("%d parts", len(all))
}
