package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
)

func openBytes(b []byte, o Options) (*File, error) { return Open(bytes.NewReader(b), int64(len(b)), o) }

// retable writes the table of a file anew, each entry by a format of its own.
func retable(t *testing.T, file []byte, head string, entry func(num int, line string) string) []byte {
	t.Helper()
	at := bytes.LastIndex(file, []byte("xref\n0 "))
	end := bytes.Index(file, []byte("trailer"))
	if at < 0 || end < 0 {
		t.Fatal("no table")
	}
	lines := strings.Split(strings.TrimSuffix(string(file[at:end]), "\n"), "\n")
	var out bytes.Buffer
	out.Write(file[:at])
	if head == "" {
		head = lines[0] + "\n" + lines[1] + "\n"
	}
	out.WriteString(head)
	for i, l := range lines[2:] {
		out.WriteString(entry(i, l))
	}
	out.Write(file[end:])
	return out.Bytes()
}

func same20(_ int, l string) string { return l + "\n" }

func replaceOnce(t *testing.T, b []byte, old, new string) []byte {
	t.Helper()
	if bytes.Count(b, []byte(old)) != 1 {
		t.Fatalf("%q stands %d times", old, bytes.Count(b, []byte(old)))
	}
	return bytes.Replace(b, []byte(old), []byte(new), 1)
}

// restart writes startxref anew, n further on.
func restart(t *testing.T, b []byte, n int) []byte {
	t.Helper()
	re := regexp.MustCompile(`startxref\n(\d+)`)
	return re.ReplaceAllFunc(b, func(m []byte) []byte {
		v, _ := strconv.Atoi(string(m[10:]))
		return fmt.Appendf(nil, "startxref\n%d", v+n)
	})
}

// TestSlop reads what is not quite as the standard wants it, and has one meaning.
func TestSlop(t *testing.T) {
	good := sample(2)
	trim := func(l string) string { return strings.TrimRight(l, " ") }
	shift := func(prefix string) []byte { return append([]byte(prefix), good...) }
	for name, b := range map[string][]byte{
		"as it should be":      good,
		"19 bytes":             retable(t, good, "", func(_ int, l string) string { return trim(l) + "\n" }),
		"CR":                   retable(t, good, "", func(_ int, l string) string { return trim(l) + "\r" }),
		"CR LF":                retable(t, good, "", func(_ int, l string) string { return trim(l) + "\r\n" }),
		"21 bytes":             retable(t, good, "", func(_ int, l string) string { return l + "\r\n" }),
		"no space before n":    retable(t, good, "", func(_ int, l string) string { return l[:16] + trim(l[17:]) + "\n" }),
		"short numbers":        retable(t, good, "", func(_ int, l string) string { return strings.TrimLeft(l[:9], "0") + l[9:] + "\n" }),
		"begins with 1":        retable(t, good, "xref\n1 14\n", same20),
		"too many announced":   retable(t, good, "xref\n0 20\n", same20),
		"spaces around xref":   restart(t, retable(t, good, "\n\r  xref \r\n 0  14 \n", same20), 0),
		"startxref before it":  restart(t, retable(t, good, "xref\n0 14\n", same20), -1),
		"bytes before, plain":  nil, // below
		"bytes before":         shift("HTTP/1.1 200 OK\r\n\r\n"),
		"junk behind":          append(slices.Clone(good), bytes.Repeat([]byte("junk\x00"), 5000)...),
		"no %%EOF":             replaceOnce(t, good, "%%EOF\n", ""),
		"/Prev 0":              replaceOnce(t, good, "/Info 3 0 R", "/Info 3 0 R /Prev 0"),
		"no endobj":            restart(t, bytes.Replace(good, []byte("endobj\n"), []byte("\n      "), -1), 0),
		"comment in front":     replaceOnce(t, good, "trailer\n<<", "trailer %<<\n<<"),
		"CR after stream":      bytes.ReplaceAll(good, []byte("stream\nBT"), []byte("stream\rBT")),
		"size smaller":         replaceOnce(t, good, "/Size 14", "/Size 3 "),
		"offset at space":      nil,
		"duplicate in trailer": replaceOnce(t, good, "/Root 1 0 R", "/Root 9 0 R /Root 1 0 R"),
	} {
		t.Run(name, func(t *testing.T) {
			switch name {
			case "bytes before, plain":
				// Every offset counts from the first byte of the file.
				m := newMaker()
				m.Reset()
				m.WriteString("garbage\n%PDF-1.4\n")
				from := m.Len()
				m.Write(good[15:])
				b = m.Bytes()
				b = retable(t, b, "", func(_ int, l string) string {
					if v, _ := strconv.Atoi(l[:10]); v > 0 {
						l = fmt.Sprintf("%010d%s", v+from-15, l[10:])
					}
					return l + "\n"
				})
				b = restart(t, b, from-15)
			case "offset at space":
				b = retable(t, good, "", func(_ int, l string) string {
					if v, _ := strconv.Atoi(l[:10]); v > 20 {
						l = fmt.Sprintf("%010d%s", v-1, l[10:]) // the end of the line before
					}
					return l + "\n"
				})
			}
			f, err := openBytes(b, Options{})
			if err != nil {
				t.Fatal(err)
			}
			checkSample(t, f, 2)
			header, _ := f.Header()
			if name == "bytes before" && (f.Base() != header || header == 0) || name == "bytes before, plain" && f.Base() != 0 {
				t.Errorf("base %d, header %d", f.Base(), header)
			}
			o, err := f.Load(Ref{Num: 3})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b[o.Offset:o.Offset+int64(len(o.Raw))], o.Raw) || !bytes.HasPrefix(b[o.Header:], []byte("3 0 obj")) {
				t.Errorf("raw bytes at %d, header at %d", o.Offset, o.Header)
			}
		})
	}
}

