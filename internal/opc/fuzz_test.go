package opc

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"strings"
	"testing"
)

// FuzzOpen opens a file and does all that can be done with it. Of a file without faults, Go's own reader sees the same
// entries with the same contents; written anew it is the same file, and undone it is again.
func FuzzOpen(f *testing.F) {
	for _, b := range samples(f) {
		if len(b) < 20<<10 {
			f.Add(b)
		}
	}
	f.Add(archived(f, small()).Bytes())
	for _, c := range faults(f) {
		a := archived(f, small())
		c.make(a)
		if b := a.Bytes(); len(b) < 20<<10 {
			f.Add(b)
		}
	}
	limits := Limits{Entries: 200, Read: 1 << 18, Part: 1 << 20, Size: 1 << 21}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Open(bytes.NewReader(b), int64(len(b)), limits)
		if err != nil {
			typed(t, err)
			return
		}
		for _, part := range p.Parts() {
			if _, err := p.Read(part); err != nil {
				typed(t, err)
			}
		}
		for _, source := range p.Sources() {
			if r := p.Rels(source); r.Source() != source {
				t.Errorf("of %q: %q", source, r.Source())
			}
		}
		if len(p.Faults()) > 0 {
			return
		}
		sameAsGo(t, p, b)
		if same := write(t, p, nil); !bytes.Equal(same, b) {
			t.Error("written without changes it differs")
		}
		rels, _ := p.Rels("/").Add("http://x", "x.xml", false)
		changes := []Change{{rels.Name(), rels.Bytes()}}
		undo, err := p.Undo([]string{rels.Name()})
		if err != nil {
			t.Fatal(err)
		}
		q, err := p.With(changes)
		if err != nil {
			typed(t, err)
			return
		}
		if len(q.Faults()) > 0 {
			return // relationships had no content type
		}
		if back := restore(t, write(t, p, changes), undo); !bytes.Equal(back, b) {
			t.Error("undone it is not the file before")
		}
	})
}

// sameAsGo holds a package without faults against what archive/zip reads.
func sameAsGo(t *testing.T, p *Package, b []byte) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatalf("archive/zip: %v", err)
	}
	if len(z.File) != len(p.Parts()) {
		t.Fatalf("archive/zip sees %d entries, we see %d", len(z.File), len(p.Parts()))
	}
	sums, err := p.Digests(context.Background(), p.Parts(), []func() hash.Hash{sha256.New})
	for i, f := range z.File {
		if "/"+f.Name != p.Parts()[i].Name {
			t.Errorf("entry %d is %q to archive/zip, %q to us", i, f.Name, p.Parts()[i].Name)
		}
		if err != nil {
			continue
		}
		h := sha256.New()
		r, err := f.Open()
		if err == nil {
			_, err = io.Copy(h, r)
		}
		if err != nil {
			t.Errorf("archive/zip: %s: %v", f.Name, err)
		} else if !bytes.Equal(h.Sum(nil), sums[i][0]) {
			t.Errorf("archive/zip reads another %s", f.Name)
		}
	}
}

// FuzzTypes reads content types and adds to them: what is added is read again, and nothing else changes.
func FuzzTypes(f *testing.F) {
	for _, b := range samples(f) {
		p := open(f, b)
		f.Add(read(f, p, typesName), "/word/document.xml", "application/xml")
		f.Add(read(f, p, typesName), "/_seals/图.%20", "image/png; a=b")
	}
	f.Fuzz(func(t *testing.T, b []byte, name, value string) {
		wrongs := 0
		types, err := readTypes(b, func(string, string, ...any) { wrongs++ })
		if err != nil || wrongs > 0 {
			return
		}
		before := types.TypeOf("/other.name")
		more, err := types.WithOverride(name, value)
		if err != nil {
			typed(t, err)
			return
		}
		again, err := readTypes(more.Bytes(), func(code, format string, args ...any) { t.Errorf(code+": "+format, args...) })
		if err != nil {
			t.Fatal(err)
		}
		if got := again.TypeOf(name); got != value {
			t.Errorf("%q is %q, not %q", name, got, value)
		}
		if nameKey(name) != "/other.name" && again.TypeOf("/other.name") != before {
			t.Error("another type changed")
		}
		if ext, err := types.WithDefault(strings.TrimPrefix(name, "/"), value); err == nil {
			if _, err := readTypes(ext.Bytes(), func(code, format string, args ...any) { t.Errorf(code+": "+format, args...) }); err != nil {
				t.Error(err)
			}
		} else {
			typed(t, err)
		}
	})
}

