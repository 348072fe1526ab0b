package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/courtseal/courtseal/audit"
)

// A Report says what Verify has found.
type Report struct {
	Origin     string
	Checkpoint []byte // the head, as it stands in ledger_head
	Size       uint64 // entries that the head names
	Root       audit.Hash
	Epoch      uint64
	Entries    uint64 // that were read
	Redacted   uint64 // private values that were taken out, each with its entry that says so
	Witnessed  uint64 // size of the head that the witness saw last; 0 without

	Problems []Problem // at most 1,000
	More     uint64    // problems that are not in Problems
	// Unchecked is what could not be checked for lack of keys.
	Unchecked []string
}

// A Problem is a place where the store is not what it was.
type Problem struct {
	Table string // ledger_head or ledger_entry
	Index int64  // of the entry; -1 where it is of none
	What  string
}

func (p Problem) String() string {
	if p.Index < 0 {
		return p.Table + ": " + p.What
	}
	return fmt.Sprintf("%s %d: %s", p.Table, p.Index, p.What)
}

// Err is nil if nothing was found and all was checked; else it wraps ErrDamaged, ErrForked (the witness has seen another
// tree) or audit.ErrUnknownLog (a signature could not be checked).
func (r *Report) Err() error {
	switch {
	case len(r.Problems) > 0:
		kind := ErrDamaged
		if strings.HasPrefix(r.Problems[0].What, witnessSaw) {
			kind = ErrForked
		}
		return fmt.Errorf("%w: %s (problems: %d)", kind, r.Problems[0], uint64(len(r.Problems))+r.More)
	case len(r.Unchecked) > 0:
		return fmt.Errorf("%w: %s", audit.ErrUnknownLog, strings.Join(r.Unchecked, "; "))
	}
	return nil
}

const (
	mostProblems = 1000
	witnessSaw   = "the witness saw "
)

func (r *Report) found(table string, index int64, format string, args ...any) {
	if len(r.Problems) == mostProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, Problem{table, index, fmt.Sprintf(format, args...)})
}

// Verify reads the whole ledger in db, in one snapshot, and checks everything that it holds: each leaf against its hash, each hash of
// the tree, that no entry is missing, moved or too many, the order of times, private values against their leaves and
// redactions against the entries that tell of them, and the head: its signatures, its root, and that the tree has grown from what the witness saw.
// Whoever changes a byte of it without the keys of the log is found out; whoever has the keys, by the witness.
//
// It needs no log that Open would open: Origin, Keys or Signers, and perhaps Witness, are taken from o. progress, if not nil,
// is told of the entries read and of all. The error says that the ledger could not be read, or is another one; the answer is in the Report.
func Verify(ctx context.Context, db *sql.DB, o Options, progress func(done, total uint64)) (*Report, error) {
	o.ReadOnly = true
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	l, err := newLog(db, o)
	if err != nil {
		return nil, err
	}
	v := &verifier{l: l, report: &Report{Origin: o.Origin}, progress: progress, redacted: map[string]bool{}}
	if err := v.witness(ctx); err != nil { // before the snapshot: what it saw is in there
		return nil, err
	}
	if err := l.inSnapshot(ctx, func(conn *sql.Conn) error { return v.all(ctx, conn) }); err != nil {
		return nil, err
	}
	return v.report, nil
}

// Verify is the function Verify of this log.
func (l *Log) Verify(ctx context.Context, progress func(done, total uint64)) (*Report, error) {
	return Verify(ctx, l.db, l.o, progress)
}

type verifier struct {
	l        *Log
	report   *Report
	progress func(done, total uint64)
	seen     *audit.Checkpoint // by the witness
	seenNote []byte
	frontier audit.Frontier
	last     time.Time
	epoch    uint64
	redacted map[string]bool // "index name" of values that are not there; false once an entry has told of it
}

func (v *verifier) witness(ctx context.Context) error {
	if v.l.o.Witness == nil {
		return nil
	}
	note, err := v.l.o.Witness.Last(ctx)
	if err != nil || note == nil {
		return err
	}
	c, err := v.l.openNote(note)
	if err != nil {
		return fmt.Errorf("%w: what it saw last: %w", ErrWitness, err)
	}
	v.seen, v.seenNote, v.report.Witnessed = &c, note, c.Size
	return nil
}

func (v *verifier) all(ctx context.Context, q queryer) error {
	there, err := v.l.o.Dialect.hasTables(ctx, q)
	if err != nil {
		return err
	}
	if !there {
		return ErrNoLedger
	}
	if err := v.head(ctx, q); err != nil {
		return err
	}
	if v.frontier, err = audit.NewFrontier(ctx, v.l.profile, nil, 0); err != nil {
		return err
	}
	v.epoch = 1
	v.compareSeen()
	if err := v.entries(ctx, q); err != nil {
		return err
	}
	return v.end(ctx, q)
}

