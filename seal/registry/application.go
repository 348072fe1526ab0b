package registry

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

// A Purpose of an application.
type Purpose string

const (
	ForSeal   Purpose = "seal"   // a new seal
	ForRemake Purpose = "remake" // 重新制作: a new seal in place of another
	ForRevoke Purpose = "revoke" // 注销
	ForUse    Purpose = "use"    // one use of a seal for one document
)

// Apply files an application. Approvers decide on it with signatures over its digest, which is the hash of its leaf: so
// nobody approves anything but the very words filed.
type Apply struct {
	ID      string
	Purpose Purpose
	Org     string // whose seal it is or will be
	Seal    string // esID: of the seal to make, revoke, use
	Reason  string

	Name     string // of a seal to make
	Type     string // of a seal to make: "court", "department", "contract", "judge", …
	Holder   string // person who is to keep the key of a seal to make
	Replaces string // esID of the seal to be re-made
	Imprint  []byte // SM3 of the imprint's picture, where one was collected

	Document Name   // to be sealed, for people
	Source   string // SM3 of the document, hex: only this file may be sealed, once
}

func (*Apply) Kind() string                    { return "application.file" }
func (op *Apply) place(*state) (string, error) { return op.Org, need("org", op.Org) }
func (op *Apply) check(s *state) error {
	if err := checkID("id", op.ID); err != nil {
		return err
	}
	if err := checkID("seal", op.Seal); err != nil {
		return err
	}
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	if err := s.absent("application "+op.ID, `SELECT 1 FROM @application WHERE id = $1`, op.ID); err != nil {
		return err
	}
	switch op.Purpose {
	case ForSeal, ForRemake:
		return op.checkMake(s)
	case ForRevoke:
		old, err := s.seal(op.Seal)
		if err != nil {
			return err
		}
		return old.isOf(op.Org, made, delivered, active, lost, suspended)
	case ForUse:
		if b, err := hex.DecodeString(op.Source); err != nil || len(b) != sign.SM3.Size() {
			return fmt.Errorf("%w: source is not an SM3 digest in hex", ErrOp)
		}
		used, err := s.seal(op.Seal)
		if err != nil {
			return err
		}
		return used.is(active)
	}
	return fmt.Errorf("%w: purpose %q", ErrOp, op.Purpose)
}

func (op *Apply) checkMake(s *state) error {
	if err := need("name", op.Name, "type", op.Type, "holder", op.Holder); err != nil {
		return err
	}
	if err := s.absent("seal "+op.Seal, `SELECT 1 FROM @seal WHERE id = $1`, op.Seal); err != nil {
		return err
	}
	if err := s.absent("an open application for seal "+op.Seal, `SELECT 1 FROM @application
		WHERE seal = $1 AND purpose IN ('seal', 'remake') AND state IN ('filed', 'approved')`, op.Seal); err != nil {
		return err
	}
	if err := s.mayKeep(op.Holder, op.Org); err != nil {
		return err
	}
	if (op.Purpose == ForRemake) != (op.Replaces != "") {
		return fmt.Errorf("%w: an application to re-make, and none else, names the seal it replaces", ErrOp)
	}
	if op.Replaces == "" {
		return nil
	}
	old, err := s.seal(op.Replaces)
	if err != nil {
		return err
	}
	return old.isOf(op.Org, made, delivered, active, lost, suspended)
}

// mayKeep asks that a person is a keeper of an organisation.
func (s *state) mayKeep(person, org string) error {
	ok, err := s.holds(person, org, []Role{Keeper})
	if err == nil && !ok {
		return fmt.Errorf("%w: %s is no keeper at %s", ErrRights, person, org)
	}
	return err
}

func (op *Apply) apply(s *state) error {
	need, err := s.approvalsFor(op.Purpose)
	if err != nil {
		return err
	}
	return s.exec(`INSERT INTO @application VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'filed')`,
		op.ID, string(op.Purpose), op.Org, op.Seal, s.actor.String(), op.Name, op.Type, op.Holder, op.Replaces, op.Source,
		hex.EncodeToString(s.leaf[:]), need, millis(s.time))
}

// approvalsFor is how many approvers must agree; one where SetApprovals said nothing.
func (s *state) approvalsFor(p Purpose) (n int, err error) {
	err = s.each(`SELECT need FROM @approvals WHERE purpose = $1`, []any{string(p)}, func(scan func(...any) error) error { return scan(&n) })
	return max(n, 1), err
}

