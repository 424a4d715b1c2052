/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The calls that Python makes by ctypes.  Each returns 0 or an index; -1 means that pyh_error() has the reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

#define APPEND(array, count) (array = realloc(array, (size_t)(count + 1) * sizeof *array), memset(&array[count], 0, sizeof *array), &array[count++])

const char *pyh_error(void) { return E.error; }
const char *pyh_messages(void) { return spice_messages(); }
const char *pyh_version(void) { return spice_version(); }
int pyh_state(void) { return (int)E.state; }
const struct statistics *pyh_statistics(void) { return &E.stat; }

int pyh_load(const char *path) {
    E.error[0] = 0;
    return spice_load(path) || spice_find_solution() ? -1 : 0;
}

/* Forget the previous block. */
int pyh_reset(void) {
    if (E.state == RUNNING) {
        fail("a block is running: stop it before another is set up");
        return -1;
    }
    for (int i = 0; i < E.n_signals; i++) free(E.signals[i].drive);
    free(E.signals), free(E.drivers), free(E.sensors), free(E.meters), free(E.probes), free(E.edges);
    free(E.accepted), free(E.candidate);
    memset(&E, 0, sizeof E);
    E.phase_signal = -1;
    if (!digital_attach()) return -1;
    E.tick_s = digital_precision();
    return 0;
}

double pyh_tick(void) { return E.tick_s; }
int pyh_signal(const char *name, int drive) { return digital_signal(name, drive != 0); }
int pyh_width(int signal) { return E.signals[signal].width; }
void pyh_phase(int signal) { E.phase_signal = signal; }

int pyh_driver(const char *source, int signal, int lsb, int width, int is_signed, double scale_v, double offset_v,
               double rise_s, double fall_s, int x_policy, int corners) {
    struct driver *d = APPEND(E.drivers, E.n_drivers);
    snprintf(d->source, sizeof d->source, "%s", source);
    d->signal = signal, d->lsb = lsb, d->width = width, d->is_signed = is_signed != 0;
    d->scale_v = scale_v, d->offset_v = offset_v, d->rise_s = rise_s, d->fall_s = fall_s, d->x_policy = x_policy, d->corners = corners;
    d->target_v = offset_v;
    return E.n_drivers - 1;
}

/* Parse the circuit and learn its unknowns.  `learn` is a short transient over the first few points. */
int pyh_circuit(char **lines, const char *learn) {
    E.error[0] = 0;
    spice_forget_messages();
    E.start_tick = digital_now();
    for (int i = 0; i < E.n_drivers; i++) E.drivers[i].v0 = E.drivers[i].v1 = E.drivers[i].offset_v;
    digital_begin();
    if (E.error[0] || E.state == FAILED) return -1;
    if (spice_circuit(lines) != 0 || E.error[0]) {
        if (!E.error[0]) fail("ngspice refused the netlist");
        return -1;
    }
    if (spice_learn(learn) != 0 || E.error[0]) {
        if (!E.error[0]) fail("ngspice produced no point for this netlist");
        return -1;
    }
    return 0;
}

int pyh_index(const char *name) { return spice_index(name); }
const char *pyh_name(int i) { return spice_name(i); }
int pyh_names(void) { return spice_names(); }

int pyh_sensor(int signal, int bit, int plus, int minus, double rise_v, double fall_v) {
    struct sensor *s = APPEND(E.sensors, E.n_sensors);
    s->signal = signal, s->bit = bit, s->plus = plus, s->minus = minus, s->rise_v = rise_v, s->fall_v = fall_v;
    return E.n_sensors - 1;
}

int pyh_meter(int plus, int minus, int branch) {
    struct meter *m = APPEND(E.meters, E.n_meters);
    m->plus = plus, m->minus = minus, m->branch = branch;
    return E.n_meters - 1;
}

int pyh_probe(const char *real_name, int index, double step) {
    void *handle = digital_real(real_name);
    if (!handle) {
        fail("no real variable '%s' in the HDL design to record an analog value in", real_name);
        return -1;
    }
    struct probe *p = APPEND(E.probes, E.n_probes);
    p->handle = handle, p->index = index, p->step = step, p->last = 1e300;
    return 0;
}

void pyh_event(const char *name) { digital_set_event(name); }

int pyh_start(const struct options *options, const char *tran) {
    E.opt = *options;
    spice_prepare_run();
    sync_begin(tran);
    if (E.state != RUNNING) return -1;
    digital_apply_sensors();
    digital_wait();
    return 0;
}

int pyh_stop(void) {
    sync_stop();
    digital_end();
    spice_clear();
    E.state = IDLE;
    return 0;
}

/* The value of an unknown at the present digital time, between the two points that enclose it. */
double pyh_value(int index) {
    double now = seconds(digital_now()), span = E.t_candidate - E.t_accepted;
    if (span <= 0 || now <= E.t_accepted) return E.accepted[index];
    double share = now < E.t_candidate ? (now - E.t_accepted) / span : 1;
    return E.accepted[index] + share * (E.candidate[index] - E.accepted[index]);
}

/* Integrals per phase of one meter, up to the last accepted point. */
const double *pyh_energy(int meter) { return E.meters[meter].energy_j; }
const double *pyh_charge(int meter) { return E.meters[meter].charge_c; }

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
    while (i < E.n_sensors && (E.sensors[i].signal >= 0 || E.sensors[i].armed || E.sensors[i].fired)) i++;
    if (i == E.n_sensors) APPEND(E.sensors, E.n_sensors);
    E.sensors[i] = (struct sensor){.signal = -1, .plus = plus, .minus = minus, .rise_v = level_v, .fall_v = level_v,
                                   .state = pyh_value(plus) - pyh_value(minus) >= level_v, .wanted = rising,
                                   .armed = true};
    digital_land(); /* the step under way was solved without this watch */
    return i;
}

void pyh_unwatch(int watch) {
    struct sensor *s = &E.sensors[watch];
    s->armed = s->fired = s->crossed = false;
}

/* Whether a watch has fired; it is then free again. */
int pyh_fired(int watch) {
    struct sensor *s = &E.sensors[watch];
    bool fired = s->fired || arriving(s);
    if (fired) pyh_unwatch(watch);
    return fired;
}

size_t pyh_edges(const struct edge **edges) {
    *edges = E.edges;
    return E.n_edges;
}

int pyh_command(const char *command) { return spice_command(command); }
