package audit

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// MaxListed is the largest number of entries of a state list, which must go into one note (MaxNote).
	MaxListed = 3000

	listHeader = "courtseal.state-list/v1"
)

var (
	// ErrListExpired: the state list is too old to be relied on. Get the newest.
	ErrListExpired = errors.New("audit: the state list has expired")
	// ErrListOld: the state list's number is lower than the grant wants, or than one that was used already.
	ErrListOld = errors.New("audit: there is a newer state list")
	// ErrListOther: the state list is of another ledger than that which the grant names.
	ErrListOther = errors.New("audit: the grant goes with other state lists")
	// ErrListed is what every ListedError wraps.
	ErrListed = errors.New("audit: not active by the state list")
)

// What a state list tells of.
const (
	ListedCertificate = "cert"  // ID: its SM3 digest, hex
	ListedGrant       = "grant" // ID: of an offline grant
	ListedSeal        = "seal"  // ID: esID
)

// A StateList tells who has no network what is not in order: seals that are not active, and certificates and offline grants that
// were withdrawn. What is not listed is in order. Lists are numbered, and nobody who has seen one goes back to a lower number.
type StateList struct {
	Log     string // origin of the ledger that issues it, and the name of the key that signs it
	Number  uint64
	Issued  time.Time // whole seconds
	Expires time.Time // the last second in which it may be relied on
	Entries []Listed  // by What and ID, ascending; at most MaxListed
}

// A Listed is one line of a state list.
type Listed struct {
	What   string // ListedSeal, ListedCertificate or ListedGrant
	ID     string
	Status string // of a-z and '-', such as "lost", "suspended", "revoked"
	Since  time.Time
}

func (e Listed) compare(other Listed) int {
	if c := strings.Compare(e.What, other.What); c != 0 {
		return c
	}
	return strings.Compare(e.ID, other.ID)
}

// A ListedError says what is not active. It wraps ErrListed.
type ListedError struct {
	Listed
	Number uint64 // of the list
}

func (e *ListedError) Error() string {
	return fmt.Sprintf("%v: %s %.80q is %s since %s (list %d)", ErrListed, e.What, e.ID, e.Status, timeText(e.Since), e.Number)
}

func (e *ListedError) Unwrap() error { return ErrListed }

// Marshal writes the text that is signed. Entries must be in order.
func (l *StateList) Marshal() ([]byte, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	b := fmt.Appendf(nil, "%s\nlog %s\nnumber %d\nissued %s\nexpires %s\n", listHeader, l.Log, l.Number, timeText(l.Issued), timeText(l.Expires))
	for _, e := range l.Entries {
		b = fmt.Appendf(b, "%s %s %s %s\n", e.What, e.Status, timeText(e.Since), e.ID)
	}
	return b, nil
}

// ParseStateList reads the text of a list. What it reads, Marshal writes byte for byte. It says nothing of signatures: see
// OpenStateList.
func ParseStateList(text []byte) (*StateList, error) {
	lines := strings.Split(string(text), "\n")
	n := len(lines) - 1 // the last is what stands after the last line feed
	if n < 5 || lines[0] != listHeader || lines[n] != "" {
		return nil, fmt.Errorf("%w: a state list begins with the line %q and four more, and ends in a line feed", ErrFormat, listHeader)
	}
	if n > 5+MaxListed {
		return nil, fmt.Errorf("%w: a state list of more than %d entries", ErrTooLarge, MaxListed)
	}
	r := reader{fields: map[string]string{}}
	for _, line := range lines[1:5] {
		name, value, _ := strings.Cut(line, " ")
		r.fields[name] = value
	}
	l := &StateList{Log: r.need("log"), Number: r.count("number"), Issued: r.time("issued"), Expires: r.time("expires")}
	if r.err != nil {
		return nil, fmt.Errorf("%w (state list)", r.err)
	}
	for i, line := range lines[5:n] {
		part := strings.SplitN(line, " ", 4)
		if len(part) != 4 {
			return nil, fmt.Errorf("%w: entry %d of a state list is not what, status, time, ID", ErrFormat, i)
		}
		since, err := time.Parse(timeFormat, part[2])
		if err != nil {
			return nil, fmt.Errorf("%w: entry %d of a state list has the time %.40q", ErrFormat, i, part[2])
		}
		l.Entries = append(l.Entries, Listed{What: part[0], Status: part[1], Since: since, ID: part[3]})
	}
	again, err := l.Marshal()
	if err != nil {
		return nil, err
	}
	if string(again) != string(text) {
		return nil, fmt.Errorf("%w: a state list is not written in the one way", ErrFormat)
	}
	return l, nil
}

func isHexDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == HashSize && hex.EncodeToString(b) == s
}

func (l *StateList) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: state list %d: %s", ErrFormat, l.Number, fmt.Sprintf(format, args...))
	}
	switch {
	case len(l.Entries) > MaxListed:
		return fmt.Errorf("%w: a state list of %d entries; %d are the most", ErrTooLarge, len(l.Entries), MaxListed)
	case checkName(l.Log) != nil:
		return bad("%.80q is no origin", l.Log)
	case !isWholeSecond(l.Issued) || !isWholeSecond(l.Expires) || l.Expires.Before(l.Issued):
		return bad("issued %s, expires %s is no period of whole seconds", l.Issued, l.Expires)
	}
	for i, e := range l.Entries {
		switch {
		case e.What != ListedSeal && e.What != ListedCertificate && e.What != ListedGrant:
			return bad("entry %d is of %.40q; cert, grant and seal are known", i, e.What)
		case e.What == ListedCertificate && !isHexDigest(e.ID):
			return bad("entry %d has the digest %.80q; 64 lower-case hexadecimal digits are one", i, e.ID)
		case e.Status == "" || len(e.Status) > maxName || strings.Trim(e.Status, "abcdefghijklmnopqrstuvwxyz-") != "":
			return bad("entry %d has the status %.40q; statuses are of a-z and '-'", i, e.Status)
		case checkValue("ID", e.ID) != nil:
			return bad("entry %d has no usable ID", i)
		case !isWholeSecond(e.Since):
			return bad("entry %d has a time that is not of whole seconds", i)
		case i > 0 && l.Entries[i-1].compare(e) >= 0:
			return bad("entry %d, %s %.80q, is not in its order", i, e.What, e.ID)
		}
	}
	return nil
}

// Sign writes the list as a signed note. One signer at least has the name of the ledger: OpenStateList wants that.
func (l *StateList) Sign(signers ...Signer) ([]byte, error) {
	text, err := l.Marshal()
	if err != nil {
		return nil, err
	}
	return signAs(l.Log, text, signers)
}

// OpenStateList opens a note with OpenNote and reads its list. A known key must have signed whose name is that of the list's ledger,
// or the error is ErrUnknownLog.
func OpenStateList(note []byte, known ...Verifier) (*StateList, error) {
	return openAs(note, known, ParseStateList, func(l *StateList) string { return l.Log })
}

// Find returns the entry of a seal, a certificate or a grant; ok is false where there is none, which is as it should be.
func (l *StateList) Find(what, id string) (e Listed, ok bool) {
	i, ok := slices.BinarySearchFunc(l.Entries, Listed{What: what, ID: id}, Listed.compare)
	if ok {
		e = l.Entries[i]
	}
	return e, ok
}

// CheckList says whether the grant may be used at a time by what a list tells: ErrListOther, ErrListOld, ErrListExpired, or a
// *ListedError (ErrListed) of the seal, of a certificate or of the grant itself.
func (g *OfflineGrant) CheckList(l *StateList, at time.Time) error {
	switch {
	case l.Log != g.Lists:
		return fmt.Errorf("%w: of %.120q, and this one is of %.120q", ErrListOther, g.Lists, l.Log)
	case l.Number < g.Oldest:
		return fmt.Errorf("%w: the grant wants number %d or higher, and this one is %d", ErrListOld, g.Oldest, l.Number)
	case at.Truncate(time.Second).After(l.Expires):
		return fmt.Errorf("%w: list %d could be relied on until %s", ErrListExpired, l.Number, timeText(l.Expires))
	}
	named := []Listed{{What: ListedSeal, ID: g.Seal}, {What: ListedGrant, ID: g.ID}}
	for _, d := range g.Devices {
		named = append(named, Listed{What: ListedCertificate, ID: hex.EncodeToString(d)})
	}
	for _, n := range named {
		if e, ok := l.Find(n.What, n.ID); ok {
			return &ListedError{e, l.Number}
		}
	}
	return nil
}
