//go:build !linux

package batch

import "errors"

// renameNew: linkNew does as well.
func renameNew(string, string) error { return errors.ErrUnsupported }
