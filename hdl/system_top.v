// SPDX-License-Identifier: BSD-3-Clause
// Controller and analog array, side by side: the top of simulations.
`timescale 1ns / 1ps
`default_nettype none

module system_top #(
    parameter L1_ROWS = 9,
    parameter L1_COLS = 3,
    parameter L2_ROWS = 3,
    parameter L2_COLS = 1
) (
    input  wire        clk_i,
    input  wire        rst_ni,
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
    output wire        irq_o,
    output wire        log_valid_o,
    output wire [11:0] log_device_o,
    output wire        log_initial_o,
    output wire        log_is_reset_o,
    output wire [10:0] log_amplitude_o,
    output wire [19:0] log_cycles_o,
    output wire [11:0] log_before_o,
    output wire [11:0] log_after_o,
    output wire [2:0]  log_verdict_o
);
    wire [12*L1_ROWS-1:0] l1_row_code;
    wire [11:0]           l1_ref_code;
    wire [L1_ROWS-1:0]    l1_word;
    wire [L1_COLS-1:0]    l1_col_write, l1_col_read, l1_cmp;
    wire                  l1_range;
    wire [12*L1_COLS-1:0] l1_adc_code;
    wire [12*L2_ROWS-1:0] l2_row_code;
    wire [11:0]           l2_ref_code;
    wire [L2_ROWS-1:0]    l2_word;
    wire [L2_COLS-1:0]    l2_col_write, l2_col_read, l2_cmp;
    wire                  l2_range;
    wire [12*L2_COLS-1:0] l2_adc_code;
    wire [2:0]            phase;

    accelerator #(
        .L1_ROWS(L1_ROWS),
        .L1_COLS(L1_COLS),
        .L2_ROWS(L2_ROWS),
        .L2_COLS(L2_COLS)
    ) u_accelerator (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .s_axil_awaddr(s_axil_awaddr),
        .s_axil_awprot(s_axil_awprot),
        .s_axil_awvalid(s_axil_awvalid),
        .s_axil_awready(s_axil_awready),
        .s_axil_wdata(s_axil_wdata),
        .s_axil_wstrb(s_axil_wstrb),
        .s_axil_wvalid(s_axil_wvalid),
        .s_axil_wready(s_axil_wready),
        .s_axil_bresp(s_axil_bresp),
        .s_axil_bvalid(s_axil_bvalid),
        .s_axil_bready(s_axil_bready),
        .s_axil_araddr(s_axil_araddr),
        .s_axil_arprot(s_axil_arprot),
        .s_axil_arvalid(s_axil_arvalid),
        .s_axil_arready(s_axil_arready),
        .s_axil_rdata(s_axil_rdata),
        .s_axil_rresp(s_axil_rresp),
        .s_axil_rvalid(s_axil_rvalid),
        .s_axil_rready(s_axil_rready),
        .irq_o(irq_o),
        .l1_row_code_o(l1_row_code),
        .l1_ref_code_o(l1_ref_code),
        .l1_word_o(l1_word),
        .l1_col_write_o(l1_col_write),
        .l1_col_read_o(l1_col_read),
        .l1_range_o(l1_range),
        .l1_adc_code_o(l1_adc_code),
        .l1_cmp_i(l1_cmp),
        .l2_row_code_o(l2_row_code),
        .l2_ref_code_o(l2_ref_code),
        .l2_word_o(l2_word),
        .l2_col_write_o(l2_col_write),
        .l2_col_read_o(l2_col_read),
        .l2_range_o(l2_range),
        .l2_adc_code_o(l2_adc_code),
        .l2_cmp_i(l2_cmp),
        .phase_o(phase),
        .log_valid_o(log_valid_o),
        .log_device_o(log_device_o),
        .log_initial_o(log_initial_o),
        .log_is_reset_o(log_is_reset_o),
        .log_amplitude_o(log_amplitude_o),
        .log_cycles_o(log_cycles_o),
        .log_before_o(log_before_o),
        .log_after_o(log_after_o),
        .log_verdict_o(log_verdict_o)
    );

    analog_array #(
        .L1_ROWS(L1_ROWS),
        .L1_COLS(L1_COLS),
        .L2_ROWS(L2_ROWS),
        .L2_COLS(L2_COLS)
    ) u_array (
        .l1_row_code(l1_row_code),
        .l1_ref_code(l1_ref_code),
        .l1_word(l1_word),
        .l1_col_write(l1_col_write),
        .l1_col_read(l1_col_read),
        .l1_range(l1_range),
        .l1_adc_code(l1_adc_code),
        .l1_cmp(l1_cmp),
        .l2_row_code(l2_row_code),
        .l2_ref_code(l2_ref_code),
        .l2_word(l2_word),
        .l2_col_write(l2_col_write),
        .l2_col_read(l2_col_read),
        .l2_range(l2_range),
        .l2_adc_code(l2_adc_code),
        .l2_cmp(l2_cmp),
        .phase(phase)
    );
endmodule
`default_nettype wire
