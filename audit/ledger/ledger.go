// Package ledger keeps a Merkle log (package audit) in a SQL database, in the same transaction as what the log records:
// there is no entry without its effect, and no effect without its entry.
//
// # Use
//
// A program opens the database with a driver of its choice, makes the log once, and opens it at each start:
//
//	db, err := sql.Open("sqlite", "court.db")
//	log, err := ledger.Open(ctx, db, ledger.Options{Dialect: ledger.SQLite, Origin: "court.example/ledger/sm3",
//		Signers: signers, Witness: ledger.FileWitness("/var/lib/witness/court")})
//	receipts, err := log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
//		_, err := tx.ExecContext(ctx, "UPDATE grants SET used = used + 1 WHERE id = $1", grant)
//		leaf, _ := audit.Leaf{Kind: "use.begin", Fields: …}.Marshal()
//		return []ledger.Entry{{Leaf: leaf}}, err
//	})
//
// # What an acknowledgement means
//
// When Do returns without an error, the entries and what f changed are committed and on the disk (PostgreSQL: and on the
// synchronous standby, where there is one), the signed head of the log includes the entries, and the witness has seen that
// head. When Do returns an error nothing of the call is there, with one exception: ErrUnacknowledged says that the
// commit was asked for and its end is not known. Who repeats a call must be able to find what an earlier one left: put a
// request id into a unique column.
//
// # Sharing a commit
//
// A commit waits for the disk. Calls of Do that come while one is under way share the next commit: their functions run one
// after the other in one transaction, each behind a savepoint of its own, so that one that fails takes back its own
// changes alone.
//
// # Several processes
//
// Several processes may use one database. Each batch locks the head row (SQLite: the database), and reads the edge of the
// tree again when another process has moved it on.
//
// # The tables
//
// ledger_entry has a row for each entry: idx, hashes, leaf, private. hashes are the leaf's hash and those of all subtrees that this
// entry completes, the smallest first: the node of level L and index K stands in row (K+1)*2^L-1 at byte 32*L.
// ledger_head has one row: version (of this layout), epoch, size, and the checkpoint as a signed note.
// The tables of the program may stand beside them; no foreign key may point to ledger_entry, whose rows are written
// at the end of the batch.
package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/courtseal/courtseal/audit"
)

var (
	// ErrExists: Create found a ledger.
	ErrExists = errors.New("ledger: the database has a ledger already")
	// ErrNoLedger: Open found none.
	ErrNoLedger = errors.New("ledger: the database has no ledger")
	// ErrOrigin: the ledger in the database, or the one the witness saw, is another one.
	ErrOrigin = errors.New("ledger: this is the ledger of another origin")
	// ErrDamaged: what stands in the tables does not agree with itself. Verify says where.
	ErrDamaged = errors.New("ledger: the store is damaged")
	// ErrForked: the store is older than what was seen of it, or does not begin with it: a backup that was brought back, or
	// another history. It must not be written to.
	ErrForked = errors.New("ledger: the store is not the one that was seen before")
	// ErrFenced: another process has raised the epoch: this one must not write any more.
	ErrFenced = errors.New("ledger: another writer has taken over")
	// ErrUnsafe: the database is set so that a commit may be lost.
	ErrUnsafe = errors.New("ledger: the database does not keep what it commits")
	// ErrUnacknowledged: a commit was asked for, and it is not known to be safe. It may or may not be there; repeat the call
	// with the same request id.
	ErrUnacknowledged = errors.New("ledger: the commit was not acknowledged")
	// ErrClock: the clock is more than MaxBackwards behind the last entry.
	ErrClock = errors.New("ledger: the clock runs behind the last entry")
	// ErrLeaf: an entry that the log does not take.
	ErrLeaf = errors.New("ledger: not an entry for this ledger")
	// ErrNoEntry: there is no entry of that index.
	ErrNoEntry = errors.New("ledger: no such entry")
	// ErrClosed: the log was closed.
	ErrClosed = errors.New("ledger: closed")
	// ErrReadOnly: the log was opened to be read.
	ErrReadOnly = errors.New("ledger: opened for reading")
	// ErrNested: Do was called from within the function of a Do.
	ErrNested = errors.New("ledger: Do within Do")
	// ErrWitness: the witness cannot be read or written, or must not be overwritten.
	ErrWitness = errors.New("ledger: the witness does not do")
	// ErrOptions: options that do not fit.
	ErrOptions = errors.New("ledger: unusable options")
)

