/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The analog side of the synchronisation contract.
 *
 * ngspice solves a step, and before the step is accepted
 *   1. a crossing of an E2L threshold inside the step shortens the step until it ends just after the crossing;
 *   2. the digital side is let run up to the end of the step; an L2E edge on the way shortens the step to end
 *      exactly on the edge, where the ramp starts;
 *   3. only then is the step accepted.
 * So neither side ever acts on the other's future: a crossing is delivered at its own time rounded up to the HDL
 * tick, an edge is in the analog solution at its own tick.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"

#define MAX_TRIALS 40

static bool first_call;

/* landing on a digital edge */
static bool has_goal;
static double goal_s;
static double breakpoints_owed_s; /* start of ramps whose later corners ngspice was not told yet; < 0: none */

/* locating a crossing: the previous trial end of the same step */
static int trials;
static double trial_s;
static int trial_sensor;
static double trial_v;

void fail(const char *format, ...) {
    if (!E.error[0]) { /* the first cause is the one to report */
        va_list args;
        va_start(args, format);
        vsnprintf(E.error, sizeof E.error, format, args);
        va_end(args);
    }
    if (E.state == RUNNING) E.state = FAILED;
}

double sync_source(int i, double t) {
    const struct driver *d = &E.drivers[i];
    if (t <= d->t0) return d->v0;
    if (t >= d->t1) return d->v1;
    return d->v0 + (d->v1 - d->v0) * (t - d->t0) / (d->t1 - d->t0);
}

static void log_edge(uint64_t tick, double analog_s, int pin, int direction, double level) {
    if (!E.opt.log_edges) return;
    APPEND(E.edges, E.n_edges) = (struct edge){tick, analog_s, pin, direction, level};
}

static double power(const struct meter *m, const double *x) { return voltage(x, m->plus, m->minus) * x[m->branch]; }

/* Ask ngspice for time points at the start, the corners and the end of the ramps that began at t. */
static void set_breakpoints(double t, double from) {
    double last = t;
    for (int i = 0; i < E.n_drivers; i++) {
        const struct driver *d = &E.drivers[i];
        if (d->corners < 0 || d->t0 != t || d->t1 == last) continue; /* the elements of a bus share theirs */
        last = d->t1;
        for (int k = 0; k <= d->corners + 1; k++) {
            double at = t + (d->t1 - t) * k / (d->corners + 1);
            if (at >= from) spice_set_breakpoint(at);
        }
    }
}

static void accept(double t, const double *x) {
    double half = 0.5 * (t - E.t_accepted);
    for (int i = 0; i < E.n_meters; i++) {
        struct meter *m = &E.meters[i];
        double p = power(m, x);
        int phase = E.phases[m->phase].now;
        m->energy_j[phase] += half * (p + m->power_w);
        m->charge_c[phase] += half * (x[m->branch] + m->current_a);
        m->power_w = p;
        m->current_a = x[m->branch];
    }
    memcpy(E.accepted, x, ((size_t)E.n_unknowns + 1) * sizeof(double));
    E.t_accepted = E.t_candidate = t;
    E.stat.points++;
    E.stat.analog_s = t;
    solution_expect(t);
    trials = 0;
    if (breakpoints_owed_s >= 0) {
        set_breakpoints(breakpoints_owed_s, t);
        breakpoints_owed_s = -1;
    }
}

/* Start the ramps that the digital side asked for; returns the shortest. */
static double start_ramps(double t) {
    uint64_t tick = E.now_tick;
    double shortest = E.opt.tmax_s;
    for (int i = 0; i < E.n_drivers; i++) {
        struct driver *d = &E.drivers[i];
        if (!d->pending) continue;
        d->pending = false;
        double v0 = sync_source(i, t), duration = d->target_v > v0 ? d->rise_s : d->fall_s;
        d->v0 = v0, d->v1 = d->target_v, d->t0 = t, d->t1 = t + duration;
        shortest = fmin(shortest, duration);
        E.stat.edges_d2a++;
        log_edge(tick, t, i, 0, d->target_v);
    }
    for (int i = 0; i < E.n_phases; i++) E.phases[i].now = E.phases[i].next;
    for (int i = 0; i < E.n_sensors; i++) {
        struct sensor *s = &E.sensors[i];
        if (!s->arming) continue; /* the watch begins at this point, by the solver's own value */
        s->arming = false, s->armed = true;
        s->state = voltage(E.accepted, s->plus, s->minus) >= s->rise_v;
    }
    E.land = false;
    return shortest;
}

