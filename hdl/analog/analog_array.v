// SPDX-License-Identifier: BSD-3-Clause
// Shell of the analog array: no logic.  The co-simulation binds each port to the netlist's nodes of the same name,
// deposits the comparators into the registers and toggles bridge_event to wake the testbench.
`timescale 1ns / 1ps
`default_nettype none

/* verilator lint_off UNUSED */
/* verilator lint_off UNDRIVEN */
module analog_array #(
    parameter L1_ROWS = 9,
    parameter L1_COLS = 3,
    parameter L2_ROWS = 3,
    parameter L2_COLS = 1
) (
    input  wire [12*L1_ROWS-1:0] l1_row_code,
    input  wire [11:0]           l1_ref_code,
    input  wire [L1_ROWS-1:0]    l1_word,
    input  wire [L1_COLS-1:0]    l1_col_write,
    input  wire [L1_COLS-1:0]    l1_col_read,
    input  wire                  l1_range,
    input  wire [12*L1_COLS-1:0] l1_adc_code,
    output reg  [L1_COLS-1:0]    l1_cmp,
    input  wire [12*L2_ROWS-1:0] l2_row_code,
    input  wire [11:0]           l2_ref_code,
    input  wire [L2_ROWS-1:0]    l2_word,
    input  wire [L2_COLS-1:0]    l2_col_write,
    input  wire [L2_COLS-1:0]    l2_col_read,
    input  wire                  l2_range,
    input  wire [12*L2_COLS-1:0] l2_adc_code,
    output reg  [L2_COLS-1:0]    l2_cmp,
    input  wire [2:0]            phase
);
    reg bridge_event = 1'b0;
endmodule
/* verilator lint_on UNDRIVEN */
/* verilator lint_on UNUSED */
`default_nettype wire
