package opcsig

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// idSignature is what native signatures are called. Word looks for this name and those in xmldsig.
const idSignature = "idPackageSignature"

// Identifiers of signature providers: who draws a signature line. Zero is Office itself.
const (
	PlainProvider = "{00000000-0000-0000-0000-000000000000}"
	StampProvider = "{000CD6A4-0000-0000-C000-000000000046}" // the stamp lines of Office for East Asia
)

const (
	maxText    = 100     // characters of SignatureText (MS-OFFCRYPTO 2.5.2.5)
	maxPicture = 2 << 20 // octets, ours
	maxChain   = 16      // certificates, ours
)

// timeLayout is that of xd:SigningTime and, by its Format, of mdssi:SignatureTime.
const timeLayout = "2006-01-02T15:04:05Z"

// A Draft is what goes into a Native.
type Draft struct {
	Hash     sign.Hash   // of the scheme that will sign: for all digests
	Manifest []Reference // what is signed of the package, in any order
	Time     time.Time   // the claimed time
	Chain    [][]byte    // the signer's certificate first
	Comments string      // SignatureComments, for people; Act.Reference comes behind it
	Line     *Line       // nil: the signature has no line in the document
}

// A Line says which signature line of the document the signature fills, and what Office shows there.
type Line struct {
	Setup    string // the GUID of the line, in braces
	Provider string // PlainProvider or StampProvider; empty: PlainProvider
	Text     string // the signer's name as text; empty where a picture takes its place
	Picture  []byte // what was put on the line: PNG, JPEG or EMF; nil: none
	Valid    []byte // what the line shows while the signature is valid
	Invalid  []byte // and when it is not
}

// A Native is what a native signature of one act signs, as text: Draft.Build makes it, then it does not change. Only the
// reference of a ledger's entry, the signature value and a time stamp come later. The texts are in their canonical form
// (Canonical XML 1.0), as they are hashed; sigN.xml has the same octets without the namespaces that the elements around
// them declare.
type Native struct {
	hash          sign.Hash
	chain         [][]byte
	pkg           string // idPackageObject
	properties    string // SignedProperties
	valid         string // idValidSigLnImg; empty: there is no line
	invalid       string
	office        sign.Office
	packageDigest []byte
}

// Build makes the text of what is signed.
func (d *Draft) Build() (*Native, error) {
	if xmldsig.DigestMethod(d.Hash) == "" || d.Hash == sign.SHA1 {
		return nil, fmt.Errorf("%w: %q", ErrHash, d.Hash)
	}
	if err := checkText("SignatureComments", d.Comments, xmldsig.MaxComments); err != nil {
		return nil, err
	}
	n := &Native{hash: d.Hash, chain: d.Chain, office: sign.Office{Comments: d.Comments}}
	var err error
	if n.pkg, err = d.packageObject(); err != nil {
		return nil, err
	}
	if n.properties, err = d.signedProperties(); err != nil {
		return nil, err
	}
	if n.office.Object, err = d.Line.officeObject(); err != nil {
		return nil, err
	}
	n.packageDigest = d.Hash.Sum([]byte(n.pkg))
	n.office.Properties = d.Hash.Sum([]byte(n.properties))
	if l := d.Line; l != nil {
		n.valid, n.invalid = pictureObject(xmldsig.ValidImage, l.Valid), pictureObject(xmldsig.InvalidImage, l.Invalid)
		n.office.ValidImage, n.office.InvalidImage = d.Hash.Sum([]byte(n.valid)), d.Hash.Sum([]byte(n.invalid))
	}
	return n, nil
}

// Package is the canonical idPackageObject: Act.Content of a native signature is its digest.
func (n *Native) Package() []byte { return []byte(n.pkg) }

// Office is what the signature signs besides.
func (n *Native) Office() *sign.Office {
	o := n.office
	return &o
}

