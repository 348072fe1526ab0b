package pdfx

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/glyph"
)

// The embedded font is one that is always there, and as a collection too.
const ownFont = "../internal/glyph/noto-serif-cjk-sc-bold.otf"

// collection makes a collection of a font, n times: offsets in a directory count from the start of the file.
func collection(t *testing.T, n int) []byte {
	t.Helper()
	otf, err := os.ReadFile(ownFont)
	if err != nil {
		t.Fatal(err)
	}
	head := append([]byte("ttcf\x00\x01\x00\x00\x00\x00\x00"), byte(n))
	moved := uint32(len(head) + 4*n)
	for range n {
		head = append(head, byte(moved>>24), byte(moved>>16), byte(moved>>8), byte(moved))
	}
	font := append([]byte(nil), otf...)
	for i := range int(font[4])<<8 | int(font[5]) {
		offset := font[12+16*i+8:][:4]
		at := uint32(offset[0])<<24 | uint32(offset[1])<<16 | uint32(offset[2])<<8 | uint32(offset[3])
		at += moved
		copy(offset, []byte{byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at)})
	}
	return append(head, font...)
}

func TestReadFont(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	three := file("three.ttc", collection(t, 3))
	sharp := file("a#1", collection(t, 1))
	for _, name := range []string{ownFont, ownFont + "#0", three, three + "#0", three + "#2", sharp, sharp + "#0"} {
		f, err := ReadFont(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b, err := appearance.SetText("同意签发", appearance.Style{Face: f.face})
		if err != nil {
			t.Fatal(err)
		}
		own, err := appearance.SetText("同意签发", appearance.Style{})
		if err != nil || string(own.Content) != string(b.Content) {
			t.Errorf("%s: the same font draws something else, %v", name, err)
		}
	}
	for _, c := range []struct {
		name, says string
		want       error
	}{
		{three + "#3", "numbered 0 to 2", ErrFont},
		{ownFont + "#1", "numbered 0 to 0", ErrFont},
		{file("text.ttf", []byte("a line of text that is no font")), "text.ttf", ErrFont},
		{file("empty.ttf", nil), "", ErrFont},
		{file("web.woff", []byte("wOFF\x00\x01\x00\x00 and more")), "WOFF", ErrFont},
		{file("cut.ttc", collection(t, 2)[:900_000]), "ends behind the file", ErrFont},
		{filepath.Join(dir, "none.ttf"), "", fs.ErrNotExist},
		{filepath.Join(dir, "none.ttc#1"), "", fs.ErrNotExist},
		{three + "#-1", "", fs.ErrNotExist},
	} {
		_, err := ReadFont(c.name)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := ReadFont(dir); err == nil {
		t.Error("a directory is a font")
	}
	big := file("big.ttf", nil)
	if err := os.Truncate(big, glyph.MaxFont+5); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFont(big); !errors.Is(err, ErrFont) {
		t.Errorf("a file of %d bytes: %v", glyph.MaxFont+5, err)
	}
}

func TestFontNamesWhatItLacks(t *testing.T) {
	f, err := ReadFont(ownFont)
	if err != nil {
		t.Fatal(err)
	}
	_, err = appearance.SetText("龘是好字，龘靐", appearance.Style{Face: f.face})
	if !errors.Is(err, ErrGlyph) || !strings.Contains(err.Error(), "龘靐") || strings.Contains(err.Error(), "好") {
		t.Errorf("%v", err)
	}
}

func TestFontIsSafeForConcurrentUse(t *testing.T) {
	f, err := ReadFont(ownFont)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := appearance.SetText("审核人：张三 2024-05-06", appearance.Style{Face: f.face, Width: 40}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
