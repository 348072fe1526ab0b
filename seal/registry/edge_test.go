package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/seal/registry"
)

// Whatever a careless clerk types is refused as such, or entered, and the books are what the ledger says: nothing is a failure.
func TestOddValues(t *testing.T) {
	b := court(t)
	b.must(t, "admin", &registry.AddApp{ID: "trial", Name: "审判系统", Org: "jc", Seals: []string{"S1"}})
	before := b.size()
	values := map[string][]string{
		"text":   {"", " ", "\x00", "\xff", "a\nb", "\u202ea", "' OR 1=1 --", "@seal", "$1", strings.Repeat("长", 9000), strings.Repeat("x", 70000), "..", "*"},
		"number": {"-1", "0", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e3", "٣"},
		"time": {"0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-03-02T09:00:00.0001+14:00",
			"0000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59"},
		"yes-no": {"yes", "no", "YES"},
		"list":   {"", "a a", "a\u00a0b", "mon", "00:00-24:00", "23:00-01:00", "24:00-24:00", strings.Repeat("a ", 5000), "\x00"},
		"octets": {"", "AA==", "!", strings.Repeat("QUFB", 20000)},
	}
	known := map[string]string{"org": "jc", "parent": "zy", "seal": "S1", "person": "shujiyuan", "app": "trial", "device": "key-1", "owner": "person:shujiyuan",
		"reason": "r", "to": "2026-09-01T00:00:00Z", "uses": "1", "changes": "1", "kinds": "grant.give", "id": "new", "name": "n", "tier": "basic", "type": "software-key",
		"purpose": "use", "need": "1", "expires": "2026-09-01T00:00:00Z", "since": "2026-03-01T00:00:00Z"}
	actors := []string{"admin", "shenpi1", "zhizhang", "baoguan", "shujiyuan"}
	for _, rule := range registry.Rules() {
		for _, f := range rule.Fields() {
			for _, v := range values[f.Type] {
				fields := map[string]string{}
				for _, o := range rule.Fields() {
					if k := known[o.Name]; k != "" && (o.Name != "kinds" || rule.Kind == "delegation.give") {
						fields[o.Name] = k
					}
				}
				if rule.Kind == "grant.give" {
					delete(fields, "app")
				}
				fields[f.Name] = v
				op, err := registry.Parse(rule.Kind, fields)
				if err == nil {
					for _, by := range actors {
						if _, err = b.Do(context.Background(), registry.Person(by), op); !errors.Is(err, registry.ErrRights) {
							break
						}
					}
				}
				if err != nil && !registry.Refusal(err) {
					t.Errorf("%s %s=%.40q: %v", rule.Kind, f.Name, v, err)
				}
			}
		}
	}
	if n := b.size() - before; n < 20 {
		t.Errorf("%d were entered; the fields are too poor to test anything", n)
	} else {
		t.Logf("%d were entered", n)
	}
	b.mustCompare(t)
	if err := b.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	b.mustCompare(t)
}
