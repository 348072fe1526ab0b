package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

var delegationTables = []table{
	{"delegation", `id TEXT PRIMARY KEY, org TEXT NOT NULL, kinds TEXT NOT NULL, uses BIGINT NOT NULL, changes BIGINT NOT NULL,
		uses_spent BIGINT NOT NULL, changes_spent BIGINT NOT NULL, starts BIGINT NOT NULL, ends BIGINT NOT NULL, state TEXT NOT NULL`, []string{"org"}},
}

var delegationRules = []Rule{
	{Kind: "delegation.give", Roles: []Role{Administrator}, make: func() Op { return new(Delegate) }},
	{Kind: "delegation.withdraw", Roles: []Role{Administrator}, make: func() Op { return new(WithdrawDelegation) }},
}

// Delegate (授权下放) lets an organisation below the root do what Central rules keep to the root, for its own seals and those
// below it, within a budget and a period. There it takes the same roles, at that organisation. Budgets are for what is
// given out: what a withdrawn grant has not used does not come back.
type Delegate struct {
	ID       string
	Org      string
	Kinds    []string // of operations whose rule is Central: "grant.give", "seal.holder"
	Uses     int      // that grants under it may be for, all together
	Changes  int      // how many other operations
	From, To time.Time
	Reason   string
}

func (*Delegate) Kind() string                      { return "delegation.give" }
func (op *Delegate) place(s *state) (string, error) { return s.root() }
func (op *Delegate) check(s *state) error {
	if err := checkID("id", op.ID); err != nil {
		return err
	}
	if err := s.absent("delegation "+op.ID, `SELECT 1 FROM @delegation WHERE id = $1`, op.ID); err != nil {
		return err
	}
	if err := need("org", op.Org, "reason", op.Reason); err != nil {
		return err
	}
	if _, err := s.within(op.Org, ""); err != nil {
		return err
	}
	if root, err := s.root(); err != nil || root == op.Org {
		return orOp(err, "%s is the root, and needs no delegation", op.Org)
	}
	for _, k := range op.Kinds {
		if !slices.ContainsFunc(rules, func(r Rule) bool { return r.Kind == k && r.Central }) {
			return fmt.Errorf("%w: kinds: %q is no operation that is kept to the root", ErrOp, k)
		}
	}
	if len(op.Kinds) == 0 || op.Uses < 0 || op.Changes < 0 || op.Uses+op.Changes == 0 {
		return fmt.Errorf("%w: a delegation has kinds, and a number of uses or changes", ErrOp)
	}
	if !op.To.After(s.time) || !op.To.After(op.From) {
		return fmt.Errorf("%w: a delegation ends, and not before it begins or before now", ErrOp)
	}
	return nil
}

func orOp(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: "+format, append([]any{ErrOp}, args...)...)
}

func (op *Delegate) apply(s *state) error {
	from := op.From
	if from.IsZero() {
		from = s.time
	}
	return s.exec(`INSERT INTO @delegation VALUES ($1, $2, $3, $4, $5, 0, 0, $6, $7, 'on')`, op.ID, op.Org, strings.Join(op.Kinds, " "), op.Uses,
		op.Changes, millis(from), millis(op.To))
}

// WithdrawDelegation ends a delegation at once. What was done under it stands; with Grants, the grants given under it, offline
// ones among them, are withdrawn as well.
type WithdrawDelegation struct {
	Delegation string
	Grants     bool
	Reason     string
}

func (*WithdrawDelegation) Kind() string                      { return "delegation.withdraw" }
func (op *WithdrawDelegation) place(s *state) (string, error) { return s.root() }
func (op *WithdrawDelegation) check(s *state) error {
	d, err := s.delegationRow(op.Delegation)
	if err != nil {
		return err
	}
	if d.State != "on" {
		return fmt.Errorf("%w: delegation %s is %s", ErrState, d.ID, d.State)
	}
	return need("reason", op.Reason)
}
func (op *WithdrawDelegation) apply(s *state) error {
	if err := s.change("delegation "+op.Delegation, `UPDATE @delegation SET state = 'withdrawn' WHERE id = $1`, op.Delegation); err != nil || !op.Grants {
		return err
	}
	if err := s.exec(`UPDATE @grant SET state = 'withdrawn' WHERE delegation = $1`, op.Delegation); err != nil {
		return err
	}
	return s.exec(`UPDATE @offline SET state = 'withdrawn', at = $2 WHERE delegation = $1 AND state = 'issued'`, op.Delegation, millis(s.time))
}

