package registry_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/seal/registry"
)

var rewrite = flag.Bool("rewrite", false, "write the tables of docs/registry.md anew")

const docsFile = "../../docs/registry.md"

var roleNames = map[registry.Role]string{
	registry.Administrator: "管理员", registry.Maker: "制章人", registry.Approver: "审批人", registry.Keeper: "保管人", registry.Clerk: "书记员", registry.Auditor: "审计员",
}

// rightsTable is the table of rights as docs/registry.md has it.
func rightsTable() string {
	var b strings.Builder
	b.WriteString("| operation | 中文 | English |")
	for _, r := range registry.Roles {
		fmt.Fprintf(&b, " %s |", roleNames[r])
	}
	b.WriteString(" 业务系统 | fields |\n|---|---|---|" + strings.Repeat("---|", len(registry.Roles)+2) + "\n")
	for _, rule := range registry.Rules() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |", rule.Kind, rule.ZH, rule.EN)
		for _, role := range registry.Roles {
			mark := ""
			for _, r := range rule.Roles {
				switch {
				case r != role:
				case rule.Central:
					mark = "◐"
				default:
					mark = "●"
				}
			}
			fmt.Fprintf(&b, " %s |", mark)
		}
		mark := ""
		if rule.Apps {
			mark = "●"
		}
		var fields []string
		for _, f := range rule.Fields() {
			fields = append(fields, "`"+f.Name+"`")
		}
		fmt.Fprintf(&b, " %s | %s |\n", mark, strings.Join(fields, " "))
	}
	return b.String()
}

func TestDocs(t *testing.T) {
	for _, r := range registry.Rules() {
		if r.ZH == "" || r.EN == "" {
			t.Errorf("%s has no title", r.Kind)
		}
	}
	data, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), "<!-- rights -->\n")
	_, tail, ok2 := strings.Cut(rest, "<!-- end -->\n")
	if !ok || !ok2 {
		t.Fatal("docs/registry.md has lost its marks")
	}
	want := head + "<!-- rights -->\n" + rightsTable() + "<!-- end -->\n" + tail
	if *rewrite {
		if err := os.WriteFile(docsFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(data) != want {
		t.Error("docs/registry.md is out of date: go test ./seal/registry -run Docs -rewrite")
	}
}
