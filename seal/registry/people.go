package registry

import (
	"fmt"
	"slices"
)

var peopleTables = []table{
	{"org", `id TEXT PRIMARY KEY, name TEXT NOT NULL, tier TEXT NOT NULL, parent TEXT NOT NULL`, []string{"parent"}},
	{"person", `id TEXT PRIMARY KEY, name TEXT NOT NULL, org TEXT NOT NULL, disabled BIGINT NOT NULL`, nil},
	{"role", `person TEXT NOT NULL, org TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY (person, org, role)`, nil},
	// ruling is which organisation's administrator stopped or limited what; those below it do not lift that.
	{"ruling", `what TEXT PRIMARY KEY, org TEXT NOT NULL`, nil},
}

var peopleRules = []Rule{
	{Kind: "found", make: func() Op { return new(Found) }},
	{Kind: "org.add", Roles: []Role{Administrator}, make: func() Op { return new(AddOrg) }},
	{Kind: "person.add", Roles: []Role{Administrator}, make: func() Op { return new(AddPerson) }},
	{Kind: "person.disable", Roles: []Role{Administrator}, make: func() Op { return new(DisablePerson) }},
	{Kind: "person.enable", Roles: []Role{Administrator}, make: func() Op { return new(EnablePerson) }},
	{Kind: "role.give", Roles: []Role{Administrator}, make: func() Op { return new(GiveRole) }},
	{Kind: "role.take", Roles: []Role{Administrator}, make: func() Op { return new(TakeRole) }},
}

// A Tier is the level of an organisation.
type Tier string

const (
	Province     Tier = "province"     // 高级人民法院
	Intermediate Tier = "intermediate" // 中级人民法院
	Basic        Tier = "basic"        // 基层人民法院
)

// below reports whether an organisation of the tier may stand under one of parent.
func (t Tier) below(parent Tier) bool {
	return t == Intermediate && parent == Province || t == Basic && (parent == Intermediate || parent == Province)
}

// Found enters the root of the organisations and its first administrator. It is the first entry, and there once.
type Found struct {
	Org, OrgName string
	Person       string
	PersonName   Name
}

func (*Found) Kind() string                    { return "found" }
func (op *Found) place(*state) (string, error) { return op.Org, nil }
func (op *Found) check(*state) error           { return nil } // Create enters it; Do has no role for it
func (op *Found) apply(s *state) error {
	if err := need("org-name", op.OrgName); err != nil {
		return err
	}
	for field, id := range map[string]string{"org": op.Org, "person": op.Person} {
		if err := checkID(field, id); err != nil {
			return err
		}
	}
	if err := s.exec(`INSERT INTO @org VALUES ($1, $2, $3, '')`, op.Org, op.OrgName, string(Province)); err != nil {
		return err
	}
	if err := s.exec(`INSERT INTO @person VALUES ($1, $2, $3, 0)`, op.Person, string(op.PersonName), op.Org); err != nil {
		return err
	}
	return s.exec(`INSERT INTO @role VALUES ($1, $2, $3)`, op.Person, op.Org, string(Administrator))
}

// AddOrg enters a court below another.
type AddOrg struct {
	ID, Name string
	Tier     Tier
	Parent   string
}

func (*AddOrg) Kind() string                    { return "org.add" }
func (op *AddOrg) place(*state) (string, error) { return op.Parent, need("parent", op.Parent) }
func (op *AddOrg) check(s *state) error {
	if err := checkID("id", op.ID); err != nil {
		return err
	}
	if err := need("name", op.Name); err != nil {
		return err
	}
	var parent Tier
	if err := s.get("organisation "+op.Parent, []any{&parent}, `SELECT tier FROM @org WHERE id = $1`, op.Parent); err != nil {
		return err
	}
	if !op.Tier.below(parent) {
		return fmt.Errorf("%w: tier %q is not below %q", ErrOp, op.Tier, parent)
	}
	return s.absent("organisation "+op.ID, `SELECT 1 FROM @org WHERE id = $1`, op.ID)
}
func (op *AddOrg) apply(s *state) error {
	return s.exec(`INSERT INTO @org VALUES ($1, $2, $3, $4)`, op.ID, op.Name, string(op.Tier), op.Parent)
}

// AddPerson enters a person of an organisation.
type AddPerson struct {
	ID   string
	Name Name
	Org  string
}

