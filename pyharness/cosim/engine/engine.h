/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The co-simulation engine: ngspice beside the HDL simulator, one of the two running at any moment.
 *
 *   digital.c   the digital side: VPI callbacks, pin values
 *   handoff.c   how control passes between the sides: two stacks in one process, or two processes
 *   sync.c      the analog side of the contract: steps, crossings, edges, meters
 *   spice.c     loads libngspice, runs commands, takes its callbacks, keeps its messages
 *   solution.c  finds the solved, unaccepted point in ngspice, and checks it
 *   arena.c     memory that both sides see
 *   api.c       what Python calls by ctypes
 *
 * The digital side is the HDL simulator's thread: digital.c, api.c, Python.  The analog side is ngspice and what it calls
 * back: sync.c, spice.c, solution.c.  They share the structure E and what it points to, and nothing else: with a process of
 * its own, the analog side can crash without taking the other along.
 *
 * Digital time is an integer number of HDL ticks; analog time is a double in seconds that counts from the tick at which the
 * blocks were started.
 */
#ifndef PYHARNESS_ENGINE_H
#define PYHARNESS_ENGINE_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAME_MAX_LEN 128
#define MAX_PHASES 8
#define LOG_BYTES 16384
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
    bool arming, armed, fired, wanted; /* of a watch: for its first point; waiting; crossed to the level wanted */
    int plus, minus; /* indices into the solution; 0 is ground */
    double rise_v, fall_v;
    bool state, crossed;
    bool halved; /* crossing_s is the middle of the step: nothing is known of where it lies */
    double crossing_s;
};

/* Which of a block's accounts is charged now: the value of one HDL vector. */
struct phase {
    int signal; /* < 0: always 0 */
    int now, next;
};

/* Time integrals of (v_plus - v_minus) * i_branch and of i_branch, kept apart per phase. */
struct meter {
    int plus, minus, branch, phase;
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

/* What the digital side can ask of the analog side. */
enum request { LOAD, CIRCUIT, COMMAND, RUN, CLEAR };

struct engine {
    char *arena_next; /* first free byte of the memory that both sides see */
    enum run_state state;
    char error[2048];
    char messages[LOG_BYTES]; /* the tail of what ngspice said */
    size_t message_bytes;
    char version[64];

    /* control */
    bool isolated;
    sem_t go, back; /* with two processes: whose turn it is */
    enum request request;
    char argument[4096];
    char **lines; /* of CIRCUIT, ended by NULL */
    int reply;
    bool on_analog_side, run_over;

    struct signal *signals;
    struct driver *drivers;
    struct sensor *sensors;
    struct phase *phases;
    struct meter *meters;
    struct probe *probes;
    int n_signals, n_drivers, n_sensors, n_phases, n_meters, n_probes;
    bool land; /* Python changed something: put an analog point at the present HDL time */
    bool poke; /* the analog side wants the digital side to look again one tick later */

    struct options opt;
    struct statistics stat;
    struct edge *edges;
    int n_edges;

    /* time */
    double tick_s;
    uint64_t now_tick;   /* where the digital side stands */
    uint64_t start_tick; /* HDL tick of analog time zero */
    uint64_t until_tick; /* the digital side may run to this tick */

    /* unknowns of the circuit, in the order of the equations; index 0 of a vector is ground */
    char **names;
    int *places; /* of each name in the solution; 0: undecided */
    int n_names, n_unknowns;
    double *accepted, *candidate;
    double t_accepted, t_candidate;
};

extern struct engine *engine;
#define E (*engine)

/* arena.c */
bool arena_open(void);
void arena_reset(void); /* forget everything but E itself */
void *arena_alloc(size_t bytes);
char *arena_text(const char *text);
void *arena_grown(void *array, int count, size_t size); /* room for one more element after `count` */
#define APPEND(array, count) \
    (*({ array = arena_grown(array, count, sizeof *array); &array[count++]; }))

/* handoff.c */
int analog_call(enum request request);
void analog_resume(void); /* let a run go on until it hands over again */
void analog_stop(void);
bool analog_open(bool isolated);
void analog_close(void);
int analog_process(void); /* its process id; 0 when it is this process */
void to_digital(void);

/* spice.c: libngspice */
int spice_serve(enum request request);
int spice_command(const char *command);
int spice_circuit(char **lines);
void spice_clear(void);
bool spice_set_breakpoint(double t);
void spice_remember(const char *text);

/* solution.c */
int solution_find(void);
int solution_learn(const char *tran);
bool solution_learning(double t, const double *delta); /* a step is solved; false: in a run */
void solution_plot(void *plot);                        /* pvecinfoall */
void solution_data(void *values);                      /* pvecvaluesall */
double solution_stir(int driver, double t);            /* added to a source while places are learnt */
void solution_prepare_run(void);
void solution_forget(void);
const double *solution(const double *delta);
void solution_expect(double t);
bool solution_agrees(void);

/* sync.c */
int sync_step(double t, double *delta, int redo, int location);
double sync_source(int driver, double t);
void sync_run(const char *tran);
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
