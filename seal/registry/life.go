package registry

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/courtseal/courtseal/seal"
)

var sealTables = []table{
	{"approvals", `purpose TEXT PRIMARY KEY, need BIGINT NOT NULL`, nil},
	{"application", `id TEXT PRIMARY KEY, purpose TEXT NOT NULL, org TEXT NOT NULL, seal TEXT NOT NULL, applicant TEXT NOT NULL,
		name TEXT NOT NULL, kind TEXT NOT NULL, holder TEXT NOT NULL, replaces TEXT NOT NULL, source TEXT NOT NULL,
		digest TEXT NOT NULL, need BIGINT NOT NULL, at BIGINT NOT NULL, state TEXT NOT NULL`, []string{"state", "seal"}},
	{"decision", `application TEXT NOT NULL, person TEXT NOT NULL, yes BIGINT NOT NULL, entry BIGINT NOT NULL, PRIMARY KEY (application, person)`, nil},
	{"seal", `id TEXT PRIMARY KEY, name TEXT NOT NULL, org TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, holder TEXT NOT NULL,
		device TEXT NOT NULL, digest TEXT NOT NULL, der BYTES NOT NULL, replaces TEXT NOT NULL, replaced_by TEXT NOT NULL`,
		[]string{"org", "holder", "device"}},
	{"change", `entry BIGINT NOT NULL, seal TEXT NOT NULL, at BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
		actor TEXT NOT NULL, annulled BIGINT NOT NULL, PRIMARY KEY (entry, seal, state)`, []string{"seal, at, entry"}},
}

var sealRules = []Rule{
	{Kind: "approvals.set", Roles: []Role{Administrator}, make: func() Op { return new(SetApprovals) }},
	{Kind: "application.file", Roles: []Role{Keeper, Clerk}, make: func() Op { return new(Apply) }},
	{Kind: "application.decide", Roles: []Role{Approver}, make: func() Op { return new(Decide) }},
	{Kind: "application.withdraw", Roles: []Role{Keeper, Clerk}, make: func() Op { return new(WithdrawApplication) }},
	{Kind: "seal.make", Roles: []Role{Maker}, make: func() Op { return new(MakeSeal) }},
	{Kind: "seal.deliver", Roles: []Role{Maker}, make: func() Op { return new(DeliverSeal) }},
	{Kind: "seal.receive", Roles: []Role{Keeper}, make: func() Op { return new(ReceiveSeal) }},
	{Kind: "seal.lost", Roles: []Role{Keeper, Maker, Administrator}, make: func() Op { return new(ReportLoss) }},
	{Kind: "seal.suspend", Roles: []Role{Maker, Approver, Administrator}, make: func() Op { return new(SuspendSeal) }},
	{Kind: "seal.resume", Roles: []Role{Approver}, make: func() Op { return new(ResumeSeal) }},
	{Kind: "seal.revoke", Roles: []Role{Maker}, make: func() Op { return new(RevokeSeal) }},
}

// A SealState is where a seal is in its life: "made", "delivered", "active", "lost", "suspended", "replaced", "revoked" or "void".
type SealState string

const (
	made      SealState = "made"      // 制作完成
	delivered SealState = "delivered" // 已写入密码设备, not yet received
	active    SealState = "active"    // 使用中
	lost      SealState = "lost"      // 挂失
	suspended SealState = "suspended" // 停用
	replaced  SealState = "replaced"  // 已重新制作: another seal is in its place
	revoked   SealState = "revoked"   // 注销
	void      SealState = "void"      // 无效: made by mistake
)

// Status is what a verifier is told.
func (s SealState) Status() seal.Status {
	switch s {
	case active:
		return seal.StatusActive
	case made, delivered, lost, suspended:
		return seal.StatusSuspended
	case replaced, revoked:
		return seal.StatusCancelled
	case void:
		return seal.StatusVoid
	}
	return seal.StatusUnknown
}

// A SealInfo is what the books hold of a seal.
type SealInfo struct {
	ID         string    `json:"id"`
	Name       string    `json:"name"`
	Org        string    `json:"org"`
	Type       string    `json:"type"`
	State      SealState `json:"state"`
	Holder     string    `json:"holder"`
	Device     string    `json:"device,omitempty"`
	Digest     string    `json:"digest"`               // SM3 of its DER, hex
	Replaces   string    `json:"replaces,omitempty"`   // esID
	ReplacedBy string    `json:"replacedBy,omitempty"` // esID
}

func (s *state) seal(id string) (r SealInfo, err error) {
	list, err := s.seals(`id = $1`, id)
	if err == nil && len(list) == 0 {
		return r, fmt.Errorf("%w: seal %s", ErrUnknown, id)
	}
	if err != nil {
		return r, err
	}
	return list[0], nil
}

