import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Collection;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampToken;
import org.bouncycastle.tsp.TimeStampTokenGenerator;

/** verify (REQUEST RESPONSE)... : a line for each.   make KEY CERT ALGORITHM HASH POLICY (REQUEST RESPONSE)... */
public class Tsp {
    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        if (args[0].equals("make")) {
            make(args);
            return;
        }
        for (int i = 1; i + 1 < args.length; i += 2) {
            String answer;
            try {
                answer = verify(read(args[i]), read(args[i + 1]));
            } catch (Exception e) {
                answer = "error " + e;
            }
            System.out.println(answer);
        }
    }

    static byte[] read(String name) throws Exception {
        return Files.readAllBytes(Path.of(name));
    }

    /** The response answers the request, and its token is validated with the certificate inside. */
    static String verify(byte[] request, byte[] response) throws Exception {
        TimeStampResponse answer = new TimeStampResponse(response);
        answer.validate(new TimeStampRequest(request));
        TimeStampToken token = answer.getTimeStampToken();
        @SuppressWarnings("unchecked")
        Collection<X509CertificateHolder> found = token.getCertificates().getMatches(token.getSID());
        token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(found.iterator().next()));
        return "valid " + token.getTimeStampInfo().getGenTime().getTime() / 1000 + " " + token.getTimeStampInfo().getMessageImprintAlgOID();
    }

    static void make(String[] args) throws Exception {
        PrivateKey key = KeyFactory.getInstance(args[3].endsWith("RSA") ? "RSA" : "EC", "BC").generatePrivate(new PKCS8EncodedKeySpec(read(args[1])));
        X509CertificateHolder cert = new X509CertificateHolder(read(args[2]));
        DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
        TimeStampTokenGenerator generator = new TimeStampTokenGenerator(
            new JcaSignerInfoGeneratorBuilder(digests).build(new JcaContentSignerBuilder(args[3]).setProvider("BC")
                .setSecureRandom(SecureRandom.getInstance("NativePRNGNonBlocking")).build(key), cert),
            digests.get(new AlgorithmIdentifier(new ASN1ObjectIdentifier(args[4]))), new ASN1ObjectIdentifier(args[5]));
        generator.addCertificates(new JcaCertStore(List.of(cert)));
        generator.setAccuracySeconds(2);
        Set<String> all = new HashSet<>();
        for (int i = 6; i + 1 < args.length; i += 2) {
            TimeStampRequest request = new TimeStampRequest(read(args[i]));
            all.add(request.getMessageImprintAlgOID().getId());
            TimeStampResponse response = new TimeStampResponseGenerator(generator, all).generateGrantedResponse(request, BigInteger.valueOf(i), new Date());
            Files.write(Path.of(args[i + 1]), response.getEncoded());
        }
    }
}
