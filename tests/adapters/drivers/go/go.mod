module github.com/cardseal/cardseal/tests/adapters/drivers/go

go 1.25.0

require (
	github.com/cardseal/cardseal/packages/go v0.1.0
	github.com/cardseal/cardseal/packages/go/redisstore v0.1.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/redis/go-redis/v9 v9.22.0 // indirect
	go.uber.org/atomic v1.11.0 // indirect
	golang.org/x/crypto v0.55.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)

replace (
	github.com/cardseal/cardseal/packages/go => ../../../../packages/go
	github.com/cardseal/cardseal/packages/go/redisstore => ../../../../packages/go/redisstore
)
