package pdfx

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/courtseal/courtseal/sign"
)

// ErrState: the bytes are not the state of a Pending.
var ErrState = errors.New("pdfx: not the state of a prepared file")

// The state of a Pending is pendingMagic, four octets of length, so many octets of JSON (pendingState), and the update that is
// to be appended with the room for the value empty.
const (
	pendingMagic = "courtseal-pending-1\n"
	maxHead      = 1 << 20
)

// pendingState is what is kept beside the update. Of Act.Parts it has the one that a PDF has.
type pendingState struct {
	Size      int64                `json:"size"`
	From      int                  `json:"from"`
	To        int                  `json:"to"`
	Field     string               `json:"field"`
	Shown     []At                 `json:"shown,omitempty"`
	Notes     []sign.Note          `json:"notes,omitempty"`
	ID        string               `json:"id"`
	Document  string               `json:"document,omitempty"`
	Reason    string               `json:"reason,omitempty"`
	Time      time.Time            `json:"time"`
	Source    map[sign.Hash][]byte `json:"source"`
	Content   map[sign.Hash][]byte `json:"content"`
	Format    sign.Format          `json:"format"`
	Property  string               `json:"property"`
	ByteRange [4]int64             `json:"byteRange"`
}

// MarshalBinary gives the state of a Pending, for Commit in another process: what is to be signed and what is to be appended,
// and nothing of the file itself. Whoever keeps it must keep it from being changed: what is signed is in it.
func (p *Pending) MarshalBinary() ([]byte, error) {
	pl, act := p.plan, p.act
	head, err := json.Marshal(pendingState{
		Size: pl.size, From: pl.from, To: pl.to, Field: pl.field, Shown: pl.shown, Notes: pl.notes,
		ID: act.ID, Document: act.Document, Reason: act.Reason, Time: act.Time, Source: act.Source, Content: act.Content,
		Format: act.Parts[0].Format, Property: act.Parts[0].Property, ByteRange: pl.byteRange,
	})
	if err != nil {
		return nil, err
	}
	if len(head) > maxHead {
		return nil, fmt.Errorf("%w: %d bytes of texts and places; %d are the most", ErrState, len(head), maxHead)
	}
	b := make([]byte, 0, len(pendingMagic)+4+len(head)+len(pl.tail))
	b = binary.BigEndian.AppendUint32(append(b, pendingMagic...), uint32(len(head)))
	b = append(append(b, head...), pl.tail...)
	room := b[len(b)-len(pl.tail)+pl.from+1 : len(b)-len(pl.tail)+pl.to-1]
	for i := range room { // a value of an earlier Commit does not leave
		room[i] = '0'
	}
	return b, nil
}

// UnmarshalBinary takes the state that MarshalBinary gave; ErrState says that it is not one, or not whole.
func (p *Pending) UnmarshalBinary(b []byte) error {
	bad := func(what string) error { return fmt.Errorf("%w: %s", ErrState, what) }
	rest, ok := bytes.CutPrefix(b, []byte(pendingMagic))
	if !ok || len(rest) < 4 {
		return bad("it does not begin as one")
	}
	n := binary.BigEndian.Uint32(rest)
	if rest = rest[4:]; n > maxHead || int(n) > len(rest) {
		return bad("it is cut short")
	}
	var s pendingState
	d := json.NewDecoder(bytes.NewReader(rest[:n]))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return bad(err.Error())
	}
	tail := bytes.Clone(rest[n:])
	pl := &plan{size: s.Size, tail: tail, from: s.From, to: s.To, byteRange: s.ByteRange, field: s.Field, shown: s.Shown, notes: s.Notes}
	r := s.ByteRange
	switch {
	case s.Size <= 0 || s.From < 0 || s.To-s.From < 2 || s.To > len(tail):
		return bad("the place of its value is not in it")
	case tail[s.From] != '<' || tail[s.To-1] != '>' || len(bytes.Trim(tail[s.From+1:s.To-1], "0")) > 0:
		return bad("the place of its value is not an empty hex string")
	case r != [4]int64{0, s.Size + int64(s.From), s.Size + int64(s.To), int64(len(tail) - s.To)} || !strings.HasSuffix(s.Property, pl.ranges()):
		return bad("its ByteRange is another one")
	case len(s.Source) == 0 || len(s.Content) != len(s.Source):
		return bad("its digests are missing")
	}
	for h, sum := range s.Source {
		if h.Size() == 0 || len(sum) != h.Size() || len(s.Content[h]) != h.Size() {
			return bad("a digest is missing or of another length")
		}
	}
	p.plan, p.notes = pl, nil
	p.act = &sign.Act{
		ID: s.ID, Document: s.Document, Reason: s.Reason, Time: s.Time, Source: s.Source, Content: s.Content,
		Parts: []sign.Part{{Format: s.Format, Property: s.Property}},
	}
	return nil
}
