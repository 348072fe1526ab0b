package seal_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/tsp"
)

// A maker makes a seal for one holder.
func ExampleMake() {
	ca := testpki.NewCA(testpki.SM2, "Demo Root") // authorities for tests; in life, keys come from package keydev
	maker := ca.Issue(testpki.SM2, "Seal Maker", nil)
	holder := ca.Issue(testpki.SM2, "Presiding Judge", nil)

	s, err := seal.Make(context.Background(), &seal.Seal{
		ID:        "44010000000017",
		Name:      "示例市中级人民法院",
		Certs:     [][]byte{holder.Chain()[0]},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC),
		Picture:   sign.Picture{Data: picture(), Width: 45, Height: 45}, // a PNG, 45 mm wide and high
	}, maker)
	if err != nil {
		log.Fatal(err)
	}
	// s.Raw is what goes to court.esl; reading it back:
	s, err = seal.Parse(s.Raw)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Name, s.Version, s.VerifyValue(), s.Holds(holder.Chain()[0]))
	// Output: 示例市中级人民法院 4 <nil> true
}

// A maker makes a seal of GM/T 0031-2025, whose last step is a time stamp.
func ExampleSeal_AddTimeStamp() {
	ca := testpki.Shared(testpki.SM2)
	authority, err := tsp.NewAuthority(ca.Issue(testpki.SM2, "TSA", testpki.TimeStamping), tsp.AuthorityOptions{ // in life: a tsphttp.Client
		Policy: policy, Now: func() time.Time { return time.Date(2026, 1, 2, 3, 5, 0, 0, time.UTC) },
	})
	if err != nil {
		log.Fatal(err)
	}
	new := template() // its Created is 2026-01-02 03:04:05
	new.Version = seal.V5
	s, err := seal.Make(context.Background(), new, people().maker)
	if err != nil {
		log.Fatal(err)
	}
	s, err = s.AddTimeStamp(context.Background(), authority)
	if err != nil {
		log.Fatal(err)
	}
	token, err := tsp.Parse(s.TimeStamp)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Version, token.Time, token.CheckImprint(s.Value))
	// Output: 5 2026-01-02 03:05:00 +0000 UTC <nil>
}

var policy, _ = sign.ParseOID("1.2.3.4") // the authority's own

// A holder seals. The Signer commonly goes to a container such as pdfx; here the Act is made by hand.
func ExampleSeal_Stamp() {
	s, err := seal.Make(context.Background(), template(), people().maker)
	if err != nil {
		log.Fatal(err)
	}
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	stamp, err := s.Stamp(people().sm2, seal.StampOptions{Format: sign.SES, Now: func() time.Time { return at }})
	if err != nil {
		log.Fatal(err)
	}
	document := []byte("判决书")
	values, err := stamp.Sign(context.Background(), &sign.Act{
		Time:    at,
		Content: sign.Sums{sign.SM3: sign.SM3.Sum(document)},
		Parts:   []sign.Part{{Format: sign.SES, Property: "all"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	v, err := seal.ParseSignature(values[0].Bytes)
	if err != nil {
		log.Fatal(err)
	}
	same := string(v.DataHash) == string(sign.SM3.Sum(document))
	fmt.Println(v.Time, v.Property, same, v.VerifyValue(), v.Seal.Holds(v.Cert))
	// Output: 2026-06-01 12:00:00 +0000 UTC all true <nil> true
}
