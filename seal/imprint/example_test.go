package imprint_test

import (
	"fmt"
	"log"

	"github.com/courtseal/courtseal/seal/imprint"
)

// The seal of a chamber of an intermediate court: its own name below the star, the court's around it.
func ExampleDraw() {
	p, err := imprint.Draw(imprint.Options{
		Name:     "示例省示例市中级人民法院",
		Diameter: imprint.Intermediate,
		Text:     "民事审判庭",
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s of %d x %d mm\n", p.Type, p.Width, p.Height)
	// Output: PNG of 47 x 47 mm
}
