// SPDX-License-Identifier: BSD-3-Clause
// The whole controller at its pins to the array, whatever the bus writes and the comparators say, settings changing at any
// time.  Sizes are the smallest with more than one row and column.
`default_nettype none

module accelerator_formal #(
    parameter MAX_PULSE_CYCLES = 100000
) (
    input wire               clk_i,
    input wire               rst_ni,
    input wire [15:0]        awaddr,
    input wire               awvalid,
    input wire [31:0]        wdata,
    input wire [3:0]         wstrb,
    input wire               wvalid,
    input wire               bready,
    input wire [15:0]        araddr,
    input wire               arvalid,
    input wire               rready,
    input wire [1:0]         l1_cmp_i,
    input wire               l2_cmp_i
);
    `include "accelerator_pins.vh"

    `include "accelerator_inside.vh"

    // -- what the array sees -------------------------------------------------------------------------------------------
    wire [11:0] driven = row_code[11:0] | row_code[23:12] | row_code[35:24] | row_code[47:36];  // one row at a time
    wire [11:0] size = driven[11] ? -driven : driven;
    wire        programs = phase == RESET || phase == WRITE, pulsing = programs && driven != 0;
    wire        off = word == 0 && col_write == 0 && col_read == 0 && row_code == 0 && ref_1 == 0 && ref_2 == 0;
    wire        one_word = word != 0 && (word & (word - 1'b1)) == 0;
    wire [ALL_COLS-1:0] columns = col_write | col_read;
    wire        one_column = columns != 0 && (columns & (columns - 1'b1)) == 0;
    wire [ALL-1:0] nonzero = {row_code[47:36] != 0, row_code[35:24] != 0, row_code[23:12] != 0, row_code[11:0] != 0};

    // -- limits as the registers stood when the pulse was chosen, two clocks before the cell takes it -------------------
    reg  [10:0] set_max_1, reset_max_1, limit, read_amplitude;
    reg  [19:0] set_cycles_1, reset_cycles_1, init_cycles_1, width, run;
    reg  [2:0]  set_stretch_1;
    reg  [9:0]  max_1;
    reg  [10:0] given;                                     // pulses of this device so far
    reg         allowed, initial_1, aborted, finished, commanded;
    reg  [ALL-1:0] word_before;
    reg  [ALL_COLS-1:0] columns_before;
    always @(posedge clk_i) begin
        {set_max_1, reset_max_1, set_cycles_1, reset_cycles_1} <= {set_max, reset_max, set_cycles, reset_cycles};
        {init_cycles_1, set_stretch_1, max_1} <= {init_cycles, \u_dut.set_stretch , max_pulses};
        commanded <= awvalid && wvalid && awaddr[15:2] == 1 && wstrb == 15;  // the next command takes the end back
    end
    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) {limit, read_amplitude, width, run, given, allowed, initial_1, aborted, finished, word_before, columns_before} <= 0;
        else begin
            {aborted, word_before, columns_before} <= {abort, word, columns};
            finished  <= \u_dut.program_done || \u_dut.infer_done ;
            initial_1 <= start_write && init_enable;
            run       <= pulsing ? run + 1 : 0;
            if (pulse) begin
                limit   <= pulse_is_reset ? reset_max_1 : set_max_1;
                width   <= \u_dut.cycles ;
                allowed <= initial_1 || given < max_1;
            end else if (verify_read || start_read) read_amplitude <= read_code;
            if (start_write) given <= 0;
            else if (pulse) given <= given + 1;
        end
    wire [26:0] stretched = {7'b0, set_cycles_1} << set_stretch_1;
    wire [19:0] longest_set = stretched > 27'hfffff ? 20'hfffff : stretched[19:0];
    wire [19:0] longest = width == 0 ? 1 : width;
    wire [19:0] bounded = longest > MAX_PULSE_CYCLES ? MAX_PULSE_CYCLES : longest;
    wire        writes = access != 0 && \u_dut.u_access.write_q ;

    always @(posedge clk_i) begin
        // -- for induction
        i_chosen: assert (!pulse || \u_dut.amplitude <= (pulse_is_reset ? reset_max_1 : set_max_1) &&
                          \u_dut.cycles <= (initial_1 ? init_cycles_1 : pulse_is_reset ? reset_cycles_1 : longest_set));
        i_initial: assert (!initial_1 || aborted || pulse && job == 4);
        i_taken: assert (!writes || \u_dut.u_access.amplitude_q <= limit && \u_dut.u_access.cycles_q == width && allowed);
        i_reads: assert (access == 0 || writes || \u_dut.u_access.amplitude_q == read_amplitude);
        i_given: assert (job == 0 || given + pulse == (job >= 3 ? \u_dut.pulses + 11'd1 : \u_dut.pulses ));
        i_few: assert (job == 0 || (job >= 3 ? \u_dut.pulses < 1023 : \u_dut.pulses <= 1023));
        i_aborted: assert (!aborted || access == 0 && job == 0 && !request);
        i_first: assert (job != 4 || \u_dut.pulses == 0);
        i_may: assert (!pulse || initial_1 || given < max_1);
        i_run: assert (left == 0 ? run == 0 || timer_done || aborted : \u_dut.u_access.amplitude_q == 0 ? run == 0 : run < bounded && run + left == bounded);

        // -- a: never write and read together, in a column or in the array
        a_column_one_path: assert ((col_write & col_read) == 0);
        a_array_one_path: assert (col_write == 0 || col_read == 0);
        // -- b: one cell at a time, inside closed switches; idle is off
        a_one_cell: assert (phase == IDLE || phase == INFERENCE || one_word && one_column);
        a_phase: assert (phase <= INFERENCE && (col_write != 0) == programs && (col_read != 0) == (phase == VERIFY || phase == INFERENCE));
        a_row_closed: assert ((nonzero & ~word) == 0);
        a_one_row: assert (phase == INFERENCE || (nonzero & (nonzero - 1'b1)) == 0 && ref_1 == 0 && ref_2 == 0);
        a_idle_off: assert (phase != IDLE || off);
        a_selection_stays: assert (nonzero == 0 || phase == INFERENCE || word == word_before && columns == columns_before);
        // -- c: amplitude and width
        a_amplitude: assert (!programs || size <= limit);
        a_polarity: assert (!pulsing || driven[11] == (phase == RESET));
        a_read_amplitude: assert (phase != VERIFY || driven == 0 || driven == read_amplitude);
        a_inference_amplitude: assert (phase != INFERENCE || (row_code[11:0] == 0 || row_code[11:0] == read_code) &&
                    (row_code[23:12] == 0 || row_code[23:12] == read_code) && row_code[35:24] <= 255 && row_code[47:36] <= 255);
        a_reference: assert (phase != INFERENCE || (ref_1 == 0 || ref_1[11]) && (ref_2 == 0 || ref_2[11]));
        a_width_limit: assert (!pulsing || run < MAX_PULSE_CYCLES);
        a_width: assert (!pulsing || run < longest);
        // -- d: number of pulses
        a_pulses: assert (!programs || allowed);
        // -- e: whoever waits has somebody at work for it, whose own proof says that it ends; the end is told
        a_device_served: assert ((program == 2) == (start_write || job != 0 || \u_dut.write_done ));
        a_access_served: assert ((request || access != 0 || access_done) == (job == 1 || job >= 3 || program == 3));
        a_conversion_served: assert (access == 4 ? (\u_dut.convert ? at_work == 0 : at_work == selected) :
                                     inference == 3 ? (\u_dut.convert_first ? at_work == 0 : at_work == 3'b011) :
                                     inference == 6 ? (\u_dut.convert_second ? at_work == 0 : at_work == 3'b100) : at_work == 0);
        a_end_told: assert (!finished || commanded || irq);
        // -- f: reset and abort
        a_abort: assert (!aborted || off);
        a_reset: assert (rst_ni || off && phase == IDLE && !irq);
        c_set: cover (phase == WRITE && pulsing);
        c_reset: cover (phase == RESET && pulsing);
        c_verify: cover (phase == VERIFY && driven != 0 && given == 1);
        c_inference: cover (phase == INFERENCE && ref_2 != 0);
        c_abort: cover (aborted && word_before != 0);
    end
endmodule
`default_nettype wire
