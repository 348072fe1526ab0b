package officex

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// A foundValue is a value in a package, with the octets that its digest is of.
type foundValue struct {
	sign.Embedded
	content []byte // nil: what it is over cannot be read
}

// values finds the seal signatures and native signatures of a package, in the order in which they were added.
func values(pkg *opc.Package) (list []foundValue) {
	for _, origin := range pkg.Rels("/").ByType(opcsig.RelSealOrigin) {
		for _, r := range pkg.Rels(origin.Part).ByType(opcsig.RelSeal) {
			list = append(list, sealValue(pkg, r.Part))
		}
	}
	for _, origin := range pkg.Rels("/").ByType(opcsig.RelOrigin) {
		for _, r := range pkg.Rels(origin.Part).ByType(opcsig.RelSignature) {
			list = append(list, nativeValue(pkg, r.Part))
		}
	}
	return list
}

func readPart(pkg *opc.Package, name string) ([]byte, error) {
	p := pkg.Part(name)
	if p == nil {
		return nil, fmt.Errorf("%w: %s is missing", ErrMalformed, name)
	}
	b, err := pkg.Read(p)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, name, err)
	}
	return b, nil
}

func sealValue(pkg *opc.Package, name string) (f foundValue) {
	f.Name, f.Format = name, sign.SES
	folder := name[:strings.LastIndexByte(name, '/')+1]
	if f.content, f.Err = readPart(pkg, name); f.Err != nil {
		return f
	}
	if _, err := opcsig.ParseSealManifest(f.content); err != nil {
		f.Err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	value, err := readPart(pkg, folder+opcsig.ValueName)
	if f.Value = value; f.Err == nil {
		f.Err = err
	}
	return f
}

func nativeValue(pkg *opc.Package, name string) (f foundValue) {
	f.Name, f.Format = name, sign.XML
	b, err := readPart(pkg, name)
	if err != nil {
		f.Err = err
		return f
	}
	s, err := opcsig.Parse(b)
	if err != nil {
		f.Err = fmt.Errorf("%w: %w", ErrMalformed, err)
		return f
	}
	f.content = s.Object
	v := sign.XMLValue{Value: s.Value}
	if s.Info != nil {
		_, v.Reference = xmldsig.SplitComments(s.Info.Comments)
	}
	if len(s.TimeStamps) > 0 {
		v.TimeStamp = s.TimeStamps[0].Token
	}
	v.Evidence = ownEvidence(pkg, s)
	if len(v.Value) > 0 {
		f.Value = v.Marshal()
	}
	if !s.Intact() {
		what := "a digest in it is wrong"
		if len(s.Findings) > 0 {
			what = s.Findings[0].String()
		}
		f.Err = fmt.Errorf("%w: %s", ErrMalformed, what)
	}
	return f
}

// ownEvidence is the evidence that stands in the folder of the act whose undo record the signature is over.
func ownEvidence(pkg *opc.Package, s *opcsig.Signature) []byte {
	for _, r := range s.Manifest {
		folder, ok := strings.CutSuffix(r.Name, opcsig.UndoName)
		if !ok || number(folder, "/_seals/seal", "/") == 0 || pkg.Part(folder+opcsig.EvidenceName) == nil {
			continue
		}
		if b, err := readPart(pkg, folder+opcsig.EvidenceName); err == nil {
			return b
		}
	}
	return nil
}

// Signatures lists the signatures of a document, malformed ones included: Err, which wraps ErrMalformed, says what is wrong. Seal signatures
// come first (sign.SES, named by their manifest, with the DER of the SES_Signature), then the native ones (sign.XML, with the DER of a
// sign.XMLValue). A dual is one of each. Nothing is trusted or checked but the shape. Of the options it takes Limits.
func Signatures(src io.ReaderAt, size int64, o Options) ([]sign.Embedded, error) {
	pkg, err := openPackage(src, size, o.Limits)
	if err != nil {
		return nil, err
	}
	var list []sign.Embedded
	for _, f := range values(pkg) {
		list = append(list, f.Embedded)
	}
	return list, nil
}

// Hash makes the digests of what found values are over, want[i] with the hashes that found[i] needs: of a seal signature the octets of its
// manifest, of a native one the canonical package object. That these are right for the parts of the package is for package verify to say.
// The sums of a value that is not there, or wants no hash, are nil.
func Hash(ctx context.Context, src io.ReaderAt, size int64, found []sign.Embedded, want [][]sign.Hash) ([]sign.Sums, error) {
	pkg, err := openPackage(src, size, Limits{})
	if err != nil {
		return nil, err
	}
	contents := map[string][]byte{}
	for _, f := range values(pkg) {
		contents[f.Name] = f.content
	}
	list := make([]sign.Sums, len(found))
	for i, f := range found {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b := contents[f.Name]
		if b == nil || i >= len(want) {
			continue
		}
		for _, h := range want[i] {
			if h.Size() == 0 {
				continue
			}
			if list[i] == nil {
				list[i] = sign.Sums{}
			}
			list[i][h] = h.Sum(b)
		}
	}
	return list, nil
}
