// Package courtseal is the map of an SDK for electronic seals (电子签章, SM2 and RSA) on court documents. It holds no code:
// import the packages below.
//
// To seal and verify, which is what the example does:
//
//   - [github.com/courtseal/courtseal/keydev] opens the places where private keys live;
//   - [github.com/courtseal/courtseal/seal] reads an electronic seal (SESeal) and makes it a Signer with a holder's key, and
//     makes seals; package [github.com/courtseal/courtseal/seal/imprint] draws their pictures;
//   - [github.com/courtseal/courtseal/pdfx] seals PDF files with a Signer, finds the places where the seal is to stand, removes
//     the last one; [github.com/courtseal/courtseal/officex] does so with Word documents (.docx);
//   - [github.com/courtseal/courtseal/verify] gives one report on a document, check by check, and trusts nobody unless told.
//
// To build on them:
//
//   - [github.com/courtseal/courtseal/sign] is the seam: an Act is what is sealed, a Signer turns it into values, a Key signs
//     a digest. Who has keys elsewhere, or keeps rights and records around sealing, implements Signer or Key;
//   - [github.com/courtseal/courtseal/sign/cms] is the Signer and the parser of plain CMS signatures, without a seal, and
//     [github.com/courtseal/courtseal/sign/xmldsig] of the XML signatures of Office documents;
//   - [github.com/courtseal/courtseal/sign/tsp] reads, checks and makes time stamps; its tsphttp carries them.
//
// The programs are in the module examples: quickstart, which shows everything in one run, and the command sealctl.
package courtseal
