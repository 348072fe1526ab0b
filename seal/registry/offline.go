package registry

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/seal"
)

var offlineTables = []table{
	{"offline", `id TEXT PRIMARY KEY, seal TEXT NOT NULL, org TEXT NOT NULL, ends BIGINT NOT NULL, text BYTES NOT NULL, state TEXT NOT NULL, at BIGINT NOT NULL,
		delegation TEXT NOT NULL`,
		[]string{"seal", "ends", "delegation"}},
	{"offline_use", `grant_id TEXT NOT NULL, number BIGINT NOT NULL, hash TEXT NOT NULL, leaf BYTES NOT NULL, verdict TEXT NOT NULL, entry BIGINT NOT NULL,
		at BIGINT NOT NULL, PRIMARY KEY (grant_id, number, hash)`, []string{"hash"}},
	{"list", `number BIGINT PRIMARY KEY, text BYTES NOT NULL`, nil},
}

var offlineRules = []Rule{
	{Kind: "offline.issue", Roles: []Role{Approver}, Central: true, make: func() Op { return new(IssueOffline) }},
	{Kind: "offline.withdraw", Roles: []Role{Approver, Maker, Administrator}, make: func() Op { return new(WithdrawOffline) }},
	{Kind: "offline.reconcile", Roles: []Role{Keeper, Clerk, Approver}, make: func() Op { return new(enterOffline) }},
	{Kind: "offline.end", Roles: []Role{Keeper, Clerk, Approver}, make: func() Op { return new(endOffline) }},
	{Kind: "list.publish", Roles: []Role{Approver, Maker, Administrator}, make: func() Op { return new(PublishList) }},
}

// PublishList issues the next state list: what is not in order, for those who have no network. Lists are numbered, and
// expire; see audit.StateList.
type PublishList struct {
	Expires time.Time // whole seconds

	Log string `books:"filled"` // the origin of the ledger; filled in
}

func (*PublishList) Kind() string                      { return "list.publish" }
func (op *PublishList) place(s *state) (string, error) { return s.root() }
func (op *PublishList) check(s *state) error {
	op.Log = s.tx.Origin()
	if !op.Expires.After(s.time) {
		return fmt.Errorf("%w: expires %s is not in the future", ErrOp, op.Expires)
	}
	return nil
}

func (op *PublishList) apply(s *state) error {
	last, err := s.lastList()
	if err != nil {
		return err
	}
	l := audit.StateList{Log: op.Log, Number: last + 1, Issued: s.time.Truncate(time.Second), Expires: op.Expires.UTC().Truncate(time.Second)}
	if l.Entries, err = s.listed(); err != nil {
		return err
	}
	text, err := l.Marshal()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLimit, err)
	}
	return s.exec(`INSERT INTO @list VALUES ($1, $2)`, int64(l.Number), text)
}

// lastList is the number of the newest state list; 0: there is none.
func (s *state) lastList() (n uint64, err error) {
	err = s.get("state list", []any{&n}, `SELECT COALESCE(MAX(number), 0) FROM @list`)
	return n, err
}

// listed is what a state list tells now: all seals in the books that are not active, certificates that have ended, and
// offline grants that would still be running and are not to be used.
func (s *state) listed() (list []audit.Listed, err error) {
	add := func(what, query string, args ...any) {
		if err != nil {
			return
		}
		err = s.each(query, args, func(scan func(...any) error) error {
			e := audit.Listed{What: what}
			var since int64
			err := scan(&e.ID, &e.Status, &since)
			e.Since = fromMillis(since).Truncate(time.Second)
			list = append(list, e)
			return err
		})
	}
	add(audit.ListedSeal, `SELECT s.id, s.state, MAX(c.at) FROM @seal s JOIN @change c ON c.seal = s.id
		WHERE s.state <> 'active' AND c.annulled < 0 AND c.state = s.state GROUP BY s.id, s.state`)
	add(audit.ListedCertificate, `SELECT digest, 'ended', ended FROM @cert WHERE ended <> 0`)
	add(audit.ListedGrant, `SELECT id, state, at FROM @offline WHERE state <> 'issued' AND ends >= $1`, millis(s.time))
	slices.SortFunc(list, func(a, b audit.Listed) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.ID, b.ID))
	})
	return list, err
}

