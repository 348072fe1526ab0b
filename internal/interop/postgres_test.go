package interop

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/audit/ledger/ledgertest"
)

// A cluster is a PostgreSQL server of the test's own, which listens at a socket in its directory alone.
type cluster struct {
	dir    string // data, socket and log
	bin    string
	args   []string
	server *exec.Cmd
	ended  chan struct{}
}

// program finds a program of PostgreSQL, which Debian keeps out of the path.
func program(t testing.TB) string {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if name, err := exec.LookPath("initdb"); err == nil && len(found) == 0 {
		found = append(found, name)
	}
	if len(found) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("PostgreSQL is needed")
		}
		t.Skip("PostgreSQL is not installed")
	}
	return filepath.Dir(found[len(found)-1]) // the newest
}

// run runs a program of PostgreSQL, as another user where we are root: a server refuses to be root's.
func (c *cluster) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(c.bin, name), args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
	if uid, gid, ok := owner(); ok {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}
	return cmd
}

func (c *cluster) run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := c.command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// owner is the user the server runs as, where we are root.
func owner() (uid, gid int, ok bool) {
	if os.Getuid() != 0 {
		return 0, 0, false
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ = strconv.Atoi(u.Uid)
			gid, _ = strconv.Atoi(u.Gid)
			return uid, gid, uid > 0
		}
	}
	return 0, 0, false
}

// newDir makes a directory for a cluster. It is not t.TempDir, which another user cannot enter, and whose name is too long for a socket.
func newDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if uid, gid, ok := owner(); ok {
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// newCluster makes a server and starts it.
func newCluster(t testing.TB, args ...string) *cluster {
	t.Helper()
	c := &cluster{bin: program(t), args: args}
	c.dir = newDir(t)
	c.run(t, "initdb", "-D", c.data(), "-U", "courtseal", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions")
	c.start(t)
	return c
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *cluster) start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	args := []string{"-D", c.data(), "-c", "listen_addresses=", "-c", "unix_socket_directories=" + c.dir, "-c", "shared_buffers=64MB", "-c", "max_connections=200"}
	for _, a := range c.args {
		args = append(args, "-c", a)
	}
	c.server = c.command("postgres", args...)
	c.server.Stdout, c.server.Stderr = log, log
	if err := c.server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	c.ended = ended
	server := c.server
	go func() { server.Wait(); close(ended) }()
	t.Cleanup(func() { c.stop(syscall.SIGQUIT) })
	db := c.db(t, "postgres", nil)
	defer db.Close()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		err := db.Ping()
		if err == nil {
			return
		}
		select {
		case <-ended:
		default:
			if time.Now().Before(deadline) {
				continue
			}
		}
		said, _ := os.ReadFile(filepath.Join(c.dir, "log"))
		t.Fatalf("PostgreSQL does not start: %v\n%s", err, said[max(0, len(said)-4000):])
	}
}

// stop sends a signal to the server and waits until it has ended: SIGINT ends it in order, SIGQUIT at once, SIGKILL as a crash does.
func (c *cluster) stop(sig syscall.Signal) {
	c.server.Process.Signal(sig)
	<-c.ended
}

// db opens a database.
func (c *cluster) db(t testing.TB, name string, notices *ledger.Notices) *sql.DB {
	t.Helper()
	return openPostgres(t, c.url(name), notices)
}

func (c *cluster) url(name string) string {
	return fmt.Sprintf("host=%s user=courtseal dbname=%s", c.dir, name)
}

func openPostgres(t testing.TB, url string, notices *ledger.Notices) *sql.DB {
	t.Helper()
	db, err := connect(url, notices)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func connect(url string, notices *ledger.Notices) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if notices != nil {
		config.OnNotice = func(c *pgconn.PgConn, n *pgconn.Notice) { notices.Add(c.PID(), n.Code) }
	}
	return stdlib.OpenDB(*config), nil
}

var databases atomic.Int64

// store makes a database.
func (c *cluster) store(t testing.TB) ledgertest.Store {
	t.Helper()
	name := fmt.Sprintf("test%d", databases.Add(1))
	admin := c.db(t, "postgres", nil)
	defer admin.Close()
	if _, err := admin.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	notices := new(ledger.Notices)
	return ledgertest.Store{Dialect: ledger.Postgres, Notices: notices, Open: func(t testing.TB) *sql.DB { return c.db(t, name, notices) }}
}
