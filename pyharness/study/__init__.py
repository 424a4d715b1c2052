# SPDX-License-Identifier: BSD-3-Clause
"""Studies: many jobs from one file, their results in a store, on one machine or a cluster."""
