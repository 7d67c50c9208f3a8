#include "common/pg/pg_conn.h"

#include "common/clock.h"
#include "common/pg/pg_sqlstate.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    DEFAULTS_MAX = 12,
    CONNECT_TIMEOUT_MIN_S = 2, /* libpq takes 1 as 2 */
    LINE_BYTES = 512,
    COPY_CHUNK_BYTES = 64 * 1024,
};

typedef struct Rows {
    const char *bytes;
    size_t size;
} Rows;

struct PgConn {
    PGconn *pg; /* NULL once lost */
    int call_timeout_ms;
    bool warned;
    const Rows *rows; /* of the COPY under way; NULL = there is none */
};

/* What is handed to libpq beside the DSN; later keywords win over earlier ones. */
typedef struct ConnectParams {
    const char *keywords[DEFAULTS_MAX];
    const char *values[DEFAULTS_MAX];
    size_t count;
} ConnectParams;

static void
params_add(ConnectParams *params, const char *keyword, const char *value)
{
    params->keywords[params->count] = keyword;
    params->values[params->count++] = value;
}

static bool
is_set(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
        if (strcmp(option->keyword, keyword) != 0)
            continue;
        return option->val != NULL || (option->envvar != NULL && getenv(option->envvar) != NULL);
    }
    return false;
}

/* A service file may hold any of these, and libpq shows it only by connecting; so it is left its
 * say. */
static void
params_add_defaults(ConnectParams *params, const PQconninfoOption *options,
                    const char *connect_timeout)
{
    static const char *const defaults[][2] = {
        {"keepalives", "1"},       {"keepalives_idle", "10"},     {"keepalives_interval", "5"},
        {"keepalives_count", "3"}, {"tcp_user_timeout", "20000"},
    };
    if (is_set(options, "service"))
        return;
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
        if (!is_set(options, defaults[i][0]))
            params_add(params, defaults[i][0], defaults[i][1]);
    }
    if (!is_set(options, "connect_timeout"))
        params_add(params, "connect_timeout", connect_timeout);
}

/* The first line alone, without what libpq adds for a terminal. */
static const char *
first_line(const char *message, char line[LINE_BYTES])
{
    (void)snprintf(line, LINE_BYTES, "%.*s", (int)strcspn(message, "\n"), message);
    return line[0] != '\0' ? line : "the connection is lost";
}

static bool
lose(PgConn *conn, Error *err, const char *reason)
{
    error_set(err, REASON_CONNECTION_LOST, "%s", reason);
    PQfinish(conn->pg);
    conn->pg = NULL;
    return false;
}

static void
note_warning(void *argument, const PGresult *notice)
{
    PgConn *conn = argument;
    const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity != NULL && strcmp(severity, "WARNING") == 0)
        conn->warned = true;
}

static PGconn *
connect_with_defaults(const PgConnSettings *settings, const PQconninfoOption *options)
{
    ConnectParams params = {0};
    char connect_timeout[16];
    const int seconds = (settings->connect_timeout_ms + 999) / 1000;
    (void)snprintf(connect_timeout, sizeof(connect_timeout), "%d",
                   seconds < CONNECT_TIMEOUT_MIN_S ? CONNECT_TIMEOUT_MIN_S : seconds);
    params_add(&params, "dbname", settings->dsn);
    params_add_defaults(&params, options, connect_timeout);
    if (settings->application_name != NULL)
        params_add(&params, "fallback_application_name", settings->application_name);
    params_add(&params, "client_encoding", "UTF8");
    params_add(&params, NULL, NULL);
    return PQconnectdbParams(params.keywords, params.values, 1);
}

/* Under client_encoding UTF8 such a server would refuse to show, and to be told, the bytes that its
 * own columns hold. */
static bool
adapt_encoding(PGconn *pg)
{
    const char *encoding = PQparameterStatus(pg, "server_encoding");
    return encoding == NULL || strcmp(encoding, "SQL_ASCII") != 0 ||
           PQsetClientEncoding(pg, "SQL_ASCII") == 0;
}

