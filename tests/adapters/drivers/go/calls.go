package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

const (
	callsAtOnce    = 16
	attemptTimeout = 2 * time.Second
)

// call is a line of the input.
type call struct {
	ID             int             `json:"id"`
	Path           string          `json:"path"`
	Payload        json.RawMessage `json:"payload"`
	IdempotencyKey *string         `json:"idempotency_key"`
}

// adapter makes a call, and gives the payload of its answer.
type adapter func(call) (json.RawMessage, error)

// calls makes the calls of the input, sixteen at once, and prints how each ended.
func calls(prepare func() (adapter, error)) error {
	adapter, err := prepare()
	if err != nil {
		return err
	}
	waiting, outcomes := make(chan call), make(chan map[string]any)
	var workers sync.WaitGroup
	for range callsAtOnce {
		workers.Go(func() {
			for call := range waiting {
				outcomes <- outcome(call, adapter)
			}
		})
	}
	printed := make(chan error)
	go func() {
		output := json.NewEncoder(os.Stdout)
		var failure error
		for outcome := range outcomes {
			failure = errors.Join(failure, output.Encode(outcome))
		}
		printed <- failure
	}()
	failure := readCalls(waiting)
	close(waiting)
	workers.Wait()
	close(outcomes)
	return errors.Join(failure, <-printed)
}

func readCalls(waiting chan<- call) error {
	input := json.NewDecoder(os.Stdin)
	for {
		var next call
		if err := input.Decode(&next); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		waiting <- next
	}
}

// outcome makes a call, and says how it ended.
func outcome(call call, adapter adapter) map[string]any {
	payload, err := adapter(call)
	outcome := map[string]any{"id": call.ID}
	var unknown *cardseal.OutcomeUnknownError
	var apiError *cardseal.APIError
	var envelopeError *cardseal.Error
	switch {
	case err == nil:
		outcome["ok"] = payload
	case errors.As(err, &unknown):
		outcome["error"] = cardseal.ErrOutcomeUnknown
		outcome["idempotency_key"] = unknown.IdempotencyKey
	case errors.As(err, &apiError) && apiError.Code == "":
		outcome["error"] = fmt.Sprintf("http_%d", apiError.Status)
	case errors.As(err, &apiError):
		outcome["error"] = apiError.Code
	case errors.As(err, &envelopeError):
		outcome["error"] = envelopeError.Code
	default:
		outcome["error"] = "transport"
	}
	return outcome
}

func withClient() (adapter, error) {
	client, err := cardseal.ClientFromEnv(cardseal.WithAttemptTimeout(attemptTimeout))
	if err != nil {
		return nil, err
	}
	return func(call call) (payload json.RawMessage, err error) {
		var options []cardseal.RequestOption
		if call.IdempotencyKey != nil {
			options = append(options, cardseal.WithIdempotencyKey(*call.IdempotencyKey))
		}
		err = client.Call(context.Background(), call.Path, call.Payload, &payload, options...)
		return payload, err
	}, nil
}

func withTransport() (adapter, error) {
	envelope, err := cardseal.New(os.Getenv("CARDSEAL_SECRET"))
	if err != nil {
		return nil, err
	}
	transport, err := cardseal.NewTransport(envelope, os.Getenv("CARDSEAL_API_KEY"), cardseal.WithAttemptTimeout(attemptTimeout))
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: transport}
	return func(call call) (json.RawMessage, error) {
		request, err := http.NewRequest(http.MethodPost, os.Getenv("CARDSEAL_URL")+"/api/v1"+call.Path, bytes.NewReader(call.Payload))
		if err != nil {
			return nil, err
		}
		if call.IdempotencyKey != nil {
			request.Header.Set("Idempotency-Key", *call.IdempotencyKey)
		}
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if apiError := cardseal.APIErrorOf(response); apiError != nil {
			return nil, apiError
		}
		return io.ReadAll(response.Body)
	}, nil
}
