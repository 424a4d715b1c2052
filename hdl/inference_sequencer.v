// SPDX-License-Identifier: BSD-3-Clause
// One image through both layers: settle and convert layer 1, hand the activations to layer 2, settle and convert it.
`timescale 1ns / 1ps
`default_nettype none

module inference_sequencer (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        abort_i,
    input  wire        start_i,       // one cycle, while not busy
    input  wire [15:0] settle_i,      // cycles from amplitude to conversion
    input  wire [7:0]  guard_i,       // cycles from switching to amplitude, and back
    output wire        busy_o,        // reset value 0
    output wire        fault_o,       // in a state without a name
    output reg         done_o,        // one cycle; reset value 0
    // to the array: all 0 in reset, abort and idle
    output wire        select_o,      // word lines and read columns of both layers
    output wire        drive_first_o, // pixels on the rows of layer 1
    output wire        drive_second_o,// activations on the rows of layer 2
    // converters
    output reg         convert_first_o,   // one cycle; reset value 0
    output reg         convert_second_o,  // one cycle; reset value 0
    input  wire        first_done_i,
    input  wire        second_done_i,
    output reg         keep_first_o,      // one cycle: hidden sums are valid; reset value 0
    output reg         keep_second_o      // one cycle: output sums are valid; reset value 0
);
    localparam [3:0] ST_IDLE = 4'd0, ST_CLOSE = 4'd1, ST_SETTLE_1 = 4'd2, ST_CONVERT_1 = 4'd3, ST_KEEP = 4'd4,
                     ST_SETTLE_2 = 4'd5, ST_CONVERT_2 = 4'd6, ST_OPEN = 4'd7;

    reg [3:0]  state_q, state_d;
    reg [15:0] wait_q, wait_d;
    reg        convert_first_d, convert_second_d, keep_first_d, keep_second_d, done_d;

    wire [15:0] guard = guard_i == 8'd0 ? 16'd0 : {8'd0, guard_i} - 16'd1;
    wire [15:0] settle = settle_i == 16'd0 ? 16'd0 : settle_i - 16'd1;

    assign busy_o         = state_q != ST_IDLE;
    assign fault_o        = state_q > ST_OPEN;
    assign select_o       = busy_o;
    assign drive_second_o = state_q == ST_SETTLE_2 || state_q == ST_CONVERT_2;
    assign drive_first_o  = state_q == ST_SETTLE_1 || state_q == ST_CONVERT_1;

    always @(*) begin
        state_d          = state_q;
        wait_d           = wait_q == 16'd0 ? 16'd0 : wait_q - 16'd1;
        convert_first_d  = 1'b0;
        convert_second_d = 1'b0;
        keep_first_d     = 1'b0;
        keep_second_d    = 1'b0;
        done_d           = 1'b0;
        case (state_q)
            // wait for an image
            ST_IDLE: if (start_i) begin
                state_d = ST_CLOSE;
                wait_d  = guard;
            end
            // switches closed, no amplitude yet
            ST_CLOSE: if (wait_q == 16'd0) begin
                state_d = ST_SETTLE_1;
                wait_d  = settle;
            end
            // pixels applied
            ST_SETTLE_1: if (wait_q == 16'd0) begin
                convert_first_d = 1'b1;
                state_d         = ST_CONVERT_1;
            end
            // columns of layer 1 converted side by side
            ST_CONVERT_1: if (first_done_i) begin
                keep_first_d = 1'b1;
                state_d      = ST_KEEP;
            end
            // hidden activations are stored
            ST_KEEP: begin
                state_d = ST_SETTLE_2;
                wait_d  = settle;
            end
            // activations applied
            ST_SETTLE_2: if (wait_q == 16'd0) begin
                convert_second_d = 1'b1;
                state_d          = ST_CONVERT_2;
            end
            // columns of layer 2 converted
            ST_CONVERT_2: if (second_done_i) begin
                keep_second_d = 1'b1;
                state_d       = ST_OPEN;
                wait_d        = guard;
            end
            // amplitudes gone, switches still closed
            ST_OPEN: if (wait_q == 16'd0) begin
                done_d  = 1'b1;
                state_d = ST_IDLE;
            end
            // an illegal state lets go of everything
            default: state_d = ST_IDLE;
        endcase
        if (abort_i) begin
            state_d          = ST_IDLE;
            convert_first_d  = 1'b0;
            convert_second_d = 1'b0;
            keep_first_d     = 1'b0;
            keep_second_d    = 1'b0;
            done_d           = 1'b0;
        end
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            state_q          <= ST_IDLE;
            wait_q           <= 16'd0;
            convert_first_o  <= 1'b0;
            convert_second_o <= 1'b0;
            keep_first_o     <= 1'b0;
            keep_second_o    <= 1'b0;
            done_o           <= 1'b0;
        end else begin
            state_q          <= state_d;
            wait_q           <= wait_d;
            convert_first_o  <= convert_first_d;
            convert_second_o <= convert_second_d;
            keep_first_o     <= keep_first_d;
            keep_second_o    <= keep_second_d;
            done_o           <= done_d;
        end
    end
endmodule
`default_nettype wire
