// Command xcrypto seals and opens with golang.org/x/crypto alone, as the protocol's document does.
package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log"
	"strings"

	"github.com/cardseal/cardseal/tests/interop/drivers/go/lines"
	"golang.org/x/crypto/nacl/secretbox"
)

var versions = map[string]string{"versioned": "\x02", "bare": ""}

type body struct {
	Encrypted string `json:"encrypted"`
}

func main() {
	if err := lines.Serve(answer, func(error) string { return "refused" }); err != nil {
		log.Fatal(err)
	}
}

func answer(question lines.Question) (answer lines.Answer, err error) {
	key, version := sha256.Sum256([]byte(question.Secret)), versions[question.Layout]
	var nonce [24]byte
	if question.Operation == "seal" {
		if _, err := rand.Read(nonce[:]); err != nil {
			return answer, err
		}
		envelope := secretbox.Seal(append([]byte(version), nonce[:]...), []byte(question.Payload), &nonce, &key)
		text, err := json.Marshal(body{base64.StdEncoding.EncodeToString(envelope)})
		return lines.Answer{Body: string(text)}, err
	}
	var sealed body
	if err := json.Unmarshal([]byte(question.Body), &sealed); err != nil {
		return answer, err
	}
	envelope, err := base64.StdEncoding.DecodeString(sealed.Encrypted)
	if err != nil {
		return answer, err
	}
	rest, isKnown := strings.CutPrefix(string(envelope), version)
	if !isKnown || len(rest) < len(nonce) {
		return answer, errors.New("unknown version")
	}
	copy(nonce[:], rest)
	message, isSound := secretbox.Open(nil, []byte(rest[len(nonce):]), &nonce, &key)
	if !isSound {
		return answer, errors.New("this does not open")
	}
	return lines.Answer{Payload: string(message)}, nil
}
