# SPDX-License-Identifier: BSD-3-Clause
"""Types of models that ngspice has itself: a library's module of that name is not found on a ``.model`` line."""

__all__ = ("is_model_type",)

# code models as `devhelp` of ngspice 39, 44.2 and 47 names them, and the types of `.model` lines in its manual
_TYPES = frozenset(
    (
        "adc_bridge astate aswitch bidi_bridge c capacitoric climit cmeter core cpl cpline cpmlin csw d d_and "
        "d_buffer d_cosim d_dff d_dlatch d_dt d_fdiv d_genlut d_inverter d_jkff d_lut d_nand d_nor d_open_c d_open_e "
        "d_or d_osc d_process d_pulldown d_pullup d_pwm d_ram d_source d_srff d_srlatch d_state d_tff d_to_real "
        "d_tristate d_xnor d_xor dac_bridge delay divide filesource gain hicum2 hyst ilimit inductoric int l lcouple "
        "limit lmeter memristor mlin msopen mult multi_input_pwl mutual nbjt nhfet njf nmf nmos npn nsoi numd numos "
        "oneshot ota phfet pjf pmf pmos pnp potentiometer psoi pswitch pwl pwlts r real_delay real_gain real_to_v "
        "s_xfer seegen sidiode sine slew spice2poly square summer sw table2d table3d tline triangle txl vdmosn vdmosp "
        "xfer zener "
    ).split()
)


def is_model_type(name: str) -> bool:
    """Return whether ngspice takes a module's name, in any case, for a model type of its own."""
    return name.lower() in _TYPES
