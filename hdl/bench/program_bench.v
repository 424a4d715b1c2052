// SPDX-License-Identifier: BSD-3-Clause
// The controller on the behavioural view, without Python: programs all devices over AXI4-Lite and prints PASS or FAIL.
//
//     cd hdl
//     iverilog -g2005 -I. -Ianalog -o program.vvp -s program_bench bench/program_bench.v system_top.v \
//         analog/analog_array_model.v $(cat accelerator.f)
//     vvp program.vvp [+pyh_writes=FILE] [+pyh_outcomes=FILE] [+pyh_images=FILE +pyh_answers=FILE]
//         [+pyh_expected=FILE] [+pyh_devices=FILE] [+pyh_cycles=FILE] [+pyh_states=FILE] [+pyh_compliance_ohm=VALUE ..]
//
// +pyh_writes: what to write to the registers instead of the settings below, an address and a word a line, hexadecimal.
// +pyh_outcomes: a line for each device: number, target, code, pulses, status.
// +pyh_expected: such a file of an earlier run: what differs from it is a failure.
// +pyh_images: images to classify then, a hexadecimal number a line, bit i for pixel i; +pyh_answers: class and sum of each.
`timescale 1ns / 1ps
`default_nettype none

module program_bench;
    parameter L1_ROWS = 9, L1_COLS = 3, L2_ROWS = 3, L2_COLS = 1;
    localparam integer DEVICES = L1_ROWS * L1_COLS + L2_ROWS * L2_COLS;
    `include "registers.vh"

    reg         clk = 1'b0, rst_n = 1'b0;
    reg  [15:0] awaddr = 16'd0, araddr = 16'd0;
    reg  [31:0] wdata = 32'd0;
    reg         awvalid = 1'b0, wvalid = 1'b0, arvalid = 1'b0;
    wire        awready, wready, arready, bvalid, rvalid, irq, log_valid;
    wire [1:0]  bresp, rresp;
    wire [31:0] rdata;

    system_top #(
        .L1_ROWS(L1_ROWS),
        .L1_COLS(L1_COLS),
        .L2_ROWS(L2_ROWS),
        .L2_COLS(L2_COLS)
    ) dut (
        .clk_i(clk),
        .rst_ni(rst_n),
        .s_axil_awaddr(awaddr),
        .s_axil_awprot(3'd0),
        .s_axil_awvalid(awvalid),
        .s_axil_awready(awready),
        .s_axil_wdata(wdata),
        .s_axil_wstrb(4'hf),
        .s_axil_wvalid(wvalid),
        .s_axil_wready(wready),
        .s_axil_bresp(bresp),
        .s_axil_bvalid(bvalid),
        .s_axil_bready(1'b1),
        .s_axil_araddr(araddr),
        .s_axil_arprot(3'd0),
        .s_axil_arvalid(arvalid),
        .s_axil_arready(arready),
        .s_axil_rdata(rdata),
        .s_axil_rresp(rresp),
        .s_axil_rvalid(rvalid),
        .s_axil_rready(1'b1),
        .irq_o(irq),
        .log_valid_o(log_valid)
    );

    always #500 clk = ~clk;

    // the controller takes address and data together
    task write;
        input [15:0] address;
        input [31:0] word;
        begin
            @(negedge clk);
            awaddr  = address;
            wdata   = word;
            awvalid = 1'b1;
            wvalid  = 1'b1;
            @(posedge clk);
            while (!(awready && wready)) @(posedge clk);
            @(negedge clk);
            awvalid = 1'b0;
            wvalid  = 1'b0;
            while (!bvalid) @(negedge clk);
            if (bresp != 2'b00) begin
                $display("FAIL: write to 0x%h is answered with %b", address, bresp);
                $finish(0);
            end
        end
    endtask

    task read;
        input  [15:0] address;
        output [31:0] word;
        begin
            @(negedge clk);
            araddr  = address;
            arvalid = 1'b1;
            @(posedge clk);
            while (!arready) @(posedge clk);
            @(negedge clk);
            arvalid = 1'b0;
            while (!rvalid) @(negedge clk);
            word = rdata;
            if (rresp != 2'b00) begin
                $display("FAIL: read of 0x%h is answered with %b", address, rresp);
                $finish(0);
            end
        end
    endtask

    // what differs from the reset values, for the chromium card; addresses as in registers.yaml
    localparam [15:0] ADDR_SET_MAX = 16'h024, ADDR_RESET_START = 16'h028, ADDR_STEP_MIN = 16'h030, ADDR_SET_CYCLES = 16'h040,
                      ADDR_RESET_CYCLES = 16'h044, ADDR_TOLERANCE = 16'h054, ADDR_IMAGE = 16'h068,
                      ADDR_ALGORITHM = 16'h07c, ADDR_IMAGE_HIGH = 16'h090;

    // verify codes over the window of the chromium card, 100 .. 400 uS
    function integer target;
        input integer i;
        target = 400 + 1200 * (7 * i % DEVICES) / DEVICES;
    endfunction

    task write_settings;
        integer i;
        begin
            write(ADDR_SET_MAX, 32'd2000);
            write(ADDR_RESET_START, 32'd600);
            write(ADDR_STEP_MIN, 32'd4);
            write(ADDR_SET_CYCLES, 32'd200);
            write(ADDR_RESET_CYCLES, 32'd10);
            write(ADDR_ALGORITHM, 32'd2);
            for (i = 0; i < DEVICES; i = i + 1) write(ADDR_TARGET + 4 * i, target(i));
        end
    endtask

    reg [8*1024-1:0] file;
    task write_from_file;
        integer fd, got;
        reg [15:0] address;
        reg [31:0] word;
        begin
            fd = $fopen(file, "r");
            if (fd == 0) $fatal(1, "+pyh_writes=%0s: the file cannot be read", file);
            else begin
                got = $fscanf(fd, "%h %h", address, word);
                while (got == 2) begin
                    write(address, word);
                    got = $fscanf(fd, "%h %h", address, word);
                end
                if (got == 1) $fatal(1, "+pyh_writes=%0s: address 0x%h has no word: give two numbers a line", file, address);
                $fclose(fd);
            end
        end
    endtask

    task classify;
        integer fd, answers, got;
        reg [63:0] pixels;
        reg [31:0] class, sum;
        begin
            fd = $fopen(file, "r");
            answers = 0;
            if (!$value$plusargs("pyh_answers=%s", file)) $fatal(1, "+pyh_images needs +pyh_answers=FILE");
            else answers = $fopen(file, "w");
            if (fd == 0 || answers == 0) $fatal(1, "+pyh_images, +pyh_answers: a file cannot be opened");
            got = $fscanf(fd, "%h", pixels);
            while (got == 1) begin
                write(ADDR_IMAGE, pixels[31:0]);
                if (L1_ROWS > 32) write(ADDR_IMAGE_HIGH, pixels[63:32]);
                write(ADDR_CONTROL, 32'd2);
                if (!irq) @(posedge irq);
                read(ADDR_CLASS, class);
                read(ADDR_ACCUMULATOR, sum);
                $fdisplay(answers, "%0d %0d", class, $signed(sum[15:0]));
                got = $fscanf(fd, "%h", pixels);
            end
            $fclose(fd);
            $fclose(answers);
        end
    endtask

    integer i, pulses, failures, off, wanted, allowed, outcomes, expected;
    reg [31:0] word;

    // The line of one device in the file of +pyh_expected.
    task compare;
        input integer number, target_code;
        integer got, e_number, e_target, e_code, e_pulses, e_status;
        begin
            got = $fscanf(expected, "%d %d %d %d %d", e_number, e_target, e_code, e_pulses, e_status);
            if (got != 5 || e_number != number || e_target != target_code || e_code != $signed(word[11:0])
                || e_pulses != word[21:12] || e_status != word[24:22]) begin
                failures = failures + 1;
                if (got != 5) $display("device %0d: the file of +pyh_expected has no line for it", number);
                else $display("device %0d: expected target %0d, code %0d, %0d pulses, status %0d; got %0d, %0d, %0d, %0d",
                    number, e_target, e_code, e_pulses, e_status, target_code, $signed(word[11:0]), word[21:12], word[24:22]);
            end
        end
    endtask

    real begun_ns, took_ns;
    initial begin
        #4100 rst_n = 1'b1;
        if ($value$plusargs("pyh_writes=%s", file)) write_from_file;
        else write_settings;
        outcomes = 0;
        if ($value$plusargs("pyh_outcomes=%s", file)) begin
            outcomes = $fopen(file, "w");
            if (outcomes == 0) $fatal(1, "+pyh_outcomes=%0s: the file cannot be written", file);
        end
        expected = 0;
        if ($value$plusargs("pyh_expected=%s", file)) begin
            expected = $fopen(file, "r");
            if (expected == 0) $fatal(1, "+pyh_expected=%0s: the file cannot be read", file);
        end
        begun_ns = $realtime;
        write(ADDR_CONTROL, 32'd1);
        @(posedge irq);
        took_ns  = $realtime - begun_ns;
        pulses   = 0;
        failures = 0;
        for (i = 0; i < DEVICES; i = i + 1) begin
            read(ADDR_TARGET + 4 * i, word);
            wanted = word[11:0];
            read(ADDR_TOLERANCE, word);
            allowed = (wanted * word[15:0]) >> 16;
            read(ADDR_OUTCOME + 4 * i, word);
            pulses = pulses + word[21:12];
            off = $signed(word[11:0]) - wanted;
            if (allowed < 1) allowed = 1;
            if (word[24:22] != 3'd1 || off > allowed || -off > allowed) begin
                failures = failures + 1;
                $display("device %0d: target %0d, code %0d, %0d pulses, status %0d",
                    i, wanted, $signed(word[11:0]), word[21:12], word[24:22]);
            end
            if (expected != 0) compare(i, wanted);
            if (outcomes != 0)
                $fdisplay(outcomes, "%0d %0d %0d %0d %0d", i, wanted, $signed(word[11:0]), word[21:12], word[24:22]);
        end
        $display("%0d devices, %0d pulses, %0d steps, %.3f ms, %.6g J from the drivers", DEVICES, pulses, dut.u_array.steps,
            took_ns * 1.0e-6, dut.u_array.energy_j[1] + dut.u_array.energy_j[2] + dut.u_array.energy_j[3]);
        if ($value$plusargs("pyh_images=%s", file)) classify;
        if (failures == 0) $display("PASS");
        else $display("FAIL: %0d times a device missed its target, or what was expected of it", failures);
        $finish(0);
    end

    initial begin
        #(600.0e9);
        $display("FAIL: not done after ten minutes");
        $finish(0);
    end
endmodule
`default_nettype wire
