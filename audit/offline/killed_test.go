package offline_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/offline"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// TestMain is the process that gets killed, too.
func TestMain(m *testing.M) {
	if dir := os.Getenv("COURTSEAL_OFFLINE"); dir != "" {
		seconds, err := strconv.Atoi(os.Getenv("COURTSEAL_OFFLINE_SECOND"))
		if err == nil {
			err = sealAll(&desk{dir: dir, now: morning.Add(time.Duration(seconds) * time.Second)})
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if _, err := os.Stat(judgment); errors.Is(err, os.ErrNotExist) {
		fmt.Println("skipped: examples/quickstart/judgment.pdf is only in the repository, not in the module")
		return
	}
	os.Exit(m.Run())
}

const (
	kills = 10
	files = 120
)

func out(i int) string { return fmt.Sprintf("out-%03d.pdf", i) }

// sealAll seals what is not there yet. Files of even number are prepared for the same moment whenever they are tried, those of odd
// number for the moment of the try.
func sealAll(d *desk) error {
	b, err := d.open("book")
	if err != nil {
		return err
	}
	defer b.Close()
	stamp, err := d.stamp()
	if err != nil {
		return err
	}
	s := audit.Record(b.Recorder(purpose), stamp)
	for i := range files {
		if _, err := os.Stat(d.file(out(i))); err == nil {
			continue
		}
		at := d.now
		if i%2 == 0 {
			at = morning
		}
		o := pdfx.Options{ID: fmt.Sprintf("r-%d", i), Now: func() time.Time { return at }}
		_, err := pdfx.SignFile(context.Background(), d.file(out(i)), judgment, s, o)
		if errors.Is(err, offline.ErrRequest) && i%2 == 1 { // done, and killed before the file had its name
			o.ID += "-new"
			_, err = pdfx.SignFile(context.Background(), d.file(out(i)), judgment, s, o)
		}
		if err != nil {
			return fmt.Errorf("file %d: %w", i, err)
		}
		fmt.Println(i)
	}
	return nil
}

// A process that seals is killed at random moments and started again: each number is given once, each file binds a use that is in
// the chain, and a file that asks again with the same bytes costs no further use.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	d := newDesk(t, func(g *audit.OfflineGrant) { g.Uses = 1000 })
	killed := 0
	for second := 1; ; second++ {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "COURTSEAL_OFFLINE="+d.dir, fmt.Sprintf("COURTSEAL_OFFLINE_SECOND=%d", second))
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
			lines := bufio.NewScanner(said)
			for n := rand.N(files / kills); n > 0 && lines.Scan(); n-- {
			}
			time.AfterFunc(rand.N(20*time.Millisecond), func() { cmd.Process.Kill() })
		}
		io.Copy(io.Discard, said)
		err = cmd.Wait()
		if msg.Len() > 0 {
			t.Fatalf("second %d: %v: %s", second, err, &msg)
		}
		if err == nil {
			break
		}
		killed++
	}
	d.now = morning.Add(time.Hour)
	b := d.book(t)
	c := must(audit.ParseOfflineChain(must3(b.Export(0))))
	r, err := c.Check(nil, known...)
	if err != nil || r.Whole != b.State().Used || len(r.Faults) > 0 {
		t.Fatalf("%+v: %v", r, err)
	}
	if r.Uses < files || r.Uses > uint64(files+killed) {
		t.Errorf("%d files, %d uses, killed %d times", files, r.Uses, killed)
	}
	t.Logf("killed %d times, %d files, %d uses", killed, files, r.Uses)
	seen := map[uint64]int{}
	for i := range files {
		e, err := evidence(d.file(out(i)))
		if err != nil {
			t.Fatal(i, err)
		}
		if err := e.Check(known...); err != nil {
			t.Error(i, err)
		}
		n := e.Use.Number
		if other, ok := seen[n]; ok {
			t.Errorf("files %d and %d have use %d", other, i, n)
		}
		seen[n] = i
		entry := c.Uses[n-1]
		if !bytes.Equal(must(entry.Marshal()), e.Leaf) {
			t.Errorf("file %d binds another use %d than the chain has", i, n)
		}
		if entry.Outcome == nil || len(entry.Outcome.Values) != 1 || !bytes.Equal(entry.Outcome.Values[0], sign.SM3.Sum(value(t, d.file(out(i))))) {
			t.Errorf("file %d: the outcome of use %d is not its value: %+v", i, n, entry.Outcome)
		}
		if i%2 == 0 && entry.Use.Again != nil {
			t.Errorf("file %d cost a further use", i)
		}
	}
}

