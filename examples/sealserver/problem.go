package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/internal/plain"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// A problem is the body of every answer that is not what was asked for (RFC 9457). Code is stable; Detail is for people.
type problem struct {
	Type    string `json:"type"` // "urn:courtseal:problem:" and Code
	Title   string `json:"title"`
	TitleZH string `json:"titleZh"`
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Detail  string `json:"detail,omitempty"`  // absent where it could tell of the server's inside
	Request string `json:"request,omitempty"` // the request's id, as in the server's log
}

// Causes that only this program knows.
var (
	errNoRoute        = errors.New("there is no such path")
	errMethod         = errors.New("this path does not answer to this method")
	errCredential     = errors.New("no credential, or not a good one")
	errWho            = errors.New("not for who asks")
	errBody           = errors.New("the body is not what this path takes")
	errParameter      = errors.New("a parameter has a value that it cannot have")
	errTooMuch        = errors.New("the body is longer than this path takes")
	errMediaType      = errors.New("the body is of another media type")
	errIdempotencyKey = errors.New("the header Idempotency-Key is missing or malformed")
	errBusy           = errors.New("the server has as much to do as it can")
	errUnhealthy      = errors.New("the server cannot work")
)

// problems say what an error is over HTTP. The first that fits is used; an error that fits none is a fault of the server, whose
// text stays in its log.
var problems = []struct {
	err    error
	status int
	code   string
	zh, en string
}{
	{errNoRoute, http.StatusNotFound, "no-such-path", "没有这个路径", "There is no such path"},
	{errMethod, http.StatusMethodNotAllowed, "method-not-allowed", "该路径不接受此方法", "This path does not answer to this method"},
	{errCredential, http.StatusUnauthorized, "unauthorized", "缺少凭证或凭证无效", "A credential is missing, or is not a good one"},
	{errWho, http.StatusForbidden, "not-allowed", "没有权限", "This is not for who asks"},
	{errBody, http.StatusBadRequest, "bad-body", "请求内容格式有误", "The body is not what this path takes"},
	{errParameter, http.StatusBadRequest, "bad-parameter", "参数值有误", "A parameter has a value that it cannot have"},
	{errIdempotencyKey, http.StatusBadRequest, "idempotency-key", "缺少 Idempotency-Key 或其格式有误", "The header Idempotency-Key is missing or malformed"},
	{errTooMuch, http.StatusRequestEntityTooLarge, "too-large", "请求内容过大", "The body is too large"},
	{errMediaType, http.StatusUnsupportedMediaType, "media-type", "请求内容的类型不受支持", "The body is of a media type that this path does not take"},
	{errBusy, http.StatusServiceUnavailable, "busy", "服务器繁忙，请稍后再试", "The server is busy; try again later"},
	{errUnhealthy, http.StatusServiceUnavailable, "unhealthy", "服务器无法工作", "The server cannot work"},

	{pdfx.ErrNotPDF, http.StatusUnprocessableEntity, "not-pdf", "既不是 PDF 文件，也不是 Word 文档", "Neither a PDF file nor a Word document"},
	{pdfx.ErrDamaged, http.StatusUnprocessableEntity, "pdf-damaged", "PDF 文件已损坏", "The PDF file is damaged"},
	{pdfx.ErrPassword, http.StatusUnprocessableEntity, "pdf-password", "PDF 文件已加密，口令不正确", "The PDF file does not open with this password"},
	{pdfx.ErrEncrypted, http.StatusUnprocessableEntity, "pdf-encrypted", "不支持该 PDF 文件的加密方式", "The PDF file is encrypted in a way that is not supported"},
	{pdfx.ErrSyntax, http.StatusUnprocessableEntity, "pdf-syntax", "PDF 文件中所需的对象无法读取", "An object of the PDF file cannot be read"},
	{pdfx.ErrLimit, http.StatusUnprocessableEntity, "pdf-limit", "PDF 文件超出处理上限", "The PDF file asks for more than the limits allow"},
	{pdfx.ErrSeveral, http.StatusUnprocessableEntity, "place-several", "该文字出现多次，请用 occurrence 指明", "The text stands more than once: say which with occurrence"},
	{pdfx.ErrUnread, http.StatusUnprocessableEntity, "place-unread", "找不到位置，且部分文字无法读取", "No place was found, and part of the text could not be read"},
	{pdfx.ErrPlace, http.StatusUnprocessableEntity, "place", "印章无法放在指定位置", "The seal cannot be shown at this place"},
	{pdfx.ErrPicture, http.StatusUnprocessableEntity, "picture", "印章图像无法显示", "The seal's picture cannot be shown"},
	{pdfx.ErrGlyph, http.StatusUnprocessableEntity, "glyph", "内嵌字体缺少所列文字", "The embedded font lacks characters of this text"},
	{pdfx.ErrText, http.StatusUnprocessableEntity, "text", "文字无法排版", "The text cannot be set"},
	{pdfx.ErrField, http.StatusUnprocessableEntity, "field", "没有这个空签名域，或该域要求另一种签名", "There is no such empty signature field"},
	{pdfx.ErrSigned, http.StatusUnprocessableEntity, "signed", "文件已有签名，不能再认证", "The document is signed and cannot be certified any more"},
	{pdfx.ErrLocked, http.StatusUnprocessableEntity, "locked", "文件或该签名域已被锁定", "The document, or the field, is locked"},
	{pdfx.ErrCertified, http.StatusUnprocessableEntity, "certified", "文件的认证签名不允许任何更改", "The document is certified against any change"},
	{pdfx.ErrOptions, http.StatusUnprocessableEntity, "options", "参数不能这样组合", "Parameters that do not go together"},

	{officex.ErrDoc, http.StatusUnprocessableEntity, "word-old", "是旧格式的 .doc 文件，请先另存为 .docx", "A .doc of Word 97-2003: save it as .docx first"},
	{officex.ErrWPS, http.StatusUnprocessableEntity, "word-wps", "是 WPS 自有格式的文件，请先另存为 .docx", "In the format of WPS itself: save it as .docx first"},
	{officex.ErrEncrypted, http.StatusUnprocessableEntity, "word-encrypted", "Word 文档带有打开密码", "The Word document is encrypted"},
	{officex.ErrMacroEnabled, http.StatusUnprocessableEntity, "word-macro-enabled", "是带宏的 Word 文档 (.docm)，请先另存为 .docx", "A document with macros (.docm): save it as .docx first"},
	{officex.ErrNotWord, http.StatusUnprocessableEntity, "not-word", "不是 Word 文档 (.docx)", "Not a Word document (.docx)"},
	{officex.ErrTrackedChanges, http.StatusUnprocessableEntity, "tracked-changes", "文档有未处理的修订", "The document has tracked changes"},
	{officex.ErrComments, http.StatusUnprocessableEntity, "comments", "文档有批注", "The document has comments"},
	{officex.ErrFields, http.StatusUnprocessableEntity, "fields", "文档有引用外部内容的域", "The document has fields that fetch content from elsewhere"},
	{officex.ErrTemplate, http.StatusUnprocessableEntity, "template", "文档引用外部模板", "The document has a template outside of it"},
	{officex.ErrAltChunk, http.StatusUnprocessableEntity, "alt-chunk", "文档嵌有其他格式的内容块", "The document takes in content of another format"},
	{officex.ErrMacros, http.StatusUnprocessableEntity, "macros", "文档带有宏", "The document has macros"},
	{officex.ErrEmbedded, http.StatusUnprocessableEntity, "embedded", "文档嵌有对象或控件", "The document has embedded objects"},
	{officex.ErrExternal, http.StatusUnprocessableEntity, "external", "文档引用外部文件", "The document shows what is not in it"},
	{officex.ErrSealed, http.StatusUnprocessableEntity, "word-sealed", "文档已有签章，不能再增加可见的印章，也不能锁定", "The document is sealed: no visible seal and no lock can be added"},
	{officex.ErrLine, http.StatusUnprocessableEntity, "line", "没有这个空签名行", "There is no such empty signature line"},
	{officex.ErrSeveral, http.StatusUnprocessableEntity, "place-several", "该文字出现多次，请用 occurrence 指明", "The text stands more than once: say which with occurrence"},
	{officex.ErrPlace, http.StatusUnprocessableEntity, "place", "印章无法放在指定位置", "The seal cannot be shown at this place"},
	{officex.ErrPicture, http.StatusUnprocessableEntity, "picture", "印章图像无法显示", "The seal's picture cannot be shown"},
	{officex.ErrOptions, http.StatusUnprocessableEntity, "options", "参数不能这样组合", "Parameters that do not go together"},
	{officex.ErrProfile, http.StatusUnprocessableEntity, "format", "该印章的密钥不能制作此格式", "The keys of the seal do not make this format"},
	{officex.ErrPackage, http.StatusUnprocessableEntity, "word-damaged", "Word 文档的结构有误", "The Word document is damaged or ambiguous"},
	{officex.ErrMalformed, http.StatusUnprocessableEntity, "word-signature", "Word 文档中已有的签名有误", "A signature that the Word document has is malformed"},
	{officex.ErrLimit, http.StatusUnprocessableEntity, "word-limit", "文件超出处理上限", "The Word document asks for more than the limits allow"},

	{errNoBatch, http.StatusNotFound, "no-batch", "没有这个批次或文件", "There is no such batch, or document in it"},
	{errBatchOther, http.StatusConflict, "other-batch", "已有同名批次，其设置不同", "There is a batch of this name with other settings"},
	{errFileOther, http.StatusConflict, "other-document", "批次中已有同名的另一文件", "The batch has another document of this name"},
	{errNotSealed, http.StatusConflict, "not-sealed", "文件尚未签章", "The document is not sealed"},

	{registry.ErrRequest, http.StatusConflict, "request-reused", "该请求编号已用于另一请求", "The request was another one before"},
	{registry.ErrRepeated, http.StatusConflict, "request-done", "该请求已完成，其签名值不再保存或与此文件不符", "The request was done before, and its answer is not kept or is another one"},
	{officex.ErrValue, http.StatusConflict, "request-done", "该请求已完成，其签名值不再保存或与此文件不符", "The request was done before, and its answer is not kept or is another one"},
	{registry.ErrRights, http.StatusForbidden, "not-allowed", "没有权限", "Not allowed"},
	{registry.ErrLimit, http.StatusForbidden, "limit", "超出用印限制", "Outside the limits of use"},
	{registry.ErrState, http.StatusConflict, "state", "当前状态不允许此操作", "The state of things does not allow it now"},
	{registry.ErrUnknown, http.StatusNotFound, "unknown", "没有这个对象", "There is no such thing"},
	{registry.ErrExists, http.StatusConflict, "exists", "已经存在", "It exists already"},
	{registry.ErrOp, http.StatusUnprocessableEntity, "operation", "操作内容有误", "The operation has a field that is missing or malformed"},
	{audit.ErrActTime, http.StatusUnprocessableEntity, "act-time", "待签内容的时间与现在相差过大，请重新准备", "The act was prepared at another time; prepare it again"},
	{audit.ErrAct, http.StatusUnprocessableEntity, "act", "该行为无法记录或签章", "The act cannot be recorded or sealed"},
	{seal.ErrAct, http.StatusUnprocessableEntity, "act", "该行为无法记录或签章", "The act cannot be recorded or sealed"},
	{xmldsig.ErrOffice, http.StatusUnprocessableEntity, "act", "该行为无法记录或签章", "The act cannot be recorded or sealed"},
	{audit.ErrRange, http.StatusNotFound, "no-such-tile", "日志中没有这一部分", "The log does not have this"},
	{ledger.ErrUnacknowledged, http.StatusServiceUnavailable, "unacknowledged", "未能确认是否已写入，请以同一请求编号重试", "It is not known whether it was written; ask again with the same Idempotency-Key"},
	{ledger.ErrClock, http.StatusServiceUnavailable, "clock", "服务器时钟落后于账本", "The server's clock is behind the ledger"},

	{errNoKey, http.StatusConflict, "no-key", "服务器没有该印章的密钥", "The server has no key of this seal"},
	{seal.ErrNotHolder, http.StatusConflict, "not-holder", "密钥不是该印章的持有者", "The key is not a holder of the seal"},
	{seal.ErrExpired, http.StatusConflict, "expired", "印章或证书不在有效期内", "The seal or a certificate is outside its validity"},
	{sign.ErrFormat, http.StatusUnprocessableEntity, "format", "该印章的密钥不能制作此格式", "The keys of the seal do not make this format"},
	{sign.ErrMissingSum, http.StatusUnprocessableEntity, "missing-digest", "缺少所需的摘要", "A digest that the seal's profile asks for is missing"},

	{new(keydev.Error), http.StatusServiceUnavailable, "key", "密钥设备无法使用", "The key device does not work"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "time-out", "处理超时", "It took too long"},
	{context.Canceled, statusClientGone, "canceled", "请求已取消", "The request was given up"},
}

