package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/ziptest"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// onSig changes the text of the native signature.
func onSig(f func(xml string) string) mutation {
	return func(t testing.TB, a *ziptest.Archive) {
		text := a.Entry(sigName).Text(t)
		now := f(text)
		if now == text {
			t.Fatalf("the change changes nothing:\n%s", text)
		}
		put(sigName, now)(t, a)
	}
}

func sub(pairs ...string) func(string) string {
	return func(xml string) string {
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(xml, pairs[i]) {
				panic(pairs[i] + " is not in\n" + xml)
			}
			xml = strings.Replace(xml, pairs[i], pairs[i+1], 1)
		}
		return xml
	}
}

// between replaces what stands from one text to another, these included.
func between(from, to, by string) func(string) string {
	return func(xml string) string {
		i := strings.Index(xml, from)
		j := i + strings.Index(xml[i:], to) + len(to)
		return xml[:i] + by + xml[j:]
	}
}

// resigned changes the signature, and signs it again with the holder's RSA key: form alone is wrong, no digest is and no value.
// It is what somebody can make who gets a holder to sign what he likes, which is what universal forgery starts from.
func resigned(changes ...func(string) string) mutation {
	return func(t testing.TB, a *ziptest.Archive) {
		text := a.Entry(sigName).Text(t)
		for _, f := range changes {
			text = f(text)
		}
		put(sigName, signAgain(t, text))(t, a)
	}
}

