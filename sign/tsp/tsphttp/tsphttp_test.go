package tsphttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/tsp"
)

var (
	ctx    = context.Background()
	digest = sign.SM3.Sum([]byte("签名值"))
)

func oid(s string) sign.OID {
	o, err := sign.ParseOID(s)
	if err != nil {
		panic(err)
	}
	return o
}

var policy = oid("1.2.3.4.1")

func newAuthority(t testing.TB, kind testpki.Kind) *tsp.Authority {
	t.Helper()
	a, err := tsp.NewAuthority(testpki.Shared(kind).Issue(kind, "TSA", testpki.TimeStamping), tsp.AuthorityOptions{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func serve(t testing.TB, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// Client and Handler understand each other, and many at once.
func TestStamp(t *testing.T) {
	for _, kind := range []testpki.Kind{testpki.SM2, testpki.RSA} {
		c := &Client{URL: serve(t, Handler(newAuthority(t, kind), func(_ *http.Request, err error) { t.Error(err) })), Policy: policy}
		done := make(chan error)
		for range 20 {
			go func() {
				token, err := c.Timestamp(ctx, sign.SM3, digest)
				if err == nil {
					var tok *tsp.Token
					if tok, err = tsp.Parse(token); err == nil && (!bytes.Equal(tok.Digest, digest) || len(token) > c.MaxSize() || tok.Policy != policy) {
						err = errors.New("another token")
					}
				}
				done <- err
			}()
		}
		for range 20 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	if got := sign.StampSize(&Client{Size: 5000}); got != 5000 {
		t.Error(got)
	}
	if got := sign.StampSize(&Client{}); got != 8192 {
		t.Error(got)
	}
}

// An authority changes what it answers; the client takes none of it, and a CMS made with it is whole without a stamp.
func TestHostileAuthorities(t *testing.T) {
	a, other := newAuthority(t, testpki.SM2), newAuthority(t, testpki.SM2)
	elsewhere := serve(t, Handler(a, nil))
	answer := func(change func(w http.ResponseWriter, request []byte)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			w.Header().Set("Content-Type", reply)
			change(w, b)
		})
	}
	send := func(w http.ResponseWriter, request []byte) {
		response, err := a.Respond(ctx, request)
		if err != nil {
			t.Error(err)
		}
		w.Write(response)
	}
	ask := func(h sign.Hash, digest []byte, nonce []byte) []byte {
		r, err := tsp.NewRequest(h, digest)
		if err != nil {
			t.Fatal(err)
		}
		if r.Policy = policy; nonce != nil {
			r.Nonce = nonce
		}
		return r.Bytes()
	}
	rejected := &tsp.StatusError{Status: "rejection", Failures: []string{"badAlg"}}
	for name, c := range map[string]struct {
		h    http.Handler
		want error
	}{
		"another nonce": {answer(func(w http.ResponseWriter, _ []byte) { send(w, ask(sign.SM3, digest, nil)) }), tsp.ErrNonce},
		"another imprint": {answer(func(w http.ResponseWriter, _ []byte) {
			send(w, ask(sign.SM3, sign.SM3.Sum(nil), nil))
		}), tsp.ErrImprint},
		"another hash": {answer(func(w http.ResponseWriter, _ []byte) { send(w, ask(sign.SHA256, digest, nil)) }), tsp.ErrImprint},
		"rejection": {answer(func(w http.ResponseWriter, _ []byte) {
			w.Write([]byte("\x30\x1a\x30\x18\x02\x01\x02\x30\x0f\x0c\x0d\x1b[31m\xe4\xb8\x8d\xe8\xa1\x8c!!\x03\x02\x07\x80"))
		}), rejected},
		"garbage": {answer(func(w http.ResponseWriter, _ []byte) { w.Write([]byte("<html>Welcome</html>")) }), tsp.ErrMalformed},
		"nothing": {answer(func(http.ResponseWriter, []byte) {}), tsp.ErrMalformed},
		"cut short": {answer(func(w http.ResponseWriter, request []byte) {
			w.Header().Set("Content-Length", "3000")
			w.Write([]byte{0x30, 0x82})
		}), io.ErrUnexpectedEOF},
		"signature broken": {answer(func(w http.ResponseWriter, request []byte) {
			response, _ := a.Respond(ctx, request)
			response[len(response)-1] ^= 1
			w.Write(response)
		}), sign.ErrSignature},
		"signed with another key": {answer(func(w http.ResponseWriter, request []byte) {
			mine, _ := a.Respond(ctx, request)
			theirs, _ := other.Respond(ctx, request)
			tok, err := tsp.ParseResponse(theirs)
			if err != nil {
				t.Error(err)
			}
			own, err := tsp.ParseResponse(mine)
			if err != nil {
				t.Error(err)
			}
			w.Write(bytes.Replace(mine, own.Certificate(), tok.Certificate(), 1))
		}), nil},
		"huge": {answer(func(w http.ResponseWriter, _ []byte) {
			for range 1 << 10 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
			t.Error("a gigabyte was taken")
		}), ErrAnswer},
		"wrong content type": {answer(func(w http.ResponseWriter, request []byte) {
			w.Header().Set("Content-Type", "text/html")
			send(w, request)
		}), ErrAnswer},
		"redirect elsewhere": {http.RedirectHandler(elsewhere, http.StatusTemporaryRedirect), ErrAnswer},
		"server error":       {answer(func(w http.ResponseWriter, _ []byte) { w.WriteHeader(500) }), ErrAnswer},
		"late": {http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body) // until it is read, nobody is told that the client left
			<-r.Context().Done()
		}), context.DeadlineExceeded},
		"slow": {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", reply)
			for r.Context().Err() == nil {
				w.Write([]byte{0x30})
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		}), context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			client := &Client{URL: serve(t, c.h) + "/path?token=hidden", Policy: policy, Timeout: 5 * time.Second}
			if c.want == context.DeadlineExceeded {
				client.Timeout = 200 * time.Millisecond
			}
			token, err := client.Timestamp(ctx, sign.SM3, digest)
			if err == nil || token != nil || c.want != nil && !errors.Is(err, c.want) {
				t.Fatalf("%x, %v", token, err)
			}
			if s := err.Error(); strings.Contains(s, "hidden") || strings.Contains(s, "\x1b") || len(s) > 1000 {
				t.Errorf("the error says too much: %q", s)
			}
			v, err := cms.Sign(ctx, testpki.Shared(testpki.SM2).Issue(testpki.SM2, "法官", nil), digest, cms.Options{TSA: client})
			if err != nil || len(v.Notes) != 1 || v.Notes[0].Code != "timestamp-not-had" || strings.Contains(v.Notes[0].Detail, "hidden") {
				t.Fatalf("%v, %v", v.Notes, err)
			}
			sd, err := cms.Parse(v.Bytes)
			if err != nil || sd.Verify(sign.Sums{sign.SM3: digest}) != nil || len(sd.Signers[0].Unsigned) > 0 {
				t.Errorf("the signature suffered: %v", err)
			}
		})
	}
}

