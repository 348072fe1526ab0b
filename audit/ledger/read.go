package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"github.com/courtseal/courtseal/audit"
)

// Read runs f in a transaction that reads: f sees one state of the database, which a batch under way does not change, and
// does not hold up the writer. ExecContext of tx is ErrReadOnly. Within the function of a Do use its own Tx.
//
// What f sees is committed; that it was acknowledged is sure only of what a Do of this log has seen.
func (l *Log) Read(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	return l.inSnapshot(ctx, func(conn *sql.Conn) error {
		row, err := readHead(ctx, conn, "")
		if err != nil {
			return err
		}
		tx := &Tx{l: l, q: conn, ctx: ctx, index: row.size}
		defer tx.close()
		if row.size > 0 {
			last, err := tx.Entry(ctx, row.size-1)
			if err != nil {
				return err
			}
			if tx.time, err = leafTime(last.Leaf); err != nil {
				return fmt.Errorf("%w: entry %d: %w", ErrDamaged, last.Index, err)
			}
		}
		if now, err := clamp(l.o.Now(), tx.time); err == nil {
			tx.time = now
		}
		return f(ctx, tx)
	})
}

// Checkpoint is the newest head of the log, as a signed note; of a log that is written to, the newest that was acknowledged.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	h, err := l.current(ctx, 0)
	if err != nil {
		return nil, err
	}
	return h.note, nil
}

// current is an acknowledged head with so many entries or more, if there is one.
func (l *Log) current(ctx context.Context, size uint64) (*head, error) {
	if l.o.ReadOnly {
		var h *head
		err := l.Read(ctx, func(ctx context.Context, tx *Tx) error {
			row, err := readHead(ctx, tx, "")
			if err != nil {
				return err
			}
			h, err = l.load(ctx, tx, row)
			return err
		})
		return h, err
	}
	acked := func() *head {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.acked
	}
	if h := acked(); h != nil && h.size >= size {
		return h, nil
	}
	// A batch of nothing sees what other processes, or a call that ended in ErrUnacknowledged, have left.
	if _, err := l.Do(ctx, func(context.Context, *Tx) ([]Entry, error) { return nil, nil }); err != nil {
		return nil, err
	}
	return acked(), nil
}

// Entry reads an entry.
func (l *Log) Entry(ctx context.Context, index uint64) (Entry, error) {
	return one(readEntries(ctx, l.db, index, index+1), index)
}

// Entries reads the entries from index from on, in their order. It reads them in pages, and holds no transaction between: those that are
// appended meanwhile are among them. An error ends it.
func (l *Log) Entries(ctx context.Context, from uint64) iter.Seq2[Entry, error] {
	return readEntries(ctx, l.db, from, audit.MaxTree)
}

// Entry reads an entry, also one of the running batch.
func (tx *Tx) Entry(ctx context.Context, index uint64) (Entry, error) {
	return one(tx.entries(ctx, index, index+1), index)
}

// Entries reads the entries from index from on, in their order, also those of earlier calls in the running batch. Other
// statements may run between. An error ends it.
func (tx *Tx) Entries(ctx context.Context, from uint64) iter.Seq2[Entry, error] {
	return tx.entries(ctx, from, audit.MaxTree)
}

func (tx *Tx) entries(ctx context.Context, from, to uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for e, err := range readEntries(ctx, tx, from, to) {
			if !yield(e, err) || err != nil {
				return
			}
		}
		if tx.b == nil {
			return
		}
		for _, r := range tx.b.rows {
			if r.idx >= from && r.idx < to && !yield(Entry{Index: r.idx, Leaf: r.leaf, Private: r.private}, nil) {
				return
			}
		}
	}
}

func one(entries iter.Seq2[Entry, error], index uint64) (Entry, error) {
	for e, err := range entries {
		return e, err
	}
	return Entry{}, fmt.Errorf("%w: %d", ErrNoEntry, index)
}

// pageSize is the number of entries that are read at once.
const pageSize = 256

func readEntries(ctx context.Context, q queryer, from, to uint64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for next := from; next < min(to, audit.MaxTree); {
			page, err := readPage(ctx, q, next, min(to-next, pageSize))
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range page {
				if e.Index != next {
					yield(Entry{}, fmt.Errorf("%w: entry %d is missing", ErrDamaged, next))
					return
				}
				if !yield(e, nil) {
					return
				}
				next++
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

func readPage(ctx context.Context, q queryer, from, n uint64) ([]Entry, error) {
	rows, err := q.QueryContext(ctx, `SELECT idx, leaf, private FROM ledger_entry WHERE idx >= $1 ORDER BY idx LIMIT $2`, int64(from), int64(n))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []Entry
	for rows.Next() {
		var idx int64
		var e Entry
		if err := rows.Scan(&idx, &e.Leaf, &e.Private); err != nil {
			return nil, err
		}
		e.Index = uint64(idx)
		page = append(page, e)
	}
	return page, rows.Err()
}

// Nodes reads hashes of the tree: a Log is an audit.NodeReader.
func (l *Log) Nodes(ctx context.Context, ids []audit.NodeID) ([]audit.Hash, error) {
	return nodes{l.db}.Nodes(ctx, ids)
}

// Receipt proves that an entry is in the newest acknowledged head.
func (l *Log) Receipt(ctx context.Context, index uint64) (audit.Receipt, error) {
	h, err := l.current(ctx, index+1)
	if err != nil {
		return audit.Receipt{}, err
	}
	e, err := l.Entry(ctx, index)
	if err != nil {
		return audit.Receipt{}, err
	}
	proof, err := audit.ProveInclusion(ctx, l.profile, nodes{l.db}, index, h.size)
	return audit.Receipt{Index: index, Leaf: e.Leaf, Proof: proof, Checkpoint: h.note}, err
}

// Consistency proves that the newest acknowledged head has grown from the tree of the first size entries. It returns the
// proof and that head.
func (l *Log) Consistency(ctx context.Context, size uint64) ([]audit.Hash, []byte, error) {
	h, err := l.current(ctx, size)
	if err != nil {
		return nil, nil, err
	}
	proof, err := audit.ProveConsistency(ctx, l.profile, nodes{l.db}, size, h.size)
	return proof, h.note, err
}
