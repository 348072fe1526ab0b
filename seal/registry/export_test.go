package registry

import (
	"context"
	"errors"

	"github.com/courtseal/courtseal/audit/ledger"
)

// UndoneBy reports whether an operation of a kind can be undone: by Correct, or by an operation of another kind.
func UndoneBy(kind string) (undone bool, by string) {
	op, err := New(kind)
	if err != nil {
		return false, ""
	}
	_, _, err = mistake{op: op}.subject()
	return err == nil || undoneBy[kind] != "", undoneBy[kind]
}

var errUndone = errors.New("undone")

// Authorised asks whether by has the right to do op, and does nothing.
func (r *Registry) Authorised(ctx context.Context, by Actor, op Op) error {
	rule, err := ruleOf(op)
	if err != nil {
		return err
	}
	_, err = r.log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		if err := r.state(ctx, tx, by, tables).authorise(rule, op); err != nil {
			return nil, err
		}
		return nil, errUndone
	})
	if errors.Is(err, errUndone) {
		return nil
	}
	return err
}
