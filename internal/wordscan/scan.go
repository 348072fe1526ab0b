package wordscan

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
)

// relation says what a type of relationship means. Types of ISO 29500 are known by their last word.
type relation struct {
	kind     Kind
	text     string // what its target is
	external Kind   // its kind when the target is outside
}

// relations has the types that are worth a finding even when their targets are in the package.
var relations = map[string]relation{
	"aFChunk":               {AltChunk, "imported document", AltChunk},
	"attachedTemplate":      {Template, "attached template", Template},
	"oleObject":             {Embedded, "embedded object", External},
	"package":               {Embedded, "embedded file", External},
	"control":               {Embedded, "control", External},
	"audio":                 {Embedded, "sound", External},
	"video":                 {Embedded, "video", External},
	"subDocument":           {External, "sub-document", External},
	"frame":                 {External, "frame", External},
	"mailMergeSource":       {External, "mail merge source", External},
	"mailMergeHeaderSource": {External, "mail merge source", External},
	"recipientData":         {External, "mail merge recipients list", External},
	"transform":             {External, "transformation", External},

	"http://schemas.microsoft.com/office/2006/relationships/vbaProject":                   {Macros, "macro project", Macros},
	"http://schemas.microsoft.com/office/2006/relationships/wordVbaData":                  {Macros, "macro data part", Macros},
	"http://schemas.microsoft.com/office/2006/relationships/attachedToolbars":             {Macros, "attached toolbar", Macros},
	"http://schemas.microsoft.com/office/2006/relationships/ui/extensibility":             {Macros, with("ribbon", "with commands of its own"), Macros},
	"http://schemas.microsoft.com/office/2007/relationships/ui/extensibility":             {Macros, with("ribbon", "with commands of its own"), Macros},
	"http://schemas.microsoft.com/office/2006/relationships/ui/userCustomization":         {Macros, with("toolbar", "with commands of its own"), Macros},
	"http://schemas.microsoft.com/office/2006/relationships/activeXControlBinary":         {Embedded, "control's data part", External},
	"http://schemas.microsoft.com/office/2007/relationships/media":                        {Embedded, "sound or video", External},
	"http://schemas.microsoft.com/office/2011/relationships/webextension":                 {Embedded, "web add-in", External},
	"http://schemas.microsoft.com/office/2011/relationships/webextensiontaskpanes":        {Embedded, "web add-in pane", External},
	"http://schemas.microsoft.com/office/2019/05/relationships/documenttasks":             {Comments, "list of tasks", Comments},
	"http://schemas.microsoft.com/office/2006/relationships/xlExternalLinkPath/xlLibrary": {External, "linked workbook", External},
}

// plainLinks are types whose targets may be outside: ordinary hyperlinks.
var plainLinks = map[string]bool{"hyperlink": true}

var relationBases = []string{nsR + "/", nsRStrict + "/"}

// relationType makes one name of the transitional and the strict name of a type.
func relationType(t string) string {
	for _, base := range relationBases {
		if name, ok := strings.CutPrefix(t, base); ok {
			return name
		}
	}
	return t
}

// contentTypes has those that are worth a finding in a part that no relationship has explained.
var contentTypes = map[string]struct {
	kind Kind
	text string
}{
	"application/vnd.ms-office.vbaproject":                                      {Macros, "macro project"},
	"application/vnd.ms-office.vbaprojectsignature":                             {Macros, "macro project's signature"},
	"application/vnd.ms-word.vbadata+xml":                                       {Macros, "macro data part"},
	"application/vnd.ms-word.attachedtoolbars":                                  {Macros, "attached toolbar"},
	"application/vnd.ms-office.activex":                                         {Embedded, "control's data part"},
	"application/vnd.ms-office.activex+xml":                                     {Embedded, "control"},
	"application/vnd.openxmlformats-officedocument.oleobject":                   {Embedded, "embedded object"},
	"application/vnd.openxmlformats-officedocument.package":                     {Embedded, "embedded file"},
	"application/vnd.ms-office.webextension+xml":                                {Embedded, "web add-in"},
	"application/vnd.ms-office.webextensiontaskpanes+xml":                       {Embedded, "web add-in pane"},
	"application/msword":                                                        {Embedded, "embedded file"},
	"application/vnd.ms-excel":                                                  {Embedded, "embedded file"},
	"application/vnd.ms-powerpoint":                                             {Embedded, "embedded file"},
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         {Embedded, "embedded file"},
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   {Embedded, "embedded file"},
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": {Embedded, "embedded file"},
}

