package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
)

// A purpose is what a seal is used for, as the books ask.
type purpose struct {
	Kind        string      `json:"kind"`                  // of document
	Court       string      `json:"court,omitempty"`       // for which; empty: the seal's own
	Grant       string      `json:"grant,omitempty"`       // authorisation that allows it
	Application string      `json:"application,omitempty"` // approved for this very document
	Format      sign.Format `json:"format,omitempty"`      // empty: dual where the seal's keys make it, else cms
}

func (p purpose) use() registry.Use {
	return registry.Use{Kind: p.Kind, Court: p.Court, Grant: p.Grant, Application: p.Application}
}

// A sealing says how a PDF is sealed.
type sealing struct {
	purpose
	Document string `json:"document,omitempty"` // its name; empty: that of the file
	Reason   string `json:"reason,omitempty"`
	Name     string `json:"name,omitempty"`
	Location string `json:"location,omitempty"`

	At        []pdfx.At      `json:"at,omitempty"`
	Keyword   *keyword       `json:"keyword,omitempty"`
	DateLine  bool           `json:"dateLine,omitempty"`
	Straddle  *pdfx.Straddle `json:"straddle,omitempty"`
	Field     string         `json:"field,omitempty"`
	Invisible bool           `json:"invisible,omitempty"` // must be said where there is no place

	Remark  string     `json:"remark,omitempty"`
	Text    bool       `json:"text,omitempty"`
	Certify int        `json:"certify,omitempty"`
	Lock    *pdfx.Lock `json:"lock,omitempty"`

	Password string `json:"password,omitempty"` // of an encrypted file
	Repair   bool   `json:"repair,omitempty"`
}

// A keyword is a pdfx.Keyword, in which Every has a name.
type keyword struct {
	pdfx.Keyword
	Every bool `json:"every,omitempty"`
}

// options are those of pdfx for a document of a name.
func (q *sealing) options(name string) (pdfx.Options, error) {
	o := pdfx.Options{
		At: q.At, DateLine: q.DateLine, Straddle: q.Straddle, Field: q.Field, Remark: q.Remark, Text: q.Text, Certify: q.Certify, Lock: q.Lock,
		Name: q.Name, Reason: q.Reason, Location: q.Location, Document: q.Document, Repair: q.Repair,
	}
	if o.Document == "" {
		o.Document = name
	}
	if q.Password != "" {
		o.Password = []byte(q.Password)
	}
	if q.Keyword != nil {
		k := q.Keyword.Keyword
		if q.Keyword.Every {
			k.Occurrence = pdfx.Every
		}
		o.Keyword = &k
	}
	if placed := len(o.At) > 0 || o.Keyword != nil || o.DateLine || o.Straddle != nil || o.Field != ""; placed == q.Invisible {
		return o, fmt.Errorf("%w: either a place (at, keyword, dateLine, straddle, field) or invisible", errBody)
	}
	return o, nil
}

// sealing reads a multipart body: a part "request" of JSON, and a part "file".
func (c *call) sealing() (q sealing, name string, up *upload, err error) {
	kind, params, err := mime.ParseMediaType(c.Request.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return q, "", nil, fmt.Errorf("%w: Content-Type is %q, not multipart/form-data", errMediaType, c.Request.Header.Get("Content-Type"))
	}
	defer func() {
		if err != nil && up != nil {
			err = errors.Join(err, up.Close())
		}
	}()
	asked := false
	parts := multipart.NewReader(c.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return q, name, up, bodyError(err)
		}
		switch {
		case part.FormName() == "request" && !asked:
			asked, err = true, readJSON(io.LimitReader(part, maxJSON), &q)
		case part.FormName() == "file" && up == nil:
			name = part.FileName()
			up, err = receive(part, c.server.spool)
		default:
			err = fmt.Errorf("%w: the parts are one request and one file, not %.40q", errBody, part.FormName())
		}
		if err != nil {
			return q, name, up, err
		}
	}
	if !asked || up == nil {
		return q, name, up, fmt.Errorf("%w: a part is missing; there are request and file", errBody)
	}
	return q, name, up, nil
}

