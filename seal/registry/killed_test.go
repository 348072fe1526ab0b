package registry_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/audit/ledger/ledgertest"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
)

// TestMain is the process that TestKilled kills, too.
func TestMain(m *testing.M) {
	if dir := os.Getenv("COURTSEAL_BOOK"); dir != "" {
		fmt.Fprintln(os.Stderr, sealUntilKilled(context.Background(), dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func bookDB(dir string) (*sql.DB, ledger.Options, error) {
	db, err := sql.Open("sqlite", filepath.Join(dir, "book.db"))
	return db, ledgertest.LoadOptions(ledgertest.Store{Dialect: ledger.SQLite}, filepath.Join(dir, "witness")), err
}

// randomSigner makes another value each time.
type randomSigner struct{ cert []byte }

func (s randomSigner) Profile() sign.Profile {
	return sign.Profile{Format: sign.SES, Seal: "S1", Specs: map[sign.Format]sign.Spec{sign.SES: {Chain: [][]byte{s.cert}}}}
}

func (s randomSigner) Sign(context.Context, *sign.Act) ([]sign.Value, error) {
	value := make([]byte, 100)
	rand.Read(value)
	return []sign.Value{{Bytes: value}}, nil
}

// sealOnce is one act through the books; the answer is the digest of its value.
func sealOnce(ctx context.Context, r *registry.Registry, cert []byte, request string) (string, error) {
	signer := audit.Record(r.Recorder(registry.Person("shujiyuan"), registry.Use{Kind: "judgment"}), randomSigner{cert})
	digest := sign.Sums{sign.SM3: sm3(request)}
	values, err := signer.Sign(ctx, &sign.Act{ID: request, Time: time.Now().UTC(), Source: digest, Content: digest, Parts: []sign.Part{{Format: sign.SES}}})
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sign.SM3.Sum(values[0].Bytes)), nil
}

// sealUntilKilled seals from many goroutines, and says "ask REQUEST" before, and "have REQUEST DIGEST" after.
func sealUntilKilled(ctx context.Context, dir string) error {
	db, o, err := bookDB(dir)
	if err != nil {
		return err
	}
	log, err := ledger.Open(ctx, db, o)
	if err != nil {
		return err
	}
	r, err := registry.Open(ctx, log, registry.Options{})
	if err != nil {
		return err
	}
	cert, err := os.ReadFile(filepath.Join(dir, "cert"))
	if err != nil {
		return err
	}
	ended := make(chan error)
	for w := range 16 {
		go func() {
			for i := 0; ; i++ {
				request := fmt.Sprintf("p%d-%d-%d", os.Getpid(), w, i)
				fmt.Printf("ask %s\n", request)
				digest, err := sealOnce(ctx, r, cert, request)
				if err != nil {
					ended <- err
					return
				}
				fmt.Printf("have %s %s\n", request, digest)
			}
		}()
	}
	return <-ended
}

// Killed at any moment, the books have every value that was given out, each with its entries; and who was not told asks again, and has
// one use and one answer.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := t.TempDir()
	db, o, err := bookDB(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	open := func(create bool) (*book, func()) {
		t.Helper()
		f := ledger.Open
		if create {
			f = ledger.Create
		}
		log, err := f(t.Context(), db, o)
		if err != nil {
			t.Fatal(err)
		}
		b := &book{log: log, now: time.Now(), keys: map[string]sign.Key{}, mark: map[string]uint64{}}
		if create {
			b.Registry, err = registry.Create(t.Context(), log, registry.Options{}, registry.Found{Org: "gy", OrgName: "示例省高级人民法院", Person: "admin", PersonName: "管理员"})
		} else {
			b.Registry, err = registry.Open(t.Context(), log, registry.Options{})
		}
		if err != nil {
			t.Fatal(err)
		}
		return b, func() { log.Close() }
	}
	b, closeLog := open(true)
	run(t, b, "testdata/story/seal.inc")
	b.must(t, "baoguan", &registry.Authorise{ID: "g-1", Seal: "S1", Clerks: "jc", Uses: 1 << 40, Reason: "r"})
	cert := b.key("baoguan-key").Chain()[0]
	closeLog()
	if err := os.WriteFile(filepath.Join(dir, "cert"), cert, 0o600); err != nil {
		t.Fatal(err)
	}
	asked, had := 0, 0
	for round := range ledgertest.Kills() {
		said := killedRound(t, dir)
		b, closeLog := open(false)
		for request, digest := range said {
			before, err := b.Use(t.Context(), request)
			if digest != "" && (err != nil || before.State != registry.Done || len(before.Values) != 1 || before.Values[0] != digest) {
				t.Fatalf("round %d: %s was given out as %s, and the books have %+v: %v", round, request, digest, before, err)
			}
			again, err := sealOnce(t.Context(), b.Registry, cert, request)
			if err != nil || digest != "" && again != digest {
				t.Fatalf("round %d: %s again is %s, was %q: %v", round, request, again, digest, err)
			}
			if digest != "" {
				had++
			}
		}
		asked += len(said)
		if g, err := b.Grant(t.Context(), "g-1"); err != nil || g.Used != asked {
			t.Fatalf("round %d: %d uses of %d requests: %v", round, g.Used, asked, err)
		}
		closeLog()
	}
	if had == 0 {
		t.Error("nothing was sealed in any round")
	}
	b, closeLog = open(false)
	defer closeLog()
	b.mustCompare(t)
	t.Logf("%d requests, of which %d had been answered", asked, had)
}

// killedRound runs a process for a moment; the answer is what it was asked, and the digests of what it gave out.
func killedRound(t *testing.T, dir string) map[string]string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "COURTSEAL_BOOK="+dir)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == 0 {
			time.AfterFunc(mrand.N(300*time.Millisecond), func() { cmd.Process.Kill() })
		}
		switch w := strings.Fields(lines.Text()); {
		case len(w) == 2 && w[0] == "ask":
			said[w[1]] = ""
		case len(w) == 3 && w[0] == "have" && len(w[2]) == 64:
			said[w[1]] = w[2]
		}
	}
	err = cmd.Wait()
	if exit := (&exec.ExitError{}); !errors.As(err, &exit) || complaint.Len() > 0 {
		t.Fatalf("the process ended by itself: %v, %s", err, &complaint)
	}
	return said
}
