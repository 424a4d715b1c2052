// SPDX-License-Identifier: BSD-3-Clause
// Card chromium; written by: pyharness compile chromium --target verilog
// Module msdc of msdc.va, generated; included inside a module.  v: voltage from port 'p' to
// 'n', V; s: voltage of the state's node, V; current in A, rate in V/s; p_<name>: free parameters.
// 300.15 K; snap_on=0.2533, snap_off=0.04849, v_hold=0.1951, beta_hold=295.9, tau_on=0.0001129, tau_off=0.0001348, beta_on=26.37, beta_off=216.0, curve_on=4.582, phi=0.8398, alpha_f=1.992e-07, beta_f=23.69, alpha_r=4.152e-07, beta_r=1.932, v_max=1.5

function real device_current;
    input real v;
    input real s;
    input real p_x0;
    input real p_r_on;
    input real p_r_off;
    input real p_v_on;
    input real p_v_off;
    real t0, t1, t2, t3, t4, t5, t6;
    begin
        t0 = p_x0 + s;
        t1 = 4.582 * v;
        t2 = (-4.582) * v;
        t3 = (t1 < 69.07755278982137 ? $exp(t1) : 1e+30 * (1.0 + t1 - 69.07755278982137)) - (t2 < 69.07755278982137 ? $exp(t2) : 1e+30 * (1.0 + t2 - 69.07755278982137));
        t4 = 23.69 * v;
        t5 = (-1.932) * v;
        t6 = (1.992e-07 * ((t4 < 69.07755278982137 ? $exp(t4) : 1e+30 * (1.0 + t4 - 69.07755278982137)) - 1.0)) - (4.152e-07 * ((t5 < 69.07755278982137 ? $exp(t5) : 1e+30 * (1.0 + t5 - 69.07755278982137)) - 1.0));
        device_current = (0.8398 * ((((1.0 - t0) / p_r_off) * v) + ((t0 / p_r_on) * ((0.0 < v) ? (t3 / 9.164) : v)))) + (0.1602 * t6);
    end
endfunction

function real device_rate;
    input real v;
    input real s;
    input real p_x0;
    input real p_r_on;
    input real p_r_off;
    input real p_v_on;
    input real p_v_off;
    real t0, t1, t2;
    begin
        t0 = p_x0 + s;
        t1 = ((0.5 * (1.0 + $tanh((147.95 * (v - 0.1951))))) * (1.0 + $tanh((13.185 * ((v - p_v_on) + (0.2533 * t0)))))) * (1.0 - t0);
        t2 = (-1.129e-10) * (0.5 * ((t1 / 0.0001129) - (((1.0 - $tanh((108.0 * ((v + p_v_off) + (0.04849 * t0))))) * t0) / 0.0001348)));
        device_rate = -(t2 / 1.129e-10);
    end
endfunction

function real device_current_v;
    input real v;
    input real s;
    input real p_x0;
    input real p_r_on;
    input real p_r_off;
    input real p_v_on;
    input real p_v_off;
    real t0, t1, t2, t3, t4, t5, t6;
    begin
        t0 = p_x0 + s;
        t1 = 4.582 * v;
        t2 = (-4.582) * v;
        t3 = ($exp((t1 < 69.07755278982137 ? t1 : 69.07755278982137)) * 4.582) - ($exp((t2 < 69.07755278982137 ? t2 : 69.07755278982137)) * (-4.582));
        t4 = 23.69 * v;
        t5 = (-1.932) * v;
        t6 = (1.992e-07 * ($exp((t4 < 69.07755278982137 ? t4 : 69.07755278982137)) * 23.69)) - (4.152e-07 * ($exp((t5 < 69.07755278982137 ? t5 : 69.07755278982137)) * (-1.932)));
        device_current_v = (0.8398 * (((1.0 - t0) / p_r_off) + ((t0 / p_r_on) * ((0.0 < v) ? (t3 / 9.164) : 1.0)))) + (0.1602 * t6);
    end
endfunction

function real device_current_s;
    input real v;
    input real s;
    input real p_x0;
    input real p_r_on;
    input real p_r_off;
    input real p_v_on;
    input real p_v_off;
    real t0, t1, t2;
    begin
        t0 = 4.582 * v;
        t1 = (-4.582) * v;
        t2 = (t0 < 69.07755278982137 ? $exp(t0) : 1e+30 * (1.0 + t0 - 69.07755278982137)) - (t1 < 69.07755278982137 ? $exp(t1) : 1e+30 * (1.0 + t1 - 69.07755278982137));
        device_current_s = 0.8398 * ((((-1.0) / p_r_off) * v) + ((1.0 / p_r_on) * ((0.0 < v) ? (t2 / 9.164) : v)));
    end
endfunction

function real device_rate_v;
    input real v;
    input real s;
    input real p_x0;
    input real p_r_on;
    input real p_r_off;
    input real p_v_on;
    input real p_v_off;
    real t0, t1, t2, t3, t4, t5;
    begin
        t0 = $tanh((147.95 * (v - 0.1951)));
        t1 = p_x0 + s;
        t2 = $tanh((13.185 * ((v - p_v_on) + (0.2533 * t1))));
        t3 = (((0.5 * ((1.0 - (t0 * t0)) * 147.95)) * (1.0 + t2)) + ((0.5 * (1.0 + t0)) * ((1.0 - (t2 * t2)) * 13.185))) * (1.0 - t1);
        t4 = $tanh((108.0 * ((v + p_v_off) + (0.04849 * t1))));
        t5 = ((-1.129e-10) * (0.5 * ((t3 / 0.0001129) - (((-((1.0 - (t4 * t4)) * 108.0)) * t1) / 0.0001348)))) / 1.129e-10;
        device_rate_v = -t5;
    end
