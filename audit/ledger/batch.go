package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/courtseal/courtseal/audit"
)

// An Entry is what Do appends, and what is read.
type Entry struct {
	Index uint64 // of one that was read; Do gives it one
	// Leaf is what is hashed: an audit.Leaf with the field "time", which is FormatTime(tx.Time()).
	Leaf []byte
	// Private is an audit.Private whose hashes the leaf has, or nil. It can be redacted.
	Private []byte
}

// A call is one Do. Its function runs in the goroutine of its caller, when the writer says so.
type call struct {
	turn chan *Tx      // from the writer: run now
	gone chan struct{} // closed by the caller: do not wait for me
	ran  chan outcome  // from the caller: the function has ended
	done chan result   // from the writer, for a call that was told to run, or that cannot be

	receipts []audit.Receipt
}

type outcome struct {
	entries []Entry
	err     error
}

type result struct {
	receipts []audit.Receipt
	err      error
}

var errAborted = errors.New("ledger: the function did not return")

// doing marks the context of a function that a log runs.
type doing struct{ *Log }

// Do runs f in a transaction and appends the entries it returns. It returns a receipt for each, once the transaction is
// committed and the witness has seen the new head; see the package's documentation for what that means.
//
// Calls at the same time share a commit: their functions run one after the other. So f holds up all others: it must not
// wait for anything but the database, and not end the transaction. An error of f comes back as it is, and what f did is taken back. A panic of f passes through Do, and
// is taken back too. A function that fails because the batch does is not run again.
//
// When ctx ends before f has begun, the error is that of ctx, and f will not run. Once f has ended ctx changes nothing any
// more: the error tells how the commit ended.
//
// A call without entries is committed too: a projection may be rebuilt, and what f reads is safe to rely on once Do returns, even if
// it is of a call that ended in ErrUnacknowledged.
func (l *Log) Do(ctx context.Context, f func(ctx context.Context, tx *Tx) ([]Entry, error)) ([]audit.Receipt, error) {
	switch {
	case l.o.ReadOnly:
		return nil, ErrReadOnly
	case ctx.Value(doing{l}) != nil:
		return nil, ErrNested
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	c := &call{turn: make(chan *Tx), gone: make(chan struct{}), ran: make(chan outcome, 1), done: make(chan result, 1)}
	select {
	case l.calls <- c:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-l.closing:
		return nil, ErrClosed
	}
	select {
	case tx := <-c.turn:
		c.run(context.WithValue(ctx, doing{l}, true), tx, f)
	case r := <-c.done:
		return nil, r.err
	case <-ctx.Done():
		close(c.gone)
		return nil, ctx.Err()
	}
	r := <-c.done
	return r.receipts, r.err
}

// run runs f and tells the writer, whichever way f ends: by return, panic or runtime.Goexit.
func (c *call) run(ctx context.Context, tx *Tx, f func(ctx context.Context, tx *Tx) ([]Entry, error)) {
	end := outcome{err: errAborted}
	defer func() { c.ran <- end }()
	if err := ctx.Err(); err != nil {
		end.err = err
		return
	}
	entries, err := f(ctx, tx)
	end = outcome{entries, err}
}

// write is the writer: it runs batches until the log is closed.
func (l *Log) write() {
	defer close(l.stopped)
	for {
		select {
		case <-l.closing:
			return
		default:
		}
		select {
		case c := <-l.calls:
			l.batch(c)
		case <-l.closing:
			return
		}
	}
}

// A batch is the transaction that calls share.
type batch struct {
	l     *Log
	ctx   context.Context // of the statements: it does not end with a caller's
	base  *head           // the tree before
	fresh bool            // base was acknowledged to us before
	next  head            // the tree with the entries so far
	saved bool            // there is a savepoint, and nothing behind it
	rows  []row           // entries that are not in the table yet
	calls []*call         // whose functions have ended well
	nodes nodeMap         // the edge of base, and all that was completed since
}

type row struct {
	idx     uint64
	hashes  []byte
	leaf    []byte
	private []byte
}

// batch runs first and all calls that wait then, in one transaction.
func (l *Log) batch(first *call) {
	ctx, cancel := l.statements()
	defer cancel()
	b, err := l.beginBatch(ctx)
	if err != nil {
		l.dropConn()
		l.refuse(first, err)
		return
	}
	for c, n := first, 0; c != nil; n++ {
		if err := b.run(c); err != nil {
			l.dropConn() // and with it the transaction
			b.fail(fmt.Errorf("ledger: nothing of the batch is there: %w", err))
			return
		}
		if c = nil; n < MaxBatch-1 {
			c = l.waiting()
		}
	}
	b.end()
}

// statements is the context of a batch. SQLite's statements wait for nothing but locks, and have their own limit
// for that; what interrupts one takes back the whole transaction.
func (l *Log) statements() (context.Context, context.CancelFunc) {
	if l.o.Dialect == SQLite {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), l.o.Timeout)
}

