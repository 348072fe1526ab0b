package pdfx

import (
	"errors"
	"time"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/sign"
)

// Options say how a file is sealed. The zero value seals invisibly.
type Options struct {
	At []At // where the seal is shown; none: nowhere, the signature is invisible

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
	Page int // 1 the first; -1 the last, -2 the one before it
	X, Y float64
}

// Limits bound what a file may ask of its reader. The zero value means the defaults.
type Limits = pdf.Limits

// A Result tells what was done.
type Result struct {
	Act       *sign.Act   // what was signed
	Field     string      // the name of the new signature field
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
	// ErrPlace: a seal cannot be shown at this place: there is no such page, or the signer has no picture.
	ErrPlace = errors.New("pdfx: no place for the seal")
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
