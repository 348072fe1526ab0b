package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/seal/registry"
)

const (
	maxJSON   = 1 << 20          // bytes of a JSON body
	jsonTime  = 15 * time.Second // for a JSON body to come
	fileTime  = 5 * time.Minute  // for a file to come
	workTime  = time.Minute      // for what is done with it
	writeTime = 5 * time.Minute  // for the answer to go
	maxFiles  = 256              // that are received or worked on at a time; more are told to come again
)

// A call is one request and its answer.
type call struct {
	http.ResponseWriter
	*http.Request
	server *server
	id     string         // of the request, in the log and in problems
	by     registry.Actor // who it comes from; of an open route nobody
}

// A route is one operation of the API. openapi.yaml describes each; a test compares the two.
type route struct {
	pattern string // of http.ServeMux
	who     who    // may ask
	file    bool   // takes a file
	handle  func(*call) error
}

// who may ask: the server's part of the answer. What they may do the books say.
type who int

const (
	known  who = iota // who has a credential
	apps              // an application
	people            // a person
	anyone
)

// handler makes the mux of the routes, in which every answer that is not what was asked for is a problem.
func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		mux.Handle(rt.pattern, s.route(rt))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		s.serve(w, r, "", func(c *call) error { return missed(c, h) })
	})
}

// missed tells why no route fits: the mux knows which methods would.
func missed(c *call, h http.Handler) error {
	miss := &refusal{header: http.Header{}}
	h.ServeHTTP(miss, c.Request)
	if miss.status == http.StatusMethodNotAllowed {
		c.Header().Set("Allow", miss.header.Get("Allow"))
		return fmt.Errorf("%w: it answers to %s", errMethod, miss.header.Get("Allow"))
	}
	return errNoRoute
}

// A refusal is what the mux would answer by itself, without its text.
type refusal struct {
	header http.Header
	status int
}

func (r *refusal) Header() http.Header         { return r.header }
func (r *refusal) WriteHeader(status int)      { r.status = status }
func (r *refusal) Write(b []byte) (int, error) { return len(b), nil }

// route puts the limits of a route around its handler.
func (s *server) route(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serve(w, r, rt.pattern, func(c *call) error {
			most, wait := int64(maxJSON), jsonTime
			if rt.file {
				most, wait = s.config.MaxFile, fileTime
			}
			if rt.file {
				select {
				case s.slots <- struct{}{}:
					defer func() { <-s.slots }()
				default:
					return errBusy
				}
			}
			control := http.NewResponseController(w)
			now := time.Now()
			if err := errors.Join(control.SetReadDeadline(now.Add(wait)), control.SetWriteDeadline(now.Add(wait+workTime+writeTime))); err != nil {
				return err
			}
			c.Request.Body = http.MaxBytesReader(w, r.Body, most)
			if err := c.identify(rt.who); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(r.Context(), wait+workTime)
			defer cancel()
			c.Request = r.WithContext(ctx)
			return rt.handle(c)
		})
	})
}

// serve answers one request and writes one line about it into the log. What is secret stands in headers and bodies, of which
// nothing is logged.
func (s *server) serve(w http.ResponseWriter, r *http.Request, pattern string, handle func(*call) error) {
	began := time.Now()
	id := make([]byte, 12)
	rand.Read(id)
	sent := &counter{ResponseWriter: w}
	c := &call{ResponseWriter: sent, Request: r, server: s, id: hex.EncodeToString(id)}
	c.Header().Set("Request-Id", c.id)
	c.Header().Set("X-Content-Type-Options", "nosniff")
	err := handle(c)
	if err != nil && sent.status == 0 {
		p := problemOf(err)
		p.Request = c.id
		err = errors.Join(err, p.write(c))
	}
	level := slog.LevelInfo
	if sent.status >= http.StatusInternalServerError || err != nil && sent.status < http.StatusBadRequest {
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("request", c.id), slog.String("method", r.Method), slog.String("route", pattern),
		slog.String("path", r.URL.Path), slog.Int("status", sent.status), slog.Int64("bytes", sent.bytes), slog.Duration("took", time.Since(began))}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	s.log.LogAttrs(context.WithoutCancel(r.Context()), level, "answered", attrs...)
	if err != nil && sent.bytes > 0 && sent.status < http.StatusBadRequest {
		panic(http.ErrAbortHandler) // so that the client does not take half an answer for a whole one
	}
}

// identify finds out who asks, by the credential.
func (c *call) identify(w who) (err error) {
	if w == anyone {
		return nil
	}
	credential, ok := strings.CutPrefix(c.Request.Header.Get("Authorization"), "Bearer ")
	dot := strings.LastIndexByte(credential, '.') // an ID may have some, a secret has none
	if !ok || dot < 0 {
		return errCredential
	}
	if c.by, err = c.server.door.enter(c.Context(), credential[:dot], credential[dot+1:]); errors.Is(err, registry.ErrRights) {
		return fmt.Errorf("%w: %w", errCredential, err)
	} else if err != nil {
		return err
	}
	if w == apps && c.by.App == "" || w == people && c.by.Person == "" {
		return fmt.Errorf("%w: this path is for %s", errWho, map[who]string{apps: "applications", people: "people"}[w])
	}
	return nil
}

// key is the request's own id, by which it is the same when it is sent again.
func (c *call) key() (string, error) {
	k := c.Request.Header.Get("Idempotency-Key")
	return k, checkKey(k)
}

var keyForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,59}$`)

func checkKey(k string) error {
	if !keyForm.MatchString(k) {
		return fmt.Errorf("%w: it is 1 to 60 letters, digits and ._- and begins with a letter or digit", errIdempotencyKey)
	}
	return nil
}

// A counter knows what was sent.
type counter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (c *counter) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *counter) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	n, err := c.ResponseWriter.Write(b)
	c.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// Write is the ResponseWriter's: a Request has one, too.
func (c *call) Write(b []byte) (int, error) { return c.ResponseWriter.Write(b) }

// Header is that of the answer.
func (c *call) Header() http.Header { return c.ResponseWriter.Header() }

// answer sends v as JSON.
func (c *call) answer(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.send(status, "application/json", append(b, '\n'))
}

func (c *call) send(status int, mediaType string, b []byte) error {
	c.Header().Set("Content-Type", mediaType)
	c.WriteHeader(status)
	_, err := c.Write(b)
	return err
}

// read reads the body, one JSON value and nothing else, into v.
func (c *call) read(v any) error {
	if err := c.mediaType("application/json"); err != nil {
		return err
	}
	return readJSON(c.Body, v)
}

func (c *call) mediaType(want ...string) error {
	got, _, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(want, got) {
		return fmt.Errorf("%w: Content-Type is %q, not %s", errMediaType, c.Request.Header.Get("Content-Type"), strings.Join(want, " or "))
	}
	return nil
}

// readJSON reads one JSON value with no member that v does not know.
func readJSON(r io.Reader, v any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return bodyError(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one JSON value", errBody)
	}
	return nil
}

// document receives a body that is a file. Of what kind it is, its bytes say.
func (c *call) document() (*upload, error) {
	if err := c.mediaType(document.PDF.MediaType(), document.Word.MediaType(), "application/octet-stream"); err != nil {
		return nil, err
	}
	return receive(c.Body, c.server.spool)
}