// IssueOffline (离线授权) lets the holder of a seal use it for a while where the registry cannot be reached: so often, so
// long, for such documents, on the seal's device. An intermediate court does so within a delegation's budget of uses. What the device
// gets is [Registry.OfflineGrant].
type IssueOffline struct {
	ID, Seal string
	Kinds    []string  // of documents; none: any
	From, To time.Time // no From: from now
	Uses     int
	Reason   string

	Org        string   `books:"filled"` // filled in, as are:
	Log        string   `books:"filled"` // the origin of the ledger
	SealDigest string   `books:"filled"` // SM3 of the seal, hex
	Devices    []string `books:"filled"` // CertDigest of the certificates that may sign
	Oldest     int      `books:"filled"` // number of the oldest state list that may be used: the newest there is
}

func (*IssueOffline) Kind() string                      { return "offline.issue" }
func (op *IssueOffline) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *IssueOffline) budget() (int, time.Time)       { return op.Uses, op.To }
func (op *IssueOffline) check(s *state) error {
	if err := checkID("id", op.ID); err != nil {
		return err
	}
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	if err := s.absent("offline grant "+op.ID, `SELECT 1 FROM @offline WHERE id = $1`, op.ID); err != nil {
		return err
	}
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	if err := errors.Join(r.is(active), s.isNotHolder(r)); err != nil {
		return err
	}
	oldest, err := s.lastList()
	if err != nil {
		return err
	}
	if oldest == 0 {
		return fmt.Errorf("%w: there is no state list yet; publish one (list.publish), a device without one seals nothing", ErrState)
	}
	op.Org, op.Log, op.SealDigest, op.Oldest = r.Org, s.tx.Origin(), r.Digest, int(oldest)
	if op.Devices, err = s.signingCerts(r); err != nil {
		return err
	}
	if op.To.Before(s.time) || op.Uses < 1 || op.Uses > audit.MaxOfflineUses {
		return fmt.Errorf("%w: %d uses until %s; give 1 to %d, and a time to come", ErrOp, op.Uses, op.To, audit.MaxOfflineUses)
	}
	if _, err := op.grant(s.time).Marshal(); err != nil {
		return fmt.Errorf("%w: %w", ErrOp, err)
	}
	return nil
}

// signingCerts are the certificates, in force, of a seal's holder and on its device, that the seal names.
func (s *state) signingCerts(r SealInfo) (digests []string, err error) {
	var der []byte
	if err := s.get("seal "+r.ID, []any{&der}, `SELECT der FROM @seal WHERE id = $1`, r.ID); err != nil {
		return nil, err
	}
	parsed, err := seal.Parse(der)
	if err != nil {
		return nil, err
	}
	err = s.each(`SELECT digest, der FROM @cert WHERE person = $1 AND ended = 0 AND (device = $2 OR $2 = '') ORDER BY digest`,
		[]any{r.Holder, r.Device}, func(scan func(...any) error) error {
			var digest string
			var cert []byte
			err := scan(&digest, &cert)
			if err == nil && parsed.Holds(cert) {
				digests = append(digests, digest)
			}
			return err
		})
	if err == nil && len(digests) == 0 {
		err = fmt.Errorf("%w: no certificate in force of %s on device %q is in the certList of seal %s", ErrState, r.Holder, r.Device, r.ID)
	}
	return digests, err
}

// grant is the grant as it is signed, by what the entry says.
func (op *IssueOffline) grant(now time.Time) *audit.OfflineGrant {
	g := &audit.OfflineGrant{
		ID: op.ID, Log: op.Log, Lists: op.Log, Org: op.Org, Seal: op.Seal, Kinds: op.Kinds, From: op.From, To: op.To.UTC().Truncate(time.Second),
		Uses: uint64(max(op.Uses, 0)), Oldest: uint64(max(op.Oldest, 0)),
	}
	if len(g.Kinds) == 0 {
		g.Kinds = []string{"*"}
	}
	if g.From.IsZero() {
		g.From = now
	}
	g.From = g.From.UTC().Truncate(time.Second)
	g.SealDigest, _ = hex.DecodeString(op.SealDigest)
	for _, d := range op.Devices {
		b, _ := hex.DecodeString(d) // Marshal refuses what is no digest
		g.Devices = append(g.Devices, b)
	}
	return g
}

