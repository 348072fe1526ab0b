package officex

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/disk"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/wordml"
	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
)

// A Line is a signature line of a document: a place that Word keeps for a signature, which shows the seal while the signature holds.
type Line struct {
	GUID   string // in braces
	Signer string // who is suggested to sign
	Title  string
	Part   string // where it stands
	Filled bool   // a signature names it

	provider string
}

// Lines lists the signature lines of a document: of its text, then of its headers and footers. Of the options it takes Limits.
func Lines(src io.ReaderAt, size int64, o Options) ([]Line, error) {
	pkg, main, err := openWord(src, size, o.Limits)
	if err != nil {
		return nil, err
	}
	pl := placer{edit: newEdit(pkg), main: main, plan: new(plan)}
	return pl.lines(findActs(pkg))
}

func (pl *placer) lines(found acts) (list []Line, err error) {
	filled := map[string]bool{}
	for _, p := range found.natives {
		b, err := pl.edit.pkg.Read(p)
		if err != nil {
			return nil, packageError(err)
		}
		if s, err := opcsig.Parse(b); err == nil && s.Info != nil {
			filled[strings.ToUpper(s.Info.Setup)] = true
		}
	}
	for _, name := range pl.textParts() {
		if err := pl.open(name); err != nil {
			return nil, err
		}
		for _, l := range pl.doc.Lines() {
			list = append(list, Line{GUID: l.GUID, Signer: l.Signer, Title: l.Title, Part: name, Filled: filled[strings.ToUpper(l.GUID)], provider: l.Provider})
		}
	}
	return list, nil
}

// textParts are the main document, and its headers and footers.
func (pl *placer) textParts() []string {
	names := []string{pl.main.Name}
	rels := pl.edit.relations(pl.main.Name)
	for _, kind := range []string{"header", "footer"} {
		for _, family := range []string{officeRel, strictRel} {
			for _, r := range rels.ByType(family + kind) {
				if p := pl.edit.pkg.Part(r.Part); p != nil && !r.External {
					names = append(names, p.Name)
				}
			}
		}
	}
	return names
}

// emptyLine finds the line that an option names: a GUID, or a number among those that are empty.
func (pl *placer) emptyLine(name string, found acts) (Line, error) {
	list, err := pl.lines(found)
	if err != nil {
		return Line{}, err
	}
	n, _ := strconv.Atoi(name)
	empty := 0
	for _, l := range list {
		same := strings.EqualFold(strings.Trim(l.GUID, "{}"), strings.Trim(name, "{}"))
		if same && l.Filled {
			return l, fmt.Errorf("%w: %s is filled already", ErrLine, l.GUID)
		}
		if !l.Filled {
			empty++
		}
		if same || !l.Filled && empty == n {
			return l, nil
		}
	}
	return Line{}, fmt.Errorf("%w: %.60q; %d lines are empty, of %d", ErrLine, name, empty, len(list))
}

// fill is the signature's part of a line: the seal, and the seal crossed out.
func (l *Line) fill(p *sign.Picture) (*opcsig.Line, error) {
	v, err := lineViews(p)
	if err != nil {
		return nil, err
	}
	line := &opcsig.Line{Setup: strings.ToUpper(l.GUID), Picture: v.valid, Valid: v.valid, Invalid: v.invalid}
	if strings.EqualFold(l.provider, opcsig.StampProvider) {
		line.Provider = opcsig.StampProvider
	}
	return line, nil
}

// put places a signature line.
func (pl *placer) put(s wordml.Spot, l wordml.Line, o Options) error {
	dx, dy := o.offset(l.Height)
	name := pl.unused("media/courtseal-line", ".png")
	if err := pl.edit.add(name, "image/png", emptyFrame()); err != nil {
		return err
	}
	id, err := pl.edit.relate(pl.part, pl.family()+"image", name)
	if err != nil {
		return err
	}
	l.RelID = id
	splices, notes, err := pl.doc.PlaceLine(s, l, dx, dy)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPlace, err)
	}
	for _, n := range notes {
		pl.note(n.Code, n.Detail)
	}
	pl.edit.replace(pl.part, wordml.Apply(pl.text, splices))
	return nil
}