/* ngspice stands on a digital edge. */
static void start_edges(double t) {
    start_ramps(t);
    set_breakpoints(t, t);
}

/* A voltage on a level counts as above it: one that stands there crosses nothing. */
static bool beyond(const struct sensor *s, const double *x) {
    if (s->signal < 0 && !s->armed) return false;
    double v = voltage(x, s->plus, s->minus);
    return s->state ? v < s->fall_v : v >= s->rise_v;
}

/* The first sensor to cross in the step, by straight lines; -1 if none does. */
static int first_crossing(double t, const double *x, double *when) {
    int first = -1;
    for (int i = 0; i < E.n_sensors; i++) {
        struct sensor *s = &E.sensors[i];
        s->crossed = beyond(s, x);
        if (!s->crossed) continue;
        double level = s->state ? s->fall_v : s->rise_v;
        double va = voltage(E.accepted, s->plus, s->minus), vb = voltage(x, s->plus, s->minus);
        double share = va == vb ? 0 : (level - va) / (vb - va);
        s->crossing_s = E.t_accepted + fmin(fmax(share, 0), 1) * (t - E.t_accepted);
        s->halved = false;
        if (i == trial_sensor && trials > 0) {
            /* two trials near the crossing give the local slope, which a long curved step hides; where the voltage is at
             * rest by then, the crossing lies somewhere before: halve */
            double secant = vb == trial_v ? t + 1 : t + (level - vb) * (t - trial_s) / (vb - trial_v);
            s->halved = secant <= E.t_accepted || secant > t;
            s->crossing_s = s->halved ? 0.5 * (E.t_accepted + t) : secant;
        }
        if (first < 0 || s->crossing_s < *when) first = i, *when = s->crossing_s;
    }
    return first;
}

/* The first end of a ramp inside the step: a straight line holds on either side, not across.  0: none.  Ramps with corners end on
 * points. */
static double ramp_end_before(double t) {
    double first = 0;
    for (int i = 0; i < E.n_drivers; i++) {
        double end = E.drivers[i].t1;
        if (end > E.t_accepted + E.tick_s && end < t - E.tick_s && (first == 0 || end < first)) first = end;
    }
    return first;
}

static void clear_crossings(void) {
    for (int i = 0; i < E.n_sensors; i++) E.sensors[i].crossed = false;
}

static void commit_crossings(uint64_t tick, bool late) {
    for (int i = 0; i < E.n_sensors; i++) {
        struct sensor *s = &E.sensors[i];
        if (!s->crossed) continue;
        s->crossed = false;
        double lag = seconds(tick) - (s->halved ? E.t_accepted : s->crossing_s);
        if (lag > E.stat.window_max_s) E.stat.window_max_s = lag;
        if (late && lag > E.opt.crossing_tol_s + 2 * E.tick_s) {
            E.stat.late_a2d++;
            if (lag > E.stat.late_max_s) E.stat.late_max_s = lag;
        }
        s->state = !s->state;
        if (s->signal < 0) {
            if (s->state == s->wanted) s->armed = false, s->fired = true;
            continue;
        }
        E.stat.edges_a2d++;
        log_edge(tick, s->crossing_s, i, 1, s->state);
    }
}

static int redo(double *delta, double end) {
    E.stat.redone++;
    *delta = end - E.t_accepted;
    return 1;
}

static void begin(double t, const double *x) {
    first_call = false;
    memcpy(E.accepted, x, ((size_t)E.n_unknowns + 1) * sizeof(double));
    E.t_accepted = E.t_candidate = t;
    for (int i = 0; i < E.n_meters; i++) {
        E.meters[i].power_w = power(&E.meters[i], x);
        E.meters[i].current_a = x[E.meters[i].branch];
    }
    for (int i = 0; i < E.n_sensors; i++) {
        struct sensor *s = &E.sensors[i];
        if (s->signal >= 0) s->state = voltage(x, s->plus, s->minus) >= 0.5 * (s->rise_v + s->fall_v);
    }
}

