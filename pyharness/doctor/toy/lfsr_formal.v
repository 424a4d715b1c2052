// SPDX-License-Identifier: BSD-3-Clause
// Claims that a state is never reached; the proof must find the clock at which it is.
`default_nettype none
module lfsr_formal #(
    parameter [7:0] NEVER = 8'd0
) (
    input wire clk
);
    reg rst = 1'b1;
    wire [7:0] state;
    lfsr dut (.clk(clk), .rst(rst), .state(state));
    always @(posedge clk) rst <= 1'b0;
    always @(*) if (!rst) a_never: assert (state != NEVER);
endmodule
`default_nettype wire
