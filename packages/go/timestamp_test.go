package cardseal

import (
	"math"
	"sync"
	"testing"
	"time"
)

// TestPausesRepeatNoStamp: goroutines that stand still for long between their reading of the clock and their stamp.
func TestPausesRepeatNoStamp(t *testing.T) {
	const start = 1_700_000_000_000_000
	var c clock
	var lock sync.Mutex
	wall, pauses := int64(start), 3
	read := func() int64 {
		lock.Lock()
		reading := wall
		wall += 10 * microsPerSecond
		pauses--
		isPaused := pauses >= 0
		lock.Unlock()
		if isPaused { // so that all others could overtake it
			time.Sleep(50 * time.Millisecond)
		}
		return reading
	}
	const goroutines = 8
	stamps := make(chan int64, goroutines)
	var group sync.WaitGroup
	for range goroutines {
		group.Go(func() {
			stamp, err := c.stamp(read)
			if err != nil {
				t.Error(err)
			}
			stamps <- stamp
		})
	}
	group.Wait()
	if c.lastWall != start+(goroutines-1)*10*microsPerSecond {
		t.Errorf("the clock was taken for one that was set back: it last read %d", c.lastWall)
	}
	close(stamps)
	seen := map[int64]bool{}
	for stamp := range stamps {
		if seen[stamp] {
			t.Errorf("%d came twice", stamp)
		}
		seen[stamp] = true
	}
}

// TestCorrection: a correction moves the stamps that follow, also back; how far, and how soon after another, has bounds.
func TestCorrection(t *testing.T) {
	const wall, most, pause = 1_700_000_000_000_000, 15 * time.Minute, time.Minute
	var c clock
	next := func(reading, want int64) {
		t.Helper()
		if stamp, err := c.stamp(func() int64 { return reading }); stamp != want || err != nil {
			t.Errorf("the stamp is %d, %v, not %d", stamp, err, want)
		}
	}
	correct := func(offset time.Duration, at time.Time, want bool) {
		t.Helper()
		if c.correct(offset, at) != want {
			t.Errorf("a correction by %v at %v", offset, at)
		}
	}
	start := time.UnixMicro(wall)
	next(wall, wall)
	correct(most+time.Nanosecond, start, false)
	correct(-most-time.Nanosecond, start, false)
	correct(math.MinInt64, start, false)
	next(wall, wall+1)
	correct(-most, start, true) // what was refused before holds it up by nothing
	next(wall, wall-most.Microseconds())
	next(wall, wall-most.Microseconds()+1)
	correct(most, start.Add(pause-time.Nanosecond), false)
	correct(most, start.Add(-time.Second), false)
	next(wall+7, wall+7-most.Microseconds())
	correct(most, start.Add(pause), true)
	next(wall+8, wall+8+most.Microseconds())
	correct(0, start.Add(2*pause-1), false)
	correct(0, start.Add(2*pause), true)
	next(wall+9, wall+9)
}
