// SPDX-License-Identifier: BSD-3-Clause
// Pulse timer: active for exactly cycles_i clocks after start_i, never longer than MAX_CYCLES.
`timescale 1ns / 1ps
`default_nettype none

module pulse_timer #(
    // width of the cycle count, bits
    parameter WIDTH = 20,
    // longest pulse, cycles, at most 2^WIDTH - 1
    parameter MAX_CYCLES = 100000
) (
    input  wire             clk_i,
    input  wire             rst_ni,
    input  wire             start_i,   // one cycle; ignored while active
    input  wire             abort_i,   // ends the pulse at the next clock
    input  wire [WIDTH-1:0] cycles_i,  // taken at start; 0 counts as 1
    output wire             active_o,  // reset value 0
    output reg              done_o     // one cycle after the last active cycle; reset value 0
);
    localparam [WIDTH-1:0] LIMIT = MAX_CYCLES[WIDTH-1:0];

    reg [WIDTH-1:0] left_q;

    assign active_o = left_q != {WIDTH{1'b0}};

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            left_q <= {WIDTH{1'b0}};
            done_o <= 1'b0;
        end else begin
            done_o <= 1'b0;
            if (abort_i) begin
                left_q <= {WIDTH{1'b0}};
            end else if (active_o) begin
                left_q <= left_q - 1'b1;
                done_o <= left_q == {{(WIDTH - 1) {1'b0}}, 1'b1};
            end else if (start_i) begin
                if (cycles_i > LIMIT) left_q <= LIMIT;
                else if (cycles_i == {WIDTH{1'b0}}) left_q <= {{(WIDTH - 1) {1'b0}}, 1'b1};
                else left_q <= cycles_i;
            end
        end
    end
endmodule
`default_nettype wire
