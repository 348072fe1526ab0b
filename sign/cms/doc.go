// Package cms makes and reads CMS SignedData (RFC 5652, GB/T 35275), the value of a PDF signature.
//
// What it makes is detached and CAdES baseline B (ETSI EN 319 122-1): one signer; the signed attributes contentType,
// messageDigest and signing-certificate-v2, and further ones by [Options]; the whole chain of the key's certificates;
// DER throughout. The digest of the content is computed elsewhere, so a file of any length costs nothing here. SM2 with
// SM3, RSA (PKCS #1 v1.5 and PSS) and ECDSA are written. With Options.TSA a time stamp over the signature value stands in
// an unsigned attribute (baseline T); where none can be had the value is whole without, and a note says so.
//
//	signer, err := cms.New(key, cms.Options{})        // for pdfx.Sign, and whatever else takes a sign.Signer
//	value, err := cms.Sign(ctx, key, digest, cms.Options{SM2OID: cms.SM2Sign})
//	value, err := cms.Sign(ctx, key, digest, cms.Options{TSA: &tsphttp.Client{URL: "https://tsa.example/"}})
//
// [Parse] reads what others make too: DER, and of BER the indefinite lengths and constructed OCTET STRINGs that some
// signers write; the object identifiers of PKCS #7 and of GM/T 0010; SM2 named by any of four identifiers and its value
// as raw r || s. Each such departure is a [sign.Note]. To parse is not to believe: [SignedData.Verify] asks all
// questions of the signatures themselves, the methods of [SignerInfo] ask one each. Trust in certificates, revocation
// and time are for package verify.
//
// All functions are safe for concurrent use. Input is bounded: 16 MiB, 64 levels, a million elements, and 1024 of any
// one thing, in time that grows with the length.
package cms
