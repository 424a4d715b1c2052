/* SPDX-License-Identifier: BSD-3-Clause
 * The binary interface between a compact model and a simulator, version 0.3: our own statement of its layout.
 * The layout is that of the Open Source Device Interface (SemiMod; osdi_0_3.h in the OpenVAF and ngspice sources).
 */
#ifndef PYHARNESS_OSDI_0_3_H
#define PYHARNESS_OSDI_0_3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* type and kind of a parameter */
enum { PARAM_REAL = 0, PARAM_INTEGER = 1 };
#define PARAM_MODEL 0u
#define PARAM_INSTANCE (1u << 30)
#define PARAM_OUTPUT (2u << 30)

/* flags of access() */
enum { ACCESS_SET = 1, ACCESS_INSTANCE = 4 };

/* what a place of the Jacobian holds */
enum { ENTRY_RESISTIVE = 4, ENTRY_REACTIVE = 8 };

/* analysis flags of eval() */
enum { RUNS_NOISE = 1024, RUNS_AC = 4096, RUNS_STATIC = 32768 };

enum { ERROR_OUT_OF_BOUNDS = 1 };

/* "this unknown or offset does not exist" */
#define NONE UINT32_MAX

typedef struct {
    char *name;
    uint32_t argument_count;
    void *function;
} OsdiLimit;

typedef struct {
    char **names;
    double *values;
    char **text_names;
    char **texts;
} OsdiSimulatorParameters;

typedef struct {
    OsdiSimulatorParameters parameters;
    double time;
    double *solution;
    double *previous_state;
    double *next_state;
    uint32_t flags;
} OsdiSimulation;

typedef struct {
    uint32_t code;
    union {
        uint32_t parameter;
    } payload;
} OsdiError;

typedef struct {
    uint32_t flags;
    uint32_t error_count;
    OsdiError *errors;
} OsdiSetupResult;

typedef struct {
    uint32_t first, second;
} OsdiPair;

typedef struct {
    OsdiPair nodes;
    uint32_t reactive_pointer_offset;
    uint32_t flags;
} OsdiEntry;

typedef struct {
    char *name, *units, *residual_units;
    uint32_t resistive_offset, reactive_offset, resistive_limit_offset, reactive_limit_offset;
    bool is_flow;
} OsdiNode;

typedef struct {
    char **names;
    uint32_t alias_count;
    char *description, *units;
    uint32_t flags;
    uint32_t length;
} OsdiParameter;

typedef struct {
    char *name;
    OsdiPair nodes;
} OsdiNoise;

typedef struct {
    char *name;
    uint32_t node_count, terminal_count;
    OsdiNode *nodes;
    uint32_t entry_count;
    OsdiEntry *entries;
    uint32_t collapsible_count;
    OsdiPair *collapsible;
    uint32_t collapsed_offset;
    OsdiNoise *noises;
    uint32_t noise_count;
    uint32_t parameter_count, instance_parameter_count, output_count;
    OsdiParameter *parameters;
    uint32_t node_mapping_offset;
    uint32_t resistive_pointers_offset;
    uint32_t state_count, state_offset;
    uint32_t bound_step_offset;
    uint32_t instance_size, model_size;
    void *(*access)(void *instance, void *model, uint32_t id, uint32_t flags);
    void (*setup_model)(void *handle, void *model, OsdiSimulatorParameters *, OsdiSetupResult *);
    void (*setup_instance)(void *handle, void *instance, void *model, double temperature_k, uint32_t terminal_count,
                           OsdiSimulatorParameters *, OsdiSetupResult *);
    uint32_t (*eval)(void *handle, void *instance, void *model, OsdiSimulation *);
    void (*load_noise)(void *instance, void *model, double frequency, double *densities);
    void (*load_residual_resist)(void *instance, void *model, double *target);
    void (*load_residual_react)(void *instance, void *model, double *target);
    void (*load_limit_rhs_resist)(void *instance, void *model, double *target);
    void (*load_limit_rhs_react)(void *instance, void *model, double *target);
    void (*load_spice_rhs_dc)(void *instance, void *model, double *target, double *solution);
    void (*load_spice_rhs_tran)(void *instance, void *model, double *target, double *solution, double alpha);
    void (*load_jacobian_resist)(void *instance, void *model);
    void (*load_jacobian_react)(void *instance, void *model, double alpha);
    void (*load_jacobian_tran)(void *instance, void *model, double alpha);
} OsdiDescriptor;

#endif
