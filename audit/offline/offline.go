package offline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/disk"
	"github.com/courtseal/courtseal/sign"
)

var (
	// ErrBusy: another process has the book, or this one has it open already.
	ErrBusy = errors.New("offline: the book is in use")
	// ErrDamaged: the file of the book is not as it was written. It is left as it is; ask for a new grant, and send the file to the
	// issuer.
	ErrDamaged = errors.New("offline: the book is damaged")
	// ErrBroken: the disk failed, and it is not known what of the last line is there. Close the book and open it again.
	ErrBroken = errors.New("offline: the book could not be written")
	// ErrClock: the clock is more than 2 s behind what the book has seen. Nothing is sealed until it is right.
	ErrClock = errors.New("offline: the clock was set back")
	// ErrNoList: there is no state list, or none that is good. SetList takes one.
	ErrNoList = errors.New("offline: no state list")
	// ErrRequest: an act cannot be entered: its id was used for something else, or is not in work.
	ErrRequest = errors.New("offline: request cannot be entered")
	// ErrFork: the ledger has another use of a number than this book. Its directory was copied, or put back to an older state: tell
	// the issuer, and use the grant no more.
	ErrFork = errors.New("offline: the ledger knows another chain of this grant")
)

// backwards is how far the clock may be set back before that stops sealing.
const backwards = 2 * time.Second

// Files of a book.
const (
	lockName = "lock"
	bookName = "book"
	listName = "list"
)

// Options say how a book is used.
type Options struct {
	Seal []byte           // the SESeal that is used, its bytes; nil: the book is opened to give account only, and nothing is sealed
	Now  func() time.Time // nil: time.Now
}

// A Book counts the uses of one offline grant in a directory. It is safe for concurrent use. Close it.
type Book struct {
	dir   string
	lock  *os.File
	known []audit.Verifier
	seal  bool // Options.Seal is the grant's
	now   func() time.Time
	note  []byte // of grant
	grant *audit.OfflineGrant

	mu      sync.Mutex
	j       journal
	uses    []*use          // by number, the first is 1
	request map[string]*use // the last of each request
	head    audit.Hash      // what the next use names
	settled uint64          // up to here the ledger has the uses
	last    time.Time       // the clock never shows less
	list    *audit.StateList
	listErr error  // why list is nil
	seen    uint64 // the highest number of a list
}

// A use is one that is written.
type use struct {
	audit.OfflineUse
	leaf    []byte
	hash    audit.Hash
	private []byte
	outcome *audit.Outcome
	end     span          // of the line with the values
	busy    chan struct{} // closed when End is through; nil: nobody is signing
}

// Create makes a book for a grant, a note signed by a known key of its ledger, in a directory that is made where it is not there. A
// directory that has a book already is fs.ErrExist: numbers would be given twice.
func Create(dir string, grant []byte, known []audit.Verifier, o Options) (*Book, error) {
	if _, err := audit.OpenOfflineGrant(grant, known...); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return enter(dir, known, o, func(name string) error {
		if _, err := os.Lstat(name); err == nil {
			return &os.PathError{Op: "create", Path: name, Err: fs.ErrExist}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return disk.Replace(name, newJournal(line{"grant", [][]byte{grant}}))
	})
}

// Open opens a book that Create made; fs.ErrNotExist: there is none. known are the keys of the ledgers that issue the grant and the state
// lists. A second one who opens it is told ErrBusy.
func Open(dir string, known []audit.Verifier, o Options) (*Book, error) {
	return enter(dir, known, o, func(string) error { return nil })
}

// enter takes the directory for this process, and opens the book that prepare has made sure of.
func enter(dir string, known []audit.Verifier, o Options, prepare func(name string) error) (b *Book, err error) {
	lock, err := disk.Lock(filepath.Join(dir, lockName))
	if errors.Is(err, disk.ErrBusy) {
		return nil, fmt.Errorf("%w: %s", ErrBusy, dir)
	}
	if err != nil {
		return nil, err
	}
	open := &Book{dir: dir, lock: lock, known: known, now: o.Now, request: map[string]*use{}}
	defer func() {
		if err != nil {
			open.Close()
		}
	}()
	if open.now == nil {
		open.now = time.Now
	}
	name := filepath.Join(dir, bookName)
	if err := prepare(name); err != nil {
		return nil, err
	}
	if open.j.f, err = os.OpenFile(name, os.O_RDWR, 0); err != nil {
		return nil, err
	}
	if err := open.load(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if o.Seal != nil {
		if open.seal = bytes.Equal(sign.SM3.Sum(o.Seal), open.grant.SealDigest); !open.seal {
			return nil, fmt.Errorf("%w: the seal given is not the one of %.80q, byte for byte", audit.ErrGrantSeal, open.grant.Seal)
		}
	}
	if err := open.loadList(); err != nil {
		return nil, err
	}
	return open, nil
}

// Close gives the book back. What is being signed cannot be recorded any more.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lock == nil {
		return nil
	}
	var err error
	if b.j.f != nil {
		err = b.j.f.Close()
	}
	b.j.broken = os.ErrClosed
	err = errors.Join(err, b.lock.Close())
	b.lock = nil
	return err
}

// load reads the book and cuts off what was being written when the process ended.
func (b *Book) load() error {
	f := b.j.f
	j, torn, err := readJournal(f, b.take)
	if err != nil {
		return err
	}
	if b.grant == nil {
		return fmt.Errorf("%w: it has no grant", ErrDamaged)
	}
	b.j = j
	b.j.f = f
	if !torn {
		return nil
	}
	if err := f.Truncate(j.size); err != nil {
		return err
	}
	return f.Sync()
}

