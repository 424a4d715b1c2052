// SPDX-License-Identifier: BSD-3-Clause
// Part of analog_array_model.v: figures, the devices' own parameters, and those of single pulses, from plusargs and files.
// Nothing is drawn here: what scatters was drawn outside, from a recorded seed.

    localparam integer WORD = 8 * 64;

    real    own [0:CELLS*(device_free+1)-1];           // free parameters of each cell
    real    cycle [0:CYCLE_ROWS*(device_free+1)-1];    // of each pulse, as the file has them
    integer cycle_next [0:CYCLE_ROWS-1];               // next row of the same device, -1: none
    integer cycle_at [0:CELLS-1], cycle_last [0:CELLS-1];
    reg     has_cycles;
    reg [8*1024-1:0] devices_file, cycles_file, states_file;
    integer states_fd;

    task read_figures;
        begin
            if (!$value$plusargs("pyh_compliance_ohm=%f", compliance_ohm)) compliance_ohm = COMPLIANCE_OHM;
            if (!$value$plusargs("pyh_driver_ohm=%f", driver_ohm)) driver_ohm = DRIVER_OHM;
            if (!$value$plusargs("pyh_switch_on_ohm=%f", switch_on_ohm)) switch_on_ohm = SWITCH_ON_OHM;
            if (!$value$plusargs("pyh_bleed_ohm=%f", bleed_ohm)) bleed_ohm = BLEED_OHM;
            if (!$value$plusargs("pyh_g_ref_siemens=%f", g_ref_siemens)) g_ref_siemens = G_REF_SIEMENS;
            if (!$value$plusargs("pyh_feedback_verify_ohm=%f", feedback_verify_ohm)) feedback_verify_ohm = FEEDBACK_VERIFY_OHM;
            if (!$value$plusargs("pyh_feedback_inference_ohm=%f", feedback_inference_ohm))
                feedback_inference_ohm = FEEDBACK_INFERENCE_OHM;
            if (!$value$plusargs("pyh_amplifier_gain=%f", amplifier_gain)) amplifier_gain = AMPLIFIER_GAIN;
            if (!$value$plusargs("pyh_saturation_v=%f", saturation_v)) saturation_v = SATURATION_V;
            if (!$value$plusargs("pyh_comparator_offset_v=%f", comparator_offset_v)) comparator_offset_v = COMPARATOR_OFFSET_V;
            if (!$value$plusargs("pyh_dac_lsb_v=%f", dac_lsb_v)) dac_lsb_v = DAC_LSB_V;
            if (!$value$plusargs("pyh_adc_lsb_v=%f", adc_lsb_v)) adc_lsb_v = ADC_LSB_V;
            if (!$value$plusargs("pyh_edge_s=%f", edge_s)) edge_s = EDGE_S;
            if (!$value$plusargs("pyh_start_fraction=%f", start_fraction)) start_fraction = START_FRACTION;
            if (!$value$plusargs("pyh_state_tolerance=%f", state_tolerance)) state_tolerance = STATE_TOLERANCE;
        end
    endtask

    task read_tables;
        integer dev, k;
        begin
            for (dev = 0; dev < CELLS; dev = dev + 1) begin
                cycle_at[dev] = -1;
                cycle_last[dev] = -1;
                for (k = 0; k < device_free; k = k + 1) own[dev*(device_free+1)+k] = device_nominal(k);
            end
            has_cycles = 1'b0;
            states_fd = 0;
            if ($value$plusargs("pyh_devices=%s", devices_file)) read_devices;
            if ($value$plusargs("pyh_cycles=%s", cycles_file)) read_cycles;
            if ($value$plusargs("pyh_states=%s", states_file)) begin
                states_fd = $fopen(states_file, "w");
                if (states_fd == 0) $fatal(1, "analog_array: +pyh_states=%0s: the file cannot be written", states_file);
                for (dev = 0; dev < CELLS; dev = dev + 1) note_state(dev);
            end
        end
    endtask

    // One header word of a table must be what the device's equations expect there.
    task expect_word;
        input integer fd;
        input [8*1024-1:0] file;
        input [WORD-1:0] wanted;
        reg [WORD-1:0] word;
        integer got;
        begin
            got = $fscanf(fd, "%s", word);
            if (got != 1 || word != wanted)
                $fatal(1, "analog_array: %0s: the first line must have the word '%0s' here, got '%0s': columns stand in the order of device_model.vh",
                    file, wanted, got == 1 ? word : {WORD{1'b0}});
        end
    endtask

    // A row for each device: x0 and the free parameters.
    task read_devices;
        integer fd, dev, k, got;
        real value;
        reg [WORD-1:0] more;
        begin
            fd = $fopen(devices_file, "r");
            if (fd == 0) $fatal(1, "analog_array: +pyh_devices=%0s: the file cannot be read", devices_file);
            else begin
                expect_word(fd, devices_file, "x0");
                for (k = 0; k < device_free; k = k + 1) expect_word(fd, devices_file, device_name(k));
                for (dev = 0; dev < CELLS; dev = dev + 1) for (k = 0; k <= device_free; k = k + 1) begin
                    got = $fscanf(fd, "%f", value);
                    if (got != 1) $fatal(1, "analog_array: %0s: device %0d, column %0d: no number; the array has %0d devices",
                        devices_file, dev, k, CELLS);
                    if (k > 0) own[dev*(device_free+1)+k-1] = value;
                    else if (value >= device_x_low && value <= device_x_high) x[dev] = value;
                    else $fatal(1, "analog_array: %0s: device %0d: x0 must lie in %g .. %g, got %g",
                        devices_file, dev, device_x_low, device_x_high, value);
                end
                got = $fscanf(fd, "%s", more);
                if (got == 1) $fatal(1, "analog_array: %0s: more rows than the array's %0d devices", devices_file, CELLS);
                $fclose(fd);
            end
        end
    endtask

    // A row for each pulse: the device, then an offset or a factor for each free parameter.
    task read_cycles;
        integer fd, dev, k, got, row;
        real value;
        begin
            fd = $fopen(cycles_file, "r");
            if (fd == 0) $fatal(1, "analog_array: +pyh_cycles=%0s: the file cannot be read", cycles_file);
            else begin
                has_cycles = 1'b1;
                expect_word(fd, cycles_file, "device");
                for (k = 0; k < device_free; k = k + 1)
                    expect_word(fd, cycles_file, (device_name(k) << 8) | (device_offset(k) ? "+" : "*"));
                row = 0;
                got = $fscanf(fd, "%d", dev);
                while (got == 1) begin
                    if (dev < 0 || dev >= CELLS) $fatal(1, "analog_array: %0s: row %0d: device must lie in 0 .. %0d, got %0d",
                        cycles_file, row, CELLS - 1, dev);
                    if (row >= CYCLE_ROWS) $fatal(1, "analog_array: %0s: more than %0d rows: raise CYCLE_ROWS", cycles_file, CYCLE_ROWS);
                    for (k = 0; k < device_free; k = k + 1) begin
                        got = $fscanf(fd, "%f", value);
                        cycle[row*(device_free+1)+k] = value;
                        if (got != 1) $fatal(1, "analog_array: %0s: row %0d, column %0d: no number", cycles_file, row, k + 1);
                    end
                    cycle_next[row] = -1;
                    if (cycle_at[dev] < 0) cycle_at[dev] = row;
                    else cycle_next[cycle_last[dev]] = row;
                    cycle_last[dev] = row;
                    row = row + 1;
                    got = $fscanf(fd, "%d", dev);
                end
                $fclose(fd);
            end
        end
    endtask

    // A pulse lasts as long as the column leads to the compliance resistor.
    task begin_pulse;
        input integer dev;
        input on;
        begin
            if (on && !pulsed[dev]) begin
                if (has_cycles && pulse_count[dev] > 0) cycle_at[dev] = cycle_next[cycle_at[dev]];
                if (has_cycles && cycle_at[dev] < 0) $fatal(1, "analog_array: %0s: no row for pulse %0d of device %0d: give each device as many rows as it may have pulses",
                    cycles_file, pulse_count[dev] + 1, dev);
                pulse_count[dev] = pulse_count[dev] + 1;
            end
            pulsed[dev] = on;
        end
    endtask

    // Put the parameters of a cell into the device at work; a pulse has its own.
    task pick;
        input integer dev;
        input in_pulse;
        integer k;
        real value;
        for (k = 0; k < device_free; k = k + 1) begin
            value = own[dev*(device_free+1)+k];
            if (in_pulse && has_cycles) begin
                if (device_offset(k)) value = value + cycle[cycle_at[dev]*(device_free+1)+k];
                else value = value * cycle[cycle_at[dev]*(device_free+1)+k];
            end
            device_p[k] = value;
        end
    endtask

    // Show a state.  The file of +pyh_states holds the states up to the last change: 30 characters for each device.
    task note_state;
        input integer dev;
        integer unused;
        begin
            moved[8*dev+:8] = moved[8*dev+:8] + 8'd1;
            if (states_fd != 0) begin
                unused = $fseek(states_fd, 30 * dev, 0);
                $fwrite(states_fd, "%6d %22.15e\n", dev, x[dev]);
            end
        end
    endtask