func signAgain(t testing.TB, text string) string {
	t.Helper()
	parse := func() *opcsig.Signature {
		s, err := opcsig.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return s
	}
	for _, r := range parse().Signed {
		if r.Computed != nil && r.Digest != nil {
			text = strings.Replace(text, base64.StdEncoding.EncodeToString(r.Digest), base64.StdEncoding.EncodeToString(r.Computed), 1)
		}
	}
	signed := parse().SignedInfo
	if signed == nil {
		signed = []byte(text[strings.Index(text, "<SignedInfo"):strings.Index(text, "<SignatureValue")])
	}
	sum := sha256.Sum256(signed)
	value, err := sealed().rsa.SignDigest(context.Background(), sum[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return between("<SignatureValue>", "</SignatureValue>", "<SignatureValue>"+base64.StdEncoding.EncodeToString(value)+"</SignatureValue>")(text)
}

var (
	rsaWays = []string{wayRSA, wayDual, wayLine}
	ecWays  = []string{wayECC}
	native  = []string{wayRSA, wayECC, wayDual, wayLine}
)

const (
	objectRef = `<Reference Type="http://www.w3.org/2000/09/xmldsig#Object" URI="#idPackageObject">`
	c14nTag   = `<Transform Algorithm="` + xmldsig.C14N + `"></Transform>`
	sha256Tag = `<DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></DigestMethod>`
	someSum   = `<DigestValue>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</DigestValue>`
	rsaMethod = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
)

// xmlFault is what the form of a signature must be told for.
var weakHash = []string{"signer-algorithm/weak-hash native"}

func xmlFault(code string) []string { return []string{"xml-signature/" + code + " native"} }

// A form that is signed rightly and wrong all the same: each is told by the check that is for it.
func signatureForms(testing.TB) []officeAttack {
	transforms := func(all string) func(string) string {
		return sub(objectRef, objectRef+"<Transforms>"+all+"</Transforms>")
	}
	transform := func(uri string) string { return `<Transform Algorithm="` + uri + `"></Transform>` }
	reference := func(uri string) func(string) string {
		return sub("</SignedInfo>", `<Reference URI="`+uri+`">`+sha256Tag+someSum+`</Reference></SignedInfo>`)
	}
	uri := func(to string) func(string) string { return sub(`URI="#idPackageObject"`, to) }
	method := func(to string) func(string) string {
		return sub(`<SignatureMethod Algorithm="`+rsaMethod+`"></SignatureMethod>`, to)
	}
	evil := `<Manifest><Reference URI="/word/document.xml?ContentType=` + wordType + `document.main+xml">` + sha256Tag + someSum + `</Reference></Manifest>`
	part := `document.main+xml">` // in the manifest's reference
	return []officeAttack{
		{"package object twice, the evil one first", rsaWays, xmlFault(opcsig.CodeDuplicateID), resigned(sub(`<Object Id="idPackageObject">`, `<Object Id="idPackageObject">`+evil+`</Object><Object Id="idPackageObject">`))},
		{"package object twice, the evil one last", rsaWays, xmlFault(opcsig.CodeDuplicateID), resigned(sub(`</Signature>`, `<Object Id="idPackageObject">`+evil+`</Object></Signature>`))},
		{"an Id that differs in letters", rsaWays, xmlFault(opcsig.CodeDuplicateID), resigned(sub(`</Signature>`, `<Object ID="idPackageObject">`+evil+`</Object></Signature>`))},
		{"an xml:id", rsaWays, xmlFault(opcsig.CodeDuplicateID), resigned(sub(`</Signature>`, `<Object xml:id="idPackageObject">`+evil+`</Object></Signature>`))},
		{"the package object has another attribute", rsaWays, xmlFault(opcsig.CodeUnresolved), resigned(sub(`<Object Id="idPackageObject">`, `<Object ID="idPackageObject">`))},
		{"a second manifest in an Object of its own", rsaWays, xmlFault(opcsig.CodeStructure), resigned(sub(`</Signature>`, `<Object Id="idEvil">`+evil+`</Object></Signature>`))},
		{"a second manifest in the package object", rsaWays, xmlFault(opcsig.CodeStructure), resigned(sub(`</Manifest><SignatureProperties>`, `</Manifest>`+evil+`<SignatureProperties>`))},
		{"package object wrapped in an Object", rsaWays, xmlFault(opcsig.CodeTarget), resigned(
			sub(`<Object Id="idPackageObject">`, `<Object Id="idEvil">`+evil+`<Object Id="idPackageObject">`, `</Object><Object Id="idOfficeObject">`, `</Object></Object><Object Id="idOfficeObject">`))},
		{"package object wrapped in KeyInfo", rsaWays, xmlFault(opcsig.CodeTarget), resigned(
			func(xml string) string {
				i, j := strings.Index(xml, `<Object Id="idPackageObject">`), strings.Index(xml, `<Object Id="idOfficeObject">`)
				return strings.Replace(xml[:i]+`<Object Id="idEvil">`+evil+`</Object>`+xml[j:], "</KeyInfo>", xml[i:j]+"</KeyInfo>", 1)
			})},
		{"reference to another object", rsaWays, xmlFault(opcsig.CodeNoPackage), resigned(uri(`URI="#idEvil"`), sub(`</Signature>`, `<Object Id="idEvil">`+evil+`</Object></Signature>`))},
		{"package object referenced twice", rsaWays, xmlFault(opcsig.CodeRepeated), resigned(reference("#idPackageObject"))},
		{"no reference to the package object", rsaWays, xmlFault(opcsig.CodeNoPackage), resigned(between(objectRef, "</Reference>", ""))},
		{"no references at all", rsaWays, xmlFault(opcsig.CodeNoPackage), resigned(between(objectRef, "</SignedInfo>", "</SignedInfo>"))},
		{"external reference alone", rsaWays, xmlFault(opcsig.CodeExternal), resigned(between(objectRef, "</SignedInfo>", `<Reference URI="https://evil.example/x">`+sha256Tag+someSum+"</Reference></SignedInfo>"))},
		{"external reference beside", rsaWays, xmlFault(opcsig.CodeExternal), resigned(reference("https://evil.example/x"))},
		{"reference to a file", rsaWays, xmlFault(opcsig.CodeExternal), resigned(reference("file:///etc/passwd"))},
		{"reference to a part", rsaWays, xmlFault(opcsig.CodeExternal), resigned(reference("/word/document.xml?ContentType=x"))},
		{"external reference to the package object", rsaWays, xmlFault(opcsig.CodeExternal), resigned(uri(`URI="sig1.xml#idPackageObject"`))},
		{"empty reference", rsaWays, xmlFault(opcsig.CodeExternal), resigned(uri(`URI=""`))},
		{"empty reference, enveloped", rsaWays, xmlFault(opcsig.CodeExternal), resigned(uri(`URI=""`), sub(`URI="">`, `URI=""><Transforms>`+transform(xmldsig.NS+"enveloped-signature")+`</Transforms>`))},
		{"reference without URI", rsaWays, xmlFault(opcsig.CodeExternal), resigned(sub(` URI="#idPackageObject"`, ""))},
		{"reference by a pointer to all", rsaWays, xmlFault(opcsig.CodeUnresolved), resigned(uri(`URI="#xpointer(/)"`))},
		{"reference by a pointer", rsaWays, xmlFault(opcsig.CodeUnresolved), resigned(uri(`URI="#xpointer(id('idPackageObject'))"`))},
		{"reference to nothing", rsaWays, xmlFault(opcsig.CodeUnresolved), resigned(uri(`URI="#idNothing"`))},
		{"reference to the signature", rsaWays, xmlFault(opcsig.CodeTarget), resigned(reference("#idPackageSignature"))},
		{"package object of another type", rsaWays, xmlFault(opcsig.CodeType), resigned(sub(objectRef, `<Reference Type="http://www.w3.org/2000/09/xmldsig#Manifest" URI="#idPackageObject">`))},
		{"package object of no type", rsaWays, xmlFault(opcsig.CodeType), resigned(sub(objectRef, `<Reference URI="#idPackageObject">`))},
		{"too many references", rsaWays, xmlFault(opcsig.CodeMany), resigned(reference(`#a">` + sha256Tag + someSum + "</Reference>" + strings.Repeat(`<Reference URI="#a">`+sha256Tag+someSum+"</Reference>", 70) + `<Reference URI="#a`))},
		{"XSLT", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(`<Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet xmlns:xsl="http://www.w3.org/1999/XSL/Transform" version="1.0"></xsl:stylesheet></Transform>`))},
		{"XPath", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(`<Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><XPath>false()</XPath></Transform>`))},
		{"XPath filter", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(transform("http://www.w3.org/2002/06/xmldsig-filter2")))},
		{"enveloped", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(transform(xmldsig.NS + "enveloped-signature")))},
		{"base64", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(transform(xmldsig.NS + "base64")))},
		{"decryption", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(transform("http://www.w3.org/2002/07/decrypt#XML")))},
		{"canonical twice", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(c14nTag + c14nTag))},
		{"canonical, then XPath", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(c14nTag + transform("http://www.w3.org/TR/1999/REC-xpath-19991116")))},
		{"no transform in Transforms", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(""))},
		{"relationship transform of the object", rsaWays, xmlFault(opcsig.CodeTransform), resigned(transforms(transform(xmldsig.RelationshipTransform)))},
		{"HMAC", rsaWays, xmlFault(opcsig.CodeAlgorithm), resigned(method(`<SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"></SignatureMethod>`))},
		{"HMAC cut to nothing", rsaWays, xmlFault(opcsig.CodeAlgorithm), resigned(method(`<SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"><HMACOutputLength>0</HMACOutputLength></SignatureMethod>`))},
		{"a length in RSA", rsaWays, xmlFault(opcsig.CodeAlgorithm), resigned(method(`<SignatureMethod Algorithm="` + rsaMethod + `"><HMACOutputLength>0</HMACOutputLength></SignatureMethod>`))},
		{"MD5", rsaWays, xmlFault(opcsig.CodeAlgorithm), resigned(sub(rsaMethod, "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"))},
		{"PSS", rsaWays, xmlFault(opcsig.CodeAlgorithm), resigned(sub(rsaMethod, "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"))},
		{"no algorithm", rsaWays, xmlFault(opcsig.CodeAlgorithm), resigned(method("<SignatureMethod></SignatureMethod>"))},
		{"unknown canonical form", rsaWays, xmlFault(opcsig.CodeAlgorithm), resigned(sub(`<CanonicalizationMethod Algorithm="`+xmldsig.C14N, `<CanonicalizationMethod Algorithm="http://www.w3.org/2006/12/xml-c14n11`))},
		{"digest MD5", rsaWays, xmlFault(opcsig.CodeAlgorithm), resigned(sub(objectRef+sha256Tag, objectRef+`<DigestMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#md5"></DigestMethod>`))},
		{"digest SHA-1 of a part", rsaWays, weakHash, resigned(sub(part+sha256Tag, part+`<DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"></DigestMethod>`), func(xml string) string {
			return regexp.MustCompile(`(document\.main\+xml"><DigestMethod[^>]*></DigestMethod><DigestValue>)[^<]*`).ReplaceAllString(xml, "${1}2jmj7l5rSw0yVb/vlWAYkK/YBwk=")
		})},
		{"digest of another length", rsaWays, xmlFault(opcsig.CodeDigest), resigned(sub(part+sha256Tag+"<DigestValue>", part+sha256Tag+"<DigestValue>AAAA"))},
		{"digest that is empty", rsaWays, xmlFault(opcsig.CodeDigest), resigned(sub(objectRef+sha256Tag, objectRef+sha256Tag+"<DigestValue></DigestValue><X>"), sub("</DigestValue></Reference>", "</DigestValue></X></Reference>"), func(xml string) string {
			return regexp.MustCompile(`<X>.*?</X>`).ReplaceAllString(xml, "")
		})},
		{"part through base64", rsaWays, xmlFault(opcsig.CodeManifest), resigned(sub(part+sha256Tag, part+"<Transforms>"+transform(xmldsig.NS+"base64")+"</Transforms>"+sha256Tag))},
		{"part through canonical XML", rsaWays, xmlFault(opcsig.CodeManifest), resigned(sub(part+sha256Tag, part+"<Transforms>"+c14nTag+"</Transforms>"+sha256Tag))},
		{"relationships by type", rsaWays, xmlFault(opcsig.CodeManifest), resigned(sub(`SourceId="rId1"></mdssi:RelationshipReference>`, `SourceId="rId1"></mdssi:RelationshipReference><mdssi:RelationshipsGroupReference xmlns:mdssi="`+xmldsig.MDSSI+`" SourceType="x"></mdssi:RelationshipsGroupReference>`))},
		{"relationships without canonical XML", rsaWays, xmlFault(opcsig.CodeManifest), resigned(sub("</Transform>"+c14nTag+"</Transforms>", "</Transform></Transforms>"))},
		{"relationships by their octets", rsaWays, xmlFault(opcsig.CodeManifest), resigned(between(`relationships+xml"><Transforms>`, "</Transforms>", `relationships+xml">`))},
		{"a part twice", rsaWays, xmlFault(opcsig.CodeManifestTwo), resigned(sub("</Manifest>", `<Reference URI="/word/styles.xml?ContentType=`+wordType+`styles+xml">`+sha256Tag+someSum+"</Reference></Manifest>"))},
		{"a part twice, in another case", rsaWays, xmlFault(opcsig.CodeManifestTwo), resigned(sub("</Manifest>", `<Reference URI="/WORD/styles.xml?ContentType=`+wordType+`styles+xml">`+sha256Tag+someSum+"</Reference></Manifest>"))},
		{"a part outside", rsaWays, xmlFault(opcsig.CodeManifestURI), resigned(sub(`URI="/word/document.xml?`, `URI="https://evil.example/word/document.xml?`))},
		{"a part without its type", rsaWays, xmlFault(opcsig.CodeManifestURI), resigned(sub(`URI="/word/document.xml?ContentType=`+wordType+`document.main+xml"`, `URI="/word/document.xml"`))},
		{"a part with a fragment", rsaWays, xmlFault(opcsig.CodeManifestURI), resigned(sub(`document.main+xml"`, `document.main+xml#x"`))},
		{"a part by a relative name", rsaWays, xmlFault(opcsig.CodeManifestURI), resigned(sub(`URI="/word/document.xml?`, `URI="/word/../word/document.xml?`))},
		{"a part of another type", rsaWays, []string{"parts/part-type native"}, resigned(sub(`styles+xml"`, `numbering+xml"`))},
		{"a part left out", rsaWays, []string{extraPart + " native"}, resigned(between(`<Reference URI="/word/styles.xml?`, "</Reference>", ""))},
		{"relationships left out", rsaWays, []string{extraRelation + " native"}, resigned(between(`<Reference URI="/word/_rels/`, "</Reference>", ""))},
		{"one relationship left out", rsaWays, []string{extraRelation + " native", "parts/relationships-changed native"}, resigned(between(`<mdssi:RelationshipReference`, "</mdssi:RelationshipReference>", ""))},
		{"an empty manifest", rsaWays, []string{"parts/parts-none native", extraPart + " native"}, resigned(between("<Manifest>", "</Manifest>", "<Manifest></Manifest>"))},
		{"Office's words not signed", rsaWays, xmlFault(opcsig.CodeNotSigned), resigned(between(`<Reference Type="http://www.w3.org/2000/09/xmldsig#Object" URI="#idOfficeObject">`, "</Reference>", ""))},
		{"Office's words in another Object", rsaWays, xmlFault(opcsig.CodeNotSigned), resigned(func(xml string) string {
			i := strings.Index(xml, "<SignatureProperties><SignatureProperty Id=\"idOfficeV1Details\"")
			j := i + strings.Index(xml[i:], "</Object>")
			return strings.Replace(xml, "</Signature>", `<Object><x xmlns="">`+strings.Replace(xml[i:j], "idOfficeV1Details", "x", 1)+`</x></Object></Signature>`, 1)
		})},
		{"Office's words twice", rsaWays, xmlFault(opcsig.CodeStructure), resigned(func(xml string) string {
			i, j := strings.Index(xml, "<SignatureInfoV1"), strings.Index(xml, "</SignatureInfoV1>")+len("</SignatureInfoV1>")
			return xml[:j] + xml[i:j] + xml[j:]
		})},
		{"a field of Office's words twice", rsaWays, xmlFault(opcsig.CodeStructure), resigned(sub("<SignatureText></SignatureText>", "<SignatureText>a</SignatureText><SignatureText>b</SignatureText>"))},
		{"XAdES not signed", rsaWays, xmlFault(opcsig.CodeNotSigned), resigned(between(`<Reference Type="http://uri.etsi.org/01903#SignedProperties"`, "</Reference>", ""))},
		{"XAdES of another signature", rsaWays, xmlFault(opcsig.CodeTarget), resigned(sub(`v1.3.2#" Target="#idPackageSignature"`, `v1.3.2#" Target="#x"`))},
		{"XAdES twice", rsaWays, xmlFault(opcsig.CodeNotSigned), resigned(func(xml string) string {
			i, j := strings.Index(xml, "<Object><xd:"), strings.Index(xml, "</xd:QualifyingProperties></Object>")+len("</xd:QualifyingProperties></Object>")
			return xml[:j] + strings.Replace(xml[i:j], ` Id="idSignedProperties"`, "", 1) + xml[j:]
		})},
		{"picture of a line not signed", []string{wayLine}, xmlFault(opcsig.CodeNotSigned), resigned(between(`<Reference Type="http://www.w3.org/2000/09/xmldsig#Object" URI="#idValidSigLnImg">`, "</Reference>", ""))},
		{"crossed picture of a line not signed", []string{wayLine}, xmlFault(opcsig.CodeNotSigned), resigned(between(`<Reference Type="http://www.w3.org/2000/09/xmldsig#Object" URI="#idInvalidSigLnImg">`, "</Reference>", ""))},
		{"picture of a line put in", []string{wayRSA}, xmlFault(opcsig.CodeNotSigned), resigned(sub("</Signature>", `<Object Id="idValidSigLnImg">AAAA</Object></Signature>`))},
		{"markup compatibility", rsaWays, xmlFault(opcsig.CodeMCE), resigned(sub(`Id="idPackageSignature"`, `Id="idPackageSignature" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="xd"`))},
		{"an element at the end", rsaWays, xmlFault(opcsig.CodeStructure), resigned(sub("</Signature>", "<Manifest></Manifest></Signature>"))},
		{"a signature in the signature", rsaWays, xmlFault(opcsig.CodeStructure), resigned(sub("</Signature>", "<Signature></Signature></Signature>"))},
		{"two values", rsaWays, xmlFault(opcsig.CodeStructure), resigned(sub("<KeyInfo>", "<SignatureValue>AAAA</SignatureValue><KeyInfo>"))},
		{"two SignedInfo", rsaWays, xmlFault(opcsig.CodeStructure), resigned(sub("</SignatureValue>", "</SignatureValue><SignedInfo></SignedInfo>"))},
		{"value before SignedInfo", rsaWays, xmlFault(opcsig.CodeStructure), onSig(sub("<SignedInfo>", "<SignatureValue>AAAA</SignatureValue><SignedInfo>"))},
		{"no reference is where it should be", rsaWays, xmlFault(opcsig.CodeStructure), resigned(sub(objectRef+sha256Tag, objectRef+sha256Tag+sha256Tag))},
	}
}

