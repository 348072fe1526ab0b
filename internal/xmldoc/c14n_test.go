package xmldoc

import (
	"errors"
	"strings"
	"testing"
)

// TestCanonicalByTheBook has one example for each rule of the two recommendations, in the order of their sections.
func TestCanonicalByTheBook(t *testing.T) {
	exclusive := Method{Exclusive: true}
	for _, c := range []struct {
		rule, src string
		method    Method
		path      string // local names below the root; "." is the root, empty the whole document
		want      string
	}{
		{"declaration, instructions and comments outside the root",
			"<?xml version=\"1.0\"?>\n\n<?xml-stylesheet   href='d.xsl'\n   type='x'   ?>\n\n<d>Hello<!-- in --></d>\n\n<?empty     ?>\n\n<!-- one -->\n\n<!-- two -->\n",
			Method{}, "", "<?xml-stylesheet href='d.xsl'\n   type='x'   ?>\n<d>Hello</d>\n<?empty?>"},
		{"the same with comments", "<!--0--><d>Hello<!-- in --></d>\n\n<?empty     ?>\n\n<!-- one -->",
			Method{Comments: true}, "", "<!--0-->\n<d>Hello<!-- in --></d>\n<?empty?>\n<!-- one -->"},
		{"the root as a subset has nothing around it", "<!--0--><?p?><d/><?q?>", Method{Comments: true}, ".", "<d></d>"},
		{"white space in the root stays", "<d>\n  <a> \t</a>\r\n</d  >", Method{}, "", "<d>\n  <a> \t</a>\n</d>"},
		{"empty elements get end tags", "<d><e1   /><e2   ></e2></d>", Method{}, "", "<d><e1></e1><e2></e2></d>"},
		{"declarations, then attributes by namespace and local name",
			"<e5 a:attr=\"out\" b:attr='sorted' attr2=\"all\" attr=\"I'm\"\n xmlns:b=\"http://www.ietf.org\" xmlns:a=\"http://www.w3.org\" xmlns=\"http://example.org\"/>", Method{}, "",
			`<e5 xmlns="http://example.org" xmlns:a="http://www.w3.org" xmlns:b="http://www.ietf.org" attr="I'm" attr2="all" b:attr="sorted" a:attr="out"></e5>`},
		{"xml: sorts by its namespace", `<d xml:lang="en" z:a="" xmlns:z="http://www.w3.org/A" y:a="" xmlns:y="urn:y" b=""/>`, Method{}, "",
			`<d xmlns:y="urn:y" xmlns:z="http://www.w3.org/A" b="" z:a="" xml:lang="en" y:a=""></d>`},
		{"superfluous declarations go",
			`<d><e6 xmlns="" xmlns:a="urn:w"><e7 xmlns="urn:i"><e8 xmlns="" xmlns:a="urn:w"><e9 xmlns="" xmlns:a="urn:i"/></e8></e7></e6></d>`,
			Method{}, "",
			`<d><e6 xmlns:a="urn:w"><e7 xmlns="urn:i"><e8 xmlns=""><e9 xmlns:a="urn:i"></e9></e8></e7></e6></d>`},
		{"a declaration that comes back", `<d xmlns:a="urn:1"><e xmlns:a="urn:2"><f xmlns:a="urn:1"/></e><g xmlns:a="urn:1"/></d>`, Method{}, "",
			`<d xmlns:a="urn:1"><e xmlns:a="urn:2"><f xmlns:a="urn:1"></f></e><g></g></d>`},
		{"a prefix means again what it meant outside", `<d xmlns:a="urn:1" xmlns="urn:0"><e xmlns:a="urn:2" xmlns=""/><a:f/><g/></d>`, exclusive, "",
			`<d xmlns="urn:0"><e xmlns=""></e><a:f xmlns:a="urn:1"></a:f><g></g></d>`},
		{"the declaration of xml is not written",
			`<d xmlns:xml="` + xmlNS + `" xml:space="preserve"/>`, Method{}, "", `<d xml:space="preserve"></d>`},
		{"text", "<d>First&#x0d;&#10;Second &#x32; &gt;&lt;&quot;&apos;&amp;<![CDATA[v>\"0\" && v<\"10\" ?\r\n]]></d>", Method{}, "",
			"<d>First&#xD;\nSecond 2 &gt;&lt;\"'&amp;v&gt;\"0\" &amp;&amp; v&lt;\"10\" ?\n</d>"},
		{"attributes", "<d a='v>\"0\" &amp;&amp; v&lt;\"1\"' b=' A  &#x20;&#13;&#xa;&#9;\t\r\n B&apos;'/>", Method{}, "",
			"<d a=\"v>&quot;0&quot; &amp;&amp; v&lt;&quot;1&quot;\" b=\" A   &#xD;&#xA;&#x9;   B'\"></d>"},
		{"a namespace is escaped like a value", `<d xmlns:a="http://x.org/?a=1&amp;b='&quot;2"/>`, Method{}, "",
			`<d xmlns:a="http://x.org/?a=1&amp;b='&quot;2"></d>`},
		{"characters beyond ASCII are themselves", "<d>&#169;&#xE9;&#x20BB7;</d>", Method{}, "", "<d>©é𠮷</d>"},
		{"an instruction and a comment inside",
			"<d><?p  a\r\nb ?><!-- c\rd --></d>", Method{Comments: true}, "", "<d><?p a\nb ?><!-- c\nd --></d>"},

		{"a subset inherits namespaces and xml:",
			`<d xmlns:a="urn:1" xmlns="urn:2" xml:lang="zh" xml:space="preserve" n="1"><e xml:lang="en" xmlns:b="urn:3"><f xml:space="default" x="1"/></e></d>`,
			Method{}, "e/f", `<f xmlns="urn:2" xmlns:a="urn:1" xmlns:b="urn:3" x="1" xml:lang="en" xml:space="default"></f>`},
		{"a subset below an undeclared default namespace",
			`<d xmlns="urn:1" xmlns:a="urn:2"><e xmlns="" xmlns:a="urn:3"><f><g xmlns="urn:1"/></f></e></d>`,
			Method{}, "e/f", `<f xmlns:a="urn:3"><g xmlns="urn:1"></g></f>`},
		{"a subset that declares what it inherits",
			`<d xmlns:a="urn:1"><e xmlns:a="urn:2" xmlns="urn:3"/></d>`, Method{}, "e", `<e xmlns="urn:3" xmlns:a="urn:2"></e>`},

		{"exclusive: only what is used, where it is used",
			`<n0:local xmlns:n0="foo:bar" xmlns:n3="ftp://example.org"><n1:elem2 xmlns:n1="http://example.net" xml:lang="en"><n3:stuff/></n1:elem2></n0:local>`,
			exclusive, "elem2", `<n1:elem2 xmlns:n1="http://example.net" xml:lang="en"><n3:stuff xmlns:n3="ftp://example.org"></n3:stuff></n1:elem2>`},
		{"exclusive: xml: is not inherited", `<d xml:lang="en"><e/></d>`, exclusive, "e", `<e></e>`},
		{"exclusive: siblings each have it", `<d xmlns:a="urn:1"><a:e/><a:e a:x=""><a:f/></a:e></d>`, exclusive, "",
			`<d><a:e xmlns:a="urn:1"></a:e><a:e xmlns:a="urn:1" a:x=""><a:f></a:f></a:e></d>`},
		{"exclusive: an attribute uses its prefix, one without uses none",
			`<d xmlns="urn:0" xmlns:a="urn:1"><a:e x="" xmlns:b="urn:2" b:y=""/></d>`, exclusive, "e",
			`<a:e xmlns:a="urn:1" xmlns:b="urn:2" x="" b:y=""></a:e>`},
		{"exclusive: xmlns=\"\" where the output has a default namespace",
			`<d xmlns="urn:0"><a:e xmlns="" xmlns:a="urn:1"><f/></a:e></d>`, exclusive, "",
			`<d xmlns="urn:0"><a:e xmlns:a="urn:1"><f xmlns=""></f></a:e></d>`},
		{"exclusive: no xmlns=\"\" where it has none", `<d xmlns="urn:0"><e xmlns=""><f/></e></d>`, exclusive, "e/f", `<f></f>`},
		{"exclusive: a prefix that changes in between",
			`<a:d xmlns:a="urn:1"><e xmlns:a="urn:2"><f xmlns:a="urn:1"><a:g/></f></e></a:d>`, exclusive, "",
			`<a:d xmlns:a="urn:1"><e><f><a:g></a:g></f></e></a:d>`},
		{"PrefixList: as in inclusive",
			`<d xmlns="urn:0" xmlns:a="urn:1" xmlns:b="urn:2"><a:e><f xmlns=""/></a:e></d>`,
			Method{Exclusive: true, Prefixes: []string{"b", "#default", "q"}}, "e",
			`<a:e xmlns="urn:0" xmlns:a="urn:1" xmlns:b="urn:2"><f xmlns=""></f></a:e>`},
		{"PrefixList: declared further in",
			`<d><e xmlns:b="urn:1"><f xmlns:b="urn:1"><g xmlns:b="urn:2"/></f></e></d>`, Method{Exclusive: true, Prefixes: []string{"b"}}, "",
			`<d><e xmlns:b="urn:1"><f><g xmlns:b="urn:2"></g></f></e></d>`},
		{"PrefixList means nothing to inclusive",
			`<d xmlns:a="urn:1" xmlns:b="urn:2"/>`, Method{Prefixes: []string{"a"}}, "", `<d xmlns:a="urn:1" xmlns:b="urn:2"></d>`},
	} {
		d := parse(t, c.src)
		var e *Element
		if c.path != "" {
			e = d.Root
			for _, local := range strings.Split(c.path, "/") {
				for _, child := range e.Elements() {
					if child.Name.Local == local {
						e = child
					}
				}
			}
		}
		got, err := d.Canonical(e, c.method)
		if err != nil || string(got) != c.want {
			t.Errorf("%s:\n%s\nwant\n%s %v", c.rule, got, c.want, err)
		}
	}
}

// TestWordSortsAttributesByNamespace is the case that has given wrong digests of Word's parts elsewhere.
func TestWordSortsAttributesByNamespace(t *testing.T) {
	d := parse(t, `<w:p w14:a="1" w:a="2" w:b="3" w14:z="4" xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"/>`)
	got, err := d.Canonical(nil, Method{})
	if err != nil || !strings.Contains(string(got), ` w14:a="1" w14:z="4" w:a="2" w:b="3">`) {
		t.Errorf("%s %v", got, err)
	}
}

func TestRelativeNamespacesHaveNoCanonicalForm(t *testing.T) {
	for _, uri := range []string{"a", "a/b:c", "/a", "//x.org/a", "#a", "1a:b", ":b", "合:b"} {
		d := parse(t, `<d><e xmlns:p="`+uri+`"/><f/></d>`)
		if _, err := d.Canonical(d.Root.Child("", "f"), Method{Exclusive: true}); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %v", uri, err)
		}
	}
	for _, uri := range []string{"a:b", "urn:x", "HTTP://x", "a1+-.:"} {
		if _, err := parse(t, `<d xmlns="`+uri+`"/>`).Canonical(nil, Method{}); err != nil {
			t.Errorf("%s: %v", uri, err)
		}
	}
}
