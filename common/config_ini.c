/* The INI file. inih reads a line into a buffer of its own size, takes what does not fit as the
 * next line, and an indented line as more of the value above. Both would change values without a
 * word, so that lines reach it through read_line, which refuses the one and undoes the other. */
#include "common/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <string.h>

/* A key that was read, and where. */
typedef struct IniKey {
    char *name; /* "section.key" */
    int line;
} IniKey;

typedef struct IniFile {
    const Config *config;
    const char *path;
    FILE *stream;
    char *line; /* getline's */
    size_t line_size;
    int line_number;
    IniKey *keys;
    size_t key_count;
    bool failed;
    Error *err;
} IniFile;

static void
ini_file_done(IniFile *file)
{
    if (file->stream != NULL)
        (void)fclose(file->stream);
    free(file->line);
    for (size_t i = 0; i < file->key_count; i++)
        free(file->keys[i].name);
    free(file->keys);
}

/* Without indentation, line end and byte order mark; a comment counts as empty, however long. */
static char *
trim(IniFile *file, size_t length)
{
    static const char mark[] = "\xEF\xBB\xBF";
    char *text = file->line;
    char *end = text + length;
    if (file->line_number == 1 && strncmp(text, mark, strlen(mark)) == 0)
        text += strlen(mark);
    while (isspace((unsigned char)*text))
        text++;
    if (*text == ';' || *text == '#')
        *text = '\0';
    while (end > text && isspace((unsigned char)end[-1]))
        *--end = '\0';
    return text;
}

/* inih's reader: like fgets, NULL at the end. */
static char *
read_line(char *ret_line, int size, void *state)
{
    IniFile *file = state;
    if (file->failed)
        return NULL;
    const ssize_t length = getline(&file->line, &file->line_size, file->stream);
    if (length < 0)
        return NULL;
    file->line_number++;
    if (strlen(file->line) != (size_t)length) {
        file->failed = !error_set(file->err, REASON_CONFIG, "%s: line %d holds a NUL byte",
                                  file->path, file->line_number);
        return NULL;
    }
    const char *text = trim(file, (size_t)length);
    if (snprintf(ret_line, (size_t)size, "%s\n", text) >= size) {
        file->failed = !error_set(file->err, REASON_CONFIG,
                                  "%s: line %d is longer than %d characters; set its option in the "
                                  "environment or with -o",
                                  file->path, file->line_number, size - 2);
        return NULL;
    }
    return ret_line;
}

/* Fails when the file has this key already: one of the two lines would be without effect. */
static bool
note_key(IniFile *file, const char *section, const char *name)
{
    char key[512];
    (void)snprintf(key, sizeof(key), "%s.%s", section, name);
    for (size_t i = 0; i < file->key_count; i++) {
        if (strcmp(file->keys[i].name, key) == 0)
            return error_set(file->err, REASON_CONFIG,
                             "%s: %s stands in line %d and again in line %d", file->path, key,
                             file->keys[i].line, file->line_number);
    }
    IniKey *grown = realloc(file->keys, (file->key_count + 1) * sizeof(*grown));
    if (grown == NULL)
        return error_out_of_memory(file->err);
    file->keys = grown;
    char *copy = strdup(key);
    if (copy == NULL)
        return error_out_of_memory(file->err);
    file->keys[file->key_count++] = (IniKey){copy, file->line_number};
    return true;
}

/* inih's handler; it is always told that all is well, for a failure of ours has its own text. */
static int
take_entry(void *state, const char *section, const char *name, const char *value)
{
    IniFile *file = state;
    char origin[512];
    (void)snprintf(origin, sizeof(origin), "%s: line %d", file->path, file->line_number);
    if (file->failed)
        return 1;
    if (section[0] == '\0')
        file->failed = !error_set(file->err, REASON_CONFIG,
                                  "%s: an option stands before the first [section]", origin);
    else
        file->failed = !note_key(file, section, name) ||
                       !config_set(file->config, section, name, value, origin, file->err);
    return 1;
}

bool
config_read_file(const Config *config, const char *path, Error *err)
{
    CLEANUP(ini_file_done)
    IniFile file = {.config = config, .path = path, .stream = fopen(path, "re"), .err = err};
    if (file.stream == NULL)
        return error_set(err, REASON_CONFIG, "cannot read %s: %s", path, strerror(errno));
    errno = 0;
    const int faulty_line = ini_parse_stream(read_line, &file, take_entry, &file);
    const int cause = errno;
    if (faulty_line < 0)
        return error_out_of_memory(err);
    /* It stands above the line that failed, where reading ended. */
    if (faulty_line > 0)
        return error_set(err, REASON_CONFIG,
                         "%s: line %d is neither [section], key = value nor a comment", path,
                         faulty_line);
    if (file.failed)
        return false;
    if (ferror(file.stream) != 0)
        return error_set(err, REASON_CONFIG, "cannot read %s: %s", path, strerror(cause));
    if (feof(file.stream) == 0)
        return error_out_of_memory(err);
    return true;
}