func (s *state) seals(where string, args ...any) (list []SealInfo, err error) {
	err = s.each(`SELECT id, name, org, kind, state, holder, device, digest, replaces, replaced_by FROM @seal WHERE `+where+` ORDER BY id`, args,
		func(scan func(...any) error) error {
			var r SealInfo
			err := scan(&r.ID, &r.Name, &r.Org, &r.Type, &r.State, &r.Holder, &r.Device, &r.Digest, &r.Replaces, &r.ReplacedBy)
			list = append(list, r)
			return err
		})
	return list, err
}

// is asks that the seal is in one of the states.
func (r SealInfo) is(states ...SealState) error {
	if slices.Contains(states, r.State) {
		return nil
	}
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = string(s)
	}
	return fmt.Errorf("%w: seal %s is %s, not %s", ErrState, r.ID, r.State, strings.Join(names, " or "))
}

// isOf asks it of an organisation's seal.
func (r SealInfo) isOf(org string, states ...SealState) error {
	if r.Org != org {
		return fmt.Errorf("%w: seal %s is %s's", ErrRights, r.ID, r.Org)
	}
	return r.is(states...)
}

// move enters a change of state as of the entry's time, and says so in the seal's row.
func (s *state) move(id string, to SealState, reason string) error {
	if err := s.addChange(id, to, reason, s.time); err != nil {
		return err
	}
	return s.change("seal "+id, `UPDATE @seal SET state = $2 WHERE id = $1`, id, string(to))
}

func (s *state) addChange(id string, to SealState, reason string, at time.Time) error {
	return s.exec(`INSERT INTO @change VALUES ($1, $2, $3, $4, $5, $6, -1)`,
		int64(s.index), id, millis(at), string(to), reason, s.actor.String())
}

// sealOrg is the place of operations on a seal.
func (s *state) sealOrg(id string) (string, error) {
	r, err := s.seal(id)
	return r.Org, err
}

// MakeSeal enters a seal that was made for an approved application. The seal must be what was approved: its esID and
// name, and in its certList certificates that are the holder's in these books, and no other. A seal that replaces another
// ends it.
type MakeSeal struct {
	Application string
	DER         Blob
	Seal        string `books:"filled"` // esID; filled in
	Digest      string `books:"filled"` // SM3 of DER, hex; filled in
}

func (*MakeSeal) Kind() string { return "seal.make" }
func (op *MakeSeal) place(s *state) (string, error) {
	a, err := s.application(op.Application)
	return a.Org, err
}
func (op *MakeSeal) check(s *state) error {
	a, err := s.application(op.Application)
	if err != nil {
		return err
	}
	if err := a.is("approved", ForSeal, ForRemake); err != nil {
		return err
	}
	made, err := seal.Parse(op.DER)
	if err != nil {
		return fmt.Errorf("%w: der: %w", ErrOp, err)
	}
	if err := made.VerifyValue(); err != nil {
		return fmt.Errorf("%w: der: %w", ErrOp, err)
	}
	if made.ID != a.Seal || made.Name != a.Name {
		return fmt.Errorf("%w: the seal is %q %q, and %q %q was approved", ErrState, made.ID, made.Name, a.Seal, a.Name)
	}
	if err := s.mayKeep(a.Holder, a.Org); err != nil {
		return err
	}
	if err := s.listsHolder(made, a.Holder); err != nil {
		return err
	}
	if err := s.absent("seal "+made.ID, `SELECT 1 FROM @seal WHERE id = $1`, made.ID); err != nil {
		return err
	}
	if a.Replaces != "" {
		old, err := s.seal(a.Replaces)
		if err != nil {
			return err
		}
		if err := old.isOf(a.Org, unended...); err != nil {
			return err
		}
	}
	op.Seal, op.Digest = made.ID, CertDigest(op.DER)
	return nil
}

// unended are the states of a seal that is still in the world.
var unended = []SealState{made, delivered, active, lost, suspended}

// listsHolder asks that the certificates of a seal's certList are, in force, a person's. One of somebody else's in it would seal
// with this seal, and nobody approved that.
func (s *state) listsHolder(made *seal.Seal, holder string) error {
	digests, err := s.strings(`SELECT digest FROM @cert WHERE person = $1 AND ended = 0`, holder)
	if err != nil {
		return err
	}
	certs := make([][]byte, len(digests))
	for i, d := range digests {
		if certs[i], err = s.certOf(holder, d); err != nil {
			return err
		}
	}
	for i, one := range eachListed(made) {
		if !slices.ContainsFunc(certs, one.Holds) {
			return fmt.Errorf("%w: certificate %d of the seal's certList is none of %s", ErrState, i, holder)
		}
	}
	return nil
}

