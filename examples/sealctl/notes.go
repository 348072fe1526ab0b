package main

import (
	"fmt"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/internal/plain"
)

// noteZH says in Chinese what pdfx and officex note, and the signer of a seal; their English text says where.
var noteZH = map[string]string{
	"certified":           "文件带有认证签名，部分阅读器会把新增的签名域视为违反认证",
	"locked":              "先前的签名锁定了文件，部分阅读器会把新增的签名域视为违反锁定",
	"dates":               "落款页有多个日期行，印章盖在最后一个上",
	"in-row":              "该处已有印章，新印章并排盖在旁边",
	"invisible-field":     "所填的签名域在页面上没有位置，印章不显示",
	"not-printed":         "所填的签名域是隐藏的，或不打印",
	"scaled":              "所填的签名域较小，印章已缩小",
	"overhang":            "印章超出页面边缘",
	"overlap":             "印章碰到了另一枚印章",
	"over-text":           "盖在日期上的印章压住了其他文字",
	"permissions":         "文件的权限位禁止更改或批注，签章不受其限制",
	"repaired":            "文件已损坏，经修复后签章",
	"seed-value":          "所填的签名域对签名另有要求，未全部检查",
	"text-unread":         "页面的部分文字无法读取，未在其中查找",
	"xfa":                 "文件含 XFA 表单，按 XFA 显示的阅读器可能不显示印章",
	"even-pages":          "偶数页另有页眉页脚，其中不显示印章",
	"first-page":          "首页另有页眉页脚，其中不显示印章",
	"in-line":             "该处的排版只有 Word 知道，印章随所在的行",
	"no-offset":           "印章未能按要求偏移",
	"embedded-fonts":      "文档内嵌字体，显示的文字取决于字体",
	"live-fields":         "文档有打开时会变的域，如日期",
	"property-fields":     "文档显示其属性的值，属性可能不在签名之内",
	"tracking":            "文档打开了修订功能",
	"update-on-open":      "文档要求打开时更新域",
	"alt-chunk":           "文档嵌有其他格式的内容块，按要求仍签章",
	"comments":            "文档有批注，按要求仍签章",
	"embedded":            "文档嵌有对象或控件，按要求仍签章",
	"external":            "文档引用外部文件，按要求仍签章",
	"fields":              "文档有引用外部内容的域，按要求仍签章",
	"macros":              "文档带有宏，按要求仍签章",
	"template":            "文档引用外部模板，按要求仍签章",
	"tracked-changes":     "文档有未处理的修订，按要求仍签章",
	"timestamp-not-had":   "未取得时间戳，签章已完成",
	"timestamp-too-large": "时间戳超出预留空间，未写入，签章已完成",
}

// printNotes tells on standard error what a person should know of a file that was sealed.
func (m *Main) printNotes(out string, result *document.Result) {
	for _, n := range result.Notes {
		text := out + ": " + n.String()
		if zh := noteZH[n.Code]; m.Chinese && zh != "" {
			text = out + ": " + zh + "（" + n.String() + "）"
		}
		fmt.Fprintf(m.Stderr, "sealctl: %s\n", plain.Text(text))
	}
}
