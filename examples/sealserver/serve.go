package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/courtseal/courtseal/verify"
)

const (
	headTime  = 5 * time.Second // for the header of a request
	idleTime  = time.Minute
	endTime   = 10 * time.Second // for what is being answered when the server is told to end
	maxHeader = 16 << 10
)

// A config is DIR/server.json. Names of files are relative to DIR.
type config struct {
	Listen   string      `json:"listen"`            // address; port 0 is any that is free
	Database string      `json:"database"`          // "sqlite:FILE", or a URL of PostgreSQL; COURTSEAL_DATABASE goes before it
	Origin   string      `json:"origin"`            // name of the ledger
	LogKeys  []keyConfig `json:"logKeys"`           // keys that sign its checkpoints
	Witness  string      `json:"witness"`           // file of the last checkpoint, which backups of the database leave alone
	Keys     []keyConfig `json:"keys"`              // devices with the keys of seals
	Roots    []string    `json:"roots"`             // files of the certificates that verifying trusts
	MaxFile  int64       `json:"maxFile,omitempty"` // bytes of a document; 0: 100 MiB
}

func readConfig(dir string) (c config, err error) {
	if err := readFile(filepath.Join(dir, "server.json"), &c); err != nil {
		return c, err
	}
	if c.MaxFile <= 0 {
		c.MaxFile = 100 << 20
	}
	return c, nil
}

// A Main is one run of the server. Tests run it too.
type Main struct {
	Dir    string       // of server.json and all that is kept
	Demo   bool         // make a demonstration in Dir, if there is none
	Listen string       // address, in place of the configured one
	Out    io.Writer    // of the address, on a line of its own
	Log    *slog.Logger // one line for an answer
	Now    func() time.Time

	URL   string     // where it serves, once Run has returned
	Ended chan error // has why serving ended, if it did before Close

	http   *http.Server
	server *server
}

// A server answers requests.
type server struct {
	config  config
	log     *slog.Logger
	now     func() time.Time
	spool   string // directory of files on their way
	roots   *verify.Roots
	books   *books
	keys    *keyring
	door    *door
	batches *batches
	once    turnstile     // by the id of a request
	slots   chan struct{} // one for each file that is here
}

// Run opens everything and serves until Close. It returns when the server can be reached.
func (m *Main) Run(ctx context.Context) error {
	if m.Now == nil {
		m.Now = time.Now
	}
	if m.Demo {
		if err := makeDemo(ctx, m.Dir, m.Now); err != nil {
			return err
		}
	}
	c, err := readConfig(m.Dir)
	if err != nil {
		return err
	}
	if m.Listen != "" {
		c.Listen = m.Listen
	}
	if m.server, err = open(ctx, c, m.Dir, m.Log, m.Now); err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	m.http = &http.Server{
		Handler: m.server.handler(), ReadHeaderTimeout: headTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(m.Log.Handler(), slog.LevelError),
	}
	m.URL = "http://" + listener.Addr().String()
	m.Ended = make(chan error, 1)
	go func() {
		if err := m.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			m.Ended <- err
		}
	}()
	if _, err := fmt.Fprintln(m.Out, m.URL); err != nil || !m.Demo {
		return err
	}
	return m.tellDemo()
}

// Close ends serving: what is being answered is finished first, within a bound of time. It may be called after a failed Run.
func (m *Main) Close() error {
	var err error
	if m.http != nil {
		last, cancel := context.WithTimeout(context.Background(), endTime)
		defer cancel()
		if err = m.http.Shutdown(last); err != nil {
			err = errors.Join(err, m.http.Close())
		}
	}
	if m.server != nil {
		err = errors.Join(err, m.server.close())
	}
	return err
}

func open(ctx context.Context, c config, dir string, log *slog.Logger, now func() time.Time) (s *server, err error) {
	s = &server{config: c, log: log, now: now, spool: filepath.Join(dir, "spool"), slots: make(chan struct{}, maxFiles)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := emptyDir(s.spool); err != nil {
		return s, err
	}
	files := make([]string, len(c.Roots))
	for i, name := range c.Roots {
		files[i] = within(dir, name)
	}
	if s.roots, err = verify.ReadRoots(files...); err != nil {
		return s, err
	}
	keys := make([]keyConfig, len(c.Keys))
	for i, k := range c.Keys {
		keys[i] = k.in(dir)
	}
	if s.keys, err = openKeys(ctx, now, keys...); err != nil {
		return s, err
	}
	if s.books, err = openBooks(ctx, c, dir, now, nil); err != nil {
		return s, err
	}
	s.door = &door{books: s.books, now: now}
	s.batches, err = s.openBatches(filepath.Join(dir, "batches"))
	return s, err
}

// close gives back what open took.
func (s *server) close() error {
	var err error
	if s.batches != nil {
		s.batches.close()
	}
	if s.books != nil {
		err = s.books.close()
	}
	if s.keys != nil {
		err = errors.Join(err, s.keys.close())
	}
	return err
}

func within(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// emptyDir makes a directory, or removes what an earlier run left in it.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if remove := os.Remove(filepath.Join(dir, e.Name())); remove != nil && !errors.Is(remove, fs.ErrNotExist) {
			err = errors.Join(err, remove)
		}
	}
	return err
}
