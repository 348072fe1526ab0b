package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/tlog"
)

func TestTilePaths(t *testing.T) {
	for got, want := range map[string]string{
		TilePath(0, 0, 256):         "tile/0/000",
		TilePath(1, 1234067, 17):    "tile/1/x001/x234/067.p/17",
		BundlePath(273, 112):        "tile/entries/273.p/112",
		BundlePath(1000, TileWidth): "tile/entries/x001/000",
	} {
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	for _, n := range []uint64{0, 1, 999, 1000, 123456789} { // but for the height, paths are those of the Go checksum database
		theirs := tlog.Tile{H: 8, L: 2, N: int64(n), W: 5}.Path()
		if got := "tile/8/" + strings.TrimPrefix(TilePath(2, n, 5), "tile/"); got != theirs {
			t.Errorf("%s, not %s", got, theirs)
		}
	}
}

// files are the tiles, bundles and checkpoint of a log of size entries.
func files(t testing.TB, p Profile, size int, name string) (fstest.MapFS, *tree) {
	t.Helper()
	tr := newTree(p)
	for i := range size {
		tr.add(entry(i))
	}
	fsys := fstest.MapFS{CheckpointPath: {Data: must(Checkpoint{name, uint64(size), tr.f.Root(), ""}.Sign(edSigner(t, name)))}}
	for level := uint(0); size>>(8*level) > 0; level++ {
		for n := 0; n*TileWidth < size>>(8*level); n++ {
			width := min(TileWidth, size>>(8*level)-n*TileWidth)
			var tile, bundle []byte
			for i := n * TileWidth; i < n*TileWidth+width; i++ {
				h := tr.nodes[NodeID{8 * level, uint64(i)}]
				tile = append(tile, h[:]...)
				bundle = must(AppendBundle(bundle, entry(i)))
			}
			fsys[TilePath(level, uint64(n), width)] = &fstest.MapFile{Data: tile}
			if level == 0 {
				fsys[BundlePath(uint64(n), width)] = &fstest.MapFile{Data: bundle}
			}
		}
	}
	return fsys, tr
}

func TestTiles(t *testing.T) {
	known := edSigner(t, origin).Verifier()
	for _, size := range []int{0, 1, 255, 256, 257, 1000} {
		fsys, tr := files(t, SM3, size, origin)
		tiles, err := OpenTiles(fsys, known)
		if err != nil {
			t.Fatal(err)
		}
		count := uint64(0)
		if err := tiles.Verify(t.Context(), func(i uint64, e []byte) error {
			if i != count || !bytes.Equal(e, entry(int(i))) {
				return fmt.Errorf("entry %d is %q", i, e)
			}
			count++
			return nil
		}); err != nil || count != uint64(size) {
			t.Fatalf("%d: %d entries: %v", size, count, err)
		}
		for i := uint64(0); i < uint64(size); i += 7 {
			proof, err := ProveInclusion(t.Context(), SM3, tiles, i, uint64(size))
			if err != nil {
				t.Fatal(err)
			}
			if err := CheckInclusion(SM3, SM3.LeafHash(entry(int(i))), i, uint64(size), proof, tr.f.Root()); err != nil {
				t.Fatal(err)
			}
		}
		for e, err := range tiles.Entries(t.Context(), uint64(size)/2) {
			if err != nil || !bytes.Equal(e, entry(size/2)) {
				t.Fatalf("%q, %v", e, err)
			}
			break
		}
	}
}

// TestTilesOfALargerTree: levels above the second have tiles too, and a full tile stands in for a partial one.
func TestTilesOfALargerTree(t *testing.T) {
	const size = 70000
	fsys, tr := files(t, SHA256, size, "log.example.cn")
	tiles := must(OpenTiles(fsys, edSigner(t, "log.example.cn").Verifier()))
	if err := tiles.Verify(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if root, err := RootAt(t.Context(), SHA256, tiles, size-1); err != nil || root == tr.f.Root() {
		t.Fatal(root, err)
	}
	for _, path := range []string{"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"} {
		f, ok := fsys[path]
		if !ok {
			t.Fatalf("no %s", path)
		}
		full, _, _ := strings.Cut(path, ".p/")
		var rest []byte
		if strings.Contains(path, "entries") {
			rest = make([]byte, 2*(TileWidth-112))
		} else {
			rest = make([]byte, TileWidth*HashSize-len(f.Data))
		}
		delete(fsys, path)
		if err := tiles.Verify(t.Context(), nil); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is gone: %v", path, err)
		}
		fsys[full] = &fstest.MapFile{Data: append(bytes.Clone(f.Data), rest...)}
		if err := tiles.Verify(t.Context(), nil); err != nil {
			t.Errorf("%s became full: %v", path, err)
		}
	}
}

// TestTlogReadsTiles: the tile reader of the Go checksum database, which checks what it reads against the root, reads ours.
func TestTlogReadsTiles(t *testing.T) {
	const size = 70000
	fsys, tr := files(t, SHA256, size, "log.example.cn")
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: tlog.Hash(tr.f.Root())}, tileFiles{fsys})
	for _, i := range []int64{0, 255, 256, 65535, 65536, size - 1} {
		proof, err := tlog.ProveRecord(size, i, reader)
		if err != nil {
			t.Fatal(err)
		}
		if ours := must(ProveInclusion(t.Context(), SHA256, tr, uint64(i), size)); !sameProof(ours, proof) {
			t.Errorf("entry %d: %v, not %v", i, ours, proof)
		}
	}
}

