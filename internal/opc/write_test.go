package opc

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A file is an entry of a document that a test makes.
type file struct{ name, text string }

const (
	mainType  = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
	officeDoc = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
	typesHead = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\r\n" + `<Types xmlns="` + typesNS + `">` +
		`<Default Extension="rels" ContentType="` + RelsType + `"/><Default Extension="xml" ContentType="application/xml"/>` +
		`<Default Extension="png" ContentType="image/png"/>`
	relsHead = `<Relationships xmlns="` + relsNS + `">`
)

// small is a document with little in it.
func small(more ...file) []file {
	return append([]file{
		{"[Content_Types].xml", typesHead + `<Override PartName="/word/document.xml" ContentType="` + mainType + `"/></Types>`},
		{"_rels/.rels", relsHead + `<Relationship Id="rId1" Type="` + officeDoc + `" Target="word/document.xml"/></Relationships>`},
		{"word/document.xml", `<w:document xmlns:w="x"><w:body>` + strings.Repeat("<w:p/>", 500) + `</w:body></w:document>`},
		{"word/_rels/document.xml.rels", relsHead +
			`<Relationship Id="rId2" Type="http://x/image" Target="media/a.png"/>` +
			`<Relationship Id="rId10" Type="http://x/hyperlink" Target="http://x/?a=1&amp;b=2" TargetMode="External"/>` +
			`<Relationship Id="rId3" Type="http://x/settings" Target="/word/settings.xml" TargetMode="Internal"/></Relationships>`},
		{"word/settings.xml", `<w:settings xmlns:w="x"/>`},
		{"word/media/a.png", "\x89PNG\r\n\x1a\n picture"},
	}, more...)
}

// zipped makes a zip file with Go's writer: with data descriptors, pictures stored.
func zipped(t testing.TB, files []file) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if strings.HasSuffix(f.name, ".png") {
			h.Method = zip.Store
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// samples are the made document and the real ones.
func samples(t testing.TB) map[string][]byte {
	files := vectors(t)
	files["made"] = zipped(t, small())
	return files
}

// sealed gives the changes of something like a seal: a relationship, content types, one part replaced, parts added.
func sealed(t testing.TB, p *Package, n int) []Change {
	t.Helper()
	types, err := p.ContentTypes().WithDefault("seals", "application/x-origin")
	if err != nil {
		t.Fatal(err)
	}
	types, err = types.WithDefault("rels", RelsType)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("/_seals/seal%d/undo", n)
	if types, err = types.WithOverride(name, "application/x-undo"); err == nil {
		types, err = types.WithOverride(fmt.Sprintf("/_seals/图片%d", n), "image/png")
	}
	if err != nil {
		t.Fatal(err)
	}
	rels := p.Rels("/")
	if n == 1 {
		rels, _ = rels.Add("http://x/origin", "_seals/origin.seals", false)
	}
	origin, _ := p.Rels("/_seals/origin.seals").Add("http://x/undo", name[len("/_seals/"):], false)
	changes := []Change{
		{typesName, types.Bytes()},
		{rels.Name(), rels.Bytes()},
		{"/word/document.xml", bytes.Repeat([]byte(fmt.Sprintf("<changed n='%d'/>", n)), 9000)},
		{"/_seals/origin.seals", nil},
		{origin.Name(), origin.Bytes()},
		{fmt.Sprintf("/_seals/图片%d", n), []byte("picture")},
	}
	names := []string{name}
	for _, c := range changes {
		names = append(names, c.Name)
	}
	undo, err := p.Undo(names)
	if err != nil {
		t.Fatal(err)
	}
	return append(changes, Change{name, undo})
}

func write(t testing.TB, p *Package, changes []Change) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, changes); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteAndRestore(t *testing.T) {
	for name, in := range samples(t) {
		t.Run(name, func(t *testing.T) {
			p := open(t, in)
			if same := write(t, p, nil); !bytes.Equal(same, in) {
				t.Errorf("written without changes it differs")
			}
			changes := sealed(t, p, 1)
			one := write(t, p, changes)
			if again := write(t, open(t, in), changes); !bytes.Equal(one, again) {
				t.Error("the same changes give other bytes")
			}
			q := open(t, one)
			checkWritten(t, p, q, changes)
			second := sealed(t, q, 2)
			two := write(t, q, second)
			r := open(t, two)
			checkWritten(t, q, r, second)

			back := restore(t, two, read(t, r, "/_seals/seal2/undo"))
			if !bytes.Equal(back, one) {
				t.Error("undone once it is not the file before")
			}
			if back = restore(t, back, read(t, open(t, back), "/_seals/seal1/undo")); !bytes.Equal(back, in) {
				t.Error("undone twice it is not the file at first")
			}
			// Without reading what is between.
			lazy, size, err := Restore(bytes.NewReader(two), int64(len(two)), read(t, r, "/_seals/seal2/undo"))
			if err == nil {
				lazy, size, err = Restore(lazy, size, read(t, r, "/_seals/seal1/undo"))
			}
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(io.NewSectionReader(lazy, 0, size)); err != nil || !bytes.Equal(b, in) {
				t.Errorf("undone twice, lazily: %v", err)
			}
		})
	}
}

