// SPDX-License-Identifier: BSD-3-Clause
// Access to one cell: close its switches, apply a pulse or read it, let go again.
// Break before make: the amplitude is only there while the switches are closed for guard_i cycles on either side.
`timescale 1ns / 1ps
`default_nettype none

module cell_access #(
    // longest pulse, cycles
    parameter MAX_PULSE_CYCLES = 100000
) (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        abort_i,
    // request: one cycle, while not busy
    input  wire        pulse_i,        // apply amplitude_i for cycles_i
    input  wire        read_i,         // apply the read amplitude and convert
    input  wire        is_reset_i,     // polarity of the pulse
    input  wire [10:0] amplitude_i,    // magnitude, DAC codes
    input  wire [19:0] cycles_i,
    input  wire [10:0] read_code_i,
    input  wire [15:0] settle_i,
    input  wire [7:0]  guard_i,
    output reg         done_o,         // one cycle; reset value 0
    output wire        fault_o,        // in a state without a name
    // to the converter of the selected column
    output reg         convert_o,      // one cycle; reset value 0
    input  wire        converted_i,
    // to the array: all 0 in reset, abort and idle
    output wire        select_o,       // word line of the row closed
    output wire        write_o,        // column to the compliance resistor
    output wire        sense_o,        // column to the amplifier
    output wire [11:0] drive_o,        // row DAC code, two's complement
    output wire        reset_phase_o   // the pulse is a RESET
);
    localparam [2:0] ST_IDLE = 3'd0, ST_CLOSE = 3'd1, ST_PULSE = 3'd2, ST_SETTLE = 3'd3, ST_CONVERT = 3'd4, ST_OPEN = 3'd5;

    reg  [2:0]  state_q, state_d;
    reg         write_q, reset_q;
    reg  [10:0] amplitude_q;
    reg  [19:0] cycles_q;
    reg  [15:0] wait_q, wait_d;
    reg         convert_d, done_d, start_timer;
    wire        timer_active, timer_done;

    wire        request = pulse_i || read_i;
    wire [15:0] guard = guard_i == 8'd0 ? 16'd0 : {8'd0, guard_i} - 16'd1;
    wire [15:0] settle = settle_i == 16'd0 ? 16'd0 : settle_i - 16'd1;
    wire        driving = timer_active || state_q == ST_SETTLE || state_q == ST_CONVERT;
    wire [11:0] magnitude = {1'b0, amplitude_q};

    pulse_timer #(
        .WIDTH(20),
        .MAX_CYCLES(MAX_PULSE_CYCLES)
    ) u_timer (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .start_i(start_timer),
        .abort_i(abort_i || !(state_q == ST_CLOSE || state_q == ST_PULSE)),  // an illegal state ends a pulse too
        .cycles_i(cycles_q),
        .active_o(timer_active),
        .done_o(timer_done)
    );

    assign fault_o       = state_q > ST_OPEN;
    assign select_o      = state_q != ST_IDLE;
    assign write_o       = select_o && write_q;
    assign sense_o       = select_o && !write_q;
    assign drive_o       = !driving ? 12'd0 : reset_q ? -magnitude : magnitude;
    assign reset_phase_o = reset_q;

    always @(*) begin
        state_d     = state_q;
        wait_d      = wait_q == 16'd0 ? 16'd0 : wait_q - 16'd1;
        convert_d   = 1'b0;
        done_d      = 1'b0;
        start_timer = 1'b0;
        case (state_q)
            // wait for a request
            ST_IDLE: if (request) begin
                state_d = ST_CLOSE;
                wait_d  = guard;
            end
            // switches closed, amplitude still 0
            ST_CLOSE: if (wait_q == 16'd0) begin
                if (write_q) begin
                    start_timer = 1'b1;
                    state_d     = ST_PULSE;
                end else begin
                    state_d = ST_SETTLE;
                    wait_d  = settle;
                end
            end
            // the timer holds the amplitude
            ST_PULSE: if (timer_done) begin
                state_d = ST_OPEN;
                wait_d  = guard;
            end
            // read amplitude applied, amplifier settling
            ST_SETTLE: if (wait_q == 16'd0) begin
                convert_d = 1'b1;
                state_d   = ST_CONVERT;
            end
            // converter at work
            ST_CONVERT: if (converted_i) begin
                state_d = ST_OPEN;
                wait_d  = guard;
            end
            // amplitude back at 0, switches still closed
            ST_OPEN: if (wait_q == 16'd0) begin
                state_d = ST_IDLE;
                done_d  = 1'b1;
            end
            // an illegal state lets go of everything
            default: state_d = ST_IDLE;
        endcase
        if (abort_i) begin
            state_d   = ST_IDLE;
            convert_d = 1'b0;
            done_d    = 1'b0;
        end
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            state_q     <= ST_IDLE;
            wait_q      <= 16'd0;
            convert_o   <= 1'b0;
            done_o      <= 1'b0;
            write_q     <= 1'b0;
            reset_q     <= 1'b0;
            amplitude_q <= 11'd0;
            cycles_q    <= 20'd0;
        end else begin
            state_q   <= state_d;
            wait_q    <= wait_d;
            convert_o <= convert_d;
            done_o    <= done_d;
            if (state_q == ST_IDLE && request) begin
                write_q     <= pulse_i;
                reset_q     <= pulse_i && is_reset_i;
                amplitude_q <= pulse_i ? amplitude_i : read_code_i;
                cycles_q    <= cycles_i;
            end
        end
    end
endmodule
`default_nettype wire
