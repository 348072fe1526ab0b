package verify

import (
	"bytes"

	"github.com/courtseal/courtseal/audit"
)

// Logs are what the caller knows of ledgers. The zero value knows nothing: evidence is then judged with the keys alone
// that the maker of a seal put into it.
type Logs struct {
	Keys  []audit.Verifier // of ledgers, trusted beside those that the maker of a seal names
	Trees []Tree           // what was seen of ledgers before; evidence must be of the same history
}

// A Tree is a ledger as somebody last saw it. It trusts nothing: the checkpoint must be signed by a key of its ledger that
// is among Logs.Keys or named by the maker of the seal, and nodes are held against it.
type Tree struct {
	Checkpoint []byte           // a signed note
	Nodes      audit.NodeReader // nil: only a checkpoint of the same size is compared
}

// A knownTree is a Tree whose checkpoint could be read.
type knownTree struct {
	Tree
	head audit.Checkpoint
}

// trees reads the checkpoints that were given. Who signed them is asked where they are used: the maker of a seal may name the key.
func (j *job) trees() {
	for i, t := range j.opts.Logs.Trees {
		text, _, _ := bytes.Cut(t.Checkpoint, []byte("\n\n"))
		head, err := audit.ParseCheckpoint(append(bytes.Clone(text), '\n'))
		if err != nil {
			j.unusable("检查点", "checkpoint", i, err)
			continue
		}
		j.known = append(j.known, knownTree{t, head})
	}
}
