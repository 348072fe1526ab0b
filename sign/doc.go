// Package sign defines what signing a document is, and signs with SM2, RSA and ECDSA.
//
// An [Act] is what one person seals at one moment in one document. A [Signer] turns an Act into values. A container
// (such as pdfx) prepares the Act: it knows from the Signer's [Profile] how much room the value needs and which hashes
// it is made of, so it reserves once and reads the file once. Seals and CMS implement Signer; a ledger wraps one.
//
// Keys come from anywhere: whatever has the methods of [Key] will do, and [NewKey] makes one of a crypto.Signer.
// SM2 signatures are made over e = SM3(Z || M) with the default user ID 1234567812345678 (GM/T 0009).
package sign
