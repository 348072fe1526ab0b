package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/courtseal/courtseal/audit"
)

// A Dialect is the kind of a database.
type Dialect int

const (
	// SQLite needs a file: write-ahead logging and full synchronisation are switched on for the log's connection, whatever the
	// DSN says. Other connections need write-ahead logging alone, which the file remembers.
	SQLite Dialect = iota + 1
	// Postgres is PostgreSQL 12 or later.
	Postgres
)

func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case Postgres:
		return "PostgreSQL"
	}
	return "no database"
}

// queryer is what *sql.Conn, *sql.Tx and *Tx have in common.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// hashes stand before leaf: SQLite reads a row from its beginning, and a long leaf is in other pages.
var tables = map[Dialect][]string{
	SQLite: {
		`CREATE TABLE ledger_entry (idx INTEGER PRIMARY KEY, hashes BLOB NOT NULL, leaf BLOB NOT NULL, private BLOB) STRICT`,
		`CREATE TABLE ledger_head (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, epoch INTEGER NOT NULL,
			size INTEGER NOT NULL, note BLOB NOT NULL) STRICT`,
	},
	// Room in the page of the head lets an update stay there.
	Postgres: {
		`CREATE TABLE ledger_entry (idx bigint PRIMARY KEY, hashes bytea NOT NULL, leaf bytea NOT NULL, private bytea)`,
		`CREATE TABLE ledger_head (id smallint PRIMARY KEY CHECK (id = 1), version integer NOT NULL, epoch bigint NOT NULL,
			size bigint NOT NULL, note bytea NOT NULL) WITH (fillfactor = 10)`,
	},
}

func (d Dialect) hasTables(ctx context.Context, q queryer) (bool, error) {
	query := `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('ledger_entry', 'ledger_head')`
	if d == Postgres {
		query = `SELECT (CASE WHEN to_regclass('ledger_entry') IS NULL THEN 0 ELSE 1 END) + (CASE WHEN to_regclass('ledger_head') IS NULL THEN 0 ELSE 1 END)`
	}
	var n int
	if err := q.QueryRowContext(ctx, query).Scan(&n); err != nil {
		return false, err
	}
	if n == 1 {
		return false, fmt.Errorf("%w: one of its two tables is missing", ErrDamaged)
	}
	return n == 2, nil
}

func (d Dialect) begin() string {
	if d == SQLite {
		return "BEGIN IMMEDIATE"
	}
	// Each batch waits for the one before and must see what that did, whatever the server has as its default.
	return "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
}

func (d Dialect) lock() string {
	if d == SQLite {
		return "" // the whole database is
	}
	return " FOR UPDATE"
}

// Notices hears the warnings of a PostgreSQL server. A server that waits for its synchronous standby and is told to cancel the wait
// says that the commit was done, with a warning: the standby may not have it. Options.Notices is needed where
// synchronous_standby_names is set. With pgx:
//
//	notices := new(ledger.Notices)
//	config.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) { notices.Add(c.PID(), n.Code) }
//
// The zero Notices is ready.
type Notices struct {
	mu     sync.Mutex
	warned map[uint32]bool
}

