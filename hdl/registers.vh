// SPDX-License-Identifier: BSD-3-Clause
// Generated from registers.yaml by pyharness.bench.registers.
localparam [11:0] ADDR_ID = 12'h000;  // ro, identification, 0x50594831
localparam [11:0] ADDR_CONTROL = 12'h004;  // w1s, 1 program all, 2 classify IMAGE, 4 abort, 8 read DEVICE
localparam [11:0] ADDR_STATUS = 12'h008;  // ro, bit 0 busy, bit 1 done since the last start
localparam [11:0] ADDR_READ_CODE = 12'h00c;  // rw, read amplitude, DAC codes (1 mV)
localparam [11:0] ADDR_SETTLE = 12'h010;  // rw, cycles from amplitude to conversion, at least 1
localparam [11:0] ADDR_BIT_CYCLES = 12'h014;  // rw, cycles per ADC bit, at least 1
localparam [11:0] ADDR_GUARD = 12'h018;  // rw, cycles between switching and amplitude, at least 1
localparam [11:0] ADDR_CONFIRM = 12'h01c;  // rw, reads in tolerance that end a device, at least 1
localparam [11:0] ADDR_SET_START = 12'h020;  // rw, first SET amplitude, DAC codes
localparam [11:0] ADDR_SET_MAX = 12'h024;  // rw, largest SET amplitude, DAC codes
localparam [11:0] ADDR_RESET_START = 12'h028;  // rw, first RESET amplitude, magnitude, DAC codes
localparam [11:0] ADDR_RESET_MAX = 12'h02c;  // rw, largest RESET amplitude, magnitude, DAC codes
localparam [11:0] ADDR_STEP_MIN = 12'h030;  // rw, smallest SET step, DAC codes
localparam [11:0] ADDR_STEP_MAX = 12'h034;  // rw, largest SET step, DAC codes
localparam [11:0] ADDR_GAIN_SHIFT = 12'h038;  // rw, SET step = error in ADC codes >> this
localparam [11:0] ADDR_RESET_STEP = 12'h03c;  // rw, RESET step, DAC codes
localparam [11:0] ADDR_SET_CYCLES = 12'h040;  // rw, SET pulse width, cycles
localparam [11:0] ADDR_RESET_CYCLES = 12'h044;  // rw, RESET pulse width, cycles
localparam [11:0] ADDR_INIT_ENABLE = 12'h048;  // rw, 1: every device starts with a RESET pulse
localparam [11:0] ADDR_INIT_CODE = 12'h04c;  // rw, its amplitude, magnitude, DAC codes
localparam [11:0] ADDR_INIT_CYCLES = 12'h050;  // rw, its width, cycles
localparam [11:0] ADDR_TOLERANCE = 12'h054;  // rw, share of the target, Q0.16; at least 1 code
localparam [11:0] ADDR_MAX_PULSES = 12'h058;  // rw, pulses before a device is given up
localparam [11:0] ADDR_STUCK_LIMIT = 12'h05c;  // rw, pulses at the largest amplitude without effect before a device counts as stuck
localparam [11:0] ADDR_DEVICE = 12'h060;  // rw, device of the read command
localparam [11:0] ADDR_READ_RESULT = 12'h064;  // ro, its ADC code
localparam [11:0] ADDR_IMAGE = 12'h068;  // rw, pixels, bit i to row i of the first layer
localparam [11:0] ADDR_CLASS = 12'h06c;  // ro, class of the last image
localparam [11:0] ADDR_ACCUMULATOR = 12'h070;  // ro, output neuron's sum for the last image
localparam [11:0] ADDR_HIDDEN = 12'h074;  // ro, first four hidden activations, 8 bits each
localparam [11:0] ADDR_SHIFT = 12'h078;  // rw, activation table index = (sum >> this) + 32
localparam [11:0] ADDR_THRESHOLD = 12'h07c;  // rw, class is 1 when the output sum is above
localparam [11:0] ADDR_BIAS = 12'h080;  // rw, added to the ADC code: hidden neurons, then output neurons
localparam [11:0] ADDR_ACTIVATION = 12'h100;  // rw, activation table, DAC codes of the next layer's rows
localparam [11:0] ADDR_TARGET = 12'h200;  // rw, verify code to reach, layer by layer, row by row
localparam [11:0] ADDR_OUTCOME = 12'h400;  // ro, [11:0] last code, [21:12] pulses, [24:22] status: 0 untouched, 1 reached, 2 given up, 3 stuck, 4 aborted