// TestDamage wants ErrDamaged, and what was lost back when repair is asked for.
func TestDamage(t *testing.T) {
	good := sample(3)
	for name, b := range map[string][]byte{
		"no startxref":       replaceOnce(t, good, "startxref", "startxxxx"),
		"startxref wrong":    restart(t, good, 7),
		"startxref too far":  restart(t, good, 1<<30),
		"cut":                good[:bytes.LastIndex(good, []byte("xref\n0"))],
		"table unreadable":   replaceOnce(t, good, "0000000000 65535 f", "00000x0000 65535 f"),
		"trailer unreadable": replaceOnce(t, good, "/Size", "/S<ze"),
		"no root":            replaceOnce(t, good, "/Root 1 0 R", "/Root null "),
		"root not a catalog": replaceOnce(t, good, "/Root 1 0 R", "/Root 2 1 R"),
		"circle":             replaceOnce(t, good, "/Info 3 0 R", fmt.Sprintf("/Info 3 0 R /Prev %d", bytes.LastIndex(good, []byte("xref\n0")))),
		"offsets shifted":    retable(t, good, "", func(_ int, l string) string { return l[:8] + "99" + l[10:] + "\n" }),
		"LF to CR LF":        bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")),
		"one offset":         retable(t, good, "", func(n int, l string) string { return strings.Replace(l, "0000000015", "0000000016", 1) + "\n" }),
		"wrong length":       replaceOnce(t, good, "/Subtype /XML /Length 7", "/Subtype /XML /Length 6"),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := openBytes(b, Options{})
			if err == nil {
				for i := uint32(1); i < f.MaxObject() && err == nil; i++ {
					_, err = f.Load(Ref{Num: i})
				}
			}
			if err == nil {
				_, err = f.Catalog()
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("error %v", err)
			}
			f, err = openBytes(b, Options{Repair: true})
			if err != nil {
				t.Fatal(err)
			}
			if name != "wrong length" && !errors.Is(f.Repaired(), ErrDamaged) {
				t.Errorf("repaired: %v", f.Repaired())
			}
			if name == "cut" || name == "trailer unreadable" || name == "LF to CR LF" {
				// Gone are the trailer, and with it the way to the title, or what was in the deflated data.
				if n, err := f.NumPages(); n != 3 || err != nil {
					t.Errorf("%d pages, %v", n, err)
				}
				return
			}
			checkSample(t, f, 3)
			if f.Repaired() != nil && (len(f.Sections()) != 1 || f.Sections()[0].Offset != -1) {
				t.Errorf("sections %+v", f.Sections())
			}
		})
	}
}

