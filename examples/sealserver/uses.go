package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/courtseal/courtseal/seal/registry"
)

// reaching are the roles that see the courts below their own.
var reaching = []registry.Role{registry.Administrator, registry.Maker, registry.Approver, registry.Auditor}

// mayRead asks that a person has a role at an organisation, or above it; no organisation is the whole province, for which it takes
// a role that reaches down: a clerk of the high court is one of that house.
func (c *call) mayRead(org string) error {
	roles := registry.Roles
	if org == "" {
		roles = reaching
	}
	held, err := c.server.books.Holds(c.Context(), c.by.Person, org, roles...)
	if err == nil && !held {
		err = fmt.Errorf("%w: %s has no role at %s", errWho, c.by, cmp.Or(org, "the root"))
	}
	return err
}

// overseers are the roles that see all uses of a court and of those below it. Who keeps a seal sees what is done with that, anybody
// what they did themselves, and else a use is nobody's affair: it has the name of a document.
var overseers = []registry.Role{registry.Administrator, registry.Approver, registry.Auditor}

// mayReadUses asks that a person may see all uses of a court, a seal, or a person. What is empty is any.
func (c *call) mayReadUses(court, seal, person string) error {
	if person == c.by.Person {
		return nil
	}
	held, err := c.server.books.Holds(c.Context(), c.by.Person, court, overseers...)
	if err != nil || held {
		return err
	}
	if seal != "" {
		info, _, err := c.server.books.Seal(c.Context(), seal)
		if err != nil {
			return err
		}
		if held, err = c.server.books.Holds(c.Context(), c.by.Person, info.Org, overseers...); err != nil || held || info.Holder == c.by.Person {
			return err
		}
	}
	return fmt.Errorf("%w: uses of %s are for its %s; %s sees those of a seal that they keep, and their own", errWho, cmp.Or(court, "all courts"),
		"administrators, approvers and auditors", c.by)
}

// use is the one that the path names, if it is the application's own or one that the person may see.
func (c *call) use() (registry.UseInfo, error) {
	u, err := c.server.books.Use(c.Context(), c.PathValue("use"))
	switch {
	case err != nil:
		return u, err
	case c.by.App != "" && u.App != c.by.App:
		return u, fmt.Errorf("%w: request %s", registry.ErrUnknown, c.PathValue("use")) // in the books' words: others' uses are none
	case c.by.App == "":
		return u, c.mayReadUses(u.Court, u.Seal, u.Person)
	}
	return u, nil
}

// uses lists those of an application, or such as a person may see.
func uses(c *call) error {
	f, err := filterOf(c.URL.Query())
	if err != nil {
		return err
	}
	if c.by.App != "" {
		f.App = c.by.App
	} else if err := c.mayReadUses(f.Court, f.Seal, f.Person); err != nil {
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
