package registry_test

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/seal/registry"
)

// rightsFields are fields that name things of the world of testdata/rights.inc, by the name of the field.
var rightsFields = map[string]string{
	"org": "jc", "parent": "zy", "court": "jc", "seal": "S1", "person": "shujiyuan", "application": "open", "device": "key-1",
	"app": "tdh", "grant": "g-1", "delegation": "d-1", "owner": "person:shujiyuan", "holder": "baoguan", "request": "r-1",
}

// rightsOf are fields that differ for a kind of operation.
var rightsOf = map[string]string{"offline.withdraw grant": "off-1", "offline.reconcile grant": "off-1", "offline.end grant": "off-1"}

// Every role against every operation: testdata/rights.txt is the whole table, and the books keep to it. A role counts at the place of
// the operation and, if it reaches down, above it; elsewhere it never does.
func TestRights(t *testing.T) {
	b := newBook(t)
	run(t, b, "testdata/rights.inc")
	rightsFields["digest"] = registry.CertDigest(b.key("baoguan-key").Chain()[0])
	rightsFields["entry"] = strconv.FormatUint(b.size()-1, 10) // of the suspension
	data, err := os.ReadFile("testdata/rights.txt")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][]string{}
	var columns []string
	for line := range strings.Lines(string(data)) {
		w := strings.Fields(line)
		switch {
		case len(w) == 0 || w[0] == "#":
		case columns == nil:
			columns = w
		default:
			if len(w) != len(columns) {
				t.Fatalf("rights.txt: %q has %d columns, not %d", line, len(w), len(columns))
			}
			table[w[0]] = w
		}
	}
	for _, rule := range registry.Rules() {
		row := table[rule.Kind]
		if row == nil {
			t.Errorf("rights.txt does not have %s", rule.Kind)
			continue
		}
		delete(table, rule.Kind)
		op := rightsOp(t, rule.Kind)
		for i, column := range columns[1:] {
			role, where, _ := strings.Cut(column, "@")
			want := row[i+1] == "yes"
			actor := registry.Person(role + "-" + where)
			if role == "app" {
				actor = registry.App(where)
			}
			err := b.Authorised(t.Context(), actor, op)
			if want != (err == nil) || err != nil && !errors.Is(err, registry.ErrRights) {
				t.Errorf("%s by %s: %v; the table says %s", rule.Kind, column, err, row[i+1])
			}
		}
	}
	for kind := range table {
		t.Errorf("rights.txt has %s, which is no operation", kind)
	}
	for _, role := range registry.Roles {
		if !slices.ContainsFunc(columns, func(c string) bool { return strings.HasPrefix(c, string(role)+"@") }) {
			t.Errorf("rights.txt has no column of %s", role)
		}
	}
}

// rightsOp is an operation of a kind on the things of the world.
func rightsOp(t *testing.T, kind string) registry.Op {
	t.Helper()
	fields := map[string]string{}
	for name, value := range rightsFields {
		if v, ok := rightsOf[kind+" "+name]; ok {
			value = v
		}
		if _, err := registry.Parse(kind, map[string]string{name: value}); err == nil {
			fields[name] = value
		}
	}
	op, err := registry.Parse(kind, fields)
	if err != nil {
		t.Fatal(err)
	}
	return op
}
