// SPDX-License-Identifier: BSD-3-Clause
// Converter: the right code, after at most WIDTH times the longest bit, quiet when idle, aborted and reset.
`default_nettype none

module sar_adc_formal #(
    parameter WIDTH = 12
) (
    input wire       clk_i,
    input wire       rst_ni,
    input wire       start_i,
    input wire       abort_i,
    input wire [7:0] bit_cycles_i,
    input wire       cmp_i
);
    wire [WIDTH-1:0] code, result;
    wire             done;
    (* hierconn *) wire             \u_dut.busy_q ;
    (* hierconn *) wire [WIDTH-1:0] \u_dut.bit_oh_q ;
    (* hierconn *) wire [WIDTH-1:0] \u_dut.found_q ;
    (* hierconn *) wire [7:0]       \u_dut.wait_q ;
    wire             busy = \u_dut.busy_q ;
    wire [WIDTH-1:0] bit_oh = \u_dut.bit_oh_q ;
    wire [WIDTH-1:0] found = \u_dut.found_q ;

    sar_adc #(
        .WIDTH(WIDTH)
    ) u_dut (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .start_i(start_i),
        .abort_i(abort_i),
        .bit_cycles_i(bit_cycles_i),
        .cmp_i(cmp_i),
        .code_o(code),
        .done_o(done),
        .result_o(result)
    );

    `include "start.vh"

    // a column at rest: the comparator compares the trial code with one value
    (* anyconst *) reg [WIDTH-1:0] value;
    always @(posedge clk_i) assume (!busy || cmp_i == ($signed(value) > $signed(code)));

    // counts down while a conversion is under way: bit under trial, then its clocks
    wire [WIDTH+7:0] rank = busy ? {bit_oh, \u_dut.wait_q } : 0;
    reg  [WIDTH+7:0] rank_before;
    reg              busy_before, aborted, owed;
    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) {rank_before, busy_before, aborted, owed} <= 0;
        else begin
            {rank_before, busy_before, aborted} <= {rank, busy, abort_i};
            if (abort_i) owed <= 0;
            else if (!busy && start_i) owed <= 1;
            else if (done) owed <= 0;
        end

    wire signed [WIDTH-1:0] lowest = {1'b1, {WIDTH-1{1'b0}}};
    // value in offset binary, as the search sees it; bits below the one under trial are open
    wire [WIDTH-1:0] level = value ^ lowest;
    wire [WIDTH-1:0] open = {bit_oh[WIDTH-2:0], 1'b0} - 1'b1;

    always @(posedge clk_i) begin
        i_owed: assert (owed == (busy || done) || aborted);
        i_one_bit: assert (!busy || bit_oh != 0 && (bit_oh & (bit_oh - 1'b1)) == 0 && (found & open) == 0);
        // the result lies between the bits found and those with all open bits set
        i_between: assert (!busy || (level == 0 ? found == 0 : found < level && level - 1'b1 <= (found | open)));
        a_result: assert (!done || (value == lowest ? result == value : result == value - 1'b1));
        // each clock brings a conversion nearer to its end, which is told
        a_progress: assert (!busy_before || aborted || rank < rank_before);
        a_answer: assert (!owed || busy || done);
        a_no_answer_unasked: assert (!done || owed);
        a_idle: assert (busy || code == 0);
        a_abort: assert (!aborted || code == 0 && !done);
        a_reset: assert (rst_ni || code == 0 && !done && result == 0);
        c_high: cover (done && result == ~lowest - 1'b1);
        c_low: cover (done && result == lowest);
        c_abort: cover (aborted && busy_before);
    end
endmodule
`default_nettype wire
