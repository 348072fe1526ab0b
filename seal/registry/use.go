package registry

import "github.com/courtseal/courtseal/audit"

// uses apply the entries that are no operations: the beginning and the end of a use.
var uses = map[string]func(*state, audit.Leaf) error{}