bool
pg_conn_open(const PgConnSettings *settings, PgConn **ret_conn, Error *err)
{
    PQconninfoOption *options = PQconninfoParse(settings->dsn, NULL);
    if (options == NULL)
        return error_set(err, REASON_CONNECTION_LOST,
                         "the dsn is not a conninfo string that libpq can read");
    PgConn *conn = calloc(1, sizeof(*conn));
    if (conn != NULL)
        conn->pg = connect_with_defaults(settings, options);
    PQconninfoFree(options);
    if (conn == NULL || conn->pg == NULL) {
        pg_conn_free(conn);
        return error_out_of_memory(err);
    }
    if (PQstatus(conn->pg) != CONNECTION_OK || !adapt_encoding(conn->pg) ||
        PQsetnonblocking(conn->pg, 1) != 0) {
        char line[LINE_BYTES];
        lose(conn, err, first_line(PQerrorMessage(conn->pg), line));
        pg_conn_free(conn);
        return false;
    }
    conn->call_timeout_ms = settings->call_timeout_ms;
    PQsetNoticeReceiver(conn->pg, note_warning, conn);
    *ret_conn = conn;
    return true;
}

void
pg_conn_free(PgConn *conn)
{
    if (conn == NULL)
        return;
    PQfinish(conn->pg);
    free(conn);
}

void
pg_conn_set_call_timeout(PgConn *conn, int timeout_ms)
{
    conn->call_timeout_ms = timeout_ms;
}

bool
pg_conn_is_lost(const PgConn *conn)
{
    return conn->pg == NULL;
}

bool
pg_conn_in_transaction(const PgConn *conn)
{
    return conn->pg != NULL && PQtransactionStatus(conn->pg) != PQTRANS_IDLE;
}

bool
pg_conn_was_warned(const PgConn *conn)
{
    return conn->warned;
}

const char *
pg_conn_user(const PgConn *conn)
{
    const char *user = conn->pg != NULL ? PQuser(conn->pg) : NULL;
    return user != NULL ? user : "";
}

int
pg_conn_server_version(const PgConn *conn)
{
    return conn->pg != NULL ? PQserverVersion(conn->pg) : 0;
}

/* Waits until the socket can be read (or written, when `write` is asked for). */
static bool
wait_socket(PgConn *conn, bool write, int64_t deadline_ms, Error *err)
{
    for (;;) {
        const int64_t left_ms = deadline_ms - clock_monotonic_ms(clock_system());
        struct pollfd socket = {.fd = PQsocket(conn->pg),
                                .events = (short)(POLLIN | (write ? POLLOUT : 0))};
        if (left_ms <= 0)
            return lose(conn, err, "no answer within the time allowed");
        const int ready = poll(&socket, 1, (int)left_ms);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return lose(conn, err, "waiting for the server's answer failed");
    }
}

/* Sends what is left and reads until a result is there; after a broken read PQgetResult says why.
 */
static bool
wait_result(PgConn *conn, int64_t deadline_ms, Error *err)
{
    for (;;) {
        const int unsent = PQflush(conn->pg);
        if (unsent < 0 || (unsent == 0 && !PQisBusy(conn->pg)))
            return true;
        if (!wait_socket(conn, unsent > 0, deadline_ms, err))
            return false;
        if (!PQconsumeInput(conn->pg))
            return true;
    }
}

static bool
fill_error(PgConn *conn, const PGresult *result, Error *err)
{
    char line[LINE_BYTES];
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    if (pg_sqlstate_is_out_of_ids(sqlstate, function))
        return error_set_sqlstate(err, REASON_RESOURCES_SHORT, sqlstate, "%s",
                                  primary != NULL ? primary : "no transaction ids are left");
    const PgReport report = {
        .sqlstate = sqlstate,
        .message = primary != NULL ? primary : first_line(PQerrorMessage(conn->pg), line),
        .context = PQresultErrorField(result, PG_DIAG_CONTEXT),
        .connected = PQstatus(conn->pg) == CONNECTION_OK,
        .copies = conn->rows != NULL,
    };
    if (pg_sqlstate_fill(err, &report)) {
        PQfinish(conn->pg);
        conn->pg = NULL;
    }
    return false;
}

