#include "worker/cli/signals.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

int
signals_open(Error *err)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP); /* a terminal that closes; nohup still ignores it */
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    const int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        (void)error_set(err, REASON_SIGNALS, "watch for signals: %s", strerror(errno));
    return fd;
}

bool
signals_arrived(int signal_fd)
{
    struct pollfd readable = {.fd = signal_fd, .events = POLLIN, .revents = 0};
    return poll(&readable, 1, 0) > 0;
}

bool
signals_arrived_at(void *signal_fd)
{
    return signals_arrived(*(const int *)signal_fd);
}
