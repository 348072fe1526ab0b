package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// MaxOfflineUses is the largest number of uses that an offline grant gives.
	MaxOfflineUses = 10_000

	grantHeader = "courtseal.offline-grant/v1\n"
	anyKind     = "*"
	maxKinds    = 64
	maxDevices  = 8
)

var (
	// ErrGrantPeriod is what ErrGrantExpired and ErrGrantNotYet are.
	ErrGrantPeriod = errors.New("audit: outside the period of the offline grant")
	// ErrGrantExpired: the offline grant has ended. Ask for a new one.
	ErrGrantExpired = fmt.Errorf("%w: it has ended", ErrGrantPeriod)
	// ErrGrantNotYet: the offline grant has not begun.
	ErrGrantNotYet = fmt.Errorf("%w: it has not begun", ErrGrantPeriod)
	// ErrGrantUsedUp: a use beyond the number that the offline grant gives.
	ErrGrantUsedUp = errors.New("audit: the offline grant is used up")
	// ErrGrantKind: a kind of document that the offline grant does not name.
	ErrGrantKind = errors.New("audit: the offline grant is not for this kind of document")
	// ErrGrantSeal: another seal than that of the offline grant, or the seal in another version.
	ErrGrantSeal = errors.New("audit: the offline grant is for another seal")
	// ErrGrantDevice: a certificate that the offline grant does not name.
	ErrGrantDevice = errors.New("audit: the offline grant is for another key device")
	// ErrGrantOrg: another court than that of the offline grant.
	ErrGrantOrg = errors.New("audit: the offline grant is for another court")
	// ErrGrantOther: a record that names another offline grant.
	ErrGrantOther = errors.New("audit: of another offline grant")
)

// An OfflineGrant (离线授权) lets one key device use one seal where no ledger can be reached: so often, so long, for such documents.
// Each use is an OfflineUse. Who issues it answers for it with the key of a ledger.
type OfflineGrant struct {
	ID         string
	Log        string    // origin of the issuer's ledger, and the name of the key that signs the grant
	Lists      string    // origin of the state lists that are used with it
	Org        string    // the court
	Seal       string    // esID
	SealDigest []byte    // SM3 of the SESeal's bytes
	Devices    [][]byte  // SM3 of the certificates of the device (DER): 1 to 8
	Kinds      []string  // of documents: 1 to 64; "*" alone: any
	From, To   time.Time // whole seconds, both included
	Uses       uint64    // 1 to MaxOfflineUses
	Oldest     uint64    // number of the oldest state list that may be used
}

// Profile is the hash that chains the uses of the grant: that of its ledger, which will have them as entries.
func (g *OfflineGrant) Profile() Profile { return ProfileOf(g.Log) }

// Start is what the first use of the grant has as Prev: the hash of the grant's text as a leaf.
func (g *OfflineGrant) Start() (Hash, error) {
	text, err := g.Marshal()
	return g.Profile().LeafHash(text), err
}

// Marshal writes the text that is signed.
func (g *OfflineGrant) Marshal() ([]byte, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	w := fields{"uses": fmt.Sprint(g.Uses), "oldest": fmt.Sprint(g.Oldest)}
	w.text("id", g.ID)
	w.text("log", g.Log)
	w.text("lists", g.Lists)
	w.text("org", g.Org)
	w.text("seal", g.Seal)
	w.digests("seal.sm3", g.SealDigest)
	w.digests("devices", g.Devices...)
	w.time("from", g.From)
	w.time("to", g.To)
	for i, k := range g.Kinds {
		w.text(kindField(i), k)
	}
	return marshalFields(grantHeader, w)
}

// ParseOfflineGrant reads the text of a grant. What it reads, Marshal writes byte for byte. It says nothing of signatures:
// see OpenOfflineGrant.
func ParseOfflineGrant(text []byte) (*OfflineGrant, error) {
	f, err := parseFields(grantHeader, text)
	if err != nil {
		return nil, fmt.Errorf("%w (offline grant)", err)
	}
	r := reader{fields: f}
	g := &OfflineGrant{
		ID: r.need("id"), Log: r.need("log"), Lists: r.need("lists"), Org: r.need("org"), Seal: r.need("seal"),
		Devices: r.digests("devices"), From: r.time("from"), To: r.time("to"), Uses: r.count("uses"), Oldest: r.count("oldest"),
	}
	if d := r.digests("seal.sm3"); len(d) == 1 {
		g.SealDigest = d[0]
	}
	for k := r.text(kindField(0)); k != ""; k = r.text(kindField(len(g.Kinds))) {
		g.Kinds = append(g.Kinds, k)
	}
	for name := range r.rest() {
		r.fail(name, "is not known")
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w (offline grant)", r.err)
	}
	return g, g.check()
}

func kindField(i int) string { return fmt.Sprintf("kind.%02d", i+1) }

// count is number where there must be one.
func (r *reader) count(name string) uint64 {
	if n := r.number(name); n != nil {
		return *n
	}
	r.fail(name, "is missing")
	return 0
}

