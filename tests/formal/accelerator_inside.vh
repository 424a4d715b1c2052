// SPDX-License-Identifier: BSD-3-Clause
// Wires of the accelerator by their place in the hierarchy, and how its parts stand to one another: without this,
// induction starts from combinations that never come up.
(* hierconn *) wire        \u_dut.abort ;
(* hierconn *) wire        \u_dut.pulse ;
(* hierconn *) wire        \u_dut.pulse_is_reset ;
(* hierconn *) wire        \u_dut.verify_read ;
(* hierconn *) wire        \u_dut.start_read ;
(* hierconn *) wire        \u_dut.start_write ;
(* hierconn *) wire        \u_dut.write_done ;
(* hierconn *) wire        \u_dut.access_done ;
(* hierconn *) wire        \u_dut.convert ;
(* hierconn *) wire        \u_dut.convert_first ;
(* hierconn *) wire        \u_dut.convert_second ;
(* hierconn *) wire        \u_dut.program_start ;
(* hierconn *) wire        \u_dut.infer_start ;
(* hierconn *) wire        \u_dut.read_start ;
(* hierconn *) wire        \u_dut.program_done ;
(* hierconn *) wire        \u_dut.infer_done ;
(* hierconn *) wire        \u_dut.init_enable ;
(* hierconn *) wire        \u_dut.layer ;
(* hierconn *) wire        \u_dut.reading_q ;
(* hierconn *) wire [10:0] \u_dut.set_max ;
(* hierconn *) wire [10:0] \u_dut.reset_max ;
(* hierconn *) wire [10:0] \u_dut.read_code ;
(* hierconn *) wire [10:0] \u_dut.amplitude ;
(* hierconn *) wire [19:0] \u_dut.cycles ;
(* hierconn *) wire [19:0] \u_dut.set_cycles ;
(* hierconn *) wire [19:0] \u_dut.reset_cycles ;
(* hierconn *) wire [2:0]  \u_dut.set_stretch ;
(* hierconn *) wire [19:0] \u_dut.init_cycles ;
(* hierconn *) wire [9:0]  \u_dut.max_pulses ;
(* hierconn *) wire [9:0]  \u_dut.pulses ;
(* hierconn *) wire [7:0]  \u_dut.row ;
(* hierconn *) wire [7:0]  \u_dut.col ;
(* hierconn *) wire [11:0] \u_dut.index ;
(* hierconn *) wire [ALL_COLS-1:0] \u_dut.adc_done ;
(* hierconn *) wire [ALL_COLS-1:0] \u_dut.adc_selected ;
(* hierconn *) wire [2:0]  \u_dut.u_program.state_q ;
(* hierconn *) wire        \u_dut.u_program.reading_q ;
(* hierconn *) wire [2:0]  \u_dut.u_write_verify.state_q ;
(* hierconn *) wire [2:0]  \u_dut.u_access.state_q ;
(* hierconn *) wire        \u_dut.u_access.write_q ;
(* hierconn *) wire        \u_dut.u_access.reset_q ;
(* hierconn *) wire [10:0] \u_dut.u_access.amplitude_q ;
(* hierconn *) wire [19:0] \u_dut.u_access.cycles_q ;
(* hierconn *) wire [19:0] \u_dut.u_access.u_timer.left_q ;
(* hierconn *) wire        \u_dut.u_access.u_timer.done_o ;
(* hierconn *) wire [3:0]  \u_dut.u_inference.state_q ;
(* hierconn *) wire        \u_dut.gen_column[0].u_adc.busy_q ;
(* hierconn *) wire        \u_dut.gen_column[1].u_adc.busy_q ;
(* hierconn *) wire        \u_dut.gen_column[2].u_adc.busy_q ;
(* hierconn *) wire [11:0] \u_dut.gen_column[0].u_adc.bit_oh_q ;
(* hierconn *) wire [11:0] \u_dut.gen_column[1].u_adc.bit_oh_q ;
(* hierconn *) wire [11:0] \u_dut.gen_column[2].u_adc.bit_oh_q ;
(* hierconn *) wire [7:0]  \u_dut.gen_column[0].u_adc.wait_q ;
(* hierconn *) wire [7:0]  \u_dut.gen_column[1].u_adc.wait_q ;

