package ledger

import "github.com/courtseal/courtseal/audit"

type redactions struct{}

func (*redactions) appended([]Entry) error { return nil }

func checkPrivate(_ audit.Profile, _ audit.Leaf, _ []byte) error { return nil }
