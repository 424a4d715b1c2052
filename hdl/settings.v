// SPDX-License-Identifier: BSD-3-Clause
// Generated from registers.yaml by pyharness.bench.registers.
// Settings: every single writable register, with its reset value; meanings in registers.yaml.
`timescale 1ns / 1ps
`default_nettype none

module settings (
    input  wire        clk_i,
    input  wire        rst_ni,
    input  wire        write_i,    // one cycle: wdata_i to waddr_i
    input  wire [15:0] waddr_i,
    input  wire [31:0] wdata_i,
    output reg         wknown_o,   // a setting lies at waddr_i
    input  wire [15:0] raddr_i,
    output reg  [31:0] rdata_o,
    output reg         rknown_o,
    output reg  [10:0] read_code_o,
    output reg  [15:0] settle_o,
    output reg  [7:0]  bit_cycles_o,
    output reg  [7:0]  guard_o,
    output reg  [3:0]  confirm_o,
    output reg  [10:0] set_start_o,
    output reg  [10:0] set_max_o,
    output reg  [10:0] reset_start_o,
    output reg  [10:0] reset_max_o,
    output reg  [10:0] step_min_o,
    output reg  [10:0] step_max_o,
    output reg  [3:0]  gain_shift_o,
    output reg  [10:0] reset_step_o,
    output reg  [19:0] set_cycles_o,
    output reg  [19:0] reset_cycles_o,
    output reg         init_enable_o,
    output reg  [10:0] init_code_o,
    output reg  [19:0] init_cycles_o,
    output reg  [15:0] tolerance_o,
    output reg  [9:0]  max_pulses_o,
    output reg  [7:0]  stuck_limit_o,
    output reg  [11:0] device_o,
    output reg  [31:0] image_o,
    output reg  [3:0]  shift_o,
    output reg  [15:0] threshold_o,
    output reg  [1:0]  algorithm_o,
    output reg  [10:0] law_offset_o,
    output reg  [15:0] law_slope_o,
    output reg  [15:0] trim_gain_o,
    output reg  [2:0]  set_stretch_o,
    output reg  [31:0] image_high_o
);
    localparam [15:0] ADDR_READ_CODE = 16'h000c;
    localparam [15:0] ADDR_SETTLE = 16'h0010;
    localparam [15:0] ADDR_BIT_CYCLES = 16'h0014;
    localparam [15:0] ADDR_GUARD = 16'h0018;
    localparam [15:0] ADDR_CONFIRM = 16'h001c;
    localparam [15:0] ADDR_SET_START = 16'h0020;
    localparam [15:0] ADDR_SET_MAX = 16'h0024;
    localparam [15:0] ADDR_RESET_START = 16'h0028;
    localparam [15:0] ADDR_RESET_MAX = 16'h002c;
    localparam [15:0] ADDR_STEP_MIN = 16'h0030;
    localparam [15:0] ADDR_STEP_MAX = 16'h0034;
    localparam [15:0] ADDR_GAIN_SHIFT = 16'h0038;
    localparam [15:0] ADDR_RESET_STEP = 16'h003c;
    localparam [15:0] ADDR_SET_CYCLES = 16'h0040;
    localparam [15:0] ADDR_RESET_CYCLES = 16'h0044;
    localparam [15:0] ADDR_INIT_ENABLE = 16'h0048;
    localparam [15:0] ADDR_INIT_CODE = 16'h004c;
    localparam [15:0] ADDR_INIT_CYCLES = 16'h0050;
    localparam [15:0] ADDR_TOLERANCE = 16'h0054;
    localparam [15:0] ADDR_MAX_PULSES = 16'h0058;
    localparam [15:0] ADDR_STUCK_LIMIT = 16'h005c;
    localparam [15:0] ADDR_DEVICE = 16'h0060;
    localparam [15:0] ADDR_IMAGE = 16'h0068;
    localparam [15:0] ADDR_SHIFT = 16'h0074;
    localparam [15:0] ADDR_THRESHOLD = 16'h0078;
    localparam [15:0] ADDR_ALGORITHM = 16'h007c;
    localparam [15:0] ADDR_LAW_OFFSET = 16'h0080;
    localparam [15:0] ADDR_LAW_SLOPE = 16'h0084;
    localparam [15:0] ADDR_TRIM_GAIN = 16'h0088;
    localparam [15:0] ADDR_SET_STRETCH = 16'h008c;
    localparam [15:0] ADDR_IMAGE_HIGH = 16'h0090;

    always @(*) begin
        rknown_o = 1'b1;
        case (raddr_i)
            ADDR_READ_CODE: rdata_o = {21'd0, read_code_o};
            ADDR_SETTLE: rdata_o = {16'd0, settle_o};
            ADDR_BIT_CYCLES: rdata_o = {24'd0, bit_cycles_o};
            ADDR_GUARD: rdata_o = {24'd0, guard_o};
            ADDR_CONFIRM: rdata_o = {28'd0, confirm_o};
            ADDR_SET_START: rdata_o = {21'd0, set_start_o};
            ADDR_SET_MAX: rdata_o = {21'd0, set_max_o};
            ADDR_RESET_START: rdata_o = {21'd0, reset_start_o};
            ADDR_RESET_MAX: rdata_o = {21'd0, reset_max_o};
            ADDR_STEP_MIN: rdata_o = {21'd0, step_min_o};
            ADDR_STEP_MAX: rdata_o = {21'd0, step_max_o};
            ADDR_GAIN_SHIFT: rdata_o = {28'd0, gain_shift_o};
            ADDR_RESET_STEP: rdata_o = {21'd0, reset_step_o};
            ADDR_SET_CYCLES: rdata_o = {12'd0, set_cycles_o};
            ADDR_RESET_CYCLES: rdata_o = {12'd0, reset_cycles_o};
            ADDR_INIT_ENABLE: rdata_o = {31'd0, init_enable_o};
            ADDR_INIT_CODE: rdata_o = {21'd0, init_code_o};
            ADDR_INIT_CYCLES: rdata_o = {12'd0, init_cycles_o};
            ADDR_TOLERANCE: rdata_o = {16'd0, tolerance_o};
            ADDR_MAX_PULSES: rdata_o = {22'd0, max_pulses_o};
            ADDR_STUCK_LIMIT: rdata_o = {24'd0, stuck_limit_o};
            ADDR_DEVICE: rdata_o = {20'd0, device_o};
            ADDR_IMAGE: rdata_o = image_o;
            ADDR_SHIFT: rdata_o = {28'd0, shift_o};
            ADDR_THRESHOLD: rdata_o = {16'd0, threshold_o};
            ADDR_ALGORITHM: rdata_o = {30'd0, algorithm_o};
            ADDR_LAW_OFFSET: rdata_o = {21'd0, law_offset_o};
            ADDR_LAW_SLOPE: rdata_o = {16'd0, law_slope_o};
            ADDR_TRIM_GAIN: rdata_o = {16'd0, trim_gain_o};
            ADDR_SET_STRETCH: rdata_o = {29'd0, set_stretch_o};
            ADDR_IMAGE_HIGH: rdata_o = image_high_o;
            default: begin
                rdata_o  = 32'd0;
                rknown_o = 1'b0;
            end
        endcase
        case (waddr_i)
            ADDR_READ_CODE, ADDR_SETTLE, ADDR_BIT_CYCLES, ADDR_GUARD, ADDR_CONFIRM, ADDR_SET_START, ADDR_SET_MAX,
                ADDR_RESET_START, ADDR_RESET_MAX, ADDR_STEP_MIN, ADDR_STEP_MAX, ADDR_GAIN_SHIFT, ADDR_RESET_STEP,
                ADDR_SET_CYCLES, ADDR_RESET_CYCLES, ADDR_INIT_ENABLE, ADDR_INIT_CODE, ADDR_INIT_CYCLES, ADDR_TOLERANCE,
                ADDR_MAX_PULSES, ADDR_STUCK_LIMIT, ADDR_DEVICE, ADDR_IMAGE, ADDR_SHIFT, ADDR_THRESHOLD, ADDR_ALGORITHM,
                ADDR_LAW_OFFSET, ADDR_LAW_SLOPE, ADDR_TRIM_GAIN, ADDR_SET_STRETCH, ADDR_IMAGE_HIGH: wknown_o = 1'b1;
            default: wknown_o = 1'b0;
        endcase
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            read_code_o <= 11'd100;
            settle_o <= 16'd5;
            bit_cycles_o <= 8'd1;
            guard_o <= 8'd2;
            confirm_o <= 4'd2;
            set_start_o <= 11'd280;
            set_max_o <= 11'd1000;
            reset_start_o <= 11'd400;
            reset_max_o <= 11'd1500;
            step_min_o <= 11'd1;
            step_max_o <= 11'd200;
            gain_shift_o <= 4'd2;
            reset_step_o <= 11'd50;
            set_cycles_o <= 20'd1000;
            reset_cycles_o <= 20'd1000;
            init_enable_o <= 1'd0;
            init_code_o <= 11'd1500;
            init_cycles_o <= 20'd1000;
            tolerance_o <= 16'd655;
            max_pulses_o <= 10'd100;
            stuck_limit_o <= 8'd5;
            device_o <= 12'd0;
            image_o <= 32'd0;
            shift_o <= 4'd3;
            threshold_o <= 16'd0;
            algorithm_o <= 2'd1;
            law_offset_o <= 11'd200;
            law_slope_o <= 16'd1053;
            trim_gain_o <= 16'd4608;
            set_stretch_o <= 3'd0;
            image_high_o <= 32'd0;
        end else if (write_i) begin
            case (waddr_i)
                ADDR_READ_CODE: read_code_o <= wdata_i[10:0];
                ADDR_SETTLE: settle_o <= wdata_i[15:0];
                ADDR_BIT_CYCLES: bit_cycles_o <= wdata_i[7:0];
                ADDR_GUARD: guard_o <= wdata_i[7:0];
                ADDR_CONFIRM: confirm_o <= wdata_i[3:0];
                ADDR_SET_START: set_start_o <= wdata_i[10:0];
                ADDR_SET_MAX: set_max_o <= wdata_i[10:0];
                ADDR_RESET_START: reset_start_o <= wdata_i[10:0];
                ADDR_RESET_MAX: reset_max_o <= wdata_i[10:0];
                ADDR_STEP_MIN: step_min_o <= wdata_i[10:0];
                ADDR_STEP_MAX: step_max_o <= wdata_i[10:0];
                ADDR_GAIN_SHIFT: gain_shift_o <= wdata_i[3:0];
                ADDR_RESET_STEP: reset_step_o <= wdata_i[10:0];
                ADDR_SET_CYCLES: set_cycles_o <= wdata_i[19:0];
                ADDR_RESET_CYCLES: reset_cycles_o <= wdata_i[19:0];
                ADDR_INIT_ENABLE: init_enable_o <= wdata_i[0];
                ADDR_INIT_CODE: init_code_o <= wdata_i[10:0];
                ADDR_INIT_CYCLES: init_cycles_o <= wdata_i[19:0];
                ADDR_TOLERANCE: tolerance_o <= wdata_i[15:0];
                ADDR_MAX_PULSES: max_pulses_o <= wdata_i[9:0];
                ADDR_STUCK_LIMIT: stuck_limit_o <= wdata_i[7:0];
                ADDR_DEVICE: device_o <= wdata_i[11:0];
                ADDR_IMAGE: image_o <= wdata_i[31:0];
                ADDR_SHIFT: shift_o <= wdata_i[3:0];
                ADDR_THRESHOLD: threshold_o <= wdata_i[15:0];
                ADDR_ALGORITHM: algorithm_o <= wdata_i[1:0];
                ADDR_LAW_OFFSET: law_offset_o <= wdata_i[10:0];
                ADDR_LAW_SLOPE: law_slope_o <= wdata_i[15:0];
                ADDR_TRIM_GAIN: trim_gain_o <= wdata_i[15:0];
                ADDR_SET_STRETCH: set_stretch_o <= wdata_i[2:0];
                ADDR_IMAGE_HIGH: image_high_o <= wdata_i[31:0];
                default: ;
            endcase
        end
    end
endmodule
`default_nettype wire
