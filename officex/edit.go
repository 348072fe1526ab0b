package officex

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
)

const typesName = "/[Content_Types].xml"

// An edit gathers what will be different in the package.
type edit struct {
	pkg     *opc.Package
	types   *opc.ContentTypes
	rels    map[string]*opc.Relationships // by source
	changes []opc.Change
}

func newEdit(pkg *opc.Package) *edit {
	return &edit{pkg: pkg, types: pkg.ContentTypes(), rels: map[string]*opc.Relationships{}}
}

// read gives a part as it will be.
func (e *edit) read(name string) ([]byte, error) {
	for _, c := range e.changes {
		if c.Name == name {
			return c.Data, nil
		}
	}
	p := e.pkg.Part(name)
	if p == nil {
		return nil, fmt.Errorf("%w: there is no part %s", ErrPackage, name)
	}
	b, err := e.pkg.Read(p)
	if err != nil {
		return nil, packageError(err)
	}
	return b, nil
}

// spelled is the name of a part that is there or will be, as it spells it; "": there is none.
func (e *edit) spelled(name string) string {
	if p := e.pkg.Part(name); p != nil {
		return p.Name
	}
	for _, c := range e.changes {
		if c.Name == name {
			return name
		}
	}
	return ""
}

// replace gives a part that is there new content.
func (e *edit) replace(name string, data []byte) {
	for i := range e.changes {
		if e.changes[i].Name == name {
			e.changes[i].Data = data
			return
		}
	}
	e.changes = append(e.changes, opc.Change{Name: name, Data: data})
}

// add puts in a new part.
func (e *edit) add(name, contentType string, data []byte) error {
	t, err := e.types.WithOverride(name, contentType)
	if err != nil {
		return packageError(err)
	}
	e.types = t
	e.replace(name, data)
	return nil
}

// relate adds a relationship between parts and gives its id.
func (e *edit) relate(source, relType, target string) (id string, err error) {
	rels, id := e.relations(source).Add(relType, relative(source, target), false)
	e.rels[source] = rels
	if e.types.TypeOf(rels.Name()) != opcsig.TypeRelationships { // some packages declare it for each part
		e.types, err = e.types.WithOverride(rels.Name(), opcsig.TypeRelationships)
	}
	if err != nil {
		return "", packageError(err)
	}
	return id, nil
}

// compact takes the white space between relationships away, of which LibreOffice makes signatures that are wrong: see
// opc.Relationships.Compact. No signature by the standard has it in its digests.
func (e *edit) compact() {
	for _, source := range e.pkg.Sources() {
		if r := e.relations(source); r.Compact() != r {
			e.rels[source] = r.Compact()
		}
	}
}

func (e *edit) relations(source string) *opc.Relationships {
	if r := e.rels[source]; r != nil {
		return r
	}
	return e.pkg.Rels(source)
}

// relative is how a relationship of a part names a target in its own folder or below; else absolute.
func relative(source, target string) string {
	folder := source[:strings.LastIndexByte(source, '/')+1]
	if rest, ok := strings.CutPrefix(target, folder); ok {
		return rest
	}
	return target
}

// list is all of it, content types and relationships too.
func (e *edit) list() []opc.Change {
	list := e.changes[:len(e.changes):len(e.changes)]
	for _, source := range slices.Sorted(maps.Keys(e.rels)) {
		list = append(list, opc.Change{Name: e.rels[source].Name(), Data: e.rels[source].Bytes()})
	}
	return append(list, opc.Change{Name: typesName, Data: e.types.Bytes()})
}