// FuzzRels reads relationships and adds to them. Targets inside the package are names of parts.
func FuzzRels(f *testing.F) {
	for _, b := range samples(f) {
		p := open(f, b)
		for _, source := range p.Sources() {
			f.Add(p.Rels(source).Bytes(), source, "media/a.png", "http://x/image")
		}
	}
	f.Add([]byte(`<Relationships xmlns="`+relsNS+`"/>`), "/a", "../../%2e%2E/x:y#z", "t")
	f.Fuzz(func(t *testing.T, b []byte, source, target, kind string) {
		if nameFault(source) != "" {
			source = "/"
		}
		wrongs := 0
		r, err := readRels(b, source, func(string, string, ...any) { wrongs++ })
		if err != nil || wrongs > 0 {
			return
		}
		var ids []string
		for _, rel := range r.All() {
			ids = append(ids, rel.ID)
			if rel.Part != "" && rel.Part != source && nameFault(rel.Part) != "" {
				t.Errorf("%q leads to %q", rel.Target, rel.Part)
			}
		}
		// The transform of all is read as the same relationships, and is its own transform.
		all := r.Transform(ids)
		again, err := readRels(all, source, func(code, format string, args ...any) { t.Errorf(code+": "+format, args...) })
		if err != nil {
			t.Fatal(err)
		}
		if len(again.All()) != len(ids) || !bytes.Equal(again.Transform(ids), all) {
			t.Error("the transform of the transform differs")
		}
		more, id := r.Add(kind, target, true)
		again, err = readRels(more.Bytes(), source, func(code, format string, args ...any) {
			if code != FaultRelsXML { // an empty type
				t.Errorf(code+": "+format, args...)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if rel, ok := again.ByID(id); ok && kind != "" && (len(again.All()) != len(ids)+1 || !rel.External) {
			t.Errorf("added %+v", rel)
		}
	})
}

// FuzzRestore applies any record to any file. What comes out is no larger than both, and is all there.
func FuzzRestore(f *testing.F) {
	for _, b := range samples(f) {
		if len(b) > 20<<10 {
			continue
		}
		p := open(f, b)
		changes := sealed(f, p, 1)
		f.Add(write(f, p, changes), changes[len(changes)-1].Data)
	}
	b := archived(f, small()).Bytes()
	for _, undo := range []string{
		undoHead + "data 3\n\nabc", undoHead + "copy 1 x\ndata 1\n\na", undoHead + "data 0\n\n", undoHead + "data 1\ndata 2\n\nabc",
		undoHead + "data +1\n\na", undoHead + "data 01\n\na", undoHead + "data 1 \n\na", undoHead + "data 1\n\nab", undoHead + "\n", "undo 2\ndata 1\n\na",
	} {
		f.Add(b, []byte(undo))
	}
	f.Fuzz(func(t *testing.T, b, undo []byte) {
		src, size, err := Restore(bytes.NewReader(b), int64(len(b)), undo)
		if err != nil {
			typed(t, err)
			return
		}
		if size > int64(len(b)+len(undo)) {
			t.Errorf("%d bytes of %d and %d", size, len(b), len(undo))
		}
		back, err := io.ReadAll(io.NewSectionReader(src, 0, size))
		if err != nil || int64(len(back)) != size {
			t.Errorf("%v: %d bytes of %d", err, len(back), size)
		}
		if n, err := src.ReadAt(make([]byte, 3), size-1); n != 1 || err != io.EOF {
			t.Errorf("at the end: %d, %v", n, err)
		}
	})
}
