/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The digital side: VPI callbacks in the vvp process.
 *
 * The vpi_* functions are exported by the simulator that loads us; they are looked up at run time, so that the
 * library also loads outside a simulator (to be told so, rather than to crash).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <iverilog/vpi_user.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"

static struct {
    vpiHandle (*register_cb)(p_cb_data);
    int (*remove_cb)(vpiHandle);
    vpiHandle (*by_name)(const char *, vpiHandle);
    int (*get)(int, vpiHandle);
    void (*get_value)(vpiHandle, p_vpi_value);
    vpiHandle (*put_value)(vpiHandle, p_vpi_value, p_vpi_time, int);
    void (*get_time)(vpiHandle, p_vpi_time);
} vpi;

static vpiHandle event_handle, wait_cb;
static uintptr_t generation; /* callbacks of an earlier wait are recognised by it and ignored */
static bool collecting, waking, attached;

bool digital_attach(void) {
    if (attached) return true;
#define FIND(field, name) *(void **)&vpi.field = dlsym(RTLD_DEFAULT, name)
    FIND(register_cb, "vpi_register_cb");
    FIND(remove_cb, "vpi_remove_cb");
    FIND(by_name, "vpi_handle_by_name");
    FIND(get, "vpi_get");
    FIND(get_value, "vpi_get_value");
    FIND(put_value, "vpi_put_value");
    FIND(get_time, "vpi_get_time");
#undef FIND
    attached = vpi.register_cb && vpi.remove_cb && vpi.by_name && vpi.get && vpi.get_value && vpi.put_value && vpi.get_time;
    if (!attached) fail("no VPI in this process: the co-simulation must be started from a cocotb test inside vvp");
    return attached;
}

uint64_t digital_now(void) {
    s_vpi_time t = {.type = vpiSimTime};
    vpi.get_time(NULL, &t);
    return ((uint64_t)t.high << 32) | t.low;
}

double digital_precision(void) { return pow(10, vpi.get(vpiTimePrecision, NULL)); }

static PLI_INT32 on_wait_over(p_cb_data);
static PLI_INT32 on_collect(p_cb_data);
static PLI_INT32 on_wake(p_cb_data);
static PLI_INT32 on_change(p_cb_data);

static vpiHandle at(int reason, uint64_t delay, PLI_INT32 (*routine)(p_cb_data), uintptr_t user) {
    s_vpi_time t = {.type = vpiSimTime, .high = (PLI_UINT32)(delay >> 32), .low = (PLI_UINT32)delay};
    s_cb_data cb = {.reason = reason, .cb_rtn = routine, .time = &t, .user_data = (char *)user};
    return vpi.register_cb(&cb);
}

/* Resume ngspice, then arrange for the digital side to be stopped where ngspice wants it. */
static void advance(void) {
    analog_resume();
    digital_wait();
}

void digital_wait(void) {
    generation++;
    if (E.state == RUNNING) {
        uint64_t now = digital_now();
        /* deposits are not allowed in a read-only callback: take the step's end in an ordinary one */
        wait_cb = at(cbAfterDelay, E.until_tick > now ? E.until_tick - now : 0, on_wait_over, generation);
    } else if (E.state == FAILED)
        digital_poke();
}

static PLI_INT32 on_wait_over(p_cb_data cb) {
    if ((uintptr_t)cb->user_data != generation || E.state != RUNNING) return 0;
    wait_cb = NULL;
    digital_apply_sensors();
    digital_write_probes();
    if (!collecting) {
        collecting = true;
        at(cbReadOnlySynch, 0, on_collect, 0);
    }
    return 0;
}

static PLI_INT32 on_change(p_cb_data cb) {
    E.signals[(uintptr_t)cb->user_data].dirty = true;
    if (!collecting && E.state == RUNNING) {
        collecting = true;
        at(cbReadOnlySynch, 0, on_collect, 0);
    }
    return 0;
}

/* The end of a time step in which a pin changed or the analog step ended: all digital values are final. */
static PLI_INT32 on_collect(p_cb_data cb) {
    (void)cb;
    collecting = false;
    if (E.state != RUNNING) return 0;
    bool edges = digital_read_drivers(true);
    if (E.state == FAILED) {
        digital_poke();
        return 0;
    }
    if (!edges && digital_now() < E.until_tick) return 0; /* a glitch that settled: nothing to tell */
    if (wait_cb) {
        vpi.remove_cb(wait_cb);
        wait_cb = NULL;
    }
    advance();
    return 0;
}

