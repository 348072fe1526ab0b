package verify

import "fmt"

// A Verdict is the answer to one question, or to all of them.
type Verdict int

const (
	// Indeterminate: something that is needed for an answer was not given or cannot be known. The zero value.
	Indeterminate Verdict = iota
	// Invalid: something is wrong. No further information can make it right.
	Invalid
	// Valid: what was asked holds.
	Valid
	// NotAsked is for single checks: the question does not arise, or nobody asked it. It lowers nothing.
	NotAsked
)

var verdictWords = [...]struct{ code, zh string }{
	Indeterminate: {"indeterminate", "无法确定"},
	Invalid:       {"invalid", "无效"},
	Valid:         {"valid", "有效"},
	NotAsked:      {"not-asked", "未验证"},
}

// String is the word used in JSON: valid, invalid, indeterminate, not-asked.
func (v Verdict) String() string {
	if v < 0 || int(v) >= len(verdictWords) {
		return fmt.Sprintf("verdict(%d)", int(v))
	}
	return verdictWords[v].code
}

// Text is the verdict for people.
func (v Verdict) Text() Text {
	if v < 0 || int(v) >= len(verdictWords) {
		return Text{v.String(), v.String()}
	}
	return Text{verdictWords[v].zh, verdictWords[v].code}
}

// MarshalText writes the word.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the word.
func (v *Verdict) UnmarshalText(b []byte) error {
	for i, w := range verdictWords {
		if w.code == string(b) {
			*v = Verdict(i)
			return nil
		}
	}
	return fmt.Errorf("verify: %q is not a verdict", b)
}

// worse returns the worse of two verdicts: Invalid, then Indeterminate, then Valid; NotAsked lowers nothing.
func worse(a, b Verdict) Verdict {
	rank := [...]int{Invalid: 0, Indeterminate: 1, Valid: 2, NotAsked: 3}
	if rank[b] < rank[a] {
		return b
	}
	return a
}

// worst is the verdict of a signature over its checks. Where nothing could be asked at all, nothing is known.
func worst(checks []Check) Verdict {
	v := NotAsked
	for _, c := range checks {
		v = worse(v, c.Verdict)
	}
	if v == NotAsked {
		return Indeterminate
	}
	return v
}
