package ledger

import (
	"context"
	"database/sql"
	"strings"
)

// maxPrepared is how many statements are kept compiled.
const maxPrepared = 256

// prepared are statements that the writer's connection keeps compiled. SQLite compiles each statement anew otherwise, which takes longer
// than to run it; drivers of PostgreSQL see to that themselves.
type prepared map[string]*sql.Stmt

// get is the statement of a query, nil where it is to be run as it is: one that changes the schema or has several statements, and any
// beyond the most that are kept.
func (p prepared) get(ctx context.Context, conn *sql.Conn, query string) *sql.Stmt {
	if s := p[query]; s != nil || len(p) >= maxPrepared {
		return s
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	switch strings.ToUpper(verb) {
	case "SELECT", "INSERT", "UPDATE", "DELETE":
	default:
		return nil
	}
	if strings.Contains(query, ";") {
		return nil
	}
	s, err := conn.PrepareContext(ctx, query)
	if err != nil {
		return nil // to run it tells why
	}
	p[query] = s
	return s
}

// close ends the statements. SQLite keeps a connection that has any open, and with it a transaction and its lock.
func (p prepared) close() {
	for _, s := range p {
		s.Close()
	}
}

// statement is the compiled statement of a query, unless rows of it are open, which it would take away; or nil.
func (tx *Tx) statement(query string) *sql.Stmt {
	if tx.b == nil || tx.l.o.Dialect != SQLite {
		return nil
	}
	if rows := tx.open[query]; rows != nil {
		if _, err := rows.Columns(); err == nil { // they are not closed
			return nil
		}
		delete(tx.open, query)
	}
	return tx.l.prepared.get(tx.ctx, tx.q, query)
}
