import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Collection;
import java.util.List;

import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignatureAlgorithmNameGenerator;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.DefaultCMSSignatureAlgorithmNameGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.DefaultSignatureAlgorithmIdentifierFinder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** verify (CMS CONTENT)... : a line for each.   sign KEY CERT CONTENT DETACHED ATTACHED */
public class Cms {
    public static void main(String[] args) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        if (args[0].equals("sign")) {
            sign(args);
            return;
        }
        for (int i = 1; i + 1 < args.length; i += 2) {
            String answer;
            try {
                answer = verify(read(args[i]), read(args[i + 1])) ? "valid" : "invalid";
            } catch (Exception e) {
                answer = "error " + e;
            }
            System.out.println(answer);
        }
    }

    static byte[] read(String name) throws Exception {
        return Files.readAllBytes(Path.of(name));
    }

    static boolean verify(byte[] cms, byte[] content) throws Exception {
        CMSSignedData data = new CMSSignedData(new CMSProcessableByteArray(content), new ByteArrayInputStream(cms));
        CMSSignatureAlgorithmNameGenerator known = new DefaultCMSSignatureAlgorithmNameGenerator();
        ASN1ObjectIdentifier sm2 = new ASN1ObjectIdentifier("1.2.156.10197.1.301.1");
        CMSSignatureAlgorithmNameGenerator names = (digest, signature) ->
            signature.getAlgorithm().equals(sm2) ? "SM3WITHSM2" : known.getSignatureName(digest, signature);
        Collection<SignerInformation> signers = data.getSignerInfos().getSigners();
        for (SignerInformation signer : signers) {
            @SuppressWarnings("unchecked")
            Collection<X509CertificateHolder> found = data.getCertificates().getMatches(signer.getSID());
            X509CertificateHolder cert = found.iterator().next();
            SignerInformationVerifier verifier = new SignerInformationVerifier(names, new DefaultSignatureAlgorithmIdentifierFinder(),
                new JcaContentVerifierProviderBuilder().setProvider("BC").build(cert),
                new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());
            if (!signer.verify(verifier)) {
                return false;
            }
        }
        return signers.size() == 1;
    }

    static void sign(String[] args) throws Exception {
        PrivateKey key = KeyFactory.getInstance("EC", "BC").generatePrivate(new PKCS8EncodedKeySpec(read(args[1])));
        X509CertificateHolder cert = new X509CertificateHolder(read(args[2]));
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
            .build(new JcaContentSignerBuilder("SM3withSM2").setProvider("BC")
                .setSecureRandom(SecureRandom.getInstance("NativePRNGNonBlocking")).build(key), cert));
        generator.addCertificates(new JcaCertStore(List.of(cert)));
        CMSProcessableByteArray content = new CMSProcessableByteArray(read(args[3]));
        Files.write(Path.of(args[4]), generator.generate(content, false).getEncoded());
        Files.write(Path.of(args[5]), generator.generate(content, true).getEncoded());
    }
}
