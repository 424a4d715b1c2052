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
    wire rst_ni = 1'b1;
    `include "accelerator_pins.vh"

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
