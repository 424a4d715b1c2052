# SPDX-License-Identifier: BSD-3-Clause
"""Settings of the controller, from a configuration: volts, seconds and siemens become codes and clock cycles."""

from __future__ import annotations

from pyharness.bench.array import ArrayElectrics
from pyharness.bench.registers import registers
from pyharness.config import SimConfig
from pyharness.errors import ConfigError
from pyharness.network.reference import Network

__all__ = ("MAX_PULSE_CYCLES", "manhattan_registers", "register_settings")

MAX_PULSE_CYCLES = 100_000
"""Parameter of the controller: a longer pulse ends there."""
_ALGORITHMS = ("fixed", "incremental", "predictive")  # by the register's value


def _cycles(seconds: float, clock_hz: float) -> int:
    return max(1, round(seconds * clock_hz))


def register_settings(config: SimConfig, network: Network, electrics: ArrayElectrics) -> dict[str, int]:
    """Return the controller's settings by register name.

    Raises:
        ConfigError: a value that its register does not hold, or a pulse that the controller would cut.
    """
    w, t = config.write_verify, config.timing
    siemens_per_code = electrics.adc_lsb_v / (w.read_v * electrics.feedback_verify_ohm)

    def code(v: float) -> int:
        return round(v / electrics.dac_lsb_v)

    def per_code(name: str) -> int:
        """V/S to DAC codes per ADC code, Q4.12."""
        value: int = round(getattr(w, name) * siemens_per_code / electrics.dac_lsb_v * 4096)
        if value > 0xFFFF:
            raise ConfigError(
                f"write_verify.{name} is {value / 4096:.4g} DAC codes per ADC code of {siemens_per_code:.3g} S, but the register "
                f"holds less than 16: lower it to {0.9999 * 0xFFFF / 4096 * electrics.dac_lsb_v / siemens_per_code:.4g} V/S or raise "
                "array.feedback_verify_ohm, which makes the codes finer"
            )
        return value

    settings = {
        "READ_CODE": code(w.read_v),
        "SETTLE": _cycles(t.settle_s, t.clock_hz),
        "BIT_CYCLES": _cycles(t.adc_bit_s, t.clock_hz),
        "GUARD": _cycles(t.guard_s, t.clock_hz),
        "CONFIRM": w.confirm,
        "SET_START": code(w.set_start_v),
        "SET_MAX": code(w.set_max_v),
        "RESET_START": code(w.reset_start_v),
        "RESET_MAX": code(w.reset_max_v),
        "STEP_MIN": code(w.step_min_v),
        "STEP_MAX": code(w.step_max_v),
        "GAIN_SHIFT": w.gain_shift,
        "RESET_STEP": code(w.reset_step_v),
        "SET_STRETCH": w.set_stretch,
        "SET_CYCLES": _cycles(w.set_pulse_s, t.clock_hz),
        "RESET_CYCLES": _cycles(w.reset_pulse_s, t.clock_hz),
        "INIT_ENABLE": int(w.initial_reset),
        "INIT_CODE": code(w.initial_reset_v),
        "INIT_CYCLES": _cycles(w.initial_reset_pulse_s, t.clock_hz),
        "TOLERANCE": round(w.tolerance * 65536),
        "MAX_PULSES": w.max_pulses,
        "STUCK_LIMIT": w.stuck_limit,
        "ALGORITHM": _ALGORITHMS.index(w.algorithm),
        "LAW_OFFSET": code(w.law_v),
        "LAW_SLOPE": per_code("law_v_per_siemens"),
        "TRIM_GAIN": per_code("trim_v_per_siemens"),
        "SHIFT": network.shift,
        "THRESHOLD": network.threshold,
    }
    for name, value in settings.items():
        registers()[name].encode(value)
    for what, cycles in (
        ("set_pulse_s", settings["SET_CYCLES"] << settings["SET_STRETCH"]),
        ("reset_pulse_s", settings["RESET_CYCLES"]),
        ("initial_reset_pulse_s", settings["INIT_CYCLES"]),
    ):
        if cycles > MAX_PULSE_CYCLES:
            stretched = (
                f", doubled {w.set_stretch} times by set_stretch," if what == "set_pulse_s" and w.set_stretch else ""
            )
            raise ConfigError(
                f"write_verify.{what} of {getattr(w, what):g} s{stretched} is {cycles} clock cycles; the controller ends a pulse after "
                f"{MAX_PULSE_CYCLES}: shorten it, or lower timing.clock_hz{' or set_stretch' if stretched else ''}"
            )
    return settings


def manhattan_registers(config: SimConfig, electrics: ArrayElectrics) -> dict[str, int]:
    """Return the settings with which the controller gives each device at most one fixed pulse and verifies nothing.

    Raises:
        ConfigError: a pulse that the controller would cut.
    """
    m, clock_hz = config.training.manhattan, config.timing.clock_hz
    for name in ("set_pulse_s", "reset_pulse_s"):
        if (cycles := _cycles(getattr(m, name), clock_hz)) > MAX_PULSE_CYCLES:
            raise ConfigError(
                f"training.manhattan.{name} of {getattr(m, name):g} s is {cycles} clock cycles; the controller ends a pulse after "
                f"{MAX_PULSE_CYCLES}: shorten it, or lower timing.clock_hz"
            )
    set_code, reset_code = (round(v / electrics.dac_lsb_v) for v in (m.set_v, m.reset_v))
    return {
        "ALGORITHM": _ALGORITHMS.index("fixed"),
        "MAX_PULSES": 1,
        "CONFIRM": 1,
        "STUCK_LIMIT": 0,
        "INIT_ENABLE": 0,
        "SET_START": set_code,
        "SET_MAX": set_code,
        "RESET_START": reset_code,
        "RESET_MAX": reset_code,
        "SET_CYCLES": _cycles(m.set_pulse_s, clock_hz),
        "RESET_CYCLES": _cycles(m.reset_pulse_s, clock_hz),
    }
