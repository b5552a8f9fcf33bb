// Command bare does nothing: what it takes to start is what every Go program takes.
package main

func main() {}
