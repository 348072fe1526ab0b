package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/examples/internal/minipdf"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

func judgment(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("../quickstart/judgment.pdf")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// verdict asks the server about a document.
func (h *house) verdict(file []byte) *verify.Report {
	h.Helper()
	var r verify.Report
	h.want(request{method: "POST", path: "/v1/verify", by: app, kind: "application/pdf", body: file}, 200, "", &r)
	return &r
}

// Each format is valid for the server, and the entry is found in the document.
func TestSeal(t *testing.T) {
	h := newHouse(t, nil)
	for i, c := range []struct {
		seal, format string
		want         sign.Format
	}{{demoSeal, "", sign.Dual}, {demoSeal, "cms", sign.CMS}, {demoSeal, "ses", sign.SES}, {"xi-1", "", sign.CMS}} {
		q := map[string]any{"kind": "judgment", "dateLine": true, "straddle": map[string]any{"edge": "left", "pages": "all"}, "reason": "裁判文书"}
		if c.format != "" {
			q["format"] = c.format
		}
		sealed := h.want(h.sealing(c.seal, fmt.Sprint("f-", i), q, judgment(t)), 200, "", nil)
		r := h.verdict(sealed)
		if r.Verdict != verify.Valid || len(r.Signatures) != 1 || r.Signatures[0].Format != c.want {
			t.Fatalf("%s %s: %s", c.seal, c.format, r)
		}
		if got := r.Signatures[0].Check("ledger"); got.Code != "ok" || got.Verdict != verify.Valid {
			t.Errorf("%s %s: %+v", c.seal, c.format, got)
		}
		if got := r.Signatures[0].Check("withdrawn"); got.Code != "ok" {
			t.Errorf("%s %s: %+v", c.seal, c.format, got)
		}
		if c.want != sign.SES {
			h.checkPDFSig(sealed)
		}
	}
	h.want(h.sealing("xi-1", "dual", map[string]any{"kind": "judgment", "invisible": true, "format": "dual"}, judgment(t)), 422, "format", nil)
}

// checkPDFSig has pdfsig say that all of the document is signed.
func (h *house) checkPDFSig(sealed []byte) {
	h.Helper()
	if _, err := exec.LookPath("pdfsig"); err != nil {
		if os.Getenv("CI") == "true" {
			h.Fatal("pdfsig is needed")
		}
		h.Log("pdfsig is not installed")
		return
	}
	name := filepath.Join(h.TempDir(), "sealed.pdf")
	if err := os.WriteFile(name, sealed, 0o600); err != nil {
		h.Fatal(err)
	}
	text, err := exec.Command("pdfsig", "-nocert", name).CombinedOutput()
	if err != nil && len(text) == 0 {
		h.Fatal(err)
	}
	n := bytes.Count(text, []byte("Signature #")) // it counts the places where one signature is shown
	if n == 0 || bytes.Count(text, []byte("Total document signed")) != n {
		h.Errorf("pdfsig: %s", text)
	}
}

// A request that comes again has the same answer, byte for byte, and is one use: at once, at the same time, and after the
// server started again. Under its key nothing else is sealed.
func TestRequestComesAgain(t *testing.T) {
	h := newHouse(t, nil)
	first := h.want(h.sealing(demoSeal, "again", atCentre(), judgment(t)), 200, "", nil)
	before := h.checkpoint().Size
	time.Sleep(1100 * time.Millisecond) // so that another claimed time would be written
	if again := h.want(h.sealing(demoSeal, "again", atCentre(), judgment(t)), 200, "", nil); !bytes.Equal(first, again) {
		t.Error("the answer is another one")
	}
	var all sync.WaitGroup
	answers := make([][]byte, 8)
	for i := range answers {
		all.Go(func() {
			_, answers[i] = h.send(h.sealing(demoSeal, "at-once", atCentre(), minipdf.Page([]byte("at once"))))
		})
	}
	all.Wait()
	for i, a := range answers {
		if !bytes.HasPrefix(a, []byte("%PDF")) || !bytes.Equal(a, answers[0]) {
			t.Errorf("answer %d is another one: %.100s", i, a)
		}
	}
	if err := h.main.Close(); err != nil {
		t.Fatal(err)
	}
	h.start()
	if again := h.want(h.sealing(demoSeal, "again", atCentre(), judgment(t)), 200, "", nil); !bytes.Equal(first, again) {
		t.Error("after another start the answer is another one")
	}
	if size := h.checkpoint().Size; size != before+2 {
		t.Errorf("%d entries were made, and one use takes two", size-before)
	}

	other := atCentre()
	other["kind"] = "ruling"
	h.want(h.sealing(demoSeal, "again", other, judgment(t)), 409, "exists", nil)
	h.want(h.sealing("xi-1", "again", atCentre(), judgment(t)), 409, "exists", nil)
	h.want(h.sealing(demoSeal, "again", atCentre(), minipdf.Page(nil)), 409, "exists", nil)
	elsewhere := map[string]any{"kind": "judgment", "at": []map[string]any{{"page": 1, "x": 50, "y": 50}}}
	h.want(h.sealing(demoSeal, "again", elsewhere, judgment(t)), 409, "request-done", nil)
}

func (h *house) checkpoint() audit.Checkpoint {
	h.Helper()
	note := h.want(request{method: "GET", path: "/log/checkpoint"}, 200, "", nil)
	c, _, err := audit.OpenCheckpoint(note, h.main.server.books.verifiers...)
	if err != nil {
		h.Fatal(err)
	}
	return c
}

// A client that keeps the document to itself prepares it by the seal's profile and puts the value in.
func TestSealDigest(t *testing.T) {
	h := newHouse(t, nil)
	for _, format := range []string{"", "?format=cms", "?format=ses"} {
		var profile sign.Profile
		h.want(request{method: "GET", path: "/v1/seals/" + demoSeal + "/profile" + format, by: app}, 200, "", &profile)
		file := judgment(t)
		pending, err := pdfx.Prepare(bytes.NewReader(file), int64(len(file)), profile, pdfx.Options{DateLine: true})
		if err != nil {
			t.Fatal(err)
		}
		act := *pending.Act()
		q := request{method: "POST", path: "/v1/seals/" + demoSeal + "/values", by: app, key: act.ID,
			json: map[string]any{"kind": "judgment", "format": profile.Format, "act": act}}
		var answer struct {
			Use    string
			Values []sign.Value
		}
		first := h.want(q, 200, "", &answer)
		if again := h.want(q, 200, "", nil); !bytes.Equal(first, again) {
			t.Error("the same digest has another answer")
		}
		var sealed bytes.Buffer
		if _, err := pending.Commit(&sealed, bytes.NewReader(file), int64(len(file)), answer.Values); err != nil {
			t.Fatal(err)
		}
		if r := h.verdict(sealed.Bytes()); r.Verdict != verify.Valid {
			t.Errorf("%s", r)
		}
		var u registry.UseInfo
		h.want(request{method: "GET", path: "/v1/uses/" + answer.Use, by: app}, 200, "", &u)
		if u.State != registry.Done || u.App != "trial" || u.Kind != "judgment" {
			t.Errorf("%+v", u)
		}
	}
	late := map[string]any{"time": time.Now().Add(-time.Hour).UTC(), "parts": []any{map[string]any{"format": "cms", "property": ""}},
		"source": map[string]any{"SM3": make([]byte, 32)}, "content": map[string]any{"SM3": make([]byte, 32), "SHA-256": make([]byte, 32)}}
	h.want(request{method: "POST", path: "/v1/seals/" + demoSeal + "/values", by: app, key: "late",
		json: map[string]any{"kind": "judgment", "format": "cms", "act": late}}, 422, "act-time", nil)
}

// 64 at once on a grant of a thousand uses have exactly a thousand.
func TestGrantIsUsedUp(t *testing.T) {
	uses, clients := 1000, 64
	if testing.Short() {
		uses = 100
	}
	h := newHouse(t, nil)
	h.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}} // of the description other tests say enough
	h.operate("person:admin", "grant.withdraw", map[string]string{"grant": "g-xi-1", "reason": "改为限次"})
	h.operate(approver, "grant.give", map[string]string{"id": "g-n", "seal": "xi-1", "app": "trial", "uses": fmt.Sprint(uses), "reason": "限次"})
	var done, refused, others sync.Map
	var all sync.WaitGroup
	next := make(chan int)
	for range clients {
		all.Go(func() {
			for n := range next {
				q := h.sealing("xi-1", fmt.Sprint("n-", n), map[string]any{"kind": "judgment", "invisible": true}, minipdf.Page(fmt.Append(nil, n)))
				resp, body := h.send(q)
				switch {
				case resp.StatusCode == 200:
					done.Store(n, true)
				case resp.StatusCode == 403 && bytes.Contains(body, []byte(`"limit"`)):
					refused.Store(n, true)
				default:
					others.Store(n, string(body))
				}
			}
		})
	}
	for n := range uses + 2*clients {
		next <- n
	}
	close(next)
	all.Wait()
	others.Range(func(n, body any) bool { t.Errorf("%d: %s", n, body); return true })
	count := func(m *sync.Map) (n int) { m.Range(func(any, any) bool { n++; return true }); return n }
	if count(&done) != uses || count(&refused) != 2*clients {
		t.Errorf("%d were sealed and %d refused, of a grant of %d", count(&done), count(&refused), uses)
	}
	if d, err := h.main.server.books.Compare(context.Background(), nil); err != nil || len(d) > 0 {
		t.Errorf("books and ledger differ: %v %v", d, err)
	}
}