func (g *OfflineGrant) check() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: offline grant %.80q: %s", ErrFormat, g.ID, fmt.Sprintf(format, args...))
	}
	for _, name := range []string{g.Log, g.Lists} {
		if checkName(name) != nil {
			return bad("%.80q is no origin", name)
		}
	}
	for _, v := range []string{g.ID, g.Org, g.Seal} {
		if checkValue("id", v) != nil {
			return bad("ID, Org or Seal is not a text of one line: %.80q", v)
		}
	}
	for _, d := range append([][]byte{g.SealDigest}, g.Devices...) {
		if len(d) != HashSize {
			return bad("a digest of %d bytes, and SM3 has %d", len(d), HashSize)
		}
	}
	switch {
	case len(g.Devices) == 0 || len(g.Devices) > maxDevices || repeats(g.Devices, slices.Compare):
		return bad("it names %d devices' certificates; 1 to %d different ones are named", len(g.Devices), maxDevices)
	case len(g.Kinds) == 0 || len(g.Kinds) > maxKinds || repeats(g.Kinds, strings.Compare):
		return bad("it names %d kinds of documents; 1 to %d different ones are named, or %q", len(g.Kinds), maxKinds, anyKind)
	case len(g.Kinds) > 1 && slices.Contains(g.Kinds, anyKind):
		return bad("%q stands among other kinds", anyKind)
	case g.Uses == 0 || g.Uses > MaxOfflineUses:
		return bad("%d uses; 1 to %d are given", g.Uses, MaxOfflineUses)
	case slices.ContainsFunc(g.Kinds, func(k string) bool { return checkValue("kind", k) != nil }):
		return bad("a kind of document is not a text of one line")
	case !isWholeSecond(g.From) || !isWholeSecond(g.To) || g.To.Before(g.From):
		return bad("from %s to %s is no period of whole seconds", g.From, g.To)
	}
	return nil
}

// Sign writes the grant as a signed note. One signer at least has the name of the ledger: OpenOfflineGrant wants that.
func (g *OfflineGrant) Sign(signers ...Signer) ([]byte, error) {
	text, err := g.Marshal()
	if err != nil {
		return nil, err
	}
	return signAs(g.Log, text, signers)
}

// OpenOfflineGrant opens a note with OpenNote and reads its grant. A known key must have signed whose name is that of the grant's
// ledger, or the error is ErrUnknownLog.
func OpenOfflineGrant(note []byte, known ...Verifier) (*OfflineGrant, error) {
	return openAs(note, known, ParseOfflineGrant, func(g *OfflineGrant) string { return g.Log })
}

// Allows reports whether the grant is for documents of a kind.
func (g *OfflineGrant) Allows(kind string) bool {
	return slices.Contains(g.Kinds, kind) || g.Kinds[0] == anyKind
}

// CheckTime holds a moment to the period: ErrGrantExpired, ErrGrantNotYet.
func (g *OfflineGrant) CheckTime(t time.Time) error {
	t = t.Truncate(time.Second) // the last second counts whole
	switch {
	case t.Before(g.From):
		return fmt.Errorf("%w: offline grant %.80q is from %s, not at %s", ErrGrantNotYet, g.ID, timeText(g.From), timeText(t))
	case t.After(g.To):
		return fmt.Errorf("%w: offline grant %.80q is to %s, not at %s", ErrGrantExpired, g.ID, timeText(g.To), timeText(t))
	}
	return nil
}

// signAs signs a text in the name of a ledger.
func signAs(log string, text []byte, signers []Signer) ([]byte, error) {
	if !slices.ContainsFunc(signers, func(s Signer) bool { return s.Name() == log }) {
		return nil, fmt.Errorf("%w: no signer has the name of the log %.120q", ErrKey, log)
	}
	return SignNote(text, signers...)
}

// openAs opens a note, reads what it says, and wants a signature in the name of the ledger that says it.
func openAs[T any](note []byte, known []Verifier, parse func([]byte) (*T, error), log func(*T) string) (*T, error) {
	n, err := OpenNote(note, known...)
	if err != nil {
		return nil, err
	}
	v, err := parse(n.Text)
	if err != nil {
		return nil, err
	}
	return v, n.signedAs(log(v))
}

// signedAs holds a note to a signature in the name of a ledger: the key of one does not speak for another.
func (n *Note) signedAs(log string) error {
	if !slices.ContainsFunc(n.By, func(v Verifier) bool { return v.Name() == log }) {
		return fmt.Errorf("%w: what %.120q is said to have issued is signed by no known key of that name", ErrUnknownLog, log)
	}
	return nil
}

// marshalFields writes a header line and fields, which is how leaves are written.
func marshalFields(header string, fields map[string]string) ([]byte, error) {
	b, err := Leaf{Kind: "fields", Fields: fields}.Marshal()
	if err != nil {
		return nil, err
	}
	return append([]byte(header), b[len(leafHeader+"fields\n"):]...), nil
}

func parseFields(header string, b []byte) (map[string]string, error) {
	body, ok := bytes.CutPrefix(b, []byte(header))
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin with the line %q", ErrFormat, strings.TrimSuffix(header, "\n"))
	}
	l, err := ParseLeaf(append([]byte(leafHeader+"fields\n"), body...))
	return l.Fields, err
}

func timeText(t time.Time) string { return t.UTC().Format(timeFormat) }

// isWholeSecond: the time is one, and comes back as it is written.
func isWholeSecond(t time.Time) bool {
	back, err := time.Parse(timeFormat, timeText(t))
	return err == nil && back.Equal(t) && t.Equal(t.Truncate(time.Second)) && !t.IsZero()
}

func repeats[E any](list []E, compare func(a, b E) int) bool {
	sorted := slices.SortedFunc(slices.Values(list), compare)
	return len(slices.CompactFunc(sorted, func(a, b E) bool { return compare(a, b) == 0 })) != len(list)
}
