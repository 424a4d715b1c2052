# SPDX-License-Identifier: BSD-3-Clause
"""Quality suite of a memristor model: what must hold for it to be trusted in a circuit."""

from pyharness.qa.suite import Check, Subject, run_suite, shipped_subjects, subject_of, table_of, write_table

__all__ = ("Check", "Subject", "run_suite", "shipped_subjects", "subject_of", "table_of", "write_table")
