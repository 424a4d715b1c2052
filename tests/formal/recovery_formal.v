// SPDX-License-Identifier: BSD-3-Clause
// Out of any contents of the registers, an illegal state above all: one clock later each state machine is legal, and one
// that was illegal is idle with its switches open.  No reset here: the first clock is the fault.
`default_nettype none

module recovery_formal (
    input wire        clk_i,
    input wire        abort_i,
    input wire        go_i,
    input wire        other_i,
    input wire        done_i,
    input wire [11:0] code_i,
    input wire [10:0] amplitude_i,
    input wire [19:0] cycles_i,
    input wire [15:0] settle_i,
    input wire [7:0]  guard_i,
    input wire [9:0]  settings_i
);
    wire [11:0] drive;
    wire select, write, sense, infer_busy, infer_select, first, second, read, pulse, start_write, start_read;
    (* hierconn *) wire [2:0] \u_access.state_q ;
    (* hierconn *) wire [3:0] \u_inference.state_q ;
    (* hierconn *) wire [2:0] \u_write.state_q ;
    (* hierconn *) wire [2:0] \u_program.state_q ;

    cell_access u_access (
        .clk_i(clk_i),
        .rst_ni(1'b1),
        .abort_i(abort_i),
        .pulse_i(go_i),
        .read_i(other_i),
        .is_reset_i(code_i[0]),
        .amplitude_i(amplitude_i),
        .cycles_i(cycles_i),
        .read_code_i(amplitude_i),
        .settle_i(settle_i),
        .guard_i(guard_i),
        .converted_i(done_i),
        .select_o(select),
        .write_o(write),
        .sense_o(sense),
        .drive_o(drive)
    );

    inference_sequencer u_inference (
        .clk_i(clk_i),
        .rst_ni(1'b1),
        .abort_i(abort_i),
        .start_i(go_i),
        .settle_i(settle_i),
        .guard_i(guard_i),
        .first_done_i(done_i),
        .second_done_i(other_i),
        .busy_o(infer_busy),
        .select_o(infer_select),
        .drive_first_o(first),
        .drive_second_o(second)
    );

    // settings that are not given are free
    write_verify u_write (
        .clk_i(clk_i),
        .rst_ni(1'b1),
        .abort_i(abort_i),
        .start_i(go_i),
        .target_i(code_i),
        .max_pulses_i(settings_i),
        .access_done_i(done_i),
        .code_i(code_i),
        .read_o(read),
        .pulse_o(pulse)
    );

    program_sequencer u_program (
        .clk_i(clk_i),
        .rst_ni(1'b1),
        .abort_i(abort_i),
        .program_i(go_i),
        .read_i(other_i),
        .device_i(code_i),
        .write_done_i(done_i),
        .read_done_i(done_i),
        .start_write_o(start_write),
        .start_read_o(start_read)
    );

    wire access_bad = \u_access.state_q > 5;
    wire inference_bad = \u_inference.state_q > 7;
    wire write_bad = \u_write.state_q > 4;
    wire program_bad = \u_program.state_q > 3;
    reg  after = 0;                                       // a clock has passed
    reg  access_was, inference_was, write_was, program_was;
    always @(posedge clk_i) begin
        after <= 1;
        {access_was, inference_was, write_was, program_was} <= {access_bad, inference_bad, write_bad, program_bad};
    end

    always @(posedge clk_i)
        if (after) begin
            a_legal: assert (!access_bad && !inference_bad && !write_bad && !program_bad);
            a_access: assert (!access_was || !select && !write && !sense);
            a_drive: assert (!access_was || drive == 0);  // a pulse under way ends with its state
            a_inference: assert (!inference_was || !infer_busy && !infer_select && !first && !second);
            a_write: assert (!write_was || \u_write.state_q == 0 && !read && !pulse);
            a_program: assert (!program_was || \u_program.state_q == 0 && !start_write && !start_read);
            c_access: cover (access_was);
            c_inference: cover (inference_was);
            c_write: cover (write_was);
            c_program: cover (program_was);
        end
endmodule
`default_nettype wire
