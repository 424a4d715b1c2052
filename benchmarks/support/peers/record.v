// SPDX-License-Identifier: BSD-3-Clause
// Writes down when the pins change, as the HDL has it: one line "pin time-in-ps level" each.  In Verilog, because
// cocotb triggers on a pin that a tool forces and watches too crash cocotb 2.1.
`timescale 1ps / 1ps
`default_nettype none
module record;
    integer file;
    initial file = $fopen("events.txt");
    always @(`DRIVE) $fdisplay(file, "drive %0d %b", $time, |`DRIVE);
    always @(`SENSE) $fdisplay(file, "sense %0d %b", $time, `SENSE);
endmodule
`default_nettype wire
