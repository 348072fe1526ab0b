package verify

import (
	"context"
	"maps"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/seal"
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
// that it cannot tell; of a sealing that the books do not know they say nothing, the zero SealingState.
type SealingSource interface {
	Sealing(ctx context.Context, s seal.Sealing) (seal.SealingState, error)
}

// entry makes the checks that lead out of the document: is it in the ledger, and was it withdrawn since.
func (c *signatureCase) entry(sums sign.Sums) {
	u := c.use(sums)
	p, f := c.ledger(u)
	books := c.books(u.sealing(p))
	if p.offline != nil {
		f = books.reconciled(p.offline)
	}
	c.add(ledgerRule.check(f.code, f.args...))
	code, args := books.withdrawn(c.at)
	c.add(withdrawnRule.check(code, args...))
}

// sealing is what a source is asked about. What evidence says counts where it is good.
func (u use) sealing(p proved) seal.Sealing {
	s := seal.Sealing{Content: u.sums}
	if u.seal != nil {
		s.Seal = u.seal.ID
	}
	if len(u.sources) > 0 {
		s.Source = u.sources[0] // as this module writes a revision
	}
	if p.use == nil {
		return s
	}
	s.Source, s.Content = p.use.Source, maps.Clone(p.use.Content)
	maps.Copy(s.Content, u.sums)
	if p.offline != nil {
		s.Grant, s.Number = p.offline.Grant.ID, p.offline.Use.Number
	} else {
		s.Log, s.Index = p.entry.Head.Origin, p.entry.Index
	}
	return s
}

// answers are what the source says.
type answers struct {
	asked bool
	state seal.SealingState
	err   error
}

func (j *judge) books(s seal.Sealing) (a answers) {
	if a.asked = j.opts.Sealings != nil; a.asked {
		a.state, a.err = j.opts.Sealings.Sealing(j.ctx, s)
	}
	return a
}

func (a answers) withdrawn(at time.Time) (code string, args []any) {
	switch {
	case !a.asked:
		return "no-sealings", nil
	case a.err != nil:
		return "sealing-unknown", []any{a.err.Error()}
	case a.state.Withdrawn.IsZero():
		return codeOK, nil
	}
	code, args = "withdrawn", []any{clock(a.state.Withdrawn), a.state.Reason}
	if a.state.Withdrawn.Truncate(time.Second).After(at) { // at has whole seconds
		code = "withdrawn-since"
	}
	return code, args
}

// reconciled answers for a use that was made offline under a good grant: the device counted, and the ledger says whether it counted
// right.
func (a answers) reconciled(e *audit.OfflineEvidence) *finding {
	args := []any{e.Grant.ID, e.Use.Number, e.Grant.Uses}
	switch {
	case a.err != nil:
		return found("offline-unknown", append(args, a.err.Error())...)
	case a.state.Fault != "":
		return found("offline-refused", append(args, a.state.Fault)...)
	case a.state.Reconciled.IsZero():
		return found("offline-not-reconciled", args...)
	}
	return found("offline-reconciled", append(args, clock(a.state.Reconciled))...)
}
