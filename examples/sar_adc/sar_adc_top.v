// SPDX-License-Identifier: BSD-3-Clause
// The controller's converter logic alone, with its DAC and comparator in SPICE.
`timescale 1ns / 1ps

module adc_shell (input wire [7:0] code, output reg cmp);
    reg bridge_event = 1'b0;
endmodule

module sar_adc_top;
    reg        clk = 1'b0, rst_n = 1'b0, start = 1'b0;
    wire [7:0] code, result;
    wire       cmp, done;
    always #500 clk = ~clk;

    sar_adc #(.WIDTH(8)) u_logic (
        .clk_i(clk), .rst_ni(rst_n), .start_i(start), .abort_i(1'b0), .bit_cycles_i(8'd1), .cmp_i(cmp),
        .code_o(code), .done_o(done), .result_o(result)
    );
    adc_shell u_analog (.code(code), .cmp(cmp));
endmodule
