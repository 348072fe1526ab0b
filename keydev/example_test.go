package keydev_test

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/sign"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "keys")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	private, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "presiding judge", nil)
	if err := keydev.WriteSoftKey(ctx, dir, "judge", private, chain, []byte("123456")); err != nil {
		log.Fatal(err)
	}

	key, device, err := keydev.OpenKey(ctx, "soft:"+dir+"#judge", keydev.PIN([]byte("123456")))
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()
	scheme, err := sign.SchemeFor(key.Public())
	if err != nil {
		log.Fatal(err)
	}
	value, err := scheme.Sign(ctx, key, []byte("judgment"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(scheme, scheme.Verify(key.Public(), []byte("judgment"), value))

	_, err = key.SignDigest(ctx, make([]byte, 20), crypto.SHA1)
	fmt.Println(errors.Is(err, keydev.ErrDigest))
	// Output:
	// SM2 with SM3 <nil>
	// true
}
