package seal

import (
	"time"

	"github.com/courtseal/courtseal/sign"
)

// Status is the state of a seal by the books of who made it (电子印章管理办法, 国办发〔2025〕33号: 使用、停用、注销).
type Status string

const (
	StatusUnknown   Status = ""          // the books do not know the seal
	StatusActive    Status = "active"    // 有效
	StatusSuspended Status = "suspended" // 停用; may become active again
	StatusCancelled Status = "cancelled" // 注销; for good
	StatusVoid      Status = "void"      // 无效: it should never have been made
)

// A Sealing is one signature with a seal in one document, by what every copy of the document has.
type Sealing struct {
	Seal    string    // esID; empty: a signature without seal
	Content sign.Sums // of what is signed
	Value   []byte    // SM3 of the signature value, its bytes as they are embedded; nil: not known
	Source  sign.Sums // of the file before it was sealed, by its entry, or else as far as it can be told; nil: not known

	Log    string // origin of the ledger in which it was entered before it was made; empty: not known
	Index  uint64 // of the entry
	Grant  string // the offline grant under which it was made, in place of an entry; empty: none
	Number uint64 // which use of the grant it is
}

// A SealingState is what the books say of a sealing. The zero value: nothing, which is good unless it was made offline.
type SealingState struct {
	Withdrawn time.Time // since when the sealed document is declared withdrawn (撤回); zero: it is not
	Reason    string    // why

	// Entered is when the books got to know this very value, Sealing.Value, as one that was made: it existed by then. That an act
	// was entered before it was signed does not say that. zero: they do not know the value, or not when.
	Entered time.Time

	Reconciled time.Time // of one made offline: when it was entered in the ledger (核销); zero: it is not
	Fault      string    // why it does not count, such as that no value came of its entry, or that its number was used twice; empty: it does
}
