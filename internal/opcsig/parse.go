package opcsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// Limits of a signature part. Office writes far less of everything.
const (
	MaxPart       = 16 << 20
	maxNodes      = 256 << 10
	maxReferences = 64 // of SignedInfo
	maxStamps     = 16
	maxValue      = 64 << 10 // octets of the element SignatureValue
)

// A Signature is a signature part as it was read. Everything in it comes from one reading of the octets: what was hashed
// is what is shown. Findings says what is wrong with its form; a signature with a finding that is not Minor protects
// nothing, whatever its value is.
type Signature struct {
	ID           string
	Findings     []Finding
	Method       string      // SignatureMethod
	Scheme       sign.Scheme // that Method names; zero: none that is known
	SignedInfo   []byte      // canonical: what the value is over; nil: it has no canonical form that is known
	Value        []byte      // SignatureValue: of ECDSA r || s
	Signed       []Signed    // the references of SignedInfo
	Object       []byte      // the canonical package object; nil: there is none, or no reference to it
	Manifest     []Reference // of the package object
	Time         time.Time   // claimed in the package object; zero: none
	Info         *Info       // nil: none that is signed
	XAdES        *XAdES      // nil: none that is signed, as in what Word 2007 wrote
	Certificates [][]byte    // of KeyInfo; no claim about their order holds
	TimeStamps   []TimeStamp // over the value; not signed
}

// A Signed is a reference of SignedInfo.
type Signed struct {
	URI, Type string
	Hash      sign.Hash
	Digest    []byte // as it stands there
	Computed  []byte // of the canonical form of what it names; nil: it names nothing that can be signed
}

// OK says whether what was signed is what is there.
func (s *Signed) OK() bool { return s.Computed != nil && bytes.Equal(s.Digest, s.Computed) }

// Intact says whether all digests of SignedInfo are right, and whether nothing but minor things was found.
func (s *Signature) Intact() bool {
	for i := range s.Signed {
		if !s.Signed[i].OK() {
			return false
		}
	}
	for _, f := range s.Findings {
		if !f.Minor() {
			return false
		}
	}
	return true
}

type parser struct {
	doc     *xmldoc.Doc
	root    *xmldoc.Element
	sig     *Signature
	ids     map[string][]*xmldoc.Element
	covered map[*xmldoc.Element]bool // what references of SignedInfo name
	sha1    []string                 // where SHA-1 is used
}

// Parse reads a signature part. The error is ErrSignature or ErrLimit: it is no XML signature that could be judged.
// Everything else that is wrong is in Findings.
func Parse(part []byte) (*Signature, error) {
	doc, err := xmldoc.Parse(part, xmldoc.Limits{Size: MaxPart, Depth: 64, Nodes: maxNodes, Attributes: 64})
	switch {
	case errors.Is(err, xmldoc.ErrLimit):
		return nil, fmt.Errorf("%w: %w", ErrLimit, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	case doc.Root.Name != ds("Signature"):
		return nil, fmt.Errorf("%w: the root is %.80q", ErrSignature, doc.Root.Name.Local)
	}
	p := &parser{doc: doc, root: doc.Root, sig: new(Signature), covered: map[*xmldoc.Element]bool{}}
	p.sig.ID, _ = p.root.Attr("", "Id")
	p.readIDs()
	p.checkMarkup()
	p.signature()
	p.objects()
	if len(p.sha1) > 0 {
		p.find("X4", CodeSHA1, "%s", strings.Join(p.sha1, ", "))
	}
	return p.sig, nil
}

func ds(local string) xmldoc.Name { return xmldoc.Name{Space: xmldsig.NS, Local: local} }

// readIDs notes every attribute that any program takes for an id, and names that Office lets disappear.
func (p *parser) readIDs() {
	p.ids = map[string][]*xmldoc.Element{}
	mce := false
	var walk func(e *xmldoc.Element)
	walk = func(e *xmldoc.Element) {
		mce = mce || e.Name.Space == nsMCE
		for i := range e.Attrs {
			a := &e.Attrs[i]
			mce = mce || a.Name.Space == nsMCE
			if strings.EqualFold(a.Name.Local, "id") {
				p.ids[a.Value] = append(p.ids[a.Value], e)
				if len(p.ids[a.Value]) == 2 {
					p.find("X2", CodeDuplicateID, "%.80q", a.Value)
				}
			}
		}
		for _, c := range e.Elements() {
			walk(c)
		}
	}
	walk(p.root)
	if mce {
		p.find("X1", CodeMCE, "names of markup compatibility, which no signature may have")
	}
}

// checkMarkup looks for comments, CDATA sections and processing instructions. Canonical XML leaves comments out, so that they may be
// put into what is signed, and programs that read the first piece of a text then read another text than those that read all of it. Around
// the signature they have no place either: there an instruction could name a style sheet.
func (p *parser) checkMarkup() {
	b := p.doc.Bytes()
	if i := bytes.Index(b[:p.root.Start], []byte("?>")); i > 0 && bytes.HasPrefix(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), []byte("<?xml ")) {
		b = b[i:]
	}
	for _, m := range []string{"<!", "<?"} { // which stand nowhere else, since "<" has to be escaped
		if i := bytes.Index(b, []byte(m)); i >= 0 {
			p.find("X2", CodeStructure, "a comment, CDATA or processing instruction in the signature: %.40q", b[i:])
		}
	}
}

