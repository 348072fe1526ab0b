// Package wordscan finds what a Word document should not have when it is sealed: what is not settled yet (tracked changes,
// comments), what comes from outside each time the document is opened (fields, templates, linked pictures), what can run
// (macros) and what nobody sees on the page (embedded files). It also says what a file is that is no Word document.
//
// It looks at relationships, content types and markup alike, since any of them may be all that a program goes by, in the
// transitional and the strict namespaces, in every part that can hold text of the document.
package wordscan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/plain"
)

// Kind is what kind of thing was found.
type Kind int

// Those that a document to be sealed must not have, unless it is allowed.
const (
	TrackedChanges Kind = iota
	Comments
	Fields   // fields that reach outside the document
	Template // a template outside
	AltChunk // another document, merged when this one is opened
	Macros
	Embedded // files of other programs, controls
	External // whatever else is outside: linked pictures, sub-documents, frames, mail merge

	// Those that are worth a note, but refuse nothing.
	Tracking       // changes will be tracked; there need not be any
	EmbeddedFonts  // glyphs come from the document
	LiveFields     // fields that show what is so where and when the document is opened
	PropertyFields // fields and content controls that show the document's properties, which a native signature does not cover
	UpdateOnOpen   // all fields are to be updated when the document is opened
)

var kindCodes = []string{"tracked-changes", "comments", "fields", "template", "alt-chunk", "macros", "embedded", "external",
	"tracking", "embedded-fonts", "live-fields", "property-fields", "update-on-open"}

// String is a stable code.
func (k Kind) String() string { return kindCodes[k] }

// Note tells whether a finding of the kind refuses nothing.
func (k Kind) Note() bool { return k > External }

// A Finding is one thing that was found, or several of one kind in one part.
type Finding struct {
	Kind   Kind
	Part   string // the part it is in, or whose relationships name it
	Detail string // what, and how many, for a person
}

func (f Finding) String() string { return fmt.Sprintf("%s in %s: %s", f.Kind, f.Part, f.Detail) }

// tally collects what is found, so that a document with a thousand comments has one finding.
type tally struct {
	list []*count
	by   map[[2]string]*count
}

type count struct {
	kind    Kind
	part    string
	group   string // within the part, what is to have a finding of its own
	labels  []label
	example string
}

type label struct {
	text string
	n    int
}

// add counts one thing: "insertion", or "mark of a comment|marks of comments". Things of one group are one finding; the first of them is its example.
func (t *tally) add(kind Kind, part, group, text, example string) {
	key := [2]string{kind.String() + "/" + group, part}
	c := t.by[key]
	if c == nil {
		c = &count{kind: kind, part: part, group: group, example: example}
		if t.by == nil {
			t.by = map[[2]string]*count{}
		}
		t.by[key] = c
		t.list = append(t.list, c)
	}
	i := slices.IndexFunc(c.labels, func(l label) bool { return l.text == text })
	if i < 0 {
		i = len(c.labels)
		c.labels = append(c.labels, label{text: text})
	}
	c.labels[i].n++
}

func (t *tally) has(kind Kind) bool {
	return slices.ContainsFunc(t.list, func(c *count) bool { return c.kind == kind })
}

const shown = 80 // characters of an example

// findings are in the order of their kinds, and of each kind in the order in which they were found.
func (t *tally) findings() []Finding {
	slices.SortStableFunc(t.list, func(a, b *count) int { return int(a.kind) - int(b.kind) })
	var all []Finding
	for _, c := range t.list {
		var say []string
		total := 0
		for _, l := range c.labels {
			say = append(say, l.String())
			total += l.n
		}
		detail := strings.Join(say, ", ")
		switch {
		case c.example != "" && total > 1:
			detail += ", the first: " + clip(c.example)
		case c.example != "":
			detail += ": " + clip(c.example)
		}
		all = append(all, Finding{c.kind, plain.Text(c.part), plain.Text(detail)})
	}
	return all
}

func (l label) String() string {
	one, many, ok := strings.Cut(l.text, "|")
	if !ok {
		many = one + "s"
	}
	if l.n == 1 {
		many = one
	}
	return fmt.Sprintf("%d %s", l.n, many)
}

// with makes a label of a noun and what follows it, which stays as it is when there are several.
func with(noun, rest string) string { return noun + " " + rest + "|" + noun + "s " + rest }

func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > shown {
		return string(r[:shown]) + "…"
	}
	return s
}
