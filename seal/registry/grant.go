package registry

import (
	"context"
	"fmt"
	"strings"
	"time"
)

var grantTables = []table{
	{"grant", `id TEXT PRIMARY KEY, seal TEXT NOT NULL, person TEXT NOT NULL, app TEXT NOT NULL, clerks TEXT NOT NULL, limits TEXT NOT NULL,
		starts BIGINT NOT NULL, ends BIGINT NOT NULL, uses BIGINT NOT NULL, used BIGINT NOT NULL, giver TEXT NOT NULL, delegation TEXT NOT NULL,
		state TEXT NOT NULL`, []string{"seal", "delegation"}},
}

var grantRules = []Rule{
	{Kind: "grant.give", Roles: []Role{Keeper, Approver}, Central: true, make: func() Op { return new(Authorise) }},
	{Kind: "grant.withdraw", Roles: []Role{Keeper, Approver, Administrator}, make: func() Op { return new(WithdrawGrant) }},
}

// Authorise (用印授权) lets somebody use a seal who does not hold it: a person, an application, or all clerks of an organisation.
// The seal's holder may give it; and an approver of the root, or one to whom the root delegated it: not who administers, and registers
// applications and persons. Nobody gives it to themself, and nobody who administers or audits can have it: to use a seal takes the
// role of a clerk or keeper.
// A use has to be within the grant's limits and those of the seal (SetControl) as well. A grant stands until it ends or is withdrawn,
// whoever holds the seal by then.
type Authorise struct {
	ID     string
	Seal   string
	Person string // one of these three
	App    string
	Clerks string // organisation
	Limits
	From, To time.Time // zero: from now on; until it is withdrawn
	Uses     int       // in all; 0: any number
	Reason   string
}

func (*Authorise) Kind() string                      { return "grant.give" }
func (op *Authorise) place(s *state) (string, error) { return s.sealOrg(op.Seal) }

// budget is what a grant takes of a delegation.
func (op *Authorise) budget() (uses int, until time.Time) { return op.Uses, op.To }

func (op *Authorise) check(s *state) error {
	if err := checkID("id", op.ID); err != nil {
		return err
	}
	if err := s.absent("grant "+op.ID, `SELECT 1 FROM @grant WHERE id = $1`, op.ID); err != nil {
		return err
	}
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	if err := r.is(unended...); err != nil {
		return err
	}
	if err := s.holderOr(r, Approver); err != nil {
		return err
	}
	if err := op.checkGrantee(s); err != nil {
		return err
	}
	if op.Uses < 0 {
		return fmt.Errorf("%w: uses is %d", ErrOp, op.Uses)
	}
	if !op.To.IsZero() && (!op.To.After(s.time) || !op.To.After(op.From)) {
		return fmt.Errorf("%w: the grant would end before it begins, or before now", ErrOp)
	}
	return op.Limits.check(s)
}

// holderOr asks that the actor holds a seal, or has one of the roles over its organisation.
func (s *state) holderOr(r SealInfo, roles ...Role) error {
	if r.Holder == s.actor.Person {
		return nil
	}
	ok, err := s.holds(s.actor.Person, r.Org, roles)
	if err == nil && !ok {
		return fmt.Errorf("%w: %s neither holds seal %s nor is %s over %s", ErrRights, s.actor, r.ID, roles[0], r.Org)
	}
	return err
}

// checkGrantee asks that one is named, who can use seals.
func (op *Authorise) checkGrantee(s *state) error {
	switch {
	case op.Person != "" && op.App == "" && op.Clerks == "":
		if op.Person == s.actor.Person {
			return fmt.Errorf("%w: %s cannot authorise themself", ErrRights, s.actor)
		}
		if _, err := s.orgOf(op.Person); err != nil {
			return err
		}
		return s.maySeal(op.Person)
	case op.Person == "" && op.App != "" && op.Clerks == "":
		_, err := s.appHas(op.App, op.Seal)
		return err
	case op.Person == "" && op.App == "" && op.Clerks != "":
		_, err := s.within(op.Clerks, "")
		return err
	}
	return fmt.Errorf("%w: a grant names a person, an app, or the organisation whose clerks have it: one of the three", ErrOp)
}

// maySeal asks that a person is a keeper or clerk, somewhere.
func (s *state) maySeal(person string) error {
	roles, err := s.rolesOf(person)
	if err != nil {
		return err
	}
	for _, h := range roles {
		if h.role == Keeper || h.role == Clerk {
			return nil
		}
	}
	return fmt.Errorf("%w: %s is neither a keeper nor a clerk, or disabled", ErrRights, person)
}

func (op *Authorise) apply(s *state) error {
	from := op.From
	if from.IsZero() {
		from = s.time
	}
	return s.exec(`INSERT INTO @grant VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $11, 'on')`, op.ID, op.Seal, op.Person, op.App, op.Clerks,
		op.Limits.text(), millis(from), millis(op.To), op.Uses, s.actor.String(), s.delegation)
}

// WithdrawGrant ends a grant at once, by the holder of its seal, or an approver or administrator of its organisation or above.
type WithdrawGrant struct{ Grant, Reason string }

