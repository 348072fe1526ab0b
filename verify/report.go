package verify

import (
	"fmt"
	"strings"
	"time"

	"github.com/courtseal/courtseal/internal/plain"
	"github.com/courtseal/courtseal/sign"
)

// A Report is the answer for one document. It is data: it marshals to one stable JSON object, and String prints it for
// people in Chinese and English.
type Report struct {
	File       string      `json:"file,omitempty"`
	Format     string      `json:"format"` // "PDF", "DOCX", "XLSX", "PPTX"; "OPC": a package of another kind
	Verdict    Verdict     `json:"verdict"`
	Time       time.Time   `json:"time"`      // the moment the questions were asked for (Options.At)
	Policy     Policy      `json:"policy"`    // how the standards were read (Options.Policy)
	Size       int64       `json:"size"`      // bytes
	Revisions  int         `json:"revisions"` // of a PDF
	Unsigned   bool        `json:"unsigned,omitempty"`
	Signatures []Signature `json:"signatures"`
	Changes    []Change    `json:"changes,omitempty"` // what was done to a PDF after its first signature
	Notes      []Note      `json:"notes,omitempty"`
}

// A Signature is one signature or seal of the document.
type Signature struct {
	Name      string       `json:"name"` // of the signature field; in an Office document of the part with the signature, or with the manifest of the seal
	Verdict   Verdict      `json:"verdict"`
	Format    sign.Format  `json:"format,omitempty"`    // by the bytes of the value: cms, ses, dual, xml; empty: not recognised
	Timestamp bool         `json:"timestamp,omitempty"` // a document time stamp: it is in Stamps, and nobody has signed
	SubFilter string       `json:"subFilter,omitempty"` // as the file says
	Signer    *Certificate `json:"signer,omitempty"`    // of the CMS, or of the SES_Signature where there is no CMS
	Inner     *Certificate `json:"inner,omitempty"`     // dual: of the SES_Signature inside the CMS
	Seal      *Seal        `json:"seal,omitempty"`
	Claimed   time.Time    `json:"claimed,omitzero"`  // the time of signing, as the signer says
	Proven    time.Time    `json:"proven,omitzero"`   // the signature is proven to be no younger, by time stamps or the books
	Stamps    []Stamp      `json:"stamps,omitempty"`  // time stamps, of the signature and of its seal
	Revision  int          `json:"revision"`          // the revision it signed, 1 the first; 0: not known
	Coverage  Text         `json:"coverage"`          // what was signed and what came after, in words
	Evidence  []byte       `json:"evidence,omitzero"` // of a ledger, bound into the signature
	Entry     *Entry       `json:"entry,omitempty"`   // what the evidence says; the check ledger says what it is worth
	Checks    []Check      `json:"checks"`            // in the order of the standards
	Notes     []Note       `json:"notes,omitempty"`
}

// A Certificate names a certificate.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"` // hexadecimal
	Key       string    `json:"key"`    // such as "SM2", "RSA 2048", "ECDSA P-256"
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	DER       []byte    `json:"-"`
}

// A Seal tells which seal was used.
type Seal struct {
	ID        string       `json:"esID"`
	Name      string       `json:"name"`
	Vid       string       `json:"vid"`
	Version   int          `json:"version"` // 1 GM/T 0031-2014, 4 GB/T 38540-2020, 5 GM/T 0031-2025
	Type      int          `json:"type"`
	Created   time.Time    `json:"created"`
	NotBefore time.Time    `json:"notBefore"`
	NotAfter  time.Time    `json:"notAfter"`
	Width     int          `json:"width"`  // mm
	Height    int          `json:"height"` // mm
	Maker     *Certificate `json:"maker,omitempty"`
}

// An Entry names an entry of a ledger, or a use of an offline grant that the ledger gets later.
type Entry struct {
	Log     string    `json:"log"`   // origin
	Index   uint64    `json:"index"` // 0 with Grant
	Time    time.Time `json:"time"`  // of the ledger's clock; with Grant, of the device's
	Request string    `json:"request,omitempty"`
	Grant   string    `json:"grant,omitempty"`  // the offline grant
	Number  uint64    `json:"number,omitempty"` // which use of it
}

// String is the ledger with the number of the entry or use, and the time.
func (e *Entry) String() string {
	if e.Grant != "" {
		return fmt.Sprintf("%s, %s #%d, %s", e.Log, e.Grant, e.Number, clock(e.Time))
	}
	return fmt.Sprintf("%s #%d, %s", e.Log, e.Index, clock(e.Time))
}

// A Stamp is one time stamp and what it is worth. The check timestamp, inner-timestamp or seal-timestamp of the signature
// says what follows from it.
type Stamp struct {
	Over      string        `json:"over"` // what was stamped: cms, ses, xml or seal, the value of that; document; time-info (GM/T 0031-2014)
	Verdict   Verdict       `json:"verdict"`
	Time      time.Time     `json:"time,omitzero"`
	Accuracy  time.Duration `json:"accuracy,omitempty"` // Time is right to within this, in nanoseconds; 0: not stated
	Policy    string        `json:"policy,omitempty"`   // object identifier of the authority's policy
	Serial    string        `json:"serial,omitempty"`   // hexadecimal
	Authority *Certificate  `json:"authority,omitempty"`
	Checks    []Check       `json:"checks"`
	Notes     []Note        `json:"notes,omitempty"`
}

