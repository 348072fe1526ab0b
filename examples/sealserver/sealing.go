package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/officex"
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
	Format      sign.Format `json:"format,omitempty"`      // empty: dual where the seal's keys make it, else cms; for Word ses where that is all they make
}

func (p purpose) use() registry.Use {
	return registry.Use{Kind: p.Kind, Court: p.Court, Grant: p.Grant, Application: p.Application}
}

// A sealing says how a PDF file or a Word document is sealed.
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

	// Of Word documents, where the seal is shown once.
	End      bool     `json:"end,omitempty"` // a paragraph of its own at the end
	Bookmark string   `json:"bookmark,omitempty"`
	Header   bool     `json:"header,omitempty"`
	Footer   bool     `json:"footer,omitempty"`
	Line     string   `json:"line,omitempty"`
	AsLine   bool     `json:"asLine,omitempty"`
	Allow    []string `json:"allow,omitempty"`

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

// options are for a document of a name, of either kind.
func (q *sealing) options(name string) (o document.Options, err error) {
	o.Document = cmp.Or(q.Document, name)
	o.PDF = pdfx.Options{
		At: q.At, DateLine: q.DateLine, Straddle: q.Straddle, Field: q.Field, Remark: q.Remark, Text: q.Text, Certify: q.Certify, Lock: q.Lock,
		Name: q.Name, Reason: q.Reason, Location: q.Location, Repair: q.Repair,
	}
	o.Word = officex.Options{
		DateLine: q.DateLine, Bookmark: q.Bookmark, Header: q.Header, Footer: q.Footer, Line: q.Line, Invisible: q.Invisible,
		AsLine: q.AsLine, Lock: q.Lock != nil, Reason: q.Reason,
	}
	if q.Password != "" {
		o.PDF.Password = []byte(q.Password)
	}
	if k := q.Keyword; k != nil {
		o.Word.Keyword = &officex.Keyword{Text: k.Text, Occurrence: k.Occurrence, DX: k.DX, DY: k.DY}
		pdf := k.Keyword
		if k.Every {
			pdf.Occurrence = pdfx.Every
		}
		o.PDF.Keyword = &pdf
	}
	for _, name := range q.Allow {
		bit, err := officex.ParseAllow(name)
		if err != nil {
			return o, fmt.Errorf("%w: %w", errBody, err)
		}
		o.Word.Allow |= bit
	}
	both := q.Keyword != nil || q.DateLine
	inPDF := len(q.At) > 0 || q.Straddle != nil || q.Field != ""
	inWord := q.Bookmark != "" || q.Header || q.Footer || q.Line != ""
	if q.End && (both || inPDF || inWord) || (both || inPDF || inWord || q.End) == q.Invisible {
		return o, fmt.Errorf("%w: either a place (at, keyword, dateLine, straddle, field; end, bookmark, header, footer, line) or invisible", errBody)
	}
	return o, nil
}

// fits refuses what the kind of the document does not know.
func (q *sealing) fits(k document.Kind) error {
	given := map[string]bool{"end": q.End, "bookmark": q.Bookmark != "", "header": q.Header, "footer": q.Footer, "line": q.Line != "",
		"asLine": q.AsLine, "allow": q.Allow != nil}
	if k == document.Word {
		given = map[string]bool{"at": q.At != nil, "straddle": q.Straddle != nil, "field": q.Field != "", "remark": q.Remark != "", "text": q.Text,
			"certify": q.Certify != 0, "name": q.Name != "", "location": q.Location != "", "password": q.Password != "", "repair": q.Repair,
			"keyword.every": q.Keyword != nil && q.Keyword.Every, "lock.fields": q.Lock != nil && len(q.Lock.Fields) > 0}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if given[name] {
			return fmt.Errorf("%w: %s is not for this kind of document, which is %s", errBody, name, k)
		}
	}
	return nil
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

// sealDocument seals an upload and answers with the sealed file.
func sealDocument(c *call) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	q, name, up, err := c.sealing()
	if err != nil {
		return err
	}
	defer up.Close()
	sealed := newSpool(c.server.spool)
	defer sealed.Close()
	r, err := c.server.seal(c.Context(), sealed, c.by, key, c.PathValue("seal"), q, name, up)
	if err != nil {
		return err
	}
	h := c.Header()
	h.Set("Content-Type", r.Kind.MediaType())
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
func (s *server) seal(ctx context.Context, dst target, by registry.Actor, key, sealID string, q sealing, name string, up *upload) (*document.Result, error) {
	o, err := q.options(name)
	if err != nil {
		return nil, err
	}
	k, err := document.KindOf(up)
	if err != nil {
		return nil, err
	}
	if err := q.fits(k); err != nil {
		return nil, err
	}
	signer, err := s.signer(ctx, by, sealID, q.purpose, k)
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

func (s *server) sealAt(ctx context.Context, at time.Time, dst target, up *upload, signer sign.Signer, o document.Options) (*document.Result, error) {
	o.Now = func() time.Time { return at.In(registry.Zone) }
	return document.Sign(ctx, dst, up, up.Size, signer, o)
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
	kind := document.PDF
	if slices.ContainsFunc(q.Act.Parts, func(p sign.Part) bool { return p.Format == sign.XML }) {
		kind = document.Word
	}
	signer, err := c.server.signer(c.Context(), c.by, c.PathValue("seal"), q.purpose, kind)
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
	kind, err := c.kind()
	if err != nil {
		return err
	}
	signer, err := c.server.signer(c.Context(), c.by, c.PathValue("seal"), p, kind)
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, signer.Profile())
}

// kind is what sort of document the query names.
func (c *call) kind() (document.Kind, error) {
	switch k := c.URL.Query().Get("document"); k {
	case "", "pdf":
		return document.PDF, nil
	case "word":
		return document.Word, nil
	default:
		return "", fmt.Errorf("%w: document is pdf or word, not %.20q", errParameter, k)
	}
}

// signer is the seal, recorded for an actor. The kind of the document, where it is known, has a say in which keys make the values, and in
// which format where none was asked for.
func (s *server) signer(ctx context.Context, by registry.Actor, sealID string, p purpose, k document.Kind) (sign.Signer, error) {
	stamp, err := s.keys.stamp(sealID, p.Format, k, func() ([]byte, error) {
		_, der, err := s.books.Seal(ctx, sealID)
		return der, err
	})
	if err != nil {
		return nil, err
	}
	return audit.Record(s.books.Recorder(by, p.use()), stamp), nil
}
