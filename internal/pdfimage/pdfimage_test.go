package pdfimage

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdf"
)

const n = 48 // pixels of a side of the pictures in these tests

// A made image is one in a file, with how far its colours may be from a reader's that manages them.
type made struct {
	name  string
	dict  string // but for /Width and /Height
	data  []byte
	mask  string // dictionary of a mask, which is the object after it
	alpha []byte
	far   float64
	other bool // poppler draws it: mutool does not know its colours without a library
}

// pixel is a picture: a red disc that fades, on a ground that is bluish.
func pixel(x, y int) (r, g, b byte) {
	dx, dy := x-n/2, y-n/2
	if dx*dx+dy*dy < n*n/5 {
		return 220, byte(3 * x), byte(y)
	}
	return byte(200 + x/2), byte(220 - y), 240
}

func grey(x, y int) byte {
	r, g, b := pixel(x, y)
	return byte((int(r) + int(g) + int(b)) / 3)
}

// samples packs what value gives for each component, bits wide.
func samples(components, bits int, value func(x, y, i int) int) []byte {
	var out []byte
	for y := range n {
		row := make([]byte, (n*components*bits+7)/8)
		for k := range n * components {
			v := value(k/components, y, k%components)
			if bits == 16 {
				row[2*k], row[2*k+1] = byte(v>>8), byte(v)
				continue
			}
			row[k*bits/8] |= byte(v << (8 - bits - k*bits%8))
		}
		out = append(out, row...)
	}
	return out
}

func rgbAt(x, y, i int) int {
	r, g, b := pixel(x, y)
	return int([3]byte{r, g, b}[i])
}