// eachListed are seals that list one certificate each of those that a seal lists.
func eachListed(made *seal.Seal) (list []*seal.Seal) {
	for _, c := range made.Certs {
		list = append(list, &seal.Seal{CertListType: made.CertListType, Certs: [][]byte{c}})
	}
	for _, d := range made.CertDigests {
		list = append(list, &seal.Seal{CertListType: made.CertListType, CertDigests: []seal.CertDigest{d}})
	}
	return list
}

func (op *MakeSeal) apply(s *state) error {
	a, err := s.application(op.Application)
	if err != nil {
		return err
	}
	if err := s.exec(`INSERT INTO @seal VALUES ($1, $2, $3, $4, '', $5, '', $6, $7, $8, '')`,
		op.Seal, a.Name, a.Org, a.Type, a.Holder, op.Digest, []byte(op.DER), a.Replaces); err != nil {
		return err
	}
	if a.Replaces != "" {
		if err := s.move(a.Replaces, replaced, "re-made as "+op.Seal); err != nil {
			return err
		}
		if err := s.change("seal "+a.Replaces, `UPDATE @seal SET replaced_by = $2 WHERE id = $1`, a.Replaces, op.Seal); err != nil {
			return err
		}
	}
	if err := s.change("application "+a.ID, `UPDATE @application SET state = 'done' WHERE id = $1`, a.ID); err != nil {
		return err
	}
	if err := s.hold(op.Seal, a.Holder, ""); err != nil {
		return err
	}
	return s.move(op.Seal, made, "application "+a.ID)
}

// DeliverSeal enters that a made seal was written to its holder's device.
type DeliverSeal struct{ Seal, Device string }

func (*DeliverSeal) Kind() string                      { return "seal.deliver" }
func (op *DeliverSeal) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *DeliverSeal) check(s *state) error {
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	if err := r.is(made); err != nil {
		return err
	}
	der, err := s.sealDER(op.Seal)
	if err != nil {
		return err
	}
	return s.carries(op.Device, r.Holder, der)
}
func (op *DeliverSeal) apply(s *state) error {
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	if err := s.hold(op.Seal, r.Holder, op.Device); err != nil {
		return err
	}
	return s.move(op.Seal, delivered, "on device "+op.Device)
}

// ReceiveSeal is the keeper's word that the seal is theirs now: from here on it is active.
type ReceiveSeal struct{ Seal string }

func (*ReceiveSeal) Kind() string                      { return "seal.receive" }
func (op *ReceiveSeal) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *ReceiveSeal) check(s *state) error {
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	if err := s.isHolder(r); err != nil {
		return err
	}
	return r.is(delivered)
}
func (op *ReceiveSeal) apply(s *state) error { return s.move(op.Seal, active, "received") }

// isHolder asks that the actor is the holder of a seal.
func (s *state) isHolder(r SealInfo) error {
	if r.Holder != s.actor.Person {
		return fmt.Errorf("%w: seal %s is kept by %s", ErrRights, r.ID, r.Holder)
	}
	return nil
}

// isNotHolder asks that the actor is not: an approver who keeps a seal as well decides nothing about it.
func (s *state) isNotHolder(r SealInfo) error {
	if r.Holder == s.actor.Person {
		return fmt.Errorf("%w: %s keeps seal %s, and another approver decides", ErrRights, s.actor, r.ID)
	}
	return nil
}

// ReportLoss (挂失) stops a seal at once. Since is when it was last known to be safe, where that is known; it is kept for
// people, and changes no state before now.
type ReportLoss struct {
	Seal, Reason string
	Since        time.Time
}

func (*ReportLoss) Kind() string                      { return "seal.lost" }
func (op *ReportLoss) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *ReportLoss) check(s *state) error {
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	if op.Since.After(s.time) {
		return fmt.Errorf("%w: since is in the future", ErrOp)
	}
	if keeper, err := s.onlyKeeper(r.Org); err != nil {
		return err
	} else if keeper {
		if err := s.isHolder(r); err != nil {
			return err
		}
	}
	return r.is(made, delivered, active, suspended)
}
func (op *ReportLoss) apply(s *state) error { return s.move(op.Seal, lost, op.Reason) }

// onlyKeeper reports whether the actor's rights at an organisation come from being a keeper there alone.
func (s *state) onlyKeeper(org string) (bool, error) {
	other, err := s.holds(s.actor.Person, org, []Role{Maker, Administrator})
	return !other, err
}

// SuspendSeal (停用) stops a seal until ResumeSeal.
type SuspendSeal struct{ Seal, Reason string }