// An Application is what the books hold of one.
type Application struct {
	ID        string     `json:"id"`
	Purpose   Purpose    `json:"purpose"`
	Org       string     `json:"org"`
	Seal      string     `json:"seal"`
	Applicant string     `json:"applicant"`      // an Actor's text
	Name      string     `json:"name,omitempty"` // from here on as filed
	Type      string     `json:"type,omitempty"`
	Holder    string     `json:"holder,omitempty"`
	Replaces  string     `json:"replaces,omitempty"`
	Source    string     `json:"source,omitempty"`
	Digest    string     `json:"digest"` // hash of its leaf, hex: what approvers sign, in DecisionText
	Need      int        `json:"need"`   // approvals
	Filed     time.Time  `json:"filed"`
	State     string     `json:"state"` // filed, approved, refused, withdrawn, done
	Decisions []Decision `json:"decisions,omitempty"`
}

// A Decision is an approver's word on an application.
type Decision struct {
	Person  string `json:"person"`
	Approve bool   `json:"approve"`
	Entry   uint64 `json:"entry"` // the index of its entry
}

const applicationColumns = `id, purpose, org, seal, applicant, name, kind, holder, replaces, source, digest, need, at, state`

func (s *state) application(id string) (a Application, err error) {
	list, err := s.applications(`id = $1`, id)
	if err == nil && len(list) == 0 {
		return a, fmt.Errorf("%w: application %s", ErrUnknown, id)
	}
	if err != nil {
		return a, err
	}
	return list[0], nil
}

// applications are those that match a condition, without their decisions.
func (s *state) applications(where string, args ...any) (list []Application, err error) {
	err = s.each(`SELECT `+applicationColumns+` FROM @application WHERE `+where+` ORDER BY at, id`, args, func(scan func(...any) error) error {
		var a Application
		var at int64
		err := scan(&a.ID, &a.Purpose, &a.Org, &a.Seal, &a.Applicant, &a.Name, &a.Type, &a.Holder, &a.Replaces, &a.Source, &a.Digest, &a.Need, &at, &a.State)
		a.Filed = fromMillis(at)
		list = append(list, a)
		return err
	})
	return list, err
}

// is asks that an application is in a state, and for a purpose.
func (a Application) is(state string, purposes ...Purpose) error {
	if a.State != state {
		return fmt.Errorf("%w: application %s is %s, not %s", ErrState, a.ID, a.State, state)
	}
	for _, p := range purposes {
		if a.Purpose == p {
			return nil
		}
	}
	if len(purposes) > 0 {
		return fmt.Errorf("%w: application %s is for %s", ErrState, a.ID, a.Purpose)
	}
	return nil
}

// Decide is an approver's word on an application, signed with a key of their own: see DecisionText. Nobody decides on
// what they filed, on a seal that they are to keep, or twice. The application is approved when as many agree as SetApprovals
// asks for, all of whom are approvers still, and refused when one refuses.
type Decide struct {
	Application string
	Refuse      bool
	Reason      string
	Digest      string // of the application, hex, as it was shown to the approver
	Cert        string // CertDigest of the approver's certificate
	Signature   []byte // over DecisionText
}

// DecisionText is what an approver signs.
func DecisionText(application, digest string, refuse bool) []byte {
	word := "approve"
	if refuse {
		word = "refuse"
	}
	return fmt.Appendf(nil, "courtseal.decision/v1\napplication %s\ndigest %s\n%s\n", application, digest, word)
}

func (*Decide) Kind() string { return "application.decide" }
func (op *Decide) place(s *state) (string, error) {
	a, err := s.application(op.Application)
	return a.Org, err
}
func (op *Decide) check(s *state) error {
	a, err := s.application(op.Application)
	if err != nil {
		return err
	}
	if err := a.is("filed"); err != nil {
		return err
	}
	if a.Digest != op.Digest {
		return fmt.Errorf("%w: the digest of application %s is %s, and the decision is on %s", ErrState, a.ID, a.Digest, op.Digest)
	}
	if applicant, err := parseActor(a.Applicant); err != nil || applicant.Person == s.actor.Person {
		return errors.Join(err, fmt.Errorf("%w: %s filed application %s", ErrRights, s.actor, a.ID))
	}
	if a.Holder == s.actor.Person {
		return fmt.Errorf("%w: %s is to keep the seal of application %s", ErrRights, s.actor, a.ID)
	}
	if op.Refuse && op.Reason == "" {
		return need("reason", op.Reason)
	}
	if err := s.absent(fmt.Sprintf("a decision of %s on %s", s.actor, a.ID),
		`SELECT 1 FROM @decision WHERE application = $1 AND person = $2`, a.ID, s.actor.Person); err != nil {
		return err
	}
	return s.signed(s.actor.Person, op.Cert, DecisionText(a.ID, a.Digest, op.Refuse), op.Signature)
}

// signed asks that a person's certificate, in force, signed text.
func (s *state) signed(person, digest string, text, signature []byte) error {
	der, err := s.certOf(person, digest)
	if err != nil {
		return err
	}
	cert, err := gm.ParseCertificate(der)
	if err != nil {
		return err
	}
	if s.time.Before(cert.NotBefore) || s.time.After(cert.NotAfter) {
		return fmt.Errorf("%w: certificate %s is outside its validity", ErrRights, digest)
	}
	scheme, err := sign.SchemeFor(cert.PublicKey)
	if err != nil {
		return err
	}
	if err := scheme.Verify(cert.PublicKey, text, signature); err != nil {
		return fmt.Errorf("%w: %w", ErrRights, err)
	}
	return nil
}

