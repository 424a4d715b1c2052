// SPDX-License-Identifier: BSD-3-Clause
// An eight-bit shift register with linear feedback of maximal length: every bit of its state tells of all clocks before.
`timescale 1ns / 1ps
`default_nettype none
module lfsr (
    input wire clk,
    input wire rst,
    output reg [7:0] state
);
    always @(posedge clk) state <= rst ? 8'd1 : {state[6:0], state[7] ^ state[5] ^ state[4] ^ state[3]};
endmodule
`default_nettype wire
