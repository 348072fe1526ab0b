package audit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Checkpoint says what a log was at one moment (C2SP tlog-checkpoint). As text it is what a signed note signs.
type Checkpoint struct {
	Origin    string // of the log; its Profile is ProfileOf(Origin)
	Size      uint64 // entries
	Root      Hash
	Extension string // further lines, each with its line feed; nothing here writes any
}

// Profile is the hash of the log.
func (c Checkpoint) Profile() Profile { return ProfileOf(c.Origin) }

// Marshal writes the text.
func (c Checkpoint) Marshal() []byte {
	return fmt.Appendf(nil, "%s\n%d\n%s\n%s", c.Origin, c.Size, c.Root, c.Extension)
}

// ParseCheckpoint reads the text of a checkpoint. What it reads, Marshal writes.
func ParseCheckpoint(text []byte) (Checkpoint, error) {
	if err := checkText(text); err != nil {
		return Checkpoint{}, err
	}
	if len(text) > MaxNote {
		return Checkpoint{}, fmt.Errorf("%w: a checkpoint of %d bytes", ErrTooLarge, len(text))
	}
	lines := strings.SplitN(string(text), "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return Checkpoint{}, fmt.Errorf("%w: a checkpoint has three lines or more: origin, size, root", ErrFormat)
	}
	c := Checkpoint{Origin: lines[0], Extension: lines[3]}
	var err error
	if c.Size, err = parseUint(lines[1]); err != nil || c.Size > MaxTree {
		return Checkpoint{}, fmt.Errorf("%w: size %.40q of a checkpoint", ErrFormat, lines[1])
	}
	if c.Root, err = ParseHash(lines[2]); err != nil {
		return Checkpoint{}, fmt.Errorf("%w (root of a checkpoint)", err)
	}
	if strings.HasPrefix(c.Extension, "\n") || strings.Contains(c.Extension, "\n\n") {
		return Checkpoint{}, fmt.Errorf("%w: an empty line in a checkpoint", ErrFormat)
	}
	return c, nil
}

// Sign writes the checkpoint as a signed note. One signer at least has the origin as its name: OpenCheckpoint wants that.
func (c Checkpoint) Sign(signers ...Signer) ([]byte, error) {
	if !slices.ContainsFunc(signers, func(s Signer) bool { return s.Name() == c.Origin }) {
		return nil, fmt.Errorf("%w: no signer has the name of the log %q", ErrKey, c.Origin)
	}
	return SignNote(c.Marshal(), signers...)
}

// OpenCheckpoint opens a note with OpenNote and reads its checkpoint. The key of one log does not speak for another: of those that
// signed, one at least has the origin as its name, or the error is ErrUnknownLog.
func OpenCheckpoint(note []byte, known ...Verifier) (Checkpoint, *Note, error) {
	n, err := OpenNote(note, known...)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	c, err := ParseCheckpoint(n.Text)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if !slices.ContainsFunc(n.By, func(v Verifier) bool { return v.Name() == c.Origin }) {
		return Checkpoint{}, nil, fmt.Errorf("%w: the checkpoint of %.120q is signed by no known key of that name", ErrUnknownLog, c.Origin)
	}
	return c, n, nil
}

// parseUint reads a decimal number without sign or leading zeros.
func parseUint(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%w: %.40q is no decimal number", ErrFormat, s)
	}
	return n, nil
}
