package tsphttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/tsp"
)

// A Client obtains time stamps from one authority. It is a sign.Timestamper; its fields are not changed once it is in
// use.
type Client struct {
	URL     string        // of the authority, http or https
	Policy  sign.OID      // under which stamps are wanted; empty: any
	Size    int           // octets of the longest token expected: every document reserves them; zero: 8 KiB
	Timeout time.Duration // of one stamp, within what ctx allows; zero: 10 s
	HTTP    *http.Client  // for a proxy, credentials or certificates; nil: as http.DefaultClient. It follows no redirect
}

// ErrAnswer: the authority, or what answers in its place, sent something that is no time-stamp reply.
var ErrAnswer = errors.New("tsphttp: no time-stamp reply")

const (
	query = "application/timestamp-query"
	reply = "application/timestamp-reply"

	maxQuery = 4 << 10
	maxReply = 256 << 10
)

// MaxSize is Size with its default: see sign.StampSize.
func (c *Client) MaxSize() int {
	if c.Size <= 0 {
		return sign.StampSize(plain{})
	}
	return c.Size
}

type plain struct{ sign.Timestamper }

// Timestamp asks for a stamp with a nonce and certificates, once, and accepts it if Request.Accept does. The errors are
// those of tsp.NewRequest and Request.Accept, ErrAnswer, and those of the network; they name the host and no more of the
// URL, which may hold secrets. A *tsp.StatusError says what the authority refused; the end of Timeout is
// context.DeadlineExceeded.
func (c *Client) Timestamp(ctx context.Context, h sign.Hash, digest []byte) ([]byte, error) {
	r, err := tsp.NewRequest(h, digest)
	if err != nil {
		return nil, err
	}
	r.Policy = c.Policy
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("tsphttp: the URL of the authority is not one of http or https")
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := c.post(ctx, r.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.Host, err)
	}
	token, err := r.Accept(answer)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", u.Host, err)
	}
	return token.Raw, nil
}

// post sends the request and returns what came back as a reply.
func (c *Client) post(ctx context.Context, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(body))
	if err != nil {
		return nil, cause(err)
	}
	request.Header.Set("Content-Type", query)
	request.Header.Set("Accept", reply)
	var client http.Client
	if c.HTTP != nil {
		client = *c.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := client.Do(request)
	if err != nil {
		return nil, cause(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: HTTP status %d; redirects are not followed", ErrAnswer, response.StatusCode)
	}
	if kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")); kind != reply {
		return nil, fmt.Errorf("%w: Content-Type is %.60q, not %s", ErrAnswer, kind, reply)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	if err != nil {
		return nil, cause(err)
	}
	if len(answer) > maxReply {
		return nil, fmt.Errorf("%w: more than %d octets", ErrAnswer, maxReply)
	}
	return answer, nil
}

// cause takes the URL out of an error.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// Handler answers time-stamp requests over HTTP (RFC 3161, 3.4) with an authority. failed, if not nil, is told of every
// request that got no stamp, and why; it is called by many goroutines. The address, its TLS and who may ask are for
// whoever serves it.
func Handler(a *tsp.Authority, failed func(*http.Request, error)) http.Handler {
	if failed == nil {
		failed = func(*http.Request, error) {}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "time-stamp requests are sent with POST", http.StatusMethodNotAllowed)
			return
		}
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != query {
			http.Error(w, "Content-Type is not "+query, http.StatusUnsupportedMediaType)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuery))
		if err != nil {
			failed(r, err)
			http.Error(w, "the request is too long or was cut short", http.StatusBadRequest)
			return
		}
		response, err := a.Respond(r.Context(), body)
		if err != nil {
			failed(r, err)
		}
		w.Header().Set("Content-Type", reply)
		w.Header().Set("Cache-Control", "no-store")
		w.Write(response)
	})
}
