package audit

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxLeaf is the longest leaf in bytes: what the entry bundles of tlog-tiles have room for.
	MaxLeaf = 64<<10 - 1
	// MaxFields is the largest number of fields of a leaf.
	MaxFields = 256

	leafHeader = "courtseal.leaf/v1 "
	maxName    = 64
)

// A Leaf is an entry of the ledger as text: its kind, and fields with values. There is one way to write it, so what hashes alike
// says the same. Names of people do not belong into it: see Private.
type Leaf struct {
	Kind   string            // such as "use.begin"; of a-z, 0-9, '.' and '-'
	Fields map[string]string // names like kinds; values of one line, not empty
}

// Marshal writes the leaf. A leaf that cannot be written so that it reads the same is ErrFormat, or ErrTooLarge.
func (l Leaf) Marshal() ([]byte, error) {
	if err := checkFieldName(l.Kind); err != nil {
		return nil, fmt.Errorf("%w (kind of a leaf)", err)
	}
	if len(l.Fields) > MaxFields {
		return nil, fmt.Errorf("%w: a leaf of %d fields; %d are the most", ErrTooLarge, len(l.Fields), MaxFields)
	}
	b := append([]byte(leafHeader), l.Kind+"\n"...)
	for _, name := range slices.Sorted(maps.Keys(l.Fields)) {
		if err := checkFieldName(name); err != nil {
			return nil, err
		}
		value := l.Fields[name]
		if err := checkValue(name, value); err != nil {
			return nil, err
		}
		b = append(b, name+" "+value+"\n"...)
	}
	if len(b) > MaxLeaf {
		return nil, fmt.Errorf("%w: a leaf of %d bytes; %d are the most", ErrTooLarge, len(b), MaxLeaf)
	}
	return b, nil
}

// ParseLeaf reads a leaf. What it reads, Marshal writes byte for byte.
func ParseLeaf(b []byte) (Leaf, error) {
	if len(b) > MaxLeaf {
		return Leaf{}, fmt.Errorf("%w: a leaf of %d bytes; %d are the most", ErrTooLarge, len(b), MaxLeaf)
	}
	head, body, ok := strings.Cut(string(b), "\n")
	kind, ok2 := strings.CutPrefix(head, leafHeader)
	if !ok || !ok2 {
		return Leaf{}, fmt.Errorf("%w: a leaf does not begin with %q and a kind", ErrFormat, leafHeader)
	}
	if err := checkFieldName(kind); err != nil {
		return Leaf{}, fmt.Errorf("%w (kind of a leaf)", err)
	}
	l := Leaf{Kind: kind}
	last := ""
	for line := range strings.Lines(body) {
		if len(l.Fields) == MaxFields {
			return Leaf{}, fmt.Errorf("%w: a leaf of more than %d fields", ErrTooLarge, MaxFields)
		}
		name, value, err := parseField(line, last)
		if err != nil {
			return Leaf{}, err
		}
		if l.Fields == nil {
			l.Fields = map[string]string{}
		}
		l.Fields[name], last = value, name
	}
	return l, nil
}

// parseField reads "name value\n", whose name comes after that of the line before.
func parseField(line, last string) (name, value string, err error) {
	text, ended := strings.CutSuffix(line, "\n")
	name, value, _ = strings.Cut(text, " ")
	if !ended {
		return "", "", fmt.Errorf("%w: the last line, of field %.80q, has no line feed", ErrFormat, name)
	}
	if err := checkFieldName(name); err != nil {
		return "", "", err
	}
	if name <= last {
		return "", "", fmt.Errorf("%w: field %q stands after %q; names ascend", ErrFormat, name, last)
	}
	return name, value, checkValue(name, value)
}

func checkFieldName(name string) error {
	bad := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' }
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("%w: name %.80q; names are 1 to %d of a-z, 0-9, '.' and '-'", ErrFormat, name, maxName)
	}
	return nil
}

func checkValue(name, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("%w: field %q is empty; leave it out", ErrFormat, name)
	case !utf8.ValidString(value):
		return fmt.Errorf("%w: field %q is not UTF-8", ErrFormat, name)
	case strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%w: field %q has a control character", ErrFormat, name)
	}
	return nil
}