func (*AddPerson) Kind() string                    { return "person.add" }
func (op *AddPerson) place(*state) (string, error) { return op.Org, need("org", op.Org) }
func (op *AddPerson) check(s *state) error {
	if err := checkID("id", op.ID); err != nil {
		return err
	}
	if err := need("name", string(op.Name)); err != nil {
		return err
	}
	return s.absent("person "+op.ID, `SELECT 1 FROM @person WHERE id = $1`, op.ID)
}
func (op *AddPerson) apply(s *state) error {
	return s.exec(`INSERT INTO @person VALUES ($1, $2, $3, 0)`, op.ID, string(op.Name), op.Org)
}

// orgOf is the organisation of a person.
func (s *state) orgOf(person string) (org string, err error) {
	err = s.get("person "+person, []any{&org}, `SELECT org FROM @person WHERE id = $1`, person)
	return org, err
}

// DisablePerson takes all rights of a person, until EnablePerson. Seals that the person holds are not touched, but
// cannot be used by them.
type DisablePerson struct{ Person, Reason string }

func (*DisablePerson) Kind() string                      { return "person.disable" }
func (op *DisablePerson) place(s *state) (string, error) { return s.orgOf(op.Person) }
func (op *DisablePerson) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	if err := s.answersFor(op.Person); err != nil {
		return err
	}
	disabled, err := s.disabled(op.Person)
	if err != nil {
		return err
	}
	if disabled {
		return fmt.Errorf("%w: %s is disabled", ErrState, op.Person)
	}
	return s.notLast(op.Person)
}
func (op *DisablePerson) apply(s *state) error {
	where, err := s.orgOf(op.Person)
	if err != nil {
		return err
	}
	if err := s.rule("person "+op.Person, where); err != nil {
		return err
	}
	return s.change("person "+op.Person, `UPDATE @person SET disabled = 1 WHERE id = $1`, op.Person)
}

func (s *state) disabled(person string) (bool, error) {
	return s.exists(`SELECT 1 FROM @person WHERE id = $1 AND disabled <> 0`, person)
}

// EnablePerson gives a disabled person their rights again. Who administers below those who took them does not.
type EnablePerson struct{ Person, Reason string }

func (*EnablePerson) Kind() string                      { return "person.enable" }
func (op *EnablePerson) place(s *state) (string, error) { return s.orgOf(op.Person) }
func (op *EnablePerson) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	disabled, err := s.disabled(op.Person)
	if err != nil {
		return err
	}
	if !disabled {
		return fmt.Errorf("%w: %s is not disabled", ErrState, op.Person)
	}
	if err := s.answersFor(op.Person); err != nil {
		return err
	}
	return s.mayLift("person " + op.Person)
}
func (op *EnablePerson) apply(s *state) error {
	if err := s.lift("person " + op.Person); err != nil {
		return err
	}
	return s.change("person "+op.Person, `UPDATE @person SET disabled = 0 WHERE id = $1`, op.Person)
}

// GiveRole gives a person a role at an organisation. Roles that exclude each other are refused, wherever held. Keepers and
// clerks are a court's own; roles that reach down are given and taken by administrators of the root alone, so that no court makes
// itself its approvers and its auditors.
type GiveRole struct {
	Person string
	Role   Role
	Org    string
}

func (*GiveRole) Kind() string                    { return "role.give" }
func (op *GiveRole) place(*state) (string, error) { return op.Org, need("org", op.Org) }
func (op *GiveRole) check(s *state) error {
	if !op.Role.known() {
		return fmt.Errorf("%w: role %q", ErrOp, op.Role)
	}
	if err := s.mayAssign(op.Role); err != nil {
		return err
	}
	if _, err := s.orgOf(op.Person); err != nil {
		return err
	}
	var roles []held
	err := s.each(`SELECT org, role FROM @role WHERE person = $1`, []any{op.Person}, func(scan func(...any) error) error {
		var h held
		err := scan(&h.org, &h.role)
		roles = append(roles, h)
		return err
	})
	for _, h := range roles {
		if h.role.excludes(op.Role) {
			return fmt.Errorf("%w: %s is %s at %s, and nobody is %s as well", ErrRights, op.Person, h.role, h.org, op.Role)
		}
		if h == (held{op.Org, op.Role}) {
			return fmt.Errorf("%w: %s is %s at %s", ErrExists, op.Person, h.role, h.org)
		}
	}
	return err
}
func (op *GiveRole) apply(s *state) error {
	return s.exec(`INSERT INTO @role VALUES ($1, $2, $3)`, op.Person, op.Org, string(op.Role))
}

