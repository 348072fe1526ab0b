package batch

// SetLink puts another function in place of os.Link, and gives the way back.
func SetLink(f func(from, to string) error) (back func()) {
	before := link
	link = f
	return func() { link = before }
}
