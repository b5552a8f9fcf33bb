package cardseal

import (
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
