import java.io.*;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.security.*;
import java.security.cert.X509Certificate;
import java.util.*;
import org.apache.pdfbox.cos.*;
import org.apache.pdfbox.pdmodel.*;
import org.apache.pdfbox.pdmodel.common.*;
import org.apache.fontbox.FontBoxFont;
import org.apache.fontbox.ttf.*;
import org.apache.pdfbox.pdmodel.font.*;
import org.apache.pdfbox.pdmodel.graphics.color.*;
import org.apache.pdfbox.pdmodel.interactive.annotation.*;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.*;
import org.apache.pdfbox.pdmodel.interactive.form.*;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.*;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.jcajce.*;

/** Changes signed files as programs do that are made with PDFBox, and saves each incrementally:
 *  Honest.java KEYS.p12 PASSWORD [VERB IN OUT]...  "- VERB: reason" is printed for what could not be done. */
public class Honest {
    interface Verb { void on(PDDocument doc) throws Exception; }

    static final Map<String, Verb> verbs = new LinkedHashMap<>();
    static final Set<COSDictionary> touched = new LinkedHashSet<>(); // by the present verb: what was there before
    static PrivateKey key;
    static X509Certificate[] chain;

    static void touch(COSDictionary... all) {
        touched.addAll(Arrays.asList(all));
    }

    static PDField field(PDDocument doc, String name) { return doc.getDocumentCatalog().getAcroForm().getField(name); }

    static void fill(PDDocument doc, String name, String value) throws IOException {
        PDField f = field(doc, name);
        f.setValue(value);
        touch(f.getCOSObject());
        for (PDAnnotationWidget w : f.getWidgets()) {
            touch(w.getCOSObject());
            if (name.equals("Case"))
                touch(w.getAppearance().getNormalAppearance().getAppearanceStream().getCOSObject());
        }
    }

    /** annotate adds an annotation beside the text of the first page. */
    static PDAnnotation annotate(PDDocument doc, PDAnnotation a, float x, float y, float w, float h, String content) throws IOException {
        PDPage page = doc.getPage(0);
        a.setRectangle(new PDRectangle(x, y, w, h));
        a.setContents("Please check");
        a.setPage(page);
        a.setPrinted(true);
        a.setModifiedDate("D:20260602080000Z");
        if (content != null) {
            PDAppearanceStream s = new PDAppearanceStream(doc);
            s.setBBox(new PDRectangle(w, h));
            s.setResources(new PDResources());
            try (OutputStream out = s.getStream().createOutputStream()) { out.write(content.getBytes(StandardCharsets.US_ASCII)); }
            PDAppearanceDictionary ap = new PDAppearanceDictionary();
            ap.setNormalAppearance(s);
            a.setAppearance(ap);
        }
        page.getAnnotations().add(a);
        touch(page.getCOSObject());
        return a;
    }

    static COSStream data(PDDocument doc, byte[] b) throws IOException {
        COSStream s = doc.getDocument().createCOSStream();
        try (OutputStream out = s.createOutputStream(COSName.FLATE_DECODE)) { out.write(b); }
        return s;
    }

