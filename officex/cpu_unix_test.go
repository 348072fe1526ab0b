//go:build unix

package officex_test

import (
	"syscall"
	"time"
)

// cpuTime is what the process has had of the processors so far; unlike the clock it does not heed what else the machine does.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
