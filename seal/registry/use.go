package registry

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/sign"
)

var useTables = []table{
	// entry is the first use.begin of the request, last the newest, ended its use.end; -1 is none. date is the day
	// of the first, day that on which it is counted against limits.
	{"use", `entry BIGINT PRIMARY KEY, last BIGINT NOT NULL, ended BIGINT NOT NULL, request TEXT NOT NULL UNIQUE, seal TEXT NOT NULL,
		document TEXT NOT NULL, kind TEXT NOT NULL, org TEXT NOT NULL, person TEXT NOT NULL, app TEXT NOT NULL, grant_id TEXT NOT NULL,
		application TEXT NOT NULL, format TEXT NOT NULL, source TEXT NOT NULL, content TEXT NOT NULL, at BIGINT NOT NULL, day BIGINT NOT NULL,
		date BIGINT NOT NULL, state TEXT NOT NULL, ended_at BIGINT NOT NULL, outcome TEXT NOT NULL,
		withdrawn BIGINT NOT NULL, withdrawn_at BIGINT NOT NULL, reason TEXT NOT NULL, claimed BIGINT NOT NULL`,
		[]string{"last", "source", "content", "seal, entry", "org, entry"}},
}

// uses apply the entries of a Recorder, which are no operations: their leaves are audit.Use and audit.Outcome, for verifiers
// to read.
var uses = map[string]func(*state, audit.Leaf, audit.Private) error{
	audit.KindUse:     applyUse,
	audit.KindOutcome: applyOutcome,
}

// A UseState is how far a use has come.
type UseState string

const (
	Begun  UseState = "begun"  // entered; no outcome is known
	Done   UseState = "done"   // values were made
	Failed UseState = "failed" // no value was made: it counts against no limit
)

// A UseInfo is what the books hold of one use of a seal.
type UseInfo struct {
	Entry       uint64      `json:"entry"` // of its first use.begin
	Last        uint64      `json:"last"`  // of its newest, after a repetition; else Entry
	Request     string      `json:"request"`
	Seal        string      `json:"seal"`
	Document    string      `json:"document,omitempty"`
	Kind        string      `json:"kind,omitempty"` // of document
	Court       string      `json:"court"`
	Person      string      `json:"person,omitempty"`
	App         string      `json:"app,omitempty"`
	Grant       string      `json:"grant,omitempty"`
	Application string      `json:"application,omitempty"`
	Format      sign.Format `json:"format"`
	Source      string      `json:"source"`  // "SM3:" and hex, of the document as received; another hash where that was not taken
	Content     string      `json:"content"` // of what is signed
	Time        time.Time   `json:"time"`
	Claimed     time.Time   `json:"claimed,omitzero"` // that what is signed says; of the newest attempt
	State       UseState    `json:"state"`

	Ended   time.Time `json:"ended,omitzero"`    // zero: no outcome
	Outcome uint64    `json:"outcome,omitempty"` // its entry
	Values  []string  `json:"values,omitempty"`  // SM3 of each value, hex
	Failure string    `json:"failure,omitempty"` // why it failed

	Withdrawn  time.Time `json:"withdrawn,omitzero"`   // zero: it is not
	Withdrawal uint64    `json:"withdrawal,omitempty"` // its entry
	Reason     string    `json:"reason,omitempty"`     // of the withdrawal

	day int64
}

const useColumns = `entry, last, ended, request, seal, document, kind, org, person, app, grant_id, application, format, source, content, at, day, state, ` +
	`ended_at, outcome, withdrawn, withdrawn_at, reason, claimed`

// usesWhere are uses that match a condition, which ends with their order.
func (s *state) usesWhere(where string, args ...any) (list []UseInfo, err error) {
	err = s.each(`SELECT `+useColumns+` FROM @use WHERE `+where, args, func(scan func(...any) error) error {
		var u UseInfo
		var entry, last, ended, at, endedAt, withdrawn, withdrawnAt, claimed int64
		var outcome string
		err := scan(&entry, &last, &ended, &u.Request, &u.Seal, &u.Document, &u.Kind, &u.Court, &u.Person, &u.App, &u.Grant, &u.Application, &u.Format,
			&u.Source, &u.Content, &at, &u.day, &u.State, &endedAt, &outcome, &withdrawn, &withdrawnAt, &u.Reason, &claimed)
		u.Entry, u.Last, u.Time, u.Claimed = uint64(entry), uint64(last), fromMillis(at), fromMillis(claimed)
		if ended >= 0 {
			u.Outcome, u.Ended = uint64(ended), fromMillis(endedAt)
		}
		if u.State == Done {
			u.Values = strings.Fields(outcome)
		} else {
			u.Failure = outcome
		}
		if withdrawn >= 0 {
			u.Withdrawal, u.Withdrawn = uint64(withdrawn), fromMillis(withdrawnAt)
		}
		list = append(list, u)
		return err
	})
	return list, err
}

// use is the use of a request.
func (s *state) use(request string) (UseInfo, error) {
	return oneUse("request " + request)(s.usesWhere(`request = $1`, request))
}

func oneUse(what string) func([]UseInfo, error) (UseInfo, error) {
	return func(list []UseInfo, err error) (UseInfo, error) {
		if err == nil && len(list) == 0 {
			err = fmt.Errorf("%w: %s", ErrUnknown, what)
		}
		if err != nil {
			return UseInfo{}, err
		}
		return list[0], nil
	}
}

