package main

import "sync"

// A turnstile lets one caller at a time do what has one name.
type turnstile struct {
	mu    sync.Mutex
	inUse map[string]*gate
}

type gate struct {
	sync.Mutex
	callers int
}

// enter waits for those who are in under the name. The caller calls leave.
func (t *turnstile) enter(name string) (leave func()) {
	t.mu.Lock()
	g := t.inUse[name]
	if g == nil {
		if t.inUse == nil {
			t.inUse = map[string]*gate{}
		}
		g = new(gate)
		t.inUse[name] = g
	}
	g.callers++
	t.mu.Unlock()
	g.Lock()
	return func() {
		g.Unlock()
		t.mu.Lock()
		defer t.mu.Unlock()
		if g.callers--; g.callers == 0 {
			delete(t.inUse, name)
		}
	}
}
