package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/courtseal/courtseal/examples/internal/demo"
)

// A spec is openapi.yaml as another implementation reads it. As a RoundTripper it holds every request and answer to it.
type spec struct {
	doc    *openapi3.T
	router routers.Router

	mu   sync.Mutex
	seen map[string]bool // "operationId status"
}

var described = sync.OnceValues(func() (*spec, error) {
	for _, binary := range []string{"application/pdf", "text/plain", "application/octet-stream"} {
		openapi3filter.RegisterBodyDecoder(binary, openapi3filter.FileBodyDecoder)
	}
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(openapi)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(loader.Context); err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(doc)
	return &spec{doc: doc, router: router, seen: map[string]bool{}}, err
})

func mustDescribed(t testing.TB) *spec {
	t.Helper()
	s, err := described()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// RoundTrip fails where an answer is not as described, or a request that was granted was not.
func (s *spec) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil {
		var err error
		if sent, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err := s.check(r, sent, resp, body); err != nil {
		return nil, err
	}
	return resp, nil
}

func (s *spec) check(r *http.Request, sent []byte, resp *http.Response, body []byte) error {
	asked := r.Clone(context.Background())
	asked.Body = io.NopCloser(bytes.NewReader(sent))
	if rest, ok := strings.CutPrefix(r.URL.Path, "/log/tile/"); ok { // OpenAPI has no parameters with slashes
		kind, path, _ := strings.Cut(rest, "/")
		asked.URL.RawPath = "/log/tile/" + kind + "/" + url.PathEscape(path)
	}
	rt, params, err := s.router.FindRoute(asked)
	if err != nil {
		if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusMethodNotAllowed {
			return nil // and rightly so
		}
		return fmt.Errorf("%s %s was answered with %s, and is not described: %w", r.Method, r.URL.Path, resp.Status, err)
	}
	in := &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: rt,
		Options: &openapi3filter.Options{AuthenticationFunc: func(_ context.Context, a *openapi3filter.AuthenticationInput) error {
			if !strings.HasPrefix(asked.Header.Get("Authorization"), "Bearer ") {
				return a.NewError(fmt.Errorf("no credential"))
			}
			return nil
		}, IncludeResponseStatus: true}}
	what := fmt.Sprintf("%s %s, answered with %d", r.Method, r.URL.Path, resp.StatusCode)
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil && resp.StatusCode < 300 {
		return fmt.Errorf("%s: the request is not as described: %w", what, err)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header, Options: in.Options}
	out.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		return fmt.Errorf("%s: the answer is not as described: %w", what, err)
	}
	if err := s.checkCode(rt.Operation, resp, body); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[fmt.Sprint(rt.Operation.OperationID, " ", resp.StatusCode)] = true
	return nil
}

// checkCode wants the code of a problem among those of its answer.
func (s *spec) checkCode(op *openapi3.Operation, resp *http.Response, body []byte) error {
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "application/problem+json" {
		return nil
	}
	var p problem
	if err := json.Unmarshal(body, &p); err != nil {
		return err
	}
	if p.Status != resp.StatusCode || p.Request != resp.Header.Get("Request-Id") {
		return fmt.Errorf("the problem says %d of request %s", p.Status, p.Request)
	}
	answer := op.Responses.Status(resp.StatusCode)
	if answer == nil {
		answer = op.Responses.Default()
	}
	if !slices.Contains(codesOf(answer), p.Code) {
		return fmt.Errorf("code %q is not described there: %s", p.Code, p.Detail)
	}
	return nil
}

func codesOf(r *openapi3.ResponseRef) (codes []string) {
	list, _ := r.Value.Extensions["x-codes"].([]any)
	for _, c := range list {
		codes = append(codes, fmt.Sprint(c))
	}
	return codes
}

