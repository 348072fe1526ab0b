// Package pdfx seals PDF files and finds the seals in them.
//
// # Concept
//
// A seal is added as an incremental update (ISO 32000-1, 7.5.6): every byte of the file stays as it is, and behind them come a
// signature field, its widgets, what the page shows of the seal, and a cross-reference section of the kind that the file has. So
// a file may be sealed again and again, and an earlier signature stays as good as it was. Objects that are touched (the page's
// /Annots, the form, the catalog where it had no form) are edited key by key in the bytes in which they were written.
//
// The file is read once. While it is copied it is hashed, with the hashes that the signer's [sign.Profile] names, and the
// signature value is put into a room whose size the Profile names too: a longer value is [ErrTooLarge], and no key is ever asked
// twice. Memory does not grow with the file, but with its objects: about 8 bytes each.
//
// # Use
//
// [SignFile] seals a file on disk; its result appears whole or not at all. [Sign] writes to any io.Writer. [Prepare] and
// [Pending.Commit] are the two halves of Sign, for a value that is made elsewhere. [Remove] takes the last seal off. [Signatures]
// finds what is there, [ShownOn] the pages that show it, and [Hash] makes the digests that all of them need in one pass; what
// they are worth package verify says.
//
// All functions may be called concurrently. An io.ReaderAt is read from several goroutines, one at a time.
//
// # What is written
//
// /Filter is Adobe.PPKLite; /SubFilter is ETSI.CAdES.detached for CMS of every kind of key (ISO 32000-2, 12.8.3.4), SM2 among
// them, and adbe.pkcs7.detached for a bare SES_Signature (sign.SES), as Chinese readers expect it. Other readers do not know
// what a bare SES_Signature is: pdfsig calls it "Unknown Validation Failure", mutool says that information is missing. GM/T
// 0112-2021 governs PDF seals in China; what names it gives, if any, can be set by [Options]. The signer is told
// propertyInfo as "ByteRange=[0 b c d]".
//
// The seal has its true size: the picture's millimetres, upright on the page as it is seen, whatever /Rotate, /CropBox and
// /UserUnit say. Text beside it is drawn as shapes: no font is embedded, and every reader shows the same.
//
// # Where a seal is shown
//
// All places of one call are one signature, a field with a widget for each. [Options].At gives them in millimetres from the top
// left corner of the page as it is seen; a seal that reaches over the edge is placed and noted.
//
//   - Keyword finds a text, in whatever pieces and encoding the page draws it, and lays the seal's centre on its middle. A text
//     that stands more than once is [ErrSeveral] until Occurrence says which is meant: nothing is guessed.
//   - DateLine finds the date of the signature block, the last line that is a date and nothing else, and stands over it, centred,
//     so that the seal's lower arc lies over the date (骑年盖月). It rises or sinks by a few millimetres where it would cover
//     other text, and notes what it covers all the same.
//   - Straddle cuts the seal into strips at the edges of the pages (骑缝章): fanned out, they show it whole. A document of one page
//     shows the whole seal at its edge.
//   - Field fills an empty signature field that is there, with the seal as large as the field allows.
//
// Places that are found give way to seals that are there: the new one stands in a row with them, a millimetre apart, to the left
// first; a straddle seal moves along the edge. Given places do not; a touch is noted. [FindText] and [FindDate] tell the places
// without sealing.
//
// # Certification and locks
//
// Certify makes the signature a certification (DocMDP); it must be the first of the file ([ErrSigned]). A reserved Field can be
// signed later; a further field is noted, because some readers call it a violation. Lock forbids later changes: of the whole
// document, so that this package refuses any further seal ([ErrLocked]), or of the fields named. The locks and certifications of
// others are obeyed alike, and package verify judges by them.
//
// # Prepare here, sign there, commit elsewhere
//
// [Pending.MarshalBinary] gives what one process prepared to another one: the update, the digests, and nothing of the file. The
// file must be there again for [Pending.Commit], which compares it with what was prepared: [ErrOtherFile]. The state is as
// trusted as whoever kept it; a part of it that was changed is [ErrState], as far as what was signed would not be what is written.
//
// # Where text stands
//
// [FindText] and [FindDate] read the pages for a place to seal: a phrase, or the date of the signature block. They know how
// Chinese is written in PDF: fonts that say what their glyphs mean (ToUnicode) and those that do not, where the encoding
// (GBK-EUC-H and its relatives, UniGB, and those of traditional Chinese, Japanese and Korean), the collection of the CIDs (GB 2312
// of Adobe-GB1) or the embedded font tells it. Text is found on one line, in the order in which a reader sees it, whatever
// the pieces in which it was drawn; text drawn invisibly, in forms and in form fields is found too. What no table in the file
// explains cannot be found: scanned pages without a text layer, fonts whose codes mean nothing to anyone. A box is as wide as
// the font says the characters are, and as high as it says its lines are; where it does not, as high as an ideograph.
//
// # What is refused, and what is noted
//
// A damaged file, whose cross-reference must be rebuilt to read it, is [ErrDamaged] unless [Options].Repair asks for it: then the
// update carries a new cross-reference of the whole file. A file certified against any change (DocMDP, P 1) is [ErrCertified],
// one that an earlier signature locks [ErrLocked]. An encrypted file is sealed with its password (or the empty one) and stays
// encrypted; its permission bits are noted and not obeyed, because they bind the reader's program and not the court.
//
// The notes in [Result] have these codes, and those of the value (of a time stamp that could not be had, see cms.TimeStamp):
//
//   - certified, locked: some readers call a further field a violation of an earlier signature
//   - dates: the page of the signature block has several dates; the seal is on the last one
//   - in-row: a seal stands there already, and the new one stands beside it
//   - invisible-field, not-printed, scaled: the field that was filled shows the seal not at all, not on paper, or smaller
//   - overhang, overlap: the seal reaches over the edge of the page, or touches another one
//   - over-text: the seal on the date covers other text
//   - permissions: the file's permission bits were not obeyed
//   - repaired: the file was damaged
//   - seed-value: the field that was filled asks for more than was looked at
//   - text-unread: part of a page's text could not be read and was not searched
//   - xfa: a reader that shows the XFA form may not show the seal
package pdfx
