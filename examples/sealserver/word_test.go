package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/examples/internal/minidocx"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

func wordJudgment(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("../quickstart/judgment.docx")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// verdictOfWord asks the server about a Word document.
func (h *house) verdictOfWord(file []byte) *verify.Report {
	h.Helper()
	var r verify.Report
	h.want(request{method: "POST", path: "/v1/verify", by: app, kind: document.Word.MediaType(), body: file}, 200, "", &r)
	return &r
}

// formats are those of a report's signatures, sorted as they stand.
func formats(r *verify.Report) string {
	var all []string
	for _, s := range r.Signatures {
		all = append(all, string(s.Format))
	}
	return strings.Join(all, " ")
}

// A Word document is sealed, entered and verified like a PDF, and the answer says what it is.
func TestSealWord(t *testing.T) {
	h := newHouse(t, nil)
	for i, c := range []struct {
		seal, format, want string
	}{{demoSeal, "", "ses xml"}, {demoSeal, "cms", "xml"}, {demoSeal, "ses", "ses"}, {"xi-1", "", "ses"}} {
		q := map[string]any{"kind": "judgment", "dateLine": true, "reason": "裁判文书"}
		if c.format != "" {
			q["format"] = c.format
		}
		answer, sealed := h.send(h.sealing(c.seal, fmt.Sprint("w-", i), q, wordJudgment(t)))
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != document.Word.MediaType() {
			t.Fatalf("%s %s: %s %s %.300s", c.seal, c.format, answer.Status, answer.Header.Get("Content-Type"), sealed)
		}
		r := h.verdictOfWord(sealed)
		if r.Verdict != verify.Valid || r.Format != "DOCX" || formats(r) != c.want {
			t.Fatalf("%s %s: %s", c.seal, c.format, r)
		}
		for _, s := range r.Signatures {
			for _, name := range []string{"ledger", "withdrawn"} {
				if got := s.Check(name); got.Code != "ok" || got.Verdict != verify.Valid {
					t.Errorf("%s %s: %s: %+v", c.seal, c.format, s.Name, got)
				}
			}
		}
		changed, err := minidocx.Edit(sealed, "word/document.xml", "120000", "220000")
		if err != nil {
			t.Fatal(err)
		}
		if r := h.verdictOfWord(changed); r.Verdict != verify.Invalid {
			t.Errorf("changed: %s", r)
		}
	}
}

// The same request has the same answer, byte for byte, though a signature line has a name of its own.
func TestWordRequestComesAgain(t *testing.T) {
	h := newHouse(t, nil)
	q := map[string]any{"kind": "judgment", "dateLine": true, "asLine": true}
	first := h.want(h.sealing(demoSeal, "word-again", q, wordJudgment(t)), 200, "", nil)
	time.Sleep(1100 * time.Millisecond) // so that another claimed time would be written
	if again := h.want(h.sealing(demoSeal, "word-again", q, wordJudgment(t)), 200, "", nil); !bytes.Equal(first, again) {
		t.Error("the answer is another one")
	}
	other := map[string]any{"kind": "judgment", "end": true}
	h.want(h.sealing(demoSeal, "word-again", other, wordJudgment(t)), 409, "request-done", nil)
	h.want(h.sealing(demoSeal, "word-again", q, judgment(t)), 400, "bad-body", nil)
	q["reason"] = "另一理由" // which stands beside the content that the books know by its digest
	h.want(h.sealing(demoSeal, "word-again", q, wordJudgment(t)), 409, "request-done", nil)
}

// What is for one kind of document is refused for the other, and what is not settled unless it is allowed.
func TestWordRefused(t *testing.T) {
	h := newHouse(t, nil)
	for i, q := range []map[string]any{
		{"at": []any{map[string]any{"page": 1, "x": 50, "y": 50}}}, {"straddle": map[string]any{}}, {"field": "x"}, {"dateLine": true, "text": true},
		{"dateLine": true, "certify": 1}, {"dateLine": true, "password": "x"}, {"keyword": map[string]any{"text": "x", "every": true}},
		{"dateLine": true, "lock": map[string]any{"fields": []string{"x"}}}, {"end": true, "dateLine": true}, {"dateLine": true, "allow": []string{"all"}}, {},
	} {
		q["kind"] = "judgment"
		h.want(h.sealing(demoSeal, fmt.Sprint("w-no-", i), q, wordJudgment(t)), 400, "bad-body", nil)
	}
	for i, q := range []map[string]any{{"end": true}, {"bookmark": "x"}, {"header": true}, {"line": "1"}, {"dateLine": true, "asLine": true}, {"dateLine": true, "allow": []string{"macros"}}} {
		q["kind"] = "judgment"
		h.want(h.sealing(demoSeal, fmt.Sprint("p-no-", i), q, judgment(t)), 400, "bad-body", nil)
	}
	tracked, err := minidocx.Edit(wordJudgment(t), "word/document.xml", "<w:body>", `<w:body><w:p><w:ins w:id="1" w:author="x"><w:r><w:t>x</w:t></w:r></w:ins></w:p>`)
	if err != nil {
		t.Fatal(err)
	}
	footer := map[string]any{"kind": "judgment", "footer": true, "lock": map[string]any{}}
	h.want(h.sealing(demoSeal, "w-tracked", footer, tracked), 422, "tracked-changes", nil)
	footer["allow"] = []string{"tracked-changes", "comments"}
	sealed := h.want(h.sealing(demoSeal, "w-tracked", footer, tracked), 200, "", nil)
	if r := h.verdictOfWord(sealed); r.Verdict != verify.Valid {
		t.Errorf("%s", r)
	}
	end := map[string]any{"kind": "judgment", "end": true, "allow": []string{"tracked-changes"}}
	h.want(h.sealing(demoSeal, "w-sealed", end, sealed), 422, "word-sealed", nil)
	h.want(h.sealing(demoSeal, "w-line", map[string]any{"kind": "judgment", "line": "1"}, wordJudgment(t)), 422, "line", nil)
	h.want(h.sealing(demoSeal, "w-mark", map[string]any{"kind": "judgment", "bookmark": "none"}, wordJudgment(t)), 422, "place", nil)
	h.want(h.sealing(demoSeal, "w-rtf", end, []byte(`{\rtf1 x}`)), 422, "not-word", nil)
	h.want(h.sealing(demoSeal, "w-zip", end, []byte("PK\x03\x04 and no more")), 422, "word-damaged", nil)
	h.want(h.sealing("xi-1", "w-cms", map[string]any{"kind": "judgment", "end": true, "format": "cms"}, wordJudgment(t)), 422, "format", nil)
}

// A client that keeps the Word document to itself sends the digests, and what else its own signature signs.
func TestSealDigestOfWord(t *testing.T) {
	h := newHouse(t, nil)
	h.want(request{method: "GET", path: "/v1/seals/" + demoSeal + "/profile?document=ofd", by: app}, 400, "bad-parameter", nil)
	for _, format := range []string{"", "&format=cms", "&format=ses"} {
		var profile sign.Profile
		h.want(request{method: "GET", path: "/v1/seals/" + demoSeal + "/profile?document=word" + format, by: app}, 200, "", &profile)
		file := wordJudgment(t)
		pending, err := officex.Prepare(bytes.NewReader(file), int64(len(file)), profile, officex.Options{DateLine: true})
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
		h.want(q, 200, "", &answer)
		var sealed bytes.Buffer
		if _, err := pending.Commit(&sealed, bytes.NewReader(file), int64(len(file)), answer.Values); err != nil {
			t.Fatal(err)
		}
		if r := h.verdictOfWord(sealed.Bytes()); r.Verdict != verify.Valid {
			t.Errorf("%s: %s", format, r)
		}
		var u registry.UseInfo
		h.want(request{method: "GET", path: "/v1/uses/" + answer.Use, by: app}, 200, "", &u)
		if u.State != registry.Done || u.Kind != "judgment" {
			t.Errorf("%+v", u)
		}
	}
}

// A batch takes both kinds.
func TestBatchOfBoth(t *testing.T) {
	h := newHouse(t, nil)
	path := "/v1/batches/both"
	h.want(request{method: "PUT", path: path, by: app, json: map[string]any{"seal": demoSeal, "kind": "judgment", "dateLine": true}}, 200, "", nil)
	for name, file := range map[string][]byte{"a.pdf": judgment(t), "a.docx": wordJudgment(t), "no.docx": []byte(`{\rtf1 x}`)} {
		h.want(request{method: "PUT", path: path + "/documents/" + name, by: app, kind: "application/octet-stream", body: file}, 202, "", nil)
	}
	report := h.finished(path)
	if report.Sealed != 2 || report.Failed != 1 {
		t.Fatalf("%+v", report)
	}
	for name, kind := range map[string]document.Kind{"a.pdf": document.PDF, "a.docx": document.Word} {
		answer, sealed := h.send(request{method: "GET", path: path + "/documents/" + name, by: app})
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != kind.MediaType() {
			t.Fatalf("%s: %s %s", name, answer.Status, answer.Header.Get("Content-Type"))
		}
		if r := h.verdictOfWord(sealed); r.Verdict != verify.Valid {
			t.Errorf("%s: %s", name, r)
		}
	}
}
