// SPDX-License-Identifier: BSD-3-Clause
// Accelerator controller: programs the two crossbars device by device and classifies images on them.
// Every port to the analog side is digital; element i of a vector lies at [i*W +: W].
`timescale 1ns / 1ps
`default_nettype none

module accelerator #(
    // rows of the first crossbar: inputs (pixels), 1 .. 64
    parameter L1_ROWS = 9,
    // its columns: hidden neurons, 1 .. 32
    parameter L1_COLS = 3,
    // rows of the second crossbar: L1_COLS
    parameter L2_ROWS = 3,
    // its columns: output neurons, of which the first decides; no more than 64 neurons and 2048 devices in all
    parameter L2_COLS = 1,
    // longest pulse that leaves the chip whatever the registers say, cycles
    parameter MAX_PULSE_CYCLES = 100000
) (
    input  wire                    clk_i,
    input  wire                    rst_ni,
    // AXI4-Lite registers
    input  wire [15:0]             s_axil_awaddr,
    input  wire [2:0]              s_axil_awprot,
    input  wire                    s_axil_awvalid,
    output wire                    s_axil_awready,
    input  wire [31:0]             s_axil_wdata,
    input  wire [3:0]              s_axil_wstrb,
    input  wire                    s_axil_wvalid,
    output wire                    s_axil_wready,
    output wire [1:0]              s_axil_bresp,
    output wire                    s_axil_bvalid,
    input  wire                    s_axil_bready,
    input  wire [15:0]             s_axil_araddr,
    input  wire [2:0]              s_axil_arprot,
    input  wire                    s_axil_arvalid,
    output wire                    s_axil_arready,
    output wire [31:0]             s_axil_rdata,
    output wire [1:0]              s_axil_rresp,
    output wire                    s_axil_rvalid,
    input  wire                    s_axil_rready,
    output wire                    irq_o,          // a job is done; cleared by the next command
    // first crossbar
    output wire [12*L1_ROWS-1:0]   l1_row_code_o,  // row DAC codes, two's complement
    output wire [11:0]             l1_ref_code_o,  // reference row
    output wire [L1_ROWS-1:0]      l1_word_o,      // word lines
    output wire [L1_COLS-1:0]      l1_col_write_o, // column to compliance resistor
    output wire [L1_COLS-1:0]      l1_col_read_o,  // column to amplifier
    output wire                    l1_range_o,     // 0 verify, 1 inference
    output wire [12*L1_COLS-1:0]   l1_adc_code_o,  // converter trial codes
    input  wire [L1_COLS-1:0]      l1_cmp_i,       // column above its trial code
    // second crossbar
    output wire [12*L2_ROWS-1:0]   l2_row_code_o,
    output wire [11:0]             l2_ref_code_o,
    output wire [L2_ROWS-1:0]      l2_word_o,
    output wire [L2_COLS-1:0]      l2_col_write_o,
    output wire [L2_COLS-1:0]      l2_col_read_o,
    output wire                    l2_range_o,
    output wire [12*L2_COLS-1:0]   l2_adc_code_o,
    input  wire [L2_COLS-1:0]      l2_cmp_i,
    // 0 idle, 1 reset, 2 write, 3 verify, 4 inference
    output wire [2:0]              phase_o,
    // pulse log: one cycle after each pulse was verified; see write_verify
    output wire                    log_valid_o,
    output wire [11:0]             log_device_o,
    output wire                    log_initial_o,
    output wire                    log_is_reset_o,
    output wire [10:0]             log_amplitude_o,
    output wire [19:0]             log_cycles_o,
    output wire [11:0]             log_before_o,
    output wire [11:0]             log_after_o,
    output wire [2:0]              log_verdict_o
);
    localparam integer DEVICES = L1_ROWS * L1_COLS + L2_ROWS * L2_COLS;
    localparam integer NEURONS = L1_COLS + L2_COLS;
    localparam integer COLS = L1_COLS + L2_COLS;

