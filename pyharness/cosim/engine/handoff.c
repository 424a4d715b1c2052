/* SPDX-License-Identifier: BSD-3-Clause
 *
 * How control passes between the digital and the analog side.  Exactly one of them runs at any moment.
 *
 * In one process the analog side is a coroutine: a run of ngspice has a stack of its own, entered and left by
 * swapcontext().  Isolated, it is a forked process that waits for its turn; should it die, the digital side goes on and says
 * so.  Everything above sees the same calls.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "engine.h"

#define STACK_BYTES (64u << 20) /* ngspice parses recursively; untouched pages cost nothing */
#define SPINS 4000              /* a hand-over mostly comes back within microseconds */
#define LOOK_NS 20000000        /* how often a waiting digital side looks whether its partner lives */

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() __asm__ volatile("" ::: "memory")
#endif

static ucontext_t digital_stack, analog_stack;
static pid_t child; /* on the digital side: the analog process, 0 in one process */

/* -- two processes ------------------------------------------------------------------------------------------------ */

static void await(sem_t *turn) {
    for (int i = 0; i < SPINS; i++) {
        if (sem_trywait(turn) == 0) return;
        PAUSE();
    }
    while (sem_wait(turn) != 0 && errno == EINTR) {}
}

/* Wait for the analog process to hand over; false when it died. */
static bool await_child(void) {
    for (int i = 0; i < SPINS; i++) {
        if (sem_trywait(&E.back) == 0) return true;
        PAUSE();
    }
    for (;;) {
        struct timespec limit;
        clock_gettime(CLOCK_REALTIME, &limit);
        limit.tv_nsec += LOOK_NS;
        if (limit.tv_nsec >= 1000000000) limit.tv_sec++, limit.tv_nsec -= 1000000000;
        if (sem_timedwait(&E.back, &limit) == 0) return true;
        int status = 0;
        if (errno != ETIMEDOUT || waitpid(child, &status, WNOHANG) != child) continue;
        child = 0;
        E.run_over = true;
        if (WIFSIGNALED(status))
            fail("ngspice crashed (signal %d, %s) at %.9g s; its process is gone, the digital side goes on",
                 WTERMSIG(status), strsignal(WTERMSIG(status)), E.t_accepted);
        else
            fail("ngspice ended its process with status %d at %.9g s", WEXITSTATUS(status), E.t_accepted);
        return false;
    }
}

static void serve_for_ever(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* do not outlive the simulation */
    signal(SIGINT, SIG_IGN);          /* an interrupt from the keyboard is the digital side's */
    for (;;) {
        await(&E.go);
        E.reply = spice_serve(E.request);
        if (E.request == RUN) E.run_over = true;
        sem_post(&E.back);
    }
}

/* -- both ways ------------------------------------------------------------------------------------------------------ */

void to_digital(void) {
    E.on_analog_side = false;
    if (E.isolated) {
        sem_post(&E.back);
        await(&E.go);
    } else
        swapcontext(&analog_stack, &digital_stack);
    E.on_analog_side = true;
}

static void run_on_stack(void) {
    E.reply = spice_serve(RUN);
    E.run_over = true;
    for (;;) to_digital();
}

static bool begin_stack(void) {
    static void *stack;
    if (!stack) {
        stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (stack == MAP_FAILED) {
            stack = NULL;
            fail("cannot reserve %u bytes for the analog stack", STACK_BYTES);
            return false;
        }
        mprotect(stack, 4096, PROT_NONE);
    }
    getcontext(&analog_stack);
    analog_stack.uc_stack.ss_sp = stack;
    analog_stack.uc_stack.ss_size = STACK_BYTES;
    analog_stack.uc_link = &digital_stack;
    makecontext(&analog_stack, run_on_stack, 0);
    return true;
}

void analog_resume(void) {
    if (E.run_over || (E.state != RUNNING && E.state != STOPPING)) return;
    E.now_tick = digital_now();
    E.on_analog_side = true;
    if (!E.isolated)
        swapcontext(&digital_stack, &analog_stack);
    else {
        sem_post(&E.go);
        await_child();
    }
    E.on_analog_side = false;
    if (E.poke) {
        E.poke = false;
        digital_poke();
    }
}

/* Have the analog side do one thing; a RUN comes back at its first hand-over.  Returns its reply, -1 when it died. */
int analog_call(enum request request) {
    E.request = request;
    if (request == RUN) {
        E.run_over = false;
        if (!E.isolated && !begin_stack()) return -1;
        E.reply = 0;
        analog_resume();
        return E.reply;
    }
    if (!E.isolated) return spice_serve(request);
    if (!child) return -1;
    sem_post(&E.go);
    return await_child() ? E.reply : -1;
}

/* Let a run come to its end, from the digital side. */
void analog_stop(void) {
    if (E.on_analog_side || E.run_over || E.state == IDLE) return;
    E.state = STOPPING;
    analog_resume();
}

bool analog_open(bool isolated) {
    E.isolated = isolated;
    E.run_over = true;
    if (!isolated) return true;
    if (sem_init(&E.go, 1, 0) || sem_init(&E.back, 1, 0)) {
        fail("cannot make semaphores for the analog process: %s", strerror(errno));
        return false;
    }
    child = fork();
    if (child < 0) {
        child = 0;
        fail("cannot fork the analog process: %s", strerror(errno));
        return false;
    }
    if (child == 0) serve_for_ever();
    return true;
}

void analog_close(void) {
    if (!child) return;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    child = 0;
}

int analog_process(void) { return child; }
