package officex

import (
	"errors"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/sign"
)

// Options say how a Word document is sealed. The zero value shows the seal in a paragraph of its own at the end of the document.
type Options struct {
	// Where the seal is shown: at most one of them. A signer without a picture shows nothing.
	Bookmark  string   // at a bookmark, by its name
	Keyword   *Keyword // at a text
	DateLine  bool     // on the date of the signature block (骑年盖月), the last one of the document
	Header    bool     // in the header of the last section's pages
	Footer    bool     // in their footer
	Line      string   // in a signature line that is there and empty: its GUID, or its number among the empty ones, "1" the first
	Invisible bool     // nowhere

	// AsLine shows the seal as a signature line of Word at that place: its picture stands in the signature, and Word and LibreOffice cross it
	// out when the signature breaks. It takes a native signature.
	AsLine bool

	Lock  bool  // protect the document against editing (文件锁定): a convenience, which anybody can undo, breaking the seal
	Allow Allow // what is refused otherwise

	Reason   string // why; SignatureComments, and the Act's; empty: absent
	Document string // the Act's name of the document
	ID       string // the Act's request id; empty: random

	Now    func() time.Time // the claimed time; nil: time.Now
	Sync   bool             // the functions on files: wait until the disk has the file
	Limits Limits           // of reading
}

// A Keyword is a place by a text: the seal's centre lies on the middle of the text, moved by DX to the right and DY down. Where a seal is
// already, the new one goes beside it.
type Keyword struct {
	Text       string  `json:"text"`
	Occurrence int     `json:"occurrence,omitempty"` // 0: it stands just once; 1 the first; -1 the last
	DX         float64 `json:"dx,omitempty"`         // mm
	DY         float64 `json:"dy,omitempty"`
}

// Allow is a set of what a document may have all the same. Each is refused by default because what such a document shows is not settled by
// its bytes, or will not stay as it is.
type Allow uint

const (
	AllowTrackedChanges Allow = 1 << iota // insertions, deletions and moves that nobody accepted or refused
	AllowComments                         // comments in the margin
	AllowFields                           // fields that fetch content from elsewhere
	AllowTemplate                         // an attached template outside the document
	AllowAltChunk                         // content in another format that Word takes in when it opens the file
	AllowMacros                           // macros
	AllowEmbedded                         // embedded objects and controls
	AllowExternal                         // pictures, frames and data that are linked and not in the file
)

var allowNames = [...]string{"tracked-changes", "comments", "fields", "template", "alt-chunk", "macros", "embedded", "external"}

// ParseAllow is the set with one name: tracked-changes, comments, fields, template, alt-chunk, macros, embedded, external. Another one is
// ErrOptions.
func ParseAllow(name string) (Allow, error) {
	for i, n := range allowNames {
		if n == name {
			return 1 << i, nil
		}
	}
	return 0, fmt.Errorf("%w: %.40q is nothing that can be allowed; there are %v", ErrOptions, name, allowNames)
}

// Limits bound what a file may ask of its reader. The zero value means the defaults.
type Limits = opc.Limits

// A Result tells what was done.
type Result struct {
	Act   *sign.Act   // what was signed
	Parts []string    // the parts that hold the values, in the order of Act.Parts
	Shown string      // the part that shows the seal, such as /word/document.xml; empty: none
	Line  string      // the GUID of the signature line that shows it; empty: none
	Size  int64       // of the sealed file, in bytes
	Notes []sign.Note // what a person should know: of the file, of the place, of the value
}

var (
	ErrNotWord      = errors.New("officex: not a Word document (.docx)")
	ErrDoc          = fmt.Errorf("%w: a .doc of Word 97-2003; save it as .docx or PDF first", ErrNotWord)
	ErrWPS          = fmt.Errorf("%w: a .wps of WPS Writer; save it as .docx or PDF first", ErrNotWord)
	ErrEncrypted    = fmt.Errorf("%w: it is encrypted; take the password off first", ErrNotWord)
	ErrMacroEnabled = fmt.Errorf("%w: a document with macros (.docm); save it as .docx first", ErrNotWord)

	// What Allow allows.
	ErrTrackedChanges = errors.New("officex: the document has tracked changes that are neither accepted nor refused")
	ErrComments       = errors.New("officex: the document has comments")
	ErrFields         = errors.New("officex: the document has fields that fetch content from elsewhere")
	ErrTemplate       = errors.New("officex: the document has a template outside of it")
	ErrAltChunk       = errors.New("officex: the document takes in content of another format when it is opened")
	ErrMacros         = errors.New("officex: the document has macros")
	ErrEmbedded       = errors.New("officex: the document has embedded objects")
	ErrExternal       = errors.New("officex: the document shows what is not in it")

	// ErrSealed: the document is sealed, and a further visible seal or a lock would break that. Reserve signature lines before the first seal
	// and fill them in turn, or seal invisibly.
	ErrSealed = errors.New("officex: the document is sealed already")
	// ErrPlace: a seal cannot be shown at this place: there is no such text or bookmark, or the signer has no picture.
	ErrPlace = errors.New("officex: no place for the seal")
	// ErrSeveral: a Keyword's text stands more than once, and Occurrence does not say which is meant. It is an ErrPlace.
	ErrSeveral = fmt.Errorf("%w: the text stands more than once", ErrPlace)
	// ErrLine: there is no such empty signature line.
	ErrLine = errors.New("officex: no such signature line to fill")
	// ErrOptions: two of the Options contradict each other, or one has a value that it cannot have.
	ErrOptions = errors.New("officex: options that do not go together")
	// ErrProfile: the signer's Profile does not say what it makes, or it makes nothing for Word: a native signature takes RSA or ECDSA.
	ErrProfile = errors.New("officex: the signer makes no such signature")
	// ErrValue: a value is not that of the Act.
	ErrValue = errors.New("officex: value does not belong to what was prepared")
	// ErrOtherFile: the file is not the one that was prepared.
	ErrOtherFile = errors.New("officex: not the file that was prepared")
	// ErrState: the bytes are not the state of a Pending.
	ErrState = errors.New("officex: not the state of a prepared file")
	// ErrPicture: Word does not show a picture of this type.
	ErrPicture = errors.New("officex: picture cannot be shown")
	// ErrPackage: the zip file or the package in it is damaged or ambiguous, so that two programs may see two documents.
	ErrPackage = errors.New("officex: damaged or ambiguous package")
	// ErrMalformed: a signature that was found is not made as the standard has it.
	ErrMalformed = errors.New("officex: malformed signature")

	ErrNoSignature = errors.New("officex: no signature")                             // there is nothing to remove
	ErrNotLast     = errors.New("officex: the file was changed since it was sealed") // so that removing would not give back what was there
	ErrNotOurs     = errors.New("officex: the last signature was not added by this package")

	ErrLimit = opc.ErrLimit // the file asks for more than Limits allow
)