// head reads ledger_head and checks what it says of itself.
func (v *verifier) head(ctx context.Context, q queryer) error {
	r := v.report
	var rows int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM ledger_head`).Scan(&rows); err != nil {
		return err
	}
	if rows != 1 {
		r.found("ledger_head", -1, "it has %d rows", rows)
	}
	row, err := readHead(ctx, q, "")
	if errors.Is(err, ErrDamaged) {
		r.found("ledger_head", -1, "%s", err)
	} else if err != nil {
		return err
	}
	r.Checkpoint, r.Epoch, r.Size = row.note, row.epoch, row.size
	c, note, err := audit.OpenCheckpoint(row.note, v.l.o.Keys...)
	switch {
	case errors.Is(err, audit.ErrUnknownLog):
		r.Unchecked = append(r.Unchecked, fmt.Sprintf("the signature of the head: %s", err))
		if c, err = unsigned(row.note); err != nil {
			r.found("ledger_head", -1, "note: %s", err)
			return nil
		}
	case err != nil:
		r.found("ledger_head", -1, "note: %s", err)
		return nil
	default:
		if lines := bytes.Count(row.note[len(note.Text):], []byte("\n")) - 1; lines != len(note.By) {
			r.Unchecked = append(r.Unchecked, fmt.Sprintf("the head has %d signatures, and %d are of known keys", lines, len(note.By)))
		}
	}
	if c.Origin != r.Origin {
		return fmt.Errorf("%w: %q", ErrOrigin, c.Origin)
	}
	if c.Size != row.size {
		r.found("ledger_head", -1, "size is %d, and the note is of %d", row.size, c.Size)
	}
	r.Size, r.Root = c.Size, c.Root
	return nil
}

// unsigned reads the checkpoint of a note that no known key has signed.
func unsigned(note []byte) (audit.Checkpoint, error) {
	text, _, _ := bytes.Cut(note, []byte("\n\n"))
	return audit.ParseCheckpoint(append(bytes.Clone(text), '\n'))
}

// entries reads ledger_entry from the smallest index to the largest.
func (v *verifier) entries(ctx context.Context, q queryer) error {
	var first sql.NullInt64
	if err := q.QueryRowContext(ctx, `SELECT min(idx) FROM ledger_entry`).Scan(&first); err != nil {
		return err
	}
	next := int64(0)
	for from, more := first.Int64, first.Valid; more; {
		page, err := verifyPage(ctx, q, from)
		if err != nil {
			return err
		}
		for _, r := range page {
			v.report.Entries++
			switch {
			case r.idx < 0 || uint64(r.idx) >= v.report.Size:
				v.report.found("ledger_entry", r.idx, "the head is of %d entries", v.report.Size)
			case r.idx > next:
				v.report.found("ledger_entry", next, "missing: after it comes %d", r.idx)
			}
			v.entry(r)
			next = r.idx + 1
			from = next
		}
		if more = len(page) == pageSize; v.progress != nil {
			v.progress(v.report.Entries, v.report.Size)
		}
	}
	return nil
}

type storedRow struct {
	idx                   int64
	hashes, leaf, private []byte
	length                int // of private; -1: NULL
}

func verifyPage(ctx context.Context, q queryer, from int64) ([]storedRow, error) {
	rows, err := q.QueryContext(ctx, `SELECT idx, hashes, leaf, private, COALESCE(length(private), -1)
		FROM ledger_entry WHERE idx >= $1 ORDER BY idx LIMIT $2`, from, pageSize)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	page := make([]storedRow, 0, pageSize)
	for rows.Next() {
		var r storedRow
		if err := rows.Scan(&r.idx, &r.hashes, &r.leaf, &r.private, &r.length); err != nil {
			return nil, err
		}
		page = append(page, r)
	}
	return page, rows.Err()
}

// entry checks a row. The tree is built of the leaves, so it is the tree of what is there; a row that is missing or wrong shows
// in the root too.
func (v *verifier) entry(r storedRow) {
	rep, idx := v.report, r.idx
	at := v.frontier.Size()
	done := v.frontier.Append(v.l.profile.LeafHash(r.leaf))
	if uint64(idx) == at {
		want := make([]byte, 0, len(done)*audit.HashSize)
		for _, h := range done {
			want = append(want, h[:]...)
		}
		switch {
		case len(r.hashes) != len(want):
			rep.found("ledger_entry", idx, "it has %d bytes of hashes, and completes subtrees for %d", len(r.hashes), len(want))
		case !bytes.Equal(r.hashes[:audit.HashSize], want[:audit.HashSize]):
			rep.found("ledger_entry", idx, "the leaf does not have the hash beside it")
		case !bytes.Equal(r.hashes, want):
			rep.found("ledger_entry", idx, "a hash of the tree is not that of the leaves below it")
		}
	}
	v.compareSeen()
	leaf, err := audit.ParseLeaf(r.leaf)
	if err != nil {
		rep.found("ledger_entry", idx, "%s", err)
		return
	}
	if t, err := timeOf(leaf); err != nil {
		rep.found("ledger_entry", idx, "%s", err)
	} else {
		if t.Before(v.last) {
			rep.found("ledger_entry", idx, "its time %s is before that of the entry before, %s", FormatTime(t), FormatTime(v.last))
		}
		v.last = t
	}
	if r.length == 0 {
		rep.found("ledger_entry", idx, "private is empty, and not NULL")
	}
	v.private(idx, leaf, r.private)
	v.own(idx, leaf)
}

func (v *verifier) private(idx int64, leaf audit.Leaf, b []byte) {
	private, err := checkPrivate(v.l.profile, leaf, b)
	if err != nil {
		v.report.found("ledger_entry", idx, "private: %s", err)
	}
	for name, s := range private {
		if s.Redacted() {
			v.redacted[fmt.Sprint(idx, " ", name)] = true
		}
	}
}

// own follows the leaves of the log's own kinds.
func (v *verifier) own(idx int64, leaf audit.Leaf) {
	switch {
	case leaf.Kind == KindRedact:
		r, err := parseRedaction(leaf)
		if err != nil {
			v.report.found("ledger_entry", idx, "%s", err)
			return
		}
		for _, name := range r.names {
			key := fmt.Sprint(r.entry, " ", name)
			if untold, gone := v.redacted[key]; !gone {
				v.report.found("ledger_entry", int64(r.entry), "%q was redacted by entry %d, and is there", name, idx)
			} else if untold {
				v.report.Redacted++
				v.redacted[key] = false
			}
		}
	case leaf.Kind == KindEpoch:
		v.epoch++
		if leaf.Fields["epoch"] != fmt.Sprint(v.epoch) {
			v.report.found("ledger_entry", idx, "epoch %q where %d is next", leaf.Fields["epoch"], v.epoch)
		}
	case strings.HasPrefix(leaf.Kind, kindsOwn):
		v.report.found("ledger_entry", idx, "kind %q is none of the log's own", leaf.Kind)
	}
}

// compareSeen compares the tree with what the witness saw, when it has come to that size.
func (v *verifier) compareSeen() {
	if v.seen == nil || v.frontier.Size() != v.seen.Size {
		return
	}
	if v.frontier.Root() != v.seen.Root {
		v.report.found("ledger_entry", -1, witnessSaw+"other entries: the first %d have another root", v.seen.Size)
	}
}

func (v *verifier) end(ctx context.Context, q queryer) error {
	r := v.report
	var rows uint64
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM ledger_entry`).Scan(&rows); err != nil {
		return err
	}
	switch {
	case rows != r.Entries:
		r.found("ledger_entry", -1, "it has %d rows, and %d different indexes", rows, r.Entries)
	case v.frontier.Size() != r.Size:
		r.found("ledger_entry", -1, "it has %d entries, and the head is of %d", v.frontier.Size(), r.Size)
	case v.frontier.Root() != r.Root:
		r.found("ledger_head", -1, "the entries have another root")
	}
	if v.seen != nil && v.seen.Size > r.Size {
		r.Problems = append([]Problem{{"ledger_head", -1, fmt.Sprintf(witnessSaw+"%d entries, and the head is of %d", v.seen.Size, r.Size)}}, r.Problems...)
	}
	if v.seen != nil && v.seen.Size == r.Size && v.seen.Root == r.Root && !bytes.Equal(v.seenNote, r.Checkpoint) {
		r.found("ledger_head", -1, "note has other signatures than the witness saw") // each size is signed once
	}
	if v.epoch != r.Epoch {
		r.found("ledger_head", -1, "epoch is %d, and the entries say %d", r.Epoch, v.epoch)
	}
	for key, untold := range v.redacted {
		if untold {
			idx, name, _ := strings.Cut(key, " ")
			r.found("ledger_entry", -1, "entry %s: the private value %q was taken out, and no entry says so", idx, name)
		}
	}
	return nil
}
