// SPDX-License-Identifier: BSD-3-Clause
// Walks over all devices, layer by layer, row by row, and has each programmed; or finds one device and has it read.
`timescale 1ns / 1ps
`default_nettype none

module program_sequencer #(
    // rows and columns of both crossbars, 1 .. 256 each, 4096 devices in all
    parameter L1_ROWS = 9,
    parameter L1_COLS = 3,
    parameter L2_ROWS = 3,
    parameter L2_COLS = 1
) (
    input  wire       clk_i,
    input  wire       rst_ni,
    input  wire       abort_i,
    input  wire       program_i,      // one cycle: program all devices
    input  wire       read_i,         // one cycle: read device_i
    input  wire [11:0] device_i,       // beyond the last: the last
    output wire       busy_o,         // reset value 0
    output wire       fault_o,        // in a state without a name
    output reg        done_o,         // one cycle; reset value 0
    // present device
    output reg  [11:0] index_o,
    output reg        layer_o,        // 0 first, 1 second
    output reg  [7:0] row_o,
    output reg  [7:0] col_o,
    // one device's job
    output reg        start_write_o,  // one cycle: write-verify the present device
    input  wire       write_done_i,
    output reg        start_read_o,   // one cycle: read the present device
    input  wire       read_done_i
);
    localparam integer DEVICES = L1_ROWS * L1_COLS + L2_ROWS * L2_COLS;
    localparam integer LAST_DEVICE = DEVICES - 1;
    localparam [11:0] LAST = LAST_DEVICE[11:0];
    localparam integer LAST_ROW_1 = L1_ROWS - 1, LAST_COL_1 = L1_COLS - 1, LAST_COL_2 = L2_COLS - 1;
    localparam [2:0] ST_IDLE = 3'd0, ST_SEEK = 3'd1, ST_WRITE = 3'd2, ST_READ = 3'd3;

    reg [2:0] state_q;
    reg       reading_q;

    wire [7:0] last_col = layer_o ? LAST_COL_2[7:0] : LAST_COL_1[7:0];
    wire       row_ends = col_o == last_col;
    wire       layer_ends = row_ends && !layer_o && row_o == LAST_ROW_1[7:0];

    assign busy_o  = state_q != ST_IDLE;
    assign fault_o = state_q > ST_READ;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            state_q       <= ST_IDLE;
            reading_q     <= 1'b0;
            done_o        <= 1'b0;
            index_o       <= 12'd0;
            layer_o       <= 1'b0;
            row_o         <= 8'd0;
            col_o         <= 8'd0;
            start_write_o <= 1'b0;
            start_read_o  <= 1'b0;
        end else begin
            done_o        <= 1'b0;
            start_write_o <= 1'b0;
            start_read_o  <= 1'b0;
            case (state_q)
                // wait for a command
                ST_IDLE: begin
                    index_o   <= 12'd0;
                    layer_o   <= 1'b0;
                    row_o     <= 8'd0;
                    col_o     <= 8'd0;
                    reading_q <= read_i;
                    if (program_i || read_i) state_q <= ST_SEEK;
                end
                // at the device to work on, or one step nearer to it
                ST_SEEK: begin
                    if (!reading_q) begin
                        start_write_o <= 1'b1;
                        state_q       <= ST_WRITE;
                    end else if (index_o == device_i || index_o == LAST) begin
                        start_read_o <= 1'b1;
                        state_q      <= ST_READ;
                    end else begin
                        advance;
                    end
                end
                // write-verify under way
                ST_WRITE: if (write_done_i) begin
                    if (index_o == LAST) begin
                        done_o  <= 1'b1;
                        state_q <= ST_IDLE;
                    end else begin
                        advance;
                        state_q <= ST_SEEK;
                    end
                end
                // single read under way
                ST_READ: if (read_done_i) begin
                    done_o  <= 1'b1;
                    state_q <= ST_IDLE;
                end
                // an illegal state does nothing to the array
                default: state_q <= ST_IDLE;
            endcase
            if (abort_i) begin
                state_q       <= ST_IDLE;
                start_write_o <= 1'b0;
                start_read_o  <= 1'b0;
                done_o        <= 1'b0;
            end
        end
    end

    task advance;
        begin
            index_o <= index_o + 12'd1;
            layer_o <= layer_o || layer_ends;
            col_o   <= row_ends ? 8'd0 : col_o + 8'd1;
            row_o   <= layer_ends ? 8'd0 : row_ends ? row_o + 8'd1 : row_o;
        end
    endtask
endmodule
`default_nettype wire
