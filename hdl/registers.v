// SPDX-License-Identifier: BSD-3-Clause
// AXI4-Lite registers.  The map is registers.yaml; registers.vh holds its addresses.
// Answers: OKAY; SLVERR for a write to a read-only register; DECERR for an address outside the map.
`timescale 1ns / 1ps
`default_nettype none

module registers #(
    // devices of the array, 1 .. 2048
    parameter DEVICES = 30,
    // neurons of both layers, 1 .. 64
    parameter NEURONS = 4
) (
    input  wire                  clk_i,
    input  wire                  rst_ni,
    // AXI4-Lite, 32-bit data, 16-bit byte addresses
    input  wire [15:0]           s_axil_awaddr,
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
    input  wire [15:0]           s_axil_araddr,
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
    input  wire                  fault_i,        // a job was ended in a state without a name
    output reg                   done_o,         // sticky since the last start: the interrupt; reset value 0
    input  wire [11:0]           read_result_i,
    input  wire                  class_i,
    input  wire [15:0]           accumulator_i,
    input  wire [255:0]          hidden_i,       // 32 activations of 8 bits
    // outcome of a device
    input  wire                  outcome_valid_i,
    input  wire [11:0]           outcome_index_i,
    input  wire [24:0]           outcome_i,
    // settings
    output wire [10:0]           read_code_o,
    output wire [15:0]           settle_o,
    output wire [7:0]            bit_cycles_o,
    output wire [7:0]            guard_o,
    output wire [3:0]            confirm_o,
    output wire [10:0]           set_start_o,
    output wire [10:0]           set_max_o,
    output wire [10:0]           reset_start_o,
    output wire [10:0]           reset_max_o,
    output wire [10:0]           step_min_o,
    output wire [10:0]           step_max_o,
    output wire [3:0]            gain_shift_o,
    output wire [10:0]           reset_step_o,
    output wire [19:0]           set_cycles_o,
    output wire [2:0]            set_stretch_o,
    output wire [19:0]           reset_cycles_o,
    output wire                  init_enable_o,
    output wire [10:0]           init_code_o,
    output wire [19:0]           init_cycles_o,
    output wire [15:0]           tolerance_o,
    output wire [9:0]            max_pulses_o,
    output wire [7:0]            stuck_limit_o,
    output wire [11:0]           device_o,
    output wire [63:0]           image_o,        // IMAGE_HIGH, IMAGE
    output wire [3:0]            shift_o,
    output wire [15:0]           threshold_o,
    output wire [1:0]            algorithm_o,
    output wire [10:0]           law_offset_o,
    output wire [15:0]           law_slope_o,
    output wire [15:0]           trim_gain_o,
    output reg  [16*NEURONS-1:0] bias_o,
    output reg  [511:0]          table_o,
    input  wire [11:0]           target_index_i,
    output wire [11:0]           target_o
);
    `include "registers.vh"

    localparam [1:0] OKAY = 2'b00, SLVERR = 2'b10, DECERR = 2'b11;
    localparam [1:0] NOWHERE = 2'd0, READ_ONLY = 2'd1, WRITABLE = 2'd2;
    localparam integer INDEX_W = DEVICES > 1 ? $clog2(DEVICES) : 1;
    localparam integer LAST_DEVICE = DEVICES - 1, LAST_NEURON = NEURONS - 1;

    reg [11:0] target_q  [0:DEVICES-1];
    reg [24:0] outcome_q [0:DEVICES-1];
    // words of the memories that were written since reset; the others read as 0
    reg [DEVICES-1:0] loaded_q, touched_q;
    reg        fault_q;                  // since the last start

    wire [10:0] device_limit = LAST_DEVICE[10:0];
    wire [5:0]  neuron_limit = LAST_NEURON[5:0];

    wire [INDEX_W-1:0] tindex = target_index_i[INDEX_W-1:0];
    wire [INDEX_W-1:0] oindex = outcome_index_i[INDEX_W-1:0];
    assign target_o = loaded_q[tindex] ? target_q[tindex] : 12'd0;

    // -- write channel: address and data are taken together ---------------------------------------------------------
    wire        write = s_axil_awvalid && s_axil_wvalid && (!s_axil_bvalid || s_axil_bready);
    wire [15:0] waddr = {s_axil_awaddr[15:2], 2'b00};
    wire [31:0] wdata = s_axil_wdata;
    wire [INDEX_W-1:0] windex = waddr[INDEX_W+1:2];
    wire        whole = s_axil_wstrb == 4'hf;  // partial writes are refused
    wire        wsetting, rsetting;
    wire [15:0] raddr = {s_axil_araddr[15:2], 2'b00};
    wire [1:0]  wkind = kind(waddr, wsetting);
    wire        accepted = write && whole && wkind == WRITABLE;

    assign s_axil_awready = write;
    assign s_axil_wready  = write;

    // what lies at an address, given whether it is a setting
    function [1:0] kind;
        input [15:0] address;
        input        setting;
        begin
            kind = NOWHERE;
            if (setting || address == ADDR_CONTROL) kind = WRITABLE;
            else if (address == ADDR_ID || address == ADDR_STATUS || address == ADDR_READ_RESULT ||
                     address == ADDR_CLASS || address == ADDR_ACCUMULATOR) kind = READ_ONLY;
            else if (address[15:13] == ADDR_OUTCOME[15:13]) begin
                if (address[12:2] <= device_limit) kind = READ_ONLY;
            end else if (address[15:13] == ADDR_TARGET[15:13]) begin
                if (address[12:2] <= device_limit) kind = WRITABLE;
            end else if (address[15:5] == ADDR_HIDDEN[15:5]) kind = READ_ONLY;
            else if (address[15:8] == ADDR_ACTIVATION[15:8]) kind = WRITABLE;
            else if (address[15:8] == ADDR_BIAS[15:8] && address[7:2] <= neuron_limit) kind = WRITABLE;
        end
    endfunction

    wire [31:0] setting;
    settings u_settings (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .write_i(accepted),
        .waddr_i(waddr),
        .wdata_i(wdata),
        .wknown_o(wsetting),
        .raddr_i(raddr),
        .rdata_o(setting),
        .rknown_o(rsetting),
        .read_code_o(read_code_o),
        .settle_o(settle_o),
        .bit_cycles_o(bit_cycles_o),
        .guard_o(guard_o),
        .confirm_o(confirm_o),
        .set_start_o(set_start_o),
        .set_max_o(set_max_o),
        .reset_start_o(reset_start_o),
        .reset_max_o(reset_max_o),
        .step_min_o(step_min_o),
        .step_max_o(step_max_o),
        .gain_shift_o(gain_shift_o),
        .reset_step_o(reset_step_o),
        .set_cycles_o(set_cycles_o),
        .set_stretch_o(set_stretch_o),
        .reset_cycles_o(reset_cycles_o),
        .init_enable_o(init_enable_o),
        .init_code_o(init_code_o),
        .init_cycles_o(init_cycles_o),
        .tolerance_o(tolerance_o),
        .max_pulses_o(max_pulses_o),
        .stuck_limit_o(stuck_limit_o),
        .device_o(device_o),
        .image_o(image_o[31:0]),
        .image_high_o(image_o[63:32]),
        .shift_o(shift_o),
        .threshold_o(threshold_o),
        .algorithm_o(algorithm_o),
        .law_offset_o(law_offset_o),
        .law_slope_o(law_slope_o),
        .trim_gain_o(trim_gain_o)
    );

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
            fault_q       <= 1'b0;
            bias_o        <= {(16 * NEURONS) {1'b0}};
            table_o       <= 512'd0;
            loaded_q      <= {DEVICES{1'b0}};
            touched_q     <= {DEVICES{1'b0}};
        end else begin
            program_o <= 1'b0;
            infer_o   <= 1'b0;
            abort_o   <= 1'b0;
            read_o    <= 1'b0;
            if (done_i) done_o <= 1'b1;
            if (program_o) touched_q <= {DEVICES{1'b0}};
            if (outcome_valid_i) touched_q[oindex] <= 1'b1;
            if (s_axil_bready) s_axil_bvalid <= 1'b0;
            if (write) begin
                s_axil_bvalid <= 1'b1;
                s_axil_bresp  <= wkind == NOWHERE ? DECERR : wkind == READ_ONLY || !whole ? SLVERR : OKAY;
            end
            if (accepted) begin
                if (waddr == ADDR_CONTROL) begin
                    abort_o   <= wdata[2];
                    program_o <= wdata[0] && !busy_i && !wdata[2];
                    infer_o   <= wdata[1] && !busy_i && !wdata[2] && !wdata[0];
                    read_o    <= wdata[3] && !busy_i && !wdata[2] && !wdata[0] && !wdata[1];
                    done_o    <= 1'b0;
                    fault_q   <= 1'b0;
                end
                if (waddr[15:13] == ADDR_TARGET[15:13]) loaded_q[windex] <= 1'b1;
                if (waddr[15:8] == ADDR_ACTIVATION[15:8]) table_o[{waddr[7:2], 3'b000}+:8] <= wdata[7:0];
                if (waddr[15:8] == ADDR_BIAS[15:8])
                    for (i = 0; i < NEURONS; i = i + 1) if ({26'd0, waddr[7:2]} == i) bias_o[16*i+:16] <= wdata[15:0];
            end
            // last: a command in this clock must neither hide the fault nor start
            if (fault_i) {done_o, fault_q, program_o, infer_o, read_o} <= 5'b11000;
        end
    end

    always @(posedge clk_i) begin
        if (accepted && waddr[15:13] == ADDR_TARGET[15:13]) target_q[windex] <= wdata[11:0];
        if (outcome_valid_i) outcome_q[oindex] <= outcome_i;
    end

    // -- read channel -----------------------------------------------------------------------------------------------
    wire        read = s_axil_arvalid && (!s_axil_rvalid || s_axil_rready);
    wire [1:0]  rkind = kind(raddr, rsetting);
    // outside the map the memories are not looked at
    wire [INDEX_W-1:0] rindex = raddr[12:2] <= device_limit ? raddr[INDEX_W+1:2] : {INDEX_W{1'b0}};
    wire [11:0] rtarget = loaded_q[rindex] ? target_q[rindex] : 12'd0;
    wire [24:0] routcome = touched_q[rindex] ? outcome_q[rindex] : 25'd0;
    reg  [15:0] rbias;
    reg  [31:0] rvalue;
    integer     j;

    assign s_axil_arready = read;

    always @(*) begin
        rbias = 16'd0;
        for (j = 0; j < NEURONS; j = j + 1) if ({26'd0, raddr[7:2]} == j) rbias = bias_o[16*j+:16];
        rvalue = setting;
        if (rkind == NOWHERE) rvalue = 32'd0;
        else if (raddr == ADDR_ID) rvalue = RESET_ID;
        else if (raddr == ADDR_STATUS) rvalue = {29'd0, fault_q, done_o, busy_i};
        else if (raddr == ADDR_READ_RESULT) rvalue = {20'd0, read_result_i};
        else if (raddr == ADDR_CLASS) rvalue = {31'd0, class_i};
        else if (raddr == ADDR_ACCUMULATOR) rvalue = {16'd0, accumulator_i};
        else if (raddr[15:5] == ADDR_HIDDEN[15:5]) rvalue = hidden_i[{raddr[4:2], 5'd0}+:32];
        else if (raddr[15:8] == ADDR_BIAS[15:8]) rvalue = {16'd0, rbias};
        else if (raddr[15:8] == ADDR_ACTIVATION[15:8]) rvalue = {24'd0, table_o[{raddr[7:2], 3'b000}+:8]};
        else if (raddr[15:13] == ADDR_TARGET[15:13]) rvalue = {20'd0, rtarget};
        else if (raddr[15:13] == ADDR_OUTCOME[15:13]) rvalue = {7'd0, routcome};
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
                s_axil_rresp  <= rkind == NOWHERE ? DECERR : OKAY;
                s_axil_rdata  <= rvalue;
            end
        end
    end

    // protection bits, the two lowest address bits and indices beyond the devices carry nothing here
    wire unused = &{1'b0, s_axil_awprot, s_axil_arprot, s_axil_awaddr[1:0], s_axil_araddr[1:0], outcome_index_i,
                    target_index_i};
endmodule
`default_nettype wire
