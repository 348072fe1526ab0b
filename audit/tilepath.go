package audit

import (
	"fmt"
	"strconv"
	"strings"
)

// A TileID is what the path of a tile or bundle names.
type TileID struct {
	Entries bool // a bundle of entries; else a tile of hashes
	Level   uint // of a tile, 0 the leaves
	N       uint64
	Width   int // how many hashes or entries are asked for, 1 to TileWidth
}

// Path is TilePath or BundlePath.
func (t TileID) Path() string {
	if t.Entries {
		return BundlePath(t.N, t.Width)
	}
	return TilePath(t.Level, t.N, t.Width)
}

// ParseTilePath reads the path of a tile or bundle, for a server of tiles. It takes what Path writes and nothing else.
func ParseTilePath(path string) (t TileID, err error) {
	malformed := fmt.Errorf("%w: %.80q is not the path of a tile", ErrFormat, path)
	rest, ok := strings.CutPrefix(path, "tile/")
	kind, rest, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 || len(path) > 80 {
		return t, malformed
	}
	if t.Entries = kind == "entries"; !t.Entries {
		level, err := strconv.ParseUint(kind, 10, 8)
		if err != nil || level > 7 {
			return t, malformed
		}
		t.Level = uint(level)
	}
	t.Width = TileWidth
	rest, width, partial := strings.Cut(rest, ".p/")
	if partial {
		if t.Width, err = strconv.Atoi(width); err != nil || t.Width < 1 || t.Width >= TileWidth {
			return t, malformed
		}
	}
	for _, group := range strings.Split(rest, "/") {
		n, err := strconv.ParseUint(strings.TrimPrefix(group, "x"), 10, 64)
		if err != nil || n > 999 || t.N > MaxTree/1000 {
			return t, malformed
		}
		t.N = t.N*1000 + n
	}
	if t.Path() != path {
		return t, malformed
	}
	return t, nil
}
