package cardseal

import (
	"encoding/hex"
)

// GenerateIdempotencyKey makes a random idempotency key, the text of a UUID of version 4. Make one for a business
// intention and keep it for all attempts: one made anew for each attempt charges twice.
//
// Errors: ErrEntropyUnavailable.
func GenerateIdempotencyKey() (string, error) {
	var random [16]byte
	if err := randomBytes(random[:]); err != nil {
		return "", err
	}
	return uuid(random, 4), nil
}

// DeriveIdempotencyKey makes the idempotency key of an event, always the same for a namespace and an id: the text of a
// UUID of version 8 (SPEC.md, IDEM-2). Namespace topup and id invoice-42 give one key, however often the job runs.
//
// Errors: ErrInvalidIdempotencyKey where either is empty.
func DeriveIdempotencyKey(namespace, id string) (string, error) {
	if namespace == "" || id == "" {
		return "", newError(ErrInvalidIdempotencyKey, "the namespace or the id to derive a key from is empty: name the event")
	}
	sum := digest([]byte("cardseal idempotency key v1"), []byte(namespace), []byte(id))
	return uuid([16]byte(sum[:16]), 8), nil
}

// CheckIdempotencyKey checks a key that somebody else made: 1 to 255 characters of printable ASCII without spaces
// (SPEC.md, IDEM-1).
//
// Errors: ErrInvalidIdempotencyKey.
func CheckIdempotencyKey(key string) error {
	if !isToken(key) {
		return newError(ErrInvalidIdempotencyKey, "an idempotency key has to be 1 to 255 printable ASCII characters without spaces")
	}
	return nil
}

// RecordKey is the key of an idempotency record: hexadecimal SHA-256 of API key and idempotency key, since keys belong to
// a project (SPEC.md, RECORD-1).
//
// Errors: ErrInvalidAPIKey, ErrInvalidIdempotencyKey.
func RecordKey(apiKey, idempotencyKey string) (string, error) {
	if err := checkAPIKey(apiKey); err != nil {
		return "", err
	}
	if err := CheckIdempotencyKey(idempotencyKey); err != nil {
		return "", err
	}
	return hexDigest([]byte("cardseal idempotency record v1"), []byte(apiKey), []byte(idempotencyKey)), nil
}

func checkAPIKey(key string) error {
	if !isToken(key) {
		return newError(ErrInvalidAPIKey, "the API key has to be 1 to 255 printable ASCII characters without spaces")
	}
	return nil
}

// isToken is the grammar of both kinds of key.
func isToken(text string) bool {
	for _, character := range []byte(text) {
		if character < 0x21 || character > 0x7e {
			return false
		}
	}
	return len(text) >= 1 && len(text) <= 255
}

// uuid is the text of 16 bytes with the version and the variant set (SPEC.md, IDEM-3).
func uuid(bytes [16]byte, version byte) string {
	bytes[6] = bytes[6]&0x0f | version<<4
	bytes[8] = bytes[8]&0x3f | 0x80
	digits := hex.EncodeToString(bytes[:])
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:]
}
