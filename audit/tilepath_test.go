package audit

import (
	"errors"
	"testing"
)

func TestParseTilePath(t *testing.T) {
	for path, want := range map[string]TileID{
		"tile/0/000":                    {Width: TileWidth},
		"tile/7/001.p/1":                {Level: 7, N: 1, Width: 1},
		"tile/entries/x001/x234/067":    {Entries: true, N: 1234067, Width: TileWidth},
		"tile/1/x001/000.p/255":         {Level: 1, N: 1000, Width: 255},
		"tile/entries/x123/999.p/17":    {Entries: true, N: 123999, Width: 17},
		"tile/0/x999/x999/x999/999.p/9": {N: 999_999_999_999, Width: 9},
	} {
		got, err := ParseTilePath(path)
		if err != nil || got != want {
			t.Errorf("%s: %+v %v", path, got, err)
		}
	}
	for _, path := range []string{
		"", "tile", "tile/", "tile/0", "tile/0/", "tile/8/000", "tile/-1/000", "tile/+1/000", "tile/00/000", "tile/0/0", "tile/0/0000", "tile/0/x000/000",
		"tile/0/x001", "tile/0/001/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p/1/", "/tile/0/000",
		"tile/data/000", "tile/entries/../0/000", "tile/0/x999/x999/x999/x999/x999/x999/x999/999", "checkpoint",
	} {
		if got, err := ParseTilePath(path); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %+v %v", path, got, err)
		}
	}
}

func FuzzTilePath(f *testing.F) {
	f.Add("tile/entries/x001/x234/067.p/12")
	f.Add("tile/3/000")
	f.Fuzz(func(t *testing.T, path string) {
		if id, err := ParseTilePath(path); err == nil && id.Path() != path {
			t.Errorf("%q is read as %+v, which is %q", path, id, id.Path())
		}
	})
}
