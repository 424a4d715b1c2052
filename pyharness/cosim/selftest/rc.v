// SPDX-License-Identifier: BSD-3-Clause
// A logic pin drives an RC low-pass; its output comes back through a comparator.
`timescale 1ns / 1ps
`default_nettype none
module rc_shell (
    input wire drive,
    output reg sense
);
    reg bridge_event = 1'b0;
endmodule

module rc_top;
    reg drive = 1'b0;
    wire sense;
    reg clk = 1'b0;
    reg fast = 1'b0;
    always #5 if (fast) clk = ~clk;
    rc_shell u_rc (.drive(drive), .sense(sense));
endmodule
`default_nettype wire
