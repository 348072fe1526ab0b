package verify

import (
	"fmt"
	"strings"

	"github.com/courtseal/courtseal/internal/pdf"
)

// A Change is one thing that a saving of a PDF did after a signature was made. What of it is allowed, each signature says for itself:
// see its check pdf-later.
type Change struct {
	Revision int    `json:"revision"`         // that the saving made, 1 the first
	Kind     string `json:"kind"`             // signature, field, timestamp, validation, metadata, fill, annotation, content, bytes, unread
	Page     int    `json:"page,omitempty"`   // on which it is seen; 0: on none, or not known
	Object   uint32 `json:"object,omitempty"` // number of the indirect object; 0: none
	Field    string `json:"field,omitempty"`  // full name of the form field
	Detail   Text   `json:"detail"`

	covers  *Text     // what the signer saw there and it may hide; nil: nothing
	seen    bool      // fill: it takes the place of something that was seen
	since   int       // fill: the revision that filled in what was seen; 0: it may have been there always
	waiting bool      // signature: its field was there before
	shown   bool      // signature, timestamp: it shows something
	note    *pdf.Dict // annotation: as it is now; nil: it is gone
}

// Kinds of a Change.
const (
	changeSignature  = "signature"  // a signature in a new field or in one that waited for it
	changeField      = "field"      // an empty signature field; a field that is read-only from now on
	changeStamp      = "timestamp"  // a document time stamp
	changeValidation = "validation" // material to check signatures with (DSS)
	changeMetadata   = "metadata"   // information about the document: dates, title, XMP
	changeFill       = "fill"       // the value of a form field, and how it is shown
	changeAnnotation = "annotation" // a remark, mark or drawing on a page
	changeContent    = "content"    // anything else: what a reader sees, or what leads to it
	changeBytes      = "bytes"      // bytes that belong to no object
	changeUnread     = "unread"     // it could not be found out what was done
)

// A step is what one saving did to the file: from one revision to the next.
type step struct {
	revision int // that it made, 1 the first
	changes  []*Change
	signings map[int]*Change // signatures that it added, by their index in document.found
	dead     bool            // it did something that no signature allows, or that could not be found out
}

const (
	maxTold    = 5      // changes of one kind of a step that are told in words
	maxSigned  = 12     // signatures of one step that are
	maxChanges = 20_000 // changes of a document
)

// change notes something, and gives it to be filled in.
func (s *step) change(kind string, zh, en string, args ...any) *Change {
	c := &Change{Revision: s.revision, Kind: kind, Detail: Text{fill(zh, args), fill(en, args)}}
	s.dead = s.dead || kind == changeContent || kind == changeUnread
	s.changes = append(s.changes, c)
	return c
}

// unread notes that it cannot be known what the saving did.
func (s *step) unread(err error) {
	s.change(changeUnread, "无法分析：%[1]v", "cannot be analysed: %[1]v", err)
}

// text says what the saving did.
func (s *step) text() Text {
	var zh, en []string
	told, left := map[string]int{}, 0
	for _, c := range s.changes {
		most := maxTold
		if c.Kind == changeSignature {
			most = maxSigned
		}
		if told[c.Kind]++; told[c.Kind] > most {
			left++
			continue
		}
		zh, en = append(zh, c.Detail.ZH), append(en, c.Detail.EN)
		if c.covers != nil {
			zh[len(zh)-1] += "（" + c.covers.ZH + "）"
			en[len(en)-1] += " (" + c.covers.EN + ")"
		}
	}
	if left > 0 {
		zh, en = append(zh, fmt.Sprintf("及另外 %d 处改动", left)), append(en, fmt.Sprintf("and %d more changes", left))
	}
	if len(zh) == 0 {
		zh, en = []string{"无变化"}, []string{"changes nothing"}
	}
	return Text{
		fmt.Sprintf("第 %d 版%s", s.revision, strings.Join(zh, "，")),
		fmt.Sprintf("revision %d %s", s.revision, strings.Join(en, ", ")),
	}
}

// clipName shortens a name of thousands of letters, which every earlier signature tells of.
func clipName(name string) string {
	const most = 120
	for i := range name {
		if i > most {
			return name[:i] + "…"
		}
	}
	return name
}
