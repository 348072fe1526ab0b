package verify

import (
	"context"
	"maps"
	"time"

	"github.com/courtseal/courtseal/sign"
)

var withdrawnRule = &rule{
	name:   "withdrawn",
	clause: "电子印章管理办法（国办发〔2025〕33号）",
	stops:  "a sealed document, in any copy, after the court declared it withdrawn",
	codes: []outcome{
		{codeOK, Valid, "此签章未被撤回", "the sealing is not withdrawn"},
		{"no-sealings", NotAsked, "未提供签章撤回信息来源", "no source of withdrawn sealings was given"},
		{"sealing-unknown", Indeterminate, "无法得知签章是否已被撤回：%[1]s", "whether the sealing is withdrawn cannot be known: %[1]s"},
		{"withdrawn-since", Valid, "此签章其后于 %[1]s 被撤回：%[2]s", "the sealing was withdrawn later, at %[1]s: %[2]s"},
		{"withdrawn", Invalid, "此签章已于 %[1]s 被撤回：%[2]s", "the sealing was withdrawn at %[1]s: %[2]s"},
	},
}

// A SealingSource tells what became of a sealing, by the books of a registry. It may be asked concurrently. An error means
// that it cannot tell; the zero SealingState is the answer about a sealing of which the books know nothing bad.
type SealingSource interface {
	Sealing(ctx context.Context, s Sealing) (SealingState, error)
}

// A Sealing is one signature in one document, by what every copy of it has.
type Sealing struct {
	Seal    string    // esID; empty: no seal
	Content sign.Sums // of what is signed: computed from the file, and, with good evidence, what the entry has beside that
	Source  sign.Sums // of the file before it was sealed, as the entry of good evidence says; nil: there is none
	Entry   *Entry    // of good evidence; nil: there is none
}

// A SealingState is what the books say of a sealing.
type SealingState struct {
	Withdrawn time.Time // since when the sealed document is declared withdrawn; zero: it is not
	Reason    string    // why
}

// entry makes the checks that lead outside the document: is it in the ledger, and was it withdrawn.
func (c *signatureCase) entry(sums sign.Sums) {
	u := c.use(sums)
	s := Sealing{Content: sums}
	if u.seal != nil {
		s.Seal = u.seal.ID
	}
	if e := c.ledger(u); e != nil {
		s.Entry, s.Source = c.sig.Entry, e.Source
		s.Content = maps.Clone(e.Content)
		maps.Copy(s.Content, sums)
	}
	c.withdrawn(s)
}

func (j *judge) withdrawn(s Sealing) {
	if j.opts.Sealings == nil {
		j.add(withdrawnRule.check("no-sealings"))
		return
	}
	state, err := j.opts.Sealings.Sealing(j.ctx, s)
	code, args := codeOK, []any{clock(state.Withdrawn), state.Reason}
	switch {
	case err != nil:
		code, args = "sealing-unknown", []any{err.Error()}
	case state.Withdrawn.IsZero():
	case state.Withdrawn.After(j.at):
		code = "withdrawn-since"
	default:
		code = "withdrawn"
	}
	j.add(withdrawnRule.check(code, args...))
}
