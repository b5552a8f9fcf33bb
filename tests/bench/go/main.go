// Command bench times whole jobs of the Go module against the document's way of doing them, in turns, and writes how many
// times as long as cardseal that takes. `cargo xtask bench go` runs it; tests/bench/README.md has the format of the file.
//
//	go run . -json FILE                          all jobs
//	go run . -quick -json FILE "seal a struct"   coarser, and only what has that in its name
//	go run . -check                              do the candidates agree?
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

func main() {
	quick := flag.Bool("quick", false, "fewer rounds, for a first look")
	check := flag.Bool("check", false, "time nothing: do the candidates agree?")
	file := flag.String("json", "", "where the figures go")
	flag.Parse()
	rounds := 101
	if *quick {
		rounds = 7
	}
	if err := run(rounds, *check, *file, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// report is what is written.
type report struct {
	Language string            `json:"language"`
	Versions map[string]string `json:"versions"`
	Rounds   int               `json:"rounds"`
	Results  []result          `json:"results"`
}

type result struct {
	Job        string                `json:"job"`
	Size       int                   `json:"size"`
	Shape      string                `json:"shape"`
	Variant    string                `json:"variant"`
	CardsealNS float64               `json:"cardseal_ns"`
	Peers      map[string]comparison `json:"peers"`
	Floors     map[string]comparison `json:"floors"`
}

// comparison is a median time, and how many times as long as cardseal's it is: median and quartiles of the rounds.
type comparison struct {
	NS    float64 `json:"ns"`
	Ratio float64 `json:"ratio"`
	Q1    float64 `json:"q1"`
	Q3    float64 `json:"q3"`
}

func run(rounds int, check bool, file string, parts []string) error {
	all, err := jobs()
	if err != nil || check {
		return err
	}
	if file == "" {
		return errors.New("-json FILE is missing: where the figures go")
	}
	report := report{Language: "go", Versions: versions(), Rounds: rounds, Results: []result{}}
	for _, job := range all {
		lacks := func(part string) bool { return !strings.Contains(job.name(), part) }
		if slices.ContainsFunc(parts, lacks) {
			continue
		}
		fmt.Fprintln(os.Stderr, job.name())
		result, err := measure(job, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", job.name(), err)
		}
		report.Results = append(report.Results, result)
	}
	text, err := json.Marshal(report)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// measure lets the candidates take turns, so that all meet the same machine, and takes the ratio within each round.
func measure(job job, rounds int) (result, error) {
	candidates := []func() error{job.cardseal, job.document, func() error { job.cipher(); return nil }}
	var times [3][]float64
	repeats := make([]int, len(candidates))
	for index, candidate := range candidates {
		start := time.Now()
		for repeats[index] == 0 || time.Since(start) < time.Millisecond {
			if err := candidate(); err != nil {
				return result{}, err
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
					return result{}, err
				}
			}
			times[index] = append(times[index], float64(time.Since(start))/float64(repeats[index]))
		}
	}
	return result{
		Job:        job.task,
		Size:       job.Size.Bytes,
		Shape:      job.Size.Shape,
		Variant:    job.Variant,
		CardsealNS: quantile(times[0], 0.5),
		Peers:      map[string]comparison{"encoding/json + x/crypto": compare(times[1], times[0])},
		Floors:     map[string]comparison{"secretbox alone": compare(times[2], times[0])},
	}, nil
}

func compare(times, ours []float64) comparison {
	ratios := make([]float64, len(times))
	for round := range times {
		ratios[round] = times[round] / ours[round]
	}
	return comparison{quantile(times, 0.5), quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75)}
}

// quantile leaves the order of values as it is: a ratio is taken within its round.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

func versions() map[string]string {
	versions := map[string]string{"cardseal": cardseal.Version, "Go": runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "golang.org/x/crypto" {
				versions["x/crypto"] = module.Version
			}
		}
	}
	return versions
}
