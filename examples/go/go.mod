module github.com/cardseal/cardseal/examples/go

go 1.25.0

require github.com/cardseal/cardseal/packages/go v0.1.0

require (
	golang.org/x/crypto v0.55.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace github.com/cardseal/cardseal/packages/go => ../../packages/go
