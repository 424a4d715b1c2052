// SPDX-License-Identifier: BSD-3-Clause
// The controller on free pins, 2 x 2 and 2 x 1 cells, for the proofs of the whole: expects its ports and parameter outside.
    localparam ROWS = 2, COLS = 2, OUTPUTS = 1;
    localparam ALL = ROWS + COLS, ALL_COLS = COLS + OUTPUTS;  // of both layers
    localparam IDLE = 0, RESET = 1, WRITE = 2, VERIFY = 3, INFERENCE = 4;

    wire [12*ALL-1:0]   row_code;
    wire [ALL-1:0]      word;
    wire [ALL_COLS-1:0] col_write, col_read;
    wire [12*ALL_COLS-1:0] adc_code;
    wire [11:0]         ref_1, ref_2;
    wire [2:0]          phase;
    wire                irq, log_valid, range_1, range_2;

    accelerator #(
        .L1_ROWS(ROWS),
        .L1_COLS(COLS),
        .L2_ROWS(COLS),
        .L2_COLS(OUTPUTS),
        .MAX_PULSE_CYCLES(MAX_PULSE_CYCLES)
    ) u_dut (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .s_axil_awaddr(awaddr),
        .s_axil_awprot(3'd0),
        .s_axil_awvalid(awvalid),
        .s_axil_wdata(wdata),
        .s_axil_wstrb(wstrb),
        .s_axil_wvalid(wvalid),
        .s_axil_bready(bready),
        .s_axil_araddr(araddr),
        .s_axil_arprot(3'd0),
        .s_axil_arvalid(arvalid),
        .s_axil_rready(rready),
        .irq_o(irq),
        .l1_row_code_o(row_code[12*ROWS-1:0]),
        .l1_ref_code_o(ref_1),
        .l1_word_o(word[ROWS-1:0]),
        .l1_col_write_o(col_write[COLS-1:0]),
        .l1_col_read_o(col_read[COLS-1:0]),
        .l1_range_o(range_1),
        .l1_adc_code_o(adc_code[12*COLS-1:0]),
        .l1_cmp_i(l1_cmp_i),
        .l2_row_code_o(row_code[12*ALL-1:12*ROWS]),
        .l2_ref_code_o(ref_2),
        .l2_word_o(word[ALL-1:ROWS]),
        .l2_col_write_o(col_write[ALL_COLS-1:COLS]),
        .l2_col_read_o(col_read[ALL_COLS-1:COLS]),
        .l2_range_o(range_2),
        .l2_adc_code_o(adc_code[12*ALL_COLS-1:12*COLS]),
        .l2_cmp_i(l2_cmp_i),
        .phase_o(phase),
        .log_valid_o(log_valid)
    );
