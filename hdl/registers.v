// SPDX-License-Identifier: BSD-3-Clause
// AXI4-Lite registers.  The map is registers.yaml; registers.vh holds its addresses.
// Answers: OKAY; SLVERR for a write to a read-only register; DECERR for an address outside the map.
`timescale 1ns / 1ps
`default_nettype none

module registers #(
    // devices of the array, 1 .. 128
    parameter DEVICES = 30,
    // neurons of both layers, 1 .. 32
    parameter NEURONS = 4
) (
    input  wire                  clk_i,
    input  wire                  rst_ni,
    // AXI4-Lite, 32-bit data, 12-bit byte addresses
    input  wire [11:0]           s_axil_awaddr,
    input  wire [2:0]            s_axil_awprot,
    input  wire                  s_axil_awvalid,
    output wire                  s_axil_awready,
    input  wire [31:0]           s_axil_wdata,
    input  wire [3:0]            s_axil_wstrb,
    input  wire                  s_axil_wvalid,
    output wire                  s_axil_wready,
    output reg  [1:0]            s_axil_bresp,
    output reg                   s_axil_bvalid,
    input  wire                  s_axil_bready,
    input  wire [11:0]           s_axil_araddr,
    input  wire [2:0]            s_axil_arprot,
    input  wire                  s_axil_arvalid,
    output wire                  s_axil_arready,
    output reg  [31:0]           s_axil_rdata,
    output reg  [1:0]            s_axil_rresp,
    output reg                   s_axil_rvalid,
    input  wire                  s_axil_rready,
    // commands, one cycle each; reset value 0
    output reg                   program_o,
    output reg                   infer_o,
    output reg                   abort_o,
    output reg                   read_o,
    // status
    input  wire                  busy_i,
    input  wire                  done_i,
    output reg                   done_o,         // sticky since the last start: the interrupt; reset value 0
    input  wire [11:0]           read_result_i,
    input  wire                  class_i,
    input  wire [15:0]           accumulator_i,
    input  wire [31:0]           hidden_i,
    // outcome of a device
    input  wire                  outcome_valid_i,
    input  wire [7:0]            outcome_index_i,
    input  wire [24:0]           outcome_i,
    // settings
    output reg  [10:0]           read_code_o,
    output reg  [15:0]           settle_o,
    output reg  [7:0]            bit_cycles_o,
    output reg  [7:0]            guard_o,
    output reg  [3:0]            confirm_o,
    output reg  [10:0]           set_start_o,
    output reg  [10:0]           set_max_o,
    output reg  [10:0]           reset_start_o,
    output reg  [10:0]           reset_max_o,
    output reg  [10:0]           step_min_o,
    output reg  [10:0]           step_max_o,
    output reg  [3:0]            gain_shift_o,
    output reg  [10:0]           reset_step_o,
    output reg  [19:0]           set_cycles_o,
    output reg  [19:0]           reset_cycles_o,
    output reg                   init_enable_o,
    output reg  [10:0]           init_code_o,
    output reg  [19:0]           init_cycles_o,
    output reg  [15:0]           tolerance_o,
    output reg  [9:0]            max_pulses_o,
    output reg  [7:0]            stuck_limit_o,
    output reg  [7:0]            device_o,
    output reg  [31:0]           image_o,
    output reg  [3:0]            shift_o,
    output reg  [15:0]           threshold_o,
    output reg  [16*NEURONS-1:0] bias_o,
    output reg  [511:0]          table_o,
    input  wire [7:0]            target_index_i,
    output wire [11:0]           target_o
);
    `include "registers.vh"

    localparam [31:0] ID = 32'h50594831;
    localparam [1:0] OKAY = 2'b00, SLVERR = 2'b10, DECERR = 2'b11;
    localparam integer LAST_DEVICE = DEVICES - 1, LAST_NEURON = NEURONS - 1;

    reg [11:0] target_q  [0:127];
    reg [24:0] outcome_q [0:127];
    // words of the memories that were written since reset; the others read as 0
    reg [127:0] loaded_q, touched_q;

    wire [6:0] device_limit = LAST_DEVICE[6:0];
    wire [4:0] neuron_limit = LAST_NEURON[4:0];

    assign target_o = loaded_q[target_index_i[6:0]] ? target_q[target_index_i[6:0]] : 12'd0;

    // -- write channel: address and data are taken together ---------------------------------------------------------
    wire        write = s_axil_awvalid && s_axil_wvalid && (!s_axil_bvalid || s_axil_bready);
    wire [11:0] waddr = {s_axil_awaddr[11:2], 2'b00};
    wire [31:0] wdata = s_axil_wdata;
    wire [6:0]  windex = waddr[8:2];
    wire        whole = s_axil_wstrb == 4'hf;  // partial writes are refused

    assign s_axil_awready = write;
    assign s_axil_wready  = write;

    // 0 outside the map, 1 read only, 2 writable
    function [1:0] kind;
        input [11:0] address;
        begin
            if (address >= ADDR_OUTCOME) kind = address[11:9] == 3'b010 && address[8:2] <= device_limit ? 2'd1 : 2'd0;
            else if (address >= ADDR_TARGET) kind = address[8:2] <= device_limit ? 2'd2 : 2'd0;
            else if (address >= ADDR_ACTIVATION) kind = 2'd2;
            else if (address >= ADDR_BIAS) kind = address[6:2] <= neuron_limit ? 2'd2 : 2'd0;
            else if (address == ADDR_ID || address == ADDR_STATUS || address == ADDR_READ_RESULT ||
                     address == ADDR_CLASS || address == ADDR_ACCUMULATOR || address == ADDR_HIDDEN) kind = 2'd1;
            else kind = 2'd2;
        end
    endfunction

    integer i;

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            s_axil_bvalid <= 1'b0;
            s_axil_bresp  <= OKAY;
            program_o     <= 1'b0;
            infer_o       <= 1'b0;
            abort_o       <= 1'b0;
            read_o        <= 1'b0;
            done_o        <= 1'b0;
            read_code_o   <= 11'd100;
            settle_o      <= 16'd5;
            bit_cycles_o  <= 8'd1;
            guard_o       <= 8'd2;
            confirm_o     <= 4'd2;
            set_start_o   <= 11'd280;
            set_max_o     <= 11'd1000;
            reset_start_o <= 11'd400;
            reset_max_o   <= 11'd1500;
            step_min_o    <= 11'd1;
            step_max_o    <= 11'd200;
            gain_shift_o  <= 4'd2;
            reset_step_o  <= 11'd50;
            set_cycles_o  <= 20'd1000;
            reset_cycles_o <= 20'd1000;
            init_enable_o <= 1'b0;
            init_code_o   <= 11'd1500;
            init_cycles_o <= 20'd1000;
            tolerance_o   <= 16'd655;
            max_pulses_o  <= 10'd100;
            stuck_limit_o <= 8'd5;
            device_o      <= 8'd0;
            image_o       <= 32'd0;
            shift_o       <= 4'd3;
            threshold_o   <= 16'd0;
            bias_o        <= {(16 * NEURONS) {1'b0}};
            table_o       <= 512'd0;
            loaded_q      <= 128'd0;
            touched_q     <= 128'd0;
        end else begin
            program_o <= 1'b0;
            infer_o   <= 1'b0;
            abort_o   <= 1'b0;
            read_o    <= 1'b0;
            if (done_i) done_o <= 1'b1;
            if (program_o) touched_q <= 128'd0;
            if (outcome_valid_i) touched_q[outcome_index_i[6:0]] <= 1'b1;
            if (s_axil_bready) s_axil_bvalid <= 1'b0;
            if (write) begin
                s_axil_bvalid <= 1'b1;
                s_axil_bresp  <= kind(waddr) == 2'd0 ? DECERR : kind(waddr) == 2'd1 || !whole ? SLVERR : OKAY;
                if (kind(waddr) == 2'd2 && whole) begin
                    if (waddr >= ADDR_TARGET) loaded_q[windex] <= 1'b1;
                    else if (waddr >= ADDR_ACTIVATION) table_o[{waddr[7:2], 3'b000}+:8] <= wdata[7:0];
                    else if (waddr >= ADDR_BIAS)
                        for (i = 0; i < NEURONS; i = i + 1) begin
                            if ({27'd0, waddr[6:2]} == i) bias_o[16*i+:16] <= wdata[15:0];
                        end
                    else
                        case (waddr)
                            ADDR_CONTROL: begin
                                abort_o   <= wdata[2];
                                program_o <= wdata[0] && !busy_i && !wdata[2];
                                infer_o   <= wdata[1] && !busy_i && !wdata[2] && !wdata[0];
                                read_o    <= wdata[3] && !busy_i && !wdata[2] && !wdata[0] && !wdata[1];
                                done_o    <= 1'b0;
                            end
                            ADDR_READ_CODE: read_code_o <= wdata[10:0];
                            ADDR_SETTLE: settle_o <= wdata[15:0];
                            ADDR_BIT_CYCLES: bit_cycles_o <= wdata[7:0];
                            ADDR_GUARD: guard_o <= wdata[7:0];
                            ADDR_CONFIRM: confirm_o <= wdata[3:0];
                            ADDR_SET_START: set_start_o <= wdata[10:0];
                            ADDR_SET_MAX: set_max_o <= wdata[10:0];
                            ADDR_RESET_START: reset_start_o <= wdata[10:0];
                            ADDR_RESET_MAX: reset_max_o <= wdata[10:0];
                            ADDR_STEP_MIN: step_min_o <= wdata[10:0];
                            ADDR_STEP_MAX: step_max_o <= wdata[10:0];
                            ADDR_GAIN_SHIFT: gain_shift_o <= wdata[3:0];
                            ADDR_RESET_STEP: reset_step_o <= wdata[10:0];
                            ADDR_SET_CYCLES: set_cycles_o <= wdata[19:0];
                            ADDR_RESET_CYCLES: reset_cycles_o <= wdata[19:0];
                            ADDR_INIT_ENABLE: init_enable_o <= wdata[0];
                            ADDR_INIT_CODE: init_code_o <= wdata[10:0];
                            ADDR_INIT_CYCLES: init_cycles_o <= wdata[19:0];
                            ADDR_TOLERANCE: tolerance_o <= wdata[15:0];
                            ADDR_MAX_PULSES: max_pulses_o <= wdata[9:0];
                            ADDR_STUCK_LIMIT: stuck_limit_o <= wdata[7:0];
                            ADDR_DEVICE: device_o <= wdata[7:0];
                            ADDR_IMAGE: image_o <= wdata;
                            ADDR_SHIFT: shift_o <= wdata[3:0];
                            ADDR_THRESHOLD: threshold_o <= wdata[15:0];
                            default: ;
                        endcase
                end
            end
        end
    end

    always @(posedge clk_i) begin
        if (write && whole && kind(waddr) == 2'd2 && waddr >= ADDR_TARGET) target_q[windex] <= wdata[11:0];
        if (outcome_valid_i) outcome_q[outcome_index_i[6:0]] <= outcome_i;
    end

    // -- read channel -----------------------------------------------------------------------------------------------
    wire        read = s_axil_arvalid && (!s_axil_rvalid || s_axil_rready);
    wire [11:0] raddr = {s_axil_araddr[11:2], 2'b00};
    wire [11:0] rtarget = loaded_q[raddr[8:2]] ? target_q[raddr[8:2]] : 12'd0;
    wire [24:0] routcome = touched_q[raddr[8:2]] ? outcome_q[raddr[8:2]] : 25'd0;
    reg  [15:0] rbias;
    reg  [31:0] rvalue;
    integer     j;

    assign s_axil_arready = read;

    always @(*) begin
        rbias = 16'd0;
        for (j = 0; j < NEURONS; j = j + 1) if ({27'd0, raddr[6:2]} == j) rbias = bias_o[16*j+:16];
        rvalue = 32'd0;
        if (raddr >= ADDR_OUTCOME) rvalue = {7'd0, routcome};
        else if (raddr >= ADDR_TARGET) rvalue = {20'd0, rtarget};
        else if (raddr >= ADDR_ACTIVATION) rvalue = {24'd0, table_o[{raddr[7:2], 3'b000}+:8]};
        else if (raddr >= ADDR_BIAS) rvalue = {16'd0, rbias};
        else
            case (raddr)
                ADDR_ID: rvalue = ID;
                ADDR_STATUS: rvalue = {30'd0, done_o, busy_i};
                ADDR_READ_CODE: rvalue = {21'd0, read_code_o};
                ADDR_SETTLE: rvalue = {16'd0, settle_o};
                ADDR_BIT_CYCLES: rvalue = {24'd0, bit_cycles_o};
                ADDR_GUARD: rvalue = {24'd0, guard_o};
                ADDR_CONFIRM: rvalue = {28'd0, confirm_o};
                ADDR_SET_START: rvalue = {21'd0, set_start_o};
                ADDR_SET_MAX: rvalue = {21'd0, set_max_o};
                ADDR_RESET_START: rvalue = {21'd0, reset_start_o};
                ADDR_RESET_MAX: rvalue = {21'd0, reset_max_o};
                ADDR_STEP_MIN: rvalue = {21'd0, step_min_o};
                ADDR_STEP_MAX: rvalue = {21'd0, step_max_o};
                ADDR_GAIN_SHIFT: rvalue = {28'd0, gain_shift_o};
                ADDR_RESET_STEP: rvalue = {21'd0, reset_step_o};
                ADDR_SET_CYCLES: rvalue = {12'd0, set_cycles_o};
                ADDR_RESET_CYCLES: rvalue = {12'd0, reset_cycles_o};
                ADDR_INIT_ENABLE: rvalue = {31'd0, init_enable_o};
                ADDR_INIT_CODE: rvalue = {21'd0, init_code_o};
                ADDR_INIT_CYCLES: rvalue = {12'd0, init_cycles_o};
                ADDR_TOLERANCE: rvalue = {16'd0, tolerance_o};
                ADDR_MAX_PULSES: rvalue = {22'd0, max_pulses_o};
                ADDR_STUCK_LIMIT: rvalue = {24'd0, stuck_limit_o};
                ADDR_DEVICE: rvalue = {24'd0, device_o};
                ADDR_READ_RESULT: rvalue = {20'd0, read_result_i};
                ADDR_IMAGE: rvalue = image_o;
                ADDR_CLASS: rvalue = {31'd0, class_i};
                ADDR_ACCUMULATOR: rvalue = {16'd0, accumulator_i};
                ADDR_HIDDEN: rvalue = hidden_i;
                ADDR_SHIFT: rvalue = {28'd0, shift_o};
                ADDR_THRESHOLD: rvalue = {16'd0, threshold_o};
                default: rvalue = 32'd0;
            endcase
    end

    always @(posedge clk_i or negedge rst_ni) begin
        if (!rst_ni) begin
            s_axil_rvalid <= 1'b0;
            s_axil_rresp  <= OKAY;
            s_axil_rdata  <= 32'd0;
        end else begin
            if (s_axil_rready) s_axil_rvalid <= 1'b0;
            if (read) begin
                s_axil_rvalid <= 1'b1;
                s_axil_rresp  <= kind(raddr) == 2'd0 ? DECERR : OKAY;
                s_axil_rdata  <= kind(raddr) == 2'd0 ? 32'd0 : rvalue;
            end
        end
    end

    // protection bits and the two lowest address bits carry nothing here
    wire unused = &{1'b0, s_axil_awprot, s_axil_arprot, s_axil_awaddr[1:0], s_axil_araddr[1:0], outcome_index_i[7],
                    target_index_i[7]};
endmodule
`default_nettype wire
