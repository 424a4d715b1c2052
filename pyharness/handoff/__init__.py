# SPDX-License-Identifier: BSD-3-Clause
"""The archive for chip designers: what is in it, how it is packed, how a receiver verifies it."""
