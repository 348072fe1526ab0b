package verify

import (
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
)

var packageRule = &rule{
	name:   "package",
	clause: "ECMA-376-2 (ZIP, part names, content types, relationships); PKWARE APPNOTE 4",
	stops: "a zip file in which one program finds other parts than another: bytes before, between or behind the entries, two entries " +
		"of one name, a local header that differs from the directory",
	codes: []outcome{
		{codeOK, Valid, "zip 容器与 OPC 包结构正确，共 %[1]d 个条目", "the zip container and the package are sound, %[1]d entries"},
		{"also-pdf", Invalid, "文件开头还含有 PDF 文件头：其他软件会将其作为另一份文件打开", "there is a PDF header at its beginning too: other programs will open it as another document"},
		{opc.FaultPrefix, Invalid, "第一个条目之前有多余字节：%[1]s", "there are bytes before the first entry: %[1]s"},
		{opc.FaultTail, Invalid, "目录结束记录之后有多余字节：%[1]s", "there are bytes after the end record: %[1]s"},
		{opc.FaultComment, Invalid, "zip 带有注释：%[1]s", "the zip file or an entry has a comment: %[1]s"},
		{opc.FaultGap, Invalid, "有不属于任何条目的字节：%[1]s", "there are bytes that belong to no entry: %[1]s"},
		{opc.FaultOverlap, Invalid, "条目互相重叠：%[1]s", "entries overlap: %[1]s"},
		{opc.FaultEnds, Invalid, "有第二个可被当作目录结束记录的记录：%[1]s", "there is a second record that a program may take for the end record: %[1]s"},
		{opc.FaultCount, Invalid, "条目数与目录不符：%[1]s", "the end record counts other entries than the directory has: %[1]s"},
		{opc.FaultDisk, Invalid, "分卷 zip：%[1]s", "the zip file is a volume of several: %[1]s"},
		{opc.FaultZip64, Invalid, "使用了 zip64 结构：%[1]s", "the zip file uses zip64 records: %[1]s"},
		{opc.FaultEncrypted, Invalid, "条目已加密：%[1]s", "an entry is encrypted: %[1]s"},
		{opc.FaultMethod, Invalid, "压缩方法不是存储或 deflate：%[1]s", "an entry is neither stored nor deflated: %[1]s"},
		{opc.FaultFlags, Invalid, "条目有不应出现的标志：%[1]s", "an entry has flags that documents have no use for: %[1]s"},
		{opc.FaultExtra, Invalid, "条目的扩展字段有误，或给出另一名称：%[1]s", "an extra field is malformed, or gives an entry another name: %[1]s"},
		{opc.FaultLocal, Invalid, "目录所指之处没有局部文件头：%[1]s", "there is no local header where the directory says: %[1]s"},
		{opc.FaultLocalName, Invalid, "局部文件头与目录中的名称不同：%[1]s", "local header and directory differ in a name: %[1]s"},
		{opc.FaultLocalFlags, Invalid, "局部文件头与目录中的标志不同：%[1]s", "local header and directory differ in flags: %[1]s"},
		{opc.FaultLocalMethod, Invalid, "局部文件头与目录中的压缩方法不同：%[1]s", "local header and directory differ in a method: %[1]s"},
		{opc.FaultLocalSize, Invalid, "局部文件头与目录中的大小不同：%[1]s", "local header and directory differ in a size: %[1]s"},
		{opc.FaultLocalCRC, Invalid, "局部文件头与目录中的校验和不同：%[1]s", "local header and directory differ in a checksum: %[1]s"},
		{opc.FaultDescriptor, Invalid, "数据描述符缺失或与目录不符：%[1]s", "a data descriptor is missing or says something else than the directory: %[1]s"},
		{opc.FaultSize, Invalid, "条目大小不可能成立：%[1]s", "an entry has a size that cannot be: %[1]s"},
		{opc.FaultDuplicate, Invalid, "有两个条目会被当作同一部件：%[1]s", "two entries may be taken for the same part: %[1]s"},
		{opc.FaultDirectory, Invalid, "zip 中有目录条目：%[1]s", "the zip file has an entry for a directory: %[1]s"},
		{opc.FaultEncoding, Invalid, "名称的字符编码不明：%[1]s", "the characters of a name depend on who reads it: %[1]s"},
		{opc.FaultPath, Invalid, "名称是绝对路径，或含反斜杠、. 或 ..：%[1]s", "a name is absolute, or has a backslash, . or .. in it: %[1]s"},
		{opc.FaultName, Invalid, "不是合法的部件名：%[1]s", "not the name of a part: %[1]s"},
		{opc.FaultDerived, Invalid, "部件名是另一部件名加后续路径段：%[1]s", "the name of a part is that of another with segments behind it: %[1]s"},
		{opc.FaultNoTypes, Invalid, "没有 [Content_Types].xml：%[1]s", "there is no [Content_Types].xml: %[1]s"},
		{opc.FaultTypesXML, Invalid, "[Content_Types].xml 有误：%[1]s", "[Content_Types].xml is not what it should be: %[1]s"},
		{opc.FaultTypesTwice, Invalid, "同一部件或扩展名声明了两次内容类型：%[1]s", "one part or extension has its content type declared twice: %[1]s"},
		{opc.FaultUntyped, Invalid, "部件没有声明内容类型：%[1]s", "a part has no content type: %[1]s"},
		{opc.FaultRelsXML, Invalid, "关系部件有误：%[1]s", "a part of relationships is not what it should be: %[1]s"},
		{opc.FaultRelsTwice, Invalid, "两项关系标识相同：%[1]s", "two relationships have one id: %[1]s"},
		{opc.FaultRelsTarget, Invalid, "关系的包内目标不是部件名：%[1]s", "the target of a relationship is no name of a part: %[1]s"},
		{opc.FaultRelsType, Invalid, "关系部件与其内容类型不符：%[1]s", "a part of relationships does not go with its content type: %[1]s"},
		{opc.FaultRelsOrphan, Invalid, "关系部件所属的部件不存在：%[1]s", "relationships of a part that is not there: %[1]s"},
		{"part-damaged", Invalid, "有未被签署的部件无法读取，软件会修复文件：%[1]s", "a part that is not signed cannot be read, so that programs repair the file: %[1]s"},
		{opc.FaultMore, Invalid, "还有更多问题：%[1]s", "there is more: %[1]s"},
	},
}

