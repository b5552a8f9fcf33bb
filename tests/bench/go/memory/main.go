// Command memory prints how many bytes the peak of sealing a mebibyte is above what the process had before: on Linux.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	cardseal "github.com/cardseal/cardseal/packages/go"
	"github.com/cardseal/cardseal/tests/bench/go/payloads"
)

func main() {
	if err := run(os.Getenv("BENCH_SHAPE")); err != nil {
		fmt.Fprintln(os.Stderr, "memory:", err)
		os.Exit(1)
	}
}

func run(shape string) error {
	payload, err := payloads.Of(shape, 1<<20, "ascii")
	if err != nil {
		return err
	}
	envelope, err := cardseal.New("your_api_secret_key_here")
	if err != nil {
		return err
	}
	if _, err := envelope.Seal(struct{}{}); err != nil {
		return err
	}
	// Twice, since a pool gives up what it has with the second collection: encoding/json wrote the payload before.
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak starts anew
		return err
	}
	before, err := kilobytes("VmRSS:")
	if err != nil {
		return err
	}
	body, err := envelope.Seal(payload)
	if err != nil {
		return err
	}
	peak, err := kilobytes("VmHWM:")
	if err != nil {
		return err
	}
	if len(body) < 1<<20 {
		return errors.New("that was no mebibyte")
	}
	fmt.Println(1024 * (peak - before))
	return nil
}

func kilobytes(name string) (kilobytes int, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(status), name)
	_, err = fmt.Sscan(after, &kilobytes)
	return kilobytes, err
}
