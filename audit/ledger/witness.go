package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/courtseal/courtseal/internal/disk"
)

// A Witness remembers the last checkpoint outside the database, so that an old copy of the database is noticed. It is used
// by one log at a time.
type Witness interface {
	// Last is the newest note it saw, nil if it saw none.
	Last(ctx context.Context) ([]byte, error)
	// Saw tells of a new head, after it was committed and before anyone is told. Do fails with ErrUnacknowledged if it fails.
	Saw(ctx context.Context, note []byte) error
}

// Unwitnessed is the Witness that sees nothing: a database that was put back to an older state, and with it the uses of
// seals since, is then not noticed by anyone who does not hold a newer checkpoint.
var Unwitnessed Witness = unwitnessed{}

type unwitnessed struct{}

func (unwitnessed) Last(context.Context) ([]byte, error) { return nil, nil }
func (unwitnessed) Saw(context.Context, []byte) error    { return nil }

// FileWitness keeps the checkpoint in a file. Keep it where the backup of the database does not bring it back, best on another disk; each
// process that writes to the ledger has a file of its own: two that share one make it fall behind.
//
// What it guarantees: a process that is killed at any moment leaves the checkpoint that was seen last, or the one before
// if it was killed while it wrote. The file is written with one small write a commit and is not synchronised each time (it
// is when it is made, and when the log is closed), so after a power cut it may be behind by what the system had not yet
// written, half a minute as a rule. It never names more than was committed, since it is written after the commit: a file
// that is behind refuses less, never a good store.
func FileWitness(path string) Witness { return &fileWitness{path: path} }

// The file has two slots, which are written in turn, so that one is whole whatever happens. A slot is its number (8 bytes, big
// endian), the length of the note (4), the note, and SHA-256 over these. A slot that is not whole counts as empty. The
// file is made whole, with an empty note in it.
const (
	slotSize   = 8 << 10
	slotHeader = 8 + 4
	maxSlot    = slotSize - slotHeader - sha256.Size
)

type fileWitness struct {
	path string
	mu   sync.Mutex
	file *os.File // nil until something is written
	n    uint64   // of the last slot written; it is in slot n%2
}

// Last implements Witness.
func (w *fileWitness) Last(context.Context) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last()
}

func (w *fileWitness) last() (note []byte, err error) {
	b, err := os.ReadFile(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWitness, err)
	}
	found := uint64(0)
	for slot := range 2 {
		if n, text, ok := readSlot(b, slot); ok && n > found {
			found, note = n, text
		}
	}
	if found == 0 {
		return nil, fmt.Errorf("%w: %s has no whole checkpoint; if the store is known to be the newest, remove the file", ErrWitness, w.path)
	}
	w.n = found
	if len(note) == 0 {
		note = nil
	}
	return note, nil
}

func readSlot(b []byte, slot int) (n uint64, note []byte, ok bool) {
	if len(b) != 2*slotSize {
		return 0, nil, false
	}
	b = b[slot*slotSize:][:slotSize]
	n = binary.BigEndian.Uint64(b)
	length := binary.BigEndian.Uint32(b[8:])
	if n%2 != uint64(slot) || length > maxSlot {
		return 0, nil, false
	}
	sum := sha256.Sum256(b[:slotHeader+length])
	if string(sum[:]) != string(b[slotHeader+length:][:sha256.Size]) {
		return 0, nil, false
	}
	return n, b[slotHeader:][:length], true
}

func writeSlot(n uint64, note []byte) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, slotHeader+len(note)+sha256.Size), n)
	b = binary.BigEndian.AppendUint32(b, uint32(len(note)))
	b = append(b, note...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// Saw implements Witness.
func (w *fileWitness) Saw(_ context.Context, note []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(note) == 0 || len(note) > maxSlot {
		return fmt.Errorf("%w: a note of %d bytes; %d are the most", ErrWitness, len(note), maxSlot)
	}
	if err := w.open(); err != nil {
		return err
	}
	if _, err := w.file.WriteAt(writeSlot(w.n+1, note), int64((w.n+1)%2)*slotSize); err != nil {
		return fmt.Errorf("%w: %w", ErrWitness, err)
	}
	w.n++
	return nil
}

// open opens the file to write, and makes it if it is not there.
func (w *fileWitness) open() error {
	if w.file != nil {
		return nil
	}
	if _, err := os.Lstat(w.path); errors.Is(err, fs.ErrNotExist) {
		b := make([]byte, 2*slotSize)
		copy(b[slotSize:], writeSlot(1, nil))
		if err := disk.Replace(w.path, b); err != nil {
			return fmt.Errorf("%w: %w", ErrWitness, err)
		}
	}
	if _, err := w.last(); err != nil {
		return err
	}
	f, err := os.OpenFile(w.path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWitness, err)
	}
	w.file = f
	return nil
}

// Close writes the file to the disk.
func (w *fileWitness) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	err := errors.Join(w.file.Sync(), w.file.Close())
	w.file = nil
	return err
}
