package opcsig

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/sign"
)

// ErrUndo: the part undo of an act is not as officex/FORMAT.md says, or does not lead to the file that it names.
var ErrUndo = errors.New("opcsig: undo record is malformed")

// An Undo is the part undo of an act: which file there was before it, and how to get that back.
type Undo struct {
	Hash   sign.Hash
	Digest []byte // of the file before
	Record []byte // of opc.Package.Undo
}

// Marshal writes the part: a line "source HASH HEX", then the record.
func (u Undo) Marshal() []byte {
	return append(fmt.Appendf(nil, "source %s %x\n", u.Hash, u.Digest), u.Record...)
}

// ParseUndo reads what Marshal writes; the record is read where it is applied.
func ParseUndo(b []byte) (u Undo, err error) {
	line, record, ok := bytes.Cut(b[:len(b):len(b)], []byte("\n"))
	words := bytes.Split(line[:min(len(line), 200)], []byte(" "))
	if !ok || len(words) != 3 || string(words[0]) != "source" {
		return u, fmt.Errorf("%w: it does not begin with the line \"source\"", ErrUndo)
	}
	u.Hash, u.Record = sign.Hash(words[1]), record
	if u.Digest, err = hex.DecodeString(string(words[2])); err != nil || len(u.Digest) == 0 || len(u.Digest) != u.Hash.Size() ||
		!bytes.HasPrefix(u.Marshal(), b[:len(line)+1]) {
		return Undo{}, fmt.Errorf("%w: the digest of the file before", ErrUndo)
	}
	return u, nil
}

// Restore is the file before, whose bytes are to be compared with Digest by whoever reads them.
func (u Undo) Restore(src io.ReaderAt, size int64) (io.ReaderAt, int64, error) {
	return opc.Restore(src, size, u.Record)
}
