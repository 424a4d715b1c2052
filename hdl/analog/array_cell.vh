// SPDX-License-Identifier: BSD-3-Clause
// Part of analog_array_model.v: one device behind a resistor, in time.

    real cell_v [0:CELLS-1];       // voltages found last, to start from

    // -- the device at work behind load_ohm and load_v, V and Ohm: voltage, rate (1/s) and its slope along the load line
    real load_v, load_ohm, node_v, node_v_x, rate, slope;

    // Solve load_v = v + load_ohm * i(v) by Newton's method from node_v on, kept between bounds that close in.
    task solve_cell;
        input real state;
        real low, high, gap, step;
        integer round;
        begin
            low = (load_v < 0.0 ? load_v : 0.0) - 1.0;
            high = (load_v < 0.0 ? 0.0 : load_v) + 1.0;
            if (!(node_v > low && node_v < high)) node_v = 0.0;
            step = 1.0;
            for (round = 0; round < 100 && (step > 1.0e-6 || step < -1.0e-6); round = round + 1) begin
                device_evaluate(node_v, state);
                gap = node_v + load_ohm * device_i - load_v;
                step = -gap / (1.0 + load_ohm * device_i_v);
                if (gap > 0.0) high = node_v;
                else low = node_v;
                if (!(node_v + step >= low && node_v + step <= high)) begin
                    node_v = 0.5 * (low + high);
                    // not the end, unless there is no room
                    step = high - low;
                end else node_v = node_v + step;
            end
            if (round == 100) begin
                $display("analog_array: a device at state %g finds no voltage behind %g Ohm and %g V: is its current continuous?",
                    state, load_ohm, load_v);
                $fatal(1, "analog_array: no solution (instance %m)");
            end
            // the last step is small: the answer follows it in first order
            device_i = device_i + device_i_v * step;
            rate = device_dx + device_dx_v * step;
            node_v_x = -load_ohm * device_i_x / (1.0 + load_ohm * device_i_v);
            slope = device_dx_x + device_dx_v * node_v_x;
        end
    endtask

    function real clamped;
        input real state;
        clamped = state < device_x_low ? device_x_low : state > device_x_high ? device_x_high : state;
    endfunction

    // (exp(z) - 1) / z
    function real phi1;
        input real z;
        phi1 = z > -1.0e-3 && z < 1.0e-3 ? 1.0 + z / 2.0 * (1.0 + z / 3.0 * (1.0 + z / 4.0)) : ($exp(z) - 1.0) / z;
    endfunction

    // phi_k(z) = sum of z^j / (j + k)!
    real phi_1, phi_3, phi_4;
    task phis;
        input real z;
        integer k;
        if (z > -1.0 && z < 1.0) begin
            phi_4 = 1.0;
            for (k = 15; k > 4; k = k - 1) phi_4 = 1.0 + z / k * phi_4;
            phi_4 = phi_4 / 24.0;
            phi_3 = 1.0 / 6.0 + z * phi_4;
            phi_1 = 1.0 + z * (0.5 + z * phi_3);
        end else begin
            phi_1 = ($exp(z) - 1.0) / z;
            phi_3 = ((phi_1 - 1.0) / z - 0.5) / z;
            phi_4 = (phi_3 - 1.0 / 6.0) / z;
        end
    endtask

    // Advance the device at work over span_s behind a constant load; add what load_v delivers and what the device takes
    // to taken_j and device_j.  Steps of an exponential Rosenbrock method of order 4 (exprb43 of Hochbruck, Ostermann and
    // Schweitzer) with its error estimate of order 3: a SET pulse ends in an equilibrium hundreds of time constants long,
    // where explicit methods creep.
    real taken_j, device_j;
    task integrate;
        inout real state;
        input real span_s;
        real done_s, h, z, f, j, v, v_x, i0, p0, p2, i2, u, d2, d3, next, error, limit, ratio;
        begin
            solve_cell(state);
            done_s = 0.0;
            h = span_s;
            while (done_s < span_s) begin
                f = rate;
                j = slope;
                v = node_v;
                v_x = node_v_x;
                i0 = device_i;
                p0 = v * i0;
                if (h > span_s - done_s) h = span_s - done_s;
                if (f * h < 1.0e-9 && f * h > -1.0e-9 && j * h < 1.0 && j * h > -1.0) begin
                    // a read, a rest: nothing moves
                    state = clamped(state + h * phi1(h * j) * f);
                    taken_j = taken_j + load_v * i0 * h;
                    device_j = device_j + p0 * h;
                    done_s = h < span_s - done_s ? done_s + h : span_s;
                    h = span_s;
                    steps = steps + 1;
                    if (done_s < span_s) solve_cell(state);
                end else begin
                    if (h * j > 2.0) h = 2.0 / j;
                    z = h * j;
                    u = clamped(state + 0.5 * h * phi1(0.5 * z) * f);
                    node_v = v + v_x * (u - state);
                    solve_cell(u);
                    d2 = rate - f - j * (u - state);
                    i2 = device_i;
                    p2 = node_v * i2;
                    phis(z);
                    u = clamped(state + h * phi_1 * (f + d2));
                    node_v = v + v_x * (u - state);
                    solve_cell(u);
                    d3 = rate - f - j * (u - state);
                    next = clamped(state + h * (phi_1 * f + (16.0 * phi_3 - 48.0 * phi_4) * d2 + (12.0 * phi_4 - 2.0 * phi_3) * d3));
                    error = h * (12.0 * d3 - 48.0 * d2) * phi_4;
                    if (error < 0.0) error = -error;
                    limit = state_tolerance * ((next < 0.0 ? -next : next) + 1.0e-4);
                    ratio = error > 1.0e-4 * limit ? 0.9 * $pow(limit / error, 0.25) : 5.0;
                    if (ratio > 5.0) ratio = 5.0;
                    if (!(ratio > 0.2)) ratio = 0.2;
                    // below the femtosecond there is nothing to gain by smaller steps
                    if (error <= limit || h < 1.0e-15) begin
                        state = next;
                        done_s = h < span_s - done_s ? done_s + h : span_s;
                        steps = steps + 1;
                        solve_cell(state);
                        taken_j = taken_j + load_v * h / 6.0 * (i0 + 4.0 * i2 + device_i);
                        device_j = device_j + h / 6.0 * (p0 + 4.0 * p2 + node_v * device_i);
                    end else begin
                        node_v = v;
                        node_v_x = v_x;
                        rate = f;
                        slope = j;
                        device_i = i0;
                    end
                    h = h * ratio;
                end
            end
        end
    endtask

    // A cell that did not conduct was at 0 V: let its state relax up to now.
    task rest;
        input integer dev;
        input real now_s;
        if (now_s > cell_s[dev]) begin
            pick(dev, 1'b0);
            device_evaluate(0.0, x[dev]);
            x[dev] = clamped(x[dev] + (now_s - cell_s[dev])
                * phi1((now_s - cell_s[dev]) * device_dx_x) * device_dx);
            cell_s[dev] = now_s;
            cell_v[dev] = 0.0;
            pulsed[dev] = 1'b0;
            note_state(dev);
        end
    endtask