const nsMCE = "http://schemas.openxmlformats.org/markup-compatibility/2006"

// signature reads the children of Signature, which have an order.
func (p *parser) signature() {
	children := p.root.Elements()
	next := func(name string) *xmldoc.Element {
		if len(children) == 0 || children[0].Name != ds(name) {
			return nil
		}
		e := children[0]
		children = children[1:]
		return e
	}
	if e := next("SignedInfo"); e != nil {
		p.signedInfo(e)
	} else {
		p.find("X2", CodeStructure, "SignedInfo is not the first element of the signature")
	}
	if e := next("SignatureValue"); e != nil {
		var ok bool
		if e.End-e.Start > maxValue {
			p.find("S2", CodeValue, "SignatureValue has %d octets", e.End-e.Start)
		} else if p.sig.Value, ok = p.base64(e); !ok {
			p.find("S2", CodeValue, "SignatureValue is not base64")
		}
	} else {
		p.find("X2", CodeStructure, "SignatureValue is not the second element of the signature")
	}
	if e := next("KeyInfo"); e != nil {
		p.keyInfo(e)
	}
	if len(p.sig.Certificates) == 0 {
		p.find("S1", CodeCertificate, "there is no X509Certificate in KeyInfo")
	}
	for _, e := range children {
		if e.Name != ds("Object") {
			p.find("X2", CodeStructure, "%.80q stands in the signature where only Object can", e.Name.Local)
		}
	}
	if p.sig.Object == nil {
		p.find("X3", CodeNoPackage, "no reference of SignedInfo names %s", xmldsig.PackageObject)
	}
}

func (p *parser) keyInfo(e *xmldoc.Element) {
	for _, d := range e.Elements() {
		if d.Name != ds("X509Data") {
			continue
		}
		for _, c := range d.Elements() {
			if c.Name != ds("X509Certificate") {
				continue
			}
			b, ok := p.base64(c)
			if !ok || len(p.sig.Certificates) == maxReferences {
				p.find("S1", CodeCertificate, "X509Certificate is not base64, or one too many")
				return
			}
			p.sig.Certificates = append(p.sig.Certificates, b)
		}
	}
}

// signedInfo reads SignedInfo and computes what its references name.
func (p *parser) signedInfo(e *xmldoc.Element) {
	children := e.Elements()
	if len(children) < 2 || children[0].Name != ds("CanonicalizationMethod") || children[1].Name != ds("SignatureMethod") {
		p.find("X2", CodeStructure, "SignedInfo does not begin with CanonicalizationMethod and SignatureMethod")
		return
	}
	if m, ok := p.c14n(children[0]); ok {
		p.sig.SignedInfo, ok = p.canonical(e, m)
		if !ok {
			p.find("X4", CodeAlgorithm, "SignedInfo has no canonical form")
		}
	} else {
		p.find("X4", CodeAlgorithm, "CanonicalizationMethod %.100q", algorithm(children[0]))
	}
	p.sig.Method = algorithm(children[1])
	var ok bool
	if p.sig.Scheme, ok = xmldsig.SchemeOf(p.sig.Method); !ok || len(children[1].Elements()) > 0 {
		p.sig.Scheme = sign.Scheme{}
		p.find("X4", CodeAlgorithm, "SignatureMethod %.100q", p.sig.Method)
	} else if p.sig.Scheme.Hash == sign.SHA1 {
		p.sha1 = append(p.sha1, "SignatureMethod")
	}
	for i, r := range children[2:] {
		if i == maxReferences {
			p.find("X3", CodeMany, "%d references in SignedInfo", len(children)-2)
			return
		}
		if r.Name != ds("Reference") {
			p.find("X2", CodeStructure, "%.80q in SignedInfo", r.Name.Local)
			continue
		}
		p.reference(r)
	}
}

