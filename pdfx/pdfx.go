package pdfx

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/sign"
)

// Options say how a file is sealed. The zero value seals invisibly.
type Options struct {
	// Where the seal is shown. They may be joined: it is one signature all the same. None: nowhere, the signature is invisible.
	At       []At      // places in millimetres
	Keyword  *Keyword  // at a text
	DateLine bool      // on the date of the signature block (骑年盖月), the last one of the document
	Straddle *Straddle // over the edges of the pages (骑缝章)
	Field    string    // in an empty signature field that is there, by its full name; joins with none of the above

	Remark string // what stands beside the seal (批注), lines parted by \n; empty: nothing
	Text   bool   // a line below the seal: Name or the holder's, the claimed time in the zone of Now, Reason
	Font   *Font  // of Remark and Text; nil: the embedded one, which has the common Chinese characters and ASCII

	Certify int   // 1: no change at all, 2: forms may be filled in, 3: and annotated (DocMDP); 0: an ordinary signature
	Lock    *Lock // what may not be changed from now on (文件锁定); nil: nothing

	Name     string // of the person who signs, for the signature dictionary (/Name); empty: absent
	Reason   string // why (/Reason, and the Act's); empty: absent
	Location string // where (/Location); empty: absent

	Document string // the Act's name of the document
	ID       string // the Act's request id; empty: random

	Filter    string // empty: Adobe.PPKLite
	SubFilter string // empty: ETSI.CAdES.detached, and for sign.SES adbe.pkcs7.detached

	Now      func() time.Time // the claimed time; nil: time.Now
	Password []byte           // user or owner password of an encrypted file; nil: the empty one
	Repair   bool             // seal a damaged file too, with a new cross-reference of the whole file
	Sync     bool             // SignFile and RemoveFile: wait until the disk has the file
	Limits   Limits           // of reading
}

// An At is a place on a page: millimetres from the top left corner of the page as it is seen (its crop box, turned by
// /Rotate, /UserUnit obeyed) to the centre of the seal.
type At struct {
	Page int     `json:"page"` // 1 the first; -1 the last, -2 the one before it
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
}

// A Keyword is a place by a text: the seal's centre lies on the middle of the text, moved by DX to the right and DY down.
// Where a seal is already, the new one goes beside it.
type Keyword struct {
	Text       string  `json:"text"`
	Occurrence int     `json:"occurrence,omitempty"` // 0: it stands just once; 1 the first; -1 the last; Every: everywhere
	DX         float64 `json:"dx,omitempty"`         // mm
	DY         float64 `json:"dy,omitempty"`
}

// Every is the Occurrence of a seal at each place where the text stands.
const Every = math.MaxInt

// A Straddle (骑缝章) lays one seal over the edges of the pages: fanned out, they show it whole. A single page shows the whole
// seal at its edge.
type Straddle struct {
	Edge  Edge    `json:"edge"`
	Pages Pages   `json:"pages"`
	Y     float64 `json:"y,omitempty"`    // of the seal's centre, mm from the top of the page as it is seen; 0: the middle of the lowest page
	Most  int     `json:"most,omitempty"` // pages that share one seal; 0: as many as leave 3 mm of it to each. More pages get further seals, shared evenly
}

// An Edge of a page as it is seen.
type Edge int

const (
	Right Edge = iota // the first page shows the left end of the seal
	Left              // the first page shows the right end of the seal
)

// Pages are which pages a Straddle takes.
type Pages int

const (
	AllPages  Pages = iota
	OddPages        // 1, 3, 5…: the fronts of sheets printed on both sides
	EvenPages       // 2, 4, 6…: their backs
)

// A Lock says what may not be changed after this signature. Without Fields it is the whole document: no further signature, no
// filling in, no annotation (FieldMDP with Action All, and P 1 in the field's /Lock, ISO 32000-2 12.7.5.5).
type Lock struct {
	Fields []string // full names of form fields; only these are locked (FieldMDP with Action Include)
}

// Limits bound what a file may ask of its reader. The zero value means the defaults.
type Limits = pdf.Limits

// A Result tells what was done.
type Result struct {
	Act       *sign.Act   // what was signed
	Field     string      // the name of the signature field
	Shown     []At        // where the seal, or its part of a straddle seal, is shown
	ByteRange [4]int64    // of the new signature
	Size      int64       // of the sealed file, in bytes
	Notes     []sign.Note // what a person should know: of the file, of the place, of the value
}

var (
	// ErrTooLarge: the value is longer than the signer's Profile said. Nothing is signed a second time: correct the Profile.
	ErrTooLarge = errors.New("pdfx: signature value larger than its room")
	// ErrOtherFile: the file is not the one that was prepared.
	ErrOtherFile = errors.New("pdfx: not the file that was prepared")
	// ErrCertified: an earlier signature certifies that the document does not change any more (DocMDP, P 1).
	ErrCertified = errors.New("pdfx: the document is certified against any change")
	// ErrPlace: a seal cannot be shown at this place: there is no such page, no such text, no room, or the signer has no picture.
	ErrPlace = errors.New("pdfx: no place for the seal")
	// ErrSeveral: a Keyword's text stands more than once, and Occurrence does not say which is meant. It is an ErrPlace.
	ErrSeveral = fmt.Errorf("%w: the text stands more than once", ErrPlace)
	// ErrField: there is no empty signature field of that name, or it asks for another kind of signature.
	ErrField = errors.New("pdfx: no such field to sign")
	// ErrSigned: the document is signed, so that it cannot be certified any more: a certification is the first signature.
	ErrSigned = errors.New("pdfx: the document is signed already")
	// ErrLocked: an earlier signature locks the document, or the field that is to be signed.
	ErrLocked = errors.New("pdfx: the document is locked")
	// ErrOptions: two of the Options contradict each other, or one has a value that it cannot have.
	ErrOptions = errors.New("pdfx: options that do not go together")
	// ErrProfile: the signer's Profile does not say what it makes.
	ErrProfile = errors.New("pdfx: incomplete profile of the signer")
	// ErrMalformed: a signature that was found is not made as the standard has it.
	ErrMalformed = errors.New("pdfx: malformed signature")

	// ErrNoSignature: there is nothing to remove.
	ErrNoSignature = errors.New("pdfx: no signature")
	// ErrNotLast: something follows the last signature, so that removing it would remove that too.
	ErrNotLast = errors.New("pdfx: the last signature does not end the file")
	// ErrNotOurs: the last signature was added by software that does not tell where the earlier bytes end.
	ErrNotOurs = errors.New("pdfx: the signature was not added by this package")

	ErrPicture   = appearance.ErrPicture // the seal's picture cannot be shown
	ErrNotPDF    = pdf.ErrNotPDF         // not a PDF file
	ErrDamaged   = pdf.ErrDamaged        // the cross-reference must be rebuilt to read the file: ask for it with Repair
	ErrPassword  = pdf.ErrPassword       // the file does not open with this password
	ErrEncrypted = pdf.ErrEncrypted      // encrypted in a way that is not supported
	ErrSyntax    = pdf.ErrSyntax         // an object that is needed cannot be read
	ErrLimit     = pdf.ErrLimit          // the file asks for more than Limits allow
)
