// Package officex seals Word documents (.docx) and finds the seals in them.
//
// # Concept
//
// A Word document is a package of parts in a zip file (ECMA-376-2). A seal adds parts to it that sign the others, in two forms, of which one
// act writes either or both:
//
//   - the signature that Office programs know ([sign.XML]): XML Signature with RSA or ECDSA and the XAdES properties that Word wants.
//     Word, LibreOffice and whoever else reads such signatures call it valid. There is none with SM2.
//   - the seal ([sign.SES]): an SES_Signature of GM/T 0031 or GB/T 38540 over the SM3 of a manifest of the parts, in parts of its own. Programs
//     that do not know it pass over it. FORMAT.md beside this file defines it.
//
// The signer's Profile decides: [sign.SES] writes the seal, [sign.CMS] the native signature, [sign.Dual] both. Both are over the same document
// and neither over the other, so that more can be added in any order. It is one act, with one permission and one entry in a ledger.
//
// Everything in the package is signed but what FORMAT.md excepts: signatures, seals, and for native signatures the document's properties.
// Parts that do not change are copied as they are packed, byte for byte, and those that do are changed by insertions alone.
//
// # Use
//
// SignFile seals a file on disk; its result appears whole or not at all. Sign writes to any io.Writer. Prepare and Pending.Commit are the two
// halves of Sign, for values that are made elsewhere; Pending.MarshalBinary carries what was prepared from one process to another. Remove
// takes the last act off and gives back the very bytes that were there before it. Signatures finds what is there, and Hash makes the digests
// of what the values are over; what they are worth package verify says.
//
// All functions may be called concurrently. An io.ReaderAt is read from several goroutines at once.
//
// # Where a seal is shown
//
// By default in a paragraph of its own at the end, or at a Bookmark, a Keyword, on the DateLine, in the Header or Footer: a picture of true
// size that floats over the text, as Word, WPS and LibreOffice draw it. It is content of the document, which the signatures protect; it does
// not change when they break.
//
// With AsLine it is a signature line of Word instead: the picture stands in the signature, and a program that checks signatures shows it
// while the signature holds, and crossed out in grey when it does not.
//
// Either changes the document, so that it must come before the first signature: afterwards it is ErrSealed. Where several seal one document,
// Reserve puts empty signature lines into it first, and each seal fills one (Options.Line) or is Invisible.
//
// # What is refused, and what is noted
//
// A .doc, a .wps, an encrypted document, a document with macros and whatever else is no .docx is told by name, and all are ErrNotWord. A zip
// file that two programs may read differently is ErrPackage. Tracked changes, comments, fields and templates that reach outside, content that
// is taken in when the document is opened, macros, embedded objects and linked pictures are refused, each by an error of its own, until
// Options.Allow lets them pass. Ordinary hyperlinks are fine.
//
// Lock protects the document against editing in the way Word offers without a password. It reminds; what protects is the seal.
//
// The notes in Result have these codes, and those of the value (of a time stamp that could not be had, see cms.TimeStamp):
//
//   - dates: there are several dates of signature blocks; the seal is on the last one
//   - even-pages, first-page: these pages have a header or footer of their own, which does not show the seal
//   - in-line, in-row, no-offset, overhang: the seal stands on a line that only Word knows, beside another one, not as far from the text as
//     asked, or reaches over the edge of the page
//   - embedded-fonts, live-fields, property-fields, tracking, update-on-open: what readers see may change though no byte does: fonts, fields,
//     properties of the document that are shown, tracking that is switched on
//   - what Allow let pass: alt-chunk, comments, embedded, external, fields, macros, template, tracked-changes
package officex