// mayAssign asks that the actor may give and take a role.
func (s *state) mayAssign(r Role) error {
	if !r.reaches() {
		return nil
	}
	root, err := s.root()
	if err != nil {
		return err
	}
	held, err := s.holds(s.actor.Person, root, []Role{Administrator})
	if err == nil && !held {
		err = fmt.Errorf("%w: the role of %s is given and taken by administrators of %s", ErrRights, r, root)
	}
	return err
}

// TakeRole takes a role from a person. The last administrator of the root stays.
type TakeRole struct {
	Person string
	Role   Role
	Org    string
	Reason string
}

func (*TakeRole) Kind() string                    { return "role.take" }
func (op *TakeRole) place(*state) (string, error) { return op.Org, need("org", op.Org) }
func (op *TakeRole) check(s *state) error {
	if err := s.mayAssign(op.Role); err != nil {
		return err
	}
	there, err := s.exists(`SELECT 1 FROM @role WHERE person = $1 AND org = $2 AND role = $3`, op.Person, op.Org, string(op.Role))
	if err != nil {
		return err
	}
	if !there {
		return fmt.Errorf("%w: %s is not %s at %s", ErrUnknown, op.Person, op.Role, op.Org)
	}
	root, err := s.root()
	if err != nil || op.Role != Administrator || op.Org != root {
		return err
	}
	return s.notLast(op.Person)
}

// notLast asks that the root has an administrator besides a person, or that they are none of its.
func (s *state) notLast(person string) error {
	root, err := s.root()
	if err != nil {
		return err
	}
	is, err := s.exists(`SELECT 1 FROM @role WHERE person = $1 AND org = $2 AND role = $3`, person, root, string(Administrator))
	if err != nil || !is {
		return err
	}
	others, err := s.exists(`SELECT 1 FROM @role r JOIN @person p ON p.id = r.person
		WHERE r.org = $1 AND r.role = $2 AND r.person <> $3 AND p.disabled = 0`, root, string(Administrator), person)
	if err == nil && !others {
		return fmt.Errorf("%w: %s is the last administrator of %s", ErrState, person, root)
	}
	return err
}
func (op *TakeRole) apply(s *state) error {
	return s.change("role", `DELETE FROM @role WHERE person = $1 AND org = $2 AND role = $3`, op.Person, op.Org, string(op.Role))
}

// answersFor asks that the actor administers wherever a person has a role, and the root where that reaches down: who gives the role
// says who it is that has it, and with which key and credential.
func (s *state) answersFor(person string) error {
	root, err := s.root()
	if err != nil {
		return err
	}
	var roles []held
	if err := s.each(`SELECT org, role FROM @role WHERE person = $1`, []any{person}, func(scan func(...any) error) error {
		var h held
		err := scan(&h.org, &h.role)
		roles = append(roles, h)
		return err
	}); err != nil {
		return err
	}
	for _, h := range roles {
		where := h.org
		if h.role.reaches() {
			where = root
		}
		held, err := s.holds(s.actor.Person, where, []Role{Administrator})
		if err != nil {
			return err
		}
		if !held {
			return fmt.Errorf("%w: %s is %s at %s, which is for administrators of %s", ErrRights, person, h.role, h.org, where)
		}
	}
	return nil
}

// rule enters that the actor stopped or limited what, as an administrator of the highest organisation, from where up, that they are
// one of.
func (s *state) rule(what, where string) error {
	own, err := s.rolesOf(s.actor.Person)
	if err != nil {
		return err
	}
	by := where
	for org := where; org != ""; {
		if slices.Contains(own, held{org, Administrator}) {
			by = org
		}
		if err := s.get("organisation "+org, []any{&org}, `SELECT parent FROM @org WHERE id = $1`, org); err != nil {
			return err
		}
	}
	return s.exec(`INSERT INTO @ruling VALUES ($1, $2) ON CONFLICT (what) DO UPDATE SET org = $2`, what, by)
}

// mayLift asks that the actor is an administrator of the organisation that stopped or limited what, or above it.
func (s *state) mayLift(what string) error {
	by, err := s.strings(`SELECT org FROM @ruling WHERE what = $1`, what)
	if err != nil || len(by) == 0 {
		return err
	}
	held, err := s.holds(s.actor.Person, by[0], []Role{Administrator})
	if err == nil && !held {
		err = fmt.Errorf("%w: for %s administrators of %s have decided", ErrRights, what, by[0])
	}
	return err
}

func (s *state) lift(what string) error { return s.exec(`DELETE FROM @ruling WHERE what = $1`, what) }
