// SPDX-License-Identifier: BSD-3-Clause
// Pulse timer: exact width, never above the limit, off on abort and reset.
`default_nettype none

module pulse_timer_formal #(
    parameter WIDTH = 20,
    parameter MAX_CYCLES = 100000
) (
    input wire             clk_i,
    input wire             rst_ni,
    input wire             start_i,
    input wire             abort_i,
    input wire [WIDTH-1:0] cycles_i
);
    wire active, done;
    (* hierconn *) wire [WIDTH-1:0] \u_dut.left_q ;

    pulse_timer #(
        .WIDTH(WIDTH),
        .MAX_CYCLES(MAX_CYCLES)
    ) u_dut (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .start_i(start_i),
        .abort_i(abort_i),
        .cycles_i(cycles_i),
        .active_o(active),
        .done_o(done)
    );

    `include "start.vh"

    // width asked for, within 1 .. MAX_CYCLES, and the clocks it was active so far
    wire [WIDTH-1:0] floor = cycles_i == 0 ? 1 : cycles_i;
    reg  [WIDTH-1:0] asked, count;
    reg              aborted, owed;
    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) {asked, count, aborted, owed} <= 0;
        else begin
            aborted <= abort_i;
            if (abort_i) owed <= 0;
            else if (active) count <= count + 1;
            else if (start_i) begin
                asked <= floor > MAX_CYCLES ? MAX_CYCLES : floor;
                count <= 0;
                owed  <= 1;
            end else if (done) owed <= 0;
        end

    always @(posedge clk_i) begin
        // for induction: what is left and what was done are the width
        i_sum: assert (!active || count < asked && count + \u_dut.left_q == asked);
        i_asked: assert (asked <= MAX_CYCLES && (asked >= 1 || !owed));
        i_owed: assert (!active || owed);
        a_limit: assert (!active || count < MAX_CYCLES);
        a_width: assert (!done || count == asked);
        // a pulse is active or has just ended: it is answered after its width
        a_answer: assert (!owed || active || done);
        a_no_answer_unasked: assert (!done || owed);
        a_abort: assert (!aborted || !active && !done);
        a_reset: assert (rst_ni || !active && !done);
        c_longest: cover (done && asked == MAX_CYCLES);
        c_shortest: cover (done && asked == 1);
        c_abort: cover (aborted && count > 1);
    end
endmodule
`default_nettype wire