func (*SuspendSeal) Kind() string                      { return "seal.suspend" }
func (op *SuspendSeal) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *SuspendSeal) check(s *state) error           { return s.stands(op.Seal, op.Reason, active) }
func (op *SuspendSeal) apply(s *state) error           { return s.move(op.Seal, suspended, op.Reason) }

// ResumeSeal makes a seal active again that was suspended, or reported lost and found. Its holder does not.
type ResumeSeal struct{ Seal, Reason string }

func (*ResumeSeal) Kind() string                      { return "seal.resume" }
func (op *ResumeSeal) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *ResumeSeal) check(s *state) error {
	if err := s.stands(op.Seal, op.Reason, suspended, lost); err != nil {
		return err
	}
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	if err := s.isNotHolder(r); err != nil {
		return err
	}
	received, err := s.received(op.Seal)
	if err == nil && !received {
		return fmt.Errorf("%w: seal %s was never received; it is to be re-made", ErrState, op.Seal)
	}
	if err != nil || r.Device == "" {
		return err
	}
	return s.deviceOf(r.Device, r.Holder)
}
func (op *ResumeSeal) apply(s *state) error { return s.move(op.Seal, active, op.Reason) }

// received reports whether a seal was ever active, by these books or, as it seems, by those it was imported from.
func (s *state) received(id string) (bool, error) {
	return s.exists(`SELECT 1 FROM @seal s WHERE id = $1 AND (
		EXISTS (SELECT 1 FROM @change WHERE seal = s.id AND state = 'active' AND annulled < 0) OR
		NOT EXISTS (SELECT 1 FROM @change WHERE seal = s.id AND state IN ('made', 'delivered') AND annulled < 0))`, id)
}

// stands asks for a reason, and that a seal is in one of the states.
func (s *state) stands(id, reason string, states ...SealState) error {
	if err := need("reason", reason); err != nil {
		return err
	}
	r, err := s.seal(id)
	if err != nil {
		return err
	}
	return r.is(states...)
}

// RevokeSeal (注销) ends a seal for good, on an approved application.
type RevokeSeal struct{ Seal, Application, Reason string }

func (*RevokeSeal) Kind() string                      { return "seal.revoke" }
func (op *RevokeSeal) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *RevokeSeal) check(s *state) error {
	a, err := s.application(op.Application)
	if err != nil {
		return err
	}
	if err := a.is("approved", ForRevoke); err != nil {
		return err
	}
	if a.Seal != op.Seal {
		return fmt.Errorf("%w: application %s is about seal %s", ErrState, a.ID, a.Seal)
	}
	return s.stands(op.Seal, op.Reason, unended...)
}
func (op *RevokeSeal) apply(s *state) error {
	if err := s.change("application "+op.Application, `UPDATE @application SET state = 'done' WHERE id = $1`, op.Application); err != nil {
		return err
	}
	return s.move(op.Seal, revoked, op.Reason)
}

// State is the status of a seal at a moment, by what is known now: a change that was annulled as a mistake never was. A
// zero time is now. A seal that was not yet made at t, or is not in the books, is StatusUnknown and no error.
func (r *Registry) State(ctx context.Context, esID string, t time.Time) (seal.Status, error) {
	var then SealState
	err := r.read(ctx, func(s *state) (err error) {
		then, err = s.stateAt(esID, moment(t))
		return err
	})
	return then.Status(), err
}

// stateAt is the state of a seal at a moment, "" before it was made.
func (s *state) stateAt(id string, ms int64) (then SealState, err error) {
	err = s.each(`SELECT state FROM @change WHERE seal = $1 AND at <= $2 AND annulled < 0 ORDER BY at DESC, entry DESC LIMIT 1`,
		[]any{id, ms}, func(scan func(...any) error) error { return scan(&then) })
	return then, err
}

// moment is a time to ask for: the zero time is now, and after everything.
func moment(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return t.UnixMilli()
}

// Seal is a seal by its esID, and its DER.
func (r *Registry) Seal(ctx context.Context, esID string) (info SealInfo, der []byte, err error) {
	err = r.read(ctx, func(s *state) error {
		if info, err = s.seal(esID); err != nil {
			return err
		}
		return s.get("seal "+esID, []any{&der}, `SELECT der FROM @seal WHERE id = $1`, esID)
	})
	return info, der, err
}

// Seals are those of an organisation, of a holder; an empty word stands for any.
func (r *Registry) Seals(ctx context.Context, org, holder string) (list []SealInfo, err error) {
	err = r.read(ctx, func(s *state) error {
		list, err = s.seals(`(org = $1 OR $1 = '') AND (holder = $2 OR $2 = '')`, org, holder)
		return err
	})
	return list, err
}