// waiting is a call that waits, or nil. Callers that have just been told of the last commit are given the time to come back.
func (l *Log) waiting() *call {
	for range 2 {
		select {
		case c := <-l.calls:
			return c
		default:
			runtime.Gosched()
		}
	}
	return nil
}

// refuse tells all calls that wait now of what keeps a batch from beginning: each would wait as long for the same.
func (l *Log) refuse(c *call, err error) {
	for n := 0; c != nil && n < MaxBatch; n++ {
		c.done <- result{err: err}
		c = l.waiting()
	}
}

func (l *Log) beginBatch(ctx context.Context) (*batch, error) {
	conn, err := l.beginOn(ctx)
	if err != nil {
		return nil, err
	}
	row, err := readHead(ctx, conn, l.o.Dialect.lock())
	if err != nil {
		return nil, err
	}
	if row.epoch != l.epoch {
		return nil, fmt.Errorf("%w: the epoch is %d, and was %d when this log was opened", ErrFenced, row.epoch, l.epoch)
	}
	if string(row.note) != string(l.head.note) || row.size != l.head.size {
		h, err := l.load(ctx, conn, row)
		if err != nil {
			return nil, err
		}
		seen := audit.Checkpoint{Size: l.head.size, Root: l.head.root}
		if err := l.grownFrom(ctx, conn, seen, h); err != nil {
			return nil, err
		}
		l.head = h
	}
	if l.o.Dialect == SQLite {
		// SQLite takes a whole transaction back on some errors, and what comes after would be committed statement by
		// statement. To release this savepoint shows that the transaction is there.
		if _, err := conn.ExecContext(ctx, "SAVEPOINT ledger_batch"); err != nil {
			return nil, err
		}
	}
	b := &batch{l: l, ctx: ctx, base: l.head, next: *l.head, nodes: nodeMap{}}
	for id, h := range l.head.edge {
		b.nodes[id] = h
	}
	l.mu.Lock()
	b.fresh = l.acked == l.head
	l.mu.Unlock()
	return b, nil
}

// beginOn begins the transaction. A connection that has ended since the last batch, as that to a server that was started anew, is
// replaced: nothing was done on it yet.
func (l *Log) beginOn(ctx context.Context) (*sql.Conn, error) {
	for old := l.conn != nil; ; old = false {
		conn, err := l.connect(ctx)
		if err != nil {
			return nil, err
		}
		if _, err = conn.ExecContext(ctx, l.o.Dialect.begin()); err == nil || !old || l.o.Dialect == SQLite {
			return conn, err
		}
		l.dropConn()
	}
}

// run gives the turn to a call. The error says that the transaction is lost; that of the call goes to the call.
func (b *batch) run(c *call) error {
	tx := &Tx{l: b.l, q: b.l.conn, ctx: b.ctx, b: b, index: b.next.size}
	var err error
	if tx.time, err = clamp(b.l.o.Now(), b.next.last); err != nil {
		c.done <- result{err: err}
		return nil
	}
	select {
	case c.turn <- tx:
	case <-c.gone:
		return nil
	}
	end := <-c.ran
	tx.close()
	var rows []row
	if end.err == nil {
		rows, end.err = b.prepare(tx, end.entries)
	}
	if tx.used && end.err == nil {
		// One round trip: the first half fails where a statement had failed and the function kept that to itself, the
		// second is for the next call.
		if _, err := b.l.conn.ExecContext(b.ctx, "RELEASE SAVEPOINT ledger_call; SAVEPOINT ledger_call"); err != nil {
			end.err = fmt.Errorf("ledger: a statement of the function had failed: %w", err)
		}
	}
	if end.err != nil {
		if tx.used {
			if _, err := b.l.conn.ExecContext(b.ctx, "ROLLBACK TO SAVEPOINT ledger_call"); err != nil {
				c.done <- result{err: fmt.Errorf("%w (and the batch is lost: %w)", end.err, err)}
				return err
			}
		}
		c.done <- result{err: end.err}
		return nil
	}
	b.add(c, tx.time, rows)
	return nil
}

// prepare checks what a function returned.
func (b *batch) prepare(tx *Tx, entries []Entry) ([]row, error) {
	if len(entries) > MaxEntries {
		return nil, fmt.Errorf("%w: %d entries at once; %d are the most", ErrLeaf, len(entries), MaxEntries)
	}
	rows := make([]row, len(entries))
	leaves := make([]audit.Leaf, len(entries))
	for i, e := range entries {
		var err error
		if leaves[i], err = checkEntry(b.l.profile, e, tx.time); err != nil {
			return nil, fmt.Errorf("%w: entry %d of the call: %w", ErrLeaf, i, err)
		}
		rows[i] = row{leaf: e.Leaf}
		if len(e.Private) > 0 {
			rows[i].private = e.Private
		}
	}
	return rows, tx.checkOwn(leaves)
}