endfunction

function real device_rate_s;
    input real v;
    input real s;
    input real p_x0;
    input real p_r_on;
    input real p_r_off;
    input real p_v_on;
    input real p_v_off;
    real t0, t1, t2, t3, t4;
    begin
        t0 = 0.5 * (1.0 + $tanh((147.95 * (v - 0.1951))));
        t1 = p_x0 + s;
        t2 = $tanh((13.185 * ((v - p_v_on) + (0.2533 * t1))));
        t3 = $tanh((108.0 * ((v + p_v_off) + (0.04849 * t1))));
        t4 = ((((t0 * ((1.0 - (t2 * t2)) * 3.3397605000000006)) * (1.0 - t1)) + ((t0 * (1.0 + t2)) * (-1.0))) / 0.0001129) - ((((-((1.0 - (t3 * t3)) * 5.23692)) * t1) + (1.0 - t3)) / 0.0001348);
        device_rate_s = -(((-1.129e-10) * (0.5 * t4)) / 1.129e-10);
    end
endfunction

// -- for analog_array_model.v: parameters of the device at work, and what it answers
localparam integer device_free = 4;
localparam real device_x_low = 0.0, device_x_high = 1.0;
real device_p [0:3];
real device_i, device_i_v, device_i_x, device_dx, device_dx_v, device_dx_x;

function real device_nominal;
    input integer k;
    case (k)
        0: device_nominal = 1198.0;
        1: device_nominal = 6485000.0;
        2: device_nominal = 0.4922;
        3: device_nominal = 0.1028;
        default: device_nominal = 0;
    endcase
endfunction

function [8*60-1:0] device_name;
    input integer k;
    case (k)
        0: device_name = "r_on";
        1: device_name = "r_off";
        2: device_name = "v_on";
        3: device_name = "v_off";
        default: device_name = 0;
    endcase
endfunction

// 1: a pulse's value is an offset, 0: a factor
function integer device_offset;
    input integer k;
    case (k)
        0: device_offset = 0;
        1: device_offset = 0;
        2: device_offset = 1;
        3: device_offset = 0;
        default: device_offset = 0;
    endcase
endfunction

task device_evaluate;
    input real v, x;
    real t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15, t16, t17, t18, t19;
    real t20, t21, t22, t23;
    begin
        t0 = 1.0 - x;
        t1 = t0 / device_p[1];
        t2 = x / device_p[0];
        t3 = (0.0 < v) ? 1.0 : 0.0;
        t4 = 4.582 * v;
        t5 = (-4.582) * v;
        t6 = (t4 < 69.07755278982137 ? $exp(t4) : 1e+30 * (1.0 + t4 - 69.07755278982137)) - (t5 < 69.07755278982137 ? $exp(t5) : 1e+30 * (1.0 + t5 - 69.07755278982137));
        t7 = (t3 != 0.0) ? (t6 / 9.164) : v;
        t8 = 23.69 * v;
        t9 = (-1.932) * v;
        t10 = (1.992e-07 * ((t8 < 69.07755278982137 ? $exp(t8) : 1e+30 * (1.0 + t8 - 69.07755278982137)) - 1.0)) - (4.152e-07 * ((t9 < 69.07755278982137 ? $exp(t9) : 1e+30 * (1.0 + t9 - 69.07755278982137)) - 1.0));
        t11 = $tanh((147.95 * (v - 0.1951)));
        t12 = 0.5 * (1.0 + t11);
        t13 = $tanh((13.185 * ((v - device_p[2]) + (0.2533 * x))));
        t14 = 1.0 + t13;
        t15 = t12 * t14;
        t16 = $tanh((108.0 * ((v + device_p[3]) + (0.04849 * x))));
        t17 = 1.0 - t16;
        t18 = ($exp((t4 < 69.07755278982137 ? t4 : 69.07755278982137)) * 4.582) - ($exp((t5 < 69.07755278982137 ? t5 : 69.07755278982137)) * (-4.582));
        t19 = (1.992e-07 * ($exp((t8 < 69.07755278982137 ? t8 : 69.07755278982137)) * 23.69)) - (4.152e-07 * ($exp((t9 < 69.07755278982137 ? t9 : 69.07755278982137)) * (-1.932)));
        t20 = 1.0 - (t13 * t13);
        t21 = 1.0 - (t16 * t16);
        t22 = (((((0.5 * ((1.0 - (t11 * t11)) * 147.95)) * t14) + (t12 * (t20 * 13.185))) * t0) / 0.0001129) - (((-(t21 * 108.0)) * x) / 0.0001348);
        t23 = ((((t12 * (t20 * 3.3397605000000006)) * t0) + (t15 * (-1.0))) / 0.0001129) - ((((-(t21 * 5.23692)) * x) + t17) / 0.0001348);
        device_i = (0.8398 * ((t1 * v) + (t2 * t7))) + (0.1602 * t10);
        device_i_v = (0.8398 * (t1 + (t2 * ((t3 != 0.0) ? (t18 / 9.164) : 1.0)))) + (0.1602 * t19);
        device_i_x = 0.8398 * ((((-1.0) / device_p[1]) * v) + ((1.0 / device_p[0]) * t7));
        device_dx = -(((-1.129e-10) * (0.5 * (((t15 * t0) / 0.0001129) - ((t17 * x) / 0.0001348)))) / 1.129e-10);
        device_dx_v = -(((-1.129e-10) * (0.5 * t22)) / 1.129e-10);
        device_dx_x = -(((-1.129e-10) * (0.5 * t23)) / 1.129e-10);
    end
endtask