// Add tells of a notice: the server process it came from (PgConn.PID, pg_backend_pid) and its SQLSTATE.
func (n *Notices) Add(pid uint32, code string) {
	if !strings.HasPrefix(code, "01") {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.warned == nil {
		n.warned = map[uint32]bool{}
	}
	n.warned[pid] = true
}

// take reports whether there was a warning since the last time it was asked.
func (n *Notices) take(pid uint32) bool {
	if n == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	was := n.warned[pid]
	delete(n.warned, pid)
	return was
}

// connect returns the writer's connection, set so that a commit is safe.
func (l *Log) connect(ctx context.Context) (*sql.Conn, error) {
	if l.conn != nil {
		return l.conn, nil
	}
	conn, err := l.reach(ctx, "SELECT 1")
	if err != nil {
		return nil, err
	}
	l.conn, l.prepared = conn, prepared{}
	if l.o.Dialect == SQLite {
		err = setSQLite(ctx, conn)
	} else {
		err = l.setPostgres(ctx, conn)
	}
	if err != nil {
		l.dropConn()
		return nil, err
	}
	return conn, nil
}

func setSQLite(ctx context.Context, conn *sql.Conn) error {
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("%w: SQLite's journal mode is %q, and cannot be WAL", ErrUnsafe, mode)
	}
	for _, p := range []string{"PRAGMA synchronous = FULL", "PRAGMA secure_delete = ON", "PRAGMA fullfsync = ON", "PRAGMA checkpoint_fullfsync = ON"} {
		if _, err := conn.ExecContext(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) setPostgres(ctx context.Context, conn *sql.Conn) error {
	var fsync, standbys, commit string
	err := conn.QueryRowContext(ctx, `SELECT pg_backend_pid(), current_setting('fsync'), current_setting('synchronous_standby_names'),
		current_setting('synchronous_commit')`).Scan(&l.pid, &fsync, &standbys, &commit)
	switch {
	case err != nil:
		return err
	case fsync != "on":
		return fmt.Errorf("%w: fsync is off", ErrUnsafe)
	case standbys != "" && l.o.Notices == nil:
		return fmt.Errorf("%w: there is a synchronous standby, and Options.Notices is missing", ErrOptions)
	case commit != "on" && commit != "remote_apply":
		if _, err := conn.ExecContext(ctx, "SET synchronous_commit = on"); err != nil {
			return err
		}
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("SET lock_timeout = %d", lockWait.Milliseconds()))
	if err == nil {
		_, err = conn.ExecContext(ctx, "SET client_min_messages = notice")
	}
	return err
}

// dropConn gives the writer's connection up, whatever state it is in.
func (l *Log) dropConn() {
	if l.conn == nil {
		return
	}
	l.prepared.close()
	_ = l.conn.Raw(func(any) error { return driver.ErrBadConn }) // the pool must not hand it to others
	l.conn.Close()
	l.conn = nil
}

// create makes the tables and the empty head.
func (l *Log) create(ctx context.Context) (err error) {
	conn, err := l.connect(ctx)
	if err != nil {
		return err
	}
	defer l.dropConn()
	if _, err := conn.ExecContext(ctx, l.o.Dialect.begin()); err != nil {
		return err
	}
	there, err := l.o.Dialect.hasTables(ctx, conn)
	if err != nil {
		return err
	}
	if there {
		return ErrExists
	}
	for _, t := range tables[l.o.Dialect] {
		if _, err := conn.ExecContext(ctx, t); err != nil {
			return err
		}
	}
	note, err := l.sign(0, l.profile.EmptyRoot())
	if err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, `INSERT INTO ledger_head (id, version, epoch, size, note) VALUES (1, $1, 1, 0, $2)`, layout, note); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

// A headRow is the row of ledger_head.
type headRow struct {
	version     int
	epoch, size uint64
	note        []byte
}

func readHead(ctx context.Context, q queryer, lock string) (headRow, error) {
	var r headRow
	var epoch, size int64
	err := q.QueryRowContext(ctx, `SELECT version, epoch, size, note FROM ledger_head WHERE id = 1`+lock).Scan(&r.version, &epoch, &size, &r.note)
	r.epoch, r.size = uint64(epoch), uint64(size)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, fmt.Errorf("%w: ledger_head has no row", ErrDamaged)
	case err != nil:
		return r, err
	case r.version != layout:
		return r, fmt.Errorf("%w: ledger_head.version is %d, and this program knows %d", ErrDamaged, r.version, layout)
	case epoch < 1 || size < 0:
		return r, fmt.Errorf("%w: ledger_head: epoch %d, size %d", ErrDamaged, epoch, size)
	}
	return r, nil
}

// A head is the state of the tree at a size. It is not changed once it is made.
type head struct {
	size     uint64
	root     audit.Hash
	note     []byte
	frontier audit.Frontier
	edge     nodeMap   // the complete subtrees that the tree is made of
	last     time.Time // of the last entry
}

// load checks a row of ledger_head against the edge of the tree in ledger_entry.
func (l *Log) load(ctx context.Context, q queryer, row headRow) (*head, error) {
	c, err := l.openNote(row.note)
	if err != nil {
		return nil, fmt.Errorf("%w: ledger_head.note: %w", ErrDamaged, err)
	}
	if c.Size != row.size {
		return nil, fmt.Errorf("%w: ledger_head.size is %d, and the note is of %d", ErrDamaged, row.size, c.Size)
	}
	h := &head{size: c.Size, root: c.Root, note: row.note, edge: nodeMap{}}
	ids := edgeOf(c.Size)
	hashes, err := nodes{q}.Nodes(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, id := range ids {
		h.edge[id] = hashes[i]
	}
	if h.frontier, err = audit.NewFrontier(ctx, l.profile, h.edge, c.Size); err != nil {
		return nil, err
	}
	if h.frontier.Root() != c.Root {
		return nil, fmt.Errorf("%w: the edge of the tree of %d in ledger_entry does not lead to the root of the head", ErrDamaged, c.Size)
	}
	if h.size > 0 {
		e, err := one(readEntries(ctx, q, h.size-1, h.size), h.size-1)
		if err != nil {
			return nil, err
		}
		if h.last, err = leafTime(e.Leaf); err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrDamaged, h.size-1, err)
		}
	}
	return h, nil
}

