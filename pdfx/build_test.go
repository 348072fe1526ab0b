package pdfx_test

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// picture is opaque: its top left quarter is blue and the rest red, so that a turn shows.
var picture = sync.OnceValue(func() *sign.Picture {
	m := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	for y := range 40 {
		for x := range 40 {
			c := color.NRGBA{220, 0, 0, 255}
			if x < 20 && y < 20 {
				c = color.NRGBA{0, 0, 220, 255}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return &sign.Picture{Type: "PNG", Data: encodePNG(m), Width: 40, Height: 40}
})

func encodePNG(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// A shown signer adds a picture to another signer's profile.
type shown struct {
	sign.Signer
	p *sign.Picture
}

func (s shown) Profile() sign.Profile {
	p := s.Signer.Profile()
	p.Picture = s.p
	return p
}

var rsaSigner = sync.OnceValue(func() sign.Signer { return newSigner(testpki.RSA) })
var sm2Signer = sync.OnceValue(func() sign.Signer { return newSigner(testpki.SM2) })

func newSigner(kind testpki.Kind) sign.Signer {
	s, err := cms.New(testpki.Shared(kind).Issue(kind, "holder", nil), cms.Options{})
	if err != nil {
		panic(err)
	}
	return shown{s, picture()}
}

// A fixed signer answers the same for the same act, at once.
type fixed struct {
	hashes []sign.Hash
	size   int
	value  []byte // nil: a DER value made of the sums
	err    error
	acts   []*sign.Act
}

func (s *fixed) Profile() sign.Profile {
	h := s.hashes
	if h == nil {
		h = []sign.Hash{sign.SHA256}
	}
	return sign.Profile{Format: sign.CMS, Picture: picture(),
		Specs: map[sign.Format]sign.Spec{sign.CMS: {Hashes: h, MaxSize: max(s.size, 200)}}}
}

func (s *fixed) Sign(_ context.Context, a *sign.Act) ([]sign.Value, error) {
	s.acts = append(s.acts, a)
	if s.err != nil {
		return nil, s.err
	}
	if s.value != nil {
		return []sign.Value{{Bytes: s.value}}, nil
	}
	v := []byte{0x30, 0, 0x06, 0x01, 0x2a}
	for _, h := range s.Profile().Specs[sign.CMS].Hashes {
		v = append(append(v, 0x04, byte(h.Size())), a.Content[h]...)
	}
	v[1] = byte(len(v) - 2)
	return []sign.Value{{Bytes: v}}, nil
}

// pdfFile writes a file of the objects given, 1 the first; the catalog is object 1. One with a cross-reference stream does not end
// with its line, as many do not.
func pdfFile(kind pdftest.Kind, objects ...string) []byte {
	list := pdftest.Objects{}
	for i, o := range objects {
		list[i+1] = o
	}
	b := pdftest.File(kind, list)
	if kind == pdftest.XRefStream {
		b = bytes.TrimSuffix(b, []byte("\n"))
	}
	return b
}

const a4 = "/MediaBox [0 0 595 842]"

// onePage is a file of one page with these entries, and of further objects from 4 on.
func onePage(kind pdftest.Kind, page string, more ...string) []byte {
	return pdfFile(kind, append([]string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R " + page + " >>",
	}, more...)...)
}

// tool finds another maker's program; without it the test is skipped, in CI it fails.
func tool(t testing.TB, name string) string {
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

func run(t testing.TB, name string, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.Command(tool(t, name), args...)
	b, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(b), cmd.ProcessState.ExitCode()
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// vectors lists the files of ../shared/vectors/pdf, looked for from here upwards.
func vectors(t testing.TB) []string {
	t.Helper()
	found := vectorsIfThere()
	if len(found) == 0 {
		t.Skip("no shared/vectors/pdf beside the repository")
	}
	return found
}