const (
	// MaxBackwards is how far the clock may run behind the last entry. Up to that, time stands still.
	MaxBackwards = 2 * time.Second
	// MaxBatch is the most calls that share a commit.
	MaxBatch = 256
	// MaxEntries is the most entries of one call.
	MaxEntries = 10_000

	lockWait = 10 * time.Second // for another process's batch
	layout   = 1                // ledger_head.version
)

// Options say which ledger it is and how it is kept.
type Options struct {
	Dialect Dialect // of the database; required
	// Origin is the log's name, the first line of its checkpoints; required. One that ends in "/sm3" hashes with SM3, any
	// other with SHA-256.
	Origin string
	// Signers sign each checkpoint; one of them has the origin as its name. At least one, unless the log is ReadOnly.
	Signers []audit.Signer
	// Keys are further keys by which a head may be signed that is already there: former ones, and those of a log that is
	// ReadOnly. A head that is signed by none of Keys and Signers is refused.
	Keys []audit.Verifier
	// Witness holds the last checkpoint outside the database. Required, unless the log is ReadOnly: see FileWitness,
	// and Unwitnessed.
	Witness Witness
	// Notices, for PostgreSQL with a synchronous standby: see there.
	Notices *Notices
	// TakeOver raises the epoch when the log is opened: other processes that have it open to write get ErrFenced from then
	// on. An entry says so.
	TakeOver bool
	// ReadOnly opens the log to be read: nothing is written, to the database or to the witness.
	ReadOnly bool
	// Timeout bounds one batch: the waiting for locks, the statements and the commit, which on PostgreSQL may wait for
	// a standby. Zero is 30 seconds. SQLite waits for other processes alone, up to 10 seconds.
	Timeout time.Duration
	// Now is the clock. Nil is time.Now.
	Now func() time.Time
}

