package audit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/courtseal/courtseal/internal/plain"
	"github.com/courtseal/courtseal/sign"
)

// Kinds of the leaves that Use and Outcome make.
const (
	KindUse     = "use.begin"
	KindOutcome = "use.end"
)

// A Use is one use of a seal that is about to be made: what is signed, with which seal and key, for whom. It is entered before any key is
// asked, and a verifier compares it with the document. Document and the names of people are best concealed in its leaf: Private.Hide.
// Request, Format, Certs, Time and a digest of Source or Content are never missing.
type Use struct {
	Request    string // sign.Act.ID
	Seal       string // esID; empty: a signature without seal
	SealDigest []byte // SM3 of the SESeal's bytes
	Document   string // its name or number
	Kind       string // of document
	Org        string // that seals
	Person     string // who asked for it
	App        string // application it was asked through
	Grant      string // under which the person may use the seal
	Approval   string // of this document
	Format     sign.Format
	Source     sign.Sums         // of the file as received
	Content    sign.Sums         // of what is signed
	Certs      [][]byte          // SM3 of each certificate whose key signs
	Time       time.Time         // when it was entered, by the ledger's clock; UTC, milliseconds
	Again      *uint64           // index of an earlier Use of this request that came to no end; nil: none
	Extra      map[string]string // further fields of the leaf
}

// UseOf fills a Use with what act and profile say; Time and who and why are the Recorder's to add.
func UseOf(act *sign.Act, p sign.Profile) Use {
	u := Use{Request: act.ID, Seal: p.Seal, Document: act.Document, Format: p.Format, Source: act.Source, Content: act.Content}
	for i, part := range act.Parts {
		if i == 0 {
			u.Format = part.Format
		}
		formats := []sign.Format{part.Format}
		if part.Format == sign.Dual {
			formats = append(formats, sign.SES) // the key inside
		}
		for _, f := range formats {
			if chain := p.Specs[f].Chain; len(chain) > 0 {
				u.Certs = append(u.Certs, sign.SM3.Sum(chain[0]))
			}
		}
	}
	slices.SortFunc(u.Certs, slices.Compare)
	u.Certs = slices.CompactFunc(u.Certs, slices.Equal)
	return u
}

// Leaf writes the use as a leaf.
func (u Use) Leaf() (Leaf, error) {
	w := fields{}
	w.text("request", u.Request)
	w.text("seal", u.Seal)
	w.digests("seal.sm3", u.SealDigest)
	w.text("document", u.Document)
	w.text("kind", u.Kind)
	w.text("org", u.Org)
	w.text("person", u.Person)
	w.text("app", u.App)
	w.text("grant", u.Grant)
	w.text("approval", u.Approval)
	w.text("format", string(u.Format))
	w.sums("source.", u.Source)
	w.sums("content.", u.Content)
	w.digests("certs", u.Certs...)
	w.time("time", u.Time)
	if u.Again != nil {
		w.text("again", fmt.Sprint(*u.Again))
	}
	return w.leaf(KindUse, u.Extra, func(l Leaf) error { _, err := ParseUse(l); return err })
}

// ParseUse reads a leaf of KindUse. Fields it does not know are in Extra.
func ParseUse(l Leaf) (Use, error) {
	r := reader{fields: maps.Clone(l.Fields)}
	if l.Kind != KindUse {
		return Use{}, fmt.Errorf("%w: a leaf of kind %q is no %s", ErrFormat, l.Kind, KindUse)
	}
	u := Use{
		Request: r.need("request"), Seal: r.text("seal"), Document: r.text("document"), Kind: r.text("kind"), Org: r.text("org"),
		Person: r.text("person"), App: r.text("app"), Grant: r.text("grant"), Approval: r.text("approval"),
		Format: sign.Format(r.need("format")), Source: r.sums("source."), Content: r.sums("content."),
		Certs: r.digests("certs"), Time: r.time("time"), Again: r.number("again"),
	}
	if d := r.digests("seal.sm3"); len(d) == 1 {
		u.SealDigest = d[0]
	} else if len(d) > 1 {
		r.fail("seal.sm3", "has several digests")
	}
	if len(u.Certs) == 0 {
		r.fail("certs", "is missing: no certificate is named")
	}
	if len(u.Source)+len(u.Content) == 0 {
		r.fail("content.sm3", "and its like are missing: no document is named")
	}
	u.Extra = r.rest()
	return u, r.err
}

// An Outcome is how a Use came out.
type Outcome struct {
	Begin   uint64            // index of the Use
	Request string            // its request
	Values  [][]byte          // SM3 of each value; none when it failed
	Failure string            // why there is no value; empty: there are values
	Time    time.Time         // when it was entered; UTC, milliseconds
	Extra   map[string]string // further fields of the leaf
}

// OutcomeOf is the outcome of the use at index begin, as Recorder.End is told it. Time is the Recorder's to add. The text of an error
// is made safe to print and cut to 400 bytes.
func OutcomeOf(begin uint64, act *sign.Act, values []sign.Value, err error) Outcome {
	o := Outcome{Begin: begin, Request: act.ID}
	if err == nil && len(values) == 0 {
		err = errors.New("no values")
	}
	if err != nil {
		if o.Failure = strings.TrimSpace(strings.ToValidUTF8(plain.Text(err.Error()), "\uFFFD")); o.Failure == "" {
			o.Failure = "unknown"
		}
		if len(o.Failure) > 400 {
			o.Failure = strings.ToValidUTF8(o.Failure[:400], "") + "…"
		}
		return o
	}
	for _, v := range values {
		o.Values = append(o.Values, sign.SM3.Sum(v.Bytes))
	}
	return o
}