func jpegBytes(grey bool) []byte {
	var img image.Image
	c, g := image.NewRGBA(image.Rect(0, 0, n, n)), image.NewGray(image.Rect(0, 0, n, n))
	for y := range n {
		for x := range n {
			r, gr, b := pixel(x, y)
			c.Set(x, y, color.RGBA{r, gr, b, 255})
			g.Set(x, y, color.RGBA{r, gr, b, 255})
		}
	}
	if img = c; grey {
		img = g
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func images() []made {
	rgb := samples(3, 8, rgbAt)
	gray := func(bits int) []byte {
		return samples(1, bits, func(x, y, _ int) int { return int(grey(x, y)) * (1<<bits - 1) / 255 })
	}
	disc := func(bits int) []byte {
		return samples(1, bits, func(x, y, _ int) int {
			if (x-n/2)*(x-n/2)+(y-n/2)*(y-n/2) < n*n/6 {
				return 1<<bits - 1
			}
			return 0
		})
	}
	return []made{
		{name: "grey", dict: "/ColorSpace /DeviceGray /BitsPerComponent 8", data: gray(8)},
		{name: "grey of 4 bits", dict: "/ColorSpace /DeviceGray /BitsPerComponent 4", data: gray(4)},
		{name: "grey of 2 bits", dict: "/ColorSpace [/CalGray << /WhitePoint [0.9505 1 1.089] /Gamma 2.2 >>] /BitsPerComponent 2", data: gray(2)},
		{name: "grey of 16 bits", dict: "/ColorSpace /DeviceGray /BitsPerComponent 16", data: samples(1, 16, func(x, y, _ int) int { return int(grey(x, y)) * 257 })},
		{name: "black and white", dict: "/ColorSpace /DeviceGray /BitsPerComponent 1", data: disc(1)},
		{name: "inverted", dict: "/ColorSpace /DeviceGray /BitsPerComponent 8 /Decode [1 0]", data: gray(8)},
		{name: "RGB", dict: "/ColorSpace /DeviceRGB /BitsPerComponent 8", data: rgb},
		{name: "RGB in hex", dict: "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /ASCIIHexDecode", data: fmt.Appendf(nil, "%x>", rgb)},
		{name: "calibrated", dict: "/ColorSpace [/CalRGB << /WhitePoint [0.9505 1 1.089] /Gamma [2.2 2.2 2.2] >>] /BitsPerComponent 8", data: rgb},
		{name: "a profile", dict: "/ColorSpace [/ICCBased 3 0 R] /BitsPerComponent 8", data: rgb},
		{name: "CMYK", dict: "/ColorSpace /DeviceCMYK /BitsPerComponent 8",
			data: samples(4, 8, func(x, y, i int) int {
				if i == 3 {
					return 0
				}
				return 255 - rgbAt(x, y, i)
			})},
		{name: "indexed", dict: "/ColorSpace [/Indexed /DeviceRGB 3 <ffffff dc000f 204080 00ff00>] /BitsPerComponent 2",
			data: samples(1, 2, func(x, y, _ int) int { return (x/8 + y/8) % 4 })},
		{name: "indexed by a stream", dict: "/ColorSpace [/Indexed /DeviceRGB 1 4 0 R] /BitsPerComponent 1", data: disc(1)},
		{name: "an ink", dict: "/ColorSpace [/Separation /Black /DeviceGray << /FunctionType 2 /Domain [0 1] /C0 [1] /C1 [0] /N 1 >>] /BitsPerComponent 8", data: gray(8)},
		{name: "two inks", dict: "/ColorSpace [/DeviceN [/Black /Spot] /DeviceGray 5 0 R] /BitsPerComponent 8",
			data: samples(2, 8, func(x, y, i int) int { return (1 - i) * int(grey(x, y)) })},
		{name: "Lab", dict: "/ColorSpace [/Lab << /WhitePoint [0.9642 1 0.8249] /Range [-100 100 -100 100] >>] /BitsPerComponent 8",
			data: samples(3, 8, func(x, y, i int) int { return [3]int{int(grey(x, y)), 128 + x, 128 + y}[i] }), far: 6, other: true},
		{name: "JPEG", dict: "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode", data: jpegBytes(false), far: 4},
		{name: "JPEG in grey in hex", dict: "/ColorSpace /DeviceGray /BitsPerComponent 8 /Filter [/AHx /DCT]", data: fmt.Appendf(nil, "%x>", jpegBytes(true)), far: 4},
		{name: "stencil", dict: "/ImageMask true", data: disc(1)},
		{name: "stencil, inverted", dict: "/ImageMask true /Decode [1 0] /BitsPerComponent 1", data: disc(1)},
		{name: "with opacity", dict: "/ColorSpace /DeviceRGB /BitsPerComponent 8 /SMask %d 0 R", data: rgb, mask: "/ColorSpace /DeviceGray /BitsPerComponent 8", alpha: gray(8)},
		{name: "with a mask", dict: "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Mask %d 0 R", data: rgb, mask: "/ImageMask true", alpha: disc(1)},
		{name: "with a key", dict: "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Mask [220 220 0 255 0 255]", data: rgb},
		{name: "one pixel with opacity", dict: "/W 1", data: []byte{215, 0, 15}, mask: "/ColorSpace /DeviceGray /BitsPerComponent 8", alpha: gray(8)},
	}
}

// file draws each image on a page of its own, n points square.
func file(list []made) []byte {
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", "", "<< /N 3 /Length 0 >>\nstream\n\nendstream", "<< /Length 6 >>\nstream\n\xdc\x00\x0f\xff\xff\xff\nendstream",
		"<< /FunctionType 4 /Domain [0 1 0 1] /Range [0 1] /Length 17 >>\nstream\n{pop 1 exch sub }\nendstream"}
	kids := ""
	add := func(dict string, data []byte) int {
		objects = append(objects, fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data))
		return len(objects)
	}
	size := fmt.Sprintf(" /Subtype /Image /Width %d /Height %d", n, n)
	for _, m := range list {
		dict := m.dict + size
		if m.mask != "" {
			alpha := add(m.mask+size, m.alpha)
			dict = strings.Replace(dict, "%d", fmt.Sprint(alpha), 1)
			if m.dict == "/W 1" {
				dict = fmt.Sprintf("/Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceRGB /BitsPerComponent 8 /SMask %d 0 R", alpha)
			}
		}
		img := add(dict, m.data)
		content := add("", fmt.Appendf(nil, "%d 0 0 %d 0 0 cm /Im Do", n, n))
		objects = append(objects, fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R /Resources << /XObject << /Im %d 0 R >> >> >>", n, n, content, img))
		kids += fmt.Sprintf("%d 0 R ", len(objects))
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids, len(list))
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, at)
	return b.Bytes()
}

// imageOf finds the image of page i.
func imageOf(t testing.TB, f *pdf.File, i int) *pdf.Stream {
	t.Helper()
	p, err := f.Page(i + 1)
	if err != nil {
		t.Fatal(err)
	}
	o, err := f.Resolve(p.Resources.(*pdf.Dict).Get("XObject").(*pdf.Dict).Get("Im"))
	if err != nil {
		t.Fatal(err)
	}
	return o.(*pdf.Stream)
}

