package cardseal_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// clockedServer is a server whose clock is off, and which says so in its Date, unless it lies there or says nothing.
type clockedServer struct {
	*httptest.Server
	lock     sync.Mutex
	off      time.Duration
	date     func(now time.Time) string
	requests int
	// told are the Dates that it sent, without what they leave out.
	told []time.Time
}

func newClockedServer(t *testing.T, start func(*httptest.Server), off time.Duration) *clockedServer {
	envelope := newEnvelope(t)
	server := &clockedServer{off: off, date: func(now time.Time) string { return now.UTC().Format(http.TimeFormat) }}
	server.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		server.lock.Lock()
		defer server.lock.Unlock()
		server.requests++
		now := time.Now().Add(server.off)
		w.Header()["Date"] = nil
		if date := server.date(now); date != "" {
			w.Header().Set("Date", date)
			server.told = append(server.told, now.Truncate(time.Second))
		}
		if _, err := envelope.OpenRequest(body, nil, cardseal.WithNowMicros(now.UnixMicro())); err != nil {
			var refused *cardseal.Error
			if !errors.As(err, &refused) {
				t.Error(err)
			}
			status, text := refused.Code.Answer()
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"error": "`+text+`"}`)
			return
		}
		sealed(t, w, 200, `{"order_id": "o-1"}`)
	}))
	start(server.Server)
	t.Cleanup(server.Close)
	return server
}

// set moves the server's clock, and forgets what came.
func (s *clockedServer) set(off time.Duration, date func(time.Time) string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.off, s.requests, s.told = off, 0, nil
	if date != nil {
		s.date = date
	}
}

func (s *clockedServer) seen() (requests int, told []time.Time) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.requests, s.told
}

// corrections keeps what a callback was told.
type corrections struct {
	lock    sync.Mutex
	offsets []time.Duration
}

func (c *corrections) option() cardseal.TransportOption {
	return cardseal.WithOnClockCorrection(func(offset time.Duration) {
		c.lock.Lock()
		defer c.lock.Unlock()
		c.offsets = append(c.offsets, offset)
	})
}

func (c *corrections) take() []time.Duration {
	c.lock.Lock()
	defer c.lock.Unlock()
	offsets := c.offsets
	c.offsets = nil
	return offsets
}

const minutes5 = 5 * time.Minute

// eachCaller calls /orders/check in both ways, each with the clock as it was.
func eachCaller(t *testing.T, server *clockedServer, options []cardseal.TransportOption, check func(t *testing.T, call func() error)) {
	t.Helper()
	t.Cleanup(cardseal.ResetClock)
	options = append(options, cardseal.WithBase(server.Client().Transport))
	for name, call := range callers(t, server.URL, options...) {
		t.Run(name, func(t *testing.T) {
			cardseal.ResetClock()
			server.set(server.off, nil)
			check(t, func() error {
				_, err := call(t.Context(), "/orders/check", `{"order_id": "o-1"}`)
				return err
			})
		})
	}
}

// TestClockIsCorrected: the call comes through at its second attempt, later ones at their first, whichever way the clock is off.
func TestClockIsCorrected(t *testing.T) {
	for name, off := range map[string]time.Duration{"ahead": minutes5, "behind": -minutes5} {
		t.Run(name, func(t *testing.T) {
			server := newClockedServer(t, (*httptest.Server).StartTLS, off)
			var events recorder
			var told corrections
			eachCaller(t, server, []cardseal.TransportOption{told.option(), events.option()}, func(t *testing.T, call func() error) {
				before := time.Now()
				if err := call(); err != nil {
					t.Fatal(err)
				}
				after := time.Now()
				checkEvents(t, events.take(), "/orders/check", 2, true)
				offsets := told.take()
				if len(offsets) != 1 {
					t.Fatalf("%d corrections", len(offsets))
				}
				requests, dates := server.seen()
				middle := dates[0].Add(time.Second / 2)
				if least, most := middle.Sub(after), middle.Sub(before); requests != 2 || offsets[0] < least || offsets[0] > most {
					t.Errorf("%d requests, the offset is %v, it has to be from %v to %v", requests, offsets[0], least, most)
				}
				if err := call(); err != nil || len(told.take()) != 0 || len(events.take()) != 1 {
					t.Errorf("after that: %v", err)
				}
				checkStamps(t, off)
			})
		})
	}
}

// checkStamps: all of this process's stamps are moved; what it compares those of others with is not.
func checkStamps(t *testing.T, off time.Duration) {
	t.Helper()
	body := seal(t, "{}")
	envelope := newEnvelope(t)
	if _, err := envelope.OpenRequest(body, nil); !errors.Is(err, cardseal.ErrTimestampOutsideWindow) {
		t.Errorf("by the system's clock: %v", err)
	}
	if _, err := envelope.OpenRequest(body, nil, cardseal.WithNowMicros(time.Now().Add(off).UnixMicro())); err != nil {
		t.Errorf("by the server's clock: %v", err)
	}
}

// TestClockIsLeft: without being asked, over plain http, and where the Date cannot be believed.
func TestClockIsLeft(t *testing.T) {
	const minutes16 = 16 * time.Minute
	fixed := func(date string) func(time.Time) string { return func(time.Time) string { return date } }
	for name, test := range map[string]struct {
		off   time.Duration
		plain bool
		date  func(time.Time) string
		quiet bool
	}{
		"nobody asked, ahead":        {off: minutes5, quiet: true},
		"nobody asked, behind":       {off: -minutes5, quiet: true},
		"plain http, ahead":          {off: minutes5, plain: true},
		"plain http, behind":         {off: -minutes5, plain: true},
		"16 minutes ahead":           {off: minutes16},
		"16 minutes behind":          {off: -minutes16},
		"no Date":                    {off: minutes5, date: fixed("")},
		"a Date that is none":        {off: minutes5, date: fixed("yesterday")},
		"a Date beyond all measures": {off: minutes5, date: fixed("Fri, 31 Dec 9999 23:59:59 GMT")},
	} {
		t.Run(name, func(t *testing.T) {
			start := (*httptest.Server).StartTLS
			if test.plain {
				start = (*httptest.Server).Start
			}
			server := newClockedServer(t, start, test.off)
			server.set(test.off, test.date)
			var told corrections
			var options []cardseal.TransportOption
			if !test.quiet {
				options = append(options, told.option())
			}
			eachCaller(t, server, options, func(t *testing.T, call func() error) {
				err := call()
				if ended := ending(err); ended != "timestamp_outside_window" {
					t.Errorf("it ended in %q: %v", ended, err)
				}
				if requests, _ := server.seen(); requests != 2 || len(told.take()) != 0 {
					t.Errorf("%d requests", requests)
				}
				if _, err := newEnvelope(t).OpenRequest(seal(t, "{}"), nil); err != nil {
					t.Errorf("the clock was moved: %v", err)
				}
			})
		})
	}
}

// TestClockIsNotCorrectedAgain: whose clock jumps about is not followed, by whatever client of the process.
func TestClockIsNotCorrectedAgain(t *testing.T) {
	server := newClockedServer(t, (*httptest.Server).StartTLS, minutes5)
	var told corrections
	other := newClockedServer(t, (*httptest.Server).StartTLS, -minutes5)
	eachCaller(t, server, []cardseal.TransportOption{told.option()}, func(t *testing.T, call func() error) {
		if err := call(); err != nil || len(told.take()) != 1 {
			t.Fatal(err)
		}
		server.set(-minutes5, nil)
		if ended := ending(call()); ended != "timestamp_outside_window" || len(told.take()) != 0 {
			t.Errorf("it ended in %q", ended)
		}
		for name, call := range callers(t, other.URL, told.option(), cardseal.WithBase(other.Client().Transport)) {
			if _, err := call(t.Context(), "/orders/check", "{}"); ending(err) != "timestamp_outside_window" || len(told.take()) != 0 {
				t.Errorf("another %s: %v", name, err)
			}
		}
		server.set(minutes5, nil)
		if err := call(); err != nil {
			t.Errorf("the correction is gone: %v", err)
		}
	})
}

// TestOtherErrorsCorrectNoClock: a Date is looked at for one error alone.
func TestOtherErrorsCorrectNoClock(t *testing.T) {
	t.Cleanup(cardseal.ResetClock)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(minutes5).UTC().Format(http.TimeFormat))
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error": "Duplicate request detected"}`)
	}))
	defer server.Close()
	var told corrections
	for name, call := range callers(t, server.URL, told.option(), cardseal.WithBase(server.Client().Transport)) {
		if _, err := call(t.Context(), "/cards/get", "{}"); ending(err) != "duplicate_request" || len(told.take()) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Nor where a call that fails may not be repeated is the correction lost: the next one gains by it.
	clocked := newClockedServer(t, (*httptest.Server).StartTLS, minutes5)
	for name, call := range callers(t, clocked.URL, told.option(), cardseal.WithBase(clocked.Client().Transport)) {
		cardseal.ResetClock()
		_, first := call(t.Context(), "/users/create", "{}")
		_, second := call(t.Context(), "/users/create", "{}")
		if ending(first) != "outcome_unknown" || second != nil || len(told.take()) != 1 {
			t.Errorf("%s: %v, then %v", name, first, second)
		}
	}
}
