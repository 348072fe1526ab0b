package main

import (
	"context"
	"sync"
	"time"

	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
)

// remembered is for how long who was let in is let in without asking the books again. A credential that is withdrawn is good
// for so long at most; what its owner may do the books are asked each time.
const remembered = time.Second

// A door lets in whose secret is right.
type door struct {
	books *books
	now   func() time.Time

	mu    sync.Mutex
	known map[string]guest // by the SM3 of credentials
	swept time.Time
}

type guest struct {
	actor registry.Actor
	until time.Time
}

// enter is the actor whose credential it is; see registry.Authenticate.
func (d *door) enter(ctx context.Context, id, secret string) (registry.Actor, error) {
	name, now := string(sign.SM3.Sum([]byte(id+"."+secret))), d.now()
	d.mu.Lock()
	g := d.known[name]
	d.mu.Unlock()
	if now.Before(g.until) {
		return g.actor, nil
	}
	actor, err := d.books.Authenticate(ctx, id, secret)
	if err != nil {
		return actor, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known == nil || now.Sub(d.swept) > time.Minute {
		d.known, d.swept = map[string]guest{}, now
	}
	d.known[name] = guest{actor, now.Add(remembered)}
	return actor, nil
}