func (o Options) check() (Options, error) {
	switch {
	case o.Dialect != SQLite && o.Dialect != Postgres:
		return o, fmt.Errorf("%w: Dialect is missing", ErrOptions)
	case o.Origin == "":
		return o, fmt.Errorf("%w: Origin is missing", ErrOptions)
	case !o.ReadOnly && len(o.Signers) == 0:
		return o, fmt.Errorf("%w: Signers are missing", ErrOptions)
	case o.ReadOnly && o.TakeOver:
		return o, ErrReadOnly
	case !o.ReadOnly && o.Witness == nil:
		return o, fmt.Errorf("%w: Witness is missing; Unwitnessed does without", ErrOptions)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	for _, s := range o.Signers {
		if v, ok := s.(interface{ Verifier() audit.Verifier }); ok { // an audit.KeySigner
			o.Keys = append(slices.Clip(o.Keys), v.Verifier())
		}
	}
	if len(o.Keys) == 0 {
		return o, fmt.Errorf("%w: Keys are missing: nothing says whose signature of the head is good", ErrOptions)
	}
	return o, nil
}

// A Log is an open ledger. Its methods may be called at the same time.
type Log struct {
	db      *sql.DB
	o       Options
	profile audit.Profile
	epoch   uint64

	calls    chan *call    // to the writer
	closing  chan struct{} // closed by Close
	stopped  chan struct{} // closed by the writer
	close    sync.Once
	closed   error     // what Close says
	conn     *sql.Conn // the writer's own; nil until it is needed, and after a failure
	pid      uint32    // PostgreSQL: of the server process behind conn
	head     *head     // the writer's own: the last one it read or wrote
	prepared prepared  // of conn

	mu    sync.Mutex
	acked *head // the last one that was acknowledged to us, the one that readers are shown; nil before
}

// Create makes the tables of a ledger and its first, empty head, and opens it. The tables must not be there, and the
// witness must have seen nothing.
func Create(ctx context.Context, db *sql.DB, o Options) (*Log, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	if o.ReadOnly {
		return nil, ErrReadOnly
	}
	last, err := o.Witness.Last(ctx)
	if err != nil {
		return nil, err
	}
	if last != nil {
		return nil, fmt.Errorf("%w: it has seen a ledger already; a new one needs a new witness", ErrWitness)
	}
	l, err := newLog(db, o)
	if err != nil {
		return nil, err
	}
	if err := l.create(ctx); err != nil {
		return nil, err
	}
	return Open(ctx, db, o)
}

// Open opens the ledger in db. It checks that the head is signed by a key it knows, that the right edge of the tree in the table
// leads to it, and that the tree is the one the witness has seen, or has grown from it. It does not read the
// entries: that is Verify.
func Open(ctx context.Context, db *sql.DB, o Options) (*Log, error) {
	o, err := o.check()
	if err != nil {
		return nil, err
	}
	l, err := newLog(db, o)
	if err != nil {
		return nil, err
	}
	if err := l.open(ctx); err != nil {
		l.dropConn()
		return nil, err
	}
	if o.ReadOnly {
		close(l.stopped)
	} else {
		go l.write()
	}
	if o.TakeOver {
		if err := l.takeOver(ctx); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

func newLog(db *sql.DB, o Options) (*Log, error) {
	if db.Stats().MaxOpenConnections == 1 && !o.ReadOnly {
		return nil, fmt.Errorf("%w: the log needs a connection of its own beside those that read: SetMaxOpenConns(1) is too few", ErrOptions)
	}
	return &Log{
		db: db, o: o, profile: audit.ProfileOf(o.Origin),
		calls: make(chan *call), closing: make(chan struct{}), stopped: make(chan struct{}),
	}, nil
}

func (l *Log) open(ctx context.Context) error {
	if !l.o.ReadOnly { // first: it sets the database so that a commit is safe, or refuses
		if _, err := l.connect(ctx); err != nil {
			return err
		}
	}
	return l.inSnapshot(ctx, func(conn *sql.Conn) error {
		there, err := l.o.Dialect.hasTables(ctx, conn)
		if err != nil {
			return err
		}
		if !there {
			return ErrNoLedger
		}
		row, err := readHead(ctx, conn, "")
		if err != nil {
			return err
		}
		l.epoch = row.epoch
		if l.head, err = l.load(ctx, conn, row); err != nil {
			return err
		}
		if err := checkLast(ctx, conn, l.profile, l.head.size); err != nil {
			return err
		}
		return l.askWitness(ctx, conn)
	})
}

// askWitness compares the head with what the witness saw last.
func (l *Log) askWitness(ctx context.Context, q queryer) error {
	if l.o.Witness == nil {
		return nil
	}
	note, err := l.o.Witness.Last(ctx)
	if err != nil || note == nil {
		return err
	}
	seen, err := l.openNote(note)
	if err != nil {
		return fmt.Errorf("%w: what it saw last: %w", ErrWitness, err)
	}
	return l.grownFrom(ctx, q, seen, l.head)
}

// grownFrom checks that the tree of h begins with that of a checkpoint which was seen.
func (l *Log) grownFrom(ctx context.Context, q queryer, seen audit.Checkpoint, h *head) error {
	if h.size < seen.Size {
		return fmt.Errorf("%w: it has %d entries, and %d were seen", ErrForked, h.size, seen.Size)
	}
	root, err := audit.RootAt(ctx, l.profile, nodes{q}, seen.Size)
	if err != nil {
		return err
	}
	if root != seen.Root {
		return fmt.Errorf("%w: its first %d entries are others", ErrForked, seen.Size)
	}
	return nil
}

// Close ends the batch that is under way and then the log. Calls that wait get ErrClosed. It does not close the database.
func (l *Log) Close() error {
	l.close.Do(func() {
		close(l.closing)
		<-l.stopped
		l.dropConn()
		if c, ok := l.o.Witness.(interface{ Close() error }); ok {
			l.closed = c.Close()
		}
	})
	return l.closed
}

// Origin is the name of the log.
func (l *Log) Origin() string { return l.o.Origin }

// Profile is the hash of the log.
func (l *Log) Profile() audit.Profile { return l.profile }
