/* SPDX-License-Identifier: BSD-3-Clause
 *
 * libngspice: loading, messages, and the solved but not yet accepted point.
 *
 * The shared library offers no call for the solution at the end of a step that is not accepted.  It does hand out a
 * pointer to the step size, which lives in the same structure as the pointer to the solution; their distance
 * depends on the build.  The distance is found at start by a circuit whose accepted points are reported through the
 * public interface, confirmed for every unknown of the user's circuit, and watched on every accepted point after.
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

#define SCAN_WORDS 1024
#define MAX_PROBE_UNKNOWNS 64
#define MAX_CHECKED 16
#define LOG_BYTES 16384

static struct {
    void *handle;
    int (*init)(SendChar *, SendStat *, ControlledExit *, SendData *, SendInitData *, BGThreadRunning *, void *);
    int (*init_sync)(GetVSRCData *, GetISRCData *, GetSyncData *, int *, void *);
    int (*circ)(char **);
    int (*command)(char *);
    NG_BOOL (*set_bkpt)(double);
} ng;

enum mode { MODE_QUIET, MODE_FIND, MODE_LEARN, MODE_RUN };
static enum mode mode;

/* messages: the tail, and the first line that reads like an error */
static char log_text[LOG_BYTES];
static size_t log_len;
static char version[64];

/* Names of the unknowns of the present circuit, in the order of the equations.  Plots list them forwards or
 * backwards, by build: found together with the solution.  They leave out the inner nodes of some devices (a diode's
 * behind its series resistance), so the place of each name in the solution is learnt: 0 when it stays undecided. */
static char **names;
static int n_names;
static bool backwards;
static int *places;

/* learning the places: which unknown agrees with which name on every point so far */
#define HIDDEN_AT_MOST 512
static unsigned char *agrees; /* [name][unknown], `width` unknowns a row */
static int width;

/* the solution pointer */
static long solution_offset = -1;
static int guard_pipe[2] = {-1, -1};
static bool alive[SCAN_WORDS], alive_reversed[SCAN_WORDS];
static double (*snapshot)[MAX_PROBE_UNKNOWNS + 1];
static double snapshot_time;
static int compared;

/* vectors compared on each accepted point of a run: position in the plot and in the solution */
static int checked_vec[MAX_CHECKED], checked_index[MAX_CHECKED], n_checked;
static double checked_value[MAX_CHECKED], checked_time;
static bool disagree;

static void remember(const char *text) {
    size_t n = strlen(text);
    if (n >= LOG_BYTES / 2) n = LOG_BYTES / 2 - 1;
    if (log_len + n + 2 > LOG_BYTES) { /* keep the newer half */
        memmove(log_text, log_text + LOG_BYTES / 2, log_len - LOG_BYTES / 2);
        log_len -= LOG_BYTES / 2;
    }
    memcpy(log_text + log_len, text, n);
    log_len += n;
    log_text[log_len++] = '\n';
    log_text[log_len] = 0;
}

static int on_char(char *text, int id, void *user) {
    (void)id, (void)user;
    if (strncmp(text, "stderr ", 7) == 0 || strncmp(text, "stdout ", 7) == 0) text += 7;
    const char *v = strstr(text, "ngspice-");
    if (v && !version[0]) sscanf(v, "ngspice-%60[0-9.a-z+]", version);
    if (*text) remember(text);
    return 0;
}

static int on_exit_request(int status, NG_BOOL immediate, NG_BOOL quit, int id, void *user) {
    (void)immediate, (void)quit, (void)id, (void)user;
    char text[64];
    snprintf(text, sizeof text, "ngspice asked to exit with status %d", status);
    remember(text);
    return 0;
}

static int on_thread(NG_BOOL running, int id, void *user) {
    (void)running, (void)id, (void)user;
    return 0;
}

static void forget_names(void) {
    for (int i = 0; i < n_names; i++) free(names[i]);
    free(names), free(places), free(agrees);
    names = NULL;
    places = NULL;
    agrees = NULL;
    n_names = width = 0;
}

static int on_plot(pvecinfoall plot, int id, void *user) {
    (void)id, (void)user;
    if (mode == MODE_FIND || mode == MODE_LEARN) {
        forget_names();
        names = calloc((size_t)plot->veccount, sizeof *names);
        for (int i = 0; i < plot->veccount; i++) {
            const char *name = plot->vecs[backwards ? plot->veccount - 1 - i : i]->vecname;
            if (strcmp(name, "time") != 0) names[n_names++] = strdup(name);
        }
    } else if (mode == MODE_RUN) {
        n_checked = 0;
        for (int i = 0; i < plot->veccount && n_checked < MAX_CHECKED; i++) {
            int index = spice_index(plot->vecs[i]->vecname);
            if (index > 0) checked_vec[n_checked] = i, checked_index[n_checked++] = index;
        }
    }
    return 0;
}

