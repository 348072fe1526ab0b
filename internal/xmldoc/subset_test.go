package xmldoc

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const dsig = "http://www.w3.org/2000/09/xmldsig#"

// find gives the element that has the xml:id.
func find(e *Element, id string) *Element {
	if got, _ := e.Attr(xmlNS, "id"); got == id {
		return e
	}
	for _, c := range e.Elements() {
		if found := find(c, id); found != nil {
			return found
		}
	}
	return nil
}

// subsetMethods are the ways an element is taken out of its document. A reference by #id drops comments whatever the
// method says; the XPointer keeps them.
var subsetMethods = []struct {
	uri, transform, list string
	method               Method
}{
	{"#%s", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "", Method{}},
	{"#xpointer(id('%s'))", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", "", Method{}},
	{"#xpointer(id('%s'))", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments", "", Method{Comments: true}},
	{"#%s", "http://www.w3.org/2001/10/xml-exc-c14n#", "", Method{Exclusive: true}},
	{"#xpointer(id('%s'))", "http://www.w3.org/2001/10/xml-exc-c14n#WithComments", "", Method{Exclusive: true, Comments: true}},
	{"#%s", "http://www.w3.org/2001/10/xml-exc-c14n#", "a w", Method{Exclusive: true, Prefixes: []string{"a", "w"}}},
	{"#%s", "http://www.w3.org/2001/10/xml-exc-c14n#", "#default c no", Method{Exclusive: true, Prefixes: []string{"#default", "c", "no"}}},
}

// TestXmlsecAgreesOnSubsets has xmlsec1 sign every element of generated documents in every way, and compares its
// digests with those of what Canonical gives for the element.
func TestXmlsecAgreesOnSubsets(t *testing.T) {
	xmlsec, dir := peer(t, "xmlsec1"), t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for seed := uint64(0); seed < 60; seed++ {
		inner := generate(seed, true)
		if i := strings.Index(inner, "?>"); strings.HasPrefix(inner, "<?xml ") {
			inner = inner[i+2:]
		}
		src := `<root xmlns="urn:root" xmlns:a="urn:a" xmlns:b="urn:b" xmlns:w="urn:root" xml:lang="zh" xml:base="http://x.org/">` +
			`<mid xmlns:c="urn:c" xml:lang="en">` + inner + "</mid>SIGNATURE</root>"
		var refs strings.Builder
		d := parse(t, src)
		n := strings.Count(inner, "xml:id=")
		for i := 1; i <= n; i++ {
			for _, m := range subsetMethods {
				list := ""
				if m.list != "" {
					list = `<InclusiveNamespaces xmlns="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="` + m.list + `"/>`
				}
				fmt.Fprintf(&refs, `<Reference URI="%s"><Transforms><Transform Algorithm="%s">%s</Transform></Transforms>`+
					`<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><DigestValue></DigestValue></Reference>`,
					fmt.Sprintf(m.uri, fmt.Sprintf("n%d", i)), m.transform, list)
			}
		}
		signature := `<Signature xmlns="` + dsig + `"><SignedInfo>` +
			`<CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>` +
			`<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"/>` + refs.String() +
			`</SignedInfo><SignatureValue></SignatureValue></Signature>`
		file := filepath.Join(dir, fmt.Sprint(seed))
		if err := os.WriteFile(file, []byte(strings.Replace(src, "SIGNATURE", signature, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(xmlsec, "--sign", "--hmackey", key, file)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("seed %d: xmlsec1: %v\n%.1000s", seed, err, stderr.Bytes())
		}
		signed, err := Parse(out, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		values := signed.Root.Child(dsig, "Signature").Child(dsig, "SignedInfo").Elements()[2:]
		if len(values) != n*len(subsetMethods) {
			t.Fatalf("%d references", len(values))
		}
		for i, ref := range values {
			m, id := subsetMethods[i%len(subsetMethods)], fmt.Sprintf("n%d", i/len(subsetMethods)+1)
			got, err := d.Canonical(find(d.Root, id), m.method)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(got)
			if want := strings.TrimSpace(ref.Child(dsig, "DigestValue").Text()); base64.StdEncoding.EncodeToString(sum[:]) != want {
				t.Errorf("seed %d: element %s, %s %s %q: digest is not xmlsec1's\n%q\nof\n%q", seed, id, m.uri, m.transform, m.list, got, src)
			}
			compared++
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d subsets", compared)
}
