package registry

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var useRules = []Rule{
	{Kind: "sealing.withdraw", Roles: []Role{Keeper, Approver}, Apps: true, make: func() Op { return new(WithdrawSealing) }},
	{Kind: "sealing.restore", Roles: []Role{Approver}, make: func() Op { return new(RestoreSealing) }},
}

// WithdrawSealing (撤回用印) declares a sealed document withdrawn, in all its copies: verifiers that ask are told. It takes the holder
// of the seal, an approver of its organisation or above it, or the application that the use was of.
type WithdrawSealing struct {
	Request string
	Reason  string
}

func (*WithdrawSealing) Kind() string { return "sealing.withdraw" }
func (op *WithdrawSealing) place(s *state) (string, error) {
	u, err := s.use(op.Request)
	if err != nil {
		return "", err
	}
	return s.sealOrg(u.Seal)
}
func (op *WithdrawSealing) check(s *state) error {
	u, err := s.use(op.Request)
	if err != nil {
		return err
	}
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	if err := s.mayWithdraw(u); err != nil {
		return err
	}
	if u.State == Failed || !u.Withdrawn.IsZero() {
		return fmt.Errorf("%w: the use of request %s has failed or is withdrawn already", ErrState, u.Request)
	}
	return nil
}

func (s *state) mayWithdraw(u UseInfo) error {
	if s.actor.Person == "" {
		if u.App != s.actor.App {
			return fmt.Errorf("%w: request %s is not one of %s", ErrRights, u.Request, s.actor)
		}
		return nil
	}
	r, err := s.seal(u.Seal)
	if err != nil || r.Holder == s.actor.Person {
		return err
	}
	ok, err := s.holds(s.actor.Person, r.Org, []Role{Approver})
	if err == nil && !ok {
		return fmt.Errorf("%w: %s neither holds seal %s nor approves at %s", ErrRights, s.actor, r.ID, r.Org)
	}
	return err
}

func (op *WithdrawSealing) apply(s *state) error {
	return s.change("request "+op.Request, `UPDATE @use SET withdrawn = $2, withdrawn_at = $3, reason = $4 WHERE request = $1`,
		op.Request, int64(s.index), millis(s.time), op.Reason)
}

// RestoreSealing takes back a withdrawal that was a mistake.
type RestoreSealing struct {
	Request string
	Reason  string
}

func (*RestoreSealing) Kind() string { return "sealing.restore" }
func (op *RestoreSealing) place(s *state) (string, error) {
	return (&WithdrawSealing{Request: op.Request}).place(s)
}
func (op *RestoreSealing) check(s *state) error {
	u, err := s.use(op.Request)
	if err == nil && u.Withdrawn.IsZero() {
		return fmt.Errorf("%w: the use of request %s is not withdrawn", ErrState, u.Request)
	}
	if err != nil {
		return err
	}
	return need("reason", op.Reason)
}
func (op *RestoreSealing) apply(s *state) error {
	return s.change("request "+op.Request, `UPDATE @use SET withdrawn = -1, withdrawn_at = 0, reason = '' WHERE request = $1`, op.Request)
}

// Sealing says what became of a sealing, and makes a Registry a verify.SealingSource: every copy of a withdrawn document is
// told, by its content. A sealing that the books do not know by entry or content, of a file whose other sealings with
// this seal are all withdrawn, is withdrawn with them.
//
// Entered is the time of the entry of an outcome that names the very value asked about: of a use that was made offline, the one with
// which its device gave account. A use that failed or came to no end has no value, however old its entry is. Fault of a sealing that
// names its entry says that no value came of that: its attempt failed, or another took its place, so that whatever there is of it was
// withheld.
func (r *Registry) Sealing(ctx context.Context, x seal.Sealing) (answer seal.SealingState, err error) {
	err = r.read(ctx, func(s *state) error {
		if x.Grant != "" {
			if err := s.reconciled(x, &answer); err != nil {
				return err
			}
		}
		list, err := s.sealings(x, &answer)
		if err != nil || len(list) == 0 {
			return err
		}
		last := list[len(list)-1]
		answer.Withdrawn, answer.Reason = last.Withdrawn, last.Reason
		for _, u := range list {
			if err := s.entered(u, x.Value, &answer); err != nil {
				return err
			}
		}
		return nil
	})
	return answer, err
}

// entered takes into an answer when a value was entered, if the use is the one it is of.
func (s *state) entered(u UseInfo, value []byte, answer *seal.SealingState) error {
	if u.State != Done || len(value) == 0 || !slices.Contains(u.Values, hex.EncodeToString(value)) {
		return nil
	}
	leaf, err := s.leafAt(u.Outcome) // its own time: Ended of a use that was made offline is by the clock of the device
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339Nano, leaf.Fields["time"])
	if err == nil && (answer.Entered.IsZero() || at.Before(answer.Entered)) {
		answer.Entered = at.UTC()
	}
	return err
}

// sealings are the uses that a sealing may be, the one that tells most last.
func (s *state) sealings(x seal.Sealing, answer *seal.SealingState) ([]UseInfo, error) {
	if x.Log == s.tx.Origin() {
		u, err := s.useOf(x.Index)
		switch {
		case errors.Is(err, ErrUnknown):
		case err != nil:
			return nil, err
		default:
			if u.Last != x.Index {
				answer.Fault = "another attempt took its place"
			} else if u.State == Failed {
				answer.Fault = "it failed, and no value came of it"
			}
			return []UseInfo{u}, nil
		}
	}
	list, err := s.usesOf("content", x.Seal, x.Content)
	if err != nil || len(list) > 0 {
		return list, err
	}
	if list, err = s.usesOf("source", x.Seal, x.Source); err != nil || !slices.ContainsFunc(list, func(u UseInfo) bool { return u.Withdrawn.IsZero() }) {
		return list, err
	}
	return nil, nil
}

// usesOf are the uses, not failed, of a seal for a content or source, those that are withdrawn last.
func (s *state) usesOf(column, seal string, sums sign.Sums) (list []UseInfo, err error) {
	for h := range sums {
		digest := digestOf(sign.Sums{h: sums[h]})
		if digest == "" {
			continue
		}
		some, err := s.usesWhere(column+` = $1 AND seal = $2 AND state <> 'failed' ORDER BY withdrawn`, digest, seal)
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}
