package cardseal

import (
	"io"
	"time"
)

// SetEntropy puts something in the place of the operating system's generator, for the tests outside of the package, until
// restore is called.
func SetEntropy(reader io.Reader) (restore func()) {
	before := entropy
	entropy = reader
	return func() { entropy = before }
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