// Leaf writes the outcome as a leaf.
func (o Outcome) Leaf() (Leaf, error) {
	w := fields{}
	w.text("begin", fmt.Sprint(o.Begin))
	w.text("request", o.Request)
	w.digests("values", o.Values...)
	w.text("failure", o.Failure)
	w.time("time", o.Time)
	return w.leaf(KindOutcome, o.Extra, func(l Leaf) error { _, err := ParseOutcome(l); return err })
}

// ParseOutcome reads a leaf of KindOutcome. Fields it does not know are in Extra.
func ParseOutcome(l Leaf) (Outcome, error) {
	r := reader{fields: maps.Clone(l.Fields)}
	if l.Kind != KindOutcome {
		return Outcome{}, fmt.Errorf("%w: a leaf of kind %q is no %s", ErrFormat, l.Kind, KindOutcome)
	}
	o := Outcome{Request: r.need("request"), Values: r.digests("values"), Failure: r.text("failure"), Time: r.time("time")}
	if n := r.number("begin"); n != nil {
		o.Begin = *n
	} else {
		r.fail("begin", "is missing")
	}
	if (len(o.Values) > 0) == (o.Failure != "") {
		r.fail("values", "or failure is there, one of the two")
	}
	o.Extra = r.rest()
	return o, r.err
}

// fields collects the fields of a leaf; what is empty is left out.
type fields map[string]string

func (w fields) text(name, value string) {
	if value != "" {
		w[name] = value
	}
}

// digests writes digests as hex with a space between; of nothing it writes nothing.
func (w fields) digests(name string, digests ...[]byte) {
	var words []string
	for _, d := range digests {
		if len(d) > 0 {
			words = append(words, hex.EncodeToString(d))
		}
	}
	w.text(name, strings.Join(words, " "))
}

func (w fields) sums(prefix string, sums sign.Sums) {
	for h, sum := range sums {
		w[prefix+strings.ToLower(string(h))] = hex.EncodeToString(sum)
	}
}

// timeFormat is how every leaf of a ledger has its time: UTC, milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z"

func (w fields) time(name string, t time.Time) {
	if !t.IsZero() {
		w[name] = t.UTC().Format(timeFormat)
	}
}

// leaf checks by reading it back that the leaf says what was written.
func (w fields) leaf(kind string, extra map[string]string, check func(Leaf) error) (Leaf, error) {
	for name, value := range extra {
		if _, ok := w[name]; ok {
			return Leaf{}, fmt.Errorf("%w: field %q is in Extra and has a place of its own", ErrFormat, name)
		}
		w[name] = value
	}
	l := Leaf{kind, w}
	return l, check(l)
}

// reader takes fields out of a leaf, and keeps the first error.
type reader struct {
	fields map[string]string
	err    error
}

func (r *reader) fail(name, what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: field %q %s", ErrFormat, name, what)
	}
}

func (r *reader) text(name string) string {
	s := r.fields[name]
	delete(r.fields, name)
	return s
}

func (r *reader) need(name string) string {
	s := r.text(name)
	if s == "" {
		r.fail(name, "is missing")
	}
	return s
}

func (r *reader) number(name string) *uint64 {
	s := r.text(name)
	if s == "" {
		return nil
	}
	n, err := parseUint(s)
	if err != nil {
		r.fail(name, "is no decimal number")
	}
	return &n
}

func (r *reader) digests(name string) (digests [][]byte) {
	s := r.text(name)
	if s == "" {
		return nil
	}
	for word := range strings.SplitSeq(s, " ") {
		d := r.digest(name, word, HashSize)
		digests = append(digests, d)
	}
	return digests
}

func (r *reader) digest(name, s string, size int) []byte {
	d, err := hex.DecodeString(s)
	if err != nil || len(d) != size || hex.EncodeToString(d) != s {
		r.fail(name, fmt.Sprintf("is not a digest of %d bytes in lower-case hex", size))
	}
	return d
}

// sumHashes are the hashes that sums in leaves may have: those that sign.
var sumHashes = []sign.Hash{sign.SM3, sign.SHA256, sign.SHA384, sign.SHA512}

func (r *reader) sums(prefix string) sign.Sums {
	var sums sign.Sums
	for _, h := range sumHashes {
		name := prefix + strings.ToLower(string(h))
		s := r.text(name)
		if s == "" {
			continue
		}
		if sums == nil {
			sums = sign.Sums{}
		}
		sums[h] = r.digest(name, s, h.Size())
	}
	for name := range r.fields {
		if strings.HasPrefix(name, prefix) {
			r.fail(name, "is a digest by a hash that is not known here")
		}
	}
	return sums
}

func (r *reader) time(name string) time.Time {
	s := r.need(name)
	t, err := time.Parse(timeFormat, s)
	if s != "" && (err != nil || t.Format(timeFormat) != s) {
		r.fail(name, "is no time such as 2026-01-31T09:30:00.000Z")
	}
	return t
}

func (r *reader) rest() map[string]string {
	if len(r.fields) == 0 {
		return nil
	}
	return r.fields
}