// Part is sigN.xml, whole, with what a signer made of it by the scheme.
func (n *Native) Part(s sign.Scheme, v sign.XMLValue) ([]byte, error) {
	if s.Hash != n.hash || xmldsig.MethodOf(s) == "" {
		return nil, fmt.Errorf("%w: %s over digests made with %s", ErrHash, s, n.hash)
	}
	comments := xmldsig.Comments(&n.office, v.Reference)
	if err := checkText("SignatureComments", comments, xmldsig.MaxComments); err != nil {
		return nil, err
	}
	office := n.office.Object[0] + string(xmldoc.AppendText(nil, comments)) + n.office.Object[1]

	b := []byte(`<?xml version="1.0" encoding="UTF-8"?><Signature xmlns="` + xmldsig.NS + `" Id="` + idSignature + `">`)
	inner := func(canonical []byte) { b = append(b, xmldsig.InDocument(canonical)...) }
	inner(xmldsig.SignedInfo(s, xmldsig.References(&n.office, n.packageDigest, n.hash.Sum([]byte(office)))))
	inner(xmldsig.SignatureValue(v.Value))
	b = append(b, `<KeyInfo><X509Data>`...)
	for _, c := range n.chain {
		b = append(base64.StdEncoding.AppendEncode(append(b, `<X509Certificate>`...), c), `</X509Certificate>`...)
	}
	b = append(b, `</X509Data></KeyInfo>`...)
	inner([]byte(n.pkg))
	inner([]byte(office))
	b = append(b, `<Object><xd:QualifyingProperties xmlns:xd="`+xmldsig.XAdES+`" Target="#`+idSignature+`">`+propertiesStart...)
	b = append(b, n.properties[len(propertiesApex):]...)
	if v.TimeStamp != nil {
		b = append(b, `<xd:UnsignedProperties><xd:UnsignedSignatureProperties><xd:SignatureTimeStamp>`+
			`<CanonicalizationMethod Algorithm="`+xmldsig.C14N+`"></CanonicalizationMethod><xd:EncapsulatedTimeStamp>`...)
		b = base64.StdEncoding.AppendEncode(b, v.TimeStamp)
		b = append(b, `</xd:EncapsulatedTimeStamp></xd:SignatureTimeStamp></xd:UnsignedSignatureProperties></xd:UnsignedProperties>`...)
	}
	b = append(b, `</xd:QualifyingProperties></Object>`...)
	inner([]byte(n.valid))
	inner([]byte(n.invalid))
	return append(b, `</Signature>`...), nil
}

// packageObject is the canonical idPackageObject: the manifest and the claimed time.
func (d *Draft) packageObject() (string, error) {
	list, err := sorted(d.Manifest)
	if err != nil {
		return "", err
	}
	b := []byte(`<Object xmlns="` + xmldsig.NS + `" Id="` + xmldsig.PackageObject + `"><Manifest>`)
	for i := range list {
		r := &list[i]
		if len(r.Digest) != d.Hash.Size() {
			return "", fmt.Errorf("%w: %s has a digest of %d octets, where %s makes %d", ErrReference, r.Name, len(r.Digest), d.Hash, d.Hash.Size())
		}
		b = append(xmldoc.AppendAttr(append(b, `<Reference URI="`...), r.Name+typeQuery+r.ContentType), `">`...)
		if r.IsRels() {
			b = append(b, `<Transforms><Transform Algorithm="`+xmldsig.RelationshipTransform+`">`...)
			for _, id := range r.IDs {
				b = append(b, `<mdssi:RelationshipReference xmlns:mdssi="`+xmldsig.MDSSI+`" SourceId="`...)
				b = append(xmldoc.AppendAttr(b, id), `"></mdssi:RelationshipReference>`...)
			}
			b = append(b, `</Transform><Transform Algorithm="`+xmldsig.C14N+`"></Transform></Transforms>`...)
		}
		b = append(xmldsig.AppendDigest(b, d.Hash, r.Digest), `</Reference>`...)
	}
	b = append(b, `</Manifest><SignatureProperties><SignatureProperty Id="idSignatureTime" Target="#`+idSignature+`">`+
		`<mdssi:SignatureTime xmlns:mdssi="`+xmldsig.MDSSI+`"><mdssi:Format>YYYY-MM-DDThh:mm:ssTZD</mdssi:Format><mdssi:Value>`+
		d.Time.UTC().Format(timeLayout)+
		`</mdssi:Value></mdssi:SignatureTime></SignatureProperty></SignatureProperties></Object>`...)
	return string(b), nil
}

