package offline

import (
	"fmt"
	"time"

	"github.com/courtseal/courtseal/audit"
)

// maxExport is the largest number of uses that Export gives at once.
const maxExport = 2000

// ended is the time for an outcome: that something was signed is written even when the clock was set back.
func (b *Book) ended() time.Time {
	t, _ := b.clock()
	return t
}

// A State says how a book stands.
type State struct {
	Grant      *audit.OfflineGrant
	Used       uint64           // numbers given
	Reconciled uint64           // up to here the ledger has them
	List       *audit.StateList // the newest; nil: none that is good
	Last       time.Time        // the latest time that was seen
}

// State tells how the book stands. Grant and List are not to be changed.
func (b *Book) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return State{Grant: b.grant, Used: uint64(len(b.uses)), Reconciled: b.settled, List: b.list, Last: b.last}
}

// Export gives the uses after a number as the [audit.OfflineChain] that the ledger reads, and the number of the last; 0: there are
// none. It stops before a use that is being signed, and after 2,000. A use without outcome is one in which the process ended: it may be
// in a document, or not. To send all that is open, begin with State().Reconciled.
func (b *Book) Export(after uint64) (chain []byte, last uint64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := audit.OfflineChain{GrantNote: b.note}
	for _, u := range b.uses[min(after, uint64(len(b.uses))):] {
		if len(c.Uses) == maxExport || u.busy != nil {
			break
		}
		private, err := audit.ParsePrivate(u.private)
		if err != nil {
			return nil, 0, fmt.Errorf("%w: use %d: %w", ErrDamaged, u.Number, err)
		}
		c.Uses = append(c.Uses, audit.OfflineEntry{OfflineUse: u.OfflineUse, Private: private, Outcome: u.outcome})
		last = u.Number
	}
	chain, err = c.Marshal()
	return chain, last, err
}

// Reconciled notes the ledger's answer to what was sent: up to number whole all is in order, and head is the hash of that use
// ([audit.ChainReport]). A use that has no outcome by then gets none any more: its request is a further use when it is tried again.
// ErrFork: the ledger has another use of that number, or one that the book does not have. Less than was noted before changes nothing.
func (b *Book) Reconciled(whole uint64, head audit.Hash) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	have, err := b.grant.Start()
	if err != nil {
		return err
	}
	if whole > uint64(len(b.uses)) {
		return fmt.Errorf("%w: up to use %d, and this book has %d", ErrFork, whole, len(b.uses))
	}
	if whole > 0 {
		have = b.uses[whole-1].hash
	}
	if have != head {
		return fmt.Errorf("%w: another use %d", ErrFork, whole)
	}
	if whole <= b.settled {
		return nil
	}
	if _, err := b.j.append(line{"reconciled", [][]byte{fmt.Append(nil, whole), []byte(head.String())}}); err != nil {
		return err
	}
	b.settled = whole
	return nil
}
