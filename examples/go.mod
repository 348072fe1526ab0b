module github.com/courtseal/courtseal/examples

go 1.26

require github.com/courtseal/courtseal v0.0.0

replace github.com/courtseal/courtseal => ../
