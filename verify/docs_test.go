package verify

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
)

var rewrite = flag.Bool("rewrite", false, "write the table of docs/verification.md anew")

const docsFile = "../docs/verification.md"

// table renders every rule as docs/verification.md has it, with the tests that ask for each answer.
func table(t *testing.T) string {
	var b strings.Builder
	tests := readTests(t)
	one := func(name string, r *rule) {
		fmt.Fprintf(&b, "### %s\n\nStops %s. %s.\n\n| code | verdict | 中文 | English | test |\n|---|---|---|---|---|\n", name, r.stops, r.all())
		for _, o := range r.codes {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", o.code, o.verdict, blanks(o.zh), blanks(o.en), strings.Join(tests.of(r.name, o.code), ", "))
		}
		b.WriteString("\n")
	}
	for _, r := range rules {
		name := r.name
		switch r {
		case contentHashRule:
			name += ", inner-" + name
		case stampRule:
			name += ", inner-" + name + ", seal-" + name
		}
		one(name, r)
	}
	for _, r := range certificateRules {
		one("signer-"+r.name+", inner-"+r.name+", maker-"+r.name+", tsa-"+r.name, r)
	}
	for _, r := range stampRules {
		one(r.name, r)
	}
	return b.String()
}

// blanks shows where a text has arguments.
func blanks(s string) string {
	for i := 1; i < 6; i++ {
		for _, verb := range "sd" {
			s = strings.ReplaceAll(s, fmt.Sprintf("%%[%d]%c", i, verb), "…")
		}
	}
	return strings.ReplaceAll(s, "%%", "%")
}

// dates renders the table of algorithms.
func dates() string {
	var b strings.Builder
	b.WriteString("| algorithm | until | source |\n|---|---|---|\n")
	for i, d := range algorithms {
		name, until := d.Name, "-"
		if next := i + 1; next < len(algorithms) && algorithms[next].Name == d.Name {
			name = fmt.Sprintf("%s, below %d bits", d, algorithms[next].Bits)
		} else if d.Bits > 0 {
			name = d.String() + " bits or more"
		}
		if !d.Until.IsZero() {
			until = d.Until.Format(time.DateOnly)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, until, d.source)
	}
	return b.String() + "\n"
}

func TestDocsListEveryCheck(t *testing.T) { inDocs(t, "from package verify", table(t)) }

func TestDocsListEveryAlgorithm(t *testing.T) { inDocs(t, "algorithms", dates()) }

// inDocs holds a part of the docs to what the package says; -rewrite writes it.
func inDocs(t *testing.T, part, want string) {
	begin, end := "<!-- begin: "+part+" -->\n\n", "<!-- end -->"
	b, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(b), begin)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no part between %q and %q", docsFile, begin, end)
	}
	if old == want {
		return
	}
	if !*rewrite {
		t.Fatalf("%s is not what the code does; run: go test ./verify -run Docs -rewrite", docsFile)
	}
	if err := os.WriteFile(docsFile, []byte(head+begin+want+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Every code that the package uses is in the table of the rule it is used with, and every rule is in the list; a code that
// nobody uses is not in it.
func TestCodesAreInTheTable(t *testing.T) {
	used := map[string]bool{codeOK: true}
	for r, codes := range map[*rule][]string{packageRule: opc.Codes, xmlFormRule: opcsig.Codes} {
		for _, code := range codes { // said by code as they come
			used[code] = true
			if !slices.ContainsFunc(r.codes, func(o outcome) bool { return o.code == code }) {
				t.Errorf("%s: code %q is not in the table", r.name, code)
			}
		}
	}
	names := map[string]bool{}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GenDecl:
				for _, s := range n.Specs {
					if v, ok := s.(*ast.ValueSpec); ok && strings.HasSuffix(v.Names[0].Name, "Rule") {
						names[v.Names[0].Name] = true
						return false // the table itself
					}
				}
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
					used[s] = true
				}
			}
			return true
		})
	}
	all := slices.Concat(rules, certificateRules, stampRules)
	if len(all) != len(names) {
		t.Errorf("%d rules are listed, %d are declared", len(all), len(names))
	}
	tests := readTests(t)
	seen := map[string]bool{}
	for _, r := range all {
		if seen[r.name] || r.stops == "" || r.all() == "" {
			t.Errorf("rule %q stands twice, or has no clause", r.name)
		}
		seen[r.name] = true
		codes := map[string]bool{}
		for _, o := range r.codes {
			if codes[o.code] || !used[o.code] {
				t.Errorf("%s: code %q stands twice, or is not used", r.name, o.code)
			}
			if o.code != codeOK && len(tests.of(r.name, o.code)) == 0 {
				t.Errorf("%s: no test asks for code %q", r.name, o.code)
			}
			codes[o.code] = true
		}
	}
}

// Every note that this package makes by itself is in docs/verification.md.
func TestDocsListEveryNote(t *testing.T) {
	b, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	made := regexp.MustCompile(`(?:note\(|Note\{)"([a-z-]+)"`)
	found := 0
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range made.FindAllSubmatch(source, -1) {
			found++
			if !strings.Contains(string(b), "`"+string(m[1])+"`") {
				t.Errorf("%s: note %s is not in %s", name, m[1], docsFile)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d notes were found", found)
	}
}
