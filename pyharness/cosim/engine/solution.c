/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The solved but not yet accepted point.
 *
 * The shared library offers no call for the solution at the end of a step that is not accepted.  It does hand out a
 * pointer to the step size, which lives in the same structure as the pointer to the solution; their distance
 * depends on the build.  The distance is found at start by a circuit whose accepted points are reported through the
 * public interface, the place of every unknown of the user's circuit is learnt on a few points that are thrown away, and
 * every value is compared with what ngspice reports on every accepted point after.
 */
#define _GNU_SOURCE
#include <stdbool.h>

#include <ngspice/sharedspice.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "engine.h"

#define SCAN_WORDS 1024
#define MAX_PROBE_UNKNOWNS 64
#define HIDDEN_AT_MOST 512

enum mode { QUIET, FIND, LEARN, CHECK };
static enum mode mode;

/* Plots list the unknowns in the order of the equations, forwards or backwards, by build: found together with the solution.
 * They leave out the inner nodes of some devices (a diode's behind its series resistance), so the place of each name in the
 * solution is learnt. */
static bool backwards;
static unsigned char *agrees; /* [name][unknown], `width` unknowns a row: whether they agreed on every point so far */
static int width;

/* the solution pointer */
static long solution_offset = -1;
static int guard_pipe[2] = {-1, -1};
static bool alive[SCAN_WORDS], alive_reversed[SCAN_WORDS];
static double (*snapshot)[MAX_PROBE_UNKNOWNS + 1];
static double snapshot_time;
static int compared;

/* vectors compared on each accepted point of a run: position in the plot and in the solution */
static struct { int vec, index; } *checked;
static int n_checked;
static double expected_time;
static bool disagree;

const double *solution(const double *delta) { return ((double *const *)delta)[solution_offset]; }

static bool open_guard(void) {
    if (pipe(guard_pipe) == 0) return true;
    fail("cannot open a pipe to test memory with");
    return false;
}

static void close_guard(void) { close(guard_pipe[0]), close(guard_pipe[1]); }

static bool readable(const void *p, size_t bytes) {
    if ((uintptr_t)p < 4096 || (uintptr_t)p % sizeof(double)) return false;
    char sink[(MAX_PROBE_UNKNOWNS + 1) * sizeof(double)];
    ssize_t n = write(guard_pipe[1], p, bytes); /* the kernel refuses an unmapped range: EFAULT, not SIGSEGV */
    if (n > 0) (void)!read(guard_pipe[0], sink, (size_t)n);
    return n == (ssize_t)bytes;
}

/* -- finding the pointer ------------------------------------------------------------------------------------------ */

