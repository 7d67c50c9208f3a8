package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/twmb/franz-go/pkg/kgo"
)

const setCommands = 500

//go:embed inbox.sql
var inboxSQL string

//go:embed set.sql
var setSQL string

const knownSQL = `SELECT command_id, result::text FROM peer_inbox WHERE command_id = ANY ($1::text[])`

type command struct {
	ID     string `json:"command_id"`
	Params struct {
		UserID string `json:"user_id"`
	} `json:"params"`
}

type database struct {
	conn  *pgx.Conn
	ids   []string
	users []pgtype.UUID
}

// openDatabase keeps the planner to index scans: it cannot know how few rows an array will touch.
func openDatabase(ctx context.Context) (*database, error) {
	config, err := pgx.ParseConfig(os.Getenv("CLEANUP_POSTGRES_DSN"))
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["plan_cache_mode"] = "force_generic_plan"
	config.RuntimeParams["enable_seqscan"] = "off"
	config.RuntimeParams["jit"] = "off"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &database{conn: conn}, nil
}

func (d *database) close() {
	d.conn.Close(context.Background())
}

func (d *database) parse(records []*kgo.Record) error {
	d.ids, d.users = d.ids[:0], d.users[:0]
	for _, record := range records {
		var one command
		var user pgtype.UUID
		if err := json.Unmarshal(record.Value, &one); err != nil {
			return err
		}
		if err := user.Scan(one.Params.UserID); err != nil {
			return fmt.Errorf("command %s: %w", one.ID, err)
		}
		d.ids = append(d.ids, one.ID)
		d.users = append(d.users, user)
	}
	return nil
}

// cleanUp executes a set in a transaction of its own and returns the result of each command by its id. Those that
// the inbox knew before have changed nothing; their results are read from it.
func (d *database) cleanUp(ctx context.Context, records []*kgo.Record) (map[string][]byte, error) {
	if err := d.parse(records); err != nil {
		return nil, err
	}
	results := make(map[string][]byte, len(records))
	if err := d.collect(ctx, results, setSQL, d.ids, d.users); err != nil {
		return nil, err
	}
	if len(results) == len(records) {
		return results, nil
	}
	return results, d.collect(ctx, results, knownSQL, d.ids)
}

func (d *database) collect(ctx context.Context, results map[string][]byte, sql string, arguments ...any) error {
	var id string
	var result []byte
	rows, err := d.conn.Query(ctx, sql, arguments...)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, []any{&id, &result}, func() error {
		results[id] = result
		return nil
	})
	return err
}
