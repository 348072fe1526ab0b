module github.com/courtseal/courtseal

go 1.26.0

require (
	github.com/emmansun/gmsm v0.44.0
	github.com/go-text/typesetting v0.3.0
	golang.org/x/crypto v0.58.0
	golang.org/x/image v0.47.0
	golang.org/x/mod v0.41.0
	golang.org/x/text v0.43.0
)

require golang.org/x/sys v0.49.0 // indirect
