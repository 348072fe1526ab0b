package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// Verdicts on uses that were made offline. Any but confirmed is a matter for people; the use happened, and is entered.
const (
	OfflineConfirmed = "confirmed"
	OfflineExceeded  = "exceeded"   // beyond the number of uses
	OfflinePeriod    = "period"     // outside the period
	OfflineOther     = "other"      // another seal, device, court or kind of document than was granted
	OfflineList      = "list"       // with a state list older than the grant wants
	OfflineTwice     = "twice"      // its number was used for another document too
	OfflineForked    = "forked"     // it comes after a number that was used twice: it is not known whose it is
	OfflineBroken    = "broken"     // it does not follow from the use before it
	OfflineNotActive = "not-active" // the seal was not active at its time: reported lost, suspended, …
)

// A Reconciliation is what came of the uses that a device sent.
type Reconciliation struct {
	Grant   string
	Entered int                // uses that were not in the books
	Known   int                // uses that were
	Ended   int                // of those, uses whose outcome was not
	Bad     []OfflineUse       // of those entered now, all that are not confirmed
	Missing []uint64           // numbers that must exist and were never sent
	Report  *audit.ChainReport // over all uses the books have of this grant: its Whole and Head go back to the device
}

// An OfflineUse is what the books hold of one use that was made offline.
type OfflineUse struct {
	audit.OfflineUse
	Verdict string // one of the verdicts; several with a space between
	Entry   uint64
}

// Reconcile enters the uses that a device sends when it has a network again: a chain as audit.OfflineChain writes it. All of them are
// entered or none. What is wrong with a use is its verdict and no error; an error says that the chain is not one of an offline grant in
// these books, or that the actor may not send it. Sent again, a chain enters nothing more.
func (r *Registry) Reconcile(ctx context.Context, by Actor, chain []byte) (*Reconciliation, error) {
	c, err := audit.ParseOfflineChain(chain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOp, err)
	}
	text, err := c.Grant.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOp, err)
	}
	result := &Reconciliation{Grant: c.Grant.ID}
	_, err = r.log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		s := r.state(ctx, tx, by, tables)
		return s.reconcile(c.Grant.ID, text, c.Uses, result)
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// A grant's uses go into one call of the ledger.
const _ = uint(ledger.MaxEntries - audit.MaxOfflineUses)

func (s *state) reconcile(grant string, text []byte, sent []audit.OfflineEntry, result *Reconciliation) ([]ledger.Entry, error) {
	rule, err := ruleOf(&enterOffline{})
	if err != nil {
		return nil, err
	}
	if err := s.authorise(rule, &enterOffline{Grant: grant}); err != nil {
		return nil, err
	}
	g, err := s.offlineGrant(grant)
	if err != nil {
		return nil, err
	}
	if string(g.text) != string(text) {
		return nil, fmt.Errorf("%w: the grant of the chain is not the one that was issued as %s", ErrState, grant)
	}
	known, all, err := s.offlineUses(grant)
	if err != nil {
		return nil, err
	}
	var fresh []*enterOffline
	var ends []Op
	for _, e := range sent {
		op, err := offlineEntry(grant, e)
		if err != nil {
			return nil, err
		}
		op.Hash = hashText(s.tx.Profile(), op.Leaf)
		if known[op.Hash] {
			result.Known++
			open, err := s.exists(`SELECT 1 FROM @offline_use o JOIN @use u ON u.last = o.entry WHERE o.grant_id = $1 AND o.hash = $2 AND u.state = 'begun'`, grant, op.Hash)
			if err != nil {
				return nil, err
			}
			if open && len(op.Outcome) > 0 {
				ends = append(ends, &endOffline{Grant: grant, Hash: op.Hash, Outcome: op.Outcome})
			}
			continue
		}
		op.use = e.OfflineUse
		known[op.Hash], fresh, all = true, append(fresh, op), append(all, e.OfflineUse)
	}
	if result.Report, err = audit.CheckChain(g.OfflineGrant, all); err != nil {
		return nil, err
	}
	faults := map[uint64][]*audit.ChainFault{}
	for _, f := range result.Report.Faults {
		faults[f.Number] = append(faults[f.Number], f)
		if errors.Is(f, audit.ErrUseMissing) {
			result.Missing = append(result.Missing, f.Number)
		}
	}
	var entries []ledger.Entry
	enter := func(op Op) error {
		e, err := s.enter(op)
		entries = append(entries, e...)
		s.index++
		return err
	}
	forked := forkedAt(result.Report)
	for _, op := range fresh {
		if op.Verdict, err = s.offlineVerdict(op, faults[op.Number], op.Number > forked); err != nil {
			return nil, err
		}
		if op.Verdict != OfflineConfirmed {
			result.Bad = append(result.Bad, OfflineUse{op.use, op.Verdict, s.index})
		}
		if err := enter(op); err != nil {
			return nil, err
		}
	}
	for _, op := range ends {
		if err := enter(op); err != nil {
			return nil, err
		}
	}
	result.Entered, result.Ended = len(fresh), len(ends)
	return entries, nil
}

