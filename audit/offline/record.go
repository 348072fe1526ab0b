package offline

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/sign"
)

// maxUse is the longest leaf of a use that a book writes, in bytes. Evidence has room for it.
const maxUse = 4 << 10

// A Purpose is who uses the seal, and what for. Person and the document's name are concealed in what the sealed document binds.
type Purpose struct {
	Kind     string // of document; the grant must allow it
	Person   string // who asks for it
	App      string // application it is asked through; may be empty
	Approval string // of this document; may be empty
}

// Recorder enters acts for a purpose. Wrap the seal's signer with it: [audit.Record].
//
// One request id is one use. An act with the id of one that is done gets its values again and nothing is signed, if source and content
// are the same; while the first is being signed, the second waits for it. Where the process ended in between, or signing failed, the
// act is signed now: with the same use if its content is the same, else with a further one that names the first (Use.Again), for the
// first may be in a document. Another document, seal or purpose under the same id is ErrRequest, and so is one that is done and comes
// with other content: who wants to ask again prepares for the same moment (pdfx.Options.Now).
//
// Begin refuses with audit.ErrGrantExpired, audit.ErrGrantNotYet, audit.ErrGrantUsedUp, audit.ErrGrantKind, audit.ErrGrantSeal,
// audit.ErrGrantDevice, ErrNoList, audit.ErrListExpired, audit.ErrListOld, an *audit.ListedError (audit.ErrListed), audit.ErrActTime,
// ErrClock, ErrRequest, and ErrBroken where the disk failed.
func (b *Book) Recorder(p Purpose) audit.Recorder { return &recorder{b, p} }

type recorder struct {
	b *Book
	p Purpose
}

// MaxEvidence is how long the evidence may be, for [audit.Record].
func (r *recorder) MaxEvidence() int {
	return len((&audit.OfflineEvidence{GrantNote: r.b.note}).Marshal()) + base64.StdEncoding.EncodedLen(maxUse)
}

// Begin implements audit.Recorder.
func (r *recorder) Begin(ctx context.Context, act *sign.Act, p sign.Profile) (audit.Permit, error) {
	for {
		permit, wait, err := r.begin(act, p)
		if wait == nil {
			return permit, err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return audit.Permit{}, ctx.Err()
		}
	}
}

// begin decides about the act, or says what to wait for: the same request is being signed.
func (r *recorder) begin(act *sign.Act, p sign.Profile) (permit audit.Permit, wait <-chan struct{}, err error) {
	b := r.b
	b.mu.Lock()
	defer b.mu.Unlock()
	asked := audit.UseOf(act, p)
	first := b.request[act.ID]
	if first != nil {
		if err := r.same(first, asked); err != nil {
			return permit, nil, err
		}
		if first.busy != nil {
			return permit, first.busy, nil
		}
		if first.outcome != nil && first.outcome.Failure == "" {
			permit.Values, err = b.values(first, asked)
			return permit, nil, err
		}
	}
	if first == nil || first.outcome != nil || first.Number <= b.settled || !equalSums(first.Use.Content, asked.Content) {
		err = r.write(act, asked, first)
	} else if err = b.allow(act); err == nil { // the process ended in between: the use has the time of then
		err = audit.CheckActTime(act, first.Use.Time)
	}
	if err != nil {
		return permit, nil, err
	}
	u := b.request[act.ID]
	u.busy = make(chan struct{})
	permit.Evidence = (&audit.OfflineEvidence{GrantNote: b.note, Leaf: u.leaf}).Marshal()
	return permit, nil, nil
}

// same reports whether a request is the one that was entered.
func (r *recorder) same(u *use, asked audit.Use) error {
	h := u.Use
	names, err := audit.ParsePrivate(u.private)
	if err != nil {
		return fmt.Errorf("%w: use %d: %w", ErrDamaged, u.Number, err)
	}
	purpose := Purpose{Kind: h.Kind, Person: names["person"].Value, App: h.App, Approval: h.Approval}
	if purpose != r.p || h.Seal != asked.Seal || h.Format != asked.Format || !equalSums(h.Source, asked.Source) ||
		!slices.EqualFunc(h.Certs, asked.Certs, bytes.Equal) {
		return fmt.Errorf("%w: id %.80q is that of use %d, with another document, seal or purpose", ErrRequest, h.Request, u.Number)
	}
	return nil
}

func equalSums(a, b sign.Sums) bool {
	if len(a) != len(b) {
		return false
	}
	for h, sum := range a {
		if !bytes.Equal(sum, b[h]) {
			return false
		}
	}
	return true
}

