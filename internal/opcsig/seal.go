package opcsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
)

// A SealManifest is Signature.xml of ours: what a seal signature in a package is over (officex/FORMAT.md).
type SealManifest struct {
	References []Reference // by name
	Undo       []byte      // SM3 of the part undo of the same act; nil: it has none
}

// maxManifest bounds Signature.xml.
const maxManifest = 16 << 20

// Marshal writes the manifest: there is one way to.
func (m *SealManifest) Marshal() ([]byte, error) {
	list, err := sorted(m.References)
	if err != nil {
		return nil, err
	}
	digest := func(b, d []byte) ([]byte, error) {
		if len(d) != sign.SM3.Size() {
			return nil, fmt.Errorf("%w: a digest of %d octets is none of SM3", ErrReference, len(d))
		}
		return append(base64.StdEncoding.AppendEncode(append(b, ` SM3="`...), d), `">`...), nil
	}
	b := []byte(`<Seal xmlns="` + NS + `">`)
	for i := range list {
		r := &list[i]
		element := "Part"
		if r.IsRels() {
			element = "Relationships"
		}
		b = append(b, '<')
		b = append(b, element...)
		if !r.IsRels() {
			b = append(xmldoc.AppendAttr(append(b, ` ContentType="`...), r.ContentType), '"')
		}
		b = append(xmldoc.AppendAttr(append(b, ` Name="`...), r.Name), '"')
		if b, err = digest(b, r.Digest); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name, err)
		}
		for _, id := range r.IDs {
			b = append(xmldoc.AppendText(append(b, `<Id>`...), id), `</Id>`...)
		}
		b = append(append(append(b, `</`...), element...), '>')
	}
	if m.Undo != nil {
		if b, err = digest(append(b, `<Undo`...), m.Undo); err != nil {
			return nil, fmt.Errorf("undo: %w", err)
		}
		b = append(b, `</Undo>`...)
	}
	if b = append(b, `</Seal>`...); len(b) > maxManifest {
		return nil, fmt.Errorf("%w: a seal manifest of %d octets; %d are the most", ErrLimit, len(b), maxManifest)
	}
	return b, nil
}

// ParseSealManifest reads what Marshal writes, and nothing else: ErrManifest, ErrLimit.
func ParseSealManifest(b []byte) (*SealManifest, error) {
	doc, err := xmldoc.Parse(b, xmldoc.Limits{Size: maxManifest, Depth: 8, Attributes: 8})
	if err != nil {
		if errors.Is(err, xmldoc.ErrLimit) {
			return nil, fmt.Errorf("%w: %w", ErrLimit, err)
		}
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if doc.Root.Name != (xmldoc.Name{Space: NS, Local: "Seal"}) {
		return nil, fmt.Errorf("%w: the root is %.80q", ErrManifest, doc.Root.Name.Local)
	}
	m := new(SealManifest)
	for _, e := range doc.Root.Elements() {
		sum, err := digestAttr(e)
		if err != nil {
			return nil, err
		}
		name, _ := e.Attr("", "Name")
		switch e.Name.Local {
		case "Part":
			kind, _ := e.Attr("", "ContentType")
			m.References = append(m.References, Reference{Name: name, ContentType: kind, Hash: sign.SM3, Digest: sum})
		case "Relationships":
			r := Reference{Name: name, ContentType: TypeRelationships, IDs: []string{}, Hash: sign.SM3, Digest: sum}
			for _, id := range e.Elements() {
				r.IDs = append(r.IDs, id.Text())
			}
			m.References = append(m.References, r)
		case "Undo":
			m.Undo = sum
		}
	}
	// Whatever is not looked at above, and every other way to write the same, is in the way of getting the same octets.
	again, err := m.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if !bytes.Equal(again, b) {
		return nil, fmt.Errorf("%w: it is not written as the format says", ErrManifest)
	}
	return m, nil
}

func digestAttr(e *xmldoc.Element) ([]byte, error) {
	s, _ := e.Attr("", "SM3")
	sum, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(sum) != sign.SM3.Size() {
		return nil, fmt.Errorf("%w: %.40q is no digest of SM3 (%s)", ErrManifest, s, e.Name.Local)
	}
	return sum, nil
}
