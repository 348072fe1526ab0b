package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
)

// hostileSize is 4 MB, or less where the race detector makes everything slow.
var hostileSize = func() int {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-race" && s.Value == "true" {
				return 256 << 10
			}
		}
	}
	return 4 << 20
}()

// fill repeats s up to the size of the hostile inputs.
func fill(s string) string { return strings.Repeat(s, hostileSize/len(s)) }

// hostileFile has the body as its object 2, which the catalog takes for the page tree.
func hostileFile(body string) []byte {
	m := newMaker()
	m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
	m.obj(2, "%s", body)
	m.table(2, "")
	return m.Bytes()
}

func hostileInputs() map[string][]byte {
	in := map[string][]byte{
		"arrays":       hostileFile(fill("[")),
		"dictionaries": hostileFile(fill("<</A")),
		"integers":     hostileFile("[" + fill("1 ") + "]"),
		"names":        hostileFile("<<" + fill("/a/b") + ">>"),
		"string":       hostileFile("(" + fill("(")),
		"kids":         hostileFile("<< /Type /Pages /Kids [" + fill("3 0 R ") + "] >>"),
		"self":         hostileFile("<< /Type /Pages /Kids [2 0 R] /Count 1000 >>"),
		"headers":      []byte("%PDF-1.7\n" + fill("1 0 obj\n") + "\nstartxref\n0\n%%EOF"),
		"strings":      []byte("%PDF-1.7\n" + fill("1 0 obj (") + "\nstartxref\n0\n%%EOF"),
		"streams":      []byte("%PDF-1.7\n" + fill("1 0 obj<<>>stream\n") + "\nstartxref\n0\n%%EOF"),
		"trailers":     []byte("%PDF-1.7\n" + fill("trailer <</Root 1 0 R/A[") + "\nstartxref\n0\n%%EOF"),
		"xref":         []byte("%PDF-1.7\nxref\n" + fill("0 0\n") + "\nstartxref\n9\n%%EOF"),
		"space":        []byte("%PDF-1.7\nxref\n" + fill(" ") + "\nstartxref\n9\n%%EOF"),
		"count":        []byte("%PDF-1.7\nxref\n0 8000000\n" + fill("0000000001 00000 n \n") + "\nstartxref\n9\n%%EOF"),
	}

	// A chain of sections that each lead to the one before.
	m := newMaker()
	m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
	last := 0
	for m.Len() < hostileSize {
		at := m.Len()
		fmt.Fprintf(m, "xref\n0 0\ntrailer\n<< /Size 3 /Root 1 0 R /Prev %d >>\n", last)
		last = at
	}
	fmt.Fprintf(m, "startxref\n%d\n%%%%EOF\n", last)
	in["chain"] = m.Bytes()

	// Subsections that lie far apart.
	m = newMaker()
	m.WriteString("xref\n")
	for i := 0; m.Len() < hostileSize; i++ {
		fmt.Fprintf(m, "%d 1\n0000000009 00000 n \n", i*60%(1<<23))
	}
	m.WriteString("trailer\n<< /Root 1 0 R >>\nstartxref\n15\n%%EOF\n")
	in["sparse"] = m.Bytes()

	// A cross-reference stream of eight million rows, and object streams of 32 MB, deflated.
	bomb := deflate(make([]byte, 8*hostileSize))
	m = newMaker()
	m.stream(1, "/Type /XRef /W [1 4 2] /Size 8388607 /Root 1 0 R /Filter /FlateDecode", bomb)
	m.WriteString("startxref\n15\n%%EOF\n")
	in["xref bomb"] = m.Bytes()
	for _, n := range []int{1, 2, 16} {
		m = newMaker()
		b := bomb
		for range n {
			b = deflate(b)
		}
		m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
		m.stream(5, fmt.Sprintf("/Type /ObjStm /N 1 /First 5 /Filter [%s]", strings.Repeat("/FlateDecode ", n+1)), b)
		rows := []byte{0, 0, 0, 0, 1, 0, 15, 0, 2, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, byte(m.at[5] >> 8), byte(m.at[5]), 0}
		at := m.Len()
		m.stream(6, "/Type /XRef /W [1 2 1] /Size 6 /Root 1 0 R", rows)
		fmt.Fprintf(m, "startxref\n%d\n%%%%EOF\n", at)
		in[fmt.Sprintf("object bomb %d", n)] = m.Bytes()
	}

	// Pages whose values hold one another in strings.
	m = newMaker()
	m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
	n := 0
	var body, kids bytes.Buffer
	for body.Len() < hostileSize*3/4 {
		fmt.Fprintf(&kids, "%d 0 R ", n+3)
		n++
		body.WriteString("        0 obj<</Type/Page/A(")
	}
	m.obj(2, "<< /Type /Pages /Kids [%s] >>", kids.Bytes())
	for i := range n {
		m.at[3+i] = m.Len() + 28*i
		copy(body.Bytes()[28*i:], fmt.Sprintf("%7d", 3+i))
	}
	m.Write(body.Bytes())
	m.WriteString(strings.Repeat(")>>", n))
	m.table(n+2, "")
	in["nested pages"] = m.Bytes()
	return in
}

// TestHostile opens and walks inputs made to cost time or memory. The limits it asks for are far above what is wanted
// of the code, so that a busy machine does not fail it, and far below what a quadratic algorithm needs.
func TestHostile(t *testing.T) {
	for name, b := range hostileInputs() {
		for _, repair := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/repair=%v", name, repair), func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				start := time.Now()
				f, err := Open(bytes.NewReader(b), int64(len(b)), Options{Repair: repair})
				if err == nil && repair && f.Repaired() == nil {
					return // what follows is the same without repair
				}
				if err == nil {
					_, err = f.NumPages()
					_, err2 := f.Page(1 << 20)
					_, err3 := f.Load(Ref{Num: 2})
					err = errors.Join(err, err2, err3)
				}
				took := time.Since(start)
				runtime.ReadMemStats(&after)
				t.Logf("%v, %d MB allocated: %.120v", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, err)
				if err == nil {
					t.Error("no error")
				}
				for _, e := range []error{ErrSyntax, ErrDamaged, ErrLimit, ErrNoPage} {
					if errors.Is(err, e) {
						return
					}
				}
				t.Errorf("not a typed error: %v", err)
			})
		}
	}
}