// operate does one operation.
func (h *house) operate(by, kind string, fields map[string]string) {
	h.Helper()
	h.want(request{method: "POST", path: "/v1/operations/" + kind, by: by, key: fmt.Sprintf("%s-%d", kind, time.Now().UnixNano()), json: fields}, 200, "", nil)
}

// Documents of a batch are sealed each on its own, and what became of them is there after another start.
func TestBatch(t *testing.T) {
	h := newHouse(t, nil)
	settings := map[string]any{"seal": demoSeal, "kind": "judgment", "dateLine": true}
	path := "/v1/batches/b-1"
	h.want(request{method: "PUT", path: path, by: app, json: settings}, 200, "", nil)
	h.want(request{method: "PUT", path: path, by: app, json: settings}, 200, "", nil)
	put := func(name string, file []byte) request {
		return request{method: "PUT", path: path + "/documents/" + name, by: app, kind: "application/pdf", body: file}
	}
	for i := range 5 {
		h.want(put(fmt.Sprintf("%d.pdf", i), judgment(t)), 202, "", nil)
	}
	h.want(put("no-date.pdf", minipdf.Page(nil)), 202, "", nil)
	h.want(put("no.pdf", []byte("no PDF")), 202, "", nil)
	report := h.finished(path)
	if report.Sealed != 5 || report.Failed != 2 || report.Queued != 0 {
		t.Fatalf("%+v", report)
	}
	for _, d := range report.Documents {
		want := map[string]string{"no-date.pdf": "place", "no.pdf": "not-pdf"}[d.Name]
		if (d.Problem == nil) != (want == "") || d.Problem != nil && d.Problem.Code != want {
			t.Errorf("%s: %+v", d.Name, d.Problem)
		}
	}
	first := h.want(request{method: "GET", path: path + "/documents/3.pdf", by: app}, 200, "", nil)
	if r := h.verdict(first); r.Verdict != verify.Valid {
		t.Errorf("%s", r)
	}
	if err := h.main.Close(); err != nil {
		t.Fatal(err)
	}
	// One was sealed, and the server did not live to write it.
	sealed, err := filepath.Glob(filepath.Join(h.dir, "batches", "*", keyOf("3.pdf")+".sealed"))
	if err != nil || len(sealed) != 1 {
		t.Fatal(sealed, err)
	}
	if err := os.Remove(sealed[0]); err != nil {
		t.Fatal(err)
	}
	h.start()
	before := h.checkpoint().Size
	if again := h.finished(path); fmt.Sprint(again.Sealed, again.Failed) != "5 2" {
		t.Fatalf("%+v", again)
	}
	if again := h.want(request{method: "GET", path: path + "/documents/3.pdf", by: app}, 200, "", nil); !bytes.Equal(first, again) {
		t.Error("it was sealed another time")
	}
	if after := h.checkpoint().Size; after != before {
		t.Errorf("%d entries were made", after-before)
	}
	h.want(put("3.pdf", minipdf.Page(nil)), 409, "other-document", nil)
	h.want(put("3.pdf", judgment(t)), 202, "", nil)
	h.want(request{method: "GET", path: path + "/documents/no.pdf", by: app}, 409, "not-sealed", nil)
	settings["kind"] = "ruling"
	h.want(request{method: "PUT", path: path, by: app, json: settings}, 409, "other-batch", nil)
	h.want(request{method: "DELETE", path: path, by: app}, 204, "", nil)
	h.want(request{method: "GET", path: path, by: app}, 404, "no-batch", nil)
	if left, _ := filepath.Glob(filepath.Join(h.dir, "batches", "*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// finished waits until nothing of a batch is queued.
func (h *house) finished(path string) (r batchReport) {
	h.Helper()
	for range 3000 {
		h.want(request{method: "GET", path: path, by: app}, 200, "", &r)
		if r.Queued == 0 {
			return r
		}
		time.Sleep(20 * time.Millisecond)
		r = batchReport{}
	}
	h.Fatal("the batch does not end")
	return r
}

// A sealing is withdrawn: verifiers that ask are told of it, and of the same entry when the request comes again.
func TestWithdraw(t *testing.T) {
	h := newHouse(t, nil)
	sealed := h.want(h.sealing(demoSeal, "w", atCentre(), judgment(t)), 200, "", nil)
	q := request{method: "POST", path: "/v1/uses/trial:w/withdrawal", by: app, key: "w-1", json: map[string]string{"reason": "文书有误"}}
	var first, again proof
	h.want(q, 200, "", &first)
	h.want(q, 200, "", &again)
	if first.Leaf != again.Leaf || first.Index != again.Index {
		t.Errorf("%+v and %+v", first, again)
	}
	q.json = map[string]string{"reason": "别的理由"}
	h.want(q, 409, "request-reused", nil)
	q.key = "w-2"
	h.want(q, 409, "state", nil)
	r := h.verdict(sealed)
	if c := r.Signatures[0].Check("withdrawn"); r.Verdict != verify.Invalid || c.Code != "withdrawn" || !strings.Contains(c.Detail.EN, "文书有误") {
		t.Errorf("%s", r)
	}
}

// People do what their role lets them, with the text that an approver signs shown by the server and signed by OpenSSL.
func TestApprove(t *testing.T) {
	h := newHouse(t, nil)
	var waiting []registry.Application
	h.want(request{method: "GET", path: "/v1/applications?state=filed", by: approver}, 200, "", &waiting)
	if len(waiting) != 1 || waiting[0].ID != demoOpen {
		t.Fatalf("%+v", waiting)
	}
	p := h.decide(demoOpen)
	var a registry.Application
	h.want(request{method: "GET", path: "/v1/applications/" + demoOpen, by: approver}, 200, "", &a)
	if a.State != "approved" || len(a.Decisions) != 1 || a.Decisions[0].Entry != p.Index {
		t.Errorf("%+v", a)
	}
}

// decide has an approver agree to an application, twice under one key, which is once.
func (h *house) decide(application string) (p proof) {
	h.Helper()
	var a registry.Application
	h.want(request{method: "GET", path: "/v1/applications/" + application, by: approver}, 200, "", &a)
	text := h.want(request{method: "GET", path: "/v1/applications/" + application + "/decision-text", by: approver}, 200, "", nil)
	signature := h.openSSL(text)
	cert, _ := pem.Decode(h.read("keys/people/approver1.crt"))
	decide := request{method: "POST", path: "/v1/operations/application.decide", by: approver, key: "d-" + application, json: map[string]string{
		"application": application, "digest": a.Digest, "cert": registry.CertDigest(cert.Bytes), "signature": signature}}
	h.want(decide, 200, "", &p)
	h.want(decide, 200, "", nil)
	return p
}

// openSSL signs a text with an approver's key, as it would on the approver's own machine.
func (h *house) openSSL(text []byte) string {
	h.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			h.Fatal("openssl is needed")
		}
		h.Skip("openssl is not installed")
	}
	name := filepath.Join(h.TempDir(), "text")
	if err := os.WriteFile(name, text, 0o600); err != nil {
		h.Fatal(err)
	}
	cmd := exec.Command("openssl", "pkeyutl", "-sign", "-rawin", "-digest", "sm3", "-pkeyopt", "distid:1234567812345678",
		"-inkey", filepath.Join(h.dir, "keys", "people", "approver1.key"), "-passin", "file:"+filepath.Join(h.dir, "pin"), "-in", name)
	value, err := cmd.Output()
	if err != nil {
		h.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(value)
}