// Scan looks at the whole package. When parts cannot be read, or are no XML where something should be told from XML, the
// error is that of the first, and the findings are those of all others. It does not say that all parts are XML.
func Scan(p *opc.Package) ([]Finding, error) {
	return ScanWith(p, p.Read)
}

// ScanWith is Scan for who has read parts already, or wants to see what is read.
func ScanWith(p *opc.Package, read func(*opc.Part) ([]byte, error)) ([]Finding, error) {
	var found, dangles tally
	switch Main(p) {
	case DOCM, DOTM:
		found.add(Macros, mainPart(p).Name, "main", "content type of documents with macros", "")
	}
	told, stories := relationsOf(p, &found)
	linkBase(p, &found)
	for _, part := range p.Parts() {
		c, ok := contentTypes[strings.ToLower(part.ContentType)]
		if ok && !told[part.Name] {
			found.add(c.kind, part.Name, "orphan", with(c.text, "that no relationship names"), "")
		}
	}
	var failed error
	for _, part := range p.Parts() {
		if !stories[part.Name] && !storyType(part) {
			continue
		}
		b, err := read(part)
		if err == nil && skim(b) {
			err = scanMarkup(part.Name, b, &found, &dangles)
		}
		if err != nil && failed == nil {
			failed = fmt.Errorf("wordscan: %s: %w", part.Name, err)
		}
	}
	for _, c := range dangles.list { // markup for what no relationship has told of
		if !found.has(c.kind) {
			found.list = append(found.list, c)
		}
	}
	return found.findings(), failed
}

// relationsOf judges all relationships. It gives the parts that it has told of, and those that hold text of the document
// by the type of a relationship that leads there.
func relationsOf(p *opc.Package, found *tally) (told, stories map[string]bool) {
	told, stories = map[string]bool{}, map[string]bool{}
	for _, source := range p.Sources() {
		for _, r := range p.Rels(source).All() {
			name := relationType(r.Type)
			rel, known := relations[name]
			switch {
			case r.External && known:
				found.add(rel.external, source, "outside/"+name, outside(rel.text), r.Target)
			case r.External && !plainLinks[name]:
				found.add(External, source, "outside/"+name, outside(lastWord(name)), r.Target)
			case !r.External && known:
				found.add(rel.kind, source, name, rel.text, r.Part)
				told[r.Part] = true
			case storyRelations[name]:
				stories[r.Part] = true
			}
		}
	}
	return told, stories
}

// linkBase finds links to places that a property of the document says the beginning of: who changes the property changes where they lead.
func linkBase(p *opc.Package, found *tally) {
	based := false
	for _, r := range p.Rels("/").All() {
		switch relationType(r.Type) {
		case "extended-properties", "extendedProperties", "custom-properties", "customProperties":
			if part := p.Part(r.Part); part != nil && !r.External {
				based = based || saysBase(p, part)
			}
		}
	}
	if !based {
		return
	}
	for _, source := range p.Sources() {
		for _, r := range p.Rels(source).All() {
			if r.External && !absolute(r.Target) {
				found.add(PropertyFields, source, "base", "link that begins in a property|links that begin in a property", r.Target)
			}
		}
	}
}

// saysBase reports whether properties may name a base of links. Programs write few of them, as text of one octet a character.
func saysBase(p *opc.Package, part *opc.Part) bool {
	if part.Size > 1<<20 {
		return true
	}
	b, err := p.Read(part)
	return err != nil || bytes.IndexByte(b, 0) >= 0 || bytes.Contains(b, []byte("HyperlinkBase")) || bytes.Contains(b, []byte("_PID_LINKBASE"))
}

