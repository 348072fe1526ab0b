// Package tsphttp carries time stamps over HTTP (RFC 3161, 3.4): a [Client] for whoever signs, a [Handler] for an
// authority. It is apart from package tsp so that nothing that verifies can reach the network.
//
//	tsa := &tsphttp.Client{URL: "https://tsa.example/"}
//	signer, err := cms.New(key, cms.Options{TSA: tsa})
//
// The Client sends a digest and nothing else of a document. It asks once, waits 10 s at most unless told, follows no
// redirect, and takes only a token that answers its request: the same digest, nonce and policy, and a signature value
// that is right. A stamp that cannot be had costs a signature its level, never the signature: see cms.TimeStamp.
// Whether the authority is to be trusted is asked when the document is verified.
//
// An authority of one's own:
//
//	authority, err := tsp.NewAuthority(key, tsp.AuthorityOptions{Policy: policy})
//	http.Handle("/tsa", tsphttp.Handler(authority, nil))
package tsphttp
