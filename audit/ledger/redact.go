package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/audit"
)

// Kinds of leaves that begin with "ledger." are the log's own. Both have the time; who makes a redaction may add fields.
const (
	// KindRedact says that values were taken out of Entry.Private: "entry" is the index of that entry, "names" are the fields,
	// with a space between.
	KindRedact = "ledger.redact"
	// KindEpoch says that a writer has taken over: "epoch" is the new one.
	KindEpoch = "ledger.epoch"

	kindsOwn = "ledger."
)

// Redact takes the values of these fields out of the private part of an entry, and returns the leaf that says so, which must be among the
// entries that the function returns; fields may be added, such as the reason. The tree still proves the entry. What was
// taken out may remain in backups, in the database's own log, and in free room of its files until that is used again.
func (tx *Tx) Redact(ctx context.Context, index uint64, names ...string) (audit.Leaf, error) {
	if tx.b == nil {
		return audit.Leaf{}, ErrReadOnly
	}
	if index >= tx.b.base.size {
		return audit.Leaf{}, fmt.Errorf("%w: %d, before this batch", ErrNoEntry, index)
	}
	e, err := tx.Entry(ctx, index)
	if err != nil {
		return audit.Leaf{}, err
	}
	private, err := audit.ParsePrivate(e.Private)
	if err != nil {
		return audit.Leaf{}, fmt.Errorf("%w: entry %d: %w", ErrDamaged, index, err)
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	for _, name := range names {
		if s, ok := private[name]; !ok || s.Redacted() {
			return audit.Leaf{}, fmt.Errorf("%w: entry %d has no private value %q", ErrNoEntry, index, name)
		}
	}
	if len(names) == 0 {
		return audit.Leaf{}, fmt.Errorf("%w: nothing is named that is to be redacted", ErrNoEntry)
	}
	private.Redact(names...)
	b, err := private.Marshal()
	if err != nil {
		return audit.Leaf{}, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE ledger_entry SET private = $1 WHERE idx = $2`, b, int64(index)); err != nil {
		return audit.Leaf{}, err
	}
	r := redaction{index, names}
	tx.own = append(tx.own, r.fields())
	return audit.Leaf{Kind: KindRedact, Fields: r.fields(timeField, FormatTime(tx.time))}, nil
}

type redaction struct {
	entry uint64
	names []string
}

func (r redaction) fields(more ...string) map[string]string {
	f := map[string]string{"entry": fmt.Sprint(r.entry), "names": strings.Join(r.names, " ")}
	for i := 0; i < len(more); i += 2 {
		f[more[i]] = more[i+1]
	}
	return f
}

func parseRedaction(l audit.Leaf) (redaction, error) {
	n, err := strconv.ParseUint(l.Fields["entry"], 10, 64)
	r := redaction{n, strings.Split(l.Fields["names"], " ")}
	if err != nil || l.Fields["entry"] != fmt.Sprint(n) || l.Fields["names"] == "" || !slices.IsSorted(r.names) {
		return r, errors.New("entry or names of a redaction are malformed")
	}
	return r, nil
}

// checkOwn holds the leaves of a call that are of the log's own kinds to what the call has done.
func (tx *Tx) checkOwn(leaves []audit.Leaf) error {
	todo := slices.Clone(tx.own)
	for _, l := range leaves {
		if !strings.HasPrefix(l.Kind, kindsOwn) {
			continue
		}
		i := slices.IndexFunc(todo, func(want map[string]string) bool {
			for name, value := range want {
				if l.Fields[name] != value {
					return false
				}
			}
			return true
		})
		if i < 0 {
			return fmt.Errorf("%w: kind %q is the log's own", ErrLeaf, l.Kind)
		}
		todo = slices.Delete(todo, i, i+1)
	}
	if len(todo) > 0 {
		return fmt.Errorf("%w: there was a redaction, and its leaf is not among the entries", ErrLeaf)
	}
	return nil
}

// checkPrivate compares private values with the leaf that conceals them.
func checkPrivate(p audit.Profile, leaf audit.Leaf, b []byte) (audit.Private, error) {
	private, err := audit.ParsePrivate(b)
	if err != nil {
		return nil, err
	}
	return private, private.Check(p, leaf)
}

// takeOver raises the epoch, so that every other process that has the log open to write ends with ErrFenced.
func (l *Log) takeOver(ctx context.Context) error {
	epoch := fmt.Sprint(l.epoch + 1)
	_, err := l.Do(ctx, func(ctx context.Context, tx *Tx) ([]Entry, error) {
		if _, err := tx.ExecContext(ctx, `UPDATE ledger_head SET epoch = epoch + 1 WHERE id = 1`); err != nil {
			return nil, err
		}
		tx.own = append(tx.own, map[string]string{"epoch": epoch})
		leaf, err := audit.Leaf{Kind: KindEpoch, Fields: map[string]string{"epoch": epoch, timeField: FormatTime(tx.time)}}.Marshal()
		return []Entry{{Leaf: leaf}}, err
	})
	if err == nil {
		l.epoch++ // the writer reads it again with the next call, which begins after this
	}
	return err
}
