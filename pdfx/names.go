package pdfx

import (
	"fmt"
	"slices"
	"strings"
)

var (
	edgeNames  = []string{Right: "right", Left: "left"}
	pagesNames = []string{AllPages: "all", OddPages: "odd", EvenPages: "even"}
)

// String is the name that MarshalText writes: right, left.
func (e Edge) String() string { return nameOf("edge", edgeNames, int(e)) }

// MarshalText writes the name.
func (e Edge) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads the name; another one is ErrOptions.
func (e *Edge) UnmarshalText(b []byte) error { return named(e, "edge", edgeNames, b) }

// String is the name that MarshalText writes: all, odd, even.
func (p Pages) String() string { return nameOf("pages", pagesNames, int(p)) }

// MarshalText writes the name.
func (p Pages) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the name; another one is ErrOptions.
func (p *Pages) UnmarshalText(b []byte) error { return named(p, "pages", pagesNames, b) }

func nameOf(what string, names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", what, i)
	}
	return names[i]
}

func named[T ~int](v *T, what string, names []string, b []byte) error {
	i := slices.Index(names, string(b))
	if i < 0 {
		return fmt.Errorf("%w: %s %.40q is none of %s", ErrOptions, what, b, strings.Join(names, ", "))
	}
	*v = T(i)
	return nil
}
