package registry

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/courtseal/courtseal/seal"
)

var importRules = []Rule{
	{Kind: "seal.import", Roles: []Role{Maker}, make: func() Op { return new(ImportSeal) }},
}

// ImportSeal enters a seal that was in the world before these books: of any generation, as long as package seal reads it.
// Its entry says that it is imported, and what the old books said; no approval stands behind it here. It takes a maker
// of the root.
type ImportSeal struct {
	DER    Blob
	Org    string
	Type   string
	From   string    // the books it comes from, in words
	State  SealState // by the old books
	At     time.Time // since when it is in that state; zero: now, when nobody knows
	Active time.Time // since when it was active before that, where the old books say so
	Holder string    // a keeper; none: it is in nobody's hands here, until ChangeHolder
	Device string    // the holder's, with a key on it that the seal lists; none: see MoveSeal

	Seal    string `books:"filled"` // esID; filled in
	Name    string `books:"filled"` // filled in
	Digest  string `books:"filled"` // SM3 of DER, hex; filled in
	Checked bool   `books:"filled"` // the maker's signature on the seal is good; filled in
}

func (*ImportSeal) Kind() string                      { return "seal.import" }
func (op *ImportSeal) place(s *state) (string, error) { return s.root() }
func (op *ImportSeal) check(s *state) error {
	if err := need("org", op.Org, "type", op.Type, "from", op.From); err != nil {
		return err
	}
	old, err := op.fill()
	if err != nil {
		return err
	}
	if err := op.checkTimes(s.time); err != nil {
		return err
	}
	if ok, err := s.exists(`SELECT 1 FROM @org WHERE id = $1`, op.Org); err != nil {
		return err
	} else if !ok {
		return fmt.Errorf("%w: organisation %s", ErrUnknown, op.Org)
	}
	if err := op.checkHolder(s); err != nil {
		return err
	}
	return s.absent("seal "+old.ID, `SELECT 1 FROM @seal WHERE id = $1`, old.ID)
}

// fill reads the seal.
func (op *ImportSeal) fill() (*seal.Seal, error) {
	old, err := seal.Parse(op.DER)
	if err != nil {
		return nil, fmt.Errorf("%w: der: %w", ErrOp, err)
	}
	op.Seal, op.Name, op.Digest, op.Checked = old.ID, oneLine(old.Name), CertDigest(op.DER), old.VerifyValue() == nil
	if err := checkSealID(op.Seal); err != nil {
		return nil, err
	}
	return old, need("name of the seal", op.Name)
}

// checkSealID takes the esID of other makers, which are of all kinds: letters of any script, braces. It stands in lists.
func checkSealID(id string) error {
	bad := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	if id == "" || utf8.RuneCountInString(id) > 100 || !utf8.ValidString(id) || strings.ContainsFunc(id, bad) {
		return fmt.Errorf("%w: esID %.100q is empty, has a space, or has more than 100 characters", ErrOp, id)
	}
	return nil
}

// oneLine is a name without the zeros and line breaks that some makers left in it.
func oneLine(name string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "�")))
}

func (op *ImportSeal) checkTimes(now time.Time) error {
	switch op.State {
	case made, delivered, active, lost, suspended, replaced, revoked, void:
	default:
		return fmt.Errorf("%w: state %q", ErrOp, op.State)
	}
	if op.At.IsZero() {
		op.At = now
	}
	// The leaf has milliseconds.
	op.At, op.Active = op.At.UTC().Truncate(time.Millisecond), op.Active.UTC().Truncate(time.Millisecond)
	if op.At.After(now) || op.At.UnixMilli() <= 0 {
		return fmt.Errorf("%w: at %s is in the future, or before 1970", ErrOp, op.At)
	}
	if op.Active.IsZero() {
		return nil
	}
	if !op.Active.Before(op.At) || op.Active.UnixMilli() <= 0 || op.State == active || !active.before(op.State) {
		return fmt.Errorf("%w: active %s is before no state %q at %s", ErrOp, op.Active, op.State, op.At)
	}
	return nil
}

