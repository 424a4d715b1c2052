// SPDX-License-Identifier: BSD-3-Clause
// Generated from registers.yaml by pyharness.bench.registers.  Those of the settings are in settings.v.
localparam [15:0] ADDR_ID = 16'h0000;  // ro, identification, 0x50594831
localparam [31:0] RESET_ID = 32'h50594831;
localparam [15:0] ADDR_CONTROL = 16'h0004;  // w1s, 1 program all, 2 classify IMAGE and IMAGE_HIGH, 4 abort, 8 read DEVICE
localparam [15:0] ADDR_STATUS = 16'h0008;  // ro, bit 0 busy, bit 1 done, bit 2 fault: a block was in a state without a name, all was let go of; any write to CONTROL clears bits 1 and 2
localparam [15:0] ADDR_READ_RESULT = 16'h0064;  // ro, its ADC code
localparam [15:0] ADDR_CLASS = 16'h006c;  // ro, class of the last image
localparam [15:0] ADDR_ACCUMULATOR = 16'h0070;  // ro, output neuron's sum for the last image
localparam [15:0] ADDR_BIAS = 16'h0100;  // rw, added to the ADC code: hidden neurons, then output neurons
localparam [15:0] ADDR_ACTIVATION = 16'h0200;  // rw, activation table, DAC codes of the next layer's rows
localparam [15:0] ADDR_HIDDEN = 16'h0300;  // ro, hidden activations, 8 bits each, first in the low bits
localparam [15:0] ADDR_TARGET = 16'h2000;  // rw, verify code to reach, layer by layer, row by row
localparam [15:0] ADDR_OUTCOME = 16'h4000;  // ro, [11:0] last code, [21:12] pulses, [24:22] status: 0 untouched, 1 reached, 2 given up, 3 stuck low, 4 aborted, 5 stuck high
