package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/examples/internal/minipdf"
)

// What no route takes is a problem too, and every answer names its request.
func TestMissedRoutes(t *testing.T) {
	h := newHouse(t, nil)
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/", 404, "no-such-path"},
		{"GET", "/v1/verify", 405, "method-not-allowed"},
		{"DELETE", "/healthz", 405, "method-not-allowed"},
		{"GET", "/v1/../v1/nothing", 404, "no-such-path"},
	} {
		resp, body := h.send(request{method: c.method, path: c.path})
		var p problem
		if err := json.Unmarshal(body, &p); err != nil {
			t.Fatalf("%s %s: %v: %s", c.method, c.path, err, body)
		}
		if resp.StatusCode != c.status || p.Code != c.code || p.Request == "" || p.Request != resp.Header.Get("Request-Id") ||
			p.Title == "" || p.TitleZH == "" || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %s %s", c.method, c.path, resp.Status, body)
		}
		if c.status == 405 && resp.Header.Get("Allow") == "" {
			t.Errorf("%s %s: no Allow", c.method, c.path)
		}
	}
}

// A body beyond the limit is refused whether or not its length is told, and leaves nothing behind.
func TestLimitOfBodies(t *testing.T) {
	h := newHouse(t, nil)
	long := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("x"), 4<<20)...)
	for _, size := range []int{inMemory - 1, inMemory, inMemory + 1, 4 << 20, len(long)} {
		resp, body := h.send(request{method: "POST", path: "/v1/verify", by: app, kind: "application/pdf", body: long[:size]})
		want := 422
		if size > 4<<20 {
			want = 413
		}
		if resp.StatusCode != want {
			t.Errorf("%d bytes: %s %s", size, resp.Status, body)
		}
	}
	q := h.sealing(demoSeal, "long", atCentre(), long)
	h.want(q, 413, "too-large", nil)
	left, err := os.ReadDir(filepath.Join(h.dir, "spool"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the spool: %v %v", left, err)
	}
}

// The log has a line for each answer, and nothing of headers and bodies.
func TestLogHasNoSecrets(t *testing.T) {
	h := newHouse(t, nil)
	h.credentials["stranger"] = "app:trial.secret-in-the-header"
	h.want(request{method: "POST", path: "/v1/verify", by: "stranger", kind: "application/pdf", body: []byte("secret-in-the-body")}, 401, "unauthorized", nil)
	q := atCentre()
	q["password"] = "secret-of-the-file"
	h.want(h.sealing(demoSeal, "1", q, minipdf.Page(nil)), 200, "", nil)
	h.send(request{method: "GET", path: "/healthz?secret-in-the-query"})
	text := h.log.String()
	for owner, credential := range h.credentials {
		if _, secret, _ := strings.Cut(credential, "."); strings.Contains(text, secret) {
			t.Errorf("the log has the secret of %s", owner)
		}
	}
	if strings.Contains(text, "secret") {
		t.Errorf("the log tells a secret: %s", text)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines of log: %s", len(lines), text)
	}
	for _, l := range lines {
		var line struct {
			Request, Method, Route string
			Status                 int
		}
		if err := json.Unmarshal([]byte(l), &line); err != nil || line.Request == "" || line.Route == "" || line.Status == 0 {
			t.Errorf("%v: %s", err, l)
		}
	}
}
