// SPDX-License-Identifier: BSD-3-Clause
// Write-verify of one device: read, compare, pulse, until the code is in tolerance or a limit is met.
// Three ways to choose the amplitude of a SET:
//   fixed        always the same;
//   incremental  grows with the remaining error; after an overshoot it goes on a little below the amplitude that
//                overshot, with steps half as large;
//   predictive   the amplitude at which the compliance law ends a SET at the target, plus a share for the remaining
//                error, plus an offset that learns from each pulse what this device needs beyond the law.
// Where the largest amplitude moves a device too little, its SET pulses grow longer (fixed: never).
// An overshoot is answered by RESET pulses of growing (fixed: the same) amplitude.
`timescale 1ns / 1ps
`default_nettype none

module write_verify (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        abort_i,
    input  wire        start_i,          // one cycle, while not busy
    input  wire [11:0] target_i,         // code to reach, 0 .. 2047
    // settings
    input  wire [1:0]  algorithm_i,      // 0 fixed, 1 incremental, 2 and 3 predictive
    input  wire [10:0] law_offset_i,     // DAC codes at code 0
    input  wire [15:0] law_slope_i,      // DAC codes per ADC code, Q4.12
    input  wire [15:0] trim_gain_i,      // DAC codes per ADC code, Q4.12
    input  wire [3:0]  confirm_i,
    input  wire [10:0] set_start_i,
    input  wire [10:0] set_max_i,
    input  wire [10:0] reset_start_i,
    input  wire [10:0] reset_max_i,
    input  wire [10:0] step_min_i,
    input  wire [10:0] step_max_i,
    input  wire [3:0]  gain_shift_i,
    input  wire [10:0] reset_step_i,
    input  wire [19:0] set_cycles_i,
    input  wire [2:0]  set_stretch_i,    // doublings of it, at most
    input  wire [19:0] reset_cycles_i,
    input  wire        init_enable_i,
    input  wire [10:0] init_code_i,
    input  wire [19:0] init_cycles_i,
    input  wire [15:0] tolerance_i,      // share of the target, Q0.16
    input  wire [9:0]  max_pulses_i,
    input  wire [7:0]  stuck_limit_i,
    // cell access
    output reg         read_o,           // one cycle; reset value 0
    output reg         pulse_o,          // one cycle; reset value 0
    output reg         is_reset_o,
    output reg  [10:0] amplitude_o,      // never above the limit of its polarity
    output reg  [19:0] cycles_o,
    input  wire        access_done_i,
    input  wire [11:0] code_i,           // last conversion, two's complement
    output wire        fault_o,          // in a state without a name
    // outcome, valid with done_o
    output reg         done_o,           // one cycle; reset value 0
    output reg  [2:0]  status_o,         // 1 reached, 2 given up, 3 stuck low, 5 stuck high
    output reg  [9:0]  pulses_o,
    output reg  [11:0] last_code_o,
    // pulse log: one cycle, at the verify after a pulse
    output reg         log_valid_o,
    output reg         log_initial_o,    // the initial RESET: no code before it is known, log_before_o is 0
    output reg         log_is_reset_o,
    output reg  [10:0] log_amplitude_o,
    output reg  [19:0] log_cycles_o,
    output reg  [11:0] log_before_o,     // code before the pulse
    output reg  [11:0] log_after_o,      // code after it
    output reg  [2:0]  log_verdict_o     // 0 below the target, 1 in tolerance, 2 above, 3 given up, 4 stuck low, 5 stuck high
);
    localparam [2:0] ST_IDLE = 3'd0, ST_READ = 3'd1, ST_JUDGE = 3'd2, ST_PULSE = 3'd3, ST_INIT = 3'd4;
    localparam [2:0] REACHED = 3'd1, GIVEN_UP = 3'd2, STUCK_LOW = 3'd3, STUCK_HIGH = 3'd5;
    localparam [2:0] BELOW = 3'd0, IN_TOLERANCE = 3'd1, ABOVE = 3'd2, ENDED = 3'd3, NO_SET = 3'd4, NO_RESET = 3'd5;
    localparam [1:0] NONE = 2'd0, SET = 2'd1, RESET = 2'd2;

    reg  [2:0]  state_q, state_d;
    reg         read_d, pulse_d, is_reset_d, done_d, log_valid_d;
    reg  [10:0] amplitude_d;
    reg  [19:0] cycles_d;
    reg  [2:0]  status_d;
    reg  [9:0]  pulses_d;
    reg  [3:0]  confirmed_q, confirmed_d;
    reg  [7:0]  idle_q, idle_d;            // pulses at the largest amplitude without effect
    reg         pulsed_q, pulsed_d;        // a pulse came before the present read
    reg  [1:0]  last_q, last_d;            // last trim pulse
    reg         initial_q, initial_d;      // the pulse before the present read was the initial RESET
    reg  [2:0]  verdict;
    reg  [2:0]  damping_q, damping_d;      // SET pulses that overshot: each halves the steps that follow
    reg  [10:0] set_amplitude_q, set_amplitude_d;  // of the SET that overshot last
    reg  [12:0] overshot_q, overshot_d;            // and by how much, codes
    reg  signed [12:0] offset_q, offset_d;         // predictive: what this device needs beyond the law, DAC codes
    reg  [2:0]  stretch_q, stretch_d;              // doublings of the SET width that this device needs
    reg  [11:0] target_q, before_q;
    reg         sampled;

    wire signed [12:0] error = $signed({target_q[11], target_q}) - $signed({code_i[11], code_i});
    wire [12:0]        size = error[12] ? -error : error;
    wire [27:0]        product = target_q * tolerance_i;
    wire [12:0]        tolerance = product[27:16] == 12'd0 ? 13'd1 : {1'b0, product[27:16]};
    wire               in_tolerance = size <= tolerance;

    wire signed [12:0] moved = $signed({code_i[11], code_i}) - $signed({before_q[11], before_q});
    wire               no_effect = moved <= 13'sd1 && moved >= -13'sd1;
    wire               fixed = algorithm_i == 2'd0;
    wire               predictive = algorithm_i[1];
    wire               at_limit = fixed || (is_reset_o ? amplitude_o >= reset_max_i : amplitude_o >= set_max_i);

    wire [4:0]  shift = {1'b0, gain_shift_i} + {2'b0, damping_q};
    wire [12:0] gained = size >> shift;
    wire [12:0] step = gained < {2'b0, step_min_i} ? {2'b0, step_min_i} :
                       gained > {2'b0, step_max_i} ? {2'b0, step_max_i} : gained;
    // after a RESET, SET goes on a little below the amplitude that overshot: one and a half times the usual step back
    wire [13:0] back = {1'b0, overshot_q >> gain_shift_i} + {2'b0, overshot_q[12:1] >> gain_shift_i} + 14'd1;
    wire [13:0] resumed = {3'b0, set_amplitude_q} > {3'b0, set_start_i} + back ? {3'b0, set_amplitude_q} - back
                                                                              : {3'b0, set_start_i};
    wire [13:0] stepped = last_q == SET ? {3'b0, amplitude_o} + {1'b0, step} : last_q == RESET ? resumed : {3'b0, set_start_i};

    // predictive: a SET of the compliance law's amplitude ends at the target; the excess makes it quick
    wire [27:0] law = target_q * law_slope_i;
    wire [28:0] excess = size * trim_gain_i;
    wire [12:0] trim = excess[28:25] != 4'd0 ? 13'h1fff : excess[24:12];
    wire [12:0] lesson = trim < {2'b0, step_min_i} ? {2'b0, step_min_i} : trim > {2'b0, step_max_i} ? {2'b0, step_max_i} : trim;
    // a SET that made up less than a fifth of the error was too small; one that overshot was too large
    wire               judged = pulsed_q && last_q == SET;
    wire               too_small = judged && !error[12] && $signed({moved, 2'b00}) < $signed({2'b00, size});
    wire               too_large = judged && error[12];
    wire signed [14:0] offset_raw = {{2{offset_q[12]}}, offset_q} + (too_small ? $signed({2'b0, lesson}) :
                                    too_large ? -$signed({2'b0, lesson}) : 15'sd0);
    wire signed [12:0] offset_next = offset_raw > 15'sd2047 ? 13'sd2047 : offset_raw < -15'sd2047 ? -13'sd2047 : offset_raw[12:0];
    // too small at the largest amplitude: only time is left to give
    wire [2:0]  learned = too_small && at_limit && stretch_q != 3'd7 ? stretch_q + 3'd1 :
                          too_large && stretch_q != 3'd0 ? stretch_q - 3'd1 : stretch_q;
    wire [2:0]  stretch = fixed ? 3'd0 : learned > set_stretch_i ? set_stretch_i : learned;
    wire [26:0] stretched = {7'b0, set_cycles_i} << stretch;
    wire [19:0] set_cycles = stretched[26:20] != 7'd0 ? 20'hfffff : stretched[19:0];
    wire signed [18:0] wanted = $signed({8'b0, law_offset_i}) + $signed({3'b0, law[27:12]}) + $signed({6'b0, trim}) +
                                $signed({{6{offset_next[12]}}, offset_next});
    wire [13:0] predicted = wanted < 19'sd0 ? 14'd0 : wanted > 19'sd2047 ? 14'd2047 : wanted[13:0];

    wire [13:0] set_raw = fixed ? {3'b0, set_start_i} : predictive ? predicted : stepped;
    wire [13:0] reset_raw = last_q == RESET && !fixed ? {3'b0, amplitude_o} + {3'b0, reset_step_i} : {3'b0, reset_start_i};
    wire [10:0] set_next = set_raw > {3'b0, set_max_i} ? set_max_i : set_raw[10:0];
    wire [10:0] reset_next = reset_raw > {3'b0, reset_max_i} ? reset_max_i : reset_raw[10:0];

    assign fault_o = state_q > ST_INIT;

    // fractions of a code are cut off
    wire unused = &{1'b0, product[15:0], law[11:0], excess[11:0]};

    always @(*) begin
        state_d     = state_q;
        read_d      = 1'b0;
        pulse_d     = 1'b0;
        done_d      = 1'b0;
        log_valid_d = 1'b0;
        sampled     = 1'b0;
        is_reset_d  = is_reset_o;
        amplitude_d = amplitude_o;
        cycles_d    = cycles_o;
        status_d    = status_o;
        pulses_d    = pulses_o;
        confirmed_d = confirmed_q;
        idle_d      = idle_q;
        pulsed_d    = pulsed_q;
        last_d      = last_q;
        damping_d   = damping_q;
        set_amplitude_d = set_amplitude_q;
        overshot_d      = overshot_q;
        offset_d        = offset_q;
        stretch_d       = stretch_q;
        initial_d       = initial_q;
        verdict         = in_tolerance ? IN_TOLERANCE : error[12] ? ABOVE : BELOW;
        case (state_q)
            // wait for a device; an abort before its first read must not find what the last one left
            ST_IDLE: begin
                pulses_d = 10'd0;
                if (start_i) begin
                    confirmed_d = 4'd0;
                    idle_d      = 8'd0;
                    pulsed_d    = 1'b0;
                    last_d      = NONE;
                    damping_d   = 3'd0;
                    set_amplitude_d = 11'd0;
                    overshot_d      = 13'd0;
                    offset_d        = 13'sd0;
                    stretch_d       = 3'd0;
                    initial_d       = init_enable_i;
                    if (init_enable_i) begin
                        state_d     = ST_INIT;
                        pulse_d     = 1'b1;
                        is_reset_d  = 1'b1;
                        amplitude_d = init_code_i > reset_max_i ? reset_max_i : init_code_i;
                        cycles_d    = init_cycles_i;
                    end else begin
                        state_d = ST_READ;
                        read_d  = 1'b1;
                    end
                end
            end
            // initial RESET pulse under way
            ST_INIT: if (access_done_i) begin
                pulses_d = 10'd1;
                pulsed_d = 1'b1;
                state_d  = ST_READ;
                read_d   = 1'b1;
            end
            // conversion under way
            ST_READ: if (access_done_i) begin
                sampled = 1'b1;
                state_d = ST_JUDGE;
            end
            // compare, then confirm, pulse or end
            ST_JUDGE: begin
                log_valid_d = pulsed_q;
                pulsed_d    = 1'b0;
                initial_d   = 1'b0;
                offset_d    = offset_next;
                stretch_d   = stretch;
                // whether the initial RESET had an effect cannot be told: no read came before it
                if (pulsed_q && !initial_q) idle_d = no_effect && at_limit ? idle_q + 8'd1 : 8'd0;
                if (in_tolerance) begin
                    confirmed_d = confirmed_q + 4'd1;
                    if (confirmed_q + 4'd1 >= confirm_i) begin
                        status_d = REACHED;
                        done_d   = 1'b1;
                        state_d  = ST_IDLE;
                    end else begin
                        read_d  = 1'b1;
                        state_d = ST_READ;
                    end
                end else if (idle_d >= stuck_limit_i && stuck_limit_i != 8'd0) begin
                    status_d = is_reset_o ? STUCK_HIGH : STUCK_LOW;
                    verdict  = is_reset_o ? NO_RESET : NO_SET;
                    done_d   = 1'b1;
                    state_d  = ST_IDLE;
                end else if (pulses_o >= max_pulses_i) begin
                    status_d = GIVEN_UP;
                    verdict  = ENDED;
                    done_d   = 1'b1;
                    state_d  = ST_IDLE;
                end else begin
                    confirmed_d = 4'd0;
                    pulse_d     = 1'b1;
                    is_reset_d  = error[12];
                    amplitude_d = error[12] ? reset_next : set_next;
                    cycles_d    = error[12] ? reset_cycles_i : set_cycles;
                    last_d      = error[12] ? RESET : SET;
                    if (error[12] && last_q == SET) begin
                        if (damping_q != 3'd7) damping_d = damping_q + 3'd1;
                        set_amplitude_d = amplitude_o;
                        overshot_d      = size;
                    end
                    state_d     = ST_PULSE;
                end
            end
            // trim pulse under way
            ST_PULSE: if (access_done_i) begin
                pulses_d = pulses_o + 10'd1;
                pulsed_d = 1'b1;
                state_d  = ST_READ;
                read_d   = 1'b1;
            end
            // an illegal state ends without a pulse
            default: state_d = ST_IDLE;
        endcase
        if (abort_i) begin
            state_d     = ST_IDLE;
            read_d      = 1'b0;
            pulse_d     = 1'b0;
            done_d      = 1'b0;
            log_valid_d = 1'b0;
        end
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            state_q      <= ST_IDLE;
            read_o       <= 1'b0;
            pulse_o      <= 1'b0;
            is_reset_o   <= 1'b0;
            amplitude_o  <= 11'd0;
            cycles_o     <= 20'd0;
            done_o       <= 1'b0;
            status_o     <= 3'd0;
            pulses_o     <= 10'd0;
            last_code_o  <= 12'd0;
            log_valid_o  <= 1'b0;
            log_initial_o   <= 1'b0;
            log_is_reset_o  <= 1'b0;
            log_amplitude_o <= 11'd0;
            log_cycles_o    <= 20'd0;
            log_before_o    <= 12'd0;
            log_after_o     <= 12'd0;
            log_verdict_o   <= 3'd0;
            before_q     <= 12'd0;
            confirmed_q  <= 4'd0;
            idle_q       <= 8'd0;
            pulsed_q     <= 1'b0;
            last_q       <= NONE;
            initial_q    <= 1'b0;
            damping_q    <= 3'd0;
            set_amplitude_q <= 11'd0;
            overshot_q      <= 13'd0;
            offset_q     <= 13'sd0;
            stretch_q    <= 3'd0;
            target_q     <= 12'd0;
        end else begin
            state_q     <= state_d;
            read_o      <= read_d;
            pulse_o     <= pulse_d;
            is_reset_o  <= is_reset_d;
            amplitude_o <= amplitude_d;
            cycles_o    <= cycles_d;
            done_o      <= done_d;
            status_o    <= status_d;
            pulses_o    <= pulses_d;
            log_valid_o <= log_valid_d;
            confirmed_q <= confirmed_d;
            idle_q      <= idle_d;
            pulsed_q    <= pulsed_d;
            last_q      <= last_d;
            damping_q   <= damping_d;
            set_amplitude_q <= set_amplitude_d;
            overshot_q      <= overshot_d;
            offset_q    <= offset_d;
            stretch_q   <= stretch_d;
            initial_q   <= initial_d;
            if (state_q == ST_IDLE && start_i) target_q <= target_i;
            if (sampled) last_code_o <= code_i;
            else if (state_q == ST_IDLE) last_code_o <= 12'd0;
            if (log_valid_d) begin
                log_initial_o   <= initial_q;
                log_is_reset_o  <= is_reset_o;
                log_amplitude_o <= amplitude_o;
                log_cycles_o    <= cycles_o;
                log_before_o    <= initial_q ? 12'd0 : before_q;
                log_after_o     <= code_i;
                log_verdict_o   <= verdict;
            end
            // the code before a pulse is the one that was judged when the pulse was asked for
            if (pulse_d && state_q == ST_JUDGE) before_q <= code_i;
        end
    end
endmodule
`default_nettype wire