int digital_signal(const char *name, bool drive) {
    for (int i = 0; i < E.n_signals; i++)
        if (strcmp(E.signals[i].name, name) == 0) {
            if ((E.signals[i].drive != NULL) == drive) return i;
            fail("signal '%s' is both driven and read by the analog side: give each direction a port of its own", name);
            return -1;
        }
    vpiHandle h = vpi.by_name(name, NULL);
    if (!h) {
        fail("no signal '%s' in the HDL design", name);
        return -1;
    }
    int type = vpi.get(vpiType, h);
    if (drive && type != vpiReg) {
        fail("signal '%s' is driven by the analog side, so it must be a reg (declare the port 'output reg')", name);
        return -1;
    }
    struct signal *s = &APPEND(E.signals, E.n_signals);
    snprintf(s->name, sizeof s->name, "%s", name);
    s->handle = h;
    s->is_real = type == vpiRealVar;
    s->width = s->is_real ? 1 : vpi.get(vpiSize, h);
    if (drive) s->drive = arena_alloc((size_t)(s->width + 31) / 32 * sizeof(uint32_t));
    return E.n_signals - 1;
}

/* A field of a vector as an integer; false when a bit is X or Z. */
static bool field(const s_vpi_vecval *v, int lsb, int width, bool is_signed, int64_t *out) {
    uint64_t value = 0;
    for (int i = 0; i < width; i++) {
        int bit = lsb + i;
        if (v[bit / 32].bval >> (bit % 32) & 1) return false;
        value |= (uint64_t)(v[bit / 32].aval >> (bit % 32) & 1) << i;
    }
    *out = (int64_t)value;
    if (is_signed && width < 64 && value >> (width - 1)) *out -= (int64_t)1 << width;
    return true;
}

static void unknown_value(const struct driver *d, const s_vpi_vecval *v) {
    char bits[80];
    int n = d->width < 64 ? d->width : 64;
    for (int i = 0; i < n; i++) {
        int bit = d->lsb + n - 1 - i, a = v[bit / 32].aval >> (bit % 32) & 1, b = v[bit / 32].bval >> (bit % 32) & 1;
        bits[i] = b ? (a ? 'x' : 'z') : (a ? '1' : '0');
    }
    bits[n] = 0;
    fail("pin %s[%d:%d] (source %s) is %s at %.12g s: an analog input needs a known level. Reset the driver of the "
         "pin before the block is started, or give the pin the policy 'hold' or 'low'",
         E.signals[d->signal].name, d->lsb + d->width - 1, d->lsb, d->source, bits,
         (double)digital_now() * E.tick_s);
}

/* Read the watched vectors; true when a driver or the phase has something new for the analog side.
 * `fetch` false only reports what an earlier call found. */
bool digital_read_drivers(bool fetch) {
    bool news = E.land;
    for (int s = 0; s < E.n_signals && fetch; s++) {
        struct signal *sig = &E.signals[s];
        if (!sig->dirty) continue;
        sig->dirty = false;
        s_vpi_value value = {.format = sig->is_real ? vpiRealVal : vpiVectorVal};
        vpi.get_value(sig->handle, &value);
        for (int i = 0; i < E.n_phases; i++) {
            int64_t code = 0;
            if (E.phases[i].signal != s) continue;
            if (!field(value.value.vector, 0, sig->width < 3 ? sig->width : 3, false, &code))
                fail("phase signal %s is X or Z at %.12g s", sig->name, (double)digital_now() * E.tick_s);
            E.phases[i].next = (int)code;
        }
        for (int i = 0; i < E.n_drivers; i++) {
            struct driver *d = &E.drivers[i];
            int64_t code = 0;
            if (d->signal != s) continue;
            if (sig->is_real) {
                if (!isfinite(value.value.real))
                    fail("real pin %s (source %s) is not finite at %.12g s", sig->name, d->source,
                         (double)digital_now() * E.tick_s);
                d->target_v = d->offset_v + d->scale_v * value.value.real;
                d->pending = d->target_v != d->v1;
                continue;
            }
            if (!field(value.value.vector, d->lsb, d->width, d->is_signed, &code)) {
                if (d->x_policy == X_ERROR) unknown_value(d, value.value.vector);
                if (d->x_policy != X_LOW) continue;
                code = 0;
            }
            d->target_v = d->offset_v + d->scale_v * (double)code;
            d->pending = d->target_v != d->v1;
        }
    }
    for (int i = 0; i < E.n_phases; i++) news |= E.phases[i].next != E.phases[i].now;
    for (int i = 0; i < E.n_drivers; i++) news |= E.drivers[i].pending;
    return news;
}

