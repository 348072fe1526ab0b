package verify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
)

// proofs are the tests of this package with the strings that each of them, and the tables and helpers it uses, ask for.
type proofs struct {
	names []string
	asks  map[string]map[string]int // by test, how far away from it the string stands
}

// readTests reads the sources of the tests.
func readTests(t *testing.T) *proofs {
	t.Helper()
	var files []string
	for _, dir := range []string{".", "../internal/opc", "../internal/opcsig"} { // whose codes the report passes on
		more, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil || len(more) == 0 {
			t.Fatal(err, dir)
		}
		files = append(files, more...)
	}
	literals, uses, codes := map[string][]string{}, map[string][]string{}, namedCodes(t)
	note := func(name string, n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && len(s) < 200 {
					literals[name] = append(literals[name], s)
					for _, word := range strings.Fields(s) { // "check/code seal", "check:code", and several of them
						if i := strings.IndexAny(word, "/:"); i > 0 {
							literals[name] = append(literals[name], word[:i]+"/"+word[i+1:])
						}
					}
				}
			case *ast.Ident:
				if code := codes[n.Name]; code != "" {
					literals[name] = append(literals[name], code)
				}
				uses[name] = append(uses[name], name[:strings.IndexByte(name, '.')+1]+n.Name)
			}
			return true
		})
	}
	p := &proofs{asks: map[string]map[string]int{}}
	for _, f := range files {
		if f == "docs_test.go" || f == "proofs_test.go" {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		in := ""
		if dir := filepath.Dir(f); dir != "." {
			in = filepath.Base(dir) + "."
		}
		for _, d := range tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				note(in+d.Name.Name, d)
				if strings.HasPrefix(d.Name.Name, "Test") {
					p.names = append(p.names, in+d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if v, ok := s.(*ast.ValueSpec); ok {
						note(in+v.Names[0].Name, v)
					}
				}
			}
		}
	}
	slices.Sort(p.names)
	for _, name := range p.names {
		p.asks[name] = map[string]int{}
		far := map[string]int{name: 0}
		for queue := []string{name}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			for _, s := range literals[at] {
				if d, ok := p.asks[name][s]; !ok || far[at] < d {
					p.asks[name][s] = far[at]
				}
			}
			for _, u := range uses[at] {
				if _, met := far[u]; !met && literals[u] != nil {
					far[u] = far[at] + 1
					queue = append(queue, u)
				}
			}
		}
	}
	return p
}

// namedCodes are the codes that other packages of ours give, by the names of their constants, which tests use.
func namedCodes(t *testing.T) map[string]string {
	t.Helper()
	codes := map[string]string{}
	for file, all := range map[string][]string{"../internal/opc/opc.go": opc.Codes, "../internal/opcsig/finding.go": opcsig.Codes} {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Values) == 1 {
				if l, ok := v.Values[0].(*ast.BasicLit); ok {
					if s, err := strconv.Unquote(l.Value); err == nil && slices.Contains(all, s) {
						codes[v.Names[0].Name] = s
					}
				}
			}
			return true
		})
		for _, code := range all {
			if !slices.ContainsFunc(slices.Collect(maps.Values(codes)), func(s string) bool { return s == code }) {
				t.Errorf("%s has no constant for %q", file, code)
			}
		}
	}
	return codes
}

// of names the tests that ask for a code of a rule, two at most: where the code stands alone, those that name the rule too come first.
func (p *proofs) of(rule, code string) []string {
	if code == codeOK {
		return nil
	}
	type found struct {
		name string
		far  int
	}
	var all []found
	for _, name := range p.names {
		asks := p.asks[name]
		best := -1
		for s, far := range asks {
			if whole, ok := strings.CutSuffix(s, "/"+code); ok && (whole == rule || strings.HasSuffix(whole, "-"+rule)) && (best < 0 || far < best) {
				best = far
			}
		}
		if far, ok := asks[code]; ok && best < 0 {
			best = far + 10
			for s := range asks {
				if s == rule || strings.HasSuffix(s, "-"+rule) {
					best = far
				}
			}
		}
		if best >= 0 {
			all = append(all, found{name, best})
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return a.far - b.far })
	var out []string
	for _, f := range all[:min(len(all), 2)] {
		out = append(out, "`"+f.name+"`")
	}
	return out
}
