// Package wordml finds places in the parts of a Word document (ISO/IEC 29500-1, 17), and shows seals there.
//
// Open scans a main document, header or footer once. Find, Dates, Bookmark, End and Margin name places, as Spots; Place shows a
// picture in true size there, PlaceLine a signature line. What they give are Splices: bytes to insert. No byte of the part
// is taken out or changed, and without the Splices it is the same part again.
//
//	d, err := wordml.Open(part, xmldoc.Limits{})
//	err = d.UseStyles(styles, xmldoc.Limits{}) // where there are any: how large text is, and how it is aligned
//	found, err := d.Find("（院印）")
//	splices, notes, err := d.Place(found[0], wordml.Picture{RelID: "rId9", ESID: esID, Name: name, Width: 45, Height: 45}, 0, 0)
//	part = wordml.Apply(part, splices)
//
// What is inserted has its own namespace declarations, and stands only where the schema has a place for it: inside a run, as a
// run of its own, or as a paragraph of its own at the end. The part is in the transitional or in the strict namespaces; the caller
// adds the relationship, of the same family (Strict).
//
// The text of a part is what a reader sees: of mc:AlternateContent the first choice; no deleted or hidden text and no field codes.
// Hidden by a style is not hidden. A text is found where it stands in one paragraph between line breaks, over any number of runs;
// where the lines of a paragraph break is known to Word alone. A Splice never splits an element other than w:t.
//
// How wide text is depends on fonts, which are not at hand: a picture is therefore anchored between the two characters nearest to
// the middle of what was found, so that at most half a character is a guess. How high a line is, is reckoned from the size of its text.
// In a long paragraph the picture is centred on its line instead (note in-line): exact in Word, half a line too high in LibreOffice.
package wordml
