package batch_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/courtseal/courtseal/examples/internal/batch"
	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/examples/internal/minidocx"
	"github.com/courtseal/courtseal/examples/internal/minipdf"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

// A desk has what a batch needs, in files, so that another process can use it too.
type desk struct {
	dir, keys, esl, roots string
}

func newDesk(t testing.TB) desk {
	t.Helper()
	dir := t.TempDir()
	d := desk{dir, filepath.Join(dir, "keys"), filepath.Join(dir, "court.esl"), filepath.Join(dir, "roots.pem")}
	root := testpki.NewCA(testpki.SM2, "Batch Root")
	key, chain := root.IssueSigner(testpki.SM2, "holder", nil)
	private, err := gm.MarshalPKCS8(key)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := imprint.Draw(imprint.Options{Name: "示例省示例市示例区人民法院", Diameter: imprint.Basic})
	if err != nil {
		t.Fatal(err)
	}
	s, err := seal.Make(t.Context(), &seal.Seal{ID: "1", Name: "示例省示例市示例区人民法院", Certs: chain[:1], Picture: picture,
		NotBefore: testpki.NotBefore, NotAfter: testpki.NotAfter}, root.Issue(testpki.SM2, "maker", nil))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(d.keys, "holder.key.insecure"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	write(t, filepath.Join(d.keys, "holder.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[0]}))
	write(t, d.esl, s.Raw)
	write(t, d.roots, root.PEM())
	return d
}

func write(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, b, 0o600)); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// job opens seal and key.
func (d desk) job(format sign.Format) (*batch.Job, error) {
	s, err := seal.ReadFile(d.esl)
	if err != nil {
		return nil, err
	}
	key, _, err := keydev.OpenKey(context.Background(), "soft:"+d.keys+"#holder", nil)
	if err != nil {
		return nil, err
	}
	stamp, err := s.Stamp(key, seal.StampOptions{Format: format})
	if err != nil {
		return nil, err
	}
	return &batch.Job{Signer: stamp, Seal: s, Dir: filepath.Join(d.dir, "out"), Name: "test",
		Options: document.Options{PDF: pdfx.Options{At: []pdfx.At{{Page: 1, X: 60, Y: 60}}}}}, nil
}

func (d desk) mustJob(t testing.TB, format sign.Format) *batch.Job {
	t.Helper()
	j, err := d.job(format)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// files makes n PDF files of one page and about size bytes, each with other bytes.
func (d desk) files(t testing.TB, n, size int) []string {
	t.Helper()
	rnd := rand.NewChaCha8([32]byte{1})
	names := make([]string, n)
	for i := range names {
		names[i] = filepath.Join(d.dir, "in", fmt.Sprintf("%04d.pdf", i))
		body := make([]byte, size)
		rnd.Read(body)
		write(t, names[i], minipdf.Page(body))
	}
	return names
}

// run runs a job and gives what it told of, in order.
func run(ctx context.Context, j *batch.Job, files []string) (told []batch.Outcome, err error) {
	err = j.Run(ctx, files, func(o batch.Outcome) { told = append(told, o) })
	return told, err
}

func statuses(told []batch.Outcome) string {
	var s []string
	for _, o := range told {
		s = append(s, string(o.Status))
	}
	return strings.Join(s, " ")
}

// checkWhole: each result is its source, sealed once, and valid; the folder of files on their way is gone.
func (d desk) checkWhole(t *testing.T, files []string) {
	t.Helper()
	roots, err := verify.ReadRoots(d.roots)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(filepath.Join(d.dir, "out"))
	if err != nil || len(entries) != len(files) {
		t.Errorf("%d results for %d files (%v)", len(entries), len(files), err)
	}
	for _, f := range files {
		out := filepath.Join(d.dir, "out", filepath.Base(f))
		r, err := verify.File(t.Context(), out, verify.Options{Roots: roots})
		if err != nil || r.Verdict != verify.Valid || len(r.Signatures) != 1 {
			t.Fatalf("%v\n%v", r, err)
		}
		if !bytes.HasPrefix(read(t, out), read(t, f)) {
			t.Fatalf("%s is not %s sealed", out, f)
		}
	}
}

func TestRun(t *testing.T) {
	for _, format := range []sign.Format{sign.CMS, sign.SES} {
		t.Run(string(format), func(t *testing.T) {
			d := newDesk(t)
			j, files := d.mustJob(t, format), d.files(t, 20, 1000)
			told, err := run(t.Context(), j, files)
			if err != nil || len(told) != len(files) {
				t.Fatal(len(told), err)
			}
			ids := map[string]bool{}
			for i, o := range told {
				if o.In != files[i] || o.Status != batch.Done || o.Result == nil || o.Result.Act.ID != o.ID || o.Err != nil {
					t.Errorf("%+v", o)
				}
				ids[o.ID] = true
			}
			if len(ids) != len(files) {
				t.Errorf("%d ids", len(ids))
			}
			d.checkWhole(t, files)

			again, err := run(t.Context(), j, files)
			if want := strings.TrimSpace(strings.Repeat("skip ", len(files))); err != nil || statuses(again) != want {
				t.Errorf("%s, %v", statuses(again), err)
			}
			os.Remove(told[3].Out)
			again, err = run(t.Context(), d.mustJob(t, format), files[3:4])
			if err != nil || again[0].ID != told[3].ID || again[0].Status != batch.Done {
				t.Errorf("%+v, %v; the id was %s", again, err, told[3].ID)
			}
		})
	}
}

// Word documents go the same way, beside PDF files, and a result that was sealed further is still one.
func TestWord(t *testing.T) {
	d := newDesk(t)
	j := d.mustJob(t, sign.SES)
	word, err := os.ReadFile("../../quickstart/judgment.docx")
	if err != nil {
		t.Fatal(err)
	}
	files := d.files(t, 2, 1000)
	for i := range 3 {
		docx, err := minidocx.Edit(word, "word/document.xml", "120000", fmt.Sprint(120001+i))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, filepath.Join(d.dir, "in", fmt.Sprintf("%d.docx", i)))
		write(t, files[len(files)-1], docx)
	}
	told, err := run(t.Context(), j, files)
	if err != nil || statuses(told) != "ok ok ok ok ok" {
		t.Fatal(told, err)
	}
	roots, err := verify.ReadRoots(d.roots)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range told {
		if r, err := verify.File(t.Context(), o.Out, verify.Options{Roots: roots}); err != nil || r.Verdict != verify.Valid || len(r.Signatures) != 1 {
			t.Errorf("%v\n%v", r, err)
		}
	}
	good := read(t, told[2].Out)
	further := told[2].Out + ".2"
	if _, err := document.SignFile(t.Context(), further, told[2].Out, j.Signer, document.Options{Word: officex.Options{Invisible: true}}); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(further, told[2].Out); err != nil {
		t.Fatal(err)
	}
	if again, err := run(t.Context(), j, files); err != nil || statuses(again) != "skip skip skip skip skip" {
		t.Fatal(again, err)
	}
	changed, err := minidocx.Edit(good, "word/document.xml", "120001", "920001")
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(good)
	broken[len(broken)/2] ^= 1
	for name, b := range map[string][]byte{"cut": good[:len(good)-10], "changed": changed, "of another": read(t, told[3].Out), "not sealed": read(t, files[2]), "broken": broken, "empty": nil} {
		write(t, told[2].Out, b)
		again, err := run(t.Context(), j, files[2:3])
		if err != nil || !errors.Is(again[0].Err, batch.ErrOther) {
			t.Errorf("%s: %v, %v", name, again, err)
		}
	}
}

// What stands under a result's name and is not the result stays as it is.
func TestOther(t *testing.T) {
	d := newDesk(t)
	j, files := d.mustJob(t, sign.CMS), d.files(t, 1, 1000)
	told, err := run(t.Context(), j, files)
	if err != nil || told[0].Status != batch.Done {
		t.Fatal(told, err)
	}
	out := told[0].Out
	good, src := read(t, out), read(t, files[0])

	foreign := newDesk(t)
	foreign.dir = d.dir // another court's seal on the same file
	os.Remove(out)
	if _, err := run(t.Context(), foreign.mustJob(t, sign.CMS), files); err != nil {
		t.Fatal(err)
	}
	theirs := read(t, out)

	sealedSource := filepath.Join(d.dir, "again", filepath.Base(out)) // a source that bears the seal already
	write(t, sealedSource, good)

	torn := bytes.Clone(good)
	clear(torn[len(src)+10 : len(src)+40])
	picture := bytes.Clone(good)
	at := bytes.LastIndex(picture, []byte("stream\n")) - 100
	picture[at] ^= 1
	for name, test := range map[string]struct {
		out []byte
		in  string
		ok  bool
	}{
		"the result":           {good, files[0], true},
		"empty":                {nil, files[0], false},
		"the source":           {src, files[0], false},
		"another file":         {minipdf.Page([]byte(strings.Repeat("x", 2000))), files[0], false},
		"cut":                  {good[:len(good)-1000], files[0], false},
		"torn":                 {torn, files[0], false},
		"changed behind":       {picture, files[0], false},
		"another seal":         {theirs, files[0], false},
		"source sealed before": {good, sealedSource, false},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, out, test.out)
			told, err := run(t.Context(), j, []string{test.in})
			if err != nil {
				t.Fatal(err)
			}
			if ok := told[0].Status == batch.Skipped; ok != test.ok {
				t.Errorf("%+v", told[0])
			}
			if !test.ok && !errors.Is(told[0].Err, batch.ErrOther) {
				t.Errorf("%+v", told[0])
			}
			if !bytes.Equal(read(t, out), test.out) {
				t.Error("it was changed")
			}
		})
	}
}

