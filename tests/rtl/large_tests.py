# SPDX-License-Identifier: BSD-3-Clause
"""cocotb side of test_controller.py for the largest first layer: 64 x 10 and 10 x 1 cells."""

import cocotb
import numpy as np
import pytest
from controller_tests import answers_like, bench
from fake_array import fields, settle

from pyharness.errors import ConfigError, SimulationError
from pyharness.network.reference import Arithmetic, Network

ROWS, HIDDEN = 64, 10
DEVICES = ROWS * HIDDEN + HIDDEN


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def every_pixel_drives_its_row(dut):
    """Single pixels around the registers' ends, a pattern, all; the reference row takes their sum, cut at -2047 however large it is."""
    driver, _ = await bench(dut)
    seen = {}

    async def watch():
        while True:
            await settle(dut)
            codes = fields(dut.u_array.l1_row_code.value, 12, ROWS)
            if any(codes):
                seen["driven"] = codes, fields(dut.u_array.l1_ref_code.value, 12, 1)[0]

    cocotb.start_soon(watch())
    every = (1 << ROWS) - 1
    images = (*(1 << i for i in (0, 31, 32, 33, 62, 63)), 0x0123_4567_89AB_CDEF, every)
    for image, read_code in (*((image, 31) for image in images), (every, 1024)):  # 64 x 1024 is 0 in 16 bits
        await driver.write("READ_CODE", read_code)
        seen.clear()
        await driver.classify(image, HIDDEN, ROWS)
        wanted = [read_code * (image >> i & 1) for i in range(ROWS)]
        assert seen["driven"] == (wanted, -min(sum(wanted), 2047)), hex(image)


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def ten_hidden_neurons_equal_the_integer_model(dut):
    """Random images, random conductances: all hidden activations, sum and class, bit for bit."""
    driver, array = await bench(dut, READ_CODE=31)
    rng = np.random.default_rng(12)
    for g in array.g:
        g[:] = rng.uniform(100e-6, 400e-6, g.shape)
    network = Network(
        g1_siemens=array.g[0],
        g2_siemens=array.g[1],
        bias=tuple(int(b) for b in rng.integers(-300, 300, HIDDEN + 1)),
        table=tuple(int(v) for v in np.linspace(0, 127, 64)),
        shift=4,
        threshold=-7,
        arithmetic=Arithmetic(read_code=31, driver_ohm=1e-9, cell_ohm=1e-9, column_ohm=1e-9),
    )
    images = rng.integers(0, 2, (16, ROWS))
    images[0, 32:] = 0  # what the image before left there must not stay
    images[1, :32] = 0
    expected = await answers_like(driver, network, images)
    assert len(np.unique(expected.hidden.argmax(1))) > 3


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def the_last_devices_are_reached(dut):
    """Reads at the ends of both layers, and their places in the map; the next device is outside."""
    driver, array = await bench(dut)
    rng = np.random.default_rng(13)
    for g in array.g:
        g[:] = rng.uniform(100e-6, 400e-6, g.shape)
    codes = [array.code(x) for g in array.g for x in g.ravel()]
    for device in (0, 33 * HIDDEN - 1, ROWS * HIDDEN - 1, ROWS * HIDDEN, DEVICES - 1):
        assert await driver.read_device(device) == codes[device]
        await driver.write("TARGET", device + 1, device)
        assert await driver.read("TARGET", device) == device + 1
        assert (await driver.outcome(device)).status == "untouched"
    with pytest.raises(SimulationError, match=rf"refused to read OUTCOME\[{DEVICES}\]: DECERR"):
        await driver.read("OUTCOME", DEVICES)
    with pytest.raises(SimulationError, match=rf"refused to write TARGET\[{DEVICES}\]: DECERR"):
        await driver.write("TARGET", 1, DEVICES)


@cocotb.test(timeout_time=2, timeout_unit="sec")
async def the_driver_writes_what_the_rows_need(dut):
    """Up to 32 rows one register, above both; an image with more pixels than registers is told."""
    driver, _ = await bench(dut)
    await driver.classify(0x0123_4567_89AB_CDEF, HIDDEN, ROWS)
    assert (await driver.read("IMAGE"), await driver.read("IMAGE_HIGH")) == (0x89AB_CDEF, 0x0123_4567)
    await driver.classify(5, HIDDEN, 33)
    assert (await driver.read("IMAGE"), await driver.read("IMAGE_HIGH")) == (5, 0)
    await driver.write("IMAGE_HIGH", 77)
    await driver.classify(6, HIDDEN, 32)
    assert (await driver.read("IMAGE"), await driver.read("IMAGE_HIGH")) == (6, 77)
    with pytest.raises(ConfigError, match=r"register IMAGE takes an integer of 0 \.\. 4294967295"):
        await driver.classify(1 << 32, HIDDEN, 32)
    with pytest.raises(ConfigError, match=r"register IMAGE_HIGH takes an integer of 0 \.\. 4294967295"):
        await driver.classify(1 << 64, HIDDEN, ROWS)