wire        abort = \u_dut.abort , pulse = \u_dut.pulse , pulse_is_reset = \u_dut.pulse_is_reset ;
wire        verify_read = \u_dut.verify_read , start_read = \u_dut.start_read , start_write = \u_dut.start_write ;
wire        init_enable = \u_dut.init_enable ;
wire [10:0] set_max = \u_dut.set_max , reset_max = \u_dut.reset_max , read_code = \u_dut.read_code ;
wire [19:0] set_cycles = \u_dut.set_cycles , reset_cycles = \u_dut.reset_cycles , init_cycles = \u_dut.init_cycles ;
wire [9:0]  max_pulses = \u_dut.max_pulses ;
wire [2:0]  program = \u_dut.u_program.state_q , job = \u_dut.u_write_verify.state_q , access = \u_dut.u_access.state_q ;
wire [3:0]  inference = \u_dut.u_inference.state_q ;
wire [19:0] left = \u_dut.u_access.u_timer.left_q ;
wire        timer_done = \u_dut.u_access.u_timer.done_o ;
wire [2:0]  converting = {\u_dut.gen_column[2].u_adc.busy_q , \u_dut.gen_column[1].u_adc.busy_q , \u_dut.gen_column[0].u_adc.busy_q };
wire [2:0]  converted = \u_dut.adc_done , at_work = converting | converted, selected = \u_dut.adc_selected ;
wire        access_done = \u_dut.access_done ;
wire        request = pulse || verify_read || start_read;
wire        infers = inference != 0;

`include "start.vh"

always @(posedge clk_i) begin
    // one job at a time
    i_commands: assert (\u_dut.program_start + \u_dut.infer_start + \u_dut.read_start + abort <= 1);
    i_commands_idle: assert (!(\u_dut.program_start || \u_dut.infer_start || \u_dut.read_start ) || program == 0 && !infers);
    i_one_job: assert (!infers || program == 0 && job == 0 && access == 0);
    i_program: assert (program <= 3 && job <= 4 && access <= 5 && inference <= 7);
    i_dones: assert (!(access_done && access != 0) && !(\u_dut.write_done && job != 0));
    // program sequencer and write-verify
    i_write_once: assert (!start_write || job == 0 && !\u_dut.write_done );
    i_reading: assert (program == 0 || \u_dut.u_program.reading_q == \u_dut.reading_q );
    i_reading_kind: assert ((program != 2 || !\u_dut.reading_q ) && (program != 3 || \u_dut.reading_q ));
    i_start_read: assert (!start_read || program == 3);
    // write-verify and the cell; the single read and the cell
    i_served_once: assert (!request || access == 0 && !access_done);
    i_request_kind: assert ((!verify_read || job == 1) && (!pulse || job >= 3) && !(pulse && verify_read));
    i_access_kind: assert (access == 0 || \u_dut.u_access.write_q == (job >= 3));
    // the cell and its timer and converter
    i_timer: assert ((left == 0 || access == 2) && (!timer_done || access == 2) && (access != 2 || (left != 0) != timer_done));
    i_path: assert ((access != 2 || \u_dut.u_access.write_q ) && (access != 3 && access != 4 || !\u_dut.u_access.write_q ));
    i_read_positive: assert (access == 0 || \u_dut.u_access.write_q || !\u_dut.u_access.reset_q );
    i_trial: assert ((!converting[0] || \u_dut.gen_column[0].u_adc.bit_oh_q != 0) && (!converting[1] || \u_dut.gen_column[1].u_adc.bit_oh_q != 0) &&
                     (!converting[2] || \u_dut.gen_column[2].u_adc.bit_oh_q != 0));
    i_converters: assert (converting == 0 || converted == 0);
    i_convert: assert ((!\u_dut.convert || access == 4) && (!\u_dut.convert_first || inference == 3) && (!\u_dut.convert_second || inference == 6));
    i_lockstep: assert (inference != 3 || converting != 3'b011 ||
                        \u_dut.gen_column[0].u_adc.bit_oh_q == \u_dut.gen_column[1].u_adc.bit_oh_q &&
                        \u_dut.gen_column[0].u_adc.wait_q == \u_dut.gen_column[1].u_adc.wait_q );
    i_both: assert (inference != 3 || (converting == 0 || converting == 3'b011) && (converted == 0 || converted == 3'b011));
    // the device's place
    i_place: assert (program == 0 || \u_dut.row < 2 && (\u_dut.layer ? \u_dut.col == 0 && \u_dut.index == 4 + \u_dut.row
                                                         : \u_dut.col < 2 && \u_dut.index == 2 * \u_dut.row + \u_dut.col ));
end
