/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The calls that Python makes by ctypes.  Each returns 0 or an index; -1 means that pyh_error() has the reason.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine.h"

const char *pyh_error(void) { return engine ? E.error : ""; }
const char *pyh_messages(void) { return E.messages; }
const char *pyh_version(void) { return E.version; }
int pyh_state(void) { return engine ? (int)E.state : IDLE; }
int pyh_process(void) { return analog_process(); }
const struct statistics *pyh_statistics(void) { return &E.stat; }

/* Forget the previous run, start the analog side, load ngspice.  With isolated it is a process of its own. */
int pyh_open(const char *library, int isolated) {
    if (!arena_open()) return -2;
    if (E.state != IDLE) {
        fail("the analog side is running: stop it before another is set up");
        return -1;
    }
    analog_close();
    arena_reset();
    APPEND(E.phases, E.n_phases).signal = -1;
    if (!digital_attach()) return -1;
    E.tick_s = digital_precision();
    if (!analog_open(isolated)) return -1;
    snprintf(E.argument, sizeof E.argument, "%s", library);
    return analog_call(LOAD);
}

double pyh_tick(void) { return E.tick_s; }
int pyh_signal(const char *name, int drive) { return digital_signal(name, drive != 0); }
int pyh_width(int signal) { return E.signals[signal].is_real ? 0 : E.signals[signal].width; } /* 0: a real */

int pyh_phase(int signal) {
    APPEND(E.phases, E.n_phases).signal = signal;
    return E.n_phases - 1;
}

int pyh_driver(const char *source, int signal, int lsb, int width, int is_signed, double scale_v, double offset_v,
               double rise_s, double fall_s, int x_policy, int corners) {
    struct driver *d = &APPEND(E.drivers, E.n_drivers);
    snprintf(d->source, sizeof d->source, "%s", source);
    d->signal = signal, d->lsb = lsb, d->width = width, d->is_signed = is_signed != 0;
    d->scale_v = scale_v, d->offset_v = offset_v, d->rise_s = rise_s, d->fall_s = fall_s, d->x_policy = x_policy, d->corners = corners;
    d->target_v = d->v0 = d->v1 = offset_v;
    return E.n_drivers - 1;
}

/* Parse the circuit and learn its unknowns.  `learn` is a short transient over the first few points. */
int pyh_circuit(char **lines, const char *learn) {
    int count = 0;
    while (lines[count]) count++;
    E.lines = arena_alloc((size_t)(count + 1) * sizeof *E.lines);
    for (int i = 0; i < count; i++) E.lines[i] = arena_text(lines[i]);
    E.error[0] = 0;
    E.message_bytes = 0;
    E.messages[0] = 0;
    E.start_tick = digital_now();
    digital_begin();
    if (E.error[0] || E.state == FAILED) return -1;
    snprintf(E.argument, sizeof E.argument, "%s", learn);
    return analog_call(CIRCUIT);
}

/* The place of a name in the solution, 0 for ground; -1 unknown name, -2 place undecided. */
int pyh_index(const char *name) {
    if (strcmp(name, "0") == 0 || strcmp(name, "gnd") == 0) return 0;
    for (int i = 0; i < E.n_names; i++)
        if (strcasecmp(E.names[i], name) == 0) return E.places[i] > 0 ? E.places[i] : -2;
    return -1;
}

const char *pyh_name(int i) { return i >= 0 && i < E.n_names ? E.names[i] : NULL; }
int pyh_names(void) { return E.n_names; }

int pyh_sensor(int signal, int bit, int plus, int minus, double rise_v, double fall_v) {
    struct sensor *s = &APPEND(E.sensors, E.n_sensors);
    s->signal = signal, s->bit = bit, s->plus = plus, s->minus = minus, s->rise_v = rise_v, s->fall_v = fall_v;
    return E.n_sensors - 1;
}

int pyh_meter(int plus, int minus, int branch, int phase) {
    struct meter *m = &APPEND(E.meters, E.n_meters);
    m->plus = plus, m->minus = minus, m->branch = branch, m->phase = phase;
    return E.n_meters - 1;
}

