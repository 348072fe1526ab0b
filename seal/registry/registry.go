package registry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

// A Registry is the books of a province, or of a court, over one ledger. It is safe for concurrent use, and several
// processes may use one database.
type Registry struct {
	log     *ledger.Log
	signers []audit.Signer

	replaying sync.Mutex
}

// Zone is that of days and hours in the books, China Standard Time. It is one for all books: the same entries must come to the
// same tables wherever they are replayed.
var Zone = time.FixedZone("CST", 8*3600)

// Options of a registry.
type Options struct {
	Signers []audit.Signer // of offline grants and state lists; none: none are given out
}

// Create makes the tables of an empty registry in the database of log and enters the first organisation and its first
// administrators, as Found says. A database that has a registry is ErrExists.
func Create(ctx context.Context, log *ledger.Log, o Options, first Found) (*Registry, error) {
	r := newRegistry(log, o)
	_, err := log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		if tx.Index() > 0 {
			return nil, fmt.Errorf("%w: its ledger has entries", ErrExists)
		}
		s := r.state(ctx, tx, system, tables)
		if err := errors.Join(s.createTables(), s.createKept()); err != nil {
			return nil, err
		}
		return s.enter(&first)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Open opens the registry in the database of log.
func Open(ctx context.Context, log *ledger.Log, o Options) (*Registry, error) {
	r := newRegistry(log, o)
	return r, r.read(ctx, func(s *state) error {
		if s.index == 0 {
			return fmt.Errorf("%w: the ledger is empty", ErrUnknown)
		}
		_, err := s.root()
		return err
	})
}

func newRegistry(log *ledger.Log, o Options) *Registry {
	return &Registry{log: log, signers: o.Signers}
}

// Do does one operation: it checks that by may do it where it is done, that the state of things allows it, writes its
// entry and its effects in one transaction, and returns when that is on the disk and witnessed. An operation that is
// refused leaves nothing behind; the errors are ErrRights, ErrState, ErrLimit, ErrUnknown, ErrExists, ErrOp.
func (r *Registry) Do(ctx context.Context, by Actor, op Op) (audit.Receipt, error) {
	return r.do(ctx, by, "", op)
}

// enter makes the entry of an operation and applies its effects, from the entry: so that a replay, which has nothing
// else, has the same effects.
func (s *state) enter(op Op) ([]ledger.Entry, error) {
	leaf, private, err := s.encode(op)
	if err != nil {
		return nil, err
	}
	return s.write(leaf, private)
}

// write makes an entry and applies its effects.
func (s *state) write(leaf audit.Leaf, private audit.Private) ([]ledger.Entry, error) {
	raw, err := leaf.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrOp, leaf.Kind, err)
	}
	hidden, err := private.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrOp, leaf.Kind, err)
	}
	if err := s.apply(raw, hidden); err != nil {
		return nil, err
	}
	return []ledger.Entry{{Leaf: raw, Private: hidden}}, nil
}

// read gives f the newest committed state.
func (r *Registry) read(ctx context.Context, f func(*state) error) error {
	return r.log.Read(ctx, func(ctx context.Context, tx *ledger.Tx) error {
		return f(r.state(ctx, tx, Actor{}, tables))
	})
}

var (
	// ErrRights: the actor may not do this, here. The text says which role may.
	ErrRights = errors.New("registry: not allowed")
	// ErrState: what is there does not allow the operation now; the text says what state it is in.
	ErrState = errors.New("registry: not in this state")
	// ErrLimit: a limit of the use of a seal is reached or not met: uses, hours, kind of document, court, approval.
	ErrLimit = errors.New("registry: outside the limits of use")
	// ErrUnknown: there is no such organisation, person, seal, …
	ErrUnknown = errors.New("registry: unknown")
	// ErrExists: the name is taken.
	ErrExists = errors.New("registry: exists already")
	// ErrRequest: under this request ID something else was asked before.
	ErrRequest = errors.New("registry: the request was another one")
	// ErrOp: an operation with a missing or malformed field; the text names it.
	ErrOp = errors.New("registry: malformed operation")
)
