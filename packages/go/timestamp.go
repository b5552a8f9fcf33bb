package cardseal

import (
	"math"
	"sync"
	"time"
)

const (
	microsPerSecond  = 1_000_000
	stepBackMicros   = 5 * microsPerSecond
	maxWindowSeconds = 30
)

// TimestampMicros is the next timestamp of this process in microseconds since 1970: the clock's, or one more than the
// last where the clock has not moved on. Timestamps strictly increase over all goroutines and Envelopes, unless the
// system's clock is set back by more than five seconds: then they follow it (SPEC.md, section 16). After a correction
// ([WithOnClockCorrection]) they are the corrected clock's.
//
// Errors: ErrClockUnavailable where the clock stands at 1970 or before.
func TimestampMicros() (int64, error) {
	return processClock.stamp(func() int64 { return time.Now().UnixMicro() })
}

var processClock clock

// clock never gives the same timestamp twice, whatever the readings of the wall clock are. The zero value is ready.
type clock struct {
	lock                sync.Mutex
	lastStamp, lastWall int64
	// offset moves every stamp, in microseconds.
	offset int64
	// correctedAt is when it was set.
	correctedAt time.Time
}

// stamp reads the wall clock under the lock. Read before it, a reading could grow old while its goroutine waits, and
// would look like a clock that was set back: stamps would repeat.
func (c *clock) stamp(read func() int64) (int64, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.next(read())
}

// correct moves the stamps that come from now on, in place of any earlier correction, and tells whether it did: not by
// more than a server's word is taken for, and not again at once. What was given before holds no stamp back.
func (c *clock) correct(offset time.Duration, now time.Time) bool {
	const longest, pause = clockCorrectionMaxMillis * time.Millisecond, clockCorrectionPauseMillis * time.Millisecond
	if offset.Abs() > longest {
		return false
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	if !c.correctedAt.IsZero() && now.Sub(c.correctedAt) < pause {
		return false
	}
	c.offset, c.correctedAt, c.lastStamp = offset.Microseconds(), now, 0
	return true
}

// next makes a stamp of a reading, moved by the offset. The lock is held.
func (c *clock) next(wall int64) (int64, error) {
	stamp, err := wallMicros(wall)
	if err != nil {
		return 0, err
	}
	if stamp, err = wallMicros(saturatingAdd(stamp, c.offset)); err != nil {
		return 0, err
	}
	// Readings are compared with readings: a burst of stamps runs ahead of the clock, which is no step back.
	if saturatingAdd(wall, stepBackMicros) >= c.lastWall {
		stamp = max(stamp, saturatingAdd(c.lastStamp, 1))
	}
	c.lastStamp, c.lastWall = stamp, wall
	return stamp, nil
}

func wallMicros(reading int64) (int64, error) {
	if reading <= 0 {
		return 0, newError(ErrClockUnavailable, "the clock stands at 1970 or before: set it right")
	}
	return reading, nil
}

// saturatingAdd adds to a number that is not negative.
func saturatingAdd(number, summand int64) int64 {
	if summand > math.MaxInt64-number {
		return math.MaxInt64
	}
	return number + summand
}

// checkWindow compares a request's timestamp with the server's clock, both edges included (SPEC.md, WINDOW-1).
func checkWindow(timestamp, now int64, windowSeconds int) error {
	// Neither is negative, so that the difference fits.
	skew := timestamp - now
	if window := int64(windowSeconds) * microsPerSecond; -window <= skew && skew <= window {
		return nil
	}
	hint := "set the clock right and seal again"
	if nearlyNow(timestamp, 1_000, now) {
		hint = "it looks like milliseconds, the protocol counts microseconds"
	} else if nearlyNow(timestamp, microsPerSecond, now) {
		hint = "it looks like seconds, the protocol counts microseconds"
	}
	distance, direction := skew, "ahead of"
	if skew < 0 {
		distance, direction = -skew, "behind"
	}
	err := newError(ErrTimestampOutsideWindow,
		"the request's timestamp is %d.%03d s %s the server's clock, allowed are %d s: %s",
		distance/microsPerSecond, distance/1_000%1_000, direction, windowSeconds, hint)
	err.SkewMicros = skew
	return err
}

// nearlyNow tells whether a timestamp times a factor is within a day of the clock.
func nearlyNow(timestamp, factor, now int64) bool {
	const day = 86_400 * microsPerSecond
	if timestamp > math.MaxInt64/factor {
		return false
	}
	distance := timestamp*factor - now
	return -day <= distance && distance <= day
}