// checkEntry holds an entry to what Verify will ask of it.
func checkEntry(p audit.Profile, e Entry, at time.Time) (audit.Leaf, error) {
	leaf, err := audit.ParseLeaf(e.Leaf)
	if err != nil {
		return leaf, err
	}
	t, err := timeOf(leaf)
	if err != nil {
		return leaf, err
	}
	if !t.Equal(at) {
		return leaf, fmt.Errorf("its time is %s, and that of the transaction %s", leaf.Fields["time"], FormatTime(at))
	}
	_, err = checkPrivate(p, leaf, e.Private)
	return leaf, err
}

func (b *batch) add(c *call, at time.Time, rows []row) {
	for _, r := range rows {
		r.idx = b.next.size
		for level, h := range b.next.frontier.Append(b.l.profile.LeafHash(r.leaf)) {
			r.hashes = append(r.hashes, h[:]...)
			b.nodes[audit.NodeID{Level: uint(level), Index: r.idx >> level}] = h
		}
		b.next.size++
		b.next.last = at
		b.rows = append(b.rows, r)
		c.receipts = append(c.receipts, audit.Receipt{Index: r.idx, Leaf: r.leaf})
	}
	b.calls = append(b.calls, c)
}

// end writes the entries and the head, commits, and tells the calls.
func (b *batch) end() {
	if len(b.calls) == 0 {
		if _, err := b.l.conn.ExecContext(b.ctx, "ROLLBACK"); err != nil {
			b.l.dropConn()
		}
		return
	}
	if err := b.finish(); err != nil {
		b.l.dropConn()
		b.fail(fmt.Errorf("ledger: nothing of the batch is there: %w", err))
		return
	}
	if err := b.commit(); err != nil {
		b.l.dropConn()
		b.fail(fmt.Errorf("%w: %w", ErrUnacknowledged, err))
		return
	}
	b.l.mu.Lock()
	b.l.acked = b.l.head
	b.l.mu.Unlock()
	for _, c := range b.calls {
		c.done <- result{receipts: c.receipts}
	}
}

// finish does all but the commit.
func (b *batch) finish() error {
	l, conn := b.l, b.l.conn
	if l.o.Dialect == SQLite {
		if _, err := conn.ExecContext(b.ctx, "RELEASE SAVEPOINT ledger_batch"); err != nil {
			return err
		}
	}
	if len(b.rows) == 0 {
		if b.fresh {
			return nil
		}
		// What the functions have read may be of a commit that the standby does not have. One that changes nothing waits for
		// nothing: so change the head to what it is.
		_, err := conn.ExecContext(b.ctx, "UPDATE ledger_head SET size = size WHERE id = 1")
		return err
	}
	if err := l.insert(b.ctx, b.rows); err != nil {
		return err
	}
	b.next.root = b.next.frontier.Root()
	var err error
	if b.next.note, err = l.sign(b.next.size, b.next.root); err != nil {
		return err
	}
	done, err := l.exec(b.ctx, "UPDATE ledger_head SET size = $1, note = $2 WHERE id = 1", int64(b.next.size), b.next.note)
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return fmt.Errorf("%w: ledger_head: %d rows changed (%v)", ErrDamaged, n, err)
	}
	b.next.edge = nodeMap{}
	for _, id := range edgeOf(b.next.size) {
		b.next.edge[id] = b.nodes[id]
	}
	return b.prove()
}

// prove completes the receipts. All that a proof of a new entry needs was at the edge before, or has been made since.
func (b *batch) prove() error {
	for _, c := range b.calls {
		for i := range c.receipts {
			r := &c.receipts[i]
			var err error
			if r.Proof, err = audit.ProveInclusion(b.ctx, b.l.profile, b.nodes, r.Index, b.next.size); err != nil {
				return err
			}
			r.Checkpoint = b.next.note
		}
	}
	return nil
}

// commit asks for the commit. Its errors say that it is not known to be safe.
func (b *batch) commit() error {
	l := b.l
	l.o.Notices.take(l.pid)
	if _, err := l.conn.ExecContext(b.ctx, "COMMIT"); err != nil {
		return err
	}
	if l.o.Notices.take(l.pid) {
		return errors.New("the server did not wait for its standby")
	}
	if len(b.rows) > 0 {
		l.head = &b.next
	}
	if len(b.rows) > 0 || !b.fresh {
		return l.o.Witness.Saw(context.WithoutCancel(b.ctx), l.head.note)
	}
	return nil
}

func (b *batch) fail(err error) {
	for _, c := range b.calls {
		c.done <- result{err: err}
	}
}