// statusClientGone is what the log shows where nobody is left to read the answer.
const statusClientGone = 499

// is reports whether err is the cause; of a key device any error is.
func is(err, cause error) bool {
	if _, ok := cause.(*keydev.Error); ok {
		var e *keydev.Error
		return errors.As(err, &e)
	}
	return errors.Is(err, cause)
}

// problemOf finds what an error is over HTTP.
func problemOf(err error) problem {
	p := problem{Title: "The server failed", TitleZH: "服务器内部错误", Status: http.StatusInternalServerError, Code: "internal"}
	for _, k := range problems {
		if is(err, k.err) {
			p.Title, p.TitleZH, p.Status, p.Code = k.en, k.zh, k.status, k.code
			break
		}
	}
	if p.Status < http.StatusInternalServerError && p.Code != "unauthorized" { // of a credential nobody is told what is wrong with it
		p.Detail = plain.Text(err.Error())
	}
	p.Type = "urn:courtseal:problem:" + p.Code
	return p
}

// write sends the problem as the answer.
func (p problem) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Del("Content-Length")
	switch p.Code {
	case "unauthorized":
		h.Set("WWW-Authenticate", `Bearer realm="courtseal"`)
	case "busy":
		h.Set("Retry-After", "1")
	}
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("problem %s: %w", p.Code, err)
	}
	w.WriteHeader(p.Status)
	_, err = w.Write(append(b, '\n'))
	return err
}
