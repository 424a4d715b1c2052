// SPDX-License-Identifier: BSD-3-Clause
// An array of codes instead of physics: what each device answers to pulses and reads comes from tables that Python wrote.
//   devices.hex  one word a device and episode, fields below
//   noise.hex    1024 random words of 12 bits, used one after the other
// Columns that nobody reads answer at random, so that a controller that listens to the wrong one is noticed.
`timescale 1ns / 1ps
`default_nettype none

module scripted_array #(
    parameter L1_ROWS = 3,
    parameter L1_COLS = 2,
    parameter L2_ROWS = 2,
    parameter L2_COLS = 2,
    parameter EPISODES = 64
) (
    input  wire                  clk_i,
    input  wire [7:0]            episode_i,   // a change puts the devices of that episode in place
    input  wire [12*L1_ROWS-1:0] l1_row_code,
    input  wire [L1_COLS-1:0]    l1_col_write,
    input  wire [L1_COLS-1:0]    l1_col_read,
    input  wire                  l1_range,
    input  wire [L1_ROWS-1:0]    l1_word,
    input  wire [12*L1_COLS-1:0] l1_adc_code,
    input  wire [12*L2_ROWS-1:0] l2_row_code,
    input  wire [L2_COLS-1:0]    l2_col_write,
    input  wire [L2_COLS-1:0]    l2_col_read,
    input  wire [L2_ROWS-1:0]    l2_word,
    input  wire [12*L2_COLS-1:0] l2_adc_code,
    output reg  [L1_COLS+L2_COLS-1:0] cmp_o   // first layer in the low bits
);
    localparam integer COLS = L1_COLS + L2_COLS;
    localparam integer FIRST = L1_ROWS * L1_COLS;
    localparam integer DEVICES = FIRST + L2_ROWS * L2_COLS;

    reg [127:0] devices [0:EPISODES*DEVICES-1];
    reg signed [11:0] noise [0:1023];
    reg signed [15:0] code [0:DEVICES-1];
    reg [9:0]   at;                // next word of the noise
    reg [7:0]   episode;
    reg [127:0] d;
    reg signed [15:0] seen;        // what the device under the read answers with
    reg signed [11:0] column [0:COLS-1];
    reg [COLS-1:0] garbage;
    reg signed [11:0] pulse;       // amplitude of the pulse under way, 0: none
    integer target, i, selected, was_selected;
    reg     reading, was_reading;

    wire [COLS-1:0] col_read = {l2_col_read, l1_col_read};
    wire [COLS-1:0] col_write = {l2_col_write, l1_col_write};
    wire [12*COLS-1:0] trial = {l2_adc_code, l1_adc_code};
    reg signed [11:0] drive;

    initial begin
        $readmemh("devices.hex", devices);
        $readmemh("noise.hex", noise);
        at = 0; episode = 8'hff; pulse = 0; was_selected = 0; was_reading = 0; garbage = 0; seen = 0;
        for (i = 0; i < DEVICES; i = i + 1) code[i] = 0;
        for (i = 0; i < COLS; i = i + 1) column[i] = 0;
    end

    // the selected device: word line and column
    always @(l1_word, l2_word, col_read, col_write, l1_row_code, l2_row_code) begin
        selected = 0;
        drive = 0;
        for (i = 0; i < L1_ROWS; i = i + 1) if (l1_word[i]) begin
            selected = i * L1_COLS;
            drive = l1_row_code[12*i+:12];
        end
        for (i = 0; i < L2_ROWS; i = i + 1) if (l2_word[i]) begin
            selected = FIRST + i * L2_COLS;
            drive = l2_row_code[12*i+:12];
        end
        for (i = 0; i < L1_COLS; i = i + 1) if (col_read[i] || col_write[i]) selected = selected + i;
        for (i = 0; i < L2_COLS; i = i + 1) if (col_read[L1_COLS+i] || col_write[L1_COLS+i]) selected = selected + i;
        reading = |col_read;
    end

    // fields of a device: start, least and largest code; SET: law (1: ends at a level, 0: adds), gain / 256, offset;
    // RESET: gain / 256, offset; noise of a pulse and of a read / 4096
    task apply;
        input integer which;
        input signed [11:0] amplitude;
        integer next, left;
        begin
            d = devices[episode*DEVICES+which];
            next = code[which];
            if (amplitude > 0) begin
                left = ((amplitude - $signed({1'b0, d[81:71]})) * $signed({1'b0, d[93:82]})) >>> 8;
                left = left + ((noise[at] * $signed({1'b0, d[47:36]})) >>> 12);
                if (!d[94]) next = next + left;
                else if (left > next) next = left;
            end else begin
                left = ((-amplitude - $signed({1'b0, d[58:48]})) * $signed({1'b0, d[70:59]})) >>> 8;
                if (left < 0) left = 0;
                next = next - left + ((noise[at] * $signed({1'b0, d[47:36]})) >>> 12);
            end
            if (next < $signed(d[115:104])) next = $signed(d[115:104]);
            if (next > $signed(d[127:116])) next = $signed(d[127:116]);
            code[which] = next[15:0];
            at = at + 1;
        end
    endtask

    // after the controller's outputs have changed, before the bench looks
    always @(posedge clk_i) begin
        #200;
        if (episode != episode_i) begin
            episode = episode_i;
            for (i = 0; i < DEVICES; i = i + 1) begin
                d = devices[episode*DEVICES+i];
                code[i] = {{4{d[35]}}, d[35:24]};
            end
        end
        if (pulse != 0 && (selected != was_selected || drive == 0)) begin
            apply(was_selected, pulse);
            pulse = 0;
        end
        if (|col_write && drive != 0) pulse = drive;
        if (reading && !was_reading) begin
            d = devices[episode*DEVICES+selected];
            seen = code[selected] + ((noise[at] * $signed({1'b0, d[23:12]})) >>> 12);
            if (seen > 2047) seen = 2047;
            if (seen < -2048) seen = -2048;
            at = at + 1;
            garbage = noise[at];
            for (i = 0; i < COLS; i = i + 1) begin
                column[i] = noise[at];
                at = at + 1;
            end
        end
        was_selected = selected;
        was_reading = reading;
    end

    always @(*) begin
        cmp_o = garbage;
        for (i = 0; i < COLS; i = i + 1)
            if (col_read[i]) cmp_o[i] = (l1_range ? column[i] : seen) >= $signed(trial[12*i+:12]);
    end
endmodule
`default_nettype wire
