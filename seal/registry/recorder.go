package registry

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

// A Use says what the acts of a Recorder are.
type Use struct {
	Kind        string // of document (文书种类): "judgment", "ruling", …; empty: not said, which limits by kind refuse
	Court       string // organisation in whose matter it is; empty: the seal's
	Grant       string // that allows it; empty: the holder needs none, for others the first that does
	Application string // that was approved for this one document; empty: none
}

// ErrRepeated: the request was done before; see RepeatedError.
var ErrRepeated = errors.New("registry: this request was done before")

// A RepeatedError tells of a request that was done before, where the values of then are no answer to it: what was to be
// signed then was laid out otherwise, or the values are no longer kept. Answer with the document that was stored when it was
// done, or ask under another request.
type RepeatedError struct{ Use UseInfo }

func (e *RepeatedError) Error() string {
	return fmt.Sprintf("%v: %s, in entry %d, at %s", ErrRepeated, e.Use.Request, e.Use.Entry, e.Use.Time.Format(time.RFC3339))
}

// Unwrap is ErrRepeated.
func (e *RepeatedError) Unwrap() error { return ErrRepeated }

// Recorder enters the uses of seals by an actor. Its Begin refuses, with the errors of Registry.Do, what is not the actor's
// right, a seal that is not active, a key that is not its holder's, in force and on its device, and what is outside the
// limits of the seal (SetControl), of the grant (Authorise) or of the application; and with audit.ErrActTime an act that was prepared at
// another time.
//
// An act with the ID of an earlier one, for the same document and seal by the same actor, is that act: it counts once. If it was
// done, the values are those of then; where the content to be signed differs, it is a *RepeatedError. If it came to no
// end, it is done now, and only the newest attempt can end. If it failed, it counted against no limit, and now it does. Any
// other act with an ID that is there is ErrExists.
func (r *Registry) Recorder(by Actor, u Use) audit.Recorder { return &recorder{r, by, u} }

type recorder struct {
	r   *Registry
	by  Actor
	use Use
}

// Begin implements audit.Recorder.
func (c *recorder) Begin(ctx context.Context, act *sign.Act, p sign.Profile) (audit.Permit, error) {
	if err := c.checkAct(act, p); err != nil {
		return audit.Permit{}, err
	}
	var done []sign.Value
	receipts, err := c.r.log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) (entries []ledger.Entry, err error) {
		done = nil
		s := c.r.state(ctx, tx, c.by, tables)
		if err := s.mayAct(); err != nil {
			return nil, err
		}
		earlier, err := s.use(act.ID)
		switch {
		case errors.Is(err, ErrUnknown):
			return c.begin(s, act, p, nil)
		case err != nil:
			return nil, err
		}
		if err := c.same(earlier, act, p); err != nil {
			return nil, err
		}
		if earlier.State != Done {
			return c.begin(s, act, p, &earlier)
		}
		done, err = s.answer(earlier, act)
		return nil, err
	})
	switch {
	case err != nil:
		return audit.Permit{}, err
	case done != nil:
		return audit.Permit{Values: done}, nil
	}
	return audit.Permit{Evidence: receipts[0].Evidence()}, nil
}

// claimed is the field of the leaf of a use with the time that the act claims: what is signed says it, too.
const claimed = "claimed"

// checkAct holds an act to what an entry can say, and asks that every key is named that will sign.
func (c *recorder) checkAct(act *sign.Act, p sign.Profile) error {
	if err := checkID("request", act.ID); err != nil {
		return err
	}
	if c.use.Kind != "" {
		if err := checkID("kind", c.use.Kind); err != nil {
			return err
		}
	}
	if p.Seal == "" {
		return fmt.Errorf("%w: the signer has no seal", ErrOp)
	}
	if digestOf(act.Source) == "" || digestOf(act.Content) == "" || len(act.Parts) == 0 {
		return fmt.Errorf("%w: an act has a source, a content and parts", ErrOp)
	}
	for _, part := range act.Parts {
		formats := []sign.Format{part.Format}
		if part.Format == sign.Dual {
			formats = append(formats, sign.SES)
		}
		for _, f := range formats {
			if len(p.Specs[f].Chain) == 0 {
				return fmt.Errorf("%w: the signer does not say whose key signs %q", ErrOp, f)
			}
		}
	}
	return nil
}

// mayAct asks that the actor is a person who may seal, an application that is switched on, or both.
func (s *state) mayAct() error {
	if s.actor == (Actor{}) {
		return fmt.Errorf("%w: nobody asks", ErrRights)
	}
	if s.actor.App != "" {
		if err := s.appOn(s.actor.App); err != nil || s.actor.Person == "" {
			return err
		}
	}
	return s.maySeal(s.actor.Person)
}