// Every route is described, and nothing else is.
func TestRoutesAreDescribed(t *testing.T) {
	var have, want []string
	for _, r := range routes {
		have = append(have, strings.NewReplacer("...}", "}").Replace(r.pattern))
	}
	for path, item := range mustDescribed(t).doc.Paths.Map() {
		for method := range item.Operations() {
			want = append(want, method+" "+path)
		}
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("routes:\n%s\ndescribed:\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}

// Codes are described where they are made, and made where they are described.
func TestCodesAreDescribed(t *testing.T) {
	made := map[string]int{"internal": 500}
	for _, p := range problems {
		if n, ok := made[p.code]; ok && n != p.status {
			t.Errorf("%s is %d and %d", p.code, n, p.status)
		}
		made[p.code] = p.status
	}
	left := maps.Clone(made)
	for _, undescribed := range []string{"no-such-path", "method-not-allowed", "canceled"} { // of no path, and of nobody
		delete(left, undescribed)
	}
	for path, item := range mustDescribed(t).doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status, answer := range op.Responses.Map() {
				for _, code := range codesOf(answer) {
					delete(left, code)
					if n, ok := made[code]; !ok || status != "default" && status != fmt.Sprint(n) || status == "default" && n < 500 {
						t.Errorf("%s %s %s: code %s is made with status %d", method, path, status, code, n)
					}
				}
			}
		}
	}
	for code := range left {
		t.Errorf("code %s is not described anywhere", code)
	}
}

// Of two problems for one error, nobody would see the second.
func TestProblemsAreReached(t *testing.T) {
	for i, p := range problems {
		for _, earlier := range problems[:i] {
			if is(p.err, earlier.err) {
				t.Errorf("%s is never seen: %s comes before it", p.code, earlier.code)
			}
		}
	}
}

// A house is a server for a test, of the province of the demonstration, and what its clients have.
type house struct {
	testing.TB
	main        *Main
	dir         string
	client      *http.Client // holds every request and answer to the description
	log         lockedBuffer
	credentials map[string]string // by actor
}

// A lockedBuffer takes the log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// demoFiles are those of a demonstration that is made once; every house is a copy.
var demoFiles = sync.OnceValues(func() (fs.FS, error) {
	dir, err := os.MkdirTemp("", "sealserver-test-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := makeDemo(context.Background(), dir, time.Now); err != nil {
		return nil, err
	}
	for _, name := range []string{"ledger", "seals", "people"} {
		demo.Quicken(filepath.Join(dir, "keys", name))
	}
	files := fstest.MapFS{}
	return files, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		files[filepath.ToSlash(rel)] = &fstest.MapFile{Data: b, Mode: 0o600}
		return err
	})
})

// A demonstration is made in the database that the environment names; the name, in which a password may stand, is not written down.
func TestDemoInAnotherDatabase(t *testing.T) {
	name := "sqlite:" + filepath.Join(t.TempDir(), "elsewhere.db")
	t.Setenv("COURTSEAL_DATABASE", name)
	dir := filepath.Join(t.TempDir(), "demo")
	for range 2 { // made, and opened again
		m := &Main{Dir: dir, Demo: true, Listen: "127.0.0.1:0", Out: io.Discard, Log: slog.New(slog.DiscardHandler)}
		if err := errors.Join(m.Run(context.Background()), m.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "server.json")); err != nil || bytes.Contains(b, []byte("elsewhere")) {
		t.Errorf("server.json names the database: %s %v", b, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "registry.db")); err == nil {
		t.Error("it is in the database of the directory")
	}
}

// newHouse is a house whose configuration change, if not nil, changes.
func newHouse(t testing.TB, change func(*config)) *house {
	t.Helper()
	h := &house{TB: t, dir: filepath.Join(t.TempDir(), "house"), client: &http.Client{Transport: mustDescribed(t)}, credentials: map[string]string{}}
	files, err := demoFiles()
	if err != nil {
		t.Fatal(err)
	}
	if err := copyFS(h.dir, files); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(h.read("credentials"))) {
		line = strings.TrimSpace(line)
		h.credentials[line[:strings.LastIndex(line, ".")]] = line
	}
	var c config
	if err := readFile(filepath.Join(h.dir, "server.json"), &c); err != nil {
		t.Fatal(err)
	}
	c.Listen, c.MaxFile = "127.0.0.1:0", 4<<20
	if change != nil {
		change(&c)
	}
	if err := writeFile(filepath.Join(h.dir, "server.json"), c); err != nil {
		t.Fatal(err)
	}
	h.start()
	t.Cleanup(func() {
		if err := h.main.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// copyFS writes files as only their owner reads them: keys are among them.
func copyFS(dir string, files fs.FS) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, name), 0o700)
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, name), b, 0o600)
	})
}

