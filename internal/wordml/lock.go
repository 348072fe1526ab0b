package wordml

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// ErrProtected says that a document is protected in another way.
var ErrProtected = errors.New("wordml: the document is protected in another way")

// beforeProtection are the elements that stand before w:documentProtection in w:settings (ISO/IEC 29500-1, 17.15.1).
const beforeProtection = " writeProtection view zoom removePersonalInformation removeDateAndTime doNotDisplayPageBoundaries " +
	"displayBackgroundShape printPostScriptOverText printFractionalCharacterWidth printFormsData embedTrueTypeFonts " +
	"embedSystemFonts saveSubsetFonts saveFormsData mirrorMargins alignBordersAndEdges bordersDoNotSurroundHeader " +
	"bordersDoNotSurroundFooter gutterAtTop hideSpellingErrors hideGrammaticalErrors activeWritingStyle proofState formsDesign " +
	"attachedTemplate linkStyles stylePaneFormatFilter stylePaneSortMethod documentType mailMerge revisionView trackRevisions " +
	"doNotTrackMoves doNotTrackFormatting "

// NewSettings makes the settings of a document that has none.
func (d *Document) NewSettings() []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\n"+`<w:settings xmlns:w="%s"></w:settings>`, d.ns.w)
}

// Lock gives the settings of a document that Word opens for reading alone, without a password: who wants to change it takes one step
// more, and that is all. A protection that is switched off is replaced; another that is on is ErrProtected. Settings that lock
// it already are returned as they are.
func Lock(settings []byte, limits xmldoc.Limits) ([]byte, error) {
	s, err := xmldoc.NewScanner(settings, limits)
	if err != nil {
		return nil, err
	}
	if b := s.Bytes(); len(b) != len(settings) || len(b) > 0 && &b[0] != &settings[0] {
		return nil, fmt.Errorf("%w: the settings are in UTF-16; save the document again with Word", xmldoc.ErrEncoding)
	}
	var ns string
	at, open := -1, -1 // where it goes; the child of the root that is open, if it stands before
	var old [2]int     // one that is switched off
	for {
		t, err := s.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		switch {
		case t.Kind == xmldoc.Start && t.Depth == 1:
			if ns = t.Name.Space; t.Name.Local != "settings" || ns != transitional.w && ns != strict.w {
				return nil, fmt.Errorf("%w: its root is not w:settings", ErrNotWord)
			}
			at = t.End
			if t.Empty {
				return Lock(opened(settings, &t), limits)
			}
		case t.Kind == xmldoc.Start && t.Depth == 2 && t.Name.Space == ns:
			if t.Name.Local == "documentProtection" {
				on, _ := t.Attr(ns, "enforcement")
				edit, _ := t.Attr(ns, "edit")
				switch on = strings.ToLower(on); {
				case on != "1" && on != "true" && on != "on":
					at, old[0] = t.Start, t.Start
				case edit == "readOnly":
					return settings, nil
				default:
					return nil, fmt.Errorf("%w (%s); take the protection off in Word first", ErrProtected, clip(edit))
				}
			}
			open = -1
			if old[0] > 0 || strings.Contains(beforeProtection, " "+t.Name.Local+" ") {
				open = t.Depth
			}
		case t.Kind == xmldoc.End && t.Depth == open:
			if open = -1; old[0] == 0 {
				at = t.End
			} else if old[1] == 0 {
				old[1] = t.End
			}
		}
	}
	out := make([]byte, 0, len(settings)+256)
	out = append(out, settings[:at]...)
	out = fmt.Appendf(out, `<w:documentProtection xmlns:w="%s" w:edit="readOnly" w:enforcement="1"/>`, ns)
	return append(out, settings[max(at, old[1]):]...), nil
}

// opened turns <a/> into <a></a>.
func opened(part []byte, t *xmldoc.Token) []byte {
	tag := string(part[t.Start:t.End])
	out := append([]byte(nil), part[:t.Start]...)
	out = append(out, strings.TrimSuffix(tag, "/>")+"></"+tagName(tag)+">"...)
	return append(out, part[t.End:]...)
}
