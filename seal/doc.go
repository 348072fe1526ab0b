// Package seal is the electronic seal (电子印章, SESeal) and the seal signature (电子签章, SES_Signature) of
// GM/T 0031-2014, GB/T 38540-2020 and GM/T 0031-2025: read, make, use.
//
// # What a seal is
//
// A seal is a signed record. A maker (制章者), who is entitled to make seals for an organisation, signs with SM2: the
// seal's number and name, the picture and its size in mm, a period of validity, and certList, which names the holders
// by their certificates or by digests of these. Who holds the private key of such a certificate may use the seal: what
// is signed then names the seal, the document's hash and the time. A holder who gets a new certificate needs the seal
// made anew.
//
// [Parse] reads a seal, [Make] makes one, and [Seal.Stamp] puts it to use. The Signer that Stamp returns goes to a
// container, such as package pdfx, which places the picture and the value in a document.
//
// # Formats
//
// What a Stamp can write:
//
//   - [sign.SES]: an SES_Signature over the SM3 of the content. Act.Time becomes timeInfo, Part.Property propertyInfo,
//     and evidence of a ledger an entry of extDatas with the identifier [sign.AttributeEvidence]. The key is SM2.
//   - [sign.CMS]: a CMS SignedData that has the SESeal as signed attribute [sign.AttributeSeal] and evidence as
//     [sign.AttributeEvidence]. The key is SM2, RSA or ECDSA.
//   - [sign.Dual]: a CMS by an RSA or ECDSA key, which every PDF reader understands, with an SES_Signature by an SM2
//     key over the same content as signed attribute [sign.AttributeSignature], and evidence as the attribute of CMS.
//     Both keys are holders.
//
// # Parse is not verify
//
// A parsed seal is what its bytes say, no more. [Seal.VerifyValue], [Signature.VerifyValue] and [Seal.Holds] answer the
// three questions that need nothing from outside; chains, revocation, times, the state of the seal and the document's
// hash are the matter of package verify. A Seal and a Signature share the bytes they were parsed from, compute every
// hash over these very bytes, never encode anything anew, and may be used by several goroutines at once as long as
// nobody writes to them.
//
// # Generations
//
// Version 1 is GM/T 0031-2014, 4 is GB/T 38540-2020, 5 is GM/T 0031-2025; the withdrawn C0119 has version 4's shape
// with version 1's times and signing input. All are read and checked; version 4 is made and used.
//
// # Notes
//
// Much in the field departs from the standards. What is known to occur and leaves no doubt about the meaning is read,
// and each kind of departure recorded once in Notes; it is never written. All else is [ErrMalformed]. The codes:
//
//   - algorithm-not-sm2: an RSA signature; GB/T 38540-2020 and GM/T 0031-2025 know SM2 only
//   - algorithm-oid: an algorithm identifier that is not the one of the standard
//   - algorithm-parameters: an AlgorithmIdentifier where an OBJECT IDENTIFIER belongs
//   - bare-certificate: a certificate that is not inside an OCTET STRING
//   - boolean-value: a BOOLEAN that is true but not FF
//   - c0119: UTCTime in a seal of the newer shape, as in the withdrawn C0119
//   - cert-list-type-in-v1: a certListType, which GM/T 0031-2014 does not have
//   - explicit-default: critical FALSE is the default, which DER leaves out
//   - extension-tag: a tag [0] that is missing or does not belong
//   - header-version: a version that does not go with the shape of the seal
//   - implicit-tag: [0] is IMPLICIT; it is EXPLICIT elsewhere
//   - octet-string: an OCTET STRING where a BIT STRING belongs
//   - picture-size: a width or height that is not positive
//   - raw-signature-value: r and s side by side where DER belongs
//   - signature-form: a signature of one generation around a seal of another
//   - string-charset: octets that the string's type does not allow
//   - string-type: a string of another type than the standard's
//   - time-form: a time that is not in its DER form
//   - time-text: a time as plain text in a BIT STRING
//   - time-type: a time of another type than the standard's
//   - time-unreadable: a time that cannot be read
//   - time-without-zone: a time without zone, read as UTC+8
//   - timestamp-in-v4: a time stamp, which seals have from version 5 on
//   - weak-hash: SHA-1, which no longer protects
package seal
