package batch

// LeaveMoves takes the first n ways to place a file away, and gives the way back.
func LeaveMoves(n int) (back func()) {
	before := moves
	moves = moves[n:]
	return func() { moves = before }
}

const Moves = 2