func TestFailures(t *testing.T) {
	d := newDesk(t)
	j, files := d.mustJob(t, sign.CMS), d.files(t, 4, 1000)
	write(t, files[1], []byte("not a PDF"))
	files[2] += ".none"
	told, err := run(t.Context(), j, files)
	if err != nil || statuses(told) != "ok fail fail ok" {
		t.Fatalf("%s, %v", statuses(told), err)
	}
	if !errors.Is(told[1].Err, pdfx.ErrNotPDF) || !errors.Is(told[2].Err, os.ErrNotExist) {
		t.Error(told[1].Err, told[2].Err)
	}
	if entries, _ := os.ReadDir(j.Dir); len(entries) != 2 {
		t.Error(entries)
	}

	double := append(slices.Clone(files), filepath.Join(d.dir, "elsewhere", filepath.Base(files[0])))
	if told, err := run(t.Context(), j, double); !errors.Is(err, batch.ErrSameName) || len(told) != 0 {
		t.Error(told, err)
	}
	j.Dir = files[0] // a file
	if _, err := run(t.Context(), j, files); err == nil {
		t.Error("a file taken for a directory")
	}
}

// Two runs cannot take one directory; what a run left behind is cleared.
func TestFolder(t *testing.T) {
	d := newDesk(t)
	j, files := d.mustJob(t, sign.CMS), d.files(t, 2, 1000)
	left := filepath.Join(j.Dir, ".sealing", ".pdfx-123")
	write(t, left, []byte("half a file"))
	mine := filepath.Join(j.Dir, ".pdfx-mine")
	write(t, mine, nil)
	busy := 0
	err := j.Run(t.Context(), files, func(batch.Outcome) {
		if _, err := run(t.Context(), j, files); errors.Is(err, batch.ErrBusy) {
			busy++
		}
		if _, err := os.Stat(left); err == nil {
			t.Error("left behind")
		}
	})
	if err != nil || busy != 2 {
		t.Error(busy, err)
	}
	if _, err := os.Stat(filepath.Join(j.Dir, ".sealing")); err == nil {
		t.Error(".sealing is still there")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error("a file that is not of the job is gone")
	}
}

