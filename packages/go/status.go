package cardseal

import "slices"

// move is a value of a status model, and where it may go from there. The models themselves are generated, like the
// status types.
type move[S ~string] struct {
	from       S
	to         []S
	isTerminal bool
}

func canBecome[S ~string](model []move[S], from, to S) bool {
	known, _ := find(model, from)
	return slices.Contains(known.to, to)
}

func isTerminal[S ~string](model []move[S], value S) bool {
	known, _ := find(model, value)
	return known.isTerminal
}

func isKnown[S ~string](model []move[S], value S) bool {
	_, isKnown := find(model, value)
	return isKnown
}

// find is what a model says of a value. Of an unknown one that is nothing: no move, and not terminal.
func find[S ~string](model []move[S], value S) (found move[S], isKnown bool) {
	for _, known := range model {
		if known.from == value {
			return known, true
		}
	}
	return move[S]{}, false
}
