// Command bench times whole jobs of the Go module against the document's way of doing them, and prints ratios.
//
//	go run .                  all jobs, about two minutes
//	go run . -rounds 50       coarser
//	go run . "seal a struct"  the jobs with that in their names
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

func main() {
	rounds := flag.Int("rounds", 201, "how many rounds of turns a job gets")
	flag.Parse()
	if err := run(*rounds, strings.Join(flag.Args(), " ")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds int, wanted string) error {
	all, err := jobs()
	if err != nil {
		return err
	}
	fmt.Printf("cardseal %s, %s, %s/%s, %d CPUs; %d rounds\n", cardseal.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds)
	fmt.Println("ratio: the document's time by cardseal's, the median of all rounds with its quartiles; above 1 cardseal is faster")
	fmt.Println("floor: the same ratio if cardseal took no time but the cipher's")
	fmt.Printf("\n%-32s %-20s %7s %12s %12s %7s %7s\n", "job", "ratio", "floor", "cardseal", "cipher alone", "allocs", "theirs")
	for _, job := range all {
		if !strings.Contains(job.name, wanted) {
			continue
		}
		if err := measure(job, rounds); err != nil {
			return fmt.Errorf("%s: %w", job.name, err)
		}
	}
	return nil
}

// measure lets the candidates take turns, so that both meet the same machine, and takes the ratio within each round.
func measure(job job, rounds int) error {
	candidates := []func() error{job.cardseal, job.document, func() error { job.cipher(); return nil }}
	var times [3][]float64
	repeats := make([]int, len(candidates))
	for index, candidate := range candidates {
		start := time.Now()
		for repeats[index] == 0 || time.Since(start) < time.Millisecond {
			if err := candidate(); err != nil {
				return err
			}
			repeats[index]++
		}
	}
	for round := range rounds {
		for turn := range candidates {
			index := (turn + round) % len(candidates) // who begins changes
			if round%2 == 1 {
				index = len(candidates) - 1 - index
			}
			start := time.Now()
			for range repeats[index] {
				if err := candidates[index](); err != nil {
					return err
				}
			}
			times[index] = append(times[index], float64(time.Since(start))/float64(repeats[index]))
		}
	}
	var ratios, floors []float64
	for round := range rounds {
		ratios = append(ratios, times[1][round]/times[0][round])
		floors = append(floors, times[1][round]/times[2][round])
	}
	ours := testing.AllocsPerRun(10, func() { _ = job.cardseal() })
	theirs := testing.AllocsPerRun(10, func() { _ = job.document() })
	fmt.Printf("%-32s %.2f [%.2f–%.2f] %10.2f %12v %12v %7.0f %7.0f\n", job.name,
		quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75), quantile(floors, 0.5),
		time.Duration(quantile(times[0], 0.5)), time.Duration(quantile(times[2], 0.5)), ours, theirs)
	return nil
}

func quantile(values []float64, q float64) float64 {
	slices.Sort(values)
	return values[int(q*float64(len(values)-1))]
}
