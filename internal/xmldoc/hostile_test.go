package xmldoc

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"
)

const hostileSize = 1 << 20

// fill repeats what make gives for 0, 1, 2… up to the size of the hostile inputs.
func fill(format func(i int) string) string {
	var b strings.Builder
	for i := 0; b.Len() < hostileSize; i++ {
		b.WriteString(format(i))
	}
	return b.String()
}

func same(s string) func(int) string { return func(int) string { return s } }

func hostileInputs() map[string]string {
	long := strings.Repeat("x", maxNamespace-10)
	in := map[string]string{
		"open":            fill(same("<a>")),
		"siblings":        "<r>" + fill(same("<a/>")) + "</r>",
		"names":           "<r>" + fill(func(i int) string { return fmt.Sprintf("<a%d/>", i) }) + "</r>",
		"attributes":      "<r" + fill(func(i int) string { return fmt.Sprintf(" a%d=''", i) }) + "/>",
		"many attributes": "<r>" + fill(func(i int) string { return "<a" + manyAttributes(250) + "/>" }) + "</r>",
		"declarations":    "<r" + fill(func(i int) string { return fmt.Sprintf(" xmlns:a%d='u:%d'", i, i) }) + "/>",
		"prefixes":        "<r>" + fill(func(i int) string { return fmt.Sprintf("<a xmlns:a%d='u:'/>", i) }) + "</r>",
		"namespaces":      "<r>" + fill(func(i int) string { return fmt.Sprintf("<a xmlns='u:%d'/>", i) }) + "</r>",
		"redeclared":      "<r>" + fill(same("<a xmlns:p='u:1'><b xmlns:p='u:2'/></a>")) + "</r>",
		"long prefix":     "<r xmlns:" + long + "='u:'>" + fill(same("<"+long+":a/>")) + "</r>",
		"alike":           "<r xmlns:p='u:" + long + "1' xmlns:q='u:" + long + "2'>" + fill(same("<a p:b='' q:b='' p:c='' q:c=''/>")) + "</r>",
		"bomb":            "<r xmlns:p='u:" + long + "'>" + fill(same("<p:a/>")) + "</r>",
		"text":            "<r>" + fill(same("]")) + "</r>",
		"references":      "<r>" + fill(same("&#65;")) + "</r>",
		"zeros":           "<r>&#" + fill(same("0")) + "65;</r>",
		"ampersands":      "<r>" + fill(same("&")) + "</r>",
		"value":           "<r a='" + fill(same("&lt;")) + "'/>",
		"open value":      "<r a='" + fill(same("x")),
		"comment":         "<r><!--" + fill(same("x")),
		"comments":        fill(same("<!---->")) + "<r/>",
		"minuses":         "<r><!--" + fill(same("- ")) + "--></r>",
		"cdata":           "<r>" + fill(same("<![CDATA[]]>")) + "</r>",
		"brackets":        "<r><![CDATA[" + fill(same("]]")),
		"instructions":    fill(same("<?a?>")) + "<r/>",
		"question marks":  "<?a " + fill(same("? ")),
		"white space":     fill(same(" \n")) + "<r/>",
		"white tag":       "<r" + fill(same("\n")) + "/>",
		"lines":           "<r>" + fill(same("\r\n")) + "</r>",
		"end tags":        "<r>" + fill(same("</a>")),
		"name":            "<" + fill(same("a")),
		"colons":          "<" + fill(same("a:")) + "/>",
		"declaration":     "<?xml version='1.0'" + fill(same(" ")) + "?><r/>",
	}
	// Declarations and xml: attributes at every level, so that each element inherits as many as there can be.
	var deep strings.Builder
	for i := range 250 {
		fmt.Fprintf(&deep, "<a")
		for j := range 16 {
			fmt.Fprintf(&deep, " xmlns:p%d='u:%d' xml:a%d=''", i*16+j, j, i*16+j)
		}
		deep.WriteString(">")
	}
	in["inherited"] = deep.String() + fill(same("<p1:b/>")) + strings.Repeat("</a>", 250)
	in["UTF-16"] = string(utf16Of("<r>"+strings.Repeat("<a/>𠮷", hostileSize/16)+"</r>", true))
	return in
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d=''", i)
	}
	return b.String()
}

// TestHostile reads inputs made to cost time or memory, makes them canonical in every way, and says what that took. What is
// refused is refused with an error of the package.
func TestHostile(t *testing.T) {
	for name, src := range hostileInputs() {
		t.Run(name, func(t *testing.T) {
			b := []byte(src)
			took, mb, err := cost(func() error {
				s, err := NewScanner(b, Limits{})
				for err == nil {
					_, err = s.Next()
				}
				return err
			})
			t.Logf("Scanner: %v, %d MB: %.120v", took, mb, err)
			if err != io.EOF {
				typedError(t, err)
			}
			var d *Doc
			took, mb, err = cost(func() (err error) {
				d, err = Parse(b, Limits{})
				return err
			})
			t.Logf("Parse: %v, %d MB: %.120v", took, mb, err)
			if errors.Is(err, ErrLimit) { // the canonical form of more is bounded all the same
				d, err = Parse(b, Limits{Nodes: 4 << 20})
			}
			if err != nil {
				typedError(t, err)
				return
			}
			last := d.Root
			for last.child != nil {
				last = last.child
			}
			for _, m := range []Method{{}, {Exclusive: true}, {Exclusive: true, Prefixes: []string{"p", "p1", ""}}} {
				for _, e := range []*Element{nil, last} {
					var out []byte
					took, mb, err = cost(func() (err error) {
						out, err = d.Canonical(e, m)
						return err
					})
					t.Logf("Canonical exclusive=%v: %v, %d MB, gives %d bytes: %.120v", m.Exclusive, took, mb, len(out), err)
					if err != nil {
						typedError(t, err)
					}
					if len(out) > maxGrowth*len(d.src)+freeGrowth {
						t.Errorf("%d bytes", len(out))
					}
				}
			}
		})
	}
}

// cost says how long f took, and how much memory it asked for in all.
func cost(f func() error) (took time.Duration, mb uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	err = f()
	took = time.Since(start).Round(time.Millisecond)
	runtime.ReadMemStats(&after)
	return took, (after.TotalAlloc - before.TotalAlloc) >> 20, err
}

func typedError(t *testing.T, err error) {
	t.Helper()
	for _, e := range []error{ErrSyntax, ErrDoctype, ErrEncoding, ErrLimit} {
		if errors.Is(err, e) {
			return
		}
	}
	t.Errorf("not a typed error: %v", err)
}

// TestBombsAreRefused holds that each of the limits that hostile inputs meet is there.
func TestBombsAreRefused(t *testing.T) {
	in := hostileInputs()
	for _, name := range []string{"open", "attributes", "declarations", "prefixes", "namespaces", "siblings"} {
		if _, err := Parse([]byte(in[name]), Limits{}); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d, err := Parse([]byte(in["bomb"]), Limits{Nodes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Canonical(nil, Method{Exclusive: true}); !errors.Is(err, ErrLimit) {
		t.Errorf("bomb: %v", err)
	}
	if _, err := d.Canonical(nil, Method{}); err != nil {
		t.Errorf("bomb, inclusive: %v", err)
	}
}