// same asks that an act is the one that was entered under its ID.
func (c *recorder) same(u UseInfo, act *sign.Act, p sign.Profile) error {
	what := ""
	switch {
	case u.Person != c.by.Person || u.App != c.by.App:
		what = "somebody else's"
	case u.Seal != p.Seal:
		what = "for another seal"
	case u.Source != digestOf(act.Source):
		what = "for another document"
	case u.Kind != c.use.Kind || c.use.Court != "" && u.Court != c.use.Court:
		what = "for a document of another kind or court"
	case u.State == Begun && (c.use.Grant != "" && u.Grant != c.use.Grant || u.Application != c.use.Application):
		what = "under another grant or application"
	case !u.Withdrawn.IsZero() && u.State != Done:
		return fmt.Errorf("%w: request %s was withdrawn", ErrState, act.ID)
	default:
		return nil
	}
	return fmt.Errorf("%w: request %s is %s; choose another ID", ErrExists, act.ID, what)
}

// begin enters a use, or another attempt at an earlier one, when all allows it.
func (c *recorder) begin(s *state, act *sign.Act, p sign.Profile, earlier *UseInfo) ([]ledger.Entry, error) {
	a := audit.UseOf(act, p)
	a.Kind, a.Org, a.Person, a.App, a.Approval, a.Time = c.use.Kind, c.use.Court, c.by.Person, c.by.App, c.use.Application, s.time
	a.Extra = map[string]string{claimed: ledger.FormatTime(act.Time)}
	r, err := s.seal(a.Seal)
	if err != nil {
		return nil, err
	}
	if a.SealDigest, err = hex.DecodeString(r.Digest); err != nil {
		return nil, err
	}
	switch {
	case a.Org != "":
	case earlier != nil:
		a.Org = earlier.Court
	default:
		a.Org = r.Org
	}
	w := wish{kind: a.Kind, org: a.Org, approved: a.Approval != "", counted: earlier != nil && earlier.State == Begun}
	grant := c.use.Grant
	if earlier != nil {
		a.Again = &earlier.Entry
		if w.counted {
			grant, w.today = earlier.Grant, earlier.day == s.date(s.time)
		}
	}
	if err := r.is(active); err != nil {
		return nil, err
	}
	if err := s.holdsKeys(r, act, p); err != nil {
		return nil, err
	}
	if a.Grant, err = s.allowed(r, grant, w); err != nil {
		return nil, err
	}
	if w.counted && a.Grant != earlier.Grant { // by a holder who is none any more: it would count against no grant
		return nil, fmt.Errorf("%w: request %s was begun by right of the holder, who is another now; choose another ID", ErrState, act.ID)
	}
	if a.Approval != "" && !w.counted {
		if err := s.approvedFor(a, r); err != nil {
			return nil, err
		}
	}
	if err := audit.CheckActTime(act, s.time); err != nil {
		return nil, err
	}
	return s.enterUse(a)
}

