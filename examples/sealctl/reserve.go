package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/courtseal/courtseal/officex"
)

func (m *Main) reserve() *cobra.Command {
	var places, signers []string
	cmd := &cobra.Command{
		Use:   "reserve [--place P [--signer NAME]]... IN OUT",
		Short: m.say("在 Word 文档中预留签名行", "reserve signature lines in a Word document"),
		Long: m.say(`在 Word 文档 IN 中预留签名行，写成 OUT。每个 --place 一行，不给则在文末预留一行。
多人先后签章时须先预留：第一个签章之后，不能再在文档中增加可见的印章。之后用 seal --line 1、2… 依次签章。
P 为：
  end              文末
  date-line        落款日期处
  bookmark:NAME    书签处
  keyword:TEXT     文字处，该文字必须只出现一次
  header, footer   最后一节的页眉、页脚`,
			`Puts empty signature lines into the Word document IN, one for each --place, or one at its end, and writes OUT.
Where several seal one after the other, their lines come first: after the first seal no visible seal can be added. They are
then filled by seal --line 1, 2 and so on. P is
  end              the end of the document
  date-line        the date of the signature block
  bookmark:NAME    a bookmark
  keyword:TEXT     a text, which must stand just once
  header, footer   the header, or footer, of the last section`),
		Args: args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, a []string) error {
			slots := make([]officex.Slot, max(1, len(places)))
			if len(signers) > len(slots) {
				return usageError{fmt.Errorf(m.say("--signer 有 %d 个，签名行只有 %d 个", "there are %d --signer, and only %d lines"), len(signers), len(slots))}
			}
			for i, p := range places {
				var err error
				if slots[i].At, err = m.reservation(p); err != nil {
					return usageError{err}
				}
			}
			for i, name := range signers {
				slots[i].Signer = name
			}
			return officex.ReserveFile(a[1], a[0], slots, officex.Options{})
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&places, "place", nil, m.say("签名行的位置，可多次给出", "where a signature line goes; may be repeated"))
	flags.StringArrayVar(&signers, "signer", nil, m.say("由谁签：第 N 个用于第 N 个 --place", "who is to sign: the n-th, at the n-th --place"))
	return cmd
}

// reservation reads a --place.
func (m *Main) reservation(place string) (o officex.Options, err error) {
	kind, what, named := strings.Cut(place, ":")
	switch {
	case place == "end":
	case place == "date-line":
		o.DateLine = true
	case place == "header":
		o.Header = true
	case place == "footer":
		o.Footer = true
	case kind == "bookmark" && named && what != "":
		o.Bookmark = what
	case kind == "keyword" && named && what != "":
		o.Keyword = &officex.Keyword{Text: what}
	default:
		err = fmt.Errorf(m.say("--place %q 应为 end、date-line、header、footer、bookmark:NAME 或 keyword:TEXT",
			"--place %q is not end, date-line, header, footer, bookmark:NAME or keyword:TEXT"), place)
	}
	return o, err
}
