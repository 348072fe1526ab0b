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
// [Parse] reads a seal, [Of] the one in a signature value, [Make] makes one, [Seal.AddTimeStamp] has it stamped with a
// time, and [Seal.Stamp] puts it to use. The Signer that Stamp returns goes to a container, such as package pdfx, which
// places the picture and the value in a document.
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
//     key over the same content as signed attribute [sign.AttributeSignature]; evidence stands in both, as in each alone.
//     Both keys are holders.
//
// In each, StampOptions.TSA may have the signature value stamped with a time, and StampOptions.OuterTSA that of the outer
// key. A stamp is beside what is signed: one that cannot be had is a note of the Value, and the signature stands.
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
//	         standard           read, checked  made  used  maker signs          time stamps
//	C0119    (withdrawn)        yes            no    no    as in 1 or 4         -
//	1        GM/T 0031-2014     yes            no    no    info, cert, alg      in timeInfo, inside what is signed
//	4        GB/T 38540-2020    yes            yes   yes   info                 of the signature
//	5        GM/T 0031-2025     yes            yes   yes   info                 of the signature and of the seal
//
// C0119 has version 4's shape with version 1's times (UTCTime), and signatures of version 1's shape. Version 1 knows RSA
// with SHA-1 or SHA-256 beside SM2; RSA is checked and never made. GM/T 0031-2014 only gives an example of the version
// number, and files with others are read: [Seal.Generation] goes by the shape, and by the number from 4 on.
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
