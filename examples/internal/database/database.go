// Package database opens the databases that ledgers live in.
package database

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/courtseal/courtseal/audit/ledger"
)

// ErrName: a name is none of a database.
var ErrName = errors.New(`no database: it is "sqlite:FILE", or a URL "postgres://…"`)

// IsURL reports whether name is meant to be a database.
func IsURL(name string) bool {
	for _, scheme := range []string{"sqlite:", "postgres://", "postgresql://"} {
		if strings.HasPrefix(name, scheme) {
			return true
		}
	}
	return false
}

// Open opens a database: "sqlite:FILE", FILE below dir unless it is absolute, or a URL of PostgreSQL. What a ledger.Options says of the database is
// in the result. With there, SQLite does not make a file that is missing. No error has the URL in it, which may hold a password.
func Open(name, dir string, there bool) (*sql.DB, ledger.Options, error) {
	if file, ok := strings.CutPrefix(name, "sqlite:"); ok && file != "" {
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(file)}).EscapedPath()}
		if there {
			dsn.RawQuery = "mode=rw"
		}
		db, err := sql.Open("sqlite", dsn.String())
		return db, ledger.Options{Dialect: ledger.SQLite}, err
	}
	if !IsURL(name) || strings.HasPrefix(name, "sqlite:") {
		return nil, ledger.Options{}, ErrName
	}
	c, err := pgx.ParseConfig(name)
	if err != nil {
		return nil, ledger.Options{}, fmt.Errorf("%w: the URL cannot be read", ErrName)
	}
	notices := new(ledger.Notices)
	c.OnNotice = func(conn *pgconn.PgConn, n *pgconn.Notice) { notices.Add(conn.PID(), n.Code) }
	return stdlib.OpenDB(*c), ledger.Options{Dialect: ledger.Postgres, Notices: notices}, nil
}
