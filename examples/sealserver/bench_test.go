package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/examples/internal/minipdf"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// BenchmarkSeal seals files of 100 KB (an SM2 CMS with its seal, shown on the page) over HTTP, with credential, rights, limits, use and
// both its entries in a ledger on SQLite with synchronous=FULL, for 64 clients on the same machine; and, in turn with that,
// bare in this process: the same files with the same seal and key and nothing else, one worker for each core. http/bare is the share of the
// bare rate; the goal is a third. Clients and server share the cores; the clients' requests are made beforehand.
func BenchmarkSeal(b *testing.B) {
	h := newHouse(b, nil)
	const clients, files = 64, 500
	h.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	body := make([]byte, 100<<10)
	rand.NewChaCha8([32]byte{1}).Read(body)
	place := map[string]any{"kind": "judgment", "at": []map[string]any{{"page": 1, "x": 105, "y": 150}}, "format": "cms"}
	stamp, err := h.main.server.keys.stamp("xi-1", sign.CMS, document.PDF, func() ([]byte, error) {
		_, der, err := h.main.server.books.Seal(b.Context(), "xi-1")
		return der, err
	})
	if err != nil {
		b.Fatal(err)
	}
	var serial int
	prepare := func(n int) (files [][]byte, requests []request) {
		for range n {
			serial++
			file := minipdf.Page(append(fmt.Appendf(nil, "%020d", serial), body...))
			files = append(files, file)
			requests = append(requests, h.sealing("xi-1", fmt.Sprint("bench-", serial), place, file))
		}
		return files, requests
	}
	bare := func(file []byte) {
		var out bytes.Buffer
		_, err := pdfx.Sign(context.Background(), &out, bytes.NewReader(file), int64(len(file)), stamp, pdfx.Options{At: []pdfx.At{{Page: 1, X: 105, Y: 150}}})
		if err != nil {
			b.Error(err)
		}
	}
	over := func(q request) {
		if body, ok := h.try(q); !ok {
			b.Errorf("%.300s", body)
		}
	}
	_, first := prepare(clients)
	work(clients, first, over) // keys are opened, connections made
	var base, took time.Duration
	for b.Loop() {
		pages, requests := prepare(files)
		base += work(runtime.GOMAXPROCS(0), pages, bare)
		took += work(clients, requests, over)
	}
	n := float64(files * b.N)
	b.ReportMetric(n/base.Seconds(), "bare/s")
	b.ReportMetric(n/took.Seconds(), "http/s")
	b.ReportMetric(float64(base)/float64(took), "http/bare")
	b.ReportMetric(0, "ns/op")
}

// work does something with each of some things, so many at a time.
func work[T any](workers int, things []T, do func(T)) time.Duration {
	began := time.Now()
	var all sync.WaitGroup
	var next atomic.Int64
	for range workers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(things)); i = next.Add(1) - 1 {
				do(things[i])
			}
		})
	}
	all.Wait()
	return time.Since(began)
}