// certOf is a certificate in force that is a person's.
func (s *state) certOf(person, digest string) (der []byte, err error) {
	var owner string
	var ended int64
	if err := s.get("certificate "+digest, []any{&owner, &ended, &der},
		`SELECT person, ended, der FROM @cert WHERE digest = $1`, digest); err != nil {
		return nil, err
	}
	if owner != person || ended != 0 {
		return nil, fmt.Errorf("%w: certificate %s is not %s's, or no longer", ErrRights, digest, person)
	}
	return der, nil
}

func (op *Decide) apply(s *state) error {
	yes := 1
	if op.Refuse {
		yes = 0
	}
	if err := s.exec(`INSERT INTO @decision VALUES ($1, $2, $3, $4)`, op.Application, s.actor.Person, yes, int64(s.index)); err != nil {
		return err
	}
	if op.Refuse {
		return s.exec(`UPDATE @application SET state = 'refused' WHERE id = $1`, op.Application)
	}
	n, err := s.approving(op.Application)
	if err != nil {
		return err
	}
	return s.exec(`UPDATE @application SET state = 'approved' WHERE id = $1 AND need <= $2`, op.Application, n)
}

// approving is how many have approved an application, and could now: the word of one who is no approver any more is no
// approval.
func (s *state) approving(id string) (n int, err error) {
	a, err := s.application(id)
	if err != nil {
		return 0, err
	}
	people, err := s.strings(`SELECT person FROM @decision WHERE application = $1 AND yes = 1`, id)
	for _, p := range people {
		var still bool
		if still, err = s.holds(p, a.Org, []Role{Approver}); err != nil {
			return 0, err
		}
		if still {
			n++
		}
	}
	return n, err
}

// WithdrawApplication takes back an application that is not yet used up, by who filed it.
type WithdrawApplication struct{ Application, Reason string }

func (*WithdrawApplication) Kind() string { return "application.withdraw" }
func (op *WithdrawApplication) place(s *state) (string, error) {
	a, err := s.application(op.Application)
	return a.Org, err
}
func (op *WithdrawApplication) check(s *state) error {
	a, err := s.application(op.Application)
	if err != nil {
		return err
	}
	if a.Applicant != s.actor.String() {
		return fmt.Errorf("%w: application %s was filed by %s", ErrRights, a.ID, a.Applicant)
	}
	if a.State != "approved" {
		return a.is("filed")
	}
	return nil
}
func (op *WithdrawApplication) apply(s *state) error {
	return s.change("application "+op.Application, `UPDATE @application SET state = 'withdrawn' WHERE id = $1`, op.Application)
}

// SetApprovals says how many approvers must agree to applications of a purpose from now on.
type SetApprovals struct {
	Purpose Purpose
	Need    int // 1 to 9
}

func (*SetApprovals) Kind() string                      { return "approvals.set" }
func (op *SetApprovals) place(s *state) (string, error) { return s.root() }
func (op *SetApprovals) check(*state) error {
	switch op.Purpose {
	case ForSeal, ForRemake, ForRevoke, ForUse:
		if op.Need >= 1 && op.Need <= 9 {
			return nil
		}
	}
	return fmt.Errorf("%w: purpose %q, need %d", ErrOp, op.Purpose, op.Need)
}
func (op *SetApprovals) apply(s *state) error {
	return s.exec(`INSERT INTO @approvals VALUES ($1, $2) ON CONFLICT (purpose) DO UPDATE SET need = $2`, string(op.Purpose), op.Need)
}

// Application is one application with its decisions.
func (r *Registry) Application(ctx context.Context, id string) (a Application, err error) {
	err = r.read(ctx, func(s *state) error {
		if a, err = s.application(id); err != nil {
			return err
		}
		return s.each(`SELECT person, yes, entry FROM @decision WHERE application = $1 ORDER BY entry`, []any{id}, func(scan func(...any) error) error {
			var d Decision
			var entry int64
			err := scan(&d.Person, &d.Approve, &entry)
			d.Entry = uint64(entry)
			a.Decisions = append(a.Decisions, d)
			return err
		})
	})
	return a, err
}

// Applications are those of an organisation in a state, oldest first; an empty word stands for any.
func (r *Registry) Applications(ctx context.Context, org, inState string) (list []Application, err error) {
	err = r.read(ctx, func(s *state) error {
		list, err = s.applications(`(org = $1 OR $1 = '') AND (state = $2 OR $2 = '')`, org, inState)
		return err
	})
	return list, err
}
