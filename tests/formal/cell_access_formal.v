// SPDX-License-Identifier: BSD-3-Clause
// Access to one cell: never two paths, break before make, amplitude and width as asked, every request answered.
`default_nettype none

module cell_access_formal #(
    parameter MAX_PULSE_CYCLES = 100000
) (
    input wire        clk_i,
    input wire        rst_ni,
    input wire        abort_i,
    input wire        pulse_i,
    input wire        read_i,
    input wire        is_reset_i,
    input wire [10:0] amplitude_i,
    input wire [19:0] cycles_i,
    input wire [10:0] read_code_i,
    input wire [15:0] settle_i,
    input wire [7:0]  guard_i,
    input wire        converted_i
);
    localparam [2:0] ST_IDLE = 0, ST_CLOSE = 1, ST_PULSE = 2, ST_SETTLE = 3, ST_CONVERT = 4, ST_OPEN = 5;

    wire        done, convert, select, write, sense, reset_phase;
    wire [11:0] drive;
    (* hierconn *) wire [2:0]  \u_dut.state_q ;
    (* hierconn *) wire [2:0]  \u_dut.state_d ;
    (* hierconn *) wire [15:0] \u_dut.wait_q ;
    (* hierconn *) wire        \u_dut.write_q ;
    (* hierconn *) wire        \u_dut.reset_q ;
    (* hierconn *) wire [10:0] \u_dut.amplitude_q ;
    (* hierconn *) wire [19:0] \u_dut.cycles_q ;
    (* hierconn *) wire [19:0] \u_dut.u_timer.left_q ;
    (* hierconn *) wire        \u_dut.u_timer.done_o ;
    wire [2:0]  state = \u_dut.state_q ;
    wire [15:0] wait_left = \u_dut.wait_q ;
    wire [19:0] left = \u_dut.u_timer.left_q ;
    wire        timer_done = \u_dut.u_timer.done_o ;

    cell_access #(
        .MAX_PULSE_CYCLES(MAX_PULSE_CYCLES)
    ) u_dut (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .abort_i(abort_i),
        .pulse_i(pulse_i),
        .read_i(read_i),
        .is_reset_i(is_reset_i),
        .amplitude_i(amplitude_i),
        .cycles_i(cycles_i),
        .read_code_i(read_code_i),
        .settle_i(settle_i),
        .guard_i(guard_i),
        .done_o(done),
        .convert_o(convert),
        .converted_i(converted_i),
        .select_o(select),
        .write_o(write),
        .sense_o(sense),
        .drive_o(drive),
        .reset_phase_o(reset_phase)
    );

    `include "start.vh"

    // -- what was asked for, and what came of it so far ----------------------------------------------------------------
    wire        on = drive != 0;
    wire [19:0] floor = cycles_i == 0 ? 1 : cycles_i;
    wire [8:0]  guard = guard_i == 0 ? 1 : guard_i;
    reg         pulse, negative, owed, aborted, selected_before, write_before, on_before;
    reg  [10:0] amplitude;
    reg  [19:0] width, on_count;
    reg  [8:0]  guard_before, guard_after, closed, opened;  // clocks with closed switches before and after the amplitude
    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) begin
            {pulse, negative, owed, aborted, selected_before, write_before, on_before, amplitude, width, on_count} <= 0;
            {guard_before, guard_after, closed, opened} <= 0;
        end else begin
            {aborted, selected_before, write_before, on_before} <= {abort_i, select, write, on};
            if (state == ST_IDLE && (pulse_i || read_i)) begin
                pulse        <= pulse_i;
                negative     <= pulse_i && is_reset_i;
                amplitude    <= pulse_i ? amplitude_i : read_code_i;
                width        <= floor > MAX_PULSE_CYCLES ? MAX_PULSE_CYCLES : floor;
                guard_before <= guard;
                {on_count, closed, opened} <= 0;
                owed         <= !abort_i;
            end else begin
                if (on) on_count <= on_count + 1;
                else if (on_count == 0) closed <= closed == 511 ? 511 : closed + 1;
                else opened <= opened + 1;
                if (abort_i || done) owed <= 0;
            end
            if (state != ST_OPEN && \u_dut.state_d == ST_OPEN) guard_after <= guard;
        end

    // counts down in every clock that does not wait for the converter
    wire [21:0] rank = state == ST_CLOSE ? 22'd2000000 + wait_left : state == ST_PULSE ? 22'd1000 + left :
                       state == ST_SETTLE ? 22'd1000 + wait_left : state == ST_CONVERT ? 22'd999 :
                       state == ST_OPEN ? 22'd1 + wait_left : 22'd0;
    reg  [21:0] rank_before;
    reg         waits;
    always @(posedge clk_i) {rank_before, waits} <= {rank, state == ST_CONVERT && !converted_i};

    always @(posedge clk_i) begin
        // -- for induction
        i_timer: assert ((left == 0 || state == ST_PULSE) && (!timer_done || state == ST_PULSE));
        i_pulse: assert (state != ST_PULSE || pulse && (left != 0) != timer_done);
        i_path: assert ((state != ST_SETTLE && state != ST_CONVERT) || !pulse);
        i_asked: assert (state == ST_IDLE || \u_dut.write_q == pulse && \u_dut.reset_q == negative && \u_dut.amplitude_q == amplitude);
        i_width: assert (state != ST_CLOSE || width == (\u_dut.cycles_q == 0 ? 1 : \u_dut.cycles_q > MAX_PULSE_CYCLES ?
                         MAX_PULSE_CYCLES : \u_dut.cycles_q ));
        i_limit: assert (state == ST_IDLE || width <= MAX_PULSE_CYCLES && width != 0);
        i_short: assert ((state != ST_CLOSE && state != ST_OPEN) || wait_left < 256);
        i_negative: assert (state == ST_IDLE || pulse || !negative);
        i_none: assert (state == ST_IDLE || amplitude != 0 || on_count == 0);
        i_guard: assert (guard_before <= 255 && guard_after <= 255);
        i_closed: assert (state != ST_CLOSE || on_count == 0 && opened == 0 && closed + wait_left + 1 == guard_before);
        i_driven: assert ((state != ST_PULSE && state != ST_SETTLE && state != ST_CONVERT) || closed >= guard_before);
        i_left: assert (left == 0 || (amplitude == 0 ? on_count == 0 : on_count < width && on_count + left == width));
        i_sum: assert (!timer_done || amplitude == 0 || on_count == width);
        i_ended: assert (state != ST_OPEN || !pulse || amplitude == 0 || on_count == width);
        i_opened: assert (state != ST_OPEN || amplitude == 0 || on_count == 0 || opened + wait_left + 1 >= guard_after);
        i_still: assert (on_count == 0 || state == ST_OPEN || state == ST_IDLE || opened <= timer_done);
        i_reading: assert (state != ST_CONVERT && state != ST_SETTLE || amplitude == 0 || opened == 0);
        i_small: assert (state != ST_OPEN || amplitude == 0 || opened + wait_left <= 256);
        i_owed: assert (owed == (state != ST_IDLE || done));

        // -- safety
        a_one_path: assert (!(write && sense));
        a_closed: assert (!on || select && write != sense);
        a_idle: assert (owed && !done || !select && !write && !sense && !on);
        a_guard_before: assert (!on || on_before || selected_before && closed >= guard_before);
        a_guard_after: assert (select || !selected_before || aborted || on_count == 0 || opened >= guard_after);
        a_path_stays: assert (!on || !on_before || write == write_before);
        a_amplitude: assert (!on || drive == (negative ? -{1'b0, amplitude} : {1'b0, amplitude}));
        a_write_amplitude: assert (!on || write == pulse);
        a_polarity: assert (!(on && write) || reset_phase == negative && drive[11] == negative);
        a_limit: assert (!(on && write) || on_count < MAX_PULSE_CYCLES);
        a_width: assert (!done || aborted || !pulse || on_count == (amplitude == 0 ? 0 : width));
        a_convert: assert (!convert || sense && state == ST_CONVERT);
        a_abort: assert (!aborted || !select && !write && !sense && !on && !done && !convert);
        a_reset: assert (rst_ni || !select && !write && !sense && !on && !done && !convert);
        a_legal: assert (state <= ST_OPEN);
        // -- answers
        a_progress: assert (!selected_before || aborted || waits || rank < rank_before);
        a_answer: assert (state != ST_IDLE || !selected_before || aborted || done);
        a_no_answer_unasked: assert (!done || owed);
        c_pulse: cover (done && pulse && negative && on_count == 3 && opened == 3);
        c_longest: cover (done && pulse && !negative && on_count == MAX_PULSE_CYCLES);
        c_read: cover (done && !pulse && on_count > 2);
        c_abort: cover (aborted && on_before && write_before);
    end
endmodule
`default_nettype wire