`ifndef SYNTHESIS
    initial begin
        if (L2_ROWS != L1_COLS) $fatal(1, "L2_ROWS must equal L1_COLS, got %0d and %0d (instance %m)", L2_ROWS, L1_COLS);
        if (DEVICES > 2048) $fatal(1, "at most 2048 devices, got %0d (instance %m)", DEVICES);
        if (L1_ROWS > 64) $fatal(1, "at most 64 pixels, got %0d (instance %m)", L1_ROWS);
        if (L1_COLS > 32) $fatal(1, "at most 32 hidden neurons, got %0d (instance %m)", L1_COLS);
        if (NEURONS > 64) $fatal(1, "at most 64 neurons in both layers, got %0d (instance %m)", NEURONS);
    end
`endif

    // -- registers --------------------------------------------------------------------------------------------------
    wire        program_start, infer_start, abort_command, read_start, job_done;
    wire [10:0] read_code, set_start, set_max, reset_start, reset_max, step_min, step_max, reset_step, init_code;
    wire [15:0] settle, tolerance, threshold;
    wire [7:0]  bit_cycles, guard, stuck_limit;
    wire [11:0] device;
    wire [1:0]  algorithm;
    wire [10:0] law_offset;
    wire [15:0] law_slope, trim_gain;
    wire [3:0]  confirm, gain_shift, shift;
    wire [2:0]  set_stretch;
    wire [19:0] set_cycles, reset_cycles, init_cycles;
    wire        init_enable;
    wire [9:0]  max_pulses;
    wire [63:0] image;
    wire [16*NEURONS-1:0] bias;
    wire [511:0] activations;
    wire [11:0] target;
    reg  [11:0] read_result_q;
    reg         class_q;
    reg  [15:0] accumulator_q;
    reg  [8*L1_COLS-1:0] hidden_q;
    reg         outcome_valid_q;
    reg  [11:0] outcome_index_q;
    reg  [24:0] outcome_q;

    // -- sequencers -------------------------------------------------------------------------------------------------
    wire        program_busy, program_done, infer_busy, infer_done;
    wire [11:0] index;
    wire [7:0]  row, col;
    wire        layer, start_write, write_done, start_read;
    wire        verify_read, pulse, pulse_is_reset, access_done, convert;
    wire [10:0] amplitude;
    wire [19:0] cycles;
    wire [2:0]  status;
    wire [9:0]  pulses;
    wire [11:0] last_code, selected_code;
    wire        cell_select, cell_write, cell_sense, cell_is_reset;
    wire [11:0] cell_drive;
    wire        infer_select, infer_first, infer_second, convert_first, convert_second, keep_first, keep_second;
    wire [COLS-1:0] adc_done, adc_selected;
    wire        u_registers_done;
    reg         reading_q;

    // a state without a name, after an upset, ends whatever runs, as an abort does; registers tells
    wire [COLS-1:0] adc_fault;
    wire        program_fault, write_fault, access_fault, infer_fault;
    wire        fault = program_fault || write_fault || access_fault || infer_fault || adc_fault != {COLS{1'b0}};
    wire        abort = abort_command || fault;

    assign job_done = program_done || infer_done;
    assign irq_o    = u_registers_done;

    wire [255:0] hidden_words;
    generate
        if (L1_COLS >= 32) begin : gen_hidden_full
            assign hidden_words = hidden_q[255:0];
        end else begin : gen_hidden_part
            assign hidden_words = {{(256 - 8 * L1_COLS) {1'b0}}, hidden_q};
        end
    endgenerate

    registers #(
        .DEVICES(DEVICES),
        .NEURONS(NEURONS)
    ) u_registers (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .s_axil_awaddr(s_axil_awaddr),
        .s_axil_awprot(s_axil_awprot),
        .s_axil_awvalid(s_axil_awvalid),
        .s_axil_awready(s_axil_awready),
        .s_axil_wdata(s_axil_wdata),
        .s_axil_wstrb(s_axil_wstrb),
        .s_axil_wvalid(s_axil_wvalid),
        .s_axil_wready(s_axil_wready),
        .s_axil_bresp(s_axil_bresp),
        .s_axil_bvalid(s_axil_bvalid),
        .s_axil_bready(s_axil_bready),
        .s_axil_araddr(s_axil_araddr),
        .s_axil_arprot(s_axil_arprot),
        .s_axil_arvalid(s_axil_arvalid),
        .s_axil_arready(s_axil_arready),
        .s_axil_rdata(s_axil_rdata),
        .s_axil_rresp(s_axil_rresp),
        .s_axil_rvalid(s_axil_rvalid),
        .s_axil_rready(s_axil_rready),
        .program_o(program_start),
        .infer_o(infer_start),
        .abort_o(abort_command),
        .read_o(read_start),
        .busy_i(program_busy || infer_busy || program_start || infer_start || read_start),
        .done_i(job_done),
        .fault_i(fault),
        .done_o(u_registers_done),
        .read_result_i(read_result_q),
        .class_i(class_q),
        .accumulator_i(accumulator_q),
        .hidden_i(hidden_words),
        .outcome_valid_i(outcome_valid_q),
        .outcome_index_i(outcome_index_q),
        .outcome_i(outcome_q),
        .read_code_o(read_code),
        .settle_o(settle),
        .bit_cycles_o(bit_cycles),
        .guard_o(guard),
        .confirm_o(confirm),
        .set_start_o(set_start),
        .set_max_o(set_max),
        .reset_start_o(reset_start),
        .reset_max_o(reset_max),
        .step_min_o(step_min),
        .step_max_o(step_max),
        .gain_shift_o(gain_shift),
        .reset_step_o(reset_step),
        .set_cycles_o(set_cycles),
        .set_stretch_o(set_stretch),
        .reset_cycles_o(reset_cycles),
        .init_enable_o(init_enable),
        .init_code_o(init_code),
        .init_cycles_o(init_cycles),
        .tolerance_o(tolerance),
        .max_pulses_o(max_pulses),
        .stuck_limit_o(stuck_limit),
        .device_o(device),
        .image_o(image),
        .shift_o(shift),
        .threshold_o(threshold),
        .algorithm_o(algorithm),
        .law_offset_o(law_offset),
        .law_slope_o(law_slope),
        .trim_gain_o(trim_gain),
        .bias_o(bias),
        .table_o(activations),
        .target_index_i(index),
        .target_o(target)
    );

    program_sequencer #(
        .L1_ROWS(L1_ROWS),
        .L1_COLS(L1_COLS),
        .L2_ROWS(L2_ROWS),
        .L2_COLS(L2_COLS)
    ) u_program (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .abort_i(abort),
        .program_i(program_start),
        .read_i(read_start),
        .device_i(device),
        .busy_o(program_busy),
        .fault_o(program_fault),
        .done_o(program_done),
        .index_o(index),
        .layer_o(layer),
        .row_o(row),
        .col_o(col),
        .start_write_o(start_write),
        .write_done_i(write_done),
        .start_read_o(start_read),
        .read_done_i(access_done && reading_q)
    );

    write_verify u_write_verify (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .abort_i(abort),
        .start_i(start_write),
        .target_i(target),
        .algorithm_i(algorithm),
        .law_offset_i(law_offset),
        .law_slope_i(law_slope),
        .trim_gain_i(trim_gain),
        .confirm_i(confirm),
        .set_start_i(set_start),
        .set_max_i(set_max),
        .reset_start_i(reset_start),
        .reset_max_i(reset_max),
        .step_min_i(step_min),
        .step_max_i(step_max),
        .gain_shift_i(gain_shift),
        .reset_step_i(reset_step),
        .set_cycles_i(set_cycles),
        .set_stretch_i(set_stretch),
        .reset_cycles_i(reset_cycles),
        .init_enable_i(init_enable),
        .init_code_i(init_code),
        .init_cycles_i(init_cycles),
        .tolerance_i(tolerance),
        .max_pulses_i(max_pulses),
        .stuck_limit_i(stuck_limit),
        .read_o(verify_read),
        .pulse_o(pulse),
        .is_reset_o(pulse_is_reset),
        .amplitude_o(amplitude),
        .cycles_o(cycles),
        .access_done_i(access_done && !reading_q),
        .code_i(selected_code),
        .fault_o(write_fault),
        .done_o(write_done),
        .status_o(status),
        .pulses_o(pulses),
        .last_code_o(last_code),
        .log_valid_o(log_valid_o),
        .log_initial_o(log_initial_o),
        .log_is_reset_o(log_is_reset_o),
        .log_amplitude_o(log_amplitude_o),
        .log_cycles_o(log_cycles_o),
        .log_before_o(log_before_o),
        .log_after_o(log_after_o),
        .log_verdict_o(log_verdict_o)
    );

    assign log_device_o = index;

    cell_access #(
        .MAX_PULSE_CYCLES(MAX_PULSE_CYCLES)
    ) u_access (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .abort_i(abort),
        .pulse_i(pulse),
        .read_i(verify_read || start_read),
        .is_reset_i(pulse_is_reset),
        .amplitude_i(amplitude),
        .cycles_i(cycles),
        .read_code_i(read_code),
        .settle_i(settle),
        .guard_i(guard),
        .done_o(access_done),
        .fault_o(access_fault),
        .convert_o(convert),
        .converted_i(|(adc_done & adc_selected)),
        .select_o(cell_select),
        .write_o(cell_write),
        .sense_o(cell_sense),
        .drive_o(cell_drive),
        .reset_phase_o(cell_is_reset)
    );

    inference_sequencer u_inference (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .abort_i(abort),
        .start_i(infer_start),
        .settle_i(settle),
        .guard_i(guard),
        .busy_o(infer_busy),
        .fault_o(infer_fault),
        .done_o(infer_done),
        .select_o(infer_select),
        .drive_first_o(infer_first),
        .drive_second_o(infer_second),
        .convert_first_o(convert_first),
        .convert_second_o(convert_second),
        .first_done_i(adc_done[0]),
        .second_done_i(adc_done[L1_COLS]),
        .keep_first_o(keep_first),
        .keep_second_o(keep_second)
    );

    // -- converters and neurons, one a column: layer 1, then layer 2 ------------------------------------------------
    wire [12*COLS-1:0]    adc_code, adc_result;
    wire [COLS-1:0]       cmp = {l2_cmp_i, l1_cmp_i};
    wire [16*NEURONS-1:0] sums;
    wire [8*NEURONS-1:0]  outputs;
    wire [NEURONS-1:0]    above;

    genvar c;
    generate
        for (c = 0; c < COLS; c = c + 1) begin : gen_column
            localparam SECOND = c >= L1_COLS;
            localparam integer LOCAL = SECOND ? c - L1_COLS : c;

            assign adc_selected[c] = layer == SECOND && col == LOCAL[7:0];

            sar_adc #(
                .WIDTH(12)
            ) u_adc (
                .clk_i(clk_i),
                .rst_ni(rst_ni),
                .start_i((convert && adc_selected[c]) || (SECOND ? convert_second : convert_first)),
                .abort_i(abort),
                .bit_cycles_i(bit_cycles),
                .cmp_i(cmp[c]),
                .code_o(adc_code[12*c+:12]),
                .done_o(adc_done[c]),
                .fault_o(adc_fault[c]),
                .result_o(adc_result[12*c+:12])
            );

            neuron #(
                .ADC_W(12)
            ) u_neuron (
                .code_i(adc_result[12*c+:12]),
                .bias_i(bias[16*c+:16]),
                .shift_i(shift),
                .table_i(activations),
                .threshold_i(threshold),
                .sum_o(sums[16*c+:16]),
                .activation_o(outputs[8*c+:8]),
                .above_o(above[c])
            );
        end
    endgenerate

    // result of the converter at the selected column
    reg [11:0] picked;
    integer k;
    always @(*) begin
        picked = 12'd0;
        for (k = 0; k < COLS; k = k + 1) picked = picked | ({12{adc_selected[k]}} & adc_result[12*k+:12]);
    end
    assign selected_code = picked;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            reading_q       <= 1'b0;
            read_result_q   <= 12'd0;
            class_q         <= 1'b0;
            accumulator_q   <= 16'd0;
            hidden_q        <= {(8 * L1_COLS) {1'b0}};
            outcome_valid_q <= 1'b0;
            outcome_index_q <= 12'd0;
            outcome_q       <= 25'd0;
        end else begin
            if (program_start || read_start || abort) reading_q <= read_start;
            if (access_done && reading_q) read_result_q <= selected_code;
            if (keep_first) hidden_q <= outputs[8*L1_COLS-1:0];
            if (keep_second) begin
                class_q       <= above[L1_COLS];
                accumulator_q <= sums[16*L1_COLS+:16];
            end
            outcome_valid_q <= write_done || (abort && program_busy && !program_fault && !reading_q);
            outcome_index_q <= index;
            outcome_q       <= {abort ? 3'd4 : status, pulses, last_code};
        end
    end

    // -- to the array -----------------------------------------------------------------------------------------------
    // signed sum of the row codes of each layer, for its reference row; what leaves its 12 bits is cut
    wire [11:0] read_amplitude = {1'b0, read_code};
    reg  [16:0] ref_first;
    reg  [15:0] ref_second;
    integer r;
    always @(*) begin
        ref_first  = 17'd0;
        ref_second = 16'd0;
        for (r = 0; r < L1_ROWS; r = r + 1) if (image[r]) ref_first = ref_first + {6'd0, read_code};
        for (r = 0; r < L2_ROWS; r = r + 1) ref_second = ref_second + {8'd0, hidden_q[8*r+:8]};
    end
    // saturated at -2047
    wire [11:0] minus_first  = ref_first > 17'd2047 ? -12'd2047 : -ref_first[11:0];
    wire [11:0] minus_second = ref_second > 16'd2047 ? -12'd2047 : -ref_second[11:0];

    assign l1_ref_code_o = infer_first ? minus_first : 12'd0;
    assign l2_ref_code_o = infer_second ? minus_second : 12'd0;
    assign l1_range_o    = infer_select;
    assign l2_range_o    = infer_select;
    assign l1_adc_code_o = adc_code[12*L1_COLS-1:0];
    assign l2_adc_code_o = adc_code[12*COLS-1:12*L1_COLS];

    genvar i;
    generate
        for (i = 0; i < L1_ROWS; i = i + 1) begin : gen_first_row
            localparam integer AT = i;
            wire here = cell_select && !layer && row == AT[7:0];
            assign l1_word_o[i] = here || infer_select;
            assign l1_row_code_o[12*i+:12] = here ? cell_drive : infer_first && image[i] ? read_amplitude : 12'd0;
        end
        for (i = 0; i < L2_ROWS; i = i + 1) begin : gen_second_row
            localparam integer AT = i;
            wire here = cell_select && layer && row == AT[7:0];
            assign l2_word_o[i] = here || infer_select;
            assign l2_row_code_o[12*i+:12] = here ? cell_drive : infer_second ? {4'd0, hidden_q[8*i+:8]} : 12'd0;
        end
        for (i = 0; i < L1_COLS; i = i + 1) begin : gen_first_col
            assign l1_col_write_o[i] = cell_write && adc_selected[i];
            assign l1_col_read_o[i]  = (cell_sense && adc_selected[i]) || infer_select;
        end
        for (i = 0; i < L2_COLS; i = i + 1) begin : gen_second_col
            assign l2_col_write_o[i] = cell_write && adc_selected[L1_COLS+i];
            assign l2_col_read_o[i]  = (cell_sense && adc_selected[L1_COLS+i]) || infer_select;
        end
    endgenerate

    assign phase_o = infer_select ? 3'd4 : cell_write ? (cell_is_reset ? 3'd1 : 3'd2) : cell_sense ? 3'd3 : 3'd0;

    // only the first output neuron decides the class; activations of output neurons and upper image bits are not used
    wire unused = &{1'b0, image, sums, outputs, above};
endmodule
`default_nettype wire