func (op *IssueOffline) apply(s *state) error {
	text, err := op.grant(s.time).Marshal()
	if err != nil {
		return err
	}
	return s.exec(`INSERT INTO @offline VALUES ($1, $2, $3, $4, $5, 'issued', $6, $7)`, op.ID, op.Seal, op.Org, millis(op.To), text, millis(s.time), s.delegation)
}

// WithdrawOffline ends an offline grant: the next state list says so. A device that has no newer list goes on until its own
// expires, and the uses are seen when they are reconciled.
type WithdrawOffline struct{ Grant, Reason string }

func (*WithdrawOffline) Kind() string { return "offline.withdraw" }
func (op *WithdrawOffline) place(s *state) (org string, err error) {
	err = s.get("offline grant "+op.Grant, []any{&org}, `SELECT org FROM @offline WHERE id = $1`, op.Grant)
	return org, err
}
func (op *WithdrawOffline) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	g, err := s.offlineGrant(op.Grant)
	if err == nil && g.State != "issued" {
		return fmt.Errorf("%w: offline grant %s is %s", ErrState, op.Grant, g.State)
	}
	return err
}
func (op *WithdrawOffline) apply(s *state) error {
	return s.change("offline grant "+op.Grant, `UPDATE @offline SET state = 'withdrawn', at = $2 WHERE id = $1`, op.Grant, millis(s.time))
}

// An OfflineInfo is what the books hold of an offline grant.
type OfflineInfo struct {
	*audit.OfflineGrant
	State string // issued, withdrawn, forked (a number was used twice)
	Used  int    // uses that were reconciled

	text []byte
}

func (s *state) offlineGrants(where string, args ...any) (list []OfflineInfo, err error) {
	err = s.each(`SELECT text, state, (SELECT COUNT(*) FROM @offline_use u WHERE u.grant_id = o.id) FROM @offline o WHERE `+where+` ORDER BY at, id`, args,
		func(scan func(...any) error) error {
			var g OfflineInfo
			err := scan(&g.text, &g.State, &g.Used)
			if err == nil {
				g.OfflineGrant, err = audit.ParseOfflineGrant(g.text)
			}
			list = append(list, g)
			return err
		})
	return list, err
}

func (s *state) offlineGrant(id string) (g OfflineInfo, err error) {
	list, err := s.offlineGrants(`id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%w: offline grant %s", ErrUnknown, id)
	}
	if err != nil {
		return g, err
	}
	return list[0], nil
}

// OfflineGrants are those for seals of an organisation; an empty word stands for any.
func (r *Registry) OfflineGrants(ctx context.Context, org string) (list []OfflineInfo, err error) {
	err = r.read(ctx, func(s *state) error {
		list, err = s.offlineGrants(`org = $1 OR $1 = ''`, org)
		return err
	})
	return list, err
}

// Offline is an offline grant with what became of it.
func (r *Registry) Offline(ctx context.Context, id string) (g OfflineInfo, err error) {
	err = r.read(ctx, func(s *state) error {
		g, err = s.offlineGrant(id)
		return err
	})
	return g, err
}

// OfflineGrant is an offline grant as the device gets it, signed with the keys of Options.Signers.
func (r *Registry) OfflineGrant(ctx context.Context, id string) (note []byte, err error) {
	err = r.read(ctx, func(s *state) error {
		g, err := s.offlineGrant(id)
		if err != nil {
			return err
		}
		if g.State != "issued" {
			return fmt.Errorf("%w: offline grant %s is %s", ErrState, id, g.State)
		}
		note, err = g.Sign(r.signers...)
		return err
	})
	return note, err
}

// StateList is the newest state list, signed with the keys of Options.Signers.
func (r *Registry) StateList(ctx context.Context) (note []byte, err error) {
	err = r.read(ctx, func(s *state) error {
		var text []byte
		if err := s.get("state list: none was published", []any{&text}, `SELECT text FROM @list ORDER BY number DESC LIMIT 1`); err != nil {
			return err
		}
		l, err := audit.ParseStateList(text)
		if err != nil {
			return err
		}
		note, err = l.Sign(r.signers...)
		return err
	})
	return note, err
}

// hashText names a leaf in tables.
func hashText(p audit.Profile, leaf []byte) string {
	h := p.LeafHash(leaf)
	return hex.EncodeToString(h[:])
}
