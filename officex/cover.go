package officex

import (
	"context"
	"hash"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/sign"
)

// A covered is something that is signed: a part, or relationships.
type covered struct {
	ref      opcsig.Reference
	property bool // it describes the document, and Office leaves it out
	own      bool // it belongs to this act, and only its native signature is over it
	sums     sign.Sums
}

type coverage []covered

// The parts that Office leaves out of a signature, by the relationships of the package that lead to them.
var propertyRels = []string{
	"http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties",
	"http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail",
	officeRel + "extended-properties", officeRel + "custom-properties",
	strictRel + "extendedProperties", strictRel + "customProperties",
}

// digest lists what there is to sign in the package as it will be, and hashes it.
func (p *plan) digest(ctx context.Context, pkg *opc.Package) (list coverage, err error) {
	properties := map[string]bool{}
	for _, t := range propertyRels {
		for _, r := range pkg.Rels("/").ByType(t) {
			properties[r.Part] = true
		}
	}
	natives := map[string]bool{}
	for _, origin := range pkg.Rels("/").ByType(opcsig.RelOrigin) {
		natives[origin.Part], natives[opc.RelsName(origin.Part)] = true, true
		for _, r := range pkg.Rels(origin.Part).ByType(opcsig.RelSignature) {
			natives[r.Part] = true
		}
	}
	var parts []*opc.Part
	for _, part := range pkg.Parts() {
		_, isRels := opc.SourceOf(part.Name)
		own := p.part(sign.SES) < 0 && (part.Name == p.Folder+undoName || part.Name == p.Folder+sealName)
		if part.Name == typesName || isRels || natives[part.Name] || strings.HasPrefix(part.Name, "/_seals/") && !own {
			continue
		}
		parts = append(parts, part)
		list = append(list, covered{ref: opcsig.Reference{Name: part.Name, ContentType: part.ContentType}, property: properties[part.Name], own: own})
	}
	if err := p.digestParts(ctx, pkg, parts, list); err != nil {
		return nil, err
	}
	for _, source := range pkg.Sources() {
		if natives[source] || strings.HasPrefix(source, "/_seals/") {
			continue
		}
		list = append(list, p.relations(pkg.Rels(source))...)
	}
	return list, nil
}

func (p *plan) digestParts(ctx context.Context, pkg *opc.Package, parts []*opc.Part, list coverage) error {
	hashes := p.hashes()
	makers := make([]func() hash.Hash, len(hashes))
	for i, h := range hashes {
		makers[i] = h.New
	}
	sums, err := pkg.Digests(ctx, parts, makers)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return packageError(err)
	}
	for i := range parts {
		list[i].sums = sign.Sums{}
		for k, h := range hashes {
			list[i].sums[h] = sums[i][k]
		}
	}
	return nil
}

// relations are those of a source: all of them for a seal; for a native signature without those to properties, which makes two lines of
// the package's own.
func (p *plan) relations(rels *opc.Relationships) (list coverage) {
	var all, some []string
	for _, r := range rels.All() {
		if rels.Source() == "/" && (r.Type == opcsig.RelOrigin || r.Type == opcsig.RelSealOrigin) {
			continue
		}
		all = append(all, r.ID)
		if rels.Source() != "/" || !slices.Contains(propertyRels, r.Type) {
			some = append(some, r.ID)
		}
	}
	for i, ids := range [][]string{all, some} {
		if len(ids) == 0 {
			continue
		}
		c := covered{ref: opcsig.Reference{Name: rels.Name(), ContentType: opcsig.TypeRelationships, IDs: ids}, property: i == 0, own: i == 1, sums: sign.Sums{}}
		for _, h := range p.hashes() {
			c.sums[h] = h.Sum(rels.Transform(ids))
		}
		list = append(list, c)
	}
	return list
}

// of lists the references of a seal or of a native signature, made with a hash.
func (l coverage) of(h sign.Hash, seal bool) (refs []opcsig.Reference) {
	for _, c := range l {
		if seal && c.own || !seal && c.property {
			continue
		}
		r := c.ref
		r.Hash, r.Digest = h, c.sums[h]
		refs = append(refs, r)
	}
	return refs
}
