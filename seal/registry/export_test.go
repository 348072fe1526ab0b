package registry

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

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

// FillChanges enters changes of a seal without entries: what a question costs depends on the tables alone.
func (r *Registry) FillChanges(ctx context.Context, id string, n int, from time.Time, step time.Duration) error {
	_, err := r.log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		s := r.state(ctx, tx, system, tables)
		for i := range n {
			s.index = uint64(i)
			to := []SealState{active, suspended}[i%2]
			if err := s.addChange(id, to, "", from.Add(time.Duration(i)*step)); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	if err != nil {
		return fmt.Errorf("%d changes of %s: %w", n, id, err)
	}
	return nil
}

// NamesOf are the fields of an operation that are Names, which Redact must know.
func NamesOf(op Op) (names []string) {
	_ = eachField(op, func(name string, v reflect.Value) error {
		if v.Type() == reflect.TypeFor[Name]() {
			names = append(names, name)
		}
		return nil
	})
	return names
}

// Redactable are the fields that Redact takes out of entries of a kind.
func Redactable(kind string) (names []string) {
	for _, r := range redactables[kind] {
		names = append(names, r.field)
	}
	return names
}

// NameOf is the name of a person.
func (r *Registry) NameOf(ctx context.Context, person string) (name string, err error) {
	err = r.read(ctx, func(s *state) error {
		return s.get("person "+person, []any{&name}, `SELECT name FROM @person WHERE id = $1`, person)
	})
	return name, err
}

// Refusal reports whether an error is the registry's answer, and not a failure.
func Refusal(err error) bool { return refusal(err) }