static bool readable(const void *p, size_t bytes) {
    if ((uintptr_t)p < 4096 || (uintptr_t)p % sizeof(double)) return false;
    char sink[(MAX_PROBE_UNKNOWNS + 1) * sizeof(double)];
    ssize_t n = write(guard_pipe[1], p, bytes); /* the kernel refuses an unmapped range: EFAULT, not SIGSEGV */
    if (n > 0) (void)!read(guard_pipe[0], sink, (size_t)n);
    return n == (ssize_t)bytes;
}

static void take_snapshots(double t, const double *delta) {
    void *const *words = (void *const *)delta;
    size_t bytes = (size_t)(n_names + 1) * sizeof(double);
    snapshot_time = t;
    for (int k = 1; k < SCAN_WORDS; k++) {
        if (!alive[k] && !alive_reversed[k]) continue;
        if (!readable(&words[k], sizeof(void *)) || !readable(words[k], bytes))
            alive[k] = alive_reversed[k] = false;
        else
            memcpy(snapshot[k], words[k], bytes);
    }
}

/* Whether x[1..] is bit for bit what ngspice reports for the point. */
static bool same(pvecvaluesall values, const double *x, bool reverse) {
    int unknown = 0;
    for (int i = 0; i < values->veccount; i++) {
        const vecvalues *v = values->vecsa[reverse ? values->veccount - 1 - i : i];
        if (!v->is_scale && x[++unknown] != v->creal) return false;
    }
    return true;
}

static void compare_snapshots(pvecvaluesall values) {
    for (int k = 1; k < SCAN_WORDS; k++) {
        alive[k] = alive[k] && same(values, snapshot[k], false);
        alive_reversed[k] = alive_reversed[k] && same(values, snapshot[k], true);
    }
    compared++;
}

static int on_data(pvecvaluesall values, int count, int id, void *user) {
    (void)count, (void)id, (void)user;
    double t = -1;
    for (int i = 0; i < values->veccount; i++)
        if (values->vecsa[i]->is_scale) t = values->vecsa[i]->creal;
    if (mode == MODE_FIND && t > 0 && t == snapshot_time) compare_snapshots(values);
    if (mode == MODE_LEARN && t > 0 && t == checked_time) {
        int unknown = 0;
        for (int i = 0; i < values->veccount; i++) {
            const vecvalues *v = values->vecsa[backwards ? values->veccount - 1 - i : i];
            if (v->is_scale) continue;
            for (int k = 1; k < width; k++) agrees[unknown * width + k] &= E.candidate[k] == v->creal;
            unknown++;
        }
        compared++;
    }
    if (mode == MODE_RUN && t > 0) {
        if (t != checked_time) disagree = true;
        for (int i = 0; i < n_checked; i++)
            if (values->vecsa[checked_vec[i]]->creal != checked_value[i]) disagree = true;
    }
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
            if (mode != MODE_FIND) fail("source '%s' is external but no pin drives it", name);
            return 0;
        }
    }
    *value = sync_source(cache[slot].driver, t);
    /* while the unknowns are learnt nothing is simulated: move every source a little, each in its own way */
    if (mode == MODE_LEARN) *value += t * 1e7 * (1 + 0.01 * cache[slot].driver);
    return 0;
}

static int on_isource(double *value, double t, char *name, int id, void *user) {
    (void)t, (void)id, (void)user;
    *value = 0;
    fail("current source '%s' is external: only voltage sources can be driven", name);
    return 0;
}

/* Copy the solution, and what follows it in memory as far as that may be inner nodes. */
static void learn_point(const double *x) {
    if (!agrees) {
        width = 1;
        while (width < n_names + 1 + HIDDEN_AT_MOST && readable(x + width, sizeof(double))) width++;
        agrees = malloc((size_t)(n_names * width));
        memset(agrees, 1, (size_t)(n_names * width));
        E.candidate = calloc((size_t)width, sizeof(double));
        E.accepted = calloc((size_t)width, sizeof(double));
    }
    memcpy(E.candidate, x, (size_t)width * sizeof(double));
}

/* The names keep the order of the equations: place them as early and as late as that allows.  A name whose two places
 * differ is undecided (its values were those of an inner node on every point).  Returns the last place, 0: none fits. */
static int decide_places(void) {
    int *late = calloc((size_t)n_names, sizeof *late), k = 0, last = 0;
    places = calloc((size_t)n_names, sizeof *places);
    for (int i = 0; i < n_names; i++) {
        do k++;
        while (k < width && !agrees[i * width + k]);
        if (k >= width) {
            free(late);
            return 0;
        }
        places[i] = last = k;
    }
    /* no more hidden nodes than needed: memory after the solution may agree by chance */
    k = last + 1;
    for (int i = n_names - 1; i >= 0; i--) {
        do k--;
        while (k > 0 && !agrees[i * width + k]);
        late[i] = k;
    }
    for (int i = 0; i < n_names; i++)
        if (late[i] != places[i]) places[i] = 0;
    free(late);
    return last;
}

