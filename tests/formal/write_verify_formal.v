// SPDX-License-Identifier: BSD-3-Clause
// Write-verify, whatever algorithm and whatever codes come back: limits of amplitude, width and number of pulses, direction
// of each pulse, one access at a time, every device answered.  Settings may change at any time.
`default_nettype none

module write_verify_formal (
    input wire        clk_i,
    input wire        rst_ni,
    input wire        abort_i,
    input wire        start_i,
    input wire [11:0] target_i,
    input wire [1:0]  algorithm_i,
    input wire [10:0] law_offset_i,
    input wire [15:0] law_slope_i,
    input wire [15:0] trim_gain_i,
    input wire [3:0]  confirm_i,
    input wire [10:0] set_start_i,
    input wire [10:0] set_max_i,
    input wire [10:0] reset_start_i,
    input wire [10:0] reset_max_i,
    input wire [10:0] step_min_i,
    input wire [10:0] step_max_i,
    input wire [3:0]  gain_shift_i,
    input wire [10:0] reset_step_i,
    input wire [19:0] set_cycles_i,
    input wire [2:0]  set_stretch_i,
    input wire [19:0] reset_cycles_i,
    input wire        init_enable_i,
    input wire [10:0] init_code_i,
    input wire [19:0] init_cycles_i,
    input wire [15:0] tolerance_i,
    input wire [9:0]  max_pulses_i,
    input wire [7:0]  stuck_limit_i,
    input wire        access_done_i,
    input wire [11:0] code_i
);
    localparam [2:0] ST_IDLE = 0, ST_READ = 1, ST_JUDGE = 2, ST_PULSE = 3, ST_INIT = 4;

    wire        read, pulse, is_reset, done, log_valid;
    wire [10:0] amplitude;
    wire [19:0] cycles;
    wire [2:0]  status;
    wire [9:0]  pulses;
    wire [11:0] last_code;
    (* hierconn *) wire [2:0]  \u_dut.state_q ;
    (* hierconn *) wire [3:0]  \u_dut.confirmed_q ;
    (* hierconn *) wire [11:0] \u_dut.target_q ;
    (* hierconn *) wire        \u_dut.pulsed_q ;
    wire [2:0] state = \u_dut.state_q ;
    wire [3:0] confirmed = \u_dut.confirmed_q ;

    write_verify u_dut (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .abort_i(abort_i),
        .start_i(start_i),
        .target_i(target_i),
        .algorithm_i(algorithm_i),
        .law_offset_i(law_offset_i),
        .law_slope_i(law_slope_i),
        .trim_gain_i(trim_gain_i),
        .confirm_i(confirm_i),
        .set_start_i(set_start_i),
        .set_max_i(set_max_i),
        .reset_start_i(reset_start_i),
        .reset_max_i(reset_max_i),
        .step_min_i(step_min_i),
        .step_max_i(step_max_i),
        .gain_shift_i(gain_shift_i),
        .reset_step_i(reset_step_i),
        .set_cycles_i(set_cycles_i),
        .set_stretch_i(set_stretch_i),
        .reset_cycles_i(reset_cycles_i),
        .init_enable_i(init_enable_i),
        .init_code_i(init_code_i),
        .init_cycles_i(init_cycles_i),
        .tolerance_i(tolerance_i),
        .max_pulses_i(max_pulses_i),
        .stuck_limit_i(stuck_limit_i),
        .read_o(read),
        .pulse_o(pulse),
        .is_reset_o(is_reset),
        .amplitude_o(amplitude),
        .cycles_o(cycles),
        .access_done_i(access_done_i),
        .code_i(code_i),
        .done_o(done),
        .status_o(status),
        .pulses_o(pulses),
        .last_code_o(last_code),
        .log_valid_o(log_valid)
    );

    `include "start.vh"

    // the access under way, as the cell sees it: answered once, and the code stays until the next one
    reg outstanding;
    always @(posedge clk_i) assume (!access_done_i || outstanding && !read && !pulse);

    // -- settings one clock ago, when the pulse that is asked for now was chosen ---------------------------------------
    reg [10:0] set_max, reset_max;
    reg [19:0] set_cycles, reset_cycles, init_cycles;
    reg [2:0]  set_stretch;
    reg [9:0]  max_pulses;
    reg [11:0] code, wanted;
    reg        fixed, owed, busy_before, aborted, waits, initial_pulse;
    reg [10:0] count;                                      // pulses asked for since the start
    reg [15:0] rank_before;
    wire [26:0] stretched = {7'b0, set_cycles} << (fixed ? 3'd0 : set_stretch);
    wire [19:0] longest = stretched > 27'hfffff ? 20'hfffff : stretched[19:0];
    // counts down in every clock that does not wait for the cell: pulses left, reads in tolerance left, step of the round
    wire        pulsing = state == ST_PULSE || state == ST_INIT;
    wire [15:0] rank = state == ST_IDLE ? 16'd0 : pulsing ? {10'd1022 - pulses, 4'd15, 2'd3} :
                       {10'd1023 - pulses, 4'd15 - confirmed, state == ST_READ ? 2'd2 : 2'd1};
    always @(posedge clk_i) begin
        {set_max, reset_max, set_cycles, reset_cycles} <= {set_max_i, reset_max_i, set_cycles_i, reset_cycles_i};
        {fixed, set_stretch} <= {algorithm_i == 0, set_stretch_i};
        {init_cycles, max_pulses, code, rank_before} <= {init_cycles_i, max_pulses_i, code_i, rank};
        waits <= (state == ST_READ || pulsing) && !access_done_i;
    end
    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) {owed, outstanding, busy_before, aborted, initial_pulse, count, wanted} <= 0;
        else begin
            {busy_before, aborted} <= {state != ST_IDLE, abort_i};
            initial_pulse <= state == ST_IDLE && start_i && init_enable_i;
            if (state == ST_IDLE && start_i) begin
                owed   <= !abort_i;
                count  <= 0;
                wanted <= target_i;
            end else begin
                if (pulse) count <= count + 1;
                if (abort_i || done) owed <= 0;
            end
            if (abort_i) outstanding <= 0;
            else if (read || pulse) outstanding <= 1;
            else if (access_done_i) outstanding <= 0;
        end

    always @(posedge clk_i) begin
        // -- for induction
        i_owed: assert (owed == (state != ST_IDLE || done) && !(done && state != ST_IDLE));
        i_access: assert ((outstanding || read || pulse) == (state == ST_READ || pulsing));
        i_once: assert (!outstanding || !read && !pulse);
        i_kind: assert ((!read || state == ST_READ) && (!pulse || pulsing));
        i_initial: assert (!initial_pulse || aborted || state == ST_INIT && pulse && pulses == 0);
        i_count: assert (state == ST_IDLE || count + pulse == (pulsing ? pulses + 11'd1 : pulses));
        i_pulses: assert (state == ST_IDLE || (pulsing ? pulses < 1023 : pulses <= 1023));
        i_pulsed: assert (state == ST_IDLE || ! \u_dut.pulsed_q || count != 0);
        i_init: assert (state != ST_INIT || pulses == 0);
        i_pulsing: assert (state != ST_PULSE || confirmed == 0);
        i_confirmed: assert (state == ST_IDLE || confirmed != 15);
        i_target: assert (state == ST_IDLE || \u_dut.target_q == wanted);

        // -- safety
        a_one_access: assert (!(read && pulse) && !((read || pulse) && outstanding));
        a_set_limit: assert (!pulse || is_reset || amplitude <= set_max);
        a_reset_limit: assert (!pulse || !is_reset || amplitude <= reset_max);
        a_width: assert (!pulse || !initial_pulse && !is_reset || cycles == (initial_pulse ? init_cycles : reset_cycles));
        a_set_width: assert (!pulse || is_reset || cycles >= set_cycles && cycles <= longest);
        a_direction: assert (!pulse || is_reset == (initial_pulse || $signed(code) > $signed(wanted)));
        a_pulses: assert (!pulse || initial_pulse || count < max_pulses);
        a_pulses_told: assert (!done || pulses == count);
        a_status: assert (!done || status == 1 || status == 2 || status == 3 || status == 5);
        a_last_code: assert (!done || last_code == code);
        a_log: assert (!log_valid || count != 0);
        a_abort: assert (!aborted || state == ST_IDLE && !read && !pulse && !done && !log_valid);
        a_reset: assert (rst_ni || state == ST_IDLE && !read && !pulse && !done && !log_valid && amplitude == 0);
        a_legal: assert (state <= ST_INIT);
        // -- answers
        a_progress: assert (!busy_before || aborted || waits || rank < rank_before);
        a_answer: assert (state != ST_IDLE || !busy_before || aborted || done);
        a_no_answer_unasked: assert (!done || owed);
        c_given_up: cover (done && status == 2 && count == 2);
        c_stuck: cover (done && status == 5 && count == 2);
        c_reached: cover (done && status == 1 && count == 2 && confirm_i == 2 && last_code > 5);
        c_initial: cover (done && count == 1 && max_pulses == 0);
        c_abort: cover (aborted && busy_before && count == 1);
    end
    // the code of a conversion stays until the next access
    always @(posedge clk_i) assume (state != ST_JUDGE || code_i == code);
endmodule
`default_nettype wire