// guid derives the identifier of a line, of the layout of RFC 9562 version 8: the same act on the same text has the same.
func guid(id string, n int, text []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "courtseal signature line %d\n%s\n", n, id)
	h.Write(text)
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("{%X-%X-%X-%X-%X}", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// A Slot is a place for a seal that is made later.
type Slot struct {
	At            Options // of it, the place: Bookmark, Keyword, DateLine, Header or Footer; none: the end
	Signer, Title string  // who is suggested to sign; may be empty
	Instructions  string  // for the signer; may be empty
	Width, Height float64 // mm; 0: 45
}

// Reserve puts empty signature lines into a document that nobody has signed yet. Each can then be filled by Options.Line without
// touching the document, so that none breaks the seals before it. The errors are those of Sign.
func Reserve(dst io.Writer, src io.ReaderAt, size int64, slots []Slot, o Options) error {
	pkg, main, err := openWord(src, size, o.Limits)
	if err != nil {
		return err
	}
	if findActs(pkg).sealed() {
		return fmt.Errorf("%w: lines are reserved before the first seal", ErrSealed)
	}
	pl := placer{edit: newEdit(pkg), main: main, plan: new(plan)}
	for i, slot := range slots {
		if at := &slot.At; at.places() > 1 || at.Invisible || at.Line != "" || at.Keyword != nil && at.Keyword.Text == "" {
			return fmt.Errorf("slot %d: %w: a line stands at one new place that is seen", i+1, ErrOptions)
		}
		s, err := pl.find(slot.At)
		if err != nil {
			return fmt.Errorf("slot %d: %w", i+1, err)
		}
		l := wordml.Line{GUID: guid("", i, pl.text), Signer: slot.Signer, Title: slot.Title, Instructions: slot.Instructions, Width: slot.Width, Height: slot.Height}
		if l.Width == 0 && l.Height == 0 {
			l.Width, l.Height = 45, 45
		}
		if err := pl.put(s, l, slot.At); err != nil {
			return fmt.Errorf("slot %d: %w", i+1, err)
		}
	}
	return pkg.Write(dst, pl.edit.list())
}

// ReserveFile is Reserve for files: dst, which may be src, appears whole or is left as it was.
func ReserveFile(dst, src string, slots []Slot, o Options) error {
	return disk.Rewrite(dst, src, o.Sync, func(w io.Writer, r io.ReaderAt, size int64) error {
		return Reserve(w, r, size, slots, o)
	})
}

const settingsType = "application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"

// lock protects the document against editing in its settings.
func (pl *placer) lock() error {
	if err := pl.open(pl.main.Name); err != nil {
		return err
	}
	var settings *opc.Part
	for _, r := range pl.edit.relations(pl.main.Name).ByType(pl.family() + "settings") {
		settings = pl.edit.pkg.Part(r.Part)
	}
	var name string
	var text []byte
	if settings == nil {
		name, text = pl.unused("courtseal-settings", ".xml"), pl.doc.NewSettings()
		if err := pl.edit.add(name, settingsType, text); err != nil {
			return err
		}
		if _, err := pl.edit.relate(pl.main.Name, pl.family()+"settings", name); err != nil {
			return err
		}
	} else {
		name = settings.Name
		b, err := pl.edit.read(name)
		if err != nil {
			return err
		}
		text = b
	}
	locked, err := wordml.Lock(text, xmldoc.Limits{})
	switch {
	case errors.Is(err, wordml.ErrProtected):
		return fmt.Errorf("%w: Lock: %w", ErrOptions, err)
	case err != nil:
		return packageError(fmt.Errorf("%s: %w", name, err))
	}
	pl.edit.replace(name, locked)
	return nil
}