func open1(t testing.TB, b []byte) *pdf.File {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// mutool and poppler draw the same.
func TestColoursAreThoseOfAReader(t *testing.T) {
	list := images()
	b := file(list)
	f := open1(t, b)
	dir := t.TempDir()
	name := filepath.Join(dir, "a.pdf")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for program, args := range map[string][]string{
		"mutool":   {"draw", "-q", "-A", "0", "-r", "72", "-o", filepath.Join(dir, "%02d.ppm"), name},
		"pdftoppm": {"-r", "72", name, filepath.Join(dir, "p")},
	} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", program)
			}
			t.Skipf("%s is not installed", program)
		}
		if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", program, err, out)
		}
	}
	for i, m := range list {
		file := fmt.Sprintf("%02d.ppm", i+1)
		if m.other {
			file = "p-" + file
		}
		theirs := ppm(t, filepath.Join(dir, file))
		img, err := Open(f, imageOf(t, f, i), nil, nil)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if img.Width != n || img.Height != n {
			t.Errorf("%s: %d x %d", m.name, img.Width, img.Height)
			continue
		}
		line := make([]byte, 4*n)
		sum := 0.0
		for y := range n {
			img.Row(y, line)
			for x := range n {
				for k := range 3 {
					ours := 255 - (255-int(line[4*x+k]))*int(line[4*x+3])/255
					d := float64(ours - int(theirs[3*(y*n+x)+k]))
					sum += max(d, -d)
				}
			}
		}
		far := max(m.far, 1)
		if mean := sum / (3 * n * n); mean > far {
			t.Errorf("%s: colours are %.1f from those of another reader", m.name, mean)
		}
	}
}

func ppm(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < 3*n*n {
		t.Fatalf("%s has %d bytes", name, len(b))
	}
	return b[len(b)-3*n*n:]
}

func TestWhatIsNotDecoded(t *testing.T) {
	size := "/Width %[1]d /Height %[1]d /BitsPerComponent 8 /ColorSpace /DeviceGray"
	for dict, want := range map[string]error{
		fmt.Sprintf(size, 48) + " /Filter /JPXDecode":            ErrKind,
		fmt.Sprintf(size, 48) + " /Filter /JBIG2Decode":          ErrKind,
		fmt.Sprintf(size, 48) + " /Filter [/AHx /CCF]":           ErrKind,
		fmt.Sprintf(size, 48) + " /Filter [/DCTDecode /AHx]":     ErrKind,
		fmt.Sprintf(size, 48) + " /Filter /DCTDecode":            pdf.ErrSyntax,
		fmt.Sprintf(size, 4800):                                  ErrSize,
		fmt.Sprintf(size, 0):                                     ErrSize,
		fmt.Sprintf(size, -3):                                    ErrSize,
		fmt.Sprintf(size, 480):                                   pdf.ErrSyntax, // of less data than that
		strings.Replace(fmt.Sprintf(size, 9), "t 8", "t 7", 1):   pdf.ErrSyntax,
		strings.Replace(fmt.Sprintf(size, 9), "Gray", "None", 1): pdf.ErrSyntax,
		"/ImageMask true /Filter /DCTDecode /Width 9 /Height 9":  ErrKind,
	} {
		b := file([]made{{dict: "/W 1", data: nil, mask: dict, alpha: []byte("00000>")}})
		f := open1(t, b)
		s, _ := f.Resolve(imageOf(t, f, 0).Dict.Get("SMask"))
		st := s.(*pdf.Stream)
		var keep []pdf.Entry // those that the file adds come last and count
		for _, e := range st.Dict.Entries {
			if (e.Key != "Width" && e.Key != "Height") || e.Value != int64(n) || strings.Contains(dict, "/Width 48 ") {
				keep = append(keep, e)
			}
		}
		st.Dict.Entries = keep
		if _, err := Open(f, st, nil, nil); !errors.Is(err, want) {
			t.Errorf("%s: %v", dict, err)
		}
	}
}

func FuzzImage(f *testing.F) {
	for _, m := range images() {
		f.Add(m.dict, m.data)
	}
	f.Fuzz(func(t *testing.T, dict string, data []byte) {
		b := file([]made{{dict: dict, data: data}})
		p, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Options{})
		if err != nil {
			return
		}
		page, err := p.Page(1)
		if err != nil {
			return
		}
		o, err := p.Resolve(page.Resources.(*pdf.Dict).Get("XObject").(*pdf.Dict).Get("Im"))
		s, ok := o.(*pdf.Stream)
		if err != nil || !ok {
			return
		}
		for _, inline := range [][]byte{nil, data} {
			m, err := Open(p, s, inline, nil)
			if err != nil {
				continue
			}
			if m.Width <= 0 || m.Height <= 0 || m.Width > MaxPixels/m.Height {
				t.Fatalf("%d x %d", m.Width, m.Height)
			}
			line := make([]byte, 4*m.Width)
			for _, y := range []int{0, m.Height / 2, m.Height - 1} {
				m.Row(y, line)
			}
		}
	})
}