// judgePackage says what is wrong with the file, the same for every signature in it: one answer for each kind of fault.
func (d *office) judgePackage(j *judge) {
	if d.alsoPDF {
		j.add(packageRule.check("also-pdf"))
	}
	faults := d.pkg.Faults()
	if len(faults) == 0 && !d.alsoPDF {
		j.add(packageRule.check(codeOK, len(d.pkg.Parts())))
	}
	var codes []string
	where := map[string][]string{}
	for _, f := range faults {
		if where[f.Code] == nil {
			codes = append(codes, f.Code)
		}
		where[f.Code] = append(where[f.Code], clipName(strings.TrimSpace(f.Name+" "+f.Detail)))
	}
	for _, code := range codes {
		j.add(packageRule.check(code, brief(where[code], "; ")))
	}
}

var mainRule = &rule{
	name:   "main-part",
	clause: "ECMA-376-1 11.3.10, 12.3.23, 13.3.6",
	stops:  "a second document in the package, which a program opens or falls back to; a document with macros under the type of one without",
	codes: []outcome{
		{codeOK, Valid, "主文档 %[1]s，类型 %[2]s", "the document is %[1]s, of type %[2]s"},
		{"main-missing", Invalid, "没有指向主文档的关系", "no relationship leads to a document"},
		{"main-twice", Invalid, "有 %[1]d 项指向主文档的关系", "%[1]d relationships lead to a document where one is due"},
		{"main-absent", Invalid, "主文档 %[1]s 不在包中", "the document %[1]s is not in the package"},
		{"main-macros", Invalid, "主文档 %[1]s 启用宏，宏可改变所显示的内容：%[2]s", "the document %[1]s may run macros, which can change what is shown: %[2]s"},
		{"main-type", Invalid, "主文档 %[1]s 的内容类型不是 Word、Excel 或 PowerPoint 文档：%[2]s", "the document %[1]s is not of a type of Word, Excel or PowerPoint: %[2]s"},
	},
}

// The relationship that leads to the document, in transitional and strict files.
var documentRelations = []string{
	"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument",
	"http://purl.oclc.org/ooxml/officeDocument/relationships/officeDocument",
}

const openXML = "application/vnd.openxmlformats-officedocument."

// mainTypes are the formats by the content type of the document.
var mainTypes = map[string]string{
	openXML + "wordprocessingml.document.main+xml":   "DOCX",
	openXML + "wordprocessingml.template.main+xml":   "DOCX",
	openXML + "spreadsheetml.sheet.main+xml":         "XLSX",
	openXML + "spreadsheetml.template.main+xml":      "XLSX",
	openXML + "presentationml.presentation.main+xml": "PPTX",
	openXML + "presentationml.slideshow.main+xml":    "PPTX",
	openXML + "presentationml.template.main+xml":     "PPTX",
}

// findMain finds the document of the package and remembers what the rule says of it.
func (d *office) findMain() {
	d.format = "OPC"
	var to []string
	for _, r := range d.pkg.Rels("/").All() {
		if slices.Contains(documentRelations, r.Type) {
			to = append(to, r.Part)
		}
	}
	if len(to) == 0 {
		d.main = found("main-missing")
		return
	}
	part := d.pkg.Part(to[0])
	if part == nil {
		d.main = found("main-absent", clipName(to[0]))
		return
	}
	kind := part.ContentType
	if f := mainTypes[kind]; f != "" {
		d.format = f
	}
	switch {
	case len(to) > 1:
		d.main = found("main-twice", len(to))
	case strings.Contains(strings.ToLower(kind), "macroenabled"):
		d.main = found("main-macros", part.Name, kind)
	case mainTypes[kind] == "":
		d.main = found("main-type", part.Name, clipName(kind))
	default:
		d.main = found(codeOK, part.Name, kind)
	}
}
