// SPDX-License-Identifier: BSD-3-Clause
// AXI4-Lite registers: rules of the bus, one answer for each request, commands only when allowed, what was written is read.
`default_nettype none

module registers_formal #(
    parameter DEVICES = 30,
    parameter NEURONS = 4
) (
    input wire        clk_i,
    input wire        rst_ni,
    input wire [15:0] awaddr,
    input wire        awvalid,
    input wire [31:0] wdata,
    input wire [3:0]  wstrb,
    input wire        wvalid,
    input wire        bready,
    input wire [15:0] araddr,
    input wire        arvalid,
    input wire        rready,
    input wire        busy_i,
    input wire        done_i,
    input wire        fault_i,
    input wire        outcome_valid_i,
    input wire [11:0] outcome_index_i,
    input wire [24:0] outcome_i,
    input wire [11:0] target_index_i
);
    `include "registers.vh"
    localparam [1:0] OKAY = 2'b00, SLVERR = 2'b10, DECERR = 2'b11;

    wire        awready, wready, bvalid, arready, rvalid, program, infer, abort, read, irq;
    wire [1:0]  bresp, rresp;
    wire [31:0] rdata;
    wire [10:0] set_max;
    wire [11:0] target;

    registers #(
        .DEVICES(DEVICES),
        .NEURONS(NEURONS)
    ) u_dut (
        .clk_i(clk_i),
        .rst_ni(rst_ni),
        .s_axil_awaddr(awaddr),
        .s_axil_awprot(3'd0),
        .s_axil_awvalid(awvalid),
        .s_axil_awready(awready),
        .s_axil_wdata(wdata),
        .s_axil_wstrb(wstrb),
        .s_axil_wvalid(wvalid),
        .s_axil_wready(wready),
        .s_axil_bresp(bresp),
        .s_axil_bvalid(bvalid),
        .s_axil_bready(bready),
        .s_axil_araddr(araddr),
        .s_axil_arprot(3'd0),
        .s_axil_arvalid(arvalid),
        .s_axil_arready(arready),
        .s_axil_rdata(rdata),
        .s_axil_rresp(rresp),
        .s_axil_rvalid(rvalid),
        .s_axil_rready(rready),
        .program_o(program),
        .infer_o(infer),
        .abort_o(abort),
        .read_o(read),
        .busy_i(busy_i),
        .done_i(done_i),
        .fault_i(fault_i),
        .done_o(irq),
        .read_result_i(12'd0),
        .class_i(1'b0),
        .accumulator_i(16'd0),
        .hidden_i(256'd0),
        .outcome_valid_i(outcome_valid_i),
        .outcome_index_i(outcome_index_i),
        .outcome_i(outcome_i),
        .set_max_o(set_max),
        .target_index_i(target_index_i),
        .target_o(target)
    );

    `include "start.vh"
    // one target, whichever, and the limit of SET as they were written last; the port's word is the watched one, since
    // no register depends on which it shows
    (* anyconst *) reg [11:0] watched;
    always @(posedge clk_i) assume (watched < DEVICES && outcome_index_i < DEVICES && target_index_i == watched);
    wire        aw = awvalid && awready, w = wvalid && wready, ar = arvalid && arready, b = bvalid && bready, r = rvalid && rready;
    wire [15:0] waddr = {awaddr[15:2], 2'b00}, raddr = {araddr[15:2], 2'b00};
    wire        at_target = waddr == ADDR_TARGET + {watched, 2'b00};
    reg  [11:0] written;
    reg  [10:0] limit;
    reg         was_reset, busy_before, fault_before, held_b, held_r, asked_b, asked_r, command, legal, of_target, mapped_w, mapped_r;
    reg  [3:0]  bits;
    reg  [1:0]  aws, ws, ars, bresp_before, rresp_before;  // requests not answered yet
    reg  [31:0] rdata_before;
    reg  [11:0] expected;
    always @(posedge clk_i or negedge rst_ni)
        if (!rst_ni) begin
            {aws, ws, ars, held_b, held_r, asked_b, asked_r, command, legal, of_target, was_reset, written} <= 0;
            limit <= 1000;
        end else begin
            was_reset <= 1;
            aws       <= aws + aw - b;
            ws        <= ws + w - b;
            ars       <= ars + ar - r;
            held_b    <= bvalid && !bready;
            held_r    <= rvalid && !rready;
            asked_b   <= aw;
            asked_r   <= ar;
            command   <= aw && waddr == ADDR_CONTROL && wstrb == 15;
            legal     <= wstrb == 15;
            of_target <= ar && raddr == ADDR_TARGET + {watched, 2'b00};
            if (aw && at_target && wstrb == 15) written <= wdata;
            if (aw && waddr == 16'h0024 && wstrb == 15) limit <= wdata;
        end
    always @(posedge clk_i) begin
        {bresp_before, rresp_before, rdata_before, bits, expected} <= {bresp, rresp, rdata, wdata[3:0], written};
        {busy_before, fault_before} <= {busy_i, fault_i};
        mapped_w <= waddr < 16'h8000 && waddr != ADDR_ID && waddr != ADDR_STATUS;
        mapped_r <= raddr < 16'h8000;
    end

    always @(posedge clk_i) begin
        // -- rules of the bus
        a_b_held: assert (!held_b || bvalid && bresp == bresp_before);
        a_r_held: assert (!held_r || rvalid && rresp == rresp_before && rdata == rdata_before);
        a_taken_together: assert (aw == w && aws == ws);
        a_w_answer: assert (aws == bvalid && (!asked_b || bvalid));
        a_r_answer: assert (ars == rvalid && (!asked_r || rvalid));
        // a request waits for nothing but the answer before it
        a_no_wait: assert (!(awvalid && wvalid && (!bvalid || bready)) || aw);
        a_no_wait_r: assert (!(arvalid && (!rvalid || rready)) || ar);
        a_outside: assert ((!asked_b || mapped_w || bresp != OKAY) && (!asked_r || mapped_r || rresp == DECERR && rdata == 0));
        a_partial: assert (!asked_b || legal || bresp != OKAY);
        // -- commands
        a_one_command: assert (program + infer + abort + read <= 1);
        a_command: assert (!(program || infer || abort || read) || command);
        a_not_busy: assert (!(program || infer || read) || !busy_before);
        a_abort: assert (!command || !bits[2] || abort);
        a_start: assert (!command || busy_before || fault_before || bits[2] || !bits[0] || program);
        a_fault: assert (!was_reset || !rst_ni || !fault_before || irq && !program && !infer && !read);
        // -- contents
        a_limit: assert (set_max == limit);
        a_target: assert (target == written);
        a_read_back: assert (!of_target || rdata == expected && rresp == OKAY);
        a_reset: assert (rst_ni || !bvalid && !rvalid && !program && !infer && !abort && !read && !irq);
        c_back_to_back: cover (asked_b && b && aw && asked_r && r && ar);
        c_target: cover (of_target && rdata == 12'habc);
        c_abort: cover (abort && busy_i);
        c_refused: cover (asked_b && bresp == SLVERR && legal);
    end
endmodule
`default_nettype wire
