// Package tsp makes and reads time stamps (RFC 3161, GM/T 0033, GB/T 20520): an authority's signed word that a digest
// was there at a time. It does no input or output; package tsphttp carries requests and answers over HTTP.
//
// Whoever signs hands a [sign.Timestamper] to the signer (cms.Options.TSA): a tsphttp.Client, or an [Authority] in the
// same program. Whoever verifies reads the token and asks one question at a time:
//
//	token, err := tsp.Parse(der)
//	err = token.CheckImprint(signature)           // is it over this?
//	err = token.CheckValue(token.Certificate())   // was it made with that key?
//
// Whether the certificate is one for time stamps, trusted, and was valid then is for package verify.
//
// A request that travels in another way than HTTP, as a file or over a message queue, is made and met with [Request]:
//
//	request, err := tsp.NewRequest(sign.SM3, digest)
//	send(request.Bytes())
//	token, err := request.Accept(answer)
//
// An [Authority] answers such requests. Its clock is an option: what the stamps are worth is what that clock is worth.
//
// # Formats
//
// Tokens are read with an SM3, SHA-1 or SHA-2 imprint, signed with SM2, RSA (PKCS #1 v1.5 and PSS) or ECDSA; named
// by the PKCS #7 or the GM identifier of signedData, which authorities mix; with a TSTInfo of version 1 or, as
// GM/T 0031-2025 prints, 2; with signing-certificate or its second version. Departures are notes of the Token. A
// critical extension of the TSTInfo is refused. Written are version 1, whole seconds, accuracy, and no extensions; with
// SM2 the GM identifier.
//
// Input is bounded: tokens and responses to 1 MiB, requests to 4 KiB. All functions are safe for concurrent use.
package tsp
