package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/examples/internal/database"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/verify"
)

// maxConns is how many connections to the database there are at most: PostgreSQL has a hundred as a rule, for all.
const maxConns = 32

// books are the registry, and what it stands on.
type books struct {
	*registry.Registry
	log     *ledger.Log
	db      *sql.DB
	devices []keydev.Device // of the ledger's keys

	verifiers []audit.Verifier // the public halves of these keys
}

// openBooks opens the registry of a directory, or, with first, founds it.
func openBooks(ctx context.Context, c config, dir string, now func() time.Time, first *registry.Found) (b *books, err error) {
	b = &books{}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	o := ledger.Options{Origin: c.Origin, Witness: ledger.FileWitness(within(dir, c.Witness)), Now: now}
	for _, k := range c.LogKeys {
		k = k.in(dir)
		key, device, err := keydev.OpenKey(ctx, k.URI, k.auth)
		if err != nil {
			return b, err
		}
		b.devices = append(b.devices, device)
		signer, err := audit.NewSigner(c.Origin, key)
		if err != nil {
			return b, err
		}
		o.Signers = append(o.Signers, signer)
		b.verifiers = append(b.verifiers, signer.Verifier())
	}
	var where ledger.Options
	if b.db, where, err = database.Open(cmp.Or(os.Getenv("COURTSEAL_DATABASE"), c.Database), dir, false); err != nil {
		return b, err
	}
	b.db.SetMaxOpenConns(maxConns)
	o.Dialect, o.Notices = where.Dialect, where.Notices
	open := ledger.Open
	if first != nil {
		open = ledger.Create
	}
	if b.log, err = open(ctx, b.db, o); err != nil {
		return b, err
	}
	if first != nil {
		b.Registry, err = registry.Create(ctx, b.log, registry.Options{Signers: o.Signers}, *first)
	} else {
		b.Registry, err = registry.Open(ctx, b.log, registry.Options{Signers: o.Signers})
	}
	return b, err
}

// close gives back all that is open.
func (b *books) close() error {
	var err error
	if b.log != nil {
		err = b.log.Close()
	}
	if b.db != nil {
		err = errors.Join(err, b.db.Close())
	}
	for _, d := range b.devices {
		err = errors.Join(err, d.Close())
	}
	return err
}

// alive asks the database for something that only a working one has.
func (b *books) alive(ctx context.Context) error {
	note, err := b.log.Checkpoint(ctx)
	if err != nil {
		return err
	}
	head, _, err := audit.OpenCheckpoint(note, b.verifiers...)
	if err != nil {
		return err
	}
	_, err = b.log.Entry(ctx, head.Size-1)
	return err
}

// logs are what verifying knows of ledgers: the keys of this one, and its tree.
func (b *books) logs() verify.Logs { return verify.Logs{Keys: b.verifiers} }
