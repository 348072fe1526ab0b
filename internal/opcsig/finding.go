package opcsig

import "fmt"

// A Finding is one thing about a signature part that should not be. Rule is the check that found it, by the names of
// officex/FORMAT.md ("X2"); Code is one of the constants.
type Finding struct{ Rule, Code, Detail string }

func (f Finding) String() string { return f.Rule + " " + f.Code + ": " + f.Detail }

// Minor says that the signature protects what it names all the same: the finding is about age or about completeness.
func (f Finding) Minor() bool { return minor[f.Code] }

// Codes of findings. They are stable.
const (
	CodeMCE          = "markup-compatibility" // X1: names that programs may pass over, or take for others
	CodeStructure    = "structure"            // X2: an element is missing, is there twice, or is in the wrong place
	CodeDuplicateID  = "duplicate-id"         // X2: two elements of one Id
	CodeUnresolved   = "unresolved"           // X2: a reference names no element of the part
	CodeTarget       = "wrong-target"         // X2: a reference names an element that a signature does not sign
	CodeNotSigned    = "object-not-covered"   // X2: something that programs show stands in an Object that no reference names
	CodeLoose        = "loose-object"         // X2, minor: an Object that no reference names, and no program shows
	CodeNoPackage    = "package-not-signed"   // X3: no reference names the package object, or several do
	CodeType         = "wrong-type"           // X3: a reference has the type of something else
	CodeExternal     = "external-reference"   // X3: a reference leads out of the part, or names all of it
	CodeRepeated     = "repeated-reference"   // X3: two references name one element
	CodeMany         = "too-many-references"  // X3: more than any program writes
	CodeAlgorithm    = "algorithm"            // X4: a method of canonicalization, digest or signature that is not on the list
	CodeTransform    = "transform"            // X4: a transform that is not on the list, or not there
	CodeSHA1         = "sha1"                 // X4, minor: SHA-1 somewhere
	CodeDigest       = "digest-value"         // X4: a digest that is none of its method
	CodeManifestURI  = "manifest-uri"         // P1: not /name?ContentType=type
	CodeManifestTwo  = "manifest-twice"       // P1: a part is named twice
	CodeManifest     = "manifest-transform"   // P2: transforms that Office does not make
	CodeValue        = "signature-value"      // S2: the value is not base64
	CodeCertificate  = "certificate"          // S1: none, or not base64
	CodeTime         = "signature-time"       // minor: the claimed time is missing or cannot be read
	CodeOfficeInfo   = "office-info"          // minor: SignatureInfoV1 is missing, or a field of it is not what it should be
	CodeXAdES        = "xades"                // minor: XAdES properties that Office wants are missing
	CodeTimeStamp    = "time-stamp"           // minor: a time stamp that cannot be read
	CodeMoreFindings = "more"                 // more findings than are listed
)

// Codes lists all of them, each once.
var Codes = []string{CodeMCE, CodeStructure, CodeDuplicateID, CodeUnresolved, CodeTarget, CodeNotSigned, CodeLoose, CodeNoPackage, CodeType,
	CodeExternal, CodeRepeated, CodeMany, CodeAlgorithm, CodeTransform, CodeSHA1, CodeDigest, CodeManifestURI, CodeManifestTwo, CodeManifest,
	CodeValue, CodeCertificate, CodeTime, CodeOfficeInfo, CodeXAdES, CodeTimeStamp, CodeMoreFindings}

var minor = map[string]bool{CodeLoose: true, CodeSHA1: true, CodeTime: true, CodeOfficeInfo: true, CodeXAdES: true, CodeTimeStamp: true}

const maxFindings = 100

// find notes a finding.
func (p *parser) find(rule, code, format string, args ...any) {
	switch n := len(p.sig.Findings); {
	case n < maxFindings:
		p.sig.Findings = append(p.sig.Findings, Finding{rule, code, fmt.Sprintf(format, args...)})
	case n == maxFindings:
		p.sig.Findings = append(p.sig.Findings, Finding{"X2", CodeMoreFindings, "there are more findings than are listed"})
	}
}
