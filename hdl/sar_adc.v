// SPDX-License-Identifier: BSD-3-Clause
// Successive approximation: the largest code whose analog value lies below the input, most significant bit first.
`timescale 1ns / 1ps
`default_nettype none

module sar_adc #(
    // resolution, bits, 2 .. 16
    parameter WIDTH = 12
) (
    input  wire             clk_i,
    input  wire             rst_ni,
    input  wire             start_i,       // one cycle; ignored while busy
    input  wire             abort_i,
    input  wire [7:0]       bit_cycles_i,  // cycles per bit; 0 counts as 1
    input  wire             cmp_i,         // comparator: input above code_o
    output wire [WIDTH-1:0] code_o,        // trial code, two's complement; 0 when idle
    output wire             fault_o,       // no bit under trial: the conversion would never end
    output reg              done_o,        // one cycle, with result_o
    output reg  [WIDTH-1:0] result_o       // two's complement; reset value 0
);
    localparam [WIDTH-1:0] SIGN = {1'b1, {(WIDTH - 1) {1'b0}}};

    reg             busy_q;
    reg [WIDTH-1:0] bit_oh_q;   // bit under trial
    reg [WIDTH-1:0] found_q;    // bits kept, offset binary
    reg [7:0]       wait_q;

    wire [WIDTH-1:0] trial = found_q | bit_oh_q;
    wire [WIDTH-1:0] kept  = cmp_i ? trial : found_q;
    wire [7:0]       cycles = bit_cycles_i == 8'd0 ? 8'd0 : bit_cycles_i - 8'd1;

    // offset binary to two's complement: the sign bit turns over
    assign fault_o = busy_q && bit_oh_q == {WIDTH{1'b0}};
    assign code_o = busy_q ? trial ^ SIGN : {WIDTH{1'b0}};

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            busy_q   <= 1'b0;
            bit_oh_q <= {WIDTH{1'b0}};
            found_q  <= {WIDTH{1'b0}};
            wait_q   <= 8'd0;
            done_o   <= 1'b0;
            result_o <= {WIDTH{1'b0}};
        end else begin
            done_o <= 1'b0;
            if (abort_i) begin
                busy_q <= 1'b0;
            end else if (!busy_q) begin
                if (start_i) begin
                    busy_q   <= 1'b1;
                    bit_oh_q <= SIGN;
                    found_q  <= {WIDTH{1'b0}};
                    wait_q   <= cycles;
                end
            end else if (wait_q != 8'd0) begin
                wait_q <= wait_q - 8'd1;
            end else begin
                found_q  <= kept;
                bit_oh_q <= bit_oh_q >> 1;
                wait_q   <= cycles;
                if (bit_oh_q[0]) begin
                    busy_q   <= 1'b0;
                    done_o   <= 1'b1;
                    result_o <= kept ^ SIGN;
                end
            end
        end
    end
endmodule
`default_nettype wire
