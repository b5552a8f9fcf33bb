// Command http times a call by net/http, with and without the Transport: see tests/bench/http/src/main.rs.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

const (
	calls = 20 // in a row, before the other one's turn
	path  = "/api/v1/project/balance"
)

type job struct {
	name string
	run  func() (map[string]any, error)
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	envelope, err := cardseal.New(os.Getenv("BENCH_SECRET"))
	if err != nil {
		return err
	}
	transport, err := cardseal.NewTransport(envelope, "key_1")
	if err != nil {
		return err
	}
	var payload map[string]any
	if err := json.Unmarshal([]byte(os.Getenv("BENCH_PAYLOAD")), &payload); err != nil {
		return err
	}
	answer, err := envelope.SealResponse(payload)
	if err != nil {
		return err
	}
	jobs := []job{
		{"bare", func() (map[string]any, error) {
			return post(http.DefaultClient, os.Getenv("BENCH_PLAIN_URL"), payload)
		}},
		{"sealed", func() (map[string]any, error) {
			return post(&http.Client{Transport: transport}, os.Getenv("BENCH_SEALED_URL"), payload)
		}},
		{"alone", func() (opened map[string]any, err error) {
			if _, err := envelope.SealRequest(path, payload, "key_1"); err != nil {
				return nil, err
			}
			err = envelope.OpenResponse(http.StatusOK, answer, &opened)
			return opened, err
		}},
	}
	for _, job := range jobs {
		if got, err := job.run(); err != nil || !reflect.DeepEqual(got, payload) {
			return fmt.Errorf("%s: another payload, %w", job.name, err)
		}
	}
	rounds, err := strconv.Atoi(os.Getenv("BENCH_ROUNDS"))
	if err != nil {
		return err
	}
	for range rounds {
		slices.Reverse(jobs)
		times := map[string]float64{}
		for _, job := range jobs {
			start := time.Now()
			for range calls {
				if _, err := job.run(); err != nil {
					return err
				}
			}
			times[job.name] = time.Since(start).Seconds() / calls
		}
		if err := json.NewEncoder(os.Stdout).Encode(times); err != nil {
			return err
		}
	}
	return nil
}

func post(client *http.Client, url string, payload any) (answer map[string]any, err error) {
	body, err := json.Marshal(payload)
	if err != nil {
		return nil, err
	}
	response, err := client.Post(url+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return answer, json.NewDecoder(response.Body).Decode(&answer)
}
