package pageink

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/courtseal/courtseal/internal/pdf"
)

// shared lists files of ../shared, looked for from here upwards; none where there is no such directory.
func shared(pattern string) []string {
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if found, _ := filepath.Glob(filepath.Join(dir, "shared", pattern)); len(found) > 0 {
			return found
		}
	}
	return nil
}

func peer(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("other software tells no more when races are looked for")
	}
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(name, "is not installed")
		}
		t.Skip(name, "is not installed")
	}
	return path
}

// eachPage calls do for the first pages of files of many makers that stand upright.
func eachPage(t *testing.T, do func(t *testing.T, name string, n int, f *pdf.File, p *pdf.Page)) {
	files := append([]string{"../../examples/quickstart/judgment.pdf"}, shared("vectors/pdf/*.pdf")...)
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
		if err != nil {
			continue
		}
		for n := 1; n <= 2; n++ {
			p, err := f.Page(n)
			if err != nil || n > 1 && name != files[0] {
				break
			}
			if p.Rotate == 0 && p.UserUnit == 1 {
				t.Run(fmt.Sprintf("%s/%d", filepath.Base(name), n), func(t *testing.T) { do(t, name, n, f, p) })
			}
		}
	}
}

// A seen letter has its middle, from the upper left corner of the page, and its height.
type seen struct{ x, y, height float64 }

// control is how mutool writes characters that XML does not have.
var control = regexp.MustCompile("&#x[01]?[0-9a-f];")

// letters asks mutool for the letters of a page that count.
func letters(t *testing.T, mutool, name string, n int) (list []seen) {
	out, err := exec.Command(mutool, "draw", "-q", "-F", "stext", name, strconv.Itoa(n)).Output()
	if err != nil {
		t.Skip(err)
	}
	dec := xml.NewDecoder(bytes.NewReader(control.ReplaceAll(out, []byte("?"))))
	dec.Strict = false
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Skip(err)
		}
		e, ok := tok.(xml.StartElement)
		if !ok || e.Name.Local != "char" {
			continue
		}
		at := map[string]string{}
		for _, a := range e.Attr {
			at[a.Name.Local] = a.Value
		}
		if c := []rune(at["c"]); len(c) != 1 || unicode.IsSpace(c[0]) || isLine(at["c"]) || at["color"] == "#ffffff" {
			continue
		}
		var q [8]float64
		for i, v := range strings.Fields(at["quad"]) {
			q[i%8], _ = strconv.ParseFloat(v, 64)
		}
		c := seen{(q[0] + q[2] + q[4] + q[6]) / 4, (q[1] + q[3] + q[5] + q[7]) / 4, math.Hypot(q[0]-q[4], q[1]-q[5])}
		if c.height > 2 { // makers leave invisible marks in letters that nobody can read, and mutool does not tell what is invisible
			list = append(list, c)
		}
	}
}

// In each part of a page there are as many letters as mutool finds there, but for those near its edge, as heights of fonts differ, and
// for some that are clipped away.
func TestLettersOfMutool(t *testing.T) {
	mutool := peer(t, "mutool")
	all := 0
	eachPage(t, func(t *testing.T, name string, n int, f *pdf.File, p *pdf.Page) {
		list := letters(t, mutool, name, n)
		all += len(list)
		r := New(f)
		crop := p.CropBox
		for i := range 12 {
			w, h := (crop[2]-crop[0])/3, (crop[3]-crop[1])/4
			x, y := float64(i%3)*w, float64(i/3)*h
			got, err := r.Under(context.Background(), n, [4]float64{crop[0] + x, crop[3] - y - h, crop[0] + x + w, crop[3] - y}, nil)
			if err != nil {
				t.Skip(err)
			}
			inside, near := 0, 0
			for _, c := range list {
				d := min(c.x-x, x+w-c.x, c.y-y, y+h-c.y)
				if d > c.height/2 {
					inside++
				}
				if d > -c.height/2 {
					near++
				}
			}
			if got.Letters < inside-inside/10 || got.Letters > near {
				t.Errorf("part %d: %d letters, mutool has %d and %d near its edge: %q", i, got.Letters, inside, near-inside, got.Text)
			}
		}
	})
	if all < 3000 {
		t.Errorf("mutool sees %d letters", all)
	}
}

