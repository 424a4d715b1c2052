// SPDX-License-Identifier: BSD-3-Clause
// Runs replay.v and writes its coverage: the main program that Verilator 5.006 makes by itself (--binary) does not.
#include "Vreplay.h"
#include "verilated.h"
#include "verilated_cov.h"

int main(int argc, char** argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    Vreplay top{&context};
    while (!context.gotFinish()) {
        top.eval();
        if (!top.eventsPending()) break;
        context.time(top.nextTimeSlot());
    }
    top.final();
    context.coveragep()->write("coverage.dat");
    return 0;
}
