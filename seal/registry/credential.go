package registry

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/courtseal/courtseal/sign"
)

var credentialTables = []table{
	{"credential", `owner TEXT PRIMARY KEY, salt BYTES NOT NULL, hash BYTES NOT NULL`, nil},
}

var credentialRules = []Rule{
	{Kind: "credential.set", Roles: Roles, make: func() Op { return new(SetCredential) }},
	{Kind: "credential.withdraw", Roles: []Role{Administrator}, make: func() Op { return new(WithdrawCredential) }},
}

const (
	secretSize = 32 // random octets of a secret: nobody guesses it, so its hash need not be slow
	saltSize   = 16
)

// NewCredential makes a new secret of a person or application, 43 characters from random (crypto/rand.Reader), and the
// operation that enters it. The secret is for its owner alone: the operation has a salted hash of it.
func NewCredential(random io.Reader, owner Actor) (secret string, op *SetCredential, err error) {
	b := make([]byte, secretSize+saltSize)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", nil, err
	}
	secret = base64.RawURLEncoding.EncodeToString(b[:secretSize])
	op = &SetCredential{Owner: owner.String(), Salt: b[secretSize:]}
	op.Hash = hashSecret(op.Owner, op.Salt, secret)
	return secret, op, nil
}

func hashSecret(owner string, salt []byte, secret string) []byte {
	return sign.SM3.Sum(fmt.Appendf(nil, "courtseal.credential/v1\n%s\n%x\n%s\n", owner, salt, secret))
}

// SetCredential enters the credential of a person or application, in the place of the one before. An administrator does
// it who may give the person their roles; anybody may for themselves. Make it with NewCredential: no other secret is taken.
type SetCredential struct {
	Owner string // as Actor.String has it: "person:ID" or "app:ID"
	Salt  []byte
	Hash  []byte
}

func (*SetCredential) Kind() string                      { return "credential.set" }
func (op *SetCredential) place(s *state) (string, error) { return s.ownerOrg(op.Owner) }
func (op *SetCredential) check(s *state) error {
	if len(op.Salt) != saltSize || len(op.Hash) != sign.SM3.Size() {
		return fmt.Errorf("%w: a salt of %d and a hash of %d octets; NewCredential makes %d and %d",
			ErrOp, len(op.Salt), len(op.Hash), saltSize, sign.SM3.Size())
	}
	if op.Owner == Person(s.actor.Person).String() {
		return nil
	}
	org, err := s.ownerOrg(op.Owner)
	if err != nil {
		return err
	}
	above, err := s.holds(s.actor.Person, org, []Role{Administrator})
	if err == nil && !above {
		return fmt.Errorf("%w: %s may set no credential but their own", ErrRights, s.actor)
	}
	if err != nil {
		return err
	}
	return s.answersForOwner(op.Owner)
}
func (op *SetCredential) apply(s *state) error {
	return s.exec(`INSERT INTO @credential VALUES ($1, $2, $3) ON CONFLICT (owner) DO UPDATE SET salt = $2, hash = $3`, op.Owner, op.Salt, op.Hash)
}

// answersForOwner asks that the actor may give the owner of a credential their roles; an application has none.
func (s *state) answersForOwner(owner string) error {
	a, err := parseActor(owner)
	if err != nil || a.Person == "" {
		return err
	}
	return s.answersFor(a.Person)
}

// ownerOrg is the organisation of a person or application that is named as Actor.String does.
func (s *state) ownerOrg(owner string) (string, error) {
	a, err := parseActor(owner)
	switch {
	case err != nil:
		return "", err
	case a.String() != owner || (a.Person == "") == (a.App == ""):
		return "", fmt.Errorf("%w: owner %q is neither a person nor an application", ErrOp, owner)
	case a.App != "":
		return s.appOrg(a.App)
	}
	return s.orgOf(a.Person)
}

// WithdrawCredential ends the credential of a person or application: nobody is let in with it from then on.
type WithdrawCredential struct {
	Owner  string // as Actor.String has it
	Reason string
}

func (*WithdrawCredential) Kind() string                      { return "credential.withdraw" }
func (op *WithdrawCredential) place(s *state) (string, error) { return s.ownerOrg(op.Owner) }
func (op *WithdrawCredential) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	if err := s.answersForOwner(op.Owner); err != nil {
		return err
	}
	there, err := s.exists(`SELECT 1 FROM @credential WHERE owner = $1`, op.Owner)
	if err == nil && !there {
		return fmt.Errorf("%w: credential of %s", ErrUnknown, op.Owner)
	}
	return err
}
func (op *WithdrawCredential) apply(s *state) error {
	return s.change("credential of "+op.Owner, `DELETE FROM @credential WHERE owner = $1`, op.Owner)
}

// Authenticate is the actor whose secret it is. id is "person:ID" or "app:ID". That there is no such actor, that it has no
// credential and that the secret is another are one error, ErrRights, after the same time; a person who is disabled, or an
// application that is switched off, is told so once the secret is right.
func (r *Registry) Authenticate(ctx context.Context, id, secret string) (Actor, error) {
	salt, hash := make([]byte, saltSize), make([]byte, sign.SM3.Size())
	known := 1
	var barred error
	actor, err := parseActor(id)
	if err != nil || actor.String() != id || !idForm.MatchString(actor.Person+actor.App) {
		id = "nobody" // what is no ID does not reach the database
	}
	err = r.read(ctx, func(s *state) error {
		err := s.get("credential", []any{&salt, &hash}, `SELECT salt, hash FROM @credential WHERE owner = $1`, id)
		if errors.Is(err, ErrUnknown) {
			known, err = 0, nil
		}
		if err == nil {
			barred, err = s.barred(id)
		}
		return err
	})
	if err != nil {
		return Actor{}, err
	}
	if known&subtle.ConstantTimeCompare(hashSecret(id, salt, secret), hash) != 1 {
		return Actor{}, fmt.Errorf("%w: no such credential", ErrRights)
	}
	if barred != nil {
		return Actor{}, barred
	}
	return actor, nil
}

// barred says why an actor that has a credential may do nothing now. It asks both tables, whatever the actor is.
func (s *state) barred(id string) (barred, err error) {
	a, _ := parseActor(id)
	disabled, err := s.exists(`SELECT 1 FROM @person WHERE id = $1 AND disabled <> 0`, a.Person)
	if err != nil {
		return nil, err
	}
	off, err := s.exists(`SELECT 1 FROM @app WHERE id = $1 AND state <> 'on'`, a.App)
	switch {
	case disabled:
		barred = fmt.Errorf("%w: %s is disabled", ErrRights, id)
	case off:
		barred = fmt.Errorf("%w: %s is switched off", ErrRights, id)
	}
	return barred, err
}