// officeObject is the canonical idOfficeObject around the text of SignatureComments. The fields about a machine are
// those of one that does not exist: Office shows them to whoever asks for details, and a signer owes nobody his screen.
func (l *Line) officeObject() (object [2]string, err error) {
	setup, text, picture, provider, kind := "", "", "", PlainProvider, "1"
	if l != nil {
		if err := l.check(); err != nil {
			return object, err
		}
		setup, text, kind = l.Setup, string(xmldoc.AppendText(nil, l.Text)), "2"
		picture = base64.StdEncoding.EncodeToString(l.Picture)
		if l.Provider != "" {
			provider = l.Provider
		}
	}
	object[0] = `<Object xmlns="` + xmldsig.NS + `" Id="` + xmldsig.OfficeObject + `"><SignatureProperties>` +
		`<SignatureProperty Id="idOfficeV1Details" Target="#` + idSignature + `"><SignatureInfoV1 xmlns="` + xmldsig.OfficeNS + `">` +
		`<SetupID>` + setup + `</SetupID><SignatureText>` + text + `</SignatureText><SignatureImage>` + picture + `</SignatureImage>` +
		`<SignatureComments>`
	object[1] = `</SignatureComments><WindowsVersion>10.0</WindowsVersion><OfficeVersion>16.0</OfficeVersion>` +
		`<ApplicationVersion>16.0</ApplicationVersion><Monitors>1</Monitors><HorizontalResolution>1280</HorizontalResolution>` +
		`<VerticalResolution>800</VerticalResolution><ColorDepth>32</ColorDepth><SignatureProviderId>` + provider +
		`</SignatureProviderId><SignatureProviderUrl></SignatureProviderUrl><SignatureProviderDetails>9</SignatureProviderDetails>` +
		`<SignatureType>` + kind + `</SignatureType></SignatureInfoV1></SignatureProperty></SignatureProperties></Object>`
	return object, nil
}

// check refuses what cannot stand in SignatureInfoV1, or would show nothing.
func (l *Line) check() error {
	if !isGUID(l.Setup) || l.Provider != "" && !isGUID(l.Provider) {
		return fmt.Errorf("%w: a signature line is named by a GUID in braces, and so is its provider, not by %.60q and %.60q", ErrText, l.Setup, l.Provider)
	}
	if err := checkText("SignatureText", l.Text, maxText); err != nil {
		return err
	}
	for _, p := range [][]byte{l.Picture, l.Valid, l.Invalid} {
		if len(p) > maxPicture {
			return fmt.Errorf("%w: a picture of %d octets on a signature line; %d are the most", ErrLimit, len(p), maxPicture)
		}
	}
	if len(l.Valid) == 0 || len(l.Invalid) == 0 {
		return fmt.Errorf("%w: a signature line needs a picture for when the signature is valid, and one for when it is not", ErrText)
	}
	return nil
}

// pictureObject is a canonical Object that holds a picture of a signature line.
func pictureObject(id string, picture []byte) string {
	return `<Object xmlns="` + xmldsig.NS + `" Id="` + id + `">` + base64.StdEncoding.EncodeToString(picture) + `</Object>`
}

// How SignedProperties begins in its canonical form, and in the part, where the elements around it declare the namespaces.
const (
	propertiesStart = `<xd:SignedProperties Id="` + xmldsig.SignedProperties + `">`
	propertiesApex  = `<xd:SignedProperties xmlns="` + xmldsig.NS + `" xmlns:xd="` + xmldsig.XAdES + `" Id="` + xmldsig.SignedProperties + `">`
)