static int on_sync(double t, double *delta, double old, int redo, int id, int location, void *user) {
    (void)old, (void)id, (void)user;
    switch (mode) {
    case MODE_FIND:
        if (location == 1 && !redo) take_snapshots(t, delta);
        return 0;
    case MODE_LEARN:
        if (location == 1 && !redo) {
            learn_point(spice_solution(delta));
            checked_time = t;
        }
        return 0;
    case MODE_RUN:
        return sync_step(t, delta, redo, location);
    default:
        return 0;
    }
}

bool spice_is_loaded(void) { return ng.handle != NULL; }
const char *spice_version(void) { return version; }
const char *spice_messages(void) { return log_text; }
void spice_forget_messages(void) { log_text[log_len = 0] = 0; }

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

int spice_load(const char *path) {
    if (ng.handle) return 0; /* a second ngSpice_Init corrupts its stack: once per process */
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
    mode = MODE_QUIET;
    init_without_user_files();
    ng.command((char *)"version");
    return 0;
}

int spice_command(const char *command) {
    char copy[1024];
    snprintf(copy, sizeof copy, "%s", command);
    return ng.command(copy);
}

static void attach_sync(void) {
    static int ident = 0;
    ng.init_sync(on_source, on_isource, on_sync, &ident, NULL);
}

int spice_circuit(char **lines) {
    attach_sync();
    return ng.circ(lines);
}

void spice_clear(void) {
    mode = MODE_QUIET;
    ng.command((char *)"destroy all");
    ng.command((char *)"remcirc");
    forget_names();
    free(E.accepted), free(E.candidate);
    E.accepted = E.candidate = NULL;
}

int spice_find_solution(void) {
    if (solution_offset >= 0) return 0;
    static const char *circuit[] = {
        "* which pointer holds the solution",
        "v1 a 0 sin(0 1 1meg)",
        "r1 a b 1k",
        "c1 b 0 100p",
        "b1 c 0 i = v(c)*v(c)*v(c)*1m + v(c)*0.1m - v(b)*1m",
        "c2 c 0 10p",
        ".end",
        NULL};
    if (pipe(guard_pipe)) {
        fail("cannot open a pipe to test memory with");
        return -1;
    }
    snapshot = calloc(SCAN_WORDS, sizeof *snapshot);
    memset(alive, 1, sizeof alive);
    memset(alive_reversed, 1, sizeof alive_reversed);
    compared = 0;
    spice_circuit((char **)circuit);
    mode = MODE_FIND;
    spice_command("tran 10n 3u 0 10n");
    int found = 0;
    for (int k = 1; k < SCAN_WORDS; k++)
        if (alive[k] || alive_reversed[k]) {
            if (!found++) solution_offset = k, backwards = alive_reversed[k];
        }
    close(guard_pipe[0]), close(guard_pipe[1]);
    free(snapshot);
    spice_clear();
    if (compared < 100 || !found) {
        solution_offset = -1;
        fail("this build of ngspice (%s) does not show its unaccepted solution: %d places agree on %d points. "
             "Use another ngspice library (set NGSPICE_LIBRARY_PATH)",
             version, found, compared);
        return -1;
    }
    return 0;
}

const double *spice_solution(const double *delta) { return ((double *const *)delta)[solution_offset]; }

int spice_learn(const char *tran) {
    compared = 0;
    if (pipe(guard_pipe)) {
        fail("cannot open a pipe to test memory with");
        return -1;
    }
    mode = MODE_LEARN;
    spice_command(tran);
    mode = MODE_QUIET;
    spice_command("destroy all");
    close(guard_pipe[0]), close(guard_pipe[1]);
    if (compared == 0) return -1;
    E.n_unknowns = decide_places();
    if (E.n_unknowns == 0) {
        fail("the solution read from ngspice differs from what it reports for this circuit; refusing to go on");
        return -2;
    }
    return 0;
}

int spice_index(const char *name) {
    if (strcmp(name, "0") == 0 || strcmp(name, "gnd") == 0) return 0;
    for (int i = 0; i < n_names; i++)
        if (strcasecmp(names[i], name) == 0) return places[i] > 0 ? places[i] : -2;
    return -1;
}

int spice_names(void) { return n_names; }
const char *spice_name(int i) { return i >= 0 && i < n_names ? names[i] : NULL; }

void spice_prepare_run(void) {
    disagree = false;
    n_checked = 0;
    mode = MODE_RUN;
}

void spice_check_point(double t, const double *x) {
    checked_time = t;
    for (int i = 0; i < n_checked; i++) checked_value[i] = x[checked_index[i]];
}

bool spice_points_agree(void) { return !disagree && n_checked > 0; }
bool spice_set_breakpoint(double t) { return ng.set_bkpt(t); }
