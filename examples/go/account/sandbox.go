package account

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"
)

// LoseAnswer has the sandbox carry out the next call of a path without an answer, if it is a sandbox.
func LoseAnswer(ctx context.Context, path string) (isDone bool) {
	fault := map[string]any{"kind": "drop", "when": "after", "path": path, "count": 1}
	return AskSandbox(ctx, "/control/faults", fault)
}

// AskSandbox asks the sandbox for what no real API does, such as a fault, and says whether it was done: it is not where
// CARDSEAL_URL is no sandbox of yours.
func AskSandbox(ctx context.Context, path string, payload map[string]any) (isDone bool) {
	base := os.Getenv("CARDSEAL_CONTROL_URL")
	if base == "" {
		return false
	}
	text, err := json.Marshal(payload)
	if err != nil {
		log.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+path, bytes.NewReader(text))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("CARDSEAL_CONTROL_TOKEN"))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		log.Fatalf("the sandbox refuses %s: %s", path, response.Status)
	}
	return true
}
