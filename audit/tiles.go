package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
)

// TileWidth is the number of hashes of a full tile, and of entries of a full bundle.
const TileWidth = 256

// Files of a log as C2SP tlog-tiles has them, relative to its directory or URL.
const CheckpointPath = "checkpoint"

// TilePath is the path of the n-th tile of a level with its first width hashes; width is 1 to TileWidth.
func TilePath(level uint, n uint64, width int) string {
	return fmt.Sprintf("tile/%d/", level) + tilePath(n, width)
}

// BundlePath is the path of the n-th bundle of entries, with its first width entries.
func BundlePath(n uint64, width int) string { return "tile/entries/" + tilePath(n, width) }

func tilePath(n uint64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/", n%1000) + path
	}
	if width < TileWidth {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// AppendBundle appends an entry to a bundle of entries. An entry longer than MaxLeaf is ErrTooLarge.
func AppendBundle(bundle, entry []byte) ([]byte, error) {
	if len(entry) > MaxLeaf {
		return nil, fmt.Errorf("%w: an entry of %d bytes; %d are the most", ErrTooLarge, len(entry), MaxLeaf)
	}
	return append(binary.BigEndian.AppendUint16(bundle, uint16(len(entry))), entry...), nil
}

// ParseBundle takes a bundle apart. The entries are parts of it.
func ParseBundle(bundle []byte) ([][]byte, error) {
	var entries [][]byte
	for len(bundle) > 0 {
		if len(entries) == TileWidth {
			return nil, fmt.Errorf("%w: a bundle of more than %d entries", ErrTooLarge, TileWidth)
		}
		if len(bundle) < 2 {
			return nil, fmt.Errorf("%w: a bundle ends inside a length", ErrFormat)
		}
		n := int(binary.BigEndian.Uint16(bundle))
		if bundle = bundle[2:]; n > len(bundle) {
			return nil, fmt.Errorf("%w: entry %d of a bundle has %d bytes, and %d are left", ErrFormat, len(entries), n, len(bundle))
		}
		entries, bundle = append(entries, bundle[:n:n]), bundle[n:]
	}
	return entries, nil
}

// Tiles reads a log that stands as files (C2SP tlog-tiles), an export of package audit/ledger or another log's copy.
// Nothing it reads is proved but the checkpoint: check proofs against its root, or all with Verify. It is safe for
// concurrent use.
type Tiles struct {
	fsys fs.FS
	note []byte
	head Checkpoint
}

// OpenTiles opens the log in fsys, whose checkpoint a known key of the log has signed: see OpenCheckpoint for the errors.
func OpenTiles(fsys fs.FS, known ...Verifier) (*Tiles, error) {
	note, err := readFile(fsys, CheckpointPath, MaxNote)
	if err != nil {
		return nil, err
	}
	head, _, err := OpenCheckpoint(note, known...)
	if err != nil {
		return nil, err
	}
	return &Tiles{fsys, note, head}, nil
}

// Head is the log's checkpoint.
func (t *Tiles) Head() Checkpoint { return t.head }

// Note is the checkpoint as it is signed; the caller does not change it.
func (t *Tiles) Note() []byte { return t.note }

// width is how many hashes of tile n of a level the tree has.
func (t *Tiles) width(level uint, n uint64) int {
	if level > 7 { // 256^8 leaves are more than MaxTree
		return 0
	}
	all := t.head.Size >> (8 * level)
	if n >= (all+TileWidth-1)/TileWidth {
		return 0
	}
	return int(min(all-n*TileWidth, TileWidth))
}

// read returns the content of a tile or bundle of that width. Of a partial one that is gone, as it may be when the log
// grew, the full one serves.
func (t *Tiles) read(path func(width int) string, width, limit int) (b []byte, full bool, err error) {
	b, err = readFile(t.fsys, path(width), limit)
	if width < TileWidth && errors.Is(err, fs.ErrNotExist) {
		if b, full := readFile(t.fsys, path(TileWidth), limit); full == nil {
			return b, true, nil
		}
	}
	return b, width == TileWidth, err
}

// tile returns the hashes of a tile, as many as the tree has.
func (t *Tiles) tile(level uint, n uint64) ([]Hash, error) {
	width := t.width(level, n)
	if width == 0 {
		return nil, fmt.Errorf("%w: tile %d of level %d in a tree of %d", ErrRange, n, level, t.head.Size)
	}
	path := func(w int) string { return TilePath(level, n, w) }
	b, full, err := t.read(path, width, TileWidth*HashSize)
	if err != nil {
		return nil, err
	}
	if len(b) != width*HashSize && !(full && len(b) == TileWidth*HashSize) {
		return nil, fmt.Errorf("%w: %s has %d bytes and no %d hashes", ErrFormat, path(width), len(b), width)
	}
	hashes := make([]Hash, width)
	for i := range hashes {
		hashes[i] = Hash(b[i*HashSize:])
	}
	return hashes, nil
}

// Nodes implements NodeReader.
func (t *Tiles) Nodes(ctx context.Context, ids []NodeID) ([]Hash, error) {
	type tileID struct {
		level uint
		n     uint64
	}
	tiles := map[tileID][]Hash{}
	nodes := make([]Hash, len(ids))
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if id.Level > 61 || id.Index >= t.head.Size>>id.Level {
			return nil, fmt.Errorf("%w: node %d of level %d in a tree of %d", ErrRange, id.Index, id.Level, t.head.Size)
		}
		up := id.Level % 8 // levels above the hashes of the tile
		first := id.Index << up
		key := tileID{id.Level / 8, first / TileWidth}
		if tiles[key] == nil {
			tile, err := t.tile(key.level, key.n)
			if err != nil {
				return nil, err
			}
			tiles[key] = tile
		}
		nodes[i] = fold(t.head.Profile(), tiles[key][first%TileWidth:][:1<<up])
	}
	return nodes, nil
}

