/*
 * commands: the subcommands of cleanup-worker. argv[0] is the subcommand's name; returns the exit
 * code (CliExit).
 *
 * Threads: the main thread, once a process.
 */
#ifndef WORKER_CLI_COMMANDS_H
#define WORKER_CLI_COMMANDS_H

int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_migrate(int argc, char **argv);
int command_send(int argc, char **argv);
int command_watch(int argc, char **argv);
int command_options(int argc, char **argv);
int command_dev_broker(int argc, char **argv);

#endif