// Whatever a file system knows of, results appear, and a file that comes there while its namesake is sealed stays.
func TestPlace(t *testing.T) {
	for without := range batch.Moves + 1 {
		t.Run(fmt.Sprint("without ", without), func(t *testing.T) {
			defer batch.LeaveMoves(without)()
			d := newDesk(t)
			files := d.files(t, 5, 1000)
			out := filepath.Join(d.dir, "out", filepath.Base(files[0]))
			j := d.jobWith(t, func() error { write(t, out, []byte("mine")); return nil })
			told, err := run(t.Context(), j, files[:1])
			if err != nil || statuses(told) != "fail" || !errors.Is(told[0].Err, batch.ErrOther) || string(read(t, out)) != "mine" {
				t.Errorf("%+v, %v", told, err)
			}
			os.Remove(out)
			if told, err := run(t.Context(), d.mustJob(t, sign.CMS), files); err != nil || statuses(told) != "ok ok ok ok ok" {
				t.Error(statuses(told), err)
			}
			d.checkWhole(t, files)
		})
	}
}

// A key does what a test says.
type key struct {
	sign.Key
	do func() error
}

func (k key) SignDigest(ctx context.Context, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if err := k.do(); err != nil {
		return nil, err
	}
	return k.Key.SignDigest(ctx, digest, o)
}

