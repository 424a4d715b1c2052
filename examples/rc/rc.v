// SPDX-License-Identifier: BSD-3-Clause
// The shell has the names of the circuit's nodes for ports; what it drives is a register that nothing else assigns.
`timescale 1ns / 1ps

module rc_shell (input wire drive, output reg sense);
    reg bridge_event = 1'b0;
endmodule

module rc;
    reg  drive = 1'b0;
    wire sense;
    rc_shell u_rc (.drive(drive), .sense(sense));
endmodule
