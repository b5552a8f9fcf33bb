// Package lines answers questions, a line of JSON each, in the form of `cardseal batch`.
package lines

import (
	"bufio"
	"encoding/json"
	"os"
)

// A Question is what a driver is asked.
type Question struct {
	ID        int    `json:"id"`
	Operation string `json:"operation"`
	Secret    string `json:"secret"`
	Layout    string `json:"layout"`
	Payload   string `json:"payload"`
	Body      string `json:"body"`
	NowMicros int64  `json:"now_micros"`
}

// An Answer is what came of it: what was sealed or opened, or a code.
type Answer struct {
	Body    string `json:"body,omitempty"`
	Payload string `json:"payload,omitempty"`
}

// Serve answers until the input ends. An error of a question is answered with the code that codeOf gives it.
func Serve(answer func(Question) (Answer, error), codeOf func(error) string) error {
	input, output := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	decoder, encoder := json.NewDecoder(input), json.NewEncoder(output)
	for decoder.More() {
		var question Question
		if err := decoder.Decode(&question); err != nil {
			return err
		}
		line := map[string]any{"id": question.ID}
		if ok, err := answer(question); err != nil {
			line["error"] = map[string]string{"code": codeOf(err)}
		} else {
			line["ok"] = ok
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return output.Flush()
}