// counters are the names under which a use is counted, by the day.
func (u UseInfo) counters() []string {
	names := []string{"seal " + u.Seal}
	if u.Grant != "" {
		names = append(names, "grant "+u.Grant)
	}
	if u.App != "" {
		names = append(names, "app "+u.App)
	}
	return names
}

// counts adds a use to all that it counts against, n = 1, or gives it back, n = -1.
func (s *state) counts(u UseInfo, n int) error {
	if err := s.count(u.day, n, u.counters()...); err != nil {
		return err
	}
	if u.Grant != "" {
		if err := s.change("grant "+u.Grant, `UPDATE @grant SET used = used + $2 WHERE id = $1`, u.Grant, n); err != nil {
			return err
		}
	}
	if u.Application == "" {
		return nil
	}
	become := "done"
	if n < 0 {
		become = "approved"
	}
	return s.change("application "+u.Application, `UPDATE @application SET state = $2 WHERE id = $1`, u.Application, become)
}

// applyUse enters a use, or another attempt at one.
func applyUse(s *state, leaf audit.Leaf, private audit.Private) error {
	a, err := audit.ParseUse(leaf)
	if err != nil {
		return err
	}
	s.time = a.Time
	if a.Again != nil {
		return s.again(a)
	}
	u := UseInfo{Seal: a.Seal, Grant: a.Grant, App: a.App, Application: a.Approval, day: s.date(a.Time)}
	if err := s.counts(u, 1); err != nil {
		return err
	}
	index := int64(s.index)
	return s.exec(`INSERT INTO @use VALUES ($1, $1, -1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 'begun', 0, '', -1, 0, '', $17)`,
		index, a.Request, a.Seal, private["document"].Value, a.Kind, a.Org, a.Person, a.App, a.Grant, a.Approval, string(a.Format),
		digestOf(a.Source), digestOf(a.Content), millis(a.Time), u.day, u.day, claimedIn(a))
}

// claimedIn is the time that an act claims, as it stands in tables; 0 where the entry does not say.
func claimedIn(a audit.Use) int64 {
	t, err := time.Parse(time.RFC3339, a.Extra[claimed])
	if err != nil {
		return 0
	}
	return millis(t)
}

// again enters another attempt at a use. One that failed counts again; one that came to no end has been counted, and is now on the day
// of this attempt: else a week of acts that were begun could be sealed in one day.
func (s *state) again(a audit.Use) error {
	old, err := s.use(a.Request)
	if err != nil {
		return err
	}
	if *a.Again != old.Entry || old.State == Done {
		return fmt.Errorf("%w: request %s was entered in entry %d and is %s", ErrExists, old.Request, old.Entry, old.State)
	}
	day := s.date(a.Time)
	switch {
	case old.State == Failed:
		old.day, old.Grant, old.Application = day, a.Grant, a.Approval
		err = s.counts(old, 1)
	case old.day != day:
		if err = s.count(old.day, -1, old.counters()...); err == nil {
			err = s.count(day, 1, old.counters()...)
		}
		old.day = day
	}
	if err != nil {
		return err
	}
	return s.change("use", `UPDATE @use SET last = $2, ended = -1, ended_at = 0, state = 'begun', outcome = '', content = $3, format = $4, day = $5,
		grant_id = $6, application = $7, claimed = $8 WHERE entry = $1`,
		int64(old.Entry), int64(s.index), digestOf(a.Content), string(a.Format), old.day, old.Grant, old.Application, claimedIn(a))
}

// applyOutcome enters how a use came out. One that failed is given back to what it counted against.
func applyOutcome(s *state, leaf audit.Leaf, _ audit.Private) error {
	o, err := audit.ParseOutcome(leaf)
	if err != nil {
		return err
	}
	s.time = o.Time
	if o.Failure == "" {
		text := make([]string, len(o.Values))
		for i, v := range o.Values {
			text[i] = hex.EncodeToString(v)
		}
		return s.ended(o, Done, strings.Join(text, " "))
	}
	u, err := oneUse(fmt.Sprintf("use of entry %d", o.Begin))(s.usesWhere(`last = $1`, int64(o.Begin)))
	if err != nil {
		return err
	}
	if err := s.counts(u, -1); err != nil {
		return err
	}
	return s.ended(o, Failed, o.Failure)
}

func (s *state) ended(o audit.Outcome, as UseState, text string) error {
	return s.change(fmt.Sprintf("use of entry %d that has no outcome", o.Begin),
		`UPDATE @use SET ended = $2, ended_at = $3, state = $4, outcome = $5 WHERE last = $1 AND state = 'begun'`,
		int64(o.Begin), int64(s.index), millis(o.Time), string(as), text)
}

// digestOf names a content by one of its sums: SM3 where that was taken.
func digestOf(sums sign.Sums) string {
	for _, h := range []sign.Hash{sign.SM3, sign.SHA256, sign.SHA384, sign.SHA512} {
		if sum := sums[h]; len(sum) > 0 {
			return string(h) + ":" + hex.EncodeToString(sum)
		}
	}
	return ""
}

// outcomeText is an outcome as the table has it: the digests of the values, or why there are none.
func outcomeText(o audit.Outcome) (UseState, string) {
	if o.Failure != "" {
		return Failed, o.Failure
	}
	text := make([]string, len(o.Values))
	for i, v := range o.Values {
		text[i] = hex.EncodeToString(v)
	}
	return Done, strings.Join(text, " ")
}
