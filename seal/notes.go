package seal

// noteText is the table of what may be out of the standard in a seal or signature and is read all the same: the stable
// codes of Notes, and what they say. The package documentation lists the codes.
var noteText = map[string]string{
	"algorithm-not-sm2":    "an RSA signature; GB/T 38540-2020 and GM/T 0031-2025 know SM2 only",
	"algorithm-oid":        "an algorithm identifier that is not the one of the standard",
	"algorithm-parameters": "an AlgorithmIdentifier where an OBJECT IDENTIFIER belongs",
	"bare-certificate":     "a certificate that is not inside an OCTET STRING",
	"boolean-value":        "a BOOLEAN that is true but not FF",
	"c0119":                "UTCTime in a seal of the newer shape, as in the withdrawn C0119",
	"cert-list-type-in-v1": "a certListType, which GM/T 0031-2014 does not have",
	"explicit-default":     "critical FALSE is the default, which DER leaves out",
	"extension-tag":        "a tag [0] that is missing or does not belong",
	"header-version":       "a version that does not go with the shape of the seal",
	"implicit-tag":         "[0] is IMPLICIT; it is EXPLICIT elsewhere",
	"octet-string":         "an OCTET STRING where a BIT STRING belongs",
	"picture-size":         "a width or height that is not positive",
	"raw-signature-value":  "r and s side by side where DER belongs",
	"signature-form":       "a signature of one generation around a seal of another",
	"string-charset":       "octets that the string's type does not allow",
	"string-type":          "a string of another type than the standard's",
	"time-form":            "a time that is not in its DER form",
	"time-text":            "a time as plain text in a BIT STRING",
	"time-type":            "a time of another type than the standard's",
	"time-unreadable":      "a time that cannot be read",
	"time-without-zone":    "a time without zone, read as UTC+8",
	"timestamp-in-v4":      "a time stamp, which seals have from version 5 on",
	"weak-hash":            "SHA-1, which no longer protects",
}
