// SPDX-License-Identifier: BSD-3-Clause
// A step-down converter: 10 MHz clock, 8-bit PWM, a duty cycle that one comparator moves up and down.
`timescale 1ns / 1ps

module power_shell (input wire gate, output reg low);
    reg bridge_event = 1'b0;
endmodule

module buck;
    reg       clk = 1'b0, rst_n = 1'b0;
    reg [7:0] count = 8'd0, duty = 8'd0;
    reg       gate = 1'b0;
    wire      low;
    always #50 clk = ~clk;

    always @(posedge clk or negedge rst_n)
        if (!rst_n) begin
            count <= 8'd0;
            duty  <= 8'd40;
            gate  <= 1'b0;
        end else begin
            count <= count + 8'd1;
            gate  <= count < duty;
            if (count == 8'd255) begin
                if (low && duty < 8'd200) duty <= duty + 8'd1;
                if (!low && duty > 8'd8) duty <= duty - 8'd1;
            end
        end

    power_shell u_power (.gate(gate), .low(low));
endmodule
