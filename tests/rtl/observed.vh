// SPDX-License-Identifier: BSD-3-Clause
// The controller under test and the vectors that are observed of it; included by random_bench.v and replay.v.
localparam integer INPUTS_W = 74 + L1_COLS + L2_COLS;
localparam integer ARRAY_W = 12 * (L1_ROWS + L2_ROWS + L1_COLS + L2_COLS + 2) + L1_ROWS + L2_ROWS + 2 * (L1_COLS + L2_COLS) + 2;
localparam integer OUTPUTS_W = 118 + ARRAY_W;

wire [12*L1_ROWS-1:0] l1_row_code;
wire [11:0]           l1_ref_code;
wire [L1_ROWS-1:0]    l1_word;
wire [L1_COLS-1:0]    l1_col_write, l1_col_read;
wire                  l1_range;
wire [12*L1_COLS-1:0] l1_adc_code;
wire [12*L2_ROWS-1:0] l2_row_code;
wire [11:0]           l2_ref_code;
wire [L2_ROWS-1:0]    l2_word;
wire [L2_COLS-1:0]    l2_col_write, l2_col_read;
wire                  l2_range;
wire [12*L2_COLS-1:0] l2_adc_code;
wire [2:0]            phase;
wire                  log_valid, log_initial, log_is_reset;
wire [11:0]           log_device, log_before, log_after;
wire [10:0]           log_amplitude;
wire [19:0]           log_cycles;
wire [2:0]            log_verdict;

accelerator #(
    .L1_ROWS(L1_ROWS),
    .L1_COLS(L1_COLS),
    .L2_ROWS(L2_ROWS),
    .L2_COLS(L2_COLS),
    .MAX_PULSE_CYCLES(MAX_PULSE_CYCLES)
) u_dut (
    .clk_i(clk_i),
    .rst_ni(rst_ni),
    .s_axil_awaddr(s_axil_awaddr),
    .s_axil_awprot(3'd0),
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
    .s_axil_arprot(3'd0),
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
    .l1_cmp_i(cmp[L1_COLS-1:0]),
    .l2_row_code_o(l2_row_code),
    .l2_ref_code_o(l2_ref_code),
    .l2_word_o(l2_word),
    .l2_col_write_o(l2_col_write),
    .l2_col_read_o(l2_col_read),
    .l2_range_o(l2_range),
    .l2_adc_code_o(l2_adc_code),
    .l2_cmp_i(cmp[L1_COLS+L2_COLS-1:L1_COLS]),
    .phase_o(phase),
    .log_valid_o(log_valid),
    .log_device_o(log_device),
    .log_initial_o(log_initial),
    .log_is_reset_o(log_is_reset),
    .log_amplitude_o(log_amplitude),
    .log_cycles_o(log_cycles),
    .log_before_o(log_before),
    .log_after_o(log_after),
    .log_verdict_o(log_verdict)
);

wire [OUTPUTS_W-1:0] outputs = {
    s_axil_awready, s_axil_wready, s_axil_bvalid, s_axil_bvalid ? s_axil_bresp : 2'd0,
    s_axil_arready, s_axil_rvalid, s_axil_rvalid ? {s_axil_rresp, s_axil_rdata} : 34'd0, irq_o, phase,
    l1_row_code, l1_ref_code, l1_word, l1_col_write, l1_col_read, l1_range, l1_adc_code,
    l2_row_code, l2_ref_code, l2_word, l2_col_write, l2_col_read, l2_range, l2_adc_code, log_valid,
    log_valid ? {log_device, log_initial, log_is_reset, log_amplitude, log_cycles, log_before, log_after, log_verdict} : 72'd0
};