// A picture is a page as mutool draws it, a pixel a point.
type picture struct {
	w, h int
	pix  []byte
}

func draw(t *testing.T, mutool, name string, n int) *picture {
	path := filepath.Join(t.TempDir(), "page.pgm")
	if out, err := exec.Command(mutool, "draw", "-q", "-r", "72", "-c", "gray", "-F", "pgm", "-o", path, name, strconv.Itoa(n)).CombinedOutput(); err != nil {
		t.Skipf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &picture{}
	depth := 0
	head := strings.Join(strings.SplitN(string(b), "\n", 4)[:3], "\n")
	if _, err := fmt.Sscanf(head, "P5\n%d %d\n%d", &p.w, &p.h, &depth); err != nil {
		t.Fatal(err)
	}
	p.pix = b[len(head)+1:]
	return p
}

// ink counts the dark points of a cell that belong to no straight line, and says whether the cell and what is around it are all white.
func (p *picture) ink(x0, y0, size, around int) (marks int, white bool) {
	dark := func(x, y int) bool { return x >= 0 && x < p.w && y >= 0 && y < p.h && p.pix[y*p.w+x] < 0x90 }
	run := func(x, y, dx, dy int) int {
		n := 1
		for k := 1; dark(x+k*dx, y+k*dy); k++ {
			n++
		}
		for k := 1; dark(x-k*dx, y-k*dy); k++ {
			n++
		}
		return n
	}
	white = true
	for y := max(0, y0-around); y < min(p.h, y0+size+around); y++ {
		for x := max(0, x0-around); x < min(p.w, x0+size+around); x++ {
			white = white && p.pix[y*p.w+x] >= 0xfa
			if x < x0 || y < y0 || x >= x0+size || y >= y0+size || !dark(x, y) {
				continue
			}
			if across, down := run(x, y, 1, 0), run(x, y, 0, 1); across < size/2 && down < size/2 && (across > 1 || down > 1) {
				marks++
			}
		}
	}
	return marks, white
}

// Where mutool paints anything but lines, something stands; where it leaves the page white, little is seen.
func TestDrawnByMutool(t *testing.T) {
	mutool := peer(t, "mutool")
	blank, alarms, marked := 0, 0, 0
	const cell, around = 20, 9
	eachPage(t, func(t *testing.T, name string, n int, f *pdf.File, p *pdf.Page) {
		if strings.HasSuffix(name, "circular-ref.pdf") {
			t.Skip("mutool draws a mark of its own where a field waits for a signature")
		}
		m := draw(t, mutool, name, n)
		r := New(f)
		for y := 0; y+cell <= m.h; y += cell {
			for x := 0; x+cell <= m.w; x += cell {
				at := func(by int) [4]float64 {
					return [4]float64{p.CropBox[0] + float64(x-by), p.CropBox[3] - float64(y+cell+by), p.CropBox[0] + float64(x+cell+by), p.CropBox[3] - float64(y-by)}
				}
				marks, white := m.ink(x, y, cell, around)
				if white {
					got, err := r.Under(context.Background(), n, at(0), nil)
					if err != nil {
						t.Skip(err)
					}
					blank++
					if !got.Empty() {
						alarms++
					}
				}
				if marks < 8 {
					continue
				}
				marked++
				got, err := r.Under(context.Background(), n, at(around), nil)
				if err != nil {
					t.Skip(err)
				}
				if got.Empty() {
					t.Errorf("something is painted at %d,%d of which nothing is found", x, y)
				}
			}
		}
	})
	if marked < 1000 || alarms > blank/20 {
		t.Errorf("%d of %d white places have something, %d places are painted", alarms, blank, marked)
	}
}
