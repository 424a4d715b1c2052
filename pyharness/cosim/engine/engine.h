/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The co-simulation engine: ngspice as a coroutine inside the vvp process.
 *
 *   spice.c    loads libngspice, learns where it keeps the solution, runs commands, keeps its messages
 *   sync.c     the analog side of the contract: steps, crossings, edges, meters (runs on ngspice's own stack)
 *   digital.c  the digital side: VPI callbacks, pin values (runs on vvp's stack)
 *   api.c      what Python calls by ctypes
 *
 * One thread; exactly one of the two stacks runs at any moment.  Digital time is an integer number of
 * HDL ticks; analog time is a double in seconds that counts from the tick at which the block was started.
 */
#ifndef PYHARNESS_ENGINE_H
#define PYHARNESS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_LEN 128
#define MAX_PHASES 8
#define STOP_SOURCE "vpyh_stop" /* rises to 1 V when the run is to end */

enum x_policy { X_ERROR = 0, X_HOLD = 1, X_LOW = 2 };

/* A digital vector watched or driven through VPI. */
struct signal {
    char name[256];
    void *handle; /* vpiHandle */
    void *change; /* vpiHandle of the value-change callback, NULL when the engine drives the signal */
    int width;
    bool dirty, is_real;
    uint32_t *drive; /* value that the engine deposits, one word per 32 bits; NULL for watched signals */
};

/* L2E: a field of a digital vector drives one external voltage source (offset + scale * code). */
struct driver {
    char source[NAME_MAX_LEN];
    int signal, lsb, width; /* signal < 0: set from Python only */
    bool is_signed;
    double scale_v, offset_v, rise_s, fall_s;
    int x_policy;
    int corners; /* time points forced inside the ramp; < 0: none at its ends either */
    /* the wave in force: v0 until t0, a straight ramp to v1 at t1, v1 after */
    double t0, t1, v0, v1;
    double target_v; /* value asked for by the digital side */
    bool pending;
};

/* E2L: the voltage between two nodes, compared with hysteresis, drives one bit; or, with signal < 0, wakes Python once
 * when it crosses one level. */
struct sensor {
    int signal, bit;
    bool armed, fired, wanted; /* of a watch: waiting; crossed to the level wanted */
    int plus, minus; /* indices into the solution; 0 is ground */
    double rise_v, fall_v;
    bool state, crossed;
    double crossing_s;
};

/* Time integrals of (v_plus - v_minus) * i_branch and of i_branch, kept apart per phase. */
struct meter {
    int plus, minus, branch;
    double power_w, current_a;
    double energy_j[MAX_PHASES], charge_c[MAX_PHASES];
};

/* A node voltage or branch current written into an HDL real variable for the waveform file. */
struct probe {
    int index;
    void *handle;
    double last, step;
};

struct edge {
    uint64_t tick;
    double analog_s;
    int pin;
    int direction; /* 0 digital to analog, 1 analog to digital */
    double level;
};

struct options {
    double crossing_tol_s; /* a crossing is located to this width */
    double tmax_s;         /* largest analog step: bounds what an excursion inside one step can hide */
    int edge_corners;      /* time points inside a ramp that starts with the block */
    int log_edges;
};

struct statistics {
    uint64_t points, redone, syncs, edges_d2a, edges_a2d, late_a2d;
    double late_max_s, window_max_s, analog_s;
};

enum run_state { IDLE = 0, RUNNING = 1, STOPPING = 2, ENDED = 3, FAILED = 4 };

struct engine {
    enum run_state state;
    char error[2048];

    struct signal *signals;
    struct driver *drivers;
    struct sensor *sensors;
    struct meter *meters;
    struct probe *probes;
    int n_signals, n_drivers, n_sensors, n_meters, n_probes;
    int phase_signal, phase, phase_next;
    bool land; /* Python changed something: put an analog point at the present HDL time */

    struct options opt;
    struct statistics stat;
    struct edge *edges;
    size_t n_edges, cap_edges;

    /* time */
    double tick_s;
    uint64_t start_tick; /* HDL tick of analog time zero */
    uint64_t until_tick; /* the digital side may run to this tick */

    /* solution vectors, index 0 is ground */
    int n_unknowns;
    double *accepted, *candidate;
    double t_accepted, t_candidate;
};

extern struct engine E;

/* spice.c */
int spice_load(const char *path);
int spice_find_solution(void);
int spice_circuit(char **lines);
int spice_learn(const char *tran);
int spice_index(const char *name); /* place in the solution; -1 unknown name, -2 place undecided */
int spice_names(void);
const char *spice_name(int i);
const double *spice_solution(const double *delta);
void spice_check_point(double t, const double *x); /* remembered, compared with what ngspice reports */
bool spice_points_agree(void);
void spice_prepare_run(void);
int spice_command(const char *command);
void spice_clear(void);
bool spice_set_breakpoint(double t);
const char *spice_messages(void);
void spice_forget_messages(void);
bool spice_is_loaded(void);
const char *spice_version(void);

/* sync.c */
int sync_step(double t, double *delta, int redo, int location);
double sync_source(int driver, double t);
void sync_begin(const char *tran);
void sync_resume(void);
void sync_stop(void);
void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* digital.c */
bool digital_attach(void);
int digital_signal(const char *name, bool drive);
void digital_begin(void);
void digital_wait(void);
void digital_end(void);
void digital_set_event(const char *name);
void digital_apply_sensors(void);
void digital_poke(void);
void digital_land(void);
uint64_t digital_now(void);
bool digital_read_drivers(bool all);
double digital_precision(void);
void *digital_real(const char *name);
void digital_write_probes(void);

static inline double voltage(const double *x, int plus, int minus) { return x[plus] - x[minus]; }
/* A watch whose crossing in the wanted direction is being delivered. */
static inline bool arriving(const struct sensor *s) {
    return s->signal < 0 && s->crossed && s->state != s->wanted;
}
static inline double seconds(uint64_t tick) { return (double)(tick - E.start_tick) * E.tick_s; }

#endif