// fold is the root over hashes, a power of two of them.
func fold(p Profile, hashes []Hash) Hash {
	hashes = slices.Clone(hashes)
	for len(hashes) > 1 {
		for i := range len(hashes) / 2 {
			hashes[i] = p.NodeHash(hashes[2*i], hashes[2*i+1])
		}
		hashes = hashes[:len(hashes)/2]
	}
	return hashes[0]
}

// Entries reads the entries from index on. After an error it ends.
func (t *Tiles) Entries(ctx context.Context, from uint64) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for from < t.head.Size {
			bundle, err := t.bundle(ctx, from/TileWidth)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, e := range bundle[from%TileWidth:] {
				if !yield(e, nil) {
					return
				}
				from++
			}
		}
	}
}

func (t *Tiles) bundle(ctx context.Context, n uint64) ([][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	width := t.width(0, n)
	path := func(w int) string { return BundlePath(n, w) }
	b, full, err := t.read(path, width, TileWidth*(2+MaxLeaf))
	if err != nil {
		return nil, err
	}
	entries, err := ParseBundle(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path(width), err)
	}
	if len(entries) != width && !(full && len(entries) == TileWidth) {
		return nil, fmt.Errorf("%w: %s has %d entries and not %d", ErrFormat, path(width), len(entries), width)
	}
	return entries[:width], nil
}

// Verify reads all and checks that the entries make the tree of the checkpoint, and that each tile has the hashes of
// that tree. seen, if not nil, is told each entry in turn, and may end it with an error. Another tree is ErrProof.
func (t *Tiles) Verify(ctx context.Context, seen func(index uint64, entry []byte) error) error {
	p := t.head.Profile()
	f := Frontier{profile: p}
	var tiles [8][]Hash // of each level the tile that the running entry belongs to
	for e, err := range t.Entries(ctx, 0) {
		if err != nil {
			return err
		}
		index := f.Size()
		for l, h := range f.Append(p.LeafHash(e)) {
			if l%8 != 0 {
				continue
			}
			level, at := uint(l/8), index>>l
			if at%TileWidth == 0 {
				if tiles[level], err = t.tile(level, at/TileWidth); err != nil {
					return err
				}
			}
			if tiles[level][at%TileWidth] != h {
				return fmt.Errorf("%w: %s does not have the hash of its entries at %d; entry %d is the last of them",
					ErrProof, TilePath(level, at/TileWidth, t.width(level, at/TileWidth)), at%TileWidth, index)
			}
		}
		if seen != nil {
			if err := seen(index, e); err != nil {
				return err
			}
		}
	}
	if root := f.Root(); root != t.head.Root {
		return fmt.Errorf("%w: the %d entries have the root %s, and the checkpoint %s", ErrProof, f.Size(), root, t.head.Root)
	}
	return nil
}

// readFile reads a file of limit bytes at most.
func readFile(fsys fs.FS, path string, limit int) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(b) > limit {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, path, limit)
	}
	return b, nil
}