int pyh_probe(const char *real_name, int index, double step) {
    void *handle = digital_real(real_name);
    if (!handle) {
        fail("no real variable '%s' in the HDL design to record an analog value in", real_name);
        return -1;
    }
    struct probe *p = &APPEND(E.probes, E.n_probes);
    p->handle = handle, p->index = index, p->step = step, p->last = 1e300;
    return 0;
}

void pyh_event(const char *name) { digital_set_event(name); }

int pyh_start(const struct options *options, const char *tran) {
    E.opt = *options;
    snprintf(E.argument, sizeof E.argument, "%s", tran);
    E.state = RUNNING;
    analog_call(RUN);
    if (E.state != RUNNING) return -1;
    digital_apply_sensors();
    digital_wait();
    return 0;
}

void pyh_stop(void) {
    if (!engine) return;
    analog_stop();
    digital_end();
    analog_call(CLEAR);
    analog_close();
    E.state = IDLE;
}

/* The value of an unknown at the present digital time, between the two points that enclose it. */
double pyh_value(int index) {
    double now = seconds(digital_now()), span = E.t_candidate - E.t_accepted;
    if (span <= 0 || now <= E.t_accepted) return E.accepted[index];
    double share = now < E.t_candidate ? (now - E.t_accepted) / span : 1;
    return E.accepted[index] + share * (E.candidate[index] - E.accepted[index]);
}

/* Integrals per phase of one meter up to the present digital time: what is accepted, and of the step under way the part that
 * has passed, on the straight lines that pyh_value() reads. */
void pyh_integrals(int meter, double *energy_j, double *charge_c) {
    const struct meter *m = &E.meters[meter];
    memcpy(energy_j, m->energy_j, sizeof m->energy_j);
    memcpy(charge_c, m->charge_c, sizeof m->charge_c);
    double passed = fmin(seconds(digital_now()), E.t_candidate) - E.t_accepted;
    if (passed <= 0) return;
    double current_a = pyh_value(m->branch), power_w = (pyh_value(m->plus) - pyh_value(m->minus)) * current_a;
    int phase = E.phases[m->phase].now;
    energy_j[phase] += 0.5 * passed * (power_w + m->power_w);
    charge_c[phase] += 0.5 * passed * (current_a + m->current_a);
}

/* Move a source that no HDL signal drives, from the present time step on. */
void pyh_set_source(int driver, double v) {
    E.drivers[driver].target_v = v;
    E.drivers[driver].pending = v != E.drivers[driver].v1;
    if (E.drivers[driver].pending) digital_land();
}

void pyh_land(void) { digital_land(); }

/* Watch for one crossing of a level; returns its number.  Finished watches are used again. */
int pyh_watch(int plus, int minus, double level_v, int rising) {
    int i = 0;
    while (i < E.n_sensors && (E.sensors[i].signal >= 0 || E.sensors[i].arming || E.sensors[i].armed || E.sensors[i].fired)) i++;
    if (i == E.n_sensors) (void)APPEND(E.sensors, E.n_sensors);
    E.sensors[i] = (struct sensor){.signal = -1, .plus = plus, .minus = minus, .rise_v = level_v, .fall_v = level_v,
                                   .wanted = rising, .arming = true};
    digital_land(); /* the step under way was solved without this watch */
    return i;
}

void pyh_unwatch(int watch) {
    struct sensor *s = &E.sensors[watch];
    s->arming = s->armed = s->fired = s->crossed = false;
}

/* Whether a watch has fired; it is then free again. */
int pyh_fired(int watch) {
    struct sensor *s = &E.sensors[watch];
    bool fired = s->fired || arriving(s);
    if (fired) pyh_unwatch(watch);
    return fired;
}

int pyh_edges(const struct edge **edges) {
    *edges = E.edges;
    return E.n_edges;
}

int pyh_command(const char *command) {
    snprintf(E.argument, sizeof E.argument, "%s", command);
    return analog_call(COMMAND);
}
