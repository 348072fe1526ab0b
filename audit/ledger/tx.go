package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/courtseal/courtseal/audit"
)

// A Tx is the transaction in which a function of Do or Read runs, and lives as long as that. Placeholders are $1, $2 … on
// every database.
//
// A statement that has begun is not interrupted when its context ends: that would take back what others did in the same batch.
type Tx struct {
	l     *Log
	q     *sql.Conn
	ctx   context.Context // of the statements
	b     *batch          // nil: it reads
	used  bool            // there was a statement, behind the savepoint
	over  bool
	doubt bool // a statement failed, and may have taken the transaction with it
	lost  bool // it did
	rows  []*sql.Rows
	open  map[string]*sql.Rows // the last ones of compiled statements, by query
	time  time.Time
	index uint64

	own []map[string]string // what leaves of the log's own kinds must say
}

// ready sees to the savepoint before the first statement.
func (tx *Tx) ready(ctx context.Context) error {
	switch {
	case tx.over:
		return sql.ErrTxDone
	case ctx.Err() != nil:
		return ctx.Err()
	case tx.b == nil:
		return nil
	case tx.used:
		return tx.there()
	}
	if !tx.b.saved {
		if _, err := tx.q.ExecContext(tx.ctx, "SAVEPOINT ledger_call"); err != nil {
			return err
		}
	}
	tx.used, tx.b.saved = true, true
	return nil
}

var errLost = errors.New("ledger: a statement failed, and the database took the whole transaction back")

// there holds up what would be done behind the end of the transaction. SQLite takes one back on some errors, such as a full disk, and then
// commits each statement by itself. PostgreSQL does nothing more until somebody rolls back.
func (tx *Tx) there() error {
	if tx.l.o.Dialect != SQLite {
		return nil
	}
	tx.rows = slices.DeleteFunc(tx.rows, func(r *sql.Rows) bool {
		tx.doubt = tx.doubt || r.Err() != nil
		_, closed := r.Columns()
		return closed != nil
	})
	if tx.doubt && !tx.lost {
		_, err := tx.q.ExecContext(tx.ctx, "BEGIN") // within a transaction that is an error, and changes nothing
		tx.lost, tx.doubt = err == nil, false
	}
	if tx.lost {
		return errLost
	}
	return nil
}

// ExecContext is that of sql.Tx.
func (tx *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if tx.b == nil {
		return nil, ErrReadOnly
	}
	if err := tx.ready(ctx); err != nil {
		return nil, err
	}
	var result sql.Result
	var err error
	if stmt := tx.statement(query); stmt != nil {
		result, err = stmt.ExecContext(tx.ctx, args...)
	} else {
		result, err = tx.q.ExecContext(tx.ctx, query, args...)
	}
	tx.doubt = tx.doubt || err != nil
	return result, err
}

// QueryContext is that of sql.Tx. Rows that are still open when the function returns are closed.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := tx.ready(ctx); err != nil {
		return nil, err
	}
	stmt := tx.statement(query)
	if stmt == nil {
		rows, err := tx.q.QueryContext(tx.ctx, query, args...)
		if err == nil {
			tx.rows = append(tx.rows, rows)
		}
		tx.doubt = tx.doubt || err != nil
		return rows, err
	}
	rows, err := stmt.QueryContext(tx.ctx, args...)
	tx.doubt = tx.doubt || err != nil
	if err == nil {
		if tx.open == nil {
			tx.open = map[string]*sql.Rows{}
		}
		tx.rows, tx.open[query] = append(tx.rows, rows), rows
	}
	return rows, err
}

// QueryRowContext is that of sql.Tx. The Row must be scanned.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := tx.ready(ctx); err != nil {
		return tx.l.db.QueryRowContext(failed{tx.ctx, err}, query, args...) // the one way to a Row with an error; no connection is used
	}
	var row *sql.Row
	if stmt := tx.statement(query); stmt != nil {
		row = stmt.QueryRowContext(tx.ctx, args...)
	} else {
		row = tx.q.QueryRowContext(tx.ctx, query, args...)
	}
	tx.doubt = tx.doubt || row.Err() != nil
	return row
}

// failed is a context that has ended with an error of ours.
type failed struct {
	context.Context
	err error
}

var ended = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (failed) Done() <-chan struct{} { return ended }
func (f failed) Err() error          { return f.err }

// Time is the time of the entries of this call: that of the clock, in UTC and milliseconds, and never before that of the last entry.
func (tx *Tx) Time() time.Time { return tx.time }

// Index is the index that the first entry of this call will have; of a Tx that reads, the number of entries.
func (tx *Tx) Index() uint64 { return tx.index }

// Dialect is that of the database.
func (tx *Tx) Dialect() Dialect { return tx.l.o.Dialect }

// Origin is the name of the log.
func (tx *Tx) Origin() string { return tx.l.o.Origin }

// Profile is the hash of the log.
func (tx *Tx) Profile() audit.Profile { return tx.l.profile }

// close ends the use of the Tx.
func (tx *Tx) close() {
	tx.over = true
	for _, r := range tx.rows {
		r.Close()
	}
}

// clamp is the time of the next entry.
func clamp(now, last time.Time) (time.Time, error) {
	now = now.UTC().Round(0).Truncate(time.Millisecond)
	switch {
	case !now.Before(last):
		return now, nil
	case last.Sub(now) > MaxBackwards:
		return now, fmt.Errorf("%w: it says %s, and the last entry is of %s; set it right", ErrClock, FormatTime(now), FormatTime(last))
	}
	return last, nil
}

const (
	timeField  = "time"
	timeFormat = "2006-01-02T15:04:05.000Z" // as package audit writes it
)

// FormatTime writes a time as the field "time" of a leaf has it.
func FormatTime(t time.Time) string { return t.UTC().Format(timeFormat) }

// timeOf reads the field "time".
func timeOf(leaf audit.Leaf) (time.Time, error) {
	text, ok := leaf.Fields[timeField]
	if !ok {
		return time.Time{}, errors.New("the leaf has no time")
	}
	t, err := time.Parse(timeFormat, text)
	if err != nil || FormatTime(t) != text {
		return time.Time{}, fmt.Errorf("the time of the leaf, %.40q, is none such as 2026-01-31T09:30:00.000Z", text)
	}
	return t, nil
}

func leafTime(leaf []byte) (time.Time, error) {
	l, err := audit.ParseLeaf(leaf)
	if err != nil {
		return time.Time{}, err
	}
	return timeOf(l)
}
