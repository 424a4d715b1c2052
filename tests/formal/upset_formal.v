// SPDX-License-Identifier: BSD-3-Clause
// The whole controller out of any contents of its registers, no reset: where a block is in a state without a name, or a
// converter has no bit under trial, everything is let go of one clock later, whatever ran, and the end is told.
`default_nettype none

module upset_formal #(
    parameter MAX_PULSE_CYCLES = 100000
) (
    input wire               clk_i,
    input wire [15:0]        awaddr,
    input wire               awvalid,
    input wire [31:0]        wdata,
    input wire [3:0]         wstrb,
    input wire               wvalid,
    input wire               bready,
    input wire [15:0]        araddr,
    input wire               arvalid,
    input wire               rready,
    input wire [1:0]         l1_cmp_i,
    input wire               l2_cmp_i
);
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
        .rst_ni(1'b1),
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

    (* hierconn *) wire [2:0]  \u_dut.u_program.state_q ;
    (* hierconn *) wire [2:0]  \u_dut.u_write_verify.state_q ;
    (* hierconn *) wire [2:0]  \u_dut.u_access.state_q ;
    (* hierconn *) wire [3:0]  \u_dut.u_inference.state_q ;
    (* hierconn *) wire        \u_dut.gen_column[0].u_adc.busy_q ;
    (* hierconn *) wire        \u_dut.gen_column[1].u_adc.busy_q ;
    (* hierconn *) wire        \u_dut.gen_column[2].u_adc.busy_q ;
    (* hierconn *) wire [11:0] \u_dut.gen_column[0].u_adc.bit_oh_q ;
    (* hierconn *) wire [11:0] \u_dut.gen_column[1].u_adc.bit_oh_q ;
    (* hierconn *) wire [11:0] \u_dut.gen_column[2].u_adc.bit_oh_q ;
    (* hierconn *) wire        \u_dut.u_registers.fault_q ;

    wire upset = \u_dut.u_program.state_q > 3 || \u_dut.u_write_verify.state_q > 4 || \u_dut.u_access.state_q > 5 ||
                 \u_dut.u_inference.state_q > 7 || \u_dut.gen_column[0].u_adc.busy_q && \u_dut.gen_column[0].u_adc.bit_oh_q == 0 ||
                 \u_dut.gen_column[1].u_adc.busy_q && \u_dut.gen_column[1].u_adc.bit_oh_q == 0 ||
                 \u_dut.gen_column[2].u_adc.busy_q && \u_dut.gen_column[2].u_adc.bit_oh_q == 0;
    wire off = word == 0 && col_write == 0 && col_read == 0 && row_code == 0 && ref_1 == 0 && ref_2 == 0 && phase == 0;
    reg  after = 0, was, driven;
    always @(posedge clk_i) begin
        after <= 1;
        {was, driven} <= {upset, row_code != 0};
        if (after && was) begin
            a_legal: assert (!upset);
            a_off: assert (off);
            a_told: assert (irq && \u_dut.u_registers.fault_q );
            a_silent: assert (!log_valid);
            c_pulse: cover (driven);
            c_converter: cover (\u_dut.u_program.state_q == 0);
        end
    end
endmodule
`default_nettype wire
