module github.com/courtseal/courtseal/internal/interop

go 1.26.0

require github.com/courtseal/courtseal v0.0.0

require (
	github.com/hhrutter/pkcs7 v0.2.0
	github.com/tjfoc/gmsm v1.4.1
)

replace github.com/courtseal/courtseal => ../../
