package main

import (
	"errors"
	"io/fs"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/examples/internal/batch"
	"github.com/courtseal/courtseal/examples/internal/database"
	"github.com/courtseal/courtseal/examples/internal/secret"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/tsp"
	"github.com/courtseal/courtseal/verify"
)

// hints say what an error means to the person at the keyboard. The first that fits is used.
var hints = []struct {
	err    error
	zh, en string // en may be empty: the error says it all
}{
	{batch.ErrOther, "目标目录中已有其他同名文件，未覆盖", ""},
	{secret.ErrEmpty, "文件的第一行是空的", ""},
	{keydev.ErrPINIncorrect, "PIN 不正确", ""},
	{keydev.ErrPINLocked, "PIN 已锁定", ""},
	{keydev.ErrNoAuth, "需要 PIN：请在终端运行，或使用 --pin-file", "run it at a terminal, or use --pin-file"},
	{keydev.ErrNoKey, "没有这个密钥或其证书", ""},
	{keydev.ErrAmbiguous, "同名密钥不止一个", ""},
	{keydev.ErrUnsafe, "私钥没有受到保护", ""},
	{keydev.ErrMismatch, "证书与私钥不匹配", ""},
	{keydev.ErrURI, "不是密钥设备的 URI，应如 soft:目录#名称", ""},
	{keydev.ErrMalformed, "密钥文件的内容有误", ""},
	{keydev.ErrUnsupported, "密钥设备或格式不受支持", ""},
	{seal.ErrNotHolder, "证书不在印章的证书列表中", ""},
	{seal.ErrExpired, "印章或证书不在有效期内", ""},
	{seal.ErrTimeStamp, "印章的时间戳无法取得或有误", ""},
	{seal.ErrUnsupportedVersion, "该版本的印章只能读取和验证，不能制作或使用", ""},
	{sign.ErrKeyMismatch, "证书与密钥不匹配", ""},
	{sign.ErrWeakKey, "密钥过短", ""},
	{sign.ErrUnsupportedKey, "不支持这种密钥", ""},
	{sign.ErrEncryptionCert, "加密证书不能用于签章", ""},
	{verify.ErrAlgorithm, "算法有效期限有误：应为每行一个 名称 [位数] 年-月-日", ""},
	{audit.ErrKey, "不是账本公钥，应为 NAME+HASH+KEY，或每行一个公钥的文件", "it is NAME+HASH+KEY, or a file with one a line"},
	{audit.ErrUnknownLog, "不是所给账本公钥签署的，请用 --log 给出该账本的公钥", "give the key of its log with --log"},
	{audit.ErrSignature, "账本检查点的签名错误", ""},
	{audit.ErrProof, "账本的证明错误", ""},
	{audit.ErrTooLarge, "账本数据超出上限", ""},
	{audit.ErrFormat, "账本数据格式有误", ""},
	{errTooLong, "文件过长，不是所要的文件", ""},
	{tsp.ErrNotTSA, "不是时间戳证书：扩展密钥用法须仅为 timeStamping 且标为关键", ""},
	{tsp.ErrPolicy, "时间戳策略缺失或不符", ""},
	{tsp.ErrMalformed, "不是合法的时间戳", ""},
	{sign.ErrFormat, "密钥不适用于所选格式", ""},
	{seal.ErrNoSeal, "签名不带印章", ""},
	{seal.ErrMalformed, "不是合法的印章文件", ""},
	{pdfx.ErrDamaged, "文件已损坏；签章时加 --repair 或可修复", "seal --repair may mend what can be mended"},
	{pdfx.ErrPassword, "文件已加密，需要用 --password-file 给出正确的口令", "give the password with --password-file"},
	{pdfx.ErrEncrypted, "不支持该文件的加密方式", ""},
	{pdfx.ErrNotPDF, "既不是 PDF 文件，也不是 Word 文档 (.docx)", "neither a PDF nor a Word document (.docx)"},
	{pdfx.ErrSyntax, "文件中所需的对象无法读取", ""},
	{pdfx.ErrLimit, "文件超出处理上限", ""},
	{pdfx.ErrPicture, "印章图像无法显示", ""},
	{pdfx.ErrTooLarge, "签名值超出预留空间", ""},
	{pdfx.ErrSeveral, "该文字出现多次，请用 --occurrence 指明第几处，或用 all", "say which one with --occurrence, or all"},
	{pdfx.ErrUnread, "找不到位置，且部分文字无法读取", ""},
	{pdfx.ErrPlace, "印章无法放在指定位置", ""},
	{pdfx.ErrFont, "字体文件无法使用", ""},
	{pdfx.ErrGlyph, "字体缺少所列文字，请用 --font 另选含有这些文字的字体", "choose a font that has them with --font"},
	{pdfx.ErrText, "文字无法排版：过长，或含有不可见字符", ""},
	{pdfx.ErrField, "没有这个空签名域，或该域要求另一种签名", ""},
	{pdfx.ErrSigned, "文件已有签名，不能再认证：认证必须是第一个签名", ""},
	{pdfx.ErrLocked, "文件或该签名域已被先前的签名锁定", ""},
	{pdfx.ErrOptions, "参数不能这样组合", ""},
	{pdfx.ErrCertified, "文件的认证签名不允许任何更改", ""},
	{pdfx.ErrNoSignature, "文件没有签章", ""},
	{pdfx.ErrNotLast, "最后一个签章之后还有更改，不能撤销", ""},
	{pdfx.ErrNotOurs, "签章由其他软件加盖，不能撤销", ""},
	{officex.ErrDoc, "是旧格式的 .doc 文件，请先用 Word 或 WPS 另存为 .docx 再签章", ""},
	{officex.ErrWPS, "是 WPS 自有格式的文件，请先用 WPS 另存为 .docx 再签章", ""},
	{officex.ErrEncrypted, "Word 文档带有打开密码，请先去掉密码", ""},
	{officex.ErrMacroEnabled, "是带宏的 Word 文档 (.docm)，请先另存为 .docx", ""},
	{officex.ErrTrackedChanges, "文档有未处理的修订，请先接受或拒绝全部修订，或用 --allow tracked-changes", "accept or reject them first, or use --allow tracked-changes"},
	{officex.ErrComments, "文档有批注，请先删除，或用 --allow comments", "delete them first, or use --allow comments"},
	{officex.ErrFields, "文档有引用外部内容的域，请先断开链接，或用 --allow fields", "unlink them first, or use --allow fields"},
	{officex.ErrTemplate, "文档引用外部模板，请先改用 Normal 模板，或用 --allow template", "detach it first, or use --allow template"},
	{officex.ErrAltChunk, "文档嵌有其他格式的内容块，请先在 Word 中打开并另存，或用 --allow alt-chunk", "open and save it in Word first, or use --allow alt-chunk"},
	{officex.ErrMacros, "文档带有宏，请先另存为不带宏的 .docx，或用 --allow macros", "save it without them first, or use --allow macros"},
	{officex.ErrEmbedded, "文档嵌有对象或控件，请先转为图片，或用 --allow embedded", "turn them into pictures first, or use --allow embedded"},
	{officex.ErrExternal, "文档引用外部文件，请先把它们嵌入文档，或用 --allow external", "embed what it refers to first, or use --allow external"},
	{officex.ErrSealed, "文档已有签章，不能再增加可见的印章，也不能锁定：请用 --invisible，或先用 sealctl reserve 预留签名行", "see sealctl reserve"},
	{officex.ErrNotWord, "不是 Word 文档 (.docx)", ""},
	{officex.ErrLine, "没有这个空签名行", ""},
	{officex.ErrSeveral, "该文字出现多次，请用 --occurrence 指明第几处", "say which one with --occurrence"},
	{officex.ErrPlace, "印章无法放在指定位置", ""},
	{officex.ErrPicture, "印章图像无法显示", ""},
	{officex.ErrOptions, "参数不能这样组合", ""},
	{officex.ErrProfile, "Word 自己的签名只支持 RSA 或 ECDSA 密钥；SM2 密钥请用 --format ses 或 dual", "with an SM2 key use --format ses, or dual"},
	{officex.ErrPackage, "Word 文档的压缩包结构有误，请用 Word 打开并另存后再签章", "opening and saving it in Word may mend it"},
	{officex.ErrLimit, "文件超出处理上限", ""},
	{officex.ErrNoSignature, "文件没有签章", ""},
	{officex.ErrNotLast, "最后一个签章之后还有更改，不能撤销", ""},
	{officex.ErrNotOurs, "签章由其他软件加盖，不能撤销", ""},
	{officex.ErrMalformed, "签章的内容有误", ""},
	{batch.ErrSameName, "两个文件同名，签章后会写成同一个文件；没有签任何文件", ""},
	{batch.ErrBusy, "另一次批量签章正在写入此目录", ""},
	{audit.ErrRange, "账本中没有这个条目", ""},
	{audit.ErrPrivate, "隐私内容与账本条目不符", ""},
	{audit.ErrAct, "用章无法登记", ""},
	{audit.ErrActTime, "待签内容的时间与现在相差过大，请重新准备后再签", "sign what was prepared at once"},
	{ledger.ErrNoLedger, "数据库中没有账本", ""},
	{ledger.ErrOrigin, "不是同一个账本", "is --log the key of this ledger?"},
	{ledger.ErrForked, "账本较旧或已分叉：它不是由以前见过的账本延续而来", ""},
	{ledger.ErrDamaged, "账本已损坏或被改动；sealctl audit verify 逐条列出", "sealctl audit verify says where"},
	{ledger.ErrWitness, "见证文件无法使用", ""},
	{ledger.ErrNoEntry, "没有这个条目", ""},
	{database.ErrName, "不是账本：应为 sqlite:文件、postgres:// URL 或导出目录", ""},
	{fs.ErrNotExist, "文件不存在", ""},
	{fs.ErrPermission, "没有权限", ""},
	{fs.ErrExist, "已经存在", ""},
}

// explain puts a hint to an error: in Chinese before the error's own text, in English behind it.
func (m *Main) explain(err error) string {
	for _, h := range hints {
		switch {
		case !errors.Is(err, h.err):
		case m.Chinese:
			return h.zh + "（" + err.Error() + "）"
		case h.en != "":
			return err.Error() + ": " + h.en
		default:
			return err.Error()
		}
	}
	return err.Error()
}
