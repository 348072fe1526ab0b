// Package verify answers whether the signatures and electronic seals of a document are good, and why.
//
// [Document] and [File] give one [Report]: for each signature a list of checks, each with a name, a [Verdict], a stable
// code, a sentence in Chinese and English and the clause of the standard that asks. The error of these functions says only
// that the question could not be asked. docs/verification.md lists all checks and codes and says what decides.
//
//	roots, err := verify.ReadRoots("roots.pem")
//	report, err := verify.File(ctx, "sealed.pdf", verify.Options{Roots: roots})
//	fmt.Println(report)                       // for people
//	json.NewEncoder(os.Stdout).Encode(report) // for programs
//	if report.Verdict != verify.Valid { … }
//
// A document is a PDF or an Office document (.docx, .xlsx, .pptx), told by its bytes. In an Office document the signatures that Office
// programs make (xml) and seal signatures over a manifest of the package (ses) are judged side by side, and everything in the package that
// a signature leaves out is named and makes it invalid; see docs/verification.md.
//
// In a PDF three formats are told by the bytes of the value, whatever SubFilter says: ses, an SES_Signature (GM/T 0031, GB/T 38540);
// cms, a CMS SignedData, with or without a seal bound to it; dual, an RSA or ECDSA CMS that binds an SM2 SES_Signature over
// the same bytes, both of which must be right. A seal is judged by the standard it follows, in that standard's order: GM/T
// 0031-2014, GB/T 38540-2020 or GM/T 0031-2025; [Policy] says how where they are read in two ways.
//
// What was done to a PDF after a signature is found object by object, reject by default, and judged by what that signature allows: its
// certification (DocMDP), its locks (FieldMDP, /Lock), or, where it has none, what its signer could expect. [Report].Changes lists it, with
// page and object.
//
// What ended since a signature was made raises a doubt that only a proven time settles. Time stamps prove one, in a CMS, in
// a seal signature, in a seal and over a document: each is a [Stamp] of the report with checks of its own.
//
// A signature may bind evidence that its use of the seal stands in a ledger ([audit.Record]), and the maker of a seal may ask for
// that. The evidence is judged with the keys that the maker put into the seal, and with what [Logs] say of ledgers.
//
// Nothing is trusted, fetched or assumed: roots, CRLs, OCSP responses, states of seals and the time are Options. The zero
// Options trust nobody. A document is read once, whatever the number of its signatures, and never written to. Memory does
// not grow with its length, but for the parts of an Office document in which dynamic content is looked for. Everything here may be called concurrently.
//
// How the files are cut: rule.go and rules.go hold the rules, and each file named after a thing judges it: byterange.go,
// value.go, revision.go what is asked of the PDF as it was signed; later.go what each signature allows of all that came after, which
// compare.go (with the files named after it, and orphan.go) finds, census.go sees reached in no other way, cover.go hiding nothing, and
// change.go and whereis.go put into words; cms.go, seal_signature.go, seal.go, picture.go (with
// standing.go, foreign.go) the values; lookalike.go and
// office_lookalike.go (with gallery.go) the pictures that belong to none; certificate.go, revocation.go (with ocsp.go), algorithm.go, time.go
// what they rest on, and timestamp.go what proves it; ledger.go (with logs.go) the evidence of a ledger, withdrawn.go what
// became of a sealing. document.go tells what a file is, pdf.go leads a PDF through them and office.go an Office document (with package.go,
// parts.go, coverage.go what is asked of the package, native.go of the signatures of Office programs, before.go what there was before);
// case.go is what is asked of a signature in any file, report.go what comes out.
package verify
