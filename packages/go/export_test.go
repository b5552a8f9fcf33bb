package cardseal

import (
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// SetEntropy puts something in the place of the operating system's generator, for the tests outside of the package, until
// restore is called.
func SetEntropy(reader io.Reader) (restore func()) {
	before := entropy
	entropy = reader
	return func() { entropy = before }
}

// Seed is what a random test does all after: CARDSEAL_SEED, which repeats a run, else a new one, which is logged.
func Seed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if given := os.Getenv("CARDSEAL_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("CARDSEAL_SEED=%d", seed)
	return seed
}

// AsJSON is a value as JSON has it, with every number as it is written: what two answers are compared as.
var AsJSON = asJSON

// The waits between attempts.
var (
	Backoff    = backoff
	RetryAfter = retryAfter
)

// ResetClock takes back what a test corrected the process's clock by.
func ResetClock() {
	processClock.lock.Lock()
	defer processClock.lock.Unlock()
	processClock.offset, processClock.correctedAt, processClock.lastStamp = 0, time.Time{}, 0
}
