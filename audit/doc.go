// Package audit has the formats of a ledger that nobody can edit unseen, and Record, which lets no seal be used without an entry.
//
// A ledger is an append-only Merkle tree (RFC 6962) over leaves, text entries of one canonical form. Its head is a checkpoint, a note
// signed with Ed25519 and SM2 keys; from one, anyone can check that an entry is in the ledger and that one state of the ledger begins
// with an earlier one. The formats are those of C2SP (signed-note, tlog-checkpoint, tlog-proof, tlog-tiles), so that other people's tools
// read a ledger of profile SHA256; one of profile SM3 differs in its hash alone. FORMAT.md beside this file defines all of them.
//
// An act of sealing is entered before it is signed: the evidence, which is entry, proof and checkpoint, is signed with the document.
// Where no ledger can be reached, it is an offline grant and the use of it that the device counted; see OfflineGrant and CheckChain.
// Package audit/ledger keeps a ledger in a database, package audit/offline the uses of a grant in a file; nothing here opens a file or connection.
package audit
