// SPDX-License-Identifier: BSD-3-Clause
// Behavioural view of the analog array: the same ports and parameters as the shell in analog_array.v, in real arithmetic.
// For simulation alone.  The network is that of pyharness/bench/array.py; the device's equations are generated from the
// Verilog-A source (device_model.vh).  What it leaves out, and how far it is from SPICE: README.md, "Behavioural view".
//
// Nothing happens between changes of a layer's drive.  At a change, the states of the cells that conducted are advanced
// over the time since the last change; then the new drive is taken over, and solved if an amplifier listens.
`timescale 1ns / 1ps
`default_nettype none

module analog_array #(
    parameter L1_ROWS = 9,
    parameter L1_COLS = 3,
    parameter L2_ROWS = 3,
    parameter L2_COLS = 1,
    // as ArrayElectrics; +pyh_<name>=VALUE replaces each, as in +pyh_compliance_ohm=47500
    parameter real COMPLIANCE_OHM = 5110.0,
    parameter real DRIVER_OHM = 10.0,
    parameter real SWITCH_ON_OHM = 10.0,
    parameter real BLEED_OHM = 1.0e9,
    parameter real G_REF_SIEMENS = 250.0e-6,
    parameter real FEEDBACK_VERIFY_OHM = 20.0e3,
    parameter real FEEDBACK_INFERENCE_OHM = 5.0e3,
    parameter real AMPLIFIER_GAIN = 1.0e5,
    parameter real SATURATION_V = 1.2,
    parameter real COMPARATOR_OFFSET_V = 0.0,
    parameter real DAC_LSB_V = 1.0e-3,
    parameter real ADC_LSB_V = 0.5e-3,
    parameter real EDGE_S = 100.0e-9,
    // state of every device at the start, where no table gives it
    parameter real START_FRACTION = 0.0,
    // of a step of the integration: this share of the state, and a ten-thousandth of it at least
    parameter real STATE_TOLERANCE = 1.0e-5,
    // rows that the table of +pyh_cycles may have
    parameter CYCLE_ROWS = 65536
) (
    input  wire [12*L1_ROWS-1:0] l1_row_code,
    input  wire [11:0]           l1_ref_code,
    input  wire [L1_ROWS-1:0]    l1_word,
    input  wire [L1_COLS-1:0]    l1_col_write,
    input  wire [L1_COLS-1:0]    l1_col_read,
    input  wire                  l1_range,
    input  wire [12*L1_COLS-1:0] l1_adc_code,
    output reg  [L1_COLS-1:0]    l1_cmp,
    input  wire [12*L2_ROWS-1:0] l2_row_code,
    input  wire [11:0]           l2_ref_code,
    input  wire [L2_ROWS-1:0]    l2_word,
    input  wire [L2_COLS-1:0]    l2_col_write,
    input  wire [L2_COLS-1:0]    l2_col_read,
    input  wire                  l2_range,
    input  wire [12*L2_COLS-1:0] l2_adc_code,
    output reg  [L2_COLS-1:0]    l2_cmp,
    input  wire [2:0]            phase
);
    // rows, columns and cells of both layers lie one after the other; cell = first + row * columns + column
    localparam integer ROWS = L1_ROWS + L2_ROWS, COLS = L1_COLS + L2_COLS;
    localparam integer L1_CELLS = L1_ROWS * L1_COLS, CELLS = L1_CELLS + L2_ROWS * L2_COLS;

    real compliance_ohm, driver_ohm, switch_on_ohm, bleed_ohm, g_ref_siemens, feedback_verify_ohm, feedback_inference_ohm;
    real amplifier_gain, saturation_v, comparator_offset_v, dac_lsb_v, adc_lsb_v, edge_s, start_fraction, state_tolerance;

    // -- states and energies, up to the last change of a layer's drive
    real    energy_j [0:4];          // by phase (idle, reset, write, verify, inference), of the row and reference drivers
    real    device_energy_j [0:4];   // by phase, taken by the devices
    real    cell_energy_j [0:CELLS-1];
    real    x [0:CELLS-1];           // states
    integer pulse_count [0:CELLS-1];
    integer steps;                   // of the integration, all cells together

    // The same as single variables: waveforms and VPI know no arrays of reals.  A byte goes on when its variables change.
    reg [8*CELLS-1:0] moved = {8 * CELLS{1'b0}};
    reg [8*5-1:0] counted = 40'd0;
    genvar g;
    generate
        for (g = 0; g < CELLS; g = g + 1) begin : device
            real state, energy_j;
            integer pulses;
            always @(moved[8*g+:8]) begin
                state = x[g];
                energy_j = cell_energy_j[g];
                pulses = pulse_count[g];
            end
        end
        for (g = 0; g < 5; g = g + 1) begin : of_phase
            real supply_j, devices_j;
            always @(counted[8*g+:8]) begin
                supply_j = energy_j[g];
                devices_j = device_energy_j[g];
            end
        end
    endgenerate

    // -- the drive in force, by layer
    real    since_s [0:1];
    integer phase_of [0:1];
    integer row_n [0:1], col_n [0:1];       // closed word lines, columns with a path
    integer row_at [0:ROWS-1], col_at [0:COLS-1];
    integer cell_at [0:CELLS-1];            // their cells, row by row
    reg     writing [0:1];
    reg     solved [0:1];
    real    feedback_ohm [0:1], ref_v [0:1];
    real    row_v [0:ROWS-1];               // DAC voltages of closed rows, and those before the last change
    real    before_v [0:ROWS-1];
    real    row_s [0:ROWS-1];               // when a row was last under voltage
    real    col_ohm [0:COLS-1], col_emf [0:COLS-1];  // what a column leads to
    reg     col_reads [0:COLS-1];
    real    col_i [0:COLS-1];               // current of each column into what it leads to
    real    out_v [0:COLS-1];               // output of the amplifier, its sign turned
    real    cell_s [0:CELLS-1];             // when a state was last advanced
    reg     pulsed [0:CELLS-1];             // a pulse is on: its own parameters hold
    reg     ready = 1'b0;                   // figures and tables are read

    `include "device_model.vh"
    `include "array_tables.vh"
    `include "array_cell.vh"
    `include "array_layer.vh"

    integer n;
    initial begin
        read_figures;
        steps = 0;
        l1_cmp = {L1_COLS{1'b0}};
        l2_cmp = {L2_COLS{1'b0}};
        for (n = 0; n < 5; n = n + 1) begin
            energy_j[n] = 0.0;
            device_energy_j[n] = 0.0;
        end
        for (n = 0; n < ROWS; n = n + 1) begin
            before_v[n] = 0.0;
            row_s[n] = 0.0;
        end
        for (n = 0; n < COLS; n = n + 1) begin
            out_v[n] = 0.0;
            col_i[n] = 0.0;
            col_reads[n] = 1'b0;
        end
        for (n = 0; n < CELLS; n = n + 1) begin
            x[n] = start_fraction;
            cell_s[n] = 0.0;
            cell_v[n] = 0.0;
            cell_energy_j[n] = 0.0;
            pulse_count[n] = 0;
            pulsed[n] = 1'b0;
        end
        for (n = 0; n < 2; n = n + 1) begin
            since_s[n] = 0.0;
            phase_of[n] = 0;
            row_n[n] = 0;
            col_n[n] = 0;
            writing[n] = 1'b0;
            solved[n] = 1'b0;
            ref_v[n] = 0.0;
            feedback_ohm[n] = feedback_verify_ohm;
        end
        read_tables;
        moved = {8 * CELLS{1'b1}};
        counted = {40{1'b1}};
        ready = 1'b1;
    end

    // before ready the tasks have no figures to work with; then the present drive is taken over
    always @(l1_row_code or l1_ref_code or l1_word or l1_col_write or l1_col_read or l1_range or phase or ready)
        if (ready) drive_changed(0);
    always @(l2_row_code or l2_ref_code or l2_word or l2_col_write or l2_col_read or l2_range or phase or ready)
        if (ready) drive_changed(1);
    always @(l1_adc_code) if (ready) compare(0);
    always @(l2_adc_code) if (ready) compare(1);

    // Take the drive of a layer over, after what went before has done its work.
    task drive_changed;
        input integer layer;
        real now_s;
        begin
            now_s = $realtime * 1.0e-9;
            // several signals that change at one time are one change, whose steps last no time
            if (now_s > since_s[layer]) advance(layer, now_s - since_s[layer]);
            since_s[layer] = now_s;
            take(layer, now_s);
            // a write is solved as it is integrated
            if (ref_v[layer] != 0.0 || (row_n[layer] > 0 && !writing[layer])) solve_layer(layer);
            compare(layer);
        end
    endtask

    function integer first_row;
        input integer layer;
        first_row = layer == 0 ? 0 : L1_ROWS;
    endfunction

    function integer first_col;
        input integer layer;
        first_col = layer == 0 ? 0 : L1_COLS;
    endfunction

    function integer cols_of;
        input integer layer;
        cols_of = layer == 0 ? L1_COLS : L2_COLS;
    endfunction

    function integer first_cell;
        input integer layer;
        first_cell = layer == 0 ? 0 : L1_CELLS;
    endfunction

    // Read the pins of a layer.  Where no voltage is, devices rest: nothing conducts.
    task take;
        input integer layer;
        input real now_s;
        integer i, j, k, r, c, of_row, dev;
        reg is_write, is_read, conducts;
        begin
            phase_of[layer] = phase < 3'd5 ? phase : 0;
            ref_v[layer] = dac_lsb_v * $signed(layer == 0 ? l1_ref_code : l2_ref_code);
            feedback_ohm[layer] = (layer == 0 ? l1_range : l2_range) === 1'b1 ? feedback_inference_ohm : feedback_verify_ohm;
            writing[layer] = (layer == 0 ? |l1_col_write : |l2_col_write) === 1'b1;
            solved[layer] = 1'b0;
            conducts = ref_v[layer] != 0.0;
            row_n[layer] = 0;
            for (i = 0; i < (layer == 0 ? L1_ROWS : L2_ROWS); i = i + 1) if ((layer == 0 ? l1_word[i] : l2_word[i]) === 1'b1) begin
                r = first_row(layer) + i;
                row_at[first_row(layer)+row_n[layer]] = r;
                row_v[r] = dac_lsb_v * $signed(layer == 0 ? l1_row_code[12*i+:12] : l2_row_code[12*i+:12]);
                row_n[layer] = row_n[layer] + 1;
                if (row_s[r] < now_s) before_v[r] = 0.0;
                // the end of a pulse, too, takes its time
                if (row_v[r] != 0.0 || (writing[layer] && before_v[r] != 0.0)) conducts = 1'b1;
            end
            if (!conducts) row_n[layer] = 0;
            col_n[layer] = 0;
            for (j = 0; j < cols_of(layer); j = j + 1) begin
                c = first_col(layer) + j;
                is_write = (layer == 0 ? l1_col_write[j] : l2_col_write[j]) === 1'b1;
                is_read = (layer == 0 ? l1_col_read[j] : l2_col_read[j]) === 1'b1 && !is_write;
                col_reads[c] = is_read;
                out_v[c] = 0.0;
                col_i[c] = 0.0;
                // a floating column joins rows, if there are several
                if (is_write || is_read || row_n[layer] > 1) begin
                    col_at[first_col(layer)+col_n[layer]] = c;
                    col_n[layer] = col_n[layer] + 1;
                    col_emf[c] = 0.0;
                    col_ohm[c] = is_write ? 1.0 / (1.0 / (switch_on_ohm + compliance_ohm) + 1.0 / bleed_ohm)
                        : is_read ? switch_on_ohm + virtual_ohm(layer) : bleed_ohm;
                end
            end
            k = first_cell(layer);
            for (i = 0; i < row_n[layer]; i = i + 1) begin
                of_row = first_cell(layer) + (row_at[first_row(layer)+i] - first_row(layer)) * cols_of(layer) - first_col(layer);
                for (j = 0; j < col_n[layer]; j = j + 1) begin
                    dev = of_row + col_at[first_col(layer)+j];
                    cell_at[k] = dev;
                    k = k + 1;
                    rest(dev, now_s);
                    if (!writing[layer]) pulsed[dev] = 1'b0;
                end
            end
        end
    endtask

    // Answer of the comparators of a layer: the column's amplifier above its trial code.
    task compare;
        input integer layer;
        integer j;
        if (layer == 0)
            for (j = 0; j < L1_COLS; j = j + 1)
                l1_cmp[j] = out_v[j] + comparator_offset_v > adc_lsb_v * $signed(l1_adc_code[12*j+:12]);
        else
            for (j = 0; j < L2_COLS; j = j + 1)
                l2_cmp[j] = out_v[L1_COLS+j] + comparator_offset_v > adc_lsb_v * $signed(l2_adc_code[12*j+:12]);
    endtask
endmodule
`default_nettype wire