// Offsets that lie before the file are none.
func TestNegativeOffsets(t *testing.T) {
	page := pdftest.File(pdftest.Hybrid, pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>", 2: "<< /Type /Pages /Kids [] /Count 0 >>", 3: "[1]"})
	for _, key := range []string{"startxref\n", "/Prev ", "/XRefStm "} {
		file := pdftest.Revision{Kind: pdftest.Hybrid, Objects: pdftest.Objects{3: "[2]"}, Packed: []int{3}}.Append(page)
		if _, err := openBytes(file, Options{}); err != nil {
			t.Fatal(err)
		}
		i := bytes.LastIndex(file, []byte(key)) + len(key)
		if _, err := openBytes(slices.Concat(file[:i], []byte("-"), file[i:]), Options{}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s%v", key, err)
		}
	}
}

// TestRepairVariants rebuilds files with object streams and encryption.
func TestRepairVariants(t *testing.T) {
	needQPDF(t)
	dir := t.TempDir()
	source := filepath.Join(dir, "source.pdf")
	if err := os.WriteFile(source, sample(3), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, args := range [][]string{
		{"--object-streams=generate"},
		{"--object-streams=generate", "--encrypt", "u", "o", "256", "--"},
		{"--object-streams=generate", "--linearize", "--allow-weak-crypto", "--encrypt", "u", "o", "128", "--use-aes=y", "--"},
	} {
		out := filepath.Join(dir, fmt.Sprintf("%d.pdf", i))
		if _, err := qpdf(t, append(args, source, out)...); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		b = bytes.ReplaceAll(b, []byte("startxref"), []byte("startxxxx"))
		f, err := openBytes(b, Options{Repair: true, Password: []byte("o")})
		if err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		checkSample(t, f, 3)
		if f.Sections()[0].Kind != XRefStream {
			t.Errorf("%q: kind %d", args, f.Sections()[0].Kind)
		}
	}
}

// TestRepairOrder wants the last definition of an object, in the file or in an object stream.
func TestRepairOrder(t *testing.T) {
	for _, last := range []string{"file", "stream"} {
		m := newMaker()
		m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
		m.obj(3, "(first)")
		packed := "3 0 2 9 (packed) << /Type /Pages /Kids [] /Count 0 >>"
		if last == "file" {
			m.stream(4, "/Type /ObjStm /N 2 /First 8", []byte(packed))
			m.obj(3, "(file)")
		} else {
			m.obj(3, "(file)")
			m.stream(4, "/Type /ObjStm /N 2 /First 8", []byte(strings.Replace(packed, "packed", "stream", 1)))
		}
		m.stream(5, "", []byte("3 0 obj\n(inside a stream)\nendobj"))
		f, err := openBytes(m.Bytes(), Options{Repair: true})
		if err != nil {
			t.Fatal(err)
		}
		o, err := f.Load(Ref{Num: 3})
		if err != nil {
			t.Fatal(err)
		}
		if s := string(o.Value.(*String).Value); s != last {
			t.Errorf("%q, want %q", s, last)
		}
	}
}

// TestAt wants each revision back from a file with several.
func TestAt(t *testing.T) {
	first := sample(2)
	prev := bytes.LastIndex(first, []byte("xref\n0"))
	second := slices.Clone(first)
	at := len(second)
	second = fmt.Appendf(second, "\n3 0 obj\n<< /Title (new) >>\nendobj\n")
	xref := len(second)
	second = fmt.Appendf(second, "xref\n3 1\n%010d 00000 n \n6 1\n0000000000 00001 f \ntrailer\n<< /Size 14 /Root 1 0 R /Info 3 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", at+1, prev, xref)

	f, err := openBytes(second, Options{})
	if err != nil {
		t.Fatal(err)
	}
	title := func(f *File) string {
		info, err := f.GetDict(f.Trailer(), "Info")
		if err != nil {
			t.Fatal(err)
		}
		return Text(info.Get("Title").(*String).Value)
	}
	if title(f) != "new" {
		t.Errorf("title %q", title(f))
	}
	if o, err := f.Load(Ref{Num: 6}); err != nil || o.Value != nil {
		t.Errorf("a freed object: %v, %v", o, err)
	}
	s := f.Sections()
	if len(s) != 2 || s[0].Offset != int64(xref) || s[1].Offset != int64(prev) ||
		s[0].EOF != int64(len(second))-1 || s[1].EOF != int64(len(first))-1 {
		t.Fatalf("sections %+v", s)
	}
	entries, err := f.Entries(s[0])
	want := []XRef{{Num: 3, Type: 1, Offset: int64(at + 1)}, {Num: 6, Gen: 1}}
	if err != nil || !slices.Equal(entries, want) {
		t.Errorf("entries %+v, %v", entries, err)
	}
	old, err := f.At(s[1].EOF)
	if err != nil {
		t.Fatal(err)
	}
	checkSample(t, old, 2)
	if old.Size() != s[1].EOF || len(old.Sections()) != 1 {
		t.Errorf("size %d, %d sections", old.Size(), len(old.Sections()))
	}
	if n, err := old.Reader().ReadAt(make([]byte, 8), old.Size()); n != 0 || err == nil {
		t.Errorf("read %d bytes beyond the view", n)
	}
	if _, err := f.At(s[1].EOF - 40); !errors.Is(err, ErrDamaged) {
		t.Errorf("a view that ends before its startxref: %v", err)
	}
	if _, err := f.At(int64(len(second)) + 1); err == nil {
		t.Error("a view beyond the end")
	}
}

// TestConcurrent loads from one File in several goroutines; go test -race is its judge.
func TestConcurrent(t *testing.T) {
	m := newMaker()
	m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
	m.obj(2, "<< /Type /Pages /Kids [10 0 R 11 0 R] /Count 2 >>")
	m.stream(3, "/Type /ObjStm /N 1 /First 5", []byte("10 0 << /Type /Page >>"))
	m.stream(4, "/Type /ObjStm /N 1 /First 5", []byte("11 0 << /Type /Page >>"))
	f, err := openBytes(m.Bytes(), Options{Repair: true})
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 50 {
				p, err := f.Page(1 + (i+j)%2)
				if err != nil || p.Container == 0 {
					t.Errorf("%+v, %v", p, err)
					return
				}
			}
		})
	}
	wait.Wait()
}
