package audit

import (
	"fmt"
	"slices"
	"strings"
)

const (
	policyHeader = "courtseal.ledger-policy/v1\n"
	maxPolicy    = 16 << 10
	maxKeys      = 16
)

// A Policy says which ledger has the uses of a seal. The maker of the seal puts it into the seal's extDatas, under the identifier
// sign.AttributePolicy, and so signs it. Without it, whoever holds the key can seal with other software and leave no entry.
type Policy struct {
	// Required: a signature without good evidence of one of these logs is not valid. Else the evidence is checked where there is some.
	Required bool
	Keys     []Verifier // of the logs; the origin of a log is the name of its key. 1 to 16
}

// Extension writes the policy: the octets of extnValue.
func (p Policy) Extension() ([]byte, error) {
	b := []byte(policyHeader + "entry optional\n")
	if p.Required {
		b = []byte(policyHeader + "entry required\n")
	}
	for _, k := range p.Keys {
		b = append(b, "key "+k.String()+"\n"...)
	}
	if _, err := ParsePolicy(b); err != nil {
		return nil, err
	}
	return b, nil
}

// ParsePolicy reads a policy. What it reads, Extension writes byte for byte.
func ParsePolicy(b []byte) (Policy, error) {
	if len(b) > maxPolicy {
		return Policy{}, fmt.Errorf("%w: a ledger policy of %d bytes; %d are the most", ErrTooLarge, len(b), maxPolicy)
	}
	body, ok := strings.CutPrefix(string(b), policyHeader)
	if !ok {
		return Policy{}, fmt.Errorf("%w: a ledger policy does not begin with the line %q", ErrFormat, policyHeader[:len(policyHeader)-1])
	}
	line, body, _ := strings.Cut(body, "\n")
	if line != "entry required" && line != "entry optional" {
		return Policy{}, fmt.Errorf("%w: a ledger policy does not say \"entry required\" or \"entry optional\"", ErrFormat)
	}
	p := Policy{Required: line == "entry required"}
	for line := range strings.Lines(body) {
		vkey, ok := strings.CutPrefix(line, "key ")
		vkey, ok2 := strings.CutSuffix(vkey, "\n")
		if !ok || !ok2 {
			return Policy{}, fmt.Errorf("%w: %.80q in a ledger policy is not \"key\" and a key", ErrFormat, line)
		}
		if len(p.Keys) == maxKeys {
			return Policy{}, fmt.Errorf("%w: a ledger policy with more than %d keys", ErrTooLarge, maxKeys)
		}
		k, err := ParseVerifier(vkey)
		if err != nil {
			return Policy{}, err
		}
		if slices.ContainsFunc(p.Keys, func(o Verifier) bool { return o.String() == vkey }) {
			return Policy{}, fmt.Errorf("%w: key %.80q stands twice in a ledger policy", ErrFormat, k.Name())
		}
		p.Keys = append(p.Keys, k)
	}
	if len(p.Keys) == 0 {
		return Policy{}, fmt.Errorf("%w: a ledger policy without keys", ErrFormat)
	}
	return p, nil
}
