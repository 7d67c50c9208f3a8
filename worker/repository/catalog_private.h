/*
 * catalog_private: what the files of catalog share.
 *
 * Threads: that of the Database.
 */
#ifndef WORKER_REPOSITORY_CATALOG_PRIVATE_H
#define WORKER_REPOSITORY_CATALOG_PRIVATE_H

#include "worker/repository/catalog.h"
#include "worker/repository/database_private.h"

/* A walk under way. Its arrays are in the Database's arena. */
typedef struct CatalogLook {
    Database *database;
    Findings *findings;
    PgArray tables;     /* oids in the order of DatabaseTable; NULL = no such table */
    PgArray references; /* oids of the tables in tables.session_references */
    char *messages;     /* oid, in the arena */
    char *bookings;
    size_t unknown;        /* tables that are not there */
    PgArray senders;       /* of the newest rows; none where they cannot be read */
    PgArray statuses;      /* the same of bookings */
    PgArray column_tables; /* the columns the worker needs */
    PgArray column_names;
    PgArray column_kinds;
} CatalogLook;

/* Looks the names up; a finding for each that is not there. */
bool catalog_look_names(CatalogLook *look, Error *err) MUST_CHECK;

/* Runs an SQL file that returns findings and adds them; *ret_count (or NULL) tells how many. */
bool catalog_look_findings(CatalogLook *look, SqlId sql, const PgParam *params, size_t count,
                           size_t *ret_count, Error *err) MUST_CHECK;

/* Adds the rows of a result that are findings. */
bool catalog_add_rows(Findings *findings, const PGresult *result, Error *err) MUST_CHECK;

/* Adds one that has no statement; `code` is one of the catalog's codes. */
bool catalog_add(Findings *findings, FindingLevel level, const char *code, const char *subject,
                 const char *what, Error *err) MUST_CHECK;

/* Plans the worker's own statements and finds the indexes they lack. In a transaction, with the
 * names of the tables resolved. */
bool catalog_look_indexes(CatalogLook *look, Error *err) MUST_CHECK;

/* After one that failed: outside of its transaction, or after the rollback to a savepoint. */
bool catalog_forget_plans(Database *database, Error *err) MUST_CHECK;

#endif
