// Command cardseal seals and opens with the Go module.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"

	cardseal "github.com/cardseal/cardseal/packages/go"
	"github.com/cardseal/cardseal/tests/interop/drivers/go/lines"
)

func main() {
	if err := lines.Serve(answer, codeOf); err != nil {
		log.Fatal(err)
	}
}

func answer(question lines.Question) (answer lines.Answer, err error) {
	envelope, err := cardseal.New(question.Secret, cardseal.WithLayout(cardseal.Layout(question.Layout)))
	if err != nil {
		return answer, err
	}
	switch question.Operation {
	case "seal":
		body, err := envelope.Seal([]byte(question.Payload))
		return lines.Answer{Body: string(body)}, err
	case "open":
		var payload json.RawMessage
		err = envelope.Open([]byte(question.Body), &payload)
		return lines.Answer{Payload: string(payload)}, err
	case "open_request":
		request, err := envelope.OpenRequest([]byte(question.Body), nil, cardseal.WithNowMicros(question.NowMicros))
		if err != nil {
			return answer, err
		}
		return lines.Answer{Payload: string(request.Payload.Bytes())}, nil
	}
	return answer, fmt.Errorf("unknown operation: %s", question.Operation)
}

func codeOf(err error) string {
	var refused *cardseal.Error
	if !errors.As(err, &refused) {
		log.Fatal(err)
	}
	return string(refused.Code)
}
