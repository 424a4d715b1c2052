// SPDX-License-Identifier: BSD-3-Clause
// The controller on the scripted array; every change of what goes in and comes out is written to trace.txt:
//   clock (hex) inputs outputs states
// `states` holds states for the coverage; layout.py names the fields.  Payloads without their valid are written as 0.
`timescale 1ns / 1ps
`default_nettype none

module random_bench #(
    parameter L1_ROWS = 3,
    parameter L1_COLS = 2,
    parameter L2_ROWS = 2,
    parameter L2_COLS = 2,
    parameter MAX_PULSE_CYCLES = 40
) (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire [7:0]  episode_i,
    input  wire        stop_i,          // closes the trace
    input  wire [15:0] s_axil_awaddr,
    input  wire [2:0]  s_axil_awprot,
    input  wire        s_axil_awvalid,
    output wire        s_axil_awready,
    input  wire [31:0] s_axil_wdata,
    input  wire [3:0]  s_axil_wstrb,
    input  wire        s_axil_wvalid,
    output wire        s_axil_wready,
    output wire [1:0]  s_axil_bresp,
    output wire        s_axil_bvalid,
    input  wire        s_axil_bready,
    input  wire [15:0] s_axil_araddr,
    input  wire [2:0]  s_axil_arprot,
    input  wire        s_axil_arvalid,
    output wire        s_axil_arready,
    output wire [31:0] s_axil_rdata,
    output wire [1:0]  s_axil_rresp,
    output wire        s_axil_rvalid,
    input  wire        s_axil_rready,
    output wire        irq_o
);
    wire [L1_COLS+L2_COLS-1:0] cmp;

    `include "observed.vh"

    scripted_array #(
        .L1_ROWS(L1_ROWS),
        .L1_COLS(L1_COLS),
        .L2_ROWS(L2_ROWS),
        .L2_COLS(L2_COLS)
    ) u_array (
        .clk_i(clk_i),
        .episode_i(episode_i),
        .l1_row_code(l1_row_code),
        .l1_col_write(l1_col_write),
        .l1_col_read(l1_col_read),
        .l1_range(l1_range),
        .l1_word(l1_word),
        .l1_adc_code(l1_adc_code),
        .l2_row_code(l2_row_code),
        .l2_col_write(l2_col_write),
        .l2_col_read(l2_col_read),
        .l2_word(l2_word),
        .l2_adc_code(l2_adc_code),
        .cmp_o(cmp)
    );

    wire [INPUTS_W-1:0] inputs = {
        rst_ni, s_axil_awvalid, s_axil_awvalid ? s_axil_awaddr : 16'd0,
        s_axil_wvalid, s_axil_wvalid ? {s_axil_wdata, s_axil_wstrb} : 36'd0, s_axil_bready,
        s_axil_arvalid, s_axil_arvalid ? s_axil_araddr : 16'd0, s_axil_rready, cmp
    };

    localparam integer STATES_W = 58;
    wire [2:0] verify_state = u_dut.u_write_verify.state_q;
    wire [STATES_W-1:0] states = {
        verify_state, verify_state == 3'd2 ? u_dut.u_write_verify.verdict : 3'd7, u_dut.u_write_verify.is_reset_o,
        u_dut.u_write_verify.pulses_o, u_dut.u_write_verify.target_q, u_dut.u_write_verify.last_q,
        u_dut.u_write_verify.initial_q, u_dut.u_write_verify.confirmed_q, u_dut.u_write_verify.amplitude_o,
        u_dut.u_access.state_q, u_dut.u_program.state_q, u_dut.u_inference.state_q, u_dut.abort
    };

    integer file, clock;
    reg     begun, ended;
    reg [INPUTS_W+OUTPUTS_W+STATES_W-1:0] last;

    initial begin
        file = $fopen("trace.txt", "w");
        begun = 0;
        ended = 0;
        clock = 0;
    end

    // half a clock after the edge everything has settled
    always @(negedge clk_i) if (!ended) begin
        begun = begun || (rst_ni === 1'b0 && ^inputs !== 1'bx);
        if (begun) begin
            if (stop_i || clock == 0 || {inputs, outputs, states} !== last)
                $fwrite(file, "%h %h %h %h\n", clock, inputs, outputs, states);
            last = {inputs, outputs, states};
            clock = clock + 1;
        end
        if (stop_i) begin
            $fclose(file);
            ended = 1;
        end
    end
endmodule
`default_nettype wire