func (op *ImportSeal) checkHolder(s *state) error {
	if op.Holder == "" {
		if op.Device != "" {
			return fmt.Errorf("%w: a device, and no holder", ErrOp)
		}
		return nil
	}
	if err := s.mayKeep(op.Holder, op.Org); err != nil {
		return err
	}
	if op.Device == "" {
		return nil
	}
	if len(steps[op.State]) == 0 || op.State == made {
		return fmt.Errorf("%w: a seal that is %s is on no device", ErrOp, op.State)
	}
	return s.carries(op.Device, op.Holder, op.DER)
}

func (op *ImportSeal) apply(s *state) error {
	if err := s.exec(`INSERT INTO @seal VALUES ($1, $2, $3, $4, $5, '', '', $6, $7, '', '')`,
		op.Seal, op.Name, op.Org, op.Type, string(op.State), op.Digest, []byte(op.DER)); err != nil {
		return err
	}
	reason := "imported from " + op.From
	if !op.Active.IsZero() {
		if err := s.addChange(op.Seal, active, reason, op.Active); err != nil {
			return err
		}
	}
	if err := s.addChange(op.Seal, op.State, reason, op.At); err != nil {
		return err
	}
	return s.hold(op.Seal, op.Holder, op.Device)
}

// An Imported says what became of one item of Import.
type Imported struct {
	Item  int    // counts from 0
	Seal  string // esID, where the item has one
	Entry uint64 // of it
	There bool   // it had been imported before: nothing was done
	Err   error  // it was refused, and the others went on
}

// importers are how many items share a commit.
const importers = 32

// Import enters many seals. It can be started again over the same items after it was stopped: a seal that is there, octet
// for octet, is not entered twice. report is called for each item in its order; what is refused does not stop the others.
// The error is that of items, or of the ledger: then what was not reported may have been entered, and is found when
// Import is started again.
func (r *Registry) Import(ctx context.Context, by Actor, items iter.Seq2[*ImportSeal, error], report func(Imported)) error {
	n := 0
	batch := make([]*ImportSeal, 0, importers)
	flush := func() error {
		list := make([]Imported, len(batch))
		var all sync.WaitGroup
		for i, op := range batch {
			all.Go(func() { list[i] = r.importOne(ctx, by, op) })
		}
		all.Wait()
		batch = batch[:0]
		for _, got := range list {
			if got.Err != nil && !refusal(got.Err) {
				return got.Err
			}
			got.Item = n
			n++
			report(got)
		}
		return nil
	}
	for op, err := range items {
		if err != nil {
			return errors.Join(flush(), err)
		}
		if batch = append(batch, op); len(batch) == importers {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

func (r *Registry) importOne(ctx context.Context, by Actor, op *ImportSeal) (got Imported) {
	old, err := seal.Parse(op.DER)
	if err != nil {
		got.Err = fmt.Errorf("%w: der: %w", ErrOp, err)
		return got
	}
	got.Seal = old.ID
	receipt, err := r.Do(ctx, by, op)
	got.Entry, got.Err = receipt.Index, err
	if errors.Is(err, ErrExists) {
		if there, entry, e := r.imported(ctx, old.ID, CertDigest(op.DER)); e != nil {
			got.Err = e
		} else if there {
			got.There, got.Entry, got.Err = true, entry, nil
		}
	}
	return got
}

// imported reports whether a seal is in the books with this digest, and the entry that brought it there.
func (r *Registry) imported(ctx context.Context, id, digest string) (there bool, entry uint64, err error) {
	err = r.read(ctx, func(s *state) error {
		if there, err = s.exists(`SELECT 1 FROM @seal WHERE id = $1 AND digest = $2`, id, digest); err != nil || !there {
			return err
		}
		return s.get("seal "+id, []any{&entry}, `SELECT MIN(entry) FROM @change WHERE seal = $1`, id)
	})
	return there, entry, err
}

// refusal reports whether an error is the registry's answer, and not a failure.
func refusal(err error) bool {
	for _, e := range []error{ErrRights, ErrState, ErrLimit, ErrUnknown, ErrExists, ErrOp} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