func (h *house) read(name string) []byte {
	h.Helper()
	b, err := os.ReadFile(filepath.Join(h.dir, name))
	if err != nil {
		h.Fatal(err)
	}
	return b
}

func (h *house) start() {
	h.Helper()
	h.main = &Main{Dir: h.dir, Out: io.Discard, Log: slog.New(slog.NewJSONHandler(&h.log, nil))}
	if err := h.main.Run(context.Background()); err != nil {
		h.Fatal(err)
	}
}

// A request is one to a house. JSON is a body that is not bytes yet.
type request struct {
	method, path string
	by           string // actor; empty: no credential
	key          string // Idempotency-Key
	kind         string // Content-Type; empty: application/json where there is a body
	body         []byte
	json         any
}

func (h *house) send(q request) (*http.Response, []byte) {
	h.Helper()
	if q.json != nil {
		b, err := json.Marshal(q.json)
		if err != nil {
			h.Fatal(err)
		}
		q.body = b
	}
	r, err := http.NewRequest(q.method, h.main.URL+q.path, bytes.NewReader(q.body))
	if err != nil {
		h.Fatal(err)
	}
	if q.kind == "" && q.body != nil {
		q.kind = "application/json"
	}
	for name, value := range map[string]string{"Authorization": "Bearer " + h.credentials[q.by], "Idempotency-Key": q.key, "Content-Type": q.kind} {
		if value != "" && value != "Bearer " {
			r.Header.Set(name, value)
		}
	}
	resp, err := h.client.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Fatal(err)
	}
	return resp, b
}

// want sends a request that must have a status, and of a problem the code; an answer in JSON is read into v, if v is not nil.
func (h *house) want(q request, status int, code string, v any) []byte {
	h.Helper()
	resp, body := h.send(q)
	var p problem
	if resp.StatusCode >= 400 {
		if err := json.Unmarshal(body, &p); err != nil {
			h.Fatalf("%s %s: %v: %s", q.method, q.path, err, body)
		}
	}
	if resp.StatusCode != status || p.Code != code {
		h.Fatalf("%s %s: %s %s, not %d %s", q.method, q.path, resp.Status, body, status, code)
	}
	if v != nil {
		if err := json.Unmarshal(body, v); err != nil {
			h.Fatalf("%s %s: %v: %s", q.method, q.path, err, body)
		}
	}
	return body
}

// form is a multipart body: what is asked, and a file.
func form(t testing.TB, q any, file []byte) (kind string, body []byte) {
	t.Helper()
	asked, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, part := range []struct {
		disposition, kind string
		body              []byte
	}{{`form-data; name="request"`, "application/json", asked}, {`form-data; name="file"; filename="判决书.pdf"`, "application/pdf", file}} {
		p, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {part.disposition}, "Content-Type": {part.kind}})
		if err == nil {
			_, err = p.Write(part.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.Bytes()
}

const app, keeper, approver, auditor, maker = "app:trial", "person:keeper-dong", "person:approver1", "person:auditor", "person:maker"

// sealing is a request to seal a file.
func (h *house) sealing(seal, key string, q any, file []byte) request {
	h.Helper()
	kind, body := form(h, q, file)
	return request{method: "POST", path: "/v1/seals/" + seal + "/documents", by: app, key: key, kind: kind, body: body}
}

// atCentre asks for a seal in the middle of the last page.
func atCentre() map[string]any {
	return map[string]any{"kind": "judgment", "at": []map[string]any{{"page": -1, "x": 105, "y": 150}}}
}
