"""Owns the bench's command line. Needs nothing that must be installed first, so that --help and mistakes are answered at once."""
import argparse
import dataclasses
import pathlib

import sizes


def parse_arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures the worker against its targets.")
    parser.add_argument("--quick", action="store_true", help="small sizes and one run, to see that it works")
    parser.add_argument("--only", metavar="NAME[,NAME]", help="rows and tables to measure; --list names them")
    parser.add_argument("--list", action="store_true", help="name the rows and tables, and do nothing else")
    parser.add_argument("--runs", type=int, metavar="N", help="rounds (5, with --quick 1)")
    parser.add_argument("--rows", choices=["10m"], help="let the growing tables grow to ten million sessions (35 GB of disk)")
    parser.add_argument("--librdkafka", action="append", default=[], type=pathlib.Path, metavar="DIR",
                        help="folder of another librdkafka, as scripts/librdkafka prints it, to be shown beside the system's "
                             "in the table by_librdkafka; may be given again")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("build/bench.json"), metavar="FILE",
                        help="where all measures go; tests/bench/results/README.md describes it (build/bench.json)")
    parser.add_argument("--dir", default="/var/tmp", help="where the servers keep their files; not on a tmpfs (/var/tmp)")
    return parser.parse_args()


def pick_sizes(arguments):
    chosen = sizes.QUICK if arguments.quick else sizes.FULL
    if arguments.rows:
        chosen = dataclasses.replace(chosen, table_users=(*chosen.table_users, sizes.TEN_MILLION))
    return dataclasses.replace(chosen, runs=arguments.runs or chosen.runs)


if __name__ == "__main__":
    parse_arguments()