func (d desk) jobWith(t *testing.T, do func() error) *batch.Job {
	t.Helper()
	j := d.mustJob(t, sign.CMS)
	k, _, err := keydev.OpenKey(t.Context(), "soft:"+d.keys+"#holder", nil)
	if err != nil {
		t.Fatal(err)
	}
	if j.Signer, err = j.Seal.Stamp(key{k, do}, seal.StampOptions{}); err != nil {
		t.Fatal(err)
	}
	return j
}

// A wrong PIN is not tried on the second file; a device that goes away ends the run.
func TestKeyFails(t *testing.T) {
	d := newDesk(t)
	files := d.files(t, 50, 1000)
	tries := 0
	j := d.jobWith(t, func() error { tries++; return &keydev.Error{Where: "x", Err: keydev.ErrPINIncorrect} })
	told, err := run(t.Context(), j, files)
	if !errors.Is(err, keydev.ErrPINIncorrect) || tries != 1 || statuses(told) != "fail" {
		t.Error(tries, statuses(told), err)
	}
	var calls atomic.Int32
	j = d.jobWith(t, func() error {
		if calls.Add(1) > 20 {
			return &keydev.Error{Where: "x", Err: keydev.ErrRemoved}
		}
		return nil
	})
	j.Workers = 4
	told, err = run(t.Context(), j, files)
	if !errors.Is(err, keydev.ErrRemoved) || calls.Load() > 20+4 || len(told) != int(calls.Load()) {
		t.Error(calls.Load(), len(told), err)
	}
	told, err = run(t.Context(), d.mustJob(t, sign.CMS), files)
	if n := strings.Count(statuses(told), "skip"); err != nil || len(told) != len(files) || n != 20 {
		t.Error(n, len(told), err)
	}
	d.checkWhole(t, files)
}

// A run that is told to end finishes what it has begun, and no more.
func TestCancelled(t *testing.T) {
	d := newDesk(t)
	files := d.files(t, 50, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	var calls atomic.Int32
	j := d.jobWith(t, func() error {
		if calls.Add(1) == 10 {
			cancel()
		}
		return nil
	})
	j.Workers = 3
	told, err := run(ctx, j, files)
	if !errors.Is(err, context.Canceled) || len(told) != int(calls.Load()) || len(told) >= len(files) || strings.Contains(statuses(told), "fail") {
		t.Error(calls.Load(), statuses(told), err)
	}
	if told, err := run(ctx, j, files); !errors.Is(err, context.Canceled) || len(told) != 0 {
		t.Error(told, err)
	}
	if _, err := run(t.Context(), d.mustJob(t, sign.CMS), files); err != nil {
		t.Fatal(err)
	}
	d.checkWhole(t, files)
}

// One slow file does not hold up the others, and outcomes come in order all the same.
func TestOrder(t *testing.T) {
	d := newDesk(t)
	files := d.files(t, 60, 1000)
	var calls atomic.Int32
	j := d.jobWith(t, func() error {
		if calls.Add(1) == 2 { // waits for all that come after it
			for end := time.Now().Add(10 * time.Second); calls.Load() < int32(len(files)); time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					return errors.New("the others wait too")
				}
			}
		}
		return nil
	})
	j.Workers = 2
	told, err := run(t.Context(), j, files)
	if err != nil || len(told) != len(files) {
		t.Fatal(len(told), err)
	}
	for i, o := range told {
		if o.In != files[i] || o.Status != batch.Done {
			t.Errorf("%d: %+v", i, o)
		}
	}
}