// A Delegation is what the books hold of one.
type Delegation struct {
	ID, Org                 string
	Kinds                   []string
	Uses, Changes           int
	UsesSpent, ChangesSpent int
	From, To                time.Time
	State                   string // "on", "withdrawn"
}

func (s *state) delegations(where string, args ...any) (list []Delegation, err error) {
	err = s.each(`SELECT id, org, kinds, uses, changes, uses_spent, changes_spent, starts, ends, state FROM @delegation WHERE `+where+` ORDER BY id`,
		args, func(scan func(...any) error) error {
			var d Delegation
			var kinds string
			var from, to int64
			err := scan(&d.ID, &d.Org, &kinds, &d.Uses, &d.Changes, &d.UsesSpent, &d.ChangesSpent, &from, &to, &d.State)
			d.Kinds, d.From, d.To = strings.Fields(kinds), fromMillis(from), fromMillis(to)
			list = append(list, d)
			return err
		})
	return list, err
}

func (s *state) delegationRow(id string) (d Delegation, err error) {
	list, err := s.delegations(`id = $1`, id)
	if err == nil && len(list) == 0 {
		return d, fmt.Errorf("%w: delegation %s", ErrUnknown, id)
	}
	if err != nil {
		return d, err
	}
	return list[0], nil
}

// budgeted is an operation that lets a seal be used: it takes as many uses of a delegation. Any other takes one change.
type budgeted interface {
	budget() (uses int, until time.Time)
}

func budgetOf(op Op) (uses, changes int) {
	if b, ok := op.(budgeted); ok {
		uses, _ := b.budget()
		return uses, 0
	}
	return 0, 1
}

// covers asks that an operation is within a delegation.
func (d Delegation) covers(op Op) error {
	uses, changes := budgetOf(op)
	if uses > d.Uses-d.UsesSpent || changes > d.Changes-d.ChangesSpent {
		return fmt.Errorf("%w: delegation %s has %d uses and %d changes left", ErrLimit, d.ID, d.Uses-d.UsesSpent, d.Changes-d.ChangesSpent)
	}
	b, ok := op.(budgeted)
	if !ok {
		return nil
	}
	if uses, until := b.budget(); uses <= 0 || until.IsZero() || until.After(d.To) {
		return fmt.Errorf("%w: what is given under delegation %s says for how many uses, and ends with it at the latest, %s", ErrLimit, d.ID, d.To.Format(time.RFC3339))
	}
	return nil
}

// delegated asks that an operation at an organisation, which the actor may not do by the root's right, is the actor's by a
// delegation, and remembers that for the entry, which spends of its budget. A seal's holder needs none to authorise.
func (s *state) delegated(kind, where string, op Op) error {
	if a, ok := op.(*Authorise); ok {
		if r, err := s.seal(a.Seal); err != nil || r.Holder == s.actor.Person {
			return err
		}
	}
	rule, err := ruleOf(op)
	if err != nil {
		return err
	}
	list, err := s.delegations(`state = 'on' AND starts <= $1 AND ends > $1`, millis(s.time))
	if err != nil {
		return err
	}
	refused := fmt.Errorf("%w: %s is kept to the root, and no delegation in force gives it to %s at %s", ErrRights, kind, s.actor, where)
	for _, d := range list {
		below, err := s.within(where, d.Org)
		if err != nil {
			return err
		}
		if !below || !slices.Contains(d.Kinds, kind) {
			continue
		}
		if held, err := s.holds(s.actor.Person, d.Org, rule.Roles); err != nil {
			return err
		} else if !held {
			continue
		}
		if err := d.covers(op); err != nil {
			refused = err
			continue
		}
		s.delegation = d.ID
		return nil
	}
	return refused
}

// spend takes of a delegation what an operation under it costs.
func (s *state) spend(op Op) error {
	if s.delegation == "" {
		return nil
	}
	uses, changes := budgetOf(op)
	return s.change("delegation "+s.delegation, `UPDATE @delegation SET uses_spent = uses_spent + $2, changes_spent = changes_spent + $3 WHERE id = $1`,
		s.delegation, uses, changes)
}

// Delegation is one by its ID.
func (r *Registry) Delegation(ctx context.Context, id string) (d Delegation, err error) {
	err = r.read(ctx, func(s *state) error {
		d, err = s.delegationRow(id)
		return err
	})
	return d, err
}

// Delegations are those to an organisation; an empty word stands for any.
func (r *Registry) Delegations(ctx context.Context, org string) (list []Delegation, err error) {
	err = r.read(ctx, func(s *state) error {
		list, err = s.delegations(`org = $1 OR $1 = ''`, org)
		return err
	})
	return list, err
}