// take takes a line of the book.
func (b *Book) take(l line, at span) error {
	want := map[string]int{"grant": 1, "use": 2, "end": 2, "list": 1, "reconciled": 2}[l.name]
	if want != len(l.words) || (l.name == "grant") != (b.grant == nil) {
		return fmt.Errorf("%w: a line %.20q of %d words is out of place", ErrDamaged, l.name, len(l.words))
	}
	var err error
	switch l.name {
	case "grant":
		b.note = l.words[0]
		if b.grant, err = audit.OpenOfflineGrant(b.note, b.known...); err == nil {
			b.head, err = b.grant.Start()
		}
		return err // a key that is not known any more is no damage
	case "use":
		var u *audit.OfflineUse
		if u, err = audit.ParseOfflineUse(l.words[0]); err == nil {
			err = b.add(&use{OfflineUse: *u, leaf: l.words[0], private: l.words[1]})
		}
	case "end":
		err = b.takeEnd(l.words[0], at)
	case "list":
		b.seen, err = strconv.ParseUint(string(l.words[0]), 10, 64)
	case "reconciled":
		b.settled, err = strconv.ParseUint(string(l.words[0]), 10, 64)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// add puts a use at the end of the chain.
func (b *Book) add(u *use) error {
	if u.Number != uint64(len(b.uses))+1 || u.Prev != b.head {
		return fmt.Errorf("%w: use %d stands after use %d", audit.ErrUseBroken, u.Number, len(b.uses))
	}
	u.hash = b.grant.Profile().LeafHash(u.leaf)
	b.uses = append(b.uses, u)
	b.request[u.Use.Request] = u
	b.head = u.hash
	b.seen = max(b.seen, u.List)
	b.tick(u.Use.Time)
	return nil
}

func (b *Book) takeEnd(leaf []byte, at span) error {
	l, err := audit.ParseLeaf(leaf)
	if err != nil {
		return err
	}
	o, err := audit.ParseOutcome(l)
	if err != nil {
		return err
	}
	if o.Begin == 0 || o.Begin > uint64(len(b.uses)) {
		return fmt.Errorf("%w: outcome of use %d", audit.ErrUseMissing, o.Begin)
	}
	u := b.uses[o.Begin-1]
	u.outcome, u.end = &o, at
	b.tick(o.Time)
	return nil
}

// tick notes a time that the clock has shown.
func (b *Book) tick(t time.Time) {
	if t.After(b.last) {
		b.last = t
	}
}

// clock is the time, never less than before.
func (b *Book) clock() (time.Time, error) {
	t := b.now().UTC().Truncate(time.Millisecond)
	if b.last.Sub(t) > backwards {
		return b.last, fmt.Errorf("%w: it shows %s, and %s was seen", ErrClock, t.Format(time.RFC3339), b.last.Format(time.RFC3339))
	}
	b.tick(t)
	return b.last, nil
}

// loadList reads the state list that was set last. One that cannot be read is none: the next one can still be set.
func (b *Book) loadList() error {
	f, err := os.Open(filepath.Join(b.dir, listName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	note, err := io.ReadAll(io.LimitReader(f, audit.MaxNote+1))
	if err != nil {
		return err
	}
	l, err := audit.OpenStateList(note, b.known...)
	if err == nil {
		err = b.checkNumber(l)
	}
	if err != nil {
		b.listErr = err
		return nil
	}
	b.setList(l)
	return nil
}

func (b *Book) setList(l *audit.StateList) {
	b.list, b.listErr = l, nil
	b.seen = max(b.seen, l.Number)
	b.tick(l.Issued)
}

// checkNumber holds a list to what the book has seen.
func (b *Book) checkNumber(l *audit.StateList) error {
	switch {
	case l.Log != b.grant.Lists:
		return fmt.Errorf("%w: of %.120q, and this one is of %.120q", audit.ErrListOther, b.grant.Lists, l.Log)
	case l.Number < max(b.seen, b.grant.Oldest):
		return fmt.Errorf("%w: number %d or higher is wanted, and this one is %d", audit.ErrListOld, max(b.seen, b.grant.Oldest), l.Number)
	}
	return nil
}

// SetList takes a newer state list, a signed note. What it says counts from now on; it lasts. The same list again changes nothing. The
// errors are those of [audit.OpenStateList], audit.ErrListOther, audit.ErrListOld, and ErrClock: it was issued later than the clock
// shows. A list that has expired, or in which the grant's seal is, is taken like any other.
func (b *Book) SetList(note []byte) error {
	l, err := audit.OpenStateList(note, b.known...)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.checkNumber(l); err != nil {
		return err
	}
	if b.list != nil && b.list.Number == l.Number {
		return b.sameList(l)
	}
	now, err := b.clock()
	if err != nil {
		return err
	}
	if l.Issued.Sub(now) > backwards {
		return fmt.Errorf("%w: it shows %s, and list %d was issued %s",
			ErrClock, now.Format(time.RFC3339), l.Number, l.Issued.Format(time.RFC3339))
	}
	if b.j.broken != nil {
		return fmt.Errorf("%w: %w", ErrBroken, b.j.broken)
	}
	if err := disk.Replace(filepath.Join(b.dir, listName), note); err != nil {
		return err
	}
	b.setList(l)
	_, err = b.j.append(line{"list", [][]byte{fmt.Append(nil, l.Number)}})
	return err
}

func (b *Book) sameList(l *audit.StateList) error {
	have, err := b.list.Marshal()
	if err != nil {
		return err
	}
	if text, err := l.Marshal(); err != nil || !bytes.Equal(have, text) {
		return fmt.Errorf("%w: the book has list %d, and this is another one of that number", audit.ErrListOld, l.Number)
	}
	return nil
}
