package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/sign"
)

// Use is the use of a request.
func (r *Registry) Use(ctx context.Context, request string) (u UseInfo, err error) {
	err = r.read(ctx, func(s *state) error {
		u, err = s.use(request)
		return err
	})
	return u, err
}

// UseAt is the use that an entry is of: the first of it, a later attempt, its outcome or its withdrawal.
func (r *Registry) UseAt(ctx context.Context, entry uint64) (u UseInfo, err error) {
	err = r.read(ctx, func(s *state) error {
		u, err = s.useOf(entry)
		return err
	})
	return u, err
}

func (s *state) useOf(entry uint64) (UseInfo, error) {
	leaf, err := s.leafAt(entry)
	if err != nil {
		return UseInfo{}, err
	}
	request := leaf.Fields["request"]
	if request == "" {
		return UseInfo{}, fmt.Errorf("%w: entry %d is %s, and of no use", ErrUnknown, entry, leaf.Kind)
	}
	return s.use(request)
}

// leafAt is an entry of the ledger.
func (s *state) leafAt(entry uint64) (audit.Leaf, error) {
	e, err := s.tx.Entry(s.ctx, entry)
	if err != nil {
		return audit.Leaf{}, orUnknown(err)
	}
	return audit.ParseLeaf(e.Leaf)
}

// Proof proves an entry, of a use for example, in the newest checkpoint of the ledger.
func (r *Registry) Proof(ctx context.Context, entry uint64) (audit.Receipt, error) {
	receipt, err := r.log.Receipt(ctx, entry)
	return receipt, orUnknown(err)
}

// orUnknown says of an entry that is not there that it is unknown. Any other error is a failure, and no answer.
func orUnknown(err error) error {
	if errors.Is(err, ledger.ErrNoEntry) {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	return err
}

// A Filter chooses uses. What is zero chooses all.
type Filter struct {
	Court, Seal, Person, App, Kind, Grant string
	From, To                              time.Time // of the first entry; To is not among them
	State                                 UseState
	Withdrawn                             bool      // those alone
	Source, Content                       sign.Sums // of a document
	After                                 uint64    // uses whose first entry is after this one: the last of the page before
	Limit                                 int       // of a page; 0: 100; at most 1000
}

// where is the filter as a condition.
func (f Filter) where() (string, []any) {
	conditions, args := []string{"1 = 1"}, []any{}
	add := func(condition string, value any) {
		args = append(args, value)
		conditions = append(conditions, fmt.Sprintf("%s $%d", condition, len(args)))
	}
	for _, c := range []struct{ condition, value string }{
		{"org =", f.Court}, {"seal =", f.Seal}, {"person =", f.Person}, {"app =", f.App}, {"kind =", f.Kind}, {"grant_id =", f.Grant},
		{"state =", string(f.State)}, {"source =", digestOf(f.Source)}, {"content =", digestOf(f.Content)},
	} {
		if c.value != "" {
			add(c.condition, c.value)
		}
	}
	if !f.From.IsZero() {
		add("at >=", millis(f.From))
	}
	if !f.To.IsZero() {
		add("at <", millis(f.To))
	}
	if f.Withdrawn {
		conditions = append(conditions, "withdrawn >= 0")
	}
	if f.After > 0 {
		add("entry >", int64(f.After))
	}
	return strings.Join(conditions, " AND "), args
}

// Uses are those that a filter chooses, the oldest first, a page of them.
func (r *Registry) Uses(ctx context.Context, f Filter) (list []UseInfo, err error) {
	where, args := f.where()
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	err = r.read(ctx, func(s *state) error {
		list, err = s.usesWhere(fmt.Sprintf("%s ORDER BY entry LIMIT %d", where, min(limit, 1000)), args...)
		return err
	})
	return list, err
}
