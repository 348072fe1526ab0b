package pdftest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// qpdf says what it thinks of a file; clean is no word of it.
func qpdf(t *testing.T, file []byte, args ...string) (out string, clean bool) {
	t.Helper()
	program, err := exec.LookPath("qpdf")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("qpdf is not installed")
		}
		t.Skip("qpdf is not installed")
	}
	name := filepath.Join(t.TempDir(), "file.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := exec.Command(program, append(args, name)...).CombinedOutput()
	return string(b), err == nil
}

func document() Objects {
	return Objects{
		1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [6 0 R] /Resources 5 0 R >>",
		4: Flate("", "0 0 1 rg 100 100 200 200 re f"),
		5: "<< /ExtGState << >> >>",
		6: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Text) /P 3 0 R /Rect [10 10 60 60] /F 4 >>",
		8: Stream("", "nobody"), // 7 is not there
	}
}

// What the package writes without being asked to be wrong, qpdf reads as it is meant: files of three kinds, and updates of each kind
// on each.
func TestFilesAreSound(t *testing.T) {
	for _, k := range Kinds {
		file := File(k, document())
		if out, ok := qpdf(t, file, "--check"); !ok || strings.Contains(out, "WARNING") {
			t.Errorf("%s: %s", k, out)
		}
		for n, word := range map[int]string{1: "/Catalog", 4: "/FlateDecode", 5: "/ExtGState", 6: "(Text)"} {
			if out, _ := qpdf(t, file, fmt.Sprintf("--show-object=%d", n)); !strings.Contains(out, word) {
				t.Errorf("%s: object %d: %s", k, n, out)
			}
		}
		for _, u := range Kinds {
			r := Revision{Kind: u, Objects: Objects{4: Stream("", "1 0 0 rg"), 5: "<< /Font << >> >>", 20: "(new)"}, Packed: []int{5}, Freed: map[int]int{8: 1}}
			next := r.Append(file)
			if !bytes.HasPrefix(next, file) {
				t.Errorf("%s on %s: the file was changed", u, k)
			}
			if out, ok := qpdf(t, next, "--check"); !ok || strings.Contains(out, "WARNING") {
				t.Errorf("%s on %s: %s", u, k, out)
			}
			for n, word := range map[int]string{4: "/Length 8", 5: "/Font", 6: "(Text)", 8: "null", 20: "(new)"} {
				if out, _ := qpdf(t, next, fmt.Sprintf("--show-object=%d", n)); !strings.Contains(out, word) {
					t.Errorf("%s on %s: object %d: %s", u, k, n, out)
				}
			}
		}
	}
	if out, ok := qpdf(t, Page(), "--check"); !ok {
		t.Error(out)
	}
}

// Each way of being wrong is one.
func TestRevisionsGoWrong(t *testing.T) {
	file := File(Table, document())
	red := Objects{4: Stream("", "1 0 0 rg")}
	for name, c := range map[string]struct {
		r    Revision
		word string // that qpdf has for object 4, or of the file
	}{
		"hidden":            {Revision{Objects: red, Hidden: []int{4}}, "/FlateDecode"},
		"elsewhere":         {Revision{Places: map[int]int{4: bytes.Index(file, []byte("6 0 obj"))}}, "expected 4 0 obj"},
		"no table":          {Revision{Objects: red, Omit: XRef}, "xref not found"},
		"no trailer":        {Revision{Objects: red, Omit: Trailer}, "xref syntax invalid"},
		"no startxref":      {Revision{Objects: red, Omit: StartXRef}, "/FlateDecode"},
		"wrong startxref":   {Revision{Objects: red, Start: "7"}, "xref"},
		"hybrid, undecided": {Revision{Kind: Hybrid, Objects: red, Second: Objects{4: "(stream)"}}, "/Length 8"},
		"another root":      {Revision{Trailer: map[string]string{"Root": "8 0 R"}}, "/Root"},
	} {
		next := c.r.Append(file)
		if out, _ := qpdf(t, next, "--show-object=4"); !strings.Contains(out, c.word) {
			t.Errorf("%s: %s", name, out)
		}
	}
	again := Revision{Objects: red, Gens: map[int]int{4: 2}}.Append(file)
	if out, _ := qpdf(t, again, "--show-object=4,2"); !strings.Contains(out, "/Length 8") { // to qpdf another object than 4 0
		t.Errorf("generation: %s", out)
	}
	if n := Unused(file); n != 9 {
		t.Errorf("%d is unused", n)
	}
	more := Revision{Before: "<before>", Junk: "<junk>", After: "<after>", Objects: red}.Append(file)[len(file):]
	i, j, k := bytes.Index(more, []byte("<before>4 0 obj")), bytes.Index(more, []byte("endobj\n<junk>xref")), bytes.Index(more, []byte("%%EOF\n<after>"))
	if i != 0 || j < i || k < j {
		t.Errorf("%q", more)
	}
}

func TestSigning(t *testing.T) {
	for _, k := range Kinds {
		file := File(k, document())
		var got []byte
		s := Signing{Revision: Revision{Kind: k, Objects: Objects{6: "<< /FT /Sig /T (S) /V 30 0 R >>"}}, Num: 30, Room: 8,
			Value: func(b []byte) []byte { got = b; return []byte{1, 2, 3} }}
		out := s.Append(t, file)
		i := bytes.Index(out, []byte("<0102030000000000>"))
		if i < 0 || !bytes.Equal(got, append(bytes.Clone(out[:i]), out[i+18:]...)) {
			t.Errorf("%s: %q", k, out[len(file):])
		}
		if want := fmt.Sprintf("/ByteRange [0 %d %d %d ", i, i+18, len(out)-i-18); !bytes.Contains(out, []byte(want)) {
			t.Errorf("%s: %q", k, out[len(file):])
		}
		if out, ok := qpdf(t, out, "--check"); !ok || strings.Contains(out, "WARNING") {
			t.Errorf("%s: %s", k, out)
		}
		s.Range = func(from, to, end int) []int { return []int{0, 10, 20, 5, -1, 3} }
		if out := s.Append(t, file); !bytes.Contains(out, []byte("/ByteRange [0 10 20 5 -1 3 ")) || len(got) != 15 {
			t.Errorf("%s: %q of %q", k, got, out[len(file):])
		}
	}
}
