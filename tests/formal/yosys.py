# SPDX-License-Identifier: BSD-3-Clause
"""Yosys from the pyosys wheel as the command that sby calls: ``yosys.py -ql LOG SCRIPT``.

It starts at once and brings ABC; the WebAssembly build that comes with sby first compiles itself for more than a minute.
"""

import os
import sys

from pyosys import libyosys


def main() -> None:
    """Run a script of Yosys with its output in a file; Yosys itself ends the process with 1 on an error."""
    if len(sys.argv) != 4 or sys.argv[1] != "-ql":
        sys.exit("usage: yosys.py -ql LOG SCRIPT")
    log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    libyosys.run_pass(f"script {sys.argv[3]}")


if __name__ == "__main__":
    main()