// signedProperties is the canonical idSignedProperties: the signer's certificate and the claimed time (XAdES-EPES with an
// implied policy, as MS-OFFCRYPTO 2.5.2.6 wants it).
func (d *Draft) signedProperties() (string, error) {
	if len(d.Chain) == 0 || len(d.Chain) > maxChain {
		return "", fmt.Errorf("%w: there are %d; 1 to %d can be written", ErrCertificate, len(d.Chain), maxChain)
	}
	c, err := gm.ParseCertificate(d.Chain[0])
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrCertificate, err)
	}
	issuer, err := DN(c.RawIssuer)
	if err != nil {
		return "", err
	}
	b := []byte(propertiesApex + `<xd:SignedSignatureProperties><xd:SigningTime>` + d.Time.UTC().Format(timeLayout) +
		`</xd:SigningTime><xd:SigningCertificate><xd:Cert><xd:CertDigest>`)
	b = xmldsig.AppendDigest(b, d.Hash, d.Hash.Sum(c.Raw))
	b = append(b, `</xd:CertDigest><xd:IssuerSerial><X509IssuerName>`...)
	b = xmldoc.AppendText(b, issuer)
	b = append(b, `</X509IssuerName><X509SerialNumber>`+c.SerialNumber.String()+`</X509SerialNumber></xd:IssuerSerial></xd:Cert>`+
		`</xd:SigningCertificate><xd:SignaturePolicyIdentifier><xd:SignaturePolicyImplied></xd:SignaturePolicyImplied>`+
		`</xd:SignaturePolicyIdentifier></xd:SignedSignatureProperties></xd:SignedProperties>`...)
	return string(b), nil
}

// DN writes a distinguished name (DER) as RFC 2253 does: the most particular part first.
func DN(raw []byte) (string, error) {
	var seq pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &seq); err != nil || len(rest) > 0 {
		return "", fmt.Errorf("%w: a name in it cannot be read", ErrCertificate)
	}
	s := seq.String()
	if err := checkText("the issuer's name", s, 4096); err != nil {
		return "", fmt.Errorf("%w: %w", ErrCertificate, err)
	}
	return s, nil
}

// typeQuery stands between the name of a part and its content type in the URI of a reference.
const typeQuery = "?ContentType="

// sorted checks references and returns them by name, each one's relationships by id.
func sorted(refs []Reference) ([]Reference, error) {
	refs = slices.Clone(refs)
	slices.SortFunc(refs, func(a, b Reference) int { return strings.Compare(a.Name, b.Name) })
	seen := make(map[string]bool, len(refs))
	for i := range refs {
		r := &refs[i]
		if err := r.check(); err != nil {
			return nil, err
		}
		if key := fold(r.Name); seen[key] {
			return nil, fmt.Errorf("%w: %.200q stands twice", ErrReference, r.Name)
		} else {
			seen[key] = true
		}
		if r.IsRels() {
			r.IDs = slices.Clone(r.IDs)
			slices.Sort(r.IDs)
			if n := len(r.IDs); len(slices.Compact(slices.Clone(r.IDs))) != n {
				return nil, fmt.Errorf("%w: a relationship of %.200q stands twice", ErrReference, r.Name)
			}
		}
	}
	return refs, nil
}

// check refuses a name or type that would read back as another.
func (r *Reference) check() error {
	if !goodName(r.Name) {
		return fmt.Errorf("%w: %.200q is no name of a part", ErrReference, r.Name)
	}
	if r.ContentType == "" || checkText("a content type", r.ContentType, 1024) != nil || strings.ContainsAny(r.ContentType, "\t\r\n#") {
		return fmt.Errorf("%w: %.200q has the content type %.200q", ErrReference, r.Name, r.ContentType)
	}
	if isRels(r.Name) != r.IsRels() || r.IsRels() && (r.ContentType != TypeRelationships || len(r.IDs) == 0) {
		return fmt.Errorf("%w: %.200q: relationships are referenced by their ids, other parts as a whole", ErrReference, r.Name)
	}
	for _, id := range r.IDs {
		if id == "" || checkText("an id", id, 1024) != nil || strings.ContainsAny(id, "\t\r\n") {
			return fmt.Errorf("%w: %.200q has a relationship with the id %.200q", ErrReference, r.Name, id)
		}
	}
	return nil
}

// goodName says whether a name can stand in a reference: absolute, without query, fragment, empty or dotted segments.
func goodName(s string) bool {
	if len(s) < 2 || len(s) > 4096 || s[0] != '/' || strings.ContainsAny(s, "?#\\") || checkText("", s, 4096) != nil {
		return false
	}
	for seg := range strings.SplitSeq(s[1:], "/") {
		if seg == "" || strings.HasSuffix(seg, ".") {
			return false
		}
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' })
}

// isRels says whether a part of that name holds relationships.
func isRels(name string) bool {
	_, ok := opc.SourceOf(name)
	return ok
}

// fold makes names equal that OPC holds to be equal: the letters of ASCII have no case.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, s)
}
