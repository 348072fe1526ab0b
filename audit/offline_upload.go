package audit

import (
	"bytes"
	"encoding/base64"
	"fmt"
)

const (
	// MaxOfflineChain is the longest OfflineChain that is read, in bytes.
	MaxOfflineChain = 32 << 20

	chainHeader = "courtseal.offline-chain/v1\n"
)

// An OfflineChain is what a device sends when it has a network again: its grant, and uses of it with what belongs to them.
type OfflineChain struct {
	GrantNote []byte // the signed note
	Uses      []OfflineEntry

	Grant *OfflineGrant // what GrantNote says
}

// An OfflineEntry is one use, and what the ledger should know of it besides.
type OfflineEntry struct {
	OfflineUse
	Private Private  // values that the use conceals; empty: none
	Outcome *Outcome // how it came out, Begin being the Number; nil: nobody knows, the device was stopped meanwhile
}

// Marshal writes the chain. Numbers ascend.
func (c *OfflineChain) Marshal() ([]byte, error) {
	b := []byte(chainHeader)
	line := func(name string, content []byte) {
		b = append(b, name+" "+base64.StdEncoding.EncodeToString(content)+"\n"...)
	}
	line("grant", c.GrantNote)
	for i := range c.Uses {
		e := &c.Uses[i]
		use, err := e.OfflineUse.Marshal()
		if err != nil {
			return nil, err
		}
		line("use", use)
		private, err := e.Private.Marshal()
		if err != nil {
			return nil, err
		}
		if private != nil {
			line("private", private)
		}
		if e.Outcome == nil {
			continue
		}
		l, err := e.Outcome.Leaf()
		if err != nil {
			return nil, err
		}
		outcome, err := l.Marshal()
		if err != nil {
			return nil, err
		}
		line("outcome", outcome)
	}
	if len(b) > MaxOfflineChain {
		return nil, fmt.Errorf("%w: an offline chain of %d bytes; %d are the most: send it in parts", ErrTooLarge, len(b), MaxOfflineChain)
	}
	return b, nil
}

// ParseOfflineChain reads what Marshal writes; what it reads, Marshal writes byte for byte. It looks at each line by itself, at the
// order of the numbers, and at private values (ErrPrivate), and checks no signature: see Check.
func ParseOfflineChain(b []byte) (*OfflineChain, error) {
	if len(b) > MaxOfflineChain {
		return nil, fmt.Errorf("%w: an offline chain of %d bytes; %d are the most", ErrTooLarge, len(b), MaxOfflineChain)
	}
	body, ok := bytes.CutPrefix(b, []byte(chainHeader))
	if !ok {
		return nil, fmt.Errorf("%w: an offline chain does not begin with the line %q", ErrFormat, chainHeader[:len(chainHeader)-1])
	}
	c := &OfflineChain{}
	n := 1
	for line := range bytes.Lines(body) {
		n++
		if err := c.line(line); err != nil {
			return nil, fmt.Errorf("%w (line %d of an offline chain)", err, n)
		}
	}
	if c.Grant == nil {
		return nil, fmt.Errorf("%w: an offline chain without a grant", ErrFormat)
	}
	return c, nil
}

// line takes one more line.
func (c *OfflineChain) line(line []byte) error {
	text, ended := bytes.CutSuffix(line, []byte("\n"))
	name, b64, _ := bytes.Cut(text, []byte(" "))
	content, err := decode64(string(b64))
	if !ended || err != nil || len(content) == 0 {
		return fmt.Errorf("%w: it is not a name and base64", ErrFormat)
	}
	if (c.Grant == nil) != (string(name) == "grant") {
		return fmt.Errorf("%w: the grant, and nothing else, stands first", ErrFormat)
	}
	var last *OfflineEntry
	if n := len(c.Uses); n > 0 {
		last = &c.Uses[n-1]
	}
	switch string(name) {
	case "grant":
		return c.setGrant(content)
	case "use":
		u, err := ParseOfflineUse(content)
		switch {
		case err != nil:
			return err
		case last != nil && last.Number >= u.Number:
			return fmt.Errorf("%w: use %d stands after use %d", ErrFormat, u.Number, last.Number)
		case u.Use.Grant != c.Grant.ID:
			return fmt.Errorf("%w: use %d is of %.80q, and the chain of %.80q", ErrGrantOther, u.Number, u.Use.Grant, c.Grant.ID)
		}
		c.Uses = append(c.Uses, OfflineEntry{OfflineUse: *u})
		return nil
	case "private":
		if last == nil || len(last.Private) > 0 || last.Outcome != nil {
			break
		}
		return last.setPrivate(c.Grant.Profile(), content)
	case "outcome":
		if last == nil || last.Outcome != nil {
			break
		}
		return last.setOutcome(content)
	}
	return fmt.Errorf("%w: %.20q does not belong there", ErrFormat, name)
}

func (c *OfflineChain) setGrant(note []byte) error {
	text, _, err := parseNote(note)
	if err != nil {
		return err
	}
	c.GrantNote = note
	c.Grant, err = ParseOfflineGrant(text)
	return err
}

func (e *OfflineEntry) setPrivate(p Profile, content []byte) (err error) {
	if e.Private, err = ParsePrivate(content); err != nil {
		return err
	}
	leaf, err := e.OfflineUse.leaf()
	if err != nil {
		return err
	}
	return e.Private.Check(p, leaf)
}

func (e *OfflineEntry) setOutcome(leaf []byte) error {
	l, err := ParseLeaf(leaf)
	if err != nil {
		return err
	}
	o, err := ParseOutcome(l)
	if err != nil {
		return err
	}
	again, err := o.Leaf()
	if err != nil {
		return err
	}
	if b, err := again.Marshal(); err != nil || !bytes.Equal(b, leaf) {
		return fmt.Errorf("%w: an outcome is not written in the one way", ErrFormat)
	}
	if o.Begin != e.Number || o.Request != e.Use.Request {
		return fmt.Errorf("%w: the outcome of use %d, request %.80q, stands with use %d", ErrFormat, o.Begin, o.Request, e.Number)
	}
	e.Outcome = &o
	return nil
}

// Check checks that a known key of the issuer's ledger signed the grant, and the uses as CheckChain does, together with those that
// are known already.
func (c *OfflineChain) Check(have []OfflineUse, known ...Verifier) (*ChainReport, error) {
	g, err := OpenOfflineGrant(c.GrantNote, known...)
	if err != nil {
		return nil, err
	}
	uses := append([]OfflineUse(nil), have...)
	for _, e := range c.Uses {
		uses = append(uses, e.OfflineUse)
	}
	return CheckChain(g, uses)
}