// holdsKeys asks that every key that signs is its holder's, in force, and on the seal's device.
func (s *state) holdsKeys(r SealInfo, act *sign.Act, p sign.Profile) error {
	if err := s.mayKeep(r.Holder, r.Org); err != nil {
		return err
	}
	if r.Device != "" {
		if err := s.deviceOf(r.Device, r.Holder); err != nil {
			return err
		}
	}
	for _, digest := range audit.UseOf(act, p).Certs {
		if err := s.holdsKey(r, hex.EncodeToString(digest)); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) holdsKey(r SealInfo, digest string) error {
	var owner, device string
	var ended int64
	var der []byte
	if err := s.get("certificate "+digest, []any{&owner, &device, &ended, &der},
		`SELECT person, device, ended, der FROM @cert WHERE digest = $1`, digest); err != nil {
		return err
	}
	switch {
	case owner != r.Holder:
		return fmt.Errorf("%w: certificate %s is not one of %s, who holds seal %s", ErrRights, digest, r.Holder, r.ID)
	case ended != 0:
		return fmt.Errorf("%w: certificate %s was ended", ErrRights, digest)
	case r.Device != "" && device != r.Device:
		return fmt.Errorf("%w: certificate %s is not on %s, the device of seal %s", ErrRights, digest, r.Device, r.ID)
	}
	cert, err := gm.ParseCertificate(der)
	if err == nil && (s.time.Before(cert.NotBefore) || s.time.After(cert.NotAfter)) {
		err = fmt.Errorf("%w: certificate %s is outside its validity", ErrRights, digest)
	}
	return err
}

// allowed asks that the actor may use the seal now, within all limits, and says under which grant; none is the holder.
func (s *state) allowed(r SealInfo, grant string, w wish) (string, error) {
	if s.actor.App != "" {
		perDay, err := s.appHas(s.actor.App, r.ID)
		if err != nil {
			return "", err
		}
		if !w.today {
			if err := s.allowToday("app "+s.actor.App, perDay); err != nil {
				return "", err
			}
		}
	}
	l, err := s.control(r.ID)
	if err != nil {
		return "", err
	}
	if len(l.Courts) == 0 {
		l.Courts = []string{r.Org} // a seal is used in its own house
	}
	if err := s.allow("seal "+r.ID, l, w); err != nil {
		return "", err
	}
	if grant == "" && r.Holder == s.actor.Person {
		return "", nil
	}
	g, err := s.findGrant(grant, r.ID, w)
	return g.ID, err
}

// approvedFor asks that an application was approved for this seal and document, and not yet used.
func (s *state) approvedFor(u audit.Use, r SealInfo) error {
	a, err := s.application(u.Approval)
	if err != nil {
		return err
	}
	if err := a.is("approved", ForUse); err != nil {
		return err
	}
	own, err := s.exists(`SELECT 1 FROM @decision WHERE application = $1 AND person = $2`, a.ID, s.actor.Person)
	if err != nil {
		return err
	}
	if own {
		return fmt.Errorf("%w: %s approved application %s, and does not use it", ErrRights, s.actor, a.ID)
	}
	if a.Org != r.Org {
		return fmt.Errorf("%w: application %s was decided at %s, and the seal is %s's", ErrLimit, a.ID, a.Org, r.Org)
	}
	if source := hex.EncodeToString(u.Source[sign.SM3]); a.Seal != u.Seal || a.Source != source {
		return fmt.Errorf("%w: application %s is for seal %s and document %s, not for %s and %s", ErrLimit, a.ID, a.Seal, a.Source, u.Seal, source)
	}
	return nil
}

// enterUse makes the entry of a use. The name of the document stands beside it: names of people may be in it.
func (s *state) enterUse(u audit.Use) ([]ledger.Entry, error) {
	document := u.Document
	u.Document = ""
	leaf, err := u.Leaf()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOp, err)
	}
	private := audit.Private{}
	private.Hide(s.tx.Profile(), leaf, "document", document)
	return s.write(leaf, private)
}

// End implements audit.Recorder.
func (c *recorder) End(ctx context.Context, act *sign.Act, values []sign.Value, failure error) error {
	evidence, err := audit.ParseEvidence(act.Evidence)
	if err != nil {
		return fmt.Errorf("%w: the act does not have the evidence that Begin gave: %w", ErrOp, err)
	}
	o := audit.OutcomeOf(evidence.Index, act, values, failure)
	_, err = c.r.log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		s := c.r.state(ctx, tx, c.by, tables)
		u, err := s.use(act.ID)
		if err != nil {
			return nil, err
		}
		if over, err := c.over(u, o, act); err != nil || over {
			return nil, err
		}
		o.Time = s.time
		leaf, err := o.Leaf()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOp, err)
		}
		if err := s.keep(u.Entry, values); err != nil {
			return nil, err
		}
		return s.write(leaf, nil)
	})
	return err
}

// over asks that an attempt can end, and reports whether its end is there already or nobody waits for it.
func (c *recorder) over(u UseInfo, o audit.Outcome, act *sign.Act) (bool, error) {
	switch {
	case u.Person != c.by.Person || u.App != c.by.App:
		return false, fmt.Errorf("%w: request %s is somebody else's", ErrRights, u.Request)
	case u.State != Begun && u.Outcome > 0 && u.Last == o.Begin && u.hasOutcome(o):
		return true, nil // its commit was not acknowledged
	case u.State == Done:
		return false, &RepeatedError{u}
	case u.Last != o.Begin && o.Failure != "":
		return true, nil
	case u.Last != o.Begin:
		return false, fmt.Errorf("%w: another attempt at request %s, of entry %d, is in the place of this, of entry %d", ErrState, u.Request, u.Last, o.Begin)
	case u.State != Begun:
		return false, fmt.Errorf("%w: request %s is %s", ErrState, u.Request, u.State)
	case o.Failure == "" && u.Content != digestOf(act.Content):
		return false, fmt.Errorf("%w: request %s was begun for other content than these values are of", ErrState, u.Request)
	case !u.Withdrawn.IsZero() && o.Failure == "":
		return false, fmt.Errorf("%w: request %s was withdrawn", ErrState, u.Request)
	}
	return false, nil
}

func (u UseInfo) hasOutcome(o audit.Outcome) bool {
	if u.Failure != o.Failure || len(u.Values) != len(o.Values) {
		return false
	}
	for i, v := range o.Values {
		if u.Values[i] != hex.EncodeToString(v) {
			return false
		}
	}
	return true
}
