package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

// A state is the books inside one transaction, seen by one operation. Queries name tables with an @ before them, which
// stands for the books' prefix: a replay has tables of its own.
type state struct {
	ctx    context.Context
	tx     *ledger.Tx
	prefix string

	actor Actor
	time  time.Time  // of the entry
	index uint64     // of the entry
	leaf  audit.Hash // of the entry being applied

	request    string // that the operation is done for; empty: none
	delegation string // under which the operation is done; empty: by a right of the actor's own
}

// Prefixes of the tables of the books, and of those a replay fills.
const (
	tables = "reg_"
	shadow = "chk_"
)

func (r *Registry) state(ctx context.Context, tx *ledger.Tx, by Actor, prefix string) *state {
	return &state{ctx: ctx, tx: tx, prefix: prefix, actor: by, time: tx.Time(), index: tx.Index()}
}

// apply gives an entry its effects. leaf and private are what the ledger keeps.
func (s *state) apply(raw, hidden []byte) error {
	leaf, err := audit.ParseLeaf(raw)
	if err != nil {
		return err
	}
	s.leaf = s.tx.Profile().LeafHash(raw)
	private, err := audit.ParsePrivate(hidden)
	if err != nil {
		return err
	}
	if f, ok := uses[leaf.Kind]; ok {
		return f(s, leaf, private)
	}
	if leaf.Kind == ledger.KindEpoch {
		return nil // the ledger's own
	}
	if s.actor, err = parseActor(leaf.Fields["actor"]); err != nil {
		return err
	}
	if s.time, err = time.Parse(time.RFC3339Nano, leaf.Fields["time"]); err != nil {
		return err
	}
	s.delegation = leaf.Fields[under]
	op, err := decode(leaf, private)
	if err != nil {
		return err
	}
	if err := op.apply(s); err != nil {
		return err
	}
	if err := s.enterRequest(leaf.Fields[requested]); err != nil {
		return err
	}
	return s.spend(op)
}

// queries keeps the queries with their prefix in place.
var queries sync.Map // prefix + query -> string

func (s *state) sql(query string) string {
	key := s.prefix + query
	if q, ok := queries.Load(key); ok {
		return q.(string)
	}
	q := strings.ReplaceAll(query, "@", s.prefix)
	queries.Store(key, q)
	return q
}

// exec runs a statement. Placeholders are $1, $2, …
func (s *state) exec(query string, args ...any) error {
	_, err := s.tx.ExecContext(s.ctx, s.sql(query), args...)
	return err
}

// change runs a statement that must change exactly one row: what it names is ErrUnknown otherwise.
func (s *state) change(what, query string, args ...any) error {
	res, err := s.tx.ExecContext(s.ctx, s.sql(query), args...)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("%w: %s", ErrUnknown, what), err)
	}
	return nil
}

// get reads one row; none is ErrUnknown with the name of what was looked for.
func (s *state) get(what string, dest []any, query string, args ...any) error {
	if err := texts(args); err != nil {
		return err
	}
	err := s.tx.QueryRowContext(s.ctx, s.sql(query), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("%w: %s", ErrUnknown, what)
	}
	return err
}

// exists reports whether a query has a row.
func (s *state) exists(query string, args ...any) (bool, error) {
	if err := texts(args); err != nil {
		return false, err
	}
	var one int
	err := s.tx.QueryRowContext(s.ctx, s.sql(query), args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// absent is ErrExists when a query has a row.
func (s *state) absent(what, query string, args ...any) error {
	there, err := s.exists(query, args...)
	if err == nil && there {
		return fmt.Errorf("%w: %s", ErrExists, what)
	}
	return err
}

// each calls f for every row of a query; f scans it.
func (s *state) each(query string, args []any, f func(scan func(...any) error) error) error {
	if err := texts(args); err != nil {
		return err
	}
	rows, err := s.tx.QueryContext(s.ctx, s.sql(query), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// texts asks that strings are text: PostgreSQL takes nothing else, and what is asked for may come from anywhere.
func texts(args []any) error {
	for _, a := range args {
		if text, ok := a.(string); ok && (!utf8.ValidString(text) || strings.ContainsRune(text, 0)) {
			return fmt.Errorf("%w: %.80q is no text", ErrOp, text)
		}
	}
	return nil
}

// strings are the values of a query of one column.
func (s *state) strings(query string, args ...any) (list []string, err error) {
	err = s.each(query, args, func(scan func(...any) error) error {
		var v string
		list = append(list, "")
		err := scan(&v)
		list[len(list)-1] = v
		return err
	})
	return list, err
}

// millis is how times stand in tables: milliseconds since 1970, 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// date is the day, in Zone, that t falls on, as a number: 20260131.
func (s *state) date(t time.Time) int64 {
	y, m, d := t.In(Zone).Date()
	return int64(y)*10000 + int64(m)*100 + int64(d)
}

// IDs are chosen by the caller, stand in lists and addresses, and are shown in logs.
var idForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._:/-]{0,99}$`)

func checkID(field, id string) error {
	if !idForm.MatchString(id) {
		return fmt.Errorf("%w: %s %q: an ID is up to 100 letters, digits and ._:/- and begins with a letter or digit", ErrOp, field, id)
	}
	return nil
}

// need is ErrOp for the first of the fields that is empty: need("seal", op.Seal, "reason", op.Reason).
func need(pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return fmt.Errorf("%w: %s is missing", ErrOp, pairs[i])
		}
	}
	return nil
}
