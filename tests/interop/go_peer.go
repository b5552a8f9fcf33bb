// Command go_peer seals and opens with the Go module: `go_peer seal|open`, stdin to stdout. It runs in the module's
// folder: `cd packages/go && go run ../../tests/interop/go_peer.go seal`.
package main

import (
	"fmt"
	"io"
	"os"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	envelope, err := cardseal.New(os.Getenv("CARDSEAL_SECRET"))
	if err != nil {
		return err
	}
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var output []byte
	switch fmt.Sprint(arguments) {
	case "[seal]":
		output, err = envelope.Seal(input)
	case "[open]":
		err = envelope.Open(input, &output)
	default:
		err = fmt.Errorf("usage: go_peer seal|open")
	}
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s\n", output)
	return err
}
