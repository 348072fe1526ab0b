// Package peertest finds the software of others that tests ask for an opinion. Where it is not installed a test skips; with CI=true
// that is a failure, so that no opinion is lost unseen.
package peertest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Need finds programs, and files by names with a slash, and gives the path of the first.
func Need(t testing.TB, names ...string) string {
	t.Helper()
	first := ""
	for _, name := range names {
		path, err := find(name)
		if err != nil {
			Missing(t, "%v", err)
		}
		if first == "" {
			first = path
		}
	}
	return first
}

// Has is Need for a test that goes on without.
func Has(t testing.TB, name string) bool {
	t.Helper()
	_, err := find(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err != nil {
		t.Log(err)
	}
	return err == nil
}

// Missing ends a test for which something is not there.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

func find(name string) (string, error) {
	if strings.Contains(name, "/") {
		_, err := os.Stat(name)
		return name, err
	}
	return exec.LookPath(name)
}