func read(t testing.TB, p *Package, name string) []byte {
	t.Helper()
	part := p.Part(name)
	if part == nil {
		t.Fatalf("no part %s", name)
	}
	b, err := p.Read(part)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func restore(t testing.TB, b, undo []byte) []byte {
	t.Helper()
	src, size, err := Restore(bytes.NewReader(b), int64(len(b)), undo)
	if err != nil {
		t.Fatal(err)
	}
	back := make([]byte, size)
	if _, err := src.ReadAt(back, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	return back
}

// checkWritten holds q, written from p with changes, against p: faults, contents, and the bytes of what was not changed.
// Go's reader of zip files is the judge of contents.
func checkWritten(t *testing.T, p, q *Package, changes []Change) {
	t.Helper()
	for _, f := range q.Faults() {
		t.Errorf("%s", f)
	}
	want := map[string][]byte{}
	for _, part := range p.Parts() {
		want[part.Name] = read(t, p, part.Name)
	}
	changed := map[string]bool{}
	for _, c := range changes {
		want[c.Name], changed[c.Name] = c.Data, true
	}
	z, err := zip.NewReader(q.src, q.size)
	if err != nil {
		t.Fatal(err)
	}
	if len(z.File) != len(want) {
		t.Errorf("%d entries, not %d", len(z.File), len(want))
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, want["/"+f.Name]) {
			t.Errorf("%s: %v, %d bytes", f.Name, err, len(got))
		}
	}
	for i, part := range p.Parts() {
		now := q.Parts()[i]
		if now.Name != part.Name {
			t.Errorf("entry %d is %s, was %s", i, now.Name, part.Name)
		}
		if !changed[part.Name] && !bytes.Equal(raw(t, p, part), raw(t, q, now)) {
			t.Errorf("%s changed", part.Name)
		}
	}
}

// raw gives the bytes of an entry as they stand in the file.
func raw(t testing.TB, p *Package, part *Part) []byte {
	b := make([]byte, part.e.end-part.e.start)
	if err := readFull(p.src, b, part.e.start); err != nil {
		t.Fatal(err)
	}
	return b
}

// peer finds another maker's program; without it the test is skipped, in CI it fails.
func peer(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

func tempFile(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.docx")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// unzip and Python read what Write wrote, every entry.
func TestPeersReadWhatWeWrite(t *testing.T) {
	unzip, python := peer(t, "unzip"), peer(t, "python3")
	const script = `import sys, zipfile, hashlib
for name in sys.argv[1:]:
    z = zipfile.ZipFile(name)
    assert z.testzip() is None
    for i in z.infolist(): print(hashlib.sha256(z.read(i)).hexdigest(), i.filename)`
	args := []string{"-c", script}
	var want strings.Builder
	for name, in := range samples(t) {
		p := open(t, in)
		b := write(t, p, sealed(t, p, 1))
		args = append(args, tempFile(t, b))
		if out, err := exec.Command(unzip, "-t", args[len(args)-1]).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("No errors detected")) {
			t.Errorf("%s: unzip: %v\n%s", name, err, out)
		}
		q := open(t, b)
		sums, err := q.Digests(context.Background(), q.Parts(), []func() hash.Hash{sha256.New})
		if err != nil {
			t.Fatal(err)
		}
		for i, part := range q.Parts() {
			fmt.Fprintf(&want, "%x %s\n", sums[i][0], part.Name[1:])
		}
	}
	cmd := exec.Command(python, args...)
	cmd.Env = append(os.Environ(), "PYTHONIOENCODING=utf-8")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != want.String() {
		t.Errorf("python: %v, and reads\n%s\nnot\n%s", err, out, want.String())
	}
}

// Documents that others have packed again have no fault, and are written and undone like those of Word.
func TestPackedByPeers(t *testing.T) {
	zipper, python := peer(t, "zip"), peer(t, "python3")
	dir := t.TempDir()
	var names []string
	for _, f := range small(file{"word/图.xml", "<x/>"}) {
		path := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, f.name)
	}
	ascii := names[:len(names)-1]
	const script = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for name in sys.argv[2:]: z.write(name)`
	for name, args := range map[string][]string{
		"zip":        append([]string{zipper, "-q", "-D", "zip"}, ascii...),
		"zip stored": append([]string{zipper, "-q", "-D", "-0", "zip stored"}, ascii...),
		"python":     append([]string{python, "-c", script, "python"}, names...),
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err != nil {
			path += ".zip" // which zip adds to a name without a dot
		}
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p := open(t, in)
		changes := sealed(t, p, 1)
		b := write(t, p, changes)
		checkWritten(t, p, open(t, b), changes)
		if !bytes.Equal(restore(t, b, changes[len(changes)-1].Data), in) {
			t.Errorf("%s: undone it is not the file before", name)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	p := open(t, zipped(t, small()))
	for name, c := range map[string]struct {
		changes []Change
		want    error
	}{
		"no content type": {[]Change{{"/word/new.bin", []byte("x")}}, ErrFaults},
		"no name":         {[]Change{{"word/new.xml", nil}}, ErrName},
		"space":           {[]Change{{"/word/new 1.xml", nil}}, ErrName},
		"above":           {[]Change{{"/../new.xml", nil}}, ErrName},
		"twice":           {[]Change{{"/word/new.xml", nil}, {"/word/NEW.xml", nil}}, ErrName},
		"derived":         {[]Change{{"/word/document.xml/a.xml", nil}}, ErrFaults},
		"orphan":          {[]Change{{"/word/_rels/none.xml.rels", NoRels("/word/none.xml").Bytes()}}, ErrFaults},
		"types broken":    {[]Change{{typesName, []byte("<Types")}}, ErrFaults},
	} {
		var b bytes.Buffer
		if err := p.Write(&b, c.changes); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if b.Len() > 0 {
			t.Errorf("%s: wrote %d bytes", name, b.Len())
		}
	}
	faulty := open(t, append(zipped(t, small()), "tail"...))
	if err := faulty.Write(io.Discard, nil); !errors.Is(err, ErrFaults) {
		t.Errorf("with a tail: %v", err)
	}
	if _, err := faulty.Undo(nil); !errors.Is(err, ErrFaults) {
		t.Errorf("undo with a tail: %v", err)
	}
}
