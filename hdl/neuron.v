// SPDX-License-Identifier: BSD-3-Clause
// Neuron: column code plus bias, saturated; activation by table; threshold.  Combinational.
// The reference conductance is subtracted in the array, by the reference row.
`timescale 1ns / 1ps
`default_nettype none

module neuron #(
    // ADC resolution, bits, at most 15
    parameter ADC_W = 12
) (
    input  wire [ADC_W-1:0] code_i,        // column code, two's complement
    input  wire [15:0]      bias_i,        // two's complement
    input  wire [3:0]       shift_i,       // table index = (sum >> shift_i) + 32, clamped to 0 .. 63
    input  wire [511:0]     table_i,       // 64 activations of 8 bits
    input  wire [15:0]      threshold_i,   // two's complement
    output wire [15:0]      sum_o,         // two's complement, saturated
    output wire [7:0]       activation_o,
    output wire             above_o        // sum above the threshold
);
    wire signed [16:0] wide = $signed({{(17 - ADC_W) {code_i[ADC_W-1]}}, code_i}) + $signed({bias_i[15], bias_i});
    wire overflow = wide[16] != wide[15];
    wire signed [15:0] sum = overflow ? {wide[16], {15{~wide[16]}}} : wide[15:0];

    wire signed [15:0] scaled = sum >>> shift_i;
    wire low  = scaled < -16'sd32;
    wire high = scaled > 16'sd31;
    wire [5:0] index = low ? 6'd0 : high ? 6'd63 : {~scaled[5], scaled[4:0]};

    assign sum_o        = sum;
    assign activation_o = table_i[{index, 3'b000}+:8];
    assign above_o      = sum > $signed(threshold_i);
endmodule
`default_nettype wire
