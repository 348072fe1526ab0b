package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/examples/internal/minipdf"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/verify"
)

// TestMain is the server that gets killed, too.
func TestMain(m *testing.M) {
	if dir := os.Getenv("COURTSEAL_SERVER"); dir != "" {
		if err := run(context.Background(), []string{dir}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A victim is a server in a process of its own.
type victim struct {
	cmd *exec.Cmd
	url string
	log bytes.Buffer
}

func (h *house) victim() *victim {
	h.Helper()
	v := &victim{cmd: exec.Command(os.Args[0])}
	v.cmd.Env = append(os.Environ(), "COURTSEAL_SERVER="+h.dir)
	v.cmd.Stderr = &v.log
	out, err := v.cmd.StdoutPipe()
	if err == nil {
		err = v.cmd.Start()
	}
	if err != nil {
		h.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if lines.Scan(); lines.Text() == "" {
		v.cmd.Wait()
		h.Fatalf("the server does not start: %s", v.log.String())
	}
	v.url = lines.Text()
	go io.Copy(io.Discard, out)
	return v
}

// kill ends it as a power cut would end its process.
func (v *victim) kill() {
	v.cmd.Process.Kill()
	v.cmd.Wait()
}

// A server that seals for many clients, and a batch, is killed at random moments and started again: what it had acknowledged
// is there with the same bytes, what it had not can be asked for again, and each request is one use. COURTSEAL_KILLS says how often.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	kills := 10
	if v, err := strconv.Atoi(os.Getenv("COURTSEAL_KILLS")); err == nil {
		kills = v
	}
	h := newHouse(t, nil)
	if err := h.main.Close(); err != nil {
		t.Fatal(err)
	}
	h.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	const clients = 8
	acked, asked := map[int][]byte{}, 0
	pages := func(n int) request {
		return h.sealing("xi-1", fmt.Sprint("k-", n), map[string]any{"kind": "judgment", "at": []map[string]any{{"page": 1, "x": 105, "y": 150}}},
			minipdf.Page(fmt.Append(nil, n)))
	}
	batch, document := "/v1/batches/killed", func(n int) request {
		return request{method: "PUT", path: fmt.Sprintf("/v1/batches/killed/documents/%d.pdf", n), by: app, kind: "application/pdf", body: minipdf.Page(fmt.Append(nil, "b", n))}
	}
	batched := 0
	for round := range kills {
		v := h.victim()
		h.main = &Main{URL: v.url}
		h.want(request{method: "PUT", path: batch, by: app, json: map[string]any{"seal": "dong-1", "kind": "judgment", "invisible": true, "format": "ses"}}, 200, "", nil)
		h.mustBeSame(acked, pages)
		var mu sync.Mutex
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				for {
					mu.Lock()
					n := asked
					asked++
					mu.Unlock()
					file, ok := h.try(pages(n))
					if !ok {
						return // it is dead
					}
					mu.Lock()
					acked[n] = file
					mu.Unlock()
				}
			})
		}
		all.Go(func() {
			for range 20 {
				if _, ok := h.try(document(batched)); ok {
					batched++
				}
			}
		})
		time.Sleep(20*time.Millisecond + rand.N(300*time.Millisecond))
		v.kill()
		all.Wait()
		t.Logf("round %d: killed with %d of %d acknowledged", round, len(acked), asked)
	}

	// Once more in this process: all that was asked is done now, in one use each.
	h.start()
	h.mustBeSame(acked, pages)
	for n := range asked {
		file := h.want(pages(n), 200, "", nil)
		if was := acked[n]; was != nil && !bytes.Equal(was, file) {
			t.Errorf("request %d has another answer", n)
		}
		if n%50 > 0 {
			continue
		}
		if r := h.verdict(file); r.Verdict != verify.Valid || r.Signatures[0].Check("ledger").Code != "ok" {
			t.Errorf("request %d: %s", n, r)
		}
	}
	report := h.finished(batch)
	if report.Sealed < batched || report.Failed > 0 {
		t.Errorf("%d documents of the batch were taken, %d are sealed, %d failed", batched, report.Sealed, report.Failed)
	}
	h.mustBeWhole(asked + report.Sealed)
}

// try sends a request to a server that may die: ok is a whole answer of success.
func (h *house) try(q request) (body []byte, ok bool) {
	r, err := http.NewRequest(q.method, h.main.URL+q.path, bytes.NewReader(q.body))
	if err != nil {
		return nil, false
	}
	r.Header.Set("Authorization", "Bearer "+h.credentials[q.by])
	r.Header.Set("Content-Type", q.kind)
	r.Header.Set("Idempotency-Key", q.key)
	resp, err := h.client.Do(r)
	if err != nil {
		return nil, false
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	b.Grow(int(max(resp.ContentLength, 0)) + bytes.MinRead)
	_, err = b.ReadFrom(resp.Body)
	return b.Bytes(), err == nil && resp.StatusCode < 300
}

// mustBeSame asks again for some of what was acknowledged.
func (h *house) mustBeSame(acked map[int][]byte, pages func(int) request) {
	h.Helper()
	most := 20
	for n, was := range acked { // in random order
		if again := h.want(pages(n), 200, "", nil); !bytes.Equal(again, was) {
			h.Errorf("request %d has another answer after a kill", n)
		}
		if most--; most == 0 {
			return
		}
	}
}

// mustBeWhole asks that there are so many uses, all done, and that ledger and books agree.
func (h *house) mustBeWhole(uses int) {
	h.Helper()
	ctx := context.Background()
	n, after := 0, uint64(0)
	for {
		list, err := h.main.server.books.Uses(ctx, registry.Filter{App: "trial", After: after, Limit: 1000})
		if err != nil {
			h.Fatal(err)
		}
		if len(list) == 0 {
			break
		}
		for _, u := range list {
			if u.State != registry.Done {
				h.Errorf("use %s is %s", u.Request, u.State)
			}
			n, after = n+1, u.Entry
		}
	}
	if n != uses {
		h.Errorf("%d uses, and %d were asked for", n, uses)
	}
	if d, err := h.main.server.books.Compare(ctx, nil); err != nil || len(d) > 0 {
		h.Errorf("books and ledger differ: %v %v", d, err)
	}
	report, err := h.main.server.books.log.Verify(ctx, nil)
	if err != nil {
		h.Fatal(err)
	}
	if err := report.Err(); err != nil {
		h.Errorf("the ledger: %v", err)
	}
}