// sealPDF seals an upload and answers with the sealed file.
func sealPDF(c *call) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	q, name, up, err := c.sealing()
	if err != nil {
		return err
	}
	defer up.Close()
	o, err := q.options(name)
	if err != nil {
		return err
	}
	sealed := newSpool(c.server.spool)
	defer sealed.Close()
	r, err := c.server.seal(c.Context(), sealed, c.by, key, c.PathValue("seal"), q.purpose, up, o)
	if err != nil {
		return err
	}
	h := c.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Length", strconv.FormatInt(r.Size, 10))
	h.Set("Courtseal-Use", r.Act.ID)
	_, err = sealed.WriteTo(c)
	return err
}

// A target takes a file that is written; Reset begins it anew.
type target interface {
	io.Writer
	Reset() error
}

// seal seals a document once for a request id: sent again, the same document with the same options has the same answer, byte
// for byte, whatever ended the earlier tries; another document is registry.ErrExists.
func (s *server) seal(ctx context.Context, dst target, by registry.Actor, key, sealID string, p purpose, up *upload, o pdfx.Options) (*pdfx.Result, error) {
	signer, err := s.signer(ctx, by, sealID, p)
	if err != nil {
		return nil, err
	}
	o.ID = useID(by.App, key)
	leave := s.once.enter(o.ID)
	defer leave()
	r, err := s.sealAt(ctx, s.now(), dst, up, signer, o)
	var done *registry.RepeatedError
	if errors.As(err, &done) && !done.Use.Claimed.IsZero() {
		// The file as it was sealed has the claimed time of then in it, so that only one that claims the same is the same.
		if err := dst.Reset(); err != nil {
			return nil, err
		}
		return s.sealAt(ctx, done.Use.Claimed, dst, up, signer, o)
	}
	return r, err
}

func (s *server) sealAt(ctx context.Context, at time.Time, dst target, up *upload, signer sign.Signer, o pdfx.Options) (*pdfx.Result, error) {
	o.Now = func() time.Time { return at.In(registry.Zone) }
	return pdfx.Sign(ctx, dst, up, up.Size, signer, o)
}

// useID is the id of a use in the books: that of the request, among those of its application.
func useID(app, key string) string { return app + ":" + key }

// A prepared is a document that its client holds: the digests are all that comes.
type prepared struct {
	purpose
	Act sign.Act `json:"act"`
}

// sealDigest makes the values of a prepared document.
func sealDigest(c *call) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	var q prepared
	if err := c.read(&q); err != nil {
		return err
	}
	if q.Application != "" { // of the digests that come, nobody knows whether they are of the file that was approved
		return fmt.Errorf("%w: application %s is for one file, which is to be sent itself, to documents", registry.ErrLimit, q.Application)
	}
	signer, err := c.server.signer(c.Context(), c.by, c.PathValue("seal"), q.purpose)
	if err != nil {
		return err
	}
	q.Act.ID = useID(c.by.App, key)
	values, err := signer.Sign(c.Context(), &q.Act)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, struct {
		Use    string       `json:"use"`
		Values []sign.Value `json:"values"`
	}{q.Act.ID, values})
}

// has asks that the application has a seal. Of a use the books ask more.
func (c *call) has(sealID string) error {
	a, err := c.server.books.App(c.Context(), c.by.App)
	if err == nil && !slices.Contains(a.Seals, sealID) {
		err = fmt.Errorf("%w: %s does not have seal %s", errWho, c.by, sealID)
	}
	return err
}

// profile tells what a client must know to prepare a document for a seal.
func profile(c *call) error {
	if err := c.has(c.PathValue("seal")); err != nil {
		return err
	}
	p := purpose{Format: sign.Format(c.URL.Query().Get("format"))}
	signer, err := c.server.signer(c.Context(), c.by, c.PathValue("seal"), p)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, signer.Profile())
}

// signer is the seal, recorded for an actor.
func (s *server) signer(ctx context.Context, by registry.Actor, sealID string, p purpose) (sign.Signer, error) {
	stamp, err := s.keys.stamp(sealID, p.Format, func() ([]byte, error) {
		_, der, err := s.books.Seal(ctx, sealID)
		return der, err
	})
	if err != nil {
		return nil, err
	}
	return audit.Record(s.books.Recorder(by, p.use()), stamp), nil
}
