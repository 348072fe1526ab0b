package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/seal"
)

// A rule is one thing that is checked: its name, the clause that asks for it, and every answer it can give. Rules stand
// in the files that apply them; rules.go lists them all, and a test holds docs/verification.md to that list.
type rule struct {
	name   string
	clause string  // where no standard of seals asks
	seals  clauses // of the standard that the seal follows
	makers clauses // of the same, about the maker's certificate; nil: seals
	stops  string  // what it stops, for docs/verification.md
	codes  []outcome
}

// clauses are those of the standards of seals, by their generation.
type clauses map[seal.Version]string

// all names every clause that a rule is asked by, oldest first.
func (r *rule) all() string {
	var out []string
	for _, v := range []seal.Version{seal.V1, seal.V4, seal.V5} {
		for _, c := range []string{r.makers[v], r.seals[v]} {
			if c != "" && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	if r.clause != "" {
		out = append(out, r.clause)
	}
	return strings.Join(out, "; ")
}

// under is the rule as the standard of a generation of seals asks it; 0: no seal is judged.
func (r *rule) under(v seal.Version) *rule {
	c := *r
	if s := r.seals[v]; s != "" {
		c.clause = s
	}
	return &c
}

// An outcome is one answer of a rule. The texts are formats for the arguments of rule.check, the same for both.
type outcome struct {
	code    string
	verdict Verdict
	zh, en  string
}

const codeOK = "ok"

// check makes the answer with a code of the rule's.
func (r *rule) check(code string, args ...any) Check {
	for _, o := range r.codes {
		if o.code == code {
			clause := r.clause
			if clause == "" {
				clause = r.all()
			}
			return Check{r.name, o.verdict, code, Text{fill(o.zh, args), fill(o.en, args)}, clause}
		}
	}
	// A code that the table lacks is a mistake in this package, which TestCodesAreInTheTable looks for; it may not pass.
	return Check{r.name, Invalid, code, Text{code, code}, r.clause}
}

// of is the rule for one of several roles: the certificate rules are asked of signer, inner signer, maker and authority.
func (r *rule) of(role role) *rule {
	c := *r
	c.name = string(role) + "-" + r.name
	if role == makerRole && r.makers != nil {
		c.seals = r.makers
	}
	return &c
}

// A role says whose certificate is judged.
type role string

const (
	signerRole role = "signer" // of the CMS, or of the SES_Signature where there is no CMS
	innerRole  role = "inner"  // of the SES_Signature inside a CMS (dual)
	makerRole  role = "maker"  // of the seal
	tsaRole    role = "tsa"    // of a time stamp
	sealRole   role = "seal"   // nobody's certificate: the time stamp of a seal
)

// fill puts the arguments into a text of the table. Formats name them by number, so that a translation may leave one out.
func fill(format string, args []any) string {
	if !strings.Contains(format, "%") {
		return format
	}
	return fmt.Sprintf(format, args...)
}
