package registry

import (
	"fmt"
	"strings"
)

// An Actor does an operation: a person, an application (业务系统), or an application for a person. Who it is has been
// established by the caller; what it may do is the registry's to say.
type Actor struct {
	Person string // ID of a person
	App    string // ID of an application
}

// Person is the Actor of a person.
func Person(id string) Actor { return Actor{Person: id} }

// App is the Actor of an application.
func App(id string) Actor { return Actor{App: id} }

// system enters what founds a registry. No caller can be it: its names are no IDs.
var system = Actor{Person: "*"}

// String is "person:ID", "app:ID", or both with a space between.
func (a Actor) String() string {
	var parts []string
	if a.Person != "" {
		parts = append(parts, "person:"+a.Person)
	}
	if a.App != "" {
		parts = append(parts, "app:"+a.App)
	}
	return strings.Join(parts, " ")
}

func parseActor(text string) (a Actor, err error) {
	for _, part := range strings.Fields(text) {
		if id, ok := strings.CutPrefix(part, "person:"); ok {
			a.Person = id
		} else if id, ok := strings.CutPrefix(part, "app:"); ok {
			a.App = id
		} else {
			return a, fmt.Errorf("%w: actor %q", ErrOp, text)
		}
	}
	return a, nil
}

// A Role is what a person may do at an organisation.
type Role string

const (
	Administrator Role = "administrator" // 管理员: organisations, people, roles, applications, devices
	Maker         Role = "maker"         // 制章人: makes, delivers, re-makes, revokes
	Approver      Role = "approver"      // 审批人: approves with a signature of their own
	Keeper        Role = "keeper"        // 保管人: holds a seal's key and uses it
	Clerk         Role = "clerk"         // 书记员: applies, and uses seals with an authorisation
	Auditor       Role = "auditor"       // 审计员: sees everything, does nothing but change their own credential
)

// Roles are all roles.
var Roles = []Role{Administrator, Maker, Approver, Keeper, Clerk, Auditor}

// reaches reports whether the role at an organisation covers those below it. Seals are kept and used in one's own house.
func (r Role) reaches() bool { return r != Keeper && r != Clerk }

// excludes reports whether nobody may have both roles, wherever: who administers does not seal, who audits does neither,
// and who makes seals does not approve or use them.
func (r Role) excludes(other Role) bool {
	if r == other {
		return false
	}
	one := func(a, b Role) bool { return r == a && other == b || r == b && other == a }
	return r == Auditor || other == Auditor ||
		one(Administrator, Keeper) || one(Administrator, Clerk) || one(Administrator, Maker) || one(Administrator, Approver) ||
		one(Maker, Approver) || one(Maker, Keeper) || one(Maker, Clerk)
}

func (r Role) known() bool {
	for _, k := range Roles {
		if r == k {
			return true
		}
	}
	return false
}