static void take_snapshots(double t, const double *delta) {
    void *const *words = (void *const *)delta;
    size_t bytes = (size_t)(E.n_names + 1) * sizeof(double);
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

int solution_find(void) {
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
    if (!open_guard()) return -1;
    snapshot = calloc(SCAN_WORDS, sizeof *snapshot);
    memset(alive, 1, sizeof alive);
    memset(alive_reversed, 1, sizeof alive_reversed);
    compared = 0;
    spice_circuit((char **)circuit);
    mode = FIND;
    spice_command("tran 10n 3u 0 10n");
    int found = 0;
    for (int k = 1; k < SCAN_WORDS; k++)
        if (alive[k] || alive_reversed[k]) {
            if (!found++) solution_offset = k, backwards = alive_reversed[k];
        }
    close_guard();
    free(snapshot);
    spice_clear();
    solution_forget();
    if (compared < 100 || !found) {
        solution_offset = -1;
        fail("this build of ngspice (%s) does not show its unaccepted solution: %d places agree on %d points. "
             "Use another ngspice library (set NGSPICE_LIBRARY_PATH)",
             E.version, found, compared);
        return -1;
    }
    return 0;
}

/* -- learning the places ------------------------------------------------------------------------------------------ */

/* Nothing is simulated while the places are learnt: move every source a little, each in its own way. */
double solution_stir(int driver, double t) { return mode == LEARN ? t * 1e7 * (1 + 0.01 * driver) : 0; }

/* Copy the solution, and what follows it in memory as far as that may be inner nodes. */
static void learn_point(const double *x) {
    if (!agrees) {
        width = 1;
        while (width < E.n_names + 1 + HIDDEN_AT_MOST && readable(x + width, sizeof(double))) width++;
        agrees = malloc((size_t)E.n_names * (size_t)width);
        memset(agrees, 1, (size_t)E.n_names * (size_t)width);
        E.candidate = arena_alloc((size_t)width * sizeof(double));
        E.accepted = arena_alloc((size_t)width * sizeof(double));
    }
    memcpy(E.candidate, x, (size_t)width * sizeof(double));
}

static void compare_places(pvecvaluesall values) {
    int unknown = 0;
    for (int i = 0; i < values->veccount; i++) {
        const vecvalues *v = values->vecsa[backwards ? values->veccount - 1 - i : i];
        if (v->is_scale) continue;
        for (int k = 1; k < width; k++) agrees[unknown * width + k] &= E.candidate[k] == v->creal;
        unknown++;
    }
    compared++;
}

/* The names keep the order of the equations: place them as early and as late as that allows.  A name whose two places
 * differ is undecided (its values were those of an inner node on every point).  Returns the last place, 0: none fits. */
static int decide_places(void) {
    int *late = calloc((size_t)E.n_names, sizeof *late), k = 0, last = 0;
    E.places = arena_alloc((size_t)E.n_names * sizeof *E.places);
    for (int i = 0; i < E.n_names; i++) {
        do k++;
        while (k < width && !agrees[i * width + k]);
        if (k >= width) {
            free(late);
            return 0;
        }
        E.places[i] = last = k;
    }
    /* no more hidden nodes than needed: memory after the solution may agree by chance */
    k = last + 1;
    for (int i = E.n_names - 1; i >= 0; i--) {
        do k--;
        while (k > 0 && !agrees[i * width + k]);
        late[i] = k;
    }
    for (int i = 0; i < E.n_names; i++)
        if (late[i] != E.places[i]) E.places[i] = 0;
    free(late);
    return last;
}

int solution_learn(const char *tran) {
    compared = 0;
    if (!open_guard()) return -1;
    mode = LEARN;
    size_t said = E.message_bytes;
    spice_command(tran);
    mode = QUIET;
    if (compared && E.message_bytes > said) /* how so short a transient ends is nobody's concern */
        E.message_bytes = said, E.messages[said] = 0;
    spice_command("destroy all");
    close_guard();
    if (compared == 0) return -1;
    E.n_unknowns = decide_places();
    if (E.n_unknowns == 0) {
        fail("the solution read from ngspice differs from what it reports for this circuit; refusing to go on");
        return -2;
    }
    return 0;
}

/* -- checking a run ------------------------------------------------------------------------------------------------ */

void solution_prepare_run(void) {
    disagree = false;
    n_checked = 0;
    mode = CHECK;
}

/* The point at t is accepted: ngspice reports E.accepted next. */
void solution_expect(double t) { expected_time = t; }

bool solution_agrees(void) { return !disagree && n_checked > 0; }

void solution_forget(void) {
    mode = QUIET;
    free(agrees), free(checked);
    agrees = NULL, checked = NULL;
    E.n_names = width = n_checked = 0;
    E.names = NULL, E.places = NULL;
    E.accepted = E.candidate = NULL;
}

/* -- ngspice's callbacks -------------------------------------------------------------------------------------------- */

static int place_of(const char *name) {
    for (int i = 0; i < E.n_names; i++)
        if (strcasecmp(E.names[i], name) == 0) return E.places[i];
    return 0;
}

void solution_plot(void *given) {
    pvecinfoall plot = given;
    if (mode == CHECK) {
        n_checked = 0;
        checked = realloc(checked, (size_t)plot->veccount * sizeof *checked);
        for (int i = 0; i < plot->veccount; i++) {
            int index = place_of(plot->vecs[i]->vecname);
            if (index > 0) checked[n_checked].vec = i, checked[n_checked++].index = index;
        }
    } else if (mode != QUIET) {
        E.n_names = 0;
        E.names = arena_alloc((size_t)plot->veccount * sizeof *E.names);
        for (int i = 0; i < plot->veccount; i++) {
            const char *name = plot->vecs[backwards ? plot->veccount - 1 - i : i]->vecname;
            if (strcmp(name, "time") != 0) E.names[E.n_names++] = arena_text(name);
        }
    }
}

void solution_data(void *given) {
    pvecvaluesall values = given;
    double t = -1;
    for (int i = 0; i < values->veccount; i++)
        if (values->vecsa[i]->is_scale) t = values->vecsa[i]->creal;
    if (mode == FIND && t > 0 && t == snapshot_time) compare_snapshots(values);
    if (mode == LEARN && t > 0 && t == expected_time) compare_places(values);
    if (mode == CHECK && t > 0) {
        if (t != expected_time) disagree = true;
        for (int i = 0; i < n_checked; i++)
            if (values->vecsa[checked[i].vec]->creal != E.accepted[checked[i].index]) disagree = true;
    }
}

/* A step is solved; false in a run. */
bool solution_learning(double t, const double *delta) {
    if (mode == FIND) take_snapshots(t, delta);
    if (mode == LEARN) {
        learn_point(solution(delta));
        expected_time = t;
    }
    return mode == FIND || mode == LEARN;
}
