// Package registry keeps the books of a province's seals over a ledger (package audit/ledger): who may make, keep, approve
// and use them, what became of each, and every use. Nothing happens in the books without its entry in the ledger, written in the
// same transaction; and nothing stands in the tables that the entries do not say: they can be thrown away and filled again.
//
// # Founding and opening
//
//	log, err := ledger.Create(ctx, db, ledger.Options{…})
//	books, err := registry.Create(ctx, log, registry.Options{}, registry.Found{
//		Org: "gy", OrgName: "示例省高级人民法院", Person: "admin", PersonName: "王某"})
//
// and at each later start [Open].
//
// # Operations
//
// What changes the books is an operation: a struct, such as [ReportLoss], that [Registry.Do] does for an [Actor]. It is refused
// with ErrRights, ErrState, ErrLimit, ErrUnknown, ErrExists or ErrOp, and then leaves nothing behind; or it is an entry.
//
//	_, err := books.Do(ctx, registry.Person("judge-17"), &registry.ReportLoss{Seal: "44010000000017", Reason: "left in a taxi"})
//
// [Rules] is the table of rights: which roles may do what. A role is held at an organisation. That of an administrator,
// maker, approver or auditor reaches down to the organisations below; keepers and clerks act in their own house. Rules that
// are Central want the role at the root, or a delegation ([Delegate]) within its budget. Who administers does not seal, who
// audits does neither, who makes seals neither approves nor keeps them: such roles exclude each other, wherever held.
//
// [Parse] and [New] make operations from text and for JSON. Every entry can be read as one: kind, actor, time, fields.
//
// # The life of a seal
//
//	apply 申请 -> approve 审批 -> make 制作 -> deliver -> receive = active
//	active -> lost 挂失, suspended 停用 -> resumed
//	any of these -> replaced 重新制作 (another seal in its place), revoked 注销; void, where it was made by mistake
//
// Approvers sign: what they sign ([DecisionText]) names the hash of the application's leaf, so that nobody can be made to
// approve anything but the words that were filed. [Registry.State] is the status at any moment, and makes a Registry a source of
// states for package verify.
//
// Mistakes are not edited. [Correct] is a later entry that annuls an earlier one: the books then go on as if the
// earlier had not been, and the history shows both. Names of people stand beside the entries, and [Redact] takes them out.
//
// A seal is on a device (密码设备) of its holder. When that breaks or is lost ([BreakDevice]), the seals on it stop in the same
// entry; a new device gets a new key ([AddDevice], [AddKey]), and the seal is re-made for it or, where it lists that key
// already, moved ([MoveSeal]). [ChangeHolder] hands the seal on with its device. What was in the world before the books is
// entered with [Registry.Import].
//
// # Use
//
// [Registry.Recorder] is the audit.Recorder of one actor and purpose. Wrapped around a Signer, it asks the books before
// anything is signed:
//
//	signer := audit.Record(books.Recorder(registry.App("trial"), registry.Use{Kind: "judgment", Court: "jc", Grant: "g-1"}), stamp)
//	_, err = pdfx.SignFile(ctx, "sealed.pdf", "judgment.pdf", signer, pdfx.Options{…})
//
// Rights, limits, the row of the use and its entry are one transaction, so that a limit of a thousand uses is a thousand uses,
// however many seal at once. The proof of the entry travels in the value. A keeper uses the seals they hold, within the
// limits of [SetControl]; anybody else, and every application, needs a grant: [Authorise].
//
// The ID of an act is that of a request: what is asked again under it is done once, and has the same answer. A request whose
// document was laid out otherwise the second time is a [RepeatedError], which says what was done; values are kept for that
// until [Registry.Forget].
//
// [WithdrawSealing] declares a sealed document withdrawn: a Registry is the source of that for package verify, too. Uses are
// found with [Registry.Uses] and [Registry.UseAt], proved with [Registry.Proof], and counted with [Registry.Statistics].
//
// # Concurrency
//
// A Registry is safe for concurrent use, by several processes on one database too. Operations of all callers share commits.
package registry