static bool
is_success(const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* What libpq answered to more of a COPY: 0 = its buffer is full, which the socket has to empty. */
static bool
copy_goes_on(PgConn *conn, int answer, int64_t deadline_ms, Error *err)
{
    char line[LINE_BYTES];
    if (answer == 0 && !wait_socket(conn, true, deadline_ms, err))
        return false;
    return (answer >= 0 && (answer > 0 || PQconsumeInput(conn->pg))) ||
           lose(conn, err, first_line(PQerrorMessage(conn->pg), line));
}

/* Sends the rows that the server has asked for. It reads them to their end also when it has refused
 * one of them. */
static bool
send_rows(PgConn *conn, int64_t deadline_ms, Error *err)
{
    static const Rows none = {"", 0};
    const Rows *rows = conn->rows != NULL ? conn->rows : &none;
    const char *refusal = conn->rows != NULL ? NULL : "there are no rows";
    int answer;
    for (size_t sent = 0; sent < rows->size;) {
        const size_t left = rows->size - sent;
        const size_t size = left < COPY_CHUNK_BYTES ? left : COPY_CHUNK_BYTES;
        answer = PQputCopyData(conn->pg, rows->bytes + sent, (int)size);
        if (!copy_goes_on(conn, answer, deadline_ms, err))
            return false;
        sent += answer > 0 ? size : 0;
    }
    do {
        answer = PQputCopyEnd(conn->pg, refusal);
        if (!copy_goes_on(conn, answer, deadline_ms, err))
            return false;
    } while (answer == 0);
    return true;
}

/* Reads all results of what was sent; the last one is the answer unless one of them is an error. */
static bool
read_results(PgConn *conn, bool sent, PGresult **ret_result, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *answer = NULL;
    char line[LINE_BYTES];
    const int64_t deadline_ms = clock_monotonic_ms(clock_system()) + conn->call_timeout_ms;
    while (sent) {
        if (!wait_result(conn, deadline_ms, err))
            return false;
        PGresult *result = PQgetResult(conn->pg);
        if (result == NULL)
            break;
        if (PQresultStatus(result) == PGRES_COPY_IN) {
            PQclear(result);
            if (!send_rows(conn, deadline_ms, err))
                return false;
            continue;
        }
        if (answer == NULL || is_success(answer)) {
            PQclear(answer);
            answer = result;
        } else {
            PQclear(result);
        }
    }
    if (answer == NULL)
        return lose(conn, err, first_line(PQerrorMessage(conn->pg), line));
    if (!is_success(answer))
        return fill_error(conn, answer, err);
    *ret_result = answer;
    answer = NULL;
    return true;
}

static bool
begin_call(PgConn *conn, Error *err)
{
    conn->warned = false;
    conn->rows = NULL;
    return conn->pg != NULL || error_set(err, REASON_CONNECTION_LOST, "the connection is lost");
}

bool
pg_conn_exec(PgConn *conn, const char *sql, PGresult **ret_result, Error *err)
{
    return begin_call(conn, err) &&
           read_results(conn, PQsendQuery(conn->pg, sql) == 1, ret_result, err);
}

bool
pg_conn_exec_params(PgConn *conn, const char *sql, const PgParam *params, size_t count,
                    PGresult **ret_result, Error *err)
{
    PgWire wire;
    return begin_call(conn, err) && pg_wire_fill(&wire, params, count, err) &&
           read_results(conn,
                        PQsendQueryParams(conn->pg, sql, (int)count, NULL, wire.values,
                                          wire.lengths, wire.formats, 0) == 1,
                        ret_result, err);
}

bool
pg_conn_prepare(PgConn *conn, const char *name, const char *sql, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    return begin_call(conn, err) &&
           read_results(conn, PQsendPrepare(conn->pg, name, sql, 0, NULL) == 1, &result, err);
}

bool
pg_conn_exec_prepared(PgConn *conn, const char *name, const PgParam *params, size_t count,
                      PGresult **ret_result, Error *err)
{
    PgWire wire;
    return begin_call(conn, err) && pg_wire_fill(&wire, params, count, err) &&
           read_results(conn,
                        PQsendQueryPrepared(conn->pg, name, (int)count, wire.values, wire.lengths,
                                            wire.formats, 0) == 1,
                        ret_result, err);
}

bool
pg_conn_copy_in(PgConn *conn, const char *sql, PgCopy *copy, Error *err)
{
    CLEANUP(pg_result_freep) PGresult *result = NULL;
    Rows rows;
    if (!begin_call(conn, err) || !pg_copy_bytes(copy, &rows.bytes, &rows.size, err))
        return false;
    conn->rows = &rows;
    const bool copied = read_results(conn, PQsendQuery(conn->pg, sql) == 1, &result, err);
    conn->rows = NULL;
    return copied;
}
