package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/seal/registry"
)

// stateList is what a device without a network must have beside its grant.
func stateList(c *call) error {
	note, err := c.server.books.StateList(c.Context())
	if err != nil {
		return err
	}
	return c.send(http.StatusOK, "text/plain; charset=utf-8", note)
}

// offlineGrant is the grant as its device takes it along: a signed note.
func offlineGrant(c *call) error {
	g, err := c.server.books.Offline(c.Context(), c.PathValue("grant"))
	if err != nil {
		return err
	}
	if err := c.mayRead(g.Org); err != nil {
		return err
	}
	note, err := c.server.books.OfflineGrant(c.Context(), g.ID)
	if err != nil {
		return err
	}
	return c.send(http.StatusOK, "text/plain; charset=utf-8", note)
}

// reconcile enters the uses that a device sends. Whole and head go back to it. Sent again, a chain enters nothing more.
func reconcile(c *call) error {
	var q struct {
		Chain string `json:"chain"`
	}
	if err := c.read(&q); err != nil {
		return err
	}
	r, err := c.server.books.Reconcile(c.Context(), c.by, []byte(q.Chain))
	if err != nil {
		return err
	}
	type bad struct {
		Number  uint64   `json:"number"`
		Request string   `json:"request"`
		Verdict []string `json:"verdict"`
		Entry   uint64   `json:"entry"`
	}
	answer := struct {
		Entered int        `json:"entered"`
		Known   int        `json:"known"`
		Ended   int        `json:"ended"`
		Bad     []bad      `json:"bad"`
		Missing []uint64   `json:"missing"`
		Whole   uint64     `json:"whole"`
		Head    audit.Hash `json:"head"`
	}{r.Entered, r.Known, r.Ended, []bad{}, listed(r.Missing), r.Report.Whole, r.Report.Head}
	for _, u := range r.Bad {
		answer.Bad = append(answer.Bad, bad{u.Number, u.Use.Request, strings.Fields(u.Verdict), u.Entry})
	}
	return c.answer(http.StatusOK, answer)
}

// statistics counts uses, by what the request names, among those that the person may see.
func statistics(c *call) error {
	q := c.URL.Query()
	f, err := filterOf(q)
	if err != nil {
		return err
	}
	if err := c.mayReadUses(f.Court, f.Seal, f.Person); err != nil {
		return err
	}
	by := make([]registry.Dimension, len(q["by"]))
	for i, name := range q["by"] {
		by[i] = registry.Dimension(name)
	}
	list, err := c.server.books.Statistics(c.Context(), f, by...)
	if errors.Is(err, registry.ErrOp) {
		return fmt.Errorf("%w: %w", errParameter, err)
	} else if err != nil {
		return err
	}
	type figure struct {
		Values    []string `json:"values"`
		Uses      int      `json:"uses"`
		Done      int      `json:"done"`
		Failed    int      `json:"failed"`
		Withdrawn int      `json:"withdrawn"`
	}
	figures := []figure{}
	for _, x := range list {
		figures = append(figures, figure(x))
	}
	return c.answer(http.StatusOK, figures)
}