    static byte[] cms(InputStream content) throws IOException {
        try {
            CMSSignedDataGenerator g = new CMSSignedDataGenerator();
            g.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().build())
                .build(new JcaContentSignerBuilder("SHA256withRSA").build(key), chain[0]));
            g.addCertificates(new JcaCertStore(Arrays.asList(chain)));
            return g.generate(new CMSProcessableByteArray(content.readAllBytes()), false).getEncoded();
        } catch (GeneralSecurityException | CMSException | org.bouncycastle.operator.OperatorCreationException e) {
            throw new IOException(e);
        }
    }

    static PDSignature signature() {
        PDSignature s = new PDSignature();
        s.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
        s.setSubFilter(PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
        s.setName("Clerk");
        s.setReason("Received");
        s.setSignDate(new GregorianCalendar(2026, Calendar.JUNE, 1, 12, 0));
        return s;
    }

    static PDSignatureField empty(PDDocument doc, String name, PDRectangle at) throws IOException {
        PDAcroForm form = doc.getDocumentCatalog().getAcroForm();
        PDSignatureField f = new PDSignatureField(form);
        f.setPartialName(name);
        PDAnnotationWidget w = f.getWidgets().get(0);
        w.setRectangle(at);
        w.setPage(doc.getPage(0));
        w.setPrinted(true);
        form.getFields().add(f);
        doc.getPage(0).getAnnotations().add(w);
        touch(form.getCOSObject(), doc.getPage(0).getCOSObject());
        return f;
    }

    static void dss(PDDocument doc, boolean vri) throws Exception {
        COSDictionary catalog = doc.getDocumentCatalog().getCOSObject(), dss = new COSDictionary(), one = new COSDictionary();
        COSArray certs = new COSArray(), mine = new COSArray();
        for (X509Certificate c : chain) {
            COSStream s = data(doc, c.getEncoded());
            certs.add(s);
            mine.add(s);
        }
        dss.setItem(COSName.TYPE, COSName.getPDFName("DSS"));
        dss.setItem("Certs", certs);
        if (vri) {
            COSDictionary all = new COSDictionary();
            one.setItem("Cert", mine);
            one.setItem("TU", new COSString("D:20260602080000Z"));
            all.setItem("0123456789ABCDEF0123456789ABCDEF01234567", one);
            dss.setItem("VRI", all);
        }
        catalog.setItem("DSS", dss);
        touch(catalog);
    }

    static {
        verbs.put("text", doc -> fill(doc, "Name", "Zhang San"));
        verbs.put("lines", doc -> fill(doc, "Reasons", "First\nSecond"));
        verbs.put("comb", doc -> fill(doc, "Number", "12345678"));
        verbs.put("below", doc -> fill(doc, "Party.Defendant", "Li Si"));
        verbs.put("apart", doc -> fill(doc, "Party.Plaintiff", "Wang Wu"));
        verbs.put("tick", doc -> { ((PDCheckBox) field(doc, "Agree")).check(); fill(doc, "Agree", "Yes"); });
        verbs.put("radio", doc -> fill(doc, "Way", "2"));
        verbs.put("choice", doc -> fill(doc, "Court", "High"));
        verbs.put("list", doc -> { ((PDListBox) field(doc, "Annexes")).setValue(Arrays.asList("a", "c")); touch(field(doc, "Annexes").getCOSObject()); });
        verbs.put("again", doc -> fill(doc, "Case", "2026-12"));
        verbs.put("all", doc -> { for (String n : verbs.keySet()) if ("text lines comb below apart tick radio choice".contains(n)) verbs.get(n).on(doc); });
        verbs.put("flag", doc -> { PDAcroForm f = doc.getDocumentCatalog().getAcroForm(); f.setNeedAppearances(false); touch(f.getCOSObject()); fill(doc, "Name", "Zhang San"); });
        verbs.put("font", doc -> {
            PDAcroForm f = doc.getDocumentCatalog().getAcroForm();
            f.getDefaultResources().put(COSName.getPDFName("HeBo"), PDType1Font.HELVETICA_BOLD);
            touch(f.getCOSObject());
            fill(doc, "Name", "Zhang San");
        });
        verbs.put("note", doc -> { PDAnnotationText a = new PDAnnotationText(); a.setName(PDAnnotationText.NAME_COMMENT); annotate(doc, a, 520, 700, 20, 20, null); });
        verbs.put("popup", doc -> {
            PDAnnotationText a = new PDAnnotationText();
            PDAnnotationPopup p = new PDAnnotationPopup();
            p.setRectangle(new PDRectangle(400, 500, 180, 120));
            p.setParent(a);
            a.setPopup(p);
            annotate(doc, a, 520, 700, 20, 20, null);
            doc.getPage(0).getAnnotations().add(p);
        });
        verbs.put("stamp", doc -> { PDAnnotationRubberStamp a = new PDAnnotationRubberStamp(); a.setName(PDAnnotationRubberStamp.NAME_APPROVED); annotate(doc, a, 460, 600, 100, 40, "1 0 0 RG 1 1 98 38 re S"); });
        verbs.put("square", doc -> {
            PDAnnotationSquareCircle a = new PDAnnotationSquareCircle(PDAnnotationSquareCircle.SUB_TYPE_SQUARE);
            a.setColor(new PDColor(new float[] {1, 0, 0}, PDDeviceRGB.INSTANCE));
            annotate(doc, a, 460, 600, 100, 40, "1 0 0 RG 1 1 98 38 re S");
        });
        verbs.put("highlight", doc -> {
            PDAnnotationTextMarkup a = new PDAnnotationTextMarkup(PDAnnotationTextMarkup.SUB_TYPE_HIGHLIGHT);
            a.setQuadPoints(new float[] {50, 795, 160, 795, 50, 775, 160, 775});
            annotate(doc, a, 50, 775, 110, 20, "1 1 0 rg 0 0 110 20 re f");
        });
        verbs.put("title", doc -> { doc.getDocumentInformation().setTitle("Statement of claim"); touch(doc.getDocumentInformation().getCOSObject()); });
        verbs.put("metadata", doc -> {
            byte[] xmp = ("<?xpacket begin=\"\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?><x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
                + "<rdf:Description rdf:about=\"\"/></rdf:RDF></x:xmpmeta><?xpacket end=\"w\"?>").getBytes(StandardCharsets.UTF_8);
            PDMetadata m = new PDMetadata(doc, new ByteArrayInputStream(xmp));
            doc.getDocumentCatalog().setMetadata(m);
            touch(doc.getDocumentCatalog().getCOSObject());
        });
        verbs.put("version", doc -> { doc.getDocumentCatalog().setVersion("1.7"); touch(doc.getDocumentCatalog().getCOSObject()); });
        verbs.put("dss", doc -> dss(doc, false));
        verbs.put("vri", doc -> dss(doc, true));
        verbs.put("empty", doc -> empty(doc, "Later", new PDRectangle(400, 20, 150, 60)));
        verbs.put("unseen", doc -> empty(doc, "Later", new PDRectangle()));
        verbs.put("sign", doc -> doc.addSignature(signature(), Honest::cms));
        verbs.put("waiting", doc -> {
            PDSignatureField f = (PDSignatureField) field(doc, "Clerk");
            PDSignature s = signature();
            f.setValue(s);
            f.getCOSObject().setNeedToBeUpdated(true);
            doc.addSignature(s, Honest::cms);
        });
        verbs.put("sign, seen", doc -> {
            PDDocument look = new PDDocument();
            PDPage page = new PDPage(doc.getPage(0).getMediaBox());
            look.addPage(page);
            PDAcroForm form = new PDAcroForm(look);
            look.getDocumentCatalog().setAcroForm(form);
            PDSignatureField f = new PDSignatureField(form);
            form.getFields().add(f);
            form.setSignaturesExist(true);
            form.setAppendOnly(true);
            form.getCOSObject().setDirect(true);
            PDAnnotationWidget w = f.getWidgets().get(0);
            w.setRectangle(new PDRectangle(400, 20, 150, 60));
            PDAppearanceStream s = new PDAppearanceStream(look);
            s.setBBox(new PDRectangle(150, 60));
            s.setResources(new PDResources());
            try (PDPageContentStream c = new PDPageContentStream(look, s)) {
                c.beginText();
                c.setFont(PDType1Font.HELVETICA, 9);
                c.newLineAtOffset(5, 30);
                c.showText("Received by the clerk");
                c.endText();
            }
            PDAppearanceDictionary ap = new PDAppearanceDictionary();
            ap.getCOSObject().setDirect(true);
            ap.setNormalAppearance(s);
            w.setAppearance(ap);
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            look.save(out);
            look.close();
            SignatureOptions o = new SignatureOptions();
            o.setVisualSignature(new ByteArrayInputStream(out.toByteArray()));
            o.setPage(0);
            doc.addSignature(signature(), Honest::cms, o);
        });
    }

    /** NoSearch spares the search through all fonts of the machine: only widths are asked for. */
    static class NoSearch implements FontMapper {
        final TrueTypeFont font;
        NoSearch() throws IOException { font = new TTFParser().parse(PDDocument.class.getResourceAsStream("/org/apache/pdfbox/resources/ttf/LiberationSans-Regular.ttf")); }
        public FontMapping<TrueTypeFont> getTrueTypeFont(String name, PDFontDescriptor d) { return new FontMapping<>(font, true); }
        public FontMapping<FontBoxFont> getFontBoxFont(String name, PDFontDescriptor d) { return new FontMapping<>(font, true); }
        public CIDFontMapping getCIDFont(String name, PDFontDescriptor d, PDCIDSystemInfo i) { return new CIDFontMapping(null, font, true); }
    }

    public static void main(String[] args) throws Exception {
        System.setProperty("java.awt.headless", "true");
        System.setProperty("org.apache.commons.logging.Log", "org.apache.commons.logging.impl.NoOpLog");
        FontMappers.set(new NoSearch());
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(new FileInputStream(args[0]), args[1].toCharArray());
        String alias = keys.aliases().nextElement();
        key = (PrivateKey) keys.getKey(alias, args[1].toCharArray());
        chain = Arrays.stream(keys.getCertificateChain(alias)).map(c -> (X509Certificate) c).toArray(X509Certificate[]::new);
        for (int i = 2; i + 2 < args.length; i += 3) {
            touched.clear();
            try (PDDocument doc = PDDocument.load(new File(args[i + 1])); OutputStream out = new FileOutputStream(args[i + 2])) {
                verbs.get(args[i]).on(doc);
                if (args[i].contains("sign") || args[i].equals("waiting"))
                    doc.saveIncremental(out);
                else
                    doc.saveIncremental(out, touched);
            } catch (Exception e) {
                System.out.println("- " + args[i] + ": " + e);
            }
        }
    }
}
