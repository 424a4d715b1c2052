// SPDX-License-Identifier: BSD-3-Clause
// Inference: one layer driven at a time, inside closed switches, each conversion once, every image answered.
`default_nettype none

module inference_sequencer_formal (
    input wire        clk_i,
    input wire        rst_ni,
    input wire        abort_i,
    input wire        start_i,
    input wire [15:0] settle_i,
    input wire [7:0]  guard_i,
    input wire        first_done_i,
    input wire        second_done_i
);
    localparam [3:0] ST_IDLE = 0, ST_CLOSE = 1, ST_SETTLE_1 = 2, ST_CONVERT_1 = 3, ST_KEEP = 4, ST_SETTLE_2 = 5,
                     ST_CONVERT_2 = 6, ST_OPEN = 7;

    wire busy, done, select, first, second, convert_first, convert_second, keep_first, keep_second;
    (* hierconn *) wire [3:0]  \u_dut.state_q ;
    (* hierconn *) wire [3:0]  \u_dut.state_d ;
    (* hierconn *) wire [15:0] \u_dut.wait_q ;
    wire [3:0]  state = \u_dut.state_q ;
    wire [15:0] wait_left = \u_dut.wait_q ;

    inference_sequencer u_dut (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .abort_i(abort_i),
        .start_i(start_i),
        .settle_i(settle_i),
        .guard_i(guard_i),
        .busy_o(busy),
        .done_o(done),
        .select_o(select),
        .drive_first_o(first),
        .drive_second_o(second),
        .convert_first_o(convert_first),
        .convert_second_o(convert_second),
        .first_done_i(first_done_i),
        .second_done_i(second_done_i),
        .keep_first_o(keep_first),
        .keep_second_o(keep_second)
    );

    `include "start.vh"

    wire [8:0] guard = guard_i == 0 ? 1 : guard_i;
    reg        owed, aborted, busy_before, on_before;
    reg  [1:0] converted, kept;                             // conversions and results of this image, so far
    reg  [8:0] guard_before, guard_after, closed, opened;
    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) {owed, aborted, busy_before, on_before, converted, kept, guard_before, guard_after, closed, opened} <= 0;
        else begin
            {aborted, busy_before, on_before} <= {abort_i, busy, first || second};
            converted <= converted + convert_first + convert_second;
            kept      <= kept + keep_first + keep_second;
            if (!busy && start_i) begin
                {converted, kept, closed, opened} <= 0;
                guard_before <= guard;
                owed         <= !abort_i;
            end else begin
                if (state == ST_CLOSE) closed <= closed + 1;
                if (state == ST_OPEN) opened <= opened + 1;
                if (abort_i || done) owed <= 0;
            end
            if (state != ST_OPEN && \u_dut.state_d == ST_OPEN) guard_after <= guard;
        end

    // counts down in every clock that does not wait for a converter
    wire [18:0] rank = state == ST_CLOSE ? 19'd300000 + wait_left : state == ST_SETTLE_1 ? 19'd200000 + wait_left :
                       state == ST_CONVERT_1 ? 19'd199999 : state == ST_KEEP ? 19'd199998 :
                       state == ST_SETTLE_2 ? 19'd1000 + wait_left : state == ST_CONVERT_2 ? 19'd999 :
                       state == ST_OPEN ? 19'd1 + wait_left : 19'd0;
    reg  [18:0] rank_before;
    reg         waits;
    always @(posedge clk_i)
        {rank_before, waits} <= {rank, state == ST_CONVERT_1 && !first_done_i || state == ST_CONVERT_2 && !second_done_i};

    always @(posedge clk_i) begin
        // -- for induction
        i_short: assert ((state != ST_CLOSE && state != ST_OPEN) || wait_left < 256);
        i_closed: assert (state != ST_CLOSE || closed + wait_left + 1 == guard_before && guard_before <= 255);
        i_driven: assert (state < ST_SETTLE_1 || closed == guard_before);
        i_opened: assert (state != ST_OPEN || opened + wait_left + 1 == guard_after && guard_after <= 255);
        i_not_yet: assert (state == ST_OPEN || state == ST_IDLE || opened == 0);
        i_owed: assert (owed == (busy || done));
        i_converts: assert ((!convert_first || state == ST_CONVERT_1) && (!convert_second || state == ST_CONVERT_2));
        i_keeps: assert (!busy || (!keep_first || state == ST_KEEP) && (!keep_second || state == ST_OPEN) && (state != ST_KEEP || keep_first));
        i_counts: assert (!busy || converted + convert_first + convert_second == (state >= ST_CONVERT_2 ? 2 : state >= ST_CONVERT_1 ? 1 : 0)
                          && kept + keep_first + keep_second == (state >= ST_OPEN ? 2 : state >= ST_KEEP ? 1 : 0));
        i_done: assert (!done || converted == 2 && kept + keep_second == 2);

        // -- safety
        a_one_layer: assert (!(first && second));
        a_closed: assert (!(first || second) || select);
        a_guard_before: assert (!(first || second) || closed >= guard_before && guard_before != 0);
        a_guard_after: assert (select || !busy_before || aborted || opened >= guard_after);
        a_driven_for_conversion: assert ((!convert_first || first) && (!convert_second || second));
        a_all_steps: assert (!done || converted == 2 && kept + keep_second == 2);
        a_idle: assert (busy || !select && !first && !second && !convert_first && !convert_second);
        a_abort: assert (!aborted || !busy && !select && !first && !second && !convert_first && !convert_second && !keep_first && !keep_second && !done);
        a_reset: assert (rst_ni || !busy && !select && !first && !second && !convert_first && !convert_second && !keep_first && !keep_second && !done);
        a_legal: assert (state <= ST_OPEN);
        // -- answers
        a_progress: assert (!busy_before || aborted || waits || rank < rank_before);
        a_answer: assert (busy || !busy_before || aborted || done);
        a_no_answer_unasked: assert (!done || owed);
        c_image: cover (done && closed == 2 && opened == 2);
        c_abort: cover (aborted && on_before);
    end
endmodule
`default_nettype wire