func value(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found, err := pdfx.Signatures(f, must(f.Stat()).Size(), pdfx.Options{})
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	return found[0].Value
}

// A book that ends anywhere goes on from the last line that is whole, and gives the number again that nobody got.
func TestTornTail(t *testing.T) {
	d := newDesk(t, nil)
	b := d.book(t)
	r := b.Recorder(purpose)
	var marks []int64 // sizes at which so many uses are there
	size := func() int64 { return must(os.Stat(d.file("book/book"))).Size() }
	for i := range 3 {
		a := act(fmt.Sprint(i), "content", d.now)
		if _, err := r.Begin(t.Context(), a, d.profile()); err != nil {
			t.Fatal(err)
		}
		marks = append(marks, size())
		if err := r.End(t.Context(), a, done(strings.Repeat("value", 400)), nil); err != nil { // a longer line than that of a use
			t.Fatal(err)
		}
	}
	b.Close()
	whole := d.read("book/book")
	grantEnds := int64(bytes.IndexByte(whole[bytes.IndexByte(whole, '\n')+1:], '\n') + bytes.IndexByte(whole, '\n') + 2)
	for n := int64(0); n <= int64(len(whole)); n += 1 + n%61 {
		d.put("book/book", whole[:n])
		b, err := d.open("book")
		if n < grantEnds {
			if !errors.Is(err, offline.ErrDamaged) {
				t.Fatalf("%d bytes: %v", n, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
		if left := d.read("book/book"); left[len(left)-1] != '\n' {
			t.Fatalf("%d bytes: what was torn is still there", n)
		}
		want := uint64(0)
		for _, m := range marks {
			if n >= m {
				want++
			}
		}
		if got := b.State().Used; got != want {
			t.Fatalf("%d bytes: %d uses, not %d", n, got, want)
		}
		permit, err := b.Recorder(purpose).Begin(t.Context(), act("next", "content", d.now), d.profile())
		if err != nil {
			t.Fatal(err)
		}
		if u := must(audit.ParseOfflineEvidence(permit.Evidence)).Use; u.Number != want+1 {
			t.Fatalf("%d bytes: number %d after %d", n, u.Number, want)
		}
		b.Close()
		if b, err = d.open("book"); err != nil || b.State().Used != want+1 {
			t.Fatalf("%d bytes: written behind what was torn: %v", n, err)
		}
		b.Close()
	}
}

// A book that was changed is refused, and left as it is. TestJournal tries every byte.
func TestDamaged(t *testing.T) {
	d := newDesk(t, nil)
	b := d.book(t)
	r, a := b.Recorder(purpose), act("r", "content", d.now)
	if _, err := r.Begin(t.Context(), a, d.profile()); err != nil {
		t.Fatal(err)
	}
	if err := r.End(t.Context(), a, done("value"), nil); err != nil {
		t.Fatal(err)
	}
	b.Close()
	whole := d.read("book/book")
	for i := 0; i < len(whole)-1; i += 41 {
		bad := bytes.Clone(whole)
		bad[i] ^= 1
		d.put("book/book", bad)
		if _, err := d.open("book"); !errors.Is(err, offline.ErrDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
		if !bytes.Equal(d.read("book/book"), bad) {
			t.Fatalf("byte %d: the damaged book was changed", i)
		}
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for i := 1; i < len(lines)-2; i++ {
		bad := bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil)
		d.put("book/book", bad)
		if _, err := d.open("book"); !errors.Is(err, offline.ErrDamaged) {
			t.Errorf("without line %d: %v", i+1, err)
		}
	}
}
