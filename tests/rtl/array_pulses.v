// SPDX-License-Identifier: BSD-3-Clause
// Plays drives on the first layer of the array and prints states, currents and energies, for test_array_model.py.
// A line of the file +play=FILE: action, row, col, code, width in ns.  Actions: 0 pulse, 1 read, 2 pause, 3 inference with
// `code` on each row whose bit in `row` is set, 4 pulse of all cells of the rows and columns whose bits are set.
`timescale 1ns / 1ps
`default_nettype none

module array_pulses;
    parameter ROWS = 9, COLS = 3;
    reg [12*ROWS-1:0] code = 0;
    reg [11:0] ref_code = 0;
    reg [ROWS-1:0] word = 0;
    reg [COLS-1:0] write = 0, read = 0;
    reg range = 0;
    reg [12*COLS-1:0] adc = 0;
    reg [2:0] phase = 0;
    wire [COLS-1:0] cmp;
    wire [0:0] cmp2;
    integer fd, got, action, row, col, value, i, bits, begun;
    real width;
    reg [8*1024-1:0] file;

    analog_array #(
        .L1_ROWS(ROWS),
        .L1_COLS(COLS),
        .L2_ROWS(COLS),
        .L2_COLS(1)
    ) dut (
        .l1_row_code(code), .l1_ref_code(ref_code), .l1_word(word), .l1_col_write(write), .l1_col_read(read),
        .l1_range(range), .l1_adc_code(adc), .l1_cmp(cmp),
        .l2_row_code({COLS{12'd0}}), .l2_ref_code(12'd0), .l2_word({COLS{1'b0}}), .l2_col_write(1'b0),
        .l2_col_read(1'b0), .l2_range(1'b0), .l2_adc_code(12'd0), .l2_cmp(cmp2), .phase(phase)
    );

    // successive approximation on one column
    task convert;
        input integer column;
        output integer result;
        integer b;
        begin
            result = -2048;
            for (b = 11; b >= 0; b = b - 1) begin
                adc[12*column+:12] = result + (1 << b);
                #1000;
                if (cmp[column]) result = result + (1 << b);
            end
            adc = 0;
        end
    endtask

    // what went on is accounted for at the next change
    task release_all;
        begin
            word = 0;
            write = 0;
            read = 0;
            range = 0;
            phase = 0;
            #1000;
        end
    endtask

    initial begin
        if (!$value$plusargs("play=%s", file)) $fatal(1, "+play=FILE is missing");
        fd = $fopen(file, "r");
        #1000;
        got = $fscanf(fd, "%d %d %d %d %f", action, row, col, value, width);
        while (got == 5) begin
            begun = dut.steps;
            case (action)
                0: begin
                    phase = value < 0 ? 1 : 2;
                    word[row] = 1;
                    write[col] = 1;
                    #2000;
                    code[12*row+:12] = value;
                    #(width);
                    code = 0;
                    #2000;
                    release_all;
                    $display("%.17g %0d", dut.x[row*COLS+col], dut.steps - begun);
                end
                1: begin
                    phase = 3;
                    word[row] = 1;
                    read[col] = 1;
                    #2000;
                    code[12*row+:12] = value;
                    #5000;
                    convert(col, bits);
                    $display("%0d %.17g", bits, dut.out_v[col]);
                    code = 0;
                    #2000;
                end
                2: #(width);
                3: begin
                    phase = 4;
                    word = ~word;
                    read = ~read;
                    range = 1;
                    #2000;
                    for (i = 0; i < ROWS; i = i + 1) if (row >> i & 1) begin
                        code[12*i+:12] = value;
                        ref_code = ref_code - value;
                    end
                    #5000;
                    convert(0, bits);
                    for (i = 0; i < COLS; i = i + 1) $display("%.17g", dut.out_v[i]);
                    $display("%0d", bits);
                    code = 0;
                    ref_code = 0;
                    #2000;
                end
                4: begin
                    phase = 2;
                    word = row;
                    write = col;
                    #2000;
                    for (i = 0; i < ROWS; i = i + 1) if (row >> i & 1) code[12*i+:12] = value;
                    #(width);
                    code = 0;
                    #2000;
                    release_all;
                    for (i = 0; i < ROWS * COLS; i = i + 1) $display("%.17g", dut.x[i]);
                end
            endcase
            release_all;
            got = $fscanf(fd, "%d %d %d %d %f", action, row, col, value, width);
        end
        for (i = 0; i < 5; i = i + 1) $display("%.17g %.17g", dut.energy_j[i], dut.device_energy_j[i]);
        $finish(0);
    end
endmodule
`default_nettype wire
