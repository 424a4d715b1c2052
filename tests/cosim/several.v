// SPDX-License-Identifier: BSD-3-Clause
// Two shells of one kind beside each other, and one of another.
`timescale 1ns / 1ps
`default_nettype none
module pair_shell (
    input  wire       drive,
    input  wire [1:0] phase,
    output reg        sense
);
    reg bridge_event = 1'b0;
endmodule

module several_top;
    reg       left = 1'b0, right = 1'b0;
    reg [1:0] left_phase = 2'd0, right_phase = 2'd0;
    wire      left_sense, right_sense;
    pair_shell u_left  (.drive(left), .phase(left_phase), .sense(left_sense));
    pair_shell u_right (.drive(right), .phase(right_phase), .sense(right_sense));
endmodule
`default_nettype wire
