package main

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/courtseal/courtseal/examples/internal/minipdf"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
)

// Who sees a use: those over the court, the keeper of the seal, the application itself; nobody else, and other applications are not
// even told that it is.
func TestReadersOfUses(t *testing.T) {
	h := newHouse(t, nil)
	h.want(h.sealing(demoSeal, "read", atCentre(), minipdf.Page(nil)), 200, "", nil)
	h.operate("person:admin", "person.add", map[string]string{"id": "clerk-gy", "name": "高院书记员", "org": "gy"})
	h.operate("person:admin", "role.give", map[string]string{"person": "clerk-gy", "role": "clerk", "org": "gy"})
	h.operate("person:admin", "role.give", map[string]string{"person": "keeper-xi", "role": "keeper", "org": "dong"})
	h.operate("person:admin", "person.add", map[string]string{"id": "auditor-yi", "name": "中院审计员", "org": "yi"})
	h.operate("person:admin", "role.give", map[string]string{"person": "auditor-yi", "role": "auditor", "org": "yi"})
	h.operate("person:admin", "app.add", map[string]string{"id": "other", "name": "档案系统", "org": "gy", "seals": demoSeal})
	for _, owner := range []string{"person:clerk-gy", "person:auditor-yi", "app:other"} {
		h.credential(owner)
	}
	for _, c := range []struct {
		by, path string
		status   int
		code     string
	}{
		{auditor, "", 200, ""}, {auditor, "?court=dong", 200, ""}, {auditor, "/trial:read", 200, ""}, {approver, "/trial:read/evidence", 200, ""},
		{"person:auditor-yi", "?court=dong", 200, ""}, {"person:auditor-yi", "/trial:read", 200, ""}, {"person:auditor-yi", "", 403, "not-allowed"},
		{"person:auditor-yi", "?court=er", 403, "not-allowed"}, {"person:auditor-yi", "?seal=" + demoSeal, 200, ""},
		{keeper, "?seal=" + demoSeal, 200, ""}, {keeper, "/trial:read", 200, ""}, {keeper, "?court=dong", 403, "not-allowed"},
		{"person:keeper-xi", "?seal=" + demoSeal, 403, "not-allowed"}, {"person:keeper-xi", "/trial:read/evidence", 403, "not-allowed"},
		{"person:clerk-dong", "?court=dong", 403, "not-allowed"}, {"person:clerk-dong", "?person=clerk-dong", 200, ""}, {"person:clerk-dong", "/trial:read", 403, "not-allowed"},
		{"person:clerk-gy", "", 403, "not-allowed"}, {maker, "?court=dong", 403, "not-allowed"},
		{"app:other", "/trial:read", 404, "unknown"}, {"app:other", "/trial:read/evidence", 404, "unknown"},
	} {
		h.want(request{method: "GET", path: "/v1/uses" + c.path, by: c.by}, c.status, c.code, nil)
	}
	for _, path := range []string{"/v1/seals", "/v1/applications"} {
		h.want(request{method: "GET", path: path, by: "person:clerk-gy"}, 403, "not-allowed", nil)
		h.want(request{method: "GET", path: path + "?org=gy", by: "person:clerk-gy"}, 200, "", nil)
	}
	told := func(use string) []byte {
		body := h.want(request{method: "GET", path: "/v1/uses/trial:" + use, by: "app:other"}, 404, "unknown", nil)
		return bytes.ReplaceAll(body[:bytes.Index(body, []byte(`"request":`))], []byte("trial:"+use), nil)
	}
	if a, b := told("read"), told("none"); !bytes.Equal(a, b) {
		t.Errorf("a use that is there is told apart from one that is not: %s %s", a, b)
	}
}

// credential gives an actor one.
func (h *house) credential(owner string) {
	h.Helper()
	secret, op, err := registry.NewCredential(bytes.NewReader(bytes.Repeat([]byte(owner), 10)), actorOf(owner))
	if err != nil {
		h.Fatal(err)
	}
	if _, err := h.main.server.books.Do(h.Context(), registry.Person("admin"), op); err != nil {
		h.Fatal(err)
	}
	h.credentials[owner] = owner + "." + secret
}

func actorOf(owner string) registry.Actor {
	if app, ok := bytes.CutPrefix([]byte(owner), []byte("app:")); ok {
		return registry.App(string(app))
	}
	return registry.Person(owner[len("person:"):])
}

// One file was approved: digests that are said to be of it are not sealed in its name.
func TestApprovedFileItself(t *testing.T) {
	h := newHouse(t, nil)
	file, other := minipdf.Page(nil), judgment(t)
	h.operate("person:admin", "control.set", map[string]string{"seal": demoSeal, "approval": "yes", "reason": "逐件审批"})
	source := sign.SM3.Sum(file)
	h.operate(keeper, "application.file", map[string]string{"id": "u-1", "purpose": "use", "org": "dong", "seal": demoSeal,
		"source": hex.EncodeToString(source), "reason": "判决书"})
	h.decide("u-1")
	var profile sign.Profile
	h.want(request{method: "GET", path: "/v1/seals/" + demoSeal + "/profile", by: app}, 200, "", &profile)
	pending, err := pdfx.Prepare(bytes.NewReader(other), int64(len(other)), profile, pdfx.Options{DateLine: true})
	if err != nil {
		t.Fatal(err)
	}
	act := *pending.Act()
	act.Source = sign.Sums{sign.SM3: source}
	h.want(request{method: "POST", path: "/v1/seals/" + demoSeal + "/values", by: app, key: "u-1",
		json: map[string]any{"kind": "judgment", "format": profile.Format, "application": "u-1", "act": act}}, 403, "limit", nil)
	q := atCentre()
	q["application"] = "u-1"
	h.want(h.sealing(demoSeal, "u-2", q, other), 403, "limit", nil)
	h.want(h.sealing(demoSeal, "u-3", q, file), 200, "", nil)
	h.want(h.sealing(demoSeal, "u-4", q, file), 409, "state", nil)
}
