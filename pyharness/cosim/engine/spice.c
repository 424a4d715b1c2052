/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libngspice: loading, commands, callbacks, messages.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>

#include <ngspice/sharedspice.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

static struct {
    void *handle;
    int (*init)(SendChar *, SendStat *, ControlledExit *, SendData *, SendInitData *, BGThreadRunning *, void *);
    int (*init_sync)(GetVSRCData *, GetISRCData *, GetSyncData *, int *, void *);
    int (*circ)(char **);
    int (*command)(char *);
    NG_BOOL (*set_bkpt)(double);
} ng;

static char version[64];

void spice_remember(const char *text) {
    size_t n = strlen(text);
    if (n >= LOG_BYTES / 2) n = LOG_BYTES / 2 - 1;
    if (E.message_bytes + n + 2 > LOG_BYTES) { /* keep the newer half */
        memmove(E.messages, E.messages + LOG_BYTES / 2, E.message_bytes - LOG_BYTES / 2);
        E.message_bytes -= LOG_BYTES / 2;
    }
    memcpy(E.messages + E.message_bytes, text, n);
    E.message_bytes += n;
    E.messages[E.message_bytes++] = '\n';
    E.messages[E.message_bytes] = 0;
}

/* -- callbacks ------------------------------------------------------------------------------------------------------ */

static int on_char(char *text, int id, void *user) {
    (void)id, (void)user;
    if (strncmp(text, "stderr ", 7) == 0 || strncmp(text, "stdout ", 7) == 0) text += 7;
    const char *v = strstr(text, "ngspice-");
    if (v && !version[0]) sscanf(v, "ngspice-%60[0-9.a-z+]", version);
    if (*text) spice_remember(text);
    return 0;
}

static bool exited; /* ngspice is past help: it would have ended its process, and holds half a circuit */

static int on_exit_request(int status, NG_BOOL immediate, NG_BOOL quit, int id, void *user) {
    (void)immediate, (void)quit, (void)id, (void)user;
    char text[64];
    snprintf(text, sizeof text, "ngspice asked to exit with status %d", status);
    spice_remember(text);
    exited = true;
    return 0;
}

static int on_thread(NG_BOOL running, int id, void *user) {
    (void)running, (void)id, (void)user;
    return 0;
}

static int on_plot(pvecinfoall plot, int id, void *user) {
    (void)id, (void)user;
    solution_plot(plot);
    return 0;
}

static int on_data(pvecvaluesall values, int count, int id, void *user) {
    (void)count, (void)id, (void)user;
    solution_data(values);
    return 0;
}

static int on_source(double *value, double t, char *name, int id, void *user) {
    (void)id, (void)user;
    if (strcmp(name, STOP_SOURCE) == 0) {
        *value = E.state == STOPPING;
        return 0;
    }
    /* asked on every iteration: remember which driver each name pointer stands for */
    static struct { const char *name; int driver; } cache[4096];
    size_t slot = ((uintptr_t)name >> 4) % 4096;
    if (cache[slot].name != name || cache[slot].driver >= E.n_drivers ||
        strcmp(E.drivers[cache[slot].driver].source, name) != 0) {
        cache[slot].name = NULL;
        for (int i = 0; i < E.n_drivers; i++)
            if (strcmp(E.drivers[i].source, name) == 0) cache[slot].name = name, cache[slot].driver = i;
        if (!cache[slot].name) {
            *value = 0;
            fail("source '%s' is external but no pin drives it", name);
            return 0;
        }
    }
    *value = sync_source(cache[slot].driver, t) + solution_stir(cache[slot].driver, t);
    return 0;
}

static int on_isource(double *value, double t, char *name, int id, void *user) {
    (void)t, (void)id, (void)user;
    *value = 0;
    fail("current source '%s' is external: only voltage sources can be driven", name);
    return 0;
}

static int on_sync(double t, double *delta, double old, int redo, int id, int location, void *user) {
    (void)old, (void)id, (void)user;
    if (location == 1 && !redo && solution_learning(t, delta)) return 0;
    return E.state == IDLE ? 0 : sync_step(t, delta, redo, location);
}

