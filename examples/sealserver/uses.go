package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/courtseal/courtseal/seal/registry"
)

// mayRead asks that a person has a role at an organisation, or above it; no organisation is the whole province.
func (c *call) mayRead(org string) error {
	held, err := c.server.books.Holds(c.Context(), c.by.Person, org, registry.Roles...)
	if err == nil && !held {
		err = fmt.Errorf("%w: %s has no role at %s", errWho, c.by, org)
	}
	return err
}

// use is the one that the path names, if it is the application's own or of a court that the person may read.
func (c *call) use() (registry.UseInfo, error) {
	u, err := c.server.books.Use(c.Context(), c.PathValue("use"))
	switch {
	case err != nil:
		return u, err
	case c.by.App != "" && u.App != c.by.App:
		return u, fmt.Errorf("%w: use %s", registry.ErrUnknown, c.PathValue("use")) // of others' uses an application is not even told that they are
	case c.by.App == "":
		return u, c.mayRead(u.Court)
	}
	return u, nil
}

// uses lists those of an application, or of a court.
func uses(c *call) error {
	f, err := filterOf(c.URL.Query())
	if err != nil {
		return err
	}
	if c.by.App != "" {
		f.App = c.by.App
	} else if err := c.mayRead(f.Court); err != nil {
		return err
	}
	list, err := c.server.books.Uses(c.Context(), f)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, listed(list))
}

func filterOf(q url.Values) (f registry.Filter, err error) {
	f = registry.Filter{Court: q.Get("court"), Seal: q.Get("seal"), Person: q.Get("person"), App: q.Get("app"), Kind: q.Get("kind"),
		Grant: q.Get("grant"), State: registry.UseState(q.Get("state")), Withdrawn: q.Get("withdrawn") == "true"}
	for name, t := range map[string]*time.Time{"from": &f.From, "to": &f.To} {
		if *t, err = timeIn(q, name); err != nil {
			return f, err
		}
	}
	if text := q.Get("after"); text != "" {
		if f.After, err = strconv.ParseUint(text, 10, 63); err != nil {
			return f, fmt.Errorf("%w: after is %.40q, not the number of an entry", errParameter, text)
		}
	}
	if text := q.Get("limit"); text != "" {
		if f.Limit, err = strconv.Atoi(text); err != nil || f.Limit < 1 || f.Limit > 1000 {
			return f, fmt.Errorf("%w: limit is %.40q, not 1 to 1000", errParameter, text)
		}
	}
	return f, nil
}

// timeIn is a parameter that is a time; zero: absent.
func timeIn(q url.Values, name string) (t time.Time, err error) {
	if text := q.Get(name); text != "" {
		if t, err = time.Parse(time.RFC3339, text); err != nil {
			return t, fmt.Errorf("%w: %s is %.40q, not a time such as 2026-03-02T09:00:00Z", errParameter, name, text)
		}
	}
	return t, nil
}

// oneUse is a use with the proof of its entry, and of how it came out.
func oneUse(c *call) error {
	u, err := c.use()
	if err != nil {
		return err
	}
	answer := struct {
		registry.UseInfo
		Proof        *proof `json:"proof"`
		OutcomeProof *proof `json:"outcomeProof,omitempty"`
	}{UseInfo: u}
	if answer.Proof, err = c.proof(u.Last); err != nil {
		return err
	}
	if u.Outcome > 0 {
		if answer.OutcomeProof, err = c.proof(u.Outcome); err != nil {
			return err
		}
	}
	return c.answer(http.StatusOK, answer)
}

func (c *call) proof(entry uint64) (*proof, error) {
	receipt, err := c.server.books.Proof(c.Context(), entry)
	if err != nil {
		return nil, err
	}
	p := proofOf(receipt)
	return &p, nil
}

// evidence is the same proof as one C2SP tlog-proof.
func evidence(c *call) error {
	u, err := c.use()
	if err != nil {
		return err
	}
	receipt, err := c.server.books.Proof(c.Context(), u.Last)
	if err != nil {
		return err
	}
	return c.send(http.StatusOK, "text/plain; charset=utf-8", receipt.Evidence())
}

// withdraw declares a sealed document withdrawn.
func withdraw(c *call) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	var q struct {
		Reason string `json:"reason"`
	}
	if err := c.read(&q); err != nil {
		return err
	}
	if _, err := c.use(); err != nil {
		return err
	}
	receipt, err := c.server.books.DoOnce(c.Context(), c.by, key, &registry.WithdrawSealing{Request: c.PathValue("use"), Reason: q.Reason})
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, proofOf(receipt))
}
