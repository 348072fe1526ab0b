package batch_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/courtseal/courtseal/examples/internal/batch"
	"github.com/courtseal/courtseal/sign"
)

// TestMain is the process that gets killed, too.
func TestMain(m *testing.M) {
	if dir := os.Getenv("COURTSEAL_BATCH"); dir != "" {
		if err := child(desk{dir: dir, keys: filepath.Join(dir, "keys"), esl: filepath.Join(dir, "court.esl")}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(d desk) error {
	files, err := filepath.Glob(filepath.Join(d.dir, "in", "*.pdf"))
	if err != nil {
		return err
	}
	j, err := d.job(sign.CMS)
	if err != nil {
		return err
	}
	var failed error
	if err := j.Run(context.Background(), files, func(o batch.Outcome) {
		if o.Status == batch.Done {
			fmt.Println(o.In)
		}
		if o.Err != nil {
			failed = fmt.Errorf("%s: %w", o.In, o.Err)
		}
	}); err != nil {
		return err
	}
	return failed
}

// A process that seals 1,000 files is killed at random moments and started again, until nothing is left to do:
// what it had finished stays as it was, no file is sealed twice, and none is missing. COURTSEAL_KILLS says how often.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	kills, n := 5, 1000
	if v, err := strconv.Atoi(os.Getenv("COURTSEAL_KILLS")); err == nil {
		kills = v
	}
	d := newDesk(t)
	files := d.files(t, n, 500)
	out := filepath.Join(d.dir, "out")
	before := map[string][]byte{}
	for round, killed := 0, 0; ; round++ {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "COURTSEAL_BATCH="+d.dir)
		var msg bytes.Buffer
		cmd.Stderr = &msg
		said, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if killed < kills {
			if rand.N(4) > 0 { // in the midst of sealing; else at any time from its start
				lines := bufio.NewScanner(said)
				for n := rand.N(2 * len(files) / kills); n >= 0 && lines.Scan(); n-- {
				}
			}
			time.AfterFunc(rand.N(5*time.Millisecond), func() { cmd.Process.Kill() })
		}
		io.Copy(io.Discard, said)
		if err = cmd.Wait(); err != nil {
			if killed++; killed > kills || msg.Len() > 0 {
				t.Fatalf("round %d: %v: %s", round, err, &msg)
			}
		}
		now := results(t, out)
		for name, b := range before {
			if !bytes.Equal(now[name], b) {
				t.Fatalf("round %d: %s was there, and is not as it was", round, name)
			}
		}
		before = now
		if err != nil {
			t.Logf("killed with %d files done", len(now))
			continue
		}
		d.checkWhole(t, files)
		checkPDFSig(t, out, len(files), kills)
		if killed >= kills || t.Failed() {
			return
		}
		os.RemoveAll(out) // everything was done before enough kills
		before = nil
	}
}

func results(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, name := range names {
		all[name] = read(t, name)
	}
	return all
}

// checkPDFSig has pdfsig count the signatures of some files.
func checkPDFSig(t *testing.T, dir string, n, most int) {
	t.Helper()
	if _, err := exec.LookPath("pdfsig"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("pdfsig is needed")
		}
		t.Log("pdfsig is not installed")
		return
	}
	for range most {
		name := filepath.Join(dir, fmt.Sprintf("%04d.pdf", rand.IntN(n)))
		text, err := exec.Command("pdfsig", "-nocert", name).CombinedOutput()
		if err != nil && len(text) == 0 {
			t.Fatalf("pdfsig %s: %v", name, err)
		}
		if bytes.Count(text, []byte("Signature #")) != 1 || bytes.Count(text, []byte("Total document signed")) != 1 {
			t.Errorf("pdfsig %s: %s", name, text)
		}
	}
}
