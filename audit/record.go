package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/courtseal/courtseal/sign"
)

// A Permit is a Recorder's answer to Begin: go on.
type Permit struct {
	Evidence []byte // that the act is entered; bound into the values, and never empty where something is to be signed
	// Values, not nil: the act was done before. They are the answer, and nothing is signed again.
	Values []sign.Value
}

// A Recorder enters acts in a ledger, and says which may be done. It is safe for concurrent use, and keeps no reference to the Act.
//
// A Recorder whose evidence may be longer than MaxEvidence has a method MaxEvidence() int as well.
type Recorder interface {
	// Begin is called before anything is signed. When it returns a Permit, the intent is durable. An error refuses the act.
	Begin(ctx context.Context, act *sign.Act, p sign.Profile) (Permit, error)
	// End is called once after each Begin whose Permit let something be signed, with the act that was signed, its Evidence among it,
	// and the values or the error. ctx is not cancelled with the act. When End fails, the values are not given out.
	End(ctx context.Context, act *sign.Act, values []sign.Value, err error) error
}

// MaxEvidence is the room in bytes that Record reserves in a value for evidence, unless the Recorder says how much it needs: an
// entry of 2 KiB, the proof in a log of a thousand million, and a checkpoint with four signatures.
const MaxEvidence = 6 << 10

// MaxActAge is how far the time that an act claims may be from that of its entry. Verifiers let five minutes pass; a Recorder is a bit
// stricter, so that nothing it lets through is refused later.
const MaxActAge = 4 * time.Minute

// CheckActTime asks, for a Recorder, that an act claims the time at which it is entered: ErrActTime. An act that waited for somebody is
// prepared anew when they are there.
func CheckActTime(act *sign.Act, entered time.Time) error {
	const form = "2006-01-02T15:04:05Z"
	if off := act.Time.Sub(entered); off.Abs() > MaxActAge {
		return fmt.Errorf("%w: act %.80q claims %s, and it is entered at %s; prepare it again, and ask the same clock", ErrActTime,
			act.ID, act.Time.UTC().Format(form), entered.UTC().Format(form))
	}
	return nil
}

// Record returns a Signer that signs nothing without an entry: it lets r begin, signs a copy of the act that has r's evidence, lets
// r end, and gives the values out only then. Its Profile is that of s with room for the evidence. It is safe for concurrent use
// when r and s are.
//
// An act that has evidence already, no evidence or evidence too long for the room, and values that do not fit the parts are
// ErrAct.
func Record(r Recorder, s sign.Signer) sign.Signer { return &recorded{r, s} }

type recorded struct {
	r Recorder
	s sign.Signer
}

func (s *recorded) maxEvidence() int {
	if m, ok := s.r.(interface{ MaxEvidence() int }); ok && m.MaxEvidence() > 0 {
		return m.MaxEvidence()
	}
	return MaxEvidence
}

// Profile implements sign.Signer.
func (s *recorded) Profile() sign.Profile {
	p := s.s.Profile()
	p.Specs = maps.Clone(p.Specs)
	for f, spec := range p.Specs {
		spec.MaxSize += f.EvidenceSize(s.maxEvidence())
		p.Specs[f] = spec
	}
	return p
}

// Sign implements sign.Signer.
func (s *recorded) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	if len(act.Evidence) > 0 {
		return nil, fmt.Errorf("%w: it has evidence already; one ledger records an act", ErrAct)
	}
	permit, err := s.r.Begin(ctx, act, s.s.Profile())
	if err != nil {
		return nil, err
	}
	if permit.Values != nil {
		if len(permit.Values) != len(act.Parts) {
			return nil, fmt.Errorf("%w: it was done before with %d values, and now wants %d", ErrAct, len(permit.Values), len(act.Parts))
		}
		return permit.Values, nil
	}
	entered := *act
	entered.Evidence = permit.Evidence
	values, err := []sign.Value(nil), fmt.Errorf("%w: the signer did not return", ErrAct)
	returned := false
	defer func() {
		if !returned { // it panics: who recovers may ask again, and the Recorder must not wait for this one
			_ = s.r.End(context.WithoutCancel(ctx), &entered, nil, err)
		}
	}()
	values, err = s.sign(ctx, &entered)
	returned = true
	if end := s.r.End(context.WithoutCancel(ctx), &entered, values, err); end != nil && err == nil {
		return nil, fmt.Errorf("audit: the act is signed and could not be recorded; its values are withheld: %w", end)
	} else if end != nil {
		return nil, fmt.Errorf("%w (and that could not be recorded: %w)", err, end)
	}
	if err != nil {
		return nil, err
	}
	return values, nil
}

func (s *recorded) sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	n, room := len(act.Evidence), s.maxEvidence()
	switch {
	case n == 0:
		return nil, fmt.Errorf("%w: the Recorder began it and gave no evidence", ErrAct)
	case n > room:
		return nil, fmt.Errorf("%w: evidence of %d bytes, and room for %d; the Recorder's MaxEvidence says how much it needs", ErrAct, n, room)
	}
	if slices.ContainsFunc(act.Parts, func(p sign.Part) bool { return p.Format == sign.XML }) {
		var err error
		if act.Reference, err = Reference(act.Evidence); err != nil {
			return nil, fmt.Errorf("%w: the Recorder's evidence: %w", ErrAct, err)
		}
	}
	values, err := s.s.Sign(ctx, act)
	if err == nil && len(values) != len(act.Parts) {
		return nil, fmt.Errorf("%w: the signer made %d values for %d parts", ErrAct, len(values), len(act.Parts))
	}
	return values, err
}
