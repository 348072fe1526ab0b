// Package xmldoc reads the XML that signatures depend on: one tokenizer, a tree with byte offsets made of its tokens, and
// canonical XML 1.0 of either kind made of the same tokens. What was hashed is therefore what was read.
//
// It takes XML 1.0 with namespaces, in UTF-8 or in UTF-16 with a byte order mark, and is strict where leniency has fooled
// verifiers: a document type is refused (so there are no entities but the five predefined ones, and no default
// attributes), and so are unbound prefixes, attributes given twice, characters XML cannot have and markup that does not
// nest. It is neither a validator nor fit for XML 1.1.
package xmldoc

import (
	"errors"
	"fmt"
	"math"
)

// Errors say what is wrong and at which byte; they are found with errors.Is.
var (
	ErrSyntax   = errors.New("xmldoc: not well-formed")
	ErrDoctype  = errors.New("xmldoc: document type declarations are refused")
	ErrEncoding = errors.New("xmldoc: not text in UTF-8, or in UTF-16 with a byte order mark")
	ErrLimit    = errors.New("xmldoc: over the limit")
)

// Limits bound what a hostile document costs. Zero fields stand for the defaults.
type Limits struct {
	Size       int // bytes of the document: 64 MiB
	Depth      int // elements inside each other: 256
	Nodes      int // elements, texts, comments, instructions, attributes: 4 Mi, of a tree 256 Ki
	Attributes int // attributes and namespace declarations of one element: 256
}

const (
	// maxTree is Limits.Nodes where a tree is made and nothing else is said: an element of it costs about 250 bytes, an
	// attribute 70. Parts that are larger than that are scanned.
	maxTree = 256 << 10
	// maxNames bounds the prefixes and the namespaces of a document, each counted once; Word uses about 40.
	maxNames = 4096
	// maxNamespace bounds the bytes of one namespace's name, since names are compared, and written again where they are used.
	maxNamespace = 4096
)

func (l Limits) filled() Limits {
	set := func(v *int, standard, most int) {
		if *v <= 0 {
			*v = standard
		}
		*v = min(*v, most)
	}
	set(&l.Size, 64<<20, math.MaxInt32/2)
	set(&l.Depth, 256, math.MaxInt32)
	set(&l.Nodes, 4<<20, math.MaxInt32/2)
	set(&l.Attributes, 256, math.MaxInt32)
	return l
}

// Namespaces that XML itself names.
const (
	xmlNS   = "http://www.w3.org/XML/1998/namespace"
	xmlnsNS = "http://www.w3.org/2000/xmlns/"
)

// A Name is an expanded name: Space is the namespace, empty for none.
type Name struct{ Space, Local string }

// An Attr is an attribute of an element; a namespace declaration is none. Value is normalised as XML says, references
// resolved.
type Attr struct {
	Name   Name
	Prefix string
	Value  string

	prefix, space int32 // numbers of Prefix and Name.Space in names
}

// fail makes an error about the byte at.
func fail(kind error, at int, format string, args ...any) error {
	return fmt.Errorf("%w: %s (byte %d)", kind, fmt.Sprintf(format, args...), at)
}

// clip keeps a hostile name from filling an error.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
