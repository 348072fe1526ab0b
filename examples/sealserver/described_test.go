package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/offline"
	"github.com/courtseal/courtseal/examples/internal/minipdf"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// Every answer that is described is had: the client of the house fails for one that is not as described, and what nobody
// saw is told at the end.
func TestEveryAnswer(t *testing.T) {
	h := newHouse(t, nil)
	s := mustDescribed(t)
	clear(s.seen)
	h.walkGood()
	h.walkRefused()
	h.walkForeign()
	h.walkBadBodies()
	h.walkConflicts()
	for path, item := range s.doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				if status != "default" && !s.seen[op.OperationID+" "+status] {
					t.Errorf("%s %s %s is described, and no request had it", method, path, status)
				}
			}
		}
	}
}

// samples stand for the parameters of paths.
var samples = strings.NewReplacer("{seal}", demoSeal, "{batch}", "walk", "{name}", "1.pdf", "{use}", "trial:walk", "{kind}", "seal.suspend",
	"{application}", demoOpen, "{grant}", "off-1", "{level}", "0", "{path}", "000.p/1")

// routed are the described operations as requests without bodies, with a method for each of their paths.
func (h *house) routed(visit func(id string, q request, who who)) {
	h.Helper()
	by := map[string]who{}
	for _, r := range routes {
		by[strings.Replace(r.pattern, "...}", "}", 1)] = r.who
	}
	for path, item := range mustDescribed(h).doc.Paths.Map() {
		for method, op := range item.Operations() {
			visit(op.OperationID, request{method: method, path: samples.Replace(path), key: "walk"}, by[method+" "+path])
		}
	}
}

// walkGood has every operation succeed.
func (h *house) walkGood() {
	h.Helper()
	get := func(by, path string) { h.Helper(); h.want(request{method: "GET", path: path, by: by}, 200, "", nil) }
	h.want(h.sealing(demoSeal, "walk", atCentre(), judgment(h)), 200, "", nil)
	h.want(request{method: "POST", path: "/v1/verify", by: keeper, kind: "application/pdf", body: minipdf.Page(nil)}, 200, "", nil)
	h.sealDigest("walk-digest", "", 200, "")
	h.want(request{method: "PUT", path: "/v1/batches/walk", by: app, json: map[string]any{"seal": "xi-1", "kind": "judgment", "invisible": true}}, 200, "", nil)
	h.want(request{method: "PUT", path: "/v1/batches/walk/documents/1.pdf", by: app, kind: "application/pdf", body: minipdf.Page(nil)}, 202, "", nil)
	h.finished("/v1/batches/walk")
	for _, path := range []string{"/healthz", "/openapi.yaml", "/log/checkpoint", "/log/keys", "/log/tile/0/000.p/1", "/log/tile/0/000.p/3"} {
		get("", path)
	}
	for _, path := range []string{"/v1/batches/walk/documents/1.pdf", "/v1/uses/trial:walk", "/v1/uses/trial:walk/evidence", "/v1/uses?limit=2&after=1",
		"/v1/seals/" + demoSeal + "/state", "/v1/seals/none/state?at=2026-01-02T03:04:05Z"} {
		get(app, path)
	}
	for _, path := range []string{"/v1/seals", "/v1/seals?org=dong&holder=keeper-dong", "/v1/operations", "/v1/applications", "/v1/applications/" + demoOpen,
		"/v1/applications/" + demoOpen + "/decision-text?refuse=true",
		"/v1/uses?court=dong&withdrawn=true", "/v1/uses/trial:walk", "/log/tile/entries/000.p/2"} {
		get(auditor, path)
	}
	h.want(request{method: "POST", path: "/v1/uses/trial:walk/withdrawal", by: app, key: "walk", json: map[string]string{"reason": "试"}}, 200, "", nil)
	h.operate("person:admin", "seal.suspend", map[string]string{"seal": "yi-1", "reason": "盘点"})
	get(auditor, "/v1/statistics?by=court&by=kind&from=2026-01-01T00:00:00Z")
	h.walkOffline()
}

