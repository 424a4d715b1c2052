// SPDX-License-Identifier: BSD-3-Clause
// Prints the state after CLOCKS clocks.
`timescale 1ns / 1ps
`default_nettype none
module lfsr_main #(
    parameter integer CLOCKS = 1
);
    reg clk = 1'b0;
    reg rst = 1'b1;
    wire [7:0] state;
    lfsr dut (.clk(clk), .rst(rst), .state(state));
    always #5 clk = ~clk;
    initial begin
        @(negedge clk) rst = 1'b0;
        repeat (CLOCKS) @(negedge clk);
        $display("state %0d", state);
        $finish;
    end
endmodule
`default_nettype wire
