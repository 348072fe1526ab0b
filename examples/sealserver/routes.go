package main

import (
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/courtseal/courtseal/verify"
)

//go:embed openapi.yaml
var openapi []byte

// routes are all that the server does.
var routes = []route{
	{pattern: "GET /healthz", who: anyone, handle: health},
	{pattern: "GET /openapi.yaml", who: anyone, handle: describe},

	{pattern: "POST /v1/verify", file: true, handle: verifyDocument},
	{pattern: "POST /v1/seals/{seal}/documents", who: apps, file: true, handle: sealDocument},
	{pattern: "GET /v1/seals/{seal}/profile", who: apps, handle: profile},
	{pattern: "POST /v1/seals/{seal}/values", who: apps, handle: sealDigest},

	{pattern: "PUT /v1/batches/{batch}", who: apps, handle: putBatch},
	{pattern: "GET /v1/batches/{batch}", who: apps, handle: getBatch},
	{pattern: "DELETE /v1/batches/{batch}", who: apps, handle: deleteBatch},
	{pattern: "PUT /v1/batches/{batch}/documents/{name}", who: apps, file: true, handle: putDocument},
	{pattern: "GET /v1/batches/{batch}/documents/{name}", who: apps, handle: getDocument},

	{pattern: "GET /v1/seals", who: people, handle: seals},
	{pattern: "GET /v1/seals/{seal}/state", handle: stateOf},
	{pattern: "GET /v1/uses", handle: uses},
	{pattern: "GET /v1/uses/{use}", handle: oneUse},
	{pattern: "GET /v1/uses/{use}/evidence", handle: evidence},
	{pattern: "POST /v1/uses/{use}/withdrawal", handle: withdraw},

	{pattern: "GET /v1/operations", who: people, handle: operations},
	{pattern: "POST /v1/operations/{kind}", who: people, handle: operate},
	{pattern: "GET /v1/applications", who: people, handle: applications},
	{pattern: "GET /v1/applications/{application}", who: people, handle: application},
	{pattern: "GET /v1/applications/{application}/decision-text", who: people, handle: decisionText},

	{pattern: "GET /v1/statistics", who: people, handle: statistics},

	{pattern: "GET /v1/state-list", handle: stateList},
	{pattern: "GET /v1/offline-grants/{grant}", who: people, handle: offlineGrant},
	{pattern: "POST /v1/offline-uses", who: people, handle: reconcile},

	{pattern: "GET /log/checkpoint", who: anyone, handle: checkpoint},
	{pattern: "GET /log/keys", who: anyone, handle: logKeys},
	{pattern: "GET /log/tile/{level}/{path...}", who: anyone, handle: hashTile},
	{pattern: "GET /log/tile/entries/{path...}", who: people, handle: entryTile},
}

func describe(c *call) error { return c.send(http.StatusOK, "application/yaml", openapi) }

// health asks whether a request could be answered now: the ledger, and the place of uploads.
func health(c *call) error {
	if err := c.server.books.alive(c.Context()); err != nil {
		return fmt.Errorf("%w: %w", errUnhealthy, err)
	}
	f, err := os.CreateTemp(c.server.spool, "health-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnhealthy, err)
	}
	return c.answer(http.StatusOK, map[string]string{"status": "ok"})
}

// verifyDocument answers with the report, whatever its verdict: the question was answered.
func verifyDocument(c *call) error {
	up, err := c.document()
	if err != nil {
		return err
	}
	defer up.Close()
	report, err := verify.Document(c.Context(), up, up.Size, c.server.verifying())
	if err != nil && !errors.Is(err, verify.ErrUnsigned) { // that one comes with a report
		return err
	}
	return c.answer(http.StatusOK, report)
}

// verifying is what the server trusts and knows: its roots, its books, its ledger.
func (s *server) verifying() verify.Options {
	return verify.Options{Roots: s.roots, Now: s.now, States: s.books, Sealings: s.books, Logs: s.books.logs()}
}