// offlineUses are the uses of a grant that are in the books, and their hashes.
func (s *state) offlineUses(grant string) (known map[string]bool, list []audit.OfflineUse, err error) {
	known = map[string]bool{}
	err = s.each(`SELECT hash, leaf FROM @offline_use WHERE grant_id = $1 ORDER BY number, hash`, []any{grant}, func(scan func(...any) error) error {
		var hash string
		var leaf []byte
		if err := scan(&hash, &leaf); err != nil {
			return err
		}
		u, err := audit.ParseOfflineUse(leaf)
		if err != nil {
			return err
		}
		known[hash], list = true, append(list, *u)
		return nil
	})
	return known, list, err
}

// forkedAt is the first number that was used twice.
func forkedAt(r *audit.ChainReport) uint64 {
	for _, f := range r.Faults {
		if errors.Is(f, audit.ErrUseTwice) {
			return f.Number
		}
	}
	return math.MaxUint64
}

// offlineVerdict says what is wrong with a use, by the faults of its number and the state of the seal at its time.
func (s *state) offlineVerdict(op *enterOffline, faults []*audit.ChainFault, forked bool) (string, error) {
	var words []string
	add := func(word string) {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	for _, f := range faults {
		mine := slices.ContainsFunc(f.Uses, func(u audit.OfflineUse) bool {
			leaf, err := u.Marshal()
			return err == nil && string(leaf) == string(op.Leaf)
		})
		if !mine {
			continue
		}
		for _, v := range []struct {
			err  error
			word string
		}{
			{audit.ErrUseTwice, OfflineTwice}, {audit.ErrUseBroken, OfflineBroken}, {audit.ErrGrantUsedUp, OfflineExceeded},
			{audit.ErrGrantPeriod, OfflinePeriod}, {audit.ErrListOld, OfflineList}, {audit.ErrGrantSeal, OfflineOther},
			{audit.ErrGrantDevice, OfflineOther}, {audit.ErrGrantOrg, OfflineOther}, {audit.ErrGrantKind, OfflineOther},
			{audit.ErrGrantOther, OfflineOther},
		} {
			if errors.Is(f, v.err) {
				add(v.word)
			}
		}
	}
	if forked {
		add(OfflineForked)
	}
	then, err := s.stateAt(op.use.Use.Seal, millis(op.use.Use.Time))
	if err != nil {
		return "", err
	}
	if then != active {
		add(OfflineNotActive)
	}
	if len(words) == 0 {
		return OfflineConfirmed, nil
	}
	return strings.Join(words, " "), nil
}

// enterOffline is the entry of one use that was made offline. Reconcile alone makes it: its verdict is the books' own.
type enterOffline struct {
	Grant   string `books:"filled"`
	Number  uint64 `books:"filled"`
	Hash    string `books:"filled"` // of Leaf, hex
	Leaf    []byte `books:"filled"` // the use as the device wrote it, and as the sealed document binds it
	Outcome []byte `books:"filled"` // leaf of its outcome; none: nobody knows
	Hidden  Blob   `books:"filled"` // its private values
	Verdict string `books:"filled"`

	use audit.OfflineUse
}

func offlineEntry(grant string, e audit.OfflineEntry) (op *enterOffline, err error) {
	op = &enterOffline{Grant: grant, Number: e.Number}
	if op.Leaf, err = e.OfflineUse.Marshal(); err != nil {
		return nil, err
	}
	if e.Outcome != nil {
		l, err := e.Outcome.Leaf()
		if err != nil {
			return nil, err
		}
		if op.Outcome, err = l.Marshal(); err != nil {
			return nil, err
		}
	}
	op.Hidden, err = e.Private.Marshal()
	return op, err
}

func (*enterOffline) Kind() string { return "offline.reconcile" }
func (op *enterOffline) place(s *state) (org string, err error) {
	err = s.get("offline grant "+op.Grant, []any{&org}, `SELECT org FROM @offline WHERE id = $1`, op.Grant)
	return org, err
}
func (op *enterOffline) check(*state) error {
	return fmt.Errorf("%w: uses that were made offline are entered by Reconcile", ErrOp)
}

func (op *enterOffline) apply(s *state) error {
	u, err := audit.ParseOfflineUse(op.Leaf)
	if err != nil {
		return err
	}
	if err := s.exec(`INSERT INTO @offline_use VALUES ($1, $2, $3, $4, $5, $6, $7)`, op.Grant, int64(op.Number), op.Hash, op.Leaf, op.Verdict, int64(s.index),
		millis(s.time)); err != nil {
		return err
	}
	forked, err := s.exists(`SELECT 1 FROM @offline_use WHERE grant_id = $1 AND number = $2 AND hash <> $3`, op.Grant, int64(op.Number), op.Hash)
	if err != nil {
		return err
	}
	if forked {
		// Those entered as confirmed before the other came to light are not, from now on, nor are those after them.
		if err := s.exec(`UPDATE @offline_use SET verdict = 'forked' WHERE grant_id = $1 AND number > $2 AND verdict = 'confirmed'`, op.Grant, int64(op.Number)); err != nil {
			return err
		}
		if err := s.exec(`UPDATE @offline_use SET verdict = 'twice' WHERE grant_id = $1 AND number = $2 AND verdict = 'confirmed'`, op.Grant, int64(op.Number)); err != nil {
			return err
		}
		if err := s.exec(`UPDATE @offline SET state = 'forked', at = $2 WHERE id = $1 AND state = 'issued'`, op.Grant, millis(s.time)); err != nil {
			return err
		}
	}
	return s.countOffline(op, u)
}

// countOffline enters the use among the uses of the books, where statistics find it. A request that is there already, which a
// device that went its own way can bring about, gets a name of its own.
func (s *state) countOffline(op *enterOffline, u *audit.OfflineUse) error {
	how, ended, endedAt, outcome := Begun, int64(-1), int64(0), ""
	if len(op.Outcome) > 0 {
		o, err := parseOutcome(op.Outcome)
		if err != nil {
			return err
		}
		how, outcome = outcomeText(o)
		ended, endedAt = int64(s.index), millis(o.Time)
	}
	again, err := s.repeatsOffline(op, u)
	if err != nil {
		return err
	}
	if again {
		return s.change("request "+u.Use.Request, `UPDATE @use SET last = $2, ended = $3, ended_at = $4, state = $5, outcome = $6, content = $7, claimed = $8
			WHERE request = $1`,
			u.Use.Request, int64(s.index), ended, endedAt, string(how), outcome, digestOf(u.Use.Content), claimedIn(u.Use))
	}
	request := u.Use.Request
	taken, err := s.exists(`SELECT 1 FROM @use WHERE request = $1`, request)
	if err != nil {
		return err
	}
	if taken {
		request = fmt.Sprintf("%s (offline %s %d %.8s)", request, op.Grant, op.Number, op.Hash)
	}
	private, err := audit.ParsePrivate(op.Hidden)
	if err != nil {
		return err
	}
	document := private["document"].Value
	if document == "" && !audit.Concealed(u.Use.Document) {
		document = u.Use.Document
	}
	day := s.date(u.Use.Time)
	return s.exec(`INSERT INTO @use VALUES ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', $11, $12, $13, $14, $15, $15, $16, $17, $18, -1, 0, '', $19)`,
		int64(s.index), ended, request, u.Use.Seal, document, u.Use.Kind, u.Use.Org, u.Use.Person, u.Use.App, op.Grant, string(u.Use.Format),
		digestOf(u.Use.Source), digestOf(u.Use.Content), millis(u.Use.Time), day, string(how), endedAt, outcome, claimedIn(u.Use))
}

// repeatsOffline reports whether a use is another attempt at one that was entered under the same offline grant and came to no value.
// What a device says to repeat anything else is a use of its own: it takes nothing back.
func (s *state) repeatsOffline(op *enterOffline, u *audit.OfflineUse) (bool, error) {
	if u.Use.Again == nil {
		return false, nil
	}
	return s.exists(`SELECT 1 FROM @use u JOIN @offline_use o ON o.entry = u.last WHERE u.request = $1 AND o.grant_id = $2 AND u.state <> 'done'`,
		u.Use.Request, op.Grant)
}

func parseOutcome(raw []byte) (audit.Outcome, error) {
	leaf, err := audit.ParseLeaf(raw)
	if err != nil {
		return audit.Outcome{}, err
	}
	return audit.ParseOutcome(leaf)
}

// endOffline is the entry of the outcome of a use that had been entered without one.
type endOffline struct {
	Grant   string `books:"filled"`
	Hash    string `books:"filled"`
	Outcome []byte `books:"filled"`
}

func (*endOffline) Kind() string { return "offline.end" }
func (op *endOffline) place(s *state) (org string, err error) {
	return (&enterOffline{Grant: op.Grant}).place(s)
}
func (op *endOffline) check(s *state) error { return (*enterOffline)(nil).check(s) }
func (op *endOffline) apply(s *state) error {
	o, err := parseOutcome(op.Outcome)
	if err != nil {
		return err
	}
	how, outcome := outcomeText(o)
	return s.change("offline use", `UPDATE @use SET ended = $3, ended_at = $4, state = $5, outcome = $6
		WHERE last = (SELECT entry FROM @offline_use WHERE grant_id = $1 AND hash = $2)`, op.Grant, op.Hash, int64(s.index), millis(o.Time), string(how), outcome)
}

// OfflineUses are the uses of an offline grant that are in the books, in their order.
func (r *Registry) OfflineUses(ctx context.Context, grant string) (list []OfflineUse, err error) {
	err = r.read(ctx, func(s *state) error {
		return s.each(`SELECT leaf, verdict, entry FROM @offline_use WHERE grant_id = $1 ORDER BY number, entry`, []any{grant}, func(scan func(...any) error) error {
			var leaf []byte
			var u OfflineUse
			var entry int64
			if err := scan(&leaf, &u.Verdict, &entry); err != nil {
				return err
			}
			parsed, err := audit.ParseOfflineUse(leaf)
			if err != nil {
				return err
			}
			u.OfflineUse, u.Entry = *parsed, uint64(entry)
			list = append(list, u)
			return nil
		})
	})
	return list, err
}

// reconciled says what the books know of a sealing that was made offline: nothing, when its device has not yet sent it.
func (s *state) reconciled(x seal.Sealing, answer *seal.SealingState) error {
	return s.each(`SELECT leaf, verdict, at FROM @offline_use WHERE grant_id = $1 AND number = $2 ORDER BY entry`, []any{x.Grant, int64(x.Number)},
		func(scan func(...any) error) error {
			var leaf []byte
			var verdict string
			var at int64
			if err := scan(&leaf, &verdict, &at); err != nil {
				return err
			}
			u, err := audit.ParseOfflineUse(leaf)
			if err != nil || !sameContent(u.Use.Content, x.Content) {
				return err
			}
			answer.Reconciled = fromMillis(at)
			if verdict != OfflineConfirmed {
				answer.Fault = offlineFaults(verdict)
			}
			return nil
		})
}

// sameContent reports whether two sets of sums have one in common, and none that differs.
func sameContent(a, b sign.Sums) bool {
	same := false
	for h, sum := range a {
		if other, ok := b[h]; ok {
			if !bytes.Equal(sum, other) {
				return false
			}
			same = true
		}
	}
	return same
}

// offlineFaults says verdicts in words.
func offlineFaults(verdict string) string {
	var list []string
	for _, v := range strings.Fields(verdict) {
		list = append(list, map[string]string{
			OfflineExceeded:  "the grant was used up",
			OfflinePeriod:    "it was made outside the period of the grant",
			OfflineOther:     "it is not what was granted",
			OfflineList:      "it was made with a state list that was too old",
			OfflineTwice:     "its number was used twice",
			OfflineForked:    "it comes after a number that was used twice",
			OfflineBroken:    "it does not follow from the use before it",
			OfflineNotActive: "the seal was not active at its time",
		}[v])
	}
	return strings.Join(list, "; ")
}
