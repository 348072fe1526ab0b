package opcsig

import (
	"context"
	"fmt"
	"hash"
	"path"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/sign"
)

// A Scope is the kind of signature that covers a package.
type Scope uint8

const (
	NativeScope Scope = iota // sigN.xml: everything but properties
	SealScope                // Signature.xml: everything
)

// A Cover says what of a package a signature is to cover. Who signs and who verifies ask the same Cover, so that what a
// signature leaves out is what a signer would cover today. Never covered are [Content_Types].xml, of which each reference
// holds what matters, and what signatures and seals consist of, as far as it is found in the ways that they are found.
type Cover struct {
	pkg        *opc.Package
	machinery  map[*opc.Part]bool
	properties map[*opc.Part]bool
}

// NewCover looks at a package.
func NewCover(p *opc.Package) *Cover {
	c := &Cover{pkg: p, machinery: map[*opc.Part]bool{}, properties: map[*opc.Part]bool{}}
	kinds := map[string]int{} // of properties, a document has each once (ECMA-376-2 M4.1): of two, one would be shown that nobody signs
	for _, r := range p.Rels("/").All() {
		kinds[propertyTypes[r.Type]]++
	}
	for _, r := range p.Rels("/").All() {
		switch part := p.Part(r.Part); {
		case r.External || part == nil:
		case r.Type == RelOrigin && part.ContentType == TypeOrigin:
			c.native(part)
		case r.Type == RelSealOrigin && part.ContentType == TypeSealOrigin:
			c.seals(part)
		case isProperty(r.Type, part.ContentType) && (kinds[part.ContentType] <= 1 || strings.HasPrefix(part.ContentType, imageType)):
			c.properties[part] = true
		}
	}
	// What is referred to in another way too is content, whatever else it is.
	var content []*opc.Part
	for _, source := range p.Sources() {
		for _, r := range p.Rels(source).All() {
			part := p.Part(r.Part)
			if part == nil || r.External {
				continue
			}
			if !(source == "/" && c.properties[part] && isProperty(r.Type, part.ContentType)) && !c.leads(source, r) {
				content = append(content, part)
			}
		}
	}
	for _, part := range content {
		delete(c.properties, part)
		delete(c.machinery, part)
	}
	return c
}

// native notes the parts of native signatures.
func (c *Cover) native(origin *opc.Part) {
	c.machinery[origin] = true
	for _, r := range c.pkg.Rels(origin.Name).ByType(RelSignature) {
		sig := c.pkg.Part(r.Part)
		if sig == nil || sig.ContentType != TypeSignature {
			continue
		}
		c.machinery[sig] = true
		for _, r := range c.pkg.Rels(sig.Name).ByType(relCertificate) {
			if cert := c.pkg.Part(r.Part); cert != nil && cert.ContentType == typeCertificate {
				c.machinery[cert] = true
			}
		}
	}
}

// seals notes the parts of acts of ours: the folder of an act has only names that the format knows.
func (c *Cover) seals(origin *opc.Part) {
	c.machinery[origin] = true
	for _, r := range c.pkg.Rels(origin.Name).All() {
		part := c.pkg.Part(r.Part)
		if part == nil || r.Type != RelSeal && r.Type != RelAct || !strings.HasPrefix(part.Name, sealFolder) {
			continue
		}
		folder := path.Dir(part.Name) + "/"
		for name, kind := range actParts {
			if p := c.pkg.Part(folder + name); p != nil && p.ContentType == kind {
				c.machinery[p] = true
			}
		}
	}
}

// Names of the parts of an act.
const (
	ManifestName = "Signature.xml"
	ValueName    = "SignedValue.dat"
	UndoName     = "undo"
	SealName     = "Seal.esl"
	EvidenceName = "evidence"
)

var actParts = map[string]string{ManifestName: TypeManifest, ValueName: TypeSignedValue, UndoName: TypeUndo, SealName: TypeSeal, EvidenceName: TypeEvidence}

const (
	relCertificate  = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/certificate"
	typeCertificate = "application/vnd.openxmlformats-package.digital-signature-certificate"

	packageRel = "http://schemas.openxmlformats.org/package/2006/relationships/"
	officeRel  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	strictRel  = "http://purl.oclc.org/ooxml/officeDocument/relationships/"

	coreType     = "application/vnd.openxmlformats-package.core-properties+xml"
	extendedType = "application/vnd.openxmlformats-officedocument.extended-properties+xml"
	customType   = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
	imageType    = "image/" // and what kind of image
)

// propertyTypes are the relationships from the package to what is said about a document, and is none of its content: Office
// never signs it. Each with the content type that the part has.
var propertyTypes = map[string]string{
	packageRel + "metadata/core-properties":                                     coreType,
	officeRel + "metadata/core-properties":                                      coreType, // of some producers
	officeRel + "extended-properties":                                           extendedType,
	strictRel + "extendedProperties":                                            extendedType,
	officeRel + "custom-properties":                                             customType,
	strictRel + "customProperties":                                              customType,
	packageRel + "metadata/thumbnail":                                           imageType,
	"http://schemas.microsoft.com/office/2006/relationships/docProps/thumbnail": imageType,
}

func isProperty(rel, contentType string) bool {
	t := propertyTypes[rel]
	return t != "" && (contentType == t || t == imageType && strings.HasPrefix(contentType, imageType))
}

