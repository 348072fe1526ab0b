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

// An enquiry is what the evidence of a signature is worth, and what the books say of the sealing.
type enquiry struct {
	proved
	finding *finding
	books   answers
}

// enquire judges the evidence and asks the books, ahead of the checks that lean on a proven time: when the books had the very value that
// stands in the document, it existed, as if what is around it were stamped then. An entry by itself is no such proof, being older than
// what was signed.
func (c *signatureCase) enquire(sums sign.Sums) (e enquiry) {
	u := c.use(sums)
	e.proved, e.finding = c.ledger(u)
	if e.use != nil && e.entry != nil {
		c.entryTime = e.use.Time
	}
	s := u.sealing(e.proved)
	s.Value = sign.SM3.Sum(c.raw)
	e.books = c.books(s)
	if t := e.books.state.Entered; !t.IsZero() && !t.After(c.at.Add(clockSlip)) {
		c.archived = earlier(c.archived, &stamps{by: t, at: t, books: true})
	}
	return e
}

// entry makes the checks that lead out of the document: is it in the ledger, and was it withdrawn since. By now it is known what time
// is proven.
func (c *signatureCase) entry(e enquiry) {
	f := e.finding
	if e.use != nil {
		if late := c.inTime(e.use.Time); late != nil {
			f = late
		} else if e.offline != nil {
			f = e.books.reconciled(e.offline)
		} else if e.books.state.Fault != "" {
			f = found("entry-refused", e.entry.Head.Origin, e.entry.Index, e.books.state.Fault)
		}
	}
	c.add(ledgerRule.check(f.code, f.args...))
	code, args := e.books.withdrawn(c.at)
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
		if a.state, a.err = j.opts.Sealings.Sealing(j.ctx, s); a.err != nil {
			a.state = seal.SealingState{}
		}
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