func (*WithdrawGrant) Kind() string { return "grant.withdraw" }
func (op *WithdrawGrant) place(s *state) (string, error) {
	g, err := s.grant(op.Grant)
	if err != nil {
		return "", err
	}
	return s.sealOrg(g.Seal)
}
func (op *WithdrawGrant) check(s *state) error {
	g, err := s.grant(op.Grant)
	if err != nil {
		return err
	}
	if g.State != "on" {
		return fmt.Errorf("%w: grant %s is %s", ErrState, g.ID, g.State)
	}
	r, err := s.seal(g.Seal)
	if err != nil {
		return err
	}
	if err := s.holderOr(r, Approver, Administrator); err != nil {
		return err
	}
	return need("reason", op.Reason)
}
func (op *WithdrawGrant) apply(s *state) error {
	return s.change("grant "+op.Grant, `UPDATE @grant SET state = 'withdrawn' WHERE id = $1`, op.Grant)
}

// A Grant is what the books hold of an authorisation.
type Grant struct {
	ID, Seal            string
	Person, App, Clerks string // who has it: one of the three
	Limits
	From, To   time.Time // To zero: until withdrawn
	Uses, Used int       // Uses 0: any number
	Giver      string    // an Actor's text
	Delegation string    // that it was given under
	State      string    // "on", "withdrawn"
}

func (s *state) grant(id string) (g Grant, err error) {
	list, err := s.grants(`id = $1`, id)
	if err == nil && len(list) == 0 {
		return g, fmt.Errorf("%w: grant %s", ErrUnknown, id)
	}
	if err != nil {
		return g, err
	}
	return list[0], nil
}

func (s *state) grants(where string, args ...any) (list []Grant, err error) {
	err = s.each(`SELECT id, seal, person, app, clerks, limits, starts, ends, uses, used, giver, delegation, state FROM @grant WHERE `+where+` ORDER BY id`,
		args, func(scan func(...any) error) error {
			var g Grant
			var limits string
			var from, to int64
			if err := scan(&g.ID, &g.Seal, &g.Person, &g.App, &g.Clerks, &limits, &from, &to, &g.Uses, &g.Used, &g.Giver, &g.Delegation, &g.State); err != nil {
				return err
			}
			g.From, g.To = fromMillis(from), fromMillis(to)
			list = append(list, g)
			return list[len(list)-1].Limits.scan(limits)
		})
	return list, err
}

// isFor reports whether an actor has the grant.
func (g Grant) isFor(s *state, by Actor) (bool, error) {
	switch {
	case g.App != "":
		return g.App == by.App, nil
	case g.Person != "":
		return g.Person == by.Person, nil
	}
	return s.holds(by.Person, g.Clerks, []Role{Clerk})
}

// permits asks that a grant lets its owner use the seal now.
func (g Grant) permits(s *state, seal string, w wish) error {
	switch ok, err := g.isFor(s, s.actor); {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("%w: grant %s is not given to %s", ErrRights, g.ID, s.actor)
	case g.Seal != seal:
		return fmt.Errorf("%w: grant %s is for seal %s", ErrRights, g.ID, g.Seal)
	case g.State != "on":
		return fmt.Errorf("%w: grant %s is %s", ErrRights, g.ID, g.State)
	case s.time.Before(g.From) || !g.To.IsZero() && !s.time.Before(g.To):
		return fmt.Errorf("%w: it is not the time of grant %s", ErrLimit, g.ID)
	case g.Uses > 0 && g.Used >= g.Uses && !w.counted:
		return fmt.Errorf("%w: the %d uses of grant %s are used up", ErrLimit, g.Uses, g.ID)
	}
	return s.allow("grant "+g.ID, g.Limits, w)
}

// findGrant is a grant that lets the actor use a seal: the one that is named, or the first that does.
func (s *state) findGrant(id, seal string, w wish) (Grant, error) {
	if id != "" {
		g, err := s.grant(id)
		if err != nil {
			return g, err
		}
		return g, g.permits(s, seal, w)
	}
	list, err := s.grants(`seal = $1 AND state = 'on'`, seal)
	if err != nil {
		return Grant{}, err
	}
	refused := fmt.Errorf("%w: %s does not hold seal %s and has no grant for it", ErrRights, s.actor, seal)
	for _, g := range list {
		mine, err := g.isFor(s, s.actor)
		if err != nil {
			return Grant{}, err
		}
		if !mine {
			continue
		}
		if err = g.permits(s, seal, w); err == nil {
			return g, nil
		}
		refused = err
	}
	return Grant{}, refused
}

// Grant is an authorisation by its ID.
func (r *Registry) Grant(ctx context.Context, id string) (g Grant, err error) {
	err = r.read(ctx, func(s *state) error {
		g, err = s.grant(id)
		return err
	})
	return g, err
}

// Grants are those of a seal, to a person, to an application; an empty word stands for any. Those to all clerks of an
// organisation are given to nobody by name.
func (r *Registry) Grants(ctx context.Context, seal string, to Actor) (list []Grant, err error) {
	where := []string{`(seal = $1 OR $1 = '')`, `(person = $2 OR $2 = '')`, `(app = $3 OR $3 = '')`}
	err = r.read(ctx, func(s *state) error {
		list, err = s.grants(strings.Join(where, " AND "), seal, to.Person, to.App)
		return err
	})
	return list, err
}
