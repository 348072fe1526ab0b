package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/courtseal/courtseal/keydev"
)

const maxSecret = 4096 // bytes of a file with a PIN or a password

// readSecret reads the first line of a file.
func (m *Main) readSecret(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, maxSecret)
	defer clear(b)
	n, err := io.ReadFull(f, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	line, _, _ := bytes.Cut(b[:n], []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) == 0 {
		return nil, fmt.Errorf(m.say("%s 的第一行是空的", "%s: its first line is empty"), name)
	}
	return bytes.Clone(line), nil
}

// auth gives the PIN of a file to every key, or asks at the terminal, once at a time, until ctx ends.
func (m *Main) auth(ctx context.Context, pinFile string) keydev.Auth {
	var one sync.Mutex
	return func(_ context.Context, p keydev.Prompt) (keydev.Reply, error) {
		one.Lock()
		defer one.Unlock()
		if pinFile != "" {
			pin, err := m.readSecret(pinFile)
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
