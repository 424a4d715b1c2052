// SPDX-License-Identifier: BSD-3-Clause
// Walk over the devices: each once and in order, its place right, a single read at the device asked for, jobs answered.
`default_nettype none

module program_sequencer_formal #(
    parameter L1_ROWS = 9,
    parameter L1_COLS = 3,
    parameter L2_ROWS = 3,
    parameter L2_COLS = 1
) (
    input wire        clk_i,
    input wire        rst_ni,
    input wire        abort_i,
    input wire        program_i,
    input wire        read_i,
    input wire [11:0] device_i,
    input wire        write_done_i,
    input wire        read_done_i
);
    localparam [2:0] ST_IDLE = 0, ST_SEEK = 1, ST_WRITE = 2, ST_READ = 3;
    localparam FIRST = L1_ROWS * L1_COLS, DEVICES = FIRST + L2_ROWS * L2_COLS;

    wire        busy, done, layer, start_write, start_read;
    wire [11:0] index;
    wire [7:0]  row, col;
    (* hierconn *) wire [2:0] \u_dut.state_q ;
    (* hierconn *) wire       \u_dut.reading_q ;
    wire [2:0] state = \u_dut.state_q ;
    wire       reading = \u_dut.reading_q ;

    program_sequencer #(
        .L1_ROWS(L1_ROWS),
        .L1_COLS(L1_COLS),
        .L2_ROWS(L2_ROWS),
        .L2_COLS(L2_COLS)
    ) u_dut (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .abort_i(abort_i),
        .program_i(program_i),
        .read_i(read_i),
        .device_i(device_i),
        .busy_o(busy),
        .done_o(done),
        .index_o(index),
        .layer_o(layer),
        .row_o(row),
        .col_o(col),
        .start_write_o(start_write),
        .write_done_i(write_done_i),
        .start_read_o(start_read),
        .read_done_i(read_done_i)
    );

    `include "start.vh"
    // one command at a time, as the registers give them
    always @(posedge clk_i) assume (!(program_i && read_i));

    reg         owed, programs, aborted, busy_before, working_before, waits, read_before;
    reg  [12:0] written;                                   // devices started since the job began: the next one's index
    reg  [11:0] index_before, device_before;
    reg  [15:0] rank_before;
    wire        working = state == ST_WRITE || state == ST_READ;
    // counts down in every clock that does not wait for a device
    wire [15:0] rank = busy ? {13'd4096 - index, 3'd4 - state} : 16'd0;
    always @(posedge clk_i) begin
        {index_before, device_before, rank_before} <= {index, device_i, rank};
        waits <= state == ST_WRITE && !write_done_i || state == ST_READ && !read_done_i;
    end
    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) {owed, programs, aborted, busy_before, working_before, written, read_before} <= 0;
        else begin
            {aborted, busy_before, working_before, read_before} <= {abort_i, busy, working, state == ST_READ};
            if (!busy && (program_i || read_i)) begin
                owed     <= !abort_i;
                programs <= program_i;
                written  <= 0;
            end else begin
                if (start_write) written <= written + 1;
                if (abort_i || done) owed <= 0;
            end
        end

    always @(posedge clk_i) begin
        // -- for induction
        i_owed: assert (owed == (busy || done));
        i_job: assert (!busy || reading != programs);
        i_kind: assert ((state != ST_WRITE || programs) && (state != ST_READ || !programs));
        i_start: assert ((!start_write || state == ST_WRITE) && (!start_read || state == ST_READ));
        i_written: assert (!busy || !programs || written + start_write == (state == ST_WRITE ? index + 13'd1 : index));
        i_index: assert (!busy || index < DEVICES);
        i_done: assert (!(done && busy) && (!done || !programs || written == DEVICES));

        // -- the place of a device
        a_place: assert (!busy || (layer ? row < L2_ROWS && col < L2_COLS && index == FIRST + row * L2_COLS + col
                                         : row < L1_ROWS && col < L1_COLS && index == row * L1_COLS + col));
        a_stays: assert (!working || !working_before || index == index_before);
        a_one_start: assert (!(start_write && start_read));
        a_in_order: assert (!start_write || index == written);
        a_every_device: assert (!done || !programs || written == DEVICES);
        a_device_read: assert (!start_read || index == device_before || index == DEVICES - 1 && device_before != index);
        a_idle: assert (busy || !start_write && !start_read);
        a_abort: assert (!aborted || !busy && !start_write && !start_read && !done);
        a_reset: assert (rst_ni || !busy && !start_write && !start_read && !done);
        a_legal: assert (state <= ST_READ);
        // -- answers
        a_progress: assert (!busy_before || aborted || waits || rank < rank_before);
        a_answer: assert (busy || !busy_before || aborted || done);
        a_no_answer_unasked: assert (!done || owed);
        c_programmed: cover (done && programs);
        c_read: cover (done && !programs && index_before == DEVICES - 2);
        c_abort: cover (aborted && layer && working_before);
    end
endmodule
`default_nettype wire
