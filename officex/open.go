package officex

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/wordml"
	"github.com/courtseal/courtseal/internal/wordscan"
	"github.com/courtseal/courtseal/internal/xmldoc"
)

const (
	officeRel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	strictRel = "http://purl.oclc.org/ooxml/officeDocument/relationships/" // of the strict documents of ISO/IEC 29500
)

// openWord opens a document that may be sealed: a .docx in a package without faults. Anything else is refused by what it is.
func openWord(src io.ReaderAt, size int64, l Limits) (pkg *opc.Package, main *opc.Part, err error) {
	if err := recognise(src, size); err != nil {
		return nil, nil, err
	}
	if pkg, err = openPackage(src, size, l); err != nil {
		return nil, nil, err
	}
	switch f := wordscan.Main(pkg); f {
	case wordscan.DOCX:
	case wordscan.DOCM, wordscan.DOTM:
		return nil, nil, ErrMacroEnabled
	default:
		return nil, nil, fmt.Errorf("%w: this is %s", ErrNotWord, f)
	}
	for _, family := range []string{officeRel, strictRel} {
		for _, r := range pkg.Rels("/").ByType(family + "officeDocument") {
			if p := pkg.Part(r.Part); p != nil && main == nil {
				main = p
			} else {
				return nil, nil, fmt.Errorf("%w: it has two main documents, or one that is missing", ErrPackage)
			}
		}
	}
	if main == nil {
		return nil, nil, fmt.Errorf("%w: it has no main document", ErrPackage)
	}
	return pkg, main, nil
}

func recognise(src io.ReaderAt, size int64) error {
	f, err := wordscan.Recognise(src, size)
	switch {
	case err != nil:
		return err
	case f == wordscan.DOC:
		return ErrDoc
	case f == wordscan.WPS:
		return ErrWPS
	case f == wordscan.Encrypted:
		return ErrEncrypted
	case f != wordscan.Zip:
		return fmt.Errorf("%w: this is %s", ErrNotWord, f)
	}
	return nil
}

// keepParts is what is kept of parts that are looked at before they are hashed: the text of a long judgment.
const keepParts = 16 << 20

func openPackage(src io.ReaderAt, size int64, l Limits) (*opc.Package, error) {
	if l.Keep == 0 {
		l.Keep = keepParts
	}
	pkg, err := opc.Open(src, size, l)
	switch {
	case errors.Is(err, opc.ErrLimit):
		return nil, err
	case errors.Is(err, opc.ErrNotZip), errors.Is(err, opc.ErrDamaged), errors.Is(err, opc.ErrEncrypted), errors.Is(err, opc.ErrMethod):
		return nil, fmt.Errorf("%w: %w", ErrPackage, err)
	case err != nil:
		return nil, err
	}
	if faults := pkg.Faults(); len(faults) > 0 {
		if f := wordscan.Main(pkg); f.Other() || pkg.Part("/_rels/.rels") == nil { // a sound file of another kind, for all we know
			return nil, fmt.Errorf("%w: this is %s", ErrNotWord, f)
		}
		texts := make([]string, min(len(faults), 3))
		for i := range texts {
			texts[i] = faults[i].String()
		}
		return nil, fmt.Errorf("%w: %s (%d in all)", ErrPackage, strings.Join(texts, "; "), len(faults))
	}
	return pkg, nil
}

// refuse says what a document has that is not allowed. The other answer is what should be noted.
func refuse(pkg *opc.Package, allow Allow) (found []wordscan.Finding, err error) {
	found, err = wordscan.Scan(pkg)
	if err != nil {
		return nil, packageError(err)
	}
	var wrong []error
	told := map[wordscan.Kind]bool{}
	notes := found[:0:0]
	for _, f := range found {
		r, refused := refusals[f.Kind]
		switch {
		case !refused || allow&r.allow != 0:
			notes = append(notes, f)
		case !told[f.Kind]:
			told[f.Kind] = true
			wrong = append(wrong, fmt.Errorf("%w (%s: %s); Allow lets it pass", r.err, f.Part, f.Detail))
		}
	}
	return notes, errors.Join(wrong...)
}

var refusals = map[wordscan.Kind]struct {
	allow Allow
	err   error
}{
	wordscan.TrackedChanges: {AllowTrackedChanges, ErrTrackedChanges},
	wordscan.Comments:       {AllowComments, ErrComments},
	wordscan.Fields:         {AllowFields, ErrFields},
	wordscan.Template:       {AllowTemplate, ErrTemplate},
	wordscan.AltChunk:       {AllowAltChunk, ErrAltChunk},
	wordscan.Macros:         {AllowMacros, ErrMacros},
	wordscan.Embedded:       {AllowEmbedded, ErrEmbedded},
	wordscan.External:       {AllowExternal, ErrExternal},
}

// packageError is an error of what a part says, as this package names it.
func packageError(err error) error {
	if errors.Is(err, ErrLimit) {
		return err
	}
	for _, limit := range []error{wordml.ErrLimit, xmldoc.ErrLimit, opcsig.ErrLimit} {
		if errors.Is(err, limit) {
			return fmt.Errorf("%w: %w", ErrLimit, err)
		}
	}
	return fmt.Errorf("%w: %w", ErrPackage, err)
}

// A sealed package has acts of ours, in folders with numbers, and native signatures.
type acts struct {
	last    int // number of the newest act of ours; 0: there is none
	natives []*opc.Part
	sigs    int // the highest number of a native signature's part
}

func findActs(pkg *opc.Package) (a acts) {
	for _, p := range pkg.Parts() {
		a.last = max(a.last, number(p.Name, "/_seals/seal", "/"))
		a.sigs = max(a.sigs, number(p.Name, "/_xmlsignatures/sig", "."))
	}
	for _, origin := range pkg.Rels("/").ByType(opcsig.RelOrigin) {
		for _, r := range pkg.Rels(origin.Part).ByType(opcsig.RelSignature) {
			if p := pkg.Part(r.Part); p != nil {
				a.natives = append(a.natives, p)
			}
		}
	}
	return a
}

// folder and sig are where the next act and its native signature go.
func (a acts) folder() string { return fmt.Sprintf("/_seals/seal%d/", a.last+1) }
func (a acts) sig() string    { return fmt.Sprintf("/_xmlsignatures/sig%d.xml", a.sigs+1) }

func (a acts) sealed() bool { return a.last > 0 || len(a.natives) > 0 }

// number reads the number in a part's name between what is before and behind it; 0: it is not such a name.
func number(name, before, behind string) int {
	rest, ok := strings.CutPrefix(strings.ToLower(name), before)
	digits, _, ok2 := strings.Cut(rest, behind)
	if !ok || !ok2 || len(digits) == 0 || len(digits) > 6 || digits[0] == '0' {
		return 0
	}
	n := 0
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' {
			return 0
		}
		n = 10*n + int(c-'0')
	}
	return n
}
