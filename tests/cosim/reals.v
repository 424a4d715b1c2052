// SPDX-License-Identifier: BSD-3-Clause
// A shell with real variables on both sides: a real drives an RC, a real follows it.
`timescale 1ns / 1ps
module reals_shell;
    real push = 0.0;
    real follow = 0.0;
    reg  bridge_event = 1'b0;
endmodule

module reals_top;
    reals_shell u_rc ();
endmodule
