// Package keydev opens the places where private keys live: files now, and with the same interface USB keys (SKF),
// cipher cards (SDF) and tokens (PKCS #11). Programs import it; libraries do not need it, because a [Key] has the
// methods of sign.Key.
//
//	key, device, err := keydev.OpenKey(ctx, "soft:keys#presiding-judge", askAtTheTerminal)
//	…
//	defer device.Close()
//	stamp, err := seal.Stamp(key, seal.StampOptions{})
//
// # URIs
//
// A URI names a device; a fragment names a key in it: soft:DIR#NAME. What follows "soft:" is a path as it is, without
// escapes; the key's name follows the last '#'. No URI holds a secret.
//
// # PINs
//
// A device asks an [Auth] for a PIN when it needs one, and not before: listing keys needs none, and a key whose
// certificate can be read without a PIN is first opened by its first signature. The answer is wiped as soon as it was
// used. A wrong PIN is [ErrPINIncorrect] and is never tried again, because devices lock; the next signature asks anew.
// [PIN] makes an Auth of a PIN that is known already. It answers once.
//
// # Files
//
// soft:DIR is a directory with, for a key called NAME, one of
//
//	NAME.key           PKCS #8, encrypted (PBES2), PEM or DER      with NAME.crt beside it
//	NAME.p12, NAME.pfx PKCS #12 with one private key; NAME.crt beside it is optional and wins
//	NAME.key.insecure  PKCS #8, not encrypted: for tests           with NAME.crt beside it
//
// NAME.crt holds the key's own certificate and then those of its issuers, PEM, or one in DER. Keys are SM2, RSA, or
// ECDSA on P-256 and P-384. PBES2 is read with PBKDF2 (HMAC with SHA-1, SHA-2 or SM3) or scrypt, and AES-CBC, SM4-CBC
// or 3DES-CBC; of old PKCS #12, pbeWithSHAAnd3-KeyTripleDES-CBC. A private key that is not encrypted is refused under
// any other name, and so is a key file to which group or others have rights ([ErrUnsafe]). A file that asks for more
// than 10,000,000 rounds of key derivation, or 128 MiB of scrypt, is [ErrMalformed].
//
// OpenSSL makes such files:
//
//	openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out NAME.key && chmod 600 NAME.key
//
// # Errors
//
// Every error is an [*Error] that wraps one of the sentinels below, an error of the context, or one of the operating
// system. No error holds a PIN or a part of a private key.
package keydev
