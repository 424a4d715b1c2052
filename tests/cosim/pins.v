// SPDX-License-Identifier: BSD-3-Clause
// One shell with a logic pin, a signed DAC bus and a comparator bus, for the tests of the bridge.
`timescale 1ns / 1ps
`default_nettype none
module pins_shell (
    input  wire       go,
    input  wire [7:0] dac,
    input  wire [1:0] phase,
    output reg  [1:0] cmp
);
    reg bridge_event = 1'b0;
endmodule

module pins_top;
    reg        go = 1'b0;
    reg  [7:0] dac = 8'd0;
    reg  [1:0] phase = 2'd0;
    wire [1:0] cmp;
    pins_shell u_pins (.go(go), .dac(dac), .phase(phase), .cmp(cmp));
endmodule
`default_nettype wire