// leads says whether a relationship is one by which signatures and seals are found, from where it has to come. What it leads
// to need not be there yet, if its type is declared.
func (c *Cover) leads(source string, r opc.Relationship) bool {
	if r.External || r.Part == "" {
		return false
	}
	from := c.pkg.Part(source)
	comes := func(kind string) bool { return from != nil && from.ContentType == kind && c.machinery[from] }
	types := c.pkg.ContentTypes()
	goes := func(kind string) bool { return types != nil && types.TypeOf(r.Part) == kind }
	switch r.Type {
	case RelOrigin:
		return source == "/" && goes(TypeOrigin)
	case RelSealOrigin:
		return source == "/" && goes(TypeSealOrigin)
	case RelSignature:
		return comes(TypeOrigin) && goes(TypeSignature)
	case RelSeal:
		return comes(TypeSealOrigin) && goes(TypeManifest) && strings.HasPrefix(r.Part, sealFolder)
	case RelAct:
		return comes(TypeSealOrigin) && goes(TypeUndo) && strings.HasPrefix(r.Part, sealFolder)
	case relCertificate:
		return comes(TypeSignature) && goes(typeCertificate)
	}
	return false
}

// IsProperty says whether a part is about the document, and nothing shows it as its content.
func (c *Cover) IsProperty(p *opc.Part) bool { return c.properties[p] }

// IsMachinery says whether a part belongs to a signature or a seal, and to nothing else.
func (c *Cover) IsMachinery(p *opc.Part) bool { return c.machinery[p] }

// References lists what a signature is to cover: everything, but for what the format excepts. Own are the parts of its own
// act that it binds. The digests are not there yet: see Fill.
func (c *Cover) References(s Scope, h sign.Hash, own ...string) []Reference {
	var refs []Reference
	for _, p := range c.pkg.Parts() {
		_, isRels := opc.SourceOf(p.Name)
		switch {
		case isRels || fold(p.Name) == contentTypesPart:
		case slices.Contains(own, p.Name), !c.machinery[p] && !(s == NativeScope && c.properties[p]):
			refs = append(refs, Reference{Name: p.Name, ContentType: p.ContentType, Hash: h})
		}
	}
	for _, source := range c.pkg.Sources() {
		rels := c.pkg.Rels(source)
		r := Reference{Name: rels.Name(), ContentType: TypeRelationships, Hash: h}
		if p := c.pkg.Part(r.Name); p != nil {
			r.Name = p.Name
		}
		for _, rel := range rels.All() {
			if c.leads(source, rel) || s == NativeScope && source == "/" && c.properties[c.pkg.Part(rel.Part)] {
				continue
			}
			r.IDs = append(r.IDs, rel.ID)
		}
		if slices.Sort(r.IDs); r.IDs != nil {
			refs = append(refs, r)
		}
	}
	slices.SortFunc(refs, func(a, b Reference) int { return strings.Compare(a.Name, b.Name) })
	return refs
}

// Uncovered lists what a signature of these references leaves out and should not: parts, and relationships with the ids
// that are not covered. It does not ask whether what is covered is still the same.
func (c *Cover) Uncovered(s Scope, refs []Reference) []Reference {
	parts, ids := map[*opc.Part]bool{}, map[*opc.Part]map[string]bool{}
	for i := range refs {
		r := &refs[i]
		p := c.pkg.Part(r.Name)
		if p == nil {
			continue
		}
		if !r.IsRels() {
			parts[p] = true
			continue
		}
		if ids[p] == nil {
			ids[p] = map[string]bool{}
		}
		for _, id := range r.IDs {
			ids[p][id] = true
		}
	}
	var out []Reference
	for _, r := range c.References(s, "") {
		p := c.pkg.Part(r.Name)
		if r.IsRels() {
			r.IDs = slices.DeleteFunc(r.IDs, func(id string) bool { return ids[p][id] })
			if len(r.IDs) > 0 {
				out = append(out, r)
			}
		} else if !parts[p] {
			out = append(out, r)
		}
	}
	return out
}

// Fill computes the digests of references, each with its hash; each part is read once. Relationships that are not there are
// left out of their digest, as the transform says. A part that is not there is ErrReference; the other errors are opc's.
func Fill(ctx context.Context, p *opc.Package, lists ...[]Reference) error {
	var hashes []sign.Hash
	var parts []*opc.Part
	place := map[*opc.Part]int{}
	for _, list := range lists {
		for i := range list {
			r := &list[i]
			if r.Hash.Size() == 0 {
				return fmt.Errorf("%w: %q", ErrHash, r.Hash)
			}
			if r.IsRels() {
				source, _ := opc.SourceOf(r.Name)
				r.Digest = r.Hash.Sum(p.Rels(source).Transform(r.IDs))
				continue
			}
			part := p.Part(r.Name)
			if part == nil {
				return fmt.Errorf("%w: %.200q is not in the package", ErrReference, r.Name)
			}
			if _, ok := place[part]; !ok {
				place[part] = len(parts)
				parts = append(parts, part)
			}
			if !slices.Contains(hashes, r.Hash) {
				hashes = append(hashes, r.Hash)
			}
		}
	}
	news := make([]func() hash.Hash, len(hashes))
	for i, h := range hashes {
		news[i] = h.New
	}
	sums, err := p.Digests(ctx, parts, news)
	if err != nil {
		return err
	}
	for _, list := range lists {
		for i := range list {
			if r := &list[i]; !r.IsRels() {
				r.Digest = sums[place[p.Part(r.Name)]][slices.Index(hashes, r.Hash)]
			}
		}
	}
	return nil
}
