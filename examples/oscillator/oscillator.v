// SPDX-License-Identifier: BSD-3-Clause
// A relaxation oscillator: a flip-flop drives an RC and turns over when the comparator does.
`timescale 1ns / 1ps

module rc_shell (input wire drive, output reg high);
    reg bridge_event = 1'b0;
endmodule

module oscillator;
    reg  drive = 1'b1;
    wire high;
    rc_shell u_rc (.drive(drive), .high(high));
    always @(high) drive <= ~high;
endmodule