// checkLast checks that the table ends where the head says, with the leaf that the hash is of.
func checkLast(ctx context.Context, q queryer, p audit.Profile, size uint64) error {
	var last sql.NullInt64
	if err := q.QueryRowContext(ctx, `SELECT max(idx) FROM ledger_entry`).Scan(&last); err != nil {
		return err
	}
	if !last.Valid {
		last.Int64 = -1
	}
	if last.Int64 != int64(size)-1 {
		return fmt.Errorf("%w: the last entry of ledger_entry is %d, and the head is of %d", ErrDamaged, last.Int64, size)
	}
	if size == 0 {
		return nil
	}
	var hashes, leaf []byte
	if err := q.QueryRowContext(ctx, `SELECT hashes, leaf FROM ledger_entry WHERE idx = $1`, last.Int64).Scan(&hashes, &leaf); err != nil {
		return err
	}
	if h := p.LeafHash(leaf); len(hashes) < len(h) || !bytes.Equal(hashes[:len(h)], h[:]) {
		return fmt.Errorf("%w: entry %d does not have the hash beside it", ErrDamaged, last.Int64)
	}
	return nil
}

func (l *Log) openNote(note []byte) (audit.Checkpoint, error) {
	c, _, err := audit.OpenCheckpoint(note, l.o.Keys...)
	if err == nil && c.Origin != l.o.Origin {
		err = fmt.Errorf("%w: %q", ErrOrigin, c.Origin)
	}
	return c, err
}

func (l *Log) sign(size uint64, root audit.Hash) ([]byte, error) {
	return audit.Checkpoint{Origin: l.o.Origin, Size: size, Root: root}.Sign(l.o.Signers...)
}

// beginSnapshot begins a transaction that reads one state of the database.
func (d Dialect) beginSnapshot() string {
	if d == Postgres {
		return "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	}
	return "BEGIN"
}

// inSnapshot runs f in such a transaction on a connection of its own. Whichever way f ends, the pool gets no connection back that is
// still in there.
func (l *Log) inSnapshot(ctx context.Context, f func(conn *sql.Conn) error) (err error) {
	conn, err := l.reach(ctx, l.o.Dialect.beginSnapshot())
	if err != nil {
		return err
	}
	defer conn.Close()
	defer func() {
		if _, end := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK"); end != nil {
			_ = conn.Raw(func(any) error { return driver.ErrBadConn })
			err = errors.Join(err, end)
		}
	}()
	return f(conn)
}

// reach takes a connection and runs a first statement on it. The pool may have connections to a server that was started anew since,
// which is noticed by the first statement only; then the next one is tried.
func (l *Log) reach(ctx context.Context, first string) (*sql.Conn, error) {
	for try := 0; ; try++ {
		conn, err := l.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		if l.o.Dialect == SQLite {
			_, err = conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", lockWait.Milliseconds()))
		}
		if err == nil {
			_, err = conn.ExecContext(ctx, first)
		}
		if err == nil {
			return conn, nil
		}
		_ = conn.Raw(func(any) error { return driver.ErrBadConn })
		conn.Close()
		if try == 3 || ctx.Err() != nil || l.o.Dialect == SQLite {
			return nil, err
		}
	}
}

