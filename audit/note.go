package audit

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxNote is the longest signed note that is read, in bytes.
const MaxNote = 256 << 10

const maxSignatures = 100 // of a note; C2SP wants 16 at least

// A Note is a text and the known keys that signed it (C2SP signed-note).
type Note struct {
	Text []byte
	By   []Verifier // in the order of the lines, each once; never none
}

// SignNote signs a text and returns the note: the text, an empty line, a line for each signer. The text ends in a line feed, is
// UTF-8 and has no control characters.
func SignNote(text []byte, signers ...Signer) ([]byte, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	if len(signers) == 0 || len(signers) > maxSignatures {
		return nil, fmt.Errorf("%w: %d signers; a note has 1 to %d", ErrKey, len(signers), maxSignatures)
	}
	note := append(bytes.Clone(text), '\n')
	for _, s := range signers {
		if err := checkName(s.Name()); err != nil {
			return nil, err
		}
		sig, err := s.Sign(text)
		if err != nil {
			return nil, fmt.Errorf("audit: sign a note as %s: %w", s.Name(), err)
		}
		line := binary.BigEndian.AppendUint32(nil, s.KeyHash())
		note = append(note, "— "+s.Name()+" "+base64.StdEncoding.EncodeToString(append(line, sig...))+"\n"...)
	}
	if len(note) > MaxNote {
		return nil, fmt.Errorf("%w: a note of %d bytes; %d are the most", ErrTooLarge, len(note), MaxNote)
	}
	return note, nil
}

// OpenNote checks the signatures of a note against the known keys. Lines of other keys are ignored, as C2SP wants. A wrong signature
// of a known key is ErrSignature, whatever the other lines say; no line of a known key is ErrUnknownLog.
func OpenNote(note []byte, known ...Verifier) (*Note, error) {
	text, lines, err := parseNote(note)
	if err != nil {
		return nil, err
	}
	n := &Note{Text: text}
	for i, l := range lines {
		if slices.ContainsFunc(lines[:i], l.equal) {
			continue // checked once: a hostile note has a good line a hundred times
		}
		for _, v := range known {
			if v.Name() != l.name || v.KeyHash() != l.hash {
				continue
			}
			if !v.Verify(text, l.sig) {
				return nil, fmt.Errorf("%w: that of %s", ErrSignature, v.Name())
			}
			if !slices.ContainsFunc(n.By, func(o Verifier) bool { return o.String() == v.String() }) {
				n.By = append(n.By, v)
			}
			break
		}
	}
	if len(n.By) == 0 {
		return nil, fmt.Errorf("%w: the note has signatures of %s", ErrUnknownLog, signerNames(lines))
	}
	return n, nil
}

type sigLine struct {
	name string
	hash uint32
	sig  []byte
}

func (l sigLine) equal(o sigLine) bool {
	return l.name == o.name && l.hash == o.hash && bytes.Equal(l.sig, o.sig)
}

func signerNames(lines []sigLine) string {
	var names []string
	for i, l := range lines {
		if i == 4 {
			return strings.Join(names, ", ") + " and others"
		}
		names = append(names, fmt.Sprintf("%.80q (%08x)", l.name, l.hash))
	}
	return strings.Join(names, ", ")
}

// parseNote takes a note apart without checking a signature.
func parseNote(note []byte) (text []byte, lines []sigLine, err error) {
	if len(note) > MaxNote {
		return nil, nil, fmt.Errorf("%w: a note of %d bytes; %d are the most", ErrTooLarge, len(note), MaxNote)
	}
	if err := checkText(note); err != nil {
		return nil, nil, err
	}
	cut := bytes.LastIndex(note, []byte("\n\n"))
	if cut < 0 || cut+2 == len(note) {
		return nil, nil, fmt.Errorf("%w: a note has no signatures after an empty line", ErrFormat)
	}
	text = note[:cut+1]
	for line := range strings.Lines(string(note[cut+2:])) {
		if len(lines) == maxSignatures {
			return nil, nil, fmt.Errorf("%w: a note with more than %d signatures", ErrTooLarge, maxSignatures)
		}
		l, err := parseSigLine(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, nil, fmt.Errorf("%w: signature line %d of a note: %w", ErrFormat, len(lines)+1, err)
		}
		lines = append(lines, l)
	}
	return text, lines, nil
}

func parseSigLine(line string) (l sigLine, err error) {
	rest, ok := strings.CutPrefix(line, "— ")
	if !ok {
		return l, errors.New("it does not begin with a dash and a space")
	}
	name, b64, _ := strings.Cut(rest, " ")
	if err := checkName(name); err != nil {
		return l, err
	}
	b, err := decode64(b64)
	if err != nil {
		return l, err
	}
	if len(b) < 5 {
		return l, errors.New("it is too short")
	}
	return sigLine{name, binary.BigEndian.Uint32(b), b[4:]}, nil
}

// checkText holds a note's text, or all of it, to the characters of C2SP.
func checkText(text []byte) error {
	if len(text) == 0 || text[len(text)-1] != '\n' {
		return fmt.Errorf("%w: the text of a note does not end in a line feed", ErrFormat)
	}
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: the text of a note is not UTF-8", ErrFormat)
	}
	if i := bytes.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' }); i >= 0 {
		return fmt.Errorf("%w: the text of a note has a control character at byte %d", ErrFormat, i)
	}
	return nil
}