// A form that lacks something, and protects all the same, is told and valid.
func TestOfficeMinorForms(t *testing.T) {
	s := sealed()
	for name, x := range map[string]struct {
		code   string
		change mutation
	}{
		"no time of XAdES":         {opcsig.CodeXAdES, resigned(between("<xd:SigningTime>", "</xd:SigningTime>", ""))},
		"no time":                  {opcsig.CodeTime, resigned(between("<mdssi:Value>", "</mdssi:Value>", "<mdssi:Value></mdssi:Value>"))},
		"an unknown type":          {opcsig.CodeOfficeInfo, resigned(between("<SignatureType>", "</SignatureType>", "<SignatureType>7</SignatureType>"))},
		"an object that is nobody": {opcsig.CodeLoose, onSig(sub("</Signature>", `<Object><a xmlns="urn:a"/></Object></Signature>`))},
		"a time stamp that is not base64": {opcsig.CodeTimeStamp, onSig(sub("</xd:SignedProperties>", "</xd:SignedProperties><xd:UnsignedProperties>"+
			"<xd:UnsignedSignatureProperties><xd:SignatureTimeStamp><xd:EncapsulatedTimeStamp>?</xd:EncapsulatedTimeStamp></xd:SignatureTimeStamp>"+
			"</xd:UnsignedSignatureProperties></xd:UnsignedProperties>"))},
	} {
		t.Run(name, func(t *testing.T) {
			a := ziptest.Read(t, s.file(t, wayRSA))
			x.change(t, a)
			r, err := s.verify(a.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			want(t, r, 0, Valid, "xml-signature", x.code)
		})
	}
}

// What is signed of the signature itself, changed; and what is not signed and matters all the same.
func signatureChanged(testing.TB) []officeAttack {
	changed := []string{"xml-references/xml-object-changed native"}
	wrong := []string{"xml-value/xml-value-wrong native"}
	unreadable := []string{"signature-part/signature-unreadable native"}
	s := sealed()
	again := s.rsaCA.Certify(s.rsa.Public(), "别的法院", nil) // another certificate of the same key
	sum := sha256.Sum256(again)
	other := "<X509Certificate>" + base64.StdEncoding.EncodeToString(again) + "</X509Certificate>"
	otherRef := "<xd:Cert><xd:CertDigest>" + sha256Tag + "<DigestValue>" + base64.StdEncoding.EncodeToString(sum[:]) + "</DigestValue></xd:CertDigest>" +
		"<xd:IssuerSerial><X509IssuerName>CN=x</X509IssuerName><X509SerialNumber>1</X509SerialNumber></xd:IssuerSerial></xd:Cert>"
	return []officeAttack{
		{"SignedInfo", native, wrong, onSig(sub(objectRef, `<Reference Id="x" Type="http://www.w3.org/2000/09/xmldsig#Object" URI="#idPackageObject">`))},
		{"white space in SignedInfo", native, wrong, onSig(sub("<SignedInfo>", "<SignedInfo>\n"))},
		{"white space in a digest", native, wrong, onSig(sub(objectRef+sha256Tag+"<DigestValue>", objectRef+sha256Tag+"<DigestValue> "))},
		{"a line end in a digest", native, wrong, onSig(sub(objectRef+sha256Tag+"<DigestValue>", objectRef+sha256Tag+"<DigestValue>&#13;"))},
		{"a comment in a digest", native, xmlFault(opcsig.CodeStructure), onSig(sub(objectRef+sha256Tag+"<DigestValue>", objectRef+sha256Tag+"<DigestValue><!-- x -->"))},
		{"a comment in the words of Office", native, xmlFault(opcsig.CodeStructure), onSig(sub("<SignatureComments>", "<SignatureComments><!-- x -->"))},
		{"a comment in the time", native, xmlFault(opcsig.CodeStructure), onSig(sub("<mdssi:Value>2026", "<mdssi:Value>20<!-- -->26"))},
		{"CDATA in the time", native, xmlFault(opcsig.CodeStructure), onSig(sub("<mdssi:Value>2026", "<mdssi:Value>20<![CDATA[26]]>"))},
		{"a comment in a certificate", native, xmlFault(opcsig.CodeStructure), onSig(sub("<X509Certificate>MII", "<X509Certificate><!-- -->MII"))},
		{"a processing instruction", native, xmlFault(opcsig.CodeStructure), onSig(sub("<KeyInfo>", "<KeyInfo><?x y?>"))},
		{"an instruction before the signature", native, xmlFault(opcsig.CodeStructure), onSig(sub("<Signature ", `<?xml-stylesheet href="evil.xsl"?><Signature `))},
		{"an instruction behind the signature", native, xmlFault(opcsig.CodeStructure), onSig(sub("</Signature>", "</Signature><?x y?>"))},
		{"a comment before the signature", native, xmlFault(opcsig.CodeStructure), onSig(sub("<Signature ", "<!-- x --><Signature "))},
		{"white space in the package object", native, changed, onSig(sub("<Manifest>", "<Manifest> "))},
		{"white space in a digest of a part", native, changed, onSig(sub(`styles+xml">`+sha256Tag+"<DigestValue>", `styles+xml">`+sha256Tag+"<DigestValue> "))},
		{"document type", native, unreadable, onSig(sub("<Signature ", `<!DOCTYPE Signature><Signature `))},
		{"document type with an entity", native, unreadable, onSig(sub("<Signature ", `<!DOCTYPE Signature [<!ENTITY x "y">]><Signature `, "<SignatureText>", "<SignatureText>&x;"))},
		{"document type that gives attributes", native, unreadable, onSig(sub("<Signature ", `<!DOCTYPE Signature [<!ATTLIST Object Id ID #IMPLIED>]><Signature `))},
		{"entity that is not there", native, unreadable, onSig(sub("<SignatureText>", "<SignatureText>&x;"))},
		{"another root", native, unreadable, onSig(sub("<Signature ", "<x><Signature ", "</Signature>", "</Signature></x>"))},
		{"two roots", native, unreadable, onSig(sub("</Signature>", "</Signature><x/>"))},
		{"no namespace", native, unreadable, onSig(sub(` xmlns="http://www.w3.org/2000/09/xmldsig#"`, ""))},
		{"in a character set of old", native, unreadable, onSig(sub("UTF-8", "ISO-8859-1"))},
		{"UTF-7", native, unreadable, onSig(sub("UTF-8", "UTF-7"))},
		{"the time", native, changed, onSig(sub("<mdssi:Value>2026", "<mdssi:Value>2025"))},
		{"the time of XAdES", native, changed, onSig(sub("<xd:SigningTime>2026", "<xd:SigningTime>2025"))},
		{"the certificate that XAdES names", native, changed, onSig(between("<xd:CertDigest>", "</xd:CertDigest>", "<xd:CertDigest>"+sha256Tag+someSum+"</xd:CertDigest>"))},
		{"the issuer that XAdES names", native, changed, onSig(sub("<X509IssuerName>CN=", "<X509IssuerName>CN=x"))},
		{"the policy", native, changed, onSig(sub("<xd:SignaturePolicyImplied></xd:SignaturePolicyImplied>", ""))},
		{"the words of Office", native, changed, onSig(sub("<SignatureText>", "<SignatureText>x"))},
		{"the comments", native, changed, onSig(sub("<SignatureComments>", "<SignatureComments>同意"))},
		{"the type of signature", native, changed, onSig(func(xml string) string {
			return strings.NewReplacer("<SignatureType>1", "<SignatureType>2", "<SignatureType>2", "<SignatureType>1").Replace(xml)
		})},
		{"the signature line", native, changed, onSig(between("<SetupID>", "</SetupID>", "<SetupID>{00000000-0000-0000-0000-000000000001}</SetupID>"))},
		{"the provider", native, changed, onSig(sub("<SignatureProviderUrl>", "<SignatureProviderUrl>https://evil.example"))},
		{"the picture", native, changed, onSig(between("<SignatureImage>", "</SignatureImage>", "<SignatureImage>AAAA</SignatureImage>"))},
		{"the picture that is shown", []string{wayLine}, changed, onSig(between(`<Object Id="idValidSigLnImg">`, "</Object>", `<Object Id="idValidSigLnImg">AAAA</Object>`))},
		{"the crossed picture", []string{wayLine}, changed, onSig(func(xml string) string {
			i := strings.Index(xml, `<Object Id="idValidSigLnImg">`) + len(`<Object Id="idValidSigLnImg">`)
			return between(`<Object Id="idInvalidSigLnImg">`, "</Object>", `<Object Id="idInvalidSigLnImg">`+xml[i:i+strings.IndexByte(xml[i:], '<')]+"</Object>")(xml)
		})},
		{"a digest in the manifest", native, []string{"xml-references/xml-object-changed native", "parts/part-changed native"},
			onSig(func(xml string) string {
				return regexp.MustCompile(`(styles\+xml">.*?<DigestValue>)....`).ReplaceAllString(xml, "${1}AAAA")
			})},
		{"a document of the same digest method, digest changed with it", rsaWays, []string{"xml-references/xml-object-changed native"}, all(
			put("word/styles.xml", ""), onSig(func(xml string) string {
				return regexp.MustCompile(`(styles\+xml">.*?)<DigestValue>.*?</DigestValue>`).ReplaceAllString(xml, "${1}"+someSum)
			}))},
		{"no value", native, xmlFault(opcsig.CodeValue), onSig(between("<SignatureValue>", "</SignatureValue>", "<SignatureValue></SignatureValue>"))},
		{"value in DER", ecWays, wrong, onSig(func(xml string) string {
			i, j := strings.Index(xml, "<SignatureValue>")+len("<SignatureValue>"), strings.Index(xml, "</SignatureValue>")
			v, err := base64.StdEncoding.DecodeString(xml[i:j])
			if err != nil {
				panic(err)
			}
			der := append([]byte{0x30, 68, 2, 32}, v[:32]...)
			der = append(append(der, 2, 32), v[32:]...)
			return xml[:i] + base64.StdEncoding.EncodeToString(der) + xml[j:]
		})},
		{"value with a byte before", native, wrong, onSig(func(xml string) string {
			i, j := strings.Index(xml, "<SignatureValue>")+len("<SignatureValue>"), strings.Index(xml, "</SignatureValue>")
			v, err := base64.StdEncoding.DecodeString(xml[i:j])
			if err != nil {
				panic(err)
			}
			return xml[:i] + base64.StdEncoding.EncodeToString(bytes.Join([][]byte{{0}, v}, nil)) + xml[j:]
		})},
		{"value of zeros", ecWays, wrong, onSig(between("<SignatureValue>", "</SignatureValue>", "<SignatureValue>"+base64.StdEncoding.EncodeToString(make([]byte, 64))+"</SignatureValue>"))},
		{"another certificate of the key", rsaWays, []string{"xml-certificate/other-certificate native"}, onSig(between("<X509Certificate>", "</X509Certificate>", other))},
		{"another certificate of the key, first", rsaWays, []string{"xml-certificate/second-certificate native"}, onSig(sub("<X509Data>", "<X509Data>"+other))},
		{"another certificate of the key, last", rsaWays, []string{"xml-certificate/second-certificate native"}, onSig(sub("</X509Data>", other+"</X509Data>"))},
		{"XAdES of another certificate", rsaWays, []string{"xml-certificate/other-certificate native"}, resigned(between("<xd:Cert>", "</xd:Cert>", otherRef))},
		{"XAdES of another certificate, both there", rsaWays, []string{"xml-certificate/second-certificate native"}, resigned(between("<xd:Cert>", "</xd:Cert>", otherRef), sub("</X509Data>", other+"</X509Data>"))},
		{"XAdES of two certificates, another first", rsaWays, []string{"xml-certificate/other-certificate native"}, resigned(sub("<xd:Cert>", otherRef+"<xd:Cert>"))},
		{"XAdES of no certificate", rsaWays, []string{"xml-certificate/certificate-not-bound native"}, resigned(between("<xd:SigningCertificate>", "</xd:SigningCertificate>", ""))},
		{"no XAdES", rsaWays, []string{"xml-certificate/certificate-not-bound native"}, resigned(between("<Object><xd:", "</Object>", ""), between(`<Reference Type="http://uri.etsi.org/01903#SignedProperties"`, "</Reference>", ""))},
		{"no certificate", native, xmlFault(opcsig.CodeCertificate), onSig(between("<X509Data>", "</X509Data>", ""))},
	}
}
