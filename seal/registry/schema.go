package registry

import (
	"fmt"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/audit/ledger"
)

// A table is a projection: what the entries of the ledger come to. BYTES stands for the database's type of octets.
type table struct {
	name    string
	columns string // of CREATE TABLE, primary key included
	indexes []string
}

// projections are all tables of the books. Whatever is here can be filled again from the ledger.
var projections = slices.Concat(peopleTables, deviceTables, appTables, credentialTables, sealTables, holderTables, correctTables,
	controlTables, grantTables, delegationTables, useTables, offlineTables, requestTables)

// rules are all operations.
var rules = slices.Concat(peopleRules, deviceRules, appRules, credentialRules, sealRules, holderRules, importRules, correctRules, redactRules,
	controlRules, grantRules, delegationRules, useRules, offlineRules)

// createTables makes the tables under the state's prefix.
func (s *state) createTables() error {
	for _, t := range projections {
		if err := s.create(t); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) create(t table) error {
	octets := "BLOB"
	if s.tx.Dialect() == ledger.Postgres {
		octets = "BYTEA"
	}
	if err := s.exec(fmt.Sprintf(`CREATE TABLE @%s (%s)`, t.name, strings.ReplaceAll(t.columns, "BYTES", octets))); err != nil {
		return err
	}
	for i, columns := range t.indexes {
		if err := s.exec(fmt.Sprintf(`CREATE INDEX @%s_%d ON @%s (%s)`, t.name, i, t.name, columns)); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) dropTables() error {
	for _, t := range projections {
		if err := s.exec(`DROP TABLE IF EXISTS @` + t.name); err != nil {
			return err
		}
	}
	return nil
}
