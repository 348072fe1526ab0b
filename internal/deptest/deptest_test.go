// Package deptest holds the import picture of docs/architecture.md as a test.
package deptest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/courtseal/courtseal"

// allowed names, for each package of ours, which of ours it may import (tests aside). A package that is not here may
// import none of ours; a name that ends in /... stands for a subtree.
var allowed = map[string][]string{
	"sign":                    {"internal/gm", "internal/der"},
	"sign/cms":                {"sign", "internal/gm", "internal/der"},
	"sign/tsp":                {"sign", "sign/cms", "internal/gm", "internal/der"},
	"sign/tsp/tsphttp":        {"sign", "sign/tsp"},
	"sign/xmldsig":            {"sign", "sign/cms", "internal/gm", "internal/xmldoc"},
	"seal":                    {"sign", "sign/cms", "sign/tsp", "sign/xmldsig", "internal/gm", "internal/der"},
	"seal/imprint":            {"sign", "internal/glyph"},
	"seal/registry":           {"seal", "sign", "audit", "audit/ledger", "internal/gm"},
	"audit":                   {"sign", "internal/gm", "internal/plain"},
	"audit/ledger":            {"audit", "internal/disk"},
	"audit/offline":           {"audit", "sign", "internal/disk"},
	"audit/ledger/ledgertest": {"audit", "audit/ledger", "internal/gm"},
	"keydev":                  {"keydev/internal/...", "internal/gm", "internal/der"},
	"keydev/internal/soft":    {"keydev/internal/fault", "internal/gm", "internal/der"},
	"keydev/internal/fault":   {},
	"keydev/keydevtest":       {"keydev", "internal/gm", "internal/der"},
	"pdfx":                    {"sign", "internal/gm", "internal/pdf", "internal/pdftext", "internal/appearance", "internal/der", "internal/glyph", "internal/disk"},
	"officex":                 {"sign", "sign/xmldsig", "internal/gm", "internal/disk", "internal/opc", "internal/opcsig", "internal/wordml", "internal/wordscan", "internal/xmldoc"},
	"verify":                  {"audit", "pdfx", "seal", "sign", "sign/cms", "sign/tsp", "sign/xmldsig", "internal/opc", "internal/opcsig", "internal/wordscan", "internal/wordml", "internal/xmldoc", "internal/pdf", "internal/pageink", "internal/pdfimage", "internal/pdftext", "internal/resemble", "internal/appearance", "internal/plain", "internal/gm", "internal/der"},
	"internal/appearance":     {"sign", "internal/pdf", "internal/glyph"},
	"internal/opc":            {"internal/xmldoc"},
	"internal/opcsig":         {"sign", "sign/xmldsig", "internal/opc", "internal/xmldoc", "internal/gm"},
	"internal/wordscan":       {"internal/opc", "internal/plain", "internal/xmldoc"},
	"internal/pageink":        {"internal/pdf", "internal/pdftext"},
	"internal/pdfimage":       {"internal/pdf", "internal/appearance"},
	"internal/pdftext":        {"internal/pdf", "internal/phrase"},
	"internal/wordml":         {"internal/xmldoc", "internal/phrase"},
	"internal/testpki":        {"sign", "internal/gm"},
}

// foreign names the modules that may be imported at all outside tests, and by whom.
var foreign = map[string][]string{
	"github.com/emmansun/gmsm":       {"internal/gm", "internal/testpki"},
	"github.com/go-text/typesetting": {"internal/glyph"},
	"golang.org/x/crypto":            nil, // nil: anyone
	"golang.org/x/text":              nil,
	"golang.org/x/mod":               {"audit/ledger/ledgertest"},
	"golang.org/x/image":             {"internal/appearance", "seal/imprint"},
}

type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func list(t *testing.T, env []string, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Standard"}, args...)...)
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var pkgs []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	return pkgs
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func matches(rules []string, name string) bool {
	for _, r := range rules {
		if r == name || strings.HasSuffix(r, "/...") && strings.HasPrefix(name, strings.TrimSuffix(r, "...")) {
			return true
		}
	}
	return false
}

func TestImportsFollowThePicture(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range list(t, nil, "./...") {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		seen[name] = true
		for _, imp := range p.Imports {
			if ours, ok := strings.CutPrefix(imp, module+"/"); ok {
				if !matches(allowed[name], ours) {
					t.Errorf("%s imports %s, which the picture does not show", name, ours)
				}
				continue
			}
			if !strings.Contains(strings.SplitN(imp, "/", 2)[0], ".") {
				continue // standard library
			}
			known := false
			for mod, who := range foreign {
				if imp == mod || strings.HasPrefix(imp, mod+"/") {
					known = who == nil || matches(who, name)
				}
			}
			if !known {
				t.Errorf("%s imports %s", name, imp)
			}
		}
	}
	for name := range allowed {
		if !seen[name] {
			t.Errorf("the picture shows %s, which is not there", name)
		}
	}
}

// Nothing that checks or seals may reach the network, start a program or write a log: verification must run in a browser
// and in a locked-down server alike. The exceptions are imports, not uses: the test environment of smx509 is compiled
// into it (os/exec, testing).
func TestNoNetworkNoProcesses(t *testing.T) {
	except := map[string]string{"github.com/emmansun/gmsm/smx509": "os/exec"}
	banned := []string{"net/http", "os/exec", "database/sql", "log", "log/slog", "plugin"}
	roots := []string{"-deps"}
	for _, name := range []string{"verify", "pdfx", "officex", "seal", "sign", "sign/cms", "sign/tsp", "sign/xmldsig", "keydev", "audit", "audit/offline"} {
		roots = append(roots, module+"/"+name)
	}
	for _, p := range list(t, nil, roots...) {
		if p.Standard {
			continue
		}
		for _, imp := range p.Imports {
			if slices.Contains(banned, imp) && except[p.ImportPath] != imp {
				t.Errorf("%s imports %s", p.ImportPath, imp)
			}
		}
	}
}

// verify must build where there is no file system, no cgo and no process: in a browser.
func TestVerifyBuildsForBrowsers(t *testing.T) {
	cmd := exec.Command("go", "build", "-o", os.DevNull, module+"/verify", module+"/pdfx")
	cmd.Dir = root(t)
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
