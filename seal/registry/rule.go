package registry

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// An Op is an operation on the books: one struct for each kind, all in this package. What it does, who may do it and
// where stands in [Rules].
type Op interface {
	// Kind is the kind of its entry, such as "seal.suspend".
	Kind() string
	// place is the organisation where the actor needs the right.
	place(*state) (string, error)
	// check says whether the state of things allows it, and fills in what the entry must name and the caller need not.
	check(*state) error
	// apply writes the effects. It sees what the entry says, and the tables, and nothing else.
	apply(*state) error
}

// A Rule says who may do operations of a kind.
type Rule struct {
	Kind   string
	ZH, EN string // what people call it
	Roles  []Role // of a person at the organisation concerned, or above it where the role reaches down; none: the system alone
	Apps   bool   // an application may too, where it is switched on and has the seal
	// Central: the role must be held at the root, or an organisation must have been delegated the right, within its budget.
	Central bool
	make    func() Op
}

// Rules are the rights: each kind of operation, and who may do it. What else an operation asks, such as being the
// keeper of this very seal, stands with its type.
func Rules() []Rule {
	list := slices.Clone(rules)
	for i := range list {
		list[i].ZH, list[i].EN = titles[list[i].Kind][0], titles[list[i].Kind][1]
	}
	return list
}

// New returns an empty operation of a kind, to be filled: from JSON, from a form.
func New(kind string) (Op, error) {
	r, err := ruleFor(kind)
	if err != nil {
		return nil, err
	}
	return r.make(), nil
}

func ruleFor(kind string) (Rule, error) {
	for _, r := range rules {
		if r.Kind == kind {
			return r, nil
		}
	}
	return Rule{}, fmt.Errorf("%w: no operation %q", ErrOp, kind)
}

func ruleOf(op Op) (Rule, error) {
	if op == nil || reflect.ValueOf(op).IsNil() {
		return Rule{}, fmt.Errorf("%w: nil", ErrOp)
	}
	return ruleFor(op.Kind())
}

// clone copies an operation, so that what Do fills in is not seen outside.
func clone(op Op) Op {
	c := reflect.New(reflect.TypeOf(op).Elem())
	c.Elem().Set(reflect.ValueOf(op).Elem())
	return c.Interface().(Op)
}

// authorise asks whether the actor may do op where it is done.
func (s *state) authorise(rule Rule, op Op) error {
	where, err := op.place(s)
	if err != nil {
		return fmt.Errorf("%s: %w", rule.Kind, err)
	}
	if s.actor.App != "" {
		if err := s.appOn(s.actor.App); err != nil || rule.Apps && s.actor.Person == "" {
			return err
		}
	}
	if rule.Central {
		root, err := s.root()
		if err != nil {
			return err
		}
		reaching := slices.DeleteFunc(slices.Clone(rule.Roles), func(r Role) bool { return !r.reaches() })
		if held, err := s.holds(s.actor.Person, root, reaching); err != nil || held {
			return err
		}
		if held, err := s.holds(s.actor.Person, where, rule.Roles); err != nil || !held {
			return s.refuse(rule, where, err)
		}
		return s.delegated(rule.Kind, where, op)
	}
	held, err := s.holds(s.actor.Person, where, rule.Roles)
	if err != nil || !held {
		return s.refuse(rule, where, err)
	}
	return nil
}

func (s *state) refuse(rule Rule, where string, err error) error {
	if err != nil {
		return err
	}
	names := make([]string, len(rule.Roles))
	for i, r := range rule.Roles {
		names[i] = string(r)
	}
	return fmt.Errorf("%w: %s may not do %s at %s; it takes %s", ErrRights, s.actor, rule.Kind, where, strings.Join(names, " or "))
}

// holds reports whether a person has one of the roles at an organisation, or above it where the role reaches down. A
// person who is disabled has none.
func (s *state) holds(person, where string, roles []Role) (bool, error) {
	if person == "" || len(roles) == 0 {
		return false, nil
	}
	own, err := s.rolesOf(person)
	if err != nil || len(own) == 0 {
		return false, err
	}
	for org, here := where, true; org != ""; here = false {
		for _, h := range own {
			if h.org == org && slices.Contains(roles, h.role) && (here || h.role.reaches()) {
				return true, nil
			}
		}
		if err := s.get("organisation "+org, []any{&org}, `SELECT parent FROM @org WHERE id = $1`, org); err != nil {
			return false, err
		}
	}
	return false, nil
}

// held is a role at an organisation.
type held struct {
	org  string
	role Role
}

func (s *state) rolesOf(person string) (list []held, err error) {
	err = s.each(`SELECT r.org, r.role FROM @role r JOIN @person p ON p.id = r.person
		WHERE r.person = $1 AND p.disabled = 0 ORDER BY r.org, r.role`, []any{person}, func(scan func(...any) error) error {
		var h held
		err := scan(&h.org, &h.role)
		list = append(list, h)
		return err
	})
	return list, err
}

// root is the organisation that has none above it.
func (s *state) root() (id string, err error) {
	err = s.get("root organisation", []any{&id}, `SELECT id FROM @org WHERE parent = ''`)
	return id, err
}
