// Changes signed files as people do with MuPDF, and saves each incrementally:
// mutool run honest.js P12 PASSWORD [VERB IN OUT]...
// A line "- VERB: reason" is printed for what could not be done.

function widget(doc, name) {
	for (var n = 0; n < doc.countPages(); n++) {
		var page = doc.loadPage(n), all = page.getWidgets();
		for (var i = 0; i < all.length; i++)
			if (all[i].getLabel() == name)
				return all[i];
	}
	throw new Error("no field " + name);
}

// fill gives a field a value and draws it; without a value it presses the button.
function fill(doc, name, value) {
	var w = widget(doc, name), kind = w.getFieldType();
	if (value === undefined)
		w.toggle();
	else if (kind == "combobox" || kind == "listbox")
		w.setChoiceValue(value);
	else
		w.setTextValue(value);
	w.update();
}

function annotate(doc, kind, rect, more) {
	var page = doc.loadPage(0), a = page.createAnnotation(kind);
	if (rect)
		a.setRect(rect);
	a.setAuthor("Clerk");
	a.setContents("Please check");
	if (more)
		more(a);
	a.update();
	page.update();
	return a;
}

var beside = [460, 200, 560, 240];

var verbs = {
	nothing: function (doc) {},
	"bare text": function (doc) { widget(doc, "Name").setTextValue("Zhang San"); },
	text: function (doc) { fill(doc, "Name", "Zhang San"); },
	lines: function (doc) { fill(doc, "Reasons", "First\nSecond"); },
	comb: function (doc) { fill(doc, "Number", "12345678"); },
	below: function (doc) { fill(doc, "Defendant", "Li Si"); },
	apart: function (doc) { fill(doc, "Plaintiff", "Wang Wu"); },
	again: function (doc) { fill(doc, "Case", "2026-12"); },
	tick: function (doc) { fill(doc, "Agree"); },
	radio: function (doc) { fill(doc, "Way"); },
	choice: function (doc) { fill(doc, "Court", "High"); },
	all: function (doc) {
		fill(doc, "Name", "Zhang San");
		fill(doc, "Agree");
		fill(doc, "Court", "Basic");
	},
	note: function (doc) { annotate(doc, "Text", [520, 100, 540, 120]); },
	freetext: function (doc) { annotate(doc, "FreeText", beside, function (a) { a.setDefaultAppearance("Helv", 12, [0]); }); },
	ink: function (doc) { annotate(doc, "Ink", null, function (a) { a.setInkList([[[462, 202], [500, 230], [550, 210]]]); }); },
	square: function (doc) { annotate(doc, "Square", beside, function (a) { a.setColor([1, 0, 0]); }); },
	circle: function (doc) { annotate(doc, "Circle", beside, function (a) { a.setColor([1, 0, 0]); }); },
	line: function (doc) { annotate(doc, "Line", null, function (a) { a.setLine([462, 202], [550, 230]); }); },
	stamp: function (doc) { annotate(doc, "Stamp", beside); },
	highlight: function (doc) { annotate(doc, "Highlight", null, function (a) { a.setQuadPoints([[50, 47, 160, 47, 50, 67, 160, 67]]); a.setColor([1, 1, 0]); }); },
	reply: function (doc) {
		var a = annotate(doc, "Text", [520, 100, 540, 120]), b = annotate(doc, "Text", [520, 100, 540, 120]);
		b.getObject().put("IRT", a.getObject());
	},
	title: function (doc) {
		var info = doc.getTrailer().get("Info");
		info.put("Title", doc.newString("Statement of claim"));
	},
	sign: function (doc) { widget(doc, "Clerk").sign(new PDFPKCS7Signer(scriptArgs[0], scriptArgs[1])); },
};

for (var i = 2; i + 2 < scriptArgs.length; i += 3) {
	try {
		var doc = new PDFDocument(scriptArgs[i + 1]);
		verbs[scriptArgs[i]](doc);
		doc.save(scriptArgs[i + 2], "incremental");
	} catch (e) {
		print("- " + scriptArgs[i] + ": " + e);
	}
}
