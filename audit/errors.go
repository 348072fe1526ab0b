package audit

import "errors"

var (
	// ErrFormat: text or bytes are not what their format says. The message names the line or field.
	ErrFormat = errors.New("audit: malformed")
	// ErrTooLarge: something is longer than its format allows here. Nothing of it was used.
	ErrTooLarge = errors.New("audit: too large")
	// ErrRange: an index or size that the tree does not have.
	ErrRange = errors.New("audit: no such entry or tree")
	// ErrProof: a proof does not lead to the root.
	ErrProof = errors.New("audit: proof is wrong")
	// ErrUnknownLog: no key that is trusted signed the note. Give the key of its log, if that is to be trusted.
	ErrUnknownLog = errors.New("audit: signed by no known key")
	// ErrSignature: a known key's signature of a note is wrong.
	ErrSignature = errors.New("audit: signature of a note is wrong")
	// ErrKey: a key or its name cannot sign notes.
	ErrKey = errors.New("audit: unusable key")
	// ErrPrivate: a private value is not the one whose hash the leaf has, or is missing.
	ErrPrivate = errors.New("audit: private value does not belong to the leaf")
	// ErrAct: an act that cannot be recorded.
	ErrAct = errors.New("audit: act cannot be recorded")
	// ErrActTime: the time that an act claims is not that of its entry, and a verifier would not believe the two. Prepare the act again.
	ErrActTime = errors.New("audit: the act was not prepared now")
)
