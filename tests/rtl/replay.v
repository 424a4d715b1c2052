// SPDX-License-Identifier: BSD-3-Clause
// Plays the inputs of recorded traces on the controller again and compares its outputs on every clock.
// replay.txt: lines as in a trace, with the number of clocks in front.  The last word on standard output tells the result.
`timescale 1ns / 1ps
`default_nettype none

module replay #(
    parameter L1_ROWS = 3,
    parameter L1_COLS = 2,
    parameter L2_ROWS = 2,
    parameter L2_COLS = 2,
    parameter MAX_PULSE_CYCLES = 13
);
    reg         clk_i = 0, rst_ni = 1;
    reg  [15:0] s_axil_awaddr = 0, s_axil_araddr = 0;
    reg         s_axil_awvalid = 0, s_axil_wvalid = 0, s_axil_bready = 0, s_axil_arvalid = 0, s_axil_rready = 0;
    reg  [31:0] s_axil_wdata = 0;
    reg  [3:0]  s_axil_wstrb = 0;
    wire        s_axil_awready, s_axil_wready, s_axil_bvalid, s_axil_arready, s_axil_rvalid, irq_o;
    wire [1:0]  s_axil_bresp, s_axil_rresp;
    wire [31:0] s_axil_rdata;
    reg  [L1_COLS+L2_COLS-1:0] cmp = 0;

    `include "observed.vh"

    reg [INPUTS_W-1:0]  inputs;
    reg [OUTPUTS_W-1:0] expected;
    reg [63:0] states;
    integer file, got, count, clock;

    initial begin
        file = $fopen("replay.txt", "r");
        if (file == 0) $fatal(1, "replay.txt cannot be read");
        clock = 0;
        got = $fscanf(file, "%h %h %h %h", count, inputs, expected, states);
        while (got == 4) begin
            {
                rst_ni, s_axil_awvalid, s_axil_awaddr, s_axil_wvalid, s_axil_wdata, s_axil_wstrb, s_axil_bready,
                s_axil_arvalid, s_axil_araddr, s_axil_rready, cmp
            } = inputs;
            while (count > 0) begin
                #5;
                if (outputs !== expected) begin
                    $display("clock %0d: outputs %h instead of %h", clock, outputs, expected);
                    $display("DIFFERS");
                    $finish;
                    #1;  // what the end of this time step would still do does not matter
                    count = 0;
                end
                clk_i = 1;
                #5 clk_i = 0;
                clock = clock + 1;
                count = count - 1;
            end
            got = $fscanf(file, "%h %h %h %h", count, inputs, expected, states);
        end
        $display("%0d clocks", clock);
        $display("AGREES");
        $finish;
    end
endmodule
`default_nettype wire
