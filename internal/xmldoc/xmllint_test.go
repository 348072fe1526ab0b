package xmldoc

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// asXmllint compares the canonical forms of documents, which keep comments, with those of libxml2: of all at once, and
// where that differs, of each.
func asXmllint(t *testing.T, docs map[string][]byte) {
	t.Helper()
	xmllint, dir := peer(t, "xmllint"), t.TempDir()
	names := slices.Sorted(maps.Keys(docs))
	for _, m := range []struct {
		flag   string
		method Method
	}{{"--c14n", Method{Comments: true}}, {"--exc-c14n", Method{Comments: true, Exclusive: true}}} {
		args := []string{"--nonet", "--huge", m.flag}
		var files []string
		var ours [][]byte
		for i, name := range names {
			d, err := Parse(docs[name], Limits{})
			if err != nil {
				t.Fatalf("%s: %v\n%.500q", name, err, docs[name])
			}
			b, err := d.Canonical(nil, m.method)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			ours = append(ours, b)
			files = append(files, filepath.Join(dir, strconv.Itoa(i)))
			if err := os.WriteFile(files[i], docs[name], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if out, err := exec.Command(xmllint, append(args, files...)...).Output(); err == nil && bytes.Equal(out, bytes.Join(ours, nil)) {
			continue
		}
		for i, name := range names {
			var stderr bytes.Buffer
			cmd := exec.Command(xmllint, append(args, files[i])...)
			cmd.Stderr = &stderr
			theirs, err := cmd.Output()
			if err != nil {
				t.Errorf("%s: xmllint %s: %v\n%.500s\n%.2000q", name, m.flag, err, stderr.Bytes(), docs[name])
			} else if !bytes.Equal(ours[i], theirs) {
				t.Errorf("%s: %s\n%s", name, m.flag, difference(ours[i], theirs))
			}
		}
	}
}

// difference shows where two texts part.
func difference(got, want []byte) string {
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	near := func(b []byte) string { return strconv.Quote(string(b[max(0, at-60):min(len(b), at+100)])) }
	return fmt.Sprintf("from byte %d\n%s\nwanted\n%s", at, near(got), near(want))
}

func TestXmllintAgreesOnWordParts(t *testing.T) { asXmllint(t, parts(t)) }

func TestXmllintAgreesOnGeneratedDocuments(t *testing.T) {
	docs := map[string][]byte{}
	for seed := range uint64(1000) {
		s := generate(seed, false)
		docs[fmt.Sprintf("seed %d", seed)] = []byte(s)
		if seed%10 < 2 {
			s = strings.Replace(strings.Replace(s, "utf-8", "UTF-16", 1), "<?xml version=\"1.0\"?>", "", 1)
			docs[fmt.Sprintf("seed %d in UTF-16", seed)] = utf16Of(s, seed%10 == 1)
		}
	}
	asXmllint(t, docs)
}
