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
// finds what is there, and [Hash] makes the digests that all of them need in one pass; what they are worth package verify says.
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
// /UserUnit say. Places are millimetres from the top left corner of the page as it is seen to the seal's centre. A seal that
// reaches over the edge is placed and noted. Several places in one call are one signature field with several widgets.
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
// update carries a new cross-reference of the whole file. A file certified against any change (DocMDP, P 1) is [ErrCertified]. An
// encrypted file is sealed with its password (or the empty one) and stays encrypted; its permission bits are noted and not
// obeyed, because they bind the reader's program and not the court. Notes are in [Result]: overhang, permissions, certified,
// repaired, xfa, and those of the value.
package pdfx
