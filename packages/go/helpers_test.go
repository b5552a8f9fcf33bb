package cardseal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
	"testing"

	cardseal "github.com/cardseal/cardseal/packages/go"
)

const testSecret = "your_api_secret_key_here"

func newEnvelope(t testing.TB, options ...cardseal.Option) *cardseal.Envelope {
	t.Helper()
	envelope, err := cardseal.New(testSecret, options...)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// tool is the command line tool that CARDSEAL_CLI names. Without it the test is skipped, but in CI.
func tool(t *testing.T) string {
	t.Helper()
	tool := os.Getenv("CARDSEAL_CLI")
	if tool == "" && os.Getenv("CI") == "true" {
		t.Fatal("CARDSEAL_CLI names no tool: in CI nothing is skipped")
	}
	if tool == "" {
		t.Skip("CARDSEAL_CLI names no tool: cargo xtask test go builds one and runs this")
	}
	return tool
}

// allCodes reads the constants out of the generated file, so that no test has a list of its own.
func allCodes(t *testing.T) (codes []cardseal.Code) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "tables_gen.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, isConstant := node.(*ast.ValueSpec)
		if !isConstant || !strings.HasPrefix(spec.Names[0].Name, "Err") {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.CallExpr).Args[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, cardseal.Code(text))
		return true
	})
	if len(codes) < 20 {
		t.Fatalf("only %d codes were found in tables_gen.go", len(codes))
	}
	return codes
}

// quiet is a log that nobody reads.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
