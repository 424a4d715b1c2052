// SPDX-License-Identifier: BSD-3-Clause
// Part of analog_array_model.v: the network of a layer, and its states in time.

    real row_node_v [0:ROWS-1], col_node_v [0:COLS-1];
    // by place in cell_at: current = cell_i + cell_g * (row - column), rate and its slope
    real cell_i [0:CELLS-1], cell_g [0:CELLS-1];
    real cell_rate [0:CELLS-1], cell_slope [0:CELLS-1];
    real sum_v [0:COLS-1];                               // input of each amplifier
    real ref_node_v [0:1];

    // What the current of a column and of its reference meets at the amplifier's input: feedback over gain.
    function real input_ohm;
        input integer layer;
        input_ohm = feedback_ohm[layer] / (1.0 + amplifier_gain);
    endfunction

    // The same beside the reference conductance.
    function real virtual_ohm;
        input integer layer;
        virtual_ohm = input_ohm(layer) / (1.0 + input_ohm(layer) * g_ref_siemens);
    endfunction

    // Potential of the reference row and the inputs of the amplifiers, from the columns' currents.
    task solve_reference;
        input integer layer;
        integer j, c;
        real total;
        begin
            total = 0.0;
            for (j = 0; j < cols_of(layer); j = j + 1) begin
                c = first_col(layer) + j;
                total = total + virtual_ohm(layer) * (col_reads[c] ? col_i[c] : 0.0);
            end
            // sum_v = virtual_ohm (col_i + g_ref ref_node_v) put into the reference driver's equation
            ref_node_v[layer] = (ref_v[layer] + driver_ohm * g_ref_siemens * total)
                / (1.0 + driver_ohm * g_ref_siemens * cols_of(layer) * (1.0 - g_ref_siemens * virtual_ohm(layer)));
            for (j = 0; j < cols_of(layer); j = j + 1) begin
                c = first_col(layer) + j;
                col_emf[c] = col_reads[c] ? virtual_ohm(layer) * g_ref_siemens * ref_node_v[layer] : 0.0;
                sum_v[c] = virtual_ohm(layer) * (g_ref_siemens * ref_node_v[layer] + (col_reads[c] ? col_i[c] : 0.0));
                out_v[c] = amplifier_gain * sum_v[c];
                if (out_v[c] > saturation_v) out_v[c] = saturation_v;
                if (out_v[c] < -saturation_v) out_v[c] = -saturation_v;
            end
        end
    endtask

    // Put the load of the only cell of a layer before the device at work.
    task load_cell;
        input integer layer, dev, r, c;
        input real source_v;
        begin
            pick(dev, pulsed[dev]);
            load_v = source_v - col_emf[c];
            load_ohm = driver_ohm + switch_on_ohm + col_ohm[c];
        end
    endtask

    // Solve the drive in force at the present states.
    task solve_layer;
        input integer layer;
        integer dev, r, c;
        begin
            solve_reference(layer);
            if (row_n[layer] == 1 && col_n[layer] == 1) begin
                r = row_at[first_row(layer)];
                c = col_at[first_col(layer)];
                dev = cell_at[first_cell(layer)];
                load_cell(layer, dev, r, c, row_v[r]);
                node_v = cell_v[dev];
                solve_cell(x[dev]);
                cell_v[dev] = node_v;
                col_i[c] = device_i;
                solve_reference(layer);
            end else if (row_n[layer] > 0 && col_n[layer] > 0) solve_network(layer);
            solved[layer] = 1'b1;
        end
    endtask

    // Several cells share drivers and columns: Newton's method, whose linear equations row and column nodes solve by
    // turns.  Each turn shrinks the error by (driver resistance x conductance of a row) x (column resistance x
    // conductance of a column), about 0.02 in an array of 32 x 32.
    task solve_network;
        input integer layer;
        integer round, turn, i, j, k, r, c, dev, rows, cols, fr, fc, fk;
        real worst, moved, current, conductance, v, beside;
        begin
            rows = row_n[layer];
            cols = col_n[layer];
            fr = first_row(layer);
            fc = first_col(layer);
            fk = first_cell(layer);
            for (i = 0; i < rows; i = i + 1) row_node_v[row_at[fr+i]] = row_v[row_at[fr+i]];
            for (j = 0; j < cols; j = j + 1) col_node_v[col_at[fc+j]] = 0.0;
            worst = 1.0;
            for (round = 0; round < 200 && worst > 1.0e-6; round = round + 1) begin
                for (k = fk; k < fk + rows * cols; k = k + 1) begin
                    dev = cell_at[k];
                    pick(dev, pulsed[dev]);
                    device_evaluate(cell_v[dev], x[dev]);
                    beside = 1.0 + switch_on_ohm * device_i_v;
                    cell_g[k] = device_i_v / beside;
                    cell_i[k] = (device_i - device_i_v * cell_v[dev]) / beside;
                    cell_rate[k] = device_dx;
                    cell_slope[k] = device_dx_x - device_dx_v * switch_on_ohm * device_i_x / beside;
                end
                moved = 1.0;
                for (turn = 0; turn < 1000 && moved > 1.0e-10; turn = turn + 1) begin
                    moved = 0.0;
                    k = fk;
                    for (i = 0; i < rows; i = i + 1) begin
                        r = row_at[fr+i];
                        current = row_v[r] / driver_ohm;
                        conductance = 1.0 / driver_ohm;
                        for (j = 0; j < cols; j = j + 1) begin
                            current = current - cell_i[k] + cell_g[k] * col_node_v[col_at[fc+j]];
                            conductance = conductance + cell_g[k];
                            k = k + 1;
                        end
                        v = current / conductance;
                        if (v - row_node_v[r] > moved) moved = v - row_node_v[r];
                        if (row_node_v[r] - v > moved) moved = row_node_v[r] - v;
                        row_node_v[r] = v;
                    end
                    for (j = 0; j < cols; j = j + 1) begin
                        c = col_at[fc+j];
                        current = col_emf[c] / col_ohm[c];
                        conductance = 1.0 / col_ohm[c];
                        k = fk + j;
                        for (i = 0; i < rows; i = i + 1) begin
                            current = current + cell_i[k] + cell_g[k] * row_node_v[row_at[fr+i]];
                            conductance = conductance + cell_g[k];
                            k = k + cols;
                        end
                        v = current / conductance;
                        if (v - col_node_v[c] > moved) moved = v - col_node_v[c];
                        if (col_node_v[c] - v > moved) moved = col_node_v[c] - v;
                        col_node_v[c] = v;
                        col_i[c] = (v - col_emf[c]) / col_ohm[c];
                    end
                    solve_reference(layer);
                end
                worst = 0.0;
                k = fk;
                for (i = 0; i < rows; i = i + 1) for (j = 0; j < cols; j = j + 1) begin
                    dev = cell_at[k];
                    v = row_node_v[row_at[fr+i]] - col_node_v[col_at[fc+j]];
                    moved = v - switch_on_ohm * (cell_i[k] + cell_g[k] * v) - cell_v[dev];
                    // an exponential characteristic needs its steps bounded
                    if (moved > 0.2) moved = 0.2;
                    if (moved < -0.2) moved = -0.2;
                    cell_v[dev] = cell_v[dev] + moved;
                    if (moved > worst) worst = moved;
                    if (-moved > worst) worst = -moved;
                    k = k + 1;
                end
            end
            if (round == 200) $fatal(1, "analog_array: the currents of layer %0d are not found (instance %m)", layer + 1);
        end
    endtask

    // Let the drive in force act for span_s.
    task advance;
        input integer layer;
        input real span_s;
        integer k, r, c, dev, part;
        real parts_s;
        begin
            for (k = first_cell(layer); k < first_cell(layer) + row_n[layer] * col_n[layer]; k = k + 1) begin
                dev = cell_at[k];
                begin_pulse(dev, writing[layer]);
                cell_s[dev] = since_s[layer] + span_s;
            end
            if (row_n[layer] == 1 && col_n[layer] == 1) begin
                r = row_at[first_row(layer)];
                c = col_at[first_col(layer)];
                dev = cell_at[first_cell(layer)];
                taken_j = 0.0;
                device_j = 0.0;
                node_v = cell_v[dev];
                // the amplitude of a pulse comes and goes in edge_s: four levels stand for the ramp
                parts_s = !writing[layer] || before_v[r] == row_v[r] ? 0.0 : span_s < edge_s ? span_s : edge_s;
                for (part = 0; part < 4 && parts_s > 0.0; part = part + 1) begin
                    load_cell(layer, dev, r, c, before_v[r] + (row_v[r] - before_v[r]) * parts_s / edge_s * (part + 0.5) / 4.0);
                    integrate(x[dev], parts_s / 4.0);
                end
                load_cell(layer, dev, r, c, row_v[r]);
                if (span_s > parts_s) integrate(x[dev], span_s - parts_s);
                cell_v[dev] = node_v;
                count(layer, dev, taken_j, device_j);
                note_state(dev);
            end else if (row_n[layer] > 0 && col_n[layer] > 0) advance_network(layer, span_s);
            for (k = first_row(layer); k < first_row(layer) + row_n[layer]; k = k + 1) begin
                before_v[row_at[k]] = row_v[row_at[k]];
                row_s[row_at[k]] = since_s[layer] + span_s;
            end
            if (ref_v[layer] != 0.0) count(layer, -1,
                span_s * ref_v[layer] * (ref_v[layer] - ref_node_v[layer]) / driver_ohm, 0.0);
        end
    endtask

    // Steps that move no state by more than 0.002, each in the voltages at its beginning: of first order, which is exact
    // for reads, as they move nothing; several cells in one pulse come out to about 0.001.
    task advance_network;
        input integer layer;
        input real span_s;
        integer i, j, k, r, dev, fk, cells;
        real left_s, h, current, moves;
        begin
            fk = first_cell(layer);
            cells = row_n[layer] * col_n[layer];
            left_s = span_s;
            while (left_s > 0.0) begin
                if (!solved[layer]) solve_layer(layer);
                h = left_s;
                for (k = fk; k < fk + cells; k = k + 1) begin
                    moves = cell_rate[k] < 0.0 ? -cell_rate[k] : cell_rate[k];
                    if (moves * h > 0.002) h = 0.002 / moves;
                end
                k = fk;
                for (i = 0; i < row_n[layer]; i = i + 1) for (j = 0; j < col_n[layer]; j = j + 1) begin
                    r = row_at[first_row(layer)+i];
                    dev = cell_at[k];
                    current = cell_i[k] + cell_g[k] * (row_node_v[r] - col_node_v[col_at[first_col(layer)+j]]);
                    x[dev] = clamped(x[dev] + h * phi1(h * cell_slope[k]) * cell_rate[k]);
                    count(layer, dev, h * row_v[r] * current, h * cell_v[dev] * current);
                    k = k + 1;
                end
                steps = steps + cells;
                left_s = h < left_s ? left_s - h : 0.0;
                if (left_s > 0.0) solved[layer] = 1'b0;
            end
            for (k = fk; k < fk + cells; k = k + 1) note_state(cell_at[k]);
        end
    endtask

    task count;
        input integer layer, dev;
        input real supply, taken;
        begin
            energy_j[phase_of[layer]] = energy_j[phase_of[layer]] + supply;
            counted[8*phase_of[layer]+:8] = counted[8*phase_of[layer]+:8] + 8'd1;
            if (dev >= 0) begin
                device_energy_j[phase_of[layer]] = device_energy_j[phase_of[layer]] + taken;
                cell_energy_j[dev] = cell_energy_j[dev] + taken;
            end
        end
    endtask