// walkOffline takes a grant and a list to a device, seals there, and gives account.
func (h *house) walkOffline() {
	h.Helper()
	h.want(request{method: "GET", path: "/v1/state-list", by: keeper}, 404, "unknown", nil)
	h.operate(approver, "list.publish", map[string]string{"expires": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	h.operate(approver, "offline.issue", map[string]string{"id": "off-1", "seal": demoSeal, "uses": "2", "reason": "断网",
		"to": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	note := h.want(request{method: "GET", path: "/v1/offline-grants/off-1", by: keeper}, 200, "", nil)
	list := h.want(request{method: "GET", path: "/v1/state-list", by: keeper}, 200, "", nil)
	_, der, err := h.main.server.books.Seal(h.Context(), demoSeal)
	if err != nil {
		h.Fatal(err)
	}
	book, err := offline.Create(h.TempDir(), note, h.main.server.books.verifiers, offline.Options{Seal: der})
	if err != nil {
		h.Fatal(err)
	}
	defer book.Close()
	if err := book.SetList(list); err != nil {
		h.Fatal(err)
	}
	stamp, err := h.main.server.keys.stamp(demoSeal, sign.CMS, "", func() ([]byte, error) { return der, nil })
	if err != nil {
		h.Fatal(err)
	}
	signer := audit.Record(book.Recorder(offline.Purpose{Kind: "judgment", Person: "keeper-dong"}), stamp)
	file := minipdf.Page([]byte("offline"))
	sealed := new(bytes.Buffer)
	if _, err := pdfx.Sign(h.Context(), sealed, bytes.NewReader(file), int64(len(file)), signer, pdfx.Options{ID: "off-walk"}); err != nil {
		h.Fatal(err)
	}
	chain, _, err := book.Export(0)
	if err != nil {
		h.Fatal(err)
	}
	send := request{method: "POST", path: "/v1/offline-uses", by: keeper, json: map[string]any{"chain": string(chain)}}
	var answer struct {
		Entered, Known int
		Whole          uint64
		Head           audit.Hash
		Bad            []any
	}
	h.want(send, 200, "", &answer)
	if answer.Entered != 1 || answer.Whole != 1 || len(answer.Bad) != 0 {
		h.Errorf("%+v", answer)
	}
	if err := book.Reconciled(answer.Whole, answer.Head); err != nil {
		h.Error(err)
	}
	h.want(send, 200, "", &answer)
	if answer.Entered != 0 || answer.Known != 1 {
		h.Errorf("sent again: %+v", answer)
	}
	report := h.want(request{method: "POST", path: "/v1/verify", by: keeper, kind: "application/pdf", body: sealed.Bytes()}, 200, "", nil)
	if !bytes.Contains(report, []byte("offline-reconciled")) {
		h.Errorf("%s", report)
	}
	send.by = "person:keeper-xi"
	h.want(send, 403, "not-allowed", nil)
	h.want(request{method: "GET", path: "/v1/offline-grants/off-1", by: "person:keeper-xi"}, 403, "not-allowed", nil)
	h.want(request{method: "GET", path: "/v1/offline-grants/none", by: auditor}, 404, "unknown", nil)
	h.operate(approver, "offline.withdraw", map[string]string{"grant": "off-1", "reason": "恢复联网"})
	h.want(request{method: "GET", path: "/v1/offline-grants/off-1", by: keeper}, 409, "state", nil)
	h.want(request{method: "POST", path: "/v1/offline-uses", by: keeper, json: map[string]any{"chain": "none"}}, 422, "operation", nil)
	other := foreignChain(h, chain)
	h.want(request{method: "POST", path: "/v1/offline-uses", by: keeper, json: map[string]any{"chain": other("none")}}, 404, "unknown", nil)
	h.want(request{method: "POST", path: "/v1/offline-uses", by: keeper, json: map[string]any{"chain": other("off-1")}}, 409, "state", nil)
}

// foreignChain makes a chain of a grant that nobody here issued, with the name given.
func foreignChain(h *house, chain []byte) func(id string) string {
	c, err := audit.ParseOfflineChain(chain)
	if err != nil {
		h.Fatal(err)
	}
	return func(id string) string {
		g := *c.Grant
		g.ID, g.Uses = id, 9
		key, err := audit.NewSigner(g.Log, sign.NewKey(testpki.NewKey(testpki.SM2)))
		if err != nil {
			h.Fatal(err)
		}
		note, err := g.Sign(key)
		if err != nil {
			h.Fatal(err)
		}
		b, err := (&audit.OfflineChain{GrantNote: note}).Marshal()
		if err != nil {
			h.Fatal(err)
		}
		return string(b)
	}
}

// sealDigest sends a digest of a page to be sealed.
func (h *house) sealDigest(key string, format sign.Format, status int, code string) {
	h.Helper()
	var profile sign.Profile
	h.want(request{method: "GET", path: "/v1/seals/" + demoSeal + "/profile?format=cms", by: app}, 200, "", &profile)
	file := minipdf.Page([]byte(key))
	pending, err := pdfx.Prepare(bytes.NewReader(file), int64(len(file)), profile, pdfx.Options{})
	if err != nil {
		h.Fatal(err)
	}
	act := *pending.Act()
	if format != "" {
		act.Parts = []sign.Part{{Format: format}}
	}
	h.want(request{method: "POST", path: "/v1/seals/" + demoSeal + "/values", by: app, key: key,
		json: map[string]any{"kind": "judgment", "format": "cms", "act": act}}, status, code, nil)
}

// walkRefused asks without a credential, with a wrong one, and as somebody whom the path is not for.
func (h *house) walkRefused() {
	h.Helper()
	h.credentials["nobody"], h.credentials["forger"] = "no-dot", h.credentials[app]+"x"
	h.routed(func(id string, q request, who who) {
		h.Helper()
		if who == anyone {
			return
		}
		for _, q.by = range []string{"", "nobody", "forger"} {
			h.want(q, 401, "unauthorized", nil)
		}
		switch who {
		case apps:
			q.by = keeper
		case people:
			q.by = app
		default:
			return
		}
		h.want(q, 403, "not-allowed", nil)
	})
	for _, path := range []string{"/v1/seals?org=gy", "/v1/applications?org=dong", "/v1/uses?court=dong", "/v1/statistics?court=dong", "/v1/uses/trial:walk", "/v1/uses/trial:walk/evidence"} {
		h.want(request{method: "GET", path: path, by: "person:keeper-xi"}, 403, "not-allowed", nil)
	}
	for _, path := range []string{"", "/decision-text"} {
		h.want(request{method: "GET", path: "/v1/applications/" + demoOpen + path, by: keeper}, 403, "not-allowed", nil)
	}
	h.want(request{method: "GET", path: "/log/tile/entries/000.p/1", by: maker}, 403, "not-allowed", nil)
	h.want(request{method: "POST", path: "/v1/uses/trial:walk/withdrawal", by: "person:clerk-dong", key: "walk-no", json: map[string]string{"reason": "试"}}, 403, "not-allowed", nil)
	h.want(request{method: "POST", path: "/v1/operations/seal.make", by: keeper, key: "walk-no", json: map[string]string{"application": demoOpen}}, 403, "not-allowed", nil)
	q := atCentre()
	q["grant"] = "g-xi-1"
	h.want(h.sealing(demoSeal, "walk-no", q, judgment(h)), 403, "not-allowed", nil)
	h.operate("person:admin", "app.set", map[string]string{"app": "trial", "seals": demoSeal + " xi-1"})
	h.want(request{method: "GET", path: "/v1/seals/yi-1/profile", by: app}, 403, "not-allowed", nil)
}

// walkForeign names what is not there.
func (h *house) walkForeign() {
	h.Helper()
	h.want(h.sealing("none", "walk-none", atCentre(), judgment(h)), 404, "unknown", nil)
	h.operate("person:admin", "app.set", map[string]string{"app": "trial", "seals": demoSeal + " xi-1 yi-1"})
	h.want(request{method: "POST", path: "/v1/seals/none/values", by: app, key: "walk-none", json: map[string]any{"kind": "judgment", "act": map[string]any{}}}, 404, "unknown", nil)
	for path, code := range map[string]string{"/v1/batches/none": "no-batch", "/v1/batches/none/documents/1.pdf": "no-batch", "/v1/batches/walk/documents/none": "no-batch",
		"/v1/uses/trial:none": "unknown", "/v1/uses/trial:none/evidence": "unknown"} {
		h.want(request{method: "GET", path: path, by: app}, 404, code, nil)
	}
	for _, path := range []string{"/v1/seals?org=none", "/v1/applications?org=none", "/v1/applications/none", "/v1/applications/none/decision-text", "/v1/uses?court=none", "/v1/statistics?court=none"} {
		h.want(request{method: "GET", path: path, by: auditor}, 404, "unknown", nil)
	}
	h.want(request{method: "DELETE", path: "/v1/batches/none", by: app}, 404, "no-batch", nil)
	h.want(request{method: "PUT", path: "/v1/batches/none/documents/1.pdf", by: app, kind: "application/pdf", body: []byte("x")}, 404, "no-batch", nil)
	h.want(request{method: "POST", path: "/v1/uses/trial:none/withdrawal", by: app, key: "walk-none", json: map[string]string{"reason": "试"}}, 404, "unknown", nil)
	h.want(request{method: "POST", path: "/v1/operations/seal.suspend", by: maker, key: "walk-none", json: map[string]string{"seal": "none", "reason": "试"}}, 404, "unknown", nil)
	for _, path := range []string{"/log/tile/0/999", "/log/tile/7/000", "/log/tile/9/000", "/log/tile/0/000.p/256", "/log/tile/0/1"} {
		h.send(request{method: "GET", path: path})
	}
	h.want(request{method: "GET", path: "/log/tile/0/999"}, 404, "no-such-tile", nil)
	h.want(request{method: "GET", path: "/log/tile/entries/0", by: auditor}, 404, "no-such-path", nil)
}

// walkBadBodies sends what cannot be read.
func (h *house) walkBadBodies() {
	h.Helper()
	long := bytes.Repeat([]byte(" "), 4<<20+1)
	h.routed(func(id string, q request, who who) {
		h.Helper()
		if q.by = app; who == people {
			q.by = maker
		}
		if q.method != "POST" && q.method != "PUT" {
			return
		}
		q.kind = "application/pdf"
		switch id {
		case "verify", "putDocument":
			q.body = long
			h.want(q, 413, "too-large", nil)
			q.kind = "text/plain"
			h.want(q, 415, "media-type", nil)
			h.broken(q)
		case "sealDocument":
			q.body = minipdf.Page(nil)
			h.want(q, 415, "media-type", nil)
			h.want(h.sealing(demoSeal, "walk-bad", atCentre(), long), 413, "too-large", nil)
		default:
			q.kind, q.body = "application/json", long
			h.want(q, 413, "too-large", nil)
			q.kind = "text/plain"
			h.want(q, 415, "media-type", nil)
			q.kind = "application/json"
			for _, body := range []string{`{"unknown`, `{"no such field": {}}`, `{} {}`, `[]`} {
				q.body = []byte(body)
				h.want(q, 400, "bad-body", nil)
			}
		}
		if q.path == "/v1/batches/walk" || id == "verify" || id == "putDocument" || id == "reconcile" {
			return
		}
		for _, q.key = range []string{"", "a b", "ä", strings.Repeat("x", 61)} {
			h.want(q, 400, "idempotency-key", nil)
		}
	})
	for _, q := range []map[string]any{{"kind": "judgment"}, {"kind": "judgment", "invisible": true, "dateLine": true}, {"kind": "judgment", "no such": 1}} {
		h.want(h.sealing(demoSeal, "walk-bad", q, judgment(h)), 400, "bad-body", nil)
	}
	settings := map[string]any{"seal": demoSeal, "kind": "judgment", "invisible": true}
	h.want(request{method: "PUT", path: "/v1/batches/a%20b", by: app, json: settings}, 400, "idempotency-key", nil)
	settings["password"] = "x"
	h.want(request{method: "PUT", path: "/v1/batches/walk-3", by: app, json: settings}, 400, "bad-body", nil)
	h.want(request{method: "PUT", path: "/v1/batches/walk/documents/a%0Ab", by: app, kind: "application/pdf", body: minipdf.Page(nil)}, 400, "bad-parameter", nil)
	for _, path := range []string{"/v1/seals/x/state?at=now", "/v1/uses?from=x", "/v1/uses?after=-1", "/v1/uses?limit=1001",
		"/v1/seals/" + demoSeal + "/profile?document=ofd"} {
		h.want(request{method: "GET", path: path, by: app}, 400, "bad-parameter", nil)
	}
	for _, path := range []string{"/v1/statistics?by=colour", "/v1/statistics?by=court&by=court", "/v1/statistics?from=x"} {
		h.want(request{method: "GET", path: path, by: auditor}, 400, "bad-parameter", nil)
	}
	h.want(request{method: "POST", path: "/v1/verify", by: app, kind: "application/pdf", body: []byte("no PDF")}, 422, "not-pdf", nil)
	h.want(h.sealing(demoSeal, "walk-bad", atCentre(), []byte("no PDF")), 422, "not-pdf", nil)
	for code, q := range map[string]map[string]any{
		"place": {"keyword": map[string]any{"text": "没有这样的文字"}}, "place-several": {"keyword": map[string]any{"text": "，"}},
		"options": {"certify": 2, "lock": map[string]any{"fields": []string{}}, "invisible": true, "field": ""}, "field": {"field": "none"},
		"format": {"invisible": true, "format": "no"}, "glyph": {"at": []any{map[string]any{"page": 1, "x": 50, "y": 50}}, "remark": "\U0001F600"},
	} {
		q["kind"] = "judgment"
		_, body := h.send(h.sealing(demoSeal, "walk-bad", q, judgment(h)))
		if code != "options" && !bytes.Contains(body, []byte(`"`+code+`"`)) {
			h.Errorf("%v: %.300s", q, body)
		}
	}
	h.sealDigest("walk-format", sign.Format("odf"), 422, "operation")
	h.sealDigest("walk-office", sign.XML, 422, "act")
	h.want(request{method: "GET", path: "/v1/seals/" + demoSeal + "/profile?format=no", by: app}, 422, "format", nil)
	h.want(request{method: "PUT", path: "/v1/batches/walk-4", by: app, json: map[string]any{"seal": "xi-1", "kind": "judgment", "invisible": true, "format": "dual"}}, 422, "format", nil)
	h.want(request{method: "POST", path: "/v1/operations/no.such", by: maker, key: "walk-bad", json: map[string]string{}}, 422, "operation", nil)
	h.want(request{method: "POST", path: "/v1/operations/seal.suspend", by: maker, key: "walk-bad", json: map[string]string{"seal": demoSeal}}, 422, "operation", nil)
	h.want(request{method: "POST", path: "/v1/uses/trial:walk-digest/withdrawal", by: app, key: "walk-bad", json: map[string]string{"reason": ""}}, 422, "operation", nil)
}

// broken sends a body whose chunks are none.
func (h *house) broken(q request) {
	h.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.main.URL, "http://"))
	if err != nil {
		h.Fatal(err)
	}
	defer conn.Close()
	r, err := http.NewRequest(q.method, h.main.URL+q.path, nil)
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.credentials[q.by])
	r.Header.Set("Content-Type", "application/pdf")
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n", q.method, q.path)
	if err := r.Header.Write(conn); err != nil {
		h.Fatal(err)
	}
	io.WriteString(conn, "\r\nno length\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		h.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.Fatal(err)
	}
	if resp.StatusCode != 400 || !bytes.Contains(body, []byte(`"bad-body"`)) {
		h.Errorf("%s %s: %s %s", q.method, q.path, resp.Status, body)
	}
	if err := mustDescribed(h).check(r, nil, resp, body); err != nil {
		h.Error(err)
	}
}

// walkConflicts asks for what the state of things does not allow.
func (h *house) walkConflicts() {
	h.Helper()
	h.want(h.sealing(demoSeal, "walk", atCentre(), minipdf.Page(nil)), 409, "exists", nil)
	h.want(h.sealing("yi-1", "walk-off", atCentre(), judgment(h)), 409, "state", nil)
	h.sealDigest("walk", "", 409, "exists")
	h.want(request{method: "POST", path: "/v1/uses/trial:walk/withdrawal", by: app, key: "walk-2", json: map[string]string{"reason": "又"}}, 409, "state", nil)
	h.want(request{method: "POST", path: "/v1/uses/trial:walk/withdrawal", by: app, key: "walk", json: map[string]string{"reason": "又"}}, 409, "request-reused", nil)
	h.want(request{method: "POST", path: "/v1/operations/seal.suspend", by: maker, key: "walk-off", json: map[string]string{"seal": "yi-1", "reason": "又"}}, 409, "state", nil)
	h.want(request{method: "PUT", path: "/v1/batches/walk", by: app, json: map[string]any{"seal": demoSeal, "kind": "judgment", "invisible": true}}, 409, "other-batch", nil)
	path := "/v1/batches/walk/documents/"
	h.want(request{method: "PUT", path: path + "1.pdf", by: app, kind: "application/pdf", body: judgment(h)}, 409, "other-document", nil)
	h.want(request{method: "PUT", path: path + "2.pdf", by: app, kind: "application/pdf", body: []byte("no PDF")}, 202, "", nil)
	h.finished("/v1/batches/walk")
	h.want(request{method: "GET", path: path + "2.pdf", by: app}, 409, "not-sealed", nil)
	h.want(request{method: "DELETE", path: "/v1/batches/walk", by: app}, 204, "", nil)

	keys := slices.Clone(h.main.server.keys.keys)
	defer func() { h.main.server.keys.keys = keys }()
	h.main.server.keys.keys = nil
	clear(h.main.server.keys.stamps)
	h.want(request{method: "GET", path: "/v1/seals/" + demoSeal + "/profile", by: app}, 409, "no-key", nil)
}

// What is switched off is let in no more; a database that is gone makes the server unhealthy, and its texts stay in the log.
func TestNotNow(t *testing.T) {
	h := newHouse(t, nil)
	h.operate("person:admin", "app.switch", map[string]string{"app": "trial", "on": "no", "reason": "停用"})
	h.want(h.sealing(demoSeal, "off", atCentre(), minipdf.Page(nil)), 401, "unauthorized", nil)
	h.operate("person:admin", "app.switch", map[string]string{"app": "trial", "on": "yes", "reason": "启用"})
	for range cap(h.main.server.slots) {
		h.main.server.slots <- struct{}{}
	}
	q := h.sealing(demoSeal, "busy", atCentre(), minipdf.Page(nil))
	if resp, body := h.send(q); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || !bytes.Contains(body, []byte(`"busy"`)) {
		t.Errorf("%s %s", resp.Status, body)
	}
	for range cap(h.main.server.slots) {
		<-h.main.server.slots
	}
	h.want(q, 200, "", nil)
	if err := h.main.server.books.db.Close(); err != nil {
		t.Fatal(err)
	}
	body := h.want(request{method: "GET", path: "/healthz"}, 503, "unhealthy", nil)
	inside := h.want(request{method: "GET", path: "/v1/operations", by: maker}, 500, "internal", nil)
	for _, b := range [][]byte{body, inside} {
		if bytes.Contains(b, []byte("database")) || bytes.Contains(b, []byte("detail")) {
			t.Errorf("it tells of the inside: %s", b)
		}
	}
	if !strings.Contains(h.log.String(), "database is closed") {
		t.Error("the log does not say why")
	}
}
