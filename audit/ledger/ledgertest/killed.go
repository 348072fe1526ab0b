package ledgertest

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

const loadWriters = 16

// Load is the process that gets killed: it opens the ledger that Killed has made and writes to it from many goroutines until an error. For
// each entry that is acknowledged it prints a line "index request".
//
// Each writer numbers its requests, and begins with the last one that is in the database, as a client does which was not told.
func Load(ctx context.Context, db *sql.DB, o ledger.Options) error {
	l, err := ledger.Open(ctx, db, o)
	if err != nil {
		return err
	}
	defer l.Close()
	ended := make(chan error)
	for w := range loadWriters {
		go func() { ended <- writer(ctx, l, w) }()
	}
	return <-ended
}

func writer(ctx context.Context, l *ledger.Log, w int) error {
	var n int
	err := l.Read(ctx, func(ctx context.Context, tx *ledger.Tx) error {
		return tx.QueryRowContext(ctx, "SELECT count(*) FROM request WHERE id LIKE $1", fmt.Sprintf("w%d-%%", w)).Scan(&n)
	})
	if err != nil {
		return err
	}
	for n = max(n-1, 0); ; n++ {
		index, err := oneUse(ctx, l, fmt.Sprintf("w%d-%d", w, n))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(os.Stdout, "%d w%d-%d\n", index, w, n); err != nil {
			return err
		}
	}
}

// oneUse enters a request once, and returns its index whether it was there or not.
func oneUse(ctx context.Context, l *ledger.Log, id string) (index int64, err error) {
	_, err = l.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		err := tx.QueryRowContext(ctx, "SELECT idx FROM request WHERE id = $1", id).Scan(&index)
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		index = int64(tx.Index())
		if _, err := tx.ExecContext(ctx, "INSERT INTO request (id, idx) VALUES ($1, $2)", id, index); err != nil {
			return nil, err
		}
		leaf, err := audit.Leaf{Kind: "test", Fields: map[string]string{"time": ledger.FormatTime(tx.Time()), "text": id}}.Marshal()
		return []ledger.Entry{{Leaf: leaf}}, err
	})
	return index, err
}

// LoadOptions are the options of Load and Killed.
func LoadOptions(s Store, witness string) ledger.Options {
	return ledger.Options{Dialect: s.Dialect, Origin: OriginSM3, Signers: Signers(OriginSM3), Witness: ledger.FileWitness(witness), Notices: s.Notices}
}

// Kills is how often Killed is to kill: COURTSEAL_KILLS, or 10.
func Kills() int {
	if n, err := strconv.Atoi(os.Getenv("COURTSEAL_KILLS")); err == nil {
		return n
	}
	return 10
}

// Killed starts child, a process that runs Load on the store with that witness, and kills it at a random moment, again and again. In every
// second round it crashes the database instead, if crash is not nil. No entry that was acknowledged may be missing, none may be
// there twice or without its row, and the tree must be the one the witness saw.
func Killed(t *testing.T, s Store, child func(witness string) *exec.Cmd, crash func(t *testing.T)) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	k := &killed{suite: newSuite(t, s), acked: map[string]int64{}}
	k.now = time.Now()
	l := k.create(t)
	table(t, l)
	l.Close()
	for round := range Kills() {
		before := len(k.acked)
		var down func(t *testing.T)
		if round%2 == 1 {
			down = crash
		}
		k.round(t, child(k.witness), down)
		k.now = time.Now()
		k.check(t)
		t.Logf("round %d: %d acknowledged, %d in all", round, len(k.acked)-before, len(k.acked))
		if t.Failed() {
			return
		}
	}
	if len(k.acked) == 0 {
		t.Error("nothing was acknowledged in any round")
	}
}

type killed struct {
	*suite
	acked map[string]int64 // index, by request
}

// round runs one child until it is dead.
func (k *killed) round(t *testing.T, cmd *exec.Cmd, crash func(t *testing.T)) {
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	end := sync.OnceFunc(func() {
		if crash != nil {
			crash(t)
		}
		cmd.Process.Kill()
	})
	if rand.N(5) == 0 { // at any time from its start; else in the midst of writing, however fast that is here
		time.AfterFunc(rand.N(100*time.Millisecond), end)
	}
	last := rand.N(200)
	for n := 0; lines.Scan(); n++ {
		if n == last {
			time.AfterFunc(rand.N(20*time.Millisecond), end)
		}
		var index int64
		var id string
		if _, err := fmt.Sscanf(lines.Text(), "%d %s", &index, &id); err != nil {
			continue // the line it was killed in
		}
		if was, ok := k.acked[id]; ok && was != index {
			t.Errorf("request %s has index %d, and was told %d before", id, index, was)
		}
		k.acked[id] = index
	}
	io.Copy(io.Discard, out)
	end()
	if cmd.Wait(); crash == nil && said.Len() > 0 {
		t.Errorf("the child: %s", &said)
	}
}

// check looks at what is left.
func (k *killed) check(t *testing.T) {
	note, err := ledger.FileWitness(k.witness).Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen, _, err := audit.OpenCheckpoint(note, Keys(OriginSM3)...)
	if err != nil {
		t.Fatal(err)
	}
	l := k.open(t) // refuses what the witness did not see
	defer l.Close()
	rows := map[string]int64{}
	found, err := k.db.QueryContext(t.Context(), "SELECT id, idx FROM request")
	if err != nil {
		t.Fatal(err)
	}
	for found.Next() {
		var id string
		var idx int64
		if err := found.Scan(&id, &idx); err != nil {
			t.Fatal(err)
		}
		rows[id] = idx
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	found.Close()
	size := uint64(0)
	for e, err := range l.Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := audit.ParseLeaf(e.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		if idx, ok := rows[leaf.Fields["text"]]; !ok || uint64(idx) != e.Index {
			t.Errorf("entry %d of request %s, and the row says %d (%t)", e.Index, leaf.Fields["text"], idx, ok)
		}
		size++
	}
	if uint64(len(rows)) != size {
		t.Errorf("%d rows, and %d entries", len(rows), size)
	}
	for id, index := range k.acked {
		if idx, ok := rows[id]; !ok || idx != index {
			t.Errorf("request %s was acknowledged at %d, and is at %d (%t)", id, index, idx, ok)
		}
		if uint64(index) >= seen.Size {
			t.Errorf("request %s was acknowledged at %d before the witness saw it: it has seen %d", id, index, seen.Size)
		}
	}
	k.verify(t, size)
}
