// Command go drives the Go module's HTTP adapters, as tests/adapters/README.md asks: transport and client make the calls
// that come in on standard input, nethttp is a server.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) == 1 {
		switch arguments[0] {
		case "transport":
			return calls(withTransport)
		case "client":
			return calls(withClient)
		case "nethttp":
			return serve()
		}
	}
	return fmt.Errorf("usage: go run . transport|client|nethttp")
}