// absolute reports whether a target names its place by itself: with a scheme or a drive, or from a root. A mark inside the document is no link.
func absolute(target string) bool {
	if target == "" || strings.ContainsAny(target[:1], `/\#`) {
		return true
	}
	i := strings.IndexAny(target, ":/?#")
	return i > 0 && target[i] == ':'
}

func outside(noun string) string {
	one, _, _ := strings.Cut(noun, "|")
	return with(one, "outside the document")
}

// lastWord names a type that is not known: http://…/relationships/image is an image.
func lastWord(t string) string { return t[strings.LastIndexByte(t, '/')+1:] }

// storyRelations lead to parts with text of the document, or with settings and styles of it, whatever their content type
// says.
var storyRelations = map[string]bool{
	"officeDocument": true, "header": true, "footer": true, "footnotes": true, "endnotes": true, "comments": true,
	"glossaryDocument": true, "settings": true, "webSettings": true, "styles": true, "numbering": true, "fontTable": true,
	"http://schemas.microsoft.com/office/2007/relationships/stylesWithEffects":     true,
	"http://schemas.microsoft.com/office/2006/relationships/keyMapCustomizations":  true,
	"http://schemas.microsoft.com/office/2011/relationships/commentsExtended":      true,
	"http://schemas.microsoft.com/office/2016/09/relationships/commentsIds":        true,
	"http://schemas.microsoft.com/office/2018/08/relationships/commentsExtensible": true,
	"http://schemas.microsoft.com/office/2007/relationships/diagramDrawing":        true,
}

// storyType tells whether a part holds text of the document by its content type: any XML of Office, which includes charts
// and diagrams. Data in XML (application/xml) does not count, pictures (SVG) neither, nor what belongs to the package.
func storyType(part *opc.Part) bool {
	t := strings.ToLower(part.ContentType)
	switch {
	case !strings.HasSuffix(t, "+xml"), strings.HasPrefix(t, "application/vnd.openxmlformats-package."):
		return false
	case strings.HasSuffix(t, "officedocument.extended-properties+xml"), strings.HasSuffix(t, "officedocument.custom-properties+xml"):
		return false // what is said about the document
	}
	return strings.HasPrefix(t, "application/vnd.openxmlformats-officedocument.") || strings.HasPrefix(t, "application/vnd.ms-")
}

// mainPart is the part that Word opens; nil: there is none.
func mainPart(p *opc.Package) *opc.Part {
	for _, r := range p.Rels("/").All() {
		if !r.External && relationType(r.Type) == "officeDocument" {
			return p.Part(r.Part)
		}
	}
	return nil
}

// Main says what a package is, by its main part, or what a zip file is that is no package of Office.
func Main(p *opc.Package) Format {
	if part := mainPart(p); part != nil {
		t := strings.ToLower(part.ContentType)
		for _, m := range mainTypes {
			if t == m.begins || strings.HasSuffix(m.begins, ".") && strings.HasPrefix(t, m.begins) {
				return m.format
			}
		}
	}
	for _, r := range p.Rels("/").All() {
		if strings.HasSuffix(r.Type, "/fixedrepresentation") {
			return XPS
		}
	}
	if p.Part("/OFD.xml") != nil {
		return OFD
	}
	if part := p.Part("/mimetype"); part != nil && part.Size < sniff {
		switch b, _ := p.Read(part); {
		case strings.HasPrefix(string(b), "application/vnd.oasis.opendocument."):
			return ODF
		case strings.HasPrefix(string(b), "application/epub+zip"):
			return EPUB
		}
	}
	return Zip
}

// mainTypes are content types of main parts in lower case; one that ends in a dot is a beginning.
var mainTypes = []struct {
	begins string
	format Format
}{
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml", DOCX},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml.template.main+xml", DOTX},
	{"application/vnd.ms-word.document.macroenabled.", DOCM},
	{"application/vnd.ms-word.template.macroenabledtemplate.", DOTM},
	{"application/vnd.openxmlformats-officedocument.spreadsheetml.", Excel},
	{"application/vnd.ms-excel.", Excel},
	{"application/vnd.openxmlformats-officedocument.presentationml.", PowerPoint},
	{"application/vnd.ms-powerpoint.", PowerPoint},
	{"application/vnd.ms-visio.", Visio},
}
