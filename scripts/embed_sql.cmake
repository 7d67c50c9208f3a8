# Writes sql_files.h and sql_files.c from the .sql files of SOURCE_DIR into OUTPUT_DIR.
#
# sql/session_lock.sql becomes SQL_SESSION_LOCK, an index into sql_files[]; migrations/0001_x.sql become sql_migrations[].

function(c_string path ret_text)
    file(READ ${path} text)
    string(REPLACE "\\" "\\\\" text "${text}")
    string(REPLACE "\"" "\\\"" text "${text}")
    string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
    set(${ret_text} "\"${text}\"" PARENT_SCOPE)
endfunction()

file(GLOB statements ${SOURCE_DIR}/*.sql)
file(GLOB migrations ${SOURCE_DIR}/migrations/*.sql)
list(SORT statements)
list(SORT migrations)

set(enum "")
set(table "")
foreach(path IN LISTS statements)
    get_filename_component(name ${path} NAME_WE)
    string(TOUPPER ${name} upper)
    c_string(${path} text)
    string(APPEND enum "    SQL_${upper},\n")
    string(APPEND table "    [SQL_${upper}] = {\"${name}\",\n    ${text}},\n")
endforeach()

set(steps "")
list(LENGTH migrations migration_count)
foreach(path IN LISTS migrations)
    get_filename_component(name ${path} NAME_WE)
    c_string(${path} text)
    string(APPEND steps "    {\"${name}\",\n    ${text}},\n")
endforeach()

file(MAKE_DIRECTORY ${OUTPUT_DIR})
file(WRITE ${OUTPUT_DIR}/sql_files.h
"/* Generated from worker/repository/sql by scripts/embed_sql.cmake. */
#ifndef WORKER_REPOSITORY_SQL_FILES_H
#define WORKER_REPOSITORY_SQL_FILES_H

typedef enum SqlId {
${enum}    SQL_COUNT,
} SqlId;

enum {
    SQL_MIGRATION_COUNT = ${migration_count},
};

typedef struct SqlFile {
    const char *name;
    const char *text;
} SqlFile;

extern const SqlFile sql_files[SQL_COUNT];
extern const SqlFile sql_migrations[SQL_MIGRATION_COUNT];

#endif
")
file(WRITE ${OUTPUT_DIR}/sql_files.c
"/* Generated from worker/repository/sql by scripts/embed_sql.cmake. */
#include \"worker/repository/sql_files.h\"

const SqlFile sql_files[SQL_COUNT] = {
${table}};

const SqlFile sql_migrations[SQL_MIGRATION_COUNT] = {
${steps}};
")
