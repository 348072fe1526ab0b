package opcsig

import (
	"strconv"
	"strings"
	"time"

	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// Info is SignatureInfoV1: what Office says about a signature, and shows of it.
type Info struct {
	Setup    string // the GUID of the signature line; empty: none
	Text     string // the signer's name on the line
	Picture  []byte // what was put on the line
	Comments string
	Provider string // GUID of who draws the line
	Type     int    // 1: no line, 2: a line; 0: not said
	Hash     string // ManifestHashAlgorithm, which nothing uses; empty: not said
	Valid    []byte // what the line shows while the signature is valid: from its own Object
	Invalid  []byte // and when it is not
}

// XAdES are the SignedProperties.
type XAdES struct {
	Time         time.Time // SigningTime; zero: none
	Certificates []CertRef // SigningCertificate
	Implied      bool      // SignaturePolicyImplied
}

// A CertRef says which certificate signs.
type CertRef struct {
	Hash           sign.Hash // empty: unknown
	Digest         []byte
	Issuer, Serial string // as they stand there; of SigningCertificateV2 empty
}

// A TimeStamp is one over the signature value (XAdES-T).
type TimeStamp struct {
	Token []byte // TimeStampToken, DER, not checked
	Over  []byte // what it is to be over: the canonical SignatureValue
}

// objects reads the Objects of the signature.
func (p *parser) objects() {
	manifests := 0
	for _, o := range p.root.Elements() {
		if o.Name != ds("Object") {
			continue
		}
		id, _ := o.Attr("", "Id")
		if o.Child(xmldsig.NS, "Manifest") != nil {
			if manifests++; id != xmldsig.PackageObject {
				p.find("X2", CodeStructure, "a Manifest stands in the Object %.80q", id)
			}
		}
		switch {
		case p.covered[o]:
			p.coveredObject(o, id)
		case id == xmldsig.PackageObject: // said already
		case id == xmldsig.OfficeObject, id == xmldsig.ValidImage, id == xmldsig.InvalidImage, p.shows(o):
			p.find("X2", CodeNotSigned, "no reference of SignedInfo covers the Object %.80q, which programs show", id)
		case o.Child(xmldsig.XAdES, "QualifyingProperties") == nil:
			p.find("X2", CodeLoose, "no reference of SignedInfo covers the Object %.80q", id)
		}
		p.qualifying(o)
	}
	if p.sig.Info == nil {
		p.find("X2", CodeOfficeInfo, "there is no SignatureInfoV1")
	}
}

// shows says whether anything that no reference covers in e is what programs show of a signature: comments, times, the certificate that
// is said to sign. LibreOffice looks for their names alone, wherever they stand. SignedProperties in their place are judged as such.
func (p *parser) shows(e *xmldoc.Element) bool {
	for _, c := range e.Elements() {
		switch {
		case p.covered[c], p.isProperties(c):
		case c.Name.Space == xmldsig.OfficeNS, c.Name.Space == xmldsig.MDSSI, c.Name == xd("SigningTime"), c.Name == xd("SigningCertificate"), p.shows(c):
			return true
		}
	}
	return false
}

func (p *parser) coveredObject(o *xmldoc.Element, id string) {
	switch id {
	case xmldsig.PackageObject:
		p.packageObject(o)
	case xmldsig.ValidImage:
		p.info().Valid, _ = p.base64(o)
	case xmldsig.InvalidImage:
		p.info().Invalid, _ = p.base64(o)
	default:
		p.officeObject(o)
	}
}

func (p *parser) info() *Info {
	if p.sig.Info == nil {
		p.sig.Info = new(Info)
	}
	return p.sig.Info
}

// packageObject reads the manifest and the claimed time.
func (p *parser) packageObject(o *xmldoc.Element) {
	manifests := 0
	for _, e := range o.Elements() {
		switch e.Name {
		case ds("Manifest"):
			if manifests++; manifests == 1 {
				p.manifest(e)
			}
		case ds("SignatureProperties"):
			for _, t := range properties(e, xmldsig.MDSSI, "SignatureTime") {
				p.signatureTime(t)
			}
		default:
			p.find("X2", CodeStructure, "%.80q in the package object", e.Name.Local)
		}
	}
	if manifests != 1 {
		p.find("X2", CodeStructure, "the package object has %d manifests", manifests)
	}
	if p.sig.Time.IsZero() {
		p.find("X2", CodeTime, "the package object has no SignatureTime that can be read")
	}
}

// properties gives what stands in the SignatureProperty elements, by name.
func properties(e *xmldoc.Element, space, local string) (all []*xmldoc.Element) {
	for _, sp := range e.Elements() {
		if sp.Name == ds("SignatureProperty") {
			for _, c := range sp.Elements() {
				if c.Name.Space == space && c.Name.Local == local {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func (p *parser) signatureTime(e *xmldoc.Element) {
	v := e.Child(xmldsig.MDSSI, "Value")
	if v == nil {
		return
	}
	if t, ok := readTime(v.Text()); ok && p.sig.Time.IsZero() {
		p.sig.Time = t
	} else if ok && !t.Equal(p.sig.Time) {
		p.find("X2", CodeStructure, "two times are claimed in the package object")
	}
}

// readTime reads the profile of ISO 8601 that ECMA-376-2 names, and xsd:dateTime. What says no zone is taken for UTC.
func readTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02Z07:00",
		"2006-01-02", "2006-01", "2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// manifest reads the references to parts. Those that are not as Office has them are found, and left out.
func (p *parser) manifest(e *xmldoc.Element) {
	seen := map[string]bool{}
	for _, c := range e.Elements() {
		if c.Name != ds("Reference") {
			p.find("X2", CodeStructure, "%.80q in the manifest", c.Name.Local)
			continue
		}
		uri, _ := c.Attr("", "URI")
		name, kind, ok := strings.Cut(uri, typeQuery)
		if !ok || !goodName(name) || kind == "" || strings.Contains(kind, "#") {
			p.find("P1", CodeManifestURI, "%.200q", uri)
			continue
		}
		if seen[fold(name)] {
			p.find("P1", CodeManifestTwo, "%.200q", name)
			continue
		}
		seen[fold(name)] = true
		r := Reference{Name: name, ContentType: kind}
		transforms, method, digest := p.referenceParts(c)
		r.Hash, r.Digest = p.digest(method, digest, name)
		if r.IDs, ok = p.manifestTransforms(transforms, name); ok && r.Digest != nil {
			p.sig.Manifest = append(p.sig.Manifest, r)
		}
	}
	if len(p.sig.Manifest) == 0 {
		p.find("P1", CodeManifestURI, "the manifest names no part that can be checked")
	}
}

// manifestTransforms reads the transforms of a part: none, or of relationships the relationship transform and canonical
// XML, whose kind makes no difference to what the transform makes.
func (p *parser) manifestTransforms(e *xmldoc.Element, name string) (ids []string, ok bool) {
	if isRels(name) != (e != nil) {
		p.find("P2", CodeManifest, "%.200q: relationships go through the relationship transform, and nothing else does", name)
		return nil, false
	}
	if e == nil {
		return nil, true
	}
	all := e.Elements()
	if len(all) == 2 && all[0].Name == ds("Transform") && algorithm(all[0]) == xmldsig.RelationshipTransform && all[1].Name == ds("Transform") {
		_, ok = p.c14n(all[1])
	}
	if !ok {
		p.find("P2", CodeManifest, "%.200q: not the relationship transform and then canonical XML", name)
		return nil, false
	}
	ids = []string{}
	seen := map[string]bool{}
	for _, r := range all[0].Elements() {
		id, there := r.Attr("", "SourceId")
		if r.Name != (xmldoc.Name{Space: xmldsig.MDSSI, Local: "RelationshipReference"}) || !there {
			p.find("P2", CodeManifest, "%.200q: the relationship transform has %.80q, which Office does not use", name, r.Name.Local)
			return nil, false
		}
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, true
}

// officeObject reads SignatureInfoV1, where the Object has one.
func (p *parser) officeObject(o *xmldoc.Element) {
	for _, sps := range o.Elements() {
		if sps.Name != ds("SignatureProperties") {
			continue
		}
		for _, e := range properties(sps, xmldsig.OfficeNS, "SignatureInfoV1") {
			p.officeInfo(e)
		}
	}
}

func (p *parser) officeInfo(e *xmldoc.Element) {
	i := p.info()
	if i.Type != 0 || i.Provider != "" {
		p.find("X2", CodeStructure, "SignatureInfoV1 is there twice")
		return
	}
	seen := map[string]bool{}
	for _, c := range e.Elements() {
		name, text := c.Name.Local, c.Text()
		if name == "SetupId" { // LibreOffice before 6.2
			name = "SetupID"
		}
		if c.Name.Space != xmldsig.OfficeNS || len(c.Elements()) > 0 || seen[name] {
			p.find("X2", CodeStructure, "%.80q in SignatureInfoV1, which is there twice or is no field", name)
			continue
		}
		seen[name] = true
		switch name {
		case "SetupID":
			i.Setup = text
		case "SignatureText":
			i.Text = text
		case "SignatureImage":
			if strings.TrimSpace(text) != "" {
				var ok bool
				if i.Picture, ok = p.base64(c); !ok {
					p.find("X2", CodeOfficeInfo, "SignatureImage is not base64")
				}
			}
		case "SignatureComments":
			i.Comments = text
		case "SignatureProviderId":
			i.Provider = text
		case "ManifestHashAlgorithm":
			i.Hash = text
		case "SignatureType":
			i.Type, _ = strconv.Atoi(strings.TrimSpace(text))
			if i.Type != 1 && i.Type != 2 {
				p.find("X2", CodeOfficeInfo, "SignatureType %.20q", text)
			}
		}
	}
}

// qualifying reads XAdES properties. Those that no reference covers say nothing, and are not read.
func (p *parser) qualifying(o *xmldoc.Element) {
	for _, q := range o.Elements() {
		if q.Name != xd("QualifyingProperties") {
			continue
		}
		for _, e := range q.Elements() {
			switch e.Name {
			case xd("SignedProperties"):
				if !p.covered[e] {
					p.find("X2", CodeNotSigned, "no reference of SignedInfo covers the SignedProperties")
				} else if p.sig.XAdES != nil {
					p.find("X2", CodeStructure, "SignedProperties are there twice")
				} else {
					p.signedProperties(e)
				}
			case xd("UnsignedProperties"):
				p.unsignedProperties(e)
			default:
				p.find("X2", CodeStructure, "%.80q in QualifyingProperties", e.Name.Local)
			}
		}
	}
}

func (p *parser) signedProperties(e *xmldoc.Element) {
	x := new(XAdES)
	p.sig.XAdES = x
	all := e.Child(xmldsig.XAdES, "SignedSignatureProperties")
	if all == nil {
		p.find("X2", CodeXAdES, "there are no SignedSignatureProperties")
		return
	}
	seen := map[string]bool{}
	for _, c := range all.Elements() {
		if seen[c.Name.Local] {
			p.find("X2", CodeStructure, "%.80q is there twice", c.Name.Local)
			continue
		}
		seen[c.Name.Local] = true
		switch c.Name {
		case xd("SigningTime"):
			x.Time, _ = readTime(c.Text())
		case xd("SigningCertificate"), xd("SigningCertificateV2"):
			for _, cert := range c.Elements() {
				x.Certificates = append(x.Certificates, p.certRef(cert))
			}
		case xd("SignaturePolicyIdentifier"):
			x.Implied = c.Child(xmldsig.XAdES, "SignaturePolicyImplied") != nil
		}
	}
	if x.Time.IsZero() || len(x.Certificates) == 0 {
		p.find("X2", CodeXAdES, "SigningTime or SigningCertificate is missing, or cannot be read")
	}
}

func (p *parser) certRef(e *xmldoc.Element) (c CertRef) {
	if d := e.Child(xmldsig.XAdES, "CertDigest"); d != nil {
		if all := d.Elements(); len(all) == 2 && all[0].Name == ds("DigestMethod") && all[1].Name == ds("DigestValue") {
			c.Hash, c.Digest = p.digest(all[0], all[1], "the signer's certificate")
		}
	}
	if is := e.Child(xmldsig.XAdES, "IssuerSerial"); is != nil {
		if n := is.Child(xmldsig.NS, "X509IssuerName"); n != nil {
			c.Issuer = n.Text()
		}
		if n := is.Child(xmldsig.NS, "X509SerialNumber"); n != nil {
			c.Serial = strings.TrimSpace(n.Text())
		}
	}
	return c
}

// unsignedProperties reads the time stamps over the signature value.
func (p *parser) unsignedProperties(e *xmldoc.Element) {
	all := e.Child(xmldsig.XAdES, "UnsignedSignatureProperties")
	value := p.root.Child(xmldsig.NS, "SignatureValue")
	if all == nil || value == nil || p.sig.Value == nil {
		return
	}
	for _, c := range all.Elements() {
		if c.Name != xd("SignatureTimeStamp") {
			continue
		}
		m, ok := xmldoc.Method{}, true
		if cm := c.Child(xmldsig.NS, "CanonicalizationMethod"); cm != nil {
			m, ok = p.c14n(cm)
		}
		var t TimeStamp
		token := c.Child(xmldsig.XAdES, "EncapsulatedTimeStamp")
		if ok = ok && token != nil && len(p.sig.TimeStamps) < maxStamps; ok {
			t.Token, ok = p.base64(token)
		}
		if ok {
			t.Over, ok = p.canonical(value, m)
		}
		if !ok {
			p.find("S3", CodeTimeStamp, "a SignatureTimeStamp cannot be read")
			continue
		}
		p.sig.TimeStamps = append(p.sig.TimeStamps, t)
	}
}