// Nobody there, and URLs that are none.
func TestUnreachable(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	for _, u := range []string{s.URL, "", "tsa.example", "ftp://tsa.example/", "http://", "http://user:hidden@%zz/", "http://127.0.0.1:0/?hidden"} {
		_, err := (&Client{URL: u}).Timestamp(ctx, sign.SM3, digest)
		if err == nil || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: %v", u, err)
		}
	}
	if _, err := (&Client{URL: s.URL}).Timestamp(ctx, sign.SHA384, digest); !errors.Is(err, sign.ErrMissingSum) {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := (&Client{URL: serve(t, Handler(newAuthority(t, testpki.SM2), nil))}).Timestamp(ended, sign.SM3, digest); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// What is not a time-stamp request is answered as HTTP wants it.
func TestHandlerRefuses(t *testing.T) {
	var failed atomic.Int32
	u := serve(t, Handler(newAuthority(t, testpki.SM2), func(*http.Request, error) { failed.Add(1) }))
	for _, c := range []struct {
		method, kind string
		body         []byte
		status       int
		failed       int32
	}{
		{"GET", query, nil, 405, 0},
		{"POST", "text/plain", nil, 415, 0},
		{"POST", query, make([]byte, 5000), 400, 1},
		{"POST", query, []byte("garbage"), 200, 1},
		{"POST", query + "; charset=binary", []byte("garbage"), 200, 1},
	} {
		r, err := http.NewRequest(c.method, u, bytes.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", c.kind)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(response.Body)
		if response.Body.Close(); err != nil || response.StatusCode != c.status || failed.Swap(0) != c.failed {
			t.Errorf("%s %s: %d, %v", c.method, c.kind, response.StatusCode, err)
		}
		if c.status == 200 {
			if _, err := tsp.ParseResponse(b); response.Header.Get("Content-Type") != reply ||
				!errors.Is(err, &tsp.StatusError{Status: "rejection", Failures: []string{"badDataFormat"}}) {
				t.Errorf("%v", err)
			}
		}
	}
}
