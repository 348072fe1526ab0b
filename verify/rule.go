package verify

import (
	"fmt"
	"strings"
)

// A rule is one thing that is checked: its name, the clause that asks for it, and every answer it can give. Rules stand
// in the files that apply them; rules.go lists them all, and a test holds docs/verification.md to that list.
type rule struct {
	name   string
	clause string
	stops  string // what it stops, for docs/verification.md
	codes  []outcome
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
			return Check{r.name, o.verdict, code, Text{fill(o.zh, args), fill(o.en, args)}, r.clause}
		}
	}
	// A code that the table lacks is a mistake in this package, which TestCodesAreInTheTable looks for; it may not pass.
	return Check{r.name, Invalid, code, Text{code, code}, r.clause}
}

// of is the rule for one of several roles: the certificate rules are asked of signer, inner signer and maker.
func (r *rule) of(role role) *rule {
	c := *r
	c.name = string(role) + "-" + r.name
	return &c
}

// A role says whose certificate is judged.
type role string

const (
	signerRole role = "signer" // of the CMS, or of the SES_Signature where there is no CMS
	innerRole  role = "inner"  // of the SES_Signature inside a CMS (dual)
	makerRole  role = "maker"  // of the seal
)

// fill puts the arguments into a text of the table. Formats name them by number, so that a translation may leave one out.
func fill(format string, args []any) string {
	if !strings.Contains(format, "%") {
		return format
	}
	return fmt.Sprintf(format, args...)
}
