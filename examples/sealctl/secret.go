package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/courtseal/courtseal/examples/internal/secret"
	"github.com/courtseal/courtseal/keydev"
)

// auth gives the PIN of a file to every key, or asks at the terminal, once at a time, until ctx ends.
func (m *Main) auth(ctx context.Context, pinFile string) keydev.Auth {
	var one sync.Mutex
	return func(_ context.Context, p keydev.Prompt) (keydev.Reply, error) {
		one.Lock()
		defer one.Unlock()
		if pinFile != "" {
			pin, err := secret.Read(pinFile)
			return keydev.Reply{PIN: pin}, err
		}
		in, ok := m.Stdin.(*os.File)
		if !ok || !term.IsTerminal(int(in.Fd())) {
			return keydev.Reply{}, keydev.ErrNoAuth
		}
		fmt.Fprintf(m.Stderr, m.say("%s 的 PIN", "PIN of %s"), p.Key)
		if p.TriesLeft >= 0 {
			fmt.Fprintf(m.Stderr, m.say("（还可试 %d 次）", " (tries left: %d)"), p.TriesLeft)
		}
		fmt.Fprint(m.Stderr, ": ")
		pin, err := readPassword(ctx, int(in.Fd()))
		fmt.Fprintln(m.Stderr)
		return keydev.Reply{PIN: pin}, err
	}
}

// readPassword is term.ReadPassword until ctx ends. A read of a terminal cannot be called off, so that it is left behind
// then, with the terminal as it was.
func readPassword(ctx context.Context, fd int) ([]byte, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	type line struct {
		b   []byte
		err error
	}
	read := make(chan line, 1)
	go func() {
		b, err := term.ReadPassword(fd)
		read <- line{b, err}
	}()
	select {
	case l := <-read:
		return l.b, l.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}