/* Value-change callbacks, and the values at the start. */
void digital_begin(void) {
    for (int s = 0; s < E.n_signals; s++) {
        struct signal *sig = &E.signals[s];
        if (sig->drive) continue;
        s_vpi_value value = {.format = vpiSuppressVal};
        s_vpi_time t = {.type = vpiSuppressTime};
        s_cb_data cb = {.reason = cbValueChange, .cb_rtn = on_change, .obj = sig->handle, .time = &t,
                        .value = &value, .user_data = (char *)(uintptr_t)s};
        sig->change = vpi.register_cb(&cb);
        sig->dirty = true;
    }
    collecting = waking = false;
    wait_cb = NULL;
    digital_read_drivers(true);
    for (int i = 0; i < E.n_drivers; i++) {
        struct driver *d = &E.drivers[i];
        d->v0 = d->v1 = d->target_v;
        d->t0 = d->t1 = 0;
        d->pending = false;
    }
    for (int i = 0; i < E.n_phases; i++) E.phases[i].now = E.phases[i].next;
}

void digital_end(void) {
    generation++;
    if (wait_cb) vpi.remove_cb(wait_cb);
    wait_cb = NULL;
    for (int s = 0; s < E.n_signals; s++)
        if (E.signals[s].change) vpi.remove_cb(E.signals[s].change), E.signals[s].change = NULL;
}

static void put(struct signal *s) {
    int words = (s->width + 31) / 32;
    s_vpi_vecval v[words];
    for (int i = 0; i < words; i++) v[i].aval = (PLI_INT32)s->drive[i], v[i].bval = 0;
    s_vpi_value value = {.format = vpiVectorVal, .value.vector = v};
    vpi.put_value(s->handle, &value, NULL, vpiNoDelay);
}

static void wake_python(void);

/* Deposit the level of every sensor: the present one, or the one after a crossing about to be committed. */
void digital_apply_sensors(void) {
    for (int s = 0; s < E.n_signals; s++) {
        struct signal *sig = &E.signals[s];
        if (!sig->drive) continue;
        bool changed = E.t_accepted == 0;
        for (int i = 0; i < E.n_sensors; i++) {
            const struct sensor *e = &E.sensors[i];
            if (e->signal != s) continue;
            uint32_t bit = 1u << (e->bit % 32), *word = &sig->drive[e->bit / 32];
            uint32_t level = e->state != e->crossed ? bit : 0;
            changed |= (*word & bit) != level;
            *word = (*word & ~bit) | level;
        }
        if (changed) put(sig);
    }
    for (int i = 0; i < E.n_sensors; i++)
        if (arriving(&E.sensors[i])) {
            wake_python();
            break;
        }
}

void *digital_real(const char *name) {
    vpiHandle h = vpi.by_name(name, NULL);
    return h && vpi.get(vpiType, h) == vpiRealVar ? h : NULL;
}

/* Waveforms: analog values enter HDL real variables, and so the simulator's own dump file. */
void digital_write_probes(void) {
    for (int i = 0; i < E.n_probes; i++) {
        struct probe *p = &E.probes[i];
        double v = E.candidate[p->index];
        if (fabs(v - p->last) < p->step) continue;
        p->last = v;
        s_vpi_value value = {.format = vpiRealVal, .value.real = v};
        vpi.put_value(p->handle, &value, NULL, vpiNoDelay);
    }
}

void digital_set_event(const char *name) { event_handle = vpi.by_name(name, NULL); }

/* Toggle the shell's bridge_event: a Python task waits for its change. */
static void wake_python(void) {
    if (!event_handle) return;
    s_vpi_value value = {.format = vpiIntVal};
    vpi.get_value(event_handle, &value);
    value.value.integer = !value.value.integer;
    vpi.put_value(event_handle, &value, NULL, vpiNoDelay);
}

static PLI_INT32 on_wake(p_cb_data cb) {
    (void)cb;
    waking = false;
    if (E.state == RUNNING) digital_apply_sensors(); /* levels that missed their own step */
    for (int i = 0; i < E.n_sensors; i++)
        if (E.state == RUNNING && E.sensors[i].signal < 0 && E.sensors[i].fired) wake_python();
    if (E.state != RUNNING) wake_python();
    return 0;
}

/* Python changed a source or a watch in the present time step: land on it. */
void digital_land(void) {
    E.land = true;
    if (!collecting && E.state == RUNNING) {
        collecting = true;
        at(cbReadOnlySynch, 0, on_collect, 0);
    }
}

/* Have the digital side look at us one tick from now: a failure to report, or a late level. */
void digital_poke(void) {
    if (waking) return;
    waking = true;
    at(cbAfterDelay, 1, on_wake, 0);
}
