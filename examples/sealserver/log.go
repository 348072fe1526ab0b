package main

import (
	"fmt"
	"net/http"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/seal/registry"
)

// The ledger stands under /log as C2SP tlog-tiles has it. Checkpoint and hashes tell nothing of what is in it and are for
// everyone, witnesses above all; entries are for auditors.

func checkpoint(c *call) error {
	note, err := c.server.books.log.Checkpoint(c.Context())
	if err != nil {
		return err
	}
	c.Header().Set("Cache-Control", "no-cache")
	return c.send(http.StatusOK, "text/plain; charset=utf-8", note)
}

// logKeys shows the ledger's keys, one a line. Who audits notes them at the beginning, from somewhere that the server cannot change.
func logKeys(c *call) error {
	var text []byte
	for _, v := range c.server.books.verifiers {
		text = fmt.Appendln(text, v)
	}
	return c.send(http.StatusOK, "text/plain; charset=utf-8", text)
}

func hashTile(c *call) error {
	return tile(c, fmt.Sprintf("tile/%s/%s", c.PathValue("level"), c.PathValue("path")))
}

func entryTile(c *call) error {
	audits, err := c.server.books.Holds(c.Context(), c.by.Person, "", registry.Auditor)
	if err != nil {
		return err
	}
	if !audits {
		return fmt.Errorf("%w: entries are for auditors of the whole province", errWho)
	}
	return tile(c, "tile/entries/"+c.PathValue("path"))
}

func tile(c *call, path string) error {
	id, err := audit.ParseTilePath(path)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoRoute, err)
	}
	b, err := c.server.books.log.Tile(c.Context(), id)
	if err != nil {
		return err
	}
	c.Header().Set("Cache-Control", "max-age=31536000, immutable") // what a log has once, it has for good
	return c.send(http.StatusOK, "application/octet-stream", b)
}