type tileFiles struct{ fsys fs.FS }

func (tileFiles) Height() int                     { return 8 }
func (tileFiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (f tileFiles) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		b, err := fs.ReadFile(f.fsys, TilePath(uint(t.L), uint64(t.N), t.W))
		if err != nil {
			return nil, err
		}
		data = append(data, b)
	}
	return data, nil
}

// TestTilesAreWatched: every changed, missing or longer file is found.
func TestTilesAreWatched(t *testing.T) {
	fsys, _ := files(t, SM3, 600, origin)
	known := edSigner(t, origin).Verifier()
	check := func(f fstest.MapFS) error {
		tiles, err := OpenTiles(f, known)
		if err != nil {
			return err
		}
		return tiles.Verify(t.Context(), nil)
	}
	if err := check(fsys); err != nil {
		t.Fatal(err)
	}
	for path, file := range fsys {
		for name, data := range map[string][]byte{
			"gone": nil, "shorter": file.Data[:len(file.Data)-1], "longer": append(bytes.Clone(file.Data), 0), "empty": {},
			"first": flip(file.Data, 0), "middle": flip(file.Data, len(file.Data)/2), "last": flip(file.Data, len(file.Data)-1),
		} {
			f := maps.Clone(fsys)
			if data == nil {
				delete(f, path)
			} else {
				f[path] = &fstest.MapFile{Data: data}
			}
			if err := check(f); err == nil {
				t.Errorf("%s %s is not found", path, name)
			}
		}
	}
}

func flip(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func TestTileRanges(t *testing.T) {
	fsys, _ := files(t, SM3, 300, origin)
	tiles := must(OpenTiles(fsys, edSigner(t, origin).Verifier()))
	for _, id := range []NodeID{{0, 300}, {8, 1}, {62, 0}, {9, 0}, {200, 0}, {0, 1 << 63}} {
		if _, err := tiles.Nodes(t.Context(), []NodeID{id}); !errors.Is(err, ErrRange) {
			t.Errorf("%v: %v", id, err)
		}
	}
	if _, err := OpenTiles(fsys, edSigner(t, "other").Verifier()); !errors.Is(err, ErrUnknownLog) {
		t.Error(err)
	}
	for e, err := range tiles.Entries(t.Context(), 300) {
		t.Error(e, err)
	}
	if _, err := AppendBundle(nil, make([]byte, MaxLeaf+1)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}
