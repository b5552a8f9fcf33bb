package account

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

// Post posts JSON to an endpoint and reads the JSON that it answers with, as a program over net/http does. It knows nothing
// of envelopes, which are the business of the client's transport; that has the API's error, too.
func Post(ctx context.Context, client *http.Client, path string, header http.Header, payload, answer any) error {
	text, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, URL+"/api/v1"+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	maps.Copy(request.Header, header)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if apiError := cardseal.APIErrorOf(response); apiError != nil {
		return apiError
	}
	return json.NewDecoder(response.Body).Decode(answer)
}
