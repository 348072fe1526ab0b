package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

var redactRules = []Rule{
	{Kind: ledger.KindRedact, Roles: []Role{Administrator}, make: func() Op { return new(Redact) }},
}

// Redact takes the names of people out of an entry, for good: out of what stands beside its leaf, and out of the tables.
// The leaf stays, with the salted hash of what was there, so that the ledger proves as before. It takes an administrator
// of the root.
type Redact struct {
	Entry  uint64
	Names  []string // of the fields, as in the leaf; none: all that can be redacted
	Reason string
}

func (*Redact) Kind() string                      { return ledger.KindRedact }
func (op *Redact) place(s *state) (string, error) { return s.root() }

// A redactable is a field beside the leaves of a kind, and what blanks it in the tables.
type redactable struct {
	field string
	blank func(s *state, entry uint64, leaf audit.Leaf) error
}

// redactables are the fields of people, by the kind of entry.
var redactables = map[string][]redactable{
	"found":             {{"person-name", blankPerson("person")}},
	"person.add":        {{"name", blankPerson("id")}},
	"application.file":  {{"document", blankNothing}},
	audit.KindUse:       {{"document", blankDocument}},
	"offline.reconcile": {{"hidden", blankDocument}}, // the names that the device kept beside its leaf
}

func blankPerson(idField string) func(*state, uint64, audit.Leaf) error {
	return func(s *state, _ uint64, leaf audit.Leaf) error {
		id := leaf.Fields[idField]
		return s.change("person "+id, `UPDATE @person SET name = '' WHERE id = $1`, id)
	}
}

// blankNothing is of what no table has.
func blankNothing(*state, uint64, audit.Leaf) error { return nil }

// blankDocument blanks the name that a use has from its first attempt. A later attempt has it beside its entry alone.
func blankDocument(s *state, entry uint64, _ audit.Leaf) error {
	return s.exec(`UPDATE @use SET document = '' WHERE entry = $1`, int64(entry))
}

// check redacts what stands beside the leaf: that is no table of the books, and a replay finds it redacted.
func (op *Redact) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	leaf, err := s.entryLeaf(op.Entry)
	if err != nil {
		return err
	}
	var fields []string
	for _, r := range redactables[leaf.Kind] {
		if leaf.Fields[r.field] != "" {
			fields = append(fields, r.field)
		}
	}
	if len(op.Names) == 0 {
		op.Names = fields
	}
	op.Names = slices.Compact(slices.Sorted(slices.Values(op.Names)))
	for _, name := range op.Names {
		if !slices.Contains(fields, name) {
			return fmt.Errorf("%w: of entry %d, %s, can be redacted: %s; not %q", ErrState, op.Entry, leaf.Kind, orNone(fields), name)
		}
	}
	if len(op.Names) == 0 {
		return fmt.Errorf("%w: entry %d, %s, has no names of people beside it", ErrState, op.Entry, leaf.Kind)
	}
	_, err = s.tx.Redact(s.ctx, op.Entry, op.Names...)
	if errors.Is(err, ledger.ErrNoEntry) {
		return fmt.Errorf("%w: entry %d: %s: redacted before, or too new: %w", ErrState, op.Entry, strings.Join(op.Names, ", "), err)
	}
	return err
}

func (op *Redact) apply(s *state) error {
	leaf, err := s.entryLeaf(op.Entry)
	if err != nil {
		return err
	}
	for _, r := range redactables[leaf.Kind] {
		if !slices.Contains(op.Names, r.field) {
			continue
		}
		if err := r.blank(s, op.Entry, leaf); err != nil {
			return err
		}
	}
	return nil
}
