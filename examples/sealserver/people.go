package main

import (
	"net/http"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/registry"
)

// operate does one operation of a person on the books. The body has the operation's fields as text, as they stand in its entry.
func operate(c *call) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	fields := map[string]string{}
	if err := c.read(&fields); err != nil {
		return err
	}
	op, err := registry.Parse(c.PathValue("kind"), fields)
	if err != nil {
		return err
	}
	receipt, err := c.server.books.DoOnce(c.Context(), c.by, key, op)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, proofOf(receipt))
}

// A proof is an entry of the ledger, and that it is there.
type proof struct {
	Index      uint64       `json:"index"`
	Leaf       string       `json:"leaf"`
	Hashes     []audit.Hash `json:"hashes"` // from the leaf up
	Checkpoint string       `json:"checkpoint"`
}

func proofOf(r audit.Receipt) proof {
	return proof{r.Index, string(r.Leaf), listed(r.Proof), string(r.Checkpoint)}
}

// operations lists what operations there are, who may do them, and their fields.
func operations(c *call) error {
	type operation struct {
		Kind   string           `json:"kind"`
		Roles  []registry.Role  `json:"roles"`
		Fields []registry.Field `json:"fields"`
	}
	list := []operation{}
	for _, r := range registry.Rules() {
		list = append(list, operation{r.Kind, listed(r.Roles), r.Fields()})
	}
	return c.answer(http.StatusOK, list)
}

// stateOf answers with the status of a seal, at a time or now.
func stateOf(c *call) error {
	at, err := timeIn(c.URL.Query(), "at")
	if err != nil {
		return err
	}
	if at.IsZero() {
		at = c.server.now()
	}
	status, err := c.server.books.State(c.Context(), c.PathValue("seal"), at)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, struct {
		Seal   string      `json:"seal"`
		At     time.Time   `json:"at"`
		Status seal.Status `json:"status"`
	}{c.PathValue("seal"), at.UTC(), status})
}

// listed makes of nothing an empty list.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// applications lists those of a court: those in state "filed" wait for approvers, those "approved" for a maker.
func applications(c *call) error {
	q := c.URL.Query()
	if err := c.mayRead(q.Get("org")); err != nil {
		return err
	}
	list, err := c.server.books.Applications(c.Context(), q.Get("org"), q.Get("state"))
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, listed(list))
}

// application is the one that the path names, if the person may read it.
func (c *call) application() (registry.Application, error) {
	a, err := c.server.books.Application(c.Context(), c.PathValue("application"))
	if err == nil {
		err = c.mayRead(a.Org)
	}
	return a, err
}

// application is one with its decisions.
func application(c *call) error {
	a, err := c.application()
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, a)
}

// decisionText is what an approver signs, for an application or against it.
func decisionText(c *call) error {
	a, err := c.application()
	if err != nil {
		return err
	}
	refuse := c.URL.Query().Get("refuse") == "true"
	return c.send(http.StatusOK, "text/plain; charset=utf-8", registry.DecisionText(a.ID, a.Digest, refuse))
}

// seals lists those of a court, and of a keeper.
func seals(c *call) error {
	q := c.URL.Query()
	if err := c.mayRead(q.Get("org")); err != nil {
		return err
	}
	list, err := c.server.books.Seals(c.Context(), q.Get("org"), q.Get("holder"))
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, listed(list))
}