/* -- commands ------------------------------------------------------------------------------------------------------- */

int spice_command(const char *command) {
    char copy[sizeof E.argument];
    snprintf(copy, sizeof copy, "%s", command);
    return ng.command(copy);
}

int spice_circuit(char **lines) {
    static int ident = 0;
    ng.init_sync(on_source, on_isource, on_sync, &ident, NULL);
    return ng.circ(lines);
}

void spice_clear(void) {
    ng.command((char *)"destroy all");
    ng.command((char *)"remcirc");
}

bool spice_set_breakpoint(double t) { return ng.set_bkpt(t); }

/* A user's start-up files (.spiceinit in the working or home folder) must not change results or run commands.
 * ngSpice_nospiceinit() would say so, but crashes when called before ngSpice_Init in ngspice 44. */
static void init_without_user_files(void) {
    const char *tmp = getenv("TMPDIR");
    char empty[4096], here[4096];
    snprintf(empty, sizeof empty, "%s/pyharness-%s", tmp && *tmp ? tmp : P_tmpdir, "XXXXXX");
    const char *home = getenv("HOME");
    char *saved = home ? strdup(home) : NULL;
    bool moved = getcwd(here, sizeof here) && mkdtemp(empty);
    if (moved) {
        moved = chdir(empty) == 0;
        setenv("HOME", empty, 1);
    }
    ng.init(on_char, NULL, on_exit_request, on_data, on_plot, on_thread, NULL);
    if (moved && chdir(here) != 0) fail("cannot return to the working folder %s", here);
    if (saved)
        setenv("HOME", saved, 1);
    else
        unsetenv("HOME");
    free(saved);
    rmdir(empty);
}

static int load(const char *path) {
    if (exited) {
        fail("ngspice broke down over an earlier circuit of this process and cannot be used again in it: mend that circuit, or "
             "give its block isolated=True, which runs ngspice in a process of its own");
        return -1;
    }
    if (!ng.handle) { /* a second ngSpice_Init corrupts its stack: once per process */
        void *h = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!h) {
            fail("cannot load the ngspice library: %s", dlerror());
            return -1;
        }
        *(void **)&ng.init = dlsym(h, "ngSpice_Init");
        *(void **)&ng.init_sync = dlsym(h, "ngSpice_Init_Sync");
        *(void **)&ng.circ = dlsym(h, "ngSpice_Circ");
        *(void **)&ng.command = dlsym(h, "ngSpice_Command");
        *(void **)&ng.set_bkpt = dlsym(h, "ngSpice_SetBkpt");
        if (!ng.init || !ng.init_sync || !ng.circ || !ng.command || !ng.set_bkpt) {
            fail("%s is not an ngspice shared library with synchronisation calls: ngSpice_Init_Sync or a sibling is missing",
                 path);
            dlclose(h);
            return -1;
        }
        ng.handle = h;
        init_without_user_files();
        ng.command((char *)"version");
    }
    snprintf(E.version, sizeof E.version, "%s", version);
    return solution_find();
}

/* Parse the circuit and learn its unknowns, by the short transient in the argument. */
static int circuit(void) {
    if (spice_circuit(E.lines) != 0 || E.error[0]) {
        if (!E.error[0]) fail("ngspice refused the netlist");
        return -1;
    }
    if (solution_learn(E.argument) != 0 || E.error[0]) {
        if (!E.error[0]) fail("ngspice produced no point for this netlist");
        return -1;
    }
    return 0;
}

/* Do what the digital side asks. */
int spice_serve(enum request request) {
    switch (request) {
    case LOAD:
        return load(E.argument);
    case CIRCUIT:
        return circuit();
    case COMMAND:
        return spice_command(E.argument);
    case RUN:
        sync_run(E.argument);
        return 0;
    case CLEAR:
        if (ng.handle && !exited) spice_clear();
        solution_forget();
        return 0;
    }
    return -1;
}
