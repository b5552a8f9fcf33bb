package cardseal_test

import (
	"os"
	"strings"
	"testing"
)

// TestReadme: the Go in README.md is code of the tests, which are compiled and run.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	// Whatever stands inside a function there stands without its indentation here.
	flat := func(text string) string {
		lines := strings.Split(text, "\n")
		for index, line := range lines {
			lines[index] = strings.TrimSpace(line)
		}
		return strings.Join(lines, "\n")
	}
	blocks := strings.Split(string(readme), "```go\n")[1:]
	if len(blocks) < 8 {
		t.Fatalf("only %d blocks of Go", len(blocks))
	}
	for _, block := range blocks {
		code, _, found := strings.Cut(block, "\n```")
		code = strings.TrimPrefix(code, "import ") // in the tests it stands among others
		if !found || !strings.Contains(flat(string(source)), flat(code)) {
			t.Errorf("example_test.go has no such code:\n%s", code)
		}
	}
}
