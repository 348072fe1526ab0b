package registry

// UndoneBy reports whether an operation of a kind can be undone: by Correct, or by an operation of another kind.
func UndoneBy(kind string) (undone bool, by string) {
	op, err := New(kind)
	if err != nil {
		return false, ""
	}
	_, _, err = mistake{op: op}.subject()
	return err == nil || undoneBy[kind] != "", undoneBy[kind]
}
