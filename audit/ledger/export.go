package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/disk"
)

// Export writes the log into a directory as C2SP tlog-tiles, up to the newest head, which it returns: entries, hashes and, when all these
// are on the disk, the checkpoint. Private values are not in it. A directory that has an earlier export of this log is brought up to date; one with
// another log is ErrForked, and left alone. What is read is checked against the head: a damaged store gives
// ErrDamaged and no checkpoint. progress, if not nil, is told of the entries done and of all.
func (l *Log) Export(ctx context.Context, dir string, progress func(done, total uint64)) (note []byte, err error) {
	h, err := l.current(ctx, 0)
	if err != nil {
		return nil, err
	}
	start, err := l.exported(ctx, dir, h)
	if err != nil {
		return nil, err
	}
	w := &tileWriter{dir: dir, start: start}
	if err := w.resume(ctx, l); err != nil {
		return nil, err
	}
	f, err := audit.NewFrontier(ctx, l.profile, nodes{l.db}, start)
	if err != nil {
		return nil, err
	}
	for e, err := range readEntries(ctx, l.db, start, h.size) {
		if err != nil {
			return nil, err
		}
		if err := w.add(e, f.Append(l.profile.LeafHash(e.Leaf))); err != nil {
			return nil, err
		}
		if progress != nil && (e.Index+1)%pageSize == 0 {
			progress(e.Index+1, h.size)
		}
	}
	if f.Size() != h.size || f.Root() != h.root {
		return nil, fmt.Errorf("%w: the entries do not lead to the head of %d", ErrDamaged, h.size)
	}
	if err := w.end(); err != nil {
		return nil, err
	}
	if progress != nil {
		progress(h.size, h.size)
	}
	return h.note, w.write(audit.CheckpointPath, h.note)
}

// exported is the size up to which the directory has full tiles of this log.
func (l *Log) exported(ctx context.Context, dir string, h *head) (uint64, error) {
	note, err := os.ReadFile(filepath.Join(dir, audit.CheckpointPath))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	c, err := l.openNote(note)
	if err != nil {
		return 0, fmt.Errorf("%w: %s has the checkpoint of another: %w", ErrForked, dir, err)
	}
	if c.Size > h.size {
		return 0, fmt.Errorf("%w: %s has %d entries, and the log %d", ErrForked, dir, c.Size, h.size)
	}
	if err := l.grownFrom(ctx, l.db, c, h); err != nil {
		return 0, fmt.Errorf("%s: %w", dir, err)
	}
	return c.Size / audit.TileWidth * audit.TileWidth, nil
}

// A tileWriter collects a bundle of entries, and of each level the tile that is not full yet.
type tileWriter struct {
	dir    string
	start  uint64
	bundle []byte
	tiles  [8]tile
	next   uint64 // entry
}

type tile struct {
	n      uint64
	hashes []byte
}

// resume reads the hashes before start that the running tiles begin with.
func (w *tileWriter) resume(ctx context.Context, l *Log) error {
	w.next = w.start
	for level := range w.tiles {
		have := w.start >> (8 * level)
		t := tile{n: have / audit.TileWidth}
		var ids []audit.NodeID
		for i := t.n * audit.TileWidth; i < have; i++ {
			ids = append(ids, audit.NodeID{Level: uint(8 * level), Index: i})
		}
		hashes, err := l.Nodes(ctx, ids)
		if err != nil {
			return err
		}
		for _, h := range hashes {
			t.hashes = append(t.hashes, h[:]...)
		}
		w.tiles[level] = t
	}
	return nil
}

// add takes the next entry and the hashes of what it completes.
func (w *tileWriter) add(e Entry, done []audit.Hash) (err error) {
	if w.bundle, err = audit.AppendBundle(w.bundle, e.Leaf); err != nil {
		return err
	}
	if w.next++; w.next%audit.TileWidth == 0 {
		if err := w.write(audit.BundlePath(w.next/audit.TileWidth-1, audit.TileWidth), w.bundle); err != nil {
			return err
		}
		w.bundle = w.bundle[:0]
	}
	for level := 0; 8*level < len(done); level++ {
		t := &w.tiles[level]
		if t.hashes = append(t.hashes, done[8*level][:]...); len(t.hashes) < audit.TileWidth*audit.HashSize {
			continue
		}
		if err := w.write(audit.TilePath(uint(level), t.n, audit.TileWidth), t.hashes); err != nil {
			return err
		}
		*t = tile{n: t.n + 1, hashes: t.hashes[:0]}
	}
	return nil
}

// end writes what is not full.
func (w *tileWriter) end() error {
	if n := w.next % audit.TileWidth; n > 0 {
		if err := w.write(audit.BundlePath(w.next/audit.TileWidth, int(n)), w.bundle); err != nil {
			return err
		}
	}
	for level, t := range w.tiles {
		if n := len(t.hashes) / audit.HashSize; n > 0 {
			if err := w.write(audit.TilePath(uint(level), t.n, n), t.hashes); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *tileWriter) write(path string, b []byte) error {
	name := filepath.Join(w.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	if err := disk.Replace(name, b); err != nil {
		return err
	}
	return os.Chmod(name, 0o644) // it is made to be published
}