/* A step is solved, not accepted.  Returns 1 to have it solved again with a shorter *delta. */
static int solved(double t, double *delta) {
    const double *x = solution(delta);
    const double eps = 1e-3 * E.tick_s; /* rounding of t0 + delta, far below a tick */
    double crossing_s = 0;

    if (has_goal) {
        /* The digital side already waits on an edge; a crossing that only the shorter step shows cannot be
         * delivered before that edge any more: it goes out right after it, and is counted. */
        bool landed = t >= goal_s - eps;
        if (first_crossing(t, x, &crossing_s) >= 0) {
            commit_crossings(E.now_tick + 1, true); /* it gets there a tick later, when the edge has been dealt with */
            E.poke = true;
        }
        accept(t, x);
        if (landed) {
            has_goal = false;
            start_edges(t);
        }
        return 0;
    }

    uint64_t until = E.start_tick + (uint64_t)floor(t / E.tick_s + 1e-3);
    int crossing = first_crossing(t, x, &crossing_s);
    if (crossing >= 0) {
        double corner_s = ramp_end_before(t);
        if (corner_s > 0) {
            clear_crossings();
            trials = 0;
            return redo(delta, corner_s);
        }
        /* aim a little past the estimate, on a tick: the crossing then lies before the end, never after */
        double aim = ceil((crossing_s + 0.3 * E.opt.crossing_tol_s) / E.tick_s - 1e-3) * E.tick_s;
        double earliest = seconds(E.now_tick + 1);
        if (aim < earliest) aim = earliest;
        bool aligned = fabs(t - seconds(until)) < eps;
        double since_s = E.sensors[crossing].halved ? E.t_accepted : crossing_s;
        bool located = aligned && (t - since_s <= E.opt.crossing_tol_s || t <= aim + eps) && trials > 0;
        if (!located && aim < t - eps && trials < MAX_TRIALS) {
            trials++;
            trial_sensor = crossing;
            trial_s = t;
            trial_v = voltage(x, E.sensors[crossing].plus, E.sensors[crossing].minus);
            return redo(delta, aim);
        }
        if (!aligned) { /* the step ends within a tick after the crossing: end it on the tick */
            if (until <= E.now_tick) clear_crossings(), crossing = -1; /* seen again, and delivered, next step */
            else if (seconds(until) < crossing_s) clear_crossings(), crossing = -1;
        }
    }

    if (until > E.now_tick) {
        memcpy(E.candidate, x, ((size_t)E.n_unknowns + 1) * sizeof(double));
        E.t_candidate = t;
        E.until_tick = until;
        E.stat.syncs++;
        to_digital();
        if (E.state != RUNNING) return 0;
        x = solution(delta);
        double now_s = seconds(E.now_tick);
        bool edges = digital_read_drivers(false);
        if (edges && now_s <= E.t_accepted + eps) {
            /* Only in the time step in which the block was started: the edge falls on a point accepted before the
             * digital side had settled.  The ramps begin there; their later corners are asked for at the next
             * point, since ngspice takes none that lie before the end of the step under trial. */
            clear_crossings();
            breakpoints_owed_s = E.t_accepted;
            return redo(delta, E.t_accepted + start_ramps(E.t_accepted) / (E.opt.edge_corners + 1));
        }
        if (edges && now_s < t - eps) {
            clear_crossings();
            has_goal = true;
            goal_s = now_s;
            trials = 0;
            return redo(delta, goal_s);
        }
        if (crossing >= 0) commit_crossings(E.now_tick, false);
        accept(t, x);
        if (edges) start_edges(t);
        return 0;
    }
    clear_crossings();
    accept(t, x);
    return 0;
}

int sync_step(double t, double *delta, int redo_asked, int location) {
    if (E.state != RUNNING) {
        /* a failure waits here until the digital side stops the run; then ngspice runs free to its stop condition */
        while (E.state == FAILED && location == 1 && !redo_asked) to_digital();
        return 0;
    }
    if (location == 0) {
        if (first_call)
            begin(t, solution(delta));
        else if (!solution_agrees())
            fail("at %.9g s the solution read from ngspice differs from what it reports; refusing to go on", t);
        if (has_goal && *delta > goal_s - t) *delta = goal_s - t;
        return 0;
    }
    if (redo_asked) return 0;
    int again = solved(t, delta);
    while (E.state == FAILED) to_digital();
    return E.state == RUNNING ? again : 0;
}

/* Run ngspice until the digital side stops it. */
void sync_run(const char *tran) {
    first_call = true;
    has_goal = false;
    breakpoints_owed_s = -1;
    trials = 0;
    trial_sensor = -1;
    solution_prepare_run();
    spice_command(tran);
    if (E.state == STOPPING)
        E.state = ENDED;
    else
        fail("the analog simulation ended by itself at %.9g s, before the digital side stopped it", E.t_accepted);
}
