// SPDX-License-Identifier: BSD-3-Clause
// every run starts in reset; afterwards reset comes as it likes
reg started = 0;
always @(posedge clk_i) begin
    started <= 1;
    if (!started) assume (!rst_ni);
end