// edgeOf names the complete subtrees that a tree of that size is made of.
func edgeOf(size uint64) []audit.NodeID {
	var ids []audit.NodeID
	for level := uint(0); size>>level > 0; level++ {
		if size>>level&1 == 1 {
			ids = append(ids, audit.NodeID{Level: level, Index: size>>level - 1})
		}
	}
	return ids
}

// A nodeMap is a NodeReader of what it has.
type nodeMap map[audit.NodeID]audit.Hash

func (m nodeMap) Nodes(_ context.Context, ids []audit.NodeID) ([]audit.Hash, error) {
	hashes := make([]audit.Hash, len(ids))
	for i, id := range ids {
		h, ok := m[id]
		if !ok {
			return nil, fmt.Errorf("%w: node %d of level %d is not at the edge", ErrDamaged, id.Index, id.Level)
		}
		hashes[i] = h
	}
	return hashes, nil
}

// nodes reads them from ledger_entry.
type nodes struct{ q queryer }

const nodesAtOnce = 256

func (n nodes) Nodes(ctx context.Context, ids []audit.NodeID) ([]audit.Hash, error) {
	hashes := make([]audit.Hash, len(ids))
	for start := 0; start < len(ids); start += nodesAtOnce {
		end := min(start+nodesAtOnce, len(ids))
		if err := n.read(ctx, ids[start:end], hashes[start:end]); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

func (n nodes) read(ctx context.Context, ids []audit.NodeID, hashes []audit.Hash) error {
	rows := map[int64]bool{}
	var args []any
	for _, id := range ids {
		if idx := rowOf(id); !rows[idx] {
			rows[idx] = true
			args = append(args, idx)
		}
	}
	query := `SELECT idx, hashes FROM ledger_entry WHERE idx IN (` + placeholders(1, len(args)) + `)`
	found, err := n.q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer found.Close()
	have := map[int64][]byte{}
	for found.Next() {
		var idx int64
		var b []byte
		if err := found.Scan(&idx, &b); err != nil {
			return err
		}
		have[idx] = b
	}
	if err := found.Err(); err != nil {
		return err
	}
	for i, id := range ids {
		b, from := have[rowOf(id)], int(id.Level)*audit.HashSize
		if len(b) < from+audit.HashSize {
			return fmt.Errorf("%w: entry %d or its hash of level %d is missing", ErrDamaged, rowOf(id), id.Level)
		}
		hashes[i] = audit.Hash(b[from:])
	}
	return nil
}

// rowOf is the row that completes a subtree.
func rowOf(id audit.NodeID) int64 { return int64((id.Index+1)<<id.Level - 1) }

// placeholders are "$from, …" for n values.
func placeholders(from, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", from+i)
	}
	return b.String()
}

// exec runs a statement of the writer's own.
func (l *Log) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if l.o.Dialect == SQLite {
		if s := l.prepared.get(ctx, l.conn, query); s != nil {
			return s.ExecContext(ctx, args...)
		}
	}
	return l.conn.ExecContext(ctx, query, args...)
}

// insert writes entries, many in one statement.
func (l *Log) insert(ctx context.Context, rows []row) error {
	for len(rows) > 0 {
		n := 1
		for n*2 <= len(rows) && n < rowsAtOnce {
			n *= 2 // a driver that keeps prepared statements sees few of them
		}
		var query strings.Builder
		query.WriteString("INSERT INTO ledger_entry (idx, hashes, leaf, private) VALUES ")
		args := make([]any, 0, 4*n)
		for i, r := range rows[:n] {
			if i > 0 {
				query.WriteString(", ")
			}
			query.WriteString("(" + placeholders(4*i+1, 4) + ")")
			args = append(args, int64(r.idx), r.hashes, r.leaf, r.private)
		}
		if _, err := l.exec(ctx, query.String(), args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

const rowsAtOnce = 64