// allow asks clock, period and state list. What the act itself may be, CheckUse says.
func (b *Book) allow(act *sign.Act) error {
	if b.j.broken != nil {
		return fmt.Errorf("%w: %w", ErrBroken, b.j.broken)
	}
	if !b.seal {
		return fmt.Errorf("%w: the book was opened without a seal, to give account only", audit.ErrGrantSeal)
	}
	now, err := b.clock()
	if err != nil {
		return err
	}
	if err := errors.Join(b.grant.CheckTime(now), b.grant.CheckTime(act.Time)); err != nil {
		return err
	}
	switch {
	case b.listErr != nil:
		return fmt.Errorf("%w: %w", ErrNoList, b.listErr)
	case b.list == nil:
		return fmt.Errorf("%w: the grant goes with those of %.120q, from number %d on", ErrNoList, b.grant.Lists, b.grant.Oldest)
	}
	return b.grant.CheckList(b.list, now)
}

// write enters a use, the next number, for an act; first is an earlier use for the same request.
func (r *recorder) write(act *sign.Act, asked audit.Use, first *use) error {
	b := r.b
	if err := b.allow(act); err != nil {
		return err
	}
	if err := audit.CheckActTime(act, b.last); err != nil {
		return err
	}
	private := audit.Private{}
	conceal := func(name, value string) string {
		if value == "" {
			return ""
		}
		s := audit.Secret{Salt: audit.NewSalt(), Value: value}
		private[name] = s
		return audit.Conceal(b.grant.Profile(), s.Salt, value)
	}
	asked.Document, asked.Person = conceal("document", act.Document), conceal("person", r.p.Person)
	asked.SealDigest, asked.Org, asked.Grant, asked.Time = b.grant.SealDigest, b.grant.Org, b.grant.ID, b.last
	asked.Kind, asked.App, asked.Approval = r.p.Kind, r.p.App, r.p.Approval
	if first != nil {
		asked.Again = &first.Number
	}
	u := &use{OfflineUse: audit.OfflineUse{Number: uint64(len(b.uses)) + 1, Prev: b.head, List: b.list.Number, Use: asked}}
	if err := b.grant.CheckUse(&u.OfflineUse); err != nil {
		return err
	}
	leaf, err := u.Marshal()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if len(leaf) > maxUse {
		return fmt.Errorf("%w: what it says is %d bytes long, and %d are the most", ErrRequest, len(leaf), maxUse)
	}
	u.leaf = leaf
	if u.private, err = private.Marshal(); err != nil {
		return fmt.Errorf("%w: %w", ErrRequest, err)
	}
	if _, err := b.j.append(line{"use", [][]byte{u.leaf, u.private}}); err != nil {
		return err
	}
	// What is kept is what was written: the sums in asked are the act's.
	back, err := audit.ParseOfflineUse(leaf)
	if err != nil {
		return err
	}
	u.OfflineUse = *back
	return b.add(u)
}

// values are the answer to an act that was done before.
func (b *Book) values(u *use, asked audit.Use) ([]sign.Value, error) {
	if !equalSums(u.Use.Content, asked.Content) {
		return nil, fmt.Errorf("%w: id %.80q is done, as use %d, with the same document otherwise prepared; its value is in that one",
			ErrRequest, u.Use.Request, u.Number)
	}
	l, err := b.j.read(u.end)
	if err != nil {
		return nil, err
	}
	var values []sign.Value
	if err := json.Unmarshal(l.words[1], &values); err != nil {
		return nil, fmt.Errorf("%w: values of use %d: %w", ErrDamaged, u.Number, err)
	}
	return values, nil
}

// End implements audit.Recorder.
func (r *recorder) End(_ context.Context, act *sign.Act, values []sign.Value, failed error) error {
	b := r.b
	b.mu.Lock()
	defer b.mu.Unlock()
	u := b.request[act.ID]
	if u == nil || u.busy == nil {
		return fmt.Errorf("%w: id %.80q ends, and is not in work", ErrRequest, act.ID)
	}
	defer func() {
		close(u.busy)
		u.busy = nil
	}()
	o := audit.OutcomeOf(u.Number, act, values, failed)
	o.Time = b.ended()
	l, err := o.Leaf()
	if err != nil {
		return err
	}
	leaf, err := l.Marshal()
	if err != nil {
		return err
	}
	var kept []byte
	if failed == nil {
		if kept, err = json.Marshal(values); err != nil {
			return err
		}
	}
	at, err := b.j.append(line{"end", [][]byte{leaf, kept}})
	if err != nil {
		return err
	}
	u.outcome, u.end = &o, at
	return nil
}