// reason is what is wrong with a stamp, or not known about it: its first check as bad as its verdict.
func (s *Stamp) reason() Text {
	for _, c := range s.Checks {
		if c.Verdict == s.Verdict {
			return c.Detail
		}
	}
	return s.Verdict.Text()
}

// A Check is one question and its answer. Name, Code and the words of the table in docs/verification.md are stable.
type Check struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Code    string  `json:"code"` // "ok", or what was found
	Detail  Text    `json:"detail"`
	Clause  string  `json:"clause"` // of the standard that asks
}

// A Note is something a person should know that lowers nothing.
type Note struct {
	Code   string `json:"code"`
	Detail Text   `json:"detail"`
}

// A Text is one sentence in Chinese and in English.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

func (t Text) String() string {
	if t.ZH == t.EN {
		return t.EN
	}
	return t.ZH + " / " + t.EN
}

// Check returns the check of a name; the zero Check (with an empty Name) where it was not made.
func (s *Signature) Check(name string) Check {
	for _, c := range s.Checks {
		if c.Name == name {
			return c
		}
	}
	return Check{}
}

// String prints the report for people.
func (r *Report) String() string {
	var b strings.Builder
	name := r.File
	if name == "" {
		name = Text{"文件", "document"}.String()
	}
	verdict := r.Verdict.Text()
	if r.Unsigned {
		verdict = unsignedText
	}
	format := r.Format
	if r.Policy != Default {
		format += ", " + r.Policy.String()
	}
	fmt.Fprintf(&b, "%s (%s): %s\n", plain.Text(name), format, verdict)
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "  * %s: %s\n", n.Code, plain.Text(n.Detail.String()))
	}
	for i := range r.Signatures {
		r.Signatures[i].print(&b, i+1)
	}
	return b.String()
}

func (s *Signature) print(b *strings.Builder, n int) {
	line := func(zh, en, value string) {
		fmt.Fprintf(b, "   %s: %s\n", Text{zh, en}, plain.Text(value))
	}
	format := string(s.Format)
	switch {
	case s.Timestamp:
		format = Text{"文档时间戳", "document time stamp"}.String()
	case format == "":
		format = "?"
	}
	fmt.Fprintf(b, "%d. %s (%s): %s\n", n, plain.Text(s.Name), format, s.Verdict.Text())
	if s.Signer != nil {
		line("签名人", "signer", s.Signer.String())
	}
	if s.Inner != nil {
		line("签章人", "seal's signer", s.Inner.String())
	}
	if e := s.Seal; e != nil {
		line("印章", "seal", fmt.Sprintf("%s, esID %s, Vid %s, V%d, %d x %d mm, %s - %s", e.Name, e.ID, e.Vid, e.Version,
			e.Width, e.Height, clock(e.NotBefore), clock(e.NotAfter)))
	}
	if !s.Claimed.IsZero() {
		line("声称的时间", "claimed time", clock(s.Claimed))
	}
	if !s.Proven.IsZero() {
		line("经证明的时间", "proven time", clock(s.Proven))
	}
	if e := s.Entry; e != nil {
		line("账本条目", "ledger entry", e.String())
	}
	line("范围", "coverage", s.Coverage.String())
	printChecks(b, "   ", s.Checks, s.Notes)
	for _, t := range s.Stamps {
		line("时间戳", "time stamp", t.String())
		printChecks(b, "      ", t.Checks, t.Notes)
	}
}

func printChecks(b *strings.Builder, margin string, checks []Check, notes []Note) {
	for _, c := range checks {
		fmt.Fprintf(b, "%s[%s] %s", margin, c.Verdict.Text().ZH, c.Name)
		if c.Code != codeOK {
			fmt.Fprintf(b, " (%s)", c.Code)
		}
		fmt.Fprintf(b, ": %s", plain.Text(c.Detail.String()))
		if c.Verdict != Valid {
			fmt.Fprintf(b, " [%s]", c.Clause)
		}
		b.WriteByte('\n')
	}
	for _, n := range notes {
		fmt.Fprintf(b, "%s* %s: %s\n", margin, n.Code, plain.Text(n.Detail.String()))
	}
}

// String is what the stamp is over, its time, its authority and its verdict.
func (s *Stamp) String() string {
	text := s.Over
	if !s.Time.IsZero() {
		text += ", " + clock(s.Time)
	}
	if s.Authority != nil {
		text += ", " + s.Authority.String()
	}
	return text + ": " + s.Verdict.Text().String()
}

// String is the subject, the kind of key and the validity.
func (c *Certificate) String() string {
	return fmt.Sprintf("%s (%s, %s - %s)", c.Subject, c.Key, clock(c.NotBefore), clock(c.NotAfter))
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
