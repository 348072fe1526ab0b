import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.util.Arrays;

import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1String;
import org.bouncycastle.jcajce.provider.asymmetric.x509.CertificateFactory;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** seal FILE | signature FILE : reads GB/T 38540 with BouncyCastle and prints what it finds, a line for each. */
public class Ses {
    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        byte[] raw = Files.readAllBytes(Path.of(args[1]));
        ASN1Sequence top = ASN1Sequence.getInstance(ASN1Primitive.fromByteArray(raw));
        System.out.println("der " + Arrays.equals(raw, top.getEncoded(ASN1Encoding.DER)));
        System.out.println("value " + verify(top));
        ASN1Sequence seal = top;
        if (args[0].equals("signature")) {
            ASN1Sequence tbs = (ASN1Sequence) top.getObjectAt(0);
            System.out.println("version " + ASN1Integer.getInstance(tbs.getObjectAt(0)).intValueExact());
            System.out.println("time " + ((ASN1GeneralizedTime) tbs.getObjectAt(2)).getTimeString());
            System.out.println("hash " + hex(((ASN1BitString) tbs.getObjectAt(3)).getOctets()));
            System.out.println("property " + text(tbs.getObjectAt(4)));
            seal = (ASN1Sequence) tbs.getObjectAt(1);
            System.out.println("seal value " + verify(seal));
        }
        ASN1Sequence info = (ASN1Sequence) seal.getObjectAt(0);
        ASN1Sequence property = (ASN1Sequence) info.getObjectAt(2);
        System.out.println("esID " + text(info.getObjectAt(1)));
        System.out.println("validEnd " + ((ASN1GeneralizedTime) property.getObjectAt(6)).getTimeString());
    }

    /** The first element is signed; the certificate, the algorithm and the value follow it. */
    static boolean verify(ASN1Sequence s) throws Exception {
        byte[] cert = ((ASN1OctetString) s.getObjectAt(1)).getOctets();
        PublicKey key = new CertificateFactory().engineGenerateCertificate(new java.io.ByteArrayInputStream(cert)).getPublicKey();
        Signature verifier = Signature.getInstance(s.getObjectAt(2).toString(), "BC");
        verifier.initVerify(key);
        verifier.update(s.getObjectAt(0).toASN1Primitive().getEncoded(ASN1Encoding.DER));
        return verifier.verify(((ASN1BitString) s.getObjectAt(3)).getOctets());
    }

    static String text(ASN1Encodable e) {
        return ((ASN1String) e).getString();
    }

    static String hex(byte[] b) {
        StringBuilder s = new StringBuilder();
        for (byte c : b) {
            s.append(String.format("%02x", c));
        }
        return s.toString();
    }
}
