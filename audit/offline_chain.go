package audit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrUseMissing: a number of which there is no use, while there are higher ones. Somebody holds it back, or lost it.
	ErrUseMissing = errors.New("audit: an offline use is missing")
	// ErrUseTwice: two different uses have one number: two devices went on from one chain, or one from an older copy of it.
	ErrUseTwice = errors.New("audit: one number of an offline grant was used twice")
	// ErrUseBroken: a use does not name the one before it, or is older than that one.
	ErrUseBroken = errors.New("audit: an offline use does not follow from the one before it")
)

// A ChainFault is one thing that is wrong in a chain of offline uses. It wraps Err.
type ChainFault struct {
	Number uint64       // of the use
	Uses   []OfflineUse // that have the number: none where it is missing, several where it was used twice
	Err    error        // ErrUseMissing, ErrUseTwice, ErrUseBroken, or what CheckUse found
}

func (f *ChainFault) Error() string { return fmt.Sprintf("use %d: %v", f.Number, f.Err) }
func (f *ChainFault) Unwrap() error { return f.Err }

// A ChainReport says what is known of the uses of one offline grant.
type ChainReport struct {
	Uses   uint64        // numbers that were used, each counted once
	Last   uint64        // the highest number; 0: none
	Whole  uint64        // up to here all is in order: nothing missing, nothing twice, nothing that the grant does not give
	Head   Hash          // leaf hash of use Whole; what the next one must name. With Whole 0, the grant's Start
	Faults []*ChainFault // by Number
}

// CheckChain checks uses of a grant against the grant and one another. It takes all that are known, in any order: those that the
// ledger has, what a device sent, what stands in documents that somebody showed. The same use may come from several sides; two
// different ones with one number are ErrUseTwice. Those of other grants are faults too (ErrGrantOther).
//
// What it finds wrong is in the report and not an error: a registry enters the uses all the same, since they happened, and marks
// them. An error says that the grant or a use cannot even be written.
//
// To reconcile what a device sent (an OfflineChain): check that its grant is the one that was issued; put its uses together with
// those already entered for this grant; call CheckChain; enter each use that is new as a leaf, as its bytes are; record the
// faults that are new; give Whole and Head back to the device, which marks the uses up to there as reconciled.
func CheckChain(g *OfflineGrant, uses []OfflineUse) (*ChainReport, error) {
	start, err := g.Start()
	if err != nil {
		return nil, err
	}
	c := chainCheck{grant: g, report: &ChainReport{Head: start}, before: []link{{hash: start}}}
	links, err := c.links(uses)
	if err != nil {
		return nil, err
	}
	for len(links) > 0 {
		n := slices.IndexFunc(links, func(l link) bool { return l.use.Number != links[0].use.Number })
		if n < 0 {
			n = len(links)
		}
		c.number(links[:n])
		links = links[n:]
	}
	slices.SortStableFunc(c.report.Faults, func(a, b *ChainFault) int { return cmp.Compare(a.Number, b.Number) })
	return c.report, nil
}

// A link is a use and its hash.
type link struct {
	use  *OfflineUse // nil: the grant
	hash Hash
}

type chainCheck struct {
	grant  *OfflineGrant
	report *ChainReport
	before []link // all that have the number before
}

// links sorts the uses by number and drops those that came twice.
func (c *chainCheck) links(uses []OfflineUse) ([]link, error) {
	list := make([]link, 0, len(uses))
	for i := range uses {
		if u := &uses[i]; u.Use.Grant != c.grant.ID {
			c.fault(u.Number, fmt.Errorf("%w: use %d is of %.80q", ErrGrantOther, u.Number, u.Use.Grant), link{use: u})
			continue
		}
		leaf, err := uses[i].Marshal()
		if err != nil {
			return nil, err
		}
		list = append(list, link{&uses[i], c.grant.Profile().LeafHash(leaf)})
	}
	slices.SortFunc(list, func(a, b link) int {
		if n := cmp.Compare(a.use.Number, b.use.Number); n != 0 {
			return n
		}
		return slices.Compare(a.hash[:], b.hash[:])
	})
	return slices.CompactFunc(list, func(a, b link) bool { return a.hash == b.hash }), nil
}

func (c *chainCheck) fault(number uint64, err error, links ...link) {
	f := &ChainFault{Number: number, Err: err}
	for _, l := range links {
		f.Uses = append(f.Uses, *l.use)
	}
	c.report.Faults = append(c.report.Faults, f)
}

// number checks all uses that have one number.
func (c *chainCheck) number(links []link) {
	r, n := c.report, links[0].use.Number
	found := len(r.Faults)
	for r.Last++; r.Last < n; r.Last++ {
		c.fault(r.Last, fmt.Errorf("%w: number %d; there is a use %d", ErrUseMissing, r.Last, n))
		c.before = nil
	}
	r.Uses++
	if len(links) > 1 {
		c.fault(n, fmt.Errorf("%w: number %d, %d different uses", ErrUseTwice, n, len(links)), links...)
	}
	for _, l := range links {
		if err := c.grant.CheckUse(l.use); err != nil {
			c.fault(n, err, l)
		}
		if err := c.follows(l.use); err != nil {
			c.fault(n, err, l)
		}
	}
	c.before = links
	if len(r.Faults) == found && r.Whole == n-1 {
		r.Whole, r.Head = n, links[0].hash
	}
}

// follows looks for the use that this one names. Where that is missing, there is nothing to say.
func (c *chainCheck) follows(u *OfflineUse) error {
	if c.before == nil {
		return nil
	}
	i := slices.IndexFunc(c.before, func(l link) bool { return l.hash == u.Prev })
	if i < 0 {
		return fmt.Errorf("%w: use %d names another one than use %d that is here", ErrUseBroken, u.Number, u.Number-1)
	}
	before := c.before[i].use
	switch {
	case before == nil:
		return nil
	case u.Use.Time.Before(before.Use.Time):
		return fmt.Errorf("%w: use %d is of %s, before use %d", ErrUseBroken, u.Number, timeText(u.Use.Time), before.Number)
	case u.List < before.List:
		return fmt.Errorf("%w: use %d looked at list %d, an older one than use %d", ErrUseBroken, u.Number, u.List, before.Number)
	}
	return nil
}
