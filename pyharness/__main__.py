# SPDX-License-Identifier: BSD-3-Clause
"""``python -m pyharness``."""

from pyharness.cli import main

main()
