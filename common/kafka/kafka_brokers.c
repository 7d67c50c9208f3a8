#include "common/kafka/kafka_brokers.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PORT_MAX = 65535 };

static bool
reject(const char *broker, size_t length, const char *what, Error *err)
{
    return error_set(err, REASON_CONFIG, "holds \"%.*s\", %s", length < 80 ? (int)length : 80,
                     broker, what);
}

/* The length of a security protocol with "://", 0 where there is none. */
static size_t
protocol_length(const char *broker)
{
    static const char *const protocols[] = {"plaintext://", "ssl://", "sasl_plaintext://",
                                            "sasl_ssl://"};
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
        const size_t length = strlen(protocols[i]);
        if (strncasecmp(broker, protocols[i], length) == 0)
            return length;
    }
    return 0;
}

/* The length of the host, brackets included; 0 where it is none. */
static size_t
host_length(const char *text, size_t length)
{
    size_t end = 0;
    if (length > 0 && text[0] == '[') {
        end = 1 + strspn(text + 1, "0123456789abcdefABCDEF:.%");
        return end > 1 && end < length && text[end] == ']' ? end + 1 : 0;
    }
    while (end < length && (isalnum((unsigned char)text[end]) || text[end] == '-' ||
                            text[end] == '.' || text[end] == '_'))
        end++;
    return end;
}

static bool
is_port(const char *text, size_t length)
{
    long port = 0;
    for (size_t i = 0; i < length; i++) {
        if (!isdigit((unsigned char)text[i]) || port > PORT_MAX)
            return false;
        port = port * 10 + (text[i] - '0');
    }
    return port >= 1 && port <= PORT_MAX;
}

static bool
check_broker(const char *broker, size_t length, Error *err)
{
    const char *const scheme = memchr(broker, '/', length);
    const size_t protocol = protocol_length(broker);
    if (scheme != NULL && protocol == 0)
        return reject(broker, length, "but a broker is host:port, without http:// or a path", err);
    const char *const host = broker + protocol;
    const size_t rest = length - protocol;
    const size_t host_end = host_length(host, rest);
    if (host_end == 0 || (host_end < rest && host[host_end] != ':'))
        return reject(broker, length, "but a broker is host:port ([IPv6]:port)", err);
    if (host_end < rest && !is_port(host + host_end + 1, rest - host_end - 1))
        return reject(broker, length, "but a broker's port is a number from 1 to 65535", err);
    return true;
}

bool
kafka_brokers_check(const char *brokers, Error *err)
{
    static const char blanks[] = ", ";
    size_t count = 0;
    for (const char *at = brokers + strspn(brokers, blanks); *at != '\0';
         at += strspn(at, blanks)) {
        const size_t length = strcspn(at, blanks);
        if (!check_broker(at, length, err))
            return false;
        at += length;
        count++;
    }
    return count > 0 || error_set(err, REASON_CONFIG, "names no broker");
}
