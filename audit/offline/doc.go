// Package offline lets a key device seal where no ledger can be reached, within an offline grant (离线授权), and gives account of it later.
//
// A Book is a directory that counts the uses of one grant. Its Recorder goes around a signer like that of a ledger
// ([audit.Record]): before anything is signed, the next use is written to disk with its number and the hash of the one before,
// and what the document binds is the grant with that use ([audit.OfflineEvidence]). When there is a network again, Export gives what the
// ledger is to enter, the ledger answers how far all is in order ([audit.CheckChain]), and Reconciled notes that.
//
// A number is given once. A process that is killed at any moment, and a power cut, leave a book that goes on: a use is on disk before
// its number is given out, and one that was being written is not there. One process at a time has a book. What a book cannot
// know is that its directory, or the whole disk, was put back to an older state, or copied: both then go on from one use, and that
// is found when the ledger or a verifier sees both ([audit.ErrUseTwice]).
//
// The recorder needs the newest state list that can be had: what brings data to the device brings that too (SetList). It refuses
// to seal without one, with one that has expired, and by one that tells that seal, device or grant are not active.
package offline