// reference reads one reference of SignedInfo.
func (p *parser) reference(e *xmldoc.Element) {
	s := Signed{}
	s.URI, _ = e.Attr("", "URI")
	s.Type, _ = e.Attr("", "Type")
	transforms, method, digest := p.referenceParts(e)
	s.Hash, s.Digest = p.digest(method, digest, s.URI)
	if target := p.resolve(s.URI); target != nil && s.Hash != "" {
		m, ok := p.transforms(transforms, s.URI)
		if ok && p.checkTarget(target, s.URI, s.Type) {
			var b []byte
			if b, ok = p.canonical(target, m); ok {
				s.Computed = s.Hash.Sum(b)
				p.covered[target] = true
				if s.URI == "#"+xmldsig.PackageObject {
					p.sig.Object = b
				}
			} else {
				p.find("X4", CodeAlgorithm, "%.80q has no canonical form", s.URI)
			}
		}
	}
	p.sig.Signed = append(p.sig.Signed, s)
}

// referenceParts gives the children of a Reference, or nil for what is not where it should be.
func (p *parser) referenceParts(e *xmldoc.Element) (transforms, method, digest *xmldoc.Element) {
	children := e.Elements()
	if len(children) > 0 && children[0].Name == ds("Transforms") {
		transforms, children = children[0], children[1:]
	}
	if len(children) != 2 || children[0].Name != ds("DigestMethod") || children[1].Name != ds("DigestValue") {
		uri, _ := e.Attr("", "URI")
		p.find("X2", CodeStructure, "the reference to %.80q is not Transforms, DigestMethod, DigestValue", uri)
		return transforms, nil, nil
	}
	return transforms, children[0], children[1]
}

// digest reads DigestMethod and DigestValue.
func (p *parser) digest(method, value *xmldoc.Element, what string) (sign.Hash, []byte) {
	if method == nil {
		return "", nil
	}
	h := xmldsig.HashOf(algorithm(method))
	if h == "" || len(method.Elements()) > 0 {
		p.find("X4", CodeAlgorithm, "DigestMethod %.100q of %.80q", algorithm(method), what)
		return "", nil
	}
	if h == sign.SHA1 {
		switch n := len(p.sha1); {
		case n < 4:
			p.sha1 = append(p.sha1, fmt.Sprintf("digest of %.80q", what))
		case n == 4:
			p.sha1 = append(p.sha1, "and others")
		}
	}
	b, ok := p.base64(value)
	if !ok || len(b) != h.Size() {
		p.find("X4", CodeDigest, "DigestValue of %.80q is none of %s", what, h)
		return h, nil
	}
	return h, b
}

// resolve finds the one element of the part that a reference of SignedInfo names.
func (p *parser) resolve(uri string) *xmldoc.Element {
	id, ok := strings.CutPrefix(uri, "#")
	switch {
	case !ok:
		p.find("X3", CodeExternal, "SignedInfo references %.100q", uri)
		return nil
	case id == "" || strings.ContainsAny(id, "()#/ "):
		p.find("X2", CodeUnresolved, "SignedInfo references %.100q, which is no Id", uri)
		return nil
	}
	found := p.ids[id]
	if len(found) != 1 {
		p.find("X2", CodeUnresolved, "%d elements have the Id %.80q, which SignedInfo references", len(found), id)
		return nil
	}
	if exact, _ := found[0].Attr("", "Id"); exact != id {
		p.find("X2", CodeUnresolved, "%.80q stands in an attribute that is not Id", id)
		return nil
	}
	if p.covered[found[0]] {
		p.find("X3", CodeRepeated, "SignedInfo references %.100q again", uri)
		return nil
	}
	return found[0]
}

