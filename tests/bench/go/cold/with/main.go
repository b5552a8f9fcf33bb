// Command with does nothing, and imports the module.
package main

import _ "github.com/cardseal/cardseal/packages/go"

func main() {}
