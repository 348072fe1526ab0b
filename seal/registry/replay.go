package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/courtseal/courtseal/audit/ledger"
)

// A Difference is a table whose rows are not what the ledger says.
type Difference struct {
	Table   string
	Missing int // rows that the ledger makes and the table has not
	Extra   int // rows that the table has and the ledger does not make
}

// Compare replays the whole ledger into tables of its own and compares them with the books. No difference is an empty
// list. It works in steps among the writers, and holds them up only for the last step and the comparison; two at a time
// are ErrExists. progress may be nil.
func (r *Registry) Compare(ctx context.Context, progress func(done, total uint64)) (list []Difference, err error) {
	err = r.replay(ctx, progress, func(s, _ *state) error {
		for _, t := range projections {
			d := Difference{Table: t.name}
			for _, side := range []struct {
				n         *int
				have, not string
			}{{&d.Missing, shadow, tables}, {&d.Extra, tables, shadow}} {
				q := fmt.Sprintf(`SELECT COUNT(*) FROM (SELECT * FROM %[1]s%[3]s EXCEPT SELECT * FROM %[2]s%[3]s) d`, side.have, side.not, t.name)
				if err := s.get(t.name, []any{side.n}, q); err != nil {
					return err
				}
			}
			if d.Missing+d.Extra > 0 {
				list = append(list, d)
			}
		}
		return nil
	})
	return list, err
}

// Rebuild fills the tables again from the ledger, and puts them in the place of those that are there.
func (r *Registry) Rebuild(ctx context.Context, progress func(done, total uint64)) error {
	return r.replay(ctx, progress, func(s, _ *state) error {
		for _, t := range projections {
			if err := s.exec(fmt.Sprintf(`DELETE FROM %s%s`, tables, t.name)); err != nil {
				return err
			}
			if err := s.exec(fmt.Sprintf(`INSERT INTO %s%s SELECT * FROM %s%s`, tables, t.name, shadow, t.name)); err != nil {
				return err
			}
		}
		return nil
	})
}

// replayStep is how many entries one transaction of a replay applies: short beside a commit, so that sealing goes on.
const replayStep = 200

// replay fills the shadow tables, and calls last in the transaction in which they have caught up.
func (r *Registry) replay(ctx context.Context, progress func(done, total uint64), last func(books, replayed *state) error) error {
	clear := func(create bool) error {
		return r.inside(ctx, func(_, s *state) error {
			if err := s.dropTables(); err != nil || !create {
				return err
			}
			return s.createTables()
		})
	}
	if !r.replaying.TryLock() {
		return fmt.Errorf("%w: another replay is at work", ErrExists)
	}
	defer r.replaying.Unlock()
	if err := clear(true); err != nil {
		return err
	}
	for next, total := uint64(0), uint64(1); next < total; {
		end := next
		err := r.inside(ctx, func(books, s *state) error {
			total = s.tx.Index()
			for end = next; end < min(next+replayStep, total); end++ {
				e, err := s.tx.Entry(s.ctx, end)
				if err != nil {
					return err
				}
				s.index = end
				if err := s.apply(e.Leaf, e.Private); err != nil {
					return fmt.Errorf("registry: entry %d: %w", end, err)
				}
			}
			if end < total {
				return nil
			}
			return last(books, s)
		})
		if err != nil {
			return errors.Join(err, clear(false))
		}
		if next = end; progress != nil {
			progress(next, total)
		}
	}
	return clear(false)
}

// inside gives f the books and the shadow tables in one transaction that makes no entry.
func (r *Registry) inside(ctx context.Context, f func(books, replayed *state) error) error {
	_, err := r.log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		return nil, f(r.state(ctx, tx, Actor{}, tables), r.state(ctx, tx, Actor{}, shadow))
	})
	return err
}