// checkTarget says whether an element is one that an Office signature signs, and the reference calls it what it is.
func (p *parser) checkTarget(e *xmldoc.Element, uri, kind string) bool {
	if e.Name == ds("Object") && e.Parent == p.root {
		if kind != xmldsig.ObjectType && (kind != "" || uri == "#"+xmldsig.PackageObject) {
			p.find("X3", CodeType, "the reference to %.80q has the type %.100q", uri, kind)
			return false
		}
		return true
	}
	if !p.isProperties(e) {
		p.find("X2", CodeTarget, "%.80q names %.80q, which is neither an Object of the signature nor its SignedProperties", uri, e.Name.Local)
		return false
	}
	if !strings.HasPrefix(kind, xadesFamily) || !strings.HasSuffix(kind, "#SignedProperties") {
		p.find("X3", CodeType, "the reference to SignedProperties has the type %.100q", kind)
		return false
	}
	return true
}

const xadesFamily = "http://uri.etsi.org/01903"

// isProperties says whether e is the SignedProperties of this signature.
func (p *parser) isProperties(e *xmldoc.Element) bool {
	if e.Name != xd("SignedProperties") || e.Parent == nil || e.Parent.Name != xd("QualifyingProperties") {
		return false
	}
	q := e.Parent
	target, _ := q.Attr("", "Target")
	return q.Parent != nil && q.Parent.Name == ds("Object") && q.Parent.Parent == p.root && p.sig.ID != "" && target == "#"+p.sig.ID
}

func xd(local string) xmldoc.Name { return xmldoc.Name{Space: xmldsig.XAdES, Local: local} }

// transforms reads the Transforms of a reference of SignedInfo: none, or one canonical XML. Comments are never in what
// "#id" names (XML Signature 4.4.3.3), so a method that would keep them finds none.
func (p *parser) transforms(e *xmldoc.Element, uri string) (m xmldoc.Method, ok bool) {
	if e == nil {
		return m, true
	}
	if all := e.Elements(); len(all) == 1 && all[0].Name == ds("Transform") {
		if m, ok = p.c14n(all[0]); ok {
			m.Comments = false
			return m, true
		}
	}
	p.find("X4", CodeTransform, "the reference to %.80q has transforms other than one canonical XML", uri)
	return m, false
}

// c14n reads a method of canonicalization.
func (p *parser) c14n(e *xmldoc.Element) (m xmldoc.Method, ok bool) {
	params := e.Elements()
	switch algorithm(e) {
	case xmldsig.C14N:
		return m, len(params) == 0
	case xmldsig.C14NComments:
		return xmldoc.Method{Comments: true}, len(params) == 0
	case xmldsig.ExclusiveC14N, xmldsig.ExclusiveC14NComments:
		m = xmldoc.Method{Exclusive: true, Comments: algorithm(e) == xmldsig.ExclusiveC14NComments}
		if len(params) == 0 {
			return m, true
		}
		list, there := params[0].Attr("", "PrefixList")
		m.Prefixes = strings.Fields(list)
		return m, len(params) == 1 && there && params[0].Name == xmldoc.Name{Space: xmldsig.ExclusiveC14N, Local: "InclusiveNamespaces"}
	}
	return m, false
}

// canonical is Doc.Canonical; what fails has no canonical form, or one far longer than the part.
func (p *parser) canonical(e *xmldoc.Element, m xmldoc.Method) ([]byte, bool) {
	b, err := p.doc.Canonical(e, m)
	return b, err == nil
}

func algorithm(e *xmldoc.Element) string {
	a, _ := e.Attr("", "Algorithm")
	return a
}

// base64 reads an element that has nothing but base64 in it, on as many lines as it likes.
func (p *parser) base64(e *xmldoc.Element) ([]byte, bool) {
	if len(e.Elements()) > 0 {
		return nil, false
	}
	s := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\t', '\r', '\n':
			return -1
		}
		return r
	}, e.Text())
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	return b, err == nil && len(b) > 0
}
