// Package opcsig writes and reads the parts of an Office document in which signatures stand: sigN.xml of the Open
// Packaging Conventions (ECMA-376 part 2, with what MS-OFFCRYPTO 2.5.2 adds), and Signature.xml, the manifest of a seal
// (officex/FORMAT.md). It says what of a package such a part covers. It checks form and digests inside the part; values,
// certificates and the digests of the package are for others to check.
package opcsig

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
)

// Names of ours, see officex/FORMAT.md.
const (
	NS            = "https://github.com/courtseal/courtseal/officex/v1"
	RelSealOrigin = NS + "/origin" // from the package to /_seals/origin.seals
	RelSeal       = NS + "/seal"   // from there to sealN/Signature.xml
	RelAct        = NS + "/act"    // from there to sealN/undo

	SealOrigin        = "/_seals/origin.seals"
	TypeSealOrigin    = "application/vnd.courtseal.origin"
	TypeManifest      = "application/vnd.courtseal.manifest+xml"
	TypeSignedValue   = "application/vnd.courtseal.signed-value"
	TypeUndo          = "application/vnd.courtseal.undo"
	TypeSeal          = "application/vnd.courtseal.seal"
	TypeEvidence      = "application/vnd.courtseal.evidence"
	sealFolder        = "/_seals/"
	contentTypesPart  = "/[content_types].xml" // as fold makes it
	TypeRelationships = "application/vnd.openxmlformats-package.relationships+xml"
)

// Names of the Open Packaging Conventions.
const (
	RelOrigin     = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/origin"
	RelSignature  = "http://schemas.openxmlformats.org/package/2006/relationships/digital-signature/signature"
	Origin        = "/_xmlsignatures/origin.sigs"
	TypeOrigin    = "application/vnd.openxmlformats-package.digital-signature-origin"
	TypeSignature = "application/vnd.openxmlformats-package.digital-signature-xmlsignature+xml"
)

var (
	// ErrText: a text that was given has characters that XML cannot have, or more of them than there is room for.
	ErrText = errors.New("opcsig: text cannot stand in a signature")
	// ErrReference: what is to be signed is named twice, or has no name, no type or no digest.
	ErrReference = errors.New("opcsig: part cannot be referenced")
	// ErrCertificate: the signer's certificate is missing or cannot be read.
	ErrCertificate = errors.New("opcsig: certificate cannot be used")
	// ErrHash: XML signatures cannot name the hash.
	ErrHash = errors.New("opcsig: hash is unknown to XML signatures")
	// ErrManifest: a Signature.xml that is not as officex/FORMAT.md says.
	ErrManifest = errors.New("opcsig: seal manifest is malformed")
	// ErrSignature: a signature part that is no XML signature at all.
	ErrSignature = errors.New("opcsig: no XML signature")
	// ErrLimit: more of something than is read.
	ErrLimit = errors.New("opcsig: too much")
)

// A Reference is one line of a manifest: a part by its octets, or chosen relationships of one part that holds
// relationships, by the relationship transform.
type Reference struct {
	Name        string // of the part: "/word/document.xml", "/word/_rels/document.xml.rels"
	ContentType string // as it is declared; relationships: TypeRelationships
	// IDs are the relationships, in the order of the manifest. nil: the part is referenced by its octets.
	IDs    []string
	Hash   sign.Hash // that Digest was made with; in what is built it is that of the whole
	Digest []byte
}

// IsRels says whether relationships are referenced.
func (r *Reference) IsRels() bool { return r.IDs != nil }

// checkText refuses a text that XML cannot have, or with more than max characters.
func checkText(what, s string, max int) error {
	if !xmldoc.Legal(s) {
		return fmt.Errorf("%w: %s is not UTF-8, or has characters that XML does not have: %.80q", ErrText, what, s)
	}
	if n := utf8.RuneCountInString(s); n > max {
		return fmt.Errorf("%w: %s has %d characters; %d are the most", ErrText, what, n, max)
	}
	return nil
}

// isGUID says whether s is a GUID in braces: {01234567-89AB-cdef-…}.
func isGUID(s string) bool {
	if len(s) != 38 || s[0] != '{' || s[37] != '}' {
		return false
	}
	for i, c := range []byte(s[1:37]) {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if !strings.ContainsRune("0123456789abcdefABCDEF", rune(c)) {
			return false
		}
	}
	return true
}
