// SPDX-License-Identifier: BSD-3-Clause
// Thirty cells, each pulsed until the comparator is high at the end of a pulse; then the next, round and round.
// The lengths are no multiples of 10 us, so that no simulator's grid has the edges by chance.
`timescale 1ns / 1ps
`default_nettype none
module array_shell (
    input wire [29:0] d,
    output reg sense
);
    reg bridge_event = 1'b0;
endmodule

module write_verify #(
    parameter CELLS = 30,
    parameter PULSE = 503,
    parameter GAP = 257
) (
    input wire clk,
    input wire sense,
    output reg [29:0] d = 0
);
    reg [9:0] count = 0;
    reg [4:0] cell_number = 0;
    integer pulses = 0, written = 0;
    always @(posedge clk) begin
        count <= count + 1'b1;
        if (count == GAP) begin
            d[cell_number] <= 1'b1;
            pulses <= pulses + 1;
        end
        if (count == GAP + PULSE) begin
            d <= 0;
            count <= 0;
            if (sense === 1'b1) begin
                written <= written + 1;
                cell_number <= cell_number == CELLS - 1 ? 5'd0 : cell_number + 1'b1;
            end
        end
    end
endmodule

module array_top;
    reg clk = 1'b0;
    wire [29:0] d;
    wire sense;
    always #500 clk = ~clk;
    array_shell u_array (.d(d), .sense(sense));
    write_verify u_control (.clk(clk), .sense(sense), .d(d));
endmodule
`default_nettype wire
